"""Keys inside a PKCS#11 token. Imported only when asked for: python-pkcs11 is an optional extra."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import NoSuchKey, NoSuchToken, PinIncorrect, PKCS11Error

from elicense.errors import KeyUnavailable
from elicense.pki.keys import SignatureAlgorithm, algorithm_of, chain_of, hash_of

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_HASHING = {
    SignatureAlgorithm.ECDSA_P256: Mechanism.ECDSA_SHA256,
    SignatureAlgorithm.ECDSA_P384: Mechanism.ECDSA_SHA384,
    SignatureAlgorithm.RSA_PKCS1: Mechanism.SHA256_RSA_PKCS,
    SignatureAlgorithm.ED25519: Mechanism.EDDSA,
}
"""Mechanisms that hash inside the token."""


class Pkcs11Signer:
    """A private key inside a token: it signs there and is never read.

    One session serves all threads of one process, one signature at a time; after a fork, open a new signer.
    """

    def __init__(
        self,
        session: pkcs11.Session,
        key: Any,
        mechanism: Mechanism,
        certificate: x509.Certificate,
        chain: tuple[x509.Certificate, ...],
    ) -> None:
        # The stubs of python-pkcs11 know keys without what they can do, so a key is Any here.
        self._session = session
        self._key = key
        self._mechanism = mechanism
        self._lock = threading.Lock()
        self.certificate = certificate
        self.chain = chain
        self.algorithm, self.signature_size = algorithm_of(certificate.public_key())

    @property
    def deterministic(self) -> bool:
        """True for RSA with PKCS #1 v1.5 alone: how a token chooses nonces is its own affair."""
        return self.algorithm is SignatureAlgorithm.RSA_PKCS1

    def sign(self, data: bytes) -> bytes:
        """Return the signature over `data`, made inside the token: DER of (r, s) for ECDSA.

        Raises:
            KeyUnavailable: The token does not sign (removed, session lost, closed).

        Source: PKCS #11 2.40 mechanisms, 2.3.1 for the form of ECDSA signatures.
        """
        if self._mechanism is Mechanism.ECDSA:
            digest = hashes.Hash(hash_of(self.algorithm))
            digest.update(data)
            data = digest.finalize()
        try:
            with self._lock:
                raw = self._key.sign(data, mechanism=self._mechanism)
        except PKCS11Error as error:
            raise KeyUnavailable(
                f"the token did not sign ({type(error).__name__}); check that it is there, open it again",
                f"密码设备未能签名（{type(error).__name__}），请检查设备后重新打开",
            ) from error
        if self.algorithm in {SignatureAlgorithm.ECDSA_P256, SignatureAlgorithm.ECDSA_P384}:
            half = len(raw) // 2
            return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
        return bytes(raw)

    def close(self) -> None:
        """Log out and end the session."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_token(
    module: Path, token: str, label: str, pin: str, certificates: tuple[x509.Certificate, ...]
) -> Pkcs11Signer:
    """Return a signer as `elicense.pki.keys.open_pkcs11_signer` says; no certificates: the token's own."""
    session = _open_session(module, token, pin)
    try:
        key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=label)
        pool = certificates or tuple(
            x509.load_der_x509_certificate(bytes(found[Attribute.VALUE]))
            for found in session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE})
        )
        leaf = _leaf(session, label, pool)
        algorithm, _ = algorithm_of(leaf.public_key())
        mechanism = _mechanism(session.token.slot.get_mechanisms(), algorithm)
        return Pkcs11Signer(session, key, mechanism, leaf, chain_of(leaf, pool))
    except (PKCS11Error, ValueError) as error:
        session.close()
        raise _refusal(error, token, label) from error
    except KeyUnavailable:
        session.close()
        raise


def _open_session(module: Path, token: str, pin: str) -> pkcs11.Session:
    try:
        return pkcs11.lib(str(module)).get_token(token_label=token).open(user_pin=pin)
    except (PKCS11Error, RuntimeError, OSError) as error:
        raise _refusal(error, token, "") from error


def _leaf(session: pkcs11.Session, label: str, pool: tuple[x509.Certificate, ...]) -> x509.Certificate:
    """Return the certificate for the public key that stands beside the private key under the same label."""
    public = session.get_key(object_class=ObjectClass.PUBLIC_KEY, label=label)
    for certificate in pool:
        if _is_key(certificate.public_key(), public):
            return certificate
    raise KeyUnavailable(
        f"key and certificate do not belong together: no certificate is for the key {label} on the token",
        f"密钥与证书不匹配：没有属于设备中密钥 {label} 的证书",
    )


def _is_key(key: PublicKeyTypes, public: Any) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        modulus = int.from_bytes(public[Attribute.MODULUS]) if public.key_type is KeyType.RSA else 0
        return modulus == key.public_numbers().n
    if public.key_type is KeyType.RSA:
        return False
    # Tokens give the point bare or wrapped in an OCTET STRING; both end with it.
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    elif isinstance(key, ed25519.Ed25519PublicKey):
        point = key.public_bytes_raw()
    else:
        return False
    return bytes(public[Attribute.EC_POINT]).endswith(point)


def _mechanism(offered: set[Mechanism], algorithm: SignatureAlgorithm) -> Mechanism:
    """Return how to sign: hashed inside the token where it can, outside for ECDSA where it cannot."""
    if _HASHING[algorithm] in offered:
        return _HASHING[algorithm]
    ecdsa = algorithm in {SignatureAlgorithm.ECDSA_P256, SignatureAlgorithm.ECDSA_P384}
    if ecdsa and Mechanism.ECDSA in offered:
        return Mechanism.ECDSA
    raise KeyUnavailable(
        f"the token cannot sign with this kind of key ({algorithm.name})",
        f"密码设备不支持该类密钥的签名（{algorithm.name}）",
    )


def _refusal(error: Exception, token: str, label: str) -> KeyUnavailable:
    if isinstance(error, PinIncorrect):
        return KeyUnavailable(f"the PIN of the token {token} is wrong", f"密码设备 {token} 的 PIN 错误")
    if isinstance(error, NoSuchToken):
        return KeyUnavailable(f"there is no token with the label {token}", f"没有标签为 {token} 的密码设备")
    if isinstance(error, NoSuchKey):
        return KeyUnavailable(
            f"the token {token} holds no key pair with the label {label}",
            f"密码设备 {token} 中没有标签为 {label} 的密钥对",
        )
    return KeyUnavailable(
        f"the token {token} cannot be opened ({type(error).__name__}); check the module's path and the token",
        f"无法打开密码设备 {token}（{type(error).__name__}），请检查模块路径和设备",
    )
