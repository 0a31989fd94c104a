"""The raw bytes of any signed PDF, by anybody, before any parser sees them: the reader behind the policy `general`.

Plan (reading stops at the first broken rule):

1. `%PDF-` stands within the first 1,024 bytes; `startxref` and `%%EOF` end the file; nothing is encrypted.
2. The chain of cross-references is read from the end: tables, streams, object streams, linearized files.
3. Every signed field of the newest revision: ByteRange is four integers from 0, its gap exactly the signature's own
   Contents. Every other ByteRange in the bytes is data inside a stream, or a usage right of a form.
4. The file is cut into revisions. The first reaches to the end of what the first signature covers. From there on each
   begins where the one before ended, holds exactly one cross-reference and the objects that it names, and nothing
   else; each signature covers the file up to the end of one revision, no two up to the same.
5. Each later revision is compared with the one before (general_compare.py), and each signature must be reached in the
   revision it signs, the same object.

What is covered by the first signature is the first signer's: there, what this reader cannot follow is
`format.unsupported`, never a proof of anything. Everything here runs in linear time, without recursion, inside limits.

Source: ISO 32000-2, 7.5 (file structure), 12.8 (signatures); text read in secondary sources.
"""

from __future__ import annotations

import bisect
import itertools
import re
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from elicense.pki.evidence import NO_EVIDENCE, Evidence
from elicense.verification.facts import Change, RevisionFacts
from elicense.verification.general_compare import Comparison
from elicense.verification.general_fields import (
    Signature,
    describe,
    read_signatures,
    walk_fields,
)
from elicense.verification.general_names import LARGE, find_names, large_streams, list_places
from elicense.verification.general_roles import learn, number_of
from elicense.verification.handing import whole
from elicense.verification.objects import SKIP, Object
from elicense.verification.pdf import Reference, Violation
from elicense.verification.scan import DECLARED, MOST_RANGES, Candidate, find_candidates, has_traces
from elicense.verification.structure import Structure, finding_of
from elicense.verification.xref import PACKED, PLAIN, Document, Section, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from elicense.verification.facts import Finding
    from elicense.verification.general_fields import Node
    from elicense.verification.handing import Octets
    from elicense.verification.xref import Entry

UNDECIDED = frozenset(("format.unsupported", "format.removed_signature", "limit.complexity"))
"""Reasons that prove nothing, whoever signed: such a file may be perfectly honest."""
MOST_SIGNATURES = 1_000
"""Signatures of one file."""
MOST_JUDGED = 1_000_000
"""Signatures times revisions and their changes: each signature is asked, and reported, about each."""
_MOST_EVIDENCE = 4_000
"""Certificates and pieces of revocation data in a file."""

_BLANK = rb"[\x00\t\n\x0c\r ]"
_END = re.compile(rb"startxref" + _BLANK + rb"{1,32}([0-9]{1,12})" + _BLANK + rb"{1,32}%%EOF")
_LAST = re.compile(_END.pattern + rb"(?:\r\n|\n|\r)?\Z")
_LAST_COVERED = re.compile(_END.pattern + _BLANK + rb"{0,512}\Z")
_LINE_END = re.compile(rb"(?:\r\n|\n|\r)?")
_BLANKS = re.compile(_BLANK + rb"*+")
_WINDOW = 640
_SOFT = frozenset(("format.token", "format.nesting", "format.layout"))
"""Reasons that say nothing about a file whose first signature covers where they show."""


def read_general(data: Octets) -> Structure:
    """Return what the raw bytes of any PDF show; never raises for what they hold.

    Without findings, `candidates` are its signatures and document timestamps in the order of what they cover, and
    `revisions` say what each later revision changed; otherwise the candidates are what scanning finds besides.
    `objects` stays empty.
    """
    reader = _Reader(data)
    try:
        candidates = reader.read()
    except Violation as violation:
        finding = _finding(violation, reader.signed_until)
        known = {candidate.byte_range for candidate in reader.candidates}
        read = whole(data)
        scanned = [found for found in find_candidates(read) if found.byte_range not in known]
        candidates = (*reader.candidates, *scanned)
        return Structure(len(data), (finding,), has_traces(read), candidates, {}, 0, reader.document_id)
    return Structure(
        size=len(data),
        findings=(),
        traces=True,
        candidates=candidates,
        objects={},
        root=reader.root,
        document_id=reader.document_id,
        revisions=tuple(reader.revisions),
        evidence=reader.evidence,
    )


def _finding(violation: Violation, signed_until: int) -> Finding:
    reason, offset = violation.reason, violation.offset
    if reason in _SOFT and (offset is None or offset < signed_until):
        reason = "format.unsupported"
    return finding_of(reason, violation)


class _Reader:
    """Reads one file by the plan; its attributes keep what was read before a Violation."""

    def __init__(self, data: Octets) -> None:
        self.data = data
        self.document = Document(data)
        self.root = 0
        self.document_id = ""
        self.revisions: list[RevisionFacts] = []
        self.candidates: list[Candidate] = []
        self.evidence: Evidence = NO_EVIDENCE
        self.tail = 0
        self.covered: set[int] = set()
        self.gathered: dict[str, dict[int, bytes]] = {"Certs": {}, "CRLs": {}, "OCSPs": {}}

    @cached_property
    def declared(self) -> list[int]:
        """Where the byte ranges end that the bytes seem to declare; only a file that breaks a rule is asked."""
        found = islice(DECLARED.finditer(self.data), MOST_RANGES)
        return [sum(map(int, match.groups()[2:])) for match in found]

    @property
    def signed_until(self) -> int:
        """Where the first of them ends, within the file."""
        size = len(self.data)
        return min((end for end in self.declared if end <= size), default=size)

    def read(self) -> tuple[Candidate, ...]:
        """Return the signatures of a file that keeps every rule. Raises Violation at the first broken one."""
        newest_at = self._frame()
        chain = self.document.chain(newest_at, self.tail)
        newest = View(self.document, chain)
        self.root = newest.root.number
        self._identify(chain[0])
        catalogue = newest.dictionary(newest.root)
        form = newest.dictionary(catalogue.get("AcroForm"))
        nodes = walk_fields(newest, newest.array(form.get("Fields")))
        signatures = read_signatures(newest, nodes, len(self.data))
        if len(signatures) > MOST_SIGNATURES:
            raise Violation("limit.complexity", None, "signatures")
        self.candidates = [describe(newest, s, -1, lambda: ()) for s in signatures]
        self._others(newest, chain, signatures)
        if not signatures:
            raise Violation("format.unsigned")
        ends = self._cut(chain, signatures)
        if len(ends) == 1:
            self.candidates = [describe(newest, signatures[0], 0, _names(nodes))]
            self.revisions = [RevisionFacts(0, ends[0])]
            self._gather(newest)
        else:
            self._follow(chain, ends, signatures, newest)
        self.evidence = Evidence(*(tuple(found.values()) for found in self.gathered.values()))
        return tuple(self.candidates)

    # 1

    def _frame(self) -> int:
        """Return the offset that the file's last lines name."""
        data = self.data
        if not data:
            raise Violation("format.empty")
        if data.find(b"%PDF-", 0, 1024) < 0:
            raise Violation("format.not_pdf")
        start = max(0, len(data) - _WINDOW)
        last = _LAST.search(data, start) or self._covered_tail(start)
        if last:
            self.tail = last.start()
            return int(last[1])
        some = _END.search(data)
        if some is None:
            raise Violation("format.cut", len(data), "the file has no end")
        signed = self.signed_until if self.signed_until < len(data) else 0
        raise Violation("format.after_end", max(some.end(), signed))

    def _covered_tail(self, start: int) -> re.Match[bytes] | None:
        """Return the end of a file whose last signature covers blanks behind it."""
        last = _LAST_COVERED.search(self.data, start)
        if last is None:
            return None
        return last if len(self.data) in self.declared else None

    def _identify(self, section: Section) -> None:
        identifier = section.trailer.get("ID")
        if isinstance(identifier, list) and identifier and isinstance(identifier[0], bytes):
            self.document_id = identifier[0].hex()

    # 3

    def _others(self, newest: View, chain: list[Section], signatures: list[Signature]) -> None:
        """Every ByteRange in the bytes is that of one of the signatures, or no signature at all."""
        spans = sorted((s.parsed.start, s.parsed.end) for s in signatures)
        large: list[tuple[int, int]] = []
        if len(self.data) >= LARGE:
            places = list_places(chain)
            large = large_streams(newest, places, {s.number for s in signatures}, spans)
        hits = find_names(self.data, large)
        for start, end in spans:
            if end < 0:
                raise Violation("format.layout", start, "a signature's object that is not closed")
            if bisect.bisect_left(hits, end) - bisect.bisect_left(hits, start) != 1:
                raise Violation("byte_range.shape", start, "not exactly one byte range in a signature")
        begins = [start for start, _ in spans]
        rest = [hit for hit in hits if not self._inside(hit, begins, spans)]
        if rest:
            self._explain(rest, newest, chain, min((s.end for s in signatures), default=0))

    @staticmethod
    def _inside(hit: int, begins: list[int], spans: list[tuple[int, int]]) -> bool:
        at = bisect.bisect_right(begins, hit) - 1
        return at >= 0 and hit < spans[at][1]

    def _explain(self, hits: list[int], newest: View, chain: list[Section], first_end: int) -> None:
        """Return if all these are data inside streams, or belong to usage rights. Raises Violation otherwise."""
        rights = newest.dictionary(newest.dictionary(newest.root).get("Perms"))
        allowed = {number_of(rights.get(key)) for key in ("UR", "UR3")} - {0}
        places = list_places(chain)
        offsets = [place for place, _ in places]
        for hit in hits:
            at = bisect.bisect_right(offsets, hit) - 1
            if at < 0:
                raise Violation("format.seal_field", hit, "a byte range outside every object")
            place, number = places[at]
            entry = newest.entries.get(number)
            current = entry is not None and (entry.kind, entry.place) == (PLAIN, place)
            found = newest.load(number) if current else None
            if found is not None and found.stream and found.stream[0] <= hit < found.stream[1]:
                continue
            if current and number in allowed:
                continue
            if hit < first_end:
                raise Violation("format.removed_signature", hit)
            raise Violation("format.seal_field", hit, "a signature that no field shows")

    # 4

    def _cut(self, chain: list[Section], signatures: list[Signature]) -> list[int]:
        """Return the end of each revision, the first signed one first.

        Raises Violation if the later ones do not follow each other without a gap, or a signature ends anywhere else.
        """
        self.covered = covered = {signature.end for signature in signatures}
        if len(covered) != len(signatures):
            raise Violation("byte_range.coverage", None, "two signatures cover the same bytes")
        first = min(covered)
        for end in covered:
            if not _LAST_COVERED.search(self.data[max(0, end - _WINDOW) : end]):
                raise Violation("byte_range.coverage", end, "a signature does not reach a revision's end")
        end = self._end_of(self.tail)
        ends = [end]
        for section, older in itertools.pairwise(chain):
            if end <= first:
                break
            self._check_section(section)
            end = self._end_before(section, older, first, end)
            ends.append(end)
        if covered - set(ends) or end != first:
            raise Violation("byte_range.coverage", first, "a signature does not reach a revision's end")
        # The section that completes the first signed revision must say one thing to every reader.
        last = chain[len(ends) - 1]
        if last.hybrid or last.repeats:
            raise Violation("format.unsupported", first, "a cross-reference that can be read in two ways")
        return ends[::-1]

    def _end_before(self, section: Section, older: Section, first: int, end: int) -> int:
        """Return where the revision before `section`'s ended: right before the first thing that is in `section`'s."""
        # What was there before may be named again; nothing of this revision stands before the older section.
        since = max(first, older.start)
        places = [e.place for e in section.entries.values() if e.kind == PLAIN and e.place >= since]
        low = min([*places, section.start])
        mark = self.data.rfind(b"%%EOF", 0, low)
        begin = self.data.rfind(b"startxref", max(0, mark - 80), max(mark, 0))
        match = _END.match(self.data, begin) if begin >= 0 else None
        if low >= end or match is None or match.end() != mark + 5:
            raise Violation("changes.revision", end, "a revision does not begin where the one before ended")
        named = int(match[1]) + self.document.shift
        if named != older.start and not self._near(named, older.start):
            raise Violation("changes.revision", begin, "a revision continues another than the one before")
        before = self._end_of(begin)
        skipped = SKIP.match(self.data, before)
        if skipped is None or skipped.end() < low or before > low:
            raise Violation("changes.revision", before, "bytes between two revisions")
        return before

    def _near(self, place: int, start: int) -> bool:
        """Return whether only white space stands between an offset and the section it names."""
        return 0 <= start - place <= 64 and not self.data[place:start].strip(b"\x00\t\n\x0c\r ")

    def _end_of(self, startxref: int) -> int:
        """Return where the revision ends that this startxref belongs to: before or behind its line end."""
        match = _END.match(self.data, startxref)
        assert match is not None
        bare = match.end()
        line = _LINE_END.match(self.data, bare)
        blanks = _BLANKS.match(self.data, bare)
        assert line is not None
        assert blanks is not None
        if bare in self.covered:
            return bare
        beyond = [
            end for end in range(line.end() + 1, min(blanks.end(), bare + 512) + 1) if end in self.covered
        ]
        return max(beyond, default=line.end())

    @staticmethod
    def _check_section(section: Section) -> None:
        if section.hybrid:
            raise Violation("format.unsupported", section.start, "hybrid cross-reference")
        if section.repeats:
            raise Violation("changes.revision", section.start, "a cross-reference that names an object twice")

    def _tile(self, section: Section, view: View, before: Mapping[int, Entry], span: tuple[int, int]) -> None:
        """The objects that a section names lie in its revision one behind the other. Raises Violation otherwise.

        `before` holds what the numbers that it names meant in the revision before.
        """
        start, end = span
        places: list[tuple[int, int]] = []
        for number, entry in section.entries.items():
            pack = section.entries.get(entry.place)
            if entry.kind == PACKED and before.get(number) != entry and (pack is None or pack.kind != PLAIN):
                raise Violation("changes.revision", section.start, "an object out of an older object stream")
            if entry.kind != PLAIN or (entry.place < start and before.get(number) == entry):
                continue  # what was there before may be named again
            places.append((entry.place, number))
        if not any(number == section.stream and place == section.start for place, number in places):
            places.append((section.start, -1))
        position = start
        for place, number in sorted(places):
            skipped = SKIP.match(self.data, position)
            if place < position or skipped is None or skipped.end() < place:
                raise Violation("changes.revision", position, "bytes that no cross-reference names")
            position = self._end_of_object(section, view, place, number)
        tail = SKIP.match(self.data, position)
        match = _END.match(self.data, tail.end() if tail else position)
        if match is None or self._end_of(match.start()) != end:
            raise Violation("changes.revision", position, "bytes behind a cross-reference")

    @staticmethod
    def _end_of_object(section: Section, view: View, place: int, number: int) -> int:
        if place == section.start:
            if section.stream and section.end < 0:
                raise Violation("changes.revision", place, "an object that is not closed")
            return section.end
        found = view.load(number)
        if found is None or found.end < 0 or found.start != place:
            raise Violation("changes.revision", place, "an object that is not closed")
        return found.end

    # 5

    def _follow(
        self, chain: list[Section], ends: list[int], signatures: list[Signature], newest: View
    ) -> None:
        """Compare each later revision with the one before, and find each signature in the one it signs."""
        later = len(ends) - 1
        view = View(self.document, chain[later:])
        try:
            roles = learn(view, chain[later].trailer.get("Info"))
        except Violation as violation:
            if violation.reason == "format.duplicate_key":
                raise Violation("format.unsupported", violation.offset, "a key given twice") from violation
            raise
        comparison = Comparison(view, roles, chain[later].trailer)
        by_end = {signature.end: signature for signature in signatures}
        found: list[Candidate] = []
        for index, end in enumerate(ends):
            changes: tuple[Change, ...] = ()
            start = ends[index - 1] if index else 0
            if index:
                section = chain[later - index]
                before = {n: view.entries[n] for n in section.entries if n in view.entries}
                changes = self._later(comparison, section, before, (start, end))
            if index == 0 or any(change.kind == "evidence" for change in changes):
                self._gather(view)
            self.revisions.append(RevisionFacts(start, end, changes))
            signature = by_end.get(end)
            expected = {signature.number} if signature else set()
            same_place = all(view.entries.get(number) == newest.entries.get(number) for number in expected)
            if comparison.step.signatures != expected or not same_place:
                raise Violation("format.seal_field", None, "a signature that is not in the revision it signs")
            if signature:
                found.append(describe(view, signature, index, _names(roles.nodes.values())))
        if len(found) * sum(1 + len(one.changes) for one in self.revisions) > MOST_JUDGED:
            raise Violation("limit.complexity", None, "signatures and changes")
        self.candidates = found

    def _later(
        self, comparison: Comparison, section: Section, before: Mapping[int, Entry], span: tuple[int, int]
    ) -> tuple[Change, ...]:
        """Return the changes of one later revision, which is nothing but what its cross-reference names."""
        try:
            changes = comparison.apply(section)
            self._tile(section, comparison.view, before, span)
        except Violation as violation:
            if violation.reason in _SOFT:
                raise Violation("changes.revision", violation.offset, violation.detail) from violation
            raise
        return changes

    def _gather(self, view: View) -> None:
        """Keep the certificates and revocation data of the view's DSS; what cannot be decoded is left out."""
        dss = view.dictionary(view.dictionary(view.root).get("DSS"))
        sources: list[dict[str, Object]] = [dss]
        sources += [view.dictionary(item) for item in view.dictionary(dss.get("VRI")).values()]
        for key, single in (("Certs", "Cert"), ("CRLs", "CRL"), ("OCSPs", "OCSP")):
            for source in sources:
                for item in view.array(source.get(key if source is dss else single)):
                    self._keep(view, key, item)

    def _keep(self, view: View, key: str, item: Object) -> None:
        self.document.budget.take_token(0, 0)  # each revision may list all of them once more
        kept = self.gathered[key]
        found = view.load(item.number, item.generation) if isinstance(item, Reference) else None
        if found is None or found.start in kept:
            return
        if sum(map(len, self.gathered.values())) >= _MOST_EVIDENCE:
            raise Violation("limit.complexity", found.start, "validation data")
        try:
            kept[found.start] = view.data_of(found.number)
        except Violation as violation:
            if violation.reason != "format.unsupported":
                raise


def _names(nodes: Iterable[Node]) -> Callable[[], list[str]]:
    """Return how to list the fields' names: most signatures need no list."""
    return lambda: [node.name for node in nodes if node.field is None and not node.parent]
