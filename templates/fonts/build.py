"""Write the vendored font files of this folder from their published originals, each time the same bytes.

Run by a developer when a font is updated, never at installation:

    python templates/fonts/build.py --serif DIR --sans DIR --latin DIR --hanazono FILE [--out DIR]

DIR is an unpacked package, FILE is HanaMinB.ttf; SOURCES.md names versions and digests. The result is
compared with fonts.toml, which a developer then edits by hand.
"""

# ruff: noqa: INP001, T201 -- a script beside its data, not a package; its output is for the developer

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import uharfbuzz as hb
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent

ORIGINALS = {
    "NotoSerifSC_400Regular.ttf": "c358a69de3df5f423a8946a7b03e3126fb6ba116f1130a463455b4e39e1f0742",
    "NotoSerifSC_700Bold.ttf": "9c6a2ba736e4b499c84f65ce366bd3625c0401885fd3e585ace50fb738b96ff6",
    "NotoSansSC_500Medium.ttf": "b30853d205f3ecdde938b1488c735ee15a2e870d31331b992fdc53971e23ec4a",
    "NotoSerif_400Regular.ttf": "a7e8ea1ab7e7d368b001c892d6148325fffc849a46e030e55e1bdc597bbe939d",
    "HanaMinB.ttf": "829543436cdf7b4c6730e2af5806fa406f8ddf0d4b656e0cd49c58d4db1c8d3c",
}
"""SHA-256 of the files this build was written for."""

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


def chinese_dash(face: hb.Face) -> tuple[int, int]:
    """Return foot and top of the full-width dash, which the font keeps for Chinese text."""
    font = hb.Font(face)
    buffer = hb.Buffer()
    buffer.add_str("\u2014")
    buffer.direction, buffer.script, buffer.language = "ltr", "Hani", "zh-hans"
    hb.shape(font, buffer)
    extents = font.get_glyph_extents(buffer.glyph_infos[0].codepoint)
    return extents.y_bearing + extents.height, extents.y_bearing


def join_dashes(data: bytes, foot: int, top: int) -> bytes:
    """Return the font with a dash that fills its em from edge to edge, so that —— is one line."""
    font = TTFont(io.BytesIO(data), recalcBBoxes=False, recalcTimestamp=False)
    em = font["head"].unitsPerEm
    pen = TTGlyphPen(None)
    pen.moveTo((0, foot))
    for corner in ((0, top), (em, top), (em, foot)):
        pen.lineTo(corner)
    pen.closePath()
    name = font.getBestCmap()[0x2014]
    font["glyf"][name] = pen.glyph()
    font["glyf"][name].recalcBounds(font["glyf"])
    font["hmtx"][name] = (em, 0)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def subset(source: Path, keep: Callable[[int], bool]) -> bytes:
    """Return `source` with the characters that `keep` accepts, without hints and layout tables.

    Raises SystemExit if `source` is not the file this build was written for.
    """
    if hashlib.sha256(source.read_bytes()).hexdigest() != ORIGINALS[source.name]:
        raise SystemExit(f"{source} is another version than SOURCES.md names")
    face = hb.Face(hb.Blob.from_file_path(str(source)))
    wanted = hb.SubsetInput()
    wanted.unicode_set.update(code for code in face.unicodes if keep(code))
    wanted.flags = hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.NO_LAYOUT_CLOSURE
    wanted.drop_table_tag_set.update(map(tag, UNUSED_TABLES))
    data: bytes = hb.subset(face, wanted).blob.data
    return join_dashes(data, *chinese_dash(face)) if 0x2014 in wanted.unicode_set else data


def main() -> int:
    """Write the five files; return 1 if fonts.toml must be edited."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serif", type=Path, required=True, help="unpacked Noto Serif SC package")
    parser.add_argument("--sans", type=Path, required=True, help="unpacked Noto Sans SC package")
    parser.add_argument("--latin", type=Path, required=True, help="unpacked Noto Serif package")
    parser.add_argument("--hanazono", type=Path, required=True, help="HanaMinB.ttf")
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    usual = common()

    def everyday(code: int) -> bool:
        """Accept Latin, symbols, punctuation, and the characters of `common`."""
        return code < 0x3400 or 0xFF00 <= code <= 0xFFEF or code in usual

    built = {
        "NotoSerifSC-Regular.ttf": subset(arguments.serif / "400Regular/NotoSerifSC_400Regular.ttf", bool),
        "NotoSerifSC-Bold.ttf": subset(arguments.serif / "700Bold/NotoSerifSC_700Bold.ttf", everyday),
        "NotoSansSC-Medium.ttf": subset(arguments.sans / "500Medium/NotoSansSC_500Medium.ttf", everyday),
        "NotoSerif-LatinExtended.ttf": subset(
            arguments.latin / "400Regular/NotoSerif_400Regular.ttf", extended_latin
        ),
        "HanaMinB.ttf": subset(arguments.hanazono, lambda code: code >= 0x20000),
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
