"""Vectors that are no licences of ours: other people's files, signed by strangers or by somebody known."""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

import io

from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.keys import load_private_key_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, sign_pdf
from pyhanko_certvalidator.registry import SimpleCertificateStore

from elicense.pki.throwaway import Identity
from tests.support.pki import AUTHORITY, AUTHORITY_CODE, SEAL_NUMBER
from tests.vectors.minimal import seal, stranger_pki, trust
from tests.vectors.registry import Vector, vector

# --- Not ours ---


def plain(trailer: bytes = b"") -> bytes:
    """Return a blank page as another program might write it."""
    bodies = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<<>>>>",
    )
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer\n<</Size 4/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (trailer, len(data))
    return data + b"xref\n0 4\n0000000000 65535 f \n" + table + end


@vector
def unsigned_foreign() -> Vector:
    return Vector(plain(), trust())


@vector
def unsigned_encrypted() -> Vector:
    return Vector(plain(b"/Encrypt 9 0 R"), trust())


@vector
def not_a_pdf() -> Vector:
    return Vector(b"<!doctype html><title>licence</title>", trust())


@vector
def empty() -> Vector:
    return Vector(b"", trust())


def pyhanko_signer(identity: Identity) -> object:
    """Return a signer of another program, which asks no questions about its key."""
    pem = identity.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    registry = SimpleCertificateStore()
    registry.register_multiple(
        asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)) for certificate in identity.chain
    )
    return SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(identity.certificate.public_bytes(Encoding.DER)),
        signing_key=load_private_key_from_pemder_data(pem, None),
        cert_registry=registry,
    )


def foreign_signature(identity: Identity, data: bytes | None = None) -> bytes:
    """Return a foreign PDF, by default a blank page, signed by another program as an update with its own habits."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data or plain()))
    return sign_pdf(
        writer, PdfSignatureMetadata(field_name="Signature1"), signer=pyhanko_signer(identity)
    ).getvalue()


@vector
def signed_foreign() -> Vector:
    return Vector(foreign_signature(stranger_pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE)), trust())


@vector
def signed_foreign_by_known() -> Vector:
    return Vector(foreign_signature(seal()), trust())
