"""The frame of a file of ours: header, last lines, and one cross-reference section for each revision, oldest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from elicense.verification.pdf import Inventory, Violation, read_value
from elicense.verification.scan import DECLARED, MOST_RANGES

if TYPE_CHECKING:
    from elicense.verification.pdf import Value

MAX_OBJECTS = 100_000
"""Objects all revisions together may declare; our largest documents have some thousands."""
MAX_REVISIONS = 256
"""Revisions of one file: some seals, then two for each renewal of the archive's proof."""

HEADER = re.compile(rb"%PDF-1\.7\n(?:%[\x80-\xff]{4,}\n)?")
SPACE = re.compile(rb"[\t\n\r ]*")
_LAST_LINES = rb"startxref\n(0|[1-9][0-9]{0,9})\n%%EOF\n"
_TAIL = re.compile(_LAST_LINES + rb"\Z")
_END = re.compile(_LAST_LINES)
_ANY_END = re.compile(rb"startxref\s+[0-9]+\s+%%EOF")
_ENTRIES = re.compile(rb"(?:[0-9]{10} 00000 n(?: |\r)\n)*+")
_LINE_ENDS = (b" \n", b"\r\n")
_RUN = re.compile(rb"(0|[1-9][0-9]{0,6}) ([1-9][0-9]{0,6})\n")
_ENCRYPT = re.compile(rb"/Encrypt(?:[ \n\r]+[0-9]{1,10}[ \n\r]+[0-9]{1,5}[ \n\r]+R|[ \n\r]*<<)")


@dataclass(frozen=True, slots=True)
class Section:
    """One revision's cross-reference section and where the revision lies; offsets in bytes from the file's start."""

    start: int
    """First byte of the revision: where the one before ends."""
    xref: int
    """Of the word `xref`."""
    end: int
    """Behind the revision's `%%EOF` line."""
    offsets: tuple[tuple[int, int], ...]
    """(offset, number) of each object in it."""
    whole: bool
    """Whether the table is one run from number 0, as only a first revision's is."""
    trailer_at: int
    """Of the word `trailer`."""
    trailer: dict[str, Value]
    """The trailer's entries."""

    @property
    def prev(self) -> Value:
        """Return the offset of the section before, None in the first revision."""
        return self.trailer.get("Prev")


def read_sections(data: bytes, met: Inventory) -> tuple[Section, ...]:
    """Return the sections of all revisions, oldest first.

    Raises Violation: format.empty, format.not_pdf, format.leading_bytes, format.cut, format.after_end,
    format.encrypted, format.layout, changes.revision or limit.complexity.
    """
    if not data:
        raise Violation("format.empty")
    at = data.find(b"%PDF-", 0, 1024)
    if at < 0:
        raise Violation("format.not_pdf")
    if at > 0:
        raise Violation("format.leading_bytes", 0)
    tail = _TAIL.search(data, max(0, len(data) - 64))
    if not tail or not HEADER.match(data):
        raise _damage(data, tail is not None)
    try:
        return _chain(data, int(tail[1]), met)
    except Violation as violation:
        if not violation.reason.startswith("limit.") and (end := _extended(_ranges(data), data)):
            raise Violation("changes.revision", end, "another program's revision") from violation
        raise


def _ranges(data: bytes) -> list[tuple[int, ...]]:
    """Return the byte ranges that the bytes show."""
    return [tuple(map(int, match.groups())) for match in islice(DECLARED.finditer(data), MOST_RANGES)]


def _extended(ranges: list[tuple[int, ...]], data: bytes) -> int:
    """Return where a signed revision ends, with its last lines, that bytes were added to; 0 if there is none."""
    end = max((end + rest for _, _, end, rest in ranges if end + rest < len(data)), default=0)
    return end if end and _TAIL.search(data[max(0, end - 64) : end]) else 0


def _damage(data: bytes, has_tail: bool) -> Violation:
    """Return what is wrong with a file that does not begin or end as ours do."""
    ranges = _ranges(data)
    # In a file that has its end, such words may be a value that somebody typed into an honest licence.
    if not has_tail and any(
        end + rest > len(data) > start and data[start] == 0x3C for _, start, end, rest in ranges
    ):
        return Violation("format.cut", len(data), "the file is shorter than its signature says")
    if not has_tail and not _ANY_END.search(data):
        return Violation("format.cut", len(data), "the file has no end")
    extended = _extended(ranges, data)
    if extended and not has_tail:
        return Violation("format.after_end", extended)
    encrypted = _ENCRYPT.search(data) is not None
    return Violation("format.encrypted" if encrypted else "format.layout", None, "header or last lines")


def _chain(data: bytes, newest: int, met: Inventory) -> tuple[Section, ...]:
    """Return the sections from the first revision's to the newest, which the file's last lines name."""
    found: list[Section] = []
    xref, end, left = newest, len(data), MAX_OBJECTS
    while True:
        section = _section(data, xref, end, met, left)
        found.append(section)
        left -= len(section.offsets)
        if section.prev is None:
            break
        if len(found) == MAX_REVISIONS:
            raise Violation("limit.complexity", xref, "revisions")
        if type(section.prev) is not int or not 0 < section.prev < xref:
            raise Violation("format.layout", section.trailer_at, "the trailer's Prev")
        xref, end = section.prev, 0
    starts = [0, *(section.end for section in reversed(found[1:]))]
    placed = tuple(
        Section(start, one.xref, one.end, one.offsets, one.whole, one.trailer_at, one.trailer)
        for start, one in zip(starts, reversed(found), strict=True)
    )
    if any(one.xref < one.start for one in placed):
        raise Violation("format.layout", None, "cross-reference sections out of order")
    return placed


def _section(data: bytes, xref: int, end: int, met: Inventory, most: int) -> Section:
    """Return the section at `xref`, of at most so many objects, its revision ending at `end`.

    An `end` of 0 is wherever its last lines end.
    """
    if not data.startswith(b"xref\n", xref):
        raise Violation("format.layout", xref, "no cross-reference table")
    offsets: list[tuple[int, int]] = []
    position, runs = xref + 5, 0
    while run := _RUN.match(data, position):
        first, count = int(run[1]), int(run[2])
        runs += 1
        if len(offsets) + count > most + 1:
            raise Violation("limit.complexity", position, "objects")
        offsets += _entries(data, run.end(), first, count, runs)
        position = run.end() + 20 * count
    if not data.startswith(b"trailer\n", position):
        raise Violation("format.layout", position, "no trailer")
    trailer, behind = read_value(data, position + 8, len(data), met)
    if not isinstance(trailer, dict):
        raise Violation("format.layout", position, "trailer")
    last = _END.match(data, skip(data, behind))
    if last is None or int(last[1]) != xref or (end and last.end() != end):
        raise Violation("format.layout", behind, "bytes behind the trailer")
    whole = runs == 1 and data.startswith(b"0 ", xref + 5)
    return Section(0, xref, last.end(), tuple(offsets), whole, position, trailer)


def _entries(data: bytes, start: int, first: int, count: int, run: int) -> list[tuple[int, int]]:
    """Return (offset, number) of each object of one run; all but number 0 are in use."""
    if start + 20 * count > len(data):
        raise Violation("format.layout", start, "cross-reference table too long")
    free = first == 0
    if free and (run != 1 or data[start : start + 18] != b"0000000000 65535 f"):
        raise Violation("format.layout", start, "first entry")
    table = data[start : start + 20 * count]
    if not _ENTRIES.fullmatch(table, 20 * free):
        wrong = next(
            at for at in range(20 * free, len(table), 20) if not _ENTRIES.fullmatch(table[at : at + 20])
        )
        raise Violation("format.layout", start + wrong, "cross-reference entry")
    if free and table[18:20] not in _LINE_ENDS:
        raise Violation("format.layout", start, "cross-reference line ends")
    places = range(20 * free, len(table), 20)
    return [(int(table[at : at + 10]), number) for number, at in enumerate(places, first + free)]


def skip(data: bytes, position: int) -> int:
    """Return the offset behind the white space at `position`."""
    match = SPACE.match(data, position)
    return match.end() if match else position
