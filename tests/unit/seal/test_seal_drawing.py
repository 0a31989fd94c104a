"""A drawn seal: true size, pure red, even and untouching letters, or a refusal with counts."""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import replace
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageChops, ImageStat
from seal_samples import LETTERS, NAME, NAMES, BlockOutlines, clearance, hull, parts, round_art

from elicense.errors import SealError
from elicense.seal.drawing import draw_seal
from elicense.seal.geometry import POINTS_PER_MM, Outline, ellipse
from elicense.seal.layouts import arrange
from elicense.seal.lettering import _DEPTH
from elicense.seal.model import SealArt, SealCentre, SealShape
from elicense.seal.preview import preview

FULL = {"lower_text": "电子证照专用章", "code": "99010100000015", "specimen": True}


def sector(outline):
    """Return the angles from the top, clockwise, that an outline fills, seen from the seal's centre."""
    angles = [math.atan2(x, y) for x, y in outline.sampled()]
    return min(angles), max(angles)


def middle(corners):
    """Return the middle of the box about some corners."""
    return tuple((min(values) + max(values)) / 2 for values in zip(*corners, strict=True))


def gaps(outlines):
    """Return the angles between the sectors of neighbours."""
    return [after[0] - before[1] for before, after in pairwise(sector(outline) for outline in outlines)]


@pytest.mark.parametrize(
    "art",
    [
        round_art(),
        round_art(diameter=60.0, **FULL),
        SealArt(SealShape.OVAL, 40, 30, NAME, SealCentre.NONE, "审批专用章"),
        SealArt(SealShape.SQUARE, 40, 40, NAME, specimen=True),
        SealArt(SealShape.SQUARE, 45, 20, NAME),
    ],
)
def test_true_size(art, blocks):
    """The outer line touches all four sides of the seal's box, and nothing lies outside."""
    points = [point for outline in draw_seal(art, blocks).outlines for point in outline.sampled()]
    assert min(x for x, _ in points) == pytest.approx(0, abs=1e-3)
    assert min(y for _, y in points) == pytest.approx(0, abs=1e-3)
    assert max(x for x, _ in points) == pytest.approx(art.width * POINTS_PER_MM, abs=1e-3)
    assert max(y for _, y in points) == pytest.approx(art.height * POINTS_PER_MM, abs=1e-3)


def test_pure_red_and_balanced(fonts):
    """The content sets one colour, (255, 0, 0), draws with path operators only and restores the state."""
    content = draw_seal(round_art(**FULL), fonts).content.decode("ascii")
    operators = set(re.findall(r"(?<=\s)[A-Za-z]+|^q", content))
    assert operators == {"q", "rg", "cm", "m", "l", "c", "f", "Q"}
    assert content.count("q ") == content.count("Q")
    assert content.startswith("q 1 0 0 rg\n")
    assert content.endswith("\nQ\n")
    assert content.count("rg") == 1
    assert "e-" not in content


def test_same_art_same_bytes(blocks):
    """Drawing again gives the same bytes."""
    assert draw_seal(round_art(**FULL), blocks).content == draw_seal(round_art(**FULL), blocks).content


def points_of(line):
    """Return the points of one line of operators where they lie on the page."""
    numbers, found, matrix = [], [], (1, 0, 0, 1, 0, 0)
    for token in line.split():
        if token == "cm":
            matrix, numbers = numbers, []
        elif token.isalpha():
            a, b, c, d, e, f = matrix
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            found += [number for x, y in pairs for number in (a * x + c * y + e, b * x + d * y + f)]
            numbers = []
        else:
            numbers.append(float(token))
    return found


def test_svg_has_the_same_geometry(blocks):
    """Every path of the SVG has the points of the PDF path, and the picture has the true size."""
    drawing = draw_seal(round_art(**FULL), blocks)
    root = ET.fromstring(drawing.svg())  # noqa: S314
    paths = [node.get("d") for node in root.iter("{http://www.w3.org/2000/svg}path")]
    operators = drawing.content.decode().splitlines()[1:-1]
    for path, line in zip(paths, operators, strict=True):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
        assert points_of(line) == pytest.approx(numbers, abs=0.011)
    assert (root.get("width"), root.get("height")) == ("42mm", "42mm")


class Exact:
    """Outlines as the font has them: nothing is drawn shorter."""

    def __init__(self, fonts):
        self._fonts = fonts

    def outline(self, char, role):
        """Return the shape of `char`."""
        return replace(self._fonts.outline(char, role), short=())


def rendered(art, outlines, dpi):
    """Return the seal as PDFium renders it, grey."""
    with pypdfium2.PdfDocument(preview(art, outlines, format="pdf")) as document:
        return document[0].render(scale=dpi / 72).to_pil().convert("L")


@pytest.mark.parametrize(
    "art",
    [
        round_art(NAMES[2], **FULL),
        SealArt(SealShape.OVAL, 45, 30, NAME, SealCentre.NONE),
        SealArt(SealShape.SQUARE, 30, 30, NAME, SealCentre.NONE, specimen=True),
    ],
    ids=lambda art: art.shape.value,
)
@pytest.mark.parametrize(("library", "share"), [("fonts", 0.8), ("quadratic", 0.7)])
def test_short_drawings_look_the_same(art, library, share, request):
    """At 600 dpi no pixel differs by more than a quarter from the outlines that the font has, and bytes are saved.

    Most are saved of quadratic curves, of which there are fewer afterwards; cubic ones are in whole numbers.
    """
    fonts = request.getfixturevalue(library)
    difference = ImageChops.difference(rendered(art, fonts, 600), rendered(art, Exact(fonts), 600))
    assert difference.getextrema()[1] <= 64
    assert ImageStat.Stat(difference).mean[0] < 0.1
    sizes = [len(zlib.compress(draw_seal(art, source).content, 9)) for source in (fonts, Exact(fonts))]
    assert sizes[0] < share * sizes[1]


def test_large_letters_are_drawn_as_the_font_has_them(fonts):
    """Letters so large that fewer curves might be seen are drawn with all of them."""
    art = SealArt(SealShape.SQUARE, 60, 60, "样例公章", SealCentre.NONE)
    assert draw_seal(art, fonts).content == draw_seal(art, Exact(fonts)).content


def test_svg_title_is_text():
    """Mark-up in a seal's words stays text in the SVG."""
    drawing = draw_seal(round_art("<b>&样例"), BlockOutlines())
    assert ET.fromstring(drawing.svg())[0].text == "<b>&样例"  # noqa: S314


def test_star(blocks):
    """The star spans a third of the diameter and has one point straight up."""
    corners = parts(round_art(), blocks).centre[0].sampled()
    top = max(corners, key=lambda point: point[1])
    assert top == pytest.approx((0, 7.0))
    assert max(math.hypot(*corner) for corner in corners) == pytest.approx(42 / 3 / 2)
    assert sum(math.hypot(*corner) > 6.9 for corner in set(corners)) == 5


def test_ring_is_1_2_mm(blocks):
    """The outer line of a 42 mm seal is 1.2 mm thick."""
    radii = [math.hypot(*point) for point in parts(round_art(), blocks).ring.sampled()]
    assert max(radii) == pytest.approx(21, abs=1e-3)
    assert min(radii) == pytest.approx(19.8, abs=1e-3)


@pytest.mark.parametrize("count", range(4, 31))
def test_equal_letters_stand_evenly(count, blocks):
    """Letters of one shape have one gap, symmetric about the top, and the gap at the bottom is larger."""
    name = parts(round_art("口" * count), blocks).name
    between = gaps(name)
    assert between == pytest.approx([between[0]] * (count - 1), abs=1e-5)
    assert between[0] > 0.01
    assert -sector(name[0])[0] == pytest.approx(sector(name[-1])[1], abs=1e-5)
    assert 2 * math.pi - 2 * sector(name[-1])[1] > between[0]


def test_short_names_are_not_spread(blocks):
    """Four letters keep to the upper half; from twelve on a name reaches around the star."""
    assert sector(parts(round_art("口" * 4), blocks).name[-1])[1] < math.radians(100)
    assert sector(parts(round_art("口" * 12), blocks).name[-1])[1] > math.radians(120)


def test_long_names_are_set_narrower(blocks):
    """The longer the name, the narrower its letters, down to a legible width."""
    widths = []
    for count in (8, 12, 18, 24, 30):
        low, high = sector(parts(round_art("口" * count), blocks).name[count // 2])
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] * 15 > 1.0


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(LETTERS, min_size=4, max_size=30),
    lower=st.text(LETTERS, max_size=8),
    code=st.sampled_from(["", "9901010000001", "99010100000015"]),
    specimen=st.booleans(),
    centre=st.sampled_from(SealCentre),
    diameter=st.sampled_from([38.0, 42.0, 45.0, 60.0]),
)
def test_nothing_touches_on_a_round_seal(*, text, lower, code, specimen, centre, diameter):
    """Whatever the words, no two letters meet, none meets the ring, and the gaps hardly differ."""
    art = round_art(text, diameter=diameter, lower_text=lower, code=code, specimen=specimen, centre=centre)
    drawn = parts(art, BlockOutlines())
    hulls = [hull(outline) for outline in drawn.separate()]
    assert all(clearance(*pair) > 0.02 for pair in combinations(hulls, 2))
    assert max(math.hypot(*point) for corners in hulls for point in corners) < diameter / 2 - 1.2 - 0.3
    if drawn.centre:
        radius = max(math.hypot(*point) for point in drawn.centre[0].sampled())
        disc = hull(Outline(ellipse(radius, radius)))
        assert all(clearance(disc, hull(letter)) > 0 for letter in (*drawn.lower, *drawn.code, *drawn.name))
    between = gaps(drawn.name)
    assert min(between) > 0
    widest_em, middle_radius = 0.92 * 0.165 * diameter, 0.365 * diameter
    assert max(between) - min(between) <= 4 * _DEPTH * widest_em / middle_radius


@settings(max_examples=30, deadline=None)
@given(
    text=st.text(LETTERS, min_size=4, max_size=24),
    lower=st.text(LETTERS, max_size=8),
    code=st.sampled_from(["", "9901010000001"]),
    specimen=st.booleans(),
    centre=st.sampled_from([SealCentre.STAR, SealCentre.NONE]),
)
def test_nothing_touches_on_an_oval_seal(*, text, lower, code, specimen, centre):
    """The same holds on an oval of 40 x 30 mm."""
    drawn = parts(SealArt(SealShape.OVAL, 40, 30, text, centre, lower, code, specimen), BlockOutlines())
    hulls = [hull(outline) for outline in drawn.separate()]
    assert all(clearance(*pair) > 0 for pair in combinations(hulls, 2))
    assert all((x / 19) ** 2 + (y / 14) ** 2 < 1 for corners in hulls for x, y in corners)


@pytest.mark.parametrize("text", NAMES)
@pytest.mark.parametrize("rest", [{}, {"specimen": True}, FULL])
def test_real_letters_keep_apart(text, rest, fonts):
    """With the shipped fonts, names of 4 to 30 characters stand in sectors of their own, off star and ring."""
    drawn = parts(round_art(text, **rest), fonts)
    assert min(gaps(drawn.name)) > 0
    star = drawn.centre[0].sampled()
    for outline in drawn.separate():
        points = outline.sampled()
        assert 7.0 < max(math.hypot(*point) for point in points) < 19.3
        assert min(math.dist(point, corner) for point in points for corner in star) > 0.5
    others = [hull(outline) for outline in (*drawn.lower, *drawn.code, *drawn.specimen)]
    assert all(clearance(hull(letter), other) > 0.3 for letter in drawn.name for other in others)


def test_code_reads_from_the_left(blocks):
    """The digits stand on the lower arc, from left to right, nearer the ring than the lower line."""
    drawn = parts(round_art(**FULL), blocks)
    middles = [middle(hull(digit))[0] for digit in drawn.code]
    assert middles == sorted(middles)
    assert middles[0] == pytest.approx(-middles[-1], abs=0.6)
    assert max(y for digit in drawn.code for _, y in digit.sampled()) < min(
        y for letter in drawn.lower for _, y in letter.sampled()
    )


@pytest.mark.parametrize("count", range(2, 31))
@pytest.mark.parametrize("size", [(40, 40), (45, 30), (60, 30)])
def test_square_seal_cells(count, size, blocks):
    """Letters of a square seal fill cells inside the border: columns from the right, rows from the left."""
    art = SealArt(SealShape.SQUARE, *size, ("样例市测试" * 6)[:count], specimen=count % 2 == 0)
    letters = arrange(art, blocks)[-count:]
    boxes = [hull(letter) for letter in letters]
    assert all(clearance(*pair) > 0 for pair in combinations(boxes, 2))
    assert all(abs(x) < size[0] / 2 - 1 and abs(y) < size[1] / 2 - 1 for box in boxes for x, y in box)
    middles = [middle(box) for box in boxes]
    lane = 1 if size[0] > 1.3 * size[1] else 0
    assert middles[0][lane] == pytest.approx(max(place[lane] for place in middles))
    assert middles[-1][lane] == pytest.approx(min(place[lane] for place in middles))
    along = [place[1 - lane] * (1 if lane else -1) for place in middles]
    assert along[0] == pytest.approx(min(along), abs=3)


def test_nine_characters_fill_three_columns(blocks):
    """Nine characters on a square seal make three columns of three, read down and leftwards."""
    letters = arrange(SealArt(SealShape.SQUARE, 40, 40, "口" * 9), blocks)[-9:]
    middles = [tuple(round(value, 6) for value in middle(hull(letter))) for letter in letters]
    columns = sorted({x for x, _ in middles}, reverse=True)
    assert len(columns) == 3
    assert [x for x, _ in middles] == [x for x in columns for _ in range(3)]
    assert middles[0][1] > middles[1][1] > middles[2][1]


@pytest.mark.parametrize(
    ("art", "field", "count"),
    [
        (round_art("样例局"), "text", "3"),
        (round_art("样" * 31), "text", "31"),
        (round_art(lower_text="样" * 13), "lower_text", "13"),
        (round_art(code="12345"), "code", "12345"),
        (round_art(code="9901010000001５"), "code", "５"),
        (round_art("样例 市局"), "text", "U+0020"),
        (SealArt(SealShape.ROUND, 42, 40, NAME), "height", "42"),
        (round_art(diameter=5.0), "width", "5"),
        (round_art(diameter=float("nan")), "width", "nan"),
        (round_art("样" * 30, diameter=-42.0), "width", "42"),
        (SealArt(SealShape.SQUARE, 15, 15, "样" * 30, specimen=True, lower_text="样例"), "text", "30"),
        (round_art("口" * 30, diameter=20.0), "text", "30"),
        (round_art(diameter=16.0, lower_text="口" * 12), "lower_text", "12"),
        (SealArt(SealShape.OVAL, 20, 15, "口" * 30, lower_text="样例市测试局"), "text", "30"),
    ],
)
def test_refusals_count(art, field, count, blocks):
    """What does not fit is refused in both languages, with the field and the number that is wrong."""
    with pytest.raises(SealError) as refusal:
        draw_seal(art, blocks)
    assert refusal.value.field == field
    assert count in refusal.value.en
    assert count in refusal.value.zh


def test_words_say_the_seal(blocks):
    """The drawing carries its words for screen readers, 样本 among them."""
    assert draw_seal(round_art(**FULL), blocks).words == f"{NAME} 电子证照专用章 99010100000015 样本"
