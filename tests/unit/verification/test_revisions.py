"""Later revisions: what may stand behind a seal, and that nothing else may."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from elicense import updates
from elicense.pki.evidence import Evidence
from elicense.pki.paths import Purpose
from elicense.pki.throwaway import make_pki
from elicense.pki.trust import TrustStore
from elicense.verification.pipeline import verify
from elicense.verification.structure import read_structure
from tests.support.archives import evidence_for, joint_draft, state, with_evidence, with_seal, with_timestamp
from tests.support.pki import AT, AUTHORITY, AUTHORITY_CODE, SEAL_NUMBER
from tests.support.tsa import DirectTsa
from tests.unit.verification.minimal_pdf import LICENCE, Draft, sealed, stream
from tests.vectors.minimal import DAY, base, pki, seal, trust
from tests.vectors.registry import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from elicense.verification.report import VerificationReport

ANCHORS_ONLY = replace(trust(), register=None)


@cache
def tsa() -> DirectTsa:
    """Return the authority everybody trusts, stamping a day after sealing."""
    return DirectTsa(at=AT + DAY, identity=pki().timestamp_authority())


@cache
def stamped() -> bytes:
    """Return the licence with an archive timestamp."""
    return with_timestamp(base(), tsa())


@cache
def long_term() -> bytes:
    """Return it with the evidence for both chains."""
    held = evidence_for((seal(), Purpose.SEAL), (tsa().identity, Purpose.TIMESTAMP), trust=trust(), at=NOW)
    return with_evidence(stamped(), held)


@cache
def archived() -> bytes:
    """Return it with a timestamp over the evidence."""
    return with_timestamp(long_term(), tsa())


@cache
def other_seals() -> tuple:
    """Return the certificates of two further authorities."""
    return tuple(pki().seal(f"9901010000010{n}", f"示例第{n}机关", AUTHORITY_CODE) for n in (2, 3))


@cache
def joint(seals: int) -> bytes:
    """Return a document prepared for three seals, with so many of them."""
    data = sealed(joint_draft(3), seal().signer())
    for identity in other_seals()[: seals - 1]:
        data = with_seal(data, identity.signer(), AT)
    return data


def report_on(data: bytes, in_process: object, store: TrustStore = ANCHORS_ONLY) -> VerificationReport:
    """Return the report with these anchors."""
    return verify(data, trust=store, at=NOW, sandbox=in_process)


def first_reason(report: VerificationReport) -> tuple[str, str, str | None]:
    """Return the verdict and the first reason that is none of a passed check."""
    reason = next((one.reason for one in report.checks if one.status in {"FAILED", "INDETERMINATE"}), None)
    return str(report.indication), str(report.sub_indication), reason


@pytest.mark.parametrize(
    ("make", "level"),
    [(base, "B-B"), (stamped, "B-T"), (long_term, "B-LT"), (archived, "B-LTA")],
)
def test_each_level_is_authentic_and_named(make: Callable[[], bytes], level: str, in_process: object) -> None:
    """A licence and its archive copies pass, and the report says which level they reach."""
    report = report_on(make(), in_process, trust())
    report.require_passed()
    assert [one.profile for one in report.signatures] == [level]
    expected = AT + DAY if level != "B-B" else None
    assert report.signatures[0].proven_time == expected


def test_an_archive_copy_needs_no_lists_but_its_own(in_process: object) -> None:
    """With nothing but anchors and the register of rights, B-LT and B-LTA pass; B-B and B-T cannot be decided."""
    bare = replace(trust(), crls=())
    for make in (long_term, archived):
        report_on(make(), in_process, bare).require_passed()
    for make in (base, stamped):
        assert report_on(make(), in_process, bare).indication == "INDETERMINATE"


def test_cut_back_it_is_the_genuine_document_at_the_lower_level(in_process: object) -> None:
    """Every revision of an archive copy is, cut behind it, authentic by itself."""
    data = archived()
    ends = [one.end for one in read_structure(data).revisions]
    assert len(ends) == 4
    levels = [report_on(data[:end], in_process).signatures[0].profile for end in ends]
    assert levels == ["B-B", "B-T", "B-LT", "B-LTA"]


def test_a_renewed_proof_outlives_the_authorities_before_it(in_process: object) -> None:
    """When signer and first timestamp authority have expired, the newer timestamp still proves both."""
    young = make_pki(at=NOW)
    newer = young.timestamp_authority()
    at = newer.certificate.not_valid_after_utc - DAY
    assert at > max(one.certificate.not_valid_after_utc for one in (seal(), tsa().identity))
    store = replace(
        trust(),
        timestamp_anchors=(*trust().anchors, young.root.certificate),
        crls=(*trust().crls, *young.with_crls(at=at).crls),
    )
    renewed = with_timestamp(long_term(), DirectTsa(at=NOW, identity=newer))
    report = verify(renewed, trust=store, at=at, sandbox=in_process)
    assert first_reason(report) == ("TOTAL_PASSED", "None", None)
    assert report.signatures[0].profile == "B-LTA"
    assert verify(long_term(), trust=store, at=at, sandbox=in_process).indication == "INDETERMINATE"


def changed_body(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Return a change of one place in a body."""

    def change(body: bytes) -> bytes:
        assert body.count(old) >= 1, body
        return body.replace(old, new, 1)

    return change


UPDATES = {
    "field with a widget": lambda: with_timestamp(
        base(), tsa(), field=changed_body(b"/FT/Sig", b"/Type/Annot/Subtype/Widget/Rect[0 0 9 9]/FT/Sig")
    ),
    "field of another name": lambda: with_timestamp(base(), tsa(), field=changed_body(b"Timestamp1", b"Timestamp2")),
    "field put in the place of the seal's": lambda: with_timestamp(
        base(), tsa(), form=lambda body: body.replace(b"[4 0 R ", b"[")
    ),
    "form changed otherwise": lambda: with_timestamp(
        base(), tsa(), form=changed_body(b"/SigFlags 3", b"/SigFlags 3/NeedAppearances true")
    ),
    "timestamp with a reason": lambda: with_timestamp(
        base(), tsa(), value=changed_body(b"/ByteRange", b"/Reason(x)/ByteRange")
    ),
    "timestamp that calls itself a seal": lambda: with_timestamp(
        base(), tsa(), value=changed_body(b"/Type/DocTimeStamp", b"/Type/Sig")
    ),
    "page redefined beside": lambda: base() + updates.write_update(
        state(base()).tail, {3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources 8 0 R/Contents[]>>"}
    ),
    "catalogue redefined": lambda: base() + updates.write_update(
        state(base()).tail, {1: state(base()).catalogue.replace(b"/Lang(zh-CN)", b"/Lang(en-GB)")}
    ),
    "objects nobody uses": lambda: base() + updates.write_update(state(base()).tail, {15: b"<<>>"}),
    "an empty update": lambda: base() + updates.write_update(state(base()).tail, {15: b"null"}).replace(
        b"15 0 obj\nnull\nendobj\n", b""
    ),
    "evidence that is none": lambda: base() + updates.write_update(
        state(base()).tail,
        {1: updates.with_evidence(state(base()).catalogue, 15), 15: b"<</Type/DSS/VRI<<>>>>"},
    ),
    "evidence with more in it": lambda: base() + updates.write_update(
        state(base()).tail,
        {
            1: updates.with_evidence(state(base()).catalogue, 16),
            15: updates.data_stream(b"\x30\x00").replace(b"/Length", b"/Subtype/x/Length"),
            16: updates.evidence([15], [], []),
        },
    ),
    "evidence not in DER": lambda: base() + updates.write_update(
        state(base()).tail,
        {
            1: updates.with_evidence(state(base()).catalogue, 16),
            15: updates.data_stream(b"\x30\x00 "),
            16: updates.evidence([15], [], []),
        },
    ),
    "another spelling": lambda: stamped().replace(b"/Prev ", b"/Prev  "),
}  # fmt: skip


@pytest.mark.parametrize("name", UPDATES)
def test_nothing_but_the_known_updates_may_follow(name: str, in_process: object) -> None:
    """Whatever else stands behind the seal of a known authority fails, as a change after sealing."""
    report = report_on(UPDATES[name](), in_process)
    assert first_reason(report) == ("TOTAL_FAILED", "FORMAT_FAILURE", "changes.revision")


def test_evidence_may_grow_and_never_shrink(in_process: object) -> None:
    """A DSS that drops what an earlier one held fails; one that adds to it passes."""
    held = evidence_for((seal(), Purpose.SEAL), trust=trust(), at=NOW)
    first = with_evidence(stamped(), held)
    more = evidence_for((tsa().identity, Purpose.TIMESTAMP), trust=trust(), at=NOW, have=held)
    grown = with_evidence(first, more.without(held))
    assert report_on(grown, in_process).signatures[0].profile == "B-LT"
    now = state(first)
    kept = now.evidence[0][1:], now.evidence[1], now.evidence[2]
    fewer = {
        now.tail.root: updates.with_evidence(now.catalogue, now.tail.size + 1),
        now.tail.size: updates.data_stream(more.certificates[0]),
        now.tail.size + 1: updates.evidence([*kept[0], now.tail.size], kept[1], kept[2]),
    }
    report = report_on(first + updates.write_update(now.tail, fewer), in_process)
    assert first_reason(report)[2] == "changes.revision"


def test_evidence_that_nobody_needs_is_not_let_through(in_process: object) -> None:
    """A stranger's certificate or list in the DSS leaves the document undecided: no signature covers it."""
    stranger = make_pki(at=AT)
    foreign = evidence_for(
        (stranger.seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE), Purpose.SEAL),
        trust=TrustStore((stranger.root.certificate,), crls=stranger.crls),
        at=NOW,
    )
    report = report_on(with_evidence(stamped(), foreign), in_process)
    assert first_reason(report)[0] == "INDETERMINATE"
    assert first_reason(report)[2] == "revocation.loose"


def test_a_timestamp_of_something_else_does_not_pass(in_process: object) -> None:
    """An archive timestamp over another document, by the right authority, leaves it undecided."""

    class Replaying(DirectTsa):
        def stamp(self, digest: bytes, algorithm: str) -> bytes:
            return super().stamp(bytes(len(digest)), algorithm)

    replayed = with_timestamp(base(), Replaying(at=AT + DAY, identity=tsa().identity))
    assert first_reason(report_on(replayed, in_process)) == (
        "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "time.token_wrong",
    )  # fmt: skip


def test_timestamps_that_go_back_in_time_do_not_pass(in_process: object) -> None:
    """A newer archive timestamp that says it is older than the one it covers breaks the order."""
    backwards = with_timestamp(stamped(), DirectTsa(at=AT + DAY / 2, identity=tsa().identity))
    assert first_reason(report_on(backwards, in_process))[1] == "TIMESTAMP_ORDER_FAILURE"


# --- Joint documents ---


@pytest.mark.parametrize("seals", [1, 2])
def test_a_joint_document_on_its_way_is_undecided(seals: int, in_process: object) -> None:
    """Until the last authority has sealed, nobody is called wrong and nothing authentic."""
    report = report_on(joint(seals), in_process)
    assert first_reason(report) == ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "format.seals_missing")
    assert len(report.signatures) == seals


def test_a_joint_document_with_all_seals_passes(in_process: object) -> None:
    """Three seals in their fields, the last one locking everything: authentic, each seal by itself, too."""
    report = report_on(joint(3), in_process)
    report.require_passed()
    assert [(one.field, one.coverage, str(one.indication)) for one in report.signatures] == [
        ("Seal", "revision", "TOTAL_PASSED"),
        ("Seal2", "revision", "TOTAL_PASSED"),
        ("Seal3", "whole_file", "TOTAL_PASSED"),
    ]
    assert report.signatures[0].modification == "seal"
    report_on(with_timestamp(joint(3), tsa()), in_process).require_passed()


def _out_of_turn() -> bytes:
    """Return the third field sealed before the second."""
    data = joint(1)
    found = state(data)
    number, prepared = found.prepared[1]
    value = found.tail.size
    objects = {
        number: updates.sealed_field(prepared, appearance=value + 1, value=value),
        value: updates.seal_value(b"D:20260302013000Z", 512, locks=found.tail.root),
        value + 1: stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]", b""),
    }
    pdf, byte_range = updates.place_gap(data + updates.write_update(found.tail, objects), len(data))
    return updates.fill_gap(pdf, byte_range, b"\x30\x00")


def _one_more() -> bytes:
    """Return the complete document with its second field sealed again."""
    data = joint(3)
    found = state(data)
    number, prepared = state(joint(1)).prepared[0]
    value = found.tail.size
    objects = {
        number: updates.sealed_field(prepared, appearance=value + 1, value=value),
        value: updates.seal_value(b"D:20260302013000Z", 512),
        value + 1: stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]", b""),
    }
    pdf, byte_range = updates.place_gap(data + updates.write_update(found.tail, objects), len(data))
    return updates.fill_gap(pdf, byte_range, b"\x30\x00")


JOINT = {
    "out of turn": _out_of_turn,
    "after the archive's data": lambda: with_seal(with_timestamp(joint(1), tsa()), other_seals()[0].signer(), AT),
    "field moved": lambda: with_seal(
        joint(1), other_seals()[0].signer(), AT, field=changed_body(b"/Rect[200 100", b"/Rect[200 300")
    ),
    "field shown otherwise": lambda: with_seal(
        joint(1), other_seals()[0].signer(), AT, field=changed_body(b"/F 132", b"/F 2")
    ),
    "appearance with a script": lambda: with_seal(
        joint(1), other_seals()[0].signer(), AT,
        appearance=lambda _: stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/JS(x)", b""),
    ),
    "appearance that uses the page's objects": lambda: with_seal(
        joint(1), other_seals()[0].signer(), AT,
        appearance=lambda _: stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources 8 0 R", b""),
    ),
    "page changed beside": lambda: with_seal(
        joint(1), other_seals()[0].signer(), AT, objects={9: stream(b"", b"0 0 595 842 re f")}
    ),
    "hidden object beside": lambda: with_seal(
        joint(1), other_seals()[0].signer(), AT,
        objects={state(joint(1)).tail.size + 2: b"<</Hidden true>>"},
    ),
    "last seal without its lock": lambda: with_seal(
        joint(2), other_seals()[1].signer(), AT,
        value=lambda body: body[: body.index(b"/Reference")] + body[body.index(b"/M(") :],
    ),
    "one seal more behind the lock": _one_more,
}  # fmt: skip


@pytest.mark.parametrize("name", JOINT)
def test_any_other_seal_in_a_joint_document_fails(name: str, in_process: object) -> None:
    """Another order, another place, or anything beside the seal is a change after sealing."""
    report = report_on(JOINT[name](), in_process)
    assert first_reason(report)[0] == "TOTAL_FAILED"
    reasons = [one.reason for one in report.checks if one.status == "FAILED"]
    assert "changes.revision" in reasons


@pytest.mark.parametrize(
    "objects",
    [
        {
            15: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal2)/F 132/P 3 0 R/Rect[0 0 9 9]/AP<</N 17 0 R>>/A 1 0 R>>"
        },
        {15: b"<</Type/Annot/Subtype/Widget/FT/Tx/T(Seal2)/F 132/P 3 0 R/Rect[0 0 9 9]/AP<</N 17 0 R>>>>"},
        {15: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal)/F 132/P 3 0 R/Rect[0 0 9 9]/AP<</N 17 0 R>>>>"},
        {16: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal3)/F 132/P 3 0 R/Rect[0 0 9 9]/AP<</N 18 0 R>>>>"},
        {12: b"<</Fields[4 0 R 15 0 R]/SigFlags 3>>"},
        {12: b"<</Fields[4 0 R 15 0 R 16 0 R 16 0 R]/SigFlags 3>>"},
    ],
)
def test_fields_must_be_prepared_as_ours_are(objects: dict[int, bytes], in_process: object) -> None:
    """A field with an action, of another kind, of the same name, without the lock or unlisted is refused."""
    data = sealed(joint_draft(3, objects=objects), seal().signer())
    report = report_on(data, in_process)
    assert report.indication == "TOTAL_FAILED"
    assert report.sub_indication == "FORMAT_FAILURE"


def test_a_file_of_ten_thousand_updates_is_a_limit(in_process: object) -> None:
    """More revisions than any licence has are not read."""
    parts, tail = [base()], state(base()).tail
    for number in range(300):
        update = updates.write_update(tail, {15 + number: b"null"})
        parts.append(update)
        start = tail.end
        tail = replace(tail, end=start + len(update), xref=start + update.index(b"xref\n"), size=16 + number)
    report = report_on(b"".join(parts), in_process)
    assert first_reason(report)[1:] == ("LIMIT_REACHED", "limit.complexity")


def test_a_seal_that_is_named_and_missing_shows_without_a_register(in_process: object) -> None:
    """Whoever knows anchors only does not believe one seal for two authorities."""
    other = replace(LICENCE.authority, code="11990101MB00000027", name="示例第二机关")
    data = sealed(Draft(licence=replace(LICENCE, joint_authorities=(other,))), seal().signer())
    report = report_on(data, in_process)
    assert (str(report.indication), report.checks[6].reason) == ("INDETERMINATE", "path.other_authority")


def test_evidence_behind_the_last_timestamp_is_not_covered(in_process: object) -> None:
    """Part of the evidence before a timestamp and the rest behind it is long-term, not archived."""
    held = evidence_for((seal(), Purpose.SEAL), (tsa().identity, Purpose.TIMESTAMP), trust=trust(), at=NOW)
    first = Evidence(certificates=held.certificates[:1])
    data = with_timestamp(with_evidence(stamped(), first), tsa())
    data = with_evidence(data, held.without(first))
    assert report_on(data, in_process).signatures[0].profile == "B-LT"
    assert report_on(with_timestamp(data, tsa()), in_process).signatures[0].profile == "B-LTA"
