"""The peer: the pipeline that a competent user writes with reportlab and pyHanko, everything loaded once.

It makes the simpler document: no tags, no XMP, no embedded data, no register, no self-check.
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

from benchmarks.page import draw

if TYPE_CHECKING:
    from pathlib import Path

    from reportlab.pdfgen.canvas import Canvas

    from benchmarks.content import Content
    from benchmarks.page import Drawn


@dataclass(frozen=True, slots=True)
class PlainPipeline:
    """What is loaded once: the font is registered with reportlab, the key and the seal sit here."""

    signer: signers.Signer
    """pyHanko's own signer over PEM files."""
    seal: Path
    """The seal's drawing, a PDF."""

    @classmethod
    def load(cls, *, key: Path, certificate: Path, chain: Path, seal_pdf: Path) -> PlainPipeline:
        """Return the pipeline, ready; `benchmarks.page.load_font` has been called."""
        signer = signers.SimpleSigner.load(str(key), str(certificate), ca_chain_files=(str(chain),))
        return cls(signer, seal_pdf)

    def issue(self, content: Content) -> bytes:
        """Return the signed document: words, QR code, visible seal, PAdES B-B, certified."""
        return signed(draw(content, draw_widget), self.signer, self.seal)


def signed(drawn: Drawn, signer: signers.Signer, seal: Path, *, bytes_reserved: int | None = None) -> bytes:
    """Return the document signed by pyHanko, its seal in view.

    Args:
        drawn: the pages.
        signer: holder of the key.
        seal: its drawing, imported as vectors.
        bytes_reserved: room for the signature, hex digits; None lets pyHanko find out with a dry run.
    """
    writer = IncrementalPdfFileWriter(io.BytesIO(drawn.pdf))
    metadata = signers.PdfSignatureMetadata(
        field_name="Seal",
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    # A new one for each document: an imported page that is used again keeps the names of all documents before.
    stamp = StaticStampStyle(background=ImportedPdfPage(str(seal)), border_width=0)
    place = fields.SigFieldSpec("Seal", on_page=drawn.seal_page, box=drawn.seal_box)
    signing = signers.PdfSigner(metadata, signer, stamp_style=stamp, new_field_spec=place)
    output: io.BytesIO = asyncio.run(signing.async_sign_pdf(writer, bytes_reserved=bytes_reserved))
    return output.getvalue()


def draw_widget(sheet: Canvas, text: str, x: float, y: float, side: float) -> None:
    """The QR code of `text` is drawn as reportlab's widget."""
    code = QrCodeWidget(text, barLevel="M")
    x0, y0, x1, y1 = code.getBounds()
    drawing = Drawing(side, side, transform=[side / (x1 - x0), 0, 0, side / (y1 - y0), 0, 0])
    drawing.add(code)
    renderPDF.draw(drawing, sheet, x, y)
