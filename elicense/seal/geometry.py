"""Outlines of lines and cubic curves: moved, measured, and written as PDF operators or SVG path data."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Command = tuple[str, *tuple[float, ...]]
"""("M", x, y), ("L", x, y), ("C", x1, y1, x2, y2, x3, y3) or ("Z",)."""

Point = tuple[float, float]
"""x to the right, y upwards."""

POINTS_PER_MM = 72 / 25.4
"""PDF points in a millimetre."""

_OPERATORS = {"M": "m", "L": "l", "C": "c"}
_CURVE_STEPS = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875)
_SMALL = 0.01 * POINTS_PER_MM
"""Points; a unit of a short drawing, 1/1000 em of a letter, is at most 10 µm: a quarter of a pixel at 600 dpi."""
_ARCS = 8
_TABLE_STEPS = 720


@dataclass(frozen=True, slots=True)
class Affine:
    """x' = a x + c y + e and y' = b x + d y + f, as a PDF matrix has it."""

    a: float
    """x to x."""
    b: float
    """x to y."""
    c: float
    """y to x."""
    d: float
    """y to y."""
    e: float
    """Shift of x."""
    f: float
    """Shift of y."""

    @staticmethod
    def upright(x: float, y: float) -> Affine:
        """Return the shift that puts the origin at (x, y)."""
        return Affine(1, 0, 0, 1, x, y)

    @staticmethod
    def turned(x: float, y: float, clockwise: float) -> Affine:
        """Return the turn by `clockwise` radians about the origin, followed by the shift to (x, y)."""
        cos, sin = math.cos(clockwise), math.sin(clockwise)
        return Affine(cos, -sin, sin, cos, x, y)

    def apply(self, x: float, y: float) -> Point:
        """Return where (x, y) goes."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def after(self, first: Affine) -> Affine:
        """Return `first` followed by this."""
        a, b = self.a * first.a + self.c * first.b, self.b * first.a + self.d * first.b
        c, d = self.a * first.c + self.c * first.d, self.b * first.c + self.d * first.d
        return Affine(a, b, c, d, *self.apply(first.e, first.f))

    def scale(self) -> float:
        """Return how long a unit becomes at most along either axis."""
        return max(math.hypot(self.a, self.b), math.hypot(self.c, self.d))

    def operands(self) -> str:
        """Return the six numbers of a PDF matrix; points 1000 units out err by less than the two decimals of others."""
        parts = (f"{number:.6f}" for number in (self.a, self.b, self.c, self.d))
        return " ".join([*map(_short, parts), decimal(self.e), decimal(self.f)])


_NOWHERE = Affine(1, 0, 0, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed shape, filled by the non-zero winding rule."""

    commands: tuple[Command, ...]
    """Contours one after the other, each from "M" to "Z", as they were drawn."""
    place: Affine = _NOWHERE
    """Where what was drawn goes."""
    short: tuple[Command, ...] = ()
    """The same to within one unit, in whole numbers and fewer curves; empty: there is no such drawing."""

    def moved(self, by: Affine) -> Outline:
        """Return the outline after `by`."""
        return Outline(self.commands, by.after(self.place), self.short)

    def scaled(self, factor: float) -> Outline:
        """Return the outline `factor` times as large, about the origin."""
        return self.moved(Affine(factor, 0, 0, factor, 0, 0))

    def placed(self) -> tuple[Command, ...]:
        """Return the contours where they have gone."""
        return tuple(_moved(command, self.place) for command in self.commands)

    def sampled(self, step: float = math.inf) -> list[Point]:
        """Return points along the edge: corners, eight steps of a curve, each `step` of a straight edge."""
        points: list[Point] = []
        start = (0.0, 0.0)
        for operator, *numbers in self.placed():
            if operator == "M":
                start = (numbers[0], numbers[1])
            elif operator == "C":
                points += [_on_curve(points[-1], numbers, t) for t in _CURVE_STEPS]
            else:
                points += _on_edge(points[-1], (numbers[0], numbers[1]) if numbers else start, step)
            points.append((numbers[-2], numbers[-1]) if numbers else start)
        return points

    def painted(self) -> str:
        """Return PDF operators that fill the shape, in points: the short drawing where its units are small enough."""
        if self.short and self.place.scale() <= _SMALL:
            return f"q {self.place.operands()} cm {_path(self.short)} f Q"
        return f"{_path(self.placed())} f"

    def svg_data(self) -> str:
        """Return the same path as the `d` of an SVG path."""
        return "".join(operator + " ".join(map(decimal, numbers)) for operator, *numbers in self.placed())


def decimal(number: float) -> str:
    """Return `number` with at most two decimals (in points: 3.5 micrometres), no "-0", no exponent."""
    return _short(f"{number:.2f}")


def _short(text: str) -> str:
    """Return a number with a decimal point without needless digits: `.5`, `-.25`, `3`."""
    sign, digits = ("-", text[1:]) if text[0] == "-" else ("", text)
    digits = digits.strip("0").removesuffix(".")
    return sign + digits if digits else "0"


def _path(commands: Iterable[Command]) -> str:
    """Return PDF path construction operators; a contour is closed by the filling, also over a last straight line."""
    parts: list[str] = []
    start: list[float] = []
    for command, following in pairwise((*commands, ("Z",))):
        operator, *numbers = command
        if operator == "M":
            start = numbers
        if operator != "Z" and not (operator == "L" and following[0] == "Z" and numbers == start):
            parts += (*map(decimal, numbers), _OPERATORS[operator])
    return " ".join(parts)


def _moved(command: Command, by: Affine) -> Command:
    operator, *numbers = command
    moved: list[float] = []
    for x, y in zip(numbers[::2], numbers[1::2], strict=True):
        moved += by.apply(x, y)
    return (operator, *moved)


def _on_curve(start: Point, numbers: Sequence[float], t: float) -> Point:
    x1, y1, x2, y2, x3, y3 = numbers
    u = 1 - t
    weights = (u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t)
    return (
        weights[0] * start[0] + weights[1] * x1 + weights[2] * x2 + weights[3] * x3,
        weights[0] * start[1] + weights[1] * y1 + weights[2] * y2 + weights[3] * y3,
    )


def _on_edge(start: Point, end: Point, step: float) -> list[Point]:
    count = int(math.dist(start, end) / step)
    shares = [index / (count + 1) for index in range(1, count + 1)]
    return [(start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t) for t in shares]


def polygon(corners: Iterable[Point]) -> tuple[Command, ...]:
    """Return one closed contour through `corners`."""
    first, *rest = corners
    return (("M", *first), *(("L", *corner) for corner in rest), ("Z",))


def rectangle(x: float, y: float, width: float, height: float) -> tuple[Command, ...]:
    """Return a rectangle with (x, y) as its lower left, anticlockwise."""
    return polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])


def frame(width: float, height: float, line: float) -> Outline:
    """Return a rectangular line of thickness `line` inside width x height, centred on the origin."""
    inner_width, inner_height = width - 2 * line, height - 2 * line
    outer = rectangle(-width / 2, -height / 2, width, height)
    return Outline(outer + rectangle(inner_width / 2, -inner_height / 2, -inner_width, inner_height))


def ellipse(a: float, b: float, *, clockwise: bool = False) -> tuple[Command, ...]:
    """Return an ellipse of semi-axes a, b about the origin, in eight arcs (off by under 1e-5 of a)."""
    step = 2 * math.pi / _ARCS * (-1 if clockwise else 1)
    handle = 4 / 3 * math.tan(step / 4)
    commands: list[Command] = [("M", a, 0.0)]
    for index in range(_ARCS):
        start, end = index * step, (index + 1) * step
        cos0, sin0, cos1, sin1 = math.cos(start), math.sin(start), math.cos(end), math.sin(end)
        commands.append(
            (
                "C",
                a * (cos0 - handle * sin0),
                b * (sin0 + handle * cos0),
                a * (cos1 + handle * sin1),
                b * (sin1 - handle * cos1),
                a * cos1,
                b * sin1,
            )
        )
    return (*commands, ("Z",))


def ring(a: float, b: float, line: float) -> Outline:
    """Return the line of thickness `line` inside the ellipse of semi-axes a, b."""
    return Outline(ellipse(a, b) + ellipse(a - line, b - line, clockwise=True))


def star(radius: float) -> Outline:
    """Return the regular five-pointed star in a circle of `radius` about the origin, one point up."""
    # The inner corners of a pentagram lie at sin 18 / sin 54 degrees of the radius.
    inner = radius * math.sin(math.radians(18)) / math.sin(math.radians(54))
    radii = (radius, inner) * 5
    return Outline(
        polygon((r * math.sin(math.pi * i / 5), r * math.cos(math.pi * i / 5)) for i, r in enumerate(radii))
    )


def convex_hull(points: Iterable[Point]) -> list[Point]:
    """Return the corners of the convex hull, anticlockwise."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered
    lower, upper = _half_hull(ordered), _half_hull(ordered[::-1])
    return lower[:-1] + upper[:-1]


def _half_hull(ordered: Sequence[Point]) -> list[Point]:
    hull: list[Point] = []
    for point in ordered:
        while len(hull) > 1 and _turn(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        hull.append(point)
    return hull


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


class EllipticArc:
    """An ellipse measured by length from its top, clockwise positive; letters stand on it."""

    def __init__(self, a: float, b: float) -> None:
        self.a = a
        self.b = b
        self._turns = [math.pi * step / _TABLE_STEPS for step in range(_TABLE_STEPS + 1)]
        self._lengths = [0.0]
        for before, after in pairwise(self._turns):
            middle = (before + after) / 2
            speed = math.hypot(a * math.cos(middle), b * math.sin(middle))
            self._lengths.append(self._lengths[-1] + speed * (after - before))

    def length(self, turn: float) -> float:
        """Return the length from the top to the point (a sin turn, b cos turn), 0 <= turn <= pi."""
        index = min(int(turn / math.pi * _TABLE_STEPS), _TABLE_STEPS - 1)
        share = turn / math.pi * _TABLE_STEPS - index
        return self._lengths[index] + share * (self._lengths[index + 1] - self._lengths[index])

    def turn(self, length: float) -> float:
        """Return the inverse of `length`; negative to the left of the top."""
        wanted = min(abs(length), self._lengths[-1])
        index = max(bisect_left(self._lengths, wanted), 1)
        before, after = self._lengths[index - 1], self._lengths[index]
        share = (wanted - before) / (after - before)
        return math.copysign(self._turns[index - 1] + share * math.pi / _TABLE_STEPS, length)

    def radius(self, length: float) -> float:
        """Return the radius of curvature at `length` from the top."""
        turn = self.turn(length)
        return math.hypot(self.a * math.cos(turn), self.b * math.sin(turn)) ** 3 / (self.a * self.b)

    def stand(self, length: float) -> Affine:
        """Return the placement that stands a letter on the arc at `length`, its feet to the centre."""
        turn = self.turn(length)
        sin, cos = math.sin(turn), math.cos(turn)
        return Affine.turned(self.a * sin, self.b * cos, math.atan2(sin / self.a, cos / self.b))

    def hang(self, length: float) -> Affine:
        """Return the placement inside the lower half, `length` right of the bottom, head to the centre."""
        turn = self.turn(length)
        sin, cos = math.sin(turn), math.cos(turn)
        return Affine.turned(self.a * sin, -self.b * cos, -math.atan2(sin / self.a, cos / self.b))
