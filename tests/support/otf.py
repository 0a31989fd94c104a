"""A small OpenType/CFF font with everything that the shipped ones do without: what a department's own may have."""

from __future__ import annotations

import io

from fontTools.cffLib import SubrsIndex
from fontTools.fontBuilder import FontBuilder
from fontTools.misc.psCharStrings import T2CharString

GLYPHS = {
    ".notdef": [100, "endchar"],
    # Hints, a counter mask, a width of its own; a call of a local and of a global subroutine.
    "A": [600, 10, 20, "hstemhm", 30, 40, "hintmask", b"\xc0", 0, 10, "rmoveto", -107, "callsubr", "endchar"],
    "B": [50, 60, "rmoveto", -107, "callgsubr", "endchar"],
    # The two flexes and the curves that alternate.
    "C": [
        10, "hmoveto", 10, 20, 30, 40, 50, 60, 70, "hflex", 10, -20, 30, 40, 50, 20, 60, -40, 70, "hflex1",
        1, 2, 3, 4, "vhcurveto", -1, -2, -3, -4, 5, "hvcurveto", "endchar",
    ],
    # A letter put together from two others. Source: note 5177, appendix C.
    "Aacute": [0, 120, 300, 65, 66, "endchar"],
    # Coordinates between whole numbers, and steps of five bytes.
    "D": [0.5, 300.25, "rmoveto", 1200, "hlineto", 1500, "vlineto", -1200.75, "hlineto", "endchar"],
    "space": ["endchar"],
}  # fmt: skip
CHARACTERS = {0x41: "A", 0x42: "B", 0x43: "C", 0x44: "D", 0xC1: "Aacute", 0x20: "space"}
ADVANCES = {".notdef": 600, "A": 1100, "B": 500, "C": 500, "Aacute": 500, "D": 500, "space": 500}
SUBROUTINES = (
    [100, 200, "rlineto", 300, -50, "rlineto", "return"],
    [400, 0, 0, 700, -400, 0, "rlineto", "return"],
)
"""A local one and a global one."""


def small_font(em: int = 2048) -> bytes:
    """Return the font: name-keyed, with subroutines, hints, and widths relative to 500; an em of so many units."""
    builder = FontBuilder(em, isTTF=False)
    builder.setupGlyphOrder(list(GLYPHS))
    builder.setupCharacterMap(CHARACTERS)
    charstrings = {name: T2CharString(program=list(program)) for name, program in GLYPHS.items()}
    matrix = {"FontMatrix": [1 / em, 0, 0, 1 / em, 0, 0]}
    builder.setupCFF("Small", matrix, charstrings, {"defaultWidthX": 500, "nominalWidthX": 500})
    local, shared = SUBROUTINES
    cff = builder.font["CFF "].cff
    cff.GlobalSubrs.append(T2CharString(program=list(shared)))
    private = cff.topDictIndex[0].Private
    private.Subrs = SubrsIndex()
    private.Subrs.append(T2CharString(program=list(local)))
    builder.setupHorizontalMetrics({name: (advance, 0) for name, advance in ADVANCES.items()})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": "Small", "styleName": "Regular", "psName": "Small-Regular"})
    builder.setupOS2(fsType=0)
    builder.setupPost()
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()
