"""Which values of an object may differ between two files of one shape, and how each must be written.

A value is named by the keys that lead to it. Beside each stands why no check of structure.py asks for it. Its grammar
is narrower than the reader's, so that the reader takes whatever fits for one token of the same kind, or for an array
of numbers: no name that is forbidden or counted, no reference and no escape can stand in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from elicense.verification.pdf import TOKEN, read_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elicense.verification.pdf import IndirectObject

NUMBER = rb"[0-9]{1,10}"
LENGTH = rb"([0-9]{1,10})"
MOMENT = rb"\(D:[0-9]{14}Z\)"
TEXT = rb"(?:\([^\\()]*+\)|<[0-9A-Fa-f]*+>)"
_WIDTH = rb"[0-9]{1,5}(?:\.[0-9]{1,5})?+"
_ARRAY = rb"\[%b(?: %b)*+\]" % (_WIDTH, _WIDTH)
WIDTHS = rb"\[%b(?:(?: |(?<=\]))%b| ?%b)*+\]" % (_WIDTH, _WIDTH, _ARRAY)
"""A space between two numbers, always: 12 and 5 without it would be 125. Beside a bracket none is needed."""
TAG = rb"/[A-Z]{6}\+"
"""Of the name of a font that is a subset; the rest of the name stays as it is, so it is none that is looked for."""

Leaves = dict[tuple[str, ...], bytes]
"""Keys that lead to a value -> how it must be written."""

STREAM: Leaves = {
    # Where the data end; Shape.match demands that `endstream` and the next object stand there.
    ("Length",): LENGTH,
    # For whoever inflates a font; nobody here does.
    ("Length1",): NUMBER,
}
ATTACHMENT: Leaves = STREAM | {
    # Size and date of a file are said to people; its bytes are read by Length.
    ("Params", "Size"): NUMBER,
    ("Params", "ModDate"): MOMENT,
}
FONT: Leaves = {
    # The letters of the subset and the widths of its glyphs; what is drawn is told by ToUnicode.
    ("BaseFont",): TAG,
    ("W",): WIDTHS,
}
DESCRIPTOR: Leaves = {("FontName",): TAG}
# What programs show in a file's properties. docs/format.md, "Metadata": it is not compared with anything.
INFORMATION: Leaves = {
    (key,): TEXT for key in ("Title", "Author", "Subject", "Keywords", "CreationDate", "ModDate")
}


class Value(NamedTuple):
    """One value in an object's dictionaries: a scalar, or an array without dictionaries."""

    keys: tuple[str, ...]
    """The keys that lead to it."""
    start: int
    """Offset of its first byte."""
    end: int
    """Offset behind its last byte."""


@dataclass(slots=True)
class _Open:
    """A dictionary or array while it is read."""

    start: int
    dictionary: bool
    key: str | None = None
    flat: bool = True


def values_of(data: bytes, found: IndirectObject) -> Iterator[Value]:
    """Yield the values in the dictionaries of an object that was read before, in the order of the file."""
    position, end = found.body
    stack: list[_Open] = []
    while token := TOKEN.match(data, position, end):
        position = token.end()
        start = position - len(token[0].lstrip(b"\x00\t\n\x0c\r "))
        if token.lastgroup == "open":
            stack.append(_Open(start, token["open"] == b"<<"))
            continue
        if token.lastgroup == "close":
            closed = stack.pop()
            whole = closed.flat and not closed.dictionary
            start = closed.start
        else:
            whole = True
        if not stack:
            return
        top = stack[-1]
        if not whole:
            top.flat = False
        if not top.dictionary:
            continue
        if top.key is None:
            top.key = read_name(token["name"])
            continue
        if whole:
            yield Value(tuple(one.key or "" for one in stack if one.dictionary), start, position)
        top.key = None


def leaves_of(found: IndirectObject, *, information: bool) -> Leaves:
    """Return keys -> grammar of the values of an object that may differ."""
    value = found.value if isinstance(found.value, dict) else {}
    kind = value.get("Type")
    if found.stream is not None:
        return ATTACHMENT if kind == "EmbeddedFile" else STREAM
    if information:
        return INFORMATION
    return {"Font": FONT, "FontDescriptor": DESCRIPTOR}.get(str(kind), {})


def pattern_of(data: bytes, start: int, end: int, found: IndirectObject, leaves: Leaves) -> bytes:
    """Return the expression for the bytes of an object from `start` to `end`: fixed but for these leaves of it."""
    parts = []
    position = start
    for value in values_of(data, found):
        grammar, text = leaves.get(value.keys), data[value.start : value.end]
        if grammar is TAG and re.match(TAG, text):
            grammar += re.escape(text[len("/ABCDEF+") :])
        if grammar is not None and start <= value.start and value.end <= end and re.fullmatch(grammar, text):
            parts += [re.escape(data[position : value.start]), grammar]
            position = value.end
    return b"".join([*parts, re.escape(data[position:end])])
