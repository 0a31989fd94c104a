"""The throw-away PKI: what it makes is what a real one would make, and its keys are private."""

from __future__ import annotations

import stat
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from elicense.pki.throwaway import load_pki, make_key, make_pki, write_key
from tests.support.pki import AT, AUTHORITY, AUTHORITY_CODE, SEAL_NUMBER, pki, seal_identity, tsa_identity

if TYPE_CHECKING:
    from pathlib import Path


def test_a_seal_certificate_names_seal_and_organisation() -> None:
    """CN is the seal number, O the credit code and the organisation; it may sign and is no authority."""
    certificate = seal_identity().certificate
    names = {attribute.oid: attribute.value for attribute in certificate.subject}
    assert names[x509.oid.NameOID.COMMON_NAME] == SEAL_NUMBER
    assert names[x509.oid.NameOID.ORGANIZATION_NAME] == f"{AUTHORITY_CODE} {AUTHORITY}"
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert not usage.key_cert_sign
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.BasicConstraints)


def test_the_authorities_are_limited() -> None:
    """The root allows one authority below it, the issuing authority none."""
    lengths = [
        identity.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
        for identity in (pki().root, pki().issuing)
    ]
    assert lengths == [1, 0]


def test_the_lists_are_current() -> None:
    """Both lists are signed by their issuers, empty and current for a year."""
    for crl, issuer in zip(pki().crls, (pki().root, pki().issuing), strict=True):
        assert crl.is_signature_valid(issuer.certificate.public_key())
        assert (crl.last_update_utc, crl.next_update_utc) == (AT, AT + timedelta(days=365))
        assert len(crl) == 0


def test_a_written_pki_is_read_back(tmp_path: Path) -> None:
    """What was written can be loaded and goes on issuing; private keys are readable by their owner alone."""
    pki().write(tmp_path)
    again = load_pki(tmp_path, at=AT)
    assert (again.root.certificate, again.issuing.certificate) == (
        pki().root.certificate,
        pki().issuing.certificate,
    )
    assert again.crls == pki().crls
    again.seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE).certificate.verify_directly_issued_by(
        pki().issuing.certificate
    )
    for key in tmp_path.glob("*.key.pem"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_key_file_is_replaced_privately(tmp_path: Path) -> None:
    """Writing over a file that others may read leaves a private file with the new key."""
    path = tmp_path / "k.pem"
    path.write_text("old")
    path.chmod(0o644)
    write_key(path, seal_identity().key, b"open")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_pem_private_key(path.read_bytes(), b"open").private_numbers() == (
        seal_identity().key.private_numbers()
    )


def test_every_pki_is_another() -> None:
    """Two PKIs share no key and no serial number."""
    other = make_pki(at=AT)
    assert other.root.certificate.public_key() != pki().root.certificate.public_key()
    assert other.root.certificate.serial_number != pki().root.certificate.serial_number


def test_a_timestamp_authority_may_only_stamp() -> None:
    """Its extended key usage is timestamping alone, and critical."""
    extension = tsa_identity().certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert extension.critical
    assert list(extension.value) == [x509.oid.ExtendedKeyUsageOID.TIME_STAMPING]


def test_unknown_algorithms_are_refused() -> None:
    """make_key knows only its own names."""
    with pytest.raises(ValueError, match="unknown"):
        make_key("sm2")
