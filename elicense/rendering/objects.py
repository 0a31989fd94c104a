"""PDF objects as bytes: numbers, strings, streams, the cross-reference table. Same input, same bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from elicense.rendering.deflate import SMALLEST, best_deflated, deflated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

POINTS_PER_MM = 72 / 25.4
"""PDF points in a millimetre."""
HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
"""Version, and four bytes that mark the file as binary."""


def num(value: float) -> str:
    """Return a number as PDF writes it, to a thousandth, without needless digits."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def nums(*values: float) -> str:
    """Return numbers separated by spaces."""
    return " ".join(map(num, values))


def rgb(colour: str) -> str:
    """Return `#rrggbb` as three PDF numbers."""
    return nums(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))


def text_string(text: str) -> bytes:
    """Return a PDF text string for any characters: literal where it is plain ASCII, UTF-16BE hex otherwise."""
    if text.isascii() and text.isprintable():
        return b"(" + text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("ascii") + b")"
    return b"<FEFF" + text.encode("utf-16-be").hex().upper().encode("ascii") + b">"


def ref(number: int) -> str:
    """Return a reference to an object."""
    return f"{number} 0 R"


def refs(numbers: Iterable[int]) -> str:
    """Return references separated by spaces."""
    return " ".join(map(ref, numbers))


def stream(dictionary: str, data: bytes, *, compress: bool = True, best: bool = False) -> bytes:
    """Return a stream object's body.

    Args:
        dictionary: its entries besides Length and Filter.
        data: what it holds.
        compress: False to leave it as it is, as what is short is left in any case.
        best: True for what is written once a template: as small as can be, however long that takes.
    """
    if compress and len(data) >= SMALLEST:
        data = best_deflated(data) if best else deflated(data)
        dictionary += "/Filter/FlateDecode"
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (dictionary.encode("ascii"), len(data), data)


def xref_lines(offsets: Sequence[int]) -> bytes:
    """Return the entries of the cross-reference table for objects in use at these offsets."""
    return b"%010d 00000 n \n" * len(offsets) % tuple(offsets)


@dataclass(slots=True)
class Body:
    """Objects written one after the other, and where each begins."""

    start: int
    """Offset of the first byte in the file."""
    parts: list[bytes] = field(default_factory=list)
    """The bytes so far."""
    offsets: dict[int, int] = field(default_factory=dict)
    """Object number -> offset in the file."""
    end: int = 0
    """Offset after the last byte."""

    def __post_init__(self) -> None:
        self.end = self.start

    def add(self, number: int, content: bytes | str) -> None:
        """Write object `number`; writing it twice is a RuntimeError."""
        if number in self.offsets:
            raise RuntimeError(f"object {number} is already written")
        data = content.encode("ascii") if isinstance(content, str) else content
        whole = b"%d 0 obj\n%s\nendobj\n" % (number, data)
        self.offsets[number] = self.end
        self.parts.append(whole)
        self.end += len(whole)

    def joined(self) -> bytes:
        """Return all bytes."""
        return b"".join(self.parts)
