"""The drawing of a parcel: true directions, a round scale, nothing on top of anything else."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elicense.rendering.blocks import Style
from elicense.rendering.objects import POINTS_PER_MM
from elicense.rendering.plot import HEADS, NAMES_WIDTH, draw_plot
from tests.support.licences import shipped_fonts

STYLE = Style(size=9, leading=1.5)
RECT = (20.0, 41.0, 136.0, 168.0)
ROWS = (31 * POINTS_PER_MM, 28 * POINTS_PER_MM, 17 * POINTS_PER_MM)
PARCEL = [(35412.18, 61208.44), (35418.92, 61352.71), (35362.05, 61371.30), (35321.40, 61360.02),
          (35268.77, 61318.65), (35262.31, 61214.09)]  # fmt: skip
"""X to the north, y to the east: the first side runs eastwards."""


def outline(drawing):
    """Return the corners as drawn, points."""
    path = drawing.operators.split(" S\n")[0]
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+) [ml]\b", path)]


def boxes(drawing):
    """Return text -> box of its figures, for everything that is written."""
    size = STYLE.size
    return [
        (line.line.text, line.x, line.y, line.x + line.line.width, line.y + 0.72 * size)
        for line in drawing.labels
    ]


def scale_of(drawing):
    """Return the denominator that the drawing states."""
    (text,) = [line.line.text for line in drawing.labels if line.line.text.startswith("比例尺")]
    return float(text.rpartition(":")[2])


def drawn(corners, rows=ROWS):
    """Return the drawing in the usual box."""
    return draw_plot(corners, RECT, STYLE, shipped_fonts(), rows)


def test_x_points_north_and_y_east():
    """The side from the first to the second corner, 144 m to the east, runs to the right."""
    (x1, y1), (x2, y2), *_ = outline(drawn(PARCEL))
    assert x2 - x1 > 20 * abs(y2 - y1)


def test_the_outline_is_to_the_scale_it_states():
    """A side measured on the page, times the scale, is the side on the ground, and its length is written beside it."""
    drawing = drawn(PARCEL)
    a, b, *_ = outline(drawing)
    ground = math.dist(PARCEL[0], PARCEL[1])
    assert math.dist(a, b) / POINTS_PER_MM / 1000 * scale_of(drawing) == pytest.approx(ground, abs=0.01)
    texts = [line.line.text for line in drawing.labels]
    assert f"{ground:.2f}" in texts
    assert {"J1", "J6", "北", *HEADS} <= set(texts)


def test_the_outline_fills_its_place():
    """The parcel takes more than two thirds of the frame's width."""
    xs = [x for x, _ in outline(drawn(PARCEL))]
    assert max(xs) - min(xs) > 2 / 3 * RECT[2] * POINTS_PER_MM


def overlap(a, b):
    """Tell whether two boxes share an area."""
    return a[1] < b[3] and b[1] < a[3] and a[2] < b[4] and b[2] < a[4]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), min_size=3, max_size=20),
    st.integers(3, 20),
)
def test_nothing_is_written_over_anything(corners, rows):
    """Whatever the parcel, no two texts overlap, none leaves the box, and the outline keeps clear of the list."""
    drawing = drawn(corners, (ROWS[0], rows * 13.5, ROWS[2]))
    texts = boxes(drawing)
    for index, first in enumerate(texts):
        assert first[1] >= RECT[0] * POINTS_PER_MM - 0.01
        assert first[3] <= (RECT[0] + RECT[2]) * POINTS_PER_MM + 0.01
        assert first[2] >= RECT[1] * POINTS_PER_MM
        assert first[4] <= (RECT[1] + RECT[3]) * POINTS_PER_MM
        assert not any(overlap(first, second) for second in texts[index + 1 :])
    left, top = drawing.listing
    listing = ("", left, top - rows * 13.5, left + NAMES_WIDTH + ROWS[0], top)
    assert not any(overlap(listing, text) for text in texts if text[0].startswith("J") or text[0] == "北")
    assert not any(listing[1] < x < listing[3] and listing[2] < y < listing[4] for x, y in outline(drawing))


def test_a_parcel_of_no_extent_is_drawn_in_full_size():
    """Corners that coincide do not divide by zero."""
    assert scale_of(drawn([(1.0, 1.0)] * 3)) == 1
