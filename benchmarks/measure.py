"""Interleaved rounds of two sides, CPU time with children counted, median and spread of the ratio."""

from __future__ import annotations

import os
import resource
import statistics
from dataclasses import dataclass
from pathlib import Path
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
    """Our median seconds per document: CPU time, or what the name says."""
    peer: float
    """The peer's median seconds per document."""


def cpu_seconds() -> float:
    """Return the CPU time used so far by this process and its children, finished and living, seconds."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used) + _living_children(os.getpid())


def _living_children(process: int) -> float:
    """Return the CPU time of living children and theirs: getrusage counts a child only when it has ended.

    Source: proc(5), task/*/children and task/*/schedstat (nanoseconds on the processor). Elsewhere than on Linux 0.
    """
    total = 0.0
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in children.read_text("ascii").split():
            tasks = Path(f"/proc/{child}/task").glob("*/schedstat")
            nanoseconds = sum(int(task.read_text("ascii").split()[0]) for task in tasks)
            total += nanoseconds / 1e9 + _living_children(int(child))
    return total


def compare(
    name: str,
    ours: Callable[[int], object],
    peer: Callable[[int], object],
    *,
    rounds: int,
    per_round: tuple[int, int],
    clock: Callable[[], float] = cpu_seconds,
) -> Ratio:
    """Return the ratio over `rounds`; each side gets a round number and runs `per_round` (ours, peer) times in it.

    `clock` is CPU time unless the peer's start-up and waiting count too.
    """
    ours(0), peer(0)
    pairs = [
        (timed(ours, number, per_round[0], clock), timed(peer, number, per_round[1], clock))
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


def timed(
    side: Callable[[int], object], number: int, times: int, clock: Callable[[], float] = cpu_seconds
) -> float:
    """Return the seconds by `clock` that one of `times` runs took on average."""
    start = clock()
    for repeat in range(times):
        side(number * 1000 + repeat)
    return (clock() - start) / times
