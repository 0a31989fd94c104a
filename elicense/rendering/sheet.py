"""One page while it is typeset: what its slots and its part of the flow put on it, before fonts give it codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from elicense.errors import RenderingError
from elicense.model import FieldPlacement
from elicense.rendering.heads import set_head
from elicense.rendering.objects import POINTS_PER_MM
from elicense.rendering.plot import HEADS, NAMES_WIDTH, draw_plot
from elicense.rendering.qrcode import QUIET_MODULES, SMALLEST_MODULE, qr_modules, qr_path
from elicense.rendering.structure import Element, Mark
from elicense.rendering.template import HeadSlot, PlotSlot, QrSlot, TextSlot
from elicense.rendering.text import Line, Segment, break_lines
from elicense.rendering.typeset import (
    Said,
    SetLine,
    hundredths,
    literal,
    marked,
    measured,
    placed_box,
    runs_of,
    say,
)
from elicense.rendering.wrapping import Wrapping, wrapping

if TYPE_CHECKING:
    from collections.abc import Iterable

    from elicense.preflight import PlacedLine
    from elicense.rendering.blocks import Style
    from elicense.rendering.fonts import FontLibrary
    from elicense.rendering.severallines import Lines
    from elicense.rendering.template import CompiledPage, Rect
    from elicense.rendering.typeset import Run, Typesetter
    from elicense.wording import Printer


@dataclass(slots=True)
class Sheet:
    """A page while it is typeset."""

    page: CompiledPage
    """Its furniture and slots."""
    number: int
    """Object number of the page."""
    content: int
    """Object number of its dynamic stream."""
    position: int
    """Page number, 1-based."""
    pages: int
    """How many pages there are."""
    printer: Printer
    """Says what is printed."""
    fonts: FontLibrary
    """Where the faces are."""
    next_mcid: int
    """Next free marked-content identifier."""
    painted: list[str | Run] = field(default_factory=list)
    """In painting order."""
    lines: list[PlacedLine] = field(default_factory=list)
    """For preflight, in the order of the placements."""
    placements: list[FieldPlacement] = field(default_factory=list)
    """For the index."""
    elements: list[Element] = field(default_factory=list)
    """Structure of what a repeated page prints besides the flow."""

    def mark(self) -> Mark:
        """Return the next marked-content identifier."""
        self.next_mcid += 1
        return Mark(self.number, self.next_mcid - 1)

    def fill_slots(self) -> None:
        """Set everything the page's slots ask for. Raises RenderingError if something does not fit or has no glyph."""
        for slot in self.page.slots:
            if isinstance(slot, TextSlot):
                self._text(slot)
            elif isinstance(slot, QrSlot):
                self._code(slot)
            elif isinstance(slot, HeadSlot):
                self._head(slot)
            else:
                self._plot(slot)

    def _printed(self, template: str) -> str:
        return self.printer(template, self.position, self.pages)

    def _text(self, slot: TextSlot) -> None:
        mcid, around, empty = slot.mcid, slot.wrapping, slot.style.empty
        if slot.only is not None and (slot.only == "odd") != (self.position % 2 == 1):
            if mcid is not None:
                self.painted.append(marked(slot.tag, mcid, "BT\nET"))
            return
        if empty:
            text, template = say(
                slot.template, self.printer, empty=empty, page=self.position, pages=self.pages
            )
            around = wrapping(template, slot.rect, slot.style.colour, slot.mark_tag)
        else:
            text = self._printed(slot.template)
        if mcid is None:
            if not text:
                return
            mark = self.mark()
            mcid = mark.mcid
            if not slot.pagination:
                self.elements.append(Element(slot.tag, (mark,), lang=slot.style.lang))
        self._put(text, around, mcid, slot.set(text, self.position))

    def _put(self, text: str, around: Wrapping, mcid: int, lines: Lines) -> None:
        """Put a text on the page that is one marked-content sequence."""
        template, fields, rect, opening, closing = around
        measured_lines, runs = lines
        self.painted += (f"{opening}{mcid}>> BDC\nBT", *runs, closing)
        if text:
            self.lines += measured_lines
            self.placements.append(FieldPlacement(template, fields, self.position, rect, mcid, text))

    def put(
        self, said: Said, lines: tuple[SetLine, ...], rect: Rect, mcid: int, style: Style, *, tag: str
    ) -> None:
        """Put a text on the page that is one marked-content sequence.

        Args:
            said: what is printed, and by which template.
            lines: the same, set.
            rect: the box it stands in, mm.
            mcid: identifier of its marked content.
            style: colour, and whether a seal may cover it.
            tag: of the marked content; Artifact for page numbers, which are printed data but no running text.
        """
        placed = measured(lines, self.position, rect, under_seal=style.under_seal)
        around = wrapping(said.template, rect, style.colour, tag)
        self._put(said.text, around, mcid, (placed, runs_of(lines)))

    def _head(self, slot: HeadSlot) -> None:
        block = slot.block
        names = [authority.name for authority in self.printer.licence.authorities]
        places = "\n".join([f"{{authorities.{number}.name}}" for number in range(1, len(names) + 1)])
        template = f"{places}{literal(block.authorities)}"
        lines = set_head(names, block.authorities, block, block.rect, self.fonts)
        self.put(Said(self._printed(template), template), lines, block.rect, slot.mcid, block, tag=block.tag)

    def _code(self, slot: QrSlot) -> None:
        text, rect = self._printed(slot.block.qr), slot.block.rect
        matrix = _code_matrix(rect, qr_modules(text))
        drawn = qr_path(text, min(rect[2:]) * POINTS_PER_MM).content.decode("ascii")
        self.painted.append(f"/Figure <</MCID {slot.mcid}>> BDC\nq {matrix} cm\n{drawn}Q\nEMC")

    def _plot(self, slot: PlotSlot) -> None:
        template = f"{{{slot.field}}}"
        said = Said(self._printed(template), template)
        rows = self.printer.licence.fields.get(slot.field, ())
        corners = [(float(row[0]), float(row[1])) for row in rows if not isinstance(row, str)]
        if not corners:
            self.painted.append(marked("Figure", slot.figure_mcid, "BT\nET"))
            self.put(said, (), slot.rect, slot.listing_mcid, slot.style, tag="P")
            return
        # Set anywhere first: how wide and high the rows are decides where they go.
        lines = placed_box(self.fonts, slot.style, (0, 0, *slot.rect[2:]), name=slot.field).set(said.text)
        style = slot.style.model_copy(update={"size": lines[0].size})
        lines, second, width = self._in_columns(lines, style)
        height = len(lines) * style.leading * style.size
        drawn = draw_plot(corners, slot.rect, style, self.fonts, (width, height, second))
        left, top = drawn.listing
        shift = top - (style.leading - 1) / 2 * style.size - slot.rect[3] * POINTS_PER_MM
        placed = tuple(row._replace(x=left + NAMES_WIDTH, y=row.y + shift) for row in lines)
        # Each row of coordinates has the name of its corner before it.
        shown = (*drawn.labels, *self._row_names(placed, left, style))
        text = "".join(line.line.text for line in shown)
        mcid, box = slot.figure_mcid, hundredths(slot.rect)
        self.painted += (f"/Figure <</MCID {mcid}>> BDC\n{drawn.operators}\nBT", *runs_of(shown), "ET\nEMC")
        self.lines += measured(shown, self.position, slot.rect, under_seal=False)
        self.placements.append(FieldPlacement(text, (), self.position, box, mcid, text))
        scale = 1 / POINTS_PER_MM
        rect = ((left + NAMES_WIDTH) * scale, (top - height) * scale, (width + 0.01) * scale, height * scale)
        self.put(said, placed, rect, slot.listing_mcid, slot.style, tag="P")

    def _in_columns(
        self, rows: tuple[SetLine, ...], style: Style
    ) -> tuple[tuple[SetLine, ...], float, float]:
        """Return the rows with x and y flush right in columns, where the second begins, and the width of both."""
        parts = [row.line.text.rpartition("\u3000") for row in rows]
        measured_parts = [(self._line(x, style).width, self._line(y, style).width) for x, _, y in parts]
        first, last = max(x for x, _ in measured_parts), max(y for _, y in measured_parts)
        first = max(first, self._line(HEADS[0], style).width)
        second = first + style.size
        lines = []
        for row, (x, space, y), (x_width, y_width) in zip(rows, parts, measured_parts, strict=True):
            begin = first - x_width
            segments = (Segment(x + space, begin, 0.0), Segment(y, second + last - y_width, 0.0))
            line = Line(row.line.text, begin, row.line.y, second + last - begin, segments)
            lines.append(row._replace(line=line))
        # Room for the heads of the columns too.
        return tuple(lines), second, second + max(last, self._line(HEADS[1], style).width)

    def _row_names(self, rows: Iterable[SetLine], x: float, style: Style) -> tuple[SetLine, ...]:
        return tuple(
            SetLine(self._line(f"J{number}", style), x, row.y, style.size, style.font)
            for number, row in enumerate(rows, 1)
        )

    def _line(self, text: str, style: Style) -> Line:
        (line,) = break_lines(text, self.fonts, style.font, width=1000, size=style.size)
        return line

    def stream(self, setter: Typesetter) -> bytes:
        """Return the dynamic content stream, its text in the setter's fonts."""
        return "\n".join([*setter.shown(self.painted), ""]).encode("ascii")


@lru_cache(maxsize=256)
def _code_matrix(rect: Rect, modules: int) -> str:
    """Return the matrix that puts a QR code of so many modules with its margin in the middle of a box, mm.

    Raises:
        RenderingError: its modules would be too fine.
    """
    x, y, width, height = (value * POINTS_PER_MM for value in rect)
    side = min(width, height)
    scale = modules / (modules + 2 * QUIET_MODULES)
    if side * scale / modules < SMALLEST_MODULE:
        needed = (modules + 2 * QUIET_MODULES) * SMALLEST_MODULE / POINTS_PER_MM
        raise RenderingError(
            f"the QR code needs a box of {needed:.0f} mm; enlarge it in the layout",
            f"二维码至少需要{needed:.0f}毫米见方的框，请在版式中加大",
        )
    inner = side * scale
    return _nums5((scale, 0, 0, scale, x + (width - inner) / 2, y + (height - inner) / 2))


def _nums5(values: tuple[float, ...]) -> str:
    """Return numbers for a matrix, fine enough that a code's modules stay on their grid."""
    return " ".join(f"{value:.5f}".rstrip("0").rstrip(".") for value in values)
