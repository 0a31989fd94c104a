"""The one register of verification vectors: how each is made, and what its case file says must come out.

A recipe makes a vector from nothing, or forges a subject: one of our own sealed documents, named by its licence
type and, behind a `+`, what became of it (`+B-T`, `+LT`, `+LTA`). The case file is the same for all subjects.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.pki import AT

if TYPE_CHECKING:
    from collections.abc import Callable

    from elicense.pki.trust import TrustStore

CASES = Path(__file__).parent / "cases"
NOW = AT + timedelta(days=8)
"""When a vector is verified, unless it says otherwise."""


@dataclass(frozen=True)
class Vector:
    """One file and the circumstances of its verification."""

    data: bytes
    trust: TrustStore
    at: datetime = NOW


@dataclass(frozen=True)
class Case:
    """What a case file says."""

    name: str
    title: str
    """What the file is, in one sentence."""
    attack: str
    """Class of the attack, a row of the table in docs/verification.md."""
    stopped_by: str | None
    """Code of the check that decides the verdict; None if the file is authentic."""
    indication: str
    sub_indication: str | None
    first_check: str | None
    """Code of the first check that did not pass; None if all passed."""
    in_force: str = "not_known"
    passes_general: bool = False
    """Whether it is authentic under the policy general: its signer signed it so, or nothing that shows was changed."""


@dataclass(frozen=True)
class Recipe:
    """How a vector is made."""

    name: str
    make: Callable[..., Vector]
    subjects: tuple[str, ...]
    """What it forges; empty if it makes its own document."""

    def __call__(self, subject: str = "") -> Vector:
        """Return the vector, made once for each subject; without a subject that of the first."""
        if not self.subjects:
            return self.make()
        return self.make(subject or self.subjects[0])


VECTORS: dict[str, Recipe] = {}


def vector(make: Callable[[], Vector]) -> Callable[[], Vector]:
    """Register a vector under its function's name, with hyphens."""
    return _register(make, ())


def forgery(*subjects: str) -> Callable[[Callable[[str], Vector]], Callable[[str], Vector]]:
    """Register a forgery of each of these subjects under its function's name, with hyphens."""
    return lambda make: _register(make, subjects)


def _register(make: Callable[..., Vector], subjects: tuple[str, ...]) -> Callable[..., Vector]:
    name = make.__name__.replace("_", "-")
    assert name not in VECTORS, name
    made_once = cache(make)
    VECTORS[name] = Recipe(name, made_once, subjects)
    return made_once


def load_case(path: Path) -> Case:
    """Return the case that a file describes."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    expect = content["expect"]
    return Case(
        path.stem,
        content["title"],
        content["attack"],
        content.get("stopped_by"),
        expect["indication"],
        expect.get("sub_indication"),
        expect.get("first_check"),
        expect.get("in_force", "not_known"),
        expect.get("general") == "TOTAL_PASSED",
    )


def load_cases() -> list[Case]:
    """Return all cases by name."""
    return [load_case(path) for path in sorted(CASES.glob("*.toml"))]


def instances() -> list[tuple[str, str]]:
    """Return every vector there is: recipe's name and subject, "" without one."""
    return [(name, subject) for name in sorted(VECTORS) for subject in VECTORS[name].subjects or ("",)]
