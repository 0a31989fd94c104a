"""Where everything stands on a seal: ring, star, name, lower line, code, 样本; in mm about the seal's centre.

Source: proportions of seals in use (ring 1.2 mm, star a third of the diameter at 42 to 45 mm); round shape,
centre, and a name that runs from left to right: 国发〔1999〕25号, known from a secondary source only.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from elicense.errors import SealError
from elicense.seal.geometry import Outline, frame, rectangle, ring, star
from elicense.seal.lettering import (
    CJK_ZONE,
    DIGIT_ZONE,
    GlyphOutlines,
    Letter,
    LineStyle,
    hang_on_arc,
    read_letters,
    set_in_cell,
    set_on_arc,
    set_straight,
)
from elicense.seal.model import SealArt, SealCentre, SealShape

if TYPE_CHECKING:
    from collections.abc import Sequence

SPECIMEN = "样本"
"""What a seal bears that nobody may take for a real one."""

NAME_ROLE = "title"
CODE_ROLE = "hei"

_NAME = LineStyle(widest=0.92, pleasant=0.56, narrowest=0.36, closest=0.28, loosest=1.15, least=1.2)
_LINE = LineStyle(widest=0.95, pleasant=0.6, narrowest=0.4, closest=0.26, loosest=0.34, least=0.9)

_NAME_LENGTHS = {SealShape.ROUND: (4, 30), SealShape.OVAL: (4, 30), SealShape.SQUARE: (2, 30)}
_LOWER_LENGTH = 12
_LEAST_CELL = 2.0
"""Side in mm of the smallest cell of a square seal."""
_CODE_LENGTHS = (13, 14)
_CODE_HEIGHT = 0.039
"""Of the seal's height."""
_SIDES = (15.0, 65.0)


def arrange(art: SealArt, outlines: GlyphOutlines) -> tuple[Outline, ...]:
    """Return every shape of the seal, all to be filled with the same red.

    Raises:
        SealError: a text too long, too short or of wrong characters; a size outside 15 to 65 mm; a round seal
            whose width is not its height; a code on a square seal of another length than 13 or 14 digits.
    """
    _check(art)
    if art.shape is SealShape.SQUARE:
        return _square(art, outlines)
    return _curved(art, outlines)


def _check(art: SealArt) -> None:
    """Refuse what no layout can carry."""
    least, most = _NAME_LENGTHS[art.shape]
    if not least <= len(art.text) <= most:
        raise SealError(
            f"The seal's text has {len(art.text)} characters; "
            f"a {art.shape.value} seal takes {least} to {most}.",
            f"印章文字有{len(art.text)}个字，该形状的印章应为{least}至{most}个字。",
            field="text",
        )
    if len(art.lower_text) > _LOWER_LENGTH:
        raise SealError(
            f"The lower line has {len(art.lower_text)} characters; at most {_LOWER_LENGTH} fit.",
            f"印章下横排文字有{len(art.lower_text)}个字，最多{_LOWER_LENGTH}个字。",
            field="lower_text",
        )
    if art.code and not (len(art.code) in _CODE_LENGTHS and art.code.isascii() and art.code.isdigit()):
        raise SealError(
            f"The seal's code {art.code!r} is not 13 or 14 digits.",
            f"印章编码“{art.code}”应为13位或14位数字。",
            field="code",
        )
    if not all(_SIDES[0] <= side <= _SIDES[1] for side in (art.width, art.height)):
        raise SealError(
            f"A seal of {art.width:g} x {art.height:g} mm is outside 15 to 65 mm; give its true size.",
            f"印章尺寸{art.width:g}×{art.height:g}毫米超出15至65毫米，请填写实际尺寸。",
            field="width",
        )
    if art.shape is SealShape.ROUND and art.width != art.height:
        raise SealError(
            f"A round seal is as wide as it is high, not {art.width:g} x {art.height:g} mm.",
            f"圆形印章的宽与高应相等，现为{art.width:g}×{art.height:g}毫米。",
            field="height",
        )


def ring_line(side: float) -> float:
    """Return the thickness of the outer line in mm: 1.2 from 38 mm upwards, thinner on smaller seals."""
    return min(1.2, side / 32)


def _curved(art: SealArt, outlines: GlyphOutlines) -> tuple[Outline, ...]:
    """Return a round or oval seal."""
    a, b = art.width / 2, art.height / 2
    line = ring_line(art.height)
    shapes = [ring(a, b, line)]
    air = 0.024 * art.height
    inner = (a - line - air, b - line - air)
    centre_radius = _centre_radius(art)
    shapes += _centre(art, centre_radius)
    code = _code(art, outlines, inner)
    lower, half_turn = _lower_line(art, outlines, inner, centre_radius)
    half_turn = min(half_turn, math.pi - _half_span(code, inner) - math.radians(8))
    shapes += (*lower, *code)
    heights = (0.165 * art.height, 0.105 * art.height)
    letters = read_letters(art.text, NAME_ROLE, outlines, zone=CJK_ZONE)
    name = set_on_arc(letters, inner, half_turn, heights, _NAME)
    if name is None:
        raise _too_long(art, art.text, "text")
    placed, name_height = name
    shapes += placed
    if art.specimen:
        shapes += _specimen(art, outlines, centre_radius, inner[0] - name_height)
    return tuple(shapes)


def _centre_radius(art: SealArt) -> float:
    """Return the radius of what stands in the middle, mm; 0 if nothing does."""
    if art.centre is SealCentre.NONE:
        return 0.0
    return art.height * (1 / 6 if art.centre is SealCentre.STAR else 0.175)


def _centre(art: SealArt, radius: float) -> list[Outline]:
    """Return the star, or the place of the emblem: two circles, to be filled by whoever may use it."""
    if art.centre is SealCentre.STAR:
        return [star(radius)]
    if art.centre is SealCentre.EMBLEM:
        return [ring(radius, radius, 0.5), ring(radius - 0.9, radius - 0.9, 0.2)]
    return []


def _lower_line(
    art: SealArt, outlines: GlyphOutlines, inner: tuple[float, float], centre_radius: float
) -> tuple[tuple[Outline, ...], float]:
    """Return the straight line below the centre, and how far the name may reach beside it (radians)."""
    widest_turn = math.radians(138)
    if not art.lower_text:
        return (), widest_turn
    height = (0.105 if art.shape is SealShape.OVAL else 0.088) * art.height
    foot_of_centre = centre_radius * (math.cos(math.pi / 5) if art.centre is SealCentre.STAR else 1)
    lowest = (0.25 if art.code else 0.275) * art.height
    middle = -max(foot_of_centre + 0.045 * art.height + height / 2, lowest)
    letters = read_letters(art.lower_text, NAME_ROLE, outlines, zone=CJK_ZONE)
    room = _level_room(art, inner, middle - height / 2)
    line = set_straight(letters, (0, middle), min(0.52 * art.width, room), height, _LINE)
    if line is None:
        raise _too_long(art, art.lower_text, "lower_text")
    shapes, width = line
    corner = (width / 2 + 0.05 * art.width, -(middle + height / 2) - 0.01 * art.height)
    turn = math.pi - math.atan2(corner[0] / inner[0], corner[1] / inner[1])
    return shapes, min(turn, widest_turn)


def _level_room(art: SealArt, inner: tuple[float, float], foot: float) -> float:
    """Return how wide a level line may be whose foot lies at y = `foot`, clear of the code or the outer line."""
    taken = ((_CODE_HEIGHT if art.code else 0.0) + 0.02) * art.height
    a, b = inner[0] - taken, inner[1] - taken
    return 2 * a * math.sqrt(max(1 - (foot / b) ** 2, 0.0))


def _code(art: SealArt, outlines: GlyphOutlines, inner: tuple[float, float]) -> tuple[Outline, ...]:
    """Return the digits on the lower arc, upright, read from the left."""
    letters = read_letters(art.code, CODE_ROLE, outlines, zone=DIGIT_ZONE)
    height = _CODE_HEIGHT * art.height
    return hang_on_arc(letters, inner, height, em=1.25 * height, gap=0.4 * height)


def _half_span(code: Sequence[Outline], inner: tuple[float, float]) -> float:
    """Return how far the code reaches on either side of the bottom (ellipse parameter, radians)."""
    points = [point for digit in code for point in digit.sampled()]
    return max((math.atan2(abs(x) / inner[0], -y / inner[1]) for x, y in points), default=0.0)


def _specimen(art: SealArt, outlines: GlyphOutlines, centre_radius: float, foot: float) -> list[Outline]:
    """Return 样 and 本 on either side of the star, below its arms; side by side where the middle is free."""
    letters = read_letters(SPECIMEN, NAME_ROLE, outlines, zone=CJK_ZONE)
    if art.centre is SealCentre.STAR:
        size = 0.11 * art.height
        x = (0.62 * centre_radius + foot) / 2 - 0.01 * art.height
        places = [(-x, -0.055 * art.height), (x, -0.055 * art.height)]
    else:
        size = (0.11 if art.centre is SealCentre.EMBLEM else 0.14) * art.height
        places = [(-0.56 * size, 0.0), (0.56 * size, 0.0)]
    return [set_in_cell(letter, place, size, size) for letter, place in zip(letters, places, strict=True)]


def _square(art: SealArt, outlines: GlyphOutlines) -> tuple[Outline, ...]:
    """Return a bordered seal: name in columns from the right, or in rows if much wider than high."""
    line = ring_line(min(art.width, art.height))
    air = 0.05 * min(art.width, art.height)
    width, height = art.width - 2 * (line + air), art.height - 2 * (line + air)
    shapes = [frame(art.width, art.height, line)]
    bottom = -height / 2
    for text, role, zone, share in _bands(art):
        letters = read_letters(text, role, outlines, zone=zone)
        size = share * min(art.width, art.height)
        band = set_straight(letters, (0, bottom + size / 2), width, size, _LINE)
        if band is None:
            raise _too_long(art, text, "lower_text")
        shapes += band[0]
        bottom += size + 0.6 * air
    if art.specimen:
        shapes.append(Outline(rectangle(-width / 2, bottom, width, 0.012 * art.height)))
        bottom += 0.012 * art.height + 0.6 * air
    letters = read_letters(art.text, NAME_ROLE, outlines, zone=CJK_ZONE)
    return (*shapes, *_cells(art, letters, (-width / 2, bottom, width, height / 2 - bottom)))


def _bands(art: SealArt) -> list[tuple[str, str, tuple[float, float], float]]:
    """Return the lines below the name, the lowest first: text, role, zone, share of the shorter side."""
    bands = []
    if art.code:
        bands.append((art.code, CODE_ROLE, DIGIT_ZONE, 0.05))
    if art.specimen:
        bands.append((SPECIMEN, NAME_ROLE, CJK_ZONE, 0.13))
    if art.lower_text:
        bands.append((art.lower_text, NAME_ROLE, CJK_ZONE, 0.14))
    return bands


def _cells(art: SealArt, letters: Sequence[Letter], box: tuple[float, float, float, float]) -> list[Outline]:
    """Return the letters in the box (x, y, width, height in mm), each stretched to its cell."""
    x, y, width, height = box
    rows_run = art.width > 1.3 * art.height
    along, across = (width, height) if rows_run else (height, width)
    lanes = _lanes(len(letters), along, across)
    pitch, placed, index = across / len(lanes), [], 0
    for lane, count in enumerate(lanes):
        cell = along / count
        for place in range(count):
            along_middle, across_middle = (place + 0.5) * cell, (lane + 0.5) * pitch
            middle = (
                (x + along_middle, y + height - across_middle)
                if rows_run
                else (x + width - across_middle, y + height - along_middle)
            )
            size = (cell, pitch) if rows_run else (pitch, cell)
            if min(size) < _LEAST_CELL:
                raise _too_long(art, art.text, "text")
            placed.append(set_in_cell(letters[index], middle, size[0] * 0.96, size[1] * 0.94))
            index += 1
    return placed


def _lanes(count: int, along: float, across: float) -> list[int]:
    """Return how many letters each column (or row) holds: cells near square, lanes near equal.

    A cell slightly longer along the lane than across suits Song letters in columns, and settles ties.
    """

    def cost(lanes: int) -> float:
        longest = math.ceil(count / lanes)
        aspect = abs(math.log((along / longest) / (across / lanes)) - 0.05)
        return aspect + (0.5 if count % lanes else 0)

    lanes = min(range(1, count + 1), key=cost)
    return [count // lanes + (1 if lane < count % lanes else 0) for lane in range(lanes)]


def _too_long(art: SealArt, text: str, field: str) -> SealError:
    return SealError(
        f"{len(text)} characters do not fit on a {art.width:g} x {art.height:g} mm seal; shorten {text!r}.",
        f"“{text}”共{len(text)}个字，{art.width:g}×{art.height:g}毫米的印章容纳不下，请缩短。",
        field=field,
    )
