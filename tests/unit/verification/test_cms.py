"""Signed data: what the strict reader accepts, and that no byte outside the signature is free."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from asn1crypto import cms as asn1_cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from elicense.pki.throwaway import ALGORITHMS
from elicense.signing.cms import sign_digest
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
from elicense.verification.timestamps import read_token
from tests.support.cms import with_timestamp
from tests.support.pki import seal_identity, seal_signer
from tests.support.tsa import make_token

DIGEST = {name: hashlib.new("sha512" if name == "ed25519" else "sha384" if name == "p384" else "sha256", b"x").digest()
          for name in ALGORITHMS}  # fmt: skip


def key_of(signed: SignedData) -> object:
    """Return the public key of the signer's certificate."""
    return x509.load_der_x509_certificate(signed.signer).public_key()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_our_seals_are_read(algorithm: str) -> None:
    """For every algorithm the digest, the signer's certificate and the signature are found and match."""
    signer = seal_signer(algorithm)
    signed = read_signed_data(sign_digest(DIGEST[algorithm], signer), DATA)
    assert signed.message_digest == DIGEST[algorithm]
    assert x509.load_der_x509_certificate(signed.signer) == signer.certificate
    assert signature_matches(key_of(signed), signed)
    assert not weak_key(key_of(signed))


def test_a_key_of_another_kind_does_not_match() -> None:
    """An RSA key does not match an ECDSA signature; nothing is raised."""
    signed = read_signed_data(sign_digest(DIGEST["p256"], seal_signer("p256")), DATA)
    assert not signature_matches(seal_signer("rsa2048").certificate.public_key(), signed)


def usable(data: bytes) -> bool:
    """Return whether a verifier could take `data` for a good seal."""
    try:
        signed = read_signed_data(data, DATA)
        for certificate in signed.others:
            require_no_free_bytes(certificate)
        if set(signed.others) != {c.public_bytes(Encoding.DER) for c in seal_signer("p256").chain}:
            return False
        for token in signed.timestamps:
            stamped = read_token(token)
            if not (
                stamped.stamps(signed.signature) and signature_matches(key_of(stamped.signed), stamped.signed)
            ):
                return False
            if set(stamped.signed.others) != {
                c.public_bytes(Encoding.DER) for c in seal_signer("p256").chain
            }:
                return False
        return signed.message_digest == DIGEST["p256"] and signature_matches(key_of(signed), signed)
    except (CmsError, der.DerError, ValueError):
        return False


@pytest.mark.parametrize("stamped", [False, True])
def test_no_bit_of_the_signed_data_is_free(stamped: bool) -> None:
    """Whichever bit of a seal is flipped, with or without a timestamp, it is not usable any more."""
    data = sign_digest(DIGEST["p256"], seal_signer("p256"))
    if stamped:
        signature = read_signed_data(data, DATA).signature
        data = with_timestamp(data, make_token(hashlib.sha256(signature).digest(), "sha256").dump())
    assert usable(data)
    changed = bytearray(data)
    free = []
    for position in range(len(data)):
        for bit in range(8):
            changed[position] ^= 1 << bit
            if usable(bytes(changed)):
                free.append((position, bit))
            changed[position] ^= 1 << bit
    assert free == []


def altered(**changes: object) -> bytes:
    """Return our CMS with parts of its signer info or signed data replaced, lengths made right again."""
    content = asn1_cms.ContentInfo.load(sign_digest(DIGEST["p256"], seal_signer("p256")))
    signed = content["content"]
    for name, value in changes.items():
        target = (
            signed if name in {"version", "certificates", "digest_algorithms"} else signed["signer_infos"][0]
        )
        target[name.removeprefix("signer_")] = value
    return content.dump(force=True)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cms.unreadable"),
        (b"\x30\x80\x00\x00", "cms.unreadable"),
        (b"\x30\x03\x02\x01\x01", "cms.foreign"),
        (altered(version="v3"), "cms.foreign"),
        (altered(certificates=[]), "cms.certificate"),
        (altered(digest_algorithms=[{"algorithm": "sha384"}]), "cms.foreign"),
        (altered(digest_algorithms=[{"algorithm": "sha1"}]), "cms.algorithm"),
        (altered(digest_algorithm={"algorithm": "sha384"}), "cms.foreign"),
        (altered(signature_algorithm={"algorithm": "sha384_ecdsa"}), "cms.foreign"),
        (altered(signature_algorithm={"algorithm": "sha1_rsa"}), "cms.algorithm"),
        (altered(unsigned_attrs=[{"type": "content_type", "values": ["data"]}]), "cms.foreign"),
    ],
)
def test_refused_signed_data(data: bytes, reason: str) -> None:
    """What a seal never is, is refused with its reason."""
    with pytest.raises(CmsError) as caught:
        read_signed_data(data, DATA)
    assert caught.value.reason == reason


def test_pss_is_read() -> None:
    """RSA-PSS with MGF1 and a salt as long as the digest verifies; other parameters are refused."""
    signer = seal_signer("rsa2048")
    content = asn1_cms.ContentInfo.load(sign_digest(DIGEST["rsa2048"], signer))
    info = content["content"]["signer_infos"][0]
    parameters = {
        "hash_algorithm": {"algorithm": "sha256"},
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha256"}},
        "salt_length": 32,
    }
    info["signature_algorithm"] = {"algorithm": "rsassa_pss", "parameters": parameters}
    covered = b"\x31" + info["signed_attrs"].dump()[1:]
    key = seal_identity("rsa2048").key
    info["signature"] = key.sign(covered, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    signed = read_signed_data(content.dump(force=True), DATA)
    assert signed.algorithm == "rsa_pss"
    assert signature_matches(key_of(signed), signed)
    info["signature_algorithm"]["parameters"]["salt_length"] = 20
    with pytest.raises(CmsError):
        read_signed_data(content.dump(force=True), DATA)


def test_weak_keys() -> None:
    """Short RSA, unusual curves and other kinds of keys are named; our own are not."""
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - the subject of the test
    assert weak_key(short.public_key()) == "RSA with 1024 bits"
    assert weak_key(ec.generate_private_key(ec.SECP256K1()).public_key()) == "curve secp256k1"
    assert weak_key(dsa.generate_private_key(2048).public_key()) == "kind of key"


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_order(data: bytes) -> None:
    """Arbitrary bytes raise CmsError and nothing else."""
    with pytest.raises(CmsError):
        read_signed_data(data, DATA)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"20260302013000Z", datetime(2026, 3, 2, 1, 30, tzinfo=UTC)),
        (b"20260302013000.25Z", datetime(2026, 3, 2, 1, 30, 0, 250_000, tzinfo=UTC)),
        (b"20260302013000", None),
        (b"20260302013000+0800", None),
        (b"20261302013000Z", None),
        (b"20260302013000.Z", None),
        (b"202603020130Z", None),
    ],
)
def test_times(text: bytes, expected: datetime | None) -> None:
    """Only whole moments in UTC are read."""
    data = bytes([der.GENERALIZED_TIME, len(text)]) + text
    node = der.whole(data, der.GENERALIZED_TIME)
    if expected is None:
        with pytest.raises(der.DerError):
            der.generalized_time(data, node)
    else:
        assert der.generalized_time(data, node) == expected


@pytest.mark.parametrize(
    "data",
    [b"\x30", b"\x30\x81\x05", b"\x30\x82\x00\x05AAAAA", b"\x30\x80\x00\x00", b"\x3f\x21\x00", b"\x30\x02\x01",
     b"\x30\x85\x01\x01\x01\x01\x01"],
)  # fmt: skip
def test_lengths_that_are_not_der(data: bytes) -> None:
    """Indefinite, overlong, long-tagged and cut values are refused."""
    with pytest.raises(der.DerError):
        der.read(data, 0, len(data))


@given(st.integers(-(2**70), 2**70))
def test_integers(number: int) -> None:
    """Every integer is read back from its shortest form, and from no longer one."""
    raw = number.to_bytes(((number + (number < 0)).bit_length() + 8) // 8, signed=True)
    data = bytes([der.INTEGER, len(raw)]) + raw
    assert der.integer(data, der.whole(data, der.INTEGER)) == number
    longer = bytes([der.INTEGER, len(raw) + 1, 0xFF if number < 0 else 0]) + raw
    with pytest.raises(der.DerError):
        der.integer(longer, der.whole(longer, der.INTEGER))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(b"\x2a\x86\x48\x86\xf7\x0d", "1.2.840.113549"), (b"\x88\x37", "2.999"), (b"", None), (b"\x2a\x80\x01", None),
     (b"\x2a\x86", None), (b"\x2a" + b"\xff" * 20 + b"\x01", None)],
)  # fmt: skip
def test_object_identifiers(raw: bytes, expected: str | None) -> None:
    """Identifiers in shortest form are read; empty, padded, cut and huge ones are refused."""
    data = bytes([der.OID, len(raw)]) + raw
    if expected is None:
        with pytest.raises(der.DerError):
            der.oid(data, der.whole(data, der.OID))
    else:
        assert der.oid(data, der.whole(data, der.OID)) == expected
