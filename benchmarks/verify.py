"""Verifying against pyHanko's validator and pdfsig: the food business licence, at each level, and many signatures.

Ours is the whole line of `elicense.verify`, register empty, sandbox warm: structure, seal, path, revocation, and the
printed page against the embedded data. The peers check the signature and its path; pyHanko compares revisions too. Each
side must have called the good files good and a spoilt one not, or nothing is timed.
"""

from __future__ import annotations

import asyncio
import io
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from benchmarks.foreign import many_signatures
from benchmarks.measure import Ratio, compare, cpu_seconds
from benchmarks.stamping import DirectAuthority
from elicense import Indication, demo, issue, verify
from elicense.archiving import archive
from elicense.pki.throwaway import load_pki
from elicense.registry.memory import MemoryRegistry, MemoryStore
from elicense.verification.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from elicense import IssuingOffice, TrustStore

TYPE = "food-business-licence"
MANY = 50
"""Signatures in one document, against one."""
VARIANTS = 4
"""Files of each kind, taken in turn, so that nobody is helped by having seen the same bytes."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything loaded; the verifiers differ, the files are the same."""

    trust: TrustStore
    """Anchors, lists and the trust register."""
    at: datetime
    """One moment for all."""
    sandbox: Sandbox
    """Warm."""
    nss: Path
    """A database for pdfsig that trusts the anchors."""

    def ours(self, pdf: bytes, policy: str = "licence") -> bool:
        """Return whether we call the file authentic; the register has never seen it."""
        report = verify(
            pdf, trust=self.trust, at=self.at, policy=policy, registry=MemoryRegistry(), sandbox=self.sandbox
        )
        return report.indication is Indication.TOTAL_PASSED

    def pyhanko(self, pdf: bytes) -> bool:
        """Return whether pyHanko's validator, strict, calls the first signature good; roots and lists are given."""
        load = asn1_x509.Certificate.load
        context = ValidationContext(
            trust_roots=[load(anchor.public_bytes(Encoding.DER)) for anchor in self.trust.anchors],
            other_certs=[load(one.public_bytes(Encoding.DER)) for one in self.trust.intermediates],
            crls=[crl.public_bytes(Encoding.DER) for crl in self.trust.crls],
            allow_fetching=False,
            revocation_mode="require",
            moment=self.at,
        )
        try:
            signature = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures[0]
            status = asyncio.run(async_validate_pdf_signature(signature, context, context))
        except Exception:  # noqa: BLE001 - pyHanko raises anything on a spoilt file
            return False
        return bool(status.bottom_line)

    def pdfsig(self, file: Path) -> bool:
        """Return whether pdfsig calls every signature of the file valid; one process a file, as it is used."""
        command = ["pdfsig", "-nssdir", f"sql:{self.nss}", "-no-ocsp", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        return "Signature is Valid." in done.stdout and "Signature is Invalid" not in done.stdout


def run(rounds: int) -> list[Ratio]:
    """Return the ratios. Raises AssertionError if a verifier is wrong about a file."""
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
        folder = Path(name)
        at = datetime.now(UTC).replace(microsecond=0)
        office = demo.build(folder / "demo", at=at)
        stamps = DirectAuthority.of(
            load_pki(folder / "demo" / "ca", at=at).timestamp_authority(algorithm="rsa2048"), at
        )
        sandbox.warm_up()
        bench = Bench(office.trust, at, sandbox, _nss(folder / "nss", office.trust))
        rows = []
        for level in ("B-B", "B-T", "B-LTA"):
            timestamps = None if level == "B-B" else stamps
            pdfs = [_issued(replace(office, timestamps=timestamps), n, at) for n in range(VARIANTS)]
            if level == "B-LTA":
                pdfs = [_archived(pdf, bench, stamps) for pdf in pdfs]
            rows += _against_peers(bench, level, pdfs, folder, rounds)
        rows.append(_many_against_one(sandbox, at, rounds))
        return rows


def _issued(office: IssuingOffice, number: int, at: datetime) -> bytes:
    """Return a licence that our verifier's register has never seen; each number gives another document."""
    fresh = replace(office, registry=MemoryRegistry(), store=MemoryStore())
    request = fresh.catalogue[TYPE].sample_request()
    fields = {**request.fields, "domicile": f"示例省样例市测试区样板路{number}号"}
    return issue(replace(request, fields=fields), fresh, at=at).pdf


def _archived(pdf: bytes, bench: Bench, stamps: DirectAuthority) -> bytes:
    """Return the archive's copy: evidence and a timestamp over it behind the sealed bytes."""
    copy = archive(
        pdf, level="B-LTA", trust=bench.trust, timestamps=stamps, at=bench.at, sandbox=bench.sandbox
    )
    return copy.pdf


def _against_peers(bench: Bench, level: str, pdfs: Sequence[bytes], folder: Path, rounds: int) -> list[Ratio]:
    files = []
    for number, pdf in enumerate(pdfs):
        files.append(folder / f"{level}-{number}.pdf")
        files[-1].write_bytes(pdf)
    _require_right(bench, pdfs[0], folder)

    def ours(number: int) -> bool:
        return bench.ours(pdfs[number % VARIANTS])

    return [
        compare(
            f"verify {level}, whole line ÷ pyHanko's validator",
            ours,
            lambda number: bench.pyhanko(pdfs[number % VARIANTS]),
            rounds=rounds,
            per_round=(VARIANTS, VARIANTS),
        ),
        compare(
            f"verify {level}, whole line ÷ pdfsig, wall time",
            ours,
            lambda number: bench.pdfsig(files[number % VARIANTS]),
            rounds=rounds,
            per_round=(VARIANTS, VARIANTS),
            clock=time.perf_counter,
        ),
    ]


def _require_right(bench: Bench, pdf: bytes, folder: Path) -> None:
    """Return if every verifier passes the file and none the file with one bit changed."""
    spoilt = bytearray(pdf)
    spoilt[pdf.index(b"stream\n") + 20] ^= 1
    good, bad = folder / "good.pdf", folder / "spoilt.pdf"
    good.write_bytes(pdf)
    bad.write_bytes(spoilt)
    assert bench.ours(pdf), "we do not call the file authentic"
    assert not bench.ours(bytes(spoilt)), "we do not see the changed bit"
    assert bench.pyhanko(pdf), "pyHanko does not call the file good"
    assert not bench.pyhanko(bytes(spoilt)), "pyHanko does not see the changed bit"
    assert bench.pdfsig(good), "pdfsig does not call the file valid"
    assert not bench.pdfsig(bad), "pdfsig does not see the changed bit"


def _many_against_one(sandbox: Sandbox, at: datetime, rounds: int) -> Ratio:
    """Return how many times as much a document with fifty signatures costs as one with one, under `general`."""
    trust, documents = many_signatures(at, (1, MANY))
    bench = Bench(trust, at, sandbox, Path())
    one, many = documents[1], documents[MANY]

    def check(pdf: bytes) -> Callable[[int], None]:
        def judged(_: int) -> None:
            assert bench.ours(pdf, "general"), "we do not call the document of many signatures authentic"

        return judged

    title = f"general: {MANY} signatures ÷ 1, times as much (at most 60)"
    return compare(title, check(one), check(many), rounds=rounds, per_round=(4, 1), clock=cpu_seconds)


def _nss(folder: Path, trust: TrustStore) -> Path:
    """Return a new NSS database that trusts the anchors."""
    folder.mkdir()
    database = f"sql:{folder}"
    subprocess.run(["certutil", "-N", "-d", database, "--empty-password"], check=True)  # noqa: S603, S607
    for number, anchor in enumerate(trust.anchors):
        path = folder / f"{number}.der"
        path.write_bytes(anchor.public_bytes(Encoding.DER))
        command = ["certutil", "-A", "-d", database, "-n", f"a{number}", "-t", "CT,C,C", "-i", str(path)]
        subprocess.run(command, check=True)  # noqa: S603
    return folder
