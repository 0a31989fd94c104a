"""What other people's programs say of our files: intact, whole, conforming, and spoilt when spoilt."""

from __future__ import annotations

import pytest
from oracles import ask_dss, ask_java, ask_pdfsig, nss_database, openssl_verifies, require, run

pytestmark = pytest.mark.interop


def test_pdfsig_finds_every_file_signed_as_a_whole(issued, tmp_path):
    """Pdfsig finds each signature valid and covering the whole file, and each changed file's not valid."""
    nss = nss_database(tmp_path / "nss", issued.anchors)
    for name, path in issued.files.items():
        word = ask_pdfsig(path, nss)
        assert (word.valid, word.whole_file) == (True, True), name
    for name, path in issued.changed.items():
        assert not ask_pdfsig(path, nss).valid, name


def test_nss_builds_the_path_of_every_signer(issued, tmp_path):
    """NSS, which pdfsig and Firefox use, finds the chain from each seal's certificate to the anchor good.

    pdfsig 22.12 itself prints "Unknown issue" about the very same certificates and database.
    """
    vfychain = require("vfychain")
    nss = nss_database(tmp_path / "nss", issued.anchors)
    assert issued.chains
    for chain in issued.chains:
        done = run(vfychain, "-d", f"sql:{nss}", "-pp", "-u", "4", *map(str, chain))
        assert "Chain is good!" in done.stdout + done.stderr, chain
    stranger = run(vfychain, "-d", f"sql:{nss}", "-pp", "-u", "4", str(issued.chains[0][0]))
    assert "Chain is good!" not in stranger.stdout + stranger.stderr


def test_pdfbox_and_bouncy_castle_find_every_signature_intact_and_whole(issued):
    """PDFBox finds one signature a file, Bouncy Castle finds it intact; a changed byte breaks it."""
    good = ask_java("Pdfbox", *map(str, issued.files.values()))
    assert [line[1:] for line in good] == [["intact", "whole"]] * len(issued.files)
    bad = ask_java("Pdfbox", *map(str, issued.changed.values()))
    assert {tuple(line[1:2]) for line in bad}.isdisjoint({("intact",)})


def test_eu_dss_passes_every_file_at_the_claimed_level(issued):
    """EU DSS says TOTAL_PASSED and PAdES-BASELINE-B for each file, and never for a changed one."""
    lines = ask_dss(issued.anchors, issued.crls, *issued.files.values(), *issued.changed.values())
    changed = set(map(str, issued.changed.values()))
    for line in lines:
        if line[0] in changed:
            assert line[1] != "TOTAL_PASSED", line
        else:
            assert line[1:5] == ["TOTAL_PASSED", "null", "PAdES-BASELINE-B", "intact"], line


def test_verapdf_finds_no_failure_for_the_claimed_profile(issued):
    """VeraPDF finds PDF/A-3a and PDF/UA-1 kept by laid-out types, PDF/A-3b by drawn ones."""
    pairs = []
    for name, path in issued.files.items():
        for flavour in ["3b"] if name in issued.background else ["3a", "ua1"]:
            pairs += [flavour, str(path)]
    lines = ask_java("Verapdf", *pairs)
    assert len(lines) == len(pairs) // 2
    assert [line for line in lines if line[2] != "compliant"] == []


def test_qpdf_finds_nothing_to_mend(issued):
    """Qpdf reads every file without a warning."""
    qpdf = require("qpdf")
    for name, path in issued.files.items():
        done = run(qpdf, "--check", str(path))
        assert done.returncode == 0, (name, done.stdout, done.stderr)


def test_openssl_verifies_the_signature_cut_out_of_the_file(issued, tmp_path):
    """OpenSSL verifies each CMS over the covered bytes with the demonstration's root, and no changed one."""
    for files, expected in ((issued.files, True), (issued.changed, False)):
        for name, path in files.items():
            assert openssl_verifies(path, issued.anchors[0], tmp_path) is expected, name
