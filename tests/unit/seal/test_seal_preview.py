"""A preview shows the seal at its true size, as SVG or PDF."""

from __future__ import annotations

import io

import pypdfium2
import pytest
from PIL import Image, ImageDraw
from pypdf import PdfReader
from seal_samples import round_art

from elicense.errors import SealError
from elicense.seal.drawing import draw_seal
from elicense.seal.model import SealPicture
from elicense.seal.preview import preview


def supplied():
    """Return a supplied picture: a red bar in the left half of a transparent square."""
    image = Image.new("RGBA", (500, 500), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((0, 0, 249, 499), fill=(255, 0, 0, 255))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return SealPicture(buffer.getvalue(), 40, 40)


def shown(data):
    """Return the page of a preview as a picture, five pixels a millimetre."""
    document = pypdfium2.PdfDocument(data)
    image = document[0].render(scale=5 * 25.4 / 72).to_pil().convert("RGB")
    document.close()
    return image


def test_svg_is_the_drawing(blocks):
    """The SVG preview is the drawing's own SVG, in UTF-8."""
    art = round_art(specimen=True)
    assert preview(art, blocks, format="svg") == draw_seal(art, blocks).svg().encode()


def test_pdf_prints_at_true_size(blocks):
    """The PDF has one page, the seal in its middle at true size within 10 mm of white, in red only."""
    data = preview(round_art(specimen=True), blocks, format="pdf")
    page = PdfReader(io.BytesIO(data), strict=True).pages[0]
    assert float(page.mediabox.width) == pytest.approx(62 / 25.4 * 72, abs=0.01)
    image = shown(data)
    ink = image.getchannel("G").point(lambda value: 255 - value).getbbox()
    assert ink == pytest.approx((50, 50, 260, 260), abs=1)
    assert image.getchannel("R").getextrema() == (255, 255)


def test_pdf_shows_a_supplied_picture(blocks):
    """A supplied picture keeps its transparency and its sides in the PDF."""
    image = shown(preview(supplied(), blocks, format="pdf"))
    assert image.getpixel((100, 150)) == (255, 0, 0)
    assert image.getpixel((200, 150)) == (255, 255, 255)
    assert image.getchannel("G").point(lambda value: 255 - value).getbbox() == pytest.approx(
        (50, 50, 150, 250), abs=1
    )


@pytest.mark.parametrize("form", ["svg", "pdf"])
def test_same_bytes(form, blocks):
    """A preview is the same each time."""
    assert preview(supplied(), blocks, format=form) == preview(supplied(), blocks, format=form)


def test_unfit_art_is_refused(blocks):
    """A seal that cannot be drawn has no preview."""
    with pytest.raises(SealError):
        preview(round_art("样"), blocks, format="svg")
