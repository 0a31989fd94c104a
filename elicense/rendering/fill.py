"""A licence on its compiled template: a finished PDF but for the signature, and the plan preflight checks.

Plan:

1. Running text is broken into strips and pages; now the number of pages is known.
2. Every page's slots are printed, then its part of the flow, then its strip of a straddle seal.
3. The index is complete, so licence.json is written.
4. Behind the template's constant bytes stand the signature's slot, the data, the fonts, the pages' dynamic streams.
5. Cross-reference table and trailer close the one revision; the byte range is written into its place.

Same licence, same template, same engine: same bytes. Nothing here asks a clock or a source of chance.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from elicense.encoding import encode_licence_file
from elicense.preflight import FillPlan, SealPlacement, SignatureSlot, UnsignedDocument
from elicense.rendering import deflate
from elicense.rendering.flowing import FlowWriter
from elicense.rendering.metadata import information, pdf_date, xmp
from elicense.rendering.objects import POINTS_PER_MM, Body, nums, ref, stream, xref_line
from elicense.rendering.pages import page_object, page_tree, widget_object
from elicense.rendering.resources import write_fonts
from elicense.rendering.sheet import Sheet
from elicense.rendering.structure import Annotation, Element, TreeWriter, document_element, parent_tree
from elicense.rendering.typeset import Typesetter
from elicense.seal.placement import PageEdge, straddle_strips, widget_rect

if TYPE_CHECKING:
    from collections.abc import Callable

    from elicense.model import Licence
    from elicense.preflight import PlacedLine
    from elicense.rendering.fonts import FontLibrary
    from elicense.rendering.template import CompiledTemplate, Rect

ENGINE = 2
"""Raised whenever this package gives other bytes for the same input."""
_GAP_MARK = b"/Contents "


def engine_version(fonts: FontLibrary) -> str:
    """Return everything outside the template that shapes a document's bytes, in one line."""
    return f"elicense {ENGINE}; {deflate.engine()}; {fonts.engine}"


def fill(compiled: CompiledTemplate, licence: Licence) -> UnsignedDocument:
    """Return the unsigned document of `licence`, its signature slot empty and its byte range written.

    Raises:
        RenderingError: a value has a character without a glyph, or does not fit its place even at the smallest size.
        SealError: a flow puts the seal where it does not fit the page.
    """
    return _Filling(compiled, licence).document()


@dataclass(slots=True)
class _Filling:
    """One document while it is being made."""

    compiled: CompiledTemplate
    licence: Licence
    setter: Typesetter = field(init=False)
    allocate: Callable[[], int] = field(init=False)
    body: Body = field(init=False)
    sheets: list[Sheet] = field(init=False)
    flow: FlowWriter | None = field(init=False)
    seal_page: int = field(init=False)
    seal_rects: list[Rect] = field(init=False)

    def __post_init__(self) -> None:
        compiled = self.compiled
        self.setter = Typesetter(compiled.fonts, "D", compiled.carried)
        self.allocate = count(compiled.next_number).__next__
        self.body = Body(len(compiled.prefix))
        self.flow = FlowWriter.start(compiled, self.licence) if compiled.flow else None
        self.sheets = self._sheets()
        page, rect = compiled.seal_page, compiled.seal_rect
        if page is None or rect is None:
            assert self.flow is not None, "the layout has one seal, on a page or in the flow"
            page, centres = self.flow.seals()
            self.seal_rects = [
                widget_rect(seal, centre, compiled.page_size)
                for seal, centre in zip(compiled.seals, centres, strict=True)
            ]
        else:
            page = page if self.flow is None else self.flow.shifted(page)
            self.seal_rects = [rect]
        self.seal_page = page

    def _sheets(self) -> list[Sheet]:
        """Return the pages in order, a flow's continuation pages behind the one it begins on."""
        fixed = [(page, page.number, page.content) for page in self.compiled.pages]
        if self.flow is not None and self.compiled.flow is not None:
            extra = [
                (self.compiled.flow.repeated, self.allocate(), self.allocate()) for _ in self.flow.pages[1:]
            ]
            after = self.compiled.flow.host + 1
            fixed[after:after] = extra
        return [
            Sheet(page, number, content, position, len(fixed), self.licence, self.setter, page.next_mcid)
            for position, (page, number, content) in enumerate(fixed, 1)
        ]

    def document(self) -> UnsignedDocument:
        """Return the finished document."""
        compiled, numbers = self.compiled, self.compiled.numbers
        self._print()
        placements = tuple(placement for sheet in self.sheets for placement in sheet.placements)
        embedded = encode_licence_file(self.licence, placements)
        body = self.body
        body.add(numbers.signature, self._signature((0, 0, 0, 0)))
        packet = xmp(self.licence, conformance=compiled.conformance)
        body.add(numbers.metadata, stream("/Type/Metadata/Subtype/XML", packet, compress=False))
        body.add(numbers.attachment, self._attachment(embedded))
        body.add(numbers.information, information(self.licence))
        fonts = write_fonts(body, self.allocate, self.setter.subsets.build())
        body.add(
            numbers.resources, f"<</Font<<{compiled.static_fonts}{fonts}>>/XObject<<{compiled.forms}>>>>"
        )
        for sheet in self.sheets:
            body.add(sheet.content, stream("", sheet.stream()))
        if self.flow is not None:
            self._write_pages(self.flow)
        pdf, slot = self._close()
        first, *others = (SealPlacement(self.seal_page + 1, rect) for rect in self.seal_rects)
        plan = FillPlan(
            pages=tuple(compiled.page_size for _ in self.sheets),
            lines=self._lines(),
            placements=placements,
            seal=first,
            further_seals=tuple(others),
        )
        return UnsignedDocument(pdf, slot, plan, embedded)

    def _print(self) -> None:
        """Put operators, lines and placements on every sheet."""
        for sheet in self.sheets:
            sheet.fill_slots()
        if self.flow is not None:
            self.flow.write(self.sheets)
        straddle = self.compiled.straddle
        if straddle is not None and len(self.sheets) > 1:
            sizes = [self.compiled.page_size for _ in self.sheets]
            strips = straddle_strips(
                self.compiled.seal, sizes, centre_y=straddle.centre_y, edge=PageEdge(straddle.edge)
            )
            for strip in strips:
                clip = nums(*(value * POINTS_PER_MM for value in strip.clip))
                offset = nums(*(value * POINTS_PER_MM for value in strip.offset))
                self.sheets[strip.page - 1].decorate(f"q {clip} re W n 1 0 0 1 {offset} cm /Seal Do Q")

    def _lines(self) -> tuple[PlacedLine, ...]:
        """Return every dynamic line, and the furniture's lines on the page of the seal."""
        sealed = self.sheets[self.seal_page]
        furniture = [replace(line, page=self.seal_page + 1) for line in sealed.page.lines]
        return (*(line for sheet in self.sheets for line in sheet.lines), *furniture)

    def _signature(self, byte_range: tuple[int, int, int, int]) -> bytes:
        """Return the signature dictionary; its length does not depend on `byte_range`.

        Source: ISO 32000-1, 12.8.1 and 12.8.2.2 (certification: no changes allowed, or only the further seals).
        """
        return (
            b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached"
            b"/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P %d/V/1.2>>>>]"
            b"/M(%s)/ByteRange [%d %010d %010d %010d]%s<%s>>>"
            % (
                2 if self.compiled.numbers.further else 1,
                pdf_date(self.licence.signing_time).encode("ascii"),
                *byte_range,
                _GAP_MARK,
                b"00" * self.compiled.capacity,
            )
        )

    def _attachment(self, embedded: bytes) -> bytes:
        """Return licence.json as an embedded file; not compressed, so that any tool finds it."""
        moment = pdf_date(self.licence.signing_time)
        return stream(
            f"/Type/EmbeddedFile/Subtype/application#2Fjson/Params<</Size {len(embedded)}/ModDate({moment})>>",
            embedded, compress=False,
        )  # fmt: skip

    def _write_pages(self, flow: FlowWriter) -> None:
        """Write what only a layout without a flow has in its prefix: pages, trees, the signature field."""
        compiled, numbers, body = self.compiled, self.compiled.numbers, self.body
        assert compiled.flow is not None
        body.add(numbers.pages, page_tree([sheet.number for sheet in self.sheets]))
        for key, sheet in enumerate(self.sheets):
            body.add(sheet.number, page_object(
                numbers, compiled.page_size, contents=(sheet.page.furniture, sheet.content), key=key,
                sealed=key == self.seal_page,
            ))  # fmt: skip
        page = self.sheets[self.seal_page].number
        for place, (number, rect, seal) in enumerate(
            zip(numbers.fields, self.seal_rects, compiled.seals, strict=True)
        ):
            body.add(number, widget_object(
                numbers, page=page, rect=rect, key=len(self.sheets) + place, words=seal.words, place=place
            ))  # fmt: skip
        tree = TreeWriter(body, self.allocate)
        elements = list(flow.elements)
        if not compiled.widget_owner:
            forms = [Element("Form", (Annotation(number, page),)) for number in numbers.fields]
            elements[flow.seal_index : flow.seal_index] = forms
        elements += [element for sheet in self.sheets for element in sheet.elements]
        added = [tree.add(element, numbers.document) for element in elements]
        kids = [*compiled.flow.elements_before, *added, *compiled.flow.elements_after]
        body.add(numbers.document, document_element(numbers.structure, kids))
        owners = [{**sheet.page.owners, **tree.owners.get(sheet.number, {})} for sheet in self.sheets]
        widgets = [tree.widgets.get(number, compiled.widget_owner) for number in numbers.fields]
        body.add(numbers.parents, parent_tree(owners, *widgets))

    def _close(self) -> tuple[bytes, SignatureSlot]:
        """Return the whole file and the slot in it."""
        compiled, body = self.compiled, self.body
        size = self.allocate()
        offsets = {**compiled.low_offsets, **body.offsets}
        low = b"".join(xref_line(offsets[number]) for number in range(1, compiled.first_static))
        high = b"".join(xref_line(offsets[number]) for number in range(compiled.next_number, size))
        table = b"xref\n0 %d\n0000000000 65535 f \n%s%s%s" % (size, low, compiled.static_lines, high)
        numbers, identifier = compiled.numbers, self.licence.document_id
        trailer = (
            f"trailer\n<</Size {size}/Root {ref(numbers.catalogue)}/Info {ref(numbers.information)}"
            f"/ID[<{identifier}><{identifier}>]>>\nstartxref\n{body.end}\n%%EOF\n"
        ).encode("ascii")
        total = body.end + len(table) + len(trailer)
        # The signature dictionary is the first object behind the prefix, so the gap's place is known.
        first = body.parts[0]
        gap = len(compiled.prefix) + first.index(_GAP_MARK) + len(_GAP_MARK)
        end = gap + 2 * compiled.capacity + 2
        byte_range = (0, gap, end, total - end)
        body.parts[0] = first.replace(self._signature((0, 0, 0, 0)), self._signature(byte_range))
        pdf = b"".join((compiled.prefix, *body.parts, table, trailer))
        return pdf, SignatureSlot(byte_range, compiled.capacity)
