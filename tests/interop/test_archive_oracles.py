"""What other people's programs say of our archive copies, with all validation data inside the file."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from oracles import ask_dss, ask_java, ask_pdfsig, nss_database, require, run, spoil
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import PdfSignatureValidationSpec, SignatureValidationSpec
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from elicense import demo
from elicense.archiving import archive
from elicense.issuing import issue
from elicense.pki.throwaway import load_pki
from elicense.verification.document import InProcess
from tests.support.life import life
from tests.support.ocsp import answer, delegate
from tests.support.tsa import DirectTsa

if TYPE_CHECKING:
    from tests.support.life import Life

pytestmark = pytest.mark.interop

LEVELS = {"B-T": "PAdES-BASELINE-T", "B-LT": "PAdES-BASELINE-LT", "B-LTA": "PAdES-BASELINE-LTA"}


@dataclass(frozen=True)
class Copies:
    """Archive copies by name, and what is trusted."""

    files: dict[str, Path]
    level: dict[str, str]
    anchors: list[Path]
    lists: list[Path]
    """Current lists of both PKIs, for what a file cannot hold: the newest timestamp's own."""


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    """A stamped and a late-stamped licence at each level, with lists and with OCSP answers, and renewed ones."""
    folder = tmp_path_factory.mktemp("archive")
    now = datetime.now(UTC).replace(microsecond=0)
    young = life(now - timedelta(days=3))
    made = {}
    for name, stamped in (("stamped", True), ("late", False)):
        pdf = young.issued(stamped=stamped)
        for level in LEVELS:
            made[f"{name} {level}"] = young.archive(pdf, 1, level)
        made[f"{name} renewed B-LTA"] = young.archive(made[f"{name} B-LTA"].pdf, 2, renew=True)
    made["answers B-LTA"] = _with_answers(young)
    return Copies(
        files={name: _write(folder, f"{name}.pdf", one.pdf) for name, one in made.items()},
        level={name: one.level for name, one in made.items()},
        anchors=_anchors(folder, young),
        lists=_lists(folder, young, 3),
    )


def _with_answers(world: Life):
    """Return a copy whose evidence about seal and timestamp authority is OCSP answers, about authorities lists."""
    at, tsa, answers, lists = world.day(1), world.tsa(0), [], []
    for house, leaf in ((world.house.seals, world.signer), (world.house.stamps, tsa.identity)):
        responder = delegate(house, valid_from=at - timedelta(days=1), valid_until=at + timedelta(days=30))
        answers.append(answer(leaf.certificate, house.issuing.certificate, responder, at, days=30))
        lists.append(house.with_crls(at=at).crls[0])
    trust = replace(world.office.trust, crls=tuple(lists), ocsps=tuple(answers))
    return world.archive(world.issued(), 1, trust=trust, tsa=replace(tsa, at=at))


def _write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name.replace(" ", "-")
    path.write_bytes(data)
    return path


def _anchors(folder: Path, world: Life) -> list[Path]:
    return [
        _write(folder, f"anchor{number}.pem", one.public_bytes(Encoding.PEM))
        for number, one in enumerate(world.house.anchors)
    ]


def _lists(folder: Path, world: Life, day: float) -> list[Path]:
    return [
        _write(folder, f"list{number}.crl", one.public_bytes(Encoding.DER))
        for number, one in enumerate(world.trust(day).crls)
    ]


@pytest.fixture(scope="session")
def joint(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """An archived and renewed joint document of three seals, and what is trusted."""
    folder = tmp_path_factory.mktemp("joint")
    at = datetime.now(UTC).replace(microsecond=0)
    office = demo.build(folder / "demo", at=at)
    tsa = DirectTsa(at=at, identity=load_pki(folder / "demo" / "ca", at=at).timestamp_authority())
    means = {"level": "B-LTA", "trust": office.trust, "timestamps": tsa, "at": at, "sandbox": InProcess()}
    request = office.catalogue["joint-approval-document"].sample_request()
    copied = archive(issue(request, office, at=at).pdf, **means)
    renewed = archive(copied.pdf, renew=True, **means)
    anchors = [
        _write(folder, f"anchor{number}.pem", one.public_bytes(Encoding.PEM))
        for number, one in enumerate(office.trust.anchors)
    ]
    return _write(folder, "joint.pdf", renewed.pdf), anchors


def test_joint_copies_pass_everywhere(joint, tmp_path):
    """EU DSS passes all three seals at B-LTA from the file's data alone; pdfsig, veraPDF and qpdf are content."""
    path, anchors = joint
    lines = ask_dss(anchors, [], path)
    assert [line[1:5] for line in lines] == [["TOTAL_PASSED", "null", "PAdES-BASELINE-LTA", "intact"]] * 3, (
        lines
    )
    said = run(
        require("pdfsig"), "-nssdir", f"sql:{nss_database(tmp_path / 'nss', anchors)}", "-no-ocsp", str(path)
    )
    assert said.stdout.count("Signature is Valid.") == 3
    verapdf = ask_java("Verapdf", "3a", str(path), "ua1", str(path))
    assert [line[2] for line in verapdf] == ["compliant"] * 2
    assert run(require("qpdf"), "--check", str(path)).returncode == 0


def test_eu_dss_passes_every_copy_at_its_level(copies):
    """EU DSS says TOTAL_PASSED at our level: with its own lists for B-T, with the file's data alone above."""
    assert {name.split()[-1]: level for name, level in copies.level.items()} == {
        name: name for name in LEVELS
    }
    for levels, lists in (({"B-T"}, copies.lists), (LEVELS.keys() - {"B-T"}, [])):
        asked = {str(path): copies.level[name] for name, path in copies.files.items()}
        asked = {path: level for path, level in asked.items() if level in levels}
        lines = ask_dss(copies.anchors, lists, *map(Path, asked))
        assert {line[0] for line in lines} == asked.keys()
        for line in lines:
            assert line[1:5] == ["TOTAL_PASSED", "null", LEVELS[asked[line[0]]], "intact"], line
            assert "INDETERMINATE" not in line[5], line


def test_eu_dss_passes_a_renewed_copy_whose_signer_has_expired(tmp_path):
    """Long after signer and first authority expired, EU DSS passes the copy with lists of today alone."""
    now = datetime.now(UTC).replace(microsecond=0)
    old = life(now - timedelta(days=1100))
    first = old.archive(old.issued(), 1)
    renewed = old.archive(first.pdf, 600, renew=True)
    anchors, lists = _anchors(tmp_path, old), _lists(tmp_path, old, 1099)
    ours = old.verify(renewed.pdf, 1100, old.trust(1099))
    assert (ours.indication.value, ours.signatures[0].profile) == ("TOTAL_PASSED", "B-LTA")
    files = (_write(tmp_path, "renewed.pdf", renewed.pdf), _write(tmp_path, "first.pdf", first.pdf))
    good, old_one = ask_dss(anchors, lists, *files)
    assert good[1:5] == ["TOTAL_PASSED", "null", "PAdES-BASELINE-LTA", "intact"], good
    assert old_one[1] == "INDETERMINATE", "without renewal nothing proves the time any more"


def test_eu_dss_passes_no_changed_copy(copies, tmp_path):
    """With one bit of the page changed, no copy passes."""
    changed = [_write(tmp_path, path.name, spoil(path.read_bytes())) for path in copies.files.values()]
    lines = ask_dss(copies.anchors, copies.lists, *changed)
    assert len(lines) == len(changed)
    assert {line[1] for line in lines}.isdisjoint({"TOTAL_PASSED"})


@pytest.mark.parametrize("name", ["stamped B-LTA", "stamped renewed B-LTA"])
def test_pyhanko_passes_the_long_term_validation(copies, name):
    """PyHanko's AdES engine passes the copy with nothing but anchors, and calls the updates archive updates only."""
    seals, stamps = (asn1_x509.Certificate.load(_der(path)) for path in copies.anchors)
    policy = CertRevTrustPolicy(REQUIRE_REVINFO)
    spec = SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(SimpleTrustManager.build([seals]), policy),
        ts_cert_validation_policy=CertValidationPolicySpec(SimpleTrustManager.build([stamps]), policy),
    )
    reader = PdfFileReader(io.BytesIO(copies.files[name].read_bytes()), strict=True)
    seal = reader.embedded_signatures[0]
    result = asyncio.run(ades_lta_validation(seal, PdfSignatureValidationSpec(spec)))
    assert result.ades_subindic is AdESPassed.OK, (result.ades_subindic, result.failure_msg)
    assert result.api_status.modification_level is ModificationLevel.LTA_UPDATES
    assert result.api_status.docmdp_ok


def _der(path: Path) -> bytes:
    return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)


def test_pdfsig_still_calls_every_seal_valid(copies, tmp_path):
    """Pdfsig finds the seal's signature valid in each copy, and no longer the whole file signed by it."""
    nss = nss_database(tmp_path / "nss", copies.anchors)
    for name, path in copies.files.items():
        assert ask_pdfsig(path, nss).valid, name


def test_verapdf_finds_every_copy_conforming(copies):
    """VeraPDF finds PDF/A-3a and PDF/UA-1 kept."""
    pairs = [
        part for path in copies.files.values() for flavour in ("3a", "ua1") for part in (flavour, str(path))
    ]
    lines = ask_java("Verapdf", *pairs)
    assert len(lines) == 2 * len(copies.files)
    assert [line for line in lines if line[2] != "compliant"] == []


def test_qpdf_finds_nothing_to_mend(copies):
    """Qpdf reads every copy without a warning."""
    qpdf = require("qpdf")
    for name, path in copies.files.items():
        done = run(qpdf, "--check", str(path))
        assert done.returncode == 0, (name, done.stdout, done.stderr)
