"""Look-alikes: who attacks here owns a certification authority of the same names, or is another, honest authority."""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from elicense.pki.keys import fingerprint
from elicense.pki.throwaway import Identity, make_key, make_pki
from elicense.pki.trust import TrustEntry, TrustStore
from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.vectors.registry import Vector, forgery


@cache
def _stranger_pki():  # type: ignore[no-untyped-def]
    """Return a certification authority with the same names as the trusted one."""
    return make_pki(at=d.AT)


@cache
def _many(number: int) -> x509.Certificate:
    return _stranger_pki().leaf(_name(f"stranger {number}")).certificate


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _roomy(subject: str, capacity: int) -> bytes:
    """Return the licence, sealed by its own authority, with a gap for `capacity` bytes."""
    data = d.licence(subject)
    start, end = d.gap(data)
    wide = d.framed(data[: start + 1] + b"00" * capacity + data[end - 1 :])
    return d.sealed(wide, d.keeper(subject).signer)


def _twin(subject: str) -> Identity:
    """Return a certificate of the stranger's authority with subject and serial number of the genuine one."""
    genuine, issuer = d.keeper(subject).signer.certificate, _stranger_pki().issuing
    key = make_key()
    builder = x509.CertificateBuilder(issuer.certificate.subject, genuine.subject, key.public_key())
    builder = builder.serial_number(genuine.serial_number)
    builder = builder.not_valid_before(genuine.not_valid_before_utc)
    builder = builder.not_valid_after(genuine.not_valid_after_utc)
    for extension in genuine.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    certificate = builder.sign(issuer.key, hashes.SHA256())
    return Identity(certificate, key, (issuer.certificate,))


@forgery(*d.SINGLE)
def twin_certificate(subject: str) -> Vector:
    return s.against(d.sealed(d.licence(subject), _twin(subject).signer()))


@forgery(*d.SINGLE)
def twin_with_the_genuine_chain(subject: str) -> Vector:
    identity = replace(_twin(subject), chain=(d.pki().issuing.certificate,))
    return s.against(d.sealed(d.licence(subject), identity.signer()))


@forgery(*d.SINGLE)
def twin_beside_the_genuine_certificate(subject: str) -> Vector:
    identity = replace(_twin(subject), chain=(d.keeper(subject).signer.certificate, *_twin(subject).chain))
    return s.against(d.sealed(_roomy(subject, 4096), identity.signer()))


@forgery(*d.SINGLE)
def genuine_certificate_with_a_foreign_signature(subject: str) -> Vector:
    data = d.licence(subject)
    foreign = cms.ContentInfo.load(d.signed_data(d.sealed(data, _twin(subject).signer())))
    content = cms.ContentInfo.load(d.signed_data(data))
    value = foreign["content"]["signer_infos"][0]["signature"].native
    content["content"]["signer_infos"][0]["signature"] = value
    return s.against(d.with_signed_data(data, content.dump(force=True)))


@forgery(*d.SINGLE)
def citizen_plays_authority(subject: str) -> Vector:
    issuer = d.pki().leaf(_name("示例市民"))
    key = make_key()
    builder = x509.CertificateBuilder(issuer.certificate.subject, _name("示例机关"), key.public_key(), 77)
    builder = builder.not_valid_before(d.AT - timedelta(days=1)).not_valid_after(d.AT + timedelta(days=9))
    usage = d.keeper(subject).signer.certificate.extensions.get_extension_for_class(x509.KeyUsage)
    certificate = builder.add_extension(usage.value, critical=True).sign(issuer.key, hashes.SHA256())
    identity = Identity(certificate, key, (issuer.certificate, *issuer.chain))
    return s.against(d.sealed(_roomy(subject, 4096), identity.signer()))


@forgery(*d.SINGLE)
def unlisted_certificate_of_the_right_name(subject: str) -> Vector:
    keeper = d.keeper(subject)
    identity = d.pki().seal(keeper.seal.number, keeper.authority.name, keeper.authority.code)
    return s.against(d.sealed(d.licence(subject), identity.signer()))


@forgery(*d.SINGLE)
def timestamp_key_seals(subject: str) -> Vector:
    return s.against(d.sealed(d.licence(subject), d.pki().timestamp_authority().signer()))


@forgery(*d.SLUGS)
def key_of_sixteen_thousand_bits(subject: str) -> Vector:
    content = cms.ContentInfo.load(d.signed_data(_roomy(subject, 8192)))
    signed, issuer = content["content"], _stranger_pki().issuing
    huge = rsa.RSAPublicNumbers(65537, (1 << 16383) + 1).public_key()
    builder = x509.CertificateBuilder(issuer.certificate.subject, _name("大"), huge, 9)
    builder = builder.not_valid_before(d.AT).not_valid_after(d.AT + timedelta(days=1))
    der = builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)
    signer = signed["signer_infos"][0]
    item = asn1_x509.Certificate.load(der)
    signed["certificates"] = [cms.CertificateChoices({"certificate": item})]
    attributes = signer["signed_attrs"]
    for attribute in attributes:
        if attribute["type"].native == "signing_certificate_v2":
            attribute["values"][0]["certs"][0]["cert_hash"] = item.sha256
            del attribute["values"][0]["certs"][0]["issuer_serial"]
    signer["sid"] = cms.SignerIdentifier(
        {"issuer_and_serial_number": {"issuer": item.issuer, "serial_number": item.serial_number}}
    )
    return s.against(d.with_signed_data(_roomy(subject, 8192), content.dump(force=True)))


@forgery(*d.SINGLE)
def addresses_to_fetch_from(subject: str) -> Vector:
    return s.against(d.sealed(d.licence(subject), fetching_identity("http://127.0.0.1:9/").signer()))


def fetching_identity(address: str) -> Identity:
    """Return a certificate of the trusted CA that names `address` wherever a certificate can."""
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(address)], None, None, None)
    access = [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(address))
        for method in (
            x509.oid.AuthorityInformationAccessOID.OCSP,
            x509.oid.AuthorityInformationAccessOID.CA_ISSUERS,
        )
    ]
    usage = d.keeper(d.SLUGS[0]).signer.certificate.extensions.get_extension_for_class(x509.KeyUsage)
    extensions = [
        (usage.value, True),
        (x509.CRLDistributionPoints([point]), False),
        (x509.FreshestCRL([point]), False),
        (x509.AuthorityInformationAccess(access), False),
    ]
    return d.pki().leaf(_name("示例机关"), extensions=extensions)


@forgery(*d.SLUGS)
def certificates_without_number(subject: str) -> Vector:
    strangers = [_stranger_pki().root.certificate, _stranger_pki().issuing.certificate]
    strangers += [_many(number) for number in range(38)]
    data = _roomy(subject, 32_000)
    content = cms.ContentInfo.load(d.signed_data(data))
    for certificate in strangers:
        item = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
        content["content"]["certificates"].append(cms.CertificateChoices({"certificate": item}))
    return s.against(d.with_signed_data(data, content.dump(force=True)))


# --- A second authority of the same register, and rights that ended ---


@forgery(*d.SINGLE)
def second_authority_seals_the_same_bytes(subject: str) -> Vector:
    return s.against(d.sealed(d.licence(subject), d.stranger(subject).signer))


@forgery(*d.SINGLE)
def second_authority_issues_in_its_own_code_but_the_others_name(subject: str) -> Vector:
    keeper = d.stranger(subject)
    data = d.made(subject, keeper, code=keeper.authority.code)
    every = tuple(one.type_code for one in d.office().catalogue.types)
    entries = tuple(replace(one, type_codes=every) for one in d.trust().register or ())
    return Vector(data, replace(d.trust(), register=entries), d.AT)


@forgery(*d.TYPES)
def seal_for_another_type(subject: str) -> Vector:
    own = d.keeper(subject)
    code = next(one.type_code for one in d.office().catalogue.types if one.slug != subject)
    return Vector(d.licence(subject), _with_entry(own.signer.certificate, type_codes=(code,)), d.AT)


@forgery(*d.SINGLE)
def right_ended_and_the_claim_lies_before(subject: str) -> Vector:
    keeper = d.keeper(subject)
    ended = d.AT - timedelta(minutes=30)
    data = d.made(subject, keeper, backdated=d.AT - timedelta(hours=1))
    return Vector(data, _with_entry(keeper.signer.certificate, valid_until=ended), d.AT)


@forgery(*d.TYPES)
def register_without_entries(subject: str) -> Vector:
    return Vector(d.licence(subject), replace(d.trust(), register=()), d.AT)


def _with_entry(certificate: x509.Certificate, **changes: object) -> TrustStore:
    """Return the trust with the certificate's line changed; its right begins a year ago."""

    def changed(one: TrustEntry) -> TrustEntry:
        if one.certificate != fingerprint(certificate):
            return one
        return replace(one, **{"valid_from": d.AT - timedelta(days=365), **changes})

    return replace(d.trust(), register=tuple(map(changed, d.trust().register or ())))
