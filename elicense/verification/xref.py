"""Cross-references of any kind: tables, streams, object streams, linearized and hybrid files.

A file is read from its last `startxref` back along the chain of `Prev`. Nothing is rebuilt: a cross-reference that
is not where it should be is a Violation. Source: ISO 32000-2, 7.5.4 to 7.5.8 (text read in secondary sources).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from elicense.verification.objects import (
    MOST_TOKENS,
    Budget,
    Object,
    Parsed,
    is_integer,
    read_object,
    read_value,
)
from elicense.verification.objects_streams import MOST_BYTES, decode
from elicense.verification.pdf import Reference, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elicense.verification.handing import Octets

MOST_ENTRIES = 500_000
"""Entries of all cross-references together."""
MOST_SECTIONS = 12_000
"""Cross-reference sections, and so revisions, of one file."""
FREE, PLAIN, PACKED = 0, 1, 2
"""Kinds of entries: no object, an object of its own, an object inside an object stream."""

_BLANK = rb"[\x00\t\n\x0c\r ]"
_TABLE = re.compile(_BLANK + rb"{0,64}xref(?=" + _BLANK + rb")")
_SUBSECTION = re.compile(
    _BLANK + rb"{1,64}([0-9]{1,10})" + _BLANK + rb"{1,64}([0-9]{1,7})(?=" + _BLANK + rb")"
)
_LINE = re.compile(_BLANK + rb"{1,4}([0-9]{1,20}) ([0-9]{1,5}) ([nf])(?=" + _BLANK + rb")")
_TRAILER = re.compile(_BLANK + rb"{1,64}trailer")
_PAIR = re.compile(rb"[\x00\t\n\x0c\r ]*([0-9]{1,10})[\x00\t\n\x0c\r ]+([0-9]{1,10})")


class Entry(NamedTuple):
    """Where an object is."""

    kind: int
    """FREE, PLAIN or PACKED."""
    place: int
    """PLAIN: offset in the file. PACKED: number of the object stream."""
    detail: int
    """PLAIN: generation. PACKED: index inside the stream."""


@dataclass(frozen=True, slots=True)
class Section:
    """One cross-reference section with its trailer."""

    start: int
    """Offset of `xref`, or of the stream's object number."""
    end: int
    """Offset behind the trailer's dictionary, or behind the stream's `endobj`."""
    entries: Mapping[int, Entry]
    """By object number."""
    trailer: dict[str, Object]
    """The trailer's dictionary, or the stream's."""
    stream: int
    """Object number of a cross-reference stream; 0 for a table."""
    hybrid: bool
    """Whether a table hides a stream beside it (XRefStm)."""
    repeats: bool
    """Whether it says two things about one number."""


class Document:
    """The bytes of a file, what reading them may cost, and what was read."""

    def __init__(self, data: Octets) -> None:
        self.data = data
        self.shift = 0
        self.budget = Budget(MOST_TOKENS, MOST_ENTRIES, MOST_BYTES)
        self.parsed: dict[tuple[int, Entry], Parsed | None] = {}
        self.latest: dict[int, Parsed] = {}
        self.packs: dict[int, tuple[bytes, list[tuple[int, int]]]] = {}

    def chain(self, newest: int, tail: int) -> list[Section]:
        """Return the sections from `newest`, as the startxref at `tail` gives it, back to the oldest.

        Sets `shift` to where offsets count from. Raises Violation; its offset is that of the section, or startxref,
        which leads to what is no section.
        """
        if not self._is_section(newest):
            self.shift = max(self.data.find(b"%PDF-", 0, 1024), 0)
        found: list[Section] = []
        seen: set[int] = set()
        place: Object = newest
        while place is not None:
            pointer = found[-1].start if found else tail
            if type(place) is not int or place in seen:
                raise Violation("format.layout", pointer, "cross-references lead in a circle or nowhere")
            if len(found) == MOST_SECTIONS:
                raise Violation("limit.complexity", None, "revisions")
            seen.add(place)
            try:
                section = self.section(place + self.shift)
            except Violation as violation:
                if violation.reason.startswith("limit.") or violation.reason == "format.encrypted":
                    raise
                raise Violation(
                    "format.layout", pointer, violation.detail or "cross-reference"
                ) from violation
            found.append(section)
            place = section.trailer.get("Prev")
        return found

    def _is_section(self, place: int) -> bool:
        window = self.data[place : place + 128] if place >= 0 else b""
        return bool(
            _TABLE.match(window) or re.match(rb"\s{0,64}[0-9]{1,10}\s{1,64}[0-9]{1,5}\s{1,64}obj", window)
        )

    def section(self, offset: int) -> Section:
        """Return the section at `offset`. Raises Violation if there is none."""
        if not 0 <= offset < len(self.data):
            raise Violation("format.layout", None, "a cross-reference outside the file")
        table = _TABLE.match(self.data, offset)
        section = self._table(table.end()) if table else self._stream(offset)
        if "Encrypt" in section.trailer:
            raise Violation("format.encrypted", section.start)
        return section

    def _table(self, position: int) -> Section:
        data, start = self.data, position - 4
        entries: dict[int, Entry] = {}
        repeats = False
        while subsection := _SUBSECTION.match(data, position):
            lines = self._lines(subsection)
            position = lines[-1].end() if lines else subsection.end()
            first = int(subsection[1])
            # A widespread slip: the table says it starts at 1 and lists number 0 first.
            slip = first == 1 and bool(lines) and lines[0][3] == b"f" and lines[0][2] == b"65535"
            for number, line in enumerate(lines, 0 if slip else first):
                entry = self._entry(line)
                repeats |= entries.setdefault(number, entry) != entry
        trailer = _TRAILER.match(data, position)
        if trailer is None:
            raise Violation("format.layout", position, "no trailer")
        value, end = read_value(data, trailer.end(), len(data), set(), self.budget)
        if type(value) is not dict:  # a trailer that repeats a key is none
            raise Violation("format.layout", position, "trailer")
        hidden = value.get("XRefStm")
        if hidden is not None:
            self._unhide(entries, hidden, position)
        return Section(start, end, entries, value, 0, hidden is not None, repeats)

    def _lines(self, subsection: re.Match[bytes]) -> list[re.Match[bytes]]:
        """Return the lines of one subsection of a table."""
        count, position = int(subsection[2]), subsection.end()
        self.budget.take_entries(count + 1, position)
        lines = []
        for _ in range(count):
            line = _LINE.match(self.data, position)
            if line is None:
                raise Violation("format.layout", position, "cross-reference entry")
            position = line.end()
            lines.append(line)
        return lines

    def _unhide(self, entries: dict[int, Entry], hidden: Object, position: int) -> None:
        """Add what the stream beside a hybrid table names and the table does not."""
        if type(hidden) is not int:
            raise Violation("format.layout", position, "hybrid cross-reference")
        for number, entry in self._stream(hidden + self.shift).entries.items():
            if number not in entries or entries[number].kind == FREE:
                entries[number] = entry

    def _entry(self, line: re.Match[bytes]) -> Entry:
        place, generation = int(line[1]), int(line[2])
        if line[3] == b"f" or place == 0:
            return Entry(FREE, 0, 0)
        return Entry(PLAIN, place + self.shift, generation)

    def _stream(self, offset: int) -> Section:
        found = read_object(self.data, offset, _direct, self.budget)
        value = found.value
        if type(value) is not dict or value.get("Type") != "XRef" or found.stream is None:
            raise Violation("format.layout", offset, "no cross-reference where one should be")
        raw = decode(self.data[slice(*found.stream)], value, self.budget)
        widths, size = value.get("W"), value.get("Size")
        if not isinstance(widths, list) or len(widths) != 3 or not is_integer(size):
            raise Violation("format.layout", offset, "cross-reference stream")
        index = value.get("Index", [0, size])
        numbers = [*widths, *index] if isinstance(index, list) and len(index) % 2 == 0 else [None]
        if not all(isinstance(number, int) and is_integer(number) and number >= 0 for number in numbers):
            raise Violation("format.layout", offset, "cross-reference stream")
        entries, repeats = self._rows(
            raw, [int(str(n)) for n in widths], [int(str(n)) for n in numbers[3:]], offset
        )
        return Section(found.start, found.end, entries, value, found.number, hybrid=False, repeats=repeats)

    def _rows(
        self, raw: bytes, widths: list[int], index: list[int], offset: int
    ) -> tuple[dict[int, Entry], bool]:
        """Return the entries of a cross-reference stream, and whether it says two things about one number."""
        one, two, three = widths
        width = one + two + three
        total = sum(index[1::2])
        self.budget.take_entries(total + len(index), offset)
        if not 0 < width <= 64 or total * width > len(raw):
            raise Violation("format.layout", offset, "cross-reference stream")
        entries: dict[int, Entry] = {}
        position, repeats = 0, False
        for first, count in zip(index[0::2], index[1::2], strict=True):
            for number in range(first, first + count):
                kind = int.from_bytes(raw[position : position + one]) if one else PLAIN
                place = int.from_bytes(raw[position + one : position + one + two])
                detail = int.from_bytes(raw[position + one + two : position + width])
                position += width
                entry = Entry(FREE, 0, 0)
                if kind == PLAIN and place:
                    entry = Entry(PLAIN, place + self.shift, detail)
                elif kind == PACKED:
                    entry = Entry(PACKED, place, detail)
                repeats |= entries.setdefault(number, entry) != entry
        return entries, repeats


class View:
    """What a reader sees who reads the file up to the end of one revision."""

    def __init__(self, document: Document, sections: list[Section]) -> None:
        """Merge the sections, newest first."""
        self.document = document
        self.entries: dict[int, Entry] = {}
        for section in reversed(sections):
            self.entries.update(section.entries)
        root = sections[0].trailer.get("Root")
        if not isinstance(root, Reference):
            raise Violation("format.layout", sections[0].start, "no catalogue")
        self.root = root

    def load(self, number: int, generation: int | None = None) -> Parsed | None:
        """Return an object; None if it does not exist, or not in that generation. Raises Violation."""
        entry = self.entries.get(number)
        if entry is None or entry.kind == FREE:
            return None
        key = (number, entry)
        if entry.kind == PACKED:
            pack = self.entries.get(entry.place)
            if pack is None or pack.kind != PLAIN:
                return None
            key = (number, Entry(PACKED, pack.place, entry.detail))
        if key not in self.document.parsed:
            read = self._plain if entry.kind == PLAIN else self._packed
            self.document.parsed[key] = read(number, entry)
        found = self.document.parsed[key]
        if found is None or (generation is not None and found.generation != generation):
            return None
        return found

    def _plain(self, number: int, entry: Entry) -> Parsed:
        document = self.document
        before = document.latest.get(number)
        found = read_object(document.data, entry.place, self.length, document.budget, before)
        document.latest[number] = found
        if (found.number, found.generation) != (number, entry.detail):
            raise Violation("format.layout", entry.place, "another object than the cross-reference says")
        return found

    def length(self, value: Object) -> int | None:
        """Return what a stream's Length amounts to, None if it cannot be told."""
        if not isinstance(value, Reference):
            return _direct(value)
        entry = self.entries.get(value.number)
        if entry is None or entry.kind == FREE:
            return None
        if entry.kind == PACKED:
            # The object stream's own length is direct or plain, so this leads no further.
            found = self._packed(value.number, entry)
            return _direct(found.value) if found else None
        return _direct(read_object(self.document.data, entry.place, _direct, self.document.budget).value)

    def _packed(self, number: int, entry: Entry) -> Parsed | None:
        """Return an object out of an object stream."""
        pack = self.entries.get(entry.place)
        if pack is None or pack.kind != PLAIN:
            return None
        buffer, index = self._pack(pack)
        if entry.detail >= len(index) or index[entry.detail][0] != number:
            raise Violation("format.layout", pack.place, "another object than the cross-reference says")
        references: set[int] = set()
        at = index[entry.detail][1]
        value, _ = read_value(buffer, at, len(buffer), references, self.document.budget, placed=False)
        return Parsed(number, 0, value, pack.place, -1, None, frozenset(references), compressed=True)

    def _pack(self, pack: Entry) -> tuple[bytes, list[tuple[int, int]]]:
        """Return a decoded object stream and (number, offset) of each of its objects."""
        document = self.document
        if pack.place not in document.packs:
            found = read_object(document.data, pack.place, self._pack_length, document.budget)
            value = found.value
            if not isinstance(value, dict) or value.get("Type") != "ObjStm" or found.stream is None:
                raise Violation("format.layout", pack.place, "no object stream where one should be")
            buffer = decode(document.data[slice(*found.stream)], value, document.budget)
            count, first = value.get("N"), value.get("First")
            if type(count) is not int or type(first) is not int or count < 0 or first < 0:
                raise Violation("format.layout", pack.place, "object stream")
            document.budget.take_entries(count, pack.place)
            index, position = [], 0
            for _ in range(count):
                pair = _PAIR.match(buffer, position)
                if pair is None:
                    raise Violation("format.layout", pack.place, "object stream")
                index.append((int(pair[1]), first + int(pair[2])))
                position = pair.end()
            # Some readers look objects up by their number here, not by their place.
            if len({number for number, _ in index}) != count:
                raise Violation("format.layout", pack.place, "an object twice in an object stream")
            document.packs[pack.place] = (buffer, index)
        return document.packs[pack.place]

    def _pack_length(self, value: Object) -> int | None:
        entry = self.entries.get(value.number) if isinstance(value, Reference) else None
        if entry is not None and entry.kind == PACKED:
            return None
        return self.length(value)

    def resolve(self, value: Object) -> Object:
        """Return the value that a reference leads to, None if it leads nowhere.

        Raises Violation, also for an object that is only a reference: some readers go on from there, others do not.
        """
        if not isinstance(value, Reference):
            return value
        found = self.load(value.number, value.generation)
        if found is not None and isinstance(found.value, Reference):
            raise Violation("format.layout", None, "an object that is only a reference")
        return found.value if found else None

    def dictionary(self, value: Object) -> dict[str, Object]:
        """Return a dictionary given directly or by reference, an empty one if it is none. Raises Violation.

        A dictionary that repeats a key is a Violation too: it matters to whoever asks here.
        """
        resolved = self.resolve(value)
        if not isinstance(resolved, dict):
            return {}
        if type(resolved) is not dict:
            where = self.load(value.number) if isinstance(value, Reference) else None
            raise Violation("format.duplicate_key", where.start if where else None)
        return resolved

    def body(self, number: int) -> dict[str, Object]:
        """Return the dictionary that object `number` is, whatever its generation, {} if none. Raises Violation."""
        found = self.load(number)
        return self.dictionary(Reference(number, found.generation)) if found else {}

    def array(self, value: Object) -> list[Object]:
        """Return an array given directly or by reference, an empty one if it is none. Raises Violation."""
        resolved = self.resolve(value)
        return resolved if isinstance(resolved, list) else []

    def data_of(self, number: int) -> bytes:
        """Return the decoded data of a stream, b"" if it is none. Raises Violation."""
        found = self.load(number)
        if found is None or found.stream is None or not isinstance(found.value, dict):
            return b""
        return decode(self.document.data[slice(*found.stream)], found.value, self.document.budget)


def _direct(value: Object) -> int | None:
    return value if type(value) is int else None
