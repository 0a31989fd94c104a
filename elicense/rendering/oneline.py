"""The short road for the commonest text: one paragraph on one line, at its nominal size, without letter-spacing.

A licence has a dozen of these, and a few on several lines, which go on in severallines.py. The long road
(`PlacedBox.set`, `measured`, `runs_of`) is the one to read: it looks at every size, line and alignment. Of a short
text all it says is settled by the slot, the same on every licence, but for what depends on the text's width. So the
long road is asked once, when the template is compiled, and the rest is worked out here: 2 us a text instead of 10
(measured). What is not as said above still goes the long road.
Both give the same result: tests/unit/rendering/test_oneline.py.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from elicense.errors import RenderingError
from elicense.preflight import PlacedLine
from elicense.rendering.objects import POINTS_PER_MM, num
from elicense.rendering.severallines import SeveralLines, several_lines
from elicense.rendering.text import SHIFT, SPACES, TOLERANCE
from elicense.rendering.typeset import Run, measured, runs_of

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence

    from elicense.rendering.severallines import Lines
    from elicense.rendering.template import TextSlot

_PROBE = "一"
"""As narrow as a text can be that is set on a line; how high it stands does not depend on what it says."""
_MM = 1 / POINTS_PER_MM
_EM = 1000.0
_EMS = tuple(accumulate([_EM] * 400, initial=0.0))
"""How wide the beginnings of a text are of which every character is one em wide."""


class OneLine(NamedTuple):
    """A slot and how a line of text stands in it, but for what depends on the line's width."""

    not_wide: re.Pattern[str]
    """Finds the characters that are not one em wide, or not drawn by the first face."""
    advances: Mapping[str, float]
    """Width of each of these, 1/1000 em."""
    room: float
    """Width of the widest text that stands on one line, 1/1000 em."""
    em: float
    """1/1000 of the size, points."""
    left: float
    """Left edge of the box, points from the page's left."""
    width: float
    """Of the box without the indent, points."""
    indent: float
    """Points."""
    shift: float
    """Share of the free width that stands before the line."""
    end_of_move: str
    """The baseline and the operator that goes there."""
    line: PlacedLine
    """A line that stands at the left."""
    run: Run
    """The same as it is shown."""
    several: SeveralLines
    """For texts that are wider."""

    def set(self, text: str, page: int) -> Lines | None:
        """Return the line of a text on a page; None if it takes the long road, which may refuse it."""
        ink = text.rstrip(SPACES)
        if not ink or "\n" in ink:
            return None
        try:
            sums = self._sums(text)
        except RenderingError:
            return None
        if sums[-1] > self.room:
            return self.several.set(text, page, sums)
        natural = sums[len(ink)] * self.em
        _, _, x, y, _, size, box, under_seal = self.line
        _, role, points, spacing, move = self.run
        if self.shift:
            begin = round(self.indent + self.shift * (self.width - natural), 3) + self.left
            x, move = begin * _MM, f"1 0 0 1 {num(begin)} {self.end_of_move}"
        return (
            (PlacedLine(text, page, x, y, round(natural, 3) * _MM, size, box, under_seal),),
            (Run(text, role, points, spacing, move),),
        )

    def _sums(self, text: str) -> Sequence[float]:
        """Return how wide each beginning of a text is, 1/1000 em. Raises RenderingError if a character has no glyph."""
        if self.not_wide.search(text) is None and len(text) < len(_EMS):
            return _EMS[: len(text) + 1]
        widths = [_EM] * len(text)
        for found in self.not_wide.finditer(text):
            widths[slice(*found.span())] = map(self.advances.__getitem__, found[0])
        return tuple(accumulate(widths, initial=0.0))


def one_line(slot: TextSlot) -> OneLine | None:
    """Return how a line stands in a slot; None if even a short text takes the long road."""
    style, (x, _, width, _), fonts = slot.style, slot.rect, slot.box.box.fonts
    if style.spacing or style.align == "spread":
        return None
    try:
        lines = slot.box.set(_PROBE)
    except RenderingError:
        return None
    size = float(style.size)
    if lines[0].size != size:
        return None
    em, width = size / 1000, width * POINTS_PER_MM
    indent = style.indent * 1000
    room = width * 1000 / size + TOLERANCE - indent
    (line,), (run,) = measured(lines, 0, slot.rect, under_seal=style.under_seal), runs_of(lines)
    return OneLine(
        not_wide=fonts.not_wide(style.font), advances=fonts.advances(style.font), room=room, em=em,
        left=x * POINTS_PER_MM, width=width - indent * em, indent=indent * em,
        shift=SHIFT.get(style.align, 0.0), end_of_move=f"{num(lines[0].y)} Tm ", line=line, run=run,
        several=several_lines(slot),
    )  # fmt: skip
