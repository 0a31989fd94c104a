"""Every kind of seal, straddle seals, rare characters and an operator's font: issued, believed, conforming, and true.

What is measured is measured on the picture that poppler paints of the sealed file, not on what we meant to draw.
"""

from __future__ import annotations

import hashlib
import io
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pypdf
import pypdfium2
import pytest
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem
from oracles import ask_java, require, run
from PIL import Image, ImageChops, ImageDraw

from elicense.catalogue import Catalogue, templates_folder
from elicense.errors import SealError
from elicense.issuing import issue
from elicense.registry.memory import MemoryRegistry
from elicense.rendering.fonts import FontLibrary
from elicense.seal.model import SealArt, SealCentre, SealPicture, SealShape
from elicense.verification.document import InProcess
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from tests.support.demonstration import SLUG, request_with
from tests.support.sealing import SEAL_NUMBER, House, house, round_seal

pytestmark = pytest.mark.interop

POINTS_PER_MM = 72 / 25.4
DPI = 300
NAME = "样例市市场监督管理局"
USE = "电子证照专用章"
TEST_TYPES = Path(__file__).parents[1] / "unit" / "rendering" / "data"


@cache
def home() -> House:
    """Return the house of these tests, of today: veraPDF and poppler do not ask, EU DSS would."""
    return house(datetime.now(UTC).replace(microsecond=0))


def issued(request: object, office: object) -> bytes:
    """Return the document of a request, which our own verifier passes."""
    pdf = issue(request, office, at=home().at).pdf
    report = verify(pdf, trust=office.trust, at=home().at, sandbox=InProcess())
    assert report.indication is Indication.TOTAL_PASSED, report.checks
    return pdf


def painted(path: Path, page: int, box: tuple[float, float, float, float]) -> Image.Image:
    """Return what poppler paints in a box (left, bottom, width, height in mm) of a page (1-based)."""
    pdftoppm = require("pdftoppm")
    pixels = DPI / 25.4
    left, bottom, width, height = box
    top = float(pypdf.PdfReader(path).pages[page - 1].mediabox.height) / POINTS_PER_MM - bottom - height
    part = [("-x", left), ("-y", top), ("-W", width), ("-H", height)]
    part = [word for name, length in part for word in (name, str(round(length * pixels)))]
    stem = path.with_name(f"{path.stem}-{page}")
    done = run(pdftoppm, "-r", str(DPI), "-png", "-singlefile", "-f", str(page), *part, str(path), str(stem))
    assert done.returncode == 0, done.stderr
    with Image.open(stem.with_suffix(".png")) as opened:
        return opened.convert("RGB")


def reds(picture: Image.Image) -> Image.Image:
    """Return a mask of what is red: strong red, little else."""
    red, green, blue = picture.split()
    strong = red.point(lambda value: 255 if value > 200 else 0)
    weak = ImageChops.lighter(green, blue).point(lambda value: 255 if value < 110 else 0)
    return ImageChops.multiply(strong, weak)


def blanks(picture: Image.Image) -> Image.Image:
    """Return a mask of bare paper; text, borders and seals are none."""
    red, green, blue = picture.split()
    darkest = ImageChops.darker(ImageChops.darker(red, green), blue)
    return darkest.point(lambda value: 255 if value > 235 else 0)


def count(mask: Image.Image) -> int:
    """Return how many pixels are in a mask."""
    return sum(mask.histogram()[128:])


def widget(path: Path) -> tuple[int, tuple[float, float, float, float]]:
    """Return page (1-based) and box (left, bottom, width, height in mm) of the signature's widget."""
    for number, page in enumerate(pypdf.PdfReader(path).pages, 1):
        for annotation in page.get("/Annots", ()):
            left, bottom, right, top = (float(side) / POINTS_PER_MM for side in annotation["/Rect"])
            return number, (left, bottom, right - left, top - bottom)
    raise AssertionError("no widget")


# --- Seals ---


def drawn_by_hand(width: float, height: float, *, dpi: int = 600, background: int = 0) -> bytes:
    """Return a PNG of a double oval with a star of bars, touching all four sides of its box."""
    size = (round(width / 25.4 * dpi), round(height / 25.4 * dpi))
    picture = Image.new("RGBA", size, (255, 255, 255, background))
    pen = ImageDraw.Draw(picture)
    right, lower = size[0] - 1, size[1] - 1
    pen.ellipse((0, 0, right, lower), outline=(230, 0, 18, 255), width=dpi // 20)
    inset = dpi // 10
    pen.ellipse((inset, inset, right - inset, lower - inset), outline=(230, 0, 18, 255), width=dpi // 60)
    pen.regular_polygon((size[0] / 2, size[1] / 2, size[1] / 5), 5, fill=(230, 0, 18, 255))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


ARTS = {
    "star": round_seal(NAME),
    "emblem": round_seal(NAME, centre=SealCentre.EMBLEM, width=42.0, height=42.0),
    "none": round_seal(NAME, centre=SealCentre.NONE),
    "lower text": round_seal(NAME, lower_text=USE),
    "lower text and code": round_seal(NAME, lower_text=USE, code=SEAL_NUMBER, width=42.0, height=42.0),
    "oval": SealArt(SealShape.OVAL, 42, 28, NAME, SealCentre.NONE, "登记专用章", SEAL_NUMBER, specimen=True),
    "square": SealArt(SealShape.SQUARE, 36, 36, NAME + "专用章", SealCentre.NONE, specimen=True),
    "picture": SealPicture(drawn_by_hand(42, 28), 42, 28),
}


@dataclass(frozen=True)
class Variant:
    """A licence under one kind of seal."""

    path: Path
    art: SealArt | SealPicture


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Variant]:
    """The same licence under every kind of seal; our own verifier passes each."""
    folder = tmp_path_factory.mktemp("seals")
    signer = home().identity().signer()
    found = {}
    for name, art in ARTS.items():
        path = folder / f"{name.replace(' ', '-')}.pdf"
        path.write_bytes(issued(request_with(), home().office(signer, art=art)))
        found[name] = Variant(path, art)
    return found


def test_every_seal_has_its_true_size(variants):
    """The widget has the declared millimetres, and the red that poppler paints fills exactly that box."""
    for name, variant in variants.items():
        page, (left, bottom, width, height) = widget(variant.path)
        assert (width, height) == pytest.approx((variant.art.width, variant.art.height), abs=0.01), name
        around = (left - 2, bottom - 2, width + 4, height + 4)
        box = reds(painted(variant.path, page, around)).getbbox()
        pixel = 25.4 / DPI
        measured = [(box[2] - box[0]) * pixel, (box[3] - box[1]) * pixel]
        assert measured == pytest.approx([width, height], abs=0.2), name
        assert [box[0] * pixel, box[1] * pixel] == pytest.approx([2, 2], abs=0.2), name


def opaque() -> bytes:
    """Return the picture on white paper."""
    return drawn_by_hand(42, 42, background=255)


def jpeg() -> bytes:
    """Return the picture as a JPEG."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(opaque())).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


BAD_PICTURES = {
    "72 dpi": (lambda: drawn_by_hand(42, 42, dpi=72), "dpi"),
    "JPEG": (jpeg, "not a PNG"),
    "opaque": (opaque, "transparent"),
    "too large": (lambda: drawn_by_hand(42, 42, dpi=1400), "at most"),
    "cut off": (lambda: drawn_by_hand(42, 42)[:4000], "damaged"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_a_bad_picture_is_refused_before_anything_is_reserved(name):
    """A picture that is coarse, opaque, huge, damaged or no PNG is a SealError, and no number is spent."""
    make, words = BAD_PICTURES[name]
    office = home().office(
        home().identity().signer(), art=SealPicture(make(), 42, 42), registry=MemoryRegistry()
    )
    with pytest.raises(SealError, match=words):
        issue(request_with(), office, at=home().at)
    assert office.registry.unfinished() == ()
    assert not office.registry._counters
    assert office.store._documents == {}


# --- Straddle seals ---


def straddled(pages: int, folder: Path) -> tuple[Path, str]:
    """Return a sealed document of `pages` pages with a straddle seal, and the edge it is at."""
    if pages == 4:
        slug, catalogue, edge, fields = "real-estate-certificate", None, "right", {}
    else:
        catalogue = Catalogue.load(TEST_TYPES)
        slug, edge, fields = {
            2: ("test-permit", "right", {}),
            20: (
                "test-reply",
                "left",
                {"body": [f"第{n}项。" + "请按规定办理后续手续。" * 60 for n in range(16)]},
            ),
        }[pages]
    signer = home().identity(slug) if catalogue is None else None
    authority_type = (catalogue or home().office(signer.signer(), slug=slug).catalogue)[slug]
    authority = authority_type.sample_authority()
    identity = home().seals.seal(SEAL_NUMBER, authority.name, authority.code)
    office = home().office(
        identity.signer(), slug=slug, catalogue=catalogue, art=round_seal(authority.name, code=SEAL_NUMBER)
    )
    sample = authority_type.sample_request()
    path = folder / f"straddle-{pages}.pdf"
    path.write_bytes(issued(replace(sample, fields={**sample.fields, **fields}), office))
    return path, edge


@pytest.fixture(scope="module")
def straddles(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[Path, str]]:
    """Documents of 2, 4 and 20 pages with straddle seals."""
    folder = tmp_path_factory.mktemp("straddle")
    return {pages: straddled(pages, folder) for pages in (2, 4, 20)}


def test_straddle_seals_were_made_for_few_and_many_pages(straddles):
    """There are documents of 2 and 4 pages and one of about 20: how long a flow is, its layout decides."""
    for pages, (path, _) in straddles.items():
        assert abs(len(pypdf.PdfReader(path).pages) - pages) <= pages // 10


@pytest.mark.parametrize("pages", [2, 4, 20])
def test_the_strips_of_a_straddle_seal_make_the_seal(straddles, pages):
    """The strips cut from the pages as poppler paints them, put together, are the seal of the widget."""
    path, edge = straddles[pages]
    page, box = widget(path)
    seal = painted(path, page, box)
    sizes = [float(one.mediabox.width) / POINTS_PER_MM for one in pypdf.PdfReader(path).pages]
    groups = -(-len(sizes) // 13)  # no strip of a seal 40 mm wide is narrower than 3 mm
    assert groups == {2: 1, 4: 1, 20: 2}[pages]
    group = len(sizes) // groups
    width, centre_y = 40 / group, {2: 74, 4: 125, 20: 148}[pages]
    strips = []
    for number, size in enumerate(sizes[:group], 1):
        left = size - width if edge == "right" else 0.0
        strips.append(painted(path, number, (left, centre_y - 20, width, 40)))
    if edge == "left":
        strips.reverse()
    whole = Image.new("RGB", (sum(strip.width for strip in strips), strips[0].height))
    at = 0
    for strip in strips:
        whole.paste(strip, (at, 0))
        at += strip.width
    whole = whole.resize(seal.size)
    # Black text and borders lie about; what counts is red here and bare paper there.
    lacking = count(ImageChops.multiply(reds(seal), blanks(whole)))
    surplus = count(ImageChops.multiply(reds(whole), blanks(seal)))
    assert count(reds(seal)) > 20000
    assert lacking + surplus < 0.05 * count(reds(seal)), (lacking, surplus, count(reds(seal)))


# --- Characters and fonts ---

RARE = {
    "legal_representative": "𬱖𫍯𠮷",  # extensions E, D, B
    "domicile": "𪜀𫠠𬺡㐀䶵巷﨎﨏﨑﨓﨔﨟﨡﨣﨤﨧﨨﨩号",  # C, E, F, A; compatibility ideographs without a normal form
    "premises": "一人Dvořák Łódź Ærøskøbing ŠčĐ路",  # twins of Kangxi radicals, Latin Extended
}


def plain(text: str) -> str:
    """Return text without white space, which extraction may set where a line breaks."""
    return "".join(text.split())


@pytest.fixture(scope="module")
def rare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A licence with rare characters; our own verifier finds page and data the same."""
    path = tmp_path_factory.mktemp("rare") / "rare.pdf"
    path.write_bytes(issued(request_with(**RARE), home().office(home().identity().signer())))
    return path


def test_characters_of_every_plane_come_out_as_they_went_in(rare):
    """pdftotext, pypdf and pdfium read the very characters typed, whatever the plane."""
    pdftotext, path = require("pdftotext"), rare
    readers = {
        "pdftotext": run(pdftotext, "-raw", "-enc", "UTF-8", str(path), "-").stdout,
        "pypdf": "".join(page.extract_text() for page in pypdf.PdfReader(path).pages),
    }
    document = pypdfium2.PdfDocument(path)
    readers["pdfium"] = document[0].get_textpage().get_text_bounded()
    document.close()
    for reader, text in readers.items():
        for name, value in RARE.items():
            assert plain(value) in plain(text), (reader, name)


TRUETYPE = Path(__file__).parents[2] / "benchmarks" / "fonts" / "NotoSerifSC-Regular.ttf"
MADE = {"TrueType": TRUETYPE, "CFF": templates_folder() / "fonts" / "NotoSansSC-Medium.otf"}


def made_font(folder: Path, source: Path) -> Path:
    """Return a font with some characters of another one under another name and with another em: an operator's own."""
    font = TTFont(source, recalcTimestamp=False)
    chosen = subset.Subsetter()
    chosen.populate(text="测试机关办公室限值固定的一行续页请按规定")
    chosen.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 4, 6, 16):
            record.string = "TestKai-Regular"
    scale_upem(font, 2048)
    path = folder / "TestKai"
    font.save(path)
    return path


INSTALLED = {
    "LXGW WenKai": Path("/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf"),
    "Noto Serif CJK": Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc"),
}
GIVEN = [*MADE, *(name for name, path in INSTALLED.items() if path.exists())]


def in_kai(folder: Path, given: str) -> Path:
    """Return a licence one value of which is set in kai, drawn by a font from an operator's own folder."""
    extra, templates = folder / "fonts", folder / "templates" / SLUG
    extra.mkdir(parents=True)
    font = INSTALLED[given] if given in INSTALLED else made_font(extra, MADE[given])
    (extra / "own").write_bytes(font.read_bytes())
    digest = hashlib.sha256(font.read_bytes()).hexdigest()
    (extra / "fonts.toml").write_text(
        f'schema = 1\n[faces.own]\nfile = "own"\nsha256 = "{digest}"\nserif = true\n'
        '[roles.kai]\nfaces = ["own", "noto-serif", "noto-serif-latin", "hanazono-b"]\n'
    )
    shutil.copytree(templates_folder() / SLUG, templates)
    layout = (templates / "layout.yaml").read_text("utf-8")
    asked = layout.replace('text: "{domicile}", ', 'text: "{domicile}", font: kai, ')
    assert asked != layout
    (templates / "layout.yaml").write_text(asked, "utf-8")
    office = home().office(
        home().identity().signer(),
        catalogue=Catalogue.load(templates.parent),
        fonts=FontLibrary.load(templates_folder() / "fonts", extra),
    )
    path = folder / "kai.pdf"
    path.write_bytes(issued(request_with(domicile="测试办公室𪜀路Dvořák"), office))
    return path


@pytest.fixture(scope="module")
def kai(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A licence for each operator's font: one made here, and LXGW WenKai where it is installed."""
    folder = tmp_path_factory.mktemp("kai")
    return {given: in_kai(folder / given.replace(" ", "-"), given) for given in GIVEN}


@pytest.mark.parametrize("given", GIVEN)
def test_an_operators_font_draws_its_role(kai, given):
    """A folder beside the shipped fonts takes over the role kai; what its font lacks, the next one draws."""
    path = str(kai[given])
    used = run(require("pdffonts"), path).stdout
    assert {"LXGW WenKai": "LXGWWenKai", "Noto Serif CJK": "NotoSerifCJK"}.get(
        given, "TestKai-Regular"
    ) in used
    assert "HanaMinB" in used
    text = run(require("pdftotext"), "-raw", "-enc", "UTF-8", path, "-").stdout
    assert "测试办公室𪜀路Dvořák" in plain(text)


def test_every_variant_conforms(variants, straddles, rare, kai):
    """Whatever the seal, the pages, the characters and the font: veraPDF finds PDF/A-3a and PDF/UA-1 kept."""
    paths = [variant.path for variant in variants.values()]
    paths += [path for path, _ in straddles.values()] + [rare, *kai.values()]
    lines = ask_java("Verapdf", *(part for path in paths for f in ("3a", "ua1") for part in (f, str(path))))
    assert len(lines) == 2 * len(paths)
    assert [line for line in lines if line[2] != "compliant"] == []
