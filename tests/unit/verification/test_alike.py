"""Objects that differ in numbers alone: taken without reading, and exactly what reading them gives."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elicense.verification import alike
from elicense.verification.pdf import IndirectObject, Inventory, Violation, read_value
from elicense.verification.structure import read_structure
from tests.attacks import documents

BODIES = [
    b"<</Type/StructElem/S/P/P 8 0 R/Pg 11 0 R/K[0 1 2]>>",
    b"<</Type/StructElem/S/Form/P 8 0 R/Pg 11 0 R/K[<</Type/OBJR/Obj 7 0 R/Pg 11 0 R>>]>>",
    b"<</Nums[0[17 0 R 18 0 R null 19 0 R] 1 33 0 R]>>",
    b"<</Kids[11 0 R 12 0 R]/Count 2>>",
    b"<</Rect[603.78 70.866 722 189.921]/F 132/V true>>",
    b"[1 2 3]",
]
PIECES = [
    b"0", b"12", b"5 0 R", b"5 1 R", b" ", b"  ", b"\n", b"[", b"]", b"<<", b">>", b"/A", b"/A#41", b"(5)", b"<05>",
    b"R", b".", b"-", b"+3", b"1234567890123", b"00", b"true", b"\nendobj\n", b"1.5", b"/7",
]  # fmt: skip


def read(body: bytes, number: int = 4) -> tuple[bytes, IndirectObject, int] | None:
    """Return an object's bytes, the object and its tokens, read one by one; None if that is no object."""
    data = b"%d 0 obj\n%s\nendobj\n" % (number, body)
    met = Inventory(10_000)
    start = len(b"%d 0 obj\n" % number)
    try:
        value, end = read_value(data, start, len(data), met)
    except Violation:
        return None
    if data[end:] != b"\nendobj\n":
        return None
    sets = {"references": frozenset(met.references), "names": frozenset(met.names)}
    return (
        data,
        IndirectObject(value, 0, len(data), body=(start, end), stream=None, **sets),
        10_000 - met.tokens,
    )


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with a memory of its own."""
    monkeypatch.setattr(alike, "_KNOWN", {})


def changed(body: bytes, chance: random.Random) -> bytes:
    """Return a body with a few pieces of it others."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(body) + 1)
        body = body[:at] + chance.choice((b"", *PIECES)) + body[at + chance.choice((0, 1, 2, 3)) :]
    return body


@settings(max_examples=4000, deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_is_taken_is_what_reading_gives(chance: random.Random) -> None:
    """Of two objects, one a damaged other, whichever is known: the other is taken as it is read, or not at all."""
    alike._KNOWN.clear()
    one = changed(chance.choice(BODIES), chance)
    two = changed(one, chance)
    for body in (one, two):
        data = b"4 0 obj\n%s\nendobj\n" % body
        expected = read(body)
        taken = alike.take(data, 4, 0, len(data))
        if taken is not None:
            assert expected is not None
            assert taken == expected[1:]
        if expected is not None:
            alike.keep(data, *expected[1:])


@pytest.mark.parametrize("body", BODIES)
def test_other_numbers_are_taken(body: bytes) -> None:
    """An object whose numbers alone are others needs no reading, so the test above compares something."""
    data, found, tokens = read(body) or pytest.fail("no object")
    alike.keep(data, found, tokens)
    other = body.replace(b"0 R", b"0R").replace(b"1", b"77").replace(b"2", b"901").replace(b"0R", b"0 R")
    data, expected, tokens = read(other, 999) or pytest.fail("no object")
    assert (alike.take(data, 999, 0, len(data)) == (expected, tokens)) is (b"." not in body)


def test_another_place_or_number_is_none() -> None:
    """An object is taken only where it stands whole, under its own number, and only while it is short."""
    data, found, tokens = read(BODIES[0]) or pytest.fail("no object")
    alike.keep(data, found, tokens)
    assert alike.take(data, 4, 0, len(data)) is not None
    assert alike.take(data, 5, 0, len(data)) is None
    assert alike.take(data, 4, 0, len(data) - 1) is None
    assert alike.take(data + data, 4, 0, 2 * len(data)) is None
    assert alike.take(data, 4, 1, len(data)) is None
    assert alike.take(b"4 0 obj\n\nendobj\n", 4, 0, 16) is None
    long = b"[%s]" % b" ".join([b"1"] * alike.LONGEST)
    data, found, tokens = read(long) or pytest.fail("no object")
    alike.keep(data, found, tokens)
    assert alike.take(data, 4, 0, len(data)) is None


def test_memory_is_bounded() -> None:
    """However many kinds of objects come by, so many are remembered and no more."""
    for count in range(3 * alike._MOST):
        data, found, tokens = read(b"<</N%d 1>>" % count) or pytest.fail("no object")
        alike.keep(data, found, tokens)
        assert len(alike._KNOWN) <= alike._MOST


@pytest.mark.parametrize("subject", documents.TYPES)
def test_real_documents_are_read_the_same(subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The objects of a document are the same with everything in it known and with nothing."""
    data = documents.licence(subject)
    read_structure(data)
    known = read_structure(data)
    monkeypatch.setattr(alike, "take", lambda *_: None)
    assert read_structure(data) == known
