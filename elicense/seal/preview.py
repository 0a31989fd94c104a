"""A seal on its own, to look at before it is used: an SVG, or a PDF page that prints at true size."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Literal

from elicense.seal.drawing import IMAGE_NAME, draw_seal
from elicense.seal.geometry import POINTS_PER_MM, decimal

if TYPE_CHECKING:
    from elicense.seal.drawing import GlyphOutlines, SealDrawing, SealImage
    from elicense.seal.model import SealArt, SealPicture

MARGIN_MM = 10.0
"""White on each side of the seal on the PDF page."""


def preview(
    art: SealArt | SealPicture,
    outlines: GlyphOutlines,
    *,
    format: Literal["svg", "pdf"],  # noqa: A002  the command line's own word
) -> bytes:
    """Return the seal as an SVG document (UTF-8) or a PDF of one page; the same bytes for the same art.

    Raises:
        SealError: as `draw_seal`.
    """
    drawing = draw_seal(art, outlines)
    return drawing.svg().encode() if format == "svg" else _pdf(drawing)


def _pdf(drawing: SealDrawing) -> bytes:
    """Return a page with the seal in its middle."""
    width, height = ((side + 2 * MARGIN_MM) * POINTS_PER_MM for side in (drawing.width_mm, drawing.height_mm))
    margin = decimal(MARGIN_MM * POINTS_PER_MM)
    content = f"q 1 0 0 1 {margin} {margin} cm\n".encode("ascii") + drawing.content + b"Q\n"
    resources = f"/XObject << /{IMAGE_NAME} 5 0 R >>" if drawing.image is not None else ""
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {decimal(width)} {decimal(height)}] "
        f"/Contents 4 0 R /Resources << {resources} >> >>"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page.encode("ascii"),
        _stream("", content),
    ]
    if drawing.image is not None:
        objects += _image_objects(drawing.image, mask=6)
    return _file(objects)


def _image_objects(image: SealImage, *, mask: int) -> list[bytes]:
    """Return the picture and its soft mask, which becomes object number `mask`."""
    common = f"/Type /XObject /Subtype /Image /Width {image.width} /Height {image.height} /BitsPerComponent 8"
    return [
        _stream(f"{common} /ColorSpace /DeviceRGB /SMask {mask} 0 R", image.rgb),
        _stream(f"{common} /ColorSpace /DeviceGray", image.alpha),
    ]


def _stream(entries: str, data: bytes) -> bytes:
    packed = zlib.compress(data, 9)
    head = f"<< {entries} /Filter /FlateDecode /Length {len(packed)} >>\nstream\n"
    return head.encode("ascii") + packed + b"\nendstream"


def _file(objects: list[bytes]) -> bytes:
    """Return a PDF 1.7 file; the first object is the catalog."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode("ascii") + body + b"\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    tail = (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    )
    return bytes(out) + tail.encode("ascii")
