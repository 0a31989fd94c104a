"""What one slot, or one stretch of a flow, puts on its page: set, measured and indexed, before fonts give it codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from elicense.model import FieldPlacement
from elicense.rendering.licence_file import IndexFrame, index_frame
from elicense.rendering.objects import rgb
from elicense.rendering.qrcode import qr_path
from elicense.rendering.typeset import BLACK, hundredths
from elicense.wording import template_names

if TYPE_CHECKING:
    from elicense.preflight import PlacedLine
    from elicense.rendering.template import Rect
    from elicense.rendering.typeset import Run, Said, Typesetter


class Shown(NamedTuple):
    """A text object between other operators."""

    before: str
    """Operators before it."""
    runs: tuple[Run, ...]
    """Its text."""
    behind: str
    """Operators behind it."""

    def operators(self, setter: Typesetter) -> str:
        """Return everything as it stands in the content stream."""
        return f"{self.before}{setter.shown(self.runs)}{self.behind}"


class Code(NamedTuple):
    """A QR code between other operators."""

    before: str
    """Operators before it."""
    text: str
    """What it says."""
    side: float
    """Its edge, points, before the operators scale it."""
    behind: str
    """Operators behind it."""

    def operators(self, _: Typesetter) -> str:
        """Return everything as it stands in the content stream."""
        return f"{self.before}{qr_path(self.text, self.side).content.decode('ascii')}{self.behind}"


class Piece(NamedTuple):
    """Everything that follows from one slot of a page."""

    said: Said
    """The text; with the same text the piece is the same."""
    mcid: int | None
    """Identifier of its (first) marked content; None if it has none."""
    painted: tuple[str | Shown | Code, ...] = ()
    """In painting order."""
    lines: tuple[PlacedLine, ...] = ()
    """For preflight."""
    placements: tuple[FieldPlacement, ...] = ()
    """For the index."""
    entries: tuple[str, ...] = ()
    """The same, as they stand in licence.json."""


class Wrapping(NamedTuple):
    """What stands around a text, in the content stream and in the index."""

    fields: tuple[str, ...]
    """Names its template draws on."""
    rect: tuple[int, int, int, int]
    """Its box in hundredths of a millimetre."""
    frame: IndexFrame
    """Its entry, but for place and text."""
    opening: str
    """Begins the marked content, up to the identifier."""
    closing: str
    """Ends it."""

    def piece(
        self, said: Said, place: tuple[int, int], lines: tuple[PlacedLine, ...], runs: tuple[Run, ...]
    ) -> Piece:
        """Return the piece of a text that is one marked-content sequence.

        Args:
            said: what is printed, and by which template.
            place: number of its page, and its identifier there.
            lines: the text as measured.
            runs: the text as shown.
        """
        page, mcid = place
        shown = (Shown(f"{self.opening}{mcid}>> BDC\n", runs, self.closing),)
        if not said.text:
            return Piece(said, mcid, shown)
        placement = FieldPlacement(said.template, self.fields, page, self.rect, mcid, said.text)
        return Piece(said, mcid, shown, lines, (placement,), (self.frame.entry(page, mcid, said.text),))


def wrapping(template: str, rect: Rect, colour: str, tag: str) -> Wrapping:
    """Return what stands around the texts of `template` in the box `rect`, mm, under a structure tag."""
    fields, box = template_names(template), hundredths(rect)
    opening, closing = f"/{tag} <</MCID ", "\nEMC"
    if colour != BLACK:
        opening, closing = f"q {rgb(colour)} rg\n{opening}", f"{closing}\nQ"
    return Wrapping(fields, box, index_frame(template, fields, box), opening, closing)
