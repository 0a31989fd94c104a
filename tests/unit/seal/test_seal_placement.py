"""A seal stands at its true size inside its page; a straddle seal's strips make one whole seal."""

from __future__ import annotations

import io
from itertools import pairwise

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject
from seal_samples import BlockOutlines, round_art

from elicense.errors import SealError
from elicense.seal.drawing import draw_seal
from elicense.seal.geometry import POINTS_PER_MM
from elicense.seal.placement import LEAST_STRIP_MM, PageEdge, straddle_strips, widget_rect

A4 = (210.0, 297.0)
SCALE = 10 * 25.4 / 72 * (1 - 1e-6)
"""Ten pixels a millimetre; a hair less, because the renderer rounds a page's pixels up."""


def content(strip, drawing):
    """Return one page's operators: the whole seal in its place, cut to the strip."""
    numbers = [value * POINTS_PER_MM for value in (*strip.clip, *strip.offset)]
    return b"q %.4f %.4f %.4f %.4f re W n 1 0 0 1 %.4f %.4f cm\n" % tuple(numbers) + drawing.content + b"Q\n"


@pytest.fixture(scope="module")
def drawing():
    """A seal of 42 mm."""
    return draw_seal(round_art(lower_text="电子证照专用章", specimen=True), BlockOutlines())


def render(contents, size):
    """Return a picture of each page of a PDF with these page contents, 10 pixels a millimetre."""
    writer = PdfWriter()
    for content in contents:
        page = writer.add_blank_page(size[0] * POINTS_PER_MM, size[1] * POINTS_PER_MM)
        stream = DecodedStreamObject()
        stream.set_data(content)
        page[NameObject("/Contents")] = writer._add_object(stream)
    buffer = io.BytesIO()
    writer.write(buffer)
    document = pypdfium2.PdfDocument(buffer.getvalue())
    pictures = [page.render(scale=SCALE).to_pil().convert("RGB") for page in document]
    document.close()
    return pictures


def test_widget_has_the_true_size(drawing):
    """The widget is centred where the layout says, as wide and high as the seal."""
    assert widget_rect(drawing, (160, 40), A4) == (139.0, 19.0, 42, 42)


@pytest.mark.parametrize("centre", [(20, 100), (200, 100), (100, 20.9), (100, 280)])
def test_widget_beyond_the_page(drawing, centre):
    """A seal that would leave the page is refused."""
    with pytest.raises(SealError, match="move its centre"):
        widget_rect(drawing, centre, A4)


@given(pages=st.integers(2, 200), edge=st.sampled_from(PageEdge))
def test_strips_tile_whole_seals(pages, edge):
    """For any number of pages each has one strip at its edge, at least 3 mm wide, and strips tile whole seals."""
    drawing = draw_seal(round_art("口" * 4), BlockOutlines())
    strips = straddle_strips(drawing, [A4] * pages, centre_y=148, edge=edge)
    assert [strip.page for strip in strips] == list(range(1, pages + 1))
    covered = []
    for strip in strips:
        x, y, width, height = strip.clip
        assert width >= LEAST_STRIP_MM
        assert (y, height) == (148 - 21, 42)
        assert x == 0 if edge is PageEdge.LEFT else x + width == pytest.approx(210)
        covered.append((round(x - strip.offset[0], 9), round(x - strip.offset[0] + width, 9)))
    if edge is PageEdge.LEFT:
        covered.reverse()
    assert covered[0][0] == 0
    assert covered[-1][1] == 42
    assert all(
        after[0] in {before[1], 0} and (after[0] > 0 or before[1] == 42)
        for before, after in pairwise(covered)
    )


@pytest.mark.parametrize(("pages", "groups"), [(2, [2]), (14, [14]), (15, [7, 8]), (29, [9, 10, 10])])
def test_groups_are_near_equal(drawing, pages, groups):
    """More than 14 pages under a 42 mm seal fall into near equal groups, each with a whole seal."""
    strips = straddle_strips(drawing, [A4] * pages, centre_y=148)
    starts = [strip.page for strip in strips if strip.clip[0] == pytest.approx(strip.offset[0])] + [pages + 1]
    assert [after - before for before, after in pairwise(starts)] == groups


@pytest.mark.parametrize("edge", list(PageEdge))
def test_joined_strips_look_like_the_seal(drawing, edge):
    """Pages laid side by side at their edges show the very picture of the whole seal, in pure red."""
    size, count = (50.0, 60.0), 3
    strips = straddle_strips(drawing, [size] * count, centre_y=30, edge=edge)
    pages = render([content(strip, drawing) for strip in strips], size)
    joined = Image.new("RGB", (420, 600), "white")
    for place, page in enumerate(pages):
        left, at = (360, place * 140) if edge is PageEdge.RIGHT else (0, (count - 1 - place) * 140)
        joined.paste(page.crop((left, 0, left + 140, 600)), (at, 0))
        rest = (0, 0, 358, 600) if edge is PageEdge.RIGHT else (142, 0, 500, 600)
        assert page.crop(rest).getextrema() == ((255, 255),) * 3
    whole = render([b"q 1 0 0 1 0 %.2f cm\n" % (9 * POINTS_PER_MM) + drawing.content + b"Q"], (42.0, 60.0))[0]
    assert whole.size == joined.size
    difference = ImageChops.difference(whole, joined).convert("L").histogram()
    assert sum(difference[64:]) < 0.002 * sum(difference)
    assert min(joined.get_flattened_data()) == (255, 0, 0)
    assert joined.getchannel("R").getextrema() == (255, 255)


def test_strips_follow_each_page_size(drawing):
    """On a wider page the strip still lies at that page's right edge."""
    strips = straddle_strips(drawing, [A4, (297.0, 210.0)], centre_y=100)
    assert [strip.clip[0] + strip.clip[2] for strip in strips] == [210.0, 297.0]


@pytest.mark.parametrize(
    ("pages", "centre_y", "words"),
    [
        ([A4], 148, "at least two pages"),
        ([], 148, "at least two pages"),
        ([A4, A4], 10, "centre_y"),
        ([A4, A4], 290, "centre_y"),
        ([A4, (210.0, 100.0)], 148, "page 2"),
    ],
)
def test_straddle_refusals(drawing, pages, centre_y, words):
    """One page, or a place outside a page, is refused by name."""
    with pytest.raises(SealError, match=words) as refusal:
        straddle_strips(drawing, pages, centre_y=centre_y)
    assert refusal.value.field == "straddle"
