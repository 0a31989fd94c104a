"""Where the name ByteRange stands in the bytes of a file, however it is spelled: whatever claims to be a signature.

What stands in the data of a stream is data: the large streams of a file (attachments, pictures, fonts) are not looked
through, which spares a file of 100 MB 0.1 s of 0.3.
"""

from __future__ import annotations

import re
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from elicense.verification.objects import Budget, read_object
from elicense.verification.pdf import Reference, Violation
from elicense.verification.scan import MOST_RANGES, spelled
from elicense.verification.xref import PLAIN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from elicense.verification.handing import Octets
    from elicense.verification.objects import Object
    from elicense.verification.xref import Section, View

LARGE = 64 * 1024
"""Bytes of a stream from which on reading its dictionary is quicker than searching its data."""
_MOST_TOKENS = 200_000
"""Tokens of the dictionaries of all these streams: reading so many takes as long as searching some 100 MB."""
_PIECE = 4 * 1024 * 1024
"""Bytes that are searched at a time."""
_PLAIN = re.compile(rb"/ByteRange")
_SPELLED = re.compile(b"/" + spelled("ByteRange"))
_ESCAPED = re.compile(rb"/[ByteRange]{0,8}#")
_LONGEST = len("/") + 3 * len("ByteRange")

Span = tuple[int, int]
"""Offsets of a first byte and behind a last one."""


def list_places(chain: Iterable[Section]) -> list[tuple[int, int]]:
    """Return offset and number of every object that any cross-reference names, in the order of the file."""
    return sorted({(e.place, n) for section in chain for n, e in section.entries.items() if e.kind == PLAIN})


def large_streams(
    view: View, places: list[tuple[int, int]], signatures: Collection[int], spans: Collection[Span]
) -> list[Span]:
    """Return the data of large streams of objects in use, up to where the next object begins, in order.

    Args:
        view: the newest revision.
        places: all objects.
        signatures: numbers of the signatures, which count with all that is in them.
        spans: where these stand.
    """
    found = []
    budget = Budget(_MOST_TOKENS, 0, 0)
    for (place, number), (following, _) in pairwise([*places, (len(view.document.data), 0)]):
        entry = view.entries.get(number)
        current = entry is not None and (entry.kind, entry.place) == (PLAIN, place)
        if following - place < LARGE or not current or number in signatures:
            continue
        try:
            start, end = _stream_of(view, place, number, budget)
        except Violation:
            # Whoever made it so may have made many: the rest is searched.
            break
        end = min(end, following)
        if end - start >= LARGE and not any(one < end and start < two for one, two in spans):
            found.append((start, end))
    return found


def _stream_of(view: View, place: int, number: int, budget: Budget) -> Span:
    """Return the data of the stream at `place`, of no extent if it is none. Raises Violation."""
    data = view.document.data

    def length(value: Object) -> int | None:
        if isinstance(value, Reference):
            entry = view.entries.get(value.number)
            if entry is None or entry.kind != PLAIN:
                return None
            value = read_object(data, entry.place, lambda _: None, budget).value
        return value if type(value) is int else None

    found = read_object(data, place, length, budget)
    expected = (number, view.entries[number].detail)
    if found.stream is None or (found.number, found.generation) != expected:
        return place, place
    return found.stream


def find_names(data: Octets, passed_over: Iterable[Span]) -> list[int]:
    """Return the offsets at which the name ByteRange stands, in order, outside the spans `passed_over`.

    Raises Violation with limit.complexity if there are more than any file has.
    """
    hits = list(islice(_hits(data, passed_over), MOST_RANGES + 1))
    if len(hits) > MOST_RANGES:
        raise Violation("limit.complexity", None, "byte ranges")
    return hits


def _hits(data: Octets, passed_over: Iterable[Span]) -> Iterator[int]:
    position, size = 0, len(data)
    for start, end in (*passed_over, (size, size)):
        while position < start:
            limit = min(position + _PIECE, start)
            piece = data[position : min(limit + _LONGEST, start)]
            escaped = b"#" in piece and _ESCAPED.search(piece)
            for hit in (_SPELLED if escaped else _PLAIN).finditer(piece):
                if position + hit.start() < limit:
                    yield position + hit.start()
            position = limit
        position = end
