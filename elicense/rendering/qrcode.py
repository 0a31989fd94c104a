"""A QR code as a picture of one bit a module, inline in a PDF content stream.

Addresses come from tables (qrtables.py), under the mask of least penalty (qrmasks.py) as the standard has it. Other
texts are left to segno.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import segno

from elicense.errors import RenderingError
from elicense.rendering.qrtables import SymbolTable, picture_of

QUIET_MODULES = 4
"""White modules the caller leaves free on every side. Source: ISO/IEC 18004, 9.1 (the text was not read)."""
SMALLEST_MODULE = 0.25 * 72 / 25.4
"""Points; finer modules (below 0.25 mm) do not survive an office printer and a telephone's camera."""
LONGEST = 300
"""Bytes of a text that comes from a table; for longer ones the tables would grow to megabytes."""
_ALPHANUMERIC = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
"""A text of these alone goes into a smaller symbol, in a mode of its own."""

ErrorLevel = Literal["L", "M", "Q", "H"]
"""Part of the symbol that may be lost: about 7, 15, 25, 30 per cent."""


@dataclass(frozen=True, slots=True)
class QrDrawing:
    """A QR symbol without its quiet zone, drawn in the square from (0, 0) to (size, size)."""

    content: bytes
    """Content stream operators, graphics state saved and restored; black on whatever lies below."""
    size: float
    """Edge of the symbol in points."""
    modules: int
    """Modules along an edge."""
    version: int
    """Symbol version, 1 to 40."""

    @property
    def quiet(self) -> float:
        """Width in points of the white margin that readers need on every side."""
        return QUIET_MODULES * self.size / self.modules


def qr_modules(text: str, error: ErrorLevel = "M") -> int:
    """Return the number of modules along an edge of the symbol for `text`.

    Raises:
        RenderingError: the text is empty or too long for any symbol.
    """
    return _table(error, len(text)).modules if _tabulated(text) else _symbol(text, error)[1]


def qr_path(text: str, size_points: float, error: ErrorLevel = "M") -> QrDrawing:
    """Return the QR symbol of `text`, `size_points` wide without its quiet zone; same text, same bytes.

    Raises:
        RenderingError: the text is empty, too long for any symbol, or needs modules finer than 0.25 mm.
    """
    picture, modules, version = _symbol(text, error)
    if size_points / modules < SMALLEST_MODULE:
        needed = modules * 0.25
        raise RenderingError(
            f"The QR code of {len(text)} characters needs {needed:.1f} mm without its margin; enlarge it.",
            f"该二维码内容有 {len(text)} 个字符，不计空白边至少需要 {needed:.1f} 毫米，请加大。",
        )
    size = f"{size_points:.5f}".rstrip("0").rstrip(".")
    # In an image mask a 0 is painted. The digits can be taken for no operator: they end at the bracket.
    content = (
        f"q 0 g {size} 0 0 {size} 0 0 cm\n"
        f"BI /IM true /W {modules} /H {modules} /BPC 1 /F/AHx ID {picture.hex()}>\nEI\nQ\n"
    )
    return QrDrawing(content.encode("ascii"), size_points, modules, version)


def _symbol(text: str, error: ErrorLevel) -> tuple[bytes, int, int]:
    """Return picture, modules along an edge and version. Raises RenderingError if `text` is empty or too long."""
    if not text:
        raise RenderingError("A QR code needs a text; the layout gave none.", "二维码内容为空，请检查版式。")
    if _tabulated(text):
        table = _table(error, len(text))
        return table.picture(text.encode("ascii")), table.modules, table.version
    # Left to itself segno would choose the Shift JIS mode for some Chinese texts.
    mode, encoding = (None, None) if text.isascii() else ("byte", "utf-8")
    try:
        symbol = segno.make_qr(text, error=error.lower(), mode=mode, encoding=encoding, boost_error=False)
    except segno.DataOverflowError as overflow:
        raise RenderingError(
            f"The text of the QR code is too long ({len(text)} characters); shorten it.",
            f"二维码内容过长（{len(text)} 个字符），请缩短。",
        ) from overflow
    return picture_of(symbol), len(symbol.matrix), int(symbol.version)


def _tabulated(text: str) -> bool:
    """Tell whether a text's symbol comes from a table."""
    return text.isascii() and len(text) <= LONGEST and not _ALPHANUMERIC.issuperset(text)


@lru_cache(maxsize=8)
def _table(error: ErrorLevel, length: int) -> SymbolTable:
    return SymbolTable(error, length)
