"""Made-up glyphs and arts, and the parts of a drawn seal by what they are."""

from __future__ import annotations

import random
from dataclasses import dataclass

from elicense.seal.drawing import GlyphOutline
from elicense.seal.geometry import convex_hull, polygon
from elicense.seal.layouts import arrange
from elicense.seal.model import SealArt, SealCentre, SealShape

NAME = "样例市市场监督管理局"
NAMES = (
    "示例机关",
    "样例市示例局测试",
    "示例省样例市测试管理局办",
    "示例省样例市自然资源和规划管理局测试",
    "示例省样例市高新技术产业开发区行政审批服务局测试",
    "示例省样例市经济技术开发区市场监督管理局登记注册分局第一办公",
)
LETTERS = "样例市省测试管理局办公室资源规划一口卜国（）·"


class BlockOutlines:
    """Each character is a made-up shape of three blocks, always the same; 口 is one full block."""

    def outline(self, char, role):
        """Return the shape of `char`."""
        dice = random.Random(f"{char}{role}")  # noqa: S311  only shapes
        commands = polygon([(60, -60), (940, -60), (940, 830), (60, 830)])
        if char != "口":
            commands = ()
            for bottom, top in ((-60, 200), (250, 500), (600, 830)):
                left = dice.randint(20, 400)
                right = dice.randint(left + 100, 980)
                commands += polygon([(left, bottom), (right, bottom), (right, top), (left, top)])
        return GlyphOutline(1000.0, commands)


def round_art(text=NAME, *, diameter=42.0, **rest):
    """Return a round seal."""
    return SealArt(SealShape.ROUND, diameter, diameter, text, **rest)


@dataclass(frozen=True)
class Parts:
    """A seal's shapes in mm about its centre, by what they are."""

    ring: object
    centre: tuple
    lower: tuple
    code: tuple
    name: tuple
    specimen: tuple

    def separate(self):
        """Return all shapes that must not meet each other, but for the ring."""
        return (*self.lower, *self.code, *self.name, *self.specimen)


def parts(art, outlines):
    """Return the parts of a round or oval seal."""
    shapes = list(arrange(art, outlines))
    counts = {
        "centre": {SealCentre.STAR: 1, SealCentre.EMBLEM: 2, SealCentre.NONE: 0}[art.centre],
        "lower": len(art.lower_text),
        "code": len(art.code),
        "name": len(art.text),
        "specimen": 2 if art.specimen else 0,
    }
    found, cursor = {"ring": shapes[0]}, 1
    for key, count in counts.items():
        found[key] = tuple(shapes[cursor : cursor + count])
        cursor += count
    assert cursor == len(shapes)
    return Parts(**found)


def hull(outline):
    """Return the corners of an outline's convex hull."""
    return convex_hull(outline.sampled())


def clearance(first, second):
    """Return how far two convex polygons are apart at least; negative or zero if they may meet."""
    best = float("-inf")
    for one, other in ((first, second), (second, first)):
        for (x0, y0), (x1, y1) in zip(one, one[1:] + one[:1], strict=True):
            length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
            nx, ny = (y1 - y0) / length, (x0 - x1) / length
            best = max(best, min((x - x0) * nx + (y - y0) * ny for x, y in other))
    return best
