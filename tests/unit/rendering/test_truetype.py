"""Programs put together from glyph records draw what hb-subset's do, and are whole TrueType files."""

from __future__ import annotations

import io
import random
import struct
from functools import cache
from pathlib import Path

import pytest
import uharfbuzz as hb
from fontTools.pens.recordingPen import RecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.tables.ttProgram import Program

from elicense.rendering.truetype import TrueTypeAssembler
from tests.support.general_road import KEPT_TABLES, Subset, prepared

FOLDER = Path(__file__).parents[3] / "templates" / "fonts"
CHINESE = FOLDER.parents[1] / "benchmarks" / "fonts" / "NotoSerifSC-Regular.ttf"
LATIN = FOLDER / "NotoSerif-LatinExtended.ttf"
each_face = pytest.mark.parametrize(
    "path", [CHINESE, LATIN, FOLDER / "HanaMinB.ttf"], ids=lambda path: path.name
)


@cache
def opened(path: Path) -> tuple[hb.Font, hb.Face, TrueTypeAssembler]:
    """Return a font file as HarfBuzz has it, prepared for subsets, and its assembler."""
    font = hb.Font(hb.Face(hb.Blob.from_file_path(str(path))))
    return font, prepared(path, 0), TrueTypeAssembler(path, 0, font)


def program_of(assembler: TrueTypeAssembler, gids: list[int]) -> bytes:
    """Return the program whose glyph k is the face's glyph `gids[k - 1]`."""
    return assembler.joined(list(map(assembler.record, gids)))


def drawn(font: hb.Font, gid: int) -> tuple[int, list]:
    """Return a glyph's advance and contours."""
    pen = RecordingPen()
    font.draw_glyph_with_pen(gid, pen)
    return font.get_glyph_h_advance(gid), pen.value


def loaded(program: bytes) -> hb.Font:
    """Return a program as HarfBuzz reads it."""
    return hb.Font(hb.Face(program))


def sums_are_right(program: bytes) -> bool:
    """Return whether each table's checksum and the whole file's adjustment are as OpenType wants them."""

    def total(data: bytes) -> int:
        data += bytes(-len(data) % 4)
        return sum(struct.unpack(f">{len(data) // 4}I", data)) & 0xFFFFFFFF

    count = struct.unpack_from(">H", program, 4)[0]
    for number in range(count):
        tag, checksum, offset, length = struct.unpack_from(">4sIII", program, 12 + 16 * number)
        table = bytearray(program[offset : offset + length])
        if tag == b"head":
            table[8:12] = bytes(4)
        if total(bytes(table)) != checksum:
            return False
    return total(program) == 0xB1B0AFBA


@each_face
def test_thousands_of_sets_are_drawn_as_by_hb_subset(path):
    """For 500 sets of characters of each face, outlines and advances equal hb-subset's, glyph for glyph."""
    font, whole, assembler = opened(path)
    dice = random.Random(path.name)  # noqa: S311  only characters
    codes = sorted(font.face.unicodes)
    for _ in range(500):
        gids = [font.get_nominal_glyph(code) for code in dice.sample(codes, dice.randint(1, 40))]
        ours = loaded(program_of(assembler, gids))
        subset = Subset(whole, gids)
        theirs = loaded(bytes(subset))
        for number, gid in enumerate(gids, 1):
            advance, contours = drawn(ours, number)
            wanted_advance, wanted = drawn(theirs, subset.numbers[gid])
            assert advance == wanted_advance
            assert contours == wanted, gid


@each_face
def test_programs_are_whole_files(path):
    """FontTools reads every table of a program and finds each checksum right; nothing but six tables is in it."""
    font, _, assembler = opened(path)
    gids = [font.get_nominal_glyph(code) for code in sorted(font.face.unicodes)[:300]]
    program = program_of(assembler, gids)
    assert sums_are_right(program)
    read = TTFont(io.BytesIO(program), checkChecksums=2, lazy=False)
    assert set(read.reader.keys()) == KEPT_TABLES
    assert read["maxp"].numGlyphs == read["hhea"].numberOfHMetrics == len(gids) + 1
    assert read["glyf"][read.getGlyphOrder()[0]].numberOfContours == 0
    for glyph in read["glyf"].glyphs.values():
        glyph.expand(read["glyf"])
        assert glyph.numberOfContours >= 0
        assert glyph.numberOfContours <= read["maxp"].maxContours
        points = len(glyph.coordinates) if glyph.numberOfContours else 0
        assert points <= read["maxp"].maxPoints


def test_two_characters_of_one_glyph_get_two_glyphs():
    """A glyph that is asked for twice stands in the program twice."""
    font, _, assembler = opened(CHINESE)
    gid = font.get_nominal_glyph(ord("一"))
    program = loaded(program_of(assembler, [gid, gid]))
    assert drawn(program, 1) == drawn(program, 2) == drawn(font, gid)


def test_same_glyphs_give_the_same_bytes():
    """A program depends on its glyphs and their order only."""
    font, _, assembler = opened(CHINESE)
    gids = [font.get_nominal_glyph(ord(char)) for char in "许可证"]
    fresh = TrueTypeAssembler(CHINESE, 0, font)
    assert program_of(assembler, gids) == program_of(fresh, gids) != program_of(assembler, gids[::-1])


def test_many_glyphs_take_long_offsets():
    """Beyond 128 KB of outlines a program states four-byte offsets, with right checksums and the same outlines."""
    font, _, assembler = opened(CHINESE)
    codes = [code for code in sorted(font.face.unicodes) if 0x4E00 <= code < 0x4E00 + 800]
    gids = [font.get_nominal_glyph(code) for code in codes]
    program = program_of(assembler, gids)
    assert sums_are_right(program)
    assert TTFont(io.BytesIO(program))["head"].indexToLocFormat == 1
    ours = loaded(program)
    assert all(drawn(ours, number) == drawn(font, gid) for number, gid in enumerate(gids, 1))


def write_changed(path: Path, *, hinted: bool = False, text: str = "AÅ证") -> None:
    """Write the Chinese font with one letter composed of two others, one of them with hints if asked."""
    font = TTFont(io.BytesIO(CHINESE.read_bytes()), lazy=True)
    names = [font.getBestCmap()[ord(char)] for char in text]
    pen = TTGlyphPen(dict.fromkeys(font.getGlyphOrder()))
    pen.addComponent(names[0], (1, 0, 0, 1, 30, -20))
    pen.addComponent(names[2], (0.5, 0, 0, 0.5, 400, 300))
    font["glyf"][names[1]] = pen.glyph()
    if hinted:
        font["glyf"][names[2]].expand(font["glyf"])
        font["glyf"][names[2]].program = Program()
        font["glyf"][names[2]].program.fromBytecode(bytes([0xB0, 1, 0x21]) * 5)
    out = io.BytesIO()
    font.save(out, reorderTables=None)
    path.write_bytes(out.getvalue())


def test_a_composed_glyph_becomes_one_of_its_own(tmp_path):
    """A glyph composed of shifted and scaled others draws, to half a unit, what HarfBuzz draws of it."""
    path = tmp_path / "composed.ttf"
    write_changed(path)
    font, _, assembler = opened(path)
    gid = font.get_nominal_glyph(ord("Å"))
    program = program_of(assembler, [gid])
    assert sums_are_right(program)
    assert TTFont(io.BytesIO(program))["glyf"]["glyph00001"].numberOfContours > 2
    (advance, contours), (wanted_advance, wanted) = drawn(loaded(program), 1), drawn(font, gid)
    assert advance == wanted_advance
    assert [operator for operator, _ in contours] == [operator for operator, _ in wanted]
    ours = [number for _, points in contours for point in points for number in point]
    theirs = [number for _, points in wanted for point in points for number in point]
    assert ours == pytest.approx(theirs, abs=0.5)


def test_hints_are_left_out(tmp_path):
    """The instructions of a glyph do not get into a program, its outline does."""
    path = tmp_path / "hinted.ttf"
    write_changed(path, hinted=True)
    font, _, assembler = opened(path)
    gid = font.get_nominal_glyph(ord("证"))
    program = program_of(assembler, [gid])
    glyph = TTFont(io.BytesIO(program))["glyf"]["glyph00001"]
    assert not glyph.program.getBytecode()
    assert drawn(loaded(program), 1) == drawn(font, gid)
    assert bytes([0xB0, 1, 0x21]) * 5 in path.read_bytes()
    assert bytes([0xB0, 1, 0x21]) * 5 not in program


def test_a_face_of_a_collection_is_found(tmp_path):
    """The tables are those of the face that is asked for by its number."""
    collection = TTCollection()
    collection.fonts = [TTFont(io.BytesIO(path.read_bytes())) for path in (LATIN, CHINESE)]
    path = tmp_path / "two.ttc"
    collection.save(path)
    face = hb.Face(hb.Blob.from_file_path(str(path)), 1)
    font = hb.Font(face)
    gid = font.get_nominal_glyph(ord("证"))
    program = program_of(TrueTypeAssembler(path, 1, font), [gid])
    assert drawn(loaded(program), 1) == drawn(opened(CHINESE)[0], gid)
