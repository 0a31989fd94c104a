"""Write the vendored font files of this folder from their published originals, each time the same bytes.

Run by a developer when a font is updated, never at installation:

    python templates/fonts/build.py --cjk DIR --latin DIR --hanazono FILE [--out DIR]

DIR is where the unpacked packages have their font files, FILE is HanaMinB.ttf; SOURCES.md names versions and digests.
The result is compared with fonts.toml, which a developer then edits by hand.
"""

# ruff: noqa: INP001, T201 -- a script beside its data, not a package; its output is for the developer

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uharfbuzz as hb
from fontTools.cffLib import FDArrayIndex
from fontTools.cffLib.specializer import commandsToProgram, programToCommands, specializeCommands
from fontTools.ttLib import TTFont

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

HERE = Path(__file__).resolve().parent
SIMPLIFIED = HERE.parents[1] / "benchmarks" / "fonts" / "NotoSerifSC-Regular.ttf"
"""The edition for simplified Chinese; its characters are kept, the original has those of all of East Asia."""

ORIGINALS = {
    "NotoSerifCJK-Regular.ttc": "5d9c31a059600193c9d7968a998bde886ccdc77e934006ad243b41794c496a7d",
    "NotoSerifCJK-Bold.ttc": "1505ee3b9c0890fae6302ee0e9c6fd74d690f4a55a6ace1d9944f3f6352d622d",
    "NotoSansCJK-Medium.ttc": "197d5e1e019faca33a4d55931c7d68b8056f3b97cb862049f5cb8de9efdfb8ce",
    "NotoSerif_400Regular.ttf": "a7e8ea1ab7e7d368b001c892d6148325fffc849a46e030e55e1bdc597bbe939d",
    "HanaMinB.ttf": "829543436cdf7b4c6730e2af5806fa406f8ddf0d4b656e0cd49c58d4db1c8d3c",
}
"""SHA-256 of the files this build was written for."""
CHINA = 2
"""Number of the face with mainland Chinese forms in the collections."""
LICENCE_NAMES = range(7, 15)
"""Trademark, maker, designer, licence and their addresses."""
STACK = 48
"""Numbers that a Type 2 charstring may give one operator."""

UNUSED_TABLES = (
    "BASE",
    "DSIG",
    "FFTM",
    "GDEF",
    "GPOS",
    "GSUB",
    "STAT",
    "VORG",
    "cvt ",
    "fpgm",
    "gasp",
    "prep",
    "prop",
    "vhea",
    "vmtx",
)
"""Vertical metrics, layout rules and hints: a PDF page uses none of them."""


def tag(name: str) -> int:
    """Return the four letters of a table's name as HarfBuzz counts them."""
    return int.from_bytes(name.encode("ascii"), "big")


def common() -> set[int]:
    """Return the code points of GB 2312 and of the 8,105 characters of 通用规范汉字表."""
    listed = (HERE / "tongyong-8105.txt").read_text(encoding="utf-8")
    found = {ord(char) for char in listed if char != "\n"}
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            found.update(map(ord, bytes([row, cell]).decode("gb2312", errors="ignore")))
    return found


def extended_latin(code: int) -> bool:
    """Accept the letters of foreign names that a Chinese font lacks."""
    return 0x0100 <= code <= 0x024F or 0x1E00 <= code <= 0x1EFF


def opened(source: Path, index: int = 0) -> hb.Face:
    """Return a face of an original. Raises SystemExit if it is not the file this build was written for."""
    if hashlib.sha256(source.read_bytes()).hexdigest() != ORIGINALS[source.name]:
        raise SystemExit(f"{source} is another version than SOURCES.md names")
    return hb.Face(hb.Blob.from_file_path(str(source)), index)


def subset(face: hb.Face, keep: Callable[[int], bool], names: Iterable[int] = ()) -> bytes:
    """Return a face with the characters that `keep` accepts, without subroutines, hints and layout tables.

    Of its names the copyright, what the face is called and its version are kept, and those of the numbers `names`.
    """
    wanted = hb.SubsetInput()
    wanted.name_id_set.update(names)
    wanted.unicode_set.update(code for code in face.unicodes if keep(code))
    wanted.flags = (
        hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.DESUBROUTINIZE | hb.SubsetFlags.NO_LAYOUT_CLOSURE
    )
    wanted.drop_table_tag_set.update(map(tag, UNUSED_TABLES))
    data: bytes = hb.subset(face, wanted).blob.data
    return data


def chinese(source: Path, characters: Container[int]) -> bytes:
    """Return some characters of a collection's mainland Chinese face, made for a PDF's programs.

    All charstrings share one font dictionary, so that any of them may stand beside any other. The dash fills its
    em from edge to edge, so that —— is one line.
    """
    face = opened(source, CHINA)
    font = TTFont(
        io.BytesIO(subset(face, characters.__contains__, LICENCE_NAMES)),
        recalcBBoxes=False,
        recalcTimestamp=False,
    )
    em = font["head"].unitsPerEm
    top = font["CFF "].cff.topDictIndex[0]
    for name, number in zip(font.getGlyphOrder(), top.FDSelect.gidArray, strict=True):
        charstring, advance = top.CharStrings[name], font["hmtx"][name][0]
        outline = without_width(charstring, top.FDArray[number].Private, advance)
        width = [] if advance == em else [advance]
        charstring.program = width + commandsToProgram(
            specializeCommands(outline, preserveTopology=True, maxstack=STACK)
        )
    foot, height = chinese_dash(face)
    dash = font.getBestCmap()[0x2014]
    top.CharStrings[dash].program = [foot, "vmoveto", em, height, -em, "hlineto", "endchar"]
    font["hmtx"][dash] = (em, 0)
    merge_dictionaries(top, em)
    # The collection's faces share one CFF table, named for Japan.
    names = font["name"]
    family, top.FullName, own = (names.getDebugName(number) for number in (1, 4, 6))
    top.FamilyName, top.FDArray[0].FontName, font["CFF "].cff.fontNames = family, own, [own]
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def without_width(charstring: Any, private: Any, advance: int) -> list[Any]:
    """Return the commands of a charstring but for its width. Raises SystemExit if that is not `advance`."""
    charstring.decompile()
    commands = programToCommands(charstring.program)
    width = private.defaultWidthX
    if commands[0][0] == "":
        width = private.nominalWidthX + commands.pop(0)[1][0]
    if width != advance:
        raise SystemExit(f"a charstring states the width {width}, hmtx {advance}")
    return commands


def merge_dictionaries(top: Any, em: int) -> None:
    """Leave one font dictionary, whose glyphs are an em wide unless they state their width."""
    kept = top.FDArray[0]
    kept.Private.rawDict.clear()
    kept.Private.defaultWidthX, kept.Private.nominalWidthX = em, 0
    top.FDArray = FDArrayIndex()
    top.FDArray.append(kept)
    top.FDSelect.gidArray = [0] * len(top.FDSelect.gidArray)


def chinese_dash(face: hb.Face) -> tuple[int, int]:
    """Return foot and height of the full-width dash, which the font keeps for Chinese text."""
    font = hb.Font(face)
    buffer = hb.Buffer()
    buffer.add_str("\u2014")
    buffer.direction, buffer.script, buffer.language = "ltr", "Hani", "zh-hans"
    hb.shape(font, buffer)
    extents = font.get_glyph_extents(buffer.glyph_infos[0].codepoint)
    return extents.y_bearing + extents.height, -extents.height


def main() -> int:
    """Write the five files; return 1 if fonts.toml must be edited."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cjk", type=Path, required=True, help="folder of the collections of Noto CJK")
    parser.add_argument("--latin", type=Path, required=True, help="unpacked Noto Serif package")
    parser.add_argument("--hanazono", type=Path, required=True, help="HanaMinB.ttf")
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    simplified, usual = set(TTFont(SIMPLIFIED, lazy=True).getBestCmap()), common()
    # Latin, symbols, punctuation, and the characters of `common`.
    everyday = {code for code in simplified if code < 0x3400 or 0xFF00 <= code <= 0xFFEF or code in usual}
    latin = arguments.latin / "400Regular/NotoSerif_400Regular.ttf"
    built = {
        "NotoSerifSC-Regular.otf": chinese(arguments.cjk / "NotoSerifCJK-Regular.ttc", simplified),
        "NotoSerifSC-Bold.otf": chinese(arguments.cjk / "NotoSerifCJK-Bold.ttc", everyday),
        "NotoSansSC-Medium.otf": chinese(arguments.cjk / "NotoSansCJK-Medium.ttc", everyday),
        "NotoSerif-LatinExtended.ttf": subset(opened(latin), extended_latin),
        "HanaMinB.ttf": subset(opened(arguments.hanazono), lambda code: code >= 0x20000),
    }
    declared = {
        face["file"]: face["sha256"]
        for face in tomllib.loads((HERE / "fonts.toml").read_text(encoding="utf-8"))["faces"].values()
    }
    stale = False
    for name, data in built.items():
        (arguments.out / name).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        stale |= declared.get(name) != digest
        print(f"{name} {len(data)} {digest}{'' if declared.get(name) == digest else '  <- edit fonts.toml'}")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
