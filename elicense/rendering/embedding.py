"""The fonts a document embeds: one code for each distinct character, and what the PDF font objects hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from elicense.rendering.fonts import Face, FaceMetrics, FontLibrary, Glyph

_CODES = tuple(f"{code:04X}" for code in range(1024))
_LETTERS = bytes(ord("A") + byte % 26 for byte in range(256))
_OPENING = """/CIDInit/ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def
/CMapName/Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000><FFFF>
endcodespacerange
"""
_CLOSING = """endcmap
CMapName currentdict/CMap defineresource pop
end
end
"""
_CARRIED = 32
"""Characters of the furniture that every document's font is made to hold; each costs it about a microsecond."""
_RANGES = 100
"""So many a CMap may state in one block. Source: Adobe note 5014."""


class EncodedRun(NamedTuple):
    """A stretch of text in one font, as a content stream shows it."""

    font: int
    """k of the resource name, e.g. /Dk: index into the tuple `FontSubsets.build` returns."""
    text: str
    """The characters."""
    codes: str
    """Two-byte codes as hex digits, to stand between < and >."""


class EmbeddedFont(NamedTuple):
    """Everything the PDF objects of one Type 0 font hold; Identity-H, CIDFontType2, a CID is its glyph's number."""

    names: tuple[str, ...]
    """Its resource names, without the solidus."""
    base_font: str
    """Six-letter tag, plus sign, PostScript name; the same characters of the same file give the same tag."""
    program: bytes
    """FontFile2, uncompressed; its length is Length1."""
    widths: str
    """The W array, brackets included, of the CIDs that are not 1000 wide; DW is 1000."""
    to_unicode: bytes
    """ToUnicode CMap of the CIDs from 1 on: UTF-16BE with surrogates."""
    metrics: FaceMetrics
    """Numbers of the font descriptor."""
    characters: str
    """The characters in the order of their CIDs, the first is CID 1."""


class CarriedFont(NamedTuple):
    """A small font of the furniture that the fonts of each document go on from, so that a face is embedded once."""

    name: str
    """Resource name in the furniture's streams."""
    face: int
    """Index of the face in the library."""
    glyphs: tuple[Glyph, ...]
    """The characters in the order of their codes, from 1 on."""


class _Subset(dict[str, str]):
    """Character -> code in one font of the document; a character that the face is known to draw gets the next one."""

    def __init__(self, index: int, face: int, known: Mapping[str, Glyph]) -> None:
        self.index = index
        self.face = face
        self.known = known
        self.glyphs: list[Glyph] = []

    def __missing__(self, char: str) -> str:
        glyph = self.known[char]
        if glyph.face != self.face:
            raise KeyError(char)
        return self.add(glyph)

    def add(self, glyph: Glyph) -> str:
        """Return the code of a character that has none yet."""
        glyphs = self.glyphs
        glyphs.append(glyph)
        code = len(glyphs)
        self[glyph.char] = digits = _CODES[code] if code < len(_CODES) else f"{code:04X}"
        return digits


@dataclass(slots=True)
class FontSubsets:
    """Collects the characters of one document and makes its fonts; one code for each distinct character.

    Two characters that a font draws with one glyph (一 and the radical ⼀) get two codes, so that extracted
    text is what was entered.
    """

    library: FontLibrary
    """Where the faces are."""
    prefix: str = "D"
    """Resource names begin with it."""
    carried: tuple[CarriedFont, ...] = ()
    """Fonts of the furniture to go on from."""
    _subsets: dict[int, _Subset] = field(default_factory=dict)
    _by_role: dict[str, _Subset] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for font in self.carried:
            subset = self._begun(font.face)
            subset.glyphs += font.glyphs
            subset.update(zip([glyph.char for glyph in font.glyphs], _CODES[1:], strict=False))

    def encode(self, glyphs: Iterable[Glyph]) -> tuple[EncodedRun, ...]:
        """Return the codes of `glyphs`, a run for each stretch in one face; new characters get new codes."""
        runs = []
        for face, stretch in groupby(glyphs, attrgetter("face")):
            subset = self._subsets.get(face)
            if subset is None:
                subset = self._begun(face)
            shown = tuple(stretch)
            codes = "".join([subset.get(glyph.char) or subset.add(glyph) for glyph in shown])
            runs.append(EncodedRun(subset.index, "".join([glyph.char for glyph in shown]), codes))
        return tuple(runs)

    def shown(self, text: str, role: str, *, field: str | None = None) -> tuple[tuple[int, str], ...]:
        """Return font and codes of each run of `encode`, quickly where one font has all of the text.

        Args:
            text: what is printed; no line breaks.
            role: its font role.
            field: the licence field, for the refusal.

        Raises as `FontLibrary.glyphs` does.
        """
        subset = self._by_role.get(role)
        if subset is not None and text:
            try:
                return ((subset.index, "".join(map(subset.__getitem__, text))),)
            except KeyError:
                pass
        runs = self.encode(self.library.glyphs(text, role, field=field))
        first = self._subsets.get(self.library.first_face(role))
        if first is not None:
            self._by_role[role] = first
        return tuple([(run.font, run.codes) for run in runs])

    def build(self, *, left_out: Container[int] = ()) -> tuple[EmbeddedFont, ...]:
        """Return the fonts used so far, in the order of their numbers, but those of the faces `left_out`."""
        others = {font.face: (font.name,) for font in self.carried}
        return tuple([
            _embed(subset, self.library.face(face), (f"{self.prefix}{subset.index}", *others.get(face, ())))
            for face, subset in self._subsets.items()
            if face not in left_out
        ])  # fmt: skip

    def carriable(self, faces: Container[int]) -> tuple[CarriedFont, ...]:
        """Return the fonts of one of these faces that are small: the fonts of a document had better go on from them."""
        return tuple(
            CarriedFont(f"{self.prefix}{subset.index}", face, tuple(subset.glyphs))
            for face, subset in self._subsets.items()
            if face in faces and len(subset) <= _CARRIED
        )

    def _begun(self, face: int) -> _Subset:
        """Return the subset of a face that had none."""
        subset = self._subsets[face] = _Subset(len(self._subsets), face, self.library.known_in(face))
        return subset


def _embed(subset: _Subset, face: Face, names: tuple[str, ...]) -> EmbeddedFont:
    """Return the font of one face with the subset's glyphs as its CIDs from 1 on."""
    characters, glyphs = "".join(subset), subset.glyphs
    tag = hashlib.sha256((face.spec.sha256 + characters).encode()).digest()[:6].translate(_LETTERS)
    narrow = [f"{code}{glyph.width}" for code, glyph in enumerate(glyphs, 1) if glyph.width]
    return EmbeddedFont(
        names=names,
        base_font=f"{tag.decode('ascii')}+{face.postscript_name}",
        program=face.program([glyph.gid for glyph in glyphs]),
        widths=f"[{''.join(narrow)}]",
        to_unicode=_to_unicode([glyph.utf16 for glyph in glyphs]),
        metrics=face.metrics,
        characters=characters,
    )


def _to_unicode(texts: Sequence[str]) -> bytes:
    """Return the CMap from CIDs 1, 2, … to `texts`, hex strings in brackets.

    A range does not go beyond one value of the code's first byte. Source: ISO 32000-1, 9.10.3; Adobe note 5014.
    """
    last = len(texts)
    ranges = [
        f"<{first:04X}><{min(first | 0xFF, last):04X}>[{''.join(texts[first - 1 : first | 0xFF])}]\n"
        for first in (1, *range(0x100, last + 1, 0x100))
    ]
    blocks = [ranges[at : at + _RANGES] for at in range(0, len(ranges), _RANGES)]
    middle = [f"{len(block)} beginbfrange\n{''.join(block)}endbfrange\n" for block in blocks]
    return "".join([_OPENING, *middle, _CLOSING]).encode("ascii")
