"""The furniture of a page, drawn once per template: frames, guilloches, rules and the placeholder disc.

Everything comes out as content operators in points, marked as an artifact. What repeats is a form XObject placed many
times, so that a rich frame costs a few kilobytes.
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
    return f"{rgb(colour)} RG {num(width * MM)} w", f"{path.getCode()} S"


def _box(piece: Box) -> str:
    x, y, width, height = (value * MM for value in piece.rect)
    path = PDFPathObject()
    path.rect(x, y, width, height)
    fill = f"{rgb(piece.fill)} rg " if piece.fill else ""
    stroke = f"{rgb(piece.stroke)} RG {num(piece.width * MM)} w " if piece.stroke else ""
    paint = {(True, True): "B", (True, False): "f", (False, True): "S", (False, False): "n"}
    return f"{fill}{stroke}{path.getCode()} {paint[bool(fill), bool(stroke)]}"


def _frame(x: float, y: float, width: float, height: float, line: float) -> str:
    """Return a stroked rectangle whose stroke lies inside the given one, points."""
    path = PDFPathObject()
    path.rect(x + line / 2, y + line / 2, width - line, height - line)
    return f"{num(line)} w {path.getCode()} S"


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


def _braid_tile(length: float, band: float) -> str:
    """Return one repeat of the braid: three strands of three threads each that pass over one another."""
    middle = band / 2
    parts = ["0.34 w 1 J"]
    for phase in (0.0, math.tau / 3, 2 * math.tau / 3):
        for thread in (-0.055, 0.0, 0.055):
            amplitude = band * (0.40 + thread)
            parts.append(_wave(length, middle, amplitude, phase=phase, periods=1, steps=8))
    parts.append("0.22 w")
    parts.extend(
        _wave(length, middle, band * 0.16, phase=phase, periods=3, steps=24) for phase in (0.0, math.pi)
    )
    beads = PDFPathObject()
    for at in range(6):
        for edge in (0.045, 0.955):
            beads.circle(length * (at + 0.5) / 6, band * edge, band * 0.018)
    parts.append(f"{beads.getCode()} f")
    return "\n".join(parts)


def _wave(length: float, middle: float, amplitude: float, *, phase: float, periods: int, steps: int) -> str:
    """Return a stroked sine wave over `length`."""
    turn = math.tau * periods / length
    return _curve(
        lambda t: (t, middle + amplitude * math.sin(turn * t + phase)),
        lambda t: (1.0, amplitude * turn * math.cos(turn * t + phase)),
        0.0, length, steps,
    )  # fmt: skip


def _corner(band: float) -> str:
    """Return a square with a rosette and four small leaves."""
    centre = band / 2
    parts = ["0.5 w", _frame(0.03 * band, 0.03 * band, 0.94 * band, 0.94 * band, 0.4), "0.3 w"]
    for radius, depth, lobes in ((0.36, 0.07, 12), (0.36, -0.07, 12), (0.22, 0.07, 8), (0.22, -0.07, 8)):
        parts.append(_rosette(centre, centre, radius * band, depth * band, lobes))
    dots = PDFPathObject()
    dots.circle(centre, centre, band * 0.06)
    for quarter in range(4):
        angle = math.pi / 4 + quarter * math.pi / 2
        dots.circle(
            centre + 0.56 * band * math.cos(angle), centre + 0.56 * band * math.sin(angle), band * 0.03
        )
    parts.append(f"{dots.getCode()} f")
    return "\n".join(parts)


def _rosette(x: float, y: float, radius: float, depth: float, lobes: int) -> str:
    """Return a closed wavy ring: its radius swings by `depth`, `lobes` times."""

    def point(t: float) -> tuple[float, float]:
        r = radius + depth * math.cos(lobes * t)
        return x + r * math.cos(t), y + r * math.sin(t)

    def slope(t: float) -> tuple[float, float]:
        r, dr = radius + depth * math.cos(lobes * t), -depth * lobes * math.sin(lobes * t)
        return dr * math.cos(t) - r * math.sin(t), dr * math.sin(t) + r * math.cos(t)

    return _curve(point, slope, 0.0, math.tau, lobes * 4)


def _curve(
    point: Callable[[float], tuple[float, float]],
    slope: Callable[[float], tuple[float, float]],
    start: float,
    end: float,
    steps: int,
) -> str:
    """Return a smooth stroked curve through `steps` pieces; each piece has the true direction at its ends."""
    path = PDFPathObject()
    step = (end - start) / steps
    path.moveTo(*point(start))
    for index in range(steps):
        t0, t1 = start + index * step, start + (index + 1) * step
        (x0, y0), (x1, y1), (dx0, dy0), (dx1, dy1) = point(t0), point(t1), slope(t0), slope(t1)
        third = step / 3
        path.curveTo(x0 + dx0 * third, y0 + dy0 * third, x1 - dx1 * third, y1 - dy1 * third, x1, y1)
    return f"{_short(path.getCode())} S"


def _short(code: str) -> str:
    """Return path operators with numbers to a thousandth of a point."""
    return " ".join(token if token.isalpha() else num(float(token)) for token in code.split())


def _pattern(piece: Pattern, drawing: Drawing) -> None:
    """Paint waves of hair lines over the box and a large rosette in its middle."""
    x, y, width, height = (value * MM for value in piece.rect)
    bundle = drawing.form((-2, -12 * MM, width + 2, 12 * MM), _bundle(width))
    pitch = 9 * MM
    rows = math.ceil(height / pitch) + 1
    path = PDFPathObject()
    path.rect(x, y, width, height)
    parts = [f"{path.getCode()} W n {rgb(piece.colour)} RG 0.3 w"]
    parts.extend(
        f"q {nums(-1 if row % 2 else 1, 0, 0, 1, x + (width if row % 2 else 0), y + row * pitch)} cm /{bundle} Do Q"
        for row in range(rows)
    )
    size = 0.40 * min(width, height)
    petal = drawing.form((-size, -size, size, size), _petals(size))
    turns = 60
    parts.append(f"1 0 0 1 {nums(x + width / 2, y + height / 2)} cm 0.35 w")
    turn = math.tau / turns
    step = (
        f"{num5(math.cos(turn))} {num5(math.sin(turn))} {num5(-math.sin(turn))} {num5(math.cos(turn))} 0 0 cm"
    )
    parts.append(f"\n{step}\n".join([f"/{petal} Do"] * turns))
    drawing.artifact(*parts)


def num5(value: float) -> str:
    """Return a number to a millionth: rotations that are multiplied sixty times must not drift."""
    return f"{value:.6f}"


def _bundle(width: float) -> str:
    """Return five hair lines that swing apart and together."""
    periods = max(2, round(width / (42 * MM)))
    turn = math.tau * periods / width
    lines = []
    for index in range(5):
        swing = (2.2 + 1.3 * index) * MM

        def point(t: float, swing: float = swing, index: int = index) -> tuple[float, float]:
            return t, swing * math.sin(turn * t) + 0.8 * MM * math.sin(2 * turn * t + index * 0.5)

        def slope(t: float, swing: float = swing, index: int = index) -> tuple[float, float]:
            return 1.0, swing * turn * math.cos(turn * t) + 1.6 * MM * turn * math.cos(
                2 * turn * t + index * 0.5
            )

        lines.append(_curve(point, slope, 0.0, width, periods * 8))
    return "\n".join(lines)


def _petals(size: float) -> str:
    """Return the three ellipses that, turned sixty times, make the rosette's three rings."""
    path = PDFPathObject()
    for near, far, half in ((0.08, 0.42, 0.12), (0.34, 0.74, 0.14), (0.66, 1.0, 0.12)):
        path.ellipse(near * size, -half * size, (far - near) * size, 2 * half * size)
    return f"{_short(path.getCode())} S"


def _emblem(piece: Emblem, drawing: Drawing) -> None:
    """Paint a disc of rings, beads and a flower: a place for an emblem, deliberately nobody's."""
    radius = piece.diameter / 2 * MM
    x, y = (value * MM for value in piece.centre)
    parts = [f"{rgb(piece.colour)} RG {rgb(piece.colour)} rg 1 0 0 1 {nums(x, y)} cm"]
    for share, line in ((0.98, 0.03), (0.90, 0.010), (0.74, 0.010), (0.70, 0.022)):
        path = PDFPathObject()
        path.circle(0, 0, (share - line / 2) * radius)
        parts.append(f"{num(line * radius)} w {_short(path.getCode())} S")
    beads = PDFPathObject()
    for index in range(36):
        angle = math.tau * index / 36
        beads.circle(0.82 * radius * math.cos(angle), 0.82 * radius * math.sin(angle), 0.028 * radius)
    parts.append(f"{_short(beads.getCode())} f")
    parts.append(f"{num(0.012 * radius)} w")
    parts.extend(
        _rosette(0, 0, share * radius, depth * radius, 8)
        for share, depth in ((0.52, 0.11), (0.52, -0.11), (0.36, 0.08), (0.36, -0.08))
    )
    heart = PDFPathObject()
    for index in range(8):
        angle = math.tau * index / 8
        heart.circle(0.17 * radius * math.cos(angle), 0.17 * radius * math.sin(angle), 0.045 * radius)
    heart.circle(0, 0, 0.09 * radius)
    parts.append(f"{_short(heart.getCode())} f")
    drawing.artifact(*parts)


_BORDERS: dict[str, Callable[[Border, Drawing], None]] = {
    "simple": _simple,
    "double": _double,
    "ornate": _ornate,
}
