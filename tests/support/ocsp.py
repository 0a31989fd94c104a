"""An OCSP responder for tests: delegates of the throw-away PKI and their answers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from elicense.pki.throwaway import _hash_for, _name, _usage

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.pki.throwaway import Identity, ThrowawayPki

_DAY = timedelta(days=1)


def delegate(
    house: ThrowawayPki,
    *,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.OCSP_SIGNING,
    unchecked: bool = True,
) -> Identity:
    """Return a responder that the issuing authority of `house` delegated."""
    extensions = [(_usage(digital_signature=True), True), (x509.ExtendedKeyUsage([purpose]), False)]
    if unchecked:
        extensions.append((x509.OCSPNoCheck(), False))
    return house.leaf(
        _name("示例在线查询（演示）", "示例电子认证机构"),
        valid_from=valid_from,
        valid_until=valid_until,
        extensions=extensions,
    )


def answer(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    responder: Identity,
    at: datetime,
    *,
    days: float | None = 7,
    status: ocsp.OCSPCertStatus | None = None,
    revoked_at: datetime | None = None,
    reason: x509.ReasonFlags | None = None,
    algorithm: hashes.HashAlgorithm | None = None,
    extension: tuple[x509.ExtensionType, bool] | None = None,
) -> bytes:
    """Return the DER of the responder's answer about `certificate`, produced at `at` and good for `days`."""
    if status is None:
        status = ocsp.OCSPCertStatus.REVOKED if revoked_at else ocsp.OCSPCertStatus.GOOD
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=certificate,
            issuer=issuer,
            algorithm=algorithm or hashes.SHA256(),
            cert_status=status,
            this_update=at,
            next_update=None if days is None else at + days * _DAY,
            revocation_time=revoked_at,
            revocation_reason=reason,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder.certificate)
        .certificates([responder.certificate])
    )
    if extension:
        builder = builder.add_extension(extension[0], critical=extension[1])
    made = asn1_ocsp.OCSPResponse.load(
        builder.sign(responder.key, _hash_for(responder.key)).public_bytes(Encoding.DER)
    )
    # The builder reads the clock; tests live in a moment of their own.
    basic = made["response_bytes"]["response"].parsed
    basic["tbs_response_data"]["produced_at"] = at
    basic["signature"] = responder.signer().sign(basic["tbs_response_data"].dump(force=True))
    made["response_bytes"]["response"] = basic
    return bytes(made.dump(force=True))
