"""The fonts a document embeds: one code for each distinct character, and what the PDF font objects hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from elicense.rendering.fonts import Face, FaceMetrics, FontLibrary, Glyph, GlyphPart

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
    """Everything the PDF objects of one Type 0 font hold; Identity-H, a CID is its glyph's number."""

    names: tuple[str, ...]
    """Its resource names, without the solidus."""
    base_font: str
    """Six-letter tag, plus sign, PostScript name; the same characters of the same file give the same tag."""
    program: bytes
    """The font program, uncompressed."""
    cff: bool
    """Whether it is a CFF program, otherwise TrueType."""
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
    codes: Mapping[str, str]
    """Character -> code, from 1 on."""
    parts: tuple[GlyphPart, ...]
    """Of the characters in this order."""


class _Subset(dict[str, str]):
    """Character -> code in one font of the document; a character that the face draws gets the next one."""

    def __init__(self, index: int, known: Mapping[str, GlyphPart]) -> None:
        self.index = index
        self.known = known
        self.parts: list[GlyphPart] = []

    def __missing__(self, char: str) -> str:
        self.extend(char, (self.known[char],))
        return self[char]

    def extend(self, characters: Sequence[str], parts: Iterable[GlyphPart]) -> None:
        """Give the next codes to characters that have none yet, whose parts these are."""
        first = len(self.parts) + 1
        self.parts += parts
        end = len(self.parts) + 1
        codes = _CODES[first:end] if end <= len(_CODES) else map("{:04X}".format, range(first, end))
        self.update(zip(characters, codes, strict=True))


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

    def __post_init__(self) -> None:
        for font in self.carried:
            subset = self._begun(font.face)
            subset.update(font.codes)
            subset.parts += font.parts

    def encode(self, glyphs: Iterable[Glyph]) -> tuple[EncodedRun, ...]:
        """Return the codes of `glyphs`, a run for each stretch in one face; new characters get new codes."""
        runs = []
        for face, stretch in groupby(glyphs, attrgetter("face")):
            subset = self._subsets.get(face)
            if subset is None:
                subset = self._begun(face)
            text = "".join([glyph.char for glyph in stretch])
            runs.append(EncodedRun(subset.index, text, "".join(map(subset.__getitem__, text))))
        return tuple(runs)

    def prepare(self, texts: Iterable[tuple[str, str]]) -> None:
        """Give codes to all characters of these texts, each with its font role, at once.

        They are the codes that `shown` would give one text after the other, for 10 µs a licence instead of 70. Where
        a role's first face does not draw everything nothing happens, and `shown` gives them.
        """
        joined: dict[int, list[str]] = {}
        for text, role in texts:
            if text:
                joined.setdefault(self.library.first_faces[role], []).append(text)
        found = []
        for face, together in joined.items():
            subset: Container[str] = self._subsets.get(face, ())
            new = [char for char in dict.fromkeys("".join(together)) if char not in subset]
            try:
                found.append((face, new, list(map(self.library.face(face).parts.__getitem__, new))))
            except KeyError:
                return
        for face, new, parts in found:
            (self._subsets.get(face) or self._begun(face)).extend(new, parts)

    def shown(self, text: str, role: str, *, field: str | None = None) -> tuple[tuple[int, str], ...]:
        """Return font and codes of each run of `encode`, quickly where one font has all of the text.

        Args:
            text: what is printed; no line breaks.
            role: its font role.
            field: the licence field, for the refusal.

        Raises as `FontLibrary.glyphs` does.
        """
        subset = self._subsets.get(self.library.first_faces.get(role, -1))
        if subset is not None and text:
            try:
                return ((subset.index, "".join(map(subset.__getitem__, text))),)
            except KeyError:
                pass
        runs = self.encode(self.library.glyphs(text, role, field=field))
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
            CarriedFont(f"{self.prefix}{subset.index}", face, dict(subset), tuple(subset.parts))
            for face, subset in self._subsets.items()
            if face in faces and len(subset) <= _CARRIED
        )

    def _begun(self, face: int) -> _Subset:
        """Return the subset of a face that had none."""
        subset = self._subsets[face] = _Subset(len(self._subsets), self.library.face(face).parts)
        return subset


def _embed(subset: _Subset, face: Face, names: tuple[str, ...]) -> EmbeddedFont:
    """Return the font of one face with the subset's glyphs as its CIDs from 1 on."""
    characters = "".join(subset)
    widths, utf16, records = zip(*subset.parts, strict=True)
    tag = hashlib.sha256((face.spec.sha256 + characters).encode()).digest()[:6].translate(_LETTERS)
    narrow = [f"{code}{width}" for code, width in enumerate(widths, 1) if width]
    return EmbeddedFont(
        names=names,
        base_font=f"{tag.decode('ascii')}+{face.postscript_name}",
        program=face.program(records),
        cff=face.cff,
        widths=f"[{''.join(narrow)}]",
        to_unicode=_to_unicode(utf16),
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
