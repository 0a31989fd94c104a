"""The picture that is drawn is the QR code that readers read, and module for module the one that segno draws."""

import io
import random
import re
import shutil
import string
import subprocess

import pypdfium2
import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject
from segno.encoder import evaluate_mask, make_matrix

from elicense.errors import RenderingError
from elicense.rendering.qrcode import LONGEST, QUIET_MODULES, qr_path
from elicense.rendering.qrmasks import MASKS, MaskChoice
from elicense.rendering.qrtables import SymbolTable, picture_of
from elicense.verification.marks import _OPERATOR, marked_text
from tests.support.general_road import symbol

ADDRESS = "https://verify.example/l/1.2.156.3005.2.11990000000000000000100000000000000001.Q?c=1"


def picture(drawing, pixels=4):
    """Return the image mask of the stream enlarged, with its quiet zone."""
    found = re.fullmatch(
        rb"q 0 g ([0-9.]+) 0 0 \1 0 0 cm\nBI /IM true /W (\d+) /H \2 /BPC 1 /F/AHx ID ([0-9a-f]+)>\nEI\nQ\n",
        drawing.content,
    )
    assert float(found[1]) == pytest.approx(drawing.size)
    edge = int(found[2])
    assert edge == drawing.modules
    symbol = Image.frombytes("1", (edge, edge), bytes.fromhex(found[3].decode())).convert("L")
    whole = Image.new("L", (edge + 2 * QUIET_MODULES,) * 2, 255)
    whole.paste(symbol, (QUIET_MODULES, QUIET_MODULES))
    return whole.resize((whole.width * pixels,) * 2, Image.Resampling.NEAREST)


def read(image):
    """Return the one QR code in an image."""
    (code,) = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    return code


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="ABCabc019:/?=.-许可证示例𠮷", min_size=1, max_size=120), st.sampled_from("LMQH"))
def test_what_is_drawn_is_read_back(text, error):
    """Any address or Chinese text is read back from the picture, at the asked error level and not above it."""
    code = read(picture(qr_path(text, 300, error)))
    assert code.text == text
    assert code.ec_level == error


def test_same_text_gives_same_bytes():
    """Drawing is reproducible, and another text gives another picture."""
    assert qr_path(ADDRESS, 80) == qr_path(ADDRESS, 80)
    assert qr_path(ADDRESS + "0", 80).content != qr_path(ADDRESS, 80).content


def test_numbers_describe_the_symbol():
    """Modules, version and the quiet zone agree with each other."""
    drawing = qr_path(ADDRESS, 80)
    assert drawing.modules == 17 + 4 * drawing.version
    assert drawing.quiet == pytest.approx(80 / drawing.modules * 4)


def page_with(drawing, x, y):
    """Return a PDF of one page with the symbol at (x, y)."""
    writer = PdfWriter()
    page = writer.add_blank_page(200, 200)
    stream = DecodedStreamObject()
    stream.set_data(b"q 1 0 0 1 %d %d cm\n%sQ\n" % (x, y, drawing.content))
    page[NameObject("/Contents")] = writer._add_object(stream)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def by_pdfium(pdf, dpi):
    """Return the page as PDFium, the reader in Chrome, renders it."""
    with pypdfium2.PdfDocument(pdf) as document:
        return document[0].render(scale=dpi / 72).to_pil().convert("L")


def by_poppler(pdf, dpi):
    """Return the page as poppler renders it."""
    options = ["-png", "-r", str(dpi), "-singlefile"]
    done = subprocess.run(["pdftoppm", *options, "-"], input=pdf, capture_output=True, timeout=60, check=True)
    return Image.open(io.BytesIO(done.stdout)).convert("L")


def test_code_is_read_from_a_rendered_page():
    """On a page rendered at 96, 150 and 300 dpi the symbol is read, and stands in the square it was given."""
    pdf = page_with(qr_path(ADDRESS, 90), 50, 60)
    for dpi in (96, 150, 300):
        code = read(by_pdfium(pdf, dpi))
        assert code.text == ADDRESS
        corners = (code.position.top_left, code.position.bottom_right)
        inches = [value / dpi * 72 for point in corners for value in (point.x, point.y)]
        assert inches == pytest.approx([50, 50, 140, 140], abs=1.5)


@pytest.mark.parametrize("dpi", [300, 600])
def test_edges_of_modules_are_sharp(dpi):
    """Enlarged, the picture is black and white without a grey pixel between."""
    histogram = by_pdfium(page_with(qr_path(ADDRESS, 90), 50, 60), dpi).histogram()
    assert sum(histogram[1:255]) == 0


@pytest.mark.interop
@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler is not installed")
@pytest.mark.parametrize("dpi", [96, 150, 300])
def test_poppler_renders_it_sharp(dpi):
    """Poppler renders the symbol without grey pixels, and it is read."""
    image = by_poppler(page_with(qr_path(ADDRESS, 90), 50, 60), dpi)
    assert read(image).text == ADDRESS
    assert sum(image.histogram()[1:255]) == 0


def drawn_by_segno(text, error):
    """Return segno's picture of a symbol, under the mask that segno finds best."""
    return picture_of(symbol(text, error))


@pytest.mark.parametrize("error", "LMQH")
def test_every_length_is_drawn_as_segno_draws_it(error):
    """For every length that comes from a table the symbol equals segno's, module for module, mask included."""
    dice = random.Random(f"lengths {error}")  # noqa: S311  only texts
    for length in range(1, LONGEST + 1, 3 if error == "M" else 7):
        text = dice.randbytes(length)
        assert SymbolTable(error, length).picture(text) == drawn_by_segno(text, error), length


@pytest.mark.parametrize("part", range(4))
def test_thousands_of_addresses_are_drawn_as_segno_draws_them(part):
    """Two thousand addresses of different texts and lengths equal segno's symbols, mask included."""
    dice = random.Random(f"addresses {part}")  # noqa: S311  only texts
    for _ in range(500):
        tail = "".join(dice.choices("0123456789ABCDEFGHJKLMNPQRTUWXY.", k=dice.choice((60, 61, 62, 63))))
        text = f"https://verify.example/l/{tail}"
        drawing = qr_path(text, 90)
        assert drawn_by_segno(text, "M").hex().encode() in drawing.content


@pytest.mark.parametrize("modules", [21, 33, 45, 49])
def test_the_mask_of_least_penalty_is_chosen(modules):
    """Among pictures full of what the rules punish, finder patterns that share modules too, segno says the same."""
    dice = random.Random(modules)  # noqa: S311  only pictures
    parts = ("1011101", "10111011101", "0000", "11111", "01", "1", "0")
    row_bits = (modules + 7) // 8 * 8
    chosen = set()
    for _ in range(60):
        drawn = [
            ["".join(dice.choices(parts, k=modules))[:modules] for _ in range(modules)] for _ in range(MASKS)
        ]
        if dice.random() < 0.5:
            drawn = [list(map("".join, zip(*rows, strict=True))) for rows in drawn]
        zeros = [
            int("".join(row.translate({48: 49, 49: 48}).ljust(row_bits, "1") for row in rows), 2)
            for rows in drawn
        ]
        best = MaskChoice(zeros, modules, row_bits).best(0)
        scores = [evaluate_mask(unwritten(rows, modules), modules, modules) for rows in drawn]
        assert best == scores.index(min(scores))
        chosen.add(best)
    assert len(chosen) == MASKS


def unwritten(rows, modules):
    """Return a symbol's modules as segno scores them: format, version and the dark module are light."""
    free = make_matrix(modules, modules, add_timing=False)
    # The timing patterns cross the format's strips.
    return [
        bytearray(int(rows[row][at]) if free[row][at] or 6 in (row, at) else 0 for at in range(modules))
        for row in range(modules)
    ]


def test_a_table_forgets_what_it_kept_without_a_change():
    """More texts than a table keeps stretches of are all drawn right, also those that come again."""
    table = SymbolTable("L", 8)
    texts = [number.to_bytes(8, "big") for number in range(200)]
    drawn = [drawn_by_segno(text, "L") for text in texts]
    assert [table.picture(text) for text in texts * 2] == drawn * 2


def test_texts_of_other_modes_are_left_to_segno():
    """Digits, capitals and Chinese get the mode and the mask that segno chooses."""
    for text, rest in (("1" * 40, {}), ("ABC-12/3", {}), ("证照", {"mode": "byte", "encoding": "utf-8"})):
        symbol = segno.make_qr(text, error="m", boost_error=False, **rest)
        drawing = qr_path(text, 90)
        assert picture_of(symbol).hex().encode() in drawing.content
        assert drawing.version == symbol.version


@given(st.text(alphabet=string.printable, min_size=1, max_size=100))
@settings(max_examples=200, deadline=None)
def test_no_picture_looks_like_shown_text(text):
    """The verifier's grammar of shown text and marks finds nothing in any picture."""
    assert marked_text(qr_path(text, 300).content, {}) == {}
    assert not _OPERATOR.search(qr_path(text, 300).content)


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
