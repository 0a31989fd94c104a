"""The drawing of a parcel: its outline to scale, corners named J1, J2, … in the order of the data."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from reportlab.pdfgen.pathobject import PDFPathObject  # type: ignore[import-untyped]  # no stubs are shipped

from elicense.rendering.objects import POINTS_PER_MM
from elicense.rendering.text import break_lines
from elicense.rendering.typeset import SetLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elicense.rendering.blocks import Style
    from elicense.rendering.fonts import FontLibrary

_MARGIN = 10.0
"""Millimetres around the outline, for the names of the corners."""
_DOT = 0.7
"""Radius of a corner's dot, mm."""


@dataclass(frozen=True, slots=True)
class PlotDrawing:
    """A parcel on its page."""

    operators: str
    """Outline and corners, points."""
    labels: tuple[SetLine, ...]
    """The corners' names."""


def draw_plot(
    corners: Sequence[tuple[float, float]],
    rect: tuple[float, float, float, float],
    style: Style,
    fonts: FontLibrary,
) -> PlotDrawing:
    """Return the outline through `corners`, as large as `rect` allows, and an arrow to the north.

    Args:
        corners: easting (x) and northing (y) in metres, in order around the parcel; the first is not repeated.
        rect: where it may stand, mm.
        style: of the names.
        fonts: the font library.
    """
    if not corners:
        return PlotDrawing("", ())
    points = _scaled(corners, rect)
    path = PDFPathObject()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    path.close()
    dots = PDFPathObject()
    for x, y in points:
        dots.circle(x, y, _DOT * POINTS_PER_MM)
    names = [f"J{number}" for number in range(1, len(points) + 1)]
    labels = tuple(
        _label(name, place, style, fonts, rect) for name, place in zip(names, _outside(points), strict=True)
    )
    operators = (
        f"q 0 G 0.8 w 0 j {path.getCode()} S\n1 1 1 rg 0.6 w {dots.getCode()} B\n0 g {_north_arrow(rect)} f Q"
    )
    return PlotDrawing(operators, labels)


def _scaled(
    corners: Sequence[tuple[float, float]], rect: tuple[float, float, float, float]
) -> list[tuple[float, float]]:
    """Return the corners in points, centred in `rect`, north upwards."""
    easts, norths = [east for east, _ in corners], [north for _, north in corners]
    x, y, width, height = (value * POINTS_PER_MM for value in rect)
    margin = _MARGIN * POINTS_PER_MM
    spans = (max(easts) - min(easts) or 1.0, max(norths) - min(norths) or 1.0)
    scale = min((width - 2 * margin) / spans[0], (height - 2 * margin) / spans[1])
    left = x + width / 2 - scale * (max(easts) + min(easts)) / 2
    foot = y + height / 2 - scale * (max(norths) + min(norths)) / 2
    return [(left + scale * east, foot + scale * north) for east, north in corners]


def _north_arrow(rect: tuple[float, float, float, float]) -> str:
    """Return the path of an arrow upwards in the box's upper left corner."""
    left, top = (rect[0] + 3) * POINTS_PER_MM, (rect[1] + rect[3] - 1) * POINTS_PER_MM
    path = PDFPathObject()
    path.moveTo(left, top)
    for across, down in ((1.6, 9.0), (0.0, 7.0), (-1.6, 9.0)):
        path.lineTo(left + across * POINTS_PER_MM, top - down * POINTS_PER_MM)
    path.close()
    code: str = path.getCode()
    return code


def _outside(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return for each corner a place just outside the outline, away from its two sides."""
    area = sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise([*points, points[0]]))
    turn = 1.0 if area >= 0 else -1.0
    places = []
    for index, (x, y) in enumerate(points):
        before, after = points[index - 1], points[(index + 1) % len(points)]
        normals = []
        for (ax, ay), (bx, by) in ((before, (x, y)), ((x, y), after)):
            dx, dy = bx - ax, by - ay
            length = (dx * dx + dy * dy) ** 0.5 or 1.0
            normals.append((turn * dy / length, -turn * dx / length))
        nx, ny = normals[0][0] + normals[1][0], normals[0][1] + normals[1][1]
        length = (nx * nx + ny * ny) ** 0.5 or 1.0
        away = 4.0 * POINTS_PER_MM
        places.append((x + nx / length * away, y + ny / length * away))
    return places


def _label(
    name: str,
    place: tuple[float, float],
    style: Style,
    fonts: FontLibrary,
    rect: tuple[float, float, float, float],
) -> SetLine:
    """Return a corner's name centred on `place`, kept inside `rect`."""
    (line,) = break_lines(name, fonts, style.font, width=1000, size=style.size)
    left, foot, width, height = (value * POINTS_PER_MM for value in rect)
    x = min(max(place[0] - line.width / 2, left), left + width - line.width)
    y = min(max(place[1] - 0.36 * style.size, foot), foot + height - style.size)
    return SetLine(line, x, y, style.size, style.font)
