"""Every attack meets the verdict that its docstring states, on more than one type of licence, in bounded time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from elicense.verification.pipeline import verify
from elicense.verification.sandbox import Sandbox
from tests.attacks import attacks, documents

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 20.0
"""Seconds that any of the files may keep the verifier busy, on a machine that does other things too."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One warm sandbox for all attacks."""
    with Sandbox() as opened:
        opened.warm_up()
        yield opened


@pytest.mark.parametrize("slug", documents.SLUGS)
def test_the_licences_attacked_are_genuine(slug: str, sandbox: Sandbox) -> None:
    """What the attacks start from is authentic."""
    report = verify(documents.licence(slug), trust=documents.trust(), at=documents.AT, sandbox=sandbox)
    report.require_passed()


@pytest.mark.parametrize("slug", documents.SLUGS)
@pytest.mark.parametrize("name", attacks.ATTACKS)
def test_attack(name: str, slug: str, sandbox: Sandbox) -> None:
    """The verdict is the one in the attack's docstring, and comes in time."""
    attack = attacks.ATTACKS[name](slug)
    begun = time.monotonic()
    report = verify(attack.data, trust=attack.trust, at=attack.at, sandbox=sandbox)
    assert time.monotonic() - begun < LONGEST
    verdict = str(report.indication), str(report.sub_indication)
    assert verdict == attacks.expected(name), [str(one.reason) for one in report.checks if one.reason]
