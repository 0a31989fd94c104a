"""The short road sets several lines just as the long one does."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from test_oneline import long_road, short_road, slot_of

from elicense.rendering.blocks import Style

KINDS = (
    "字证示例市售类食品经营", "，。（）《》“”！—…；：、％", "ab12AZ39", "  -/.,)(", "\u3000\u00a0éΩ𠮷𬱖\n",
)  # fmt: skip


def style_of(chance, **fixed):
    """Return a style at random; some boxes let a text shrink, some do not."""
    size = chance.choice([7.0, 9, 10.5, 12.0, 16, 13.3])
    values = {
        "size": size,
        "font": chance.choice(["song", "title", "hei"]),
        "min_size": chance.choice([None, 6.0, size * 0.7]),
        "align": chance.choice(["left", "center", "right", "justify"]),
        "valign": chance.choice(["top", "middle", "bottom"]),
        "leading": chance.choice([1.0, 1.2, 1.35, 1.8125]),
        "indent": chance.choice([0, 0, 2]),
        "under_seal": chance.random() < 0.5,
    }
    return Style(**(values | fixed))


def slot_at_random(chance, **fixed):
    """Return a slot at random."""
    rect = (chance.uniform(0, 200), chance.uniform(0, 200), chance.uniform(15, 120), chance.uniform(2, 40))
    baseline = None if chance.random() < 0.6 else rect[1] + chance.random() * rect[3]
    return slot_of(style_of(chance, **fixed), rect, baseline)


def text_at_random(chance):
    """Return a text whose kinds of characters are mixed in a proportion of its own."""
    weights = [chance.random() ** 3 for _ in KINDS]
    weights[0] += 0.3
    weights[-1] *= 0.1
    return "".join(chance.choice(kind) for kind in chance.choices(KINDS, weights, k=chance.randint(1, 140)))


def test_both_roads_give_the_same():
    """Of 12,000 texts in 600 boxes, all that the short road takes are as on the long one, at all numbers of lines."""
    chance = random.Random(7)  # noqa: S311 - the same texts each time
    met = Counter()
    for _ in range(600):
        slot = slot_at_random(chance)
        for _ in range(20):
            text = text_at_random(chance)
            short = short_road(slot, text)
            if short is not None:
                assert short == long_road(slot, text)
                lines, _ = short
                met[min(len(lines), 9), lines[0].size == slot.style.size] += 1
    for shrunk in (True, False):
        assert all(met[count, shrunk] > 2 for count in range(1, 10)), met


def test_texts_of_licences_take_the_short_road():
    """Addresses and lists of items, with digits among them where a box is not justified, need no long road."""
    chance = random.Random(8)  # noqa: S311 - the same texts each time
    for align, others in (("left", "18A-"), ("center", "18A-"), ("right", "18A-"), ("justify", "；（）")):
        style = Style(size=12, min_size=7, align=align, leading=1.2)
        slot = slot_of(style, (73.0, 25.5, 77.0, 36.1), 57.0)
        for _ in range(300):
            text = "".join(chance.choices(KINDS[0] + others, k=chance.randint(30, 90))) + "市"
            short = short_road(slot, text)
            assert short is not None
            assert len(short[0]) > 1
            assert short == long_road(slot, text)


@pytest.mark.parametrize(
    ("text", "align"), [("字" * 400, "left"), ("字\n" + "字" * 30, "left"), ("字18号A" * 20, "justify")]
)
def test_other_texts_take_the_long_road(text, align):
    """What is refused, has several paragraphs, or is justified with narrow characters is left alone."""
    slot = slot_of(Style(size=12, align=align), (10, 10, 60, 20))
    assert short_road(slot, text) is None
