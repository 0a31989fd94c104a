"""Fonts as data: which file draws a character, how wide it is, and the part of the file a document embeds.

The only door to HarfBuzz. A character is one glyph: no shaping, so scripts that need it are refused by name
rather than set wrongly; Chinese, Latin, Greek, Cyrillic and kana need none.
"""

from __future__ import annotations

import hashlib
import re
import threading
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import uharfbuzz as hb  # type: ignore[import-untyped]  # the package ships no types

from elicense.errors import ConfigurationError, InvalidTemplate, RenderingError
from elicense.rendering.cff import CffAssembler
from elicense.rendering.fontlist import read_font_list
from elicense.rendering.outlines import OutlinePen, rounded, shortened
from elicense.rendering.truetype import TrueTypeAssembler
from elicense.seal.lettering import GlyphOutline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from elicense.rendering.fontlist import FaceSpec, FontList, StandIn

_WIDE_FROM, _WIDE_TO = 0x3000, 0xFFEE
"""Ideographs, kana and full-width punctuation are among these code points."""
_LISTED = 5
"""So many uncovered characters are named in one refusal."""

_NEEDED_TABLES = frozenset({"head", "hhea", "hmtx", "maxp"})
_TRUETYPE_TABLES = _NEEDED_TABLES | {"glyf", "loca"}
"""What a TrueType program needs as the descendant of a Type 0 font. Source: ISO 32000-1, 9.9."""
_CFF_TABLES = _NEEDED_TABLES | {"CFF "}
"""What a CFF program is made from."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character as one face draws it."""

    char: str
    """The character, one code point."""
    face: int
    """Index of the face in the library."""
    gid: int
    """Glyph number in that face, never 0."""
    advance: float
    """Width in 1/1000 em, equal to the one the embedded program states."""


class FaceMetrics(NamedTuple):
    """Numbers of a PDF font descriptor, in 1/1000 em. Source: ISO 32000-1, 9.8.1, table 122."""

    ascent: int
    """Ascent."""
    descent: int
    """Descent, negative."""
    cap_height: int
    """Height of a flat capital."""
    italic_angle: float
    """Degrees counter-clockwise from the vertical."""
    stem_v: int
    """Width of vertical stems; estimated from the weight, the file does not state it."""
    flags: int
    """Symbolic (4), and serif (2) where declared."""
    bbox: tuple[int, int, int, int]
    """Box around all glyphs: left, bottom, right, top."""


class GlyphPart(NamedTuple):
    """What a character brings into the fonts that embed it."""

    width: str
    """As it stands in a W array; empty for 1000, the default."""
    utf16: str
    """The character in UTF-16BE as a hex string in brackets."""
    record: Any
    """Its glyph, ready to be joined with others by the face it comes from."""


class Face:
    """An open font file; made by the library when a character first needs it."""

    def __init__(self, spec: FaceSpec) -> None:
        """Raise ConfigurationError if the file is missing, altered, or may or can not be embedded."""
        self.spec = spec
        try:
            with spec.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ConfigurationError(
                f"The font file {spec.path} cannot be read: {error.strerror}. Restore it or edit fonts.toml.",
                f"无法读取字体文件 {spec.path}：{error.strerror}。请恢复该文件或修改 fonts.toml。",
            ) from error
        if digest != spec.sha256:
            raise ConfigurationError(
                f"The font file {spec.path} is not the one fonts.toml declares (SHA-256 {digest}).",
                f"字体文件 {spec.path} 与 fonts.toml 声明的不一致（SHA-256 为 {digest}）。",
            )
        self._face = hb.Face(hb.Blob.from_file_path(str(spec.path)), spec.index)
        _require_embeddable(self._face, spec)
        self._font = hb.Font(self._face)
        self._scale: float = 1000 / self._face.upem
        self.cff = "CFF " in self._face.table_tags
        """Whether outlines and programs are CFF, with cubic curves; otherwise TrueType."""
        assembler = CffAssembler if self.cff else TrueTypeAssembler
        self._assembler: Any = assembler(spec.path, spec.index, self._font)
        self.parts: Mapping[str, GlyphPart] = _Parts(self)
        """Of each character that this face draws."""

    @cached_property
    def postscript_name(self) -> str:
        """The name in the file, in characters a PDF name may hold without escapes."""
        name = self._face.get_name(hb.OTNameIdPredefined.POSTSCRIPT_NAME) or self.spec.name
        return "".join(c for c in name if c.isascii() and (c.isalnum() or c in "-_")) or "Font"

    @cached_property
    def metrics(self) -> FaceMetrics:
        """Numbers for the font descriptor."""
        head = self._face.reference_table("head").data
        extents = self._font.get_font_extents("ltr")
        cap = self._font.get_metric_position(hb.OTMetricsTag.CAP_HEIGHT) or 0.7 * extents.ascender
        os2 = self._face.reference_table("OS/2").data
        weight = int.from_bytes(os2[4:6], "big") if len(os2) >= 6 else 400
        corners = (int.from_bytes(head[at : at + 2], "big", signed=True) for at in (36, 38, 40, 42))
        left, bottom, right, top = (round(value * self._scale) for value in corners)
        return FaceMetrics(
            ascent=round(extents.ascender * self._scale),
            descent=round(extents.descender * self._scale),
            cap_height=round(cap * self._scale),
            italic_angle=round(self._font.get_style_value(hb.StyleTag.SLANT_ANGLE), 3),
            stem_v=50 + (weight // 65) ** 2,
            flags=6 if self.spec.serif else 4,
            bbox=(left, bottom, right, top),
        )

    @cached_property
    def not_wide(self) -> re.Pattern[str]:
        """Finds what is anything but ideographs and their punctuation that the face draws, each one em wide."""
        codes = [code for code in self._face.unicodes if _WIDE_FROM <= code <= _WIDE_TO]
        wide = [char for char in map(chr, codes) if _plain(char) and self.advance(self.gid(char)) == 1000]
        return re.compile(f"[^{re.escape(''.join(wide))}]+")

    def gid(self, char: str) -> int:
        """Return the glyph number of `char`, or 0 if the face has none."""
        gid: int | None = self._font.get_nominal_glyph(ord(char))
        return gid or 0

    def advance(self, gid: int) -> float:
        """Return the width of a glyph in 1/1000 em."""
        units: int = self._font.get_glyph_h_advance(gid)
        return round(units * self._scale, 3)

    def outline(self, gid: int) -> GlyphOutline:
        """Return a glyph's contours."""
        pen = OutlinePen(self._scale)
        self._font.draw_glyph_with_pen(gid, pen)
        short = rounded(pen.commands) if self.cff else shortened(pen.commands)
        return GlyphOutline(self.advance(gid), tuple(pen.commands), short)

    def glyph(self, char: str, face: int) -> Glyph | None:
        """Return a character's glyph, None if there is none; `face` is the number of this face in the library."""
        gid = self.gid(char)
        if not gid:
            return None
        return Glyph(char, face, gid, self.advance(gid))

    def part(self, char: str) -> GlyphPart:
        """Return what a character brings. Raises KeyError if this face does not draw it, or not by one glyph."""
        gid = self.gid(char) if _plain(char) else 0
        if not gid:
            raise KeyError(char)
        advance = self.advance(gid)
        width = "" if advance == 1000 else f"[{advance:g}]"
        utf16 = f"<{char.encode('utf-16-be').hex().upper()}>"
        return GlyphPart(width, utf16, self._assembler.record(gid))

    def program(self, records: Sequence[Any]) -> bytes:
        """Return a font program of an empty glyph and those of these records, in their order."""
        program: bytes = self._assembler.joined(records)
        return program


def _require_embeddable(face: Any, spec: FaceSpec) -> None:
    """Raise ConfigurationError unless a PDF may and can embed a subset of the face.

    Source: OpenType, OS/2 fsType (bit 1 restricted, 8 no subsetting, 9 bitmaps only).
    """
    tables = set(face.table_tags)
    os2 = face.reference_table("OS/2").data
    rights = int.from_bytes(os2[8:10], "big") if len(os2) >= 10 else 0
    if not (tables >= _TRUETYPE_TABLES or tables >= _CFF_TABLES) or tables & {"fvar", "CFF2"}:
        raise ConfigurationError(
            f"The font file {spec.path} is not a static TrueType or OpenType/CFF font (glyf or CFF outlines); "
            "convert it first.",
            f"字体文件 {spec.path} 不是静态 TrueType 或 OpenType/CFF 字体（glyf 或 CFF 轮廓），请先转换。",
        )
    if rights & 0x0302:
        raise ConfigurationError(
            f"The font file {spec.path} forbids embedding a subset (fsType {rights}); use another font.",
            f"字体文件 {spec.path} 禁止子集嵌入（fsType {rights}），请更换字体。",
        )


class _Parts(dict[str, GlyphPart]):
    """Character -> what it brings into a font, made when first asked for."""

    def __init__(self, face: Face) -> None:
        self._face = face

    def __missing__(self, char: str) -> GlyphPart:
        part = self[char] = self._face.part(char)
        return part


class _Advances(dict[str, float]):
    """Character -> width in one role; asked for all the characters of a document, a lookup each."""

    def __init__(self, library: FontLibrary, role: str) -> None:
        self._library, self._role = library, role

    def __missing__(self, char: str) -> float:
        self[char] = advance = self._library.glyphs(char, self._role)[0].advance
        return advance


class FontLibrary:
    """All roles and their chains of faces; files are opened when a character first needs them.

    Safe to share between threads: what is cached never changes.
    """

    def __init__(self, fonts: FontList) -> None:
        self.specs = fonts.faces
        self._chains = dict(fonts.chains)
        self._stand_ins = fonts.stand_ins
        self._faces: dict[int, Face] = {}
        # Roles that ask the same faces in turn find the same glyphs.
        shared: dict[tuple[int, ...], dict[str, Glyph]] = {}
        self._glyphs = {role: shared.setdefault(chain, {}) for role, chain in self._chains.items()}
        self.first_faces: Mapping[str, int] = {role: chain[0] for role, chain in self._chains.items()}
        self._advances = {role: _Advances(self, role) for role in self._chains}
        self._opening = threading.Lock()

    @staticmethod
    def load(folder: Path, extra: Path | None = None) -> FontLibrary:
        """Return the library that `folder`/fonts.toml declares, changed by the operator's `extra` folder.

        Roles of `extra` replace roles of the same name; faces in its `fallback` list are appended to every
        chain.

        Raises:
            ConfigurationError: a fonts.toml is missing or wrong.
        """
        return FontLibrary(read_font_list(folder, extra))

    @property
    def roles(self) -> tuple[str, ...]:
        """Names a template may use as `font`."""
        return tuple(self._chains)

    @property
    def stand_ins(self) -> tuple[StandIn, ...]:
        """Roles for which another style stands in, for `doctor` to print."""
        return self._stand_ins

    @cached_property
    def engine(self) -> str:
        """Everything outside the template that shapes a document's font bytes, in one line."""
        files = "".join(f"{spec.name}={spec.sha256};" for spec in self.specs)
        chains = ";".join(f"{role}:{chain}" for role, chain in sorted(self._chains.items()))
        digest = hashlib.sha256(f"{files}|{chains}".encode()).hexdigest()
        return (
            f"fonts {digest}; uharfbuzz {hb.__version__}; harfbuzz {hb.version_string()}; "
            f"fonttools {version('fonttools')}; unicode {unicodedata.unidata_version}"
        )

    def face(self, index: int) -> Face:
        """Return an open face.

        Raises:
            ConfigurationError: the file is missing, altered, or may or can not be embedded.
        """
        face = self._faces.get(index)
        if face is None:
            with self._opening:
                face = self._faces.get(index) or Face(self.specs[index])
                self._faces[index] = face
        return face

    def glyphs(self, text: str, role: str, *, field: str | None = None) -> tuple[Glyph, ...]:
        """Return one glyph for each character of `text`, from the first face of the role that has it.

        Args:
            text: what is printed; line breaks are not characters and must have been taken out.
            role: song, title, hei, fangsong, kai or a role of the operator.
            field: name of the licence field, for the refusal.

        Raises:
            RenderingError: a character has no glyph or would need shaping; says its code point and name.
            InvalidTemplate: unknown role.
        """
        known = self._known(role)
        try:
            return tuple([known[char] for char in text])
        except KeyError:
            pass
        missing: list[str] = []
        for char in dict.fromkeys(text):
            if char not in known:
                glyph = self._find(char, self._chains[role])
                if glyph is None:
                    missing.append(char)
                else:
                    known[char] = glyph
        if missing:
            raise _uncovered(missing, role, field)
        return tuple([known[char] for char in text])

    def uncovered(self, text: str, role: str) -> tuple[str, ...]:
        """Return the distinct characters of `text` that `glyphs` would refuse."""
        known, chain = self._known(role), self._chains[role]
        return tuple(
            char for char in dict.fromkeys(text) if char not in known and self._find(char, chain) is None
        )

    def measure(self, text: str, role: str) -> float:
        """Return the width of `text` in 1/1000 em. Raises as `glyphs` does."""
        return sum(glyph.advance for glyph in self.glyphs(text, role))

    def advances(self, role: str) -> Mapping[str, float]:
        """Return character -> width in 1/1000 em; looked up when first asked for, which raises as `glyphs` does."""
        self._known(role)
        return self._advances[role]

    def not_wide(self, role: str) -> re.Pattern[str]:
        """Return what finds the stretches of a text that have to be looked up: glyph by glyph, and how wide each is.

        All else is drawn by the role's first face and one em wide. Most texts are nothing else: a search in 0.2 us
        instead of a look-up for each character, cold in the processor's caches (12 us for 50, measured in the line).
        """
        return self.face(self.first_face(role)).not_wide

    def outline(self, char: str, role: str) -> GlyphOutline:
        """Return the outline of one character. Raises as `glyphs` does."""
        (glyph,) = self.glyphs(char, role)
        return self.face(glyph.face).outline(glyph.gid)

    def first_face(self, role: str) -> int:
        """Return the face that is asked first in a role. Raises InvalidTemplate for an unknown one."""
        self._known(role)
        return self.first_faces[role]

    def _known(self, role: str) -> dict[str, Glyph]:
        try:
            return self._glyphs[role]
        except KeyError:
            raise InvalidTemplate(
                f"There is no font role {role!r}; use one of {', '.join(self._chains)}.",
                f"没有名为 {role} 的字体角色，可用：{'、'.join(self._chains)}。",
            ) from None

    def _find(self, char: str, chain: tuple[int, ...]) -> Glyph | None:
        if not _plain(char):
            return None
        found = (self.face(index).glyph(char, index) for index in chain)
        return next((glyph for glyph in found if glyph is not None), None)


def _plain(char: str) -> bool:
    """Tell whether one glyph by itself, left to right, shows `char` as its script demands."""
    code = ord(char)
    if 0x20000 <= code <= 0x3FFFD:
        # Later editions of Unicode add ideographs here that this Python's tables do not know yet.
        return True
    if 0x1800 <= code <= 0x18AF or 0x1100 <= code <= 0x11FF:  # Mongolian and conjoining jamo join up
        return False
    # Control, format, surrogate, private use, unassigned, combining marks, line and paragraph separators.
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Mc", "Me", "Zl", "Zp"}:
        return False
    return unicodedata.bidirectional(char) not in {"R", "AL", "AN"}


def _uncovered(missing: Sequence[str], role: str, field: str | None) -> RenderingError:
    """Return the refusal that names each character."""
    named = [f"{_shown(char)} U+{ord(char):04X} {_unicode_name(char)}" for char in missing[:_LISTED]]
    more = len(missing) - len(named)
    more_en, more_zh = (f" and {more} more", f"等另外 {more} 字") if more else ("", "")
    where_en = f"Field {field}: " if field else ""
    where_zh = f"字段 {field}：" if field else ""
    return RenderingError(
        f"{where_en}no font of role {role} can print {', '.join(named)}{more_en}; "
        "install a font that has it (docs/fonts.md) or write the text otherwise.",
        f"{where_zh}字体角色 {role} 无法印出 {'、'.join(named)}{more_zh}；"
        "请安装含有该字的字体（见 docs/fonts.md），或改用其他写法。",
        field=field,
    )


def _shown(char: str) -> str:
    """Return `char` where it is safe to show, or a blank mark for invisible and combining ones."""
    return char if unicodedata.category(char)[0] in "LNPS" else "\N{OPEN BOX}"


def _unicode_name(char: str) -> str:
    """Return the character's name, or what is known of a code point that has none."""
    kinds = {"Co": "PRIVATE USE", "Cc": "CONTROL", "Cs": "SURROGATE"}
    unknown = "NOT NAMED IN THIS UNICODE VERSION"
    return unicodedata.name(char, "") or kinds.get(unicodedata.category(char), unknown)
