"""A throw-away PKI for demonstrations and tests: its keys protect nothing and seal no real licence."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from elicense.pki.keys import PrivateKey, SoftwareSigner, software_signer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

ALGORITHMS = ("p256", "p384", "ed25519", "rsa2048", "rsa3072", "rsa4096")
"""What `make_key` can make."""

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
"""The kinds of key that get a certificate."""

_DAY = timedelta(days=1)


def make_key(algorithm: str = "p256") -> PrivateKey:
    """Return a new private key; `algorithm` is one of ALGORITHMS, or rsaNNNN for tests of refusals."""
    if algorithm == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "p384":
        return ec.generate_private_key(ec.SECP384R1())
    if algorithm == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(algorithm[3:]))
    raise ValueError(f"unknown algorithm {algorithm!r}")


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate together with its private key."""

    certificate: x509.Certificate
    """The certificate."""
    key: PrivateKey = field(repr=False)
    """Its private key."""
    chain: tuple[x509.Certificate, ...] = ()
    """Intermediates, issuer first, without the anchor."""

    def signer(self) -> SoftwareSigner:
        """Return a signer of this key. Raises KeyUnavailable if its kind may not seal."""
        return software_signer(self.key, (self.certificate, *self.chain))

    def write(self, key: Path, certificates: Path) -> None:
        """Write the key (PEM, mode 0600) and the certificates (PEM, leaf first)."""
        write_key(key, self.key)
        certificates.write_bytes(_pem(self.certificate, *self.chain))


@dataclass(frozen=True, slots=True)
class ThrowawayPki:
    """A root, one issuing authority below it, and their revocation lists."""

    at: datetime
    """The moment it was made, UTC."""
    root: Identity
    """Trust anchor, self-signed."""
    issuing: Identity
    """Issues seal and timestamp certificates."""
    crls: tuple[x509.CertificateRevocationList, ...]
    """Of the root, then of the issuing authority; current at `at`."""

    def certify(
        self,
        subject: x509.Name,
        key: PublicKey,
        *,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        timestamping: bool = False,
        extensions: Iterable[tuple[x509.ExtensionType, bool]] | None = None,
    ) -> x509.Certificate:
        """Return a new end-entity certificate for a public key that may lie in a token.

        Args:
            subject: Whom it names.
            key: The public key.
            valid_from: First moment, UTC; a day before `at` unless given.
            valid_until: Last moment, UTC; two years later unless given.
            timestamping: For a timestamp authority instead of a seal.
            extensions: Extension and whether it is critical, instead of the usual key usages.
        """
        start = valid_from or self.at - _DAY
        builder = _builder(subject, self.issuing.certificate, key, start, valid_until or start + 730 * _DAY)
        if extensions is None:
            usage = _usage(digital_signature=True, content_commitment=not timestamping)
            # RFC 3161, 2.3: the purpose of timestamping alone, and critical.
            purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            extensions = [(usage, True), (purpose, True)] if timestamping else [(usage, True)]
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.issuing.key, _hash_for(self.issuing.key))

    def leaf(
        self,
        subject: x509.Name,
        *,
        algorithm: str = "p256",
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        timestamping: bool = False,
        extensions: Iterable[tuple[x509.ExtensionType, bool]] | None = None,
    ) -> Identity:
        """Return a new key of one of ALGORITHMS with its certificate; the rest is as for `certify`."""
        key = make_key(algorithm)
        certificate = self.certify(
            subject,
            key.public_key(),
            valid_from=valid_from,
            valid_until=valid_until,
            timestamping=timestamping,
            extensions=extensions,
        )
        return Identity(certificate, key, (self.issuing.certificate,))

    def seal(
        self,
        number: str,
        organisation: str,
        credit_code: str,
        *,
        algorithm: str = "p256",
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
    ) -> Identity:
        """Return a certificate for the electronic seal `number` (14 digits) of an organisation."""
        subject = seal_subject(number, organisation, credit_code)
        return self.leaf(subject, algorithm=algorithm, valid_from=valid_from, valid_until=valid_until)

    def timestamp_authority(self, *, algorithm: str = "p256") -> Identity:
        """Return a certificate for a timestamp authority."""
        return self.leaf(_name("示例时间戳服务", "示例电子认证机构"), algorithm=algorithm, timestamping=True)

    def with_crls(
        self,
        revoked: Mapping[int, datetime] | None = None,
        *,
        at: datetime | None = None,
        days: float = 365,
        reason: x509.ReasonFlags = x509.ReasonFlags.cessation_of_operation,
    ) -> ThrowawayPki:
        """Return the same PKI with new lists made at `at`; `revoked` is serial number -> moment, for both."""
        crls = tuple(
            _crl(issuer, revoked or {}, at or self.at, days, reason) for issuer in (self.root, self.issuing)
        )
        return replace(self, crls=crls)

    def write(self, folder: Path) -> None:
        """Write anchors.pem, intermediates.pem, crls.pem and both private keys (mode 0600) into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "anchors.pem").write_bytes(_pem(self.root.certificate))
        (folder / "intermediates.pem").write_bytes(_pem(self.issuing.certificate))
        crls = [crl.public_bytes(serialization.Encoding.PEM) for crl in self.crls]
        (folder / "crls.pem").write_bytes(b"".join(crls))
        write_key(folder / "root.key.pem", self.root.key)
        write_key(folder / "issuing.key.pem", self.issuing.key)


def seal_subject(number: str, organisation: str, credit_code: str) -> x509.Name:
    """Return the subject of a seal certificate: CN is the seal number, O credit code and organisation."""
    return _name(number, f"{credit_code} {organisation}")


def make_pki(
    *, at: datetime, algorithm: str = "p256", crl_days: float = 365, years: int = 20
) -> ThrowawayPki:
    """Return a new PKI, its authorities valid from a year before `at` for `years`, its lists empty.

    Args:
        at: The moment it is made, UTC.
        algorithm: Kind of the authorities' keys, one of ALGORITHMS.
        crl_days: How long the first lists stay current, in days.
        years: Life of the root; the issuing authority lives one year less.
    """
    start = at - 365 * _DAY
    root_name = _name("示例根证书机构（演示）", "示例电子认证机构")
    root_key = make_key(algorithm)
    builder = _builder(root_name, None, root_key.public_key(), start, start + years * 365 * _DAY)
    root = Identity(_authority(builder, path_length=1, key=root_key), root_key)
    issuing_key = make_key(algorithm)
    builder = _builder(
        _name("示例印章签发机构（演示）", "示例电子认证机构"),
        root.certificate,
        issuing_key.public_key(),
        start,
        start + (years - 1) * 365 * _DAY,
    )
    issuing = Identity(_authority(builder, path_length=0, key=root_key), issuing_key)
    return ThrowawayPki(at, root, issuing, ()).with_crls(at=at, days=crl_days)


def load_pki(folder: Path, *, at: datetime) -> ThrowawayPki:
    """Return the PKI that `ThrowawayPki.write` left in `folder`, with `at` as its moment."""
    authorities = []
    for file, key in (("anchors.pem", "root.key.pem"), ("intermediates.pem", "issuing.key.pem")):
        certificate = x509.load_pem_x509_certificate((folder / file).read_bytes())
        private = serialization.load_pem_private_key((folder / key).read_bytes(), None)
        if not isinstance(private, PrivateKey):
            raise TypeError(f"{key} is not a key that make_pki makes")
        authorities.append(Identity(certificate, private))
    crls = tuple(
        x509.load_pem_x509_crl(part + _CRL_END)
        for part in (folder / "crls.pem").read_bytes().split(_CRL_END)
        if part.strip()
    )
    return ThrowawayPki(at, authorities[0], authorities[1], crls)


_CRL_END = b"-----END X509 CRL-----"


def write_key(path: Path, key: PrivateKey, passphrase: bytes | None = None) -> None:
    """Write `key` as PKCS#8 PEM that only its owner can read, encrypted if a passphrase is given."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    data = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(data)


def _pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates)


def _name(common_name: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Certificate | None, key: PublicKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    """Return a certificate with names, key, period and both key identifiers; no issuer is self-signed."""
    issuer_key = issuer.public_key() if issuer else key
    if not isinstance(issuer_key, PublicKey):
        raise TypeError("the issuer's key is of a kind that make_pki never makes")
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _authority(builder: x509.CertificateBuilder, *, path_length: int, key: PrivateKey) -> x509.Certificate:
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return builder.sign(key, _hash_for(key))


def _crl(
    issuer: Identity, revoked: Mapping[int, datetime], at: datetime, days: float, reason: x509.ReasonFlags
) -> x509.CertificateRevocationList:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(at)
        .next_update(at + days * _DAY)
        .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            ),
            critical=False,
        )
    )
    for serial, moment in revoked.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment)
        builder = builder.add_revoked_certificate(
            entry.add_extension(x509.CRLReason(reason), critical=False).build()
        )
    return builder.sign(issuer.key, _hash_for(issuer.key))


def _hash_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | None:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size == 384:
        return hashes.SHA384()
    return hashes.SHA256()


def _usage(**chosen: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: chosen.get(name, False) for name in names})
