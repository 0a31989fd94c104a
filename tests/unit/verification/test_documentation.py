"""docs/verification.md names every check, every reason and every vector, and nothing that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

from elicense import messages
from elicense.verification.checks import CODES
from elicense.verification.report import SubIndication
from tests.vectors.generate import VECTORS, load_cases

PAGE = (Path(__file__).parents[3] / "docs" / "verification.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([a-z0-9_.-]+)`", PAGE))


def test_every_check_is_documented() -> None:
    """Each check's code stands on the page."""
    assert set(CODES) <= NAMED


def test_every_reason_is_documented() -> None:
    """Reasons on the page and reasons there are, are the same."""
    prefixes = {reason.partition(".")[0] for reason in messages.REASONS}
    found = {name for name in NAMED if "." in name and name.partition(".")[0] in prefixes}
    assert found == set(messages.REASONS)


def attacks() -> dict[str, tuple[set[str], list[str]]]:
    """Return the table of attacks: class -> codes of the checks that stop it, vectors."""
    section = PAGE[PAGE.index("## Attacks and what stops them") :].partition("\n## ")[0]
    rows = [re.fullmatch(r"\| (.+?) \| (.*?) \| (.+) \|", line) for line in section.splitlines()]
    return {
        row[1]: (set(re.findall(r"`([a-z_]+)`", row[2])), re.findall(r"`([a-z0-9-]+)`", row[3]))
        for row in rows
        if row and "`" in row[3]
    }


def test_every_attack_is_documented_with_the_check_that_stops_it() -> None:
    """Class by class the table has exactly the vectors of the case files and exactly the checks that decide them."""
    found: dict[str, tuple[set[str], list[str]]] = {}
    for case in load_cases():
        codes, names = found.setdefault(case.attack, (set(), []))
        names.append(case.name)
        if case.stopped_by:
            codes.add(case.stopped_by)
    assert attacks() == found


def test_every_vector_is_documented() -> None:
    """Each vector stands in the table of attacks, and nothing else that looks like one stands on the page."""
    assert set(VECTORS) <= NAMED
    assert {name for name in NAMED if "-" in name.strip("-")} <= set(VECTORS)


def test_sub_indications_are_real() -> None:
    """Every verdict in the table has a sub-indication that the report knows."""
    found = set(re.findall(r"(?:TOTAL_FAILED|INDETERMINATE) / ([A-Z_]+)", PAGE))
    assert found <= {sub.value for sub in SubIndication}
    assert len(found) > 10
