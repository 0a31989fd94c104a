"""The path that is drawn is the QR code that readers read."""

import io
import re

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from elicense.errors import RenderingError
from elicense.rendering.qrcode import QUIET_MODULES, qr_modules, qr_path

ADDRESS = "https://verify.example/l/1.2.156.3005.2.11990000000000000000100000000000000001.Q?c=1"


def picture(drawing, pixels=4):
    """Return the path rasterised by hand: each rectangle of the stream, with its quiet zone."""
    edge = (drawing.modules + 2 * QUIET_MODULES) * pixels
    image = Image.new("L", (edge, edge), 255)
    pen = ImageDraw.Draw(image)
    for found in re.findall(rb"^(\d+) (\d+) (\d+) 1 re$", drawing.content, re.MULTILINE):
        x, y, width = map(int, found)
        left = (QUIET_MODULES + x) * pixels
        top = (QUIET_MODULES + drawing.modules - 1 - y) * pixels
        pen.rectangle([left, top, left + width * pixels - 1, top + pixels - 1], fill=0)
    return image


def read(image):
    """Return the one QR code in an image."""
    (code,) = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    return code


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="ABCabc019:/?=.-许可证示例𠮷", min_size=1, max_size=120), st.sampled_from("LMQH"))
def test_what_is_drawn_is_read_back(text, error):
    """Any address or Chinese text is read back from the path, at the asked error level and not above it."""
    code = read(picture(qr_path(text, 300, error)))
    assert code.text == text
    assert code.ec_level == error


def test_same_text_gives_same_bytes():
    """Drawing is reproducible, and another text gives another path."""
    assert qr_path(ADDRESS, 80) == qr_path(ADDRESS, 80)
    assert qr_path(ADDRESS + "0", 80).content != qr_path(ADDRESS, 80).content


def test_numbers_describe_the_symbol():
    """Modules, version and the quiet zone agree with each other."""
    drawing = qr_path(ADDRESS, 80)
    assert drawing.modules == 17 + 4 * drawing.version == qr_modules(ADDRESS)
    assert drawing.quiet == pytest.approx(80 / drawing.modules * 4)


def test_code_is_read_from_a_rendered_page():
    """On a page rendered at 150 dpi the symbol is read, and stands in the square it was given."""
    writer = PdfWriter()
    page = writer.add_blank_page(200, 200)
    stream = DecodedStreamObject()
    stream.set_data(b"q 1 0 0 1 50 60 cm\n" + qr_path(ADDRESS, 90).content + b"Q\n")
    page[NameObject("/Contents")] = writer._add_object(stream)
    file = io.BytesIO()
    writer.write(file)
    with pypdfium2.PdfDocument(file.getvalue()) as document:
        image = document[0].render(scale=150 / 72).to_pil()
    code = read(image)
    assert code.text == ADDRESS
    corners = (code.position.top_left, code.position.bottom_right)
    inches = [value / 150 * 72 for point in corners for value in (point.x, point.y)]
    assert inches == pytest.approx([50, 50, 140, 140], abs=1.5)


def test_code_too_fine_to_print_is_refused():
    """Modules under a quarter of a millimetre are refused with the size that is needed."""
    with pytest.raises(RenderingError, match=r"needs 9\.2 mm"):
        qr_path(ADDRESS, 20)


def test_text_without_end_is_refused():
    """A text that no symbol holds, and an empty one, are refused in a sentence."""
    with pytest.raises(RenderingError, match="too long"):
        qr_path("证" * 2000, 500)
    with pytest.raises(RenderingError, match="needs a text"):
        qr_path("", 80)
