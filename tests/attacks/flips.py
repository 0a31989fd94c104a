"""Random bits of sealed documents flipped: none may pass, neither by the register's knowledge of hashes nor offline.

`python -m tests.attacks.flips N [SEED]` flips N bits, one at a time, in every kind of file there is, has each file
verified both by comparison with what is known and the whole way, and prints what came out. Its exit status is 1 if a
file passed, made the verifier raise, or was judged differently. The committed tests run a short sample.

No bit of ours is documented as free (docs/verification.md, "The shape of a sealed licence"), so the number of files
that pass must be 0.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from elicense.verification.pipeline import verify
from elicense.verification.report import CheckStatus, Indication
from tests.attacks import documents as d
from tests.support.paths import Remembering

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from elicense.verification.known import Known

KINDS = (*d.TYPES, *(f"{slug}+B-T" for slug in d.SLUGS), *d.EXTENDED)
"""Documents that bits are flipped in: each type (one is jointly sealed), stamped ones, archive copies."""


@dataclass
class Flipped:
    """What came out."""

    verdicts: Counter[str] = field(default_factory=Counter)
    """How often each verdict."""
    by_hash: list[str] = field(default_factory=list)
    """Changed files that the register was believed to know."""
    passed: list[str] = field(default_factory=list)
    """Changed files that passed, by document, byte and bit."""
    raised: list[str] = field(default_factory=list)
    """Changed files that made the verifier raise."""
    differing: list[str] = field(default_factory=list)
    """Changed files about which the two roads of the verifier do not say the same."""
    roads: Counter[str] = field(default_factory=Counter)
    """How often each road was taken."""


def flipped(data: bytes, position: int, bit: int) -> bytes:
    """Return the bytes with one bit changed."""
    return b"".join((data[:position], bytes([data[position] ^ 1 << bit]), data[position + 1 :]))


def chosen(count: int, seed: int) -> Iterator[tuple[str, int, int]]:
    """Return `count` times a document, a position and a bit; every third lies in a gap, where nothing is covered."""
    chance = random.Random(seed)  # noqa: S311 - reproducible damage, no secret
    for number in range(count):
        subject = KINDS[number % len(KINDS)]
        start, end = d.gap(d.licence(subject))
        span = (start, end) if number // len(KINDS) % 3 == 0 else (0, len(d.licence(subject)))
        yield subject, chance.randrange(*span), chance.randrange(8)


def run(flips: Iterable[tuple[str, int, int]], *, known: Known | None = None) -> Flipped:
    """Return what came of these flips, each verified with the register that knows the genuine files.

    Args:
        flips: document, position and bit of each.
        known: what was learned from the genuine documents: then the whole way is gone as well, and compared.
    """
    found = Flipped()
    before = known.roads.copy() if known else Counter()
    means = {"trust": d.trust(), "at": d.AT, "registry": d.office().registry, "sandbox": Remembering()}
    for subject, position, bit in flips:
        data = flipped(d.licence(subject), position, bit)
        name = f"{subject} byte {position} bit {bit}"
        try:
            report = verify(data, **means, known=known)
            if known and verify(data, **means, known=None) != report:
                found.differing.append(name)
        except Exception as error:  # noqa: BLE001 - finding it is the purpose
            found.raised.append(f"{name}: {type(error).__name__}: {error}"[:200])
            continue
        found.verdicts[f"{report.indication}/{report.sub_indication}"] += 1
        if any(check.status is CheckStatus.RECORDED for check in report.checks):
            found.by_hash.append(name)
        elif report.indication is Indication.TOTAL_PASSED:
            found.passed.append(name)
    found.roads = known.roads - before if known else Counter()
    return found


def main(arguments: Sequence[str]) -> int:
    """Flip as many bits as the arguments say, print what came out, return 1 if anything of it must not be."""
    from tests.support.roads import learned

    seed = int(arguments[1]) if len(arguments) > 1 else 1
    found = run(chosen(int(arguments[0]), seed), known=learned())
    counts = found.verdicts + Counter(
        {f"read on the {road} road": count for road, count in found.roads.items()}
    )
    lines = [f"{count:8} {name}\n" for name, count in counts.most_common()]
    wrong = {
        "authentic by hash": found.by_hash, "passed offline": found.passed, "raised": found.raised,
        "judged otherwise by the other road": found.differing,
    }  # fmt: skip
    for name, files in wrong.items():
        lines += [f"{len(files):8} {name}\n", *(f"         {file}\n" for file in files)]
    sys.stdout.writelines(lines)
    return int(any(wrong.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
