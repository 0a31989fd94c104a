"""One page as the fill writes it: operators of its dynamic stream, what preflight measures, what the index names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from elicense.errors import RenderingError
from elicense.model import FieldPlacement
from elicense.rendering.objects import POINTS_PER_MM
from elicense.rendering.plot import draw_plot
from elicense.rendering.qrcode import QUIET_MODULES, SMALLEST_MODULE, qr_path
from elicense.rendering.structure import Element, Mark
from elicense.rendering.template import PlotSlot, QrSlot, TextSlot
from elicense.rendering.typeset import artifact, hundredths, in_colour, marked, measured, say
from elicense.wording import template_names

if TYPE_CHECKING:
    from elicense.model import Licence
    from elicense.preflight import PlacedLine
    from elicense.rendering.blocks import Style
    from elicense.rendering.template import CompiledPage, Rect
    from elicense.rendering.typeset import Said, SetLine, Typesetter


LISTED_NAMES = 8.0
"""Millimetres before the coordinates of a parcel, for the names of its corners."""


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
            else:
                self._plot(slot)

    def _text(self, slot: TextSlot) -> None:
        if slot.only is not None and (slot.only == "odd") != (self.position % 2 == 1):
            if slot.mcid is not None:
                self.operators.append(marked(slot.tag, slot.mcid, "BT\nET"))
            return
        said = say(slot.template, self.licence, empty=slot.style.empty, page=self.position, pages=self.pages)
        lines = self.setter.in_box(said.text, slot.style, slot.rect, name=slot.field)
        mcid = slot.mcid
        if mcid is None:
            if not said.text:
                return
            mark = self.mark()
            mcid = mark.mcid
            if not slot.pagination:
                self.elements.append(Element(slot.tag, (mark,), lang=slot.style.lang))
        self.print_text(said, lines, slot.rect, mcid, slot.style, tag="Artifact" if slot.pagination else slot.tag)

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
        rows = self.licence.fields.get(slot.field, ())
        corners = [(float(row[0]), float(row[1])) for row in rows if not isinstance(row, str)]
        drawn = draw_plot(corners, slot.drawing, slot.style, self.setter.fonts)
        said = say(f"{{{slot.field}}}", self.licence, empty="", page=self.position, pages=self.pages)
        lines = self.setter.in_box(said.text, slot.style, slot.listing, name=slot.field)
        beside = (slot.listing[0] - LISTED_NAMES, slot.listing[1], LISTED_NAMES, slot.listing[3])
        # Each row of coordinates has the name of its corner before it.
        names = tuple(
            replace(name, x=beside[0] * POINTS_PER_MM, y=row.y, size=row.size)
            for name, row in zip(drawn.labels, lines, strict=len(lines) == len(corners))
        )
        labels = self.setter.operators((*drawn.labels, *names))
        self.operators.append(marked("Figure", slot.figure_mcid, f"{drawn.operators}\n{labels}"))
        if corners:
            text = "".join(line.line.text for line in (*drawn.labels, *names))
            self.lines.extend(measured(drawn.labels, self.position, slot.drawing, under_seal=False))
            self.lines.extend(measured(names, self.position, beside, under_seal=False))
            self.placements.append(FieldPlacement(
                template=text, fields=(), page=self.position, rect=hundredths(slot.drawing),
                mcid=slot.figure_mcid, text=text,
            ))  # fmt: skip
        self.print_text(said, lines, slot.listing, slot.listing_mcid, slot.style, tag="P")

    def decorate(self, operators: str) -> None:
        """Paint operators that mean nothing by themselves: rules, a strip of the seal."""
        self.operators.append(artifact(operators))

    def stream(self) -> bytes:
        """Return the dynamic content stream."""
        return "".join(f"{part}\n" for part in self.operators).encode("ascii")


def nums5(values: tuple[float, ...]) -> str:
    """Return numbers for a matrix, fine enough that a code's modules stay on their grid."""
    return " ".join(f"{value:.5f}".rstrip("0").rstrip(".") for value in values)
