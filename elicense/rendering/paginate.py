"""Strips of running text become pages: what is kept together, what moves on, what stands with the signature."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from elicense.errors import RenderingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from elicense.rendering.flow import Ink, Strip

_KEPT_LINES = 2
"""Lines of text that stand on the page of the signature at least. Source: GB/T 9704-2012, 7.3.5.5 (not read) asks
that no sealed page be without text; two is our choice."""


class PlacedStrip(NamedTuple):
    """A strip on its page."""

    strip: Strip
    top: float
    """Its upper edge, points below the frame's."""


def paginate(strips: Sequence[Strip], heights: tuple[float, float], foot: float) -> list[list[PlacedStrip]]:
    """Return the strips of each page.

    A page ends before the strip that does not fit; what a strip is kept with goes along; the signature takes two
    lines of text along, and what these are kept with. Space at the head of a page is dropped.

    Args:
        strips: in order.
        heights: of the frame on the first and on every other page, points.
        foot: height at the foot of the frame that is kept free on the last page, points.

    Raises:
        RenderingError: a strip, with what it is kept with, is higher than a page.
    """
    pages: list[list[Strip]] = [[]]
    for index, strip in enumerate(strips):
        if strip.kind == "break":
            if pages[-1]:
                pages.append([])
        elif strip.kind == "space":
            if pages[-1]:
                pages[-1].append(strip)
        elif strip.kind == "signature":
            _add_signature(pages, strip, heights)
        else:
            kept = _kept_with(strips, index)
            if _height(pages[-1]) + kept > _room(pages, heights) and pages[-1]:
                pages.append(
                    [replace(strip.header, inks=_as_artifacts(strip.header))] if strip.header else []
                )
            if _height(pages[-1]) + strip.height > _room(pages, heights):
                raise _too_high()
            pages[-1].append(strip)
    if foot and _height(pages[-1]) > _room(pages, heights) - foot:
        pages.append([])
    return [_stacked(page) for page in pages]


def _kept_with(strips: Sequence[Strip], index: int) -> float:
    """Return the height of a strip together with those it must not be parted from."""
    total = strips[index].height
    keep = strips[index].keep
    for strip in strips[index + 1 :]:
        if not keep or strip.kind == "break":
            break
        total += strip.height
        # Space between a heading and what it heads parts them no more than a line would.
        keep = strip.keep or strip.kind == "space"
    return total


def _add_signature(pages: list[list[Strip]], strip: Strip, heights: tuple[float, float]) -> None:
    """Put the signature where it fits together with two lines of text."""
    if _height(pages[-1]) + strip.height > _room(pages, heights):
        pages.append([])
    while len(pages) > 1 and pages[-2] and _parted(pages):
        pages[-1].insert(0, pages[-2].pop())
    while pages[-1] and pages[-1][0].kind == "space":
        pages[-1].pop(0)
    if _height(pages[-1]) + strip.height > _room(pages, heights) or not all(pages):
        raise _too_high()
    pages[-1].append(strip)


def _parted(pages: Sequence[Sequence[Strip]]) -> bool:
    """Tell whether the last page takes more from the one before: too little text, or a part of what is kept.

    The page before is left some text too, if there are two lines at all, even where that parts a short paragraph.
    """
    before, last = pages[-2:]
    here, there = _body_lines(last), _body_lines(before)
    wanted = _KEPT_LINES if here + there > _KEPT_LINES else 1
    return (here < wanted and there > 0) or (before[-1].keep and there > 1)


def _body_lines(page: Iterable[Strip]) -> int:
    return sum(strip.body for strip in page)


def _height(page: Iterable[Strip]) -> float:
    return sum(strip.height for strip in page)


def _room(pages: Sequence[object], heights: tuple[float, float]) -> float:
    return heights[min(len(pages) - 1, 1)] + 0.01


def _as_artifacts(strip: Strip) -> tuple[Ink, ...]:
    return tuple(ink._replace(path=()) for ink in strip.inks)


def _stacked(page: Iterable[Strip]) -> list[PlacedStrip]:
    placed = []
    top = 0.0
    for strip in page:
        placed.append(PlacedStrip(strip, top))
        top += strip.height
    return placed


def _too_high() -> RenderingError:
    return RenderingError(
        "a piece of the running text does not fit on a page of its own; enlarge the frame in the layout",
        "正文中有一部分单独一页也放不下，请在版式中加大正文框",
    )
