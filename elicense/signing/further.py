"""The seal of the next joint authority: the document so far is extended by exactly one update, nothing in it moves.

Plan:

1. The newest trailer says where the update goes on from; the catalogue says which field comes next.
2. The field gets its value and its seal's drawing; the last one's signature locks every field.
3. The byte range is written, the two stretches are hashed, the key is used once, the signature fills its gap.

Source: ISO 32000-2, 7.5.6, 12.7.5.5, 12.8.2.4 (text read in secondary sources); docs/format.md for the exact bytes.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from elicense.errors import SigningError
from elicense.signing.pades import SealedDocument, required_capacity, sign_and_stamp
from elicense.updates import Tail, digest_of, fill_gap, place_gap, seal_value, sealed_field, write_update

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from elicense.pki.keys import Signer
    from elicense.pki.timestamps import TimestampAuthority
    from elicense.preflight import ClearedSeal
    from elicense.signing.pades import OnTimestampFailure

_TRAILER = re.compile(
    rb"trailer\n<</Size ([0-9]+)/Root ([0-9]+) 0 R/Info ([0-9]+) 0 R/ID(\[<[0-9a-f]{32}><[0-9a-f]{32}>\])"
    rb"(?:/Prev ([0-9]+))?>>\nstartxref\n([0-9]+)\n%%EOF\n\Z"
)
_PREVIOUS = re.compile(rb"trailer\n<<[^\n]*?(?:/Prev ([0-9]+))?>>\n")
_RUN = re.compile(rb"([0-9]+) ([0-9]+)\n")
_FIELDS = re.compile(rb"/Fields\[([0-9R ]+)\]")
_ENTRY = 20
"""Bytes of an entry of a cross-reference table."""


def seal_further(
    cleared: ClearedSeal,
    signer: Signer,
    *,
    drawing: Callable[[int], Mapping[int, bytes]],
    at: datetime,
    timestamps: TimestampAuthority | None = None,
    on_timestamp_failure: OnTimestampFailure = "refuse",
) -> SealedDocument:
    """Return the document of `cleared` with one seal more; the clearance is spent whatever happens.

    Args:
        cleared: the document so far, found to be the one on record.
        signer: holder of the next seal's key.
        drawing: returns the objects of the seal's appearance by number, from the number it is given on; that
            one is the appearance itself.
        at: claimed time of this seal, UTC.
        timestamps: asked once for a timestamp over the signature, if given.
        on_timestamp_failure: "refuse" raises when no timestamp is to be had, "pending" seals without one.

    Raises:
        KeyUnavailable: The key holder does not answer.
        TimestampUnavailable: No timestamp, and on_timestamp_failure is "refuse".
        SigningError: The signature does not fit the certificate or its space, or the document is not of our form.
        RuntimeError: The clearance was already spent, or called inside a running event loop.
    """
    pdf, place = cleared.redeem()
    extended = pdf + _update(pdf, place, drawing, at, required_capacity(signer, timestamps))
    extended, byte_range = place_gap(extended, len(pdf))
    digest = digest_of(extended, byte_range, signer.algorithm.digest)
    der, profile, pending = sign_and_stamp(digest, signer, timestamps, on_timestamp_failure)
    try:
        sealed = fill_gap(extended, byte_range, der)
    except ValueError as error:
        raise SigningError(
            f"the signature needs {len(der)} bytes, more than were reserved; try again",
            f"签名需要 {len(der)} 字节，超出预留空间，请重试",
        ) from error
    sha256 = hashlib.sha256(sealed).hexdigest()
    return SealedDocument(sealed, sha256, byte_range, profile, pending, cleared.licence)


def _update(
    pdf: bytes, place: int, drawing: Callable[[int], Mapping[int, bytes]], at: datetime, capacity: int
) -> bytes:
    """Return the update that seals the field at `place`, its signature still empty. Raises SigningError."""
    try:
        tail = _tail(pdf)
        fields = [int(number) for number in _fields(_object(pdf, tail, tail.root))]
        number, last = fields[place], place == len(fields) - 1
        value, appearance = tail.size, tail.size + 1
        sealed = sealed_field(_object(pdf, tail, number), appearance=appearance, value=value)
    except (ValueError, IndexError) as error:
        raise SigningError(
            "the document so far is not of the form in which it is issued; look at its record",
            "现有文件不符合签发格式，请核对登记记录",
        ) from error
    claimed = at.strftime("D:%Y%m%d%H%M%SZ").encode("ascii")
    signature = seal_value(claimed, capacity, locks=tail.root if last else 0)
    return write_update(tail, {number: sealed, value: signature, **drawing(appearance)})


def _tail(pdf: bytes) -> Tail:
    """Return what the end of the file says of it. Raises ValueError if it is not of our form."""
    # An end is never longer; without this bound a large file would be searched from its first byte.
    found = _TRAILER.search(pdf, max(0, len(pdf) - 512))
    if found is None:
        raise ValueError("no trailer of ours")
    size, root, info, identifier, _, xref = found.groups()
    return Tail(len(pdf), int(xref), int(size), int(root), int(info), identifier)


def _object(pdf: bytes, tail: Tail, number: int) -> bytes:
    """Return the newest body of an object without a stream. Raises ValueError if there is none."""
    xref: int | None = tail.xref
    while xref is not None:
        offset, xref = _section(pdf, xref, number)
        if offset is not None:
            head = b"%d 0 obj\n" % number
            end = pdf.index(b"\nendobj\n", offset)
            if not pdf.startswith(head, offset):
                break
            return pdf[offset + len(head) : end]
    raise ValueError("no such object")


def _section(pdf: bytes, xref: int, number: int) -> tuple[int | None, int | None]:
    """Return where a cross-reference section says that an object lies, if it does, and where the one before lies."""
    if not pdf.startswith(b"xref\n", xref):
        raise ValueError("no cross-reference section")
    at, offset = xref + len(b"xref\n"), None
    while run := _RUN.match(pdf, at):
        first, count = int(run[1]), int(run[2])
        if first <= number < first + count:
            entry = run.end() + _ENTRY * (number - first)
            offset = int(pdf[entry : entry + 10])
        at = run.end() + _ENTRY * count
    before = _PREVIOUS.match(pdf, at)
    if before is None:
        raise ValueError("no trailer behind the section")
    return offset, int(before[1]) if before[1] else None


def _fields(catalogue: bytes) -> list[bytes]:
    """Return the numbers of the form's fields in their order. Raises ValueError if there is no such array."""
    found = _FIELDS.search(catalogue)
    if found is None:
        raise ValueError("no fields")
    return re.findall(rb"([0-9]+) 0 R", found[1])
