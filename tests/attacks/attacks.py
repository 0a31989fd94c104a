"""Attacks on the verifier, one function each: its docstring names the attack and ends with the verdict expected.

Whoever attacks here holds no key of the licence's authority, unless the docstring says so: he may change bytes,
own a certification authority of the same names, or be a second, honest authority of the same trust register.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from asn1crypto import algos, cms
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

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Attack:
    """One file and the circumstances of its verification."""

    data: bytes
    trust: TrustStore
    at: datetime = d.AT


ATTACKS: dict[str, Callable[[str], Attack]] = {}
_VERDICT = re.compile(r"([A-Z_]+)/([A-Za-z_]+)\.$")


def attack(make: Callable[[str], Attack]) -> Callable[[str], Attack]:
    """Register an attack under its function's name, with hyphens."""
    ATTACKS[make.__name__.replace("_", "-")] = make
    return make


def expected(name: str) -> tuple[str, str]:
    """Return the indication and sub-indication that an attack's docstring ends with."""
    found = _VERDICT.search((ATTACKS[name].__doc__ or "").strip())
    assert found is not None, name
    return found[1], found[2]


def against(data: bytes) -> Attack:
    """Return the file as a verifier of the demonstration meets it."""
    return Attack(data, d.trust())


# --- The seal written anew: the same covered bytes and signature, another file ---


def _rewritten(slug: str, change: Callable[[cms.SignedData], None]) -> Attack:
    content = cms.ContentInfo.load(d.signed_data(d.licence(slug)))
    change(content["content"])
    return against(d.with_signed_data(d.licence(slug), content.dump(force=True)))


@attack
def other_root_of_the_same_equation(slug: str) -> Attack:
    """The ECDSA value s becomes n - s, which every library accepts: nothing is forged. TOTAL_PASSED/None."""

    def change(signed: cms.SignedData) -> None:
        signer = signed["signer_infos"][0]
        value = algos.DSASignature.load(signer["signature"].native)
        other = {"r": value["r"].native, "s": P256_ORDER - value["s"].native}
        signer["signature"] = algos.DSASignature(other).dump()

    return _rewritten(slug, change)


@attack
def anchor_slipped_in(slug: str) -> Attack:
    """The trusted root is put among the certificates: known to all, nothing is forged. TOTAL_PASSED/None."""
    root = asn1_x509.Certificate.load(d.trust().anchors[0].public_bytes(Encoding.DER))
    return _rewritten(
        slug, lambda signed: signed["certificates"].append(cms.CertificateChoices({"certificate": root}))
    )


@attack
def signer_named_by_any_bytes_of_its_certificate(slug: str) -> Attack:
    """The signer's name becomes a key identifier of arbitrary bytes. INDETERMINATE/NO_SIGNING_CERTIFICATE_FOUND."""

    def change(signed: cms.SignedData) -> None:
        signer = signed["signer_infos"][0]
        certificate = d.keeper(slug).signer.certificate.public_bytes(Encoding.DER)
        signer["sid"] = cms.SignerIdentifier({"subject_key_identifier": certificate[40:60]})
        signer["version"] = "v3"

    return _rewritten(slug, change)


@attack
def second_signer(slug: str) -> Attack:
    """The only signer info is written twice. INDETERMINATE/SIG_CONSTRAINTS_FAILURE."""

    def change(signed: cms.SignedData) -> None:
        one = signed["signer_infos"][0]
        signed["signer_infos"] = cms.SignerInfos([one, one.copy()])

    return _rewritten(slug, change)


@attack
def unsigned_attribute_of_any_kind(slug: str) -> Attack:
    """A counter-signature that says anything rides along unsigned. INDETERMINATE/SIG_CONSTRAINTS_FAILURE."""

    def change(signed: cms.SignedData) -> None:
        attribute = cms.CMSAttribute({"type": "1.2.3.4", "values": []})
        signed["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes([attribute])

    return _rewritten(slug, change)


@attack
def algorithm_downgraded(slug: str) -> Attack:
    """The digest is said to be SHA-1. INDETERMINATE/CRYPTO_CONSTRAINTS_FAILURE."""

    def change(signed: cms.SignedData) -> None:
        sha1 = algos.DigestAlgorithm({"algorithm": "sha1"})
        signed["digest_algorithms"] = [sha1]
        signed["signer_infos"][0]["digest_algorithm"] = sha1

    return _rewritten(slug, change)


@attack
def signature_on_nothing(slug: str) -> Attack:
    """R = s = 0, which careless verifiers take for any message. TOTAL_FAILED/SIG_CRYPTO_FAILURE."""

    def change(signed: cms.SignedData) -> None:
        signed["signer_infos"][0]["signature"] = algos.DSASignature({"r": 0, "s": 0}).dump()

    return _rewritten(slug, change)


@attack
def certificates_without_number(slug: str) -> Attack:
    """Forty further certificates, all of strangers. INDETERMINATE/CERTIFICATE_CHAIN_GENERAL_FAILURE."""
    strangers = [_stranger_pki().root.certificate, _stranger_pki().issuing.certificate]
    strangers += [_many(number) for number in range(38)]
    data = _roomy(slug, 32_000)
    content = cms.ContentInfo.load(d.signed_data(data))
    for certificate in strangers:
        item = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
        content["content"]["certificates"].append(cms.CertificateChoices({"certificate": item}))
    return against(d.with_signed_data(data, content.dump(force=True)))


# --- Look-alikes ---


@cache
def _stranger_pki():  # type: ignore[no-untyped-def]
    """Return a certification authority with the same names as the trusted one."""
    return make_pki(at=d.AT)


@cache
def _many(number: int) -> x509.Certificate:
    return _stranger_pki().leaf(_name(f"stranger {number}")).certificate


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _roomy(slug: str, capacity: int) -> bytes:
    """Return the licence, sealed by its own authority, with a gap for `capacity` bytes."""
    data = d.licence(slug)
    start, end = d.gap(data)
    wide = d.framed(data[: start + 1] + b"00" * capacity + data[end - 1 :])
    return d.sealed(wide, d.keeper(slug).signer)


def _twin(slug: str) -> Identity:
    """Return a certificate of the stranger's authority with subject and serial number of the genuine one."""
    genuine, issuer = d.keeper(slug).signer.certificate, _stranger_pki().issuing
    key = make_key()
    builder = x509.CertificateBuilder(issuer.certificate.subject, genuine.subject, key.public_key())
    builder = builder.serial_number(genuine.serial_number)
    builder = builder.not_valid_before(genuine.not_valid_before_utc)
    builder = builder.not_valid_after(genuine.not_valid_after_utc)
    for extension in genuine.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    certificate = builder.sign(issuer.key, hashes.SHA256())
    return Identity(certificate, key, (issuer.certificate,))


@attack
def twin_certificate(slug: str) -> Attack:
    """Same subject, serial number and issuer's name, other keys. INDETERMINATE/CERTIFICATE_CHAIN_GENERAL_FAILURE."""
    return against(d.sealed(d.licence(slug), _twin(slug).signer()))


@attack
def twin_with_the_genuine_chain(slug: str) -> Attack:
    """The twin brings the genuine intermediate certificate. INDETERMINATE/CERTIFICATE_CHAIN_GENERAL_FAILURE."""
    identity = replace(_twin(slug), chain=(d.pki().issuing.certificate,))
    return against(d.sealed(d.licence(slug), identity.signer()))


@attack
def twin_beside_the_genuine_certificate(slug: str) -> Attack:
    """The twin signs, the genuine one is beside its own. INDETERMINATE/CERTIFICATE_CHAIN_GENERAL_FAILURE."""
    identity = replace(_twin(slug), chain=(d.keeper(slug).signer.certificate, *_twin(slug).chain))
    return against(d.sealed(_roomy(slug, 4096), identity.signer()))


@attack
def genuine_certificate_with_a_foreign_signature(slug: str) -> Attack:
    """The signer's certificate is the genuine one, the signature is not its key's. TOTAL_FAILED/SIG_CRYPTO_FAILURE."""
    data = d.licence(slug)
    foreign = cms.ContentInfo.load(d.signed_data(d.sealed(data, _twin(slug).signer())))
    content = cms.ContentInfo.load(d.signed_data(data))
    value = foreign["content"]["signer_infos"][0]["signature"].native
    content["content"]["signer_infos"][0]["signature"] = value
    return against(d.with_signed_data(data, content.dump(force=True)))


@attack
def citizen_plays_authority(slug: str) -> Attack:
    """The holder of an honest end-entity certificate issues one. INDETERMINATE/CERTIFICATE_CHAIN_GENERAL_FAILURE."""
    issuer = d.pki().leaf(_name("示例市民"))
    key = make_key()
    builder = x509.CertificateBuilder(issuer.certificate.subject, _name("示例机关"), key.public_key(), 77)
    builder = builder.not_valid_before(d.AT - timedelta(days=1)).not_valid_after(d.AT + timedelta(days=9))
    usage = d.keeper(slug).signer.certificate.extensions.get_extension_for_class(x509.KeyUsage)
    certificate = builder.add_extension(usage.value, critical=True).sign(issuer.key, hashes.SHA256())
    identity = Identity(certificate, key, (issuer.certificate, *issuer.chain))
    return against(d.sealed(_roomy(slug, 4096), identity.signer()))


@attack
def unlisted_certificate_of_the_right_name(slug: str) -> Attack:
    """The trusted CA certified the authority's name again. INDETERMINATE/CHAIN_CONSTRAINTS_FAILURE."""
    keeper = d.keeper(slug)
    identity = d.pki().seal(keeper.seal.number, keeper.authority.name, keeper.authority.code)
    return against(d.sealed(d.licence(slug), identity.signer()))


@attack
def timestamp_key_seals(slug: str) -> Attack:
    """A timestamp authority's key makes a seal. INDETERMINATE/CHAIN_CONSTRAINTS_FAILURE."""
    return against(d.sealed(d.licence(slug), d.pki().timestamp_authority().signer()))


@attack
def key_of_sixteen_thousand_bits(slug: str) -> Attack:
    """A certificate with an enormous RSA key, slow to verify with. INDETERMINATE/CRYPTO_CONSTRAINTS_FAILURE."""
    content = cms.ContentInfo.load(d.signed_data(_roomy(slug, 8192)))
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
    return against(d.with_signed_data(_roomy(slug, 8192), content.dump(force=True)))


@attack
def addresses_to_fetch_from(slug: str) -> Attack:
    """The trusted CA's certificate names addresses for lists and issuers. INDETERMINATE/CHAIN_CONSTRAINTS_FAILURE."""
    return against(d.sealed(d.licence(slug), fetching_identity("http://127.0.0.1:9/").signer()))


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


# --- A second authority of the same register, and rights that ended ---


@attack
def second_authority_seals_the_same_bytes(slug: str) -> Attack:
    """Another honest authority puts its seal under this licence. INDETERMINATE/CHAIN_CONSTRAINTS_FAILURE."""
    return against(d.sealed(d.licence(slug), d.stranger(slug).signer))


@attack
def second_authority_issues_in_its_own_code_but_the_others_name(slug: str) -> Attack:
    """Its own code in the data, the other's name on the page. INDETERMINATE/CHAIN_CONSTRAINTS_FAILURE."""
    keeper = d.stranger(slug)
    data = d.made(slug, keeper, code=keeper.authority.code)
    every = tuple(one.type_code for one in d.office().catalogue.types)
    entries = tuple(replace(one, type_codes=every) for one in d.trust().register or ())
    return Attack(data, replace(d.trust(), register=entries))


@attack
def seal_for_another_type(slug: str) -> Attack:
    """The authority's own seal, meant for other types. INDETERMINATE/CHAIN_CONSTRAINTS_FAILURE."""
    own = d.keeper(slug)
    code = next(one.type_code for one in d.office().catalogue.types if one.slug != slug)
    return Attack(d.licence(slug), _with_entry(own.signer.certificate, type_codes=(code,)))


@attack
def right_ended_and_the_claim_lies_before(slug: str) -> Attack:
    """A key whose right ended seals today and claims a day of last year. INDETERMINATE/CHAIN_CONSTRAINTS_FAILURE."""
    keeper = d.keeper(slug)
    ended = d.AT - timedelta(days=30)
    data = d.made(slug, keeper, backdated=d.AT - timedelta(days=60))
    return Attack(data, _with_entry(keeper.signer.certificate, valid_until=ended))


@attack
def register_without_entries(slug: str) -> Attack:
    """The verifier's trust register is empty, the root is trusted. INDETERMINATE/CHAIN_CONSTRAINTS_FAILURE."""
    return Attack(d.licence(slug), replace(d.trust(), register=()))


def _with_entry(certificate: x509.Certificate, **changes: object) -> TrustStore:
    """Return the trust with the certificate's line changed; its right begins a year ago."""

    def changed(one: TrustEntry) -> TrustEntry:
        if one.certificate != fingerprint(certificate):
            return one
        return replace(one, **{"valid_from": d.AT - timedelta(days=365), **changes})

    return replace(d.trust(), register=tuple(map(changed, d.trust().register or ())))


# --- Two readings of one file ---


@attack
def two_licences_one_behind_the_other(slug: str) -> Attack:
    """Two sealed licences in one file: readers show the last. TOTAL_FAILED/FORMAT_FAILURE."""
    other = next(one for one in d.SLUGS if one != slug)
    return against(d.licence(other) + d.licence(slug))


@attack
def offsets_exchanged(slug: str) -> Attack:
    """Two lines of the cross-reference table change places. TOTAL_FAILED/FORMAT_FAILURE."""
    data = d.licence(slug)
    at = data.rindex(b"\nxref\n") + data[data.rindex(b"\nxref\n") :].index(b"65535 f \n") + 9
    one, two = data[at : at + 20], data[at + 20 : at + 40]
    return against(data[:at] + two + one + data[at + 40 :])


@attack
def table_without_end(slug: str) -> Attack:
    """The table announces a million objects. TOTAL_FAILED/HASH_FAILURE."""
    return against(re.sub(rb"\nxref\n0 [0-9]+\n", b"\nxref\n0 1000000\n", d.licence(slug)))


@attack
def stream_swallows_its_neighbours(slug: str) -> Attack:
    """A stream's length reaches over the objects behind it. TOTAL_FAILED/FORMAT_FAILURE."""
    data = d.licence(slug)
    return against(re.sub(rb"/Length ([0-9]+)>>", b"/Length 9\\1>>", data, count=1))


@attack
def length_kept_elsewhere(slug: str) -> Attack:
    """A stream's length is a reference, which readers may take differently. TOTAL_FAILED/FORMAT_FAILURE."""
    return against(d.framed(re.sub(rb"/Length [0-9]+>>", b"/Length 1 0 R>>", d.licence(slug), count=1)))


@attack
def comment_between_objects(slug: str) -> Attack:
    """A comment carries a second document between two objects. TOTAL_FAILED/FORMAT_FAILURE."""
    return against(d.replaced(d.licence(slug), b"\nendobj\n", b"\nendobj\n%% 9 0 obj <</Type/Page>>\n"))


@attack
def byte_range_again_in_a_string(slug: str) -> Attack:
    """The seal's dictionary names a second byte range inside a string. TOTAL_FAILED/FORMAT_FAILURE."""
    return against(_in_seal(slug, b"/Reason(/ByteRange [0 1 2 3])"))


def _in_seal(slug: str, words: bytes) -> bytes:
    """Return the licence with `words` at the end of its signature dictionary; the seal does not fit any more."""
    data = d.licence(slug)
    end = d.gap(data)[1]
    return d.framed(data[:end] + words + data[end:])


# --- Exhaustion ---


@attack
def byte_ranges_without_end(slug: str) -> Attack:
    """300,000 beginnings of a byte range in one string, once a matter of hours. TOTAL_FAILED/FORMAT_FAILURE."""
    return against(_in_seal(slug, b"/Reason(" + b"/ByteRange [" * 300_000 + b")"))


@attack
def byte_ranges_all_over(slug: str) -> Attack:
    """A quarter of a million complete byte ranges behind the licence. TOTAL_FAILED/FORMAT_FAILURE."""
    return against(d.licence(slug) + b"/ByteRange[9 9 9 9]" * 250_000)


@attack
def escapes_in_a_string(slug: str) -> Attack:
    """Four million escaped characters in one string. TOTAL_FAILED/HASH_FAILURE."""
    return against(_in_seal(slug, b"/Reason(" + b"\\a" * 4_000_000 + b")"))


@attack
def escapes_in_a_name(slug: str) -> Attack:
    """Three million escaped characters in one name. TOTAL_FAILED/HASH_FAILURE."""
    return against(_in_seal(slug, b"/" + b"#41" * 3_000_000))


@attack
def escapes_and_nothing_else(slug: str) -> Attack:
    """Nine megabytes of escaped letters in which a signature could hide. INDETERMINATE/UNSIGNED."""
    return against(b"%PDF-1.7\n" + b"#41" * 3_000_000 + b"\nstartxref\n0\n%%EOF\n")


@attack
def brackets_without_end(slug: str) -> Attack:
    """A hundred thousand arrays inside each other. TOTAL_FAILED/FORMAT_FAILURE."""
    return against(_in_seal(slug, b"/Reason" + b"[" * 100_000 + b"]" * 100_000))


@attack
def digits_without_end(slug: str) -> Attack:
    """Runs of digits, each a little too short for a seal. TOTAL_FAILED/FORMAT_FAILURE."""
    return against(d.licence(slug) + (b"3" * 510 + b" ") * 16_000)


@attack
def attachment_that_inflates(slug: str) -> Attack:
    """The authority itself seals an attachment of 64 MiB in 64 KiB. INDETERMINATE/LIMIT_REACHED."""
    return against(_with_attachment(slug, zlib.compress(bytes(64 * 1024 * 1024), 9), b"/Filter/FlateDecode"))


@attack
def attachment_nested_without_end(slug: str) -> Attack:
    """The authority itself seals JSON of a hundred thousand lists inside each other. TOTAL_FAILED/FORMAT_FAILURE."""
    return against(_with_attachment(slug, b"[" * 100_000 + b"]" * 100_000, b""))


@attack
def attachment_with_a_member_twice(slug: str) -> Attack:
    """The authority itself seals data that two readers understand differently. TOTAL_FAILED/FORMAT_FAILURE."""
    data = d.licence(slug)
    raw = _attached(data)[2].replace(b'"licence":{', b'"licence":{"number":"1",', 1)
    return against(_with_attachment(slug, raw, b""))


def _attached(data: bytes) -> tuple[int, int, bytes]:
    """Return where the attachment's object begins and ends, and its data."""
    start = data.rindex(b" 0 obj\n", 0, data.index(b"/EmbeddedFile/")) + 7
    body = data.index(b"stream\n", start) + 7
    end = data.index(b"\nendstream", body)
    return start, end, data[body:end]


def _with_attachment(slug: str, content: bytes, entries: bytes) -> bytes:
    """Return the licence with another attachment, sealed by its own authority."""
    data = d.licence(slug)
    start, end, _ = _attached(data)
    head = b"<</Type/EmbeddedFile%s/Length %d>>\nstream\n" % (entries, len(content))
    return d.sealed(d.framed(data[:start] + head + content + data[end:]), d.keeper(slug).signer)


@attack
def pages_in_a_circle(slug: str) -> Attack:
    """The authority itself seals a page tree that contains itself. TOTAL_FAILED/FORMAT_FAILURE."""
    data = d.licence(slug)
    number = re.search(rb"/Pages ([0-9]+) 0 R", data)
    assert number is not None
    changed = re.sub(rb"/Kids ?\[", b"/Kids[" + number[1] + b" 0 R ", data, count=1)
    return against(d.sealed(d.framed(changed), d.keeper(slug).signer))
