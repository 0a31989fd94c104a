"""A cleared document and a signer become a sealed document: PAdES B-B, or B-T with a timestamp."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from elicense.errors import SigningError, TimestampUnavailable
from elicense.signing.cms import sign
from elicense.signing.template import largest_size
from elicense.updates import digest_of, fill_gap

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

    from elicense.model import Licence
    from elicense.pki.keys import Signer
    from elicense.pki.timestamps import TimestampAuthority
    from elicense.preflight import ClearedDocument, UnsignedDocument

OnTimestampFailure = Literal["refuse", "pending"]
"""What to do when no timestamp is to be had: no document, or a document whose timestamp is pending."""


@dataclass(frozen=True, slots=True)
class SealedDocument:
    """A licence as a signed PDF, not yet verified and not yet on record."""

    pdf: bytes
    """The whole file."""
    sha256: str
    """Of the whole file, hex."""
    byte_range: tuple[int, int, int, int]
    """What the signature covers: everything but the gap that holds it."""
    profile: str
    """B-B, or B-T with a timestamp inside."""
    timestamp_pending: bool
    """True if a timestamp was wanted and the authority did not give one."""
    licence: Licence
    """What the document says."""


def required_capacity(signer: Signer, timestamps: TimestampAuthority | None = None) -> int:
    """Return how many DER bytes to reserve for the seal: the length of the largest CMS these two can give.

    It is the same for a renewed certificate of the same shape (names, kind of key, extensions): serial numbers and
    ECDSA signatures, which differ in length by chance, are counted at their longest.
    """
    return largest_size(signer, 0 if timestamps is None else timestamps.token_size)


def seal_document(
    cleared: ClearedDocument,
    signer: Signer,
    *,
    timestamps: TimestampAuthority | None = None,
    on_timestamp_failure: OnTimestampFailure = "refuse",
) -> SealedDocument:
    """Return the document of `cleared` with its seal; the clearance is spent whatever happens.

    Without timestamps and with a deterministic signer, the same document gives the same bytes.

    Args:
        cleared: A document that passed preflight.
        signer: Holder of the seal's key.
        timestamps: Asked once for a timestamp over the signature, if given.
        on_timestamp_failure: "refuse" raises when no timestamp is to be had, "pending" seals without one.

    Raises:
        KeyUnavailable: The key holder does not answer.
        TimestampUnavailable: No timestamp, and on_timestamp_failure is "refuse".
        SigningError: The signature does not fit the certificate or the reserved space, or the reserved space
            is not where the document says.
        RuntimeError: The clearance was already spent, or called inside a running event loop.
    """
    document = cleared.redeem()
    _check_slot(document)
    begun = _begun(document)
    digest = _covered(document, signer.algorithm.digest, begun)
    der, profile, pending = sign_and_stamp(digest, signer, timestamps, on_timestamp_failure)
    pdf = _insert(document, der)
    begun.update(memoryview(pdf)[document.slot.byte_range[1] :])
    sha256 = begun.hexdigest()
    return SealedDocument(pdf, sha256, document.slot.byte_range, profile, pending, cleared.licence)


def sign_and_stamp(
    digest: bytes,
    signer: Signer,
    timestamps: TimestampAuthority | None,
    on_timestamp_failure: OnTimestampFailure,
) -> tuple[bytes, str, bool]:
    """Return the signature over a digest as DER, its profile, and whether its timestamp is pending.

    Args and Raises: as `seal_document`.
    """
    signature = sign(digest, signer)
    if timestamps is None:
        return signature.der(), "B-B", False
    imprint = hashlib.new(signer.algorithm.digest, signature.value).digest()
    try:
        token = timestamps.stamp(imprint, signer.algorithm.digest)
    except TimestampUnavailable:
        if on_timestamp_failure == "refuse":
            raise
        return signature.der(), "B-B", True
    return signature.der(token), "B-T", False


def _begun(document: UnsignedDocument) -> Hash:
    """Return the SHA-256 of the file up to the gap; of the template's constant bytes it is known already."""
    known, gap = document.hashed, document.slot.byte_range[1]
    if known is None:
        return hashlib.sha256(memoryview(document.pdf)[:gap])
    begun = known.state.copy()
    begun.update(memoryview(document.pdf)[known.length : gap])
    return begun


def _covered(document: UnsignedDocument, algorithm: str, begun: Hash) -> bytes:
    """Return the hash of what the byte range covers."""
    if algorithm != begun.name:
        return digest_of(document.pdf, document.slot.byte_range, algorithm)
    digest = begun.copy()
    digest.update(memoryview(document.pdf)[document.slot.byte_range[2] :])
    return digest.digest()


def _check_slot(document: UnsignedDocument) -> None:
    """Return if the slot is one gap of zeros and the byte range covers all else. Raises SigningError."""
    zero, start, end, tail = document.slot.byte_range
    gap = document.pdf[start:end]
    if (
        zero != 0
        or end + tail != len(document.pdf)
        or gap != b"<" + b"0" * (2 * document.slot.capacity) + b">"
        or document.pdf.rfind(b"/ByteRange", 0, start) < 0
    ):
        raise SigningError(
            "the space reserved for the signature is not where the document says; render it again",
            "文件中预留的签名位置与记录不符，请重新生成版面",
        )


def _insert(document: UnsignedDocument, der: bytes) -> bytes:
    """Return the PDF with `der` in the gap."""
    try:
        return fill_gap(document.pdf, document.slot.byte_range, der)
    except ValueError as error:
        capacity = document.slot.capacity
        raise SigningError(
            f"the signature needs {len(der)} bytes not {capacity}; reserve more and render again",
            f"签名需要 {len(der)} 字节，而预留仅 {capacity} 字节，请扩大预留空间后重新生成",
        ) from error
