"""OCSP answers about one certificate: read, and believed only if its issuer or the issuer's delegate signed them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asn1crypto import keys  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
"""What an answer may be signed with; certificate ids may use SHA-1, which protects nothing there."""
_LEAST_RSA_BITS = 2048
_MOST_RESPONSES = 64
"""Single responses looked at in one answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rightful responder said about one certificate: good, or revoked."""

    der: bytes
    """The OCSPResponse."""
    this_update: datetime
    """When it was known to be true, UTC."""
    next_update: datetime | None
    """Until when nothing newer is to be expected, UTC; None if newer answers are always to be had."""
    revoked_at: datetime | None
    """Since when the certificate is revoked, UTC; an earlier invalidity date counts instead. None is good."""
    reason: str = ""
    """Reason code of the revocation. Source: RFC 5280, 5.3.1."""

    def counts_at(self, at: datetime) -> bool:
        """Return whether it was not out of date at `at`, or is from later."""
        return self.this_update >= at or (self.next_update is not None and self.next_update >= at)


def read_answers(
    encoded: Iterable[bytes],
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    helpers: Sequence[x509.Certificate] = (),
    crls: Sequence[x509.CertificateRevocationList] = (),
) -> tuple[Answer, ...]:
    """Return the rightful answers about `certificate`; whatever else is in `encoded` is left out.

    Signed by `issuer` itself, or by a certificate that `issuer` issued for OCSP signing, in date when the answer
    was produced, on none of the issuer's lists, and either marked as not to be checked or looked up in such a list.

    Args:
        encoded: DER of OCSPResponse values, untrusted.
        certificate: What is asked about.
        issuer: Its issuer in a path.
        helpers: Certificates among which a responder's may be found, beside those in the answer itself.
        crls: Lists signed by `issuer`.

    Source: RFC 6960, 3.2 and 4.2.2.2.
    """
    found = []
    for der in encoded:
        # Untrusted bytes, decoded lazily: whatever goes wrong in reading, this is no answer.
        try:
            answer = _read(der, certificate, issuer, helpers, crls)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001, S112
            continue
        if answer is not None:
            found.append(answer)
    return tuple(found)


def _read(
    der: bytes,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    helpers: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
) -> Answer | None:
    response = ocsp.load_der_ocsp_response(der)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return None
    singles = list(response.responses)
    matching = [single for single in singles if _is_about(single, certificate, issuer)]
    if (
        len(singles) > _MOST_RESPONSES
        or len(matching) != 1
        or not _is_rightful(response, issuer, helpers, crls)
    ):
        return None
    single = matching[0]
    unknown = single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN
    # Whoever speaks of a time after his own signature guesses.
    if unknown or single.this_update_utc > response.produced_at_utc:
        return None
    moment = single.revocation_time_utc
    if moment is None:
        return Answer(der, single.this_update_utc, single.next_update_utc, None)
    if len(singles) == 1:
        values = [extension.value for extension in response.single_extensions]
        dates = [value.invalidity_date_utc for value in values if isinstance(value, x509.InvalidityDate)]
        moment = min(moment, *dates) if dates else moment
    reason = single.revocation_reason.name if single.revocation_reason else "unspecified"
    return Answer(der, single.this_update_utc, single.next_update_utc, moment, reason)


def _is_about(
    single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> bool:
    """Return whether serial number and both hashes are this certificate's. Source: RFC 6960, 4.1.1."""
    if single.serial_number != certificate.serial_number:
        return False
    name = hashlib.new(single.hash_algorithm.name, issuer.subject.public_bytes(), usedforsecurity=False)
    key = hashlib.new(single.hash_algorithm.name, _key_bits(issuer), usedforsecurity=False)
    return (single.issuer_name_hash, single.issuer_key_hash) == (name.digest(), key.digest())


def _key_bits(certificate: x509.Certificate) -> bytes:
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return bytes(keys.PublicKeyInfo.load(spki)["public_key"].contents[1:])


def _is_rightful(
    response: ocsp.OCSPResponse,
    issuer: x509.Certificate,
    helpers: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
) -> bool:
    """Return whether the issuer or its delegate signed the answer, and it has no condition nobody understands."""
    if any(extension.critical for extension in response.extensions):
        return False
    if _names(response, issuer) and _signed_by(response, issuer):
        return True
    return any(
        _names(response, responder)
        and _may_answer(responder, issuer, response.produced_at_utc, crls)
        and _signed_by(response, responder)
        for responder in dict.fromkeys((*response.certificates, *helpers))
    )


def _names(response: ocsp.OCSPResponse, responder: x509.Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == responder.subject
    return response.responder_key_hash == hashlib.sha1(_key_bits(responder), usedforsecurity=False).digest()


def _may_answer(
    responder: x509.Certificate,
    issuer: x509.Certificate,
    produced_at: datetime,
    crls: Sequence[x509.CertificateRevocationList],
) -> bool:
    """Return whether `issuer` delegated its answers to this certificate, at that moment."""
    critical = [extension.value for extension in responder.extensions if extension.critical]
    known = {type(extension.value): extension.value for extension in responder.extensions}
    purposes, usage = known.get(x509.ExtendedKeyUsage), known.get(x509.KeyUsage)
    delegated = (
        isinstance(purposes, x509.ExtendedKeyUsage)
        and ExtendedKeyUsageOID.OCSP_SIGNING in purposes
        and (not isinstance(usage, x509.KeyUsage) or usage.digital_signature)
        and not any(isinstance(value, x509.UnrecognizedExtension) for value in critical)
    )
    # Without the mark the responder itself must be looked up; a revoked one may antedate what it signs.
    looked_up = bool(crls) or x509.OCSPNoCheck in known
    revoked = any(crl.get_revoked_certificate_by_serial_number(responder.serial_number) for crl in crls)
    in_date = responder.not_valid_before_utc <= produced_at <= responder.not_valid_after_utc
    if not delegated or not looked_up or revoked or not in_date:
        return False
    responder.verify_directly_issued_by(issuer)
    return True


def _signed_by(response: ocsp.OCSPResponse, responder: x509.Certificate) -> bool:
    key, data, signature = responder.public_key(), response.tbs_response_bytes, response.signature
    digest = response.signature_hash_algorithm
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        elif not isinstance(digest, _HASHES):
            return False
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS:
            key.verify(signature, data, padding.PKCS1v15(), digest)
        else:
            return False
    except InvalidSignature:
        return False
    return True
