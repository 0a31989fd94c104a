"""Digests of byte ranges that share their beginning: one running hash, copied wherever a range has its gap.

Every signature covers the file from its first byte, so each covers what the one before it covers, that one's gap, and
a little more. Here the bytes are hashed once for all of them, and for the file as a whole:

    running hash   0 ─────────── gap 1 ─────────── gap 2 ─────────── end of the file
    copies                         └─ behind gap 1   └─ behind gap 2

Nothing is believed of a range: any range has exactly the digest that hashing its bytes alone would give.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from typing import TYPE_CHECKING, Protocol

from elicense.verification.scan import DECLARED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from elicense.verification.handing import Octets
    from elicense.verification.scan import ByteRange

Known = dict[tuple[str, "ByteRange"], bytes]
"""hashlib name of the algorithm and byte range -> digest."""

_WINDOW = 256 * 1024
"""Bytes before a byte range in which the next is looked for; a signature's revision is rarely larger."""
_MOST_RANGES = 256
"""Byte ranges that are looked for from the end on."""


class _State(Protocol):
    """What hashlib makes."""

    def copy(self) -> _State:
        """Return the same state once more."""

    def update(self, data: memoryview, /) -> None:
        """Take further bytes."""

    def digest(self) -> bytes:
        """Return the digest so far."""


class Digests:
    """The digests of one file's byte ranges, each computed when it is first asked for.

    Args:
        data: the whole file.
        ranges: what will be asked for, in any order; another range is hashed on its own.
        known: digests of this very file that somebody trusted has computed.
    """

    def __init__(
        self,
        data: Octets,
        ranges: Iterable[ByteRange] = (),
        known: Mapping[tuple[str, ByteRange], bytes] | None = None,
    ) -> None:
        self.data = data
        """The whole file."""
        self._view = memoryview(data)
        self._points = sorted({gap for first, gap, _, _ in ranges if first == 0 and gap <= len(data)})
        self._states: dict[str, list[_State]] = {}
        self.known: Known = dict(known or {})
        """All that was computed or known before."""
        self.hashed = 0
        """Bytes hashed so far, of all algorithms."""

    def of(self, byte_range: ByteRange, algorithm: str) -> bytes:
        """Return the digest of the bytes that a byte range covers; `algorithm` is a name in hashlib."""
        key = (algorithm, byte_range)
        if key not in self.known:
            _, _, second, rest = byte_range
            state = self._before_gap(byte_range, algorithm)
            self._update(state, second, second + rest)
            self.known[key] = state.digest()
        return self.known[key]

    def upto(self, end: int, algorithm: str = "sha256") -> bytes:
        """Return the digest of the file's first `end` bytes."""
        return self.of(first_bytes(end), algorithm)

    def _before_gap(self, byte_range: ByteRange, algorithm: str) -> _State:
        """Return a new state that has taken what a byte range covers before its gap."""
        first, length, _, _ = byte_range
        point = bisect_left(self._points, length)
        if first == 0 and point < len(self._points) and self._points[point] == length:
            return self._running(algorithm, point).copy()
        state: _State = hashlib.new(algorithm)
        self._update(state, first, first + length)
        return state

    def _running(self, algorithm: str, point: int) -> _State:
        """Return the running hash at a point; it goes on from the last one reached, which are all kept."""
        states = self._states.setdefault(algorithm, [])
        while len(states) <= point:
            reached = len(states)
            state: _State = states[-1].copy() if states else hashlib.new(algorithm)
            self._update(state, self._points[reached - 1] if reached else 0, self._points[reached])
            states.append(state)
        return states[point]

    def _update(self, state: _State, start: int, end: int) -> None:
        covered = self._view[start:end]
        self.hashed += len(covered)
        state.update(covered)


def first_bytes(end: int) -> ByteRange:
    """Return the byte range, its gap empty, of a file's first `end` bytes."""
    return 0, end, end, 0


def sweep(data: bytes, ranges: Iterable[ByteRange]) -> tuple[str, Known]:
    """Return the SHA-256 (hex) of the whole file and, on the way, digests that a reader of it will ask for.

    These are the SHA-256 of `ranges`, and of the file up to the end of each. Only as many ranges as do not make
    hashing more than twice as long: whoever wrote them may have meant that.

    Args:
        data: the whole file.
        ranges: byte ranges out of it, unverified; the first ones matter most.
    """
    size = len(data)
    allowance, chosen = size, []
    for byte_range in ranges:
        first, gap, second, rest = byte_range
        if first == 0 and gap <= second and second + rest <= size and rest <= allowance:
            allowance -= rest
            chosen.append(byte_range)
    whole = first_bytes(size)
    wanted = [*chosen, *(first_bytes(second + rest) for _, _, second, rest in chosen), whole]
    digests = Digests(data, wanted)
    for byte_range in wanted:
        digests.of(byte_range, "sha256")
    return digests.upto(size).hex(), digests.known


def latest_ranges(data: bytes) -> list[ByteRange]:
    """Return byte ranges that stand in the bytes near the file's end, the last one first; none need be a signature's.

    From each that is found a window further back is looked at, so this costs what the end of the file costs.
    """
    found: list[ByteRange] = []
    end = len(data)
    for _ in range(_MOST_RANGES):
        at = data.rfind(b"/ByteRange", max(end - _WINDOW, 0), end)
        if at < 0:
            break
        end = at
        declared = DECLARED.match(data, at)
        if declared:
            first, gap, second, rest = (int(part) for part in declared.groups())
            found.append((first, gap, second, rest))
            # The gap itself, mostly digits, need not be looked through.
            end = gap if gap <= second <= at else at
    return found
