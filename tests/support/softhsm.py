"""SoftHSM2 tokens for the tests of one process: the library reads its configuration once, so all share one folder."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pkcs11
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from pkcs11 import Attribute, KeyType, ObjectClass
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import encode_rsa_public_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "271828"
TOKENS = ("seals", "office")
"""Labels of the tokens, empty at first."""
INSTALLED = MODULE.exists() and shutil.which("softhsm2-util") is not None
"""Whether there is anything to test with."""


@cache
def folder() -> Path:
    """Return the folder the tokens lie in, made now; it is gone when the process ends."""
    home = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    tokens = home / "tokens"
    tokens.mkdir()
    config = home / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(config)
    for label in TOKENS:
        subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", PIN],
            check=True, capture_output=True, timeout=20,
        )  # fmt: skip
    return tokens


def certificate_object(label: str, certificate: x509.Certificate) -> dict[Attribute, object]:
    """Return the attributes of a certificate object."""
    return {
        Attribute.CLASS: ObjectClass.CERTIFICATE,
        Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
        Attribute.TOKEN: True,
        Attribute.LABEL: label,
        Attribute.SUBJECT: b"",
        Attribute.VALUE: certificate.public_bytes(Encoding.DER),
    }


def make_ec_key(
    session: pkcs11.Session, label: str, curve: str, certify: Callable[[PublicKeyTypes], x509.Certificate]
) -> None:
    """Have the token make a key pair on a named curve, and put the certificate that `certify` gives beside it."""
    parameters = session.create_domain_parameters(
        KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}, local=True
    )
    public, _ = parameters.generate_keypair(store=True, label=label)
    certificate = certify(load_der_public_key(encode_ec_public_key(public)))
    session.create_object(certificate_object(label, certificate))


def make_rsa_key(
    session: pkcs11.Session, label: str, bits: int, certify: Callable[[PublicKeyTypes], x509.Certificate]
) -> None:
    """Have the token make an RSA key pair, and put the certificate that `certify` gives beside it."""
    public, _ = session.generate_keypair(KeyType.RSA, bits, store=True, label=label)
    certificate = certify(load_der_public_key(encode_rsa_public_key(public)))
    session.create_object(certificate_object(label, certificate))
