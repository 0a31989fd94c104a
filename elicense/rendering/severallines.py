"""The short road for one paragraph on several lines, at whatever size it fits, without letter-spacing.

The long road (`PlacedBox.set`, `measured`, `runs_of`) is the one to read. Here a text breaks where it does there, by
the same `Box.largest`; but each line becomes at once what preflight and the page need of it, without the objects in
between, and how high lines stand is worked out once for a box: 11 us instead of 20 for two lines, 15 instead of 43 for
five (measured). A justified line with anything in it but ideographs and their punctuation takes the long road.
Both give the same result: tests/unit/rendering/test_severallines.py.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from elicense.errors import RenderingError
from elicense.preflight import PlacedLine
from elicense.rendering.objects import POINTS_PER_MM, num
from elicense.rendering.text import ALL_EVEN, SHIFT, SPACES, Paragraph
from elicense.rendering.typeset import Run, usual_num

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elicense.rendering.template import Rect, TextSlot
    from elicense.rendering.typeset import PlacedBox

_MM = 1 / POINTS_PER_MM
_spacing = lru_cache(maxsize=4096)(lambda points: num(round(points, 4)))
_Heights = tuple[tuple[float, str], ...]
"""Each line's baseline in mm, and in points as PDF writes it."""
Lines = tuple["Sequence[PlacedLine]", "Sequence[Run]"]
"""A text as it is measured, and as it is shown."""


class SeveralLines(NamedTuple):
    """A slot and how lines of text stand in it."""

    box: PlacedBox
    """Its box, and how texts are set in it."""
    rect: Rect
    """The same box, mm."""
    under_seal: bool
    """Whether a seal may cover them."""
    at_left: tuple[float, str]
    """The box's left edge in mm, and the beginning of the operator that goes there."""
    heights: dict[tuple[float, int], _Heights]
    """By type size and number of lines, of which a box has few; filled as they are met."""

    def set(self, text: str, page: int, sums: Sequence[float]) -> Lines | None:
        """Return the lines of a text; None if it takes the long road, where it is refused if need be.

        Args:
            text: one paragraph.
            page: number of its page.
            sums: widths of its beginnings, as `Paragraph` has them.
        """
        box, rect = self.box.box, self.rect
        try:
            (width, size, _, indent, align, _), (ends,) = box.largest((Paragraph(text, sums),))
        except RenderingError:
            return None
        em, points, shift = size / 1000, usual_num(size), SHIFT.get(align, 0.0)
        heights = self.heights.get((size, len(ends))) or self._heights(size, len(ends))
        edge = indent * em
        placed, runs = [], []
        start = 0
        for end, (height, y) in zip(ends, heights, strict=True):
            part = text[start:end]
            ink = part.rstrip(SPACES)
            natural = (sums[start + len(ink)] - sums[start]) * em
            slack = width - edge - natural
            stretch, spacing = 0.0, "0"
            if align == "justify" and end < len(text):
                if not ALL_EVEN.fullmatch(ink):
                    return None
                if len(ink) > 1:
                    stretch, spacing = slack, _spacing(slack / (len(ink) - 1))
            left, move = self.at_left
            if edge or shift:
                x = self.box.x + round(edge + shift * slack, 3)
                left, move = x * _MM, f"1 0 0 1 {num(x)} "
            wide = round(natural + stretch, 3) * _MM
            placed.append(PlacedLine(part, page, left, height, wide, size, rect, self.under_seal))
            runs.append(Run(part, box.role, points, spacing, f"{move}{y} Tm "))
            start, edge = end, 0.0
        return placed, runs

    def _heights(self, size: float, count: int) -> _Heights:
        """Return how high lines stand, and know it from now on."""
        points = [self.box.y + y for y in self.box.box.baselines(size, count)]
        found = self.heights[size, count] = tuple((y * _MM, num(y)) for y in points)
        return found


def several_lines(slot: TextSlot) -> SeveralLines:
    """Return how lines stand in a slot."""
    x = slot.box.x
    at_left = x * _MM, f"1 0 0 1 {num(x)} "
    return SeveralLines(slot.box, slot.rect, slot.style.under_seal, at_left, {})
