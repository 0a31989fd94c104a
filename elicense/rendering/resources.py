"""Fonts and the seal as PDF objects."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from elicense.rendering.objects import POINTS_PER_MM, nums, ref, stream
from elicense.seal.drawing import IMAGE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from elicense.rendering.embedding import EmbeddedFont
    from elicense.rendering.fonts import FaceMetrics
    from elicense.rendering.objects import Body
    from elicense.seal.drawing import SealDrawing, SealImage


def write_fonts(
    body: Body, allocate: Callable[[], int], fonts: Iterable[EmbeddedFont], *, best: bool = False
) -> str:
    """Write the fonts; return their entries of a resource dictionary. Arguments as for `write_font`."""
    entries = []
    for font in fonts:
        number = write_font(body, allocate, font, best=best)
        entries += [f"/{name} {number} 0 R" for name in font.names]
    return "".join(entries)


def write_font(body: Body, allocate: Callable[[], int], font: EmbeddedFont, *, best: bool = False) -> int:
    """Write the five objects of a Type 0 font; return the number of the font dictionary.

    Args:
        body: where to.
        allocate: gives the next object number.
        font: what they hold.
        best: True for a font of the furniture, which is deflated as small as can be.

    Source: ISO 32000-1, 9.7 and 9.9; ISO 19005-3, 6.2.11 (embedded, CIDToGIDMap of a TrueType program, ToUnicode for
    level A; not read).
    """
    top, descendant, descriptor, program, unicode = (allocate() for _ in range(5))
    name = font.base_font
    body.add(
        top,
        f"<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/Identity-H"
        f"/DescendantFonts[{descendant} 0 R]/ToUnicode {unicode} 0 R>>",
    )
    if font.cff:
        subtype, key, glyph_map, entries = "CIDFontType0", "FontFile3", "", "/Subtype/CIDFontType0C"
    else:
        subtype, key, glyph_map = "CIDFontType2", "FontFile2", "/CIDToGIDMap/Identity"
        entries = f"/Length1 {len(font.program)}"
    body.add(
        descendant,
        f"<</Type/Font/Subtype/{subtype}/BaseFont/{name}"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        f"/FontDescriptor {descriptor} 0 R/DW 1000/W{font.widths}{glyph_map}>>",
    )
    body.add(
        descriptor,
        f"<</Type/FontDescriptor/FontName/{name}{_descriptor(font.metrics)}/{key} {program} 0 R>>",
    )
    body.add(program, stream(entries, font.program, best=best))
    body.add(unicode, stream("", font.to_unicode, best=best))
    return top


@lru_cache(maxsize=64)
def _descriptor(metrics: FaceMetrics) -> str:
    """Return the entries of a font descriptor that are the same for every subset of a face."""
    return (
        f"/Flags {metrics.flags}/FontBBox[{nums(*metrics.bbox)}]/ItalicAngle {nums(metrics.italic_angle)}"
        f"/Ascent {metrics.ascent}/Descent {metrics.descent}/CapHeight {metrics.cap_height}/StemV {metrics.stem_v}"
    )


def write_seal(body: Body, allocate: Callable[[], int], drawing: SealDrawing) -> int:
    """Write the seal's form XObject and what it needs; return its number."""
    form = allocate()
    objects = seal_objects(drawing, form)
    for number, content in objects.items():
        body.add(number, content)
    for _ in range(len(objects) - 1):
        allocate()
    return form


def seal_objects(drawing: SealDrawing, form: int) -> dict[int, bytes]:
    """Return the objects of a seal's appearance by number: its form XObject, a supplied picture behind it.

    It multiplies with what lies below, so that black text stays black under the red. Source: ISO 32000-1, 11.3.5.

    Args:
        drawing: the seal.
        form: number of the form XObject; a picture's numbers follow it.
    """
    picture, mask = form + 1, form + 2
    images = f"/XObject<</{IMAGE_NAME} {ref(picture)}>>" if drawing.image is not None else ""
    dictionary = f"{_form(drawing)}/Resources<</ExtGState<</GM<</Type/ExtGState/BM/Multiply>>>>{images}>>"
    objects = {}
    if drawing.image is not None:
        objects[mask], objects[picture] = _image(drawing.image, mask)
    return {**objects, form: stream(dictionary, b"/GM gs\n" + drawing.content, best=True)}


def blank_appearance(drawing: SealDrawing) -> bytes:
    """Return the body of the appearance of a field whose seal is still to come: its size, and nothing in it."""
    return stream(_form(drawing), b"", compress=False)


def _form(drawing: SealDrawing) -> str:
    size = (drawing.width_mm * POINTS_PER_MM, drawing.height_mm * POINTS_PER_MM)
    return f"/Type/XObject/Subtype/Form/BBox[0 0 {nums(*size)}]"


def _image(image: SealImage, mask: int) -> tuple[bytes, bytes]:
    """Return the bodies of a supplied picture's soft mask, which is object `mask`, and of the picture."""
    shape = f"/Type/XObject/Subtype/Image/Width {image.width}/Height {image.height}/BitsPerComponent 8"
    return (
        stream(f"{shape}/ColorSpace/DeviceGray", image.alpha, best=True),
        stream(f"{shape}/ColorSpace/DeviceRGB/SMask {ref(mask)}", image.rgb, best=True),
    )
