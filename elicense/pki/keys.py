"""Private keys behind one protocol: PEM, PKCS#12 and PKCS#11; the key never leaves its holder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from elicense.errors import KeyUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

    from elicense.pki.token import Pkcs11Signer

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
"""The kinds of key that may seal."""

RSA_SIZES = (2048, 3072, 4096)
"""Accepted lengths of an RSA modulus in bits."""

_SECRET_LIMIT = 1 << 20
"""Bytes; no key or passphrase file is longer."""


class SignatureAlgorithm(Enum):
    """What the key does to the signed attributes; the digest over the document is the same hash."""

    ECDSA_P256 = ("sha256", "sha256_ecdsa")
    ECDSA_P384 = ("sha384", "sha384_ecdsa")
    RSA_PKCS1 = ("sha256", "sha256_rsa")
    ED25519 = ("sha512", "ed25519")

    # Enum's own is written in Python.
    __hash__ = object.__hash__

    def __init__(self, digest: str, cms_name: str) -> None:
        self.digest = digest
        """Name in hashlib of the document digest. Source: RFC 8419, 3.1 for Ed25519 with SHA-512."""
        self.cms_name = cms_name
        """The name asn1crypto gives to the CMS signature algorithm."""


class Signer(Protocol):
    """Whoever holds one private key and its certificate."""

    @property
    def certificate(self) -> x509.Certificate:
        """The signer's certificate."""

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """Intermediate certificates, issuer of the leaf first, without leaf and anchor."""

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """What `sign` does."""

    @property
    def deterministic(self) -> bool:
        """True if the same data always give the same signature (RFC 6979, PKCS #1 v1.5, Ed25519)."""

    @property
    def signature_size(self) -> int:
        """Largest possible length of a signature in bytes."""

    def sign(self, data: bytes) -> bytes:
        """Return the signature over `data` (hashed inside). Raises KeyUnavailable without an answer."""


@dataclass(frozen=True, slots=True)
class SoftwareSigner:
    """A private key held in this process's memory, loaded once; every signature of it is deterministic.

    Raises KeyUnavailable if the key is not that of the certificate: there is no such signer, so what it signs need
    not be held against the certificate each time.
    """

    certificate: x509.Certificate
    """The signer's certificate; its public key is that of `key`."""
    chain: tuple[x509.Certificate, ...]
    """Intermediate certificates, issuer of the leaf first, without leaf and anchor."""
    algorithm: SignatureAlgorithm
    """What `sign` does."""
    signature_size: int
    """Largest possible length of a signature in bytes."""
    key: PrivateKey = field(repr=False)
    """The private key; never written or shown."""
    deterministic: bool = True
    """Always true: RFC 6979 for ECDSA, PKCS #1 v1.5 for RSA, RFC 8032 for Ed25519."""
    _scheme: tuple[Any, ...] = field(init=False, repr=False, compare=False)
    """What the key's own method takes beside the data."""

    def __post_init__(self) -> None:
        """Hold key and certificate against each other, once."""
        if _spki(self.key.public_key()) != _spki(self.certificate.public_key()):
            raise _not_together()
        object.__setattr__(self, "_scheme", _scheme(self.algorithm))

    def sign(self, data: bytes) -> bytes:
        """Return the signature over `data`. Source: RFC 6979 (DER of r, s); RFC 8017, 8.2; RFC 8032."""
        return self.key.sign(data, *self._scheme)


def software_signer(key: PrivateKeyTypes, certificates: Iterable[x509.Certificate]) -> SoftwareSigner:
    """Return a signer of `key`, its certificate and chain picked out of `certificates` (in any order).

    Raises:
        KeyUnavailable: The kind or length of the key is not allowed, or no certificate belongs to it.
    """
    pool = tuple(certificates)
    algorithm, size = algorithm_of(key.public_key())
    if not isinstance(key, PrivateKey):
        raise _unsupported()
    leaf = _certificate_of(key.public_key(), pool)
    return SoftwareSigner(leaf, chain_of(leaf, pool), algorithm, size, key)


def load_pem_signer(key: Path, certificates: Path, passphrase: bytes | None = None) -> SoftwareSigner:
    """Return a signer of the PEM private key in `key` (PKCS#8, SEC 1 or PKCS#1; encrypted or not).

    Args:
        key: File that only its owner can read.
        certificates: PEM file with the signer's certificate and the intermediates, in any order.
        passphrase: Of an encrypted key; see `passphrase_from`.

    Raises:
        KeyUnavailable: A file cannot be read or is open to others, the passphrase is missing or wrong,
            the key is not allowed, or no certificate belongs to it.
    """
    data = _read_secret(key)
    try:
        private = serialization.load_pem_private_key(data, passphrase)
    except TypeError as error:  # cryptography's way to say "passphrase missing" and "passphrase not needed"
        if passphrase is None:
            raise KeyUnavailable(
                f"the key file {key.name} is encrypted; give its passphrase",
                f"密钥文件 {key.name} 已加密，请提供口令",
            ) from error
        private = _load_unencrypted(key, data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unreadable(key, encrypted=passphrase is not None) from error
    return software_signer(private, read_certificates(certificates))


def load_pkcs12_signer(path: Path, passphrase: bytes | None = None) -> SoftwareSigner:
    """Return a signer of the key in the PKCS#12 file `path`, which also holds its certificates.

    Raises:
        KeyUnavailable: The file cannot be read or is open to others, the passphrase is wrong, it holds
            no key, the key is not allowed, or no certificate belongs to it.
    """
    data = _read_secret(path)
    try:
        bundle = pkcs12.load_pkcs12(data, passphrase)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unreadable(path, encrypted=True) from error
    if bundle.key is None:
        raise KeyUnavailable(
            f"the file {path.name} holds no private key; export it again together with its key",
            f"文件 {path.name} 中没有私钥，请连同私钥重新导出",
        )
    entries = ([bundle.cert] if bundle.cert else []) + bundle.additional_certs
    return software_signer(bundle.key, [entry.certificate for entry in entries])


def open_pkcs11_signer(
    module: Path, token: str, label: str, pin: str, *, certificates: Path | None = None
) -> Pkcs11Signer:
    """Return a signer whose key stays inside a PKCS#11 token; close it, or use it in a with statement.

    Args:
        module: Shared library of the token's maker.
        token: Label of the token.
        label: Label of the private key on it.
        pin: User PIN.
        certificates: PEM file with the certificate and intermediates; None takes those on the token.

    Raises:
        KeyUnavailable: The optional package python-pkcs11 is missing, the library cannot be loaded, there is
            no such token or key, the PIN is wrong, the key is not allowed, or no certificate belongs to it.
    """
    # Imported here because python-pkcs11 is an optional extra.
    try:
        from elicense.pki import token as tokens  # noqa: PLC0415
    except ImportError as error:
        raise KeyUnavailable(
            "PKCS#11 keys need the package python-pkcs11; install elicense[pkcs11]",
            "使用 PKCS#11 密钥需要 python-pkcs11，请安装 elicense[pkcs11]",
        ) from error
    pool = read_certificates(certificates) if certificates else ()
    return tokens.open_token(module, token, label, pin, pool)


def passphrase_from(*, env: str | None = None, file: Path | None = None) -> bytes | None:
    """Return the passphrase kept in the environment variable `env` or in `file`; None if neither is named.

    One line end at the end of the file is not part of the passphrase.

    Raises:
        KeyUnavailable: The variable is not set, or the file cannot be read or is open to others.
    """
    if env is not None:
        value = os.environb.get(os.fsencode(env))
        if value is None:
            raise KeyUnavailable(
                f"the environment variable {env} with the passphrase is not set",
                f"保存口令的环境变量 {env} 未设置",
            )
        return value
    if file is not None:
        return _read_secret(file).removesuffix(b"\n").removesuffix(b"\r")
    return None


def read_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """Return all certificates of the PEM file `path`, in its order.

    Raises:
        KeyUnavailable: The file cannot be read or holds no certificate.
    """
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except OSError as error:
        raise _no_file(path, error) from error
    except ValueError as error:
        raise KeyUnavailable(
            f"the file {path.name} holds no readable PEM certificate",
            f"文件 {path.name} 中没有可读的 PEM 证书",
        ) from error


def algorithm_of(key: PublicKeyTypes) -> tuple[SignatureAlgorithm, int]:
    """Return what a key does when it signs, and the largest length of its signatures in bytes.

    Raises:
        KeyUnavailable: Neither P-256, P-384, RSA of 2048, 3072 or 4096 bits, nor Ed25519.
    """
    if isinstance(key, ec.EllipticCurvePublicKey):
        # DER: SEQUENCE header, and twice INTEGER header + a possible sign byte + the coordinate.
        if key.curve.name == "secp256r1":
            return SignatureAlgorithm.ECDSA_P256, 2 + 2 * (3 + 32)
        if key.curve.name == "secp384r1":
            return SignatureAlgorithm.ECDSA_P384, 2 + 2 * (3 + 48)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in RSA_SIZES:
        return SignatureAlgorithm.RSA_PKCS1, key.key_size // 8
    if isinstance(key, ed25519.Ed25519PublicKey):
        return SignatureAlgorithm.ED25519, 64
    raise _unsupported()


def signature_matches(certificate: x509.Certificate, signature: bytes, data: bytes) -> bool:
    """Return whether the key of `certificate` made `signature` over `data`, by that key's algorithm."""
    key = certificate.public_key()
    algorithm, _ = algorithm_of(key)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(hash_of(algorithm)))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), hash_of(algorithm))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=4096)
def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the certificate's DER as hex, its name in registers and seals."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def common_name(certificate: x509.Certificate) -> str:
    """Return the common name that a certificate gives its subject, or else the whole subject."""
    names = certificate.subject.get_attributes_for_oid(x509.oid.NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def hash_of(algorithm: SignatureAlgorithm) -> hashes.HashAlgorithm:
    """Return the hash that an ECDSA or RSA key signs with."""
    return hashes.SHA384() if algorithm is SignatureAlgorithm.ECDSA_P384 else hashes.SHA256()


def _scheme(algorithm: SignatureAlgorithm) -> tuple[Any, ...]:
    """Return what the private key's method `sign` takes beside the data."""
    if algorithm is SignatureAlgorithm.ED25519:
        return ()
    if algorithm is SignatureAlgorithm.RSA_PKCS1:
        return padding.PKCS1v15(), hash_of(algorithm)
    return (ec.ECDSA(hash_of(algorithm), deterministic_signing=True),)


def _certificate_of(key: PublicKeyTypes, pool: Iterable[x509.Certificate]) -> x509.Certificate:
    spki = _spki(key)
    for certificate in pool:
        if _spki(certificate.public_key()) == spki:
            return certificate
    raise _not_together()


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def chain_of(leaf: x509.Certificate, pool: tuple[x509.Certificate, ...]) -> tuple[x509.Certificate, ...]:
    """Return the intermediates above `leaf` in `pool`; a self-issued certificate is an anchor, left out."""
    chain: list[x509.Certificate] = []
    current = leaf
    while len(chain) < len(pool):
        above = next((c for c in pool if c not in (leaf, *chain) and has_issued(c, current)), None)
        if above is None or above.subject == above.issuer:
            break
        chain.append(above)
        current = above
    return tuple(chain)


def has_issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Return whether the issuer's key signed the certificate in its name; False also where that cannot be told."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _read_secret(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            data = stream.read(_SECRET_LIMIT)
    except OSError as error:
        raise _no_file(path, error) from error
    if mode & 0o077:
        raise KeyUnavailable(
            f"the file {path.name} is open to other users; run: chmod 600 {path}",
            f"文件 {path.name} 可被其他用户访问，请执行：chmod 600 {path}",
        )
    return data


def _load_unencrypted(path: Path, data: bytes) -> PrivateKeyTypes:
    """Load a key that turned out to need no passphrase: asking for one too many is no reason to stop."""
    try:
        return serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unreadable(path, encrypted=False) from error


def _no_file(path: Path, error: OSError) -> KeyUnavailable:
    why = error.strerror or type(error).__name__
    return KeyUnavailable(
        f"the file {path} cannot be read ({why})",
        f"无法读取文件 {path}（{why}）",
    )


def _unreadable(path: Path, *, encrypted: bool) -> KeyUnavailable:
    if encrypted:
        return KeyUnavailable(
            f"the passphrase for {path.name} is wrong or missing, or the file is damaged",
            f"{path.name} 的口令错误或缺失，或文件已损坏",
        )
    return KeyUnavailable(
        f"the file {path.name} holds no readable private key",
        f"文件 {path.name} 中没有可读的私钥",
    )


def _not_together() -> KeyUnavailable:
    return KeyUnavailable(
        "key and certificate do not belong together: none of the certificates is for this private key",
        "密钥与证书不匹配：所给证书均不属于该私钥",
    )


def _unsupported() -> KeyUnavailable:
    return KeyUnavailable(
        "this kind of key may not seal; use P-256, P-384, Ed25519 or RSA with 2048, 3072 or 4096 bits",
        "该类密钥不可用于签章；请使用 P-256、P-384、Ed25519，或 2048、3072、4096 位 RSA",
    )
