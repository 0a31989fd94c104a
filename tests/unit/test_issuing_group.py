"""The issuing line for groups: each request as by itself, what is refused leaves nothing, what is begun is finished."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from test_issuing import AwaySigner, KilledError, documents, kill_at

from elicense import preflight
from elicense.errors import (
    CertificatePathError,
    ConfigurationError,
    IdempotencyConflict,
    IllegalTransition,
    InvalidLicenceData,
    KeyUnavailable,
    NotAuthorised,
    RegistryError,
    RenderingError,
    SealError,
    UnknownLicenceType,
)
from elicense.issuing import Step, issue, line, resume
from elicense.issuing.group import changed_requests, issue_group
from elicense.issuing.outcome import Result
from elicense.model import Holder, LicenceState
from elicense.registry.files import FileStore
from elicense.registry.memory import MemoryRegistry, MemoryStore
from elicense.registry.protocol import DocumentEvidence
from elicense.registry.sql import SqlRegistry
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from tests.support.demonstration import AT, entropy, office, request, request_with

DAY = timedelta(days=1)
UNCOVERED = {"domicile": "示例路\U000323af号"}


def named(key, **fields):
    """Return a request with an idempotency key and some fields changed."""
    return replace(request_with(**fields), idempotency_key=key)


def group(count, **fields):
    """Return requests that differ in their addresses, with keys k1, k2 and so on."""
    return [named(f"k{n}", domicile=f"样板路{n}号", **fields) for n in range(1, count + 1)]


def results(done):
    """Return what became of each request."""
    return [one.result.value for one in done.outcomes]


def numbers(home):
    """Return the sequences of all numbers taken, in their order."""
    return sorted(int(one.licence.number[-5:-1]) for one in home.registry._records.values())


def with_keepers(home, change):
    """Return the office with its keepers changed."""
    return replace(home, keepers=tuple(change(keeper) for keeper in home.keepers))


def test_a_group_is_the_same_as_its_requests_one_by_one():
    """Numbers, records and bytes are those that single issues give; every document is believed."""
    alone, together = office(), office()
    single = [issue(one, alone, at=AT) for one in group(3)]
    done = issue_group(group(3), together, at=AT)
    assert results(done) == ["issued"] * 3
    assert done.stopped_by is None
    assert [one.record for one in done.outcomes] == [one.record for one in single]
    assert documents(together) == documents(alone)
    for pdf in documents(together).values():
        report = verify(pdf, trust=together.trust, at=AT, registry=together.registry)
        assert report.indication is Indication.TOTAL_PASSED


def test_the_steps_have_the_order_of_the_line():
    """Reserved before any key moves, verified before anything is stored, stored before it is on record."""
    steps = []
    issue_group(group(2), office(), at=AT, on_step=steps.append)
    each = [Step.RENDERED, Step.CLEARED, Step.SEALED, Step.VERIFIED]
    assert steps == [Step.RESERVED, *each, *each, Step.STORED, Step.COMMITTED]


REFUSED = {
    "uncovered character": (named("bad", **UNCOVERED), RenderingError),
    "wrong value": (named("bad", business_form="9"), InvalidLicenceData),
    "missing field": (named("bad", domicile=None), InvalidLicenceData),
    "unknown type": (replace(named("bad"), type="none"), UnknownLicenceType),
    "unknown authority": (replace(named("bad"), authority_code="X" * 18), NotAuthorised),
    "wrong holder": (
        replace(named("bad"), holders=(Holder("示例有限公司", "001", "91990101MA05HJ014A"),)),
        InvalidLicenceData,
    ),
    "several authorities": (
        replace(named("bad"), joint_authority_codes=("11990000000001011Q",)), InvalidLicenceData
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_request_in_the_middle_keeps_no_other_from_being_issued(name):
    """It is refused with its own error and leaves no trace; the numbers of the others have no gap."""
    bad, error = REFUSED[name]
    home = office()
    first, second, third = group(3)
    done = issue_group([first, second, bad, third], home, at=AT)
    assert results(done) == ["issued", "issued", "refused", "issued"]
    assert isinstance(done.outcomes[2].error, error)
    assert done.outcomes[2].record is None
    assert done.stopped_by is None
    assert numbers(home) == [1, 2, 3]
    assert home.registry.find_requests(bad.authority_code, ["bad"]) == {}
    assert len(documents(home)) == 3


def test_the_same_group_again_gives_the_same_licences():
    """Even tomorrow and with new requests among them, what was issued is found and the rest is issued."""
    home = office()
    first = issue_group(group(3), home, at=AT)
    again = issue_group(group(5), home, at=AT + DAY)
    assert results(again) == ["earlier"] * 3 + ["issued"] * 2
    assert [one.record for one in again.outcomes[:3]] == [one.record for one in first.outcomes]
    assert numbers(home) == [1, 2, 3, 4, 5]


def test_a_licence_that_was_revoked_since_is_an_earlier_one():
    """What became of an issued licence later is no reason to issue it again."""
    home = office()
    (one,) = issue_group(group(1), home, at=AT).outcomes
    identifier = str(one.record.licence.identifier)
    home.registry.change_state(identifier, LicenceState.REVOKED, reason="r", at=AT)
    (again,) = issue_group(group(1), home, at=AT).outcomes
    assert (again.result, again.record.state) == (Result.EARLIER, LicenceState.REVOKED)


def test_a_key_that_comes_with_other_content_is_refused():
    """The licence on record stays, and nobody else is held up."""
    home = office()
    issue_group(group(2), home, at=AT)
    done = issue_group([named("k1", domicile="别处"), *group(3)[1:]], home, at=AT)
    assert results(done) == ["refused", "earlier", "issued"]
    assert isinstance(done.outcomes[0].error, IdempotencyConflict)


def test_one_key_twice_in_a_group_is_one_licence():
    """The same content gives the same licence, other content is refused."""
    home = office()
    (first,) = group(1)
    done = issue_group([first, first, named("k1", domicile="别处")], home, at=AT)
    assert results(done) == ["issued", "earlier", "refused"]
    assert done.outcomes[0].record == done.outcomes[1].record
    assert numbers(home) == [1]


def test_requests_without_keys_are_all_new():
    """Nothing tells two of them apart from a repetition, so each is a licence."""
    home = office()
    assert results(issue_group([request(), request()], home, at=AT)) == ["issued"] * 2
    assert numbers(home) == [1, 2]


@pytest.mark.parametrize("step", Step)
def test_killed_at_any_step_the_same_group_comes_out(step):
    """After a kill the same group again gives the numbers and bytes of an undisturbed run, each once."""
    undisturbed, home = office(), office()
    issue_group(group(3), undisturbed, at=AT)
    with pytest.raises(KilledError):
        issue_group(group(3), home, at=AT, on_step=kill_at(step))
    done = issue_group(group(3), home, at=AT + DAY)
    assert set(results(done)) == ({"earlier"} if step is Step.COMMITTED else {"issued"})
    assert documents(home) == documents(undisturbed)
    assert home.registry.unfinished() == ()
    assert numbers(home) == [1, 2, 3]


def test_resume_and_a_group_finish_each_others_work():
    """What a group left reserved, `resume` finishes; the group then finds it issued."""
    home = office()
    with pytest.raises(KilledError):
        issue_group(group(2), home, at=AT, on_step=kill_at(Step.SEALED))
    assert [one.error for one in resume(home, at=AT)] == [None, None]
    assert results(issue_group(group(2), home, at=AT)) == ["earlier"] * 2


def test_a_voided_number_is_told_and_not_issued_again():
    """A request whose number was voided has no licence, and gets none."""
    home = office()
    with pytest.raises(KilledError):
        issue_group(group(1), home, at=AT, on_step=kill_at(Step.RESERVED))
    home.registry.void(str(home.registry.unfinished()[0].licence.identifier), reason="key lost", at=AT)
    done = issue_group(group(2), home, at=AT)
    assert results(done) == ["void", "issued"]
    assert isinstance(done.outcomes[0].error, IllegalTransition)
    assert "key lost" in done.outcomes[0].error.zh


def test_a_document_that_can_never_be_made_voids_its_number_only(monkeypatch):
    """If a number does not fit where the proposed one did, that licence is void and the others are issued."""
    home = office()
    real, second = line.plan, group(3)[1].fields["domicile"]

    # The rehearsal plans elsewhere, in `asking`.
    def narrow(compiled, licence, earlier=None):
        if licence.fields["domicile"] == second:
            raise RenderingError("the number does not fit", "编号过长", field="number")
        return real(compiled, licence, earlier)

    monkeypatch.setattr(line, "plan", narrow)
    done = issue_group(group(3), home, at=AT)
    assert results(done) == ["issued", "void", "issued"]
    assert done.outcomes[1].record.state is LicenceState.VOID
    assert done.stopped_by is None
    assert home.registry.unfinished() == ()


# --- What stops a group ---


def ending(keeper):
    """Return the keeper with a seal that is valid for longer than its certificate."""
    return replace(keeper, seal=replace(keeper.seal, valid_until=AT + 5000 * DAY))


STOPS = {
    "certificate expired": (lambda home: with_keepers(home, ending), AT + 800 * DAY, CertificatePathError),
    "seal expired": (lambda home: home, AT + 800 * DAY, SealError),
    "no revocation list": (
        lambda home: replace(home, trust=replace(home.trust, crls=())), AT, CertificatePathError,
    ),
    "not in the trust register": (
        lambda home: replace(
            home, trust=replace(home.trust, register=tuple(
                replace(entry, type_codes=()) for entry in home.trust.register
            )),
        ), AT, NotAuthorised,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STOPS)
def test_a_seal_at_its_end_stops_a_group_before_anything_is_reserved(name):
    """What was issued before is told, what is reserved waits, the rest is untouched; both languages say why."""
    change, at, error = STOPS[name]
    home = office()
    issue_group(group(1), home, at=AT)
    with pytest.raises(KilledError):
        issue_group(group(2), home, at=AT, on_step=kill_at(Step.SEALED))
    done = issue_group(group(4), change(home), at=at)
    assert results(done) == ["earlier", "untouched", "untouched", "untouched"]
    assert isinstance(done.stopped_by, error)
    assert done.stopped_by.zh != done.stopped_by.en
    assert numbers(home) == [1, 2]
    assert len(documents(home)) == 1
    assert results(issue_group(group(4), home, at=AT + DAY)) == ["earlier", "issued", "issued", "issued"]
    assert numbers(home) == [1, 2, 3, 4]


class LateSigner(AwaySigner):
    """A key holder that answers so many times and then no more."""

    def __init__(self, real, times):
        super().__init__(real)
        self.left = times

    def sign(self, data):
        """Sign, or refuse."""
        self.left -= 1
        return self._real.sign(data) if self.left >= 0 else super().sign(data)


def test_a_key_that_goes_away_stops_the_group_and_what_is_sealed_is_finished():
    """The first is issued, the others wait with their numbers; when the key is back they are issued."""
    home = office()
    away = with_keepers(home, lambda keeper: replace(keeper, signer=LateSigner(keeper.signer, 1)))
    done = issue_group(group(3), away, at=AT)
    assert results(done) == ["issued", "waiting", "waiting"]
    assert isinstance(done.stopped_by, KeyUnavailable)
    assert [one.error for one in done.outcomes] == [None, done.stopped_by, done.stopped_by]
    assert results(issue_group(group(3), home, at=AT)) == ["earlier", "issued", "issued"]
    assert numbers(home) == [1, 2, 3]


def test_what_changed_since_the_reservation_stops_the_group():
    """Other means would make other bytes under the same number: nothing more is begun."""
    home = office()
    with pytest.raises(KilledError):
        issue_group(group(1), home, at=AT, on_step=kill_at(Step.RESERVED))
    (record,) = home.registry.unfinished()
    home.registry._write(replace(record, intent=replace(record.intent, engine="another")))
    done = issue_group(group(1), home, at=AT)
    assert results(done) == ["waiting"]
    assert isinstance(done.stopped_by, ConfigurationError)


class FullStore(MemoryStore):
    """A store on a disk without room."""

    def put_group(self, documents):  # noqa: ARG002
        """Refuse."""
        raise RegistryError("the disk is full", "磁盘已满")


class FailingRegistry(MemoryRegistry):
    """A register whose file cannot be written at a chosen operation."""

    def __init__(self, operation):
        super().__init__(entropy=entropy())
        self.operation = operation

    def _refuse(self, operation):
        if operation == self.operation:
            raise RegistryError("the disk is full", "磁盘已满")

    def reserve_group(self, wanted, *, at):
        self._refuse("reserve")
        return super().reserve_group(wanted, at=at)

    def commit_group(self, finished, *, at):
        self._refuse("commit")
        return super().commit_group(finished, at=at)

    def find_requests(self, authority_code, idempotency_keys):
        self._refuse("look up")
        return super().find_requests(authority_code, idempotency_keys)


@pytest.mark.parametrize(
    ("where", "left"),
    [("look up", "untouched"), ("reserve", "untouched"), ("store", "waiting"), ("commit", "waiting")],
)
def test_a_full_disk_stops_the_group_and_the_next_one_finishes_it(where, left):
    """Whichever write fails, no document is on record; with room again every number comes out once."""
    registry = FailingRegistry(where)
    home = office(registry=registry)
    done = issue_group(group(3), replace(home, store=FullStore()) if where == "store" else home, at=AT)
    assert results(done) == [left] * 3
    assert isinstance(done.stopped_by, RegistryError)
    assert {one.state for one in registry._records.values()} <= {LicenceState.RESERVED}
    registry.operation = None
    assert results(issue_group(group(3), home, at=AT)) == ["issued"] * 3
    assert numbers(home) == [1, 2, 3]
    undisturbed = office()
    issue_group(group(3), undisturbed, at=AT)
    if where == "reserve":
        # Names were proposed for the group that was not reserved; the next one has others.
        return
    assert {one.record.document.sha256 for one in issue_group(group(3), home, at=AT).outcomes} == set(
        documents(undisturbed)
    )


@pytest.mark.parametrize("voided", [False, True])
def test_another_workers_word_counts(voided):
    """Finished or voided by another worker before our commit: his document, or his void, is the outcome."""
    home = office()
    theirs = b"%PDF the other worker's document"

    def overtake(step):
        if step is Step.STORED:
            identifier = str(home.registry.unfinished()[0].licence.identifier)
            if voided:
                home.registry.void(identifier, reason="r", at=AT)
                return
            sha256 = home.store.put(theirs)
            evidence = DocumentEvidence(sha256, len(theirs), (0, 1, 2, 3), "B-B", timestamp_pending=False)
            home.registry.commit(identifier, evidence, at=AT)

    done = issue_group(group(2), home, at=AT, on_step=overtake)
    assert results(done) == ["void" if voided else "earlier", "issued"]
    if not voided:
        assert home.store.get(done.outcomes[0].record.document.sha256) == theirs


def test_numbers_taken_by_another_worker_are_not_printed():
    """Another worker reserves between the rehearsal and the reservation: all numbers move on, none is left out."""
    home = office()

    class Racing(MemoryRegistry):
        raced = False

        def reserve_group(self, wanted, *, at):
            if not self.raced:
                self.raced = True
                issue(request(), replace(home, registry=self), at=at)
            return super().reserve_group(wanted, at=at)

    racing = replace(home, registry=Racing(entropy=entropy()))
    done = issue_group(group(3), racing, at=AT)
    assert results(done) == ["issued"] * 3
    assert numbers(racing) == [1, 2, 3, 4]
    for one in done.outcomes:
        report = verify(
            racing.store.get(one.record.document.sha256), trust=racing.trust, at=AT, registry=racing.registry
        )
        assert report.indication is Indication.TOTAL_PASSED


def test_pages_of_a_group_are_set_and_inspected_once(monkeypatch):
    """With a refused request among them too, every plan of the rehearsal is the one written."""
    looks, real = [], preflight._on_the_pages
    monkeypatch.setattr(preflight, "_on_the_pages", lambda *args: looks.append(args) or real(*args))
    requests = [*group(2), named("bad", **UNCOVERED), group(3)[2]]
    assert results(issue_group(requests, office(), at=AT)) == ["issued", "issued", "refused", "issued"]
    assert len(looks) == 3


def test_a_key_reserved_by_another_worker_meanwhile_is_finished_once():
    """Between the look-up and the reservation somebody else took the key: one number, one document."""
    home = office()

    class Racing(MemoryRegistry):
        raced = False

        def reserve_group(self, wanted, *, at):
            if not self.raced:
                self.raced = True
                issue(group(1)[0], replace(home, registry=self), at=at)
            return super().reserve_group(wanted, at=at)

    racing = replace(home, registry=Racing(entropy=entropy()))
    assert results(issue_group(group(2), racing, at=AT)) == ["earlier", "issued"]
    assert numbers(racing) == [1, 2]


def test_on_sqlite_and_files_it_is_the_same(tmp_path):
    """The durable register and store hold what those in memory do, byte for byte."""
    light, registry = office(), SqlRegistry(tmp_path / "r.sqlite", entropy=entropy())
    home = office(registry=registry, store=FileStore(tmp_path / "documents"))
    requests = [*group(2), named("bad", **UNCOVERED), group(3)[2]]
    durable, memory = issue_group(requests, home, at=AT), issue_group(requests, light, at=AT)
    assert [one.record for one in durable.outcomes] == [one.record for one in memory.outcomes]
    for sha256, pdf in documents(light).items():
        assert home.store.get(sha256) == pdf
    assert results(issue_group(requests, home, at=AT)) == ["earlier", "earlier", "refused", "earlier"]
    registry.close()


# --- Comparing ---


def test_changed_requests_are_found_without_issuing_anything():
    """Of known keys those are named whose content is another; new ones, and bad new ones, are no change."""
    home = office()
    issue_group(group(3), home, at=AT)
    same, _, _ = group(3)
    asked = [
        same,
        named("k2", domicile="别处"),
        named("k3", domicile=None),
        named("k4"),
        named("k5", **UNCOVERED),
    ]
    changes = changed_requests(asked, home, at=AT + DAY)
    assert [type(one) for one in changes] == [
        type(None), IdempotencyConflict, InvalidLicenceData, type(None), type(None),
    ]  # fmt: skip
    assert numbers(home) == [1, 2, 3]
