"""What stands around a text: its marked content in the content stream, its place and template in the index."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from elicense.rendering.objects import rgb
from elicense.rendering.typeset import BLACK, hundredths
from elicense.wording import template_names

if TYPE_CHECKING:
    from elicense.rendering.template import Rect


class Wrapping(NamedTuple):
    """What stands around the texts of one template in one box, the same on every licence."""

    template: str
    """Prints them."""
    fields: tuple[str, ...]
    """Names it draws on."""
    rect: tuple[int, int, int, int]
    """The box in hundredths of a millimetre."""
    opening: str
    """Begins the marked content, up to the identifier."""
    closing: str
    """Ends the text object and the marked content."""


def wrapping(template: str, rect: Rect, colour: str, tag: str) -> Wrapping:
    """Return what stands around the texts of `template` in the box `rect`, mm, under a structure tag."""
    opening, closing = f"/{tag} <</MCID ", "ET\nEMC"
    if colour != BLACK:
        opening, closing = f"q {rgb(colour)} rg\n{opening}", f"{closing}\nQ"
    return Wrapping(template, template_names(template), hundredths(rect), opening, closing)
