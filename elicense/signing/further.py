"""The seal of the next joint authority: the document so far is extended by exactly one update, nothing in it moves.

Plan:

1. The next prepared field gets its value and its seal's drawing; the last one's signature locks every field.
2. The byte range is written, the two stretches are hashed, the key is used once, the signature fills its gap.

Source: ISO 32000-2, 7.5.6, 12.7.5.5, 12.8.2.4 (text read in secondary sources); docs/format.md for the exact bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from elicense.errors import SigningError
from elicense.signing.pades import SealedDocument, required_capacity, sign_and_stamp
from elicense.updates import digest_of, fill_gap, place_gap, seal_value, sealed_field, write_update

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from elicense.pki.keys import Signer
    from elicense.pki.timestamps import TimestampAuthority
    from elicense.preflight import ClearedSeal
    from elicense.signing.pades import OnTimestampFailure
    from elicense.updates import Tail


@dataclass(frozen=True, slots=True)
class NextField:
    """The prepared field whose turn it is."""

    tail: Tail
    """Where and with which numbers the file goes on."""
    number: int
    """Object number of the field."""
    body: bytes
    """Its body as prepared."""
    last: bool
    """Whether it is the last one, which locks every field."""


def seal_further(
    cleared: ClearedSeal,
    signer: Signer,
    *,
    next_field: NextField,
    drawing: Callable[[int], Mapping[int, bytes]],
    at: datetime,
    timestamps: TimestampAuthority | None = None,
    on_timestamp_failure: OnTimestampFailure = "refuse",
) -> SealedDocument:
    """Return the document of `cleared` with one seal more; the clearance is spent whatever happens.

    Args:
        cleared: the document so far, found to be the one on record.
        signer: holder of the next seal's key.
        next_field: the prepared field that is sealed, and where the update goes on, as the verifier reads them.
        drawing: returns the objects of the seal's appearance by number, from the number it is given on; that
            one is the appearance itself.
        at: claimed time of this seal, UTC.
        timestamps: asked once for a timestamp over the signature, if given.
        on_timestamp_failure: "refuse" raises when no timestamp is to be had, "pending" seals without one.

    Raises:
        KeyUnavailable: The key holder does not answer.
        TimestampUnavailable: No timestamp, and on_timestamp_failure is "refuse".
        SigningError: The signature does not fit the certificate or its space.
        RuntimeError: The clearance was already spent, or called inside a running event loop.
    """
    pdf = cleared.redeem()
    extended = pdf + _update(next_field, drawing, at, required_capacity(signer, timestamps))
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
    next_field: NextField, drawing: Callable[[int], Mapping[int, bytes]], at: datetime, capacity: int
) -> bytes:
    """Return the update that seals the field, its signature still empty."""
    tail = next_field.tail
    value, appearance = tail.size, tail.size + 1
    sealed = sealed_field(next_field.body, appearance=appearance, value=value)
    claimed = at.strftime("D:%Y%m%d%H%M%SZ").encode("ascii")
    signature = seal_value(claimed, capacity, locks=tail.root if next_field.last else 0)
    return write_update(tail, {next_field.number: sealed, value: signature, **drawing(appearance)})
