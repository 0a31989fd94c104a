"""Interleaved rounds of two sides, CPU time with children counted, median and spread of the ratio."""

from __future__ import annotations

import resource
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Ratio:
    """One metric: how many times the peer's CPU time is ours."""

    name: str
    """What was compared."""
    ratio: float
    """Median over the rounds of peer's time / our time; larger is better."""
    spread: float
    """Interquartile range of that ratio."""
    rounds: int
    """Rounds counted; both sides run in each."""
    ours: float
    """Our median CPU seconds per document."""
    peer: float
    """The peer's median CPU seconds per document."""


def cpu_seconds() -> float:
    """Return the CPU time used so far by this process and its finished children, seconds."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def compare(
    name: str,
    ours: Callable[[int], object],
    peer: Callable[[int], object],
    *,
    rounds: int,
    per_round: tuple[int, int],
) -> Ratio:
    """Return the ratio over `rounds`; each side gets a round number and runs `per_round` (ours, peer) times in it."""
    ours(0), peer(0)
    pairs = [
        (timed(ours, number, per_round[0]), timed(peer, number, per_round[1]))
        for number in range(1, rounds + 1)
    ]
    ratios = [theirs / mine for mine, theirs in pairs]
    quarters = statistics.quantiles(ratios, n=4)
    return Ratio(
        name=name,
        ratio=statistics.median(ratios),
        spread=quarters[2] - quarters[0],
        rounds=rounds,
        ours=statistics.median(mine for mine, _ in pairs),
        peer=statistics.median(theirs for _, theirs in pairs),
    )


def timed(side: Callable[[int], object], number: int, times: int) -> float:
    """Return the CPU seconds that one of `times` runs took on average."""
    start = cpu_seconds()
    for repeat in range(times):
        side(number * 1000 + repeat)
    return (cpu_seconds() - start) / times
