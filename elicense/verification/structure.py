"""The raw bytes of an upload against the one shape a sealed licence has, before any parser sees them.

Plan (each broken rule is one finding with a stable reason; reading stops at the first):

1. Header, last lines, one cross-reference section a revision (sections.py); nothing stands behind.
2. The first revision's table names exactly the objects that exist; they tile it without a gap.
3. No dictionary repeats a key, no forbidden name occurs, every object is in use, one file is attached.
4. The signature fields, reached from the catalogue: one, certified against every change; or several, the first
   certified for further signatures, the others prepared and empty, the last one locking everything.
5. ByteRange is four canonical integers, its gap is exactly that signature's Contents, the rest of its revision is
   covered. Contents is one DER value in lower-case digits, padded with zeros (ranges.py).
6. Every later revision is one update of ours: the next seal, evidence or an archive timestamp (revisions.py).

Whatever the findings, `candidates` names each signature that the raw bytes show, so that a damaged file can
still be traced to its signer, and `traces` says whether the bytes show any sign of a signature at all.
Everything here runs in linear time and without recursion; nothing is decompressed.

Source: ISO 32000-2, 7.5 (file structure), 12.8 (signatures); the rules are narrower than the standard's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from elicense.pki.evidence import NO_EVIDENCE
from elicense.updates import LOCK, Tail, sealed_field
from elicense.verification import alike
from elicense.verification.facts import Finding, RevisionFacts
from elicense.verification.pdf import (
    FORBIDDEN,
    MAX_TOKENS,
    Hex,
    IndirectObject,
    Inventory,
    Reference,
    Violation,
    read_text,
    read_value,
)
from elicense.verification.ranges import read_claimed_time, read_range
from elicense.verification.revisions import Extensible, read_revisions
from elicense.verification.scan import Candidate, find_candidates, has_traces
from elicense.verification.sections import HEADER, read_sections, skip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elicense.pki.evidence import Evidence
    from elicense.verification.frames import Frame
    from elicense.verification.pdf import Value
    from elicense.verification.revisions import Later
    from elicense.verification.sections import Section

ATTACHMENT = "licence.json"
"""The only file a licence carries."""

MAX_SEALS = 16
"""Authorities that may seal one document."""

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

_FIELD_KEYS = frozenset((
    "Type", "Subtype", "FT", "T", "TU", "F", "P", "Rect", "AP", "StructParent", "Lock",
))  # fmt: skip
_IDENTIFIER = re.compile(rb"/ID ?(\[ ?<[0-9A-Fa-f]*> ?<[0-9A-Fa-f]*> ?\])")
_OBJECT_END = re.compile(rb"[\t\n\r ]*endobj\r?\n")
_STREAM_START = re.compile(rb"[\t\n\r ]*stream\r?\n")
_STREAM_END = re.compile(rb"(?:\r?\n)?endstream\r?\nendobj\r?\n")


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
    evidence: Evidence = NO_EVIDENCE
    """What the document's DSS holds."""
    extensible: Extensible | None = None
    """What whoever extends the file must know; None if there are findings."""


def read_structure(data: bytes, frame: Frame | None = None) -> Structure:
    """Return what the raw bytes show; never raises for what they hold.

    Args:
        data: The whole file.
        frame: What it begins with, if that was read before; the answer is the same without it.
    """
    reader = _Reader(data, frame)
    findings: tuple[Finding, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    later: Later | None = None
    try:
        seal, sections, state = reader.read()
        # A finding behind the first revision does not hide whose the first seal is.
        candidates = (seal,)
        later = read_revisions(data, sections[1:], state, reader.met)
        candidates = (seal, *later.candidates)
    except Violation as violation:
        findings = (finding_of(violation.reason, violation),)
        candidates = (*candidates, *find_candidates(data, known=candidates))
    return Structure(
        size=len(data),
        findings=findings,
        traces=not findings or has_traces(data),
        candidates=candidates,
        objects=reader.objects,
        root=reader.root,
        document_id=reader.document_id,
        revisions=(RevisionFacts(0, sections[0].end), *later.revisions) if later else (),
        evidence=later.evidence if later else NO_EVIDENCE,
        extensible=later.state if later else None,
    )


def finding_of(reason: str, violation: Violation) -> Finding:
    """Return the violation as a finding, for this reason, of the check that answers for such reasons."""
    check = {"format": 1, "limit": 1, "byte_range": 2, "changes": 3}[reason.partition(".")[0]]
    return Finding(check, reason, violation.offset, violation.detail)


class _Reader:
    """Reads a first revision by the plan; `objects`, `root`, `document_id` keep what was read before a Violation."""

    def __init__(self, data: bytes, frame: Frame | None) -> None:
        self.data = data
        self.frame = frame
        self.objects: dict[int, IndirectObject] = {}
        self.root = 0
        self.information: tuple[int, ...] = ()
        self.identifier = b""
        self.document_id = ""
        self.met = Inventory(MAX_TOKENS)

    def read(self) -> tuple[Candidate, tuple[Section, ...], Extensible]:
        """Return the first seal, all sections, and the state after the first. Raises Violation."""
        sections = read_sections(self.data, self.met)
        first = sections[0]
        self._trailer(first)
        self._objects(first)
        self._contents()
        catalogue = self._dictionary(Reference(self.root, 0))
        self._attachment(catalogue)
        form = self._form(catalogue)
        fields = self._fields(form)
        seal = self._seal(catalogue, fields)
        byte_range = read_range(self.data, seal, first.end)
        claimed = read_text(self._resolve(_entries(seal).get("M")), self.data)
        candidate = Candidate(
            self._name(fields[0]), byte_range, declared=True, claimed_time=read_claimed_time(claimed or ""),
            permission=2 if len(fields) > 1 else 1,
        )  # fmt: skip
        return candidate, sections, self._state(first, catalogue, fields)

    def _state(self, first: Section, catalogue: dict[str, Value], fields: list[int]) -> Extensible:
        """Return what an update must know of the first revision."""
        form = catalogue.get("AcroForm")
        holder = form.number if isinstance(form, Reference) else self.root
        information = self.information[0] if self.information else 0
        size = len(first.offsets) + 1
        tail = Tail(first.end, first.xref, size, self.root, information, self.identifier)
        prepared = tuple((number, self._body(number)) for number in fields[1:])
        names = tuple(self._name(number) for number in fields[1:])
        return Extensible(tail, self._body(self.root), holder, self._body(holder), prepared, names)

    def _body(self, number: int) -> bytes:
        start, end = self.objects[number].body
        return self.data[start:end]

    def _name(self, field: int) -> str:
        return read_text(self._resolve(_entries(self.objects[field]).get("T")), self.data) or ""

    # 2

    def _objects(self, first: Section) -> None:
        """Every object stands in `objects`; header, objects and table tile the revision."""
        header = HEADER.match(self.data)
        position = header.end() if header else 0
        places = sorted(first.offsets)
        if self.frame and tuple(places[: len(self.frame.places)]) == self.frame.places:
            self.objects.update(self.frame.objects)
            self.met.tokens -= self.frame.tokens
            position, places = len(self.frame.prefix), places[len(self.frame.places) :]
        for (offset, number), (behind, _) in zip(places, (*places[1:], (first.xref, 0)), strict=True):
            if offset != position:
                raise Violation("format.layout", min(offset, position), "objects do not tile the file")
            found = self._known(number, offset, behind) or self._object(number, offset, first.xref)
            self.objects[number] = found
            position = found.end
        if position != first.xref:
            raise Violation("format.layout", position, "bytes before the cross-reference table")

    def _trailer(self, first: Section) -> None:
        """`root` and `document_id` are known; the trailer says nothing else."""
        trailer, offset = first.trailer, first.trailer_at
        if "Encrypt" in trailer:
            raise Violation("format.encrypted", offset)
        root, identifier = trailer.get("Root"), trailer.get("ID")
        known = not trailer.keys() - _TRAILER_KEYS and _is_integer(
            trailer.get("Size"), len(first.offsets) + 1
        )
        if not first.whole or not known or not isinstance(root, Reference):
            raise Violation("format.layout", offset, "trailer entries")
        information = trailer.get("Info")
        self.root = root.number
        self.information = (information.number,) if isinstance(information, Reference) else ()
        if isinstance(identifier, list) and len(identifier) == 2:
            head = identifier[0]
            raw = head.decode(self.data) if isinstance(head, Hex) else head
            self.document_id = raw.hex() if isinstance(raw, bytes) else ""
            written = _IDENTIFIER.search(self.data, offset, first.end)
            self.identifier = written[1] if written else b""

    def _known(self, number: int, offset: int, behind: int) -> IndirectObject | None:
        """Return the object that ends where the next one begins, if one like it was read before."""
        taken = alike.take(self.data, number, offset, behind)
        if taken is None:
            return None
        found, tokens = taken
        self.met.tokens -= tokens
        if self.met.tokens < 0:
            raise Violation("limit.complexity", offset)
        return found

    def _object(self, number: int, offset: int, limit: int) -> IndirectObject:
        """Return the object at `offset`, read to behind its `endobj`."""
        data = self.data
        opening = b"%d 0 obj" % number
        if not data.startswith(opening, offset):
            raise Violation("format.layout", offset, "no object where the table says")
        start = skip(data, offset + len(opening))
        met = Inventory(self.met.tokens)
        value, end = read_value(data, start, limit, met)
        tokens, self.met.tokens = self.met.tokens - met.tokens, met.tokens
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
        found = IndirectObject(
            value,
            offset,
            closing.end(),
            body=(start, end),
            stream=stream,
            references=frozenset(met.references),
            names=frozenset(met.names),
        )
        alike.keep(data, found, tokens)
        return found

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
        if any(embedded.get(key, embedded.get("F")) != Reference(streams[0], 0) for key in ("F", "UF")):
            raise Violation("format.attachment", self.objects[files[0]].start, "attached file's stream")
        tree = self._dictionary(catalogue.get("Names") or {})
        if tree.keys() - {"EmbeddedFiles"}:
            raise Violation("format.attachment", None, "name trees")
        if tree:
            leaves = self._resolve(self._dictionary(tree["EmbeddedFiles"]).get("Names"))
            if not isinstance(leaves, list) or len(leaves) != 2 or leaves[1] != Reference(files[0], 0):
                raise Violation("format.attachment", None, "name tree of attached files")

    # 4

    def _form(self, catalogue: dict[str, Value]) -> dict[str, Value]:
        if catalogue.keys() - _CATALOGUE_KEYS or catalogue.get("Type") != "Catalog":
            raise Violation("format.layout", self.objects[self.root].start, "catalogue entries")
        return self._dictionary(catalogue.get("AcroForm") or {})

    def _fields(self, form: dict[str, Value]) -> list[int]:
        """Return the object numbers of the form's fields in order; all are signature fields, all but one prepared."""
        fields = self._resolve(form.get("Fields"))
        if not isinstance(fields, list) or not fields or not _is_integer(form.get("SigFlags"), 3):
            raise Violation("format.seal_field", None, "no form field")
        numbers = [one.number for one in fields if isinstance(one, Reference)]
        if len(numbers) != len(fields) or len(set(numbers)) != len(fields) or len(fields) > MAX_SEALS:
            raise Violation("format.seal_field", None, "form fields")
        widgets = {n for n, found in self.objects.items() if "Widget" in found.names}
        if widgets != set(numbers):
            raise Violation("format.seal_field", None, "more than the seals' form fields")
        self._annotations(numbers)
        for number in numbers[1:]:
            self._prepared(number, last=number == numbers[-1])
        names = {self._name(number) for number in numbers}
        if len(names) != len(numbers):
            raise Violation("format.seal_field", None, "fields of one name")
        return numbers

    def _prepared(self, number: int, *, last: bool) -> None:
        """The field is empty and says nothing but where its seal will stand; only the last one locks."""
        found = self.objects[number]
        field = _entries(found)
        lock = field.get("Lock")
        locks = (
            isinstance(lock, Reference) and lock.number in self.objects and self._body(lock.number) == LOCK
        )
        if (
            field.get("FT") != "Sig"
            or field.keys() - _FIELD_KEYS
            or ("Lock" in field) != last
            or locks != last
        ):
            raise Violation("format.seal_field", found.start, "a field that is not prepared for a seal")
        try:
            sealed_field(self._body(number), appearance=number, value=number)
        except ValueError as error:
            raise Violation("format.seal_field", found.start, "a field without one appearance") from error

    def _annotations(self, seals: list[int]) -> None:
        """The seals are the only annotations of any page, each of them one, on one page."""
        met: list[Value] = []
        for found in self.objects.values():
            if "Annots" in found.names:
                annotations = self._resolve(_entries(found).get("Annots"))
                if not isinstance(annotations, list):
                    raise Violation("format.seal_field", found.start, "annotations")
                # One list may be named by every page; it is looked at no more often than seals go into it.
                met += annotations[: len(seals) + 1]
                if len(met) > len(seals):
                    break
        allowed: list[Value] = [Reference(number, 0) for number in seals]
        if any(one not in allowed for one in met) or len(met) > len(seals):
            raise Violation("format.seal_field", None, "an annotation that is not a seal")

    def _seal(self, catalogue: dict[str, Value], fields: list[int]) -> IndirectObject:
        """Return the first seal; it certifies the document, against every change if there is no other field."""
        field = self._dictionary(Reference(fields[0], 0))
        target = field.get("V")
        if field.get("FT") != "Sig" or "Kids" in field or not isinstance(target, Reference):
            raise Violation("format.seal_field", None, "field is no signature field with a value")
        if any("ByteRange" in o.names and n != target.number for n, o in self.objects.items()):
            raise Violation("format.seal_field", None, "more than one signature")
        signature = self._dictionary(target)
        own = {"Type": "Sig", "Filter": "Adobe.PPKLite", "SubFilter": "ETSI.CAdES.detached"}
        if signature.keys() - _SEAL_KEYS or any(signature.get(key) != value for key, value in own.items()):
            raise Violation("format.seal_field", self.objects[target.number].start, "signature's entries")
        permissions = self._dictionary(catalogue.get("Perms") or {})
        wanted = 1 if len(fields) == 1 else 2
        if permissions != {"DocMDP": target} or not self._certifies(signature, wanted):
            raise Violation("format.certification", self.objects[target.number].start)
        return self.objects[target.number]

    def _certifies(self, signature: dict[str, Value], permission: int) -> bool:
        """Return whether the signature permits exactly this (DocMDP P): 1 nothing, 2 the prepared seals."""
        references = self._resolve(signature.get("Reference"))
        if not isinstance(references, list) or len(references) != 1:
            return False
        reference = self._dictionary(references[0])
        parameters = self._dictionary(reference.get("TransformParams") or {})
        return reference.get("TransformMethod") == "DocMDP" and _is_integer(parameters.get("P"), permission)

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


def _entries(found: IndirectObject) -> dict[str, Value]:
    """Return the object's entries, none if it is no dictionary."""
    return found.value if isinstance(found.value, dict) else {}
