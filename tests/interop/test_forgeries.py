"""What other people's programs make of our forgeries: that they are real is shown by who believes them."""

from __future__ import annotations

import io
from collections import Counter

import pypdfium2
import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from oracles import ask_java, ask_pdfsig, nss_database, require, run
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from elicense.pki.trust import TrustStore
from tests.attacks import documents
from tests.attacks.surgery import FORGED
from tests.vectors.generate import VECTORS, Vector, load_cases

pytestmark = pytest.mark.interop

FORGERIES = [
    case for case in load_cases() if VECTORS[case.name].subjects and case.indication != "TOTAL_PASSED"
]
"""Forgeries of issued licences, each taken of its first licence type."""
SAMPLED = 8
"""Every eighth forgery is shown to all three programs in the tests; the figures of all are in docs/verification.md."""
PUBLISHED = ("published-forgery-1-isa-tail", "published-forgery-2-padding-tail")


def pyhanko_believes(vector: Vector) -> bool:
    """Return whether pyHanko finds every signature intact, trusted and nothing changed since but what is permitted."""
    roots = [asn1_x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in vector.trust.anchors]
    others = [
        asn1_x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in vector.trust.intermediates
    ]
    lists = [asn1_crl.CertificateList.load(one.public_bytes(Encoding.DER)) for one in vector.trust.crls]
    try:
        found = PdfFileReader(io.BytesIO(vector.data), strict=True).embedded_regular_signatures
        return bool(found) and all(
            validate_pdf_signature(
                one,
                signer_validation_context=ValidationContext(
                    trust_roots=roots, other_certs=others, crls=lists, allow_fetching=False, moment=vector.at
                ),
            ).bottom_line
            for one in found
        )
    except Exception:  # noqa: BLE001 - a reader that gives up believes nothing, whatever it raises
        return False


def shown(data: bytes) -> str:
    """Return the text that PDFium, the reader in Chromium, shows on the first page; "" if it opens nothing."""
    try:
        document = pypdfium2.PdfDocument(data)
        page = document[0]
    except pypdfium2.PdfiumError:
        return ""
    text = page.get_textpage().get_text_range()
    document.close()
    return text


@pytest.mark.parametrize("name", PUBLISHED)
def test_pyhanko_believes_the_published_forgeries(name):
    """PyHanko 0.38 calls both valid, and readers show the forged text: so the forgeries are real."""
    vector = VECTORS[name]()
    assert pyhanko_believes(vector)
    assert FORGED in shown(vector.data)


@pytest.mark.parametrize("name", PUBLISHED)
def test_poppler_shows_the_forged_text(name, tmp_path):
    """What pdftotext reads from a published forgery is the forged text, not the licence's."""
    pdftotext = require("pdftotext")
    file = tmp_path / "x.pdf"
    file.write_bytes(VECTORS[name]().data)
    assert FORGED in run(pdftotext, str(file), "-").stdout


def test_many_forgeries_show_the_forged_text():
    """Wherever an attack is about what is shown, PDFium shows what the forger wants."""
    names = [c.name for c in FORGERIES if FORGED in shown(VECTORS[c.name]().data)]
    assert len(names) >= 30, names


def test_other_programs_believe_forgeries_that_we_do_not(tmp_path):
    """Of a sample of our forgeries, none of which passes with us, pyHanko, pdfsig and EU DSS each call some valid."""
    sample = [case for case in FORGERIES if case.name in PUBLISHED] + FORGERIES[::SAMPLED]
    believed = counts(sample, tmp_path)
    assert believed["pyHanko"] >= len(PUBLISHED)
    assert believed["pdfsig"] > len(sample) // 3
    assert believed["EU DSS"] > 0


def counts(cases, folder) -> Counter:
    """Return how many of these forgeries pyHanko, pdfsig and EU DSS call valid, with the trust of the demonstration."""
    found: Counter = Counter()
    anchors, lists = _written(folder, documents.trust())
    nss, files = nss_database(folder / "nss", anchors), []
    for case in cases:
        vector = VECTORS[case.name]()
        file = folder / f"{case.name}.pdf"
        file.write_bytes(vector.data)
        files.append(file)
        found["pyHanko"] += pyhanko_believes(vector)
        found["pdfsig"] += ask_pdfsig(file, nss).valid
    parts = ",".join(map(str, anchors)), ",".join(map(str, lists)), f"{documents.AT:%Y-%m-%dT%H:%M:%SZ}"
    questions = folder / "questions"
    questions.write_text("".join("\t".join((str(file), *parts)) + "\n" for file in files))
    said: dict[str, set[str]] = {}
    for line in ask_java("Dss", f"@{questions}"):
        said.setdefault(line[0], set()).add(line[1])
    found["EU DSS"] = sum(words == {"TOTAL_PASSED"} for words in said.values())
    return found


def _written(folder, trust: TrustStore):
    """Write anchors (PEM) and revocation lists (DER) one by one; returns their paths."""
    paths = []
    for items, encoding in ((trust.anchors, Encoding.PEM), (trust.crls, Encoding.DER)):
        files = [folder / f"{encoding.value}{number}" for number in range(len(items))]
        for file, item in zip(files, items, strict=True):
            file.write_bytes(item.public_bytes(encoding))
        paths.append(files)
    return paths
