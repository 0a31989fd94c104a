"""Outlines of glyphs for the seal room: as the font has them, to measure, and in fewer curves, to draw."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elicense.seal.geometry import Command, Point

_TOLERANCE = 1.0
"""Of drawn curves in 1/1000 em: 8 µm in the letters of the largest seal."""


class OutlinePen:
    """Collects HarfBuzz's outline calls, every curve a cubic. The method names are the pen protocol's."""

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self._at = (0.0, 0.0)
        self.commands: list[Command] = []

    def _point(self, point: Point) -> Point:
        return round(point[0] * self._scale, 3), round(point[1] * self._scale, 3)

    def moveTo(self, point: Point) -> None:  # noqa: N802
        """Start a contour."""
        self._at = self._point(point)
        self.commands.append(("M", *self._at))

    def lineTo(self, point: Point) -> None:  # noqa: N802
        """Add a straight line."""
        self._at = self._point(point)
        self.commands.append(("L", *self._at))

    def qCurveTo(self, control: Point, end: Point) -> None:  # noqa: N802
        """Add a quadratic curve as the cubic that is the same curve."""
        (x0, y0), (cx, cy), (x, y) = self._at, self._point(control), self._point(end)
        self.commands.append(
            (
                "C",
                round((x0 + 2 * cx) / 3, 3),
                round((y0 + 2 * cy) / 3, 3),
                round((x + 2 * cx) / 3, 3),
                round((y + 2 * cy) / 3, 3),
                x,
                y,
            )
        )
        self._at = (x, y)

    def curveTo(self, *points: Point) -> None:  # noqa: N802
        """Add a cubic curve."""
        (x1, y1), (x2, y2), (x, y) = map(self._point, points)
        self.commands.append(("C", x1, y1, x2, y2, x, y))
        self._at = (x, y)

    def closePath(self) -> None:  # noqa: N802
        """Close the contour."""
        self.commands.append(("Z",))


def shortened(commands: Sequence[Command]) -> tuple[Command, ...]:
    """Return nearly the same outline in whole 1/1000 em and with the fewest curves, a third as long when written.

    Args:
        commands: contours whose curves are quadratics written as cubics, as a TrueType font's are.
    """
    # Only seals are drawn so, and only while a template is compiled.
    from fontTools.qu2cu import quadratic_to_curves  # noqa: PLC0415

    short: list[Command] = []
    steps = pairwise([("Z",), *commands])
    for curved, run in groupby(steps, lambda step: step[1][0] == "C"):
        if curved:
            quadratics = [_quadratic(before[-2:], curve) for before, curve in run]
            for curve in quadratic_to_curves(quadratics, max_err=_TOLERANCE, all_cubic=True):
                short.append(("C", *(float(round(number)) for point in curve[1:] for number in point)))
        else:
            short += ((name, *(float(round(number)) for number in numbers)) for _, (name, *numbers) in run)
    return tuple(short)


def _quadratic(start: Sequence[float], curve: Command) -> list[Point]:
    """Return the three points of the quadratic that a cubic is."""
    _, x1, y1, _, _, x, y = curve
    return [(start[0], start[1]), ((3 * x1 - start[0]) / 2, (3 * y1 - start[1]) / 2), (x, y)]
