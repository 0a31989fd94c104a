"""Fonts and the seal as PDF objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elicense.rendering.objects import POINTS_PER_MM, nums, ref, stream
from elicense.seal.drawing import IMAGE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from elicense.rendering.embedding import EmbeddedFont
    from elicense.rendering.objects import Body
    from elicense.seal.drawing import SealDrawing, SealImage


def write_font(body: Body, allocate: Callable[[], int], font: EmbeddedFont) -> int:
    """Write the six objects of a Type 0 font; return the number of the font dictionary.

    Source: ISO 32000-1, 9.7; ISO 19005-3, 6.2.11 (embedded, CIDToGIDMap present, ToUnicode for level A; not read).
    """
    top, descendant, descriptor, program, gids, unicode = (allocate() for _ in range(6))
    metrics = font.metrics
    body.add(
        top,
        f"<</Type/Font/Subtype/Type0/BaseFont/{font.base_font}/Encoding/Identity-H"
        f"/DescendantFonts[{ref(descendant)}]/ToUnicode {ref(unicode)}>>",
    )
    body.add(
        descendant,
        f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{font.base_font}"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        f"/FontDescriptor {ref(descriptor)}/DW 1000/W {font.widths}/CIDToGIDMap {ref(gids)}>>",
    )
    body.add(
        descriptor,
        f"<</Type/FontDescriptor/FontName/{font.base_font}/Flags {metrics.flags}"
        f"/FontBBox[{nums(*metrics.bbox)}]/ItalicAngle {nums(metrics.italic_angle)}"
        f"/Ascent {metrics.ascent}/Descent {metrics.descent}/CapHeight {metrics.cap_height}"
        f"/StemV {metrics.stem_v}/FontFile2 {ref(program)}>>",
    )
    body.add(program, stream(f"/Length1 {len(font.program)}", font.program))
    body.add(gids, stream("", font.cid_to_gid))
    body.add(unicode, stream("", font.to_unicode))
    return top


def write_seal(body: Body, allocate: Callable[[], int], drawing: SealDrawing) -> int:
    """Write the seal's form XObject; return its number.

    It multiplies with what lies below, so that black text stays black under the red. Source: ISO 32000-1, 11.3.5.
    """
    form = allocate()
    size = (drawing.width_mm * POINTS_PER_MM, drawing.height_mm * POINTS_PER_MM)
    images = ""
    if drawing.image is not None:
        images = f"/XObject<</{IMAGE_NAME} {ref(_write_image(body, allocate, drawing.image))}>>"
    dictionary = (
        f"/Type/XObject/Subtype/Form/BBox[0 0 {nums(*size)}]"
        f"/Resources<</ExtGState<</GM<</Type/ExtGState/BM/Multiply>>>>{images}>>"
    )
    body.add(form, stream(dictionary, b"/GM gs\n" + drawing.content))
    return form


def _write_image(body: Body, allocate: Callable[[], int], image: SealImage) -> int:
    """Write a supplied picture and its soft mask; return the picture's number."""
    picture, mask = allocate(), allocate()
    shape = f"/Type/XObject/Subtype/Image/Width {image.width}/Height {image.height}/BitsPerComponent 8"
    body.add(mask, stream(f"{shape}/ColorSpace/DeviceGray", image.alpha))
    body.add(picture, stream(f"{shape}/ColorSpace/DeviceRGB/SMask {ref(mask)}", image.rgb))
    return picture
