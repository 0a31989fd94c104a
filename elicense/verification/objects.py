"""PDF syntax at large: any program's objects, read without recursion, in linear time.

The wider brother of pdf.py: comments, nested parentheses, white space in hexadecimal strings, generations, stream
lengths given by reference. What it cannot read it refuses with a Violation; it repairs nothing.

Source: ISO 32000-2, 7.2 and 7.3 (text read in secondary sources).
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from elicense.verification.pdf import WORDS, Name, Reference, Violation, read_name, text_of, unescaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from elicense.verification.handing import Octets

MAX_DEPTH = 64
"""Dictionaries and arrays inside each other."""
MOST_TOKENS = 2_000_000
"""Numbers, names, strings and brackets outside streams; reading so many takes about three seconds."""

_SKIP = rb"[\x00\t\n\x0c\r ]*+(?:%[^\r\n]*+[\x00\t\n\x0c\r ]*+)*+"
_ENDS = rb"(?![^\x00\t\n\x0c\r ()<>\[\]{}/%])"
_TOKEN = re.compile(
    _SKIP + rb"(?:"
    rb"/(?P<name>[^\x00\t\n\x0c\r ()<>\[\]{}/%]*+)"
    rb"|(?P<ref>([0-9]{1,10})[\x00\t\n\x0c\r ]++([0-9]{1,5})[\x00\t\n\x0c\r ]++R" + _ENDS + rb")"
    rb"|(?P<number>[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})" + _ENDS + rb")"
    rb"|(?P<open><<|\[)"
    rb"|(?P<close>>>|\])"
    rb"|<(?P<hex>[0-9A-Fa-f\x00\t\n\x0c\r ]*+)>"
    rb"|(?P<string>\()"
    rb"|(?P<word>true|false|null)" + _ENDS + rb")"
)
_REF, _NUMBER, _NAME, _OPEN, _CLOSE, _HEX, _STRING = (
    _TOKEN.groupindex[kind] for kind in ("ref", "number", "name", "open", "close", "hex", "string")
)
_REFERENCES = re.compile(rb"(?:[\t\n\r ]{1,4}+[0-9]{1,10}+[\t\n\r ][0-9]{1,5}+[\t\n\r ]R" + _ENDS + rb")++")
"""References one behind the other, nothing but a little white space between."""
_reference: Callable[[tuple[int, int]], Reference] = partial(tuple.__new__, Reference)
"""A Reference of a pair, in a third of the time."""
_SHORT = 32
"""Bytes of a name that is remembered."""
_MOST_NAMES = 4096
_NAMES: dict[bytes, Name] = {}
"""Names met so far, in any document, by how they are written."""
SKIP = re.compile(_SKIP)
"""White space and comments, or nothing."""
_OPENING = re.compile(
    _SKIP + rb"([0-9]{1,10})[\x00\t\n\x0c\r ]{1,64}([0-9]{1,5})[\x00\t\n\x0c\r ]{1,64}obj" + _ENDS
)
_BEHIND = re.compile(rb"(" + _SKIP + rb")(?:(stream)(?:\r\n|\n|\r)|(endobj)" + _ENDS + rb")?")
_OPENS_STREAM, _ENDOBJ = 2, 3
_STREAM_END = re.compile(rb"[\x00\t\n\x0c\r ]{0,4}endstream")
_OBJECT_END = re.compile(rb"endobj" + _ENDS)
_SIMPLE_STRING = re.compile(rb"(?:[^\\()\r]++|\\[^\r])*+\)")
_STRING_MARK = re.compile(rb"[()]|\\[\s\S]")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|[\s\S])|\r\n?")
_BLANKS = b"\x00\t\n\x0c\r "
_ONLY_NAMES, _ONLY_REFERENCES = frozenset((Name,)), frozenset((Reference,))


class HexString(bytes):
    """A hexadecimal string that knows where it stands."""

    span: tuple[int, int] = (-1, -1)
    """Its place in the file, angle brackets included; (-1, -1) inside an object stream."""


class Ambiguous(dict[str, "Object"]):
    """A dictionary that repeats a key, so that two readers may see two things."""


Object = dict[str, "Object"] | list["Object"] | Name | Reference | bytes | int | float | bool | None


class Budget:
    """What reading one file may still cost."""

    __slots__ = ("bytes", "entries", "tokens")

    def __init__(self, tokens: int, entries: int, octets: int) -> None:
        self.tokens = tokens
        self.entries = entries
        self.bytes = octets

    def take_token(self, length: int, offset: int) -> None:
        """Take one token; a long one, or one behind much white space, counts as several, for reading it takes longer.

        Raises Violation with limit.complexity.
        """
        self.tokens -= 1 + (length >> 6)
        if self.tokens < 0:
            raise Violation("limit.complexity", offset, "tokens")

    def take_bytes(self, count: int) -> None:
        """Take bytes put into or out of a filter. Raises Violation with limit.complexity."""
        self.bytes -= count
        if self.bytes < 0:
            raise Violation("limit.complexity", None, "bytes to decode")

    def take_entries(self, count: int, offset: int) -> None:
        """Take entries of cross-references. Raises Violation with limit.complexity."""
        self.entries -= count
        if self.entries < 0:
            raise Violation("limit.complexity", offset, "objects")


class Parsed(NamedTuple):
    """One object of the file."""

    number: int
    """Its number."""
    generation: int
    """Its generation."""
    value: Object
    """Its value; a stream's dictionary."""
    start: int
    """Offset of its number; for one inside an object stream, that of the stream."""
    end: int
    """Offset behind `endobj`; -1 if it is not closed, or is inside an object stream."""
    stream: tuple[int, int] | None
    """Span of the stream's data, still encoded; None if it has none or its length is wrong."""
    references: frozenset[int]
    """Numbers of the objects it refers to."""
    compressed: bool = False
    """Whether it is inside an object stream."""
    body: tuple[int, int] = (-1, -1)
    """Span of the value's own bytes; (-1, -1) inside an object stream."""
    cost: int = 0
    """Tokens that reading the value took."""
    plain: bool = False
    """Whether the value is known to be the same wherever its bytes stand: no hexadecimal string, no key given twice."""


def read_object(
    data: Octets,
    offset: int,
    length_of: Callable[[Object], int | None],
    budget: Budget,
    before: Parsed | None = None,
) -> Parsed:
    """Return the object at `offset`.

    Args:
        data: the whole file.
        offset: where its number stands.
        length_of: says what a stream's Length amounts to, None if unknown.
        budget: what reading may cost.
        before: an object read earlier; where the same bytes stand here its very value is taken over.

    Raises:
        Violation: format.token, format.nesting or limit.complexity.
    """
    opening = _OPENING.match(data, offset) if 0 <= offset < len(data) else None
    if opening is None:
        raise Violation("format.token", offset, "no object where the cross-reference says")
    _charge(opening.start(1) - offset, offset, budget)
    read = _again(data, opening.end(), budget, before) if before else None
    value, references, end, cost = read or _anew(data, opening.end(), budget)
    behind = _BEHIND.match(data, end)
    assert behind is not None  # it may be nothing
    _charge(behind.end(1) - end, end, budget)
    stream, ending = None, behind.end() if behind.lastindex == _ENDOBJ else -1
    if behind.lastindex == _OPENS_STREAM and isinstance(value, dict):
        length = length_of(value.get("Length"))
        begin = behind.end()
        closed = _STREAM_END.match(data, begin + length) if length is not None and length >= 0 else None
        if closed and length is not None:
            stream = begin, begin + length
            closing = _OBJECT_END.match(data, _skip(data, closed.end(), budget))
            ending = closing.end() if closing else -1
    return Parsed(
        int(opening[1]),
        int(opening[2]),
        value,
        opening.start(1),
        ending,
        stream,
        references,
        body=(opening.end(), end),
        cost=cost,
        plain=read is not None,
    )


_Body = tuple[Object, frozenset[int], int, int]
"""Value, numbers that it refers to, where it ends, and what reading it cost."""


def _anew(data: Octets, start: int, budget: Budget) -> _Body:
    references: set[int] = set()
    left = budget.tokens
    value, end = read_value(data, start, len(data), references, budget)
    return value, frozenset(references), end, left - budget.tokens


def _again(data: Octets, start: int, budget: Budget, before: Parsed) -> _Body | None:
    """Return the value of `before` if its bytes stand at `start` once more, at the cost of reading them; else None.

    Programs write the catalogue anew in every revision, mostly without a change: this takes a twentieth of the time.
    """
    first, last = before.body
    end = start + last - first
    if first < 0 or data[start:end] != data[first:last] or not (before.plain or _is_plain(before.value)):
        return None
    budget.tokens -= before.cost
    if budget.tokens < 0:
        raise Violation("limit.complexity", start, "tokens")
    return before.value, before.references, end, before.cost


def _is_plain(value: Object) -> bool:
    """Return whether a value ends with its bracket and is the same wherever its bytes stand."""
    if not isinstance(value, (dict, list)):
        return False
    waiting: list[Object] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, (HexString, Ambiguous)):
            return False
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return True


def _skip(data: Octets, position: int, budget: Budget) -> int:
    """Return where white space and comments at `position` end."""
    match = SKIP.match(data, position)
    end = match.end() if match else position
    _charge(end - position, position, budget)
    return end


def _charge(length: int, offset: int, budget: Budget) -> None:
    """Passing over much white space costs tokens, too. Raises Violation with limit.complexity."""
    if length > 64:
        budget.take_token(length, offset)


def read_value(  # noqa: C901, PLR0912 - one loop: a call for each token would take as long again
    data: Octets, start: int, end: int, references: set[int], budget: Budget, *, placed: bool = True
) -> tuple[Object, int]:
    """Return the value at `start` and the offset behind it; add the numbers it refers to to `references`.

    Args:
        data: the file, or a decoded object stream.
        start: where the value begins, white space and comments allowed.
        end: where reading must stop.
        references: gains the numbers referred to.
        budget: what reading may cost.
        placed: whether offsets in `data` are offsets in the file.

    Raises Violation: format.token, format.nesting or limit.complexity.
    """
    items: list[Object] = []
    stack: list[tuple[list[Object], bool]] = []
    position, left, array = start, budget.tokens, False
    try:
        while True:
            match = _TOKEN.match(data, position, end)
            if match is None:
                raise Violation("format.token", position)
            here, kind, position = position, match.lastindex, match.end()
            left -= 1 + (position - here >> 6)
            if kind == _NAME:
                text = match[_NAME]
                value: Object = _NAMES.get(text) or _new_name(text)
                left -= 1 + (text.count(b"#") if b"#" in text else 0)
            elif kind == _NUMBER:
                text = match[_NUMBER]
                value = float(text) if b"." in text else int(text)
            elif kind == _REF:
                value = Reference(int(match[_REF + 1]), int(match[_REF + 2]))
                references.add(value.number)
                if array and (more := _REFERENCES.match(data, position, end)):
                    items.append(value)
                    value, position, cost = _take_references(more, items, references)
                    left -= cost
            elif kind == _OPEN:
                if len(stack) >= MAX_DEPTH:
                    raise Violation("format.nesting", position)
                stack.append((items, array))
                items, array = [], match[_OPEN] == b"["
                continue
            elif kind == _CLOSE:
                if not stack or array != (match[_CLOSE] == b"]"):
                    raise Violation("format.token", position)
                value = items if array else _dictionary(items, position)
                items, array = stack.pop()
            else:
                value, position, cost = _scalar(data, match, end, left, placed=placed)
                left -= cost
            if left < 0:
                raise Violation("limit.complexity", here, "tokens")
            if not stack:
                return value, position
            items.append(value)
    finally:
        budget.tokens = left


def _new_name(text: bytes) -> Name:
    """Return a name; the short ones are remembered, for they come again and again."""
    name = read_name(text)
    if len(text) <= _SHORT and len(_NAMES) < _MOST_NAMES:
        _NAMES[text] = name
    return name


def _take_references(
    more: re.Match[bytes], items: list[Object], references: set[int]
) -> tuple[Reference, int, int]:
    """Add the references that a match is made of but the last: returned with the offset behind, and their number.

    Reading them together is five times as fast as token by token; lists of annotations and fields hold little else.
    """
    numbers = list(map(int, more[0].replace(b"R", b"").split()))
    found = list(map(_reference, zip(numbers[0::2], numbers[1::2], strict=True)))
    references.update(numbers[0::2])
    items += found[:-1]
    return found[-1], more.end(), len(found)


def _scalar(
    data: Octets, match: re.Match[bytes], end: int, left: int, *, placed: bool
) -> tuple[Object, int, int]:
    """Return the value of one token that is a string or a word, the offset behind it, and what it cost besides.

    Raises Violation if a string does not end, or costs more than `left`.
    """
    if match.lastindex == _STRING:
        text, behind, marks = _string(data, match.end(), end, left)
        return text, behind, 1 + marks + (behind - match.end() >> 6)
    if match.lastindex == _HEX:
        digits = match["hex"].translate(None, _BLANKS)
        value = HexString(bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii")))
        if placed:
            value.span = (match.start("hex") - 1, match.end())
        return value, match.end(), 0
    return WORDS[match["word"]], match.end(), 0


def _string(data: Octets, start: int, end: int, left: int) -> tuple[bytes, int, int]:
    """Return the literal string whose first byte is at `start`, the offset behind it, and how many marks are in it.

    Undoing an escape takes as long as reading a token. Raises Violation if there are more than `left`.
    """
    simple = _SIMPLE_STRING.match(data, start, end)
    text = data[start : simple.end() - 1] if simple else b""
    escapes = text.count(b"\\")
    if simple and not escapes:
        return text, simple.end(), 0
    if simple and escapes <= left:
        value, escapes = _ESCAPE.subn(_unescape, text)
        return value, simple.end(), escapes + 1
    depth = 1
    for marks, mark in enumerate(_STRING_MARK.finditer(data, start, end), 1):
        if marks > left:
            raise Violation("limit.complexity", start, "tokens")
        if mark[0] == b"(":
            depth += 1
        elif mark[0] == b")":
            depth -= 1
            if depth == 0:
                return _ESCAPE.sub(_unescape, data[start : mark.start()]), mark.end(), marks
    raise Violation("format.token", start, "a string that does not end")


def _unescape(match: re.Match[bytes]) -> bytes:
    # 7.3.4.2: a line end in a string reads as a line feed
    return b"\n" if match[1] is None else unescaped(match[1])


def _dictionary(items: list[Object], offset: int) -> dict[str, Object]:
    """Return a dictionary of these items. Raises Violation if they are no pairs that begin with names."""
    keys = items[0::2]
    if len(items) % 2 or not _ONLY_NAMES.issuperset(map(type, keys)):
        raise Violation("format.token", offset)
    result: dict[str, Object] = dict(zip(keys, items[1::2], strict=True))  # type: ignore[arg-type]
    return result if len(result) == len(keys) else Ambiguous(result)


def read_text(value: Object) -> str:
    """Return a text string's characters, "" if the value is no string."""
    return text_of(value) if isinstance(value, bytes) else ""


def is_integer(value: Object) -> bool:
    """Return whether the value is a whole number; `true` is none, though Python says so."""
    return type(value) is int


def references_in(value: Object) -> Iterator[int]:
    """Yield the numbers of the objects that a value refers to."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Reference):
            yield item.number
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def same(first: Object, second: Object) -> bool:
    """Return whether two values are the same to every reader: 612 and 612.0 are, true and 1 are not."""
    waiting = [(first, second)]
    while waiting:
        one, two = waiting.pop()
        if isinstance(one, dict) and isinstance(two, dict):
            if one.keys() != two.keys() or isinstance(one, Ambiguous) or isinstance(two, Ambiguous):
                return False
            waiting.extend((one[key], two[key]) for key in one)
        elif isinstance(one, list) and isinstance(two, list):
            if len(one) != len(two):
                return False
            if _ONLY_REFERENCES.issuperset(map(type, one)) and _ONLY_REFERENCES.issuperset(map(type, two)):
                if one != two:
                    return False
            else:
                waiting.extend(zip(one, two, strict=True))
        elif one != two or (type(one) is not type(two) and _kind(one) != _kind(two)):
            return False
    return True


def _kind(value: Object) -> type:
    """Return one type for numbers and one for strings, however they are written."""
    if isinstance(value, bytes):
        return bytes
    return float if type(value) is int else type(value)
