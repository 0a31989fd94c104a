"""One sandbox for all tests of a process, and a reader without one for the tests that run thousands of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from elicense.verification.sandbox import Sandbox
from tests.support.paths import Remembering

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with one worker."""
    with Sandbox() as opened:
        yield opened


@pytest.fixture(scope="session")
def in_process() -> Remembering:
    """A reader without limits."""
    return Remembering()
