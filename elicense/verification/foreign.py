"""Signed data as any program makes it, under the policy `general`: CAdES, PKCS #7 detached, timestamp tokens.

Read as it is found in the field: any certificates, attributes and encodings are taken along, none is believed. What
is demanded is what a signature cannot do without: one signer, his certificate, the digest of the document under his
signature, algorithms that are not broken. The signature is verified over the signed attributes as they stand.

Source: RFC 5652, 5; RFC 5035 (signing certificate); RFC 8419, RFC 4056, RFC 5754 (algorithms); ISO 32000-2, 12.8.3;
ETSI EN 319 122-1, 5 (text of the last two read in secondary sources).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from elicense.pki.evidence import NO_EVIDENCE, Evidence
from elicense.verification import der
from elicense.verification.cms import (
    CONTENT_TYPE,
    DATA,
    DIGESTS,
    HASHES,
    KEY_IDENTIFIER,
    MESSAGE_DIGEST,
    RSA_PSS,
    SIGNATURES,
    SIGNED_DATA,
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    TIMESTAMP_INFO,
    TIMESTAMP_TOKEN,
    CmsError,
    SignedData,
    is_by,
)
from elicense.verification.foreign_ber import Ber, unpadded
from elicense.verification.signature import LONGEST_REMEMBERED
from elicense.verification.timestamps import Token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from elicense.verification.der import Node
    from elicense.verification.handing import Octets
    from elicense.verification.scan import Candidate

_ADOBE_REVOCATION = "1.2.840.113583.1.1.8"
_CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.23"
_REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"
_OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2"
_BASIC_OCSP = bytes.fromhex("06092b0601050507300101")

_DIGESTS = DIGESTS | {
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.9": "sha3_384",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
}
_HASHES: Mapping[str, hashes.HashAlgorithm] = HASHES | {
    "sha3_256": hashes.SHA3_256(),
    "sha3_384": hashes.SHA3_384(),
    "sha3_512": hashes.SHA3_512(),
}
_MGF1 = "1.2.840.113549.1.1.8"
_SIGNATURES = {name: (kind, implied) for name, (kind, implied, _) in SIGNATURES.items()} | {
    "1.2.840.10045.2.1": ("ecdsa", None),
    "2.16.840.1.101.3.4.3.10": ("ecdsa", "sha3_256"),
    "2.16.840.1.101.3.4.3.11": ("ecdsa", "sha3_384"),
    "2.16.840.1.101.3.4.3.12": ("ecdsa", "sha3_512"),
}
"""Identifier -> what the key does, and the digest it implies."""
_MOST_CERTIFICATES = 64
"""Certificates, revocation lists, OCSP answers of one signature that are taken along, each."""
_SUBFILTERS = {
    "ETSI.CAdES.detached": DATA,
    "adbe.pkcs7.detached": DATA,
    "ETSI.RFC3161": TIMESTAMP_INFO,
}
_BROKEN = frozenset(("adbe.pkcs7.sha1", "adbe.x509.rsa_sha1"))


@dataclass(frozen=True, slots=True)
class ForeignSignedData(SignedData):
    """One signer's signature by any program; nothing in it is verified yet."""

    signature_digest: str = "sha256"
    """hashlib name of the digest inside the signature, which need not be that over the content."""
    mask_digest: str = "sha256"
    """hashlib name of the digest of PSS's mask."""
    salt: int = 0
    """Length of PSS's salt in bytes."""
    names_certificate: bool = False
    """Whether the signed attributes name the signer's certificate, without which it is no PAdES."""
    evidence: Evidence = NO_EVIDENCE
    """Certificates and revocation data that came with it; untrusted."""


def read_foreign_contents(data: Octets, candidate: Candidate) -> bytes:
    """Return the value in a signature's gap without its padding. Raises CmsError if the gap holds none."""
    start, end = candidate.gap
    digits = data[start + 1 : end - 1] if data[start : start + 1] == b"<" else data[start:end].strip(b"<>")
    try:
        return unpadded(bytes.fromhex(digits.decode("ascii")))
    except ValueError as error:
        raise CmsError("cms.unreadable", "the gap holds no value, or more than one") from error


def read_foreign_signed_data(raw: bytes, candidate: Candidate) -> ForeignSignedData:
    """Return the signed data that `raw` is, as the candidate's SubFilter says it is made.

    Raises CmsError: cms.unreadable, cms.foreign (not the form that the SubFilter names), cms.algorithm (broken or
    unknown), cms.certificate (the signer's certificate is missing or not the one that was signed).
    """
    if candidate.subfilter in _BROKEN:
        raise CmsError("cms.algorithm", "SHA-1")
    content_type = _SUBFILTERS.get(candidate.subfilter)
    if content_type is None:
        raise CmsError("cms.foreign", "unknown kind of signature")
    return _guarded(raw, content_type)


def read_foreign_token(raw: bytes) -> Token:
    """Return a timestamp token by any authority. Raises CmsError if it is none, or its content was changed."""
    signed = _guarded(raw, TIMESTAMP_INFO)
    content = signed.content or b""
    if hashlib.new(signed.digest, content).digest() != signed.message_digest:
        raise CmsError("cms.unreadable", "the timestamp's content was changed")
    buffer = Ber(content)
    try:
        version, _policy, imprint, _serial, moment, *_ = buffer.children(
            buffer.read(0, len(content)), der.SEQUENCE
        )
        algorithm, digest = buffer.children(imprint, der.SEQUENCE)
        name = _digest_name(buffer, algorithm)
        _expect(buffer.integer(version) == 1, "timestamp version", "cms.algorithm")
        return Token(signed, der.generalized_time(content, moment), name, buffer.octets(digest))
    except CmsError:
        raise
    except (ValueError, IndexError) as error:
        raise CmsError("cms.unreadable", "not a timestamp") from error


def _guarded(raw: bytes, content_type: str) -> ForeignSignedData:
    try:
        return _Reader(raw, content_type).read()
    except CmsError:
        raise
    except (ValueError, IndexError) as error:
        # DerError is a ValueError; so is a sequence with too few or too many parts to take apart.
        raise CmsError("cms.unreadable", "parts missing or not readable") from error


def _expect(truth: bool, what: str, reason: str = "cms.foreign") -> None:
    if not truth:
        raise CmsError(reason, what)


def _digest_name(buffer: Ber, node: Node) -> str:
    name = _DIGESTS.get(buffer.oid(buffer.children(node, der.SEQUENCE)[0]))
    if name is None:
        raise CmsError("cms.algorithm", "digest algorithm not accepted")
    return name


class _Reader:
    """Reads one SignedData."""

    def __init__(self, raw: bytes, content_type: str) -> None:
        self.ber = Ber(raw)
        self.content_type = content_type
        self.certificates: list[bytes] = []
        self.crls: list[bytes] = []
        self.ocsps: list[bytes] = []
        self.names_certificate = False

    def read(self) -> ForeignSignedData:
        """Return what was read. Raises CmsError or ValueError."""
        ber = self.ber
        outer = ber.children(ber.read(0, len(ber.data)), der.SEQUENCE)
        _expect(len(outer) == 2 and ber.oid(outer[0]) == SIGNED_DATA, "content info")
        (signed_data,) = ber.children(outer[1], 0xA0)
        _version, _algorithms, encapsulated, *rest = ber.children(signed_data, der.SEQUENCE)
        content = self._content(encapsulated)
        for node in rest[:-1]:
            if node.tag == 0xA0:
                self._take_certificates(ber.children(node))
            elif node.tag == 0xA1:
                self._take_revocation(ber.children(node))
        infos = ber.children(rest[-1], der.SET)
        _expect(len(infos) == 1, f"{len(infos)} signers")
        return self._signer_info(infos[0], content)

    def _content(self, node: Node) -> bytes | None:
        kind, *inside = self.ber.children(node, der.SEQUENCE)
        _expect(self.ber.oid(kind) == self.content_type, "content type")
        if self.content_type == DATA:
            _expect(not inside, "content inside")
            return None
        _expect(len(inside) == 1, "no content inside")
        (octets,) = self.ber.children(inside[0], 0xA0)
        return self.ber.octets(octets)

    def _signer_info(self, node: Node, content: bytes | None) -> ForeignSignedData:
        ber = self.ber
        _version, identifier, digest_node, *rest = ber.children(node, der.SEQUENCE)
        digest = _digest_name(ber, digest_node)
        _expect(bool(rest) and rest[0].tag == 0xA0, "no signed attributes")
        signed, algorithm, signature, *unsigned = rest
        attributes = self._attributes(signed)
        types = [ber.oid(value) for value in attributes.get(CONTENT_TYPE, ())]
        _expect(types == [self.content_type], "signed content type")
        digests = attributes.get(MESSAGE_DIGEST, [])
        _expect(len(digests) == 1, "message digest")
        kind, inner, mask, salt = self._algorithm(algorithm, digest)
        signer = self._signer(identifier, attributes)
        timestamps = self._around(attributes, unsigned)
        body = ber.raw(signed)
        # RFC 5652, 5.4: the signature is over the attributes with the tag of a SET, and of definite length.
        covered = b"\x31" + body[1:] if body[1] != 0x80 else der.encode(0x31, body[2:-2])
        return ForeignSignedData(
            digest=digest,
            message_digest=ber.octets(digests[0]),
            algorithm=kind,
            signed=covered,
            signature=ber.octets(signature),
            signer=signer,
            others=tuple(dict.fromkeys(c for c in self.certificates if c != signer)),
            content=content,
            timestamps=timestamps,
            signature_digest=inner,
            mask_digest=mask,
            salt=salt,
            names_certificate=self.names_certificate,
            evidence=Evidence(tuple(self.certificates), tuple(self.crls), tuple(self.ocsps)),
        )

    def _attributes(self, node: Node) -> dict[str, list[Node]]:
        """Return type -> values. Raises CmsError if a type that matters occurs twice."""
        found: dict[str, list[Node]] = {}
        for attribute in self.ber.children(node):
            kind, values = self.ber.children(attribute, der.SEQUENCE)
            name = self.ber.oid(kind)
            _expect(name not in found or node.tag == 0xA1, "an attribute given twice")
            found.setdefault(name, []).extend(self.ber.children(values, der.SET))
        return found

    def _around(self, attributes: dict[str, list[Node]], unsigned: list[Node]) -> tuple[bytes, ...]:
        """Return the signature timestamps; keep the validation data that came along."""
        for value in attributes.get(_ADOBE_REVOCATION, ()):
            self._take_archival(value)
        if not unsigned or unsigned[0].tag != 0xA1:
            return ()
        loose = self._attributes(unsigned[0])
        for value in loose.get(_CERTIFICATE_VALUES, ()):
            self._take_certificates(self.ber.children(value))
        for value in loose.get(_REVOCATION_VALUES, ()):
            self._take_archival(value, basic=True)
        return tuple(self.ber.raw(value) for value in loose.get(TIMESTAMP_TOKEN, ())[:_MOST_CERTIFICATES])

    def _take_certificates(self, nodes: list[Node]) -> None:
        """Keep X.509 certificates; attribute certificates and other kinds are none."""
        found = [self.ber.raw(node) for node in nodes if node.tag == der.SEQUENCE]
        self.certificates += [c for c in dict.fromkeys(found) if c not in self.certificates]
        _expect(len(self.certificates) <= _MOST_CERTIFICATES, "more certificates than any signature needs")

    def _take_revocation(self, nodes: list[Node]) -> None:
        """Keep revocation lists, and OCSP answers where lists may stand. Source: RFC 5940."""
        for node in nodes[:_MOST_CERTIFICATES]:
            if node.tag == der.SEQUENCE:
                self.crls.append(self.ber.raw(node))
            elif node.tag == 0xA1:
                kind, *value = self.ber.children(node)
                if value and self.ber.oid(kind) == _OCSP_RESPONSE:
                    self.ocsps.append(self.ber.raw(value[0]))

    def _take_archival(self, node: Node, *, basic: bool = False) -> None:
        """Keep what Adobe's signed attribute or the CAdES unsigned one holds; in the latter answers are bare."""
        for part in self.ber.children(node, der.SEQUENCE):
            if part.tag not in {0xA0, 0xA1}:
                continue
            (listed,) = self.ber.children(part)
            values = [
                self.ber.raw(value) for value in self.ber.children(listed, der.SEQUENCE)[:_MOST_CERTIFICATES]
            ]
            if part.tag == 0xA0:
                self.crls += values
            else:
                self.ocsps += [_as_response(value) if basic else value for value in values]

    def _signer(self, identifier: Node, attributes: dict[str, list[Node]]) -> bytes:
        """Return the certificate that the signer info names, and the signed attributes where they name one."""
        ber = self.ber
        if identifier.tag == der.SEQUENCE:
            issuer, serial = ber.children(identifier)
            wanted = (ber.raw(issuer), ber.integer(serial))
            found = [c for c in self.certificates if _issuer_and_serial(c) == wanted]
        else:
            own = ber.octets(identifier, 0x80)
            value = der.encode(der.OCTET_STRING, der.encode(der.OCTET_STRING, own))
            found = [c for c in self.certificates if KEY_IDENTIFIER + value in c]
        named = self._named(attributes)
        self.names_certificate = named is not None
        if named is not None:
            found = [c for c in found if hashlib.new(named[0], c, usedforsecurity=False).digest() == named[1]]
        _expect(len(found) == 1, "the signer's certificate is not there exactly once", "cms.certificate")
        return found[0]

    def _named(self, attributes: dict[str, list[Node]]) -> tuple[str, bytes] | None:
        """Return digest name and digest of the certificate that was signed. Source: RFC 5035, 4 and 5."""
        ber = self.ber
        for name, usual in ((SIGNING_CERTIFICATE_V2, "sha256"), (SIGNING_CERTIFICATE, "sha1")):
            if name in attributes:
                _expect(len(attributes[name]) == 1, "signing certificate")
                listed = ber.children(attributes[name][0], der.SEQUENCE)[0]
                parts = ber.children(ber.children(listed, der.SEQUENCE)[0], der.SEQUENCE)
                stated = name == SIGNING_CERTIFICATE_V2 and parts[0].tag == der.SEQUENCE
                digest = _digest_name(ber, parts.pop(0)) if stated else usual
                return digest, ber.octets(parts[0])
        return None

    def _algorithm(self, node: Node, digest: str) -> tuple[str, str, str, int]:
        """Return what the key does, and the digests and salt inside."""
        identifier, *parameters = self.ber.children(node, der.SEQUENCE)
        name = self.ber.oid(identifier)
        if name == RSA_PSS:
            _expect(len(parameters) == 1, "PSS parameters", "cms.algorithm")
            return ("rsa_pss", *self._pss(parameters[0]))
        if name not in _SIGNATURES:
            raise CmsError("cms.algorithm", "signature algorithm not accepted")
        kind, implied = _SIGNATURES[name]
        return kind, implied or digest, implied or digest, 0

    def _pss(self, node: Node) -> tuple[str, str, int]:
        """Return digest, digest of the mask and length of the salt. Source: RFC 4055, 3.1."""
        ber = self.ber
        parts = {part.tag: ber.children(part)[0] for part in ber.children(node, der.SEQUENCE)}
        # Left out, both digests are SHA-1.
        _expect(0xA0 in parts and 0xA1 in parts, "SHA-1", "cms.algorithm")
        mask, inner = ber.children(parts[0xA1], der.SEQUENCE)
        _expect(ber.oid(mask) == _MGF1, "PSS mask", "cms.algorithm")
        salt = ber.integer(parts[0xA2]) if 0xA2 in parts else 20
        trailer = ber.integer(parts[0xA3]) if 0xA3 in parts else 1
        _expect(0 <= salt <= 1024 and trailer == 1, "PSS parameters", "cms.algorithm")
        return _digest_name(ber, parts[0xA0]), _digest_name(ber, inner), salt


def _as_response(basic: bytes) -> bytes:
    """Return an OCSPResponse, successful, around a BasicOCSPResponse. Source: RFC 6960, 4.2.1."""
    inner = der.encode(der.SEQUENCE, _BASIC_OCSP + der.encode(der.OCTET_STRING, basic))
    return der.encode(der.SEQUENCE, b"\x0a\x01\x00" + der.encode(0xA0, inner))


def _issuer_and_serial(certificate: bytes) -> tuple[bytes, int] | None:
    """Return issuer and serial number of a certificate, None if they cannot be read."""
    if len(certificate) <= LONGEST_REMEMBERED:
        return _known_issuer_and_serial(certificate)
    return _read_issuer_and_serial(certificate)


def _read_issuer_and_serial(certificate: bytes) -> tuple[bytes, int] | None:
    ber = Ber(certificate)
    try:
        parts = ber.children(ber.children(ber.read(0, len(certificate)), der.SEQUENCE)[0], der.SEQUENCE)
        if parts[0].tag == 0xA0:
            parts.pop(0)
        return ber.raw(parts[2]), ber.integer(parts[0])
    except (ValueError, IndexError):
        return None


_known_issuer_and_serial = lru_cache(maxsize=1024)(_read_issuer_and_serial)


@lru_cache(maxsize=64)
def _pss(mask_digest: str, salt: int) -> padding.PSS:
    return padding.PSS(padding.MGF1(_HASHES[mask_digest]), salt)


def foreign_signature_matches(key: CertificatePublicKeyTypes, signed: ForeignSignedData) -> bool:
    """Return whether the signature over the signed attributes is the key's; False also for a key of another kind."""
    pss = _pss(signed.mask_digest, signed.salt)
    try:
        return is_by(key, signed, _HASHES[signed.signature_digest], pss)
    except ValueError:
        return False
