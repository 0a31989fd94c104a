"""What is read in fewer steps is what reading token by token, and every time anew, gives."""

# ruff: noqa: S311 - chance is seeded, for the same bytes each time
from __future__ import annotations

import random
import re

import pytest

from elicense.verification import objects
from elicense.verification.der import DerError, encode
from elicense.verification.foreign_ber import Ber
from elicense.verification.objects import Ambiguous, Budget, HexString, Parsed, read_object, read_value
from elicense.verification.pdf import Violation

CHANCE = random.Random(23)
REFERENCES = (
    b"1 0 R", b"10 0 R", b"9999999999 65535 R", b"2  0 R", b"3\n0\nR", b"4 0\0R", b"5 0 Rx", b"6 0R", b"7 0 %c\nR",
)  # fmt: skip
OTHERS = (
    b"/A", b"/B", b"/A#42", b"/" + b"n" * 40, b"/", b"1", b"-1.5", b"(a\\101)", b"(((", b"()", b"<41>", b"<4>", b"true",
    b"null", b"<<", b">>", b"[", b"]", b"[", b"]", b"%c\n", b"(a\r\nb)", b"(\\(\\))", b"x",
)  # fmt: skip
BLANKS = (b" ", b"\n", b"", b"  ", b"\t", b"\0", b" " * 5, b" " * 70)


def text() -> bytes:
    """Return something like a value: an array of references, or dictionaries, or neither."""
    many = [
        CHANCE.choice(REFERENCES if CHANCE.random() < 0.7 else OTHERS) for _ in range(CHANCE.randint(0, 12))
    ]
    joined = b"".join(one + CHANCE.choice(BLANKS) for one in many)
    frame = CHANCE.choice(((b"[", b"]"), (b"<</K[", b"]>>"), (b"<</K ", b">>"), (b"", b"")))
    return frame[0] + joined + frame[1]


def outcome(data: bytes, tokens: int) -> tuple[object, ...]:
    """Return all that reading a value gives: the value, where it ends, its references and cost, or its violation."""
    references, budget = set(), Budget(tokens, 0, 0)
    try:
        value, end = read_value(data, 0, len(data), references, budget)
    except Violation as violation:
        return (violation.reason,)
    return repr(value), end, references, budget.tokens


def test_references_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand texts give the same value, cost and violation with and without reading references together."""
    texts = [(text(), CHANCE.choice((1_000, 30, 8))) for _ in range(10_000)]
    together = [outcome(*one) for one in texts]
    monkeypatch.setattr(objects, "_REFERENCES", re.compile(rb"(?!)"))
    assert together == [outcome(*one) for one in texts]
    assert {len(one) for one in together} == {1, 4}


def parsed(data: bytes, offset: int, before: Parsed | None) -> tuple[object, ...]:
    """Return an object that was read, and what it cost, or its violation."""
    budget = Budget(200, 0, 0)
    try:
        found = read_object(data, offset, lambda value: value if type(value) is int else None, budget, before)
    except Violation as violation:
        return (violation.reason,)
    return repr(found._replace(plain=False)), budget.tokens


def test_what_stood_there_before() -> None:
    """Thousands of objects are the same read anew and beside an earlier one, whether that was the same or not."""
    same = 0
    for _ in range(4_000):
        first = b"7 0 obj" + CHANCE.choice(BLANKS) + text() + b"\nendobj\n"
        second = first
        if CHANCE.random() < 0.5:
            at = CHANCE.randrange(len(first))
            second = first[:at] + CHANCE.choice((b"", b" ", b"R", b"1", b"]", b">")) + first[at + 1 :]
        data = first + second + CHANCE.choice((b"", b"8 0 obj", b"1 0 R"))
        try:
            before = read_object(data, 0, lambda _: None, Budget(10_000, 0, 0))
        except Violation:
            continue
        assert parsed(data, len(first), before) == parsed(data, len(first), None)
        budget = Budget(10_000, 0, 0)
        same += first == second and read_object(data, len(first), lambda _: None, budget, before).plain
    assert same > 100


@pytest.mark.parametrize("body", [b"<</A<00>>>", b"[<</A 1/A 1>>]", b"7", b"(text)", b"/Name"])
def test_what_depends_on_its_place_is_read_anew(body: bytes) -> None:
    """Strings that know their place, keys given twice, and what its surroundings may lengthen are not taken over."""
    data = b"".join(b"7 0 obj " + body + b" endobj " for _ in range(2))
    budget = Budget(1_000, 0, 0)
    before = read_object(data, 0, lambda _: None, budget)
    found = read_object(data, len(data) // 2, lambda _: None, budget, before)
    assert not found.plain
    value = found.value
    if isinstance(value, dict):
        assert isinstance(value["A"], HexString)
        assert value["A"].span == (len(data) // 2 + 12, len(data) // 2 + 16)
    elif isinstance(value, list):
        assert isinstance(value[0], Ambiguous)


def test_the_cost_of_what_is_taken_over_counts() -> None:
    """Whoever writes an object again and again reaches the limit as soon as if it were read each time."""
    one = b"7 0 obj [" + b"1 " * 50 + b"] endobj "
    data, budget = one * 10, Budget(10 * 52 - 1, 0, 0)
    before = read_object(data, 0, lambda _: None, budget)
    for index in range(1, 9):
        before = read_object(data, index * len(one), lambda _: None, budget, before)
    assert before.plain
    with pytest.raises(Violation, match=r"limit\.complexity"):
        read_object(data, 9 * len(one), lambda _: None, budget, before)


def test_children_are_the_values_one_by_one() -> None:
    """Thousands of buffers, most of them damaged, have the values inside that reading one after the other gives."""
    for _ in range(5_000):
        parts = [
            encode(CHANCE.choice((2, 4, 48, 0x1F)), CHANCE.randbytes(CHANCE.choice((0, 3, 127, 128, 300))))
            for _ in range(4)
        ]
        data = bytearray(encode(48, b"".join(parts)))
        for _ in range(CHANCE.randint(0, 2)):
            data[CHANCE.randrange(4, len(data))] = CHANCE.randrange(256)
        ber = Ber(bytes(data))
        outer = ber.read(0, len(data))
        expected: list[object] | None = []
        position = outer.body
        try:
            while position < outer.end:
                expected.append(Ber(bytes(data)).read(position, outer.end))
                position = expected[-1].end
        except DerError:
            expected = None
        try:
            found = ber.children(outer)
        except DerError:
            found = None
        assert found == expected
