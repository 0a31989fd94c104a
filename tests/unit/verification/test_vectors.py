"""Every vector of tests/vectors gives the verdict that its case file states."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from elicense.pki.trust import load_trust
from elicense.verification.pipeline import verify
from elicense.verification.report import CheckStatus, exit_status
from tests.vectors.generate import VECTORS, Case, load_cases, write

CASES = load_cases()
NOT_PASSED = {CheckStatus.FAILED, CheckStatus.INDETERMINATE}
EXIT = {"TOTAL_PASSED": 0, "TOTAL_FAILED": 1, "INDETERMINATE": 3}


def test_every_vector_has_its_case() -> None:
    """There is no generator without a case file and no case file without a generator."""
    assert {case.name for case in CASES} == set(VECTORS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_vector(case: Case, sandbox: object) -> None:
    """Indication, sub-indication, first check that did not pass and state in force are as stated."""
    vector = VECTORS[case.name]()
    report = verify(vector.data, trust=vector.trust, at=vector.at, sandbox=sandbox)
    first = next((o.code for o in report.checks[:11] if o.status in NOT_PASSED), None)
    sub_indication = report.sub_indication and report.sub_indication.value
    assert (report.indication, sub_indication, first) == (
        case.indication,
        case.sub_indication,
        case.first_check,
    )
    assert report.in_force.state == case.in_force
    not_in_force = case.indication == "TOTAL_PASSED" and case.in_force != "not_known"
    assert exit_status([report]) == (4 if not_in_force else EXIT[case.indication])
    assert (report.licence is not None) == (case.indication == "TOTAL_PASSED")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_check_that_did_not_run_names_one_that_did_not_pass(case: Case, in_process: object) -> None:
    """NOT_RUN names a predecessor, and that predecessor is a check that did not pass."""
    vector = VECTORS[case.name]()
    report = verify(vector.data, trust=vector.trust, at=vector.at, sandbox=in_process)
    statuses = {outcome.code: outcome.status for outcome in report.checks}
    for outcome in report.checks:
        if outcome.status is CheckStatus.NOT_RUN:
            assert statuses[outcome.detail.removeprefix("needs ")] is not CheckStatus.PASSED, (
                outcome,
                statuses,
            )


def test_the_written_vectors_stand_alone(tmp_path: Path, in_process: object) -> None:
    """What is written for strangers, file, trust and moment, gives the stated verdict by itself."""
    write(tmp_path)
    for case in CASES:
        register, anchors = tmp_path / f"{case.name}.trust.json", tmp_path / f"{case.name}.pem"
        trust = load_trust(register if register.exists() else anchors)
        at = datetime.fromisoformat(tomllib.loads((tmp_path / f"{case.name}.toml").read_text("utf-8"))["at"])
        report = verify((tmp_path / f"{case.name}.pdf").read_bytes(), trust=trust, at=at, sandbox=in_process)
        assert report.indication == case.indication, case.name
