"""Every vector of tests/vectors gives the verdict that its case file states."""

from __future__ import annotations

import time
import tomllib
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from elicense.pki.trust import load_trust
from elicense.verification.pipeline import verify
from elicense.verification.report import CheckStatus, exit_status
from tests.attacks.documents import TYPES
from tests.vectors.generate import VECTORS, instances, load_cases, write

LONGEST = 20.0
"""Seconds that any of the files may keep the verifier busy, on a machine that does other things too."""
CASES = {case.name: case for case in load_cases()}
INSTANCES = instances()
NOT_PASSED = {CheckStatus.FAILED, CheckStatus.INDETERMINATE}
DECIDES = {
    "TOTAL_FAILED": CheckStatus.FAILED,
    "INDETERMINATE": CheckStatus.INDETERMINATE,
    "TOTAL_PASSED": None,
}
EXIT = {"TOTAL_PASSED": 0, "TOTAL_FAILED": 1, "INDETERMINATE": 3}


def test_every_vector_has_its_case() -> None:
    """There is no recipe without a case file and no case file without a recipe."""
    assert set(CASES) == set(VECTORS)


def test_every_licence_type_is_attacked_in_many_ways() -> None:
    """No licence type is spared: at least 25 forgeries are made of each."""
    counts = Counter(subject.partition("+")[0] for _, subject in INSTANCES if subject)
    assert set(counts) == set(TYPES)
    assert min(counts.values()) >= 25


@pytest.mark.parametrize(("name", "subject"), INSTANCES)
def test_vector(name: str, subject: str, sandbox: object) -> None:
    """Verdict, first check that did not pass, check that decides and state in force are as stated, and come in time.

    A check that did not run names one that did not pass.
    """
    case, vector = CASES[name], VECTORS[name](subject)
    begun = time.monotonic()
    report = verify(vector.data, trust=vector.trust, at=vector.at, sandbox=sandbox)
    assert time.monotonic() - begun < LONGEST
    first = next((o.code for o in report.checks[:11] if o.status in NOT_PASSED), None)
    decided = next((o.code for o in report.checks[:11] if o.status is DECIDES[report.indication]), None)
    found = report.indication, report.sub_indication and report.sub_indication.value, first, decided
    reasons = [str(one.reason) for one in report.checks if one.reason]
    assert found == (case.indication, case.sub_indication, case.first_check, case.stopped_by), reasons
    assert report.in_force.state == case.in_force
    not_in_force = case.indication == "TOTAL_PASSED" and case.in_force != "not_known"
    assert exit_status([report]) == (4 if not_in_force else EXIT[case.indication])
    assert (report.licence is not None) == (case.indication == "TOTAL_PASSED")
    statuses = {outcome.code: outcome.status for outcome in report.checks}
    for outcome in report.checks:
        if outcome.status is CheckStatus.NOT_RUN:
            needed = outcome.detail.rpartition("needs ")[2]
            assert statuses[needed] is not CheckStatus.PASSED, (outcome, statuses)


def test_the_written_vectors_stand_alone(tmp_path: Path) -> None:
    """What is written for strangers, file, trust and moment, is all that `test_vector` judges by."""
    assert set(write(tmp_path)) == set(CASES)
    for name in CASES:
        vector = VECTORS[name]()
        register, anchors = tmp_path / f"{name}.trust.json", tmp_path / f"{name}.pem"
        # Whether it is a demonstration's is said to people and decides nothing.
        trust = replace(load_trust(register if register.exists() else anchors), demo=vector.trust.demo)
        at = datetime.fromisoformat(tomllib.loads((tmp_path / f"{name}.toml").read_text("utf-8"))["at"])
        assert (trust, at) == (vector.trust, vector.at), name
        assert (tmp_path / f"{name}.pdf").read_bytes() == vector.data, name
