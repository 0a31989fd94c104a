"""`python -m benchmarks.stages [LICENCES]`: where the time of issuing a food licence goes, by sampling.

A timer of CPU time interrupts the line, as often as the system allows up to once a millisecond; a stage's share is the
share of the samples in which one of its functions was running, directly or through what it called. Nothing is wrapped,
so nothing is slowed down, and the caches are as cold as in real work: stages timed alone in a loop come out at half.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cases import FOOD
from benchmarks.issue import Line
from benchmarks.means import Means

if TYPE_CHECKING:
    from types import FrameType

STAGES = (
    ("request checked", "types.py", "Catalogue.draft"),
    ("seal and path usable", "means.py", "require_usable"),
    ("number proposed, in memory", "memory.py", "MemoryRegistry.propose"),
    ("rehearsal", "asking.py", "rehearse"),
    ("number reserved, in memory", "memory.py", "MemoryRegistry.reserve"),
    ("written: everything", "fill.py", "write"),
    ("  text in codes", "sheet.py", "Sheet.stream"),
    ("  fonts put together", "embedding.py", "FontSubsets.build"),
    ("  deflate", "deflate.py", "deflated"),
    ("preflight of the document", "preflight.py", "clear"),
    ("sealed: hash, signature, CMS", "pades.py", "seal_document"),
    ("verified: everything", "pipeline.py", "verify"),
    ("  digest, signature", "comparison.py", "_signatures"),
    ("  data against pages", "printed.py", "compare_content"),
    ("  checks and report", "pipeline.py", "_report"),
    ("stored and recorded, in memory", "line.py", "_recorded"),
)
"""What is printed, the module's file, and the function."""
_LICENCES = 2000


class Samples:
    """How often each function was met on the stack."""

    def __init__(self) -> None:
        self.count = 0
        self._met: Counter[str] = Counter()

    def take(self, _: int, frame: FrameType | None) -> None:
        """Count every function on the stack once."""
        self.count += 1
        met = set()
        while frame is not None:
            code = frame.f_code
            met.add(f"{Path(code.co_filename).name}:{code.co_qualname}")
            frame = frame.f_back
        self._met.update(met)

    def share(self, file: str, function: str) -> float:
        """Return the share of samples in which the function ran."""
        return self._met[f"{file}:{function}"] / self.count


def main() -> None:
    """Issue, sample, print."""
    licences = int(sys.argv[1]) if len(sys.argv) > 1 else _LICENCES
    at = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory() as folder:
        line = Line.of(Means.build(Path(folder), at=at), FOOD, at)
        cases = [line.cases.case(number) for number in range(licences + 100)]
        for case in cases[:100]:
            line.issue(case)
        samples = Samples()
        signal.signal(signal.SIGPROF, samples.take)
        signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
        start = time.process_time()
        for case in cases[100:]:
            line.issue(case)
        spent = (time.process_time() - start) / licences
        signal.setitimer(signal.ITIMER_PROF, 0)
    print(f"{spent * 1e6:.0f} µs of CPU time a licence, {samples.count} samples")
    for title, file, function in STAGES:
        print(f"{samples.share(file, function) * spent * 1e6:6.0f} µs  {title}")


if __name__ == "__main__":
    main()
