"""The short road for the commonest text: one paragraph on one line, at its nominal size, without letter-spacing.

A licence has a dozen of these. The long road (`PlacedBox.set`, `measured`, `runs_of`) is the one to read: it looks
at every size, line and alignment. Of a short text all it says is settled by the box, the same on every licence, but
for what depends on the text's width. So the long road is asked once, when the template is compiled, and the rest is
worked out here: 4 us a text instead of 14 (measured). What is not as said above still goes the long road. Both give
the same result: tests/unit/rendering/test_oneline.py.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from elicense.errors import RenderingError
from elicense.preflight import PlacedLine
from elicense.rendering.objects import POINTS_PER_MM, num
from elicense.rendering.text import SHIFT, SPACES, TOLERANCE
from elicense.rendering.typeset import Run, measured, runs_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elicense.rendering.blocks import Style
    from elicense.rendering.template import Rect
    from elicense.rendering.typeset import PlacedBox

_PROBE = "一"
"""As narrow as a text can be that is set on a line; how high it stands does not depend on what it says."""
_NARROW = 500
"""Width of a narrow character, 1/1000 em."""
_MM = 1 / POINTS_PER_MM


class OneLine(NamedTuple):
    """A box and how a line of text stands in it, but for what depends on the line's width."""

    advances: Mapping[str, float]
    """Width of each character, 1/1000 em."""
    role: str
    """Font role."""
    most: int
    """Characters; a text of more takes the long road, for it hardly ever stands on one line."""
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
    x: float
    """Left edge of a line that stands at the left, mm from the page's left."""
    y: float
    """Baseline, mm from the page's foot."""
    size: float
    """Points."""
    box: Rect
    """The box, mm."""
    under_seal: bool
    """Whether a seal may cover it."""
    shown_size: str
    """The size, as PDF writes it."""
    move: str
    """Operator that goes to a line that stands at the left."""
    end_of_move: str
    """The part of it behind the left edge."""

    def set(self, text: str, page: int) -> tuple[PlacedLine, Run] | None:
        """Return `text` on its line; None if it takes the long road, where it is refused if need be."""
        ink = text.rstrip(SPACES)
        if not ink or len(text) > self.most or "\n" in ink:
            return None
        try:
            sums = list(accumulate(map(self.advances.__getitem__, text), initial=0.0))
        except RenderingError:
            return None
        if sums[-1] > self.room:
            return None
        natural = sums[len(ink)] * self.em
        x, move = self.x, self.move
        if self.shift:
            begin = round(self.indent + self.shift * (self.width - natural), 3) + self.left
            x, move = round(begin * _MM, 3), f"1 0 0 1 {num(begin)} {self.end_of_move}"
        wide = round(round(natural, 3) * _MM, 3)
        return (
            PlacedLine(text, page, x, self.y, wide, self.size, self.box, self.under_seal),
            Run(text, self.role, self.shown_size, "0", move),
        )


def one_line(box: PlacedBox, style: Style, rect: Rect) -> OneLine | None:
    """Return how a line stands in a box; None if even a short text takes the long road.

    Args:
        box: the box.
        style: how its texts are set.
        rect: the box, mm.
    """
    if style.spacing or style.align == "spread":
        return None
    try:
        lines = box.set(_PROBE)
    except RenderingError:
        return None
    size = float(style.size)
    if lines[0].size != size:
        return None
    em, left, width = size / 1000, rect[0] * POINTS_PER_MM, rect[2] * POINTS_PER_MM
    indent = style.indent * 1000
    room = width * 1000 / size + TOLERANCE - indent
    (placed,), (run,) = measured(lines, 0, rect, under_seal=style.under_seal), runs_of(lines)
    return OneLine(
        advances=box.box.fonts.advances(style.font), role=style.font,
        most=int(room / _NARROW), room=room, em=em, left=left, width=width - indent * em,
        indent=indent * em, shift=SHIFT.get(style.align, 0.0), x=placed.x, y=placed.y, size=size, box=placed.box,
        under_seal=placed.under_seal, shown_size=run.size, move=run.move, end_of_move=f"{num(lines[0].y)} Tm ",
    )  # fmt: skip
