"""The furniture of a page, drawn once per template: frames, guilloches, rules and the placeholder disc.

Everything comes out as content operators, marked as an artifact. What repeats along a page is a form XObject placed
many times; what repeats within one is drawn once and said again under the next matrix, which deflates to almost
nothing; curves are whole hundredths of a point. So a rich frame costs two kilobytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reportlab.pdfgen.pathobject import PDFPathObject  # type: ignore[import-untyped]  # no stubs are shipped

from elicense.rendering.blocks import Border, Box, Emblem, Line, Pattern
from elicense.rendering.objects import POINTS_PER_MM, num, nums, rgb, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MM = POINTS_PER_MM
_BAND = 7.0
"""Width of an ornate frame's braided band, mm."""
_TILE = 9.0
"""Length of one repeat of the braid, mm; stretched a little so that a side holds a whole number."""
_FINE = ".01 0 0 .01 0 0 cm"
"""Behind it lengths are hundredths of a point: 3.5 micrometres."""


@dataclass(slots=True)
class Drawing:
    """Content operators and the form XObjects they use."""

    operators: list[str] = field(default_factory=list)
    """In painting order."""
    forms: dict[str, bytes] = field(default_factory=dict)
    """Resource name -> the form XObject's body; equal drawings share one."""

    def form(self, box: tuple[float, float, float, float], operators: str) -> str:
        """Return the resource name of a form XObject with these operators."""
        body = stream(
            f"/Type/XObject/Subtype/Form/BBox[{nums(*box)}]/Resources<<>>",
            operators.encode("ascii"),
            best=True,
        )
        for name, known in self.forms.items():
            if known == body:
                return name
        name = f"A{len(self.forms)}"
        self.forms[name] = body
        return name

    def artifact(self, *operators: str) -> None:
        """Paint `operators` as an artifact, graphics state kept."""
        self.operators.append("/Artifact BMC\nq\n" + "\n".join(operators) + "\nQ\nEMC")

    def content(self) -> str:
        """Return all operators."""
        return "".join(f"{part}\n" for part in self.operators)


def draw(pieces: Sequence[Border | Pattern | Line | Box | Emblem], drawing: Drawing) -> None:
    """Paint `pieces` in order onto `drawing`."""
    for piece in pieces:
        if isinstance(piece, Border):
            _BORDERS[piece.style](piece, drawing)
        elif isinstance(piece, Pattern):
            _pattern(piece, drawing)
        elif isinstance(piece, Line):
            drawing.artifact(*rule(piece.from_, piece.to, piece.width, piece.colour))
        elif isinstance(piece, Box):
            drawing.artifact(_box(piece))
        else:
            _emblem(piece, drawing)


def rule(start: tuple[float, float], end: tuple[float, float], width: float, colour: str) -> tuple[str, ...]:
    """Return the operators of a straight rule; all lengths mm."""
    path = PDFPathObject()
    path.moveTo(start[0] * MM, start[1] * MM)
    path.lineTo(end[0] * MM, end[1] * MM)
    return f"{rgb(colour)} RG {num(width * MM)} w", f"{_points(path)} S"


def _box(piece: Box) -> str:
    x, y, width, height = (value * MM for value in piece.rect)
    path = PDFPathObject()
    path.rect(x, y, width, height)
    fill = f"{rgb(piece.fill)} rg " if piece.fill else ""
    stroke = f"{rgb(piece.stroke)} RG {num(piece.width * MM)} w " if piece.stroke else ""
    paint = {(True, True): "B", (True, False): "f", (False, True): "S", (False, False): "n"}
    return f"{fill}{stroke}{_points(path)} {paint[bool(fill), bool(stroke)]}"


def _frame(x: float, y: float, width: float, height: float, line: float) -> str:
    """Return a stroked rectangle whose stroke lies inside the given one, points."""
    path = PDFPathObject()
    path.rect(x + line / 2, y + line / 2, width - line, height - line)
    return f"{num(line)} w {_points(path)} S"


def _simple(piece: Border, drawing: Drawing) -> None:
    x, y, width, height = (value * MM for value in piece.rect)
    drawing.artifact(f"{rgb(piece.colour)} RG 0 j", _frame(x, y, width, height, 0.5 * MM))


def _double(piece: Border, drawing: Drawing) -> None:
    x, y, width, height = (value * MM for value in piece.rect)
    inset = 1.5 * MM
    drawing.artifact(
        f"{rgb(piece.colour)} RG 0 j",
        _frame(x, y, width, height, 0.9 * MM),
        _frame(x + inset, y + inset, width - 2 * inset, height - 2 * inset, 0.25 * MM),
    )


def _ornate(piece: Border, drawing: Drawing) -> None:
    """Paint a braided band between double rules, with a rosette in each corner."""
    x, y, width, height = (value * MM for value in piece.rect)
    band, edge = _BAND * MM, 1.5 * MM
    inner = edge + band
    parts = [f"{rgb(piece.colour)} RG {rgb(piece.colour)} rg 0 j 1 J"]
    for inset, line in ((0.0, 0.7), (1.05, 0.18), (_BAND + 1.5 + 0.27, 0.18), (_BAND + 1.5 + 0.9, 0.4)):
        parts.append(
            _frame(x + inset * MM, y + inset * MM, width - 2 * inset * MM, height - 2 * inset * MM, line * MM)
        )
    sides = (
        (1, 0, 0, 1, x + inner, y + edge, width - 2 * inner),
        (-1, 0, 0, -1, x + width - inner, y + height - edge, width - 2 * inner),
        (0, 1, -1, 0, x + width - edge, y + inner, height - 2 * inner),
        (0, -1, 1, 0, x + edge, y + height - inner, height - 2 * inner),
    )
    tile = drawing.form((-1, -1, _TILE * MM + 1, band + 1), _braid_tile(_TILE * MM, band))
    for a, b, c, d, e, f, length in sides:
        count = max(1, round(length / (_TILE * MM)))
        stretch = length / count / (_TILE * MM)
        step = f"1 0 0 1 {num(_TILE * MM)} 0 cm"
        repeats = f"\n{step}\n".join([f"/{tile} Do"] * count)
        parts.append(f"q {nums(a * stretch, b * stretch, c, d, e, f)} cm\n{repeats}\nQ")
    corner = drawing.form((-1, -1, band + 1, band + 1), _corner(band))
    parts.extend(
        f"q 1 0 0 1 {nums(x + across, y + up)} cm /{corner} Do Q"
        for across in (edge, width - inner) for up in (edge, height - inner)
    )  # fmt: skip
    drawing.artifact(*parts)


def _points(path: PDFPathObject) -> str:
    """Return a path's operators with numbers to a thousandth of a point."""
    return _numbers(path, lambda number: num(float(number)))


def _fine(path: PDFPathObject) -> str:
    """Return a path's operators in hundredths of a point."""
    return _numbers(path, lambda number: _whole(float(number)))


def _numbers(path: PDFPathObject, write: Callable[[str], str]) -> str:
    tokens = path.getCode().removeprefix("n ").split()
    return " ".join(token if token.isalpha() else write(token) for token in tokens)


def _whole(length: float) -> str:
    """Return a length in points as hundredths."""
    return str(round(length * 100))


def _again(operators: str, step: str, times: int) -> str:
    """Return operators so many times, each under the matrix `step` of the time before."""
    return f"\n{step} cm\n".join([operators] * times)


def _around(operators: str, times: int) -> str:
    """Return operators so many times in even turns about the origin, graphics state kept."""
    return f"q\n{_again(operators, _turn(times), times)}\nQ"


def _turn(parts: int) -> str:
    """Return the matrix of a part of a whole turn, fine enough to be multiplied sixty times without drifting."""
    cos, sin = math.cos(math.tau / parts), math.sin(math.tau / parts)
    return f"{cos:.6f} {sin:.6f} {-sin:.6f} {cos:.6f} 0 0"


def _dots(diameter: float, *places: tuple[float, float]) -> str:
    """Return round dots, each the caps of a line of almost no length; needs round caps."""
    lines = (f"{_whole(x)} {_whole(y)} m {_whole(x + 0.01)} {_whole(y)} l" for x, y in places)
    return f"{_whole(diameter)} w {' '.join(lines)} S"


def _braid_tile(length: float, band: float) -> str:
    """Return one repeat of the braid: three strands of three threads each that pass over one another.

    It is the same third three times over: a strand goes on where the next one begins.
    """
    middle, third = band / 2, length / 3
    thirds = (0.0, math.tau / 3, 2 * math.tau / 3)
    parts = ["34 w"]
    parts += (
        _wave(third, middle, band * (0.40 + thread), phase=phase, turn=math.tau / 3, steps=3)
        for phase in thirds for thread in (-0.055, 0.0, 0.055)
    )  # fmt: skip
    parts.append("22 w")
    parts += (
        _wave(third, middle, band * 0.16, phase=phase, turn=math.tau, steps=8) for phase in (0.0, math.pi)
    )
    places = [(third * (at + 0.5) / 2, band * edge) for at in range(2) for edge in (0.045, 0.955)]
    parts.append(_dots(band * 0.036, *places))
    return f"{_FINE} 1 J\n{_again(chr(10).join(parts), f'1 0 0 1 {_whole(third)} 0', 3)}"


def _wave(length: float, middle: float, amplitude: float, *, phase: float, turn: float, steps: int) -> str:
    """Return a stroked sine wave over `length`, in which it turns by so much."""
    speed = turn / length
    return _curve(
        lambda t: (t, middle + amplitude * math.sin(speed * t + phase)),
        lambda t: (1.0, amplitude * speed * math.cos(speed * t + phase)),
        length, steps,
    )  # fmt: skip


def _corner(band: float) -> str:
    """Return a square with a rosette and four small leaves."""
    centre = _whole(band / 2)
    side = _whole(0.94 * band - 0.4)
    corner = _whole(0.03 * band + 0.2)
    rings = ((0.36, 0.07, 12), (0.36, -0.07, 12), (0.22, 0.07, 8), (0.22, -0.07, 8))
    quarter = [_rosette(radius * band, depth * band, lobes, 4) for radius, depth, lobes in rings]
    angle = math.pi / 4
    leaf = (0.56 * band * math.cos(angle), 0.56 * band * math.sin(angle))
    return "\n".join([
        f"{_FINE} 1 J\n40 w {corner} {corner} {side} {side} re S",
        f"1 0 0 1 {centre} {centre} cm",
        _dots(band * 0.12, (0.0, 0.0)),
        _around("\n".join(["30 w", *quarter, _dots(band * 0.06, leaf)]), 4),
    ])  # fmt: skip


def _rosette(radius: float, depth: float, lobes: int, parts: int) -> str:
    """Return a part of a closed wavy ring about the origin: its radius swings by `depth`, in all `lobes` times."""

    def point(t: float) -> tuple[float, float]:
        r = radius + depth * math.cos(lobes * t)
        return r * math.cos(t), r * math.sin(t)

    def slope(t: float) -> tuple[float, float]:
        r, dr = radius + depth * math.cos(lobes * t), -depth * lobes * math.sin(lobes * t)
        return dr * math.cos(t) - r * math.sin(t), dr * math.sin(t) + r * math.cos(t)

    return _curve(point, slope, math.tau / parts, lobes * 4 // parts)


def _curve(
    point: Callable[[float], tuple[float, float]],
    slope: Callable[[float], tuple[float, float]],
    end: float,
    steps: int,
) -> str:
    """Return a smooth stroked curve from 0 to `end` in `steps` pieces, in hundredths of a point.

    Each piece has the true direction at its ends.
    """
    path = PDFPathObject()
    step = end / steps
    path.moveTo(*point(0.0))
    for index in range(steps):
        t0, t1 = index * step, (index + 1) * step
        (x0, y0), (x1, y1), (dx0, dy0), (dx1, dy1) = point(t0), point(t1), slope(t0), slope(t1)
        third = step / 3
        path.curveTo(x0 + dx0 * third, y0 + dy0 * third, x1 - dx1 * third, y1 - dy1 * third, x1, y1)
    return f"{_fine(path)} S"


def _pattern(piece: Pattern, drawing: Drawing) -> None:
    """Paint waves of hair lines over the box and a large rosette in its middle."""
    x, y, width, height = (value * MM for value in piece.rect)
    bundle = drawing.form((-2, -12 * MM, width + 2, 12 * MM), _bundle(width))
    pitch = 9 * MM
    rows = math.ceil(height / pitch) + 1
    path = PDFPathObject()
    path.rect(x, y, width, height)
    parts = [f"{_points(path)} W n {rgb(piece.colour)} RG"]
    parts.extend(
        f"q {nums(-1 if row % 2 else 1, 0, 0, 1, x + (width if row % 2 else 0), y + row * pitch)} cm /{bundle} Do Q"
        for row in range(rows)
    )
    size = 0.40 * min(width, height)
    petal = drawing.form((-size, -size, size, size), _petals(size))
    parts.append(f"1 0 0 1 {nums(x + width / 2, y + height / 2)} cm")
    parts.append(_again(f"/{petal} Do", _turn(60), 60))
    drawing.artifact(*parts)


def _bundle(width: float) -> str:
    """Return five hair lines that swing apart and together."""
    periods = max(2, round(width / (42 * MM)))
    period = width / periods
    turn = math.tau / period
    lines = []
    for index in range(5):
        swing = (2.2 + 1.3 * index) * MM

        def point(t: float, swing: float = swing, index: int = index) -> tuple[float, float]:
            return t, swing * math.sin(turn * t) + 0.8 * MM * math.sin(2 * turn * t + index * 0.5)

        def slope(t: float, swing: float = swing, index: int = index) -> tuple[float, float]:
            return 1.0, swing * turn * math.cos(turn * t) + 1.6 * MM * turn * math.cos(
                2 * turn * t + index * 0.5
            )

        lines.append(_curve(point, slope, period, 8))
    # Without round caps a hair would show where two periods meet.
    return f"{_FINE} 30 w 1 J\n{_again(chr(10).join(lines), f'1 0 0 1 {num(period * 100)} 0', periods)}"


def _petals(size: float) -> str:
    """Return the three ellipses that, turned sixty times, make the rosette's three rings."""
    path = PDFPathObject()
    for near, far, half in ((0.08, 0.42, 0.12), (0.34, 0.74, 0.14), (0.66, 1.0, 0.12)):
        path.ellipse(near * size, -half * size, (far - near) * size, 2 * half * size)
    return f"{_FINE} 35 w\n{_fine(path)} S"


def _emblem(piece: Emblem, drawing: Drawing) -> None:
    """Paint a disc of rings, beads and a flower: a place for an emblem, deliberately nobody's."""
    radius = piece.diameter / 2 * MM
    x, y = (value * MM for value in piece.centre)
    parts = [f"{rgb(piece.colour)} RG 1 0 0 1 {nums(x, y)} cm {_FINE} 1 J"]
    for share, line in ((0.98, 0.03), (0.90, 0.010), (0.74, 0.010), (0.70, 0.022)):
        path = PDFPathObject()
        path.circle(0, 0, (share - line / 2) * radius)
        parts.append(f"{_whole(line * radius)} w {_fine(path)} S")
    parts.append(_around(_dots(0.056 * radius, (0.82 * radius, 0.0)), 36))
    petals = ((0.52, 0.11), (0.52, -0.11), (0.36, 0.08), (0.36, -0.08))
    flower = [_rosette(share * radius, depth * radius, 8, 8) for share, depth in petals]
    heart = _dots(0.09 * radius, (0.17 * radius, 0.0))
    parts.append(_around("\n".join([f"{_whole(0.012 * radius)} w", *flower, heart]), 8))
    parts.append(_dots(0.18 * radius, (0.0, 0.0)))
    drawing.artifact(*parts)


_BORDERS: dict[str, Callable[[Border, Drawing], None]] = {
    "simple": _simple,
    "double": _double,
    "ornate": _ornate,
}
