"""Page objects, the page tree and the signature field: written by the compiler, or by the fill where a flow decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elicense.rendering.objects import POINTS_PER_MM, num, nums, ref, refs, text_string

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elicense.rendering.template import Numbers

FIELD_NAME = "Seal"
"""`/T` of the first signature field; further ones are Seal2, Seal3, …"""
_PRINT_AND_LOCKED = 4 | 128
"""Annotation flags: printed, cannot be moved. Source: ISO 32000-1, 12.5.3; ISO 19005-3, 6.3.2 asks for Print."""


def page_object(
    numbers: Numbers,
    size: tuple[float, float],
    *,
    contents: Sequence[int],
    key: int,
    sealed: bool,
) -> str:
    """Return a page's body.

    Args:
        numbers: of the objects it points at.
        size: width and height, mm.
        contents: content streams, in painting order.
        key: its place in the parent tree.
        sealed: True if the signature fields stand on it.
    """
    width, height = (num(value * POINTS_PER_MM) for value in size)
    tagged = f"/StructParents {key}/Tabs/S" if numbers.structure else "/Tabs/S" if sealed else ""
    annotations = f"/Annots[{refs(numbers.fields)}]" if sealed else ""
    return (
        f"<</Type/Page/Parent {ref(numbers.pages)}/MediaBox[0 0 {width} {height}]"
        f"/Resources {ref(numbers.resources)}/Contents[{refs(contents)}]{annotations}{tagged}"
        "/Group<</S/Transparency/CS/DeviceRGB>>>>"
    )


def page_tree(pages: Sequence[int]) -> str:
    """Return the page tree's body."""
    return f"<</Type/Pages/Kids[{refs(pages)}]/Count {len(pages)}>>"


def widget_object(
    numbers: Numbers,
    *,
    page: int,
    rect: tuple[float, float, float, float],
    key: int,
    words: str,
    place: int = 0,
) -> bytes:
    """Return the body of a signature field, which is also its annotation.

    Args:
        numbers: of the objects it points at.
        page: object number of its page.
        rect: its box, mm.
        key: its place in the parent tree.
        words: what the seal says, for those who cannot see it.
        place: which field in the order of sealing, from 0; only the first has a value before it is sealed, the last
            of several locks the document.
    """
    x, y, width, height = (value * POINTS_PER_MM for value in rect)
    tagged = f"/StructParent {key}" if numbers.structure else ""
    if place == 0:
        name, value, appearance = FIELD_NAME, f"/V {ref(numbers.signature)}", numbers.seal
    else:
        name, appearance = f"{FIELD_NAME}{place + 1}", numbers.blank[place - 1]
        value = f"/Lock {ref(numbers.lock)}" if place == len(numbers.further) else ""
    head = (
        f"<</Type/Annot/Subtype/Widget/FT/Sig/T({name}){value}/F {_PRINT_AND_LOCKED}"
        f"/P {ref(page)}/Rect[{nums(x, y, x + width, y + height)}]/AP<</N {ref(appearance)}>>{tagged}/TU "
    )
    return head.encode("ascii") + text_string(f"电子印章：{words}") + b">>"
