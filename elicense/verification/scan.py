"""Signatures found in raw bytes by their looks alone: what is left to trust when a file cannot be read.

Everything here runs in linear time, whatever the bytes are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

ByteRange = tuple[int, int, int, int]

MAX_CANDIDATES = 16
"""Signatures looked at in a file that is not of our shape."""
MOST_RANGES = 10_000
"""Byte ranges looked at to say how a file is damaged and by whom; no better verdict comes of seeing fewer."""

DECLARED = re.compile(
    rb"/ByteRange[\x00\t\n\x0c\r ]*\[[\x00\t\n\x0c\r ]*([0-9]{1,12})[\x00\t\n\x0c\r ]+([0-9]{1,12})"
    rb"[\x00\t\n\x0c\r ]+([0-9]{1,12})[\x00\t\n\x0c\r ]+([0-9]{1,12})[\x00\t\n\x0c\r ]*\]"
)
"""A byte range as any program may write it."""
_HEX_WINDOW = re.compile(rb"[0-9A-Fa-f]{256}")
_HEX_AFTER = re.compile(rb"[0-9A-Fa-f]*+")
_HEX_DIGITS = b"0123456789abcdefABCDEF"


def spelled(name: str) -> bytes:
    """Return a pattern of the name as it stands in a file, any of its characters escaped or not."""
    return b"".join(rb"(?:%s|(?i:#%02x))" % (re.escape(c.encode()), ord(c)) for c in name)


_TRACE = re.compile(
    b"/(?:%s)" % b"|".join(map(spelled, ("ByteRange", "DocMDP", "DocTimeStamp", "Adobe.PPK", "adbe.pkcs7")))
    + b"|/(?:%s)" % b"|".join(map(spelled, ("adbe.x509", "ETSI.CAdES", "ETSI.RFC3161")))
    + b"|/%s(?![a-z]|#[67])" % spelled("Sig")
    + rb"|06092[aA]864886[fF]70[dD]010702"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A signature as the raw bytes show it."""

    field: str
    """Field name; "" if it was found by scanning only."""
    byte_range: ByteRange
    """Declared, or implied by the gap when no readable declaration exists."""
    declared: bool
    """False if the byte range had to be implied."""
    claimed_time: datetime | None
    """`/M`, UTC."""
    kind: str = "seal"
    """seal or timestamp (a DocTimeStamp); under the policy general certification, approval or timestamp."""
    revision: int = 0
    """Index of the revision to whose end it reaches; -1 if to none."""
    permission: int | None = None
    """What it permits afterwards, 1 to 3: DocMDP P, or what its field's Lock says if stricter; None without both."""
    locked: tuple[str, ...] | None = None
    """Names of the fields it locks (FieldMDP), ("*",) for all; None if it locks none."""
    subfilter: str = "ETSI.CAdES.detached"
    """How its Contents are encoded."""

    @property
    def gap(self) -> tuple[int, int]:
        """Start and end of the bytes that are not covered."""
        return self.byte_range[1], self.byte_range[2]

    def covers_all(self, size: int) -> bool:
        """Return whether all bytes of the file but the gap are covered."""
        first, start, end, rest = self.byte_range
        return first == 0 and start < end and end + rest == size


def has_traces(data: bytes) -> bool:
    """Return whether anything in the bytes hints at a signature, names written with escapes included."""
    return _TRACE.search(data) is not None


def find_candidates(data: bytes, known: tuple[Candidate, ...] = ()) -> tuple[Candidate, ...]:
    """Return the signatures that scanning the raw bytes finds, at most MAX_CANDIDATES.

    Declared byte ranges come first, if their gap lies in the file. The longest run of hexadecimal digits that
    could be a DER value is a candidate too, unless a declared gap is exactly that run: a damaged declaration
    must not hide the signature. What is `known` is not found again.
    """
    gaps = {candidate.gap for candidate in known}
    found: list[Candidate] = []
    for match in islice(DECLARED.finditer(data), MOST_RANGES):
        first, start, end, rest = (int(part) for part in match.groups())
        if first < start < end <= len(data) and (start, end) not in gaps:
            found.append(Candidate("", (first, start, end, rest), declared=True, claimed_time=None))
            if len(found) == MAX_CANDIDATES:
                break
    run = _longest_hex_run(data)
    if run is not None:
        start, end = max(run[0] - 1, 0), min(run[1] + 1, len(data))
        if all(candidate.gap != (start, end) for candidate in (*known, *found)):
            found.append(Candidate("", (0, start, end, len(data) - end), declared=False, claimed_time=None))
    return tuple(found)


def _longest_hex_run(data: bytes) -> tuple[int, int] | None:
    """Return the longest run of at least 512 hexadecimal digits that begins like a DER sequence, None without one.

    Such a run fills at least one of the windows that begin at multiples of 256, so only these are looked at.
    """
    longest: tuple[int, int] | None = None
    position = 0
    while position < len(data):
        if not _HEX_WINDOW.match(data, position):
            position += 256
            continue
        before = max(position - 256, 0)
        lead = _first_of_run(data[before:position])
        after = _HEX_AFTER.match(data, position)
        run = (before + lead, after.end() if after else position)
        if data.startswith(b"30", run[0]) and run[1] - run[0] > max(511, _length(longest)):
            longest = run
        position = run[1] - run[1] % 256 + 256
    return longest


def _first_of_run(before: bytes) -> int:
    """Return where the digits begin that reach to the end of `before`."""
    return len(before.rstrip(_HEX_DIGITS))


def _length(run: tuple[int, int] | None) -> int:
    return run[1] - run[0] if run else 0
