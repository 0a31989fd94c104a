"""The raw bytes of an upload against the one shape a sealed licence has, before any parser sees them.

Plan (each broken rule is one finding with a stable reason; reading stops at the first):

1. The file begins with the header and ends with startxref and %%EOF; nothing stands behind.
2. One classic cross-reference table names exactly the objects that exist; they tile the file without a gap.
3. No dictionary repeats a key, no forbidden name occurs, every object is in use, one file is attached.
4. One signature field, reached from the catalogue, certifies the document against every change.
5. ByteRange is four canonical integers, its gap is exactly that signature's Contents, the rest is covered.
6. Contents is one DER value in lower-case digits, padded with zeros.

Whatever the findings, `candidates` names each signature that the raw bytes show, so that a damaged file can
still be traced to its signer, and `traces` says whether the bytes show any sign of a signature at all.
Everything here runs in linear time and without recursion; nothing is decompressed.

Source: ISO 32000-2, 7.5 (file structure), 12.8 (signatures); the rules are narrower than the standard's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from elicense.verification import der
from elicense.verification.facts import Finding
from elicense.verification.pdf import (
    Hex,
    IndirectObject,
    Inventory,
    Reference,
    Violation,
    read_text,
    read_value,
)
from elicense.verification.scan import DECLARED, MOST_RANGES, Candidate, find_candidates, has_traces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elicense.verification.facts import RevisionFacts
    from elicense.verification.pdf import Value

ATTACHMENT = "licence.json"
"""The only file a licence carries."""

MAX_OBJECTS = 100_000
"""Objects a file may declare; our largest documents have some thousands."""

MAX_TOKENS = 2_000_000
"""Numbers, names, strings and brackets outside streams; reading so many takes about two seconds."""

FORBIDDEN = frozenset((
    "JavaScript", "JS", "Launch", "URI", "GoToR", "GoToE", "SubmitForm", "ResetForm", "ImportData",
    "OpenAction", "AA", "RichMedia", "XFA", "OCG", "OCMD", "OCProperties", "Encrypt", "ObjStm", "XRef",
    "XRefStm", "Prev", "Linearized", "Movie", "Sound", "Rendition", "Screen", "3D", "FileAttachment",
    "Thread", "Hide", "Named", "Collection", "Alternates", "OPI", "PS", "FFilter", "FDecodeParms",
    "NeedAppearances", "Link", "FreeText", "Popup", "Stamp", "Ink", "Watermark", "Redact",
))  # fmt: skip
"""Names that stand nowhere in a sealed licence: actions, active or hidden content, other cross-references."""

_CATALOGUE_KEYS = frozenset((
    "Type", "Version", "Pages", "Names", "AF", "AcroForm", "Perms", "MarkInfo", "StructTreeRoot",
    "Lang", "Metadata", "OutputIntents", "ViewerPreferences", "PageLabels", "PageMode", "PageLayout",
    "Outlines", "Extensions",
))  # fmt: skip
_TRAILER_KEYS = frozenset(("Size", "Root", "Info", "ID"))
_SEAL_KEYS = frozenset((
    "Type", "Filter", "SubFilter", "ByteRange", "Contents", "M", "Reference", "Name", "Reason",
    "Location", "ContactInfo", "Prop_Build",
))  # fmt: skip

_HEADER = re.compile(rb"%PDF-1\.7\n(?:%[\x80-\xff]{4,}\n)?")
_TAIL = re.compile(rb"startxref\n(0|[1-9][0-9]{0,9})\n%%EOF\n\Z")
_ANY_END = re.compile(rb"startxref\s+[0-9]+\s+%%EOF")
_XREF = re.compile(rb"xref\n0 ([1-9][0-9]{0,6})\n")
_SPACE = re.compile(rb"[\t\n\r ]*")
_OBJECT_END = re.compile(rb"[\t\n\r ]*endobj\r?\n")
_STREAM_START = re.compile(rb"[\t\n\r ]*stream\r?\n")
_STREAM_END = re.compile(rb"(?:\r?\n)?endstream\r?\nendobj\r?\n")

_OWN_RANGE = re.compile(rb"/ByteRange ?\[([0-9 ]*)\]")
_CANONICAL_RANGE = re.compile(
    rb"0 (?:([0-9]{10}) ([0-9]{10}) ([0-9]{10})|(0|[1-9][0-9]*) (0|[1-9][0-9]*) (0|[1-9][0-9]*))"
)
_ENCRYPT = re.compile(rb"/Encrypt(?:[ \n\r]+[0-9]{1,10}[ \n\r]+[0-9]{1,5}[ \n\r]+R|[ \n\r]*<<)")
_LOWER_HEX = re.compile(rb"<[0-9a-f]*>")
_CLAIMED = re.compile(r"D:([0-9]{14})Z")


@dataclass(frozen=True, slots=True)
class ValidationData:
    """Certificates and revocation data inside the document (DSS), as DER; untrusted."""

    certificates: tuple[bytes, ...] = ()
    """X.509 certificates."""
    crls: tuple[bytes, ...] = ()
    """Revocation lists."""
    ocsps: tuple[bytes, ...] = ()
    """OCSP answers (OCSPResponse)."""


NO_DATA = ValidationData()
"""A document without a DSS."""


@dataclass(frozen=True, slots=True)
class Structure:
    """What the raw bytes say."""

    size: int
    """Length of the file in bytes."""
    findings: tuple[Finding, ...]
    """Empty: one revision of exactly our shape."""
    traces: bool
    """False only if nothing in the bytes hints at a signature."""
    candidates: tuple[Candidate, ...]
    """The seal, if there are no findings; else what scanning found."""
    objects: Mapping[int, IndirectObject]
    """By number; empty when the file could not be read to its end."""
    root: int
    """Object number of the catalogue; 0 if not read."""
    document_id: str
    """First part of the trailer's /ID in lower-case hex; "" if absent."""
    revisions: tuple[RevisionFacts, ...] = ()
    """In order; empty if there are findings."""
    evidence: ValidationData = NO_DATA
    """What the document's DSS holds."""


def read_structure(data: bytes) -> Structure:
    """Return what the raw bytes show; never raises for what they hold."""
    reader = _Reader(data)
    findings: tuple[Finding, ...] = ()
    try:
        seal = reader.read()
    except Violation as violation:
        findings = (_finding(violation),)
        candidates = find_candidates(data)
    else:
        candidates = (seal,)
    return Structure(
        size=len(data),
        findings=findings,
        traces=not findings or has_traces(data),
        candidates=candidates,
        objects=reader.objects,
        root=reader.root,
        document_id=reader.document_id,
    )


def _finding(violation: Violation) -> Finding:
    check = {"format": 1, "limit": 1, "byte_range": 2, "changes": 3}[violation.reason.partition(".")[0]]
    return Finding(check, violation.reason, violation.offset, violation.detail)


class _Reader:
    """Reads one file by the plan; `objects`, `root` and `document_id` keep what was read before a Violation."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.objects: dict[int, IndirectObject] = {}
        self.root = 0
        self.information: tuple[int, ...] = ()
        self.document_id = ""
        self.tokens = MAX_TOKENS

    def read(self) -> Candidate:
        """Return the seal of a file that keeps every rule. Raises Violation at the first broken one."""
        table_at = self._frame()
        self._objects(table_at)
        self._contents()
        catalogue = self._dictionary(Reference(self.root, 0))
        self._attachment(catalogue)
        field, seal = self._seal(catalogue)
        return self._range(field, seal)

    # 1

    def _frame(self) -> int:
        """Return the offset of the cross-reference table that the file's last lines name."""
        data = self.data
        if not data:
            raise Violation("format.empty")
        at = data.find(b"%PDF-", 0, 1024)
        if at < 0:
            raise Violation("format.not_pdf")
        if at > 0:
            raise Violation("format.leading_bytes", 0)
        tail = _TAIL.search(data, max(0, len(data) - 64))
        ranges = [tuple(map(int, match.groups())) for match in islice(DECLARED.finditer(data), MOST_RANGES)]
        # In a file that has its end, such words may be a value that somebody typed into an honest licence.
        if not tail and any(
            end + rest > len(data) > start and data[start] == 0x3C for _, start, end, rest in ranges
        ):
            raise Violation("format.cut", len(data), "the file is shorter than its signature says")
        if not _ANY_END.search(data):
            raise Violation("format.cut", len(data), "the file has no end")
        ends = [end + rest for _, _, end, rest in ranges if end + rest < len(data)]
        if ends and _TAIL.search(data[max(0, max(ends) - 64) : max(ends)]):
            kind = "changes.revision" if tail else "format.after_end"
            raise Violation(kind, max(ends))
        if not _HEADER.match(data) or not tail:
            if _ENCRYPT.search(data):
                raise Violation("format.encrypted")
            raise Violation("format.layout", None, "header or last lines")
        return int(tail[1])

    # 2

    def _objects(self, table_at: int) -> None:
        """Every object stands in `objects`; table, objects and trailer tile the file."""
        data = self.data
        table = _XREF.match(data, table_at)
        if not table:
            raise Violation("format.layout", table_at, "no cross-reference table")
        count = int(table[1])
        offsets = self._table(table.end(), count)
        trailer_at = table.end() + 20 * count
        if not data.startswith(b"trailer\n", trailer_at):
            raise Violation("format.layout", trailer_at, "no trailer")
        trailer, end = read_value(data, trailer_at + 8, len(data), Inventory(self.tokens))
        if not data.startswith(b"startxref", _skip(data, end)) or not _TAIL.match(data, _skip(data, end)):
            raise Violation("format.layout", end, "bytes behind the trailer")
        self._trailer(trailer, count, trailer_at)
        header = _HEADER.match(data)
        position = header.end() if header else 0
        for offset, number in sorted(offsets):
            if offset != position:
                raise Violation("format.layout", min(offset, position), "objects do not tile the file")
            found = self._object(number, offset, table_at)
            self.objects[number] = found
            position = found.end
        if position != table_at:
            raise Violation("format.layout", position, "bytes before the cross-reference table")

    def _table(self, start: int, count: int) -> list[tuple[int, int]]:
        """Return (offset, number) of each object in use; all but number 0 are in use."""
        data = self.data
        if count > MAX_OBJECTS:
            raise Violation("limit.complexity", start, "objects")
        if start + 20 * count > len(data):
            raise Violation("format.layout", start, "cross-reference table too long")
        if data[start : start + 18] != b"0000000000 65535 f":
            raise Violation("format.layout", start, "first entry")
        offsets = []
        for number in range(1, count):
            at = start + 20 * number
            if data[at + 10 : at + 18] != b" 00000 n" or not data[at : at + 10].isdigit():
                raise Violation("format.layout", at, "cross-reference entry")
            offsets.append((int(data[at : at + 10]), number))
        if {data[start + 20 * n + 18 : start + 20 * n + 20] for n in range(count)} - {b" \n", b"\r\n"}:
            raise Violation("format.layout", start, "cross-reference line ends")
        return offsets

    def _trailer(self, trailer: Value, count: int, offset: int) -> None:
        """`root` and `document_id` are known; the trailer says nothing else."""
        if not isinstance(trailer, dict):
            raise Violation("format.layout", offset, "trailer")
        if "Encrypt" in trailer:
            raise Violation("format.encrypted", offset)
        root, identifier = trailer.get("Root"), trailer.get("ID")
        known = not trailer.keys() - _TRAILER_KEYS and _is_integer(trailer.get("Size"), count)
        if not known or not isinstance(root, Reference):
            raise Violation("format.layout", offset, "trailer entries")
        information = trailer.get("Info")
        self.root = root.number
        self.information = (information.number,) if isinstance(information, Reference) else ()
        if isinstance(identifier, list) and len(identifier) == 2:
            first = identifier[0]
            raw = first.decode(self.data) if isinstance(first, Hex) else first
            self.document_id = raw.hex() if isinstance(raw, bytes) else ""

    def _object(self, number: int, offset: int, limit: int) -> IndirectObject:
        """Return the object at `offset`, read to behind its `endobj`."""
        data = self.data
        opening = b"%d 0 obj" % number
        if not data.startswith(opening, offset):
            raise Violation("format.layout", offset, "no object where the table says")
        start = _skip(data, offset + len(opening))
        met = Inventory(self.tokens)
        value, end = read_value(data, start, limit, met)
        self.tokens = met.tokens
        stream = None
        closing = _OBJECT_END.match(data, end, limit)
        if closing is None:
            opened = _STREAM_START.match(data, end, limit)
            length = value.get("Length") if isinstance(value, dict) else None
            if opened is None or type(length) is not int or length < 0:
                raise Violation("format.layout", end, "object not closed")
            stream = (opened.end(), opened.end() + length)
            closing = _STREAM_END.match(data, stream[1], limit)
            if closing is None:
                raise Violation("format.layout", stream[1], "stream length")
        return IndirectObject(
            value,
            offset,
            closing.end(),
            (start, end),
            stream,
            frozenset(met.references),
            frozenset(met.names),
        )

    # 3

    def _contents(self) -> None:
        """No forbidden name occurs and every object is in use from the trailer on."""
        for found in self.objects.values():
            forbidden = found.names & FORBIDDEN
            if forbidden:
                raise Violation("format.forbidden", found.start, f"/{min(forbidden)}")
            if found.stream and isinstance(found.value, dict) and "F" in found.value:
                raise Violation("format.forbidden", found.start, "stream data in another file")
        reached = {self.root, *self.information}
        waiting = list(reached)
        while waiting:
            found_object = self.objects.get(waiting.pop())
            if found_object is None:
                raise Violation("format.layout", None, "a reference to an object that does not exist")
            new = found_object.references - reached
            reached |= new
            waiting.extend(new)
        unused = self.objects.keys() - reached
        if unused:
            raise Violation("format.unused_object", self.objects[min(unused)].start)

    def _attachment(self, catalogue: dict[str, Value]) -> None:
        """Exactly one file is attached, licence.json, under both roads that lead to it."""
        files = [number for number, found in self.objects.items() if "EF" in found.names]
        streams = [number for number, found in self.objects.items() if "EmbeddedFile" in found.names]
        associated = self._resolve(catalogue.get("AF"))
        if len(files) != 1 or len(streams) != 1 or associated != [Reference(files[0], 0)]:
            raise Violation("format.attachment", None, "not exactly one attached file")
        specification = self._dictionary(Reference(files[0], 0))
        names = {read_text(self._resolve(specification.get(key)), self.data) for key in ("F", "UF")}
        if names != {ATTACHMENT} or specification.get("AFRelationship") != "Data":
            raise Violation(
                "format.attachment", self.objects[files[0]].start, "attached file's name or purpose"
            )
        embedded = self._dictionary(specification.get("EF"))
        if {embedded.get("F"), embedded.get("UF", embedded.get("F"))} != {Reference(streams[0], 0)}:
            raise Violation("format.attachment", self.objects[files[0]].start, "attached file's stream")
        tree = self._dictionary(catalogue.get("Names") or {})
        if tree.keys() - {"EmbeddedFiles"}:
            raise Violation("format.attachment", None, "name trees")
        if tree:
            leaves = self._resolve(self._dictionary(tree["EmbeddedFiles"]).get("Names"))
            if not isinstance(leaves, list) or len(leaves) != 2 or leaves[1] != Reference(files[0], 0):
                raise Violation("format.attachment", None, "name tree of attached files")

    # 4

    def _seal(self, catalogue: dict[str, Value]) -> tuple[str, IndirectObject]:
        """Return the name of the one signature field and its signature, certified against every change."""
        if catalogue.keys() - _CATALOGUE_KEYS or catalogue.get("Type") != "Catalog":
            raise Violation("format.layout", self.objects[self.root].start, "catalogue entries")
        form = self._dictionary(catalogue.get("AcroForm") or {})
        fields = self._resolve(form.get("Fields"))
        if not isinstance(fields, list) or len(fields) != 1 or not _is_integer(form.get("SigFlags"), 3):
            raise Violation("format.seal_field", None, "not exactly one form field")
        field = self._dictionary(fields[0])
        target = field.get("V")
        if field.get("FT") != "Sig" or "Kids" in field or not isinstance(target, Reference):
            raise Violation("format.seal_field", None, "field is no signature field with a value")
        others = [n for n, o in self.objects.items() if "ByteRange" in o.names and n != target.number]
        widgets = [n for n, o in self.objects.items() if "Widget" in o.names and Reference(n, 0) != fields[0]]
        if others or widgets:
            raise Violation("format.seal_field", None, "more than one signature or form field")
        self._annotations(fields[0])
        signature = self._dictionary(target)
        own = {"Type": "Sig", "Filter": "Adobe.PPKLite", "SubFilter": "ETSI.CAdES.detached"}
        if signature.keys() - _SEAL_KEYS or any(signature.get(key) != value for key, value in own.items()):
            raise Violation("format.seal_field", self.objects[target.number].start, "signature's entries")
        permissions = self._dictionary(catalogue.get("Perms") or {})
        if permissions != {"DocMDP": target} or not self._certifies(signature):
            raise Violation("format.certification", self.objects[target.number].start)
        name = read_text(self._resolve(field.get("T")), self.data)
        return name or "", self.objects[target.number]

    def _annotations(self, seal: Value) -> None:
        """The seal is the only annotation of any page."""
        for found in self.objects.values():
            if "Annots" in found.names:
                annotations = self._resolve(
                    found.value.get("Annots") if isinstance(found.value, dict) else None
                )
                if annotations not in ([seal], []):
                    raise Violation("format.seal_field", found.start, "an annotation that is not the seal")

    def _certifies(self, signature: dict[str, Value]) -> bool:
        """Return whether the signature forbids every later change (DocMDP, P=1)."""
        references = self._resolve(signature.get("Reference"))
        if not isinstance(references, list) or len(references) != 1:
            return False
        reference = self._dictionary(references[0])
        parameters = self._dictionary(reference.get("TransformParams") or {})
        return reference.get("TransformMethod") == "DocMDP" and _is_integer(parameters.get("P"), 1)

    # 5, 6

    def _range(self, field: str, seal: IndirectObject) -> Candidate:
        """Return the seal, its byte range leaving out exactly its own Contents."""
        data, value = self.data, seal.value
        assert isinstance(value, dict)
        declaration = _OWN_RANGE.search(data, *seal.body)
        canonical = _CANONICAL_RANGE.fullmatch(declaration[1]) if declaration else None
        # The same words once more, in a string of the dictionary, could be what another reader takes.
        if canonical is None or data.count(b"/ByteRange", *seal.body) != 1:
            raise Violation("byte_range.shape", seal.start)
        start, end, rest = (int(part) for part in canonical.groups() if part is not None)
        contents = value.get("Contents")
        if not isinstance(contents, Hex) or (start, end) != tuple(contents):
            raise Violation("byte_range.gap", start, "the gap is not the signature's own Contents")
        if end + rest != len(data):
            raise Violation("byte_range.coverage", end + rest)
        _check_gap(data, contents)
        claimed = read_text(self._resolve(value.get("M")), data)
        return Candidate(
            field, (0, start, end, rest), declared=True, claimed_time=read_claimed_time(claimed or "")
        )

    # Small steps

    def _resolve(self, value: Value) -> Value:
        """Return what a reference refers to (one step: an object is never itself a reference)."""
        if isinstance(value, Reference):
            found = self.objects.get(value.number)
            return found.value if found else None
        return value

    def _dictionary(self, value: Value) -> dict[str, Value]:
        """Return a dictionary, given directly or by reference. Raises Violation if it is none."""
        resolved = self._resolve(value)
        if not isinstance(resolved, dict):
            raise Violation("format.layout", None, "a dictionary is missing")
        return resolved


def _is_integer(value: Value, wanted: int) -> bool:
    """Return whether a value is this whole number: `true` and `1.0` are not 1, though Python's == says so."""
    return type(value) is int and value == wanted


def _skip(data: bytes, position: int) -> int:
    match = _SPACE.match(data, position)
    return match.end() if match else position


def _check_gap(data: bytes, contents: Hex) -> None:
    """The string is one DER value in lower-case digits with zeros behind it. Raises Violation otherwise."""
    if not _LOWER_HEX.fullmatch(data, *contents) or (contents.end - contents.start) % 2:
        raise Violation("byte_range.hex", contents.start)
    raw = contents.decode(data)
    if not raw.strip(b"\0"):
        raise Violation("byte_range.empty", contents.start)
    try:
        value = der.read(raw, 0, len(raw))
    except der.DerError as error:
        raise Violation("byte_range.der", contents.start, str(error)) from error
    if value.tag != der.SEQUENCE:
        raise Violation("byte_range.der", contents.start, "not a sequence")
    if raw[value.end :].strip(b"\0"):
        raise Violation("byte_range.padding", contents.start + 1 + 2 * value.end)


def read_claimed_time(text: str) -> datetime | None:
    """Return `D:YYYYMMDDHHMMSSZ` in UTC, or None if the text is anything else."""
    match = _CLAIMED.fullmatch(text)
    try:
        return datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None
