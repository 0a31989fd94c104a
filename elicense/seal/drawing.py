"""A seal as vectors: the same geometry as PDF operators for the page and as SVG for previews, pure red."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from elicense.seal.geometry import POINTS_PER_MM, Affine, Outline, decimal
from elicense.seal.layouts import SPECIMEN, arrange
from elicense.seal.lettering import GlyphOutline, GlyphOutlines
from elicense.seal.model import SealArt, SealPicture
from elicense.seal.picture import SealImage, read_picture

__all__ = ["IMAGE_NAME", "GlyphOutline", "GlyphOutlines", "SealDrawing", "SealImage", "draw_seal"]

IMAGE_NAME = "SealImage"
"""Name under /XObject in /Resources by which `content` calls a supplied picture."""


@dataclass(frozen=True, slots=True)
class SealDrawing:
    """A seal ready for a page, at its true size."""

    width_mm: float
    """True width in mm; the appearance's /BBox is this wide."""
    height_mm: float
    """True height in mm."""
    outlines: tuple[Outline, ...]
    """Shapes in points, origin at the lower left of the seal's box; empty for a supplied picture."""
    image: SealImage | None
    """A supplied picture's pixels, or None."""
    words: str
    """What the seal says, for screen readers."""

    @property
    def content(self) -> bytes:
        """PDF operators in points from the lower left of the seal's box; the graphics state is kept."""
        width, height = self.width_mm * POINTS_PER_MM, self.height_mm * POINTS_PER_MM
        if self.image is not None:
            return f"q {decimal(width)} 0 0 {decimal(height)} 0 0 cm /{IMAGE_NAME} Do Q\n".encode("ascii")
        painted = "\n".join(outline.painted() for outline in self.outlines)
        return f"q 1 0 0 rg\n{painted}\nQ\n".encode("ascii")

    def svg(self) -> str:
        """Return the same drawing as a stand-alone SVG document, in millimetres."""
        width, height = self.width_mm * POINTS_PER_MM, self.height_mm * POINTS_PER_MM
        if self.image is not None:
            body = (
                f'<image width="{decimal(width)}" height="{decimal(height)}" href="{self.image.data_uri()}"/>'
            )
        else:
            paths = "".join(f'<path d="{outline.svg_data()}"/>' for outline in self.outlines)
            body = f'<g fill="#f00" transform="matrix(1 0 0 -1 0 {decimal(height)})">{paths}</g>'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{self.width_mm:g}mm" '
            f'height="{self.height_mm:g}mm" viewBox="0 0 {decimal(width)} {decimal(height)}">'
            f"<title>{escape(self.words)}</title>{body}</svg>\n"
        )


def draw_seal(art: SealArt | SealPicture, outlines: GlyphOutlines) -> SealDrawing:
    """Return the drawing of a seal, the same for the same art and the same glyphs.

    Args:
        art: words to draw, or a supplied picture.
        outlines: shapes of the characters; not asked when a picture was supplied.

    Raises:
        SealError: a text that does not fit, a size that cannot be, a picture that is not fit for a seal.
    """
    if isinstance(art, SealPicture):
        return SealDrawing(art.width, art.height, (), read_picture(art), "印章图片")
    to_corner = Affine(
        POINTS_PER_MM, 0, 0, POINTS_PER_MM, art.width / 2 * POINTS_PER_MM, art.height / 2 * POINTS_PER_MM
    )
    shapes = tuple(shape.moved(to_corner) for shape in arrange(art, outlines))
    words = (art.text, art.lower_text, art.code, SPECIMEN if art.specimen else "")
    return SealDrawing(art.width, art.height, shapes, None, " ".join(filter(None, words)))
