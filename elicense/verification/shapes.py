"""The shape of what follows a constant prefix: every byte fixed but for leaves on which no structural check depends.

A licence of ours is its template's prefix and, behind it, some objects with their streams, a cross-reference table
and a trailer. Whatever structure.py asks of them it asks of their syntax, their names, their references, a few values,
and where they stand. A file that has all these, byte for byte, from a file found flawless before, is flawless too.
What may differ is asked by no check (leaves.py says why), or is looked at again here:

    Length              `endstream` and the next object must stand where the data end
    offsets, startxref  the table is written anew from where the objects were found, and compared
    ByteRange           its numbers must be where the Contents stand and what is left of this very file
    Contents            as long as before; whether it is one DER value in lower-case digits, cms_forms.py says
    M, ID               read here; compared with licence.json later

Plan of `Shape.match`:

1. One expression for all bytes from the end of one stream's data to the beginning of the next one's. It begins where
   the one before, or that stream's data, ended; one of them ends where the seal's Contents begin.
2. Behind the last object the rest of the file is compared with what it must be. So no byte is left over.

What does not match is no finding: structure.py reads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from elicense.verification.leaves import leaves_of, pattern_of
from elicense.verification.printed import attachment_number, inflate, is_deflated, page_plans, read_pages
from elicense.verification.ranges import read_claimed_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from elicense.verification.leaves import Leaves
    from elicense.verification.pdf import IndirectObject
    from elicense.verification.printed import PagePlan
    from elicense.verification.scan import ByteRange
    from elicense.verification.structure import Structure

LONGEST_FILE = 1_500_000
"""Bytes; structure.py reads more tokens than that before it gives up, so its limit cannot be met."""
LARGEST_STREAM, MOST_PAGES = 1024 * 1024, 64
"""Bytes that a stream may inflate to, and pages, where no worker's limits are around the reading."""
MOST_OBJECTS = 48
"""Objects behind the prefix. Documents with more have running text, and hardly two of them the same shape."""
_CLAIMED = rb"\((?P<claimed>D:[0-9]{14}Z)\)"
_RANGE = rb"\[0 (?P<start>[0-9]{10}) (?P<end>[0-9]{10}) (?P<rest>[0-9]{10})\]"
_DOCUMENT_ID = re.compile(rb"[0-9a-f]{32}")
_LINE = b"%010d 00000 n \n"
_TRAILER = re.compile(rb"(trailer\n<<[^%]*/ID\[<)([0-9a-f]{32})(><)\2(>\]>>\nstartxref\n)[0-9]+\n%%EOF\n")


class Segment(NamedTuple):
    """The bytes between the data of two streams."""

    pattern: re.Pattern[bytes]
    """Its first groups are empty: where objects begin. Its last one is the length of the data behind it."""
    objects: int
    """How many objects begin in it."""
    stream: int
    """Object number of the stream whose data follow; 0 if none follow."""
    skip: int
    """Digits in the seal's Contents, which follow one of the segments; else 0."""


class StreamPlace(NamedTuple):
    """A stream that is read."""

    span: tuple[int, int] | None
    """Where its data are, if in the prefix."""
    deflated: bool
    """Whether they are deflated, not plain."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What follows a prefix."""

    start: int
    """Length of the prefix in bytes."""
    segments: tuple[Segment, ...]
    """In the order of the file."""
    table: bytes
    """All bytes behind the last object, with %-places: offsets, twice the document id, the table's own offset."""
    by_number: Callable[[list[int]], tuple[int, ...]]
    """Puts the offsets of the objects behind the prefix in the order of their numbers."""
    identifier_at: int
    """Where behind the last object the document id stands."""
    field: str
    """Name of the seal's field."""
    root: int
    """Object number of the catalogue."""
    attachment: int
    """Object number of licence.json."""
    pages: tuple[PagePlan, ...]
    """Where the pages' text is."""
    streams: Mapping[int, StreamPlace]
    """The streams that these need."""

    def match(self, data: bytes) -> Located | None:
        """Return where the parts of a file of this shape are, None for every other file.

        The caller has compared the prefix, and looks at the Contents.
        """
        position, byte_range, claimed = self.start, (0, 0, 0, 0), b""
        offsets: list[int] = []
        spans: dict[int, tuple[int, int]] = {}
        for pattern, objects, stream, skip in self.segments:
            found = pattern.match(data, position)
            if found is None:
                return None
            position = found.end()
            offsets += [start for start, _ in found.regs[1 : objects + 1]]
            if stream:
                start, position = position, position + int(found[objects + 1])
                spans[stream] = start, position
            elif skip:
                claimed, stated = found["claimed"], found.group("start", "end", "rest")
                byte_range = 0, position - 1, position + skip + 1, len(data) - position - skip - 1
                if tuple(map(int, stated)) != byte_range[1:]:
                    return None
                position += skip
        at = position + self.identifier_at
        identifier = data[at : at + 32]
        if not _DOCUMENT_ID.fullmatch(identifier) or data[position:] != self.table % (
            *self.by_number(offsets),
            identifier,
            identifier,
            position,
        ):
            return None
        moment = read_claimed_time(claimed.decode("ascii"))
        return Located(data, self, spans, byte_range, identifier.decode("ascii"), moment)


@dataclass(frozen=True, slots=True)
class Located:
    """A file of a known shape, and where its parts are."""

    data: bytes = field(repr=False)
    """The whole file."""
    shape: Shape
    """Its shape."""
    spans: Mapping[int, tuple[int, int]]
    """Object number -> where the data of a stream behind the prefix are."""
    byte_range: ByteRange
    """The seal's."""
    document_id: str
    """First part of the trailer's /ID."""
    claimed_time: datetime | None
    """`/M`, UTC."""

    def attachment(self) -> bytes:
        """Return the embedded licence.json. Raises ContentError."""
        return self._stream(self.shape.attachment)

    def pages(self) -> list[dict[int, str]]:
        """Return, for each page, MCID -> text of its last content stream. Raises ContentError."""
        return read_pages(self.shape.pages, self._stream)

    def _stream(self, number: int) -> bytes:
        place = self.shape.streams[number]
        start, end = place.span or self.spans[number]
        raw = self.data[start:end]
        return inflate(raw, LARGEST_STREAM) if place.deflated else raw


def learn_shape(data: bytes, structure: Structure, start: int) -> Shape | None:
    """Return the shape of a file with one seal, None if it has none that could recur.

    Args:
        data: the file.
        structure: what structure.py found, and no finding.
        start: length of the prefix.

    Raises ContentError if its pages cannot be read.
    """
    behind = sorted(
        (number for number, one in structure.objects.items() if one.start >= start),
        key=lambda number: structure.objects[number].start,
    )
    state = structure.extensible
    several = state is None or state.prepared or len(structure.revisions) != 1
    if state is None or several or len(behind) < 2 or len(data) > LONGEST_FILE:
        return None
    xref, seal = state.tail.xref, structure.candidates[0]
    trailer = _TRAILER.fullmatch(data, data.index(b"trailer\n", xref))
    segments = _segments(data, structure, behind, state.tail.info)
    named = [one.pattern.groupindex.keys() for one in segments if one.skip]
    if trailer is None or named != [{"claimed", "start", "end", "rest"}]:
        return None
    attachment, pages = attachment_number(structure), page_plans(structure, MOST_PAGES)
    read = {attachment, *(page.content for page in pages), *(n for page in pages for _, n in page.fonts)}
    shape = Shape(
        start,
        segments,
        _lines(data, xref, trailer.start(), behind) + trailer.expand(rb"\1%s\3%s\4%d\n%%%%EOF\n"),
        itemgetter(*(behind.index(number) for number in sorted(behind))),
        trailer.start(2) - xref,
        seal.field,
        structure.root,
        attachment,
        pages,
        {number: _place(structure.objects[number], start) for number in read},
    )
    return shape if shape.match(data) else None


def _lines(data: bytes, xref: int, end: int, behind: list[int]) -> bytes:
    """Return the cross-reference table with a %-place for the offset of each object behind the prefix."""
    first = data.index(b"0000000000 65535 f", xref)
    lines = [data[at : at + len(_LINE % 0)] for at in range(first, end, len(_LINE % 0))]
    for number in behind:
        lines[number] = _LINE
    return data[xref:first] + b"".join(lines)


def _place(found: IndirectObject, start: int) -> StreamPlace:
    assert isinstance(found.value, dict), "a stream that is read has a dictionary"
    return StreamPlace(found.stream if found.start < start else None, is_deflated(found.value))


def _segments(data: bytes, structure: Structure, behind: list[int], information: int) -> tuple[Segment, ...]:
    """Return the segments of the objects behind the prefix, which stand in this order."""
    gap = structure.candidates[0].gap
    made: list[Segment] = []
    parts: list[bytes] = []
    objects = 0
    for number in behind:
        found = structure.objects[number]
        parts.append(b"()")
        objects += 1
        start, end = found.start, found.stream[0] if found.stream else found.end
        leaves = leaves_of(found, information=number == information)
        if start < gap[0] < end:
            seal: Leaves = {("M",): _CLAIMED, ("ByteRange",): _RANGE}
            # The brackets of the Contents belong to what must be the same.
            inside, behind_it = gap[0] + 1, gap[1] - 1
            parts.append(pattern_of(data, start, inside, found, seal))
            made.append(Segment(re.compile(b"".join(parts), re.DOTALL), objects, 0, behind_it - inside))
            parts, objects, start, leaves = [], 0, behind_it, {}
        parts.append(pattern_of(data, start, end, found, leaves))
        if found.stream:
            made.append(Segment(re.compile(b"".join(parts), re.DOTALL), objects, number, 0))
            parts, objects = [re.escape(data[found.stream[1] : found.end])], 0
    made.append(Segment(re.compile(b"".join(parts), re.DOTALL), objects, 0, 0))
    return tuple(made)
