"""PDF syntax as our own documents use it: indirect objects read without recursion, in linear time.

This is a reader of one strict dialect, not of PDF at large: no comments, no nested parentheses in strings, no
white space inside hexadecimal strings. What it does not understand it refuses with a Violation.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Self

MAX_TOKENS = 2_000_000
"""Numbers, names, strings and brackets outside streams; reading so many takes about two seconds."""

MAX_DEPTH = 48
"""Dictionaries and arrays inside each other; our documents stay below ten."""

FORBIDDEN = frozenset((
    "JavaScript", "JS", "Launch", "URI", "GoToR", "GoToE", "SubmitForm", "ResetForm", "ImportData",
    "OpenAction", "AA", "RichMedia", "XFA", "OCG", "OCMD", "OCProperties", "Encrypt", "ObjStm", "XRef",
    "XRefStm", "Prev", "Linearized", "Movie", "Sound", "Rendition", "Screen", "3D", "FileAttachment",
    "Thread", "Hide", "Named", "Collection", "Alternates", "OPI", "PS", "FFilter", "FDecodeParms",
    "NeedAppearances", "Link", "FreeText", "Popup", "Stamp", "Ink", "Watermark", "Redact",
))  # fmt: skip
"""Names that stand nowhere in a sealed licence: actions, active or hidden content, other cross-references."""

_SPACE = rb"[\x00\t\n\x0c\r ]*"
TOKEN = re.compile(
    _SPACE + rb"(?:"
    rb"(?P<ref>[0-9]{1,10} [0-9]{1,5} R(?![^\x00\t\n\x0c\r ()<>\[\]{}/%]))"
    rb"|(?P<number>[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?![^\x00\t\n\x0c\r ()<>\[\]{}/%]))"
    rb"|/(?P<name>[^\x00\t\n\x0c\r ()<>\[\]{}/%]*)"
    rb"|(?P<open><<|\[)"
    rb"|(?P<close>>>|\])"
    rb"|<(?P<hex>[0-9A-Fa-f]*)>"
    rb"|\((?P<string>(?:[^\\()]++|\\[\s\S])*+)\)"
    rb"|(?P<word>true|false|null)(?![^\x00\t\n\x0c\r ()<>\[\]{}/%])"
    rb")"
)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|[\s\S])")
_PDF_DOC = dict(zip(
    (*range(0x18, 0x20), *range(0x80, 0x9F), 0xA0),
    "\u02d8\u02c7\u02c6\u02d9\u02dd\u02db\u02da\u02dc\u2022\u2020\u2021\u2026\u2014\u2013\u0192\u2044\u2039"
    "\u203a\u2212\u2030\u201e\u201c\u201d\u2018\u2019\u201a\u2122\ufb01\ufb02\u0141\u0152\u0160\u0178\u017d"
    "\u0131\u0142\u0153\u0161\u017e\u20ac",
    strict=True,
))  # fmt: skip
"""What PDFDocEncoding has where Latin 1 has something else. Source: ISO 32000-2, annex D.3 (from memory of it)."""
_NAME_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_LETTERS = {
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"b": b"\b",
    b"f": b"\f",
    b"\n": b"",
    b"\r": b"",
    b"\r\n": b"",
}
WORDS = {b"true": True, b"false": False, b"null": None}


class Violation(Exception):
    """The bytes break a rule; `reason` is its stable code, `offset` where it shows."""

    def __init__(self, reason: str, offset: int | None = None, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.detail = detail


class Name(str):
    """A PDF name, its escapes decoded."""

    __slots__ = ()


class Reference(NamedTuple):
    """`12 0 R`."""

    number: int
    generation: int


class Hex(NamedTuple):
    """A hexadecimal string by its place in the file, angle brackets included."""

    start: int
    end: int

    def decode(self, data: bytes) -> bytes:
        """Return the string's bytes; an odd last digit counts as followed by zero. Source: ISO 32000-2, 7.3.4.3."""
        digits = data[self.start + 1 : self.end - 1]
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))


class Inventory:
    """What was met while reading: object numbers referred to, every name, and how many tokens may still come."""

    __slots__ = ("names", "references", "tokens")

    def __init__(self, tokens: int) -> None:
        self.references: set[int] = set()
        self.names: set[str] = set()
        self.tokens = tokens


Value = dict[str, "Value"] | list["Value"] | Name | Reference | Hex | bytes | int | float | bool | None


class IndirectObject:
    """One object of the file; never changed.

    Args:
        value: its value; a stream's dictionary.
        start: offset of its number.
        end: offset after `endobj`.
        body: span of the value's own bytes.
        stream: span of the stream's data, still encoded; None if it has none.
        references: numbers of the objects it refers to.
        names: every name in it, keys and values.
    """

    __slots__ = ("_unread", "_value", "body", "end", "names", "references", "start", "stream")

    def __init__(
        self,
        value: Value,
        start: int,
        end: int,
        *,
        body: tuple[int, int],
        stream: tuple[int, int] | None,
        references: frozenset[int],
        names: frozenset[str],
    ) -> None:
        self._value = value
        self._unread = b""
        self.start = start
        self.end = end
        self.body = body
        self.stream = stream
        self.references = references
        self.names = names

    @classmethod
    def unread(
        cls,
        data: bytes,
        place: tuple[int, int],
        body: tuple[int, int],
        references: frozenset[int],
        names: frozenset[str],
    ) -> Self:
        """Return an object without a stream at `place` in `data`, whose value can be read and is not yet."""
        found = cls(None, *place, body=body, stream=None, references=references, names=names)
        found._unread = data
        return found

    @property
    def value(self) -> Value:
        """Return its value; a stream's dictionary."""
        data = self._unread
        if data:
            self._value, _ = read_value(data, *self.body, Inventory(MAX_TOKENS))
            self._unread = b""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Return whether the two say the same."""
        if not isinstance(other, IndirectObject):
            return NotImplemented
        mine, others = (
            (one.value, one.start, one.end, one.body, one.stream, one.references, one.names)
            for one in (self, other)
        )
        return mine == others

    __hash__ = None  # type: ignore[assignment]


def read_value(data: bytes, start: int, end: int, met: Inventory) -> tuple[Value, int]:
    """Return the value that begins at `start` and the offset behind it, and add to `met` what it holds.

    Raises Violation with format.token, format.nesting, format.duplicate_key or limit.complexity.
    """
    match_token = TOKEN.match
    stack: list[list[Value]] = []
    openers: list[bytes] = []
    position = start
    while match := match_token(data, position, end):
        met.tokens -= 1
        if met.tokens < 0:
            raise Violation("limit.complexity", position)
        position = match.end()
        kind = match.lastgroup
        if kind == "open":
            if len(stack) >= MAX_DEPTH:
                raise Violation("format.nesting", position)
            stack.append([])
            openers.append(match["open"])
            continue
        if kind == "name":
            name = _NAMES.get(match["name"]) or _name(match["name"], met, match.start())
            met.names.add(name)
            value: Value = name
        elif kind == "close":
            value = _close(match["close"], stack, openers, position)
        else:
            value = _scalar(kind, match, met)
        if not stack:
            return value, position
        stack[-1].append(value)
    raise Violation("format.token", position)


def _name(text: bytes, met: Inventory, offset: int) -> Name:
    """Return a name; without escapes it is remembered."""
    _charge(met, text, b"#", offset)
    name = read_name(text)
    if b"#" not in text and len(text) <= _ORDINARY and len(_NAMES) < _MOST_NAMES:
        _NAMES[text] = name
    return name


def _scalar(kind: str | None, match: re.Match[bytes], met: Inventory) -> Value:
    """Return the value of one token that is neither a bracket nor a name."""
    if kind == "number":
        text = match["number"]
        return float(text) if b"." in text else int(text)
    if kind == "ref":
        number, generation, _ = match["ref"].split(b" ")
        if generation != b"0":
            raise Violation("format.layout", match.start(), "a reference to a later generation")
        reference = Reference(int(number), 0)
        met.references.add(reference.number)
        return reference
    if kind == "hex":
        return Hex(match.start("hex") - 1, match.end("hex") + 1)
    if kind == "string":
        text = match["string"]
        _charge(met, text, b"\\", match.start())
        return _ESCAPE.sub(_unescape, text) if b"\\" in text else text
    return WORDS[match["word"]]


_NAMES: dict[bytes, Name] = {}
"""Names without escapes that were met: a file has a few dozen different ones, hundreds of times."""
_MOST_NAMES, _ORDINARY = 1024, 32


def _charge(met: Inventory, text: bytes, escape: bytes, offset: int) -> None:
    """Every escape counts as a token, for undoing it takes as long. Raises Violation with limit.complexity."""
    met.tokens -= text.count(escape)
    if met.tokens < 0:
        raise Violation("limit.complexity", offset)


def closed(bracket: bytes, stack: list[list[Any]], openers: list[bytes], offset: int) -> list[Any]:
    """Return the items of the array or dictionary on top of the stack, which `bracket` closes.

    Raises Violation if another bracket was open, or a dictionary's items are no pairs that begin with names.
    """
    if not stack or (openers.pop() == b"[") != (bracket == b"]"):
        raise Violation("format.token", offset)
    items = stack.pop()
    if bracket != b"]" and (len(items) % 2 or not {Name}.issuperset(map(type, items[0::2]))):
        raise Violation("format.token", offset)
    return items


def _close(bracket: bytes, stack: list[list[Value]], openers: list[bytes], offset: int) -> Value:
    """Return the finished array or dictionary on top of the stack."""
    items = closed(bracket, stack, openers, offset)
    if bracket == b"]":
        return items
    keys = items[0::2]
    result: dict[str, Value] = dict(zip(keys, items[1::2]))  # noqa: B905 - closed() counted them
    if len(result) != len(keys):
        raise Violation("format.duplicate_key", offset)
    return result


def read_name(text: bytes) -> Name:
    """Return the name with its `#xx` escapes decoded, one character per byte."""
    if b"#" in text:
        text = _NAME_ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), text)
    return Name(text.decode("latin-1"))


def _unescape(match: re.Match[bytes]) -> bytes:
    return unescaped(match[1])


def unescaped(text: bytes) -> bytes:
    """Return what stands for the escape of a literal string whose text behind the backslash this is."""
    if text[:1].isdigit() and text[0] < 0x38:
        return bytes([int(text, 8) & 0xFF])
    return _LETTERS.get(text, text)


def read_text(value: Value, data: bytes) -> str | None:
    """Return a text string's characters, or None if the value is no string."""
    raw = value.decode(data) if isinstance(value, Hex) else value
    return text_of(raw) if isinstance(raw, bytes) else None


def text_of(raw: bytes) -> str:
    """Return a text string's characters. Source: ISO 32000-2, 7.9.2.2."""
    if raw.startswith(b"\xfe\xff"):
        return raw[2:].decode("utf-16-be", "replace")
    if raw.startswith(b"\xef\xbb\xbf"):
        return raw[3:].decode("utf-8", "replace")
    return raw.decode("latin-1").translate(_PDF_DOC)
