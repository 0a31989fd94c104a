"""Words of a seal as placed outlines: on an arc, on a straight line, in cells; spaced by eye, not by advance.

A font's advance gives every Chinese character the same cell, so 卜 and 口 stand in holes. Equal room between
the outermost ink leaves holes too, beside 市 and 划, whose side touches its edge in one place only. So each
side of a letter counts as the mean of its outline, at most `_DEPTH` behind its outermost point; the room
between these edges is the same everywhere, and a long name is set narrower until it fits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from elicense.errors import SealError
from elicense.seal.geometry import Affine, Command, EllipticArc, Outline, Point, convex_hull

if TYPE_CHECKING:
    from collections.abc import Sequence

_EM = 1000.0
_STEPS = 20
_BANDS = 12
_DEPTH = 0.12
"""How far the edge that counts may lie behind the outermost ink, in em. Two of these are less than the
closest gap of any style, so the sectors of neighbours never meet."""


@dataclass(frozen=True, slots=True)
class GlyphOutline:
    """The shape of one character."""

    advance: float
    """Advance width in 1/1000 em."""
    commands: tuple[Command, ...]
    """Contours in 1/1000 em, origin on the baseline; non-zero winding."""
    short: tuple[Command, ...] = ()
    """The same to within 1/1000 em, in whole numbers and fewer curves; empty: there is no such drawing."""


class GlyphOutlines(Protocol):
    """Where the shapes of characters come from: the rendering room's fonts."""

    def outline(self, char: str, role: str) -> GlyphOutline:
        """Return the shape of `char` in the font of `role`. Raises ElicenseError if no font has it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A character's ink: x from the middle of the ink, y from the foot of the line."""

    char: str
    """The character."""
    outline: Outline
    """In em; the line's feet at y = 0, its heads at y = 1."""
    hull: tuple[Point, ...]
    """Corners of the convex hull of the ink, same units."""
    bands: tuple[tuple[float, float, float], ...]
    """Leftmost x, rightmost x and y of the ink in each of a dozen level bands that hold any, same units."""
    width: float
    """Width of the ink relative to the em."""


def read_letters(
    text: str,
    role: str,
    outlines: GlyphOutlines,
    *,
    zone: tuple[float, float],
) -> tuple[Letter, ...]:
    """Return the letters of `text`, scaled so that the line's lowest and highest ink stand at 0 and 1.

    `zone` (1/1000 em) is what a line reaches at least, so that a line of flat characters is not blown up.

    Raises:
        SealError: a character without ink (a space, a control character).
    """
    glyphs = [outlines.outline(char, role) for char in text]
    points = [Outline(glyph.commands).sampled() for glyph in glyphs]
    for char, ink in zip(text, points, strict=True):
        if not ink or char.isspace():
            raise SealError(
                f"A seal cannot show the character U+{ord(char):04X}; remove it from the text {text!r}.",
                f"印章文字“{text}”含有无法显示的字符 U+{ord(char):04X}，请删除。",
                field="text",
            )
    heights = [y for ink in points for _, y in ink]
    bottom, top = min(heights, default=0.0), max(heights, default=0.0)
    bottom, top = min(bottom, zone[0]), max(top, zone[1])
    letters = []
    for char, glyph, ink in zip(text, glyphs, points, strict=True):
        left, right = min(x for x, _ in ink), max(x for x, _ in ink)
        fit = Affine(1 / _EM, 0, 0, 1 / (top - bottom), -(left + right) / 2 / _EM, -bottom / (top - bottom))
        hull = convex_hull(fit.apply(*point) for point in ink)
        outline = Outline(glyph.commands, fit, glyph.short)
        letters.append(Letter(char, outline, tuple(hull), _bands(outline), (right - left) / _EM))
    return tuple(letters)


def _bands(outline: Outline) -> tuple[tuple[float, float, float], ...]:
    """Return how far the ink reaches to the left and right in each band of its height."""
    reach: dict[int, tuple[float, float]] = {}
    for x, y in outline.sampled(step=1 / _BANDS):
        band = min(max(int(y * _BANDS), 0), _BANDS - 1)
        left, right = reach.get(band, (x, x))
        reach[band] = min(left, x), max(right, x)
    return tuple((left, right, (band + 0.5) / _BANDS) for band, (left, right) in sorted(reach.items()))


CJK_ZONE = (-70.0, 840.0)
"""Ink of Chinese characters in 1/1000 em, in Song and Hei alike."""
DIGIT_ZONE = (0.0, 700.0)
"""Ink of digits in 1/1000 em."""


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How a line gives way when the room is short. All numbers but `least` are ratios."""

    widest: float
    """Width of the em at most, relative to the letters' height."""
    pleasant: float
    """Letters keep their height as long as the em is at least this wide."""
    narrowest: float
    """At the least height the em may be this narrow; below that the text does not fit."""
    closest: float
    """Gap between the ink of neighbours, at least, relative to the em's width."""
    loosest: float
    """The same, at most: short names are not spread further."""
    least: float
    """Width of the em in mm that a print still shows; below that the text does not fit."""


@dataclass(frozen=True, slots=True)
class _Fit:
    """Letters of one height on their arc."""

    arc: EllipticArc
    """Runs at half the letters' height."""
    height: float
    """Of the letters, mm."""
    room: float
    """Length of the arc, mm."""
    em: float
    """Width of the em, mm."""
    pleasant: bool
    """Whether the letters are wide enough for their height."""


def set_on_arc(
    letters: Sequence[Letter],
    outer: tuple[float, float],
    half_turn: float,
    heights: tuple[float, float],
    style: LineStyle,
) -> tuple[tuple[Outline, ...], float] | None:
    """Return the letters standing on an arc about the top, feet to the centre, and their height in mm.

    Args:
        letters: in reading order, left to right.
        outer: semi-axes in mm of the ellipse the heads touch.
        half_turn: the name keeps within this angle (ellipse parameter, radians) on either side of the top.
        heights: greatest and least height of the letters in mm; the greatest that fits is taken.
        style: how narrow and how loose.

    Returns:
        None if the letters do not fit even at the least height and narrowest.
    """
    tallest, lowest = (_fit(letters, outer, half_turn, height, style) for height in heights)
    if lowest.em < max(style.narrowest * lowest.height, style.least):
        return None
    if not tallest.pleasant:
        low, high = heights[1], heights[0]
        for _ in range(_STEPS // 2):
            middle = _fit(letters, outer, half_turn, (low + high) / 2, style)
            low, high = (middle.height, high) if middle.pleasant else (low, middle.height)
        tallest = _fit(letters, outer, half_turn, low, style)
    return _stand(letters, tallest, style.loosest), tallest.height


def hang_on_arc(
    letters: Sequence[Letter], base: tuple[float, float], height: float, em: float, gap: float
) -> tuple[Outline, ...]:
    """Return the letters inside the lower half of the ellipse `base` (mm), read from the left, heads inwards.

    `em` is the width of the em and `gap` the room between the ink of neighbours, both in mm at the heads.
    """
    arc = EllipticArc(*base)
    heads = 1 - height / min(base)
    extents = [_extent(letter, em, 0, 0) for letter in letters]
    total = sum(left + right for left, right in extents) + (len(letters) - 1) * gap
    cursor, placed = -total / 2, []
    for letter, (left, right) in zip(letters, extents, strict=True):
        stretch = Affine(em, 0, 0, height, 0, 0)
        placed.append(letter.outline.moved(stretch).moved(arc.hang((cursor + left) / heads)))
        cursor += left + right + gap
    return tuple(placed)


def set_straight(
    letters: Sequence[Letter], middle: Point, width: float, height: float, style: LineStyle
) -> tuple[tuple[Outline, ...], float] | None:
    """Return the letters on a level line and its width in mm, or None if they do not fit narrowest.

    `middle` is the middle of the line, `width` the room and `height` the height of the letters, in mm.
    """
    extents = [_extent(letter, 1.0, 0, 0) for letter in letters]
    ink, gaps = sum(left + right for left, right in extents), len(letters) - 1
    em = min(style.widest * height, width / (ink + gaps * style.closest))
    if em < max(style.narrowest * height, style.least):
        return None
    gap = min(style.loosest * em, (width - ink * em) / gaps) if gaps else 0.0
    total = ink * em + gaps * gap
    cursor, placed = middle[0] - total / 2, []
    for letter, (left, right) in zip(letters, extents, strict=True):
        stretch = Affine(em, 0, 0, height, cursor + left * em, middle[1] - height / 2)
        placed.append(letter.outline.moved(stretch))
        cursor += (left + right) * em + gap
    return tuple(placed), total


def set_in_cell(letter: Letter, middle: Point, width: float, height: float) -> Outline:
    """Return one letter whose em cell (not its ink) fills width x height mm about `middle`."""
    return letter.outline.moved(Affine(width, 0, 0, height, middle[0], middle[1] - height / 2))


def _extent(letter: Letter, em: float, height: float, radius: float) -> tuple[float, float]:
    """Return where the letter's left and right edge count, in mm from its place along an arc of `radius`.

    The arc runs at half the letter's height. Measured as angles from its centre: sectors that do not meet
    cannot hold inks that touch. On a straight line `height` is 0.
    """

    def along(x: float, y: float) -> float:
        return math.atan2(x * em, radius + (y - 0.5) * height) * radius if height > 0 else x * em

    left, right = -min(along(*point) for point in letter.hull), max(along(*point) for point in letter.hull)
    lefts = [max(-along(x, y), left - _DEPTH * em) for x, _, y in letter.bands]
    rights = [max(along(x, y), right - _DEPTH * em) for _, x, y in letter.bands]
    return sum(lefts) / len(lefts), sum(rights) / len(rights)


def _extents(
    letters: Sequence[Letter], arc: EllipticArc, room: float, em: float, height: float
) -> list[tuple[float, float]]:
    """Return each letter's reach, with the curvature of the place where even spacing would put it."""
    step = room / len(letters)
    return [
        _extent(letter, em, height, arc.radius((index + 0.5) * step - room / 2))
        for index, letter in enumerate(letters)
    ]


def _fit(
    letters: Sequence[Letter],
    outer: tuple[float, float],
    half_turn: float,
    height: float,
    style: LineStyle,
) -> _Fit:
    """Return the widest letters of this height that leave the closest gaps between them."""
    # Lengths are taken at half height: even there is even to the eye, on an oval too.
    arc = EllipticArc(outer[0] - height / 2, outer[1] - height / 2)
    room = 2 * arc.length(half_turn)

    def needed(em: float) -> float:
        ink = sum(left + right for left, right in _extents(letters, arc, room, em, height))
        return ink + (len(letters) - 1) * style.closest * em

    low, high = 0.0, style.widest * height
    if needed(high) <= room:
        low = high
    else:
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if needed(middle) <= room else (low, middle)
    return _Fit(arc, height, room, low, low >= max(style.pleasant * height, style.least))


def _stand(letters: Sequence[Letter], fit: _Fit, loosest: float) -> tuple[Outline, ...]:
    """Return the letters on the arc with equal gaps, the whole about the top."""
    extents = _extents(letters, fit.arc, fit.room, fit.em, fit.height)
    ink, gaps = sum(left + right for left, right in extents), max(len(letters) - 1, 1)
    gap = min(loosest * fit.em, (fit.room - ink) / gaps)
    cursor, placed = -(ink + (len(letters) - 1) * gap) / 2, []
    for letter, (left, right) in zip(letters, extents, strict=True):
        stretch = Affine(fit.em, 0, 0, fit.height, 0, -fit.height / 2)
        placed.append(letter.outline.moved(stretch).moved(fit.arc.stand(cursor + left)))
        cursor += left + right + gap
    return tuple(placed)
