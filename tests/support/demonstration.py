"""One demonstration folder shared by all tests of a process, and offices on it with fresh registers."""

from __future__ import annotations

import atexit
import hashlib
import itertools
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from elicense import demo
from elicense.registry.memory import MemoryRegistry, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from elicense.issuing import IssuingOffice
    from elicense.model import IssueRequest

AT = datetime(2026, 3, 8, 4, 0, tzinfo=UTC)
"""Noon in Beijing on the day the demonstration was made."""
SLUG = "food-business-licence"
"""The type most tests issue."""


@cache
def folder() -> Path:
    """Return the folder of a demonstration made at AT; it is gone when the process ends."""
    home = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    demo.build(home / "demo", at=AT)
    return home / "demo"


@cache
def _loaded() -> IssuingOffice:
    return demo.load(folder())


def entropy() -> Callable[[int], bytes]:
    """Return a source of bytes that gives the same sequence each time it is made."""
    numbers = itertools.count()
    return lambda n: hashlib.sha512(f"entropy {next(numbers)}".encode()).digest()[:n]


def office(**changes: object) -> IssuingOffice:
    """Return the demonstration's office with an empty register and store in memory, and with `changes`."""
    fresh = {"registry": MemoryRegistry(entropy=entropy()), "store": MemoryStore()}
    return replace(_loaded(), **{**fresh, **changes})


def request(slug: str = SLUG, **changes: object) -> IssueRequest:
    """Return the sample request of a type with some of its values changed."""
    return replace(_loaded().catalogue[slug].sample_request(), **changes)


def request_with(**fields: object) -> IssueRequest:
    """Return the sample request with some of its fields changed; None leaves one out."""
    sample = request()
    values = {**sample.fields, **fields}
    return replace(sample, fields={name: value for name, value in values.items() if value is not None})
