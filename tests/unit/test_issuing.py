"""The issuing line: what is refused leaves nothing, what is begun is finished once, whatever happens between."""

from __future__ import annotations

import hashlib
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest

from elicense import preflight
from elicense.catalogue import Catalogue, templates_folder
from elicense.errors import (
    CertificatePathError,
    ConfigurationError,
    IdempotencyConflict,
    IllegalTransition,
    InvalidLicenceData,
    KeyUnavailable,
    NotAuthorised,
    RenderingError,
    SealError,
    TimestampUnavailable,
    UnknownLicenceType,
    VerificationFailed,
)
from elicense.issuing import Step, asking, issue, line, resume
from elicense.model import Holder, InForce, LicenceState
from elicense.registry.files import FileStore
from elicense.registry.memory import MemoryRegistry, MemoryStore
from elicense.registry.protocol import DocumentEvidence
from elicense.registry.sql import SqlRegistry
from elicense.verification.document import InProcess
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from elicense.verification.sandbox import Sandbox
from tests.support.demonstration import AT, SLUG, entropy, office, request, request_with

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def sandbox():
    """One worker for all verifications of this module."""
    with Sandbox() as shared:
        yield shared


class KilledError(Exception):
    """Stands for the end of the process."""


def kill_at(wanted):
    """Return an on_step that ends the run at a step."""

    def on_step(step):
        if step is wanted:
            raise KilledError

    return on_step


def documents(home):
    """Return all documents in a store in memory."""
    return home.store._documents


def test_an_issued_licence_is_sealed_stored_recorded_and_believed():
    """The answer is ISSUED, the store has the very bytes, and the verifier says authentic and in force."""
    home, steps = office(), []
    issued = issue(request(), home, at=AT, on_step=steps.append)
    evidence = issued.record.document
    assert issued.record.state is LicenceState.ISSUED
    assert evidence.sha256 == hashlib.sha256(issued.pdf).hexdigest()
    assert (evidence.size, evidence.profile, evidence.timestamp_pending) == (len(issued.pdf), "B-B", False)
    assert home.store.get(evidence.sha256) == issued.pdf
    assert home.registry.get(str(issued.record.licence.identifier)) == issued.record
    assert steps == list(Step)
    report = verify(issued.pdf, trust=home.trust, at=AT, registry=home.registry)
    assert report.indication is Indication.TOTAL_PASSED
    assert report.in_force.state is InForce.IN_FORCE


def test_same_licence_same_bytes():
    """Two offices with the same chance give the same bytes: nothing else varies."""
    assert issue(request(), office(), at=AT).pdf == issue(request(), office(), at=AT).pdf


# --- Refusals ---


def of(**changes):
    """Return a maker of the sample request with values changed, in an ordinary office."""
    return lambda _: (request(**changes), office())


def fields(**changes):
    """Return a maker of the sample request with fields changed, in an ordinary office."""
    return lambda _: (request_with(**changes), office())


def sealed(**changes):
    """Return a maker of the sample request in an office whose seals are changed."""

    def make(_):
        home = office()
        keepers = tuple(replace(k, seal=replace(k.seal, **changes)) for k in home.keepers)
        return request(), replace(home, keepers=keepers)

    return make


def trusting(change):
    """Return a maker of the sample request in an office whose trust is changed."""

    def make(_):
        home = office()
        return request(), replace(home, trust=change(home.trust))

    return make


def untyped(trust):
    """Return the trust with nobody allowed any type."""
    return replace(trust, register=tuple(replace(entry, type_codes=()) for entry in trust.register))


def cramped(folder):
    """Return a request with the longest value allowed, in an office whose layout lets nothing shrink."""
    shutil.copytree(templates_folder() / SLUG, folder / SLUG)
    layout = folder / SLUG / "layout.yaml"
    layout.write_text(re.sub(r",\s*min_size: [0-9.]+", "", layout.read_text("utf-8")), "utf-8")
    catalogue = Catalogue.load(folder)
    longest = catalogue[SLUG].field("items").max_length
    return request_with(items="食" * longest), office(catalogue=catalogue)


REFUSALS = {
    "unknown type": (of(type="no-such-type"), UnknownLicenceType),
    "missing field": (fields(domicile=None), InvalidLicenceData),
    "extra field": (fields(extra="1"), InvalidLicenceData),
    "wrong check digit": (
        of(holders=(Holder("示例餐饮有限公司", "001", "91990101MA05HJ014A"),)),
        InvalidLicenceData,
    ),
    "no holder": (of(holders=()), InvalidLicenceData),
    "too long": (fields(domicile="路" * 1000), InvalidLicenceData),
    "control character": (fields(domicile="路\x07"), InvalidLicenceData),
    "bidi character": (fields(domicile="路\u202e口"), InvalidLicenceData),
    "uncovered character": (fields(domicile="示例路\U000323af号"), RenderingError),
    "overflow": (cramped, RenderingError),
    "date order": (of(valid_until=date(2020, 1, 1)), InvalidLicenceData),
    "unknown authority": (of(authority_code="X" * 18), NotAuthorised),
    "no seal for the use": (sealed(use="公章（其他）"), NotAuthorised),
    "seal not yet valid": (sealed(valid_from=AT + DAY), SealError),
    "seal expired": (sealed(valid_until=AT - DAY), SealError),
    "not on the seal's list": (sealed(certificates=("0" * 64,)), SealError),
    "no revocation list": (trusting(lambda trust: replace(trust, crls=())), CertificatePathError),
    "not in the trust register": (trusting(untyped), NotAuthorised),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_request_leaves_nothing_behind(name, tmp_path):
    """Each kind of bad request is refused by its own error, nothing is reserved or stored, no number is spent."""
    make, error = REFUSALS[name]
    wrong, home = make(tmp_path)
    with pytest.raises(error):
        issue(replace(wrong, idempotency_key="k"), home, at=AT)
    assert home.registry.unfinished() == ()
    assert home.registry.find_request(wrong.authority_code, "k") is None
    assert documents(home) == {}
    assert not home.registry._counters


def test_an_expired_signing_certificate_is_refused_before_the_number():
    """After the certificate's end nothing is reserved any more."""
    home = office()
    late = AT + 800 * DAY
    seals = tuple(replace(k, seal=replace(k.seal, valid_until=late)) for k in home.keepers)
    home = replace(home, keepers=seals)
    with pytest.raises(CertificatePathError):
        issue(request(), home, at=late)
    assert home.registry.unfinished() == ()


@pytest.mark.parametrize(
    "text", ["<img src=/etc/passwd>", "{{7*7}}", "{number}", "%s &amp; \\0", "'; DROP TABLE x"]
)
def test_text_that_looks_like_markup_prints_literally(sandbox, text):
    """Values are text, never templates or mark-up: the document says exactly what was typed."""
    home = office()
    issued = issue(request_with(domicile=text), home, at=AT)
    report = verify(issued.pdf, trust=home.trust, at=AT, sandbox=sandbox)
    assert report.licence["fields"]["domicile"] == text
    assert report.indication is Indication.TOTAL_PASSED


# --- Crashes and repeats ---


@pytest.mark.parametrize("step", Step)
def test_killed_at_any_step_the_same_licence_comes_out(step):
    """After a kill at any step, resume gives the number and the very bytes of an undisturbed run, once."""
    undisturbed = issue(request(), office(), at=AT)
    home = office()
    with pytest.raises(KilledError):
        issue(request(), home, at=AT, on_step=kill_at(step))
    results = resume(home, at=AT + DAY)
    assert len(results) == (step is not Step.COMMITTED)
    assert all(result.error is None for result in results)
    assert resume(home, at=AT + DAY) == ()
    record = home.registry.get(str(undisturbed.record.licence.identifier))
    assert record.state is LicenceState.ISSUED
    assert record.licence == undisturbed.record.licence
    assert documents(home) == {record.document.sha256: undisturbed.pdf}


def test_the_same_request_again_is_the_same_licence_even_tomorrow():
    """A key that comes again, on another day or after a crash, gets the licence it made."""
    home, keyed = office(), request(idempotency_key="case-1")
    with pytest.raises(KilledError):
        issue(keyed, home, at=AT, on_step=kill_at(Step.SEALED))
    first = issue(keyed, home, at=AT + DAY)
    again = issue(keyed, home, at=AT + 30 * DAY)
    assert (first.record, first.pdf) == (again.record, again.pdf)
    assert first.record.licence.issued_on == date(2026, 3, 8)
    assert len(documents(home)) == 1
    with pytest.raises(IdempotencyConflict):
        issue(replace(keyed, case_number="other"), home, at=AT)
    assert home.registry.unfinished() == ()


def test_a_repeated_request_needs_no_usable_seal():
    """Who asks again for a licence long issued gets it, although the seal has expired since."""
    home, keyed = office(), request(idempotency_key="case-1")
    first = issue(keyed, home, at=AT)
    assert issue(keyed, home, at=AT + 5000 * DAY).pdf == first.pdf


def test_the_key_of_a_voided_number_is_spent():
    """A request whose number was voided is refused with the reason, and gets no second number."""
    home, keyed = office(), request(idempotency_key="case-1")
    with pytest.raises(KilledError):
        issue(keyed, home, at=AT, on_step=kill_at(Step.RESERVED))
    (waiting,) = home.registry.unfinished()
    home.registry.void(str(waiting.licence.identifier), reason="key lost", at=AT)
    with pytest.raises(IllegalTransition, match="key lost"):
        issue(keyed, home, at=AT)
    assert documents(home) == {}


def test_what_cannot_be_finished_waits_and_holds_up_nobody():
    """A certificate that expired since the reservation fails that licence only; it is neither stored nor served."""
    home = office()
    for step in (Step.RESERVED, Step.CLEARED):
        with pytest.raises(KilledError):
            issue(request(), home, at=AT, on_step=kill_at(step))
    renewed = tuple(replace(k, seal=replace(k.seal, valid_until=AT + 900 * DAY)) for k in home.keepers)
    late = resume(replace(home, keepers=renewed), at=AT + 800 * DAY)
    assert [type(result.error) for result in late] == [VerificationFailed] * 2
    assert [result.record.state for result in late] == [LicenceState.RESERVED] * 2
    assert documents(home) == {}
    assert [result.error for result in resume(home, at=AT + DAY)] == [None, None]


def test_an_expired_seal_is_not_applied_to_an_old_reservation():
    """A seal that expired since the reservation is not used, although its certificate is still good."""
    home = office()
    with pytest.raises(KilledError):
        issue(request(), home, at=AT, on_step=kill_at(Step.RESERVED))
    ending = tuple(replace(k, seal=replace(k.seal, valid_until=AT + DAY)) for k in home.keepers)
    (result,) = resume(replace(home, keepers=ending), at=AT + 2 * DAY)
    assert isinstance(result.error, SealError)
    assert documents(home) == {}


@pytest.mark.parametrize("name", ["template_digest", "engine", "seal", "certificate", "capacity"])
def test_resume_refuses_to_make_other_bytes(name):
    """If what shapes the bytes changed since the reservation, resume says what, and leaves the reservation."""
    home = office()
    with pytest.raises(KilledError):
        issue(request(), home, at=AT, on_step=kill_at(Step.RESERVED))
    (record,) = home.registry.unfinished()
    other = replace(record.intent, **{name: 512 if name == "capacity" else "f" * 64})
    home.registry._write(replace(record, intent=other))
    (result,) = resume(home, at=AT)
    assert isinstance(result.error, ConfigurationError)
    assert name in result.error.en
    assert result.record.state is LicenceState.RESERVED


def seen(monkeypatch, module, name):
    """Return the list in which every call of a function of a module is noted."""
    calls, real = [], getattr(module, name)
    monkeypatch.setattr(module, name, lambda *args, **more: calls.append(args) or real(*args, **more))
    return calls


def test_pages_are_set_and_inspected_once(monkeypatch):
    """The plan of the rehearsal is the one written, and preflight looks at its pages once."""
    plans, looks = seen(monkeypatch, asking, "plan"), seen(monkeypatch, preflight, "_on_the_pages")
    written = seen(monkeypatch, line, "write")
    home = office()
    issue(request(), home, at=AT)
    record = issue(request(), home, at=AT).record
    assert len(plans) == len(looks) == 2
    assert written[1][0].layout is looks[1][0]
    assert written[1][0].licence is record.licence


def other_worker(home, number):
    """Return the office with a register in which `number` others reserve between a proposal and its reservation."""

    class Racing(MemoryRegistry):
        def reserve(self, draft, **how):
            for _ in range(number):
                super().reserve(asking.asked(request(), home, None, at=AT).draft, **how)
            return super().reserve(draft, **how)

    return replace(home, registry=Racing(entropy=entropy()), store=MemoryStore())


def test_a_number_taken_by_another_worker_is_not_printed(monkeypatch):
    """The licence has the next number, on its page too, in a document that was inspected with this number."""
    home = other_worker(office(), 2)
    looks = seen(monkeypatch, preflight, "_on_the_pages")
    issued = issue(request(), home, at=AT)
    assert issued.record.licence.number[-5:-1] == "0003"
    assert [printer.licence.number[-5:-1] for _, printer, _ in looks] == ["0001", "0003"]
    report = verify(issued.pdf, trust=home.trust, at=AT, sandbox=InProcess())
    assert report.indication is Indication.TOTAL_PASSED
    reserved = replace(issued.record, state=LicenceState.RESERVED, document=None)
    assert line.make(reserved, home, at=AT).pdf == issued.pdf


def test_a_number_that_cannot_be_printed_is_not_taken(monkeypatch):
    """A number too long for its box is refused in the rehearsal: nothing is reserved, nothing is void."""
    home = office()
    real = asking.plan

    def narrow(compiled, licence, earlier=None):
        if licence.number[-5:-1] == "0002":
            raise RenderingError("the number does not fit", "编号过长", field="number")
        return real(compiled, licence, earlier)

    issue(request(), home, at=AT)
    monkeypatch.setattr(asking, "plan", narrow)
    with pytest.raises(RenderingError):
        issue(request(), home, at=AT)
    assert [record.state for record in home.registry._records.values()] == [LicenceState.ISSUED]


def test_a_document_that_can_never_be_made_voids_its_number(monkeypatch):
    """If the number reserved does not fit where the proposed one did, it becomes a void with its reason."""
    home = office()
    first = issue(request(), home, at=AT)
    real, stand_in = line.plan, first.record.licence.number

    def narrow(compiled, licence, earlier=None):
        if licence.number != stand_in:
            raise RenderingError("the number does not fit", "编号过长", field="number")
        return real(compiled, licence, earlier)

    monkeypatch.setattr(line, "plan", narrow)
    with pytest.raises(RenderingError):
        issue(request(), home, at=AT)
    assert home.registry.unfinished() == ()
    void = [r for r in home.registry._records.values() if r.state is LicenceState.VOID]
    assert [record.reason for record in void] == ["the document cannot be made: the number does not fit"]


def test_the_first_finished_document_wins():
    """If another worker committed its document meanwhile, that one is returned and ours is not."""
    home = office()
    theirs = b"%PDF the other worker's document"

    def overtake(step):
        if step is Step.STORED:
            sha256 = home.store.put(theirs)
            evidence = DocumentEvidence(sha256, len(theirs), (0, 1, 2, 3), "B-B", timestamp_pending=False)
            (record,) = home.registry.unfinished()
            home.registry.commit(str(record.licence.identifier), evidence, at=AT)

    issued = issue(request(), home, at=AT, on_step=overtake)
    assert issued.pdf == theirs
    assert issued.record.document.sha256 == hashlib.sha256(theirs).hexdigest()


class AwaySigner:
    """A key holder that does not answer."""

    def __init__(self, real):
        self._real = real

    def __getattr__(self, name):
        return getattr(self._real, name)

    def sign(self, data):  # noqa: ARG002
        """Refuse."""
        raise KeyUnavailable("the key holder does not answer", "密钥载体无应答")


def test_an_absent_key_is_not_fatal():
    """Without its key a licence stays reserved; when the key is back, resume finishes it."""
    home = office()
    away = tuple(replace(k, signer=AwaySigner(k.signer)) for k in home.keepers)
    with pytest.raises(KeyUnavailable):
        issue(request(), replace(home, keepers=away), at=AT)
    (result,) = resume(home, at=AT)
    assert result.record.state is LicenceState.ISSUED


class SilentAuthority:
    """A timestamp authority that never answers."""

    token_size = 4096

    def stamp(self, digest, algorithm):  # noqa: ARG002
        """Refuse."""
        raise TimestampUnavailable("no answer", "无应答")


def test_a_silent_timestamp_authority_refuses_or_leaves_pending():
    """By configuration the licence waits for its timestamp, or is issued and marked as pending."""
    home = office(timestamps=SilentAuthority())
    with pytest.raises(TimestampUnavailable):
        issue(request(), home, at=AT)
    assert documents(home) == {}
    (result,) = resume(replace(home, on_timestamp_failure="pending"), at=AT)
    assert (result.record.document.profile, result.record.document.timestamp_pending) == ("B-B", True)
    assert result.record.intent.profile == "B-T"


def test_an_authority_set_up_later_changes_no_promise():
    """A licence reserved without timestamps is finished without them."""
    home = office()
    with pytest.raises(KilledError):
        issue(request(), home, at=AT, on_step=kill_at(Step.RESERVED))
    (result,) = resume(replace(home, timestamps=SilentAuthority()), at=AT)
    assert result.error is None
    assert not result.record.document.timestamp_pending


def test_threads_issue_side_by_side(tmp_path):
    """Eight licences from four threads on SQLite and files: contiguous numbers, each document authentic."""
    registry = SqlRegistry(tmp_path / "r.sqlite", entropy=entropy())
    home = office(registry=registry, store=FileStore(tmp_path / "documents"))
    with ThreadPoolExecutor(4) as pool:
        issued = list(pool.map(lambda _: issue(request(), home, at=AT), range(8)))
    lone = office(registry=MemoryRegistry())
    expected = {issue(request(), lone, at=AT).record.licence.number for _ in range(8)}
    assert {one.record.licence.number for one in issued} == expected
    assert len({one.record.document.sha256 for one in issued}) == 8
    registry.close()
