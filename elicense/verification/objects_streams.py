"""Stream data decoded under limits, for the few streams a verification must read.

Cross-reference streams, object streams, certificates and revocation data, XMP metadata; never page content.
Source: ISO 32000-2, 7.4 (text read in secondary sources).
"""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING

from elicense.verification.objects import is_integer
from elicense.verification.pdf import Name, Violation

if TYPE_CHECKING:
    from elicense.verification.objects import Budget, Object

MOST_BYTES = 96 * 1024 * 1024
"""Bytes put into and got out of all filters of one file together."""
_MOST_PREDICTED = 8 * 1024 * 1024
"""Bytes of one stream with a predictor; undoing it takes about a tenth of a microsecond a byte."""
_MOST_FILTERS = 4
_FLATE = ("FlateDecode", "Fl")


def decode(raw: bytes, dictionary: dict[str, Object], budget: Budget) -> bytes:
    """Return the data of a stream, its filters undone.

    Raises Violation: format.unsupported (a filter we do not undo, or damaged data) or limit.complexity.
    """
    filters, parameters = _listed(dictionary.get("Filter")), _listed(dictionary.get("DecodeParms"))
    if len(filters) > _MOST_FILTERS or "F" in dictionary:
        raise Violation("format.unsupported", None, "filters of a stream")
    parameters += [None] * (len(filters) - len(parameters))
    budget.take_bytes(len(raw))
    for name, parameter in zip(filters, parameters, strict=False):
        try:
            raw = _undo(raw, name, budget)
        except (zlib.error, ValueError) as error:
            raise Violation("format.unsupported", None, "damaged stream data") from error
        if isinstance(parameter, dict) and name in _FLATE:
            raw = _unpredict(raw, parameter)
    return raw


def _listed(value: Object) -> list[Object]:
    if isinstance(value, list):
        return list(value)
    return [] if value is None else [value]


def _undo(raw: bytes, name: Object, budget: Budget) -> bytes:
    if not isinstance(name, Name):
        raise Violation("format.unsupported", None, "filters of a stream")
    if name in _FLATE:
        result = zlib.decompressobj().decompress(raw, budget.bytes + 1)
    elif name in {"ASCIIHexDecode", "AHx"}:
        digits = raw.partition(b">")[0].translate(None, b"\x00\t\n\x0c\r ")
        result = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    elif name in {"ASCII85Decode", "A85"}:
        result = base64.a85decode(
            raw.partition(b"~>")[0].removeprefix(b"<~"), ignorechars=b"\x00\t\n\x0c\r \x0b"
        )
    else:
        raise Violation("format.unsupported", None, "filters of a stream")
    budget.take_bytes(len(result))
    return result


def _unpredict(raw: bytes, parameters: dict[str, Object]) -> bytes:
    """Return the bytes without their predictor; samples of eight bits only."""
    predictor, colours, columns, bits = (
        parameters.get(key, default)
        for key, default in (("Predictor", 1), ("Colors", 1), ("Columns", 1), ("BitsPerComponent", 8))
    )
    if predictor == 1:
        return raw
    numbers = is_integer(predictor) and is_integer(colours) and is_integer(columns) and bits == 8
    if not numbers or not isinstance(colours, int) or not isinstance(columns, int):
        raise Violation("format.unsupported", None, "predictor")
    if len(raw) > _MOST_PREDICTED:
        raise Violation("limit.complexity", None, "bytes with a predictor")
    width = colours * columns
    if not 1 <= colours <= 32 or not 1 <= width <= _MOST_PREDICTED:
        raise Violation("format.unsupported", None, "predictor")
    if predictor == 2:
        rows = [_row(1, raw[at : at + width], b"", colours) for at in range(0, len(raw), width)]
        return b"".join(rows)
    found, before = [], bytes(width)
    for at in range(0, len(raw), width + 1):
        before = _row(raw[at], raw[at + 1 : at + 1 + width], before, colours)
        found.append(before)
    return b"".join(found)


def _row(kind: int, row: bytes, above: bytes, step: int) -> bytes:
    """Return one row of bytes, each a difference to what its PNG filter `kind` says. Source: ISO 15948, 9."""
    if kind == 0:
        return row
    if kind == 2:
        return bytes([(one + two) & 0xFF for one, two in zip(row, above, strict=False)])
    if kind not in {1, 3, 4}:
        raise Violation("format.unsupported", None, "predictor")
    done = bytearray(len(row))
    for index, byte in enumerate(row):
        left = done[index - step] if index >= step else 0
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + above[index]) // 2
        else:
            corner = above[index - step] if index >= step else 0
            guess = _nearest(left, above[index], corner)
        done[index] = (byte + guess) & 0xFF
    return bytes(done)


def _nearest(left: int, above: int, corner: int) -> int:
    """Return Paeth's guess. Source: ISO 15948, 9.4."""
    estimate = left + above - corner
    return min((left, above, corner), key=lambda value: abs(estimate - value))
