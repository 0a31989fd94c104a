"""A layout read from `layout.yaml`: every key known, every number in range, every mistake named by file and place.

Lengths are millimetres from the page's lower left corner, type sizes points. The schema is docs/templates.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from elicense.catalogue import load_model
from elicense.rendering.blocks import (
    Art,
    AuthoritiesBlock,
    Block,
    Colour,
    Flow,
    FlowBlock,
    FootItem,
    Length,
    Name,
    Part,
    Points,
    Rect,
    SealBlock,
    SignatureItem,
    Style,
    TextBlock,
    TextItem,
    names_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Page(Part):
    """One page: art below, blocks in reading order above."""

    id: Name
    art: tuple[Art, ...] = ()
    blocks: tuple[Block, ...] = ()
    repeat: bool = False
    """True for a continuation page: it appears only when a flow needs it."""
    flow_frame: Rect | None = None
    """Where the flow stands on a continuation page."""


class Straddle(Part):
    """骑缝章: the seal cut into one strip a page."""

    edge: Literal["right", "left"] = "right"
    centre_y: Length


class Defaults(Part):
    """How texts on a background page are set unless a place says otherwise."""

    font: Literal["song", "title", "hei", "kai", "fangsong"] = "song"
    size: Points = 12
    min_size: Points | None = None
    align: Literal["left", "center", "right", "justify", "spread"] = "left"
    valign: Literal["top", "middle", "bottom"] = "middle"
    colour: Colour = "#000000"


class Place(Part):
    """What one place on a background page does otherwise."""

    font: Literal["song", "title", "hei", "kai", "fangsong"] | None = None
    size: Points | None = None
    min_size: Points | None = None
    align: Literal["left", "center", "right", "justify", "spread"] | None = None
    valign: Literal["top", "middle", "bottom"] | None = None
    colour: Colour | None = None
    leading: Annotated[float, Field(ge=0.8, le=4)] | None = None
    empty: str | None = None
    under_seal: bool | None = None
    template: str | None = None
    """Template to print instead of the form field's name."""


class Layout(Part):
    """What a licence type looks like."""

    pages: tuple[Page, ...] = ()
    straddle: Straddle | None = None
    background: Annotated[str, Field(pattern=r"^[\w-]+\.pdf$")] | None = None
    """File of the page drawn in an office program."""
    defaults: Defaults = Defaults()
    places: Annotated[dict[str, Place], Field(default_factory=dict)]
    """What single places do otherwise, by form field."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.background is None) == (not self.pages):
            raise ValueError("give either pages or a background")
        if self.background is None:
            _check_pages(self)
        return self

    def flow(self) -> tuple[int, Flow] | None:
        """Return the flow and the index of the page it begins on, if there is one."""
        found = (
            (index, block.flow)
            for index, page in enumerate(self.pages)
            for block in page.blocks
            if isinstance(block, FlowBlock)
        )
        return next(found, None)

    def page(self, page_id: str) -> Page:
        """Return the page of that id; KeyError if there is none."""
        return next(page for page in self.pages if page.id == page_id)


def _check_pages(layout: Layout) -> None:
    ids = [page.id for page in layout.pages]
    if len(set(ids)) != len(ids):
        raise ValueError("two pages have the same id")
    blocks = [block for page in layout.pages for block in page.blocks]
    flows = [block.flow for block in blocks if isinstance(block, FlowBlock)]
    if len(flows) > 1:
        raise ValueError("a layout has at most one flow")
    repeated = [page for page in layout.pages if page.repeat]
    if [flow.next for flow in flows] != [page.id for page in repeated]:
        raise ValueError("a flow's `next` names the one page with `repeat: true`")
    if any(page.flow_frame is None for page in repeated):
        raise ValueError("a page with `repeat: true` needs a flow_frame")
    if not all(isinstance(block, TextBlock) for page in repeated for block in page.blocks):
        raise ValueError("the blocks of a repeated page are texts")
    seals = sum(isinstance(block, SealBlock) for block in blocks)
    seals += sum(isinstance(item, SignatureItem) and item.seal for flow in flows for item in flow.items)
    if seals != 1:
        raise ValueError(f"a layout has one seal, this one has {seals}")
    for flow in flows:
        texts = (item.text for item in flow.items if isinstance(item, TextItem))
        if any({"page", "pages"} & set(names_in(text)) for text in texts):
            raise ValueError(
                "the text of a flow cannot say page numbers: they are not known before it is set"
            )
        if any(isinstance(item, FootItem) for item in flow.items[:-1]):
            raise ValueError("the foot is the last item of a flow")
    _check_headings(layout)


def _check_headings(layout: Layout) -> None:
    """Refuse a heading order that leaves out a level. Source: ISO 14289-1, 7.4.2 (text not read)."""
    level = 0
    for tag in _tags(layout):
        if tag.startswith("H"):
            if int(tag[1]) > level + 1:
                raise ValueError(f"heading {tag} without an H{level + 1} before it")
            level = int(tag[1])


def _tags(layout: Layout) -> Iterator[str]:
    for page in layout.pages:
        for block in page.blocks:
            if isinstance(block, (TextBlock, AuthoritiesBlock)):
                yield block.tag
            elif isinstance(block, FlowBlock):
                yield from (item.tag for item in block.flow.items if isinstance(item, Style))


def load_layout(path: Path) -> Layout:
    """Return the layout in `path`.

    Raises:
        InvalidTemplate: The file is missing, is no YAML, holds a key twice, or breaks the schema; the message names
            the file and the place.
    """
    return load_model(path, Layout)
