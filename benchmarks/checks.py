"""What an output must pass before anything about it is timed; only correct documents count."""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2
import zxingcpp
from asn1crypto import pem, x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader

from elicense import Indication, verify
from elicense.encoding import printed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.x509 import Certificate

    from elicense import Licence, TrustStore


def require_good(
    pdf: bytes,
    anchors: Iterable[Certificate],
    licence: Licence | None = None,
    *,
    verify_with: TrustStore | None = None,
) -> None:
    """Return if the document is signed, whole, readable and, for ours, says what the licence says.

    Raises AssertionError naming what is wrong.
    """
    assert pyhanko_accepts(pdf, anchors), "pyHanko does not find the signature valid and trusted"
    spoilt = bytearray(pdf)
    spoilt[200] ^= 4
    assert not pyhanko_accepts(bytes(spoilt), anchors), "a flipped bit goes unnoticed"
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "a.pdf"
        path.write_bytes(pdf)
        for command in (["qpdf", "--check", str(path)], ["pdfsig", "-nocert", str(path)]):
            if shutil.which(command[0]):
                done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
                assert done.returncode == 0, done.stdout
    code = read_qr_code(pdf)
    if licence is None or verify_with is None:
        assert code, "no QR code can be read"
        return
    assert code == printed("{verify_url}", licence), "the QR code says something else"
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    flat = "".join(text.split())
    for name, value in licence.fields.items():
        if isinstance(value, str) and name not in licence.labels:
            assert "".join(value.split()) in flat, f"{name} is not on the page"
    report = verify(pdf, trust=verify_with, at=licence.signing_time)
    assert report.indication is Indication.TOTAL_PASSED, report.sub_indication


def pyhanko_accepts(pdf: bytes, anchors: Iterable[Certificate]) -> bool:
    """Return whether pyHanko calls the one signature intact, valid, trusted and whole."""
    roots = [x509.Certificate.load(pem.unarmor(anchor.public_bytes(Encoding.PEM))[2]) for anchor in anchors]
    try:
        signature = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0]
        context = ValidationContext(trust_roots=roots, allow_fetching=False)
        status = asyncio.run(async_validate_pdf_signature(signature, context))
    except Exception:  # noqa: BLE001 - pyHanko raises anything on a spoilt file
        return False
    return bool(status.bottom_line)


def read_qr_code(pdf: bytes) -> str | None:
    """Return what a phone reads from the first page, rendered at 200 dpi."""
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    found = zxingcpp.read_barcodes(document[0].render(scale=200 / 72).to_pil())
    document.close()
    return found[0].text if found else None
