"""One page as the fill writes it: operators of its dynamic stream, what preflight measures, what the index names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from elicense.errors import RenderingError
from elicense.model import FieldPlacement
from elicense.rendering.heads import set_head
from elicense.rendering.objects import POINTS_PER_MM
from elicense.rendering.plot import HEADS, NAMES_WIDTH, draw_plot
from elicense.rendering.qrcode import QUIET_MODULES, SMALLEST_MODULE, qr_path
from elicense.rendering.structure import Element, Mark
from elicense.rendering.template import HeadSlot, PlotSlot, QrSlot, TextSlot
from elicense.rendering.text import Line, Segment, break_lines
from elicense.rendering.typeset import (
    SetLine,
    artifact,
    hundredths,
    in_colour,
    literal,
    marked,
    measured,
    say,
)
from elicense.wording import template_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from elicense.model import Licence
    from elicense.preflight import PlacedLine
    from elicense.rendering.blocks import Style
    from elicense.rendering.template import CompiledPage, Rect
    from elicense.rendering.typeset import Said, Typesetter


@dataclass(slots=True)
class Sheet:
    """A page while it is being filled."""

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
    licence: Licence
    """What is printed."""
    setter: Typesetter
    """Sets text in the document's own fonts."""
    next_mcid: int
    """Next free marked-content identifier."""
    operators: list[str] = field(default_factory=list)
    """In painting order."""
    lines: list[PlacedLine] = field(default_factory=list)
    """For preflight."""
    placements: list[FieldPlacement] = field(default_factory=list)
    """For the index."""
    elements: list[Element] = field(default_factory=list)
    """Structure of what a repeated page prints besides the flow."""

    def mark(self) -> Mark:
        """Return the next marked-content identifier."""
        self.next_mcid += 1
        return Mark(self.number, self.next_mcid - 1)

    def fill_slots(self) -> None:
        """Print everything the page's slots ask for. Raises RenderingError if something does not fit."""
        for slot in self.page.slots:
            if isinstance(slot, TextSlot):
                self._text(slot)
            elif isinstance(slot, QrSlot):
                self._qr(slot)
            elif isinstance(slot, HeadSlot):
                self._head(slot)
            else:
                self._plot(slot)

    def _text(self, slot: TextSlot) -> None:
        if slot.only is not None and (slot.only == "odd") != (self.position % 2 == 1):
            if slot.mcid is not None:
                self.operators.append(marked(slot.tag, slot.mcid, "BT\nET"))
            return
        said = say(slot.template, self.licence, empty=slot.style.empty, page=self.position, pages=self.pages)
        lines = self.setter.in_box(said.text, slot.style, slot.rect, name=slot.field, baseline=slot.baseline)
        mcid = slot.mcid
        if mcid is None:
            if not said.text:
                return
            mark = self.mark()
            mcid = mark.mcid
            if not slot.pagination:
                self.elements.append(Element(slot.tag, (mark,), lang=slot.style.lang))
        self.print_text(
            said, lines, slot.rect, mcid, slot.style, tag="Artifact" if slot.pagination else slot.tag
        )

    def print_text(
        self, said: Said, lines: tuple[SetLine, ...], rect: Rect, mcid: int, style: Style, *, tag: str
    ) -> None:
        """Show `lines` as one marked-content sequence, and note where and what they are.

        Args:
            said: what is printed, and by which template.
            lines: the same, set.
            rect: the box it stands in, mm.
            mcid: identifier of its marked content.
            style: colour, and whether a seal may cover it.
            tag: of the marked content; Artifact for page numbers, which are printed data but no running text.
        """
        self.operators.append(in_colour(marked(tag, mcid, self.setter.operators(lines)), style.colour))
        if said.text:
            self.lines.extend(measured(lines, self.position, rect, under_seal=style.under_seal))
            self.placements.append(FieldPlacement(
                template=said.template, fields=template_names(said.template), page=self.position,
                rect=hundredths(rect), mcid=mcid, text=said.text,
            ))  # fmt: skip

    def _head(self, slot: HeadSlot) -> None:
        block = slot.block
        names = [authority.name for authority in self.licence.authorities]
        places = "\n".join(f"{{authorities.{number}.name}}" for number in range(1, len(names) + 1))
        said = say(f"{places}{literal(block.authorities)}", self.licence, empty="", page=0, pages=0)
        lines = set_head(names, block.authorities, block, block.rect, self.setter.fonts)
        self.print_text(said, lines, block.rect, slot.mcid, block, tag=block.tag)

    def _qr(self, slot: QrSlot) -> None:
        x, y, width, height = (value * POINTS_PER_MM for value in slot.block.rect)
        side = min(width, height)
        text = say(slot.block.qr, self.licence, empty="", page=self.position, pages=self.pages).text
        drawing = qr_path(text, side)
        inner = side * drawing.modules / (drawing.modules + 2 * QUIET_MODULES)
        if inner / drawing.modules < SMALLEST_MODULE:
            needed = (drawing.modules + 2 * QUIET_MODULES) * SMALLEST_MODULE / POINTS_PER_MM
            raise RenderingError(
                f"the QR code needs a box of {needed:.0f} mm; enlarge it in the layout",
                f"二维码至少需要{needed:.0f}毫米见方的框，请在版式中加大",
            )
        scale = inner / side
        place = (scale, 0, 0, scale, x + (width - inner) / 2, y + (height - inner) / 2)
        operators = f"q {nums5(place)} cm\n{drawing.content.decode('ascii')}Q"
        self.operators.append(marked("Figure", slot.mcid, operators))

    def _plot(self, slot: PlotSlot) -> None:
        said = say(f"{{{slot.field}}}", self.licence, empty="", page=self.position, pages=self.pages)
        rows = self.licence.fields.get(slot.field, ())
        corners = [(float(row[0]), float(row[1])) for row in rows if not isinstance(row, str)]
        if not corners:
            self.operators.append(marked("Figure", slot.figure_mcid, "BT\nET"))
            self.print_text(said, (), slot.rect, slot.listing_mcid, slot.style, tag="P")
            return
        # Set anywhere first: how wide and high the rows are decides where they go.
        lines = self.setter.in_box(said.text, slot.style, (0, 0, *slot.rect[2:]), name=slot.field)
        style = slot.style.model_copy(update={"size": lines[0].size})
        lines, second, width = self._in_columns(lines, style)
        height = len(lines) * style.leading * style.size
        drawn = draw_plot(corners, slot.rect, style, self.setter.fonts, (width, height, second))
        left, top = drawn.listing
        shift = top - (style.leading - 1) / 2 * style.size - slot.rect[3] * POINTS_PER_MM
        placed = tuple(replace(row, x=left + NAMES_WIDTH, y=row.y + shift) for row in lines)
        # Each row of coordinates has the name of its corner before it.
        names = self._row_names(placed, left, style)
        shown = (*drawn.labels, *names)
        operators = f"{drawn.operators}\n{self.setter.operators(shown)}"
        self.operators.append(marked("Figure", slot.figure_mcid, operators))
        text = "".join(line.line.text for line in shown)
        self.lines.extend(measured(shown, self.position, slot.rect, under_seal=False))
        self.placements.append(FieldPlacement(
            template=text, fields=(), page=self.position, rect=hundredths(slot.rect), mcid=slot.figure_mcid, text=text,
        ))  # fmt: skip
        scale = 1 / POINTS_PER_MM
        rect = ((left + NAMES_WIDTH) * scale, (top - height) * scale, (width + 0.01) * scale, height * scale)
        self.print_text(said, placed, rect, slot.listing_mcid, slot.style, tag="P")

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
            lines.append(replace(row, line=line))
        # Room for the heads of the columns too.
        return tuple(lines), second, second + max(last, self._line(HEADS[1], style).width)

    def _row_names(self, rows: Iterable[SetLine], x: float, style: Style) -> tuple[SetLine, ...]:
        return tuple(
            SetLine(self._line(f"J{number}", style), x, row.y, style.size, style.font)
            for number, row in enumerate(rows, 1)
        )

    def _line(self, text: str, style: Style) -> Line:
        (line,) = break_lines(text, self.setter.fonts, style.font, width=1000, size=style.size)
        return line

    def decorate(self, operators: str) -> None:
        """Paint operators that mean nothing by themselves: rules, a strip of the seal."""
        self.operators.append(artifact(operators))

    def stream(self) -> bytes:
        """Return the dynamic content stream."""
        return "".join(f"{part}\n" for part in self.operators).encode("ascii")


def nums5(values: tuple[float, ...]) -> str:
    """Return numbers for a matrix, fine enough that a code's modules stay on their grid."""
    return " ".join(f"{value:.5f}".rstrip("0").rstrip(".") for value in values)
