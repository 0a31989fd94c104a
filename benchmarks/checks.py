"""What an output must pass before anything about it is timed; only correct documents count.

Every side's document: pyHanko finds its signature valid, trusted and over the whole file; qpdf has nothing to say;
pdfsig, where there is one, calls it valid; both pypdf and PDFium read every word; a telephone reads the QR code; and a
flipped bit is noticed, wherever it lies. Ours besides: in each box of the page stands exactly what belongs there, the
embedded data are the request's, PDF/A and PDF/UA are kept, and our own verifier says the same on both of its roads.
"""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pypdfium2
import zxingcpp
from asn1crypto import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader

from elicense import Indication, verify
from elicense.catalogue import FieldKind
from elicense.encoding import licence_to_json, printed
from elicense.model import DocumentCategory
from elicense.rendering.conformance import examine
from elicense.verification.document import InProcess

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from cryptography.x509 import Certificate

    from elicense import IssuingOffice, Licence
    from elicense.catalogue import LicenceType

_POINTS = 72 / 2540
"""Points in a hundredth of a millimetre."""
_SCALE = 200 / 72
"""Pages are rendered at 200 dpi."""


class _Printed(NamedTuple):
    """An entry of the embedded index, read without the library that wrote it."""

    page: int
    """From 1."""
    rect: tuple[int, int, int, int]
    """Its box: x, y, width, height in hundredths of a millimetre."""
    template: str
    """What is printed, with places."""
    fields: tuple[str, ...]
    """Names in the template."""
    text: str
    """What it says."""

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> _Printed:
        """Return the entry."""
        x, y, width, height = entry["rect"]
        return cls(
            entry["page"], (x, y, width, height), entry["template"], tuple(entry["fields"]), entry["text"]
        )


def require_good(pdf: bytes, anchors: Iterable[Certificate], *, words: Iterable[str], link: str) -> None:
    """Return if a document is signed, whole and readable and says `words`, its QR code `link`.

    Raises AssertionError naming what is wrong.
    """
    roots = [x509.Certificate.load(anchor.public_bytes(Encoding.DER)) for anchor in anchors]
    assert pyhanko_accepts(pdf, roots), "pyHanko does not find the signature valid, trusted and over all"
    for place, bad in spoilt(pdf).items():
        assert not pyhanko_accepts(bad, roots), f"pyHanko does not notice a flipped bit in the {place}"
    _ask_programs(pdf)
    assert read_qr_code(pdf) == link, "the QR code cannot be read or says something else"
    for name, text in texts(pdf).items():
        for word in words:
            assert flat(word) in text, f"{name} does not find {word!r}"


def require_ours(pdf: bytes, licence: Licence, office: IssuingOffice, *, at: datetime) -> None:
    """Return if one of our documents is all it has to be. Raises AssertionError naming what is wrong."""
    licence_type = office.catalogue[licence.type]
    embedded = json.loads(PdfReader(io.BytesIO(pdf)).attachments["licence.json"][0])
    assert embedded["licence"] == licence_to_json(licence), "the embedded data are another licence's"
    index = [_Printed.of(entry) for entry in embedded["index"]]
    _require_boxes(pdf, licence, index)
    said = flat("".join(one.text for one in index if "{page}" not in one.template))
    for word in words_of(licence, licence_type):
        assert flat(word) in said, f"{word!r} is printed nowhere"
    require_good(
        pdf, office.trust.anchors,
        words=[one.text for one in index if one.fields], link=printed("{verify_url}", licence),
    )  # fmt: skip
    assert not examine(pdf), f"PDF/A or PDF/UA is broken: {examine(pdf)}"
    assert confirmed(pdf, office, at=at), "our verifier does not pass the document"
    for place, bad in spoilt(pdf).items():
        assert not passes(bad, office, at=at), f"our verifier does not notice a flipped bit in the {place}"
        assert not confirmed(bad, office, at=at), (
            f"the full road does not notice a flipped bit in the {place}"
        )


def passes(pdf: bytes, office: IssuingOffice, *, at: datetime) -> bool:
    """Return whether our verifier passes the document, on whatever road it takes."""
    report = verify(pdf, trust=office.trust, at=at, sandbox=InProcess())
    return report.indication is Indication.TOTAL_PASSED


def confirmed(pdf: bytes, office: IssuingOffice, *, at: datetime) -> bool:
    """Return whether our verifier passes the document on the full road, where nothing is taken for known."""
    report = verify(pdf, trust=office.trust, at=at, sandbox=InProcess(), known=None)
    return report.indication is Indication.TOTAL_PASSED


def pyhanko_accepts(pdf: bytes, roots: Sequence[x509.Certificate]) -> bool:
    """Return whether pyHanko calls the one signature intact, valid, trusted and over the whole file."""
    try:
        (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
        context = ValidationContext(trust_roots=list(roots), allow_fetching=False)
        status = asyncio.run(async_validate_pdf_signature(signature, context))
    except Exception:  # noqa: BLE001 - pyHanko raises anything on a spoilt file
        return False
    return bool(status.bottom_line and status.coverage == SignatureCoverageLevel.ENTIRE_FILE)


def spoilt(pdf: bytes) -> dict[str, bytes]:
    """Return the document with one bit flipped, by the place where it was: all over the file and in the signature."""
    start = pdf.index(b"/Contents <") + len(b"/Contents <")
    # The signature value is the last element of the CMS, before the zeros that fill the gap.
    last = start + len(pdf[start : pdf.index(b">", start)].rstrip(b"0")) - 1
    places = {
        "prefix": pdf.index(b"stream\n") + 40,
        **{f"content at {share} %": len(pdf) * share // 100 for share in (30, 60)},
        "last stream": pdf.rindex(b"\nendstream") - 3,
        "trailer": pdf.rindex(b"/Root") + 2,
    }
    if (embedded := pdf.find(b'"licence":')) > 0:
        places["embedded data"] = embedded + 40
    bad = {
        name: _flipped(pdf, at) for name, at in places.items() if not start <= at <= pdf.index(b">", start)
    }
    digit = b"0123456789abcdef"[int(pdf[last : last + 1], 16) ^ 1]
    bad["signature"] = pdf[:last] + bytes((digit,)) + pdf[last + 1 :]
    return bad


def _flipped(pdf: bytes, at: int) -> bytes:
    return pdf[:at] + bytes((pdf[at] ^ 1,)) + pdf[at + 1 :]


def _ask_programs(pdf: bytes) -> None:
    """Return if qpdf and pdfsig, where there are such programs, are content. Raises AssertionError."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "a.pdf"
        path.write_bytes(pdf)
        if shutil.which("qpdf"):
            done = _run("qpdf", "--check", str(path))
            assert done.returncode == 0, done.stdout + done.stderr
        if shutil.which("pdfsig"):
            done = _run("pdfsig", "-nocert", str(path))
            assert "Signature is Valid." in done.stdout, done.stdout
            assert "Total document signed" in done.stdout, done.stdout


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def read_qr_code(pdf: bytes) -> str | None:
    """Return what a telephone reads from the first page with a QR code, rendered at 200 dpi."""
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    try:
        for page in document:
            if found := zxingcpp.read_barcodes(page.render(scale=_SCALE).to_pil()):
                return str(found[0].text)
        return None
    finally:
        document.close()


def texts(pdf: bytes) -> dict[str, str]:
    """Return what two independent readers extract, without white space."""
    document = pypdfium2.PdfDocument(pdf)
    pdfium = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    pypdf = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return {"PDFium": flat(pdfium), "pypdf": flat(pypdf)}


def flat(text: str) -> str:
    """Return the text without white space, which no extractor keeps as it was."""
    return "".join(text.split())


def words_of(licence: Licence, licence_type: LicenceType) -> list[str]:
    """Return every value of a licence as it is printed: number, authority, holders, and all texts of all fields."""
    words = [licence.number, licence.authority.name, printed("{issued_on|date-zh}", licence)]
    if licence.category is DocumentCategory.LICENCE:
        # An approval names its holder in its own words; a person's code is not printed.
        words += [holder.name for holder in licence.holders]
        words += [holder.code for holder in licence.holders if holder.code_kind == "001"]
    for spec in licence_type.fields:
        if spec.name in licence.fields:
            value = licence.fields[spec.name]
            words += (
                [printed(f"{{{spec.name}|date-zh}}", licence)]
                if spec.kind is FieldKind.DATE
                else [printed(f"{{{spec.name}}}", licence)]
                if isinstance(value, str)
                else list(_leaves(value))
            )
    return words


def _leaves(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _leaves(item)


def _require_boxes(pdf: bytes, licence: Licence, index: Sequence[_Printed]) -> None:
    """Return if PDFium finds in every box of the page just what is printed there. Raises AssertionError."""
    document = pypdfium2.PdfDocument(pdf)
    boxes: Mapping[tuple[int, tuple[int, int, int, int]], list[_Printed]] = defaultdict(list)
    for one in index:
        boxes[one.page, one.rect].append(one)
        if one.fields:
            said = printed(one.template, licence, page=one.page, pages=len(document))
            assert one.text == said, f"{one.template} is not what the index says"
    for page, rect in boxes:
        inside = [one for one in index if one.page == page and _within(one.rect, rect)]
        x, y, width, height = (side * _POINTS for side in rect)
        found = flat(document[page - 1].get_textpage().get_text_bounded(x, y, x + width, y + height))
        wanted = flat("".join(one.text for one in inside))
        # Boxes that hold others say the same in another order: a drawing of a parcel, a page with a foot.
        alone = len({one.rect for one in inside}) == 1
        assert found == wanted or (not alone and Counter(found) == Counter(wanted)), (
            f"on page {page} stands {found!r}, not {wanted!r}"
        )
    document.close()


def _within(inner: Sequence[int], outer: Sequence[int]) -> bool:
    """Return whether a box lies in another: x, y, width, height."""
    return all(
        outer[axis] <= inner[axis] and inner[axis] + inner[axis + 2] <= outer[axis] + outer[axis + 2]
        for axis in (0, 1)
    )
