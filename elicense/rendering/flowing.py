"""A flow on its pages: strips become marked content, structure elements and entries of the index."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from elicense.model import LicenceDraft
from elicense.rendering.art import Drawing, draw
from elicense.rendering.blocks import FootItem, TextBlock
from elicense.rendering.flow import Step, strips_of
from elicense.rendering.objects import POINTS_PER_MM, num, nums
from elicense.rendering.paginate import paginate
from elicense.rendering.structure import Element, Mark
from elicense.rendering.typeset import SetLine, artifact, cut, placed_box, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elicense.model import Licence
    from elicense.rendering.blocks import Box, Line
    from elicense.rendering.flow import Ink
    from elicense.rendering.paginate import PlacedStrip
    from elicense.rendering.sheet import Sheet
    from elicense.rendering.template import CompiledFlow, CompiledTemplate, Rect
    from elicense.wording import Printer

MM = POINTS_PER_MM
_FOOT_CLEARANCE = 2.0
"""Millimetres between the text and what stands at the foot of the last page."""
_CONTENT = attrgetter(*LicenceDraft.__dataclass_fields__)
"""Everything a licence says but what it gets when its number is reserved."""


@dataclass(slots=True)
class _Node:
    """A structure element that grows."""

    step: Step
    kids: dict[Step, _Node] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)

    def element(self) -> Element:
        """Return the element with all below it."""
        kids: list[Element | Mark] = [*self.marks, *(node.element() for node in self.kids.values())]
        return Element(self.step.tag, tuple(kids), lang=self.step.lang, scope=self.step.scope)


@dataclass(slots=True)
class FlowWriter:
    """A flow of one licence, broken into pages."""

    compiled: CompiledFlow
    printer: Printer
    pages: list[list[PlacedStrip]]
    """Strips of each page."""
    foot: tuple[TextBlock | Line | Box, ...]
    """What stands at the foot of the last page."""
    elements: list[Element] = field(default_factory=list)
    """Structure in reading order; complete after `write`."""
    seal_index: int = 0
    """Which of the elements the signature fields come before; known after `write`."""

    @classmethod
    def start(cls, compiled: CompiledTemplate, printer: Printer, earlier: FlowWriter | None) -> FlowWriter:
        """Return the flow broken into pages, as it was for the same content if there is an `earlier` one.

        Raises:
            RenderingError: something does not fit or has no glyph.
        """
        found = compiled.flow
        assert found is not None
        if earlier is not None and earlier.serves(found, printer.licence):
            return cls(found, printer, earlier.pages, earlier.foot)
        strips = strips_of(found.flow, printer, compiled.licence_type, compiled.fonts, compiled.seals)
        foot = tuple(piece for item in found.flow.items if isinstance(item, FootItem) for piece in item.foot)
        bottom = found.frame[1] if compiled.pages else 0.0
        reserved = max((_top(piece) for piece in foot), default=0.0)
        free = max(0.0, reserved + _FOOT_CLEARANCE - bottom) * MM if foot else 0.0
        heights = (found.flow.frame[3] * MM, found.frame[3] * MM)
        return cls(found, printer, paginate(strips, heights, free), foot)

    def serves(self, compiled: CompiledFlow, licence: Licence) -> bool:
        """Tell whether the flow of `licence` says and looks the same: its content is, and no number is in it."""
        same = compiled is self.compiled and not compiled.numbered
        return same and _CONTENT(licence) == _CONTENT(self.printer.licence)

    def shifted(self, page: int) -> int:
        """Return where the page of that index in the layout stands now."""
        return page if page <= self.compiled.host else page + len(self.pages) - 1

    def seals(self) -> tuple[int, list[tuple[float, float]]]:
        """Return the index of the page that bears the seals, and the centre of each in mm."""
        for page, strips in enumerate(self.pages):
            frame = self._frame(page)
            for strip, top in strips:
                if strip.seal_centres:
                    return self.compiled.host + page, [
                        (frame[0] + x / MM, frame[1] + frame[3] - (top - y) / MM)
                        for x, y in strip.seal_centres
                    ]
        raise AssertionError("the layout was checked: its flow bears the seal")

    def _frame(self, page: int) -> Rect:
        return self.compiled.flow.frame if page == 0 else self.compiled.frame

    def write(self, sheets: Sequence[Sheet]) -> None:
        """Print the flow on its own of a document's sheets; `elements` and `seal_index` are complete then."""
        own = sheets[self.compiled.host : self.compiled.host + len(self.pages)]
        root = _Node(Step("Document", 0))
        seal_before: Step | None = None
        for page, (sheet, strips) in enumerate(zip(own, self.pages, strict=True)):
            frame = self._frame(page)
            for placed in strips:
                self._rules(sheet, placed, frame)
                if placed.strip.seal_centres:
                    seal_before = placed.strip.inks[-1].path[0]
            inks = [(ink, placed.top) for placed in strips for ink in placed.strip.inks]
            for (path, _), group in groupby(inks, key=lambda pair: (pair[0].path, pair[0].said.template)):
                self._ink(sheet, root, path, list(group), frame)
        self.elements = [node.element() for node in root.kids.values()]
        # The field is read after name and date, which it covers.
        self.seal_index = len(self.elements)
        if seal_before is not None:
            self.seal_index = list(root.kids).index(seal_before) + 1
        self._write_foot(own[-1])

    def _ink(
        self, sheet: Sheet, root: _Node, path: tuple[Step, ...], group: list[tuple[Ink, float]], frame: Rect
    ) -> None:
        """Print neighbouring lines of one element as one marked-content sequence."""
        first, last = group[0][0], group[-1][0]
        if not first.said.text:
            # An empty cell still is a cell.
            _grow(root, path)
            return
        span = (first.span[0], last.span[1])
        said = cut(first.said, span, self.printer)
        left, upper = frame[0] * MM, (frame[1] + frame[3]) * MM
        lines = tuple([
            SetLine(line, left + x, upper - top + y, size, role)
            for ink, top in group
            for line, x, y, size, role in ink.lines
        ])  # fmt: skip
        mark = sheet.mark()
        if path:
            _grow(root, path).marks.append(mark)
        tag = path[-1].tag if path else "Artifact"
        sheet.put(said, lines, frame, mark.mcid, first.style, tag=tag)

    def _rules(self, sheet: Sheet, placed: PlacedStrip, frame: Rect) -> None:
        strip, top = placed
        if not strip.rules or not strip.rule_width:
            return
        left, upper = frame[0] * MM, (frame[1] + frame[3]) * MM - top
        boxes = " ".join(
            f"{nums(left + x, upper + y, width, height)} re" for x, y, width, height in strip.rules
        )
        sheet.painted.append(artifact(f"q 0 G 0 j {num(strip.rule_width)} w {boxes} S Q"))

    def _write_foot(self, sheet: Sheet) -> None:
        for piece in self.foot:
            if not isinstance(piece, TextBlock):
                drawing = Drawing()
                draw((piece,), drawing)
                sheet.painted.append(drawing.content().rstrip("\n"))
                continue
            said = say(piece.text, self.printer, empty=piece.empty, page=sheet.position, pages=sheet.pages)
            if said.text:
                lines = placed_box(sheet.fonts, piece, piece.rect, name=None).set(said.text)
                mark = sheet.mark()
                self.elements.append(Element(piece.tag, (mark,), lang=piece.lang))
                sheet.put(said, lines, piece.rect, mark.mcid, piece, tag=piece.tag)


def _grow(root: _Node, path: Sequence[Step]) -> _Node:
    """Return the node at `path`, made with all above it where it is missing."""
    node = root
    for step in path:
        node = node.kids.setdefault(step, _Node(step))
    return node


def _top(piece: TextBlock | Line | Box) -> float:
    """Return the upper edge of a piece of the foot, mm."""
    if isinstance(piece, TextBlock):
        return piece.rect[1] + piece.rect[3]
    return piece.rect[1] + piece.rect[3] if hasattr(piece, "rect") else max(piece.from_[1], piece.to[1])
