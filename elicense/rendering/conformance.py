"""What PDF/A-3 and PDF/UA-1 ask of our own output, asserted on the structure of the finished bytes.

A second look with another library (pypdf), for machines without veraPDF: each rule below is one our documents are
built to keep, so a finding is a mistake in this package or in a background drawing. It is no validator of PDFs at
large and never sees an upload.

Source: ISO 19005-3 and ISO 14289-1 (texts not read; rules as veraPDF reports them, by clause).
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from pypdf import PdfReader
from pypdf.generic import ContentStream, DictionaryObject, IndirectObject, NameObject, StreamObject

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAINTING = frozenset(
    {
        b"S",
        b"s",
        b"f",
        b"F",
        b"f*",
        b"B",
        b"B*",
        b"b",
        b"b*",
        b"sh",
        b"Do",
        b"Tj",
        b"TJ",
        b"'",
        b'"',
        b"INLINE IMAGE",
    }
)
_HEADING = re.compile(r"/H([1-6])")


class Finding(NamedTuple):
    """One broken rule."""

    rule: str
    """Standard and clause."""
    text: str
    """What is wrong, in English."""


def examine(pdf: bytes) -> tuple[Finding, ...]:
    """Return the rules that one of our documents breaks, none if it is as it claims.

    Args:
        pdf: an unsigned or sealed document made by this package.
    """
    reader = PdfReader(io.BytesIO(pdf))
    trailer: Any = reader.trailer
    root = trailer["/Root"].get_object()
    packet = root["/Metadata"].get_object().get_data().decode("utf-8")
    findings = [*_archival(reader, root, packet), *_fonts(reader), *_colours(reader)]
    if "<pdfaid:conformance>A<" in packet:
        findings += [*_tagged(reader, root, packet), *_marked_content(reader), *_elements(root)]
    return tuple(findings)


def _archival(reader: PdfReader, root: Any, packet: str) -> Iterator[Finding]:
    """File, metadata and attachments."""
    metadata = root["/Metadata"].get_object()
    if metadata.get("/Subtype") != "/XML":
        yield Finding("PDF/A 6.6.2.1", "the XMP is not marked as XML")
    if "<pdfaid:part>3</pdfaid:part>" not in packet or "pdfaSchema:namespaceURI" not in packet:
        yield Finding("PDF/A 6.6.4", "the XMP names no part 3, or describes no extension schema")
    intents = [intent.get_object() for intent in root.get("/OutputIntents", [])]
    if [intent.get("/S") for intent in intents] != ["/GTS_PDFA1"] or "/DestOutputProfile" not in intents[0]:
        yield Finding("PDF/A 6.2.3", "there is not exactly one PDF/A output intent with a profile")
    if "/ID" not in reader.trailer or reader.is_encrypted:
        yield Finding("PDF/A 6.1.3", "the trailer has no ID, or the file is encrypted")
    for forbidden in ("/OpenAction", "/AA"):
        if forbidden in root:
            yield Finding("PDF/A 6.5.2", f"the catalogue has {forbidden}")
    files = [file.get_object() for file in root.get("/AF", [])]
    if not files or any("/AFRelationship" not in file or "/UF" not in file for file in files):
        yield Finding("PDF/A 6.8", "the attachment is not an associated file with its relationship")
    for widget in _annotations(reader):
        if not int(widget.get("/F", 0)) & 4 or set(widget.get("/AP", {})) != {"/N"}:
            yield Finding("PDF/A 6.3", "an annotation is not printed, or has not just its normal appearance")


def _annotations(reader: PdfReader) -> list[Any]:
    return [reference.get_object() for page in reader.pages for reference in page.get("/Annots", [])]


def _fonts(reader: PdfReader) -> Iterator[Finding]:
    """Every font is embedded and says what its codes mean."""
    for font in _objects(reader, "/Type", "/Font"):
        if font.get("/Subtype") == "/Type0":
            if "/ToUnicode" not in font or font.get("/Encoding") != "/Identity-H":
                yield Finding("PDF/A 6.2.11.7", f"{font.get('/BaseFont')} has no ToUnicode")
        elif not {"/FontFile2", "/FontFile3"} & set(font.get("/FontDescriptor", {})):
            yield Finding("PDF/A 6.2.11.4", f"{font.get('/BaseFont')} is not embedded")
        if font.get("/Subtype") == "/CIDFontType2" and "/CIDToGIDMap" not in font:
            yield Finding("PDF/A 6.2.11.3", f"{font.get('/BaseFont')} has no CIDToGIDMap")


def _colours(reader: PdfReader) -> Iterator[Finding]:
    """No colour but grey and RGB, which the output intent defines; no filter that archives refuse."""
    for number, stream in _streams(reader):
        filters = stream.get("/Filter", [])
        if {"/LZWDecode", "/Crypt"} & {
            str(name) for name in (filters if isinstance(filters, list) else [filters])
        }:
            yield Finding("PDF/A 6.1.7.2", f"object {number} uses a forbidden filter")
        if stream.get("/ColorSpace") == "/DeviceCMYK":
            yield Finding("PDF/A 6.2.4", f"picture {number} is in CMYK")
        if stream.get("/Subtype") == "/Form" and re.search(rb"(?:^|\s)[kK](?:\s|$)", stream.get_data()):
            yield Finding("PDF/A 6.2.4", f"drawing {number} uses CMYK")


def _tagged(reader: PdfReader, root: Any, packet: str) -> Iterator[Finding]:
    """What PDF/UA asks of the document as a whole."""
    if "<pdfuaid:part>1</pdfuaid:part>" not in packet or "<dc:title>" not in packet:
        yield Finding("PDF/UA 5", "the XMP claims no PDF/UA, or has no title")
    if root.get("/MarkInfo", {}).get("/Marked") is None or not root["/MarkInfo"]["/Marked"]:
        yield Finding("PDF/UA 7.1", "the document is not marked as tagged")
    if not root.get("/ViewerPreferences", {}).get("/DisplayDocTitle") or not root.get("/Lang"):
        yield Finding("PDF/UA 7.1", "no language, or the title is not shown")
    if any("/Annots" in page and page.get("/Tabs") != "/S" for page in reader.pages):
        yield Finding("PDF/UA 7.18.3", "a page with a field is not tabbed in structure order")
    if any(not widget.get("/TU") or "/StructParent" not in widget for widget in _annotations(reader)):
        yield Finding("PDF/UA 7.18", "the field has no description or no structure element")


def _marked_content(reader: PdfReader) -> Iterator[Finding]:
    """All that is painted is tagged or an artifact; each tag is owned by the element the parent tree names."""
    root: Any = reader.trailer["/Root"].get_object()
    numbers = list(root["/StructTreeRoot"]["/ParentTree"]["/Nums"])
    owners = dict(zip(numbers[::2], numbers[1::2], strict=True))
    for position, page in enumerate(reader.pages, 1):
        entries = owners.get(page.get("/StructParents"), [])
        contents = page.get_contents()
        used = set() if contents is None else set(_walk(ContentStream(contents, reader), position))
        for item in used:
            if isinstance(item, Finding):
                yield item
            elif item >= len(entries) or item not in _kids(entries[item].get_object()):
                yield Finding("PDF/UA 7.1", f"page {position}: marked content {item} belongs to no element")
        named = {mcid for mcid, entry in enumerate(entries) if isinstance(entry, IndirectObject)}
        if named - used:
            yield Finding("PDF/UA 7.1", f"page {position}: an element names content that is not there")


def _walk(content: ContentStream, position: int) -> Iterator[int | Finding]:
    """Yield the identifiers of tagged content, and a finding for whatever is painted outside tags and artifacts."""
    open_marks: list[bool] = []
    for operands, operator in content.operations:
        if operator in {b"BDC", b"BMC"}:
            artifact = operands[0] == "/Artifact"
            properties: Any = (
                operands[1] if operator == b"BDC" and isinstance(operands[1], DictionaryObject) else {}
            )
            if artifact and any(open_marks):
                yield Finding(
                    "PDF/UA 7.1", f"page {position}: an artifact stands inside other marked content"
                )
            if not artifact and "/MCID" in properties:
                if any(open_marks):
                    yield Finding(
                        "PDF/UA 7.1", f"page {position}: tagged content stands inside other marked content"
                    )
                yield int(properties["/MCID"])
            open_marks.append(artifact or "/MCID" in properties)
        elif operator == b"EMC":
            open_marks.pop()
        elif operator in _PAINTING and not any(open_marks):
            yield Finding("PDF/UA 7.1", f"page {position}: something is painted without a tag")
    if open_marks:
        yield Finding("PDF/UA 7.1", f"page {position}: marked content is not closed")


def _kids(element: Any) -> list[int]:
    """Return the marked-content identifiers an element owns, on whatever page."""
    kids: Any = element.get("/K", [])
    found = []
    for kid in kids if isinstance(kids, list) else [kids]:
        number = kid["/MCID"] if isinstance(kid, dict) and "/MCID" in kid else kid
        if isinstance(number, int):
            found.append(int(number))
    return found


def _elements(root: Any) -> Iterator[Finding]:
    """Figures have a text, headings leave out no level, tables are regular, the field is a form."""
    level = 0
    tags = []
    waiting = [root["/StructTreeRoot"]["/K"].get_object()]
    while waiting:
        element = waiting.pop()
        tag = str(element["/S"])
        tags.append(tag)
        if tag == "/Figure" and not (element.get("/Alt") and "/BBox" in element.get("/A", {})):
            yield Finding("PDF/UA 7.3", "a figure has no alternative text or no box")
        if heading := _HEADING.fullmatch(tag):
            if int(heading[1]) > level + 1:
                yield Finding("PDF/UA 7.4.2", f"heading {tag[1:]} leaves out a level")
            level = int(heading[1])
        if tag == "/TH" and "/Scope" not in element.get("/A", {}):
            yield Finding("PDF/UA 7.5", "a header cell has no scope")
        below = _below(element)
        if tag == "/Table":
            yield from _table(below)
        waiting.extend(reversed(below))
    if "/Form" not in tags:
        yield Finding("PDF/UA 7.18.4", "the signature field has no Form element")


def _below(element: Any) -> list[Any]:
    kids = element.get("/K", [])
    found = [kid.get_object() for kid in (kids if isinstance(kids, list) else [kids])]
    return [kid for kid in found if isinstance(kid, DictionaryObject) and "/S" in kid]


def _table(rows: list[Any]) -> Iterator[Finding]:
    """A table is rows of cells that tile it."""
    if any(row["/S"] != "/TR" for row in rows):
        yield Finding("PDF/UA 7.2", "a table holds something else than rows")
        return
    taken: dict[int, int] = {}
    for number, row in enumerate(rows):
        for cell in _below(row):
            attributes = cell.get("/A", {})
            for below in range(int(attributes.get("/RowSpan", 1))):
                taken[number + below] = taken.get(number + below, 0) + int(attributes.get("/ColSpan", 1))
    if len(set(taken.values())) > 1 or len(taken) != len(rows):
        yield Finding("PDF/UA 7.2", "the rows of a table have different numbers of columns")


def _objects(reader: PdfReader, key: str, value: str) -> Iterator[Any]:
    """Yield each object whose `key` is `value`."""
    for found in _all(reader).values():
        if isinstance(found, DictionaryObject) and found.get(key) == NameObject(value):
            yield found


def _streams(reader: PdfReader) -> list[tuple[int, StreamObject]]:
    return [(number, found) for number, found in _all(reader).items() if isinstance(found, StreamObject)]


def _all(reader: PdfReader) -> dict[int, Any]:
    size: Any = reader.trailer["/Size"]
    return {number: reader.get_object(number) for number in range(1, size)}
