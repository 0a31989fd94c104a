"""A licence on its compiled template: a finished PDF but for the signature, and the plan preflight checks.

Plan:

1. The licence is typeset (planning.py), unless that was done before.
2. licence.json is encoded, the index with it.
3. Behind the template's constant bytes stand the data, the fonts, the pages' dynamic streams, the signature's slot.
4. Cross-reference table and trailer close the one revision; the byte range is written into its place.

Same licence, same template, same engine: same bytes. Nothing here asks a clock or a source of chance.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from elicense.encoding import encode_licence_file
from elicense.preflight import SignatureSlot, UnsignedDocument
from elicense.rendering import deflate
from elicense.rendering.metadata import information, pdf_date, xmp
from elicense.rendering.objects import Body, ref, stream, xref_lines
from elicense.rendering.pages import page_object, page_tree, widget_object
from elicense.rendering.planning import plan
from elicense.rendering.resources import write_fonts
from elicense.rendering.structure import Annotation, Element, TreeWriter, document_element, parent_tree
from elicense.rendering.typeset import Typesetter

if TYPE_CHECKING:
    from collections.abc import Callable

    from elicense.model import Licence
    from elicense.rendering.flowing import FlowWriter
    from elicense.rendering.fonts import FontLibrary
    from elicense.rendering.planning import Planned
    from elicense.rendering.template import CompiledTemplate

ENGINE = 6
"""Raised whenever this package gives other bytes for the same input."""
_GAP_MARK = b"/Contents "


def engine_version(fonts: FontLibrary) -> str:
    """Return everything outside the template that shapes a document's bytes, in one line."""
    return f"elicense {ENGINE}; {deflate.engine()}; {fonts.engine}"


def fill(compiled: CompiledTemplate, licence: Licence) -> UnsignedDocument:
    """Return the unsigned document of `licence`. Raises as `plan` does."""
    return write(plan(compiled, licence))


def write(planned: Planned) -> UnsignedDocument:
    """Return the unsigned document of the planned pages, its signature slot empty and its byte range written."""
    compiled, licence, numbers = planned.compiled, planned.licence, planned.compiled.numbers
    sheets = planned.sheets
    setter = Typesetter(compiled.fonts, "D", compiled.carried)
    contents = [sheet.stream(setter) for sheet in sheets]
    embedded = encode_licence_file(licence, planned.layout.index)
    moment = pdf_date(licence.signing_time)
    allocate = count(planned.next_number).__next__
    body = Body(len(compiled.prefix))
    metadata = xmp(licence, conformance=compiled.conformance)
    body.add(numbers.metadata, stream("/Type/Metadata/Subtype/XML", metadata))
    body.add(numbers.attachment, _attachment(embedded, moment))
    body.add(numbers.information, information(licence, moment))
    fonts = write_fonts(body, allocate, setter.subsets.build())
    body.add(numbers.resources, f"<</Font<<{compiled.static_fonts}{fonts}>>/XObject<<{compiled.forms}>>>>")
    for sheet, content in zip(sheets, contents, strict=True):
        body.add(sheet.content, stream("", content))
    if planned.flow is not None:
        _write_pages(planned, planned.flow, body, allocate)
    # Last of all, so that hardly anything stands behind the gap: what does is hashed twice by who signs.
    signature = _signature(compiled, moment)
    body.add(numbers.signature, signature % (0, 0, 0, 0))
    table = _table(compiled, licence, body, allocate())
    total = body.end + len(table)
    gap = body.offsets[numbers.signature] + body.parts[-1].index(_GAP_MARK) + len(_GAP_MARK)
    end = gap + 2 * compiled.capacity + 2
    byte_range = (0, gap, end, total - end)
    body.parts[-1] = b"%d 0 obj\n%s\nendobj\n" % (numbers.signature, signature % byte_range)
    pdf = b"".join((compiled.prefix, *body.parts, table))
    slot = SignatureSlot(byte_range, compiled.capacity)
    return UnsignedDocument(pdf, slot, planned.layout, embedded, compiled.hashed)


def _signature(compiled: CompiledTemplate, moment: str) -> bytes:
    """Return the signature dictionary, its byte range to be put in; its length does not depend on that.

    Source: ISO 32000-1, 12.8.1 and 12.8.2.2 (certification: no changes allowed, or only the further seals).
    """
    return (
        b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached"
        b"/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P %d/V/1.2>>>>]"
        b"/M(%s)/ByteRange [%%d %%010d %%010d %%010d]%s<%s>>>"
        % (
            2 if compiled.numbers.further else 1,
            moment.encode("ascii"),
            _GAP_MARK,
            b"00" * compiled.capacity,
        )
    )


def _attachment(embedded: bytes, moment: str) -> bytes:
    """Return licence.json as an embedded file; not compressed, so that any tool finds it."""
    return stream(
        f"/Type/EmbeddedFile/Subtype/application#2Fjson/Params<</Size {len(embedded)}/ModDate({moment})>>",
        embedded, compress=False,
    )  # fmt: skip


def _write_pages(planned: Planned, flow: FlowWriter, body: Body, allocate: Callable[[], int]) -> None:
    """Write what only a layout without a flow has in its prefix: pages, trees, the signature field."""
    compiled, numbers, sheets = planned.compiled, planned.compiled.numbers, planned.sheets
    body.add(numbers.pages, page_tree([sheet.number for sheet in sheets]))
    for key, sheet in enumerate(sheets):
        body.add(sheet.number, page_object(
            numbers, compiled.page_size, contents=(sheet.page.furniture, sheet.content), key=key,
            sealed=key == planned.seal_page,
        ))  # fmt: skip
    page = sheets[planned.seal_page].number
    for place, (number, rect, seal) in enumerate(
        zip(numbers.fields, planned.seal_rects, compiled.seals, strict=True)
    ):
        body.add(number, widget_object(
            numbers, page=page, rect=rect, key=len(sheets) + place, words=seal.words, place=place
        ))  # fmt: skip
    tree = TreeWriter(body, allocate)
    elements = list(flow.elements)
    if not compiled.widget_owner:
        forms = [Element("Form", (Annotation(number, page),)) for number in numbers.fields]
        elements[flow.seal_index : flow.seal_index] = forms
    elements += [element for sheet in sheets for element in sheet.elements]
    added = [tree.add(element, numbers.document) for element in elements]
    kids = [*flow.compiled.elements_before, *added, *flow.compiled.elements_after]
    body.add(numbers.document, document_element(numbers.structure, kids))
    owners = [{**sheet.page.owners, **tree.owners.get(sheet.number, {})} for sheet in sheets]
    widgets = [tree.widgets.get(number, compiled.widget_owner) for number in numbers.fields]
    body.add(numbers.parents, parent_tree(owners, *widgets))


def _table(compiled: CompiledTemplate, licence: Licence, body: Body, size: int) -> bytes:
    """Return the cross-reference table and the trailer."""
    offsets = {**compiled.low_offsets, **body.offsets}
    low = xref_lines([offsets[number] for number in range(1, compiled.first_static)])
    high = xref_lines([offsets[number] for number in range(compiled.next_number, size)])
    trailer = (
        f"trailer\n<</Size {size}/Root {ref(compiled.numbers.catalogue)}/Info {ref(compiled.numbers.information)}"
        f"/ID[<{licence.document_id}><{licence.document_id}>]>>\nstartxref\n{body.end}\n%%EOF\n"
    )
    return b"xref\n0 %d\n0000000000 65535 f \n%s%s%s%s" % (
        size, low, compiled.static_lines, high, trailer.encode("ascii"),
    )  # fmt: skip
