"""What other people's programs say of a joint document, after every seal: intact, conforming, nothing to mend."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from oracles import ask_dss, ask_java, nss_database, require, run, spoil
from pyhanko.pdf_utils.reader import PdfFileReader

from elicense import demo
from elicense.issuing import issue

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

SLUG = "joint-approval-document"


@dataclass(frozen=True)
class Joint:
    """The document after each of its seals."""

    files: list[Path]
    """With one seal, two, …, all."""
    changed: Path
    """The last one, a byte of its first revision changed."""
    anchors: list[Path]
    crls: list[Path]


@pytest.fixture(scope="module")
def joint(tmp_path_factory: pytest.TempPathFactory) -> Joint:
    """The sample of the joint type, issued by three departments of a throw-away PKI."""
    folder = tmp_path_factory.mktemp("joint")
    now = datetime.now(UTC).replace(microsecond=0)
    office = demo.build(folder / "demo", at=now)
    record = issue(office.catalogue[SLUG].sample_request(), office, at=now).record
    files = []
    for number, evidence in enumerate([*record.interim, record.document], 1):
        files.append(folder / f"{number}.pdf")
        files[-1].write_bytes(office.store.get(evidence.sha256))
    changed = folder / "changed.pdf"
    changed.write_bytes(spoil(files[-1].read_bytes()))
    anchors = [folder / f"anchor{n}.pem" for n, _ in enumerate(office.trust.anchors)]
    crls = [folder / f"list{n}.crl" for n, _ in enumerate(office.trust.crls)]
    for path, one in zip(anchors, office.trust.anchors, strict=True):
        path.write_bytes(one.public_bytes(Encoding.PEM))
    for path, crl in zip(crls, office.trust.crls, strict=True):
        path.write_bytes(crl.public_bytes(Encoding.DER))
    return Joint(files, changed, anchors, crls)


def test_eu_dss_passes_every_seal_after_every_seal(joint: Joint) -> None:
    """TOTAL_PASSED and PAdES-BASELINE-B for each seal there is; none of a changed file.

    It warns that it cannot explain how the structure tree leads to a changed field, which docs/adr/0005 explains.
    """
    lines = ask_dss(joint.anchors, joint.crls, *joint.files, joint.changed)
    for seals, path in enumerate(joint.files, 1):
        assert [line[1:5] for line in lines if line[0] == str(path)] == [
            ["TOTAL_PASSED", "null", "PAdES-BASELINE-B", "intact"]
        ] * seals, lines
    assert {line[1] for line in lines if line[0] == str(joint.changed)} == {"TOTAL_FAILED"}


def test_pdfbox_and_bouncy_castle_find_every_seal_intact_and_the_last_one_whole(joint: Joint) -> None:
    """Each seal is intact, only the newest covers the whole file."""
    lines = ask_java("Pdfbox", *map(str, joint.files))
    for seals, path in enumerate(joint.files, 1):
        said = [line[1:] for line in lines if line[0] == str(path)]
        assert said == [["intact", "partial"]] * (seals - 1) + [["intact", "whole"]]


def test_verapdf_finds_no_failure_after_any_seal(joint: Joint) -> None:
    """PDF/A-3a and PDF/UA-1 hold with one seal, with two and with all."""
    pairs = [word for path in joint.files for flavour in ("3a", "ua1") for word in (flavour, str(path))]
    lines = ask_java("Verapdf", *pairs)
    assert [line[2] for line in lines] == ["compliant"] * (2 * len(joint.files)), lines


def test_pdfsig_finds_every_seal_valid(joint: Joint, tmp_path: Path) -> None:
    """Signed fields are valid, fields still to be sealed are called unsigned, a changed file has no valid seal."""
    nss = nss_database(tmp_path / "nss", joint.anchors)
    for seals, path in enumerate((*joint.files, joint.changed), 1):
        said = run(require("pdfsig"), "-nssdir", f"sql:{nss}", "-no-ocsp", str(path)).stdout
        valid, missing = (
            said.count("Signature is Valid."),
            said.count("The signature form field is not signed."),
        )
        assert (valid, missing) == ((0, 0) if path == joint.changed else (seals, len(joint.files) - seals))


def test_qpdf_finds_nothing_to_mend_after_any_seal(joint: Joint) -> None:
    """Every revision is read without a warning."""
    for path in joint.files:
        done = run(require("qpdf"), "--check", str(path))
        assert done.returncode == 0, (done.stdout, done.stderr)


def test_pyhanko_finds_every_seal_intact_and_minds_the_structure_tree_alone(joint: Joint) -> None:
    """Digests, coverage, certification and lock are as meant; its one objection is where else the field is used.

    pyHanko's list of permitted changes does not foresee that the structure tree leads to a field signed later.
    """
    reader = PdfFileReader(io.BytesIO(joint.files[-1].read_bytes()))
    seals = reader.embedded_signatures
    assert [seal.field_name for seal in seals] == ["Seal", "Seal2", "Seal3"]
    for seal in seals:
        seal.compute_integrity_info()
    assert [seal.coverage.name for seal in seals] == ["ENTIRE_REVISION", "ENTIRE_REVISION", "ENTIRE_FILE"]
    assert seals[0].docmdp_level.name == "FILL_FORMS"
    assert seals[-1].fieldmdp.action.name == "ALL"
    for seal in seals[:-1]:
        paths = re.findall(r"PathInRevision\('([^']*)'\)", str(seal.diff_result))
        assert paths
        assert all(path.startswith(".Root.StructTreeRoot.") for path in paths), seal.diff_result
