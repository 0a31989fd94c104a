"""Byte ranges and gaps of our own signatures: canonical digits, one DER value, zeros."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from elicense.verification import der
from elicense.verification.pdf import Hex, Violation

if TYPE_CHECKING:
    from elicense.verification.pdf import IndirectObject

_OWN_RANGE = re.compile(rb"/ByteRange ?\[([0-9 ]*)\]")
_CANONICAL_RANGE = re.compile(
    rb"0 (?:([0-9]{10}) ([0-9]{10}) ([0-9]{10})|(0|[1-9][0-9]*) (0|[1-9][0-9]*) (0|[1-9][0-9]*))"
)
_LOWER_HEX = re.compile(rb"<[0-9a-f]*>")
_CLAIMED = re.compile(r"D:([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z")


def read_range(data: bytes, seal: IndirectObject, end: int) -> tuple[int, int, int, int]:
    """Return the byte range of a signature that leaves out exactly its own Contents and reaches to `end`.

    Raises Violation with byte_range.shape, .gap, .coverage, .hex, .empty, .der or .padding.
    """
    declaration = _OWN_RANGE.search(data, *seal.body)
    canonical = _CANONICAL_RANGE.fullmatch(declaration[1]) if declaration else None
    # The same words once more, in a string of the dictionary, could be what another reader takes.
    if canonical is None or data.count(b"/ByteRange", *seal.body) != 1:
        raise Violation("byte_range.shape", seal.start)
    first, second, rest = (int(part) for part in canonical.groups() if part is not None)
    contents = seal.value.get("Contents") if isinstance(seal.value, dict) else None
    if not isinstance(contents, Hex) or not data[contents.start + 1 : contents.end - 1].strip(b"0"):
        raise Violation("byte_range.empty", seal.start)
    if (first, second) != tuple(contents):
        raise Violation("byte_range.gap", first, "the gap is not the signature's own Contents")
    if second + rest != end:
        raise Violation("byte_range.coverage", second + rest)
    check_gap(data, contents)
    return 0, first, second, rest


def check_gap(data: bytes, contents: Hex) -> None:
    """The string is one DER value in lower-case digits with zeros behind it. Raises Violation otherwise."""
    if not _LOWER_HEX.fullmatch(data, *contents) or (contents.end - contents.start) % 2:
        raise Violation("byte_range.hex", contents.start)
    raw = contents.decode(data)
    if not raw.strip(b"\0"):
        raise Violation("byte_range.empty", contents.start)
    try:
        value = der.read(raw, 0, len(raw))
    except der.DerError as error:
        raise Violation("byte_range.der", contents.start, str(error)) from error
    if value.tag != der.SEQUENCE:
        raise Violation("byte_range.der", contents.start, "not a sequence")
    if raw[value.end :].strip(b"\0"):
        raise Violation("byte_range.padding", contents.start + 1 + 2 * value.end)


def read_claimed_time(text: str) -> datetime | None:
    """Return `D:YYYYMMDDHHMMSSZ` in UTC, or None if the text is anything else."""
    match = _CLAIMED.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
