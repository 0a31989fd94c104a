"""The drawing of a parcel: outline to a round scale, corners named, sides measured, the list of corners beside it.

Lengths are points unless said otherwise. What is drawn around the outline (list, arrow to the north, scale) is given
its place first; of the arrangements that collide with nothing the one with the largest outline wins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from reportlab.pdfgen.pathobject import PDFPathObject  # type: ignore[import-untyped]  # no stubs are shipped

from elicense.rendering.objects import POINTS_PER_MM
from elicense.rendering.text import break_lines
from elicense.rendering.typeset import SetLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from elicense.rendering.blocks import Style
    from elicense.rendering.fonts import FontLibrary

MM = POINTS_PER_MM
NAMES_WIDTH = 11 * MM
"""Kept before the coordinates for the names of their corners."""
HEADS = ("X（米）", "Y（米）")
"""Over the columns of the list."""
_MARGIN = 8 * MM
"""Around the outline, for the names of the corners."""
_GAP = 3 * MM
"""Between the outline's part of the box and what stands beside it."""
_DOT = 0.7 * MM
"""Radius of a corner's dot."""
_ARROW = (10 * MM, 18 * MM)
"""Width and height of the arrow with the character above it."""
_SCALE_STRIP = 8 * MM
"""Height at the foot for the scale."""
_SCALES = (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
"""Leading figures of the scales in use."""
_SHORTEST_SIDE = 9 * MM
"""A shorter side of the drawing bears no length."""
_CAP = 0.75
"""Height of figures and capitals, em."""

Point = tuple[float, float]


class _Area(NamedTuple):
    """A box."""

    left: float
    foot: float
    right: float
    top: float

    def wider(self, by: float) -> _Area:
        """Return the box with a margin around it."""
        return _Area(self.left - by, self.foot - by, self.right + by, self.top + by)

    def meets(self, other: _Area) -> bool:
        """Tell whether two boxes overlap."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.foot < other.top
            and other.foot < self.top
        )

    def holds(self, other: _Area) -> bool:
        """Tell whether `other` lies inside."""
        return (
            self.left <= other.left and other.right <= self.right
            and self.foot <= other.foot and other.top <= self.top
        )  # fmt: skip


class _Arrangement(NamedTuple):
    """Where everything goes."""

    outline: _Area
    """What the outline may fill."""
    listing: _Area
    """The list of corners with its head."""
    arrow: _Area
    """The arrow to the north."""


@dataclass(frozen=True, slots=True)
class PlotDrawing:
    """A parcel on its page."""

    operators: str
    """Outline, corners and arrow."""
    labels: tuple[SetLine, ...]
    """Names of corners, lengths of sides, scale, head of the list."""
    listing: tuple[float, float]
    """Where the list's rows begin: left edge of the names, upper edge of the first row."""


def head_height(style: Style) -> float:
    """Return the height of the list's head."""
    return style.leading * style.size


def draw_plot(
    corners: Sequence[Point],
    rect: tuple[float, float, float, float],
    style: Style,
    fonts: FontLibrary,
    rows: tuple[float, float, float],
) -> PlotDrawing:
    """Return the outline through `corners`, as large as its place allows at a round scale.

    Args:
        corners: x (to the north) and y (to the east) in metres, in order around the parcel; the first is not
            repeated.
        rect: where everything may stand, mm.
        style: of all texts.
        fonts: the font library.
        rows: width and height of the coordinates' rows, without the corners' names and the head, and where y begins.
    """
    box = _Area(rect[0] * MM, rect[1] * MM, (rect[0] + rect[2]) * MM, (rect[1] + rect[3]) * MM)
    size = (NAMES_WIDTH + rows[0], rows[1] + head_height(style))
    east_north = [(east, north) for north, east in corners]
    arrangement, denominator = _best(east_north, box, size)
    points = _scaled(east_north, arrangement.outline, denominator)
    setter = _Labels(style, fonts, _edges(points), _Area(box.left, box.foot + _SCALE_STRIP, box.right, box.top),
                     [arrangement.listing, arrangement.arrow])  # fmt: skip
    setter.corners(points)
    setter.sides(points, east_north)
    listing, arrow = arrangement.listing, arrangement.arrow
    head = listing.top - head_height(style) / 2
    setter.put("界址点", listing.left, head)
    setter.put(HEADS[0], listing.left + NAMES_WIDTH, head)
    setter.put(HEADS[1], listing.left + NAMES_WIDTH + rows[2], head)
    setter.put("北", (arrow.left + arrow.right) / 2, arrow.top - style.size * 0.6, centred=True)
    setter.put(f"比例尺　1:{denominator:.6g}" if denominator < 10**6 else f"比例尺　1:{denominator:.0f}",
               (box.left + box.right) / 2, box.foot + style.size * 0.7, centred=True)  # fmt: skip
    return PlotDrawing(
        _outline(points, arrow, style), tuple(setter.lines), (listing.left, listing.top - head_height(style))
    )


def _best(corners: Sequence[Point], box: _Area, listing: tuple[float, float]) -> tuple[_Arrangement, float]:
    """Return the arrangement with the largest outline, and its scale's denominator."""
    found = [
        (_denominator(corners, arrangement.outline), arrangement)
        for arrangement in _arrangements(box, listing)
    ]
    fitting = [
        (denominator, arrangement)
        for denominator, arrangement in found
        if _clear(_scaled(corners, arrangement.outline, denominator), arrangement)
    ]
    # The arrangements with parts of their own for everything never collide, so there is always one.
    denominator, arrangement = min(fitting, key=lambda pair: pair[0])
    return arrangement, denominator


def _arrangements(box: _Area, listing: tuple[float, float]) -> Iterator[_Arrangement]:
    """Yield the arrangements, the preferred first."""
    width, height = listing
    free = _Area(box.left, box.foot + _SCALE_STRIP, box.right, box.top)
    arrow = _Area(box.left, box.top - _ARROW[1], box.left + _ARROW[0], box.top)
    upper_right = _Area(box.right - width, box.top - height, box.right, box.top)
    yield _Arrangement(free, upper_right, arrow)
    strip = free.top - max(height, _ARROW[1]) - _GAP
    yield _Arrangement(_Area(free.left, free.foot, free.right, strip), upper_right, arrow)
    lower_right = _Area(free.right - width, free.foot, free.right, free.foot + height)
    lower_left = _Area(free.left, free.foot, free.left + width, free.foot + height)
    yield _Arrangement(free, lower_right, arrow)
    yield _Arrangement(free, lower_left, arrow)
    # A column of its own: the arrow at its head, the list below.
    top = free.top - _ARROW[1] - _GAP
    column = free.right - width
    yield _Arrangement(
        _Area(free.left, free.foot, column - _GAP, free.top),
        _Area(column, top - height, free.right, top),
        _Area(column, free.top - _ARROW[1], column + _ARROW[0], free.top),
    )


def _denominator(corners: Sequence[Point], area: _Area) -> float:
    """Return the denominator of the largest round scale at which the outline fits; inf if there is no room."""
    easts, norths = [east for east, _ in corners], [north for _, north in corners]
    rooms = (area.right - area.left - 2 * _MARGIN, area.top - area.foot - 2 * _MARGIN)
    if min(rooms) <= 0:
        return math.inf
    spans = (max(easts) - min(easts), max(norths) - min(norths))
    wanted = max(1.0, *(span * 1000 * MM / room for span, room in zip(spans, rooms, strict=True)))
    power = 10.0 ** math.floor(math.log10(wanted))
    return next((lead * power for lead in _SCALES if lead * power >= wanted), 10 * power)


def _scaled(corners: Sequence[Point], area: _Area, denominator: float) -> list[Point]:
    """Return the corners centred in `area`, north upwards."""
    easts, norths = [east for east, _ in corners], [north for _, north in corners]
    scale = 1000 * MM / denominator
    left = (area.left + area.right) / 2 - scale * (max(easts) + min(easts)) / 2
    foot = (area.foot + area.top) / 2 - scale * (max(norths) + min(norths)) / 2
    return [(left + scale * east, foot + scale * north) for east, north in corners]


def _clear(points: Sequence[Point], arrangement: _Arrangement) -> bool:
    """Tell whether the outline, its corners' names included, keeps clear of list and arrow."""
    for area in (arrangement.listing, arrangement.arrow):
        if any(_crosses(a, b, area.wider(_MARGIN)) for a, b in _edges(points)):
            return False
        if _inside(((area.left + area.right) / 2, (area.foot + area.top) / 2), points):
            return False
    return True


def _edges(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    return list(pairwise([*points, points[0]]))


def _crosses(a: Point, b: Point, area: _Area) -> bool:
    """Tell whether the straight line from a to b has a part in the box (Liang and Barsky's clipping)."""
    first, last = 0.0, 1.0
    for start, end, low, high in ((a[0], b[0], area.left, area.right), (a[1], b[1], area.foot, area.top)):
        run = end - start
        if abs(run) < 1e-9:
            if not low <= start <= high:
                return False
            continue
        enter, leave = sorted(((low - start) / run, (high - start) / run))
        first, last = max(first, enter), min(last, leave)
    return first <= last


def _inside(point: Point, points: Sequence[Point]) -> bool:
    """Tell whether a point lies in the polygon: a ray to the right leaves it an odd number of times."""
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in _edges(points):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            inside = not inside
    return inside


class _Labels:
    """Sets texts where they cover neither the outline nor one another."""

    def __init__(
        self,
        style: Style,
        fonts: FontLibrary,
        edges: list[tuple[Point, Point]],
        box: _Area,
        taken: list[_Area],
    ) -> None:
        self.style, self.fonts, self.edges, self.box, self.taken = style, fonts, edges, box, taken
        self.lines: list[SetLine] = []

    def put(self, text: str, x: float, y: float, *, centred: bool = False) -> None:
        """Set `text` from x on, or about x, its figures' middle at y."""
        (line,) = break_lines(text, self.fonts, self.style.font, width=1000, size=self.style.size)
        left = x - line.width / 2 if centred else x
        self.lines.append(
            SetLine(line, left, y - _CAP / 2 * self.style.size, self.style.size, self.style.font)
        )

    def corners(self, points: Sequence[Point]) -> None:
        """Name the corners outside the outline; where all places are taken, the list alone names it."""
        for number, ((x, y), (across, up)) in enumerate(zip(points, _outwards(points), strict=True), 1):
            turns = (0, 30, -30, 60, -60, 90, -90, 135, -135, 180)
            self._first_free(f"J{number}", [
                (x + distance * MM * (across * math.cos(t) - up * math.sin(t)),
                 y + distance * MM * (across * math.sin(t) + up * math.cos(t)))
                for distance in (3.8, 5.0, 6.2) for t in map(math.radians, turns)
            ])  # fmt: skip

    def sides(self, points: Sequence[Point], corners: Sequence[Point]) -> None:
        """Write each side's length in metres beside its middle, inside where there is room."""
        turn = _turn(points)
        for (a, b), (start, end) in zip(_edges(points), _edges(corners), strict=True):
            if math.dist(a, b) < _SHORTEST_SIDE:
                continue
            text = f"{math.dist(start, end):.2f}"
            (line,) = break_lines(text, self.fonts, self.style.font, width=1000, size=self.style.size)
            across, up = _normal(a, b, turn)
            away = abs(across) * line.width / 2 + abs(up) * _CAP * self.style.size / 2 + 1.2 * MM
            self._first_free(text, [
                (a[0] + (b[0] - a[0]) * share + side * across * away, a[1] + (b[1] - a[1]) * share + side * up * away)
                for side in (-1, 1) for share in (0.5, 0.4, 0.6)
            ])  # fmt: skip

    def _first_free(self, text: str, places: Sequence[Point]) -> None:
        (line,) = break_lines(text, self.fonts, self.style.font, width=1000, size=self.style.size)
        half = (line.width / 2, _CAP * self.style.size / 2)
        for x, y in places:
            area = _Area(x - half[0], y - half[1], x + half[0], y + half[1])
            around = area.wider(0.5 * MM)
            # The em box is higher than its figures; all of it stays in the box.
            whole = _Area(area.left, y - 0.55 * self.style.size, area.right, y + 0.55 * self.style.size)
            if (
                self.box.holds(whole)
                and not any(around.meets(other) for other in self.taken)
                and not any(_crosses(a, b, around) for a, b in self.edges)
            ):
                self.taken.append(area)
                self.put(text, x, y, centred=True)
                return


def _turn(points: Sequence[Point]) -> float:
    """Return 1 if the corners run against the clock, otherwise -1."""
    return 1.0 if sum(ax * by - bx * ay for (ax, ay), (bx, by) in _edges(points)) >= 0 else -1.0


def _normal(a: Point, b: Point, turn: float) -> Point:
    """Return the unit vector away from the parcel, square to the side from a to b."""
    length = math.dist(a, b) or 1.0
    return turn * (b[1] - a[1]) / length, -turn * (b[0] - a[0]) / length


def _outwards(points: Sequence[Point]) -> list[Point]:
    """Return for each corner the unit vector away from its two sides."""
    turn = _turn(points)
    normals = [_normal(a, b, turn) for a, b in _edges(points)]
    away = []
    for before, after in pairwise([normals[-1], *normals]):
        across, up = before[0] + after[0], before[1] + after[1]
        length = math.hypot(across, up)
        away.append((across / length, up / length) if length > 1e-6 else after)
    return away


def _outline(points: Sequence[Point], arrow: _Area, style: Style) -> str:
    """Return the operators of outline, corners and arrow."""
    path = PDFPathObject()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    path.close()
    dots = PDFPathObject()
    for x, y in points:
        dots.circle(x, y, _DOT)
    middle, top = (arrow.left + arrow.right) / 2, arrow.top - 1.25 * style.size
    left, right = PDFPathObject(), PDFPathObject()
    for half, side in ((left, -1), (right, 1)):
        half.moveTo(middle, top)
        half.lineTo(middle + side * 1.7 * MM, arrow.foot)
        half.lineTo(middle, arrow.foot + 2 * MM)
        half.close()
    return (
        f"q 0 G 0.9 w 0 j {path.getCode()} S\n1 1 1 rg 0.6 w {dots.getCode()} B\n"
        f"0 g 0.5 w {left.getCode()} B\n1 1 1 rg {right.getCode()} B Q"
    )
