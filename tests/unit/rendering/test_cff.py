"""CFF programs put together from charstrings draw what their face draws, and state the same widths."""

from __future__ import annotations

import io
import random
import struct
from functools import cache
from pathlib import Path

import pytest
import uharfbuzz as hb
from fontTools.cffLib import CFFFontSet, TopDict
from fontTools.misc.psCharStrings import T2CharString, encodeIntT2
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTCollection, TTFont
from hypothesis import given
from hypothesis import strategies as st

from elicense.errors import ConfigurationError
from elicense.rendering.cff import CffAssembler
from elicense.rendering.charstrings import CharstringPen, number, states_width
from tests.support.otf import ADVANCES, CHARACTERS, small_font

FOLDER = Path(__file__).parents[3] / "templates" / "fonts"
SERIF = FOLDER / "NotoSerifSC-Regular.otf"
each_face = pytest.mark.parametrize(
    "path",
    [SERIF, FOLDER / "NotoSerifSC-Bold.otf", FOLDER / "NotoSansSC-Medium.otf"],
    ids=lambda path: path.stem,
)
ENDCHAR = b"\x0e"


@cache
def opened(path: Path) -> tuple[hb.Font, CffAssembler]:
    """Return a font file as HarfBuzz has it, and its assembler."""
    font = hb.Font(hb.Face(hb.Blob.from_file_path(str(path))))
    return font, CffAssembler(path, 0, font)


@cache
def original(path: Path) -> TTFont:
    """Return a font file as fontTools reads it."""
    return TTFont(path, lazy=True)


def program_of(assembler: CffAssembler, gids: list[int]) -> bytes:
    """Return the program whose glyph k is the face's glyph `gids[k - 1]`."""
    return assembler.joined(list(map(assembler.record, gids)))


def read(program: bytes) -> TopDict:
    """Return a program as fontTools reads it."""
    fonts = CFFFontSet()
    fonts.decompile(io.BytesIO(program), None)
    return fonts.topDictIndex[0]


def drawn(font: hb.Font, gid: int) -> list:
    """Return a glyph's contours."""
    pen = RecordingPen()
    font.draw_glyph_with_pen(gid, pen)
    return pen.value


def wrapped(program: bytes, em: int = 1000) -> hb.Font:
    """Return a program as HarfBuzz reads it, in the smallest font file that it takes."""
    tables = {
        b"CFF ": program,
        b"head": struct.pack(">HHIIIHHQQ4hHHhhh", 1, 0, 0, 0, 0x5F0F3CF5, 0, em, 0, 0, *[0] * 9),
        b"maxp": struct.pack(">IH", 0x5000, len(read(program).CharStrings)),
    }
    file, at = [struct.pack(">4sHHHH", b"OTTO", len(tables), 0, 0, 0)], 12 + 16 * len(tables)
    for name, table in tables.items():
        file.append(struct.pack(">4sIII", name, 0, at, len(table)))
        at += len(table)
    return hb.Font(hb.Face(b"".join([*file, *tables.values()])))


@each_face
def test_thousands_of_sets_are_drawn_as_by_the_face(path):
    """For 700 sets of characters of each face, HarfBuzz draws of a program what it draws of the file."""
    font, assembler = opened(path)
    dice = random.Random(path.name)  # noqa: S311  only characters
    codes = sorted(font.face.unicodes)
    for _ in range(700):
        gids = [font.get_nominal_glyph(code) for code in dice.sample(codes, dice.randint(1, 40))]
        ours = wrapped(program_of(assembler, gids))
        assert ours.face.glyph_count == len(gids) + 1
        for glyph, gid in enumerate(gids, 1):
            assert drawn(ours, glyph) == drawn(font, gid), gid


@each_face
def test_font_tools_reads_outlines_and_widths_of_the_face(path):
    """In 100 programs of each face fontTools finds its reading of the file: outlines, and widths as in hmtx."""
    font, assembler = opened(path)
    whole = original(path)
    charstrings, metrics = whole["CFF "].cff.topDictIndex[0].CharStrings, whole["hmtx"]
    dice = random.Random(path.name)  # noqa: S311  only characters
    codes = sorted(font.face.unicodes)
    for _ in range(100):
        gids = [font.get_nominal_glyph(code) for code in dice.sample(codes, dice.randint(1, 20))]
        top = read(program_of(assembler, gids))
        assert top.charset == [".notdef", *(f"cid{cid:05d}" for cid in range(1, len(gids) + 1))]
        for cid, gid in enumerate(gids, 1):
            name = whole.getGlyphName(gid)
            ours, theirs = RecordingPen(), RecordingPen()
            glyph = top.CharStrings[f"cid{cid:05d}"]
            glyph.draw(ours)
            charstrings[name].draw(theirs)
            assert ours.value == theirs.value, name
            assert glyph.width == metrics[name][0] == font.get_glyph_h_advance(gid)


def test_programs_state_what_a_pdf_needs():
    """A program is CID-keyed with one font dictionary, names its face, and has an empty glyph 0."""
    font, assembler = opened(SERIF)
    top = read(program_of(assembler, [font.get_nominal_glyph(ord(char)) for char in "许可A"]))
    assert top.ROS == ("Adobe", "Identity", 0)
    assert top.FontBBox == original(SERIF)["CFF "].cff.topDictIndex[0].FontBBox
    (dictionary,) = top.FDArray
    assert dictionary.FontName == "NotoSerifCJKsc-Regular"
    assert (dictionary.Private.defaultWidthX, dictionary.Private.nominalWidthX) == (1000, 0)
    assert top.FDSelect.gidArray == [0, 0, 0, 0]
    assert top.CharStrings[".notdef"].bytecode == ENDCHAR


def test_shipped_charstrings_are_taken_as_they_are():
    """What a program holds of a glyph are the file's own bytes; two characters of one glyph have it twice."""
    font, assembler = opened(SERIF)
    gid = font.get_nominal_glyph(ord("证"))
    bytecode = (
        original(SERIF)["CFF "].cff.topDictIndex[0].CharStrings[original(SERIF).getGlyphName(gid)].bytecode
    )
    assert assembler.record(gid) == bytecode
    program = program_of(assembler, [gid, gid])
    assert program.count(bytecode) == 2
    assert drawn(wrapped(program), 1) == drawn(wrapped(program), 2) == drawn(font, gid)


def test_same_glyphs_give_the_same_bytes():
    """A program depends on its glyphs and their order only."""
    font, assembler = opened(SERIF)
    gids = [font.get_nominal_glyph(ord(char)) for char in "许可证"]
    fresh = CffAssembler(SERIF, 0, font)
    assert program_of(assembler, gids) == program_of(fresh, gids) != program_of(assembler, gids[::-1])


def test_many_glyphs_take_long_offsets():
    """Beyond 64 KB of charstrings a program states four-byte offsets, and draws the same."""
    font, assembler = opened(SERIF)
    gids = [font.get_nominal_glyph(code) for code in range(0x4E00, 0x4E00 + 600)]
    program = program_of(assembler, gids)
    assert len(program) > 0x10000
    ours = wrapped(program)
    assert all(drawn(ours, glyph) == drawn(font, gid) for glyph, gid in enumerate(gids, 1))


def test_a_face_of_a_collection_is_found(tmp_path):
    """The tables are those of the face that is asked for by its number."""
    collection = TTCollection()
    for em in (1000, 2048):
        collection.fonts.append(TTFont(io.BytesIO(small_font(em))))
    path = tmp_path / "two.otc"
    collection.save(path)
    font = hb.Font(hb.Face(hb.Blob.from_file_path(str(path)), 1))
    top = read(program_of(CffAssembler(path, 1, font), [1]))
    assert top.FDArray[0].FontMatrix == pytest.approx([1 / 2048, 0, 0, 1 / 2048, 0, 0])


# --- Files of another make ---


def written(path: Path, data: bytes) -> tuple[hb.Font, CffAssembler]:
    """Return a font written to a file, and its assembler."""
    path.write_bytes(data)
    font = hb.Font(hb.Face(data))
    return font, CffAssembler(path, 0, font)


@pytest.mark.parametrize("em", [1000, 2048])
def test_a_glyph_of_any_make_is_drawn_anew(tmp_path, em):
    """Subroutines, hints, flexes, composed letters and fractions become plain charstrings of the same shape."""
    font, assembler = written(tmp_path / "small.otf", small_font(em))
    gids = {name: font.get_nominal_glyph(code) for code, name in CHARACTERS.items()}
    program = program_of(assembler, list(gids.values()))
    ours, top = wrapped(program, em), read(program)
    for glyph, (name, gid) in enumerate(gids.items(), 1):
        assert drawn(ours, glyph) == drawn(font, gid), name
        assert bool(drawn(font, gid)) == (name != "space")
        charstring = top.CharStrings[f"cid{glyph:05d}"]
        charstring.draw(RecordingPen())
        assert charstring.width == ADVANCES[name]
    assert len(top.GlobalSubrs) == 0
    matrix = top.FDArray[0].rawDict.get("FontMatrix", [0.001, 0, 0, 0.001, 0, 0])
    assert matrix == pytest.approx([1 / em, 0, 0, 1 / em, 0, 0])


def small_part(text: str) -> TTFont:
    """Return a few characters of a shipped font, made as it is."""
    face = opened(SERIF)[0].face
    wanted = hb.SubsetInput()
    wanted.unicode_set.update(map(ord, text))
    wanted.flags = hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.DESUBROUTINIZE
    return TTFont(io.BytesIO(hb.subset(face, wanted).blob.data), recalcBBoxes=False)


def saved(font: TTFont) -> bytes:
    """Return a font's file."""
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


@pytest.mark.parametrize(("char", "advance"), [("A", 1000), ("A", 555), ("证", 900)])
def test_a_width_that_hmtx_denies_is_written_anew(tmp_path, char, advance):
    """A charstring with another width than the table of widths gets the table's, which the PDF states as well."""
    changed = small_part("A证")
    changed["hmtx"][changed.getBestCmap()[ord(char)]] = (advance, 0)
    font, assembler = written(tmp_path / "changed.otf", saved(changed))
    gid = font.get_nominal_glyph(ord(char))
    program = program_of(assembler, [gid])
    charstring = read(program).CharStrings["cid00001"]
    charstring.draw(RecordingPen())
    assert charstring.width == advance == font.get_glyph_h_advance(gid)
    assert drawn(wrapped(program), 1) == drawn(font, gid)


def test_a_broken_table_is_told_when_the_file_is_opened(tmp_path):
    """A CFF table that ends too early is a configuration error with the file's name."""
    changed = small_part("许可证")
    data = changed.getTableData("CFF ")
    for length in (0, 3, 40, len(data) // 2, len(data) - 1):
        with pytest.raises(ConfigurationError, match=r"broken\.otf is broken"):
            written(tmp_path / "broken.otf", replaced(changed, data[:length]))


def replaced(font: TTFont, cff: bytes) -> bytes:
    """Return a font's file with another CFF table."""
    file = bytearray(saved(font))
    place = file.index(b"CFF ")
    file[place + 8 : place + 16] = struct.pack(">II", len(file), len(cff))
    return bytes(file) + cff


def test_a_broken_glyph_is_told_and_the_others_are_drawn(tmp_path):
    """A charstring that nobody can read is a configuration error in both languages; the face goes on to work."""
    changed = small_part("许可证")
    top = changed["CFF "].cff.topDictIndex[0]
    name = changed.getBestCmap()[ord("可")]
    top.CharStrings[name].bytecode = bytes([139, 139, 10]) + ENDCHAR
    font, assembler = written(tmp_path / "broken.otf", saved(changed))
    with pytest.raises(ConfigurationError, match=r"broken\.otf is broken: glyph \d+") as refused:
        assembler.record(font.get_nominal_glyph(ord("可")))
    assert "已损坏" in refused.value.zh
    gid = font.get_nominal_glyph(ord("许"))
    assert drawn(wrapped(program_of(assembler, [gid])), 1) == drawn(font, gid)


def test_a_glyph_beyond_all_numbers_is_told(tmp_path):
    """An outline that no charstring can state in one step is the same error, not a crash."""
    changed = TTFont(io.BytesIO(small_font()), recalcBBoxes=False)
    steps = [32000, 32000, "rlineto"] * 3
    changed["CFF "].cff.topDictIndex[0].CharStrings["B"].setProgram([0, 0, "rmoveto", *steps, "endchar"])
    font, assembler = written(tmp_path / "far.otf", saved(changed))
    with pytest.raises(ConfigurationError, match="is broken: glyph 2"):
        assembler.record(font.get_nominal_glyph(ord("B")))


def test_spoiled_files_are_refused_or_drawn_as_harfbuzz_draws_them(tmp_path):
    """With any few bytes of its table changed a font is refused, or its programs draw what HarfBuzz reads."""
    changed = small_part("许可证A")
    data, dice = changed.getTableData("CFF "), random.Random(4)  # noqa: S311  only damage
    refused = 0
    for _ in range(1500):
        spoiled = bytearray(data)
        for _ in range(dice.randint(1, 3)):
            spoiled[dice.randrange(len(data) if dice.random() < 0.5 else 200)] = dice.randrange(256)
        file = replaced(changed, bytes(spoiled))
        try:
            font, assembler = written(tmp_path / "spoiled.otf", file)
            gids = list(range(1, font.face.glyph_count))
            program = program_of(assembler, gids)
        except ConfigurationError:
            refused += 1
            continue
        ours = wrapped(program)
        assert [drawn(ours, glyph) for glyph in gids] == [drawn(font, gid) for gid in gids]
    assert 100 < refused < 1400


# --- Charstrings ---


def test_numbers_are_those_of_font_tools():
    """Every whole number that fits is written as fontTools writes it; one that does not is an error."""
    assert all(number(value) == encodeIntT2(value) for value in range(-0x8000, 0x8000))
    with pytest.raises(OverflowError):
        number(0x8000)


COORDINATES = st.integers(-16_000 * 64, 16_000 * 64).map(lambda value: value / 64)
POINTS = st.tuples(COORDINATES, COORDINATES)
STEPS = st.one_of(
    st.tuples(st.just("lineTo"), st.tuples(POINTS)),
    st.tuples(st.just("curveTo"), st.tuples(POINTS, POINTS, POINTS)),
)
CONTOURS = st.lists(st.tuples(POINTS, st.lists(STEPS, min_size=1, max_size=40)), max_size=4)


@given(CONTOURS, st.one_of(st.none(), st.integers(-500, 2000)))
def test_what_is_drawn_is_what_font_tools_reads(contours, width):
    """Lines and curves of any length and number come back as they were, and with them the width."""
    pen, wanted = CharstringPen(b"" if width is None else number(width)), RecordingPen()
    for target in (pen, wanted):
        for start, steps in contours:
            target.moveTo(start)
            for name, points in steps:
                getattr(target, name)(*points)
            target.closePath()
    charstring = T2CharString(bytecode=pen.charstring(), private=None, globalSubrs=[])
    charstring.private = type("Private", (), {"defaultWidthX": 777, "nominalWidthX": 0, "rawDict": {}})()
    shown = RecordingPen()
    charstring.draw(shown)
    assert shown.value == wanted.value
    assert charstring.width == (777 if width is None else width)
    assert states_width(charstring.bytecode or pen.charstring()) == (width is not None)
