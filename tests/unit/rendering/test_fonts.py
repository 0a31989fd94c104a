"""What is drawn for a character, what is refused, and what a document embeds."""

import hashlib
import io
import random
import re
import shutil
import string
import subprocess
import tomllib
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdf
import pypdfium2
import pytest
import uharfbuzz as hb
from fontTools.cffLib import CFFFontSet
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.DefaultTable import DefaultTable
from hypothesis import given, settings
from hypothesis import strategies as st

from elicense.errors import ConfigurationError, InvalidTemplate, RenderingError
from elicense.rendering.embedding import EmbeddedFont, FontSubsets, _to_unicode
from elicense.rendering.fonts import FontLibrary
from tests.support.otf import small_font

FOLDER = Path(__file__).parents[3] / "templates" / "fonts"
SMALL = small_font()
"""An OpenType/CFF font of another make than the shipped ones."""
TRUETYPE = FOLDER.parents[1] / "benchmarks" / "fonts" / "NotoSerifSC-Regular.ttf"
PLANES = (
    "食品经营许可证 AZ az 09 ，。《》·—…￥ 㐀䶵 龥鿿 𠀀𠮷𪛖 𪜀𬱖𫍯 𫝀𫠠 𬺡 ⼀⼈⺀⻳ 一人 﨎﨩 Ωж ぁン №℃ ①"
)
"""Basic Plane, extensions A to F, radicals, compatibility ideographs without a canonical twin."""


@pytest.fixture(scope="module")
def fonts():
    """The shipped library."""
    return FontLibrary.load(FOLDER)


def listed_characters():
    """The 8,105 characters of the national table."""
    return (FOLDER / "tongyong-8105.txt").read_text(encoding="utf-8").replace("\n", "")


def pdf_of(lines, fonts, role="song", size=12):
    """Return a one-page PDF that shows each line, made of what `FontSubsets` gives and nothing else."""
    subsets = FontSubsets(fonts)
    shown = []
    for row, line in enumerate(lines):
        parts = [f"BT 1 0 0 1 20 {820 - 20 * row} Tm"]
        parts += [
            f"/D{run.font} {size} Tf <{run.codes}> Tj" for run in subsets.encode(fonts.glyphs(line, role))
        ]
        shown.append(" ".join([*parts, "ET"]))
    return assemble("\n".join(shown).encode("ascii"), subsets.build())


def assemble(content: bytes, embedded: tuple[EmbeddedFont, ...]) -> bytes:
    """Return the objects of a one-page PDF 1.7."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"", stream(content)]
    names = []
    for font in embedded:
        metrics, at = font.metrics, len(objects) + 1
        box = " ".join(map(str, metrics.bbox))
        names += [f"/{name} {at} 0 R" for name in font.names]
        objects += [
            f"<</Type/Font/Subtype/Type0/BaseFont/{font.base_font}/Encoding/Identity-H"
            f"/DescendantFonts[{at + 1} 0 R]/ToUnicode {at + 4} 0 R>>".encode(),
            f"<</Type/Font/Subtype/CIDFontType{'0' if font.cff else '2/CIDToGIDMap/Identity'}"
            f"/BaseFont/{font.base_font}/DW 1000/W {font.widths}"
            f"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
            f"/FontDescriptor {at + 2} 0 R>>".encode(),
            f"<</Type/FontDescriptor/FontName/{font.base_font}/Flags {metrics.flags}/FontBBox[{box}]"
            f"/ItalicAngle {metrics.italic_angle:g}/Ascent {metrics.ascent}/Descent {metrics.descent}"
            f"/CapHeight {metrics.cap_height}/StemV {metrics.stem_v}"
            f"/FontFile{3 if font.cff else 2} {at + 3} 0 R>>".encode(),
            stream(font.program, "/Subtype/CIDFontType0C" if font.cff else f"/Length1 {len(font.program)}"),
            stream(font.to_unicode),
        ]
    resources = f"<</Font<<{' '.join(names)}>>>>"
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources{resources}>>"
    objects[2] = page.encode()
    out, offsets = io.BytesIO(b"%PDF-1.7\n"), []
    out.seek(0, io.SEEK_END)
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n" % (len(objects) + 1))
    start = out.getvalue().index(b"xref\n0 ")
    out.write(b"%d\n%%%%EOF\n" % start)
    return out.getvalue()


def stream(data: bytes, more: str = "") -> bytes:
    """Return a stream object's body."""
    return f"<</Length {len(data)}{more}>>stream\n".encode() + data + b"\nendstream"


def test_files_are_the_declared_ones():
    """Every shipped font file has the digest that fonts.toml states, and its licence text lies beside it."""
    declared = tomllib.loads((FOLDER / "fonts.toml").read_text(encoding="utf-8"))["faces"]
    for face in declared.values():
        assert hashlib.sha256((FOLDER / face["file"]).read_bytes()).hexdigest() == face["sha256"]
        assert (FOLDER / face["licence_file"]).stat().st_size > 500
    assert {path.name for path in FOLDER.glob("*.[ot]tf")} == {face["file"] for face in declared.values()}


def test_files_stay_small():
    """All shipped font files together are under 60 MB."""
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) < 60_000_000


@pytest.mark.parametrize("role", ["song", "title", "hei", "fangsong", "kai"])
def test_national_table_is_covered(fonts, role):
    """Every role prints all 8,105 characters of 通用规范汉字表."""
    characters = listed_characters()
    assert len(set(characters)) == 8105
    assert fonts.uncovered(characters, role) == ()


@pytest.mark.parametrize("role", ["title", "hei"])
def test_everyday_text_stays_in_its_own_face(fonts, role):
    """Titles and headings need no fallback for the national table."""
    assert len({glyph.face for glyph in fonts.glyphs(listed_characters() + "ABC 123，。（）", role)}) == 1


def test_level_three_is_covered(fonts):
    """All 87,887 ideographs of GB 18030-2022 level 3 (ISO/IEC 10646 up to extension F) can be printed."""
    blocks = [
        (0x3400, 0x4DBF),
        (0x4E00, 0x9FEF),
        (0x20000, 0x2A6D6),
        (0x2A700, 0x2B734),
        (0x2B740, 0x2B81D),
        (0x2B820, 0x2CEA1),
        (0x2CEB0, 0x2EBE0),
    ]
    characters = "".join(chr(code) for first, last in blocks for code in range(first, last + 1))
    characters = "".join(c for c in characters if not 0x4DB6 <= ord(c) <= 0x4DBF)
    characters += "﨎﨏﨑﨓﨔﨟﨡﨣﨤﨧﨨﨩"
    assert len(characters) == 87_887
    assert fonts.uncovered(characters, "song") == ()


@pytest.mark.parametrize(
    ("text", "code", "name"),
    [
        ("测\U00030edd", "U+30EDD", "CJK UNIFIED IDEOGRAPH-30EDD"),
        ("\U00031350", "U+31350", "NOT NAMED"),
        ("\ue000", "U+E000", "PRIVATE USE"),
        ("葛\U000e0100", "U+E0100", "VARIATION SELECTOR-17"),
        ("\ufe00", "U+FE00", "VARIATION SELECTOR-1"),
        ("\u0378", "U+0378", "NOT NAMED"),
        ("e\u0301", "U+0301", "COMBINING ACUTE ACCENT"),
        ("ئا", "U+0626", "ARABIC LETTER YEH WITH HAMZA ABOVE"),
        ("ᠮ", "U+182E", "MONGOLIAN LETTER MA"),
        ("\u202e", "U+202E", "RIGHT-TO-LEFT OVERRIDE"),
        ("\u200b", "U+200B", "ZERO WIDTH SPACE"),
        ("\n", "U+000A", "CONTROL"),
        ("\ud800", "U+D800", "SURROGATE"),
        ("😀", "U+1F600", "GRINNING FACE"),
    ],
)
def test_uncovered_character_is_named(fonts, text, code, name):
    """A character no font can print is refused by code point and name in both languages, with the field."""
    with pytest.raises(RenderingError) as refused:
        fonts.glyphs(text, "song", field="operator_name")
    assert f"{code} {name}" in refused.value.en
    assert code in refused.value.zh
    assert refused.value.field == "operator_name"


def test_refusal_shows_no_invisible_character(fonts):
    """The refusal itself carries no control, direction or lone surrogate characters."""
    with pytest.raises(RenderingError) as refused:
        fonts.glyphs("\u202e\u200b\ud800\u0301", "song")
    assert not {unicodedata.category(char) for char in refused.value.en} & {"Cc", "Cf", "Cs", "Mn"}


def test_many_uncovered_characters_make_a_short_refusal(fonts):
    """Five characters are named, the others counted."""
    with pytest.raises(RenderingError, match="and 15 more"):
        fonts.glyphs("".join(chr(0xE000 + i) for i in range(20)), "song")


def test_unknown_role_names_the_known_ones(fonts):
    """A role that no fonts.toml declares is the template's error."""
    with pytest.raises(InvalidTemplate, match="song, title, hei"):
        fonts.glyphs("字", "comic")


def test_stand_ins_are_told(fonts):
    """The roles without a file of their style are listed for the operator."""
    assert {note.role for note in fonts.stand_ins} == {"title", "fangsong", "kai"}


def test_measure_is_the_sum_of_advances(fonts):
    """Ideographs are one em wide; Latin letters are narrower."""
    assert fonts.measure("许可证", "song") == 3000
    assert 400 < fonts.measure("A", "song") < 1000


def test_outline_is_the_glyph_the_page_shows(fonts):
    """An outline's contours are closed and stay near the em box, also for a character of extension B."""
    for char in "印𠮷":
        outline = fonts.outline(char, "song")
        letters = [command[0] for command in outline.commands]
        assert letters[0] == "M"
        assert letters[-1] == "Z"
        assert letters.count("M") == letters.count("Z")
        numbers = [value for command in outline.commands for value in command[1:]]
        assert min(numbers) > -300
        assert max(numbers) < 1200
        assert outline.advance == 1000


@pytest.mark.parametrize("role", ["song", "title", "hei"])
def test_two_dashes_make_one_line(fonts, role):
    """The Chinese dash —— is a line without a gap: each half fills its em from edge to edge."""
    outline = fonts.outline("—", role)
    assert outline.advance == 1000
    across = [value for command in outline.commands for value in command[1::2]]
    assert (min(across), max(across)) == (0, 1000)


def test_same_text_gives_same_fonts():
    """Two libraries embed the same bytes for the same text, under the same name."""
    first, second = (
        encoded(FontLibrary.load(FOLDER), "食品经营许可证𠮷", order) for order in ("song", "song")
    )
    assert first == second


def encoded(fonts, text, role):
    """Return the fonts of a document with one text."""
    subsets = FontSubsets(fonts)
    subsets.encode(fonts.glyphs(text, role))
    return subsets.build()


def test_other_text_gives_another_tag(fonts):
    """Subsets that differ in one character never share their name."""
    assert encoded(fonts, "甲乙", "song")[0].base_font != encoded(fonts, "甲丙", "song")[0].base_font
    assert re.fullmatch(r"[A-Z]{6}\+NotoSerifCJKsc-Regular", encoded(fonts, "甲", "song")[0].base_font)


def test_one_code_for_each_distinct_character(fonts):
    """Characters drawn with one glyph keep codes of their own; a repeated character keeps its first code."""
    subsets = FontSubsets(fonts)
    glyphs = fonts.glyphs("一⼀一", "song")
    (run,) = subsets.encode(glyphs)
    (font,) = subsets.build()
    assert glyphs[0].gid == glyphs[1].gid
    assert run.codes == "000100020001"
    assert font.characters == "一⼀"
    charstrings = read_cff(font.program).CharStrings
    assert charstrings["cid00001"].bytecode == charstrings["cid00002"].bytecode


def test_runs_change_with_the_face(fonts):
    """A rare character in the middle of a text is a run in another font."""
    runs = FontSubsets(fonts).encode(fonts.glyphs("张𠮷三", "song"))
    assert [(run.font, run.text) for run in runs] == [(0, "张"), (1, "𠮷"), (0, "三")]


def test_embedded_program_states_the_widths_of_the_pdf(fonts):
    """W equals the program's own widths, no code leads to .notdef, no outline is lost (PDF/A-3, 6.2.11)."""
    text = PLANES.replace(" ", "")
    found = encoded(fonts, text + " ř", "song")
    assert {font.base_font[7:]: font.cff for font in found} == {
        "NotoSerifCJKsc-Regular": True, "HanaMinB": False, "NotoSerif-Regular": False,
    }  # fmt: skip
    for font in found:
        program = None if font.cff else TTFont(io.BytesIO(font.program))
        glyphs = program.getGlyphSet() if program else read_cff(font.program).CharStrings
        unit = 1000 / program["head"].unitsPerEm if program else 1
        order = (
            program.getGlyphOrder()
            if program
            else [".notdef", *map("cid{:05d}".format, range(1, len(glyphs)))]
        )
        narrow = dict(re.findall(r"(\d+)\[([\d.]+)\]", font.widths))
        assert font.widths == f"[{''.join(f'{code}[{width}]' for code, width in narrow.items())}]"
        for code, char in enumerate(font.characters, 1):
            width = float(narrow.get(str(code), 1000))
            pen = RecordingPen()
            glyphs[order[code]].draw(pen)
            assert abs(glyphs[order[code]].width * unit - width) < 0.01
            assert (char == " ") != bool(pen.value)
        assert len(order) == len(font.characters) + 1


def read_cff(program):
    """Return a CFF program as fontTools reads it."""
    fonts = CFFFontSet()
    fonts.decompile(io.BytesIO(program), None)
    return fonts.topDictIndex[0]


def test_to_unicode_lists_the_texts_of_ranges_of_codes(fonts):
    """The character map has a range for each first byte of the codes, and lists its texts with surrogates."""
    text = "".join(chr(0x4E00 + i) for i in range(600)) + "𬱖"
    (font,) = encoded(fonts, text, "song")
    assert font.characters == text
    found = re.findall(rb"<(....)><(....)>\[([^\]]*)\]\n", font.to_unicode)
    assert [(code, last) for code, last, _ in found] == [
        (b"0001", b"00FF"), (b"0100", b"01FF"), (b"0200", b"0259"),
    ]  # fmt: skip
    assert b"3 beginbfrange\n" in font.to_unicode
    listed = re.findall(rb"<([0-9A-F]+)>", b"".join(texts for _, _, texts in found))
    assert "".join(bytes.fromhex(one.decode()).decode("utf-16-be") for one in listed) == text
    assert listed[-1] == b"D873DC56"


def test_a_map_of_very_many_codes_keeps_to_a_hundred_ranges_a_block():
    """No block of a character map states more than a hundred ranges, and no code is missing."""
    made = _to_unicode(["<F900>"] * 30_000)
    blocks = re.findall(rb"(\d+) beginbfrange\n(.*?)endbfrange", made, re.DOTALL)
    assert [(int(count), lines.count(b"\n")) for count, lines in blocks] == [(100, 100), (18, 18)]
    assert made.count(b"<F900>") == 30_000


def test_texts_are_shown_alike_at_once_and_by_glyph(fonts):
    """`shown` gives the codes that `encode` gives, whatever faces and roles come in whatever order."""
    texts = [
        ("一人", "song"),
        ("甲𠮷乙", "song"),
        ("", "kai"),
        ("人乙", "fangsong"),
        ("甲", "hei"),
        ("𠮷", "song"),
    ]
    one, other = FontSubsets(fonts), FontSubsets(fonts)
    for text, role in texts * 2:
        wanted = [(run.font, run.codes) for run in one.encode(fonts.glyphs(text, role))]
        assert list(other.shown(text, role)) == wanted
    assert one.build() == other.build()


@pytest.mark.parametrize("rare", ["", "𠮷", "é"])
def test_codes_given_at_once_are_those_given_text_by_text(fonts, rare):
    """`prepare` changes nothing of what `shown` and `build` return, a character of another face among them or not."""
    dice = random.Random(rare)  # noqa: S311  only characters
    characters = [chr(code) for code in range(0x4E00, 0x4E40)] + list("0123456789") + [rare]
    for _ in range(300):
        texts = [
            ("".join(dice.choices(characters, k=dice.randint(0, 20))), dice.choice(["song", "hei", "kai"]))
            for _ in range(dice.randint(1, 8))
        ]
        for text, role in texts:
            fonts.glyphs(text, role)
        one, other = FontSubsets(fonts), FontSubsets(fonts)
        other.prepare(texts)
        assert [one.shown(*text) for text in texts] == [other.shown(*text) for text in texts]
        assert one.build() == other.build()


def test_shown_refuses_what_glyphs_refuses(fonts):
    """A character without a glyph is refused with its field, also when all before it have codes."""
    subsets = FontSubsets(fonts)
    subsets.shown("许可", "song")
    with pytest.raises(RenderingError, match=r"Field name.*U\+2610"):
        subsets.shown("许可☐", "song", field="name")


def test_a_carried_font_keeps_its_codes(fonts):
    """What goes on from a small font of the furniture keeps its codes and name, and a long one is not carried."""
    furniture = FontSubsets(fonts, "S")
    furniture.shown("扫码查验", "song")
    furniture.shown(string.ascii_letters, "hei")
    (carried,) = furniture.carriable({0, 2})
    assert (carried.name, carried.face) == ("S0", 0)
    assert [font.names for font in furniture.build(left_out=[0])] == [("S1",)]
    document = FontSubsets(fonts, "D", (carried,))
    assert document.shown("查一", "song") == ((0, "00030005"),)
    (font,) = document.build()
    assert font.names == ("D0", "S0")
    assert font.characters == "扫码查验一"


def test_text_of_every_plane_is_extracted_as_entered(fonts):
    """Both pypdf and PDFium read back exactly what was set, for every plane, radicals and look-alikes."""
    data = pdf_of(PLANES.split(), fonts)
    read = pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text()
    assert read.split() == PLANES.split()
    with pypdfium2.PdfDocument(data) as document:
        assert document[0].get_textpage().get_text_bounded().split() == PLANES.split()


@pytest.mark.interop
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
@pytest.mark.parametrize("role", ["song", "title", "hei"])
def test_poppler_extracts_what_was_entered(fonts, role, tmp_path):
    """Poppler reads back exactly what was set, in each role."""
    path = tmp_path / "planes.pdf"
    path.write_bytes(pdf_of(PLANES.split(), fonts, role))
    shown = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, timeout=20, check=True)
    assert shown.stdout.decode().split() == PLANES.split()
    assert shown.stderr == b""


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=listed_characters() + "ABCabc019（）、", min_size=1, max_size=40))
def test_any_name_is_extracted_as_entered(text):
    """Any text of the national table comes back from a PDF unchanged."""
    page = pypdf.PdfReader(io.BytesIO(pdf_of([text], SHARED))).pages[0]
    assert page.extract_text().replace("\n", "") == text


SHARED = FontLibrary.load(FOLDER)


def test_threads_may_share_a_library():
    """Eight threads that open faces and make fonts at once get the same result."""
    fonts = FontLibrary.load(FOLDER)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: encoded(fonts, "甲𠮷", "song"), range(8)))
    assert all(result == results[0] for result in results)


def operator_folder(folder: Path, text: str, font: Path | bytes | None = None) -> Path:
    """Write an operator's font folder; the file is called own.otf."""
    data = font if isinstance(font, bytes) else (font or FOLDER / "NotoSansSC-Medium.otf").read_bytes()
    (folder / "own.otf").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    (folder / "fonts.toml").write_text(text.replace("DIGEST", digest), encoding="utf-8")
    return folder


OWN_FACE = 'schema = 1\n[faces.own]\nfile = "own.otf"\nsha256 = "DIGEST"\n'


def test_operator_replaces_a_role(tmp_path):
    """A role of the operator's folder takes the place of the shipped one, and its stand-in note goes away."""
    extra = operator_folder(tmp_path, OWN_FACE + '[roles.fangsong]\nfaces = ["own", "noto-serif"]\n')
    fonts = FontLibrary.load(FOLDER, extra)
    assert fonts.specs[fonts.glyphs("仿", "fangsong")[0].face].name == "own"
    assert fonts.specs[fonts.glyphs("㐀", "fangsong")[0].face].name == "noto-serif"
    assert {note.role for note in fonts.stand_ins} == {"title", "kai"}
    assert fonts.engine != FontLibrary.load(FOLDER).engine


@pytest.mark.parametrize(("font", "cff"), [(TRUETYPE, False), (SMALL, True)], ids=["TrueType", "CFF"])
def test_an_operators_font_of_either_make_draws_its_role(tmp_path, font, cff):
    """A TrueType file and a CFF file with subroutines are measured, embedded, extracted and drawn alike."""
    extra = operator_folder(tmp_path, OWN_FACE + '[roles.kai]\nfaces = ["own"]\n', font)
    fonts = FontLibrary.load(FOLDER, extra)
    text = "ABC" + "D" * 50
    (embedded,) = encoded(fonts, text, "kai")
    assert embedded.cff == cff
    assert embedded.characters == "ABCD"
    page = pypdf.PdfReader(io.BytesIO(pdf_of([text], fonts, "kai"))).pages[0]
    assert page.extract_text().strip() == text
    own = hb.Font(hb.Face(font if isinstance(font, bytes) else font.read_bytes()))
    scale = 1000 / own.face.upem
    for char in "ABC":
        gid = own.get_nominal_glyph(ord(char))
        outline = fonts.outline(char, "kai")
        assert outline.advance == pytest.approx(own.get_glyph_h_advance(gid) * scale, abs=0.001)
        extents = own.get_glyph_extents(gid)
        highest = max(value for command in outline.short for value in command[2::2])
        assert highest == pytest.approx(extents.y_bearing * scale, abs=1)


def test_a_broken_font_is_told_before_anything_is_done(tmp_path):
    """A CFF table without its end is refused by name, each time anew, and nothing of the face is kept."""
    data = bytearray((FOLDER / "NotoSansSC-Medium.otf").read_bytes())
    entry = data.index(b"CFF ")
    data[entry + 12 : entry + 16] = (200_000).to_bytes(4, "big")
    extra = operator_folder(tmp_path, OWN_FACE + '[roles.kai]\nfaces = ["own"]\n', bytes(data))
    fonts = FontLibrary.load(FOLDER, extra)
    for _ in range(2):
        with pytest.raises(
            ConfigurationError, match=r"own\.otf is broken: its CFF table cannot be read"
        ) as refused:
            fonts.glyphs("字", "kai")
        assert "已损坏" in refused.value.zh
    assert fonts.glyphs("字", "song")


def test_operator_appends_a_fallback(tmp_path):
    """Faces in `fallback` are asked last, in every role."""
    extra = operator_folder(tmp_path, 'fallback = ["own"]\n' + OWN_FACE)
    fonts = FontLibrary.load(FOLDER, extra)
    assert fonts.specs[fonts.glyphs("字", "song")[0].face].name == "noto-serif"
    assert fonts.specs[-1].name == "own"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema = 2", "schema = 1"),
        ("schema = [", "cannot be read"),
        ('schema = 1\n[faces.own]\nfile = "own.otf"\n', "lacks 'sha256'"),
        (OWN_FACE + '[roles.kai]\nfaces = ["nowhere"]\n', "undeclared: nowhere"),
        (OWN_FACE + "[roles.kai]\nfaces = []\n", "must list declared faces"),
    ],
)
def test_wrong_font_list_is_explained(tmp_path, text, message):
    """A fonts.toml that cannot be used is a configuration error that says what is wrong."""
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        FontLibrary.load(FOLDER, operator_folder(tmp_path, text))


LATIN = FOLDER / "NotoSerif-LatinExtended.ttf"


def changed_font(*, rights: int | None = None, table: str | None = None, source: Path | None = None) -> bytes:
    """Return a shipped font with another embedding right, or with the mark of a variable one."""
    font = TTFont(io.BytesIO((source or FOLDER / "NotoSansSC-Medium.otf").read_bytes()), lazy=True)
    if rights is not None:
        font["OS/2"].fsType = rights
    if table is not None:
        font[table] = DefaultTable(table)
        font[table].data = bytes(16)
    out = io.BytesIO()
    font.save(out, reorderTables=None)
    return out.getvalue()


def test_altered_or_missing_file_is_refused(tmp_path):
    """A font file whose digest is not the declared one, or that is gone, is never used."""
    extra = operator_folder(tmp_path, OWN_FACE + '[roles.kai]\nfaces = ["own"]\n')
    with (extra / "own.otf").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ConfigurationError, match="is not the one"):
        FontLibrary.load(FOLDER, extra).glyphs("字", "kai")
    (extra / "own.otf").unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        FontLibrary.load(FOLDER, extra).glyphs("字", "kai")


@pytest.mark.parametrize(
    ("font", "message"),
    [
        ({"rights": 2}, "forbids embedding"),
        ({"rights": 0x100}, "forbids embedding"),
        ({"table": "fvar"}, "not a static TrueType or OpenType/CFF font"),
        ({"table": "CFF2"}, "not a static TrueType or OpenType/CFF font"),
        ({"table": "fvar", "source": LATIN}, "not a static TrueType or OpenType/CFF font"),
        ({"rights": 2, "source": LATIN}, "forbids embedding"),
    ],
)
def test_font_that_may_not_be_embedded_is_refused(tmp_path, font, message):
    """A restricted, no-subsetting or variable font is a configuration error at first use."""
    extra = operator_folder(tmp_path, OWN_FACE + '[roles.kai]\nfaces = ["own"]\n', changed_font(**font))
    with pytest.raises(ConfigurationError, match=message):
        FontLibrary.load(FOLDER, extra).glyphs("字", "kai")


def test_file_that_is_no_font_is_refused(tmp_path):
    """Bytes that are no font at all are a configuration error, not a crash."""
    extra = operator_folder(tmp_path, OWN_FACE + '[roles.kai]\nfaces = ["own"]\n', b"not a font")
    with pytest.raises(ConfigurationError, match="not a static TrueType or OpenType/CFF font"):
        FontLibrary.load(FOLDER, extra).glyphs("字", "kai")


def test_documented_operator_folder_works(tmp_path):
    """The fonts.toml shown in docs/fonts.md loads once real files and digests stand in it."""
    page = (FOLDER.parents[1] / "docs" / "fonts.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    data = (FOLDER / "NotoSansSC-Medium.otf").read_bytes()
    for face in tomllib.loads(example)["faces"].values():
        (tmp_path / face["file"]).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    (tmp_path / "fonts.toml").write_text(example.replace("0" * 64, digest), encoding="utf-8")
    fonts = FontLibrary.load(FOLDER, tmp_path)
    assert fonts.specs[fonts.glyphs("仿", "fangsong")[0].face].name == "fangsong"
    assert fonts.uncovered("㐀𠮷", "fangsong") == ()


def test_documented_characters_are_covered(fonts):
    """The symbols that docs/fonts.md promises print in every role; the ones it excludes do not."""
    page = (FOLDER.parents[1] / "docs" / "fonts.md").read_text(encoding="utf-8")
    (promised,) = re.findall(r"^\| (㎡ .*?) \| all \|$", page, re.MULTILINE)
    for role in ("song", "title", "hei"):
        assert fonts.uncovered(promised, role) == ()
        assert fonts.uncovered("☐☑", role) == ("☐", "☑")


@pytest.mark.parametrize("role", ["song", "title", "hei", "kai"])
def test_what_need_not_be_looked_up_is_drawn_and_one_em_wide(fonts, role):
    """All other characters of the plane are found, among them every one that no font can print."""
    wide = {chr(code) for code in range(0xFFFF) if not fonts.not_wide(role).search(chr(code))}
    assert {glyph.face for glyph in fonts.glyphs("".join(wide), role)} == {fonts.first_face(role)}
    assert {glyph.advance for glyph in fonts.glyphs("".join(wide), role)} == {1000.0}
    assert wide > set("经营者名称，。（）《》；：\u3000")
    assert fonts.not_wide(role).findall("样例路18号\U000323afA（é）") == ["18", "\U000323afA", "é"]
