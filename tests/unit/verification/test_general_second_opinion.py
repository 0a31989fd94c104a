"""pyHanko's analysis of differences beside ours: where the two differ, the difference is written down here.

Attacks: pyHanko takes some of them for unchanged or permitted (its own default policy, strict reading), we none.
Honest files: we take every one that pyHanko takes, but leave a form filled in after an uncertified approval undecided.
"""

from __future__ import annotations

import io

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY

from tests.support.foreign import append, certify, plain, prepare, repacked, sign, size_of
from tests.support.general_forgeries import ATTACKS, BOX, one
from tests.support.judging import outcome
from tests.unit.verification.test_general_honest import fill

ACCEPTED = {
    # Bytes behind the last %%EOF that pyHanko sees are no revision to it: fewer than 1,024 are not looked at.
    "tail without end mark", "tail without table", "tail with the old startxref", "end mark commented",
    "bytes after the end", "two line ends",
    # Only the sum of the range and the Contents is compared with the file's length.
    "padding tail",
    # Each of these is an update that its default rules know; ours ask who answers for it.
    "revision skipped", "another catalogue", "field on P=1", "empty field over the text",
    "form filled in after an approval", "title changed", "field with a script",
}  # fmt: skip

HONEST = {
    "two approvals": (lambda: sign(one(), "Second"), "passed"),
    "two approvals, one visible": (lambda: sign(one(), "Second", box=BOX), "passed"),
    "certified, archived": (lambda: certify(plain(), 1, level="LTA"), "passed"),
    "prepared fields": (lambda: sign(certify(prepare(plain(), "A", "B", box=BOX), 2), "A"), "passed"),
    "object streams": (lambda: sign(sign(repacked(plain(), packed=True)), "Second"), "passed"),
    "linearized": (lambda: sign(sign(repacked(plain(), linear=True)), "Second"), "passed"),
    "form of P=2": (lambda: fill(certify(plain(form=True), 2)), "passed"),
    "form after an approval": (lambda: sign(fill(sign(plain(form=True))), "Second"), "doubt"),
    "unused object": (lambda: append(one(), {size_of(one()): b"<</A 1>>"}), "passed"),
}


def accepts(pdf: bytes) -> bool:
    """Return whether pyHanko finds signatures, each over its revision, and nothing but permitted changes after it."""
    try:
        found = PdfFileReader(io.BytesIO(pdf), strict=True).embedded_signatures
        for signature in found:
            signature.compute_integrity_info(diff_policy=DEFAULT_DIFF_POLICY)
        summaries = [signature.summarise_integrity_info() for signature in found]
    except Exception:  # noqa: BLE001 - it raises many kinds, each of which is no acceptance
        return False
    covered = all(s["coverage"].name in {"ENTIRE_FILE", "ENTIRE_REVISION"} for s in summaries)
    return bool(summaries) and covered and all(s.get("docmdp_ok", True) for s in summaries)


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name: str) -> None:
    """It accepts exactly the attacks of the list, and we none."""
    pdf = ATTACKS[name][0]()
    assert accepts(pdf) is (name in ACCEPTED)
    assert outcome(pdf) != "passed"


@pytest.mark.parametrize("name", HONEST)
def test_honest(name: str) -> None:
    """It accepts every honest file, and so do we, but for the one kind of doubt."""
    make, expected = HONEST[name]
    pdf = make()
    assert accepts(pdf)
    assert outcome(pdf) == expected
