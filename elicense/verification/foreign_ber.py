"""Basic encoding rules: a reader of nested values as any program may write them, indefinite lengths included.

Every header is looked at once for the end of an indefinite value, and nothing recurses. Values keep their bytes as they
stand: a signature covers those. Source: ITU-T X.690, 8 (the text was not read for this; rules from common knowledge).
"""

from __future__ import annotations

from elicense.verification import der
from elicense.verification.der import DerError, Node

_MOST_LEVELS = 64
_MOST_NODES = 200_000
"""Values of one buffer that are looked at; signed data has some hundreds."""


class Ber:
    """One buffer of values."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.ends: dict[int, int] = {}
        self.left = _MOST_NODES

    def read(self, start: int, end: int) -> Node:
        """Return the value at `start`; `end` of an indefinite one lies behind its end-of-contents.

        Raises DerError for what is cut short, nested too deeply, or tagged in the long form.
        """
        tag, body, length = self._header(start, end)
        if length is None:
            return Node(tag, start, body, self._end(start, body, end))
        return Node(tag, start, body, body + length)

    def _header(self, start: int, end: int) -> tuple[int, int, int | None]:
        """Return tag, offset of the content, and its length, None if it is indefinite."""
        self.left -= 1
        if end - start < 2 or self.left < 0:
            raise DerError("value cut short, or too many")
        tag, first, body = self.data[start], self.data[start + 1], start + 2
        if tag & 0x1F == 0x1F:
            raise DerError("long tags are not used here")
        if first == 0x80 and tag & 0x20:
            return tag, body, None
        length = first
        if first & 0x80:
            count = first & 0x7F
            if not 1 <= count <= 8 or body + count > end:
                raise DerError("length not readable")
            length = int.from_bytes(self.data[body : body + count])
            body += count
        if body + length > end:
            raise DerError("value longer than its container")
        return tag, body, length

    def _end(self, start: int, body: int, end: int) -> int:
        """Return where the indefinite value at `start` ends."""
        if start in self.ends:
            return self.ends[start]
        open_values, position = [start], body
        while open_values:
            if self.data[position : position + 2] == b"\0\0":
                position += 2
                self.ends[open_values.pop()] = position
                continue
            _, content, length = self._header(position, end)
            if length is None:
                if len(open_values) == _MOST_LEVELS:
                    raise DerError("nested too deeply")
                open_values.append(position)
                position = content
            else:
                position = content + length
        return self.ends[start]

    def _content_end(self, node: Node) -> int:
        return node.end - 2 if node.start in self.ends and self.data[node.start + 1] == 0x80 else node.end

    def children(self, node: Node, tag: int | None = None) -> list[Node]:
        """Return the values inside a constructed value. Raises DerError if it is not of the type `tag`."""
        if not node.tag & 0x20 or (tag is not None and node.tag != tag):
            raise DerError("unexpected type")
        data, position, end = self.data, node.body, self._content_end(node)
        found = []
        while position < end:
            # Short values of one tag byte, by far the most: read here, which takes a third of the time.
            if end - position >= 2 and data[position + 1] < 0x80 and data[position] & 0x1F != 0x1F:
                body = position + 2
                child = Node(data[position], position, body, body + data[position + 1])
                self.left -= 1
                if child.end > end or self.left < 0:
                    raise DerError("value longer than its container, or too many")
            else:
                child = self.read(position, end)
            found.append(child)
            position = child.end
        return found

    def raw(self, node: Node) -> bytes:
        """Return a value as it stands."""
        return self.data[node.start : node.end]

    def octets(self, node: Node, tag: int = der.OCTET_STRING) -> bytes:
        """Return the content of a string, its parts joined. Raises DerError if it is none with that tag."""
        if node.tag == tag:
            return self.data[node.body : node.end]
        if node.tag != tag | 0x20:
            raise DerError("unexpected type")
        parts: list[bytes] = []
        waiting, depth = [node], 0
        while waiting:
            part = waiting.pop()
            if part.tag in {tag, der.OCTET_STRING} and part is not node:
                parts.append(self.data[part.body : part.end])
                continue
            depth += 1
            if part.tag not in {tag | 0x20, der.OCTET_STRING | 0x20} or depth > _MOST_NODES:
                raise DerError("unexpected type")
            waiting.extend(reversed(self.children(part)))
        return b"".join(parts)

    def oid(self, node: Node) -> str:
        """Return an object identifier in dots. Raises DerError if it is none."""
        return der.oid(self.data, node)

    def integer(self, node: Node) -> int:
        """Return a whole number. Raises DerError if it is none."""
        if node.tag != der.INTEGER or not 0 < node.end - node.body <= 1024:
            raise DerError("unexpected type")
        return int.from_bytes(self.data[node.body : node.end], signed=True)


def unpadded(data: bytes) -> bytes:
    """Return the one value that `data` begins with. Raises DerError if anything but zeros stands behind it."""
    node = Ber(data).read(0, len(data))
    if data[node.end :].strip(b"\0"):
        raise DerError("bytes behind the value")
    return data[: node.end]
