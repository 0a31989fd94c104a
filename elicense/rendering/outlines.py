"""Outlines of glyphs for the seal room: as the font has them, to measure, and in fewer curves, for a short drawing."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elicense.seal.geometry import Command, Point

_TOLERANCE = 1.0
"""Of the curves, in 1/1000 em."""


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
    """Return the same outline to within 1/1000 em in whole numbers and fewest curves, a third as long when written.

    Args:
        commands: contours whose curves are quadratics written as cubics, as a TrueType font's are.
    """
    # Only seals are drawn so, and only while a template is compiled.
    from fontTools.qu2cu import quadratic_to_curves  # type: ignore[import-untyped]  # noqa: PLC0415

    short: list[Command] = []
    steps = pairwise([("Z",), *commands])
    for curved, run in groupby(steps, lambda step: step[1][0] == "C"):
        if not curved:
            short += [_whole(name, numbers) for _, (name, *numbers) in run]
            continue
        quadratics = [_quadratic(before, curve) for before, curve in run]
        curves = quadratic_to_curves(quadratics, max_err=_TOLERANCE, all_cubic=True)
        short += [_whole("C", [number for point in curve[1:] for number in point]) for curve in curves]
    return tuple(short)


def rounded(commands: Sequence[Command]) -> tuple[Command, ...]:
    """Return an outline of cubic curves as a designer drew them, in whole numbers: there are no fewer curves."""
    return tuple(_whole(name, numbers) for name, *numbers in commands)


def _whole(name: str, numbers: Sequence[float]) -> Command:
    return (name, *(float(round(number)) for number in numbers))


def _quadratic(before: Command, curve: Command) -> list[Point]:
    """Return the three points of the quadratic that a cubic is which goes on from the command before."""
    x0, y0 = before[1:][-2:]
    x1, y1, _, _, x, y = curve[1:]
    return [(x0, y0), ((3 * x1 - x0) / 2, (3 * y1 - y0) / 2), (x, y)]
