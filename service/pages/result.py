"""What the result page says about a report: decided here, so that the template only prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from elicense import messages
from elicense.encoding import canonical_json, licence_from_json, read_canonical_json
from elicense.model import InForce
from elicense.verification.report import CheckStatus, Indication, SubIndication
from service.pages.words import FORCE_TONES, Row, details_of, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    """One line for experts."""

    number: int
    question: str
    status: str
    tone: str
    answer: str
    """Why, unless it passed."""
    detail: str
    """Particulars in English."""


@dataclass(frozen=True, slots=True)
class Experts:
    """The part that is folded away."""

    checks: tuple[CheckRow, ...]
    signatures: tuple[tuple[Row, ...], ...]
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
    experts: Experts | None = None


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
    decisive = _decisive(report)
    licence = _licence(report.licence) if passed and report.licence is not None else None
    licence_type = next((one for one in catalogue.types if licence and one.slug == licence.type), None)
    return ResultView(
        tone=FORCE_TONES[report.in_force.state] if passed else AUTHENTIC_TONES[report.indication],
        headline=texts(f"headline.{case}"),
        reason=_told(messages.answer, decisive, texts, f"reason.{case}"),
        advice=_told(messages.advice, decisive, texts, f"advice.{case}"),
        answers=(_authentic(report, texts), force_answer(report.in_force, texts, vouched=passed)),
        issuers=tuple(_issuer(one, texts) for one in report.signatures) if passed else (),
        details=details_of(licence, licence_type, texts) if licence else (),
        same=None if expected is None or licence is None else str(licence.identifier) == expected,
        experts=_experts(report, texts),
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
        return report.in_force.state.value
    if _damaged(report):
        return "damaged"
    return report.indication.value


def _decisive(report: VerificationReport) -> str | None:
    """Return the reason of the check that kept the headline from being the best, if one did."""
    if report.indication is Indication.TOTAL_PASSED:
        unknown = report.in_force.state is InForce.NOT_KNOWN
        return report.checks[-1].reason if unknown else None
    status = CheckStatus[report.indication.value.removeprefix("TOTAL_")]
    return next((one.reason for one in report.checks[:-1] if one.status is status), None)


def _told(say: Callable[[str, str], str], reason: str | None, texts: Texts, key: str) -> str:
    """Return what the reason says, followed by what is always said in such a case."""
    said = say(reason, texts.language) if reason is not None else ""
    return texts.joined(said, texts(key))


def _damaged(report: VerificationReport) -> bool:
    """A file that cannot be read is not called a forgery."""
    return (
        report.indication is Indication.TOTAL_FAILED and report.sub_indication is SubIndication.FORMAT_FAILURE
    )


def _authentic(report: VerificationReport, texts: Texts) -> Answer:
    key = "damaged" if _damaged(report) else report.indication.value
    tone = AUTHENTIC_TONES[report.indication]
    return Answer(
        texts("authentic.question"), texts(f"authentic.{key}"), tone, (texts(f"authentic.about.{key}"),)
    )


def _issuer(signature: SignatureSummary, texts: Texts) -> Issuer:
    rows = []
    if signature.seal is not None:
        rows.append(Row(texts("issuer.seal"), (signature.seal,)))
    if signature.claimed_time is not None:
        rows.append(Row(texts("issuer.claimed"), (moment(signature.claimed_time, texts),)))
    proven = (
        texts("issuer.not_proven") if signature.proven_time is None else moment(signature.proven_time, texts)
    )
    rows.append(Row(texts("issuer.proven"), (proven,)))
    return Issuer(signature.signer, tuple(rows))


def _experts(report: VerificationReport, texts: Texts) -> Experts:
    indication = " / ".join(filter(None, (report.indication, report.sub_indication)))
    return Experts(
        checks=tuple(_check(one, texts) for one in report.checks),
        signatures=tuple(_signature(one, texts) for one in report.signatures),
        facts=(
            Row(texts("experts.indication"), (indication,)),
            Row(texts("experts.sha256"), (report.sha256,)),
            Row(texts("experts.policy"), (report.policy,)),
            Row(texts("experts.time"), (f"{report.verified_at:%Y-%m-%dT%H:%M:%SZ}",)),
        ),
    )


def _check(outcome: Outcome, texts: Texts) -> CheckRow:
    return CheckRow(
        number=outcome.number,
        question=messages.question(outcome.code, texts.language),
        status=texts(f"check.{outcome.status}"),
        tone=CHECK_TONES.get(outcome.status, "unknown"),
        answer=messages.answer(outcome.reason, texts.language) if outcome.reason is not None else "",
        detail=outcome.detail,
    )


def _signature(signature: SignatureSummary, texts: Texts) -> tuple[Row, ...]:
    return (
        Row(texts("experts.certificate"), (signature.certificate,)),
        Row(texts("experts.coverage"), (signature.coverage,)),
        Row(texts("experts.modification"), (signature.modification,)),
        Row(texts("experts.profile"), (signature.profile,)),
    )
