"""The report as JSON and as an exit status, and how answers become a verdict."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from elicense.model import InForce, LicenceStatus
from elicense.verification.checks import CODES
from elicense.verification.report import (
    CheckStatus,
    Indication,
    Outcome,
    SignatureSummary,
    SubIndication,
    VerificationReport,
    conclude,
    exit_status,
    to_json,
)

AT = datetime(2026, 3, 10, 8, 0, 0, 999, tzinfo=UTC)


def outcomes(**changed: tuple[CheckStatus, SubIndication | None]) -> tuple[Outcome, ...]:
    """Return twelve answers, PASSED unless changed."""
    passed = (CheckStatus.PASSED, None)
    return tuple(Outcome(n, code, *changed.get(code, passed)) for n, code in enumerate(CODES, 1))


def report(indication: Indication, state: InForce = InForce.NOT_KNOWN) -> VerificationReport:
    """Return a report with these two answers."""
    signature = SignatureSummary(
        "Seal", "样例市测试局", "ab" * 32, None, AT, None, "whole_file", "none", "B-B"
    )
    checks = outcomes(format=(CheckStatus.FAILED, SubIndication.FORMAT_FAILURE))
    checks = (replace(checks[0], reason="format.cut", detail="no end"), *checks[1:])
    return VerificationReport(
        indication, SubIndication.FORMAT_FAILURE, LicenceStatus(state, AT, None), checks, (signature,), "cd" * 32, AT,
        "licence",
    )  # fmt: skip


def test_json_has_exactly_the_promised_keys() -> None:
    """The object of `--json` is the one the architecture lists, and is JSON."""
    plain = to_json(report(Indication.TOTAL_FAILED), "a.pdf")
    assert list(plain) == ["file", "sha256", "authentic", "in_force", "signatures", "checks"]
    assert plain["authentic"] == {"indication": "TOTAL_FAILED", "sub_indication": "FORMAT_FAILURE"}
    assert plain["in_force"] == {"state": "not_known", "as_of": "2026-03-10T08:00:00Z", "reason": None}
    assert list(plain["signatures"][0]) == [
        "field", "signer", "seal", "claimed_time", "proven_time", "coverage", "modification",
    ]  # fmt: skip
    assert plain["checks"][0] == {
        "code": "format",
        "status": "FAILED",
        "indication": "TOTAL_FAILED",
        "sub_indication": "FORMAT_FAILURE",
        "detail": "format.cut: no end",
    }
    assert plain["checks"][11]["indication"] is None
    assert json.loads(json.dumps(plain)) == plain


@pytest.mark.parametrize("state", InForce)
@pytest.mark.parametrize("indication", Indication)
def test_exit_status_of_one(indication: Indication, state: InForce) -> None:
    """1 and 3 do not look at the state; 4 is authentic and not in force; unknown and conditional are 0."""
    in_force = state in {InForce.IN_FORCE, InForce.CONDITIONAL, InForce.NOT_KNOWN}
    expected = {"TOTAL_FAILED": 1, "INDETERMINATE": 3, "TOTAL_PASSED": 0 if in_force else 4}[indication]
    assert exit_status([report(indication, state)]) == expected


def test_exit_status_of_several_is_the_worst() -> None:
    """Of several files the worst counts, in the order 1, 3, 4, 0."""
    kinds = {
        1: report(Indication.TOTAL_FAILED),
        3: report(Indication.INDETERMINATE),
        4: report(Indication.TOTAL_PASSED, InForce.REVOKED),
        0: report(Indication.TOTAL_PASSED),
    }
    for one, two in itertools.product(kinds, repeat=2):
        worst = next(code for code in kinds if code in {one, two})
        assert exit_status([kinds[one], kinds[two]]) == worst
    assert exit_status([]) == 0


FAILED = (CheckStatus.FAILED, SubIndication.HASH_FAILURE)
UNKNOWN = (CheckStatus.INDETERMINATE, SubIndication.TRY_LATER)


def test_a_proof_outweighs_a_doubt() -> None:
    """TOTAL_FAILED wins over an earlier INDETERMINATE; of several the first gives the sub-indication."""
    assert conclude(outcomes(format=UNKNOWN, content=FAILED)) == (
        Indication.TOTAL_FAILED,
        SubIndication.HASH_FAILURE,
    )
    assert conclude(outcomes(revocation=UNKNOWN)) == (Indication.INDETERMINATE, SubIndication.TRY_LATER)
    other = (CheckStatus.INDETERMINATE, SubIndication.UNSIGNED)
    assert conclude(outcomes(format=other, revocation=UNKNOWN))[1] is SubIndication.UNSIGNED


def test_the_state_in_force_is_no_part_of_authentic() -> None:
    """Check 12 never changes the first answer."""
    assert conclude(outcomes(in_force=(CheckStatus.FAILED, None))) == (Indication.TOTAL_PASSED, None)


def test_a_check_that_did_not_run_never_passes() -> None:
    """An unanswered question among 1 to 11 is not TOTAL_PASSED."""
    assert conclude(outcomes(content=(CheckStatus.NOT_RUN, None)))[0] is Indication.INDETERMINATE
