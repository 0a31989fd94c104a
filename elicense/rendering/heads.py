"""The head of an approval document of several authorities: their names one below the other, a word beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elicense.errors import RenderingError
from elicense.rendering.objects import POINTS_PER_MM
from elicense.rendering.text import EM_TOP, SHRINK_STEP, break_lines
from elicense.rendering.typeset import SetLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elicense.rendering.blocks import Style
    from elicense.rendering.fonts import FontLibrary
    from elicense.rendering.template import Rect

_GAP = 0.4
"""Between several names and the word, em; a single name is followed by it at once."""


def set_head(
    names: Sequence[str], beside: str, style: Style, rect: Rect, fonts: FontLibrary
) -> tuple[SetLine, ...]:
    """Return the names, each spread to the width of the widest, and the word on their right at mid height.

    All are of one size, the largest from `style.size` down to its `min_size` at which they fit.

    Args:
        names: of the authorities, the main one first.
        beside: the word, e.g. 文件; may be empty.
        style: font, sizes, leading and valign.
        rect: the box, mm; they stand in the middle of its width.
        fonts: the font library.

    Raises:
        RenderingError: a character has no glyph, or the names do not fit at the smallest size.

    Source: GB/T 9704-2012, 7.2.4 (not read).
    """
    x, y, width, height = (value * POINTS_PER_MM for value in rect)
    widest = max(fonts.measure(name, style.font) for name in names) / 1000
    word = fonts.measure(beside, style.font) / 1000
    gap = _GAP if beside and len(names) > 1 else 0.0
    across = widest + gap + word
    up = 1 + style.leading * (len(names) - 1)
    size = min(style.size, width / across, height / up)
    # Rounded down, so that no line is wider than the box by a hair.
    size = style.size if size == style.size else int(size / SHRINK_STEP) * SHRINK_STEP
    if size < style.smallest:
        raise RenderingError(
            f"the names of {len(names)} authorities do not fit their box even at {style.smallest:g} pt; "
            "enlarge it in the layout",
            f"{len(names)}个发文机关名称缩至{style.smallest:g}磅仍放不下，请在版式中加大版头",
        )
    left = x + (width - across * size) / 2
    middle = y + {"top": height - up * size / 2, "bottom": up * size / 2}.get(style.valign, height / 2)
    first = middle + up * size / 2 - EM_TOP * size
    placed = [
        (name, widest * size, left, first - number * style.leading * size)
        for number, name in enumerate(names)
    ]
    if beside:
        placed.append((beside, word * size, left + (widest + gap) * size, middle - (EM_TOP - 0.5) * size))
    lines = []
    for text, room, begin, baseline in placed:
        (line,) = break_lines(text, fonts, style.font, width=room, size=size, align="spread")
        lines.append(SetLine(line, begin, round(baseline, 3), size, style.font))
    return tuple(lines)
