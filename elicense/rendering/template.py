"""A compiled template: the constant bytes of a licence type under one seal, and what each licence adds to them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from elicense.preflight import Furniture, HashedPrefix
from elicense.rendering.blocks import names_in
from elicense.rendering.names import flow_templates
from elicense.rendering.oneline import OneLine, one_line
from elicense.rendering.typeset import measured, runs_of
from elicense.rendering.wrapping import Wrapping, wrapping
from elicense.wording import NUMBERED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elicense.catalogue import LicenceType
    from elicense.preflight import PlacedLine
    from elicense.rendering.blocks import AuthoritiesBlock, Flow, QrBlock, Style
    from elicense.rendering.embedding import CarriedFont
    from elicense.rendering.fonts import FontLibrary
    from elicense.rendering.layout import Straddle
    from elicense.rendering.severallines import Lines
    from elicense.rendering.typeset import PlacedBox
    from elicense.seal.drawing import SealDrawing

Rect = tuple[float, float, float, float]


@dataclass(frozen=True)
class TextSlot:
    """Where a text goes that differs from licence to licence."""

    template: str
    """Text with places."""
    style: Style
    """How it is set."""
    rect: Rect
    """Its box, mm."""
    mcid: int | None
    """Identifier of its marked content; None on a repeated page, where fill gives one, or on an artifact."""
    tag: str
    """Name of its marked content, unless that is an artifact, and on a repeated page of its structure element."""
    box: PlacedBox
    """Its box, and how texts are set in it."""
    pagination: bool = False
    """True for page numbers: set on the page, no part of the text."""
    only: str | None = None
    """odd or even, if it is set on such pages only."""

    @cached_property
    def line(self) -> OneLine | None:
        """How a short text stands in it; None if all texts take the long road."""
        return one_line(self)

    @cached_property
    def wrapping(self) -> Wrapping:
        """What stands around its text."""
        return wrapping(self.template, self.rect, self.style.colour, self.mark_tag)

    def set(self, text: str, page: int) -> Lines:
        """Return a text on a page. Raises RenderingError if it does not fit or has no glyph."""
        found = None if self.line is None else self.line.set(text, page)
        if found is not None:
            return found
        lines = self.box.set(text)
        return measured(lines, page, self.rect, under_seal=self.style.under_seal), runs_of(lines)

    @property
    def mark_tag(self) -> str:
        """Name of its marked content."""
        return "Artifact" if self.pagination else self.tag


@dataclass(frozen=True, slots=True)
class QrSlot:
    """Where a QR code goes."""

    block: QrBlock
    """Its template, box and description."""
    mcid: int
    """Identifier of its marked content."""


@dataclass(frozen=True, slots=True)
class PlotSlot:
    """Where the drawing of a parcel goes."""

    field: str
    """Field of kind `plot`."""
    style: Style
    """How names and coordinates of corners are set."""
    rect: Rect
    """Box of drawing and coordinates, mm."""
    figure_mcid: int
    """Marked content of the drawing."""
    listing_mcid: int
    """Marked content of the coordinates."""


@dataclass(frozen=True, slots=True)
class HeadSlot:
    """Where the names of all issuing authorities go."""

    block: AuthoritiesBlock
    """Its box, style and word."""
    mcid: int
    """Identifier of its marked content."""


Slot = TextSlot | QrSlot | PlotSlot | HeadSlot


@dataclass(frozen=True)
class CompiledPage:
    """One page of the template."""

    number: int
    """Object number of the page; 0 on a repeated page, whose objects fill makes."""
    furniture: int
    """Object number of the static content stream."""
    content: int
    """Object number of the dynamic content stream; 0 on a repeated page."""
    slots: tuple[Slot, ...]
    """What differs, in reading order."""
    next_mcid: int
    """First marked-content identifier that is free."""
    owners: Mapping[int, int]
    """mcid -> structure element, for what is fixed."""
    lines: tuple[PlacedLine, ...]
    """Furniture text, as preflight looks at it; the page number means nothing."""

    @cached_property
    def fixed_texts(self) -> Furniture:
        """The same, one object for all licences."""
        return Furniture(self.lines)


@dataclass(frozen=True)
class CompiledFlow:
    """A flow and where it stands."""

    flow: Flow
    """What it holds."""
    host: int
    """Index of the page it begins on."""
    repeated: CompiledPage
    """The continuation page."""
    frame: Rect
    """Where it stands on a continuation page, mm."""
    elements_before: tuple[int, ...]
    """Structure elements that come before it in reading order."""
    elements_after: tuple[int, ...]
    """Structure elements that come after it."""

    @cached_property
    def numbered(self) -> bool:
        """Whether it prints what only a reserved licence has."""
        return any(NUMBERED.intersection(names_in(text)) for text in flow_templates(self.flow))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Object numbers the fill writes to, and those it points at."""

    signature: int
    """Signature dictionary."""
    metadata: int
    """XMP."""
    attachment: int
    """licence.json."""
    information: int
    """Information dictionary."""
    resources: int
    """Resources shared by all pages."""
    catalogue: int
    """The document catalogue."""
    pages: int
    """Page tree."""
    structure: int
    """Structure tree root; 0 in an untagged document."""
    document: int
    """The Document element."""
    parents: int
    """Parent tree."""
    widget: int
    """The signature field and its annotation."""
    seal: int
    """Form XObject of the seal."""
    further: tuple[int, ...] = ()
    """Signature fields of the further seals, in the order of sealing; each is its own annotation."""
    blank: tuple[int, ...] = ()
    """Appearance of each of these until it is sealed."""
    lock: int = 0
    """What the last one locks; 0 without further seals."""

    @property
    def fields(self) -> tuple[int, ...]:
        """All signature fields, in the order of sealing."""
        return (self.widget, *self.further)


@dataclass(frozen=True)
class CompiledTemplate:
    """Everything about a licence type's page that does not depend on the licence."""

    licence_type: LicenceType
    """The type it was made from."""
    fonts: FontLibrary
    """Where the faces are."""
    seals: tuple[SealDrawing, ...]
    """The seals as drawn, in the order of sealing."""
    capacity: int
    """DER bytes reserved for the first signature."""
    conformance: str
    """Level of PDF/A-3: A (with PDF/UA-1) or B."""
    numbers: Numbers
    """Object numbers."""
    prefix: bytes
    """The file's first bytes: header and all objects that never change."""
    low_offsets: Mapping[int, int]
    """Object number -> offset, for objects of the prefix whose numbers stand among those the fill writes."""
    first_static: int
    """From this object number up to `next_number` everything is in the prefix."""
    static_lines: bytes
    """Cross-reference entries of these objects."""
    next_number: int
    """First object number that is free."""
    pages: tuple[CompiledPage, ...]
    """The pages that are always there."""
    flow: CompiledFlow | None
    """Text that runs over as many pages as it needs."""
    straddle: Straddle | None
    """The seal across the edges of the pages."""
    static_fonts: str
    """Entries of the resources' font dictionary for the furniture's fonts."""
    carried: tuple[CarriedFont, ...]
    """The furniture's fonts that are not in the prefix: the fill's fonts go on from them."""
    forms: str
    """The resources' XObject dictionary."""
    seal_page: int | None
    """Index of the page that bears the seal; None if a flow decides."""
    seal_rect: Rect | None
    """Where the seal stands, mm; None if a flow decides."""
    widget_owner: int
    """Structure element of the signature field; 0 if a flow makes it or the document is untagged."""

    @property
    def seal(self) -> SealDrawing:
        """The first seal."""
        return self.seals[0]

    @cached_property
    def hashed(self) -> HashedPrefix:
        """The prefix, digested once for all documents."""
        return HashedPrefix(len(self.prefix), hashlib.sha256(self.prefix))

    @cached_property
    def page_size(self) -> tuple[float, float]:
        """Width and height of every page, mm."""
        return self.licence_type.page_width, self.licence_type.page_height
