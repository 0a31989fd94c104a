"""One sandbox for all tests of a process, and a reader without one for the tests that run thousands of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from elicense.verification.document import read_facts
from elicense.verification.sandbox import Sandbox
from elicense.verification.structure import read_structure

if TYPE_CHECKING:
    from collections.abc import Iterator


class InProcess:
    """Reads documents in the test's own process."""

    def read(self, data: bytes, trust: object, at: object, *, policy: str = "licence") -> object:
        """Return the facts."""
        return read_facts(data, read_structure(data), trust, at, policy=policy)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with one worker."""
    with Sandbox() as opened:
        yield opened


@pytest.fixture(scope="session")
def in_process() -> InProcess:
    """A reader without limits."""
    return InProcess()
