"""The short road sets a text just as the long one does."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elicense.rendering.blocks import Style
from elicense.rendering.template import TextSlot
from elicense.rendering.typeset import measured, placed_box, runs_of
from tests.support.licences import shipped_fonts

CHARACTERS = "字证示例市，。（）《》“”！—…ab12 A-/.,)(\u3000\u00a0éΩ𠮷𬱖"
STYLES = st.builds(
    Style,
    font=st.sampled_from(["song", "title", "hei", "kai", "fangsong"]),
    size=st.sampled_from([7.0, 9, 10.5, 12.0, 16, 13.3]),
    min_size=st.sampled_from([None, 6.0]),
    align=st.sampled_from(["left", "center", "right", "justify", "spread"]),
    valign=st.sampled_from(["top", "middle", "bottom"]),
    leading=st.sampled_from([1.0, 1.2, 1.35, 1.8125]),
    spacing=st.sampled_from([0, 0, 0, 0.5]),
    indent=st.sampled_from([0, 0, 0, 2]),
    under_seal=st.booleans(),
)
RECTS = st.tuples(st.floats(0, 200), st.floats(0, 200), st.floats(15, 120), st.floats(2, 40))


def slot_of(style, rect, baseline=None):
    """Return a slot in the shipped fonts."""
    box = placed_box(shipped_fonts(), style, rect, name="field", baseline=baseline)
    return TextSlot(template="{field}", style=style, rect=rect, mcid=7, tag="P", box=box)


def long_road(slot, text):
    """Return the text as measured and as shown, which everything else is compared with."""
    lines = slot.box.set(text)
    return measured(lines, 3, slot.rect, under_seal=slot.style.under_seal), runs_of(lines)


def short_road(slot, text):
    """Return the same of the short road, if it takes the text."""
    found = None if slot.line is None else slot.line.set(text, 3)
    return None if found is None else tuple(map(tuple, found))


@settings(max_examples=3000, deadline=None)
@given(
    st.text(alphabet=CHARACTERS, max_size=24),
    STYLES,
    RECTS,
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_both_roads_give_the_same(text, style, rect, share):
    """Line, place, width and operators are the same whenever the short road takes a text at all."""
    slot = slot_of(style, rect, None if share is None else rect[1] + share * rect[3])
    short = short_road(slot, text)
    if short is not None:
        assert short == long_road(slot, text)


def test_common_texts_take_the_short_road():
    """Thousands of names, numbers and addresses at common sizes are set without the long road."""
    chance = random.Random(4)  # noqa: S311 - the same texts each time
    for align in ("left", "center", "right", "justify"):
        style = Style(size=12, min_size=8, align=align, leading=1.2)
        slot = slot_of(style, (73.0, 125.6, 77.0, 13.4), 129.0)
        for _ in range(800):
            text = "".join(chance.choices(CHARACTERS[:20], k=chance.randint(1, 17))) + "市"
            short = short_road(slot, text)
            assert short is not None
            assert short == long_road(slot, text)


@pytest.mark.parametrize("text", ["", " ", "\u3000", "一\n二", "甲\ue000", "字" * 40])
def test_other_texts_take_the_long_road(text):
    """What is empty, has several paragraphs, is too wide or has no glyph is left alone."""
    assert short_road(slot_of(Style(size=12), (10, 10, 60, 10)), text) is None


@pytest.mark.parametrize(
    "style", [{"spacing": 1}, {"align": "spread"}, {"size": 40}, {"size": 40, "min_size": 6}]
)
def test_other_boxes_have_no_short_road(style):
    """Letter-spacing, spread texts and boxes that make every text smaller have none."""
    assert slot_of(Style(**style), (10, 10, 60, 6)).line is None
