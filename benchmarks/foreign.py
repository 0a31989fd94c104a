"""Documents that pyHanko signed many times, one revision a signature, for the policy general."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

from asn1crypto import keys, x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
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


def many_signatures(at: datetime, counts: Iterable[int]) -> tuple[TrustStore, dict[int, bytes]]:
    """Return whom to trust, and for each of `counts` a one-page document with so many approval signatures."""
    pki = make_pki(at=at)
    signer = _signer(pki.seal("99010100000017", "示例省样例市市场监督管理局", "11990101MB00000019"))
    wanted, found, out = set(counts), {}, io.BytesIO()
    sheet = canvas.Canvas(out)
    sheet.drawString(72, 720, "A page that many sign")
    sheet.showPage()
    sheet.save()
    pdf = out.getvalue()
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
