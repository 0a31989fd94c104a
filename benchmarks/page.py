"""Pages drawn with reportlab as its users draw them: the unsigned half of the plain and the tuned pipeline."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen import canvas

from benchmarks.content import Corners, Mark, Row, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.content import Content

    DrawCode = Callable[[canvas.Canvas, str, float, float, float], None]

FONT = "Song"
"""Name of the font among reportlab's."""
_MARGIN = 20 * mm
_SEAL = 42 * mm


class Drawn(NamedTuple):
    """A document without its signature."""

    pdf: bytes
    """The file."""
    seal_page: int
    """Index of the page that bears the seal."""
    seal_box: tuple[int, int, int, int]
    """Its corners, points."""


def load_font() -> None:
    """The font of all pages is known to reportlab, read once."""
    pdfmetrics.registerFont(TTFont(FONT, Path(__file__).parent / "fonts" / "NotoSerifSC-Regular.ttf"))


def draw(content: Content, code: DrawCode) -> Drawn:
    """Return the document of `content`; `code` draws a text as a QR code at x, y with a side of so many points."""
    out = io.BytesIO()
    width, height = (side * mm for side in content.paper)
    sheet = canvas.Canvas(out, pagesize=(width, height))
    if content.pieces:
        flow = _Flow(sheet, width, height, code)
        page, box = flow.set(content)
    else:
        page, box = 0, (int(200 * mm), int(25 * mm), int(242 * mm), int(67 * mm))
        _single(sheet, content, code)
    sheet.showPage()
    sheet.save()
    return Drawn(out.getvalue(), page, box)


def _single(sheet: canvas.Canvas, content: Content, code: DrawCode) -> None:
    """One landscape page: frame, title, labelled values in two columns of eight, QR code."""
    sheet.rect(10 * mm, 10 * mm, 277 * mm, 190 * mm)
    sheet.setFont(FONT, 30)
    sheet.drawCentredString(148.5 * mm, 170 * mm, content.title)
    sheet.setFont(FONT, 12)
    for number, (label, value) in enumerate(content.rows.items()):
        column, row = divmod(number, 8)
        x, y = (20 + 135 * column) * mm, (150 - 13 * row) * mm
        sheet.drawString(x, y, label)
        for line, start in enumerate(range(0, len(value), 18)):
            sheet.drawString(x + 45 * mm, y - 5 * mm * line, value[start : start + 18])
    code(sheet, content.link, 20 * mm, 20 * mm, 28 * mm)


@dataclass(slots=True)
class _Flow:
    """Pieces set one below the other, on a new page where one is full."""

    sheet: canvas.Canvas
    width: float
    height: float
    code: DrawCode
    y: float = field(init=False)
    page: int = 0

    def __post_init__(self) -> None:
        self.y = self.height - _MARGIN

    def set(self, content: Content) -> tuple[int, tuple[int, int, int, int]]:
        """Set all pieces; return the page of the seal and its box."""
        seal = (0, (0, 0, 1, 1))
        for piece in content.pieces:
            match piece:
                case Text():
                    self._text(piece)
                case Row():
                    self._row(piece)
                case Corners():
                    self._corners(piece)
                case Mark(kind="page"):
                    self._turn()
                case Mark(kind="code"):
                    self._room(28 * mm)
                    self.code(self.sheet, content.link, _MARGIN, self.y, 26 * mm)
                case Mark():
                    x, y = int((self.width - _SEAL) / 2), int(self.y - _SEAL / 4)
                    seal = (self.page, (x, y, x + int(_SEAL), y + int(_SEAL)))
        return seal

    def _turn(self) -> None:
        self.sheet.showPage()
        self.page += 1
        self.y = self.height - _MARGIN

    def _room(self, height: float) -> None:
        """Go down by `height`, over the page if that is too much."""
        if self.y - height < _MARGIN:
            self._turn()
        self.y -= height

    def _text(self, piece: Text) -> None:
        for line in broken(piece.text, piece.size, self.width - 2 * _MARGIN):
            self._room(1.3 * piece.size)
            self.sheet.setFont(FONT, piece.size)
            if piece.centred:
                self.sheet.drawCentredString(self.width / 2, self.y, line)
            else:
                self.sheet.drawString(_MARGIN, self.y, line)
            self.y -= 0.3 * piece.size

    def _row(self, piece: Row) -> None:
        cells = [
            list(broken(cell, 11, width * mm - 8))
            for cell, width in zip(piece.cells, piece.widths, strict=True)
        ]
        height = max(map(len, cells)) * 16 + 6
        self._room(height)
        self.sheet.setFont(FONT, 11)
        x = _MARGIN
        for lines, width in zip(cells, piece.widths, strict=True):
            self.sheet.rect(x, self.y, width * mm, height)
            for number, line in enumerate(lines, 1):
                self.sheet.drawString(x + 4, self.y + height - 16 * number, line)
            x += width * mm

    def _corners(self, piece: Corners) -> None:
        side = 80 * mm
        self._room(side + 10 * mm)
        lowest = [min(axis) for axis in zip(*piece.points, strict=True)]
        reach = max(
            max(axis) - low for axis, low in zip(zip(*piece.points, strict=True), lowest, strict=True)
        )
        path = self.sheet.beginPath()
        for number, (north, east) in enumerate(piece.points):
            x, y = _MARGIN + (east - lowest[1]) / reach * side, self.y + (north - lowest[0]) / reach * side
            (path.lineTo if number else path.moveTo)(x, y)
        path.close()
        self.sheet.drawPath(path)


def broken(text: str, size: float, width: float) -> Iterator[str]:
    """Yield the lines of a text that are at most `width` points wide; its own line ends stay."""
    face = pdfmetrics.getFont(FONT).face
    widths, other, room = face.charWidths, face.defaultWidth, width * 1000 / size
    for paragraph in text.split("\n"):
        start, used = 0, 0.0
        for place, character in enumerate(paragraph):
            one = widths.get(ord(character), other)
            if used + one > room:
                yield paragraph[start:place]
                start, used = place, 0.0
            used += one
        yield paragraph[start:]
