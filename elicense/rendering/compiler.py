"""A licence type and a seal become a CompiledTemplate, once: all that is the same on every licence, as bytes.

Object numbers: what differs from licence to licence comes first, so that the fill's numbers are known before the
furniture is drawn; then the furniture in the file's prefix; what the fill adds (its fonts, pages of a flow) follows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from elicense.rendering.art import Drawing
from elicense.rendering.furniture import PageDraft
from elicense.rendering.layout import load_layout
from elicense.rendering.metadata import output_intent, profile_stream
from elicense.rendering.names import check_names
from elicense.rendering.objects import HEADER, Body, ref, refs, stream, text_string, xref_lines
from elicense.rendering.pages import page_object, page_tree, widget_object
from elicense.rendering.resources import blank_appearance, write_fonts, write_seal
from elicense.rendering.structure import TreeWriter, document_element, parent_tree
from elicense.rendering.template import (
    CompiledFlow,
    CompiledPage,
    CompiledTemplate,
    HeadSlot,
    Numbers,
    QrSlot,
)
from elicense.rendering.typeset import Typesetter
from elicense.seal.drawing import draw_seal
from elicense.updates import LOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from elicense.catalogue import LicenceType
    from elicense.rendering.background import Background
    from elicense.rendering.fonts import FontLibrary
    from elicense.rendering.layout import Layout
    from elicense.seal.model import Seal

ATTACHMENT = "licence.json"
"""Name of the associated file."""
KEPT = 32
"""Compiled templates kept ready; the least recently used one goes first."""


class _Shelf:
    """The compiled templates most recently asked for."""

    def __init__(self) -> None:
        self._templates: OrderedDict[tuple[str, ...], CompiledTemplate] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, ...], make: Callable[[], CompiledTemplate]) -> CompiledTemplate:
        """Return the template under `key`, made now if it is not there."""
        with self._lock:
            if key not in self._templates:
                self._templates[key] = make()
            self._templates.move_to_end(key)
            if len(self._templates) > KEPT:
                self._templates.popitem(last=False)
            return self._templates[key]


_SHELF = _Shelf()


def compile_template(
    licence_type: LicenceType, fonts: FontLibrary, seal: Seal, *further: Seal, capacity: int
) -> CompiledTemplate:
    """Return the compiled template of a type under its seals, made at most once for equal files, fonts and seals.

    Args:
        licence_type: the type; its folder holds the layout.
        fonts: the font library.
        seal: whose art becomes the first signature's appearance.
        further: seals of the joint authorities, whose fields are prepared at their true size.
        capacity: DER bytes to reserve for the first signature.

    Raises:
        InvalidTemplate: the layout is wrong, names a field the type does not have, or changed since the type was read.
        RenderingError: the layout's own text does not fit or has no glyph.
        SealError: the seal cannot be drawn or does not fit its page.
    """
    seals = (seal, *further)
    arts = [one.art_digest for one in seals]
    key = (str(licence_type.folder), licence_type.digest, fonts.engine, str(capacity), *arts)
    return _SHELF.get(key, lambda: _compile(licence_type, fonts, seals, capacity))


def _compile(
    licence_type: LicenceType, fonts: FontLibrary, seals: Sequence[Seal], capacity: int
) -> CompiledTemplate:
    layout, background = _read(licence_type)
    check_names(layout, licence_type)
    drawings = tuple(draw_seal(seal.art, fonts) for seal in seals)
    allocate = count(1).__next__
    size = (licence_type.page_width, licence_type.page_height)
    always = [page for page in layout.pages if not page.repeat]
    low = _low_numbers(allocate, len(always), len(seals) - 1, tagged=background is None)
    body = Body(len(HEADER))
    first_static = allocate()
    body.add(first_static, profile_stream())
    numbers = replace(
        low.numbers, seal=write_seal(body, allocate, drawings[0]), catalogue=allocate(),
        structure=0 if background else allocate(),
        blank=tuple(_added(body, allocate, blank_appearance(one)) for one in drawings[1:]),
        lock=_added(body, allocate, LOCK) if drawings[1:] else 0,
    )  # fmt: skip
    shared = Drawing()
    setter = Typesetter(fonts, "S")
    drafts = [
        PageDraft(number, Drawing(forms=shared.forms), setter, drawings[0], numbers.widget, size)
        for number in [*low.pages, *[0] * (len(layout.pages) - len(always))]
    ]
    for draft, page in zip(drafts, [*always, *(page for page in layout.pages if page.repeat)], strict=True):
        if background is not None:
            draft.drawing.operators.append("/Artifact BMC\nq /Page Do Q\nEMC")
        draft.lay(page)
    furniture = [_furniture(body, allocate, draft) for draft in drafts]
    tree = TreeWriter(body, allocate)
    elements = [
        [tree.add(element, numbers.document) for element in draft.elements] if numbers.structure else []
        for draft in drafts
    ]
    forms = {name: _added(body, allocate, form) for name, form in shared.forms.items()}
    if background is not None:
        forms["Page"] = background.write(body, allocate)
    carried = setter.subsets.carriable(_filled_faces(drafts, layout, fonts))
    own_fonts = setter.subsets.build(left_out=[font.face for font in carried])
    pages = tuple(
        CompiledPage(
            number=draft.number, furniture=stream_number, content=content, slots=tuple(draft.slots),
            next_mcid=draft.used, owners=dict(tree.owners[draft.number]), lines=tuple(draft.lines),
        )
        for draft, stream_number, content in zip(drafts, furniture, [*low.contents, 0], strict=False)
    )  # fmt: skip
    sealed = next((index for index, draft in enumerate(drafts) if draft.seal_rect), None)
    compiled = CompiledTemplate(
        licence_type=licence_type, fonts=fonts, seals=drawings, capacity=capacity,
        conformance="B" if background else "A", numbers=numbers, prefix=b"", low_offsets={},
        first_static=first_static, static_lines=b"", next_number=0, pages=pages[: len(always)],
        flow=_flow(layout, drafts, pages, elements), straddle=layout.straddle,
        static_fonts=write_fonts(body, allocate, own_fonts, best=True), carried=carried,
        forms="".join(f"/{name} {ref(number)}" for name, number in {"Seal": numbers.seal, **forms}.items()),
        seal_page=sealed, seal_rect=None if sealed is None else drafts[sealed].seal_rect,
        widget_owner=next(iter(tree.widgets.values()), 0),
    )  # fmt: skip
    _write_document(body, allocate, compiled, [number for page in elements for number in page])
    return _closed(compiled, body, allocate())


def _read(licence_type: LicenceType) -> tuple[Layout, Background | None]:
    """Return the type's layout; for the background route the one its form fields amount to."""
    layout, background = load_layout(licence_type.folder / "layout.yaml"), None
    if layout.background is not None:
        # Most types have no background; the library that reads one takes 90 ms and 25 MB to load.
        from elicense.rendering.background import read_background  # noqa: PLC0415

        size = (licence_type.page_width, licence_type.page_height)
        background = read_background(licence_type.folder, layout, size)
    licence_type.require_unchanged()
    return background.layout if background else layout, background


@dataclass(frozen=True, slots=True)
class _Low:
    """The numbers that are given out before anything is drawn."""

    numbers: Numbers
    contents: tuple[int, ...]
    """Dynamic content stream of each page."""
    pages: tuple[int, ...]
    """Page objects."""


_LATER = ("seal", "catalogue", "structure", "document", "parents")


def _low_numbers(allocate: Callable[[], int], pages: int, further: int, *, tagged: bool) -> _Low:
    names = ["signature", "metadata", "attachment", "information", "resources", "pages", "widget"]
    given = {name: allocate() for name in [*names, *(("document", "parents") if tagged else ())]}
    contents = tuple(allocate() for _ in range(pages))
    numbers = tuple(allocate() for _ in range(pages))
    fields = tuple(allocate() for _ in range(further))
    return _Low(_numbers({**dict.fromkeys(_LATER, 0), **given}, fields), contents, numbers)


def _numbers(given: Mapping[str, int], further: tuple[int, ...]) -> Numbers:
    whole: Mapping[str, Any] = {**given, "further": further}
    return Numbers(**whole)


def _added(body: Body, allocate: Callable[[], int], content: bytes | str) -> int:
    """Write `content` under the next number; return the number."""
    number = allocate()
    body.add(number, content)
    return number


def _furniture(body: Body, allocate: Callable[[], int], draft: PageDraft) -> int:
    """Write the static content stream of a page; return its number."""
    return _added(body, allocate, stream("", draft.drawing.content().encode("ascii"), best=True))


def _flow(
    layout: Layout,
    drafts: Sequence[PageDraft],
    pages: Sequence[CompiledPage],
    elements: Sequence[Sequence[int]],
) -> CompiledFlow | None:
    found = layout.flow()
    if found is None:
        return None
    host, flow = found
    host -= sum(page.repeat for page in layout.pages[:host])
    cut = drafts[host].before_flow or 0
    repeated = layout.page(flow.next)
    assert repeated.flow_frame is not None, "the layout was checked"
    before = [number for page in elements[:host] for number in page]
    after = [number for page in elements[host + 1 :] for number in page]
    return CompiledFlow(
        flow=flow, host=host, repeated=pages[-1], frame=repeated.flow_frame,
        elements_before=(*before, *elements[host][:cut]), elements_after=(*elements[host][cut:], *after),
    )  # fmt: skip


def _filled_faces(drafts: Sequence[PageDraft], layout: Layout, fonts: FontLibrary) -> set[int]:
    """Return the faces that are asked first for texts which differ from licence to licence."""
    found = layout.flow()
    roles = _roles(found[1].model_dump()) if found else set()
    for draft in drafts:
        for slot in draft.slots:
            if not isinstance(slot, QrSlot):
                roles.add(slot.block.font if isinstance(slot, HeadSlot) else slot.style.font)
    return {fonts.first_face(role) for role in roles}


def _roles(value: Any) -> set[str]:
    """Return every font role in a part of a layout as plain values."""
    if isinstance(value, dict):
        own = {role for key, role in value.items() if key in {"font", "header_font"} and role}
        return own.union(*map(_roles, value.values()))
    return set[str]().union(*map(_roles, value)) if isinstance(value, (list, tuple)) else set()


def _write_document(
    body: Body, allocate: Callable[[], int], compiled: CompiledTemplate, elements: Sequence[int]
) -> None:
    """Write the catalogue, and the pages and trees unless a flow decides about them."""
    numbers = compiled.numbers
    attachment = _added(body, allocate, _file_specification(numbers))
    body.add(numbers.catalogue, _catalogue(numbers, attachment, output_intent(compiled.first_static)))
    if numbers.structure:
        trees = f"/K {ref(numbers.document)}/ParentTree {ref(numbers.parents)}"
        body.add(numbers.structure, f"<</Type/StructTreeRoot{trees}>>")
    if compiled.flow is not None:
        return
    body.add(numbers.pages, page_tree([page.number for page in compiled.pages]))
    for index, page in enumerate(compiled.pages):
        body.add(page.number, page_object(
            numbers, compiled.page_size, contents=(page.furniture, page.content), key=index,
            sealed=index == compiled.seal_page,
        ))  # fmt: skip
    assert compiled.seal_page is not None
    assert compiled.seal_rect is not None
    body.add(numbers.widget, widget_object(
        numbers, page=compiled.pages[compiled.seal_page].number, rect=compiled.seal_rect,
        key=len(compiled.pages), words=compiled.seal.words,
    ))  # fmt: skip
    if numbers.structure:
        body.add(numbers.document, document_element(numbers.structure, elements))
        body.add(
            numbers.parents, parent_tree([page.owners for page in compiled.pages], compiled.widget_owner)
        )


def _file_specification(numbers: Numbers) -> bytes:
    """Return the associated file's specification. Source: ISO 19005-3, 6.8 (not read)."""
    file = ref(numbers.attachment)
    head = f"<</Type/Filespec/F({ATTACHMENT})/UF({ATTACHMENT})/AFRelationship/Data/EF<</F {file}/UF {file}>>/Desc "
    return head.encode("ascii") + text_string("证照数据") + b">>"


def _catalogue(numbers: Numbers, attachment: int, intent: str) -> str:
    tagged = f"/MarkInfo<</Marked true>>/StructTreeRoot {ref(numbers.structure)}" if numbers.structure else ""
    return (
        f"<</Type/Catalog/Version/1.7/Pages {ref(numbers.pages)}/Metadata {ref(numbers.metadata)}/Lang(zh-CN)"
        f"/ViewerPreferences<</DisplayDocTitle true>>{tagged}/OutputIntents[{intent}]"
        f"/AcroForm<</Fields[{refs(numbers.fields)}]/SigFlags 3>>/Perms<</DocMDP {ref(numbers.signature)}>>"
        f"/AF[{ref(attachment)}]/Names<</EmbeddedFiles<</Names[({ATTACHMENT}){ref(attachment)}]>>>>>>"
    )


def _closed(compiled: CompiledTemplate, body: Body, next_number: int) -> CompiledTemplate:
    """Return `compiled` with the bytes of the prefix and where its objects lie."""
    first = compiled.first_static
    return replace(
        compiled,
        prefix=HEADER + body.joined(),
        low_offsets={number: offset for number, offset in body.offsets.items() if number < first},
        static_lines=xref_lines([body.offsets[number] for number in range(first, next_number)]),
        next_number=next_number,
    )
