"""The seal written anew in its gap, which no signature covers: the same covered bytes, another file."""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

from collections.abc import Callable

from asn1crypto import algos, cms
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.vectors.registry import Vector, forgery

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _rewritten(subject: str, change: Callable[[cms.SignedData], None]) -> Vector:
    content = cms.ContentInfo.load(d.signed_data(d.licence(subject)))
    change(content["content"])
    return s.against(d.with_signed_data(d.licence(subject), content.dump(force=True)))


@forgery(*d.SINGLE)
def other_root_of_the_same_equation(subject: str) -> Vector:

    def change(signed: cms.SignedData) -> None:
        signer = signed["signer_infos"][0]
        value = algos.DSASignature.load(signer["signature"].native)
        other = {"r": value["r"].native, "s": P256_ORDER - value["s"].native}
        signer["signature"] = algos.DSASignature(other).dump()

    return _rewritten(subject, change)


@forgery(*d.SINGLE)
def anchor_slipped_in(subject: str) -> Vector:
    root = asn1_x509.Certificate.load(d.trust().anchors[0].public_bytes(Encoding.DER))
    return _rewritten(
        subject, lambda signed: signed["certificates"].append(cms.CertificateChoices({"certificate": root}))
    )


@forgery(*d.SINGLE)
def signer_named_by_any_bytes_of_its_certificate(subject: str) -> Vector:

    def change(signed: cms.SignedData) -> None:
        signer = signed["signer_infos"][0]
        certificate = d.keeper(subject).signer.certificate.public_bytes(Encoding.DER)
        signer["sid"] = cms.SignerIdentifier({"subject_key_identifier": certificate[40:60]})
        signer["version"] = "v3"

    return _rewritten(subject, change)


@forgery(*d.SINGLE)
def second_signer(subject: str) -> Vector:

    def change(signed: cms.SignedData) -> None:
        one = signed["signer_infos"][0]
        signed["signer_infos"] = cms.SignerInfos([one, one.copy()])

    return _rewritten(subject, change)


@forgery(*d.SINGLE)
def unsigned_attribute_of_any_kind(subject: str) -> Vector:

    def change(signed: cms.SignedData) -> None:
        attribute = cms.CMSAttribute({"type": "1.2.3.4", "values": []})
        signed["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes([attribute])

    return _rewritten(subject, change)


@forgery(*d.SINGLE)
def algorithm_downgraded(subject: str) -> Vector:

    def change(signed: cms.SignedData) -> None:
        sha1 = algos.DigestAlgorithm({"algorithm": "sha1"})
        signed["digest_algorithms"] = [sha1]
        signed["signer_infos"][0]["digest_algorithm"] = sha1

    return _rewritten(subject, change)


@forgery(*d.SINGLE)
def signature_on_nothing(subject: str) -> Vector:

    def change(signed: cms.SignedData) -> None:
        signed["signer_infos"][0]["signature"] = algos.DSASignature({"r": 0, "s": 0}).dump()

    return _rewritten(subject, change)
