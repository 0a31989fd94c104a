"""The structure tree: what stands on the pages, in reading order, for those who do not see them.

Source: ISO 32000-1, 14.7 and 14.8; ISO 14289-1 for what must be tagged how (text of the latter not read).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from elicense.rendering.objects import nums, ref, refs, text_string

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from elicense.rendering.objects import Body


class Mark(NamedTuple):
    """A marked-content sequence on a page."""

    page: int
    """Object number of the page."""
    mcid: int
    """Its identifier on that page."""


class Annotation(NamedTuple):
    """An annotation as a kid of its element."""

    number: int
    """Object number."""
    page: int
    """Object number of its page."""


class Element(NamedTuple):
    """A structure element before it has a number."""

    tag: str
    """Standard structure type."""
    kids: tuple[Element | Mark | Annotation, ...] = ()
    """In reading order."""
    lang: str | None = None
    """Language, where it is not the document's."""
    alt: str = ""
    """Alternative text of a figure."""
    bbox: tuple[float, float, float, float] | None = None
    """Left, lower, right, upper edge of a figure, points."""
    scope: str = ""
    """Row or Column, for a header cell; Decimal, for a numbered list."""
    spans: tuple[int, int] = (1, 1)
    """Columns and rows a cell takes."""


@dataclass(slots=True)
class TreeWriter:
    """Writes elements as objects and remembers which element owns which marked content."""

    body: Body
    """Where the objects go."""
    allocate: Callable[[], int]
    """Gives the next free object number."""
    owners: dict[int, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    """Page object -> mcid -> object number of the element."""
    widgets: dict[int, int] = field(default_factory=dict)
    """Annotation object -> object number of its element."""

    def add(self, element: Element, parent: int) -> int:
        """Write `element` and all below it; return its object number."""
        number = self.allocate()
        page = _first_page(element)
        kids = " ".join([self._kid(kid, number, page) for kid in element.kids])
        own = f"<</Type/StructElem/S/{element.tag}/P {parent} 0 R"
        if page is not None:
            own += f"/Pg {page} 0 R"
        if element.lang:
            own += f"/Lang({element.lang})"
        if attributes := _attributes(element):
            own += f"/A {attributes}"
        if kids:
            own += f"/K[{kids}]"
        alt = b"/Alt " + text_string(element.alt) if element.alt else b""
        self.body.add(number, b"%s%s>>" % (own.encode("ascii"), alt))
        return number

    def _kid(self, kid: Element | Mark | Annotation, owner: int, page: int | None) -> str:
        if isinstance(kid, Mark):
            self.owners[kid.page][kid.mcid] = owner
            return str(kid.mcid) if kid.page == page else f"<</Type/MCR/Pg {ref(kid.page)}/MCID {kid.mcid}>>"
        if isinstance(kid, Element):
            return ref(self.add(kid, owner))
        self.widgets[kid.number] = owner
        return f"<</Type/OBJR/Obj {ref(kid.number)}/Pg {ref(kid.page)}>>"


def _first_page(element: Element) -> int | None:
    """Return the page of the element's own first piece of content."""
    for kid in element.kids:
        if not isinstance(kid, Element):
            return kid.page
    return None


def _attributes(element: Element) -> str:
    """Return the attribute dictionary, empty if there is nothing to say."""
    columns, rows = element.spans
    if element.tag == "L":
        return f"<</O/List/ListNumbering/{element.scope}>>" if element.scope else ""
    table = f"/Scope/{element.scope}" if element.scope else ""
    table += f"/ColSpan {columns}" if columns > 1 else ""
    table += f"/RowSpan {rows}" if rows > 1 else ""
    if table:
        return f"<</O/Table{table}>>"
    if element.bbox:
        return f"<</O/Layout/Placement/Block/BBox[{nums(*element.bbox)}]>>"
    return ""


def document_element(root: int, kids: Sequence[int]) -> str:
    """Return the Document element's body."""
    return f"<</Type/StructElem/S/Document/P {ref(root)}/K[{refs(kids)}]>>"


def parent_tree(pages: Sequence[Mapping[int, int]], *widget_owners: int) -> str:
    """Return the parent tree: pages in order of their StructParents, then the widgets.

    Args:
        pages: for each page, mcid -> element.
        widget_owners: elements of the signature fields; the first one's StructParent is the number of pages.
    """
    parts = []
    for key, owners in enumerate(pages):
        top = max(owners, default=-1)
        entries = " ".join([f"{owners[mcid]} 0 R" if mcid in owners else "null" for mcid in range(top + 1)])
        parts.append(f"{key}[{entries}]")
    parts += [f"{key} {ref(owner)}" for key, owner in enumerate(widget_owners, len(pages))]
    return f"<</Nums[{' '.join(parts)}]>>"
