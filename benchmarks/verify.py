"""Verifying against pyHanko's validator and pdfsig: our licences at each level, and documents of any program.

Ours is the whole line of `elicense.verify`, register empty, sandbox warm: structure, seal, path, revocation, and the
printed page against the embedded data. pyHanko has its trust loaded once and is asked in two ways: plainly (signature,
path, later changes), and with revocation lists, which we always read. Each side must have called the good files good
and spoilt ones not before it is timed, and every answer that is timed must be right.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding

from benchmarks.cases import APPROVAL, CERTIFICATE, FOOD, Cases
from benchmarks.checks import require_ours, spoilt
from benchmarks.foreign import large_file, many_signatures
from benchmarks.means import Means
from benchmarks.measure import Ratio, Side, race
from benchmarks.stamping import DirectAuthority
from benchmarks.validator import PyhankoValidator
from benchmarks.worker import ask
from elicense import Indication, issue, verify
from elicense.archiving import archive
from elicense.pki.throwaway import load_pki
from elicense.registry.memory import MemoryRegistry
from elicense.verification.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from elicense import IssuingOffice, TrustStore

PARTS = ("levels", "pages", "many", "large", "cold")
"""What `--only` chooses from."""
MANY = 50
"""Signatures in one document."""
LARGE = 100
"""Megabytes of one document."""
_VARIANTS = {"B-B": 64, "B-T": 16, "B-LTA": 8}
"""Files of each level, taken in turn, so that nobody is helped by having seen the same bytes."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Both verifiers, everything loaded; the files are the same."""

    trust: TrustStore
    """Anchors, lists and the trust register."""
    at: datetime
    """One moment for all."""
    sandbox: Sandbox
    """Warm."""

    def ours(self, pdf: bytes, policy: str = "licence") -> bool:
        """Return whether we call the file authentic; the register has never seen it."""
        report = verify(
            pdf, trust=self.trust, at=self.at, policy=policy, registry=MemoryRegistry(), sandbox=self.sandbox,
            size_limit=2 * LARGE * 1_000_000,
        )  # fmt: skip
        return report.indication is Indication.TOTAL_PASSED

    @property
    def pyhanko(self) -> PyhankoValidator:
        """The peer, trusting the same."""
        return PyhankoValidator.of(self.trust, self.at)


def run(rounds: int, only: Collection[str] = PARTS) -> list[Ratio]:
    """Return the metrics, headline first. Raises AssertionError if a verifier is wrong about a file."""
    at = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
        sandbox.warm_up()
        folder = Path(name)
        means = Means.build(folder / "means", at=at)
        bench = Bench(means.office.trust, at, sandbox)
        rows: list[Ratio] = []
        if "levels" in only:
            stamps = DirectAuthority.of(
                load_pki(means.demo_folder / "ca", at=at).timestamp_authority(algorithm="rsa2048"), at
            )
            for level in ("B-B", "B-T", "B-LTA"):
                rows += _level(bench, level, _licences(bench, means, stamps, level), folder, rounds)
        if "pages" in only:
            for slug, title in (
                (CERTIFICATE, "certificate of 4 pages"),
                (APPROVAL, "approval document of 5 pages"),
            ):
                pdfs = _issued(means.fresh(), slug, _VARIANTS["B-LTA"], at)
                rows.append(_against_pyhanko(bench, f"verify B-B, {title}", pdfs, rounds))
        if "many" in only:
            rows += _many(sandbox, at, rounds)
        if "large" in only:
            rows += _large(sandbox, at, rounds)
        if "cold" in only:
            rows.append(_cold(means, folder, rounds))
        return rows


# --- Our own documents ---


def _issued(office: IssuingOffice, slug: str, count: int, at: datetime) -> list[bytes]:
    """Return so many licences; the first has passed all checks of an issued document."""
    cases = Cases(office, slug, at)
    issued = [issue(cases.request(number), office, at=at) for number in range(count)]
    if office.timestamps is None:
        require_ours(issued[0].pdf, issued[0].record.licence, office, at=at)
    return [one.pdf for one in issued]


def _licences(bench: Bench, means: Means, stamps: DirectAuthority, level: str) -> list[bytes]:
    """Return food licences of a level; B-LTA are archive copies: evidence and a timestamp behind the sealed bytes."""
    office = replace(means.fresh(), timestamps=None if level == "B-B" else stamps)
    pdfs = _issued(office, FOOD, _VARIANTS[level], bench.at)
    if level != "B-LTA":
        return pdfs
    kept = {
        "level": level,
        "trust": bench.trust,
        "timestamps": stamps,
        "at": bench.at,
        "sandbox": bench.sandbox,
    }
    archived: Callable[..., Any] = archive
    return [archived(pdf, **kept).pdf for pdf in pdfs]


def _level(bench: Bench, level: str, pdfs: Sequence[bytes], folder: Path, rounds: int) -> list[Ratio]:
    """A level against pyHanko, asked in both ways, and against a process of pdfsig a file, as it is used."""
    peer = bench.pyhanko
    # Beyond B-B the file ends with evidence, which each verifier weighs in its own way: the sealed bytes must hold.
    places = () if level == "B-B" else ("prefix", "embedded data")
    verifiers: dict[str, Callable[[bytes], bool]] = {
        "ours": bench.ours,
        "plain": peer.accepts,
        "strict": lambda pdf: peer.accepts(pdf, revocation=True),
    }
    sides = {name: _Turns(pdfs, one).require_right(*places).side() for name, one in verifiers.items()}
    found = race(sides, rounds=rounds)
    what = f"verify {level}, whole line"
    at_least, aim = (12, 30) if level == "B-B" else (None, None)
    rows = [
        Ratio.of(
            f"{what} ÷ pyHanko's plain validation", found["ours"], found["plain"], at_least=at_least, aim=aim
        ),
        Ratio.of(f"{what} ÷ pyHanko's with revocation lists", found["ours"], found["strict"]),
    ]
    if shutil.which("pdfsig") and shutil.which("certutil"):
        pdfsig = _Turns([_written(folder, pdf) for pdf in pdfs], _pdfsig(folder, bench.trust))
        for place, bad in spoilt(pdfs[0]).items():
            if not places or place in places:
                assert not pdfsig.accepts(_written(folder, bad)), f"pdfsig does not notice the {place}"
        waited = race(
            {"ours": sides["ours"], "pdfsig": pdfsig.side()}, rounds=rounds, clock=time.perf_counter
        )
        rows.append(Ratio.of(f"{what} ÷ a process of pdfsig, wall time", waited["ours"], waited["pdfsig"]))
    return rows


def _against_pyhanko(bench: Bench, title: str, pdfs: Sequence[bytes], rounds: int) -> Ratio:
    sides = {
        "ours": _Turns(pdfs, bench.ours).require_right().side(),
        "plain": _Turns(pdfs, bench.pyhanko.accepts).require_right().side(),
    }
    found = race(sides, rounds=rounds)
    return Ratio.of(f"{title} ÷ pyHanko's plain validation", found["ours"], found["plain"])


@dataclass(frozen=True, slots=True)
class _Turns:
    """A verifier over files that it gets in turn."""

    files: Sequence[Any]
    """Documents, or where they lie."""
    accepts: Callable[[Any], bool]
    """The verifier."""

    def require_right(self, *places: str) -> _Turns:
        """Return itself if it passes the first document and none with a flipped bit. Raises AssertionError.

        Args:
            places: where bits are flipped; none given is everywhere.
        """
        assert self.accepts(self.files[0]), "a verifier does not accept the document"
        for place, bad in spoilt(self.files[0]).items():
            if not places or place in places:
                assert not self.accepts(bad), f"a verifier does not notice a flipped bit in the {place}"
        return self

    def side(self, times: int | None = None) -> Side:
        """Return the side; each of its answers must be yes."""
        return Side(self.accepts, lambda number: self.files[number % len(self.files)], _all_accepted, times)


def _all_accepted(_: Sequence[object], answers: Sequence[bool]) -> None:
    assert all(answers), "a verifier does not accept a document"


def _pdfsig(folder: Path, trust: TrustStore) -> Callable[[Path], bool]:
    """Return pdfsig, trusting the anchors: whether it calls every signature of a file valid."""
    nss = folder / "nss"
    database = f"sql:{nss}"
    if not nss.exists():
        nss.mkdir()
        _run("certutil", "-N", "-d", database, "--empty-password")
        for number, anchor in enumerate(trust.anchors):
            path = nss / f"{number}.der"
            path.write_bytes(anchor.public_bytes(Encoding.DER))
            _run("certutil", "-A", "-d", database, "-n", f"a{number}", "-t", "CT,C,C", "-i", str(path))

    def accepts(file: Path) -> bool:
        said = _run("pdfsig", "-nssdir", database, "-no-ocsp", str(file), check=False)
        return "Signature is Valid." in said and "Signature is Invalid" not in said

    return accepts


def _written(folder: Path, pdf: bytes) -> Path:
    """Return a file that holds the document."""
    path = folder / f"{hashlib.sha256(pdf).hexdigest()}.pdf"
    path.write_bytes(pdf)
    return path


def _run(*command: str, check: bool = True) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=check).stdout  # noqa: S603


# --- Documents of any program, and the first document ---


def _many(sandbox: Sandbox, at: datetime, rounds: int) -> list[Ratio]:
    """Fifty signatures, each on a revision of its own, against pyHanko's validation of all; and how cost grows."""
    trust, documents = many_signatures(at, (1, MANY // 2, MANY))
    bench = Bench(trust, at, sandbox)
    peer = bench.pyhanko

    def general(pdf: bytes) -> bool:
        return bench.ours(pdf, "general")

    sides = {
        str(count): _Turns([pdf], general).require_right("prefix").side() for count, pdf in documents.items()
    }
    sides["pyHanko"] = (
        _Turns([documents[MANY]], lambda pdf: peer.accepts(pdf, count=MANY))
        .require_right("prefix")
        .side(times=1)
    )
    found = race(sides, rounds=rounds)
    many = found[str(MANY)]
    what = f"verify general, {MANY} signatures with change check"
    return [
        Ratio.of(f"{what} ÷ pyHanko's validation of all", many, found["pyHanko"], at_least=30, aim=100),
        Ratio.of(f"{what}: {MANY} × the time of one ÷ ours", many, [MANY * one for one in found["1"]]),
        Ratio.of(
            f"{what}: twice the time of {MANY // 2} ÷ ours (1 is linear)",
            many, [2 * half for half in found[str(MANY // 2)]], at_least=0.9,
        ),
    ]  # fmt: skip


def _large(sandbox: Sandbox, at: datetime, rounds: int) -> list[Ratio]:
    """A large document: the time to hash it is the least that any verifier needs."""
    trust, pdf = large_file(at, LARGE)
    bench = Bench(trust, at, sandbox)
    sides = {
        "ours": _Turns([pdf], lambda data: bench.ours(data, "general")).require_right("prefix").side(),
        "pyHanko": _Turns([pdf], bench.pyhanko.accepts).require_right("prefix").side(),
        "SHA-256": Side(lambda _: hashlib.sha256(pdf).digest()),
    }
    found = race(sides, rounds=rounds)
    what = f"verify general, {LARGE} MB"
    return [
        Ratio.of(
            f"{what}: SHA-256 of it ÷ ours (the limit is 1)",
            found["ours"], found["SHA-256"], at_least=1 / 2.0, aim=1 / 1.1,
        ),
        Ratio.of(f"{what} ÷ pyHanko's plain validation", found["ours"], found["pyHanko"]),
    ]  # fmt: skip


def _cold(means: Means, folder: Path, rounds: int) -> Ratio:
    """The first verification in a fresh process, imports and trust loaded before the clock."""
    file = _written(folder, _issued(means.fresh(), FOOD, 1, datetime.now(UTC).replace(microsecond=0))[0])
    found = [
        (ask("verify", means.demo_folder, file)["first"], ask("pyhanko", means.demo_folder, file)["first"])
        for _ in range(rounds)
    ]
    name = "verify B-B, the first document of a fresh process ÷ pyHanko's plain validation likewise"
    return Ratio.of(name, [ours for ours, _ in found], [peer for _, peer in found])
