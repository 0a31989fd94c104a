"""The straight line: the two answers, the register's part in them, the path by hash, and 2,000 changed bits."""

# ruff: noqa: ARG002, S311 - stand-ins ignore what they are asked; chance is seeded, for the same bits each time
from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.errors import ConfigurationError, VerificationFailed
from elicense.model import InForce, LicenceState, LicenceStatus, Validity
from elicense.registry.memory import MemoryRegistry
from elicense.registry.protocol import DocumentEvidence, Intent, LicenceRecord
from elicense.signing.cms import sign_digest
from elicense.verification.pipeline import verify
from elicense.verification.report import CheckStatus, Indication, SubIndication
from tests.unit.verification.minimal_pdf import LICENCE, Draft, sealed, unsigned
from tests.vectors.generate import (
    AT,
    NOW,
    base,
    entry,
    flipped,
    gap,
    pki,
    seal,
    self_made_ca,
    stranger_pki,
    trust,
    untouched_timestamped,
)


class Register:
    """A register that knows one licence; counts what it is asked."""

    def __init__(
        self, document: bytes | None, state: InForce = InForce.IN_FORCE, licence: object = LICENCE
    ) -> None:
        start, end = gap(document) if document else (0, 0)
        evidence = document and DocumentEvidence(
            hashlib.sha256(document).hexdigest(),
            len(document),
            (0, start, end, len(document) - end),
            "B-B",
            False,
        )
        intent = Intent("", "", "", "", 0, "B-B")
        self.record = LicenceRecord(licence, LicenceState.ISSUED, intent, evidence or None, AT, None)
        self.state = state
        self.asked: list[str] = []

    def find_document(self, sha256: str) -> LicenceRecord | None:
        document = self.record.document
        return self.record if document is not None and document.sha256 == sha256 else None

    def get(self, identifier: str) -> LicenceRecord:
        return self.record

    def status(self, identifier: str, *, at: object) -> LicenceStatus:
        self.asked.append(identifier)
        return LicenceStatus(self.state, at, "录入错误" if self.state is InForce.REVOKED else None)


class NoReader:
    """A sandbox that must not be used."""

    def read(self, *arguments: object) -> object:
        raise AssertionError("a parser was asked")


def statuses(report: object) -> dict[str, CheckStatus]:
    """Return code -> status."""
    return {outcome.code: outcome.status for outcome in report.checks}


def test_a_passed_report_answers_both_questions(in_process: object) -> None:
    """Authentic, in force as the register says, signer by name from the trust register, data only now."""
    licence = replace(LICENCE, number="JY19901010000026")
    register = Register(None)
    report = verify(base(), trust=trust(), at=NOW, registry=register, sandbox=in_process)
    assert report.indication is Indication.TOTAL_PASSED
    assert report.in_force.state is InForce.IN_FORCE
    assert report.signatures[0].signer == LICENCE.authority.name
    assert report.licence is not None
    assert report.licence["number"] == LICENCE.number != licence.number
    assert report.sha256 == hashlib.sha256(base()).hexdigest()
    assert (report.verified_at, report.policy) == (NOW, "licence")
    report.require_passed()
    with pytest.raises(TypeError):
        bool(report)


def test_a_failed_report_raises_when_required(in_process: object) -> None:
    """require_passed carries the report."""
    report = verify(base() + b"x", trust=trust(), at=NOW, sandbox=in_process)
    with pytest.raises(VerificationFailed) as caught:
        report.require_passed()
    assert caught.value.report is report


def test_an_unknown_policy_is_refused() -> None:
    """A policy that does not exist is a ConfigurationError, not a verdict."""
    with pytest.raises(ConfigurationError):
        verify(base(), trust=trust(), at=NOW, policy="lenient")


def test_a_file_over_the_limit_is_not_looked_at() -> None:
    """Over the size limit the answer is INDETERMINATE and only the first check ran."""
    report = verify(base(), trust=trust(), at=NOW, size_limit=1000, sandbox=NoReader())
    assert (report.indication, report.sub_indication) == (
        Indication.INDETERMINATE,
        SubIndication.LIMIT_REACHED,
    )
    assert {outcome.status for outcome in report.checks[1:]} == {CheckStatus.NOT_RUN}


def test_the_register_is_not_asked_about_a_stranger(in_process: object) -> None:
    """A document of an unknown signer, or one that was altered, does not make us look anybody up."""
    for data in (self_made_ca().data, flipped(base().index(b"stream\n") + 20).data, base() + b"x"):
        register = Register(None)
        report = verify(data, trust=trust(), at=NOW, registry=register, sandbox=in_process)
        assert register.asked == []
        assert report.in_force.state is InForce.NOT_KNOWN
        assert statuses(report)["in_force"] is CheckStatus.NOT_RUN


def test_revoked_is_authentic_and_not_in_force(in_process: object) -> None:
    """A genuine licence that was revoked is TOTAL_PASSED and revoked, with the recorded reason."""
    register = Register(None, InForce.REVOKED)
    report = verify(base(), trust=trust(), at=NOW, registry=register, sandbox=in_process)
    assert report.indication is Indication.TOTAL_PASSED
    assert (report.in_force.state, report.in_force.reason) == (InForce.REVOKED, "录入错误")
    assert report.checks[11].status is CheckStatus.FAILED


def test_a_missing_revocation_list_does_not_hide_the_state(in_process: object) -> None:
    """INDETERMINATE for want of a list still says what the register knows."""
    report = verify(base(), trust=trust(crls=()), at=NOW, registry=Register(None), sandbox=in_process)
    assert (report.indication, report.in_force.state) == (Indication.INDETERMINATE, InForce.IN_FORCE)


def test_another_document_for_the_same_licence(in_process: object) -> None:
    """If the register holds another document for this identifier, its state is not this file's."""
    other = sealed(Draft(licence=replace(LICENCE, number="JY19901010000026")), seal().signer())
    report = verify(base(), trust=trust(), at=NOW, registry=Register(other), sandbox=in_process)
    assert report.in_force.state is InForce.NOT_KNOWN
    assert report.checks[11].reason == "status.other_document"


def test_an_empty_register_knows_nothing(in_process: object) -> None:
    """A real register without this licence: authentic, state not known."""
    report = verify(base(), trust=trust(), at=NOW, registry=MemoryRegistry(), sandbox=in_process)
    assert (report.indication, report.in_force.state) == (Indication.TOTAL_PASSED, InForce.NOT_KNOWN)
    assert report.checks[11].reason == "status.not_known"


@pytest.mark.parametrize(
    ("end", "moment", "state"),
    [
        (date(2026, 3, 4), AT.replace(day=4, hour=15, minute=59), InForce.NOT_KNOWN),
        (date(2026, 3, 4), AT.replace(day=4, hour=16), InForce.EXPIRED),
    ],
)
def test_days_end_in_beijing(end: date, moment: object, state: InForce, in_process: object) -> None:
    """Offline the last day of validity lasts until midnight in Beijing."""
    data = sealed(Draft(licence=replace(LICENCE, validity=Validity(date(2026, 3, 2), end))), seal().signer())
    report = verify(data, trust=trust(), at=moment, sandbox=in_process)
    assert (report.indication, report.in_force.state) == (Indication.TOTAL_PASSED, state)


# --- The path by hash ---


def test_known_bytes_are_verified_without_a_parser() -> None:
    """Digest and signature are checked again, the rest is RECORDED, and nothing parses the document."""
    report = verify(base(), trust=trust(crls=()), at=NOW, registry=Register(base()), sandbox=NoReader())
    assert report.indication is Indication.TOTAL_PASSED
    found = statuses(report)
    assert found["digest"] is found["signature"] is CheckStatus.PASSED
    assert found["format"] is found["certificate_path"] is found["content"] is CheckStatus.RECORDED
    assert found["seal"] is found["log"] is CheckStatus.NOT_CONFIGURED
    assert found["in_force"] is CheckStatus.PASSED
    assert report.licence is not None
    assert report.licence["number"] == LICENCE.number


def test_known_bytes_of_a_revoked_licence() -> None:
    """The path by hash gives the state of now."""
    register = Register(base(), InForce.REVOKED)
    report = verify(base(), trust=trust(), at=NOW, registry=register, sandbox=NoReader())
    assert (report.indication, report.in_force.state) == (Indication.TOTAL_PASSED, InForce.REVOKED)


@pytest.mark.parametrize(
    "store",
    [
        replace(trust(), register=None),
        trust(entry(pki().seal("99010100000025", "样例市测试局", LICENCE.authority.code))),
        trust(entry(seal(), authority_code="11990101MB00000027")),
        trust(entry(seal(), type_codes=())),
        trust(entry(seal(), valid_until=AT - timedelta(days=1))),
    ],
    ids=["anchors only", "other certificate", "other authority", "other type", "other period"],
)
def test_the_register_of_licences_vouches_for_no_signer(store: object, in_process: object) -> None:
    """Known bytes whose certificate the trust register does not name go the whole way."""
    report = verify(base(), trust=store, at=NOW, registry=Register(base()), sandbox=in_process)
    assert CheckStatus.RECORDED not in statuses(report).values()
    assert (report.indication is Indication.TOTAL_PASSED) == (store.register is None)


def test_the_register_does_not_vouch_for_a_moment_before_sealing(in_process: object) -> None:
    """Asked about a moment before the seal was made, known bytes go the whole way and are not passed."""
    before = AT - timedelta(days=2)
    report = verify(base(), trust=trust(), at=before, registry=Register(base()), sandbox=in_process)
    assert CheckStatus.RECORDED not in statuses(report).values()
    assert report.indication is Indication.INDETERMINATE


def test_a_forged_register_entry_proves_nothing(in_process: object) -> None:
    """Bytes that somebody wrote into the register without a good signature are not authentic."""
    for data in (self_made_ca().data, flipped(base().index(b"stream\n") + 20).data):
        report = verify(data, trust=trust(), at=NOW, registry=Register(data), sandbox=in_process)
        assert report.indication is not Indication.TOTAL_PASSED
    wrong = Register(base())
    document = replace(wrong.record.document, byte_range=(0, 10, 20, len(base()) - 20))
    wrong.record = replace(wrong.record, document=document)
    report = verify(base(), trust=trust(), at=NOW, registry=wrong, sandbox=in_process)
    assert CheckStatus.RECORDED not in statuses(report).values()


def test_a_register_entry_for_another_licence_names_nobody_else(in_process: object) -> None:
    """Whoever may write into the register cannot show a holder whom the sealed document does not name."""
    forged = Register(base())
    holder = replace(LICENCE.holders[0], name="示例冒名测试有限公司")
    forged.record = replace(forged.record, licence=replace(forged.record.licence, holders=(holder,)))
    report = verify(base(), trust=trust(), at=NOW, registry=forged, sandbox=in_process)
    assert CheckStatus.RECORDED not in statuses(report).values()
    assert report.licence is None or report.licence["holders"][0]["name"] == LICENCE.holders[0].name


def test_the_register_moves_no_gap(in_process: object) -> None:
    """The same covered bytes around a gap that stands elsewhere are not the document, whatever the register says."""
    data = base()
    start, end = gap(data)
    place = data.index(b"\nstartxref")
    moved = data[:start] + data[end:place] + data[start:end] + data[place:]
    byte_range = (0, place - (end - start), place, len(data) - place)
    forged = Register(data)
    document = replace(
        forged.record.document, sha256=hashlib.sha256(moved).hexdigest(), byte_range=byte_range
    )
    forged.record = replace(forged.record, document=document)
    report = verify(moved, trust=trust(), at=NOW, registry=forged, sandbox=in_process)
    assert report.indication is not Indication.TOTAL_PASSED


# --- Changed bits ---


def test_no_changed_bit_passes(in_process: object) -> None:
    """Of 2,000 random single bits none leaves the document authentic; under the signature each is TOTAL_FAILED."""
    chance = random.Random(20260302)
    data = base()
    start, end = gap(data)
    frame = [*range(start - 250, start), *range(end, end + 100), *range(len(data) - 450, len(data))]
    for turn in range(2000):
        # A third anywhere, a third in the gap, a third where the reader looks most closely.
        position = (chance.randrange(len(data)), chance.randrange(start, end), chance.choice(frame))[turn % 3]
        changed = flipped(position, 1 << chance.randrange(8))
        report = verify(changed.data, trust=changed.trust, at=NOW, sandbox=in_process)
        where = (position, changed.data[position], report.sub_indication)
        assert report.indication is not Indication.TOTAL_PASSED, where
        if not start <= position < end:
            assert report.indication is Indication.TOTAL_FAILED, where


def test_a_timestamped_document_has_no_free_bit_either(in_process: object) -> None:
    """The same for 300 bits of the gap of a document with a timestamp."""
    chance = random.Random(20260303)
    data = untouched_timestamped().data
    start, end = gap(data)
    end = start + len(data[start:end].rstrip(b"0>"))
    for _ in range(300):
        changed = flipped(chance.randrange(start, end), 1 << chance.randrange(8), data)
        report = verify(changed.data, trust=changed.trust, at=NOW, sandbox=in_process)
        assert report.indication is not Indication.TOTAL_PASSED


def test_certificates_that_belong_to_nothing_are_refused(in_process: object) -> None:
    """A certificate smuggled into the seal, which no signature covers, keeps it from passing."""
    document = unsigned(Draft(), 4096)
    _, start, end, _ = document.slot.byte_range
    content = asn1_cms.ContentInfo.load(
        sign_digest(hashlib.sha256(document.pdf[:start] + document.pdf[end:]).digest(), seal().signer())
    )
    stranger = stranger_pki().root.certificate.public_bytes(Encoding.DER)
    content["content"]["certificates"].append(asn1_x509.Certificate.load(stranger))
    digits = content.dump(force=True).hex().encode()
    data = document.pdf[: start + 1] + digits + document.pdf[start + 1 + len(digits) :]
    report = verify(data, trust=trust(), at=NOW, sandbox=in_process)
    assert report.checks[6].reason == "path.loose_certificates"
    assert report.indication is Indication.INDETERMINATE
