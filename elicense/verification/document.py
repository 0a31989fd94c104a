"""A document's bytes become Facts. Runs inside the sandbox: certificates and page content are untrusted.

Plan:

1. Each signature: signed data read, digest computed over the covered bytes, signature verified with the key.
2. Its timestamp: imprint, signature, authority.
3. Its certificate's path, at the proven time of signing or else at the time of verification.
4. If the file is of our shape: the embedded licence beside the printed page.

Nothing is judged here and nothing is fetched.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.pki.paths import Purpose, find_path
from elicense.verification import der
from elicense.verification.cms import (
    DATA,
    CmsError,
    SignedData,
    read_signed_data,
    require_no_free_bytes,
    signature_matches,
    weak_key,
)
from elicense.verification.facts import Facts, PathFacts, SignatureFacts, TimestampFacts
from elicense.verification.printed import read_content
from elicense.verification.signature import digest_of, load_certificate, read_contents
from elicense.verification.timestamps import read_token

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from elicense.pki.trust import TrustStore
    from elicense.verification.scan import Candidate
    from elicense.verification.structure import Structure

_MOST_STEPS = 8
"""Certificates a chain of issuers may have."""


def read_facts(data: bytes, structure: Structure, trust: TrustStore, at: datetime) -> Facts:
    """Return the facts of a document; never raises for what its bytes hold but MemoryError."""
    signatures = tuple(_signature(data, candidate, trust, at) for candidate in structure.candidates)
    content = None
    if not structure.findings:
        content = read_content(data, structure, structure.candidates[0].claimed_time)
    return Facts(structure.size, structure.findings, structure.traces, signatures, content=content)


def _signature(data: bytes, candidate: Candidate, trust: TrustStore, at: datetime) -> SignatureFacts:
    """Return the facts of one signature."""
    covers_all = candidate.covers_all(len(data))
    try:
        signed = read_signed_data(read_contents(data, candidate), DATA)
        certificate = load_certificate(signed.signer)
        key = certificate.public_key()
        weak = weak_key(key)
        # A key that may not seal is not asked: verifying with a huge one is slow.
        matches = None if weak else signature_matches(key, signed)
    except CmsError as error:
        return _unusable(candidate, covers_all, error.reason, error.detail)
    except (ValueError, UnsupportedAlgorithm):
        return _unusable(candidate, covers_all, "cms.certificate", "the certificate's key cannot be read")
    timestamp = _timestamp(signed, trust, at)
    others = _load_all(signed.others)
    proven = timestamp.time if timestamp and timestamp.error is None else None
    path, used = _path(certificate, others, trust, proven or at, Purpose.SEAL)
    return SignatureFacts(
        field=candidate.field,
        byte_range=candidate.byte_range,
        covers_all=covers_all,
        declared=candidate.declared,
        claimed_time=candidate.claimed_time,
        error=None,
        digest_matches=digest_of(data, candidate, signed.digest) == signed.message_digest,
        signature_matches=matches,
        weak_key=weak,
        certificate=hashlib.sha256(signed.signer).hexdigest(),
        subject=_subject(certificate),
        path=path,
        loose_certificates=_loose(signed.others, used, trust),
        timestamp=timestamp,
    )


def _unusable(candidate: Candidate, covers_all: bool, reason: str, detail: str) -> SignatureFacts:
    return SignatureFacts(
        field=candidate.field,
        byte_range=candidate.byte_range,
        covers_all=covers_all,
        declared=candidate.declared,
        claimed_time=candidate.claimed_time,
        error=reason,
        detail=detail,
    )


def _timestamp(signed: SignedData, trust: TrustStore, at: datetime) -> TimestampFacts | None:
    """Return the facts of the signature timestamp, None if there is none."""
    if not signed.timestamps:
        return None
    try:
        token = read_token(signed.timestamps[0])
        certificate = load_certificate(token.signed.signer)
        key = certificate.public_key()
        fits = not weak_key(key) and signature_matches(key, token.signed) and token.stamps(signed.signature)
    except (CmsError, der.DerError, ValueError, UnsupportedAlgorithm) as error:
        detail = error.detail if isinstance(error, CmsError) else "not readable"
        return TimestampFacts("time.token_unreadable", None, None, detail)
    if not fits:
        return TimestampFacts("time.token_wrong", token.time, None)
    path, used = _path(certificate, _load_all(token.signed.others), trust, at, Purpose.TIMESTAMP)
    if path.anchored and _loose(token.signed.others, used, trust):
        return TimestampFacts(
            "time.token_unreadable", token.time, path, "certificates that belong to no path"
        )
    if path.status == "valid" and path.revoked_at is None:
        return TimestampFacts(None, token.time, path)
    reason = "time.authority_not_current" if path.anchored else "time.authority_unknown"
    return TimestampFacts(reason, token.time, path, path.detail)


def _load_all(encoded: tuple[bytes, ...]) -> tuple[x509.Certificate, ...]:
    """Return the readable ones among further certificates; the others can be part of no path."""
    found = []
    for certificate in encoded:
        try:
            require_no_free_bytes(certificate)
            found.append(load_certificate(certificate))
        except CmsError:
            continue
    return tuple(found)


def _path(
    leaf: x509.Certificate,
    others: tuple[x509.Certificate, ...],
    trust: TrustStore,
    moment: datetime,
    purpose: Purpose,
) -> tuple[PathFacts, set[x509.Certificate]]:
    """Return the path's facts, and the certificates of the chain that leads to an anchor."""
    result = find_path(leaf, others, trust, moment, purpose=purpose)
    anchors = trust.anchors
    if purpose is Purpose.TIMESTAMP and trust.timestamp_anchors:
        anchors = trust.timestamp_anchors
    chain = _chain(leaf, (*trust.intermediates, *others), anchors)
    facts = PathFacts(
        status=result.status.value,
        moment=moment,
        anchored=bool(chain),
        revoked_at=result.revoked_at,
        revocation_reason=result.revocation_reason,
        detail=result.detail,
    )
    return facts, chain


def _chain(
    leaf: x509.Certificate, helpers: tuple[x509.Certificate, ...], anchors: tuple[x509.Certificate, ...]
) -> set[x509.Certificate]:
    """Return the certificates from the leaf to below an anchor, each signed by the next; empty if none lead there.

    Looks at names and signatures only: it answers "whose is this?" even when a period or a revocation list
    forbids relying on it. find_path decides everything else.
    """
    chain = [leaf]
    for _ in range(_MOST_STEPS):
        if any(chain[-1] == anchor or _issued(chain[-1], anchor) for anchor in anchors):
            return set(chain)
        issuer = next((c for c in helpers if c not in chain and _issued(chain[-1], c)), None)
        if issuer is None:
            return set()
        chain.append(issuer)
    return set()


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether `issuer` signed `certificate`."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _loose(others: tuple[bytes, ...], used: set[x509.Certificate], trust: TrustStore) -> bool:
    """Return whether a certificate came along that nothing vouches for: no signature covers its bytes."""
    if not others:
        return False
    known = {*used, *trust.anchors, *trust.intermediates, *trust.timestamp_anchors}
    return not set(others) <= {certificate.public_bytes(Encoding.DER) for certificate in known}


def _subject(certificate: x509.Certificate) -> str:
    try:
        return certificate.subject.rfc4514_string()
    except ValueError:
        return ""
