"""The CMS from a template beside the same built in full by pyHanko and read by others, for thousands of values."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from elicense.errors import SigningError
from elicense.pki.keys import software_signer
from elicense.pki.throwaway import ALGORITHMS, make_key
from elicense.signing import cms as signing
from elicense.signing.full_build import full_build, require_same
from elicense.signing.template import CmsTemplate, largest_size, make_template
from elicense.verification.cms import DATA, read_signed_data
from tests.support.cms import with_timestamp
from tests.support.pki import AT, seal_signer

if TYPE_CHECKING:
    from elicense.pki.keys import Signer

DAY = timedelta(days=1)
EC_KEY = make_key("p256")
SIZES = (0, 1, 30, 55, 56, 57, 60, 90, 91, 92, 93, 120, 200, 250)
"""Lengths of names around which headers of the values about them grow by a byte."""


def of(signer: Signer) -> CmsTemplate:
    """Return the template of a signer."""
    return make_template(signer.certificate, signer.chain, signer.algorithm)


def built(digest: bytes, signature: bytes, signer: Signer) -> tuple[bytes, bytes]:
    """Return what pyHanko makes of the same."""
    return full_build(digest, signature, signer.certificate, signer.chain, signer.algorithm)


def values(algorithm: str, many: int) -> list[tuple[bytes, bytes]]:
    """Return digests and signatures drawn at random, lengths too, the same in every run."""
    chance = random.Random(algorithm)  # noqa: S311 - no secret
    signer = seal_signer(algorithm)
    size = of(signer).digest_size
    # ECDSA values of 8 to 72 or 104 bytes; for the others, and beyond, any length must do.
    return [
        (
            chance.randbytes(size),
            chance.randbytes(chance.choice((chance.randint(1, 140), signer.signature_size))),
        )
        for _ in range(many)
    ]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_it_is_what_pyhanko_builds(algorithm: str) -> None:
    """For 340 digests and signatures of each algorithm: what is signed, and the whole CMS, byte for byte."""
    signer, template = seal_signer(algorithm), of(seal_signer(algorithm))
    for digest, signature in values(algorithm, 340):
        assert (template.to_sign(digest), template.build(digest, signature)) == built(
            digest, signature, signer
        )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_it_is_what_others_read(algorithm: str) -> None:
    """For 1,500 of each algorithm asn1crypto reads it strictly and our own reader finds the very values."""
    template = of(seal_signer(algorithm))
    certificate = seal_signer(algorithm).certificate.public_bytes(Encoding.DER)
    for digest, signature in values(algorithm, 1500):
        der = template.build(digest, signature)
        signed = read_signed_data(der, DATA)
        assert (signed.message_digest, signed.signature, signed.signer) == (digest, signature, certificate)
        assert signed.signed == template.to_sign(digest)
        (info,) = cms.ContentInfo.load(der, strict=True)["content"]["signer_infos"]
        assert (info["signature"].native, info["signed_attrs"].untag().dump()) == (signature, signed.signed)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_timestamp_is_put_where_asn1crypto_puts_it(algorithm: str) -> None:
    """With a token of any length the bytes are those of asn1crypto's own assembly, and the size is foretold."""
    template = of(seal_signer(algorithm))
    chance = random.Random(algorithm)  # noqa: S311 - no secret
    for digest, signature in values(algorithm, 60):
        token = cms.ContentInfo(
            {
                "content_type": "data",
                "content": cms.OctetString(chance.randbytes(chance.choice((90, 110, 240, 9000)))),
            }
        ).dump()
        der = template.build(digest, signature, token)
        assert der == with_timestamp(template.build(digest, signature), token)
        assert len(der) == template.size(len(signature), len(token))


@cache
def authority(subject: int, issuer: int, serial: int) -> x509.Certificate:
    """Return a certification authority's certificate with names of these lengths and this serial number."""
    return certified(name("s" * subject, "authority"), name("i" * issuer, "root"), serial)


def name(text: str, common: str) -> x509.Name:
    """Return a name of any length."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    parts += [x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, part) for part in split(text) if part]
    return x509.Name(parts)


def split(text: str) -> list[str]:
    """Return the text in pieces that a name may have."""
    return [text[start : start + 100] for start in range(0, len(text), 100)]


def certified(subject: x509.Name, issuer: x509.Name, serial: int) -> x509.Certificate:
    """Return a certificate of EC_KEY, signed by itself under whatever name."""
    builder = x509.CertificateBuilder(issuer, subject, EC_KEY.public_key(), serial, AT, AT + DAY)
    return builder.sign(EC_KEY, hashes.SHA256())


SERIALS = (1, 127, 128, 255, 256, 2**64, 2**152 - 1, 2**158, 2**159 - 1)


@pytest.mark.parametrize("seed", range(8))
def test_any_certificate_and_chain_will_do(seed: int) -> None:
    """Names, serial numbers and chains of many lengths give pyHanko's bytes, and no CMS is longer than foretold."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(25):
        issuer = name("n" * (chance.choice(SIZES) + chance.randint(0, 2)), "issuing")
        leaf = certified(name("leaf", "seal"), issuer, chance.choice(SERIALS))
        above = [
            authority(chance.choice(SIZES), chance.choice(SIZES), serial)
            for serial in chance.sample(SERIALS, chance.randint(0, 3))
        ]
        # A certificate given twice goes along once.
        signer = replace(seal_of(leaf), chain=(*above, *above[:1]))
        digest, signature = chance.randbytes(32), chance.randbytes(chance.randint(8, 72))
        template = of(signer)
        assert (template.to_sign(digest), template.build(digest, signature)) == built(
            digest, signature, signer
        )
        assert len(template.build(digest, bytes(72))) <= largest_size(signer)
        assert len(template.build(digest, bytes(72), bytes(3000))) <= largest_size(signer, 3000)


def seal_of(leaf: x509.Certificate) -> Signer:
    """Return a signer of EC_KEY with this certificate."""
    return software_signer(EC_KEY, (leaf,))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_largest_size_is_that_of_every_renewal(algorithm: str) -> None:
    """Forty certificates of the same shape, whatever lengths chance gives their serials and signatures, ask the same.

    And it is tight: not a dozen bytes are left over.
    """
    key, issuer_key = make_key(algorithm), make_key("p256")
    sizes, used = set(), set()
    chance = random.Random(algorithm)  # noqa: S311 - no secret
    for number in range(40):
        serial = chance.getrandbits(8 * chance.choice((1, 8, 19, 20)) - 1) or 1
        issuing, root = name("issuing", "issuing"), name("root", "root")
        builder = x509.CertificateBuilder(
            issuing, name("leaf", "seal"), key.public_key(), serial, AT, AT + number * DAY + DAY
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        leaf = builder.sign(issuer_key, hashes.SHA256())
        builder = x509.CertificateBuilder(root, issuing, issuer_key.public_key(), serial, AT, AT + DAY)
        signer = software_signer(key, (leaf, builder.sign(issuer_key, hashes.SHA256())))
        sizes.add(largest_size(signer))
        used.add(of(signer).size(signer.signature_size))
    assert len(sizes) == 1
    (size,) = sizes
    assert max(used) <= size <= max(used) + 12


def test_a_template_that_differs_is_never_signed_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a full build gives other bytes, there is no signature and the key is not asked; nothing is remembered."""
    signer = seal_of(certified(name("leaf", "seal"), name("i", "issuing"), 77))
    right = of(signer)
    for wrong in (
        replace(
            right, outer=right.outer.replace(bytes.fromhex("020101"), bytes.fromhex("020103"), 1), _frames={}
        ),
        replace(right, attributes=(right.attributes[0], right.attributes[1][:-1] + b"\x05"), _frames={}),
    ):
        monkeypatch.setattr(signing, "make_template", lambda *_, wrong=wrong: wrong)
        with pytest.raises(SigningError, match="second way"):
            signing.sign(bytes(32), signer)
    monkeypatch.undo()
    assert signing.sign(bytes(32), signer).template == right


def test_a_full_build_is_made_once_for_each_signer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second signature by the same certificate, chain and algorithm needs none; another certificate does."""
    made = []

    def counted(*asked: object) -> None:
        made.append(asked)
        require_same(*asked)

    monkeypatch.setattr("elicense.signing.full_build.require_same", counted)
    one = seal_of(certified(name("leaf", "seal"), name("i", "issuing"), 78))
    for signer in (
        one,
        one,
        replace(one),
        seal_of(x509.load_der_x509_certificate(one.certificate.public_bytes(Encoding.DER))),
    ):
        signing.sign(bytes(32), signer)
    assert len(made) == 1
    signing.sign(bytes(32), seal_of(certified(name("leaf", "seal"), name("i", "issuing"), 79)))
    assert len(made) == 2


def test_the_key_type_decides_nothing_else() -> None:
    """EC keys on another curve have no template: such a key may not seal."""
    assert isinstance(EC_KEY, ec.EllipticCurvePrivateKey)
    assert {signer.algorithm for signer in map(seal_signer, ALGORITHMS)} == set(type(seal_signer().algorithm))
