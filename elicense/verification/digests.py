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
    from collections.abc import Iterable

    from elicense.verification.handing import Octets
    from elicense.verification.scan import ByteRange

Known = dict[tuple[str, "ByteRange"], bytes]
"""hashlib name of the algorithm and byte range -> digest."""

_WINDOW = 256 * 1024
"""Bytes before a byte range in which the next is looked for; a signature's revision is rarely larger."""
_MOST_RANGES = 256
"""Byte ranges that are looked for from the end on."""


class State(Protocol):
    """What hashlib makes."""

    def copy(self) -> State:
        """Return the same state once more."""

    def update(self, data: memoryview, /) -> None:
        """Take further bytes."""

    def digest(self) -> bytes:
        """Return the digest so far."""


class Digests:
    """The digests of one file, each computed when it is first asked for.

    Args:
        data: the whole file.
        known: digests of this very file that somebody trusted has computed.
    """

    __slots__ = ("_points", "_states", "_view", "data", "hashed", "known")

    def __init__(self, data: Octets, known: Known | None = None) -> None:
        self.data = data
        """The whole file."""
        self.known: Known = dict(known or {})
        """All that was computed or known before."""
        self.hashed = 0
        """Bytes hashed so far, by all algorithms."""
        self._view = memoryview(data)
        self._points: list[int] = []
        self._states: dict[str, list[State]] = {}

    def expect(self, ranges: Iterable[ByteRange]) -> None:
        """These byte ranges, and the file up to their ends, will be asked for; others are hashed each on its own."""
        starts = ((gap, second + rest) for first, gap, second, rest in ranges if first == 0)
        self._points = sorted({point for pair in starts for point in pair if point <= len(self.data)})
        self._states = {}

    def take_whole(self, sha256: str) -> None:
        """The SHA-256 (hex) of the file is the one that somebody trusted has computed."""
        self.known["sha256", first_bytes(len(self.data))] = bytes.fromhex(sha256)

    @property
    def whole(self) -> str:
        """Return the SHA-256 (hex) of the file."""
        return self.up_to(len(self.data))

    def up_to(self, end: int) -> str:
        """Return the SHA-256 (hex) of the first `end` bytes."""
        return self.covered(first_bytes(end), "sha256").hex()

    def sealed(self, end: int) -> str:
        """Return the SHA-256 (hex) of the file cut at `end`."""
        return self.whole if end == len(self.data) else self.up_to(end)

    def covered(self, byte_range: ByteRange, name: str) -> bytes:
        """Return the digest of what a byte range covers; `name` is hashlib's."""
        key = (name, byte_range)
        if key not in self.known:
            state = self._before_gap(byte_range, name)
            _, _, second, rest = byte_range
            self._update(state, second, second + rest)
            self.known[key] = state.digest()
        return self.known[key]

    def _before_gap(self, byte_range: ByteRange, name: str) -> State:
        """Return a new state that has taken what a byte range covers before its gap."""
        first, length, _, _ = byte_range
        point = bisect_left(self._points, length)
        if first == 0 and point < len(self._points) and self._points[point] == length:
            return self._running(name, point).copy()
        state, taken = self._begun(name, length) if first == 0 else (hashlib.new(name), first)
        self._update(state, taken, first + length)
        return state

    def _running(self, name: str, point: int) -> State:
        """Return the running hash at a point; it goes on from the last point reached, and every state is kept."""
        states = self._states.setdefault(name, [])
        while len(states) <= point:
            end = self._points[len(states)]
            if states:
                state, taken = states[-1].copy(), self._points[len(states) - 1]
            else:
                state, taken = self._begun(name, end)
            self._update(state, taken, end)
            states.append(state)
        return states[point]

    def _begun(self, name: str, end: int) -> tuple[State, int]:
        """Return a new state, and how many of the first `end` bytes it has taken already; here none."""
        del end
        return hashlib.new(name), 0

    def _update(self, state: State, start: int, end: int) -> None:
        covered = self._view[start:end]
        self.hashed += len(covered)
        state.update(covered)


def first_bytes(end: int) -> ByteRange:
    """Return the byte range, its gap empty, of a file's first `end` bytes."""
    return 0, end, end, 0


def sweep(data: bytes) -> Digests:
    """Return the digests of a file, the one of all its bytes and those that a reader of it will ask for computed.

    Which these are, the end of the file says (`latest_ranges`). Only as many are computed as do not make hashing more
    than twice as long: whoever wrote the file may have meant that.
    """
    size = allowance = len(data)
    chosen = []
    for byte_range in latest_ranges(data):
        first, gap, second, rest = byte_range
        if first == 0 and gap <= second and second + rest <= size and rest <= allowance:
            allowance -= rest
            chosen.append(byte_range)
    digests = Digests(data)
    wanted = [*chosen, *(first_bytes(second + rest) for _, _, second, rest in chosen), first_bytes(size)]
    digests.expect(wanted)
    for byte_range in wanted:
        digests.covered(byte_range, "sha256")
    return digests


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
