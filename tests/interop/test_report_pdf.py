"""What other people's programs say of the printable report: conforming, signed as a whole, nothing to mend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from oracles import ask_dss, ask_java, ask_pdfsig, nss_database, require, run, spoil

from elicense.catalogue import templates_folder
from elicense.pki.throwaway import make_pki
from elicense.rendering.fonts import FontLibrary
from elicense.reporting.document import pdf_report
from elicense.reporting.identity import demo_report_signer
from tests.support.reports import every_report

pytestmark = pytest.mark.interop


@dataclass(frozen=True)
class Reports:
    """One report of each shape, and whom to trust."""

    files: list[Path]
    anchor: Path
    crls: list[Path]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """Every report as PDF, signed by a throw-away report key."""
    folder = tmp_path_factory.mktemp("reports")
    at = datetime.now(UTC).replace(microsecond=0)
    pki = make_pki(at=at)
    pki.write(folder / "ca")
    signer = demo_report_signer(folder, at=at)
    fonts = FontLibrary.load(templates_folder() / "fonts")
    files = []
    for name, report in every_report().items():
        files.append(folder / f"{name}.pdf")
        files[-1].write_bytes(pdf_report(report, fonts=fonts, signer=signer, at=at, demo=name == "sealed"))
    crls = []
    for number, crl in enumerate(pki.crls):
        crls.append(folder / f"list{number}.crl")
        crls[-1].write_bytes(crl.public_bytes(Encoding.DER))
    return Reports(files, folder / "ca" / "anchors.pem", crls)


def test_verapdf_finds_pdf_a_kept(reports):
    """VeraPDF finds no failure of PDF/A-3a in any report."""
    lines = ask_java("Verapdf", *(word for path in reports.files for word in ("3a", str(path))))
    assert len(lines) == len(reports.files)
    assert [line for line in lines if line[2] != "compliant"] == []


def test_eu_dss_passes_every_report(reports):
    """EU DSS says TOTAL_PASSED and PAdES-BASELINE-B."""
    lines = ask_dss([reports.anchor], reports.crls, *reports.files)
    assert len(lines) == len(reports.files)
    for line in lines:
        assert line[1:5] == ["TOTAL_PASSED", "null", "PAdES-BASELINE-B", "intact"], line


def test_pdfsig_finds_it_signed_as_a_whole(reports, tmp_path):
    """Pdfsig finds the signature valid and covering the whole file, and not of a changed one."""
    nss = nss_database(tmp_path / "nss", [reports.anchor])
    word = ask_pdfsig(reports.files[0], nss)
    assert (word.valid, word.whole_file) == (True, True)
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(spoil(reports.files[0].read_bytes()))
    assert not ask_pdfsig(changed, nss).valid


def test_qpdf_finds_nothing_to_mend(reports):
    """Qpdf reads every report without a warning."""
    for path in reports.files:
        done = run(require("qpdf"), "--check", str(path))
        assert done.returncode == 0, (path.name, done.stdout, done.stderr)
