"""Every algorithm, with and without a timestamp, before programs by other hands: intact, whole, and of what level."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from oracles import ask_dss, ask_java, ask_pdfsig, nss_database, openssl_verifies, spoil

from elicense.issuing import issue
from elicense.pki.throwaway import ALGORITHMS, make_pki
from elicense.pki.timestamps import HttpTimestampAuthority
from tests.support.demonstration import request
from tests.support.sealing import house
from tests.support.tsa import answer, serving

pytestmark = pytest.mark.interop

KINDS = [(algorithm, profile) for algorithm in ALGORITHMS for profile in ("B-B", "B-T")]
SPOILT = [("p384", "B-T"), ("rsa2048", "B-B"), ("ed25519", "B-B")]
OTHERS = [kind for kind in KINDS if kind[0] != "ed25519"]


@dataclass(frozen=True)
class Sealed:
    """The same licence under each algorithm and profile, and one byte of it changed."""

    files: dict[tuple[str, str], Path]
    changed: dict[tuple[str, str], Path]
    strange: Path
    """Stamped by an authority that only its own office trusts."""
    anchors: list[Path]
    crls: list[Path]
    at: datetime


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """One licence under each algorithm and profile; seals and timestamps have roots of their own."""
    folder = tmp_path_factory.mktemp("algorithms")
    home = house(datetime.now(UTC).replace(microsecond=0))
    authority = home.stamps.timestamp_authority()
    anchors = [folder / f"anchor{n}.pem" for n in range(len(home.anchors))]
    for path, certificate in zip(anchors, home.anchors, strict=True):
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
    crls = [folder / f"list{n}.crl" for n in range(len(home.crls))]
    for path, crl in zip(crls, home.crls, strict=True):
        path.write_bytes(crl.public_bytes(Encoding.DER))
    files, changed = {}, {}
    signers = {algorithm: home.identity(algorithm=algorithm).signer() for algorithm in ALGORITHMS}
    with serving(lambda question: answer(question, identity=authority, at=home.at)) as url:
        for algorithm, profile in KINDS:
            stamps = HttpTimestampAuthority(url) if profile == "B-T" else None
            office = home.office(signers[algorithm], timestamps=stamps)
            pdf = issue(request(), office, at=home.at).pdf
            files[algorithm, profile] = folder / f"{algorithm}-{profile}.pdf"
            files[algorithm, profile].write_bytes(pdf)
            changed[algorithm, profile] = folder / f"{algorithm}-{profile}-changed.pdf"
            changed[algorithm, profile].write_bytes(spoil(pdf))
    elsewhere = replace(home, stamps=make_pki(at=home.at))
    stranger = elsewhere.stamps.timestamp_authority()
    with serving(lambda question: answer(question, identity=stranger, at=home.at)) as url:
        office = elsewhere.office(signers["p256"], timestamps=HttpTimestampAuthority(url))
        strange = folder / "strange.pdf"
        strange.write_bytes(issue(request(), office, at=home.at).pdf)
    return Sealed(files, changed, strange, anchors, crls, home.at)


def test_bouncy_castle_finds_every_algorithm_intact(sealed):
    """PDFBox finds the signature over the whole file and Bouncy Castle finds it intact, Ed25519 too; not if changed."""
    good = ask_java("Pdfbox", *map(str, sealed.files.values()))
    assert [line[1:] for line in good] == [["intact", "whole"]] * len(KINDS)
    bad = ask_java("Pdfbox", *map(str, sealed.changed.values()))
    assert len(bad) == len(KINDS)
    assert "intact" not in {line[1] for line in bad}


@pytest.fixture(scope="module")
def dss(sealed: Sealed) -> dict[Path, list[str]]:
    """What EU DSS says of each file when it trusts both roots."""
    files = [*sealed.files.values(), *(sealed.changed[kind] for kind in SPOILT), sealed.strange]
    lines = ask_dss(sealed.anchors, sealed.crls, *files)
    return {path: line[1:] for path, line in zip(files, lines, strict=True)}


@pytest.mark.parametrize(("algorithm", "profile"), OTHERS)
def test_eu_dss_passes_every_algorithm_it_authorises(sealed, dss, algorithm, profile):
    """EU DSS says TOTAL_PASSED, intact, and PAdES-BASELINE-B or -T; the stamp's own root proves the time of T."""
    indication, reason, level, intact, stamps, _ = dss[sealed.files[algorithm, profile]]
    assert (indication, reason, intact) == ("TOTAL_PASSED", "null", "intact")
    assert level == {"B-B": "PAdES-BASELINE-B", "B-T": "PAdES-BASELINE-T"}[profile]
    assert stamps == (f"PASSED {sealed.at:%Y-%m-%dT%H:%M:%SZ}" if profile == "B-T" else "")


@pytest.mark.parametrize("profile", ["B-B", "B-T"])
def test_eu_dss_finds_ed25519_intact_but_not_authorised(sealed, dss, profile):
    """The default policy of DSS does not list EdDSA with SHA-512, so it decides nothing; the signature is intact."""
    indication, reason, _, intact, _, words = dss[sealed.files["ed25519", profile]]
    assert (indication, reason) == ("INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE_NO_POE")
    assert intact == "intact"
    assert "EdDSA with SHA512 is not authorised" in words


def test_eu_dss_believes_neither_a_changed_file_nor_a_strangers_stamp(sealed, dss):
    """A changed file is TOTAL_FAILED, and the stamp of an authority without a trusted root proves nothing."""
    for kind in SPOILT:
        word = dss[sealed.changed[kind]]
        assert (word[0], word[3]) == ("TOTAL_FAILED", "broken"), kind
    assert dss[sealed.strange][4].startswith("INDETERMINATE")


def test_pdfsig_finds_every_algorithm_signed_as_a_whole(sealed, tmp_path):
    """Each is valid and whole to pdfsig; Ed25519, which NSS does not know in CMS, is whole."""
    nss = nss_database(tmp_path / "nss", sealed.anchors)
    for kind in KINDS:
        word = ask_pdfsig(sealed.files[kind], nss)
        assert (word.valid, word.whole_file) == (kind in OTHERS, True), kind
        assert not ask_pdfsig(sealed.changed[kind], nss).valid, kind


def test_openssl_verifies_every_algorithm_it_knows_in_cms(sealed, tmp_path):
    """OpenSSL verifies the CMS of every algorithm but Ed25519, which version 3.0 cannot verify there."""
    for kind in OTHERS:
        assert openssl_verifies(sealed.files[kind], sealed.anchors[0], tmp_path), kind
        assert not openssl_verifies(sealed.changed[kind], sealed.anchors[0], tmp_path), kind


def test_verapdf_finds_stamped_documents_conforming(sealed):
    """The longer gap of a timestamp and the larger of RSA change nothing about PDF/A-3a and PDF/UA-1."""
    pairs = []
    for kind in (("p256", "B-T"), ("rsa4096", "B-T")):
        pairs += ["3a", str(sealed.files[kind]), "ua1", str(sealed.files[kind])]
    lines = ask_java("Verapdf", *pairs)
    assert [line[2] for line in lines] == ["compliant"] * 4, lines
