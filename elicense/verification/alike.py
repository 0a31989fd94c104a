"""Objects that differ from one read before in numbers alone: their names and references are known without reading.

A tagged document has an object for each paragraph, all alike but for the numbers in them: of pages, parents, marks.
Where a number stands for a number, the reader finds the same tokens, names and nesting, and references at the same
places. So the text of an object with a 0 for each of its numbers is looked up; what is known is that a text with the
same zeros was read to its end. It takes 5 us an object, reading 15 (tests/unit/verification/test_alike.py compares).

Numbers are taken for numbers only between the delimiters that make them so in any place but a literal string; objects
with strings are read. The second number of a reference is left as it is: it must be 0.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from elicense.verification.pdf import IndirectObject

LONGEST, _MOST = 1024, 1024
"""Bytes of an object that is looked up, and how many texts are remembered."""
_NUMBER = re.compile(rb"(?<=[ \[])[0-9]{1,10}(?=[ \]/>])(?! R)")
_REFERENCE = re.compile(rb"([0-9]{1,10}) 0 R")
_END = b"\nendobj\n"


class _Known(NamedTuple):
    """What reading an object gave."""

    names: frozenset[str]
    """Every name in it."""
    tokens: int
    """How many tokens it has."""


_KNOWN: dict[bytes, _Known] = {}
"""What was read, by its text with zeros. Whoever fills it with texts of his own slows others down, no more."""


def take(data: bytes, number: int, start: int, end: int) -> tuple[IndirectObject, int] | None:
    """Return the object that is the bytes from `start` to `end`, and its tokens; None unless one like it is known.

    Its value is read when somebody asks for it.
    """
    opening = b"%d 0 obj\n" % number
    body = start + len(opening), end - len(_END)
    if (
        not 0 < body[1] - body[0] <= LONGEST
        or not data.startswith(opening, start)
        or not data.startswith(_END, body[1])
    ):
        return None
    text = data[body[0] : body[1]]
    known = _KNOWN.get(_NUMBER.sub(b"0", text))
    if known is None:
        return None
    references = frozenset(map(int, _REFERENCE.findall(text)))
    return IndirectObject.unread(data, (start, end), body, references, known.names), known.tokens


def keep(data: bytes, found: IndirectObject, tokens: int) -> None:
    """An object that was read, of so many tokens, is known to others like it."""
    start, end = found.body
    text = data[start:end]
    if len(text) > LONGEST or found.stream is not None or b"(" in text:
        return
    if len(_KNOWN) >= _MOST:
        _KNOWN.clear()
    _KNOWN[_NUMBER.sub(b"0", text)] = _Known(found.names, tokens)
