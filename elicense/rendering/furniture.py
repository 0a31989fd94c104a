"""One page of a layout becomes furniture and slots: what is printed on every licence, and where the rest goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from elicense.rendering import art
from elicense.rendering.blocks import (
    AuthoritiesBlock,
    Box,
    Cell,
    FlowBlock,
    PlotBlock,
    QrBlock,
    SealBlock,
    Style,
    TableBlock,
    TextBlock,
    names_in,
)
from elicense.rendering.objects import POINTS_PER_MM
from elicense.rendering.structure import Annotation, Element, Mark
from elicense.rendering.template import HeadSlot, PlotSlot, QrSlot, Rect, Slot, TextSlot
from elicense.rendering.typeset import (
    Typesetter,
    artifact,
    box_points,
    in_colour,
    marked,
    measured,
    placed_box,
)
from elicense.seal.placement import widget_rect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elicense.preflight import PlacedLine
    from elicense.rendering.blocks import Block, Label, Table
    from elicense.rendering.layout import Page
    from elicense.seal.drawing import SealDrawing

CELL_PADDING = 1.5
"""Millimetres between a cell's rule and its text."""
_PAGE_NAMES = frozenset({"page", "pages"})


@dataclass(slots=True)
class PageDraft:
    """A page while it is being compiled."""

    number: int
    """Object number; 0 on a repeated page, of which fill makes copies."""
    drawing: art.Drawing
    """Operators of this page, form XObjects of the whole document."""
    setter: Typesetter
    """Sets the furniture's text."""
    seal: SealDrawing
    """The seal."""
    widget: int
    """Object number of the signature field."""
    size: tuple[float, float]
    """Width and height, mm."""
    slots: list[Slot] = field(default_factory=list)
    """What differs from licence to licence."""
    elements: list[Element] = field(default_factory=list)
    """Structure, in reading order."""
    before_flow: int | None = None
    """How many of the elements stood before the flow; None without a flow."""
    lines: list[PlacedLine] = field(default_factory=list)
    """Text of the furniture."""
    seal_rect: Rect | None = None
    """Where the seal stands, if it stands on this page."""
    used: int = 0
    """How many marked-content identifiers are given out."""
    _ids: Iterator[int] = field(default_factory=count)

    def lay(self, page: Page) -> None:
        """Draw the furniture of `page` and note its slots.

        Raises:
            RenderingError: a text of the furniture does not fit or has no glyph.
            SealError: the seal reaches beyond the page.
        """
        art.draw(page.art, self.drawing)
        for block in page.blocks:
            self._block(block)

    def _mark(self) -> Mark:
        self.used += 1
        return Mark(self.number, next(self._ids))

    def _block(self, block: Block) -> None:
        if isinstance(block, TextBlock):
            self._text_block(block)
        elif isinstance(block, AuthoritiesBlock):
            mark = self._mark()
            self.slots.append(HeadSlot(block, mark.mcid))
            self.elements.append(Element(block.tag, (mark,), lang=block.lang))
        elif isinstance(block, QrBlock):
            self._qr(block)
        elif isinstance(block, SealBlock):
            self.seal_rect = widget_rect(self.seal, block.centre, self.size)
            self.elements.append(Element("Form", (Annotation(self.widget, self.number),)))
        elif isinstance(block, PlotBlock):
            self._plot(block)
        elif isinstance(block, TableBlock):
            self._table(block.table)
        elif isinstance(block, FlowBlock):
            self.before_flow = len(self.elements)

    def _text_block(self, block: TextBlock) -> None:
        marks: list[Element | Mark] = []
        if block.label is not None:
            label = self._label(block.label)
            if label is not None:
                marks.append(
                    label
                    if block.label.lang in {None, block.lang}
                    else Element("Span", (label,), lang=block.label.lang)
                )
        baseline = None
        if block.label is not None and block.valign == "label":
            (first, *_) = placed_box(self.setter.fonts, block.label, block.label.rect, name=None).set(
                block.label.text
            )
            baseline = first.y / POINTS_PER_MM
        mark = self._text(block.text, block, block.rect, block.tag, only=block.only, baseline=baseline)
        if mark is not None:
            marks.append(mark)
        if marks:
            self.elements.append(Element(block.tag, tuple(marks), lang=block.lang))

    def _label(self, label: Label) -> Mark | None:
        return self._text(label.text, label, label.rect, "Span")

    def _text(
        self,
        text: str,
        style: Style,
        rect: Rect,
        tag: str,
        *,
        only: str | None = None,
        baseline: float | None = None,
    ) -> Mark | None:
        """Set a text of the furniture, or note the slot of one that differs; return its mark, if it has one."""
        names = names_in(text)
        if not names and only is None:
            return self._furniture_text(text, style, rect, tag, baseline)
        pagination = bool(names) and set(names) <= _PAGE_NAMES
        mark = None if pagination or not self.number else self._mark()
        box = placed_box(self.setter.fonts, style, rect, name=names[0] if names else None, baseline=baseline)
        self.slots.append(TextSlot(
            template=text, style=style, rect=rect, mcid=None if mark is None else mark.mcid, tag=tag,
            box=box, pagination=pagination, only=only,
        ))  # fmt: skip
        return mark

    def _furniture_text(
        self, text: str, style: Style, rect: Rect, tag: str, baseline: float | None
    ) -> Mark | None:
        plain = text.replace("{{", "{").replace("}}", "}")
        lines = placed_box(self.setter.fonts, style, rect, name=None, baseline=baseline).set(plain)
        self.lines.extend(measured(lines, 0, rect, under_seal=style.under_seal))
        operators = self.setter.operators(lines)
        if not self.number:
            # A running head is on every page; read aloud each time it would only disturb.
            self.drawing.operators.append(in_colour(artifact(operators, "Pagination"), style.colour))
            return None
        mark = self._mark()
        self.drawing.operators.append(in_colour(marked(tag, mark.mcid, operators), style.colour))
        return mark

    def _qr(self, block: QrBlock) -> None:
        art.draw((Box(kind="rect", rect=block.rect, fill="#ffffff"),), self.drawing)
        mark = self._mark()
        self.slots.append(QrSlot(block, mark.mcid))
        self.elements.append(Element("Figure", (mark,), alt=block.alt, bbox=box_points(block.rect)))

    def _plot(self, block: PlotBlock) -> None:
        figure, corners = self._mark(), self._mark()
        style = Style(
            font=block.font, size=block.size, min_size=min(6.0, block.size), valign="top", leading=1.5
        )
        self.slots.append(PlotSlot(block.plot, style, block.rect, figure.mcid, corners.mcid))
        self.elements.append(Element("Figure", (figure,), alt=block.alt, bbox=box_points(block.rect)))
        self.elements.append(Element("P", (corners,)))

    def _table(self, table: Table) -> None:
        left, top = table.origin
        columns = [left + sum(table.columns[:i]) for i in range(len(table.columns) + 1)]
        rows = [top - sum(row.height for row in table.rows[:i]) for i in range(len(table.rows) + 1)]
        cells: list[list[Element]] = [[] for _ in table.rows]
        for cell, row, column in table.places():
            x, y = columns[column], rows[row + cell.down]
            outer = (x, y, columns[column + cell.span] - x, rows[row] - y)
            if table.width:
                rule = Box(kind="rect", rect=outer, width=table.width, stroke=table.colour)
                art.draw((rule,), self.drawing)
            cells[row].append(
                self._cell(cell, outer, whole_row=all(other.th for other in table.rows[row].cells))
            )
        self.elements.append(Element("Table", tuple(Element("TR", tuple(row)) for row in cells)))

    def _cell(self, cell: Cell, outer: Rect, *, whole_row: bool) -> Element:
        x, y, width, height = outer
        pad = CELL_PADDING
        inner = (x + pad, y + min(pad, height / 8), width - 2 * pad, height - 2 * min(pad, height / 8))
        tag = "TH" if cell.th else "TD"
        mark = self._text(cell.text, cell, inner, tag) if cell.text else None
        scope = ("Column" if whole_row else "Row") if cell.th else ""
        kids: tuple[Mark, ...] = () if mark is None else (mark,)
        return Element(tag, kids, lang=cell.lang, scope=scope, spans=(cell.span, cell.down))
