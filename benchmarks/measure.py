"""Interleaved rounds of several sides on one clock, children counted; a metric is median and spread of a ratio.

Plan of a race:

1. Every side runs once, unclocked: what is loaded on first use is loaded.
2. How often a side runs in a round is chosen so that its share of the round lasts at least FLOOR.
3. In each round all sides run, in turn forwards and backwards; inputs are made before the clock starts, outputs are
   looked at after it has stopped, and the garbage of one side is collected before the next begins.
4. A metric compares two sides round by round: the peer's seconds divided by ours.
"""

from __future__ import annotations

import gc
import math
import os
import re
import resource
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FLOOR = 0.06
"""Seconds that a side runs in a round at least; the grain of the clock is 10 000 times finer."""
MOST_RUNS = 4000
"""So many runs at most in a round, whatever the floor asks for."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """One metric: how many times ours goes into the peer's; larger is better."""

    name: str
    """What was compared."""
    ratio: float
    """Median over the rounds of peer / ours."""
    spread: float
    """Interquartile range of that ratio."""
    rounds: int
    """Rounds counted; both sides run in each."""
    ours: float
    """Our median, in `unit`: seconds of CPU time for one document, or what the name says."""
    peer: float
    """The peer's median in `unit`, or the bound that ours is held against."""
    unit: str = "s"
    """s, bytes or MB."""
    at_least: float | None = None
    """What `ratio` must reach; None is printed for comparison only."""
    aim: float | None = None
    """What `ratio` should reach."""

    @property
    def met(self) -> bool | None:
        """Whether the ratio is what it must be; None if nothing was asked of it."""
        return None if self.at_least is None else self.ratio >= self.at_least

    @classmethod
    def of(
        cls,
        name: str,
        ours: Sequence[float],
        peer: Sequence[float],
        *,
        unit: str = "s",
        at_least: float | None = None,
        aim: float | None = None,
    ) -> Ratio:
        """Return the metric of two rows of figures, one of each a round.

        A round whose figure of ours is nothing or less, as a difference of two times may be, counts as infinite.
        """
        ratios = [theirs / mine if mine > 0 else math.inf for mine, theirs in zip(ours, peer, strict=True)]
        return cls(
            name, statistics.median(ratios), _spread(ratios), len(ratios), statistics.median(ours),
            statistics.median(peer), unit, at_least, aim,
        )  # fmt: skip

    @classmethod
    def within(
        cls, name: str, bound: float, ours: Sequence[float], *, unit: str = "s", aim: float | None = None
    ) -> Ratio:
        """Return the metric of figures that may not exceed `bound`: bound / ours, at least 1.

        Args:
            name: what is measured.
            bound: the most it may be, in `unit`.
            ours: one figure a round.
            unit: of the figures.
            aim: what the figure should be at most, in `unit`.
        """
        wanted = None if aim is None else bound / aim
        return cls.of(name, ours, [bound] * len(ours), unit=unit, at_least=1.0, aim=wanted)


def _spread(figures: Sequence[float]) -> float:
    """Return the interquartile range, nothing for a single figure."""
    if len(figures) < 2 or math.inf in figures:
        return 0.0
    quarters = statistics.quantiles(figures, n=4)
    return quarters[2] - quarters[0]


@dataclass(frozen=True, slots=True)
class Side:
    """One way to do the work."""

    run: Callable[[Any], object]
    """Does it once; this is what is timed."""
    make: Callable[[int], Any] = int
    """Makes the input of a run from its number, before the clock starts; no number comes twice in a race."""
    check: Callable[[Sequence[Any], Sequence[Any]], None] | None = None
    """Looks at a round's inputs and outputs after the clock has stopped. Raises AssertionError on a wrong one."""
    times: int | None = None
    """Runs in a round; None lets the floor decide."""


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
        for child in _words(children):
            tasks = Path(f"/proc/{child}/task").glob("*/schedstat")
            nanoseconds = sum(int(word) for task in tasks for word in _words(task)[:1])
            total += nanoseconds / 1e9 + _living_children(int(child))
    return total


def _words(file: Path) -> list[str]:
    """Return the words of a thread's file; none if the thread has ended since it was listed."""
    try:
        return file.read_text("ascii").split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def resident(process: int, *, peak: bool = False) -> float:
    """Return the resident memory of a process, now or at its peak, MB (10^6 bytes); 0 of one that has ended.

    The peak is not getrusage's, which a process inherits from the one that started it. Source: proc(5).
    """
    row = "VmHWM" if peak else "VmRSS"
    found = re.search(rf"{row}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text("ascii"))
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def race(
    sides: Mapping[str, Side],
    *,
    rounds: int,
    clock: Callable[[], float] = cpu_seconds,
    floor: float = FLOOR,
) -> dict[str, tuple[float, ...]]:
    """Return for every side the seconds of one run by `clock`, a figure a round.

    Raises AssertionError if a side's check finds a wrong output: a wrong document is not counted.
    """
    runners = {name: _Runner(side, clock) for name, side in sides.items()}
    for runner in runners.values():
        runner.settle(floor)
    figures: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        order = list(runners.items())
        for name, runner in order if number % 2 == 0 else reversed(order):
            figures[name].append(runner.round())
    return {name: tuple(found) for name, found in figures.items()}


class _Runner:
    """A side with its count of runs so far."""

    def __init__(self, side: Side, clock: Callable[[], float]) -> None:
        self._side = side
        self._clock = clock
        self._number = 0
        self._times = side.times or 1

    def settle(self, floor: float) -> None:
        """The side is warm, and its runs of a round last `floor` seconds or are as many as they may be."""
        self.round()
        if self._side.times is not None:
            return
        while (one := self.round()) * self._times < floor and self._times < MOST_RUNS:
            # One step too short is better than a round many times too long: the first runs are the slowest.
            wanted = math.ceil(1.1 * floor / one) if one > 0 else MOST_RUNS
            self._times = min(MOST_RUNS, max(self._times + 1, min(wanted, 10 * self._times)))

    def round(self) -> float:
        """Return the seconds of one run, on average over the runs of a round."""
        side, clock = self._side, self._clock
        inputs = [side.make(self._number + place) for place in range(self._times)]
        self._number += self._times
        gc.collect()
        start = clock()
        outputs = [side.run(one) for one in inputs]
        spent = clock() - start
        if side.check is not None:
            side.check(inputs, outputs)
        return spent / self._times


def compare(
    name: str,
    ours: Callable[[int], object],
    peer: Callable[[int], object],
    *,
    rounds: int,
    per_round: tuple[int | None, int | None] = (None, None),
    clock: Callable[[], float] = cpu_seconds,
    at_least: float | None = None,
    aim: float | None = None,
) -> Ratio:
    """Return the metric of two functions of a number that no other run gets.

    Args:
        name: what is compared.
        ours: our side.
        peer: the other.
        rounds: both sides run in each.
        per_round: runs of ours and of the peer's in a round; None lets the floor decide.
        clock: CPU time unless the peer's start-up and waiting count too.
        at_least: what the ratio must reach.
        aim: what it should reach.
    """
    sides = {"ours": Side(ours, times=per_round[0]), "peer": Side(peer, times=per_round[1])}
    figures = race(sides, rounds=rounds, clock=clock)
    return Ratio.of(name, figures["ours"], figures["peer"], at_least=at_least, aim=aim)
