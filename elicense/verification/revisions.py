"""The revisions behind the first one: each is exactly one update of ours (elicense/updates.py), or forbidden.

Plan, for each later revision in turn:

1. Its bytes are those that `write_update` makes of its objects: no gap, nothing unlisted, no other spelling.
2. What it redefines decides what it may be: the next prepared field a seal, the catalogue evidence or a timestamp.
3. Each of its objects is what `updates` makes of the same parts, so nothing else can hide in it.
4. A seal's or timestamp's byte range is everything up to the end of its own revision but its own gap.

Seals come first, in the order of the prepared fields; behind the first evidence or timestamp no seal may follow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from elicense import updates
from elicense.pki.evidence import NO_EVIDENCE, Evidence
from elicense.verification import der
from elicense.verification.facts import Change, RevisionFacts
from elicense.verification.pdf import FORBIDDEN, Hex, Inventory, Reference, Violation, read_text, read_value
from elicense.verification.ranges import check_gap, read_claimed_time
from elicense.verification.scan import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from elicense.updates import Tail
    from elicense.verification.pdf import Value
    from elicense.verification.sections import Section

_DECLARED = re.compile(rb"/ByteRange \[0 ([0-9]{10}) ([0-9]{10}) ([0-9]{10})\]")
_DSS = re.compile(rb"/DSS ([1-9][0-9]{0,9}) 0 R>>\Z")
_APPEARANCE = re.compile(rb"/AP<</N ([1-9][0-9]{0,9}) 0 R>>")
_KINDS = ("certificates", "revocation lists", "OCSP answers")
_VALUE = re.compile(rb"/V ([1-9][0-9]{0,9}) 0 R>>\Z")


@dataclass(frozen=True, slots=True)
class Extensible:
    """What whoever extends the file must know of its present state; bodies are the bytes inside `obj` and `endobj`."""

    tail: Tail
    """Where and with which numbers the next update goes on."""
    catalogue: bytes
    """Body of the catalogue, object `tail.root`."""
    form: int
    """Object number of what holds the form's Fields: the catalogue, or the form it refers to."""
    form_body: bytes
    """Body of that object."""
    prepared: tuple[tuple[int, bytes], ...] = ()
    """(object number, body) of the fields still to be sealed, in order."""
    fields: tuple[str, ...] = ()
    """Their names."""
    evidence: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] = ((), (), ())
    """Object numbers of the certificates, revocation lists and OCSP answers in the DSS."""
    timestamps: int = 0
    """How many archive timestamps there are."""


@dataclass(frozen=True, slots=True)
class Later:
    """What stands behind the first revision."""

    candidates: tuple[Candidate, ...]
    """Further seals and the archive timestamps, in order."""
    revisions: tuple[RevisionFacts, ...]
    """One for each."""
    evidence: Evidence
    """What the DSS holds."""
    state: Extensible
    """The file as it is now."""


def read_revisions(data: bytes, sections: Iterable[Section], state: Extensible, met: Inventory) -> Later:
    """Return what the sections behind the first show.

    Args:
        data: the whole file.
        sections: all but the first.
        state: the file as the first revision leaves it.
        met: counts tokens.

    Raises Violation: changes.revision, byte_range.* or limit.complexity.
    """
    walk = _Walk(data, state, met)
    for number, section in enumerate(sections, 1):
        walk.take(number, section)
    return Later(tuple(walk.candidates), tuple(walk.revisions), walk.data_found, walk.state)


def _refused(offset: int, detail: str) -> Violation:
    return Violation("changes.revision", offset, detail)


class _Walk:
    """Takes one revision after the other; `state` is the file as the last one left it."""

    def __init__(self, data: bytes, state: Extensible, met: Inventory) -> None:
        self.data = data
        self.state = state
        self.met = met
        self.candidates: list[Candidate] = []
        self.revisions: list[RevisionFacts] = []
        self.data_found = NO_EVIDENCE
        self.places: dict[int, int] = {}

    def take(self, number: int, section: Section) -> None:
        """`section` is the next revision. Raises Violation if it is no update of ours that may stand here."""
        self.places = {named: offset for offset, named in section.offsets}
        bodies = self._bodies(section)
        tail = self.state.tail
        if updates.write_update(tail, bodies) != self.data[section.start : section.end]:
            raise _refused(section.start, "bytes that are no update of ours")
        new = sorted(object_number for object_number in bodies if object_number >= tail.size)
        if new != list(range(tail.size, tail.size + len(new))):
            raise _refused(section.start, "object numbers")
        self.state = replace(
            self.state, tail=replace(tail, end=section.end, xref=section.xref, size=tail.size + len(new))
        )
        redefined = bodies.keys() - set(new)
        prepared = self.state.prepared
        # A stray `Violation` of the reader is one of this revision: what cannot be read was not written by us.
        try:
            if prepared and redefined == {prepared[0][0]}:
                change = self._seal(number, section, bodies)
            elif redefined == {tail.root} and self._is_evidence(bodies[tail.root]):
                change = self._evidence(section, bodies)
            elif redefined == {self.state.form}:
                change = self._timestamp(number, section, bodies)
            else:
                raise _refused(section.start, "objects redefined that nobody may redefine")
        except Violation as violation:
            if violation.reason.startswith("format."):
                raise _refused(section.start, violation.detail) from violation
            raise
        self.revisions.append(RevisionFacts(section.start, section.end, (change,)))

    def _bodies(self, section: Section) -> dict[int, bytes]:
        """Return object number -> body; what is not in order makes bytes that write_update does not."""
        places = sorted(section.offsets)
        if not places:
            raise _refused(section.start, "a revision without objects")
        ends = [offset for offset, _ in places[1:]] + [section.xref]
        return {
            number: self.data[offset + len(b"%d 0 obj\n" % number) : max(end - len(b"\nendobj\n"), offset)]
            for (offset, number), end in zip(places, ends, strict=True)
        }

    # --- Seal ---

    def _seal(self, number: int, section: Section, bodies: Mapping[int, bytes]) -> Change:
        field, before = self.state.prepared[0]
        last, name = len(self.state.prepared) == 1, self.state.fields[0]
        if self.state.timestamps or self.data_found is not NO_EVIDENCE:
            raise _refused(section.start, "a seal behind the archive's data")
        appearance, value = self._number(_APPEARANCE, bodies[field]), self._number(_VALUE, bodies[field])
        if bodies[field] != updates.sealed_field(before, appearance=appearance, value=value):
            raise _refused(section.start, "more than value and appearance of the field changed")
        candidate = self._signature(section, bodies, value, lambda claimed, capacity: updates.seal_value(
            claimed, capacity, locks=self.state.tail.root if last else 0
        ))  # fmt: skip
        self._require_appearance(section, bodies, appearance, {field, value})
        self.candidates.append(replace(candidate, field=name, revision=number))
        self.state = replace(self.state, prepared=self.state.prepared[1:], fields=self.state.fields[1:])
        return Change("seal", repr(name))

    def _require_appearance(
        self, section: Section, bodies: Mapping[int, bytes], appearance: int, others: set[int]
    ) -> None:
        """Every further object is in use by the appearance, which refers to nothing outside the revision."""
        waiting, reached = [appearance], {appearance}
        while waiting:
            number = waiting.pop()
            if number not in bodies or number in others:
                raise _refused(section.start, "the appearance refers to objects that are not its own")
            met = Inventory(self.met.tokens)
            value = self._value(section, number, met)
            self.met.tokens = met.tokens
            if met.names & FORBIDDEN or (isinstance(value, dict) and "F" in value):
                raise _refused(section.start, "the appearance holds what a licence never does")
            waiting += met.references - reached
            reached |= met.references
        if reached | others != set(bodies):
            raise _refused(section.start, "objects that nothing uses")

    # --- Evidence ---

    def _is_evidence(self, catalogue: bytes) -> bool:
        found = _DSS.search(catalogue)
        return found is not None and catalogue == updates.with_evidence(self.state.catalogue, int(found[1]))

    def _evidence(self, section: Section, bodies: Mapping[int, bytes]) -> Change:
        root = self.state.tail.root
        dss = self._number(_DSS, bodies[root])
        lists = self._lists(section, bodies, dss)
        before = self.state.evidence
        if any(now[: len(old)] != old for now, old in zip(lists, before, strict=True)):
            raise _refused(section.start, "validation data removed")
        fresh = [now[len(old) :] for now, old in zip(lists, before, strict=True)]
        streams = [number for numbers in fresh for number in numbers]
        if sorted([*streams, dss, root]) != sorted(bodies) or not streams:
            raise _refused(section.start, "objects that are no validation data")
        found = [tuple(self._der(section, bodies[number]) for number in numbers) for numbers in fresh]
        self.data_found = self.data_found.and_also(Evidence(*found))
        self._catalogue(bodies[root], evidence=lists)
        counted = ", ".join(f"{len(one)} {what}" for one, what in zip(found, _KINDS, strict=True) if one)
        return Change("evidence", counted)

    def _lists(
        self, section: Section, bodies: Mapping[int, bytes], dss: int
    ) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Return the three lists of stream numbers of the DSS dictionary, which has nothing else in it."""
        value = self._value(section, dss, self.met)
        entries = value if isinstance(value, dict) else {}
        certificates, crls, ocsps = (_numbers(entries.get(key, [])) for key in ("Certs", "CRLs", "OCSPs"))
        if bodies[dss] != updates.evidence(certificates, crls, ocsps):
            raise _refused(section.start, "the DSS dictionary")
        return certificates, crls, ocsps

    def _der(self, section: Section, body: bytes) -> bytes:
        """Return the one DER value in a stream of validation data."""
        encoded = body.partition(b"\nstream\n")[2].removesuffix(b"\nendstream")
        try:
            der.whole(encoded, der.SEQUENCE)
        except der.DerError as error:
            raise _refused(section.start, "validation data not in DER") from error
        if body != updates.data_stream(encoded):
            raise _refused(section.start, "a stream of validation data")
        return encoded

    # --- Timestamp ---

    def _timestamp(self, number: int, section: Section, bodies: Mapping[int, bytes]) -> Change:
        form = self.state.form
        name = updates.timestamp_name(self.state.timestamps + 1)
        found = [
            (field, self._number(_VALUE, body))
            for field, body in bodies.items()
            if field != form and body.startswith(b"<</FT/Sig")
        ]
        if len(found) != 1 or {form, *found[0]} != set(bodies):
            raise _refused(section.start, "objects that are no archive timestamp")
        ((field, value),) = found
        if bodies[field] != updates.timestamp_field(name, value):
            raise _refused(section.start, "the field of the archive timestamp")
        try:
            expected = updates.with_field(self.state.form_body, field)
        except ValueError as error:
            raise _refused(section.start, "form fields") from error
        if bodies[form] != expected:
            raise _refused(section.start, "more than one field more in the form")
        candidate = self._signature(
            section, bodies, value, lambda _, capacity: updates.timestamp_value(capacity)
        )
        self.candidates.append(
            replace(candidate, field=name, kind="timestamp", revision=number, subfilter="ETSI.RFC3161")
        )
        if form == self.state.tail.root:
            self._catalogue(expected)
        self.state = replace(self.state, form_body=expected, timestamps=self.state.timestamps + 1)
        return Change("timestamp", repr(name))

    # --- Small steps ---

    def _signature(
        self, section: Section, bodies: Mapping[int, bytes], number: int, make: Callable[[bytes, int], bytes]
    ) -> Candidate:
        """Return the signature in object `number`, made of nothing but what `make` makes."""
        value = self._value(section, number, self.met)
        entries = value if isinstance(value, dict) else {}
        contents, declared = entries.get("Contents"), _DECLARED.search(bodies[number])
        if not isinstance(contents, Hex) or declared is None:
            raise _refused(section.start, "the signature's entries")
        claimed = read_text(entries.get("M"), self.data) or ""
        stated = tuple(int(part) for part in declared.groups())
        wanted = make(claimed.encode("latin-1", "replace"), (contents.end - contents.start - 2) // 2)
        wanted = wanted.replace(updates.RANGE % (0, 0, 0), updates.RANGE % stated)
        gap = b"/Contents " + self.data[contents.start : contents.end]
        if bodies[number] != re.sub(rb"/Contents <0*>", lambda _: gap, wanted):
            raise _refused(section.start, "the signature's entries")
        if stated[:2] != tuple(contents):
            raise Violation("byte_range.gap", contents.start, "the gap is not the signature's own Contents")
        if stated[1] + stated[2] != section.end:
            raise Violation("byte_range.coverage", stated[1] + stated[2])
        check_gap(self.data, contents)
        return Candidate(
            "", (0, stated[0], stated[1], stated[2]), declared=True, claimed_time=read_claimed_time(claimed)
        )

    def _value(self, section: Section, number: int, met: Inventory) -> Value:
        """Return the value of an object of this revision. Raises Violation if it has no such object."""
        offset = self.places.get(number)
        if offset is None:
            raise _refused(section.start, "a reference to an object that the revision does not hold")
        return read_value(self.data, offset + len(b"%d 0 obj\n" % number), section.xref, met)[0]

    def _number(self, pattern: re.Pattern[bytes], body: bytes) -> int:
        """Return the object number that the pattern finds. Raises Violation if it finds none."""
        found = pattern.search(body)
        if found is None:
            raise Violation("format.layout", None, "a reference is missing")
        return int(found[1])

    def _catalogue(
        self, body: bytes, *, evidence: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None = None
    ) -> None:
        """The catalogue is `body` from now on."""
        state = replace(self.state, catalogue=body, evidence=evidence or self.state.evidence)
        self.state = replace(state, form_body=body) if state.form == state.tail.root else state


def _numbers(value: Value) -> tuple[int, ...]:
    """Return the object numbers of an array of references; what else is in it makes other bytes than ours."""
    items = value if isinstance(value, list) else []
    return tuple(item.number for item in items if isinstance(item, Reference))
