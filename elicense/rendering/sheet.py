"""One page while it is typeset: every slot becomes a piece, or is taken over from an earlier plan of the same page."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from elicense.errors import RenderingError
from elicense.model import FieldPlacement
from elicense.rendering.heads import set_head
from elicense.rendering.licence_file import index_entry
from elicense.rendering.objects import POINTS_PER_MM
from elicense.rendering.pieces import Code, Piece, Shown, wrapping
from elicense.rendering.plot import HEADS, NAMES_WIDTH, draw_plot
from elicense.rendering.qrcode import QUIET_MODULES, SMALLEST_MODULE, qr_modules
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

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from elicense.rendering.blocks import Style
    from elicense.rendering.fonts import FontLibrary
    from elicense.rendering.template import CompiledPage, Rect
    from elicense.rendering.typeset import Typesetter
    from elicense.wording import Printer

_SILENT = Said("", "")


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
    slots: list[Piece] = field(default_factory=list)
    """One for each slot of the page."""
    running: list[Piece] = field(default_factory=list)
    """The flow's."""
    decoration: str = ""
    """Operators that mean nothing by themselves, over all else: a strip of the seal."""
    elements: list[Element] = field(default_factory=list)
    """Structure of what a repeated page prints besides the flow."""

    @property
    def pieces(self) -> list[Piece]:
        """All pieces, in the order in which they are painted."""
        return self.slots + self.running

    def mark(self) -> Mark:
        """Return the next marked-content identifier."""
        self.next_mcid += 1
        return Mark(self.number, self.next_mcid - 1)

    def fill_slots(self, earlier: Sheet | None) -> None:
        """Set everything the page's slots ask for.

        Args:
            earlier: the same page of an earlier plan; what says the same there is taken over.

        Raises:
            RenderingError: something does not fit or has no glyph.
        """
        known: Sequence[Piece | None] = [None] * len(self.page.slots)
        if earlier is not None and earlier.page is self.page and earlier.position == self.position:
            known = earlier.slots
        for slot, old in zip(self.page.slots, known, strict=True):
            if not isinstance(slot, TextSlot):
                piece = self._special(slot, old)
            elif old is not None and slot.plain and old.said.text == self._printed(slot.template):
                piece = old
            else:
                piece = self._text(slot, old)
            self.slots.append(piece)

    def _printed(self, template: str) -> str:
        return self.printer(template, self.position, self.pages)

    def _text(self, slot: TextSlot, old: Piece | None) -> Piece:
        mcid = slot.mcid
        if slot.only is not None and (slot.only == "odd") != (self.position % 2 == 1):
            return Piece(_SILENT, mcid, () if mcid is None else (marked(slot.tag, mcid, "BT\nET"),))
        said = Said(self._printed(slot.template), slot.template)
        if slot.style.empty:
            said = say(
                slot.template, self.printer, empty=slot.style.empty, page=self.position, pages=self.pages
            )
        if mcid is None:
            if not said.text:
                return Piece(said, None)
            mark = self.mark()
            mcid = mark.mcid
            if not slot.pagination:
                self.elements.append(Element(slot.tag, (mark,), lang=slot.style.lang))
        if old is not None and old.said == said and old.mcid == mcid:
            return old
        around = slot.wrapping
        if said.template != slot.template:
            around = wrapping(said.template, slot.rect, slot.style.colour, slot.mark_tag)
        elif slot.line is not None:
            piece = slot.line.piece(said, self.position, mcid)
            if piece is not None:
                return piece
        lines = slot.box.set(said.text)
        placed = measured(lines, self.position, slot.rect, under_seal=slot.style.under_seal)
        return around.piece(said, (self.position, mcid), placed, runs_of(lines))

    def _special(self, slot: QrSlot | HeadSlot | PlotSlot, old: Piece | None) -> Piece:
        """Return the piece of a slot that is no plain text."""
        if isinstance(slot, HeadSlot):
            names = range(1, len(self.printer.licence.authorities) + 1)
            places = "\n".join([f"{{authorities.{number}.name}}" for number in names])
            template = f"{places}{literal(slot.block.authorities)}"
        else:
            template = slot.block.qr if isinstance(slot, QrSlot) else f"{{{slot.field}}}"
        said = say(template, self.printer, empty="", page=self.position, pages=self.pages)
        if old is not None and old.said == said:
            return old
        if isinstance(slot, QrSlot):
            return self._code(slot, said)
        return self._head(slot, said) if isinstance(slot, HeadSlot) else self._plot(slot, said)

    def text_piece(
        self, said: Said, lines: tuple[SetLine, ...], rect: Rect, mcid: int, style: Style, *, tag: str
    ) -> Piece:
        """Return a text that is one marked-content sequence.

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
        return around.piece(said, (self.position, mcid), placed, runs_of(lines))

    def _head(self, slot: HeadSlot, said: Said) -> Piece:
        block = slot.block
        names = [authority.name for authority in self.printer.licence.authorities]
        lines = set_head(names, block.authorities, block, block.rect, self.fonts)
        return self.text_piece(said, lines, block.rect, slot.mcid, block, tag=block.tag)

    def _code(self, slot: QrSlot, said: Said) -> Piece:
        side = min(slot.block.rect[2:]) * POINTS_PER_MM
        matrix = _code_matrix(slot.block.rect, qr_modules(said.text))
        return Piece(said, slot.mcid, (
            Code(f"/Figure <</MCID {slot.mcid}>> BDC\nq {matrix} cm\n", said.text, side, "Q\nEMC"),
        ))  # fmt: skip

    def _plot(self, slot: PlotSlot, said: Said) -> Piece:
        rows = self.printer.licence.fields.get(slot.field, ())
        corners = [(float(row[0]), float(row[1])) for row in rows if not isinstance(row, str)]
        if not corners:
            nothing = self.text_piece(said, (), slot.rect, slot.listing_mcid, slot.style, tag="P")
            return nothing._replace(painted=(marked("Figure", slot.figure_mcid, "BT\nET"), *nothing.painted))
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
        scale = 1 / POINTS_PER_MM
        rect = ((left + NAMES_WIDTH) * scale, (top - height) * scale, (width + 0.01) * scale, height * scale)
        listing = self.text_piece(said, placed, rect, slot.listing_mcid, slot.style, tag="P")
        text = "".join(line.line.text for line in shown)
        placement = FieldPlacement(text, (), self.position, hundredths(slot.rect), slot.figure_mcid, text)
        figure = Shown(
            f"/Figure <</MCID {slot.figure_mcid}>> BDC\n{drawn.operators}\n", runs_of(shown), "\nEMC"
        )
        return Piece(
            said, slot.figure_mcid, (figure, *listing.painted),
            (*measured(shown, self.position, slot.rect, under_seal=False), *listing.lines),
            (placement, *listing.placements), (index_entry(placement), *listing.entries),
        )  # fmt: skip

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

    def paint(self, operators: str) -> None:
        """Paint operators among the flow that mean nothing by themselves."""
        self.running.append(Piece(_SILENT, None, (operators,)))

    def stream(self, setter: Typesetter) -> bytes:
        """Return the dynamic content stream, its text in the setter's fonts."""
        painted = [part for piece in self.pieces for part in piece.painted]
        setter.prepare([run for part in painted if isinstance(part, Shown) for run in part.runs])
        parts = [part if isinstance(part, str) else part.operators(setter) for part in painted]
        if self.decoration:
            parts.append(self.decoration)
        return "\n".join([*parts, ""]).encode("ascii")


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
