"""No single bit of a sealed document may be another, wherever it is."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from elicense.pki.throwaway import make_pki
from elicense.pki.trust import TrustStore
from elicense.signing.cms import sign_digest
from elicense.updates import fill_gap
from elicense.verification.pipeline import verify
from elicense.verification.report import CheckStatus, Indication
from tests.attacks import documents, flips
from tests.support.paths import Remembering
from tests.support.pki import AT, AUTHORITY, AUTHORITY_CODE, SEAL_NUMBER
from tests.unit.verification.minimal_pdf import Draft, unsigned
from tests.vectors.minimal import gap

if TYPE_CHECKING:
    from elicense.pki.keys import Signer

SAMPLE = 700
"""Flips in one run of the tests; `python -m tests.attacks.flips 20000` is the long one."""


def test_the_register_knows_the_files_that_bits_are_flipped_in() -> None:
    """Untouched, an issued licence is authentic by its hash: so the flips below had something to gain."""
    data = documents.licence(documents.SLUGS[0])
    report = verify(data, trust=documents.trust(), at=documents.AT, registry=documents.office().registry)
    assert report.indication is Indication.TOTAL_PASSED
    assert CheckStatus.RECORDED in {check.status for check in report.checks}


def test_random_bits_never_pass() -> None:
    """Of a sample of flipped bits in every kind of document none is authentic by hash or offline, and none raises."""
    found = flips.run(flips.chosen(SAMPLE, 20_260_308))
    assert (found.by_hash, found.passed, found.raised) == ([], [], [])
    assert sum(found.verdicts.values()) == SAMPLE


@pytest.mark.parametrize("wrong", ["by_hash", "passed", "raised", "differing"])
def test_the_long_run_fails_if_anything_is_wrong(
    wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its exit status is 0 for a run in order, and 1, with the file named, for each thing that must not be."""
    assert flips.main(["12"]) == 0
    assert "12 read on the full road" in capsys.readouterr().out
    monkeypatch.setattr(flips, "run", lambda *_, **__: flips.Flipped(**{wrong: ["this byte"]}))
    assert flips.main(["12", "3"]) == 1
    assert "this byte" in capsys.readouterr().out


def test_every_bit_of_the_gap_counts() -> None:
    """Each bit of the bytes that no signature covers is flipped once, in the smallest of seals: no file passes."""
    pki = make_pki(at=AT, algorithm="ed25519")
    pki = replace(pki, issuing=pki.root)
    identity = pki.seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE, algorithm="ed25519")
    signer = replace(identity, chain=()).signer()
    trust, reader = TrustStore((pki.root.certificate,), crls=pki.crls), Remembering()
    data = _sealed_tightly(signer)
    assert verify(data, trust=trust, at=AT, sandbox=reader).indication is Indication.TOTAL_PASSED
    start, end = gap(data)
    for position in range(start, end):
        for bit in range(8):
            changed = flips.flipped(data, position, bit)
            report = verify(changed, trust=trust, at=AT, sandbox=reader)
            assert report.indication is not Indication.TOTAL_PASSED, (position, bit)


def _sealed_tightly(signer: Signer) -> bytes:
    """Return the minimal licence with eight bytes of padding behind its seal."""
    needed = len(sign_digest(bytes(64), signer))
    document = unsigned(Draft(), needed + 8)
    _, start, end, _ = document.slot.byte_range
    digest = hashlib.new(signer.algorithm.digest, document.pdf[:start] + document.pdf[end:]).digest()
    return fill_gap(document.pdf, document.slot.byte_range, sign_digest(digest, signer))
