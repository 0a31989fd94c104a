"""Keys inside a PKCS#11 token (SoftHSM2): they sign there, and refusals are said in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from pkcs11 import Attribute, KeyType, Mechanism

from elicense.errors import KeyUnavailable, SigningError
from elicense.pki.keys import open_pkcs11_signer, signature_matches
from elicense.pki.throwaway import seal_subject
from elicense.pki.token import Pkcs11Signer
from elicense.signing.pades import required_capacity, seal_document
from tests.support import softhsm
from tests.support.minimal_pdf import cleared, unsigned
from tests.support.pki import AUTHORITY, AUTHORITY_CODE, SEAL_NUMBER, pki, seal_identity
from tests.support.softhsm import MODULE, PIN

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

pytestmark = pytest.mark.skipif(not softhsm.INSTALLED, reason="SoftHSM2 is not installed (softhsm2)")


@pytest.fixture(scope="module")
def token() -> str:
    """A token with the key pairs and certificates p256, p384, ed25519 and rsa, the keys made on it."""
    softhsm.folder()
    with pkcs11.lib(str(MODULE)).get_token(token_label="seals").open(rw=True, user_pin=PIN) as session:
        for label, curve in (("p256", "secp256r1"), ("p384", "secp384r1")):
            softhsm.make_ec_key(session, label, curve, certify)
        ed25519_oid = bytes.fromhex("06032b6570")
        parameters = session.create_domain_parameters(
            KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: ed25519_oid}, local=True
        )
        public, _ = parameters.generate_keypair(
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label="ed25519"
        )
        # SubjectPublicKeyInfo of RFC 8410: a fixed head and the 32 bytes of the point.
        head = bytes.fromhex("302a300506032b6570032100")
        store_certificate(session, "ed25519", head + bytes(public[Attribute.EC_POINT])[-32:])
        softhsm.make_rsa_key(session, "rsa", 2048, certify)
        session.generate_keypair(KeyType.RSA, 2048, store=True, label="bare")
        session.create_object(softhsm.certificate_object("issuer", pki().issuing.certificate))
    return "seals"


def certify(key: PublicKeyTypes) -> x509.Certificate:
    """Return what the throw-away authority gives for a public key of the token."""
    return pki().certify(seal_subject(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE), key)


def store_certificate(session: pkcs11.Session, label: str, der: bytes) -> None:
    """Put a certificate for a public key of the token beside it."""
    session.create_object(softhsm.certificate_object(label, certify(load_der_public_key(der))))


@pytest.mark.parametrize("label", ["p256", "p384", "rsa", "ed25519"])
def test_a_key_in_a_token_seals(token: str, label: str) -> None:
    """A key made on the token signs there, and the document sealed with it carries a right signature."""
    with open_pkcs11_signer(MODULE, token, label, PIN) as signer:
        signature = signer.sign(b"data")
        assert signature_matches(signer.certificate, signature, b"data")
        assert len(signature) <= signer.signature_size
        assert signer.chain == (pki().issuing.certificate,)
        assert signer.deterministic == (label == "rsa")
        sealed = seal_document(cleared(unsigned(required_capacity(signer))), signer)
        assert sealed.profile == "B-B"


def test_ecdsa_is_hashed_outside_where_the_token_cannot(token: str) -> None:
    """SoftHSM2 knows only the raw ECDSA mechanism, and the signer uses it."""
    with open_pkcs11_signer(MODULE, token, "p256", PIN) as signer:
        assert signer._mechanism is Mechanism.ECDSA


def test_the_private_key_cannot_be_read(token: str) -> None:
    """The key the signer uses is one the token never gives out."""
    with open_pkcs11_signer(MODULE, token, "p256", PIN) as signer:
        assert signer._key[Attribute.EXTRACTABLE] is False
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            signer._key[Attribute.VALUE]


def test_certificates_may_come_from_a_file(token: str, tmp_path: Path) -> None:
    """A PEM file may bring the certificate; one for another key is refused."""
    with open_pkcs11_signer(MODULE, token, "p256", PIN) as signer:
        certificate = signer.certificate
    file = tmp_path / "c.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    with open_pkcs11_signer(MODULE, token, "p256", PIN, certificates=file) as signer:
        assert (signer.certificate, signer.chain) == (certificate, ())
    file.write_bytes(seal_identity().certificate.public_bytes(Encoding.PEM))
    with pytest.raises(KeyUnavailable, match="do not belong together"):
        open_pkcs11_signer(MODULE, token, "p256", PIN, certificates=file)


@pytest.mark.parametrize(
    ("name", "label", "pin", "words"),
    [
        ("seals", "p256", "000000", "PIN"),
        ("none", "p256", PIN, "no token"),
        ("seals", "none", PIN, "no key pair"),
        ("seals", "bare", PIN, "do not belong together"),
    ],
)
def test_refusals_are_named(token: str, name: str, label: str, pin: str, words: str) -> None:
    """A wrong PIN, an absent token, an absent key and a key without certificate are KeyUnavailable."""
    with pytest.raises(KeyUnavailable, match=words):
        open_pkcs11_signer(MODULE, name, label, pin)


def test_a_missing_module_is_named(tmp_path: Path) -> None:
    """A library that is not there is KeyUnavailable."""
    with pytest.raises(KeyUnavailable, match="module"):
        open_pkcs11_signer(tmp_path / "none.so", "seals", "p256", PIN)


def test_a_closed_token_does_not_answer(token: str) -> None:
    """After close, signing is KeyUnavailable."""
    signer = open_pkcs11_signer(MODULE, token, "p256", PIN)
    signer.close()
    with pytest.raises(KeyUnavailable, match="did not sign"):
        signer.sign(b"data")


def test_a_token_with_the_wrong_key_seals_nothing(token: str) -> None:
    """If the key in the token is not the certificate's, the signature is refused before it leaves the house."""
    with open_pkcs11_signer(MODULE, token, "p256", PIN) as right:
        wrong = Pkcs11Signer(
            right._session, right._key, right._mechanism, seal_identity().certificate, right.chain
        )
        with pytest.raises(SigningError, match="does not fit the certificate"):
            seal_document(cleared(unsigned(required_capacity(wrong))), wrong)
