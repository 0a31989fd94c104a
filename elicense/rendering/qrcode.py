"""A QR code as one path of a PDF content stream."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

import segno

from elicense.errors import RenderingError

if TYPE_CHECKING:
    from collections.abc import Iterable

QUIET_MODULES = 4
"""White modules the caller leaves free on every side. Source: ISO/IEC 18004, 9.1 (the text was not read)."""
SMALLEST_MODULE = 0.25 * 72 / 25.4
"""Points; finer modules (below 0.25 mm) do not survive an office printer and a telephone's camera."""

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
    """Return the number of modules along an edge of the symbol for `text`. Raises as `qr_path` does."""
    return len(_make(text, error).matrix)


def qr_path(text: str, size_points: float, error: ErrorLevel = "M") -> QrDrawing:
    """Return the QR symbol of `text`, `size_points` wide without its quiet zone; same text, same bytes.

    Raises:
        RenderingError: the text is empty, too long for any symbol, or needs modules finer than 0.25 mm.
    """
    symbol = _make(text, error)
    modules = len(symbol.matrix)
    if size_points / modules < SMALLEST_MODULE:
        needed = modules * 0.25
        raise RenderingError(
            f"The QR code of {len(text)} characters needs {needed:.1f} mm without its margin; enlarge it.",
            f"该二维码内容有 {len(text)} 个字符，不计空白边至少需要 {needed:.1f} 毫米，请加大。",
        )
    scale = f"{size_points / modules:.5f}".rstrip("0").rstrip(".")
    rectangles = "\n".join(_runs(symbol.matrix))
    content = f"q 0 g {scale} 0 0 {scale} 0 0 cm\n{rectangles}\nf Q\n".encode("ascii")
    return QrDrawing(content=content, size=size_points, modules=modules, version=int(symbol.version))


def _make(text: str, error: ErrorLevel) -> segno.QRCode:
    """Return the symbol. Raises RenderingError if `text` is empty or too long."""
    if not text:
        raise RenderingError("A QR code needs a text; the layout gave none.", "二维码内容为空，请检查版式。")
    # Left to itself segno would choose the Shift JIS mode for some Chinese texts.
    mode, encoding = (None, None) if text.isascii() else ("byte", "utf-8")
    try:
        return segno.make_qr(text, error=error.lower(), mode=mode, encoding=encoding, boost_error=False)
    except segno.DataOverflowError as overflow:
        raise RenderingError(
            f"The text of the QR code is too long ({len(text)} characters); shorten it.",
            f"二维码内容过长（{len(text)} 个字符），请缩短。",
        ) from overflow


def _runs(matrix: Iterable[Iterable[int]]) -> list[str]:
    """Return one rectangle for each horizontal run of dark modules, in modules from the lower left corner."""
    rows = [[bool(module) for module in row] for row in matrix]
    rectangles = []
    for above, row in enumerate(rows):
        column = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                rectangles.append(f"{column} {len(rows) - 1 - above} {length} 1 re")
            column += length
    return rectangles
