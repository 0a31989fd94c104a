"""Where the tables of a font file lie. Source: OpenType 1.9, "Font file"."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mmap

_ENTRY = struct.Struct(">4sIII")


def table_places(file: mmap.mmap, index: int) -> dict[bytes, tuple[int, int]]:
    """Return offset and length of each table of a face, which has this number in a collection."""
    start = 0
    if file[:4] == b"ttcf":
        start = int.from_bytes(file[12 + 4 * index : 16 + 4 * index], "big")
    count = int.from_bytes(file[start + 4 : start + 6], "big")
    entries = (_ENTRY.unpack_from(file, start + 12 + 16 * number) for number in range(count))
    return {name: (offset, length) for name, _, offset, length in entries}
