"""Paragraphs and tables set one below the other on as many pages as they need, every piece of them tagged.

Lengths are points; a page's zero is its lower left corner. What does not fit on a page goes to the next; a row of a
table stays together.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from elicense.rendering.objects import POINTS_PER_MM, nums, rgb
from elicense.rendering.structure import Element, Mark
from elicense.rendering.text import EM_TOP, break_lines
from elicense.rendering.typeset import SetLine, Typesetter, artifact, in_colour, marked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from elicense.rendering.fonts import FontLibrary
    from elicense.rendering.text import Align, Line

WIDTH, HEIGHT = 210 * POINTS_PER_MM, 297 * POINTS_PER_MM
"""A4."""
LEFT, RIGHT = 20 * POINTS_PER_MM, 190 * POINTS_PER_MM
TOP, FOOT = 279 * POINTS_PER_MM, 24 * POINTS_PER_MM
"""Where running content begins and ends."""
LEADING = 1.4
"""Line height as a multiple of the type size."""
LONGEST = 300
"""Characters of one paragraph unless it says otherwise; more is cut, so that a row never outgrows a page."""
_ASCENT = (LEADING - 1) / 2 + EM_TOP
"""From the top of a line to its baseline, as a multiple of the type size."""
PADDING = 4.0
"""Between a cell's edge and its text."""

INK, MUTED, RULE = "#1b2530", "#4d5a68", "#c9d0d9"


@dataclass(frozen=True, slots=True)
class Para:
    """One paragraph."""

    text: str
    """What it says."""
    size: float = 9.0
    """Type size."""
    role: str = "song"
    """Font role."""
    colour: str = INK
    """Of the text."""
    lang: str | None = None
    """Language, where it is not the document's."""
    align: Align = "left"
    """Where its lines stand."""
    longest: int = LONGEST
    """Characters that are shown."""


Cell = tuple[Para, ...]
"""Paragraphs one below the other."""


@dataclass(frozen=True, slots=True)
class _Set:
    """A paragraph broken into lines."""

    para: Para
    lines: tuple[Line, ...]

    @property
    def height(self) -> float:
        return len(self.lines) * LEADING * self.para.size


@dataclass(slots=True)
class Page:
    """One page while it is filled."""

    number: int
    """Object number of the page."""
    operators: list[str] = field(default_factory=list)
    """In painting order."""
    marks: int = 0
    """Marked-content identifiers given out."""


@dataclass(slots=True)
class Flow:
    """Content that runs down the pages."""

    fonts: FontLibrary
    """Where the faces are."""
    allocate: Callable[[], int]
    """Gives the next free object number."""
    setter: Typesetter = field(init=False)
    """Sets text in the document's own fonts."""
    pages: list[Page] = field(default_factory=list)
    """So far."""
    elements: list[Element] = field(default_factory=list)
    """The structure so far."""
    y: float = 0.0
    """Where the next piece begins."""

    def __post_init__(self) -> None:
        self.setter = Typesetter(self.fonts, "D")
        self.turn()

    def turn(self) -> None:
        """Begin a new page."""
        self.pages.append(Page(self.allocate()))
        self.y = TOP

    def space(self, height: float) -> None:
        """Leave `height` free, unless the page has just begun."""
        if self.y < TOP:
            self.y -= height

    def need(self, height: float) -> None:
        """Turn the page unless `height` is left on it."""
        if self.y - height < FOOT:
            self.turn()

    def say(self, *paras: Para, tag: str = "P", after: float = 0.0) -> None:
        """Set paragraphs over the whole width, one element each."""
        for para in paras:
            done = self._break(para, RIGHT - LEFT)
            self.need(done.height)
            marks = self._show(done, LEFT, self.y, tag)
            self.elements.append(Element(tag, (marks,), lang=para.lang))
            self.y -= done.height
        self.y -= after

    def heading(self, *paras: Para, room: float = 70.0) -> None:
        """Set a heading, never alone at a page's foot: `room` for what follows it is there too."""
        self.space(14)
        done = [self._break(para, RIGHT - LEFT) for para in paras]
        self.need(sum(one.height for one in done) + room)
        x, marks = LEFT, []
        for one in done:
            # Both languages stand on one line, the second behind the first.
            top = self.y - _ASCENT * (done[0].para.size - one.para.size)
            marks.append(Element("Span", (self._show(one, x, top, "Span"),), lang=one.para.lang))
            x += one.lines[0].width + 6
        self.elements.append(Element("H2", tuple(marks)))
        self.y -= max(one.height for one in done) + 2
        self.rule(LEFT, RIGHT, self.y, INK, 0.8)
        self.y -= 2

    def table(self, widths: Sequence[float], rows: Sequence[Sequence[Cell]], *, head: bool = False) -> None:
        """Set a table; `widths` are shares of the whole. The first row, or else the first column, are its heads."""
        total = sum(widths)
        edges = [LEFT]
        for width in widths:
            edges.append(edges[-1] + width / total * (RIGHT - LEFT))
        written = []
        for index, row in enumerate(rows):
            cells = [
                [self._break(para, edges[at + 1] - edges[at] - 2 * PADDING) for para in cell]
                for at, cell in enumerate(row)
            ]
            height = max(sum(one.height for one in cell) for cell in cells) + 2 * PADDING
            self.need(height)
            if index:
                self.rule(LEFT, RIGHT, self.y, RULE, 0.5)
            kids = []
            for at, cell in enumerate(cells):
                is_head = index == 0 if head else at == 0
                kids.append(self._cell(cell, edges[at] + PADDING, self.y - PADDING, row=head, head=is_head))
            written.append(Element("TR", tuple(kids)))
            self.y -= height
        self.elements.append(Element("Table", tuple(written)))

    def _cell(self, cell: Sequence[_Set], x: float, y: float, *, row: bool, head: bool) -> Element:
        marks = []
        for one in cell:
            marks.append(Element("P", (self._show(one, x, y, "P"),), lang=one.para.lang))
            y -= one.height
        scope = "Column" if row else "Row"
        return Element("TH", tuple(marks), scope=scope) if head else Element("TD", tuple(marks))

    def boxes(self, boxes: Sequence[tuple[Cell, str, str]], *, gap: float = 12.0) -> None:
        """Set boxes side by side: what each says, its colour and its background."""
        width = (RIGHT - LEFT - gap * (len(boxes) - 1)) / len(boxes)
        cells = [[self._break(para, width - 28) for para in cell] for cell, _, _ in boxes]
        height = max(sum(one.height for one in cell) for cell in cells) + 20
        self.need(height)
        for at, (cell, (_, colour, background)) in enumerate(zip(cells, boxes, strict=True)):
            x = LEFT + at * (width + gap)
            self._paint(f"q {rgb(background)} rg {nums(x, self.y - height, width, height)} re f Q")
            self._paint(f"q {rgb(colour)} rg {nums(x, self.y - height, 4, height)} re f Q")
            y = self.y - 10
            for one in cell:
                mark = self._show(one, x + 16, y, "P")
                self.elements.append(Element("P", (mark,), lang=one.para.lang))
                y -= one.height
        self.y -= height

    def footers(self, foot: Callable[[int, int], Sequence[Para]]) -> None:
        """Set the same lines at the foot of every page, as furniture; `foot` gets page and pages."""
        for position, page in enumerate(self.pages, 1):
            parts = [f"q {rgb(RULE)} RG 0.5 w {nums(LEFT, FOOT - 8)} m {nums(RIGHT, FOOT - 8)} l S Q"]
            y = FOOT - 12
            for para in foot(position, len(self.pages)):
                one = self._break(para, RIGHT - LEFT)
                parts.append(in_colour(self.setter.operators(self._lines(one, LEFT, y)), para.colour))
                y -= 0 if para.align == "left" else one.height
            page.operators.append(artifact("\n".join(parts), "Pagination"))

    def rule(self, left: float, right: float, y: float, colour: str, width: float) -> None:
        """Paint a horizontal rule."""
        self._paint(f"q {rgb(colour)} RG {nums(width)} w {nums(left, y)} m {nums(right, y)} l S Q")

    def _paint(self, operators: str) -> None:
        self.pages[-1].operators.append(artifact(operators))

    def _break(self, para: Para, width: float) -> _Set:
        text = self.printable(para.text[: para.longest], para.role)
        text += "……" if len(para.text) > para.longest else ""
        return _Set(
            para, break_lines(text, self.fonts, para.role, width=width, size=para.size, align=para.align)
        )

    def printable(self, text: str, role: str) -> str:
        """Return `text` with a box for whatever has no shape in the role's fonts."""
        missing = set(self.fonts.uncovered(text.replace("\n", ""), role))
        # Marks of direction have no shape and would set a name another way than it is stored.
        return "".join(
            "□" if char in missing or unicodedata.category(char) == "Cf" else char for char in text
        )

    def _show(self, one: _Set, x: float, top: float, tag: str) -> Mark:
        page = self.pages[-1]
        page.marks += 1
        operators = marked(tag, page.marks - 1, self.setter.operators(self._lines(one, x, top)))
        page.operators.append(in_colour(operators, one.para.colour))
        return Mark(page.number, page.marks - 1)

    @staticmethod
    def _lines(one: _Set, x: float, top: float) -> tuple[SetLine, ...]:
        size = one.para.size
        first = top - _ASCENT * size
        return tuple(
            SetLine(line, x, first - index * LEADING * size, size, one.para.role)
            for index, line in enumerate(one.lines)
        )
