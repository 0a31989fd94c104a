"""Keys from PEM and PKCS#12 files: what opens, what is refused, and in which words."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st

from elicense.errors import KeyUnavailable
from elicense.pki.keys import (
    SignatureAlgorithm,
    algorithm_of,
    fingerprint,
    load_pem_signer,
    load_pkcs12_signer,
    passphrase_from,
    signature_matches,
    software_signer,
)
from elicense.pki.throwaway import ALGORITHMS, write_key
from tests.support.pki import pki, seal_identity, seal_signer

if TYPE_CHECKING:
    from pathlib import Path

EXPECTED = {
    "p256": (SignatureAlgorithm.ECDSA_P256, "sha256"),
    "p384": (SignatureAlgorithm.ECDSA_P384, "sha384"),
    "ed25519": (SignatureAlgorithm.ED25519, "sha512"),
    "rsa2048": (SignatureAlgorithm.RSA_PKCS1, "sha256"),
    "rsa3072": (SignatureAlgorithm.RSA_PKCS1, "sha256"),
    "rsa4096": (SignatureAlgorithm.RSA_PKCS1, "sha256"),
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A key file and a certificate file of the usual kind."""
    key, certificates = tmp_path / "seal.key.pem", tmp_path / "seal.pem"
    seal_identity().write(key, certificates)
    return key, certificates


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_kind_of_key_signs(algorithm: str) -> None:
    """A signature is right for its data and wrong for other data, fits its stated size and is deterministic."""
    signer = seal_signer(algorithm)
    signature = signer.sign(b"data")
    assert (signer.algorithm, signer.algorithm.digest) == EXPECTED[algorithm]
    assert signer.deterministic
    assert signature == signer.sign(b"data")
    assert len(signature) <= signer.signature_size
    assert signature_matches(signer.certificate, signature, b"data")
    assert not signature_matches(signer.certificate, signature, b"date")


def test_ecdsa_follows_rfc_6979() -> None:
    """With the key of RFC 6979, A.2.5, the signature over "sample" has the r and s printed there."""
    number = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    key = ec.derive_private_key(number, ec.SECP256R1())
    certificate = pki().certify(seal_identity().certificate.subject, key.public_key())
    signer = type(seal_signer())(certificate, (), SignatureAlgorithm.ECDSA_P256, 72, key)
    signature = signer.sign(b"sample").hex()
    assert "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716" in signature
    assert "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8" in signature


@given(st.binary(max_size=300))
def test_an_ecdsa_signature_never_exceeds_its_size(data: bytes) -> None:
    """Whatever the data, the DER of r and s fits into signature_size."""
    signer = seal_signer()
    assert len(signer.sign(data)) <= signer.signature_size


@pytest.mark.parametrize("algorithm", ["p256", "p384", "ed25519", "rsa2048"])
def test_pem_files_open(algorithm: str, tmp_path: Path) -> None:
    """A PEM key with its certificates becomes a signer with its chain, whatever their order in the file."""
    identity = seal_identity(algorithm)
    key, certificates = tmp_path / "k.pem", tmp_path / "c.pem"
    write_key(key, identity.key)
    everything = (pki().root.certificate, pki().issuing.certificate, identity.certificate)
    certificates.write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in everything))
    signer = load_pem_signer(key, certificates)
    assert signer.certificate == identity.certificate
    assert signer.chain == (pki().issuing.certificate,)
    assert signer.sign(b"x") == seal_signer(algorithm).sign(b"x")


@pytest.mark.parametrize("kind", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_encrypted_pem_opens_with_its_passphrase(files: tuple[Path, Path], kind: PrivateFormat) -> None:
    """Encrypted keys, in PKCS#8 and in the older form, open with their passphrase."""
    key, certificates = files
    key.write_bytes(seal_identity().key.private_bytes(Encoding.PEM, kind, BestAvailableEncryption(b"open")))
    assert load_pem_signer(key, certificates, b"open").certificate == seal_identity().certificate


def test_a_passphrase_too_many_does_no_harm(files: tuple[Path, Path]) -> None:
    """An unencrypted key opens although a passphrase was given."""
    assert load_pem_signer(*files, b"unneeded").sign(b"x")


@pytest.mark.parametrize(("given_phrase", "words"), [(None, "is encrypted"), (b"wrong", "wrong or missing")])
def test_a_wrong_passphrase_is_said_in_plain_words(
    files: tuple[Path, Path], given_phrase: bytes | None, words: str
) -> None:
    """Without its passphrase, or with another, an encrypted key is KeyUnavailable in both languages."""
    key, certificates = files
    write_key(key, seal_identity().key, b"open")
    with pytest.raises(KeyUnavailable, match=words) as caught:
        load_pem_signer(key, certificates, given_phrase)
    assert "口令" in caught.value.zh
    assert key.name in caught.value.zh


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_open_to_others_is_refused(files: tuple[Path, Path], mode: int) -> None:
    """A key file that group or others can touch is refused with the command that mends it."""
    key, certificates = files
    key.chmod(mode)
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        load_pem_signer(key, certificates)


def test_missing_and_damaged_files_are_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    """An absent key, an absent certificate, a damaged key and a damaged certificate are KeyUnavailable."""
    key, certificates = files
    junk = tmp_path / "junk.pem"
    junk.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    junk.chmod(0o600)
    for key_file, certificate_file in (
        (tmp_path / "none", certificates),
        (key, tmp_path / "none"),
        (junk, certificates),
        (key, junk),
        (tmp_path, certificates),
    ):
        with pytest.raises(KeyUnavailable):
            load_pem_signer(key_file, certificate_file)


def test_key_and_certificate_must_belong_together(files: tuple[Path, Path]) -> None:
    """A key is not loaded with somebody else's certificate."""
    key, certificates = files
    certificates.write_bytes(seal_identity("p384").certificate.public_bytes(Encoding.PEM))
    with pytest.raises(KeyUnavailable, match="do not belong together"):
        load_pem_signer(key, certificates)


def test_weak_and_unknown_keys_are_refused() -> None:
    """RSA of 1024 or 2050 bits, P-521, secp256k1 and Ed448 may not seal."""
    for key in (
        rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505 - to be refused
        rsa.generate_private_key(public_exponent=65537, key_size=2050),
        ec.generate_private_key(ec.SECP521R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed448.Ed448PrivateKey.generate(),
    ):
        with pytest.raises(KeyUnavailable, match="may not seal"):
            software_signer(key, [])


def write_pkcs12(path: Path, passphrase: bytes | None, algorithm: str = "p256") -> None:
    """Write a PKCS#12 file as a certification authority would hand it out."""
    identity = seal_identity(algorithm)
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    chain = [pki().issuing.certificate, pki().root.certificate]
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"seal", identity.key, identity.certificate, chain, encryption)
    )
    path.chmod(0o600)


@pytest.mark.parametrize("algorithm", ["p256", "p384", "ed25519", "rsa2048"])
def test_pkcs12_opens(algorithm: str, tmp_path: Path) -> None:
    """A PKCS#12 file gives the same signer as the PEM files."""
    path = tmp_path / "seal.p12"
    write_pkcs12(path, "口令".encode(), algorithm)
    signer = load_pkcs12_signer(path, "口令".encode())
    assert (signer.certificate, signer.chain) == (
        seal_identity(algorithm).certificate,
        (pki().issuing.certificate,),
    )
    assert signer.sign(b"x") == seal_signer(algorithm).sign(b"x")


def test_pkcs12_without_passphrase_opens(tmp_path: Path) -> None:
    """An unencrypted PKCS#12 file opens without a passphrase."""
    path = tmp_path / "seal.p12"
    write_pkcs12(path, None)
    assert load_pkcs12_signer(path).sign(b"x")


@pytest.mark.parametrize("passphrase", [None, b"", b"wrong"])
def test_pkcs12_with_a_wrong_passphrase_is_refused(tmp_path: Path, passphrase: bytes | None) -> None:
    """A wrong, empty or absent passphrase is KeyUnavailable, and nothing but that."""
    path = tmp_path / "seal.p12"
    write_pkcs12(path, b"right")
    with pytest.raises(KeyUnavailable, match="wrong or missing"):
        load_pkcs12_signer(path, passphrase)


def test_pkcs12_without_a_key_is_refused(tmp_path: Path) -> None:
    """A PKCS#12 file that holds certificates alone is refused."""
    path = tmp_path / "seal.p12"
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(None, None, seal_identity().certificate, None, NoEncryption())
    )
    path.chmod(0o600)
    with pytest.raises(KeyUnavailable, match="no private key"):
        load_pkcs12_signer(path)


@given(st.binary(max_size=60))
def test_damaged_pkcs12_is_refused(junk: bytes) -> None:
    """Whatever bytes stand in the file, the answer is KeyUnavailable."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "junk.p12"
        path.write_bytes(junk)
        path.chmod(0o600)
        with pytest.raises(KeyUnavailable):
            load_pkcs12_signer(path, b"any")


def test_passphrases_come_from_environment_or_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The passphrase is the variable's value, or the file's content without its last line end."""
    monkeypatch.setenv("SEAL_PASSPHRASE", "口令 ")
    assert passphrase_from(env="SEAL_PASSPHRASE") == "口令 ".encode()
    file = tmp_path / "phrase"
    for content in (b"secret", b"secret\n", b"secret\r\n"):
        file.write_bytes(content)
        file.chmod(0o600)
        assert passphrase_from(file=file) == b"secret"
    assert passphrase_from() is None


def test_absent_passphrases_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set and a file open to others are KeyUnavailable."""
    monkeypatch.delenv("SEAL_PASSPHRASE", raising=False)
    with pytest.raises(KeyUnavailable, match="SEAL_PASSPHRASE"):
        passphrase_from(env="SEAL_PASSPHRASE")
    file = tmp_path / "phrase"
    file.write_bytes(b"secret")
    file.chmod(0o644)
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        passphrase_from(file=file)


def test_a_signer_never_shows_its_key() -> None:
    """The representation of a signer and of an identity holds no private key."""
    assert "Private" not in repr(seal_signer())
    assert "Private" not in repr(seal_identity())


def test_a_fingerprint_is_the_hash_of_the_der() -> None:
    """Certificates are named by the SHA-256 of their DER."""
    certificate = seal_identity().certificate
    assert fingerprint(certificate) == hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    assert fingerprint(certificate) == certificate.fingerprint(hashes.SHA256()).hex()


def test_sizes_are_upper_bounds() -> None:
    """The stated sizes are those of the longest DER of two numbers of the curve's length."""
    assert algorithm_of(seal_identity("p256").key.public_key())[1] == 72
    assert algorithm_of(seal_identity("p384").key.public_key())[1] == 104
