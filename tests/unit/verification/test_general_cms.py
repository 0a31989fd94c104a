"""Signed data as other programs make it is read; what lacks a signer, a certificate or a sound algorithm is refused."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from asn1crypto import algos, cms, crl
from asn1crypto import pdf as asn1_pdf
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from elicense.verification.cms import CmsError
from elicense.verification.der import DerError
from elicense.verification.foreign import (
    foreign_signature_matches,
    read_foreign_signed_data,
    read_foreign_token,
)
from elicense.verification.foreign_ber import Ber, unpadded
from elicense.verification.scan import Candidate
from elicense.verification.signature import load_certificate
from tests.support.pki import pki, seal_identity
from tests.support.tsa import make_token

DIGEST = hashlib.sha256(b"document").digest()


def candidate(subfilter: str = "ETSI.CAdES.detached") -> Candidate:
    """Return a candidate of that kind."""
    return Candidate("S", (0, 1, 2, 3), declared=True, claimed_time=None, subfilter=subfilter)


def certificate(algorithm: str = "p256") -> asn1_x509.Certificate:
    """Return the signer's certificate."""
    return asn1_x509.Certificate.load(seal_identity(algorithm).certificate.public_bytes(Encoding.DER))


def attributes(*, ess: bytes | None = b"", extra: tuple[dict[str, object], ...] = ()) -> cms.CMSAttributes:
    """Return signed attributes; `ess` is the signed certificate's digest, b"" the right one, None leaves it out."""
    found = [
        {"type": "content_type", "values": ["data"]},
        {"type": "message_digest", "values": [DIGEST]},
    ]
    if ess is not None:
        digest = ess or hashlib.sha256(certificate().dump()).digest()
        found.append({"type": "signing_certificate_v2", "values": [{"certs": [{"cert_hash": digest}]}]})
    return cms.CMSAttributes([*found, *extra])


def key_identifier() -> bytes:
    """Return the certificate's subject key identifier."""
    return certificate().key_identifier


def make(
    *,
    signed: cms.CMSAttributes | None = None,
    sid: dict[str, object] | None = None,
    mechanism: str = "sha256_ecdsa",
    digest: str = "sha256",
    infos: int = 1,
    content: bytes | None = None,
    crls: bool = False,
    others: bool = True,
    unsigned: tuple[dict[str, object], ...] = (),
) -> bytes:
    """Return signed data over the document, ECDSA."""
    signed = attributes() if signed is None else signed
    signature = seal_identity("p256").key.sign(signed.dump(), ec.ECDSA(hashes.SHA256()))
    own = {"issuer": certificate().issuer, "serial_number": certificate().serial_number}
    info = {
        "version": "v1",
        "sid": sid or {"issuer_and_serial_number": own},
        "digest_algorithm": {"algorithm": digest},
        "signed_attrs": signed,
        "signature_algorithm": {"algorithm": mechanism},
        "signature": signature,
    }
    if unsigned:
        info["unsigned_attrs"] = cms.CMSAttributes(list(unsigned))
    chain = [asn1_x509.Certificate.load(c.public_bytes(Encoding.DER)) for c in seal_identity("p256").chain]
    body = {
        "version": "v1",
        "digest_algorithms": [{"algorithm": digest}],
        "encap_content_info": {"content_type": "data", **({"content": content} if content else {})},
        "certificates": [*chain, certificate()] if others else chain,
        "signer_infos": [info] * infos,
    }
    if crls:
        body["crls"] = [cms.RevocationInfoChoice.load(pki().crls[0].public_bytes(Encoding.DER))]
    return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(body)}).dump()


def matches(raw: bytes, subfilter: str = "ETSI.CAdES.detached") -> bool:
    """Return whether the signed data is read and its signature is its certificate's."""
    signed = read_foreign_signed_data(raw, candidate(subfilter))
    assert signed.message_digest == DIGEST
    return foreign_signature_matches(load_certificate(signed.signer).public_key(), signed)


def refusal(raw: bytes, subfilter: str = "ETSI.CAdES.detached") -> tuple[str, str]:
    """Return why signed data is refused."""
    with pytest.raises(CmsError) as caught:
        read_foreign_signed_data(raw, candidate(subfilter))
    return caught.value.reason, caught.value.detail


def indefinite(raw: bytes) -> bytes:
    """Return the outermost three values with indefinite lengths, as some programs stream them."""

    def wrap(data: bytes, depth: int) -> bytes:
        ber = Ber(data)
        node = ber.read(0, len(data))
        if depth == 0 or not node.tag & 0x20:
            return data
        inner = [ber.raw(child) for child in ber.children(node)]
        return (
            bytes((node.tag, 0x80))
            + b"".join(wrap(child, depth - 1) for child in inner[:-1])
            + (wrap(inner[-1], depth - 1) + b"\0\0")
        )

    return wrap(raw, 3)


def test_usual_signature() -> None:
    """A usual signature is read and verified, with the certificates that came along."""
    assert matches(make())
    signed = read_foreign_signed_data(make(crls=True), candidate())
    assert len(signed.others) == 1
    assert signed.evidence.crls == (pki().crls[0].public_bytes(Encoding.DER),)


def test_indefinite_lengths() -> None:
    """Indefinite lengths change nothing."""
    raw = indefinite(make())
    assert b"\0\0\0\0\0\0" in raw[-7:]
    assert matches(raw)
    assert unpadded(raw + bytes(99)) == raw


def test_signer_by_key_identifier() -> None:
    """The signer may be named by his key's identifier."""
    if certificate().key_identifier is None:
        pytest.fail("the test's certificate has no key identifier")
    assert matches(make(sid={"subject_key_identifier": key_identifier()}))


def test_attributes_as_they_stand() -> None:
    """Signed attributes that are not sorted are verified as they stand."""
    ordered = attributes().untag().dump()
    node = Ber(ordered).read(0, len(ordered))
    parts = [Ber(ordered).raw(child) for child in Ber(ordered).children(node)]
    turned = ordered[: node.body] + b"".join(reversed(parts))
    assert turned != ordered
    signature = seal_identity("p256").key.sign(turned, ec.ECDSA(hashes.SHA256()))
    raw = make()
    raw = raw.replace(b"\xa0" + ordered[1:], b"\xa0" + turned[1:])
    assert foreign_signature_matches(
        load_certificate(certificate().dump()).public_key(),
        replace(read_foreign_signed_data(raw, candidate()), signature=signature),
    )
    assert read_foreign_signed_data(raw, candidate()).signed == turned


@pytest.mark.parametrize("salt", [0, 20, 32, 64])
@pytest.mark.parametrize("mask", ["sha256", "sha512"])
def test_pss(salt: int, mask: str) -> None:
    """PSS is verified with whatever salt and mask it states."""
    identity = seal_identity("rsa2048")
    own = certificate("rsa2048")
    ess = {"certs": [{"cert_hash": hashlib.sha256(own.dump()).digest()}]}
    signed = attributes(ess=None, extra=({"type": "signing_certificate_v2", "values": [ess]},))
    scheme = padding.PSS(padding.MGF1(getattr(hashes, mask.upper())()), salt)
    parameters = {
        "hash_algorithm": {"algorithm": "sha256"},
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": mask}},
        "salt_length": salt,
    }
    info = {
        "version": "v1",
        "sid": {"issuer_and_serial_number": {"issuer": own.issuer, "serial_number": own.serial_number}},
        "digest_algorithm": {"algorithm": "sha256"},
        "signed_attrs": signed,
        "signature_algorithm": {"algorithm": "rsassa_pss", "parameters": algos.RSASSAPSSParams(parameters)},
        "signature": identity.key.sign(signed.untag().dump(), scheme, hashes.SHA256()),
    }
    body = {
        "version": "v1",
        "digest_algorithms": [{"algorithm": "sha256"}],
        "encap_content_info": {"content_type": "data"},
        "certificates": [own],
        "signer_infos": [info],
    }
    assert matches(cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(body)}).dump())


def test_signing_certificate() -> None:
    """Without a signing certificate it is read, but noted as no CAdES; with one it must be the signer's."""
    without = make(signed=attributes(ess=None))
    assert matches(without)
    assert not read_foreign_signed_data(without, candidate("ETSI.CAdES.detached")).names_certificate
    assert read_foreign_signed_data(make(), candidate("ETSI.CAdES.detached")).names_certificate
    assert refusal(make(signed=attributes(ess=bytes(32))), "adbe.pkcs7.detached")[0] == "cms.certificate"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"infos": 0}, "cms.foreign"),
        ({"infos": 2}, "cms.foreign"),
        ({"content": b"document"}, "cms.foreign"),
        ({"digest": "sha1"}, "cms.algorithm"),
        ({"digest": "md5"}, "cms.algorithm"),
        ({"mechanism": "sha1_ecdsa"}, "cms.algorithm"),
        ({"mechanism": "sha256_dsa"}, "cms.algorithm"),
        ({"others": False}, "cms.certificate"),
        ({"sid": {"subject_key_identifier": b"nobody"}}, "cms.certificate"),
    ],
)
def test_refused(options: dict[str, object], reason: str) -> None:
    """What a signature cannot do without, or may not be made with, is named."""
    assert refusal(make(**options))[0] == reason


@pytest.mark.parametrize(
    ("subfilter", "reason"),
    [
        ("adbe.pkcs7.sha1", "cms.algorithm"),
        ("adbe.x509.rsa_sha1", "cms.algorithm"),
        ("", "cms.foreign"),
        ("Some.Other", "cms.foreign"),
        ("ETSI.RFC3161", "cms.foreign"),
    ],
)
def test_other_kinds(subfilter: str, reason: str) -> None:
    """Kinds of signature that rest on SHA-1, or that nobody knows, are refused as such."""
    assert refusal(make(), subfilter)[0] == reason


def test_token() -> None:
    """A timestamp token is read wherever it stands; one whose content changed is not."""
    token = make_token(DIGEST, "sha256").dump()
    assert read_foreign_token(token).imprint == DIGEST
    assert read_foreign_token(indefinite(token)).imprint == DIGEST
    raw = make(unsigned=({"type": "signature_time_stamp_token", "values": [cms.ContentInfo.load(token)]},))
    assert read_foreign_signed_data(raw, candidate()).timestamps == (token,)
    with pytest.raises(CmsError, match=r"cms\.unreadable"):
        read_foreign_token(token.replace(DIGEST, bytes(32)))
    with pytest.raises(CmsError):
        read_foreign_token(make())


def test_revocation_data_by_adobe() -> None:
    """Revocation lists in Adobe's signed attribute come back as evidence."""
    encoded = pki().crls[0].public_bytes(Encoding.DER)
    archival = asn1_pdf.RevocationInfoArchival({"crl": [crl.CertificateList.load(encoded)]})
    signed = attributes(extra=({"type": "adobe_revocation_info_archival", "values": [archival]},))
    raw = make(signed=signed)
    assert matches(raw)
    assert read_foreign_signed_data(raw, candidate()).evidence.crls == (encoded,)


USUAL = make()


@given(st.integers(0, len(USUAL) - 1), st.integers(0, 255))
def test_any_byte_changed(place: int, byte: int) -> None:
    """Signed data with any byte changed is read or refused, never an error of another kind."""
    raw = USUAL[:place] + bytes((byte,)) + USUAL[place + 1 :]
    try:
        signed = read_foreign_signed_data(raw, candidate())
        key = load_certificate(signed.signer).public_key()
    except (CmsError, ValueError):
        return
    foreign_signature_matches(key, signed)


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    """Any bytes at all are refused in the same way."""
    with pytest.raises(CmsError):
        read_foreign_signed_data(raw, candidate())
    with pytest.raises(CmsError):
        read_foreign_token(raw)


@pytest.mark.parametrize(
    "raw", [b"", b"\x30", b"\x30\x80", b"\x30\x80" * 100_000, b"\x30\x88" + b"\xff" * 8, b"\x1f\x81\x01"]
)
def test_broken_encodings(raw: bytes) -> None:
    """Encodings without end, too deep or in the long form are refused, quickly."""
    with pytest.raises(DerError):
        unpadded(raw)
