"""Issuing complete licences against reportlab + pyHanko: plain as its users write it, and tuned as far as it goes.

Ours is the whole line of `elicense.issue`: checked request, number, rehearsal, PDF/A-3a + PDF/UA-1 with embedded data,
preflight, signature, verification of the finished file, register and store in memory. The peers draw the same words,
QR code and seal and sign them; they keep no register and check nothing. No two documents are alike, and all sides get
the same words under the same number.

Nothing is timed before three documents of every side have passed `benchmarks.checks`. While the clock runs, our own
line verifies each document of ours; when it has stopped, every tenth is confirmed on the full road of the verifier.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cases import APPROVAL, CERTIFICATE, FOOD, Cases
from benchmarks.checks import confirmed, require_good, require_ours, words_of
from benchmarks.means import Means
from benchmarks.measure import Ratio, Side, race
from benchmarks.tuned import LoadedSigner
from benchmarks.worker import ask
from elicense import issue
from elicense.signing.cms import sign_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from benchmarks.cases import Case
    from elicense import IssuedLicence, IssuingOffice

PARTS = ("food", "cms", "size", "compile", "memory", "pages")
"""What `--only` chooses from."""
_COMPARED = 3
"""Documents of each side that are looked at before anything is timed."""
_CONFIRMED = 10
"""Every so manieth of ours is confirmed on the full road."""
_LICENCES = 1000
"""Issued by a worker before its memory is looked at."""
_MEMORY_ROUNDS = 5
"""Processes whose memory is looked at; it hardly varies."""


@dataclass(slots=True)
class Line:
    """One type under one key, as all sides make it."""

    means: Means
    """Ours and the peers' files."""
    cases: Cases
    """What is asked for."""
    office: IssuingOffice
    """Ours; its register and store in memory are new for every round, so that no round pays for another's records."""

    @classmethod
    def of(cls, means: Means, slug: str, at: datetime) -> Line:
        """Return the line of a type."""
        return cls(means, Cases(means.office, slug, at), means.fresh())

    def issue(self, case: Case) -> IssuedLicence:
        """Issue one licence."""
        return issue(case.request, self.office, at=self.cases.at)

    def ours(self) -> Side:
        """Return our side."""
        return Side(self.issue, make=self.cases.case, check=self._confirm)

    def peer(self, pipeline: Callable[[Case], bytes]) -> Side:
        """Return a peer's side."""
        return Side(pipeline, make=self.cases.case)

    def plain(self) -> Callable[[Case], bytes]:
        """Return the plain pipeline over this type's key and seal."""
        pipeline = self.means.plain(self.cases.slug)
        return lambda case: pipeline.issue(case.content)

    def tuned(self) -> Callable[[Case], bytes]:
        """Return the tuned pipeline over this type's key and seal."""
        pipeline = self.means.tuned(self.cases.slug)
        return lambda case: pipeline.issue(case.content)

    def require_good(self, *peers: Callable[[Case], bytes]) -> None:
        """Return if the first documents of every side are right. Raises AssertionError."""
        office, at = self.office, self.cases.at
        for number in range(_COMPARED):
            # Numbers the race does not reach.
            case = self.cases.case(-1 - number)
            issued = self.issue(case)
            require_ours(issued.pdf, issued.record.licence, office, at=at)
            words = words_of(case.licence, office.catalogue[self.cases.slug])
            for peer in peers:
                require_good(peer(case), office.trust.anchors, words=words, link=case.content.link)

    def _confirm(self, _: Sequence[Case], issued: Sequence[IssuedLicence]) -> None:
        for one in issued[::_CONFIRMED]:
            assert confirmed(one.pdf, self.office, at=self.cases.at), "a document is not confirmed"
        self.office = self.means.fresh()
        # What an office looks up once in its life is no part of every round.
        self.issue(self.cases.case(-1))


def run(rounds: int, only: Collection[str] = PARTS) -> list[Ratio]:
    """Return the metrics, headline first. Raises AssertionError if an output is wrong."""
    at = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory() as name:
        means = Means.build(Path(name), at=at)
        food = Line.of(means, FOOD, at)
        rows: list[Ratio] = []
        if "food" in only:
            rows += _food(food, Line.of(means.with_rsa(FOOD, at=at), FOOD, at), rounds)
        if "cms" in only:
            rows += _cms(means, rounds)
        if "size" in only:
            rows += _size(food, max(rounds, 15))
        if "compile" in only:
            rows += _compile(means, rounds)
        if "memory" in only:
            rows += _memory(means, Path(name), min(rounds, _MEMORY_ROUNDS))
        if "pages" in only:
            for slug, title in (
                (CERTIFICATE, "certificate of 4 pages"),
                (APPROVAL, "approval document of 5 pages"),
            ):
                rows += _pages(Line.of(means, slug, at), title, rounds)
        return rows


def _food(food: Line, rsa: Line, rounds: int) -> list[Ratio]:
    """The metrics that decide, all sides in one race."""
    plain, tuned, plain_rsa = food.plain(), food.tuned(), rsa.plain()
    food.require_good(plain, tuned)
    rsa.require_good(plain_rsa)
    sample = food.issue(food.cases.case(-99)).pdf
    signer = food.means.keeper(FOOD).signer
    found = race(
        {
            "ours": food.ours(),
            "plain": food.peer(plain),
            "tuned": food.peer(tuned),
            "ours RSA": rsa.ours(),
            "plain RSA": rsa.peer(plain_rsa),
            "bare": Side(lambda _: signer.sign(hashlib.sha256(sample).digest())),
        },
        rounds=rounds,
    )
    what = "issue, B-B P-256, complete"
    return [
        Ratio.of(f"{what} ÷ plain reportlab + pyHanko", found["ours"], found["plain"], at_least=80, aim=200),
        Ratio.of(f"{what} ÷ tuned reportlab + pyHanko", found["ours"], found["tuned"], at_least=20, aim=50),
        Ratio.of(
            "issue, B-B RSA-2048, complete ÷ plain reportlab + pyHanko",
            found["ours RSA"], found["plain RSA"], at_least=100, aim=200,
        ),
        Ratio.of(f"{what} ÷ SHA-256 and signature alone (the limit is 1)", found["ours"], found["bare"]),
    ]  # fmt: skip


def _cms(means: Means, rounds: int) -> list[Ratio]:
    """What the CMS costs beyond the raw signature, ours and pyHanko's with a loaded key."""
    signer = means.keeper(FOOD).signer
    files = means.files(FOOD)
    del files["seal_pdf"]
    peer = LoadedSigner(**files)
    attributes = bytes(150)
    found = race(
        {
            "ours": Side(lambda digest: sign_digest(digest, signer), make=_digest),
            "raw": Side(lambda _: signer.sign(attributes)),
            "pyHanko": Side(lambda digest: peer.build(digest).dump(), make=_digest),
            "pyHanko raw": Side(lambda _: peer.sign(attributes)),
        },
        rounds=rounds,
        floor=0.12,
    )
    ours = [whole - raw for whole, raw in zip(found["ours"], found["raw"], strict=True)]
    theirs = [whole - raw for whole, raw in zip(found["pyHanko"], found["pyHanko raw"], strict=True)]
    what = "CMS build beyond the raw signature"
    return [
        Ratio.within(f"{what}: 50 µs ÷ ours", 50e-6, ours, aim=10e-6),
        Ratio.of(f"{what} ÷ pyHanko's", ours, theirs),
    ]


def _digest(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(8, "big")).digest()


def _size(food: Line, documents: int) -> list[Ratio]:
    """File sizes of so many documents."""
    plain = food.plain()
    cases = [food.cases.case(number) for number in range(documents)]
    ours = [len(food.issue(case).pdf) for case in cases]
    theirs = [len(plain(case)) for case in cases]
    name = "file size ÷ plain reportlab + pyHanko"
    return [Ratio.of(name, ours, theirs, unit="bytes", at_least=1, aim=1 / 0.7)]


def _compile(means: Means, rounds: int) -> list[Ratio]:
    """A template compiled in a fresh process each round."""
    found = [ask("compile", means.demo_folder) for _ in range(rounds)]
    what = "compile a template in a fresh process"
    return [
        Ratio.within(f"{what}, fonts opened: 2 s ÷ ours", 2, [one["compile"] for one in found], aim=0.5),
        Ratio.within(
            f"{what}, first licence issued: 2 s ÷ ours", 2, [one["first"] for one in found], aim=0.5
        ),
    ]


def _memory(means: Means, folder: Path, rounds: int) -> list[Ratio]:
    """What a worker holds that issues durably, after its licences."""
    found = [
        ask("memory", means.demo_folder, folder / f"desk{number}", _LICENCES) for number in range(rounds)
    ]
    what = f"memory of a worker after {_LICENCES} licences"
    return [
        Ratio.within(f"{what}, {name}: 200 MB ÷ ours", 200, [one[name] for one in found], unit="MB", aim=150)
        for name in ("resident", "peak")
    ]


def _pages(line: Line, title: str, rounds: int) -> list[Ratio]:
    """A document of several pages against the plain pipeline that sets the same text."""
    plain = line.plain()
    line.require_good(plain)
    found = race({"ours": line.ours(), "plain": line.peer(plain)}, rounds=rounds)
    name = f"issue, B-B P-256, complete, {title} ÷ plain reportlab + pyHanko"
    return [Ratio.of(name, found["ours"], found["plain"])]
