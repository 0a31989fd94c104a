"""Documents as the issuing line makes them: each type passes as it is, and in no altered form."""

from __future__ import annotations

import random
from functools import cache

import pytest

from elicense.issuing import issue
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from elicense.verification.structure import read_structure
from tests.support.demonstration import AT, folder, office, request

SLUGS = sorted(kind.slug for kind in office().catalogue.types)


@cache
def document(slug: str) -> bytes:
    """Return the sample licence of a type, issued."""
    return issue(request(slug), office(), at=AT).pdf


def altered(data: bytes) -> dict[str, bytes]:
    """Return a document altered in the ways that need no key."""
    swap = data.replace("样例".encode(), "示例".encode(), 1)
    assert swap != data
    gaps = [one.gap for one in read_structure(data).candidates]
    start, end = gaps[0]
    changed = {
        "appended": data + b" ",
        "update": data + data[data.rindex(b"xref\n0 ") :],
        "cut": data[:-7],
        "half": data[: len(data) // 2],
        "junk before": b" " + data,
        "data swapped": swap,
        "capitals": data[:start] + data[start:end].upper() + data[end:],
        "wiped": data[: start + 1] + b"0" * (end - start - 2) + data[end - 1 :],
        "doubled": data + data,
    }
    chance = random.Random(len(data))  # noqa: S311 - seeded, for the same bits each time
    for turn in range(25):
        position = chance.randrange(len(data))
        if not any(first <= position < last for first, last in gaps):
            flipped = bytearray(data)
            flipped[position] ^= 1 << chance.randrange(8)
            changed[f"bit {turn} at {position}"] = bytes(flipped)
    return changed


@pytest.mark.parametrize("slug", SLUGS)
def test_an_issued_document_passes(slug: str, sandbox: object) -> None:
    """Offline and with the demonstration's trust register, what was issued is TOTAL_PASSED."""
    report = verify(document(slug), trust=office().trust, at=AT, sandbox=sandbox)
    assert report.indication is Indication.TOTAL_PASSED, report.checks
    assert report.signatures[0].seal is not None
    assert report.licence is not None


@pytest.mark.parametrize("slug", SLUGS)
def test_no_altered_document_passes(slug: str, in_process: object) -> None:
    """Everything done to it outside the gap, or to the gap's form, is TOTAL_FAILED."""
    for name, data in altered(document(slug)).items():
        report = verify(data, trust=office().trust, at=AT, sandbox=in_process)
        assert report.indication is Indication.TOTAL_FAILED, (name, report.checks)


def test_the_demonstrations_trust_is_marked() -> None:
    """Whoever verifies with it is told that it proves nothing outside the demonstration."""
    assert office().trust.demo
    assert folder().exists()
