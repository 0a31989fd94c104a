"""The CMS inside a seal, byte for byte."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from asn1crypto import cms, core
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from elicense.errors import KeyUnavailable, SigningError
from elicense.pki.keys import signature_matches
from elicense.pki.throwaway import ALGORITHMS
from elicense.signing.cms import sign, sign_digest
from tests.support.cms import signature_value, with_timestamp
from tests.support.pki import pki, seal_identity, seal_signer
from tests.support.tsa import make_token

if TYPE_CHECKING:
    from elicense.pki.keys import Signer

ATTRIBUTES = {"content_type", "message_digest", "signing_certificate_v2"}


def digest_for(signer: Signer, data: bytes = b"document") -> bytes:
    """Return the digest of `data` by the signer's hash."""
    return hashlib.new(signer.algorithm.digest, data).digest()


def sealed(algorithm: str = "p256", *, stamped: bool = False) -> bytes:
    """Return a CMS, with or without a timestamp."""
    signer = seal_signer(algorithm)
    signature = sign(digest_for(signer), signer)
    if stamped:
        imprint = hashlib.sha256(signature.value).digest()
        return signature.der(make_token(imprint, "sha256").dump())
    return signature.der()


def der_faults(data: bytes) -> list[str]:
    """Return what is not DER in a BER value: lengths, the order of sets, bytes left over. Source: X.690, 10, 11."""
    faults: list[str] = []

    def read(start: int, end: int) -> list[bytes]:
        elements = []
        while start < end:
            tag, position = data[start], start + 2
            length = data[start + 1]
            if length >= 0x80:
                octets = data[position : position + length - 0x80]
                position += len(octets)
                length = int.from_bytes(octets)
                if not octets or octets[0] == 0 or length < 0x80:
                    faults.append(f"length at {start}")
            if position + length > end:
                faults.append(f"overrun at {start}")
                return elements
            children = read(position, position + length) if tag & 0x20 else []
            # SET OF, and the implicitly tagged sets of CMS: certificates, signed and unsigned attributes.
            if tag == 0x31 and children != sorted(children):
                faults.append(f"order at {start}")
            elements.append(data[start : position + length])
            start = position + length
        return elements

    if len(read(0, len(data))) != 1:
        faults.append("not one value")
    return faults


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_cms_says_what_it_should(algorithm: str) -> None:
    """One signer, the three PAdES attributes, leaf and chain, nothing encapsulated, nothing unsigned."""
    signer = seal_signer(algorithm)
    content = cms.ContentInfo.load(sealed(algorithm), strict=True)
    data = content["content"]
    (info,) = data["signer_infos"]
    assert content["content_type"].native == "signed_data"
    assert (data["version"].native, info["version"].native) == ("v1", "v1")
    assert data["encap_content_info"]["content_type"].native == "data"
    assert isinstance(data["encap_content_info"]["content"], core.Void)
    assert isinstance(info["unsigned_attrs"], core.Void)
    assert {attribute["type"].native for attribute in info["signed_attrs"]} == ATTRIBUTES
    assert info["digest_algorithm"]["algorithm"].native == signer.algorithm.digest
    assert info["signature_algorithm"]["algorithm"].native == signer.algorithm.cms_name
    values = {attribute["type"].native: attribute["values"][0] for attribute in info["signed_attrs"]}
    assert values["message_digest"].native == digest_for(signer)
    identity = seal_identity(algorithm).certificate.public_bytes(Encoding.DER)
    assert (
        values["signing_certificate_v2"]["certs"][0]["cert_hash"].native == hashlib.sha256(identity).digest()
    )
    chain = {certificate.chosen.dump() for certificate in data["certificates"]}
    assert chain == {identity, pki().issuing.certificate.public_bytes(Encoding.DER)}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_signature_is_over_the_signed_attributes(algorithm: str) -> None:
    """The raw signature verifies over the DER SET of the signed attributes."""
    der = sealed(algorithm)
    (info,) = cms.ContentInfo.load(der)["content"]["signer_infos"]
    attributes = info["signed_attrs"].untag().dump()
    assert signature_matches(seal_identity(algorithm).certificate, signature_value(der), attributes)


@pytest.mark.parametrize("stamped", [False, True])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_cms_is_der(algorithm: str, stamped: bool) -> None:
    """Lengths are minimal, sets are in order and re-encoding changes nothing."""
    der = sealed(algorithm, stamped=stamped)
    assert der_faults(der) == []
    # Encoding a whole nested timestamp anew takes asn1crypto minutes; its bytes are the authority's anyway.
    assert stamped or cms.ContentInfo.load(der).dump(force=True) == der
    # The implicitly tagged sets, which the walk above cannot tell from sequences.
    data = cms.ContentInfo.load(der)["content"]
    for elements in (data["certificates"], data["signer_infos"][0]["signed_attrs"]):
        encoded = [element.dump() for element in elements]
        assert encoded == sorted(encoded)


def test_the_der_walk_sees_faults() -> None:
    """The test's own judge finds a long-form length and a set out of order."""
    assert der_faults(bytes.fromhex("30810405000500"))
    assert der_faults(bytes.fromhex("310602010202 0101".replace(" ", "")))
    assert not der_faults(bytes.fromhex("3106020101020102"))


@settings(max_examples=25)
@given(st.binary(min_size=32, max_size=32))
def test_the_same_digest_gives_the_same_bytes(digest: bytes) -> None:
    """A deterministic signer makes the CMS deterministic; another digest changes it."""
    signer = seal_signer()
    der = sign_digest(digest, signer)
    assert der == sign_digest(digest, signer)
    assert der != sign_digest(bytes(32 - 1) + b"\x01" if digest == bytes(32) else bytes(32), signer)


def test_a_timestamp_is_the_only_unsigned_attribute() -> None:
    """Adding a timestamp changes nothing else in the CMS, nor one byte of the token; asn1crypto adds it likewise."""
    signature = sign(digest_for(seal_signer()), seal_signer())
    token = make_token(hashlib.sha256(signature.value).digest(), "sha256").dump()
    plain, stamped = signature.der(), signature.der(token)
    assert stamped == with_timestamp(plain, token)
    assert token in stamped
    (before,) = cms.ContentInfo.load(plain)["content"]["signer_infos"]
    (after,) = cms.ContentInfo.load(stamped)["content"]["signer_infos"]
    (attribute,) = after["unsigned_attrs"]
    assert attribute["type"].native == "signature_time_stamp_token"
    assert len(attribute["values"]) == 1
    assert after["signed_attrs"].dump() == before["signed_attrs"].dump()
    assert signature_value(stamped) == signature_value(plain) == signature.value


@dataclass
class Faulty:
    """A key holder that misbehaves."""

    answer: bytes | Exception

    def __getattr__(self, name: str) -> object:
        return getattr(seal_signer(), name)

    def sign(self, _: bytes) -> bytes:
        """Answer as told."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "answer", [b"", bytes(64), seal_signer().sign(b"other data")], ids=["empty", "zeros", "another"]
)
def test_a_signature_that_does_not_fit_is_refused(answer: bytes) -> None:
    """An empty, a wrong and somebody else's signature never leave the house."""
    with pytest.raises(SigningError, match="does not fit"):
        sign_digest(digest_for(seal_signer()), Faulty(answer))


def test_a_key_holder_that_does_not_answer_is_named() -> None:
    """KeyUnavailable passes through unchanged."""
    with pytest.raises(KeyUnavailable, match="unplugged"):
        sign_digest(digest_for(seal_signer()), Faulty(KeyUnavailable("unplugged", "已拔出")))


@pytest.mark.parametrize("size", [0, 31, 33, 48])
def test_a_digest_of_another_length_is_refused(size: int) -> None:
    """What cannot be a hash of the signer's algorithm is not signed."""
    with pytest.raises(ValueError, match="digest"):
        sign_digest(bytes(size), seal_signer())


def test_signing_works_beside_an_event_loop_and_refuses_inside_one() -> None:
    """Inside a running loop: RuntimeError; in a thread beside it: a signature."""
    signer = seal_signer()

    async def inside() -> bytes:
        with pytest.raises(RuntimeError, match="to_thread"):
            sign_digest(digest_for(signer), signer)
        return await asyncio.to_thread(sign_digest, digest_for(signer), signer)

    assert asyncio.run(inside()) == sealed()
