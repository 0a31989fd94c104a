"""Distinguished encoding rules: a strict reader of nested values by their offsets, nothing copied; one writer.

Source: ITU-T X.690, 8 and 10 (the text was not read for this; rules from common knowledge of it).
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

SEQUENCE, SET, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x30, 0x31, 0x02, 0x03, 0x04, 0x05, 0x06
BOOLEAN, GENERALIZED_TIME = 0x01, 0x18
_SHORT = 32
"""Bytes of an object identifier that is remembered."""


class DerError(ValueError):
    """The bytes are not DER, or not of the expected type."""


class Node(NamedTuple):
    """One value: tag, and where header, content and end lie in the buffer."""

    tag: int
    start: int
    body: int
    end: int


def read(data: bytes, start: int, end: int) -> Node:
    """Return the value at `start`. Raises DerError unless tag and length are in their shortest form and fit."""
    if end - start < 2:
        raise DerError("value cut short")
    tag, first, body = data[start], data[start + 1], start + 2
    if tag & 0x1F == 0x1F:
        raise DerError("long tags are not used here")
    length = first
    if first & 0x80:
        count = first & 0x7F
        if not 1 <= count <= 4 or body + count > end:
            raise DerError("length not definite")
        length = int.from_bytes(data[body : body + count])
        if length < 0x80 or length >> (8 * (count - 1)) == 0:
            raise DerError("length not in its shortest form")
        body += count
    if body + length > end:
        raise DerError("value longer than its container")
    return Node(tag, start, body, body + length)


def whole(data: bytes, tag: int) -> Node:
    """Return the one value that `data` is. Raises DerError for another tag or bytes behind it."""
    node = read(data, 0, len(data))
    if node.tag != tag or node.end != len(data):
        raise DerError("not exactly one value of the expected type")
    return node


def children(data: bytes, node: Node, tag: int = SEQUENCE) -> list[Node]:
    """Return the values inside a constructed value, in order.

    Raises DerError if it is not of the type `tag`, or they do not fill it exactly.
    """
    if node.tag != tag:
        raise DerError("unexpected type")
    found = []
    position = node.body
    while position < node.end:
        child = read(data, position, node.end)
        found.append(child)
        position = child.end
    return found


def content(data: bytes, node: Node, tag: int | None = None) -> bytes:
    """Return the content bytes. Raises DerError if `tag` is given and differs."""
    if tag is not None and node.tag != tag:
        raise DerError("unexpected type")
    return data[node.body : node.end]


def encoded(data: bytes, node: Node) -> bytes:
    """Return header and content."""
    return data[node.start : node.end]


def oid(data: bytes, node: Node) -> str:
    """Return an object identifier in dots. Raises DerError if it is none."""
    raw = content(data, node, OID)
    return _known_dots(raw) if len(raw) <= _SHORT else _dots(raw)


def _dots(raw: bytes) -> str:
    if not raw or raw[-1] & 0x80:
        raise DerError("object identifier cut short")
    arcs: list[int] = []
    arc = 0
    for byte in raw:
        if arc == 0 and byte == 0x80:
            raise DerError("object identifier not in its shortest form")
        arc = arc << 7 | byte & 0x7F
        if arc.bit_length() > 128:
            raise DerError("object identifier too large")
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(part) for part in (first, arcs[0] - 40 * first, *arcs[1:]))


_known_dots = lru_cache(maxsize=512)(_dots)
"""The few identifiers there are come again and again."""


def integer(data: bytes, node: Node) -> int:
    """Return an integer. Raises DerError if it is none or not in its shortest form."""
    raw = content(data, node, INTEGER)
    if not raw or (len(raw) > 1 and raw[0] in (0, 0xFF) and (raw[0] ^ raw[1]) < 0x80):
        raise DerError("integer not in its shortest form")
    return int.from_bytes(raw, signed=True)


def encode(tag: int, content: bytes) -> bytes:
    """Return one value in DER."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def generalized_time(data: bytes, node: Node) -> datetime:
    """Return a GeneralizedTime in UTC. Raises DerError for local times and malformed ones."""
    text = content(data, node, GENERALIZED_TIME)
    whole_seconds, dot, fraction = text.partition(b".")
    if whole_seconds.endswith(b"Z") and not dot:
        whole_seconds = whole_seconds[:-1]
    elif dot and fraction.endswith(b"Z") and fraction[:-1].isdigit():
        fraction = fraction[:-1]
    else:
        raise DerError("time without Z")
    if len(whole_seconds) != 14 or not whole_seconds.isdigit():
        raise DerError("malformed time")
    try:
        moment = datetime.strptime(whole_seconds.decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise DerError("no such time") from error
    return moment.replace(microsecond=int(fraction[:6].ljust(6, b"0")) if fraction else 0)
