"""The peer: the pipeline that a competent user writes with reportlab and pyHanko, everything loaded once.

It makes the simpler document: no tags, no XMP, no embedded data, no self-check.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyhanko.pdf_utils.content import ImportedPdfPage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.stamp import StaticStampStyle
from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class PlainPipeline:
    """What is loaded once: the font is registered with reportlab, the key and the seal sit here."""

    signer: signers.SimpleSigner
    """pyHanko's own signer over PEM files."""
    stamp: StaticStampStyle
    """The seal, imported as vectors."""

    @classmethod
    def load(cls, *, font: Path, key: Path, certificate: Path, chain: Path, seal_pdf: Path) -> PlainPipeline:
        """Return the pipeline, ready: font registered under the name "Song"."""
        pdfmetrics.registerFont(TTFont("Song", str(font)))
        signer = signers.SimpleSigner.load(str(key), str(certificate), ca_chain_files=(str(chain),))
        return cls(
            signer=signer, stamp=StaticStampStyle(background=ImportedPdfPage(str(seal_pdf)), border_width=0)
        )

    def issue(self, title: str, rows: Mapping[str, str], link: str) -> bytes:
        """Return one signed A4 landscape page: title, labelled rows, QR code, visible seal, PAdES B-B, certified."""
        page = self._draw(title, rows, link)
        writer = IncrementalPdfFileWriter(io.BytesIO(page))
        box = (int(200 * mm), int(25 * mm), int(242 * mm), int(67 * mm))
        metadata = signers.PdfSignatureMetadata(
            field_name="Seal",
            md_algorithm="sha256",
            subfilter=fields.SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        )
        signer = signers.PdfSigner(
            metadata, self.signer, stamp_style=self.stamp, new_field_spec=fields.SigFieldSpec("Seal", box=box)
        )
        output: io.BytesIO = asyncio.run(signer.async_sign_pdf(writer))
        return output.getvalue()

    def _draw(self, title: str, rows: Mapping[str, str], link: str) -> bytes:
        """Return the unsigned page."""
        out = io.BytesIO()
        sheet = canvas.Canvas(out, pagesize=landscape(A4))
        sheet.rect(10 * mm, 10 * mm, 277 * mm, 190 * mm)
        sheet.setFont("Song", 30)
        sheet.drawCentredString(148.5 * mm, 170 * mm, title)
        for number, (label, value) in enumerate(rows.items()):
            column, row = divmod(number, 8)
            x, y = (20 + 135 * column) * mm, (150 - 13 * row) * mm
            sheet.setFont("Song", 12)
            sheet.drawString(x, y, label)
            sheet.drawString(x + 42 * mm, y, value[:22])
            if value[22:]:
                sheet.drawString(x + 42 * mm, y - 5 * mm, value[22:44])
        code = QrCodeWidget(link, barLevel="M")
        x0, y0, x1, y1 = code.getBounds()
        side = 28 * mm
        drawing = Drawing(side, side, transform=[side / (x1 - x0), 0, 0, side / (y1 - y0), 0, 0])
        drawing.add(code)
        renderPDF.draw(drawing, sheet, 20 * mm, 20 * mm)
        sheet.showPage()
        sheet.save()
        return out.getvalue()
