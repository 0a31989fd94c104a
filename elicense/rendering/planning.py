"""A licence typeset on its compiled template: what stands where on its pages, before a byte is written.

Plan:

1. Running text is broken into strips and pages; now the number of pages is known.
2. Every page's slots are set, then its part of the flow, then its strip of a straddle seal.
3. What preflight looks at is put together.

A number is reserved only after the licence has been planned as it will most probably be. If it is just that, the plan
stands. If another worker took the number first, the pages are planned again; only what takes longest, running text
broken into strips and pages, is taken over from the first plan if the licence's content is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING

from elicense.preflight import FillPlan, SealPlacement
from elicense.rendering.flowing import FlowWriter
from elicense.rendering.objects import POINTS_PER_MM, nums
from elicense.rendering.sheet import Sheet
from elicense.rendering.typeset import artifact
from elicense.seal.placement import PageEdge, straddle_strips, widget_rect
from elicense.wording import Printer

if TYPE_CHECKING:
    from collections.abc import Callable

    from elicense.model import Licence
    from elicense.rendering.layout import Straddle
    from elicense.rendering.template import CompiledTemplate, Rect


@dataclass(frozen=True, slots=True)
class Planned:
    """The pages of one licence."""

    compiled: CompiledTemplate
    """What they are set on."""
    printer: Printer
    """Says what is printed; it is of the licence that the pages say."""
    sheets: tuple[Sheet, ...]
    """The pages, in order."""
    flow: FlowWriter | None
    """The running text, if there is any."""
    seal_page: int
    """Index of the page that bears the seals."""
    seal_rects: tuple[Rect, ...]
    """Where they stand, mm, in the order of sealing."""
    next_number: int
    """First object number that is free."""
    layout: FillPlan
    """What preflight looks at."""

    @property
    def licence(self) -> Licence:
        """What the pages say."""
        return self.printer.licence


def plan(compiled: CompiledTemplate, licence: Licence, earlier: Planned | None = None) -> Planned:
    """Return the pages of `licence`.

    Args:
        compiled: the template of its type under its seals.
        licence: what is printed.
        earlier: a plan of this very licence, which is returned, or of the same content under another number; it
            changes nothing but the time this takes.

    Raises:
        RenderingError: a value has a character without a glyph, or does not fit its place even at the smallest size.
        SealError: a flow puts the seal where it does not fit the page.
    """
    if earlier is not None and earlier.compiled is compiled and earlier.licence is licence:
        return earlier
    printer = Printer(licence)
    allocate = count(compiled.next_number).__next__
    old_flow = earlier.flow if earlier is not None else None
    flow = FlowWriter.start(compiled, printer, old_flow) if compiled.flow is not None else None
    sheets = _sheets(compiled, printer, flow, allocate)
    seal_page, seal_rects = _seals(compiled, flow)
    for sheet in sheets:
        sheet.fill_slots()
    if flow is not None:
        flow.write(sheets)
    if compiled.straddle is not None and len(sheets) > 1:
        for sheet, strip in zip(sheets, _straddle(compiled, compiled.straddle, len(sheets)), strict=True):
            sheet.painted.append(strip)
    first, *others = (SealPlacement(seal_page + 1, rect) for rect in seal_rects)
    layout = FillPlan(
        pages=(compiled.page_size,) * len(sheets),
        lines=tuple(chain.from_iterable([sheet.lines for sheet in sheets])),
        placements=tuple(chain.from_iterable([sheet.placements for sheet in sheets])),
        seal=first,
        further_seals=tuple(others),
        furniture=sheets[seal_page].page.fixed_texts,
    )
    return Planned(compiled, printer, sheets, flow, seal_page, seal_rects, allocate(), layout)


def _sheets(
    compiled: CompiledTemplate, printer: Printer, flow: FlowWriter | None, allocate: Callable[[], int]
) -> tuple[Sheet, ...]:
    """Return the pages in order, still empty, a flow's continuation pages behind the one it begins on."""
    fixed = [(page, page.number, page.content) for page in compiled.pages]
    if flow is not None:
        extra = [(flow.compiled.repeated, allocate(), allocate()) for _ in flow.pages[1:]]
        after = flow.compiled.host + 1
        fixed[after:after] = extra
    return tuple([
        Sheet(page, number, content, position, len(fixed), printer, compiled.fonts, page.next_mcid)
        for position, (page, number, content) in enumerate(fixed, 1)
    ])  # fmt: skip


def _seals(compiled: CompiledTemplate, flow: FlowWriter | None) -> tuple[int, tuple[Rect, ...]]:
    """Return the index of the page that bears the seals, and their boxes in mm."""
    page, rect = compiled.seal_page, compiled.seal_rect
    if page is not None and rect is not None:
        return page if flow is None else flow.shifted(page), (rect,)
    assert flow is not None, "the layout has one seal, on a page or in the flow"
    page, centres = flow.seals()
    return page, tuple(
        widget_rect(seal, centre, compiled.page_size)
        for seal, centre in zip(compiled.seals, centres, strict=True)
    )


def _straddle(compiled: CompiledTemplate, straddle: Straddle, pages: int) -> list[str]:
    """Return what paints each page's strip of the straddle seal."""
    strips = straddle_strips(
        compiled.seal, [compiled.page_size] * pages, centre_y=straddle.centre_y, edge=PageEdge(straddle.edge)
    )
    painted = []
    for strip in strips:
        clip = nums(*(value * POINTS_PER_MM for value in strip.clip))
        offset = nums(*(value * POINTS_PER_MM for value in strip.offset))
        painted.append(artifact(f"q {clip} re W n 1 0 0 1 {offset} cm /Seal Do Q"))
    return painted
