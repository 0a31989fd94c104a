"""What the result page says about a report: decided here, so that the template only prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from elicense import messages
from elicense.decoding import licence_from_json, read_canonical_json
from elicense.encoding import canonical_json
from elicense.model import InForce
from elicense.reporting.plain import answer_key, detailed, may_be_another
from elicense.reporting.words import heading, without_changes
from elicense.verification.report import CheckStatus, Indication, decisive
from service.pages.words import FORCE_TONES, Row, details_of, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from elicense.catalogue import Catalogue
    from elicense.model import Licence, LicenceStatus
    from elicense.verification.report import Outcome, SignatureSummary, VerificationReport
    from service.pages.translations import Texts

AUTHENTIC_TONES = {
    Indication.TOTAL_PASSED: "good",
    Indication.INDETERMINATE: "unknown",
    Indication.TOTAL_FAILED: "bad",
}
CHECK_TONES = {
    CheckStatus.PASSED: "good",
    CheckStatus.RECORDED: "good",
    CheckStatus.FAILED: "bad",
    CheckStatus.INDETERMINATE: "caution",
}
"""Every other status is neutral."""
GENERAL = "general"
"""The policy for any signed PDF, under which there is no second answer."""
MOST_ROWS = 200
"""Signatures, timestamps and revisions that are listed, each; the reports to download have the rest."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the two answers."""

    question: str
    answer: str
    tone: str
    """good, caution, unknown or bad: colour and icon; the words carry the meaning alone."""
    notes: tuple[str, ...] = ()
    """Smaller print under the answer."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who sealed it, from the trust register."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check, for experts."""

    number: int
    question: str
    status: str
    tone: str
    answer: str
    """Why, unless it passed."""
    advice: str
    """What to do, unless it passed."""
    detail: str
    """Particulars in English."""


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """One signature with its own answer, for experts."""

    name: str
    """Who signed, if that is proven; else what it is."""
    answer: str
    tone: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """What was saved at one time, for experts."""

    number: int
    changes: tuple[tuple[str, str], ...]
    """What changed, and particulars in English."""
    signed: str
    """Fields of the signatures over it."""


@dataclass(frozen=True, slots=True)
class ShownView:
    """How the text differs from what was sealed."""

    note: str
    text: str
    """What cannot be said line by line."""
    pages: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    """Page, lines that are gone, lines that are new."""


@dataclass(frozen=True, slots=True)
class Experts:
    """The part that is folded away."""

    checks: tuple[CheckRow, ...]
    signatures: tuple[SignatureRow, ...]
    timestamps: tuple[tuple[Row, ...], ...]
    revisions: tuple[RevisionRow, ...]
    facts: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ResultView:
    """All the page says."""

    tone: str
    headline: str
    reason: str
    advice: str
    answers: tuple[Answer, ...] = ()
    issuers: tuple[Issuer, ...] = ()
    """Empty unless authentic: nobody is named on the strength of a file that is not."""
    details: tuple[Row, ...] = ()
    """Empty unless authentic."""
    same: bool | None = None
    """Whether the file is the licence whose code was scanned; None if none was, or if not authentic."""
    shown: ShownView | None = None
    """None unless the file was extended after it was sealed."""
    experts: Experts | None = None
    general: bool = False
    """Whether the file was judged as any signed PDF."""


def result_view(
    report: VerificationReport, texts: Texts, catalogue: Catalogue, *, expected: str | None = None
) -> ResultView:
    """Return what the page says about `report`.

    Args:
        report: the two answers.
        texts: the language.
        catalogue: names of types and fields.
        expected: identifier of the licence whose QR code led here, if one did.
    """
    passed = report.indication is Indication.TOTAL_PASSED
    case = _case(report)
    general = report.policy == GENERAL
    detail = detailed(report, texts.language)
    reason = _decisive(report)
    licence = _licence(report.licence) if passed and report.licence is not None else None
    licence_type = next((one for one in catalogue.types if licence and one.slug == licence.type), None)
    return ResultView(
        tone=FORCE_TONES[report.in_force.state]
        if passed and not general
        else AUTHENTIC_TONES[report.indication],
        headline=texts(f"headline.{case}"),
        reason=_told(messages.answer, reason, report, texts, f"reason.{case}"),
        advice=_advice(report, reason, case, texts),
        answers=(_authentic(report, texts), _force(report, texts)),
        issuers=_issuers(report, texts) if passed else (),
        details=details_of(licence, licence_type, texts) if licence else (),
        same=None if expected is None or licence is None else str(licence.identifier) == expected,
        shown=_shown(detail["shown"], texts),
        experts=_experts(report, detail, texts),
        general=general,
    )


def too_large_view(limit: int, texts: Texts) -> ResultView:
    """Return what the page says about a file that was not looked at."""
    size = limit // 2**20
    return ResultView(
        "unknown",
        texts("headline.too_large"),
        texts("reason.too_large", limit=size),
        texts("advice.too_large"),
    )


def force_answer(status: LicenceStatus, texts: Texts, *, vouched: bool = True) -> Answer:
    """Return the second answer; its colour stays neutral where no document vouches for it."""
    notes = [texts("force.as_of", moment=moment(status.as_of, texts))]
    if status.reason:
        notes.append(texts("force.reason", reason=status.reason))
    tone = FORCE_TONES[status.state] if vouched else "unknown"
    return Answer(texts("force.question"), texts(f"force.{status.state}"), tone, tuple(notes))


def _licence(embedded: Mapping[str, object]) -> Licence:
    return licence_from_json(read_canonical_json(canonical_json(embedded)))


def _case(report: VerificationReport) -> str:
    """Return which headline fits: the state in force if authentic, else what kept it from being so."""
    if report.indication is Indication.TOTAL_PASSED:
        return "general" if report.policy == GENERAL else report.in_force.state.value
    return answer_key(report)


def _decisive(report: VerificationReport) -> str | None:
    """Return the reason of the check that kept the headline from being the best, if one did."""
    if report.indication is Indication.TOTAL_PASSED:
        unknown = report.in_force.state is InForce.NOT_KNOWN and report.policy != GENERAL
        return report.checks[-1].reason if unknown else None
    return decisive(report)


def _advice(report: VerificationReport, reason: str | None, case: str, texts: Texts) -> str:
    """Return what to do; of a file of another make, under the policy for licences, also how else to verify it."""
    told = _told(messages.advice, reason, report, texts, f"advice.{case}")
    another = may_be_another(report) and case != "another"
    return texts.joined(told, texts("advice.another") if another else "")


def _told(
    say: Callable[[str, str, str], str],
    reason: str | None,
    report: VerificationReport,
    texts: Texts,
    key: str,
) -> str:
    """Return what the reason says, followed by what is always said in such a case."""
    said = say(reason, texts.language, report.policy) if reason is not None else ""
    return texts.joined(said, texts(key))


def _authentic(report: VerificationReport, texts: Texts) -> Answer:
    key = answer_key(report)
    tone = AUTHENTIC_TONES[report.indication]
    about = texts(f"authentic.about.{key}")
    return Answer(texts("authentic.question"), texts(f"authentic.{key}"), tone, (about,))


def _force(report: VerificationReport, texts: Texts) -> Answer:
    if report.policy == GENERAL:
        note = texts("force.about.general")
        return Answer(texts("force.question"), texts("force.general"), "unknown", (note,))
    return force_answer(report.in_force, texts, vouched=report.indication is Indication.TOTAL_PASSED)


def _issuers(report: VerificationReport, texts: Texts) -> tuple[Issuer, ...]:
    """Return who signed, each once however often, in the order of the first signatures."""
    groups: dict[tuple[str, str | None], list[SignatureSummary]] = {}
    for one in report.signatures:
        groups.setdefault((one.signer, one.seal), []).append(one)
    return tuple(_issuer(own, texts) for own in groups.values())[:MOST_ROWS]


def _issuer(own: Sequence[SignatureSummary], texts: Texts) -> Issuer:
    """Return the signer of these signatures."""
    rows = [(texts("issuer.seal"), own[0].seal or "")]
    rows.append((texts("issuer.count"), str(len(own)) if len(own) > 1 else ""))
    rows.append((texts("issuer.claimed"), _period([one.claimed_time for one in own], texts)))
    proven = _period([one.proven_time for one in own], texts) or texts("issuer.not_proven")
    rows.append((texts("issuer.proven"), proven))
    return Issuer(own[0].signer, tuple(Row(label, (value,)) for label, value in rows if value))


def _period(moments: Sequence[datetime | None], texts: Texts) -> str:
    """Return from when to when, empty if nothing is known, and of how many signatures if not of all."""
    known = sorted(one for one in moments if one is not None)
    if not known:
        return ""
    start, end = moment(known[0], texts), moment(known[-1], texts)
    text = start if start == end else texts("value.to", start=start, end=end)
    some = len(known) < len(moments)
    return texts("issuer.some", moment=text, known=len(known), count=len(moments)) if some else text


def _experts(report: VerificationReport, detail: dict[str, Any], texts: Texts) -> Experts:
    indication = " / ".join(filter(None, (report.indication, report.sub_indication)))
    checks = zip(report.checks, detail["checks"], strict=True)
    return Experts(
        checks=tuple(_check(outcome, one, texts) for outcome, one in checks),
        signatures=tuple(_signature(report, one, texts) for one in detail["signatures"][:MOST_ROWS]),
        timestamps=tuple(_timestamp(one, texts) for one in detail["timestamps"][:MOST_ROWS]),
        revisions=tuple(_revision(one, texts) for one in detail["revisions"][:MOST_ROWS]),
        facts=(
            Row(texts("experts.indication"), (indication,)),
            Row(texts("experts.sha256"), (report.sha256,)),
            Row(texts("experts.policy"), (report.policy,)),
            Row(texts("experts.time"), (detail["verified_at"],)),
        ),
    )


def _check(outcome: Outcome, detail: dict[str, Any], texts: Texts) -> CheckRow:
    return CheckRow(
        number=outcome.number,
        question=detail["question"],
        status=texts(f"check.{outcome.status}"),
        tone=CHECK_TONES.get(outcome.status, "unknown"),
        answer=detail["answer"] if outcome.reason is not None else "",
        advice=detail["advice"],
        detail=": ".join(filter(None, (outcome.reason, outcome.detail))),
    )


def _signature(report: VerificationReport, one: dict[str, Any], texts: Texts) -> SignatureRow:
    """Return one signature; it has a name only where that is proven of the signature and of the file."""
    lang = texts.language
    indication = Indication(one["indication"])
    named = {indication, report.indication} == {Indication.TOTAL_PASSED}
    claims = not named and report.policy == GENERAL
    rows = [(texts("experts.claims"), one["name"])] if claims else []
    rows += [
        (heading("kind", lang), one["kind_text"] if named else ""),
        (heading("seal", lang), (one["seal"] or "") if named else ""),
        (heading("field", lang), one["field"]),
        (heading("claimed_time", lang), one["claimed_time"] or ""),
        (heading("proven_time", lang), one["proven_time"] or heading("not_proven", lang)),
        (texts("experts.profile"), one["level_text"]),
        (texts("experts.coverage"), one["coverage_text"]),
        (texts("experts.certificate"), one["certificate"]),
    ]
    return SignatureRow(
        name=one["name"] if named else one["kind_text"],
        answer=one["answer"],
        tone=AUTHENTIC_TONES[indication],
        rows=tuple(Row(label, (value,)) for label, value in rows if value),
    )


def _timestamp(one: dict[str, Any], texts: Texts) -> tuple[Row, ...]:
    proves = texts("experts.proves" if one["proves"] else "experts.proves_not")
    return (
        Row(heading("field", texts.language), (one["field"],)),
        Row(heading("proven_time", texts.language), (one["time"] or "-",)),
        Row(heading("answer", texts.language), (proves,)),
    )


def _revision(one: dict[str, Any], texts: Texts) -> RevisionRow:
    lang = texts.language
    changes = tuple((change["text"], change["detail"]) for change in one["changes"])
    signed = ", ".join(one["signed_after"]) or heading("nobody", lang)
    return RevisionRow(one["revision"], changes or ((without_changes(one["revision"])(lang), ""),), signed)


def _shown(shown: dict[str, Any] | None, texts: Texts) -> ShownView | None:
    if shown is None:
        return None
    pages = tuple(
        (heading("page", texts.language, page=one["page"]), tuple(one["removed"]), tuple(one["added"]))
        for one in shown["pages"]
    )
    return ShownView(shown["note"], shown["text"], pages)
