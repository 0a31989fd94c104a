"""The printable report: what it says, that it is signed, and that nobody can take it for a licence."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from functools import cache

import pypdf
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from elicense.catalogue import templates_folder
from elicense.pki.keys import fingerprint
from elicense.pki.throwaway import make_pki
from elicense.pki.trust import TrustEntry, TrustStore
from elicense.rendering.fonts import FontLibrary
from elicense.reporting.document import ATTACHMENT, pdf_report
from elicense.reporting.etsi import etsi_report
from elicense.reporting.identity import FOLDER, demo_report_signer
from elicense.verification.facts import RevisionFacts
from elicense.verification.pipeline import verify
from elicense.verification.report import CheckStatus, Indication
from tests.service.fakes import AUTHORITY
from tests.support.reports import AT, every_report, foreign, sealed

REPORTS = every_report()


@cache
def fonts() -> FontLibrary:
    """Return the shipped fonts."""
    return FontLibrary.load(templates_folder() / "fonts")


@pytest.fixture(scope="module")
def pki():
    """A throw-away PKI."""
    return make_pki(at=AT)


@pytest.fixture(scope="module")
def signer(pki, tmp_path_factory):
    """A demonstration's report signer under that PKI."""
    folder = tmp_path_factory.mktemp("demo")
    pki.write(folder / "ca")
    return demo_report_signer(folder, at=AT)


def pages(pdf: bytes) -> list[str]:
    """Return the text of each page, without what breaks its lines."""
    return [re.sub(r"\s+", "", page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_prints(signer, name):
    """Both answers, the digest and the nature of the report stand on the first page, page numbers on each."""
    report = REPORTS[name]
    printed = pages(pdf_report(report, fonts=fonts(), signer=signer, at=AT))
    assert "查验报告" in printed[0]
    assert "它不是证照，也不能代替证照使用。" in printed[0]
    assert "Itisnolicenceandreplacesnone." in printed[0]
    assert report.indication in printed[0]
    assert report.sha256 in printed[0]
    assert "2026-11-2321:40:00" in printed[0]
    assert all(f"{number}/{len(printed)}" in text for number, text in enumerate(printed, 1))
    whole = "".join(printed)
    for number in range(1, 13):
        assert re.sub(r"\s+", "", f"{number}") in whole
    assert "不是任何机构的印章" in whole


def test_it_is_signed_by_its_own_key(signer, pki):
    """Another program finds one intact, trusted certification over the whole file that permits no change."""
    from asn1crypto import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    pdf = pdf_report(sealed(), fonts=fonts(), signer=signer, at=AT)
    (embedded,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    root = x509.Certificate.load(pki.root.certificate.public_bytes(Encoding.DER))
    issuing = x509.Certificate.load(pki.issuing.certificate.public_bytes(Encoding.DER))
    context = ValidationContext(trust_roots=[root], other_certs=[issuing], moment=AT)
    status = validate_pdf_signature(embedded, context)
    assert status.intact
    assert status.valid
    assert status.trusted
    assert status.coverage.name == "ENTIRE_FILE"
    assert status.docmdp_ok


def test_equal_reports_are_equal_files(signer):
    """The same report, key and moment give the same bytes."""
    one, two = (pdf_report(sealed(), fonts=fonts(), signer=signer, at=AT) for _ in range(2))
    assert one == two


def test_the_xml_report_is_attached(signer):
    """Machines find the ETSI report inside."""
    pdf = pdf_report(foreign(), fonts=fonts(), signer=signer, at=AT)
    assert pypdf.PdfReader(io.BytesIO(pdf)).attachments[ATTACHMENT] == [etsi_report(foreign())]


@pytest.mark.parametrize("named", [False, True])
def test_a_report_is_never_a_licence(signer, pki, named):
    """Under the policy licence it does not pass, not even if a trust register names its certificate."""
    entry = TrustEntry(
        AUTHORITY.code, AUTHORITY.name, fingerprint(signer.certificate), "99010100000012", ("x",),
        signer.certificate.not_valid_before_utc, signer.certificate.not_valid_after_utc,
    )  # fmt: skip
    store = TrustStore(
        (pki.root.certificate,), (pki.issuing.certificate,), pki.crls, (entry,) if named else ()
    )
    pdf = pdf_report(sealed(), fonts=fonts(), signer=signer, at=AT)
    judged = verify(pdf, trust=store, at=AT)
    assert judged.indication is not Indication.TOTAL_PASSED
    assert judged.checks[0].status in {CheckStatus.FAILED, CheckStatus.INDETERMINATE}


def test_a_name_without_glyphs_is_a_box_and_no_refusal(signer):
    """Characters that no font has, marks of direction and endless names do not stop the report."""
    nasty = "\u202eevil\ufdfd\U0001f600" + "长" * 5000
    report = replace(
        foreign(), signatures=(replace(foreign().signatures[0], signer=nasty, field="f" * 5000),)
    )
    whole = "".join(pages(pdf_report(report, fonts=fonts(), signer=signer, at=AT)))
    assert "□evil□□长" in whole
    assert "……" in whole


def test_no_text_runs_off_the_page(signer):
    """Of a report with many revisions and long lines nothing is set outside the margins."""
    facts = foreign().facts
    many = tuple(RevisionFacts(one.start, one.end, one.changes * 30) for one in facts.revisions * 100)
    report = replace(foreign(), facts=replace(facts, revisions=many))
    reader = pypdf.PdfReader(io.BytesIO(pdf_report(report, fonts=fonts(), signer=signer, at=AT)))
    places = []

    def visit(text, matrix, text_matrix, font, size):
        if text.strip():
            places.append(text_matrix[4:6])

    for page in reader.pages:
        page.extract_text(visitor_text=visit)
    assert len(reader.pages) > 20
    assert min(x for x, _ in places) >= 56
    assert max(x for x, _ in places) <= 539
    assert min(y for _, y in places) >= 40
    assert max(y for _, y in places) <= 791
    assert "另有" in "".join(page.extract_text() for page in reader.pages)


def test_a_demonstration_says_so(signer):
    """A demonstration's report says on its first page that nothing of it has legal force."""
    assert "不具法律效力" in pages(pdf_report(sealed(), fonts=fonts(), signer=signer, at=AT, demo=True))[0]
    assert "不具法律效力" not in pages(pdf_report(sealed(), fonts=fonts(), signer=signer, at=AT))[0]


def test_the_demo_key_is_made_once_and_again_when_it_has_expired(pki, tmp_path):
    """The same signer comes back until its certificate ends; only its owner can read the key."""
    from datetime import timedelta

    pki.write(tmp_path / "ca")
    first = demo_report_signer(tmp_path, at=AT)
    assert (tmp_path / FOLDER / "key.pem").stat().st_mode & 0o077 == 0
    assert demo_report_signer(tmp_path, at=AT).certificate == first.certificate
    later = demo_report_signer(tmp_path, at=AT + timedelta(days=800))
    assert later.certificate != first.certificate
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["report"]
