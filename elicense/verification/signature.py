"""What the sandbox and the path by hash share: the signed data in a gap, the covered bytes, the certificate."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from elicense.verification import der
from elicense.verification.cms import CmsError, weak_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from elicense.verification.handing import Octets
    from elicense.verification.scan import Candidate


def read_contents(data: Octets, candidate: Candidate) -> bytes:
    """Return the DER in a signature's gap without its padding. Raises CmsError if the gap holds none."""
    start, end = candidate.gap
    digits = data[start + 1 : end - 1] if data[start : start + 1] == b"<" else data[start:end].strip(b"<>")
    try:
        raw = bytes.fromhex(digits.decode("ascii"))
        return raw[: der.read(raw, 0, len(raw)).end]
    except (ValueError, UnicodeDecodeError) as error:
        raise CmsError("cms.unreadable", "the gap holds no DER value") from error


def load_certificate(encoded: bytes) -> x509.Certificate:
    """Return a certificate. Raises CmsError if it cannot be read."""
    try:
        return x509.load_der_x509_certificate(encoded)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise CmsError("cms.certificate", "the certificate cannot be read") from error


def fingerprint(encoded: bytes) -> str:
    """Return the SHA-256 (hex) of a certificate."""
    return hashlib.sha256(encoded).hexdigest()


def subject_of(certificate: x509.Certificate) -> str:
    """Return the certificate's subject for display; "" if it cannot be read."""
    try:
        return certificate.subject.rfc4514_string()
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class Signer:
    """What one certificate says, whatever it signed."""

    certificate: x509.Certificate
    """The certificate."""
    key: CertificatePublicKeyTypes
    """Its public key."""
    weak: str
    """Why the key is too weak, or empty."""
    fingerprint: str
    """SHA-256 (hex) of the certificate."""
    subject: str
    """Its subject, for display; "" if it cannot be read."""


LONGEST_REMEMBERED = 8192
"""Bytes of a certificate that is remembered; those of seals have about 700."""


def read_signer(encoded: bytes) -> Signer:
    """Return what a certificate (DER) says. Raises CmsError if it or its key cannot be read."""
    return _remembered(encoded) if len(encoded) <= LONGEST_REMEMBERED else _signer(encoded)


def _signer(encoded: bytes) -> Signer:
    certificate = load_certificate(encoded)
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CmsError("cms.certificate", "the certificate's key cannot be read") from error
    return Signer(certificate, key, weak_key(key), fingerprint(encoded), subject_of(certificate))


_remembered = lru_cache(maxsize=1024)(_signer)
