"""Where a seal stands on a page, and how one seal is cut across the edges of several (骑缝章). All in mm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from elicense.errors import SealError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elicense.seal.drawing import SealDrawing

Rect = tuple[float, float, float, float]
"""x, y, width, height in mm from the page's lower left."""

LEAST_STRIP_MM = 3.0
"""A narrower strip shows nothing; longer documents are sealed in groups of pages, each with a whole seal."""


class PageEdge(StrEnum):
    """The edge at which the fanned pages show."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class StraddleStrip:
    """One page's part of a straddle seal."""

    page: int
    """1-based."""
    clip: Rect
    """What the page shows, on the page; the strips of one seal tile its box."""
    offset: tuple[float, float]
    """Where the lower left of the whole seal's box would lie on this page; partly outside it."""


def widget_rect(drawing: SealDrawing, centre: tuple[float, float], page: tuple[float, float]) -> Rect:
    """Return the box of the signature widget: the seal at its true size about `centre`.

    Args:
        drawing: the seal.
        centre: x, y in mm from the page's lower left.
        page: width and height of the page in mm.

    Raises:
        SealError: the seal would reach beyond the page.
    """
    x, y = centre[0] - drawing.width_mm / 2, centre[1] - drawing.height_mm / 2
    if x < 0 or y < 0 or x + drawing.width_mm > page[0] or y + drawing.height_mm > page[1]:
        raise SealError(
            f"A seal of {drawing.width_mm:g} x {drawing.height_mm:g} mm about ({centre[0]:g}, {centre[1]:g}) "
            f"reaches beyond the page of {page[0]:g} x {page[1]:g} mm; move its centre inwards.",
            f"{drawing.width_mm:g}×{drawing.height_mm:g}毫米的印章以（{centre[0]:g}，{centre[1]:g}）为中心会超出"
            f"{page[0]:g}×{page[1]:g}毫米的页面，请将中心内移。",
            field="centre",
        )
    return x, y, drawing.width_mm, drawing.height_mm


def straddle_strips(
    drawing: SealDrawing,
    pages: Sequence[tuple[float, float]],
    *,
    centre_y: float,
    edge: PageEdge = PageEdge.RIGHT,
) -> tuple[StraddleStrip, ...]:
    """Return one strip per page, in page order; the strips of a group of pages make the whole seal exactly.

    Fanned out at the right edge, the first page shows the seal's left part; at the left edge, its right
    part. When a strip would be narrower than 3 mm the pages fall into groups of near equal size, each with a
    whole seal of its own.

    Args:
        drawing: the seal, the same as in the signature widget.
        pages: width and height in mm of every page of the document.
        centre_y: height of the seal's centre above the pages' feet, mm.
        edge: left or right.

    Raises:
        SealError: fewer than two pages, a seal too narrow for two strips, or a page too low or too narrow.
    """
    if len(pages) < 2:
        raise SealError(
            "A straddle seal needs at least two pages; leave it out of this layout.",
            "骑缝章至少需要两页，请从版式中去掉骑缝章。",
            field="straddle",
        )
    bottom = centre_y - drawing.height_mm / 2
    strips: list[StraddleStrip] = []
    for group in _groups(len(pages), drawing.width_mm):
        cuts = [drawing.width_mm * cut / len(group) for cut in range(len(group) + 1)]
        for place, page in enumerate(group):
            part = place if edge is PageEdge.RIGHT else len(group) - 1 - place
            width = cuts[part + 1] - cuts[part]
            _check_page(page + 1, pages[page], (width, bottom, bottom + drawing.height_mm))
            left = pages[page][0] - width if edge is PageEdge.RIGHT else 0.0
            strips.append(
                StraddleStrip(page + 1, (left, bottom, width, drawing.height_mm), (left - cuts[part], bottom))
            )
    return tuple(strips)


def _groups(pages: int, width: float) -> list[range]:
    """Return runs of pages, none longer than the strips allow, near equal and therefore never of one page."""
    longest = int(width / LEAST_STRIP_MM)
    if longest < 2:
        raise SealError(
            f"A seal {width:g} mm wide has no two strips of {LEAST_STRIP_MM:g} mm; use a wider seal.",
            f"宽{width:g}毫米的印章不足以切成两条（每条至少{LEAST_STRIP_MM:g}毫米），请使用较宽的印章。",
            field="straddle",
        )
    count = min(math.ceil(pages / longest), pages // 2)
    bounds = [pages * group // count for group in range(count + 1)]
    return [range(start, end) for start, end in pairwise(bounds)]


def _check_page(number: int, page: tuple[float, float], strip: tuple[float, float, float]) -> None:
    width, bottom, top = strip
    if bottom < 0 or top > page[1] or width > page[0]:
        raise SealError(
            f"The straddle seal from {bottom:g} to {top:g} mm does not lie on page {number} "
            f"({page[0]:g} x {page[1]:g} mm); change centre_y.",
            f"骑缝章（{bottom:g}至{top:g}毫米）不在第{number}页（{page[0]:g}×{page[1]:g}毫米）内，"
            "请调整 centre_y。",
            field="straddle",
        )
