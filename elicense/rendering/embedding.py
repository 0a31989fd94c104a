"""The fonts a document embeds: one code for each distinct character, and what the PDF font objects hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elicense.rendering.fonts import Face, FaceMetrics, FontLibrary, Glyph


@dataclass(frozen=True, slots=True)
class EncodedRun:
    """A stretch of text in one font, as a content stream shows it."""

    font: int
    """k of the resource name /Dk: index into the tuple `FontSubsets.build` returns."""
    text: str
    """The characters."""
    codes: str
    """Two-byte codes as hex digits, to stand between < and >."""


@dataclass(frozen=True, slots=True)
class EmbeddedFont:
    """Everything the PDF objects of one Type 0 font hold; Identity-H, CIDFontType2."""

    index: int
    """k of the resource name /Dk."""
    base_font: str
    """Six-letter tag, plus sign, PostScript name; the same characters of the same file give the same tag."""
    program: bytes
    """FontFile2, uncompressed; its length is Length1."""
    cid_to_gid: bytes
    """CIDToGIDMap stream: two bytes a CID from 0."""
    widths: str
    """The W array, brackets included; for all other CIDs DW is 1000."""
    to_unicode: bytes
    """ToUnicode CMap: one bfchar line a CID, UTF-16BE with surrogates."""
    metrics: FaceMetrics
    """Numbers of the font descriptor."""
    characters: str
    """The characters in the order of their CIDs, the first is CID 1."""


@dataclass(slots=True)
class FontSubsets:
    """Collects the characters of one document and makes its fonts; one code for each distinct character.

    Two characters that a font draws with one glyph (一 and the radical ⼀) get two codes, so that extracted
    text is what was entered.
    """

    library: FontLibrary
    """Where the faces are."""
    _codes: dict[int, dict[str, int]] = field(default_factory=dict)
    _gids: dict[int, list[Glyph]] = field(default_factory=dict)

    def encode(self, glyphs: Sequence[Glyph]) -> tuple[EncodedRun, ...]:
        """Return the codes of `glyphs`, a run for each stretch in one face; new characters get new codes."""
        runs: list[EncodedRun] = []
        start = 0
        while start < len(glyphs):
            face = glyphs[start].face
            end = start + 1
            while end < len(glyphs) and glyphs[end].face == face:
                end += 1
            runs.append(self._encode_run(face, glyphs[start:end]))
            start = end
        return tuple(runs)

    def _encode_run(self, face: int, glyphs: Sequence[Glyph]) -> EncodedRun:
        codes = self._codes.setdefault(face, {})
        kept = self._gids.setdefault(face, [])
        parts = []
        for glyph in glyphs:
            code = codes.get(glyph.char)
            if code is None:
                kept.append(glyph)
                code = codes[glyph.char] = len(kept)
            parts.append(f"{code:04X}")
        font = list(self._codes).index(face)
        return EncodedRun(font, "".join(glyph.char for glyph in glyphs), "".join(parts))

    def build(self) -> tuple[EmbeddedFont, ...]:
        """Return the fonts used so far, in the order of their resource names."""
        return tuple(
            _embed(index, self.library.face(face), glyphs)
            for index, (face, glyphs) in enumerate(self._gids.items())
        )


def _embed(index: int, face: Face, glyphs: Sequence[Glyph]) -> EmbeddedFont:
    """Return the font of one face with `glyphs` as its CIDs from 1 on."""
    program, renumbered = face.subset(glyph.gid for glyph in glyphs)
    characters = "".join(glyph.char for glyph in glyphs)
    widths = " ".join(f"{glyph.advance:g}" for glyph in glyphs)
    return EmbeddedFont(
        index=index,
        base_font=f"{_subset_tag(face.spec.sha256 + characters)}+{face.postscript_name}",
        program=program,
        cid_to_gid=b"".join([b"\0\0", *(renumbered[glyph.gid].to_bytes(2, "big") for glyph in glyphs)]),
        widths=f"[1 [{widths}]]",
        to_unicode=_to_unicode(characters),
        metrics=face.metrics,
        characters=characters,
    )


def _subset_tag(content: str) -> str:
    """Return six capital letters that differ for different content. Source: ISO 32000-1, 9.6.4."""
    number = int.from_bytes(hashlib.sha256(content.encode()).digest()[:8], "big")
    return "".join(chr(ord("A") + number // 26**place % 26) for place in range(6))


def _to_unicode(characters: str) -> bytes:
    """Return the CMap from CIDs 1, 2, … to `characters`. Source: ISO 32000-1, 9.10.3; Adobe note 5014."""
    lines = [
        f"<{code:04X}> <{char.encode('utf-16-be').hex().upper()}>" for code, char in enumerate(characters, 1)
    ]
    blocks = []
    for at in range(0, len(lines), 100):
        block = lines[at : at + 100]
        blocks.append("\n".join([f"{len(block)} beginbfchar", *block, "endbfchar"]))
    return "\n".join(
        [
            "/CIDInit /ProcSet findresource begin",
            "12 dict begin",
            "begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def",
            "/CMapType 2 def",
            "1 begincodespacerange",
            "<0000> <FFFF>",
            "endcodespacerange",
            *blocks,
            "endcmap",
            "CMapName currentdict /CMap defineresource pop",
            "end",
            "end",
            "",
        ]
    ).encode("ascii")
