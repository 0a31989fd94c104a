"""Signed data as seals and timestamps carry it: read strictly, so that no byte outside the signature is free.

A CMS signature covers the signed attributes only. Everything around them (version numbers, algorithm
identifiers, the signer's name, unsigned attributes) must therefore say exactly what the covered parts say;
what may vary in CMS at large is refused here as `cms.foreign`.

Source: RFC 5652, 5 (SignedData), RFC 5035, 4 (signing certificate), RFC 8419, RFC 4056, RFC 5754 (algorithms);
ETSI EN 319 122-1, 5.2 (text read in secondary sources).
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeGuard

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from elicense.verification import der

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

DATA = "1.2.840.113549.1.7.1"
TIMESTAMP_INFO = "1.2.840.113549.1.9.16.1.4"
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
TIMESTAMP_TOKEN = "1.2.840.113549.1.9.16.2.14"  # noqa: S105 - an object identifier
KEY_IDENTIFIER = bytes.fromhex("0603551d0e")
"""The DER of the object identifier that stands before a subject key identifier. Source: RFC 5280, 4.2.1.2."""
RSA_PSS, _RSA = "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.1"

DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
"""Digest algorithms a seal may use."""
_NULL = b"\x05\x00"
SIGNATURES: dict[str, tuple[str, str | None, tuple[bytes, ...]]] = {
    "1.2.840.10045.4.3.2": ("ecdsa", "sha256", (b"",)),
    "1.2.840.10045.4.3.3": ("ecdsa", "sha384", (b"",)),
    "1.2.840.10045.4.3.4": ("ecdsa", "sha512", (b"",)),
    _RSA: ("rsa", None, (_NULL,)),
    "1.2.840.113549.1.1.11": ("rsa", "sha256", (_NULL, b"")),
    "1.2.840.113549.1.1.12": ("rsa", "sha384", (_NULL, b"")),
    "1.2.840.113549.1.1.13": ("rsa", "sha512", (_NULL, b"")),
    "1.3.101.112": ("ed25519", None, (b"",)),
}
"""Identifier -> what the key does, the digest it implies, the parameters that may stand beside it."""
HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_PSS = {name: padding.PSS(padding.MGF1(digest), digest.digest_size) for name, digest in HASHES.items()}
_ECDSA = {name: ec.ECDSA(digest) for name, digest in HASHES.items()}
_CURVES = ("secp256r1", "secp384r1", "secp521r1")


class CmsError(ValueError):
    """The signed data cannot be used; `reason` is a stable code, `detail` plain English."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class SignedData:
    """One signer's signature and what came with it; nothing in it is verified yet."""

    digest: str
    """hashlib name of the digest over the content."""
    message_digest: bytes
    """Digest of the content, as signed."""
    algorithm: str
    """ecdsa, rsa, rsa_pss or ed25519."""
    signed: bytes
    """The signed attributes as the signature covers them."""
    signature: bytes
    """The signature over `signed`."""
    signer: bytes
    """DER of the signer's certificate, the one that the signed attributes name by its digest."""
    others: tuple[bytes, ...]
    """DER of the further certificates."""
    content: bytes | None
    """The content, if it is inside."""
    timestamps: tuple[bytes, ...]
    """DER of the signature timestamps: none or one."""


def read_signed_data(data: bytes, content_type: str) -> SignedData:
    """Return the signed data that `data` is.

    Raises CmsError: cms.unreadable (not DER), cms.foreign (not how a seal or timestamp is made), cms.algorithm,
    cms.certificate (the signer's certificate is missing or is not the one that was signed).
    """
    try:
        return _read(data, content_type)
    except CmsError:
        raise
    except (ValueError, IndexError) as error:
        # DerError is a ValueError; so is a sequence with too few or too many parts to take apart.
        raise CmsError("cms.unreadable", "parts missing or not in DER") from error


def _read(data: bytes, content_type: str) -> SignedData:
    outer = der.children(data, der.whole(data, der.SEQUENCE))
    _expect(len(outer) == 2 and der.oid(data, outer[0]) == SIGNED_DATA, "content info")
    parts = der.children(data, _only(data, outer[1], 0xA0))
    version, algorithms, encapsulated, *rest = parts
    certificates: tuple[bytes, ...] = ()
    if rest and rest[0].tag == 0xA0:
        certificates = tuple(der.encoded(data, node) for node in der.children(data, rest.pop(0), 0xA0))
    _expect(len(rest) == 1, "parts of signed data")
    expected_version = 1 if content_type == DATA else 3
    _expect(der.integer(data, version) == expected_version, "version")
    content = _content(data, encapsulated, content_type)
    declared = [_digest_name(data, algorithm) for algorithm in der.children(data, algorithms, der.SET)]
    read = _signer_info(data, _only(data, rest[0], der.SET), certificates, content, content_type)
    _expect(declared == [read.digest], "digest algorithms")
    return read


def _content(data: bytes, node: der.Node, content_type: str) -> bytes | None:
    """Return the content inside, which a seal never and a timestamp always has."""
    parts = der.children(data, node)
    _expect(der.oid(data, parts[0]) == content_type, "content type")
    if content_type == DATA:
        _expect(len(parts) == 1, "content inside")
        return None
    _expect(len(parts) == 2, "no content inside")
    return der.content(data, _only(data, parts[1], 0xA0), der.OCTET_STRING)


def _signer_info(
    data: bytes,
    node: der.Node,
    certificates: tuple[bytes, ...],
    content: bytes | None,
    content_type: str,
) -> SignedData:
    parts = der.children(data, node)
    version, identifier, digest_node, signed, algorithm_node, signature, *unsigned = parts
    digest = _digest_name(data, digest_node)
    _expect(der.integer(data, version) == (1 if identifier.tag == der.SEQUENCE else 3), "signer version")
    attributes = _attributes(data, signed, 0xA0)
    types = [der.oid(value, der.whole(value, der.OID)) for value in attributes.get(CONTENT_TYPE, ())]
    _expect(types == [content_type], "signed content type")
    digests = [
        der.content(value, der.whole(value, der.OCTET_STRING)) for value in attributes.get(MESSAGE_DIGEST, ())
    ]
    _expect(len(digests) == 1, "message digest")
    # Timestamps by others may still name their certificate by SHA-1, a seal never does.
    _expect(content_type != DATA or SIGNING_CERTIFICATE not in attributes, "signing certificate by SHA-1")
    signer = _signer(data, identifier, certificates, attributes)
    return SignedData(
        digest=digest,
        message_digest=digests[0],
        algorithm=_algorithm(data, algorithm_node, digest),
        # RFC 5652, 5.4: the signature is over the attributes with the tag of a SET.
        signed=b"\x31" + der.encoded(data, signed)[1:],
        signature=der.content(data, signature, der.OCTET_STRING),
        signer=signer,
        others=tuple(certificate for certificate in certificates if certificate != signer),
        content=content,
        timestamps=_timestamps(data, unsigned, content_type),
    )


def _timestamps(data: bytes, unsigned: list[der.Node], content_type: str) -> tuple[bytes, ...]:
    """Return the signature timestamp, the only unsigned attribute there may be, and only on a seal."""
    if not unsigned:
        return ()
    _expect(content_type == DATA and len(unsigned) == 1, "unsigned attributes")
    attributes = _attributes(data, unsigned[0], 0xA1)
    tokens = attributes.get(TIMESTAMP_TOKEN, ())
    _expect(len(attributes) == len(tokens) == 1, "unsigned attributes")
    return tuple(tokens)


def _attributes(data: bytes, node: der.Node, tag: int) -> Mapping[str, list[bytes]]:
    """Return type -> encoded values. Raises CmsError if a type occurs twice."""
    found: dict[str, list[bytes]] = {}
    for attribute in der.children(data, node, tag):
        kind, values = der.children(data, attribute)
        name = der.oid(data, kind)
        _expect(name not in found, "attributes")
        found[name] = [der.encoded(data, value) for value in der.children(data, values, der.SET)]
    return found


def _signer(
    data: bytes, identifier: der.Node, certificates: tuple[bytes, ...], attributes: Mapping[str, list[bytes]]
) -> bytes:
    """Return the certificate that the signed attributes name by digest and the signer info by name."""
    wanted = _signed_certificate(attributes)
    found = [
        c for c in certificates if hashlib.new(wanted[0], c, usedforsecurity=False).digest() == wanted[1]
    ]
    if len(found) != 1 or len(set(certificates)) != len(certificates):
        raise CmsError("cms.certificate", "the certificate named in the signature is not there exactly once")
    named = der.encoded(data, identifier)
    if identifier.tag == der.SEQUENCE:
        matches = named == _issuer_and_serial(found[0])
    else:
        # No signature covers the identifier: only the certificate's own subject key identifier will do.
        own = der.encode(der.OCTET_STRING, der.encode(der.OCTET_STRING, der.content(data, identifier)))
        matches = identifier.tag == 0x80 and KEY_IDENTIFIER + own in found[0]
    if not matches:
        raise CmsError("cms.certificate", "the signature names another certificate")
    return found[0]


def _signed_certificate(attributes: Mapping[str, list[bytes]]) -> tuple[str, bytes]:
    """Return digest name and digest of the first certificate in the ESS attribute. Source: RFC 5035, 4 and 5."""
    for name in (SIGNING_CERTIFICATE_V2, SIGNING_CERTIFICATE):
        if name in attributes:
            _expect(len(attributes[name]) == 1, "signing certificate")
            value = attributes[name][0]
            body = der.children(value, der.whole(value, der.SEQUENCE))
            parts = der.children(value, der.children(value, body[0])[0])
            if name == SIGNING_CERTIFICATE:
                return "sha1", der.content(value, parts[0], der.OCTET_STRING)
            digest = "sha256"
            if parts[0].tag == der.SEQUENCE:
                digest = _digest_name(value, parts.pop(0))
            return digest, der.content(value, parts[0], der.OCTET_STRING)
    raise CmsError("cms.foreign", "the signature does not name its certificate")


def _issuer_and_serial(certificate: bytes) -> bytes:
    """Return the DER of IssuerAndSerialNumber of a certificate."""
    serial, _, issuer = _certificate_head(certificate)
    return der.encode(der.SEQUENCE, issuer + serial)


def _certificate_head(certificate: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the DER of serial number, signature algorithm and issuer; the certificate has no free bytes.

    Raises CmsError if algorithm identifiers differ or bits are unused: such bytes no signature covers; or if the
    serial number is not positive, with which certificate readers differ. Source: RFC 5280, 4.1.2.2.
    """
    parts = der.children(certificate, der.whole(certificate, der.SEQUENCE))
    inner = der.children(certificate, parts[0])
    if inner[0].tag == 0xA0:
        inner.pop(0)
    _expect(der.integer(certificate, inner[0]) > 0, "certificate")
    serial, algorithm, issuer = (der.encoded(certificate, node) for node in inner[:3])
    bits = der.content(certificate, parts[2], der.BIT_STRING)
    _expect(
        len(parts) == 3 and der.encoded(certificate, parts[1]) == algorithm and bits[:1] == b"\0",
        "certificate",
    )
    return serial, algorithm, issuer


def require_no_free_bytes(certificate: bytes) -> None:
    """Return if every byte of the certificate is covered by its issuer's signature. Raises CmsError otherwise."""
    try:
        _certificate_head(certificate)
    except (der.DerError, IndexError, ValueError) as error:
        raise CmsError("cms.certificate", "a certificate is not in canonical form") from error


def require_no_free_bytes_in_list(crl: bytes) -> None:
    """Return if every byte of the revocation list is covered by its issuer's signature. Raises CmsError otherwise."""
    try:
        parts = der.children(crl, der.whole(crl, der.SEQUENCE))
        inner = der.children(crl, parts[0])
        # Version 2 is the only one with a version. Source: RFC 5280, 5.1.2.1.
        algorithm = der.encoded(crl, inner[1 if inner[0].tag == der.INTEGER else 0])
        bits = der.content(crl, parts[2], der.BIT_STRING)
        _expect(len(parts) == 3 and der.encoded(crl, parts[1]) == algorithm and bits[:1] == b"\0", "list")
    except (der.DerError, IndexError, ValueError) as error:
        raise CmsError("cms.certificate", "a revocation list is not in canonical form") from error


def _digest_name(data: bytes, node: der.Node) -> str:
    parts = der.children(data, node)
    name = DIGESTS.get(der.oid(data, parts[0]))
    if name is None:
        raise CmsError("cms.algorithm", "digest algorithm not accepted")
    _expect(b"".join(der.encoded(data, part) for part in parts[1:]) in {b"", _NULL}, "digest parameters")
    return name


def _algorithm(data: bytes, node: der.Node, digest: str) -> str:
    """Return what the key does. Raises CmsError unless it goes with `digest`."""
    parts = der.children(data, node)
    name = der.oid(data, parts[0])
    parameters = b"".join(der.encoded(data, part) for part in parts[1:])
    if name == RSA_PSS:
        kind, implied, allowed = "rsa_pss", None, _pss_parameters(digest)
    elif name in SIGNATURES:
        kind, implied, allowed = SIGNATURES[name]
    else:
        raise CmsError("cms.algorithm", "signature algorithm not accepted")
    _expect(implied in {None, digest} and parameters in allowed, "signature algorithm's parameters")
    _expect(kind != "ed25519" or digest == "sha512", "digest beside Ed25519")
    return kind


def _pss_parameters(digest: str) -> tuple[bytes, ...]:
    """Return the encodings of PSS with MGF1, both with `digest`, and a salt as long as it. Source: RFC 4056, 2.2."""
    arcs = {"sha256": 1, "sha384": 2, "sha512": 3}
    identifier = bytes.fromhex("06096086480165030402") + bytes([arcs[digest]])
    mgf1 = bytes.fromhex("06092a864886f70d010108")
    salt = der.encode(0xA2, der.encode(der.INTEGER, bytes([hashlib.new(digest).digest_size])))
    found = []
    for one, two in itertools.product((_NULL, b""), repeat=2):
        first = der.encode(0xA0, der.encode(der.SEQUENCE, identifier + one))
        second = der.encode(0xA1, der.encode(der.SEQUENCE, mgf1 + der.encode(der.SEQUENCE, identifier + two)))
        found.append(der.encode(der.SEQUENCE, first + second + salt))
    return tuple(found)


def _only(data: bytes, node: der.Node, tag: int) -> der.Node:
    """Return the one value inside. Raises CmsError if there are more or none."""
    parts = der.children(data, node, tag)
    _expect(len(parts) == 1, "more or less than one part")
    return parts[0]


def _expect(truth: bool, what: str) -> None:
    if not truth:
        raise CmsError("cms.foreign", what)


def weak_key(key: CertificatePublicKeyTypes) -> str:
    """Return why a key is too weak or unusual to seal with, or an empty text."""
    if isinstance(key, rsa.RSAPublicKey):
        return "" if 2048 <= key.key_size <= 8192 else f"RSA with {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "" if key.curve.name in _CURVES else f"curve {key.curve.name}"
    return "" if isinstance(key, ed25519.Ed25519PublicKey) else "kind of key"


def _is_elliptic(key: CertificatePublicKeyTypes) -> TypeGuard[ec.EllipticCurvePublicKey]:
    """Return what `isinstance` says; of an abstract class it takes 10 us to say it between other things."""
    return _is_elliptic_class(type(key))


@lru_cache
def _is_elliptic_class(kind: type) -> bool:
    return issubclass(kind, ec.EllipticCurvePublicKey)


def signature_matches(key: CertificatePublicKeyTypes, signed: SignedData) -> bool:
    """Return whether the signature over the signed attributes is the key's; False also for a key of another kind."""
    digest = HASHES[signed.digest]
    return is_by(key, signed, digest, _PSS[signed.digest])


def is_by(
    key: CertificatePublicKeyTypes, signed: SignedData, digest: hashes.HashAlgorithm, pss: padding.PSS
) -> bool:
    """Return what `signature_matches` does, for this digest inside the signature and, for RSASSA-PSS, this padding.

    Raises ValueError for values that the key's algorithm cannot have.
    """
    try:
        if signed.algorithm == "ecdsa" and _is_elliptic(key):
            key.verify(signed.signature, signed.signed, _ECDSA.get(digest.name) or ec.ECDSA(digest))
        elif signed.algorithm in {"rsa", "rsa_pss"} and isinstance(key, rsa.RSAPublicKey):
            pads = pss if signed.algorithm == "rsa_pss" else padding.PKCS1v15()
            key.verify(signed.signature, signed.signed, pads, digest)
        elif signed.algorithm == "ed25519" and isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signed.signature, signed.signed)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
