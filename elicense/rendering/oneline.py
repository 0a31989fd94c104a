"""The short road for the commonest text: one paragraph on one line, at its nominal size, without letter-spacing.

A licence has a dozen of these. The long road (`typeset.in_box`, `measured`, `runs_of`) is the one to read: it looks
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
from elicense.rendering.typeset import Run, in_box, measured

if TYPE_CHECKING:
    from elicense.rendering.blocks import Style
    from elicense.rendering.fonts import FontLibrary
    from elicense.rendering.template import Rect

_PROBE = "一"
"""As narrow as a text can be that is set on a line; how high it stands does not depend on what it says."""
_MM = 1 / POINTS_PER_MM


class OneLine(NamedTuple):
    """A box and how a line of text stands in it, but for what depends on the line's width."""

    fonts: FontLibrary
    """Where the faces are."""
    role: str
    """Font role."""
    field: str | None
    """The name a refusal mentions."""
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
    placed: PlacedLine
    """The line, as yet without its text, page, left edge and width."""
    run: Run
    """The same as it is shown, as yet without its text and move."""
    end_of_move: str
    """The baseline, and the operator that goes there."""

    def set(self, text: str, page: int) -> tuple[PlacedLine, Run] | None:
        """Return `text` on its line; None if it takes the long road.

        Raises:
            RenderingError: a character has no glyph.
        """
        if not text or "\n" in text or text[-1] in SPACES:
            return None
        glyphs = self.fonts.glyphs(text, self.role, field=self.field)
        *_, total = accumulate([glyph.advance for glyph in glyphs], initial=0.0)
        if total > self.room:
            return None
        natural = total * self.em
        x = round(self.indent + self.shift * (self.width - natural), 3)
        _, _, _, y, _, size, box, under_seal = self.placed
        _, role, points, spacing, _ = self.run
        placed = PlacedLine(
            text, page, round((self.left + x) * _MM, 3), y, round(round(natural, 3) * _MM, 3), size, box, under_seal
        )  # fmt: skip
        return placed, Run(text, role, points, spacing, f"1 0 0 1 {num(self.left + x)} {self.end_of_move}")


def one_line(
    fonts: FontLibrary, style: Style, rect: Rect, *, name: str | None, baseline: float | None
) -> OneLine | None:
    """Return how a line stands in a box; None if even a short text takes the long road. Arguments as for `in_box`."""
    if style.spacing or style.align == "spread":
        return None
    try:
        lines = in_box(_PROBE, fonts, style, rect, name=name, baseline=baseline)
    except RenderingError:
        return None
    size = float(style.size)
    if lines[0].size != size:
        return None
    em = size / 1000
    width, indent = rect[2] * POINTS_PER_MM, style.indent * 1000
    (placed,) = measured(lines, 0, rect, under_seal=style.under_seal)
    return OneLine(
        fonts=fonts, role=style.font, field=name, room=width * 1000 / size + TOLERANCE - indent, em=em,
        left=rect[0] * POINTS_PER_MM, width=width - indent * em, indent=indent * em, shift=SHIFT.get(style.align, 0.0),
        placed=placed, run=Run("", style.font, num(size), "0", ""), end_of_move=f"{num(lines[0].y)} Tm ",
    )  # fmt: skip
