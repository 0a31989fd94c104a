"""A CSV file of requests: what it is found out before anything is reserved, then its rows one after the other."""

from __future__ import annotations

import codecs
import csv
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Self

from elicense.bulk.columns import Row
from elicense.errors import InvalidSheet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENCODINGS = ("utf-8-sig", "gb18030")
"""What is tried in this order: UTF-8 with or without its mark, then what office programs in China write."""
_CHUNK = 1 << 20
_THREE_BYTES = "\u0800"
"""From here on UTF-8 has three bytes: all ideographs, and next to nothing that GB18030 text looks like by chance."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A readable CSV file."""

    path: Path
    """Where it lies."""
    encoding: str
    """One of ENCODINGS."""
    header: tuple[str, ...]
    """Cells of the first row, without empty ones at the end."""
    total: int
    """Rows below the header that are not empty."""

    @classmethod
    def open(cls, path: Path, *, encoding: str | None = None) -> Self:
        """Return the file after reading it once from end to end, holding no more than a row of it.

        Args:
            path: The file.
            encoding: One of ENCODINGS if it is known; otherwise it is found out.

        Raises:
            InvalidSheet: it is neither UTF-8 nor GB18030, no CSV, or has no rows.
            OSError: it cannot be read.
        """
        found = encoding or _encoding_of(path)
        with _readable(path, found) as rows:
            header = next(rows, None)
            total = sum(1 for _ in rows)
        if header is None or not total:
            raise InvalidSheet(
                f"{path.name} needs a header and below it one row for each licence",
                f"{path.name} 应有表头，其下每行一份证照",
            )
        cells = list(header.cells)
        while cells and not cells[-1].strip():
            cells.pop()
        return cls(path, found, tuple(cells), total)

    def groups(self, size: int) -> Iterator[tuple[Row, ...]]:
        """Yield the rows below the header, `size` at a time. Raises InvalidSheet, OSError."""
        with _readable(self.path, self.encoding) as rows:
            next(rows, None)
            while group := tuple(islice(rows, size)):
                yield group


def _encoding_of(path: Path) -> str:
    """Return the encoding in which the whole file can be read. Raises InvalidSheet."""
    with path.open("rb") as file:
        mark = file.read(len(codecs.BOM_UTF8))
    if mark.startswith(_UTF_16):
        raise _unreadable(path)
    utf_8, gb_18030 = ENCODINGS
    ideographs = mark == codecs.BOM_UTF8
    try:
        for text in _decoded(path, utf_8):
            ideographs = ideographs or max(text, default="") >= _THREE_BYTES
    except UnicodeDecodeError as error:
        # Ideographs in UTF-8 and then a wrong byte: a damaged file, which as GB18030 would be other characters.
        if ideographs or max(error.object[: error.start].decode(errors="ignore"), default="") >= _THREE_BYTES:
            raise _unreadable(path) from error
    else:
        return utf_8
    try:
        for _ in _decoded(path, gb_18030):
            pass
    except UnicodeDecodeError as error:
        raise _unreadable(path) from error
    return gb_18030


def _decoded(path: Path, encoding: str) -> Iterator[str]:
    """Yield the text in pieces. Raises UnicodeDecodeError."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


@contextmanager
def _readable(path: Path, encoding: str) -> Iterator[Iterator[Row]]:
    """Give the file's rows, all of them, empty ones left out. Raises InvalidSheet in place of csv's own errors."""
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, strict=True)
        place = 0

        def rows() -> Iterator[Row]:
            nonlocal place
            for place, cells in enumerate(reader, 1):
                if any(cells):
                    yield Row(place, tuple(cells))

        try:
            yield rows()
        except UnicodeDecodeError as error:
            raise _unreadable(path) from error
        except csv.Error as error:
            raise InvalidSheet(
                f"{path.name} is no readable CSV after row {place} ({error}): look for a quotation mark left open",
                f"{path.name} 第{place}行之后不是可读的 CSV（{error}）：请检查是否有未闭合的引号",
            ) from error


def _unreadable(path: Path) -> InvalidSheet:
    return InvalidSheet(
        f"{path.name} is neither UTF-8 nor GB18030 text: save it as CSV UTF-8, or name its encoding with --encoding",
        f"{path.name} 既不是 UTF-8 也不是 GB18030 文本：请另存为“CSV UTF-8”，或用 --encoding 指定编码",
    )
