"""What a page shows by the fill's own grammar: the text of each marked content of its dynamic stream.

Plan:

1. A font's ToUnicode map gives each two-byte code its characters; no code stands there twice.
2. Where every piece of the stream is written exactly as the fill writes it (docs/format.md, "The pages"), one
   expression a piece takes its identifier and its codes.
3. Every other stream is read operator by operator: text shown in another way, outside the marks, or under an
   identifier that occurred before is refused.

This is no PDF text extractor: it knows one form and calls everything else a difference. Step 2 finds what step 3
finds in the same stream, in 30 us instead of 380 (tests/unit/verification/test_marks.py compares them).
"""

from __future__ import annotations

import re
import struct
from binascii import unhexlify
from codecs import charmap_decode, utf_16_be_decode
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol

from elicense.verification.pdf import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPERATOR = re.compile(
    rb"/(?P<tag>[A-Za-z0-9]+)[ \n]*<<(?P<properties>[^<>]*)>>[ \n]*BDC\b"
    rb"|(?P<begin>/[A-Za-z0-9]+[ \n]+(?:/[A-Za-z0-9]+[ \n]+BDC|BMC)\b)"
    rb"|(?P<end>\bEMC\b)"
    rb"|/(?P<font>[A-Za-z0-9]+)[ \n]+[0-9.]+[ \n]+Tf\b"
    rb"|<(?P<hex>[0-9A-Fa-f]*)>[ \n]*Tj\b"
    rb"|(?P<other>\bTJ\b|\)[ \n]*(?:Tj\b|'|\"))"
)
_MCID = re.compile(rb"/MCID[ \n]+([0-9]{1,7})\b")
_BFCHAR = re.compile(rb"<([0-9A-Fa-f]{4})>[ \n]*<([0-9A-Fa-f]{4,16})>")
_BFRANGE = re.compile(
    rb"<([0-9A-Fa-f]{4})>[ \n]*<([0-9A-Fa-f]{4})>[ \n]*\[((?:[ \n]*<[0-9A-Fa-f]{4,16}>)+)[ \n]*\]"
)

_ONE_RANGE = re.compile(
    rb"[^<]*+(?:<<[^<]*+)?+<0000><FFFF>[^<]*+<0001><([0-9A-F]{4})>\[((?:<[0-9A-F]{4}>)++)\][^<]*+"
)
"""A map as the fill writes it where no character lies beyond U+FFFF; its code space reads like one more character."""

_LINE = rb"(?:1 0 0 1 -?[0-9.]++ -?[0-9.]++ Tm )?+<[0-9A-F]++> Tj\n"
_FONT = rb"/D[0-9]++ [0-9.]++ Tf\n"
_TEXT = rb"BT\n(?:%b%b)?+((?:%b|%b|-?[0-9.]++ Tc\n)*+)ET\n" % (
    _FONT.replace(b"D[0-9]++", b"(D[0-9]++)"),
    _LINE.replace(b"[0-9A-F]++", b"([0-9A-F]++)"),
    _LINE,
    _FONT,
)
"""A text object: its first font and line, and all that follows."""
_MARK = (
    rb"(?:Q\n)?+(?:q [0-9.]++ [0-9.]++ [0-9.]++ rg\n)?+"
    rb"/(?:[A-Za-z0-9]++ <</MCID (0|[1-9][0-9]{0,6})>> BDC|Artifact BMC)\n"
)
_PLACE = re.compile(_MARK + _TEXT)
"""A piece of text up to its EMC: perhaps the end of a colour and the next one, the mark, a text object."""
_PLACES = re.compile(rb"%b%bEMC\n|([\s\S]++)" % (_MARK, _TEXT))
"""Such pieces one after the other, each with its EMC; and all the rest from the first piece of another kind."""
_BEGIN, _WORDS = re.compile(_MARK), re.compile(_TEXT)
_BEGINS_ANOTHER = re.compile(rb"BDC\b")
_SHOWN = re.compile(rb"/(D[0-9]+) |<([0-9A-F]+)")


class _Place(NamedTuple):
    """A piece as _PLACES finds it; what it does not have is empty."""

    mcid: bytes
    """Its identifier."""
    font: bytes = b""
    """The first font."""
    codes: bytes = b""
    """Codes of the first line."""
    more: bytes = b""
    """What follows it in the text object."""
    rest: bytes = b""
    """Of the last one: all from the first piece of another kind."""


class ContentError(Exception):
    """Embedded and printed data cannot be read or disagree; `reason` is a stable code."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class Font(Protocol):
    """The characters of a font's codes."""

    def text(self, digits: bytes) -> str:
        """Return what the codes say, four hexadecimal digits each. Raises ContentError for an unknown one."""


class Characters(dict[int, str]):
    """Two-byte code -> characters, of one font."""

    __slots__ = ()

    def __missing__(self, code: int) -> NoReturn:
        raise ContentError("content.font", "a code without a character")

    def text(self, digits: bytes) -> str:
        """Return what the codes say, four hexadecimal digits each. Raises ContentError for an unknown one."""
        if len(digits) % 4:
            raise ContentError("content.stream", "codes")
        codes = unhexlify(digits)
        # As a text with one character for each code they are translated in one go.
        units, _ = utf_16_be_decode(codes, "ignore", True)
        if 2 * len(units) == len(codes):
            return units.translate(self)
        return "".join([self[code] for code in struct.unpack(f">{len(codes) // 2}H", codes)])


class Row(NamedTuple):
    """The characters of the codes from 0 on, one each."""

    characters: str
    """In the order of their codes."""

    @property
    def each(self) -> Characters:
        """Return the same, code by code."""
        return Characters(enumerate(self.characters))

    def text(self, digits: bytes) -> str:
        """Return what the codes say, four hexadecimal digits each. Raises ContentError for an unknown one."""
        # Codes below 256 are read as bytes of a character set with these characters: 1 us instead of 13.
        if len(digits) % 4 == 0 and not digits[0::4].strip(b"0") and not digits[1::4].strip(b"0"):
            try:
                return charmap_decode(unhexlify(digits)[1::2], "strict", self.characters)[0]
            except UnicodeDecodeError:
                pass
        return self.each.text(digits)


def read_to_unicode(cmap: bytes) -> Font:
    """Return the characters of a font's codes. Raises ContentError if a code occurs twice, or a range does not fit."""
    return _one_range(cmap) or _any_map(cmap)


def _one_range(cmap: bytes) -> Row | None:
    """Return what a map of one range says, None for every other."""
    one = _ONE_RANGE.fullmatch(cmap)
    if one is None:
        return None
    last, listed = one.groups()
    characters, _ = utf_16_be_decode(unhexlify(listed.translate(None, b"<>")), "ignore", True)
    if 6 * len(characters) != len(listed) or int(last, 16) != len(characters):
        return None
    return Row("\uffff" + characters)


def _any_map(cmap: bytes) -> Characters:
    """Return what any map says."""
    found, count = Characters(), 0
    rest, at = [], 0
    try:
        for match in _BFRANGE.finditer(cmap):
            codes = range(int(match[1], 16), int(match[2], 16) + 1)
            found.update(zip(codes, _texts(match[3].translate(None, b" \n<").split(b">")[:-1]), strict=True))
            count += len(codes)
            rest.append(cmap[at : match.start()])
            at = match.end()
        pairs = _BFCHAR.findall(b"".join((*rest, cmap[at:])))
        found.update(
            zip((int(code, 16) for code, _ in pairs), _texts([text for _, text in pairs]), strict=True)
        )
    except ValueError as error:
        raise ContentError("content.font") from error
    if len(found) != count + len(pairs):
        raise ContentError("content.font")
    return found


def _texts(each: list[bytes]) -> str | list[str]:
    """Return what hexadecimal strings in UTF-16 say. Raises ValueError for half a surrogate pair."""
    joined = bytes.fromhex(b"".join(each).decode("ascii"))
    if len(joined) == 2 * len(each):
        whole = joined.decode("utf-16-be")
        if len(whole) == len(each):
            return whole
    # A character beyond U+FFFF, or two halves of one in two strings, which must not be taken for it.
    return [bytes.fromhex(text.decode("ascii")).decode("utf-16-be") for text in each]


def marked_text(stream: bytes, fonts: Mapping[bytes, Font]) -> dict[int, str]:
    """Return MCID -> text of one content stream. Raises ContentError for text shown in any other way.

    Args:
        stream: the page's last content stream, inflated.
        fonts: the fill's fonts by resource name; text in other fonts is not looked at.
    """
    found = _as_written(stream, fonts)
    return _by_operators(stream, fonts) if found is None else found


def _as_written(stream: bytes, fonts: Mapping[bytes, Font]) -> dict[int, str] | None:
    """Return what `marked_text` does of a stream that is written as the fill writes it, None for every other."""
    places = _PLACES.findall(stream)
    if places and places[-1][-1]:
        others = _others(places.pop()[-1])
        if others is None:
            return None
        places += others
    mcids: set[bytes] = set()
    font = b""
    runs: list[tuple[bytes, bytes, bytes]] = []
    for mcid, first, codes, more, _ in places:
        if mcid in mcids or (not mcid and (first or more)):
            # Nothing is shown outside every mark.
            return None
        if mcid:
            mcids.add(mcid)
        if first:
            font = first
            runs.append((mcid, font, codes))
        for name, digits in _SHOWN.findall(more) if more else ():
            if name:
                font = name
            else:
                runs.append((mcid, font, digits))
    return _decoded(runs, fonts)


def _others(rest: bytes) -> list[_Place] | None:
    """Return the pieces of the rest of a stream whose first one is no ordinary place; None to read by operators."""
    *pieces, end = rest.split(b"EMC\n")
    if end not in {b"", b"Q\n"}:
        return None
    found: list[_Place] = []
    for piece in pieces:
        place = _PLACE.fullmatch(piece)
        one = _Place(*place.groups(b"")) if place else _behind_graphics(piece)
        if one is None:
            return None
        found.append(one)
    return found


def _decoded(runs: list[tuple[bytes, bytes, bytes]], fonts: Mapping[bytes, Font]) -> dict[int, str] | None:
    """Return MCID -> text of runs of codes (MCID, font, codes); None if codes are not one character each.

    What a font shows all over the page is decoded in one go.
    """
    shown: dict[bytes, list[bytes]] = {}
    for _, name, codes in runs:
        if len(codes) % 4 or name not in fonts:
            return None
        shown.setdefault(name, []).append(codes)
    texts: dict[bytes, str] = {}
    for name, each in shown.items():
        digits = b"".join(each)
        text = texts[name] = fonts[name].text(digits)
        if 4 * len(text) != len(digits):
            return None
    taken = dict.fromkeys(texts, 0)
    found: dict[int, str] = {}
    for mcid, name, codes in runs:
        start = taken[name]
        end = taken[name] = start + len(codes) // 4
        number = int(mcid)
        found[number] = found.get(number, "") + texts[name][start:end]
    return found


def _behind_graphics(piece: bytes) -> _Place | None:
    """Return what _PLACE finds, of a piece that draws first; None if it does more than that."""
    begin = _BEGIN.match(piece)
    start = piece.find(b"BT\n")
    graphics = piece[:start] if start >= 0 else piece
    words = _WORDS.fullmatch(piece, start) if start >= 0 else None
    # No graphics operator has one of these letters; the digits of an inline image have none of them either.
    if begin is None or begin.end() > len(graphics) or not graphics.endswith(b"\n"):
        return None
    drawn = graphics[begin.end() :]
    if (
        (start >= 0 and words is None)
        or b"T" in drawn
        or b"MC" in drawn
        or b")" in drawn
        or (b"BDC" in drawn and _BEGINS_ANOTHER.search(drawn))
    ):
        return None
    return _Place(begin[1] or b"", *(words.groups(b"") if words else ()))


def _by_operators(stream: bytes, fonts: Mapping[bytes, Font]) -> dict[int, str]:
    """Return what `marked_text` does, of any stream."""
    marks = _Marks()
    font: Font | None = None
    for match in _OPERATOR.finditer(stream):
        kind = match.lastgroup
        if kind in {"properties", "begin"}:
            marks.open(_MCID.search(match["properties"] or b""))
        elif kind == "end":
            marks.close()
        elif kind == "font":
            font = fonts.get(match["font"])
        elif kind == "other":
            raise ContentError("content.stream", "text shown in another way")
        elif font is not None:
            marks.show(font.text(match["hex"]))
    if marks.waiting:
        raise ContentError("content.stream", "marks")
    return {mcid: "".join(texts) for mcid, texts in marks.found.items() if texts}


class _Marks:
    """Marked content while a stream is read."""

    def __init__(self) -> None:
        self.found: dict[int, list[str]] = {}
        self.waiting: list[int | None] = []

    def open(self, mcid: re.Match[bytes] | None) -> None:
        """A sequence begins, with or without an identifier. Raises ContentError if the identifier occurred before."""
        number = None if mcid is None else int(mcid[1])
        self.waiting.append(number)
        if len(self.waiting) > MAX_DEPTH:
            raise ContentError("content.stream", "marks")
        if number is not None:
            if number in self.found:
                raise ContentError("content.stream", "marks")
            self.found[number] = []

    def close(self) -> None:
        """The innermost sequence ends. Raises ContentError if there is none."""
        if not self.waiting:
            raise ContentError("content.stream", "marks")
        self.waiting.pop()

    def show(self, text: str) -> None:
        """Text is shown. Raises ContentError outside every sequence with an identifier."""
        mark = next((mark for mark in reversed(self.waiting) if mark is not None), None)
        if mark is None:
            raise ContentError("content.unlisted")
        self.found[mark].append(text)
