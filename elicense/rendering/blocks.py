"""The parts of a layout: styles, blocks, art and items of a flow, each with its keys and their ranges.

Lengths are millimetres from the page's lower left corner, type sizes points. The schema is docs/templates.md.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from elicense.errors import InvalidTemplate
from elicense.wording import AUTHORITY_NAMES, template_names

UNDER_SEAL = frozenset({"authority.name", "issued_on", *AUTHORITY_NAMES})
"""The only names whose values a seal may cover."""

Length = Annotated[float, Field(ge=-1000, le=2000)]
Extent = Annotated[float, Field(gt=0, le=2000)]
Point = tuple[Length, Length]
Rect = tuple[Length, Length, Extent, Extent]
Points = Annotated[float, Field(gt=0, le=200)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]*$", max_length=60)]


class Part(BaseModel):
    """A piece of a layout: frozen, and unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)


class Style(Part):
    """How a text is set."""

    font: Literal["song", "title", "hei", "kai", "fangsong"] = "song"
    """Role; the font library maps it to a face."""
    size: Points = 12
    """Type size."""
    min_size: Points | None = None
    """Smallest size a long value may shrink to; None: no shrinking."""
    align: Literal["left", "center", "right", "justify", "spread"] = "left"
    """Horizontal setting; `spread` fills the width with equal gaps between characters."""
    valign: Literal["top", "middle", "bottom", "label"] = "middle"
    """Where the lines stand in the box; `label`: the first one on the line of the block's label."""
    leading: Annotated[float, Field(ge=0.8, le=4)] = 1.35
    """Line height as a multiple of the size."""
    spacing: Annotated[float, Field(ge=-2, le=100)] = 0
    """Extra between characters, points."""
    indent: Annotated[float, Field(ge=0, le=20)] = 0
    """First line's indent, characters."""
    colour: Colour = "#000000"
    """Colour of the text."""
    tag: Literal["P", "H1", "H2"] = "P"
    """Structure type."""
    under_seal: bool = False
    """True if the seal may cover it."""
    empty: str = ""
    """Printed where an optional value is absent."""
    lang: Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] | None = None
    """Language, where it is not Chinese."""

    @model_validator(mode="after")
    def _sizes_in_order(self) -> Self:
        if self.min_size is not None and self.min_size > self.size:
            raise ValueError("min_size is greater than size")
        if self.valign == "label" and not self.beside_label:
            raise ValueError("valign: label is for a block whose label is a fixed text")
        return self

    @property
    def beside_label(self) -> bool:
        """True if there is a label that is the same on every licence."""
        return False

    @property
    def smallest(self) -> float:
        """Smallest size allowed, points."""
        return self.size if self.min_size is None else self.min_size


class _Templated(Style):
    """A style with the text it sets."""

    text: str = ""
    """Template; places in braces are filled per licence."""

    @model_validator(mode="after")
    def _only_two_names_lie_under_the_seal(self) -> Self:
        others = set(names_in(self.text)) - UNDER_SEAL
        if self.under_seal and others:
            raise ValueError(f"under_seal is for the authority's name and the date, not for {sorted(others)}")
        return self

    @property
    def is_static(self) -> bool:
        """True if the text is the same on every licence."""
        return not names_in(self.text)


def names_in(template: str) -> tuple[str, ...]:
    """Return the names a template draws on; a template that cannot be read is a ValueError."""
    try:
        return template_names(template)
    except InvalidTemplate as error:
        raise ValueError(error.en) from error


class Label(_Templated):
    """The printed name of a value, one structure element with it."""

    rect: Rect
    """Its box."""


class TextBlock(_Templated):
    """Text in a box."""

    rect: Rect
    """Its box."""
    label: Label | None = None
    """Label set before it."""
    only: Literal["odd", "even"] | None = None
    """Limits the block to odd or even pages."""

    @property
    def beside_label(self) -> bool:
        """True if there is a label that is the same on every licence."""
        return self.label is not None and bool(self.label.text) and self.label.is_static


class AuthoritiesBlock(Style):
    """The names of all issuing authorities one below the other, spread to one width (联合行文)."""

    authorities: str
    """Word on their right, e.g. 文件; may be empty."""
    rect: Rect
    """Its box."""


class QrBlock(Part):
    """A QR code."""

    qr: str
    """Template of its content."""
    rect: Rect
    """Its box, quiet zone included; the code is square and centred."""
    alt: str = "查验二维码"
    """What it is, for those who cannot see it."""


class SealBlock(Part):
    """Where the seal goes; its size is the seal's own."""

    seal: Literal[True]
    """Marks the block."""
    centre: Point
    """Centre of the seal."""


class PlotBlock(Part):
    """The drawing of a parcel with the list of its corners."""

    plot: Name
    """Field of kind `plot`."""
    rect: Rect
    """Its box."""
    alt: str
    """What it is."""
    size: Points = 9
    """Type size of the corners' names and coordinates."""
    font: Literal["song", "title", "hei", "kai", "fangsong"] = "song"
    """Role of that type."""


class Cell(_Templated):
    """A cell of a fixed table."""

    th: bool = False
    """True for a header cell."""
    span: Annotated[int, Field(ge=1, le=30)] = 1
    """Columns it takes."""
    down: Annotated[int, Field(ge=1, le=60)] = 1
    """Rows it takes."""


class Row(Part):
    """A row of a fixed table."""

    height: Extent
    """Its height."""
    cells: tuple[Cell, ...]
    """Left to right, without the cells that reach in from above."""


class Table(Part):
    """A fixed table."""

    origin: Point
    """Left edge and upper edge."""
    columns: Annotated[tuple[Extent, ...], Field(min_length=1)]
    """Widths."""
    width: Annotated[float, Field(ge=0, le=3)] = 0.3
    """Width of the rules, mm; 0 draws none."""
    colour: Colour = "#000000"
    """Colour of the rules."""
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]
    """Top to bottom."""

    @model_validator(mode="after")
    def _cells_tile_the_table(self) -> Self:
        self.places()
        return self

    def places(self) -> list[tuple[Cell, int, int]]:
        """Return each cell with its row and first column; ValueError unless the cells tile the table."""
        taken: set[tuple[int, int]] = set()
        placed = []
        for row, line in enumerate(self.rows):
            column = 0
            for cell in line.cells:
                while (row, column) in taken:
                    column += 1
                area = {(row + d, column + a) for d in range(cell.down) for a in range(cell.span)}
                if area & taken or column + cell.span > len(self.columns) or row + cell.down > len(self.rows):
                    raise ValueError(f"row {row + 1}: the cells do not fit the table's columns and rows")
                taken |= area
                placed.append((cell, row, column))
        if len(taken) != len(self.columns) * len(self.rows):
            raise ValueError("the cells leave a gap in the table")
        return placed


class TableBlock(Part):
    """A fixed table on a page."""

    table: Table
    """The table."""


class Border(Part):
    """A frame."""

    kind: Literal["border"]
    rect: Rect
    """Outer edge."""
    style: Literal["ornate", "double", "simple"] = "simple"
    """How rich it is."""
    colour: Colour = "#000000"


class Pattern(Part):
    """A light guilloche behind the text."""

    kind: Literal["pattern"]
    rect: Rect
    colour: Colour = "#f3ead6"


class Line(Part):
    """A straight rule."""

    kind: Literal["line"]
    from_: Annotated[Point, Field(alias="from")]
    to: Point
    width: Annotated[float, Field(gt=0, le=20)] = 0.3
    """Millimetres."""
    colour: Colour = "#000000"


class Box(Part):
    """A rectangle, outlined or filled."""

    kind: Literal["rect"]
    rect: Rect
    width: Annotated[float, Field(gt=0, le=20)] = 0.3
    """Of its outline, mm."""
    stroke: Colour | None = None
    fill: Colour | None = None


class Emblem(Part):
    """A neutral disc where an emblem may stand (the national emblem's use is regulated)."""

    kind: Literal["emblem"]
    centre: Point
    diameter: Extent
    colour: Colour = "#a8874a"


Art = Annotated[Border | Pattern | Line | Box | Emblem, Field(discriminator="kind")]


class Space(Part):
    """Empty height in a flow."""

    space: Annotated[float, Field(gt=0, le=500)]


class PageBreak(Part):
    """What follows begins a new page."""

    page_break: Literal[True]


class TextItem(_Templated):
    """One text in a flow."""

    keep: bool = False
    """True keeps it on one page with the next line."""


class Heading(Part):
    """How a paragraph that is a heading is told and set."""

    pattern: Annotated[str, Field(min_length=1, max_length=80)]
    """Regular expression its beginning matches, e.g. of its number."""
    font: Literal["song", "title", "hei", "kai", "fangsong"]
    """Role."""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"the pattern {self.pattern!r} cannot be read: {error}") from error
        return self


class ParagraphsItem(Style):
    """Every paragraph of a field."""

    paragraphs: Name
    headings: tuple[Heading, ...] = ()
    """Whole paragraphs that are headings: short, without a stop, their beginning matching."""


class ListItem(Style):
    """Every entry of a list field."""

    list_: Annotated[Name, Field(alias="list")]
    lead: str = ""
    """Static text before the first entry; the other entries align with it."""
    numbered: bool = False
    """True puts `1. `, `2. ` … before the entries when there are several."""


class RowsItem(Style):
    """Every row of a table field, ruled."""

    rows: Name
    columns: Annotated[tuple[Extent, ...], Field(min_length=1)]
    """Widths, mm."""
    header: bool = True
    """True sets the columns' names first, again on each page."""
    header_font: Literal["song", "title", "hei", "kai", "fangsong"] | None = None
    """Role of the columns' names; None: as the rows."""
    width: Annotated[float, Field(ge=0, le=3)] = 0.3
    """Of the rules, mm."""


class Signature(Part):
    """Name over date, centred on each other."""

    name: str = "{authority.name}"
    date: str = "{issued_on|date-zh}"
    right: Annotated[float, Field(ge=0, le=20)] = 4
    """Characters between the date and the frame's right edge."""
    size: Points = 16
    font: Literal["song", "title", "hei", "kai", "fangsong"] = "fangsong"
    leading: Annotated[float, Field(ge=0.8, le=4)] = 1.8

    @model_validator(mode="after")
    def _nothing_else_under_the_seal(self) -> Self:
        others = (set(names_in(self.name)) | set(names_in(self.date))) - UNDER_SEAL
        if others:
            raise ValueError(f"a signature is the authority's name and the date, not {sorted(others)}")
        return self


class SignatureItem(Part):
    """The signature block of an approval document; with joint authorities each of their names has its seal."""

    signature: Signature
    seal: bool = True
    """True puts the seal over it."""


def _art_or_block(value: Any) -> str:
    if isinstance(value, dict):
        return "art" if "kind" in value else "block"
    return "art" if hasattr(value, "kind") else "block"


_Rule = Annotated[Line | Box, Field(discriminator="kind")]
_FootPiece = Annotated[
    Annotated[_Rule, Tag("art")] | Annotated[TextBlock, Tag("block")], Discriminator(_art_or_block)
]


class FootItem(Part):
    """What stands at the foot of the last page, by its own rects."""

    foot: tuple[_FootPiece, ...]

    @model_validator(mode="after")
    def _no_labels(self) -> Self:
        if any(isinstance(piece, TextBlock) and piece.label is not None for piece in self.foot):
            raise ValueError("a text of the foot has no label")
        return self


def _by_key(**keys: str) -> Discriminator:
    """Return a discriminator that goes by the telling key of a mapping."""

    def kind(value: Any) -> str | None:
        names = value.keys() if isinstance(value, dict) else type(value).model_fields
        return next((tag for key, tag in keys.items() if key in names or f"{key}_" in names), None)

    return Discriminator(
        kind,
        custom_error_type="unknown_block",
        custom_error_message="has none of the keys " + ", ".join(keys),
    )


Item = Annotated[
    Annotated[TextItem, Tag("text")]
    | Annotated[ParagraphsItem, Tag("paragraphs")]
    | Annotated[ListItem, Tag("list")]
    | Annotated[RowsItem, Tag("rows")]
    | Annotated[Space, Tag("space")]
    | Annotated[PageBreak, Tag("page_break")]
    | Annotated[SignatureItem, Tag("signature")]
    | Annotated[FootItem, Tag("foot")],
    _by_key(
        text="text",
        paragraphs="paragraphs",
        list="list",
        rows="rows",
        space="space",
        page_break="page_break",
        signature="signature",
        foot="foot",
    ),
]


class Flow(Part):
    """Text that runs over as many pages as it needs."""

    frame: Rect
    """Where it stands on its first page."""
    next: str
    """Id of the page that is repeated when the frame is full."""
    items: Annotated[tuple[Item, ...], Field(min_length=1)]
    """In reading order."""


class FlowBlock(Part):
    """A flow on a page."""

    flow: Flow


Block = Annotated[
    Annotated[TextBlock, Tag("text")]
    | Annotated[AuthoritiesBlock, Tag("authorities")]
    | Annotated[QrBlock, Tag("qr")]
    | Annotated[SealBlock, Tag("seal")]
    | Annotated[PlotBlock, Tag("plot")]
    | Annotated[TableBlock, Tag("table")]
    | Annotated[FlowBlock, Tag("flow")],
    _by_key(
        text="text", authorities="authorities", qr="qr", seal="seal", plot="plot", table="table", flow="flow"
    ),
]
