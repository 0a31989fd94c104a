"""Documents of another program for the policy general: signed many times, or large."""

from __future__ import annotations

import asyncio
import io
import random
from typing import TYPE_CHECKING

from asn1crypto import keys, x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore
from reportlab.pdfgen import canvas

from elicense.pki.throwaway import make_pki
from elicense.pki.trust import TrustStore

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from elicense.pki.throwaway import Identity


def large_file(at: datetime, megabytes: int) -> tuple[TrustStore, bytes]:
    """Return whom to trust, and a one-page document with a scan of so many megabytes (1,000,000 bytes), signed once."""
    pki = make_pki(at=at)
    signer = _signer(pki.seal("99010100000017", "示例省样例市市场监督管理局", "11990101MB00000019"))
    # A stream that does not compress, as a scan does not.
    scan = random.Random(0).randbytes(megabytes * 1_000_000)  # noqa: S311 - to be repeated, not to be secret
    writer = IncrementalPdfFileWriter(io.BytesIO(_page()))
    writer.root["/Scan"] = writer.add_object(generic.StreamObject(stream_data=scan))
    writer.update_root()
    grown = io.BytesIO()
    writer.write(grown)
    pdf = asyncio.run(_signed(grown.getvalue(), signer, "Signature1"))
    return TrustStore((pki.root.certificate,), crls=pki.crls), pdf


def _page() -> bytes:
    """Return a page of reportlab's."""
    out = io.BytesIO()
    sheet = canvas.Canvas(out)
    sheet.drawString(72, 720, "A page that many sign")
    sheet.showPage()
    sheet.save()
    return out.getvalue()


def many_signatures(at: datetime, counts: Iterable[int]) -> tuple[TrustStore, dict[int, bytes]]:
    """Return whom to trust, and for each of `counts` a one-page document with so many approval signatures."""
    pki = make_pki(at=at)
    signer = _signer(pki.seal("99010100000017", "示例省样例市市场监督管理局", "11990101MB00000019"))
    wanted, found, pdf = set(counts), {}, _page()
    for number in range(1, max(wanted) + 1):
        pdf = asyncio.run(_signed(pdf, signer, f"Signature{number}"))
        if number in wanted:
            found[number] = pdf
    return TrustStore((pki.root.certificate,), crls=pki.crls), found


def _signer(identity: Identity) -> signers.SimpleSigner:
    load = x509.Certificate.load
    encoded = identity.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return signers.SimpleSigner(
        signing_cert=load(identity.certificate.public_bytes(Encoding.DER)),
        signing_key=keys.PrivateKeyInfo.load(encoded),
        cert_registry=SimpleCertificateStore.from_certs(
            load(c.public_bytes(Encoding.DER)) for c in identity.chain
        ),
    )


async def _signed(pdf: bytes, signer: signers.SimpleSigner, name: str) -> bytes:
    metadata = signers.PdfSignatureMetadata(
        field_name=name, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
    )
    signing = signers.PdfSigner(metadata, signer, new_field_spec=fields.SigFieldSpec(name))
    output: io.BytesIO = await signing.async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)))
    return output.getvalue()
