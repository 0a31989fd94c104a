"""What a verification says: facts already judged, two answers that are never blended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn

from elicense.errors import VerificationFailed
from elicense.model import InForce
from elicense.verification.shown import difference_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from elicense.model import LicenceStatus
    from elicense.verification.facts import Facts
    from elicense.verification.shown import TextDifference


class Indication(StrEnum):
    """Main indication. Source: ETSI EN 319 102-1, 5.1.3 (names; text read in secondary sources)."""

    TOTAL_PASSED = "TOTAL_PASSED"
    INDETERMINATE = "INDETERMINATE"
    TOTAL_FAILED = "TOTAL_FAILED"


class SubIndication(StrEnum):
    """Why not passed. Source: ETSI EN 319 102-1, tables 5 and 6; UNSIGNED and LIMIT_REACHED are ours."""

    FORMAT_FAILURE = "FORMAT_FAILURE"
    HASH_FAILURE = "HASH_FAILURE"
    SIG_CRYPTO_FAILURE = "SIG_CRYPTO_FAILURE"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    SIG_CONSTRAINTS_FAILURE = "SIG_CONSTRAINTS_FAILURE"
    CHAIN_CONSTRAINTS_FAILURE = "CHAIN_CONSTRAINTS_FAILURE"
    CERTIFICATE_CHAIN_GENERAL_FAILURE = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE = "CRYPTO_CONSTRAINTS_FAILURE"
    NO_SIGNING_CERTIFICATE_FOUND = "NO_SIGNING_CERTIFICATE_FOUND"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    OUT_OF_BOUNDS_NO_POE = "OUT_OF_BOUNDS_NO_POE"
    REVOKED_NO_POE = "REVOKED_NO_POE"
    TIMESTAMP_ORDER_FAILURE = "TIMESTAMP_ORDER_FAILURE"
    TRY_LATER = "TRY_LATER"
    UNSIGNED = "UNSIGNED"
    LIMIT_REACHED = "LIMIT_REACHED"


class CheckStatus(StrEnum):
    """What became of one check."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    INDETERMINATE = "INDETERMINATE"
    NOT_RUN = "NOT_RUN"
    """A predecessor it needs failed; `detail` names it."""
    RECORDED = "RECORDED"
    """Not run again: the register vouched for these very bytes at issue."""
    NOT_CONFIGURED = "NOT_CONFIGURED"
    """It has no subject: no seal structure or log yet, no licence under the policy general."""
    NOT_KNOWN = "NOT_KNOWN"
    """Nobody to ask (offline)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check's answer."""

    number: int
    """1 to 12, the order of the plan."""
    code: str
    """Stable code of the question, e.g. byte_range."""
    status: CheckStatus
    """The answer."""
    sub_indication: SubIndication | None = None
    """Set when FAILED or INDETERMINATE."""
    reason: str | None = None
    """Stable code of the answer's text in reasons.py, e.g. byte_range.gap; None when passed without remark."""
    detail: str = ""
    """Plain English particulars for experts; never text taken from the document."""


@dataclass(frozen=True, slots=True)
class SignatureSummary:
    """One signature, for display."""

    field: str
    """Fully qualified field name."""
    signer: str
    """The authority's name from the trust register, or the certificate's subject if only anchors were given."""
    certificate: str
    """SHA-256 (hex) of the signer's certificate."""
    seal: str | None
    """Seal number from the trust register."""
    claimed_time: datetime | None
    """`/M`, UTC."""
    proven_time: datetime | None
    """Earliest trusted timestamp, UTC."""
    coverage: str
    """whole_file, revision or partial."""
    modification: str
    """none, or what came after."""
    profile: str
    """B-B, B-T, B-LT or B-LTA; CMS for a signature that is no PAdES."""
    indication: Indication = Indication.INDETERMINATE
    """The answer of checks 1 to 11 about this signature alone."""
    sub_indication: SubIndication | None = None
    """Why not, of the first check that decided."""
    kind: str = "seal"
    """seal, certification or approval."""
    revision: int = 0
    """Index of the revision it covers, from 0; -1 if none."""


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The two answers and all that led to them. `bool(report)` is a TypeError: ask a question."""

    indication: Indication
    """authentic? — checks 1 to 11."""
    sub_indication: SubIndication | None
    """Why not, of the first check that decided."""
    in_force: LicenceStatus
    """in force? — check 12."""
    checks: tuple[Outcome, ...]
    """All twelve, in order."""
    signatures: tuple[SignatureSummary, ...]
    """Every signature found."""
    sha256: str
    """Of the bytes verified, hex."""
    verified_at: datetime
    """The one clock reading, UTC."""
    policy: str
    """licence or general."""
    licence: Mapping[str, object] | None = None
    """Embedded licence data, only when authentic."""
    facts: Facts | None = None
    """All that was found, for the diagnostic report; None where the register answered by hash."""
    shown: TextDifference | None = None
    """How the text shown differs from what was sealed, if somebody asked (shown.py); no part of the answers."""

    def __bool__(self) -> NoReturn:
        raise TypeError("a report has two answers: read .indication and .in_force, or call .require_passed()")

    def require_passed(self) -> None:
        """Return if TOTAL_PASSED. Raises VerificationFailed(report) otherwise."""
        if self.indication is not Indication.TOTAL_PASSED:
            why = f"{self.indication}/{self.sub_indication}"
            raise VerificationFailed(
                f"the document is not proven authentic: {why}", f"未能证明文件真实：{why}", report=self
            )


def conclude(outcomes: tuple[Outcome, ...]) -> tuple[Indication, SubIndication | None]:
    """Return the answer to "authentic?" with the reason of the first check that decided it."""
    authentic = [outcome for outcome in outcomes if outcome.number <= 11]
    statuses = {outcome.status for outcome in authentic}
    for status, indication in (
        (CheckStatus.FAILED, Indication.TOTAL_FAILED),
        (CheckStatus.INDETERMINATE, Indication.INDETERMINATE),
    ):
        if status in statuses:
            return indication, next(one.sub_indication for one in authentic if one.status is status)
    if CheckStatus.NOT_RUN in statuses:
        # Never reached while every NOT_RUN names a predecessor that did not pass; a gap there must not pass.
        return Indication.INDETERMINATE, SubIndication.SIG_CONSTRAINTS_FAILURE
    return Indication.TOTAL_PASSED, None


_CHECK_INDICATION = {
    CheckStatus.PASSED: Indication.TOTAL_PASSED,
    CheckStatus.RECORDED: Indication.TOTAL_PASSED,
    CheckStatus.FAILED: Indication.TOTAL_FAILED,
    CheckStatus.INDETERMINATE: Indication.INDETERMINATE,
}


def to_json(report: VerificationReport, file: str | None = None) -> dict[str, object]:
    """Return the report as plain values: the object that `elicense verify --json` prints for one file."""
    return {
        "file": file,
        "sha256": report.sha256,
        "authentic": {
            "indication": report.indication.value,
            "sub_indication": report.sub_indication.value if report.sub_indication else None,
        },
        "in_force": {
            "state": report.in_force.state.value,
            "as_of": moment_text(report.in_force.as_of),
            "reason": report.in_force.reason,
        },
        "signatures": [_signature_json(signature) for signature in report.signatures],
        "checks": [_check_json(outcome) for outcome in report.checks],
        **({"shown": difference_to_json(report.shown)} if report.shown else {}),
    }


def decisive(report: VerificationReport) -> str | None:
    """Return the reason of the first check that kept the file from being authentic, if one did."""
    if report.indication is Indication.TOTAL_PASSED:
        return None
    status = CheckStatus[report.indication.value.removeprefix("TOTAL_")]
    return next((one.reason for one in report.checks[:-1] if one.status is status and one.reason), None)


def is_damaged(report: VerificationReport) -> bool:
    """Return whether the file cannot be read as a sealed document: that is not called a forgery."""
    failed = report.indication is Indication.TOTAL_FAILED
    return failed and report.sub_indication is SubIndication.FORMAT_FAILURE


def _signature_json(signature: SignatureSummary) -> dict[str, object]:
    return {
        "field": signature.field,
        "signer": signature.signer,
        "seal": signature.seal,
        "claimed_time": moment_text(signature.claimed_time),
        "proven_time": moment_text(signature.proven_time),
        "coverage": signature.coverage,
        "modification": signature.modification,
    }


def _check_json(outcome: Outcome) -> dict[str, object]:
    # Check 12 is no part of "authentic?" and has no indication.
    indication = _CHECK_INDICATION.get(outcome.status) if outcome.code != "in_force" else None
    return {
        "code": outcome.code,
        "status": outcome.status.value,
        "indication": indication.value if indication else None,
        "sub_indication": outcome.sub_indication.value if outcome.sub_indication else None,
        "detail": ": ".join(part for part in (outcome.reason, outcome.detail) if part),
    }


def moment_text(moment: datetime | None) -> str | None:
    """Return a moment in UTC to the second as ISO 8601 writes it; None stays None."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


NOT_IN_FORCE = frozenset(InForce) - {InForce.IN_FORCE, InForce.CONDITIONAL, InForce.NOT_KNOWN}
"""What a licence may be that nobody may rely on now."""


def exit_status(reports: Iterable[VerificationReport]) -> int:
    """Return what `elicense verify` exits with: the worst of all reports, in the order 1, 3, 4, 0.

    1 is TOTAL_FAILED, 3 INDETERMINATE, 4 authentic but not in force, 0 authentic and in force, conditional or
    not known. (2, wrong usage or a file that cannot be opened, is the caller's to know.)
    """
    codes = {_exit_code(report) for report in reports}
    return next((code for code in (1, 3, 4) if code in codes), 0)


def _exit_code(report: VerificationReport) -> int:
    if report.indication is Indication.TOTAL_FAILED:
        return 1
    if report.indication is Indication.INDETERMINATE:
        return 3
    return 4 if report.in_force.state in NOT_IN_FORCE else 0
