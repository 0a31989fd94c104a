"""Digests of one document: of the whole file, of a part from its beginning, of what a byte range covers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from elicense.updates import digest_of

if TYPE_CHECKING:
    from elicense.verification.scan import ByteRange


class Digests:
    """Digests of the bytes of a document; that of the whole file is computed once."""

    __slots__ = ("_whole", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._whole = ""

    @property
    def whole(self) -> str:
        """Return the SHA-256 (hex) of the file."""
        if not self._whole:
            self._whole = self.up_to(len(self.data))
        return self._whole

    def sealed(self, end: int) -> str:
        """Return the SHA-256 (hex) of the file cut at `end`."""
        return self.whole if end == len(self.data) else self.up_to(end)

    def up_to(self, end: int) -> str:
        """Return the SHA-256 (hex) of the first `end` bytes, computed now."""
        return hashlib.sha256(memoryview(self.data)[:end]).hexdigest()

    def covered(self, byte_range: ByteRange, name: str) -> bytes:
        """Return the digest of what a byte range covers; `name` is hashlib's."""
        return digest_of(self.data, byte_range, name)
