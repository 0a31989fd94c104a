"""PDFs by other programs for the tests of the policy `general`: plain, signed, extended, and forged by hand."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from functools import cache
from typing import TYPE_CHECKING

import pikepdf
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore
from reportlab.pdfgen.canvas import Canvas

from elicense import updates
from elicense.signing.cms import sign_digest
from tests.support.pki import AT, pki, seal_identity, seal_signer

if TYPE_CHECKING:
    from elicense.pki.throwaway import Identity


@cache
def plain(pages: int = 1, *, text: str = "Permit No. 7", form: bool = False, note: bool = False) -> bytes:
    """Return an unsigned PDF by reportlab."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pageCompression=0, invariant=1)
    for page in range(pages):
        canvas.drawString(72, 720, f"{text}, page {page + 1}")
        if form and page == 0:
            canvas.acroForm.textfield(name="remark", x=72, y=600, width=200, height=20, value="none")
            canvas.acroForm.textfield(name="other", x=72, y=560, width=200, height=20, value="none")
        if note and page == 0:
            canvas.textAnnotation("first", Rect=[100, 100, 120, 120], relative=0)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def repacked(pdf: bytes, *, packed: bool = False, linear: bool = False) -> bytes:
    """Return the PDF written anew by qpdf's library: with object streams, or linearized."""
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
        opened.save(buffer, object_stream_mode=mode, linearize=linear, deterministic_id=True)
    return buffer.getvalue()


def _asn1(certificate: object) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def pyhanko_signer(identity: Identity) -> signers.SimpleSigner:
    """Return pyHanko's signer with an identity's key."""
    registry = SimpleCertificateStore()
    registry.register_multiple([_asn1(certificate) for certificate in identity.chain])
    encoded = identity.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return signers.SimpleSigner(
        signing_cert=_asn1(identity.certificate),
        signing_key=asn1_keys.PrivateKeyInfo.load(encoded),
        cert_registry=registry,
    )


@cache
def rsa_tsa() -> Identity:
    """Return a timestamp authority with an RSA key, the only kind that pyHanko's own stamper knows."""
    return pki().timestamp_authority(algorithm="rsa2048")


def stamper() -> DummyTimeStamper:
    """Return pyHanko's timestamp authority in this process."""
    signer = pyhanko_signer(rsa_tsa())
    return DummyTimeStamper(
        tsa_cert=signer.signing_cert,
        tsa_key=signer.signing_key,
        certs_to_embed=signer.cert_registry,
        fixed_dt=AT,
    )


def sign(
    pdf: bytes,
    field: str = "Signature1",
    *,
    identity: Identity | None = None,
    box: tuple[int, int, int, int] | None = None,
    level: str = "B",
    pades: bool = True,
    **metadata: object,
) -> bytes:
    """Return the PDF with one more signature by pyHanko.

    Args:
        pdf: what is signed.
        field: name of the field; made if it does not exist, visible if `box` is given.
        identity: whose key.
        box: where it shows on page 1.
        level: B, T, LT or LTA.
        pades: else adbe.pkcs7.detached.
        metadata: further arguments of PdfSignatureMetadata.
    """
    context = ValidationContext(
        trust_roots=[_asn1(pki().root.certificate)],
        other_certs=[_asn1(pki().issuing.certificate)],
        crls=[crl.public_bytes(Encoding.DER) for crl in pki().crls],
        moment=AT,
        allow_fetching=False,
    )
    evidence = level in {"LT", "LTA"}
    described = signers.PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES if pades else fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
        embed_validation_info=evidence,
        validation_context=context if evidence else None,
        use_pades_lta=level == "LTA",
        **metadata,
    )
    new = fields.SigFieldSpec(field, on_page=0, box=box) if box else None
    signer = signers.PdfSigner(
        described,
        pyhanko_signer(identity or seal_identity()),
        timestamper=None if level == "B" else stamper(),
        new_field_spec=new,
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
    return asyncio.run(signer.async_sign_pdf(writer, bytes_reserved=16384)).getvalue()


def certify(pdf: bytes, permission: int, **options: object) -> bytes:
    """Return the PDF certified by pyHanko with P = `permission`."""
    level = fields.MDPPerm(permission)
    return sign(pdf, certify=True, docmdp_permissions=level, **options)


def prepare(
    pdf: bytes, *names: str, box: tuple[int, int, int, int] | None = None, **options: object
) -> bytes:
    """Return the PDF with empty signature fields."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    for name in names:
        fields.append_signature_field(writer, fields.SigFieldSpec(name, on_page=0, box=box, **options))
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def update(pdf: bytes, change: object) -> bytes:
    """Return the PDF with one more revision by pyHanko's writer, to which `change` is applied."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    change(writer)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


_TRAILER = re.compile(rb"/Root (\d+) 0 R")


def last_xref(pdf: bytes) -> int:
    """Return what the last startxref says."""
    return int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])


def size_of(pdf: bytes) -> int:
    """Return the first free object number."""
    return max(int(number) for number in re.findall(rb"/Size (\d+)", pdf))


def offset_of(pdf: bytes, number: int) -> int:
    """Return where the newest object of that number stands."""
    return [found.start(1) for found in re.finditer(rb"(?:^|[\r\n])(%d 0 obj)" % number, pdf)][-1]


def body_of(pdf: bytes, number: int) -> bytes:
    """Return the newest object's bytes between `obj` and `endobj`."""
    start = offset_of(pdf, number) + len(b"%d 0 obj" % number)
    return pdf[start : pdf.index(b"endobj", start)].strip()


def root_of(pdf: bytes) -> int:
    """Return the catalogue's number."""
    return int(_TRAILER.findall(pdf)[-1])


def append(
    pdf: bytes,
    objects: dict[int, bytes],
    *,
    end: bytes = b"%%EOF\n",
    root: int | None = None,
    extra: bytes = b"",
    between: bytes = b"",
    listed: dict[int, int] | None = None,
    prev: int | None = None,
    free: tuple[int, ...] = (),
) -> bytes:
    """Return the PDF with a hand-made revision behind it.

    Args:
        pdf: what is extended.
        objects: number -> body.
        end: its last line.
        root: number of the catalogue.
        extra: further entries of the trailer, which repeats Info.
        between: bytes before its first object.
        listed: number -> offset, entries that point elsewhere.
        prev: where it continues.
        free: numbers that it frees.
    """
    lead = b"" if pdf.endswith(b"\n") else b"\n"
    out, offsets = bytearray(pdf + lead + between), dict(listed or {})
    for number in sorted(objects):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    at = len(out)
    out += b"xref\n"
    for number in sorted({*offsets, *free}):
        line = b"0000000000 00001 f \n" if number in free else b"%010d 00000 n \n" % offsets[number]
        out += b"%d 1\n%s" % (number, line)
    size = max([size_of(pdf), *(number + 1 for number in offsets)])
    information = re.findall(rb"/Info \d+ 0 R", pdf)
    if information and b"/Info" not in extra:
        extra += information[-1]
    out += b"trailer\n<</Size %d/Root %d 0 R/Prev %d%s>>\nstartxref\n%d\n" % (
        size,
        root or root_of(pdf),
        last_xref(pdf) if prev is None else prev,
        extra,
        at,
    )
    return bytes(out + end)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """Return the body of a stream."""
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


def unsigned_signature(
    pdf: bytes, name: str = "Hand", *, entries: bytes = b"", beside: bytes = b"", **options: object
) -> bytes:
    """Return the PDF, which has no form yet, with a signature field whose gap and byte range are empty."""
    number, root = size_of(pdf), root_of(pdf)
    value = updates.RANGE % (0, 0, 0) + b"/Contents <%s>" % (b"0" * 8192)
    catalogue = body_of(pdf, root)[:-2] + b"/AcroForm<</Fields[%d 0 R%s]/SigFlags 3>>>>" % (
        number + 1,
        beside,
    )
    objects = {
        number: b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached%s%s>>" % (entries, value),
        number + 1: b"<</FT/Sig/T(%s)/V %d 0 R>>" % (name.encode(), number),
        root: catalogue,
    }
    return append(pdf, objects, **options)


def completed(pdf: bytes, *, shift: tuple[int, int, int] = (0, 0, 0)) -> bytes:
    """Return the PDF with its one empty signature made, its byte range moved by `shift` as a forger would."""
    placed, byte_range = updates.place_gap(pdf, 0)
    moved = tuple(value + by for value, by in zip(byte_range[1:], shift, strict=True))
    placed = placed.replace(updates.RANGE % byte_range[1:], updates.RANGE % moved)
    covered = placed[: moved[0]] + placed[moved[1] : moved[1] + moved[2]]
    der = sign_digest(hashlib.sha256(covered).digest(), seal_signer())
    return updates.fill_gap(placed, byte_range, der)


def hand_signed(pdf: bytes, **options: object) -> bytes:
    """Return the PDF, which has no form yet, with a signature made without any PDF library."""
    return completed(unsigned_signature(pdf, **options))
