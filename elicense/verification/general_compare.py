"""What each later revision of a signed file changed, by the roles of the objects it redefines.

The comparison starts with one walk of the first signed revision; after that it costs what the changes cost. Each
object that a revision adds, redefines or frees is looked at once:

- A number that nothing in use refers to is new, and counts only as what comes to refer to it; left over, it is unused.
- An object with a role may change as that role permits (see `Comparison`'s methods).
- Everything else is `other`: pages, fonts, contents, actions, structure, an existing signature.

A number once in use stays in use: what a reader might still show is never taken for new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elicense.verification.general_fields import Node, is_visible, walk_fields
from elicense.verification.general_roles import (
    ANNOTATION,
    ANNOTS,
    CATALOGUE,
    EVIDENCE,
    EXTENSIONS,
    FIELD,
    FIELDS,
    FORM,
    INFO,
    KIDS,
    METADATA,
    NODE,
    NOTE,
    PAGE,
    STRUCTURE,
    Role,
    Roles,
    claim_annotations,
    claim_node,
    enter_node,
    number_of,
)
from elicense.verification.general_rules import (
    FIELD_KEYS,
    FILLING,
    SIGNING,
    STAMPS,
    Step,
    has_type,
    is_harmless,
    is_timestamp,
    only_stamps,
    only_xmp_stamps,
)
from elicense.verification.objects import references_in, same
from elicense.verification.objects_streams import decode
from elicense.verification.pdf import Reference, Violation
from elicense.verification.xref import PACKED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from elicense.verification.facts import Change
    from elicense.verification.objects import Object, Parsed
    from elicense.verification.xref import Section, View

_STRUCTURE = "structure of the document"


class Comparison:
    """Follows a file from its first signed revision on."""

    def __init__(self, view: View, roles: Roles, trailer: dict[str, Object]) -> None:
        """Start with the first signed revision; `view` changes with each step."""
        self.view = view
        self.roles = roles
        self.trailer = trailer
        signed = [n for n in roles.nodes.values() if n.kind == "Sig" and view.resolve(n.value) is not None]
        self.signed = {node.owner.number for node in signed}
        """Object numbers of the fields that are signed so far."""
        self.step = Step({}, {}, set(), signatures={number_of(node.value) or node.number for node in signed})

    def apply(self, section: Section) -> tuple[Change, ...]:
        """Return the changes of the next revision; the view is that revision's from now on. Raises Violation."""
        self.step = step = self._step(section.entries)
        self._trailer(section.trailer)
        changed = [number for number in step.old if self._differs(number)]
        nodes = [number for number in changed if self._kind(number) == NODE]
        for number in nodes:
            self._sign(number)
        order = (CATALOGUE, FORM, FIELDS, KIDS, NODE, PAGE, ANNOTS, ANNOTATION)
        by_kind: dict[str, list[int]] = {}
        for number in changed:
            by_kind.setdefault(self._kind(number), []).append(number)
        for kind in order:
            for number in by_kind.pop(kind, ()):
                self._own(number, self.roles.own[number])
        for numbers in by_kind.values():
            for number in numbers:
                self._around(number)
        self.roles.claim(self.view, {e.place for e in section.entries.values() if e.kind == PACKED}, None)
        for number in self.roles.drawn & step.new.keys():
            after = step.new[number]
            self.roles.draw(self.view, after.references if after else ())
        left = step.fresh - self.roles.used - {section.stream}
        left = {number for number in left if self.view.load(number) is not None}
        if left:
            step.note("unused", f"{len(left)} objects")
        self.trailer = section.trailer
        return tuple(step.changes.values())

    def _step(self, entries: Mapping[int, object]) -> Step:
        """Return what a section redefines, before and after, and apply it to the view."""
        view, used = self.view, self.roles.used
        touched = [number for number, entry in entries.items() if view.entries.get(number) != entry]
        old = {number: view.load(number) for number in touched if number in used}
        view.entries.update((number, entries[number]) for number in touched)  # type: ignore[misc]
        new = {number: view.load(number) for number in old}
        return Step(old, new, {number for number in touched if number not in used})

    def _differs(self, number: int) -> bool:
        old, new = self.step.old[number], self.step.new[number]
        if old is None or new is None:
            return old is not new
        if old.generation != new.generation:
            return True
        # One value read again is the same, and known to hold no key twice.
        if old.value is not new.value and not same(old.value, new.value):
            return True
        if old.stream is None or new.stream is None:
            return old.stream is not new.stream
        data = self.view.document.data
        return data[slice(*old.stream)] != data[slice(*new.stream)]

    def _kind(self, number: int) -> str:
        role = self.roles.own.get(number)
        return role.kind if role else ""

    def _before(self, value: Object) -> Object:
        """Return what a value led to in the revision before."""
        if isinstance(value, Reference) and value.number in self.step.old:
            found = self.step.old[value.number]
            value = found.value if found else None
        value = self.view.resolve(value)
        if isinstance(value, (dict, list)):
            # A revision may name anew what it does not write anew; comparing takes as long as reading it.
            self.view.document.budget.take_token(8 * len(value), 0)
        return value

    def _other(self, detail: str, value: Object = None) -> None:
        """Note a change that nothing explains; what it brings in is in use, frozen."""
        self.step.note("other", detail)
        self.roles.claim(self.view, references_in(value), None)

    # Trailer, catalogue, form

    def _trailer(self, trailer: dict[str, Object]) -> None:
        root = trailer.get("Root")
        if not isinstance(root, Reference) or root != self.view.root:
            self._other("another catalogue", root)
        old, new = self.trailer.get("Info"), trailer.get("Info")
        if not same(old, new):
            self._information(self._before(old), self.view.resolve(new))
            self.roles.claim(self.view, references_in(new), Role(INFO))

    def _own(self, number: int, role: Role) -> None:
        """Judge the change of an object with a role of its own."""
        before, after = self.step.old[number], self.step.new[number]
        old, new = before.value if before else None, after.value if after else None
        if before and after and before.generation != after.generation:
            self._other("an object under another generation", new)
        elif any(found and found.stream for found in (before, after)):
            self._other(f"an object of the {role.kind} that is a stream", new)
        elif role.kind in {FIELDS, KIDS}:
            self._fields(old, new, self.roles.nodes.get(role.number))
        elif role.kind == ANNOTS:
            self._annotations(old, new, role.number)
        elif role.kind == ANNOTATION:
            self._annotation(new, role.number)
        elif type(old) is not dict or type(new) is not dict:
            self._other(f"an object of the {role.kind} removed", new)
        else:
            self._dictionary(number, role, old, new)

    def _dictionary(self, number: int, role: Role, old: dict[str, Object], new: dict[str, Object]) -> None:
        if role.kind == CATALOGUE:
            self._catalogue(old, new)
        elif role.kind == FORM:
            self._form(old, new)
        elif role.kind == NODE:
            self._node(old, new, self.roles.nodes[number])
        else:
            self._page(old, new, role.number)

    def _catalogue(self, old: dict[str, Object], new: dict[str, Object]) -> None:
        """DSS, Extensions and Version may differ, the form and the metadata as they may; nothing else."""
        for key in old.keys() | new.keys():
            one, two = old.get(key), new.get(key)
            if same(one, two):
                continue
            if key == "AcroForm":
                before, after = self._before(one), self.view.dictionary(two)
                self._form(before if isinstance(before, dict) else {}, after)
                self.roles.enter(two, Role(FORM))
            elif key in {"DSS", "Extensions", "Version"}:
                kind = EVIDENCE if key == "DSS" else EXTENSIONS
                self.step.note(
                    "evidence", "document security store" if key == "DSS" else "version or extensions"
                )
                self.roles.claim(self.view, references_in(two), Role(kind))
            elif key == "StructTreeRoot":
                self.step.note("annotation", _STRUCTURE)
                self.roles.claim(self.view, references_in(two), Role(STRUCTURE))
            elif key == "Metadata":
                self._xmp(one, two)
                self.roles.claim(self.view, references_in(two), Role(METADATA))
            else:
                self._other("an entry of the catalogue", two)

    def _form(self, old: dict[str, Object], new: dict[str, Object]) -> None:
        """Fields may be added; defaults of appearance count as filling in; nothing else."""
        for key in old.keys() | new.keys():
            one, two = old.get(key), new.get(key)
            if same(one, two) or (key == "SigFlags" and type(two) is int):
                continue
            if key == "Fields":
                self._fields(self._before(one), self.view.resolve(two), None)
                self.roles.enter(two, Role(FIELDS))
            elif key in {"DA", "Q", "NeedAppearances"} or (key == "DR" and self._grown(one, two)):
                if any(node.kind != "Sig" for node in self.roles.nodes.values()):
                    self.step.note("form", "defaults of all fields")
                self.roles.claim(self.view, references_in(two), None)
                self.roles.draw(self.view, references_in(two))
            else:
                self._other("an entry of the form", two)

    def _grown(self, old: Object, new: Object) -> bool:
        """Return whether resources only gained what was not there under its name."""
        before, after = self._before(old) or {}, self.view.resolve(new)
        if not isinstance(before, dict) or type(after) is not dict:
            return False
        for kind in before:
            one, two = self._before(before[kind]), self.view.resolve(after.get(kind))
            if isinstance(one, dict) and isinstance(two, dict):
                if not all(name in two and same(value, two[name]) for name, value in one.items()):
                    return False
            elif not same(one, two):
                return False
        return True

    # Fields

    def _fields(self, old: Object, new: Object, parent: Node | None) -> None:
        """The list may gain new fields; none goes, none changes place."""
        before, after = _items(old), _items(new)
        known = {number_of(item) for item in before}
        kept: list[Object] = []
        fresh: list[Object] = []
        for item in after:
            (kept if number_of(item) in known else fresh).append(item)
        if not same(before, kept) or (parent is not None and not parent.parent):
            self._other("fields removed or moved", after)
        for item in fresh:
            self._new_field(item, parent)

    def _new_field(self, item: Object, parent: Node | None) -> None:
        view, step = self.view, self.step
        nodes = walk_fields(view, [item], parent)
        numbers = {node.number for node in nodes}
        if not nodes or numbers & self.roles.used or not all(self._is_field(number) for number in numbers):
            self._other("a field out of what was there", item)
            return
        twice = {node.name for node in nodes if node.field is None} & self.roles.names
        for node in nodes:
            enter_node(self.roles, view, node)
        self.roles.used.update(numbers)
        step.added |= numbers
        for node in nodes:
            signs = node.kind == "Sig" and node.value is not None
            if signs and (node.field or not self._is_new(number_of(node.value))):
                self._other("a field with a signature that was there", item)
            claim_node(self.roles, view, node)
        for node in nodes:
            if node.field is None and not node.parent:
                self._describe_field(node, [one for one in nodes if one.owner is node], twice)

    def _is_field(self, number: int) -> bool:
        """Return whether an object is a dictionary with nothing in it but what a signature field needs."""
        found = self.view.load(number)
        if found is None or found.stream is not None or type(found.value) is not dict:
            return False
        # An annotation of another kind would be a comment that nobody may add.
        kinds = found.value.get("Type", "Annot"), found.value.get("Subtype", "Widget")
        return found.value.keys() <= FIELD_KEYS and kinds == ("Annot", "Widget")

    def _describe_field(self, node: Node, parts: Iterable[Node], twice: set[str]) -> None:
        """Note a new field by its kind and whether it shows on a page."""
        detail = f"field {node.name!r}"
        if node.kind != "Sig" or node.name in twice:
            self._other("a new form field that is none for a signature, or has a name twice")
            return
        value = self.view.dictionary(node.value)
        visible = any(is_visible(self.view, part) for part in parts)
        if value:
            self._signs(node.number, node.value)
        if visible:
            self.step.note("signature_visible", detail)
        elif is_timestamp(value):
            self.step.note("timestamp", detail)
        else:
            self.step.note("signature_field", detail)

    def _sign(self, number: int) -> None:
        """Note that an empty signature field was filled."""
        before, after = self.step.old[number], self.step.new[number]
        node = self.roles.nodes[number]
        if node.kind != "Sig" or node.field is not None or number in self.signed or not before or not after:
            return
        old, new = before.value, after.value
        if not isinstance(old, dict) or not isinstance(new, dict) or self._before(old.get("V")) is not None:
            return
        value = new.get("V")
        if self._is_new(number_of(value)) and self.view.resolve(value) is not None:
            self._signs(number, value)

    def _signs(self, number: int, value: Object) -> None:
        self.step.signed.add(number)
        self.signed.add(number)
        self.step.signatures.add(number_of(value))

    def _is_new(self, number: int) -> bool:
        """Return whether this revision defines the object and nothing refers to it yet."""
        return number in self.step.fresh and number not in self.roles.used

    def _node(self, old: dict[str, Object], new: dict[str, Object], node: Node) -> None:
        """A field may be signed once or filled in; where it stands and what it is never changes."""
        signs = node.owner.number in self.step.signed
        detail = f"field {node.owner.name!r}"
        allowed = (SIGNING if signs else frozenset()) if node.kind == "Sig" else FILLING
        kinds = set()
        for key in old.keys() | new.keys():
            one, two = old.get(key), new.get(key)
            if same(one, two):
                continue
            if key == "Kids":
                self._fields(self._before(one), self.view.resolve(two), node)
            elif key in allowed and has_type(key, self.view.resolve(two)):
                kinds.add("signature" if node.kind == "Sig" else "form")
            elif not (signs and one is None and self._states_place(key, two)) and not is_harmless(
                key, one, two, signs=signs
            ):
                self._other(f"an entry of {detail}", two)
        if "signature" in kinds:
            owner = self.view.body(node.owner.number)
            value = self.view.dictionary(owner.get("V"))
            shown = is_visible(self.view, node) or "Kids" in owner
            kinds = {"timestamp" if is_timestamp(value) and not shown else "signature"}
            if is_timestamp(value) and shown:
                # Anybody gets a timestamp: with it a stranger would draw what he likes where a signer was to sign.
                kinds.add("signature_visible")
        for kind in sorted(kinds):
            self.step.note(kind, detail)
        node.value = new.get("V")
        claim_node(self.roles, self.view, node)

    def _states_place(self, key: str, value: Object) -> bool:
        """Return whether an entry that is new says what its object is, or on which page."""
        return value == "Annot" if key == "Type" else key == "P" and self._kind(number_of(value)) == PAGE

    # Pages and annotations

    def _page(self, old: dict[str, Object], new: dict[str, Object], page: int) -> None:
        """Only the list of annotations may differ."""
        for key in old.keys() | new.keys():
            one, two = old.get(key), new.get(key)
            if same(one, two):
                continue
            if key == "Annots":
                self._annotations(self._before(one), self.view.resolve(two), page)
                self.roles.enter(two, Role(ANNOTS, page))
            elif key in {"Tabs", "StructParents"} and not isinstance(two, (dict, list, Reference)):
                self.step.note("annotation", _STRUCTURE)
            elif key == "LastModified" and isinstance(two, bytes):
                self.step.note("metadata", STAMPS)
            else:
                self._other(f"page {page}", two)

    def _annotations(self, old: Object, new: Object, page: int) -> None:
        """Widgets of new fields may be added; other annotations may come and go as `annotation`."""
        before, after = _items(old), _items(new)
        numbers = [number_of(item) for item in before], [number_of(item) for item in after]
        known, now = set(numbers[0]) - {0}, set(numbers[1]) - {0}
        gone, stay = known - now, known & now
        pairs = list(zip(before, numbers[0], strict=True)), list(zip(after, numbers[1], strict=True))
        kept = [[item for item, number in listed if number in stay] for listed in pairs]
        if not same(kept[0], kept[1]) or any(self._kind(number) != ANNOTATION for number in gone):
            self._other(f"annotations of page {page}")
        direct = [[item for item, number in listed if not number] for listed in pairs]
        added = [item for item, number in pairs[1] if number and number not in known]
        if not same(direct[0], direct[1]):
            added += direct[1]
            self.step.note("annotation", f"page {page}")
        if gone:
            self.step.note("annotation", f"page {page}")
        for item in added:
            self._new_annotation(item, page)
        claim_annotations(self.roles, self.view, added, page)

    def _new_annotation(self, item: Object, page: int) -> None:
        number = number_of(item)
        if number in self.step.added:
            self.roles.nodes[number].page = page
        elif number in self.roles.nodes or self.view.dictionary(item).get("Subtype") == "Widget":
            self._other(f"a widget on page {page} that belongs to no new field", item)
        elif (found := self.view.load(number)) is not None and found.stream is not None:
            self._other(f"an annotation on page {page} that is a stream", item)
        elif number in self.roles.used and self.roles.soft.get(number) != Role(NOTE, page):
            self._other(f"an annotation on page {page} out of what was there")
        else:
            self.step.note("annotation", f"page {page}")
            self.roles.enter(item, Role(ANNOTATION, page))

    def _annotation(self, new: Object, page: int) -> None:
        self.step.note("annotation", f"page {page}")
        if isinstance(new, dict) and new.get("Subtype") == "Widget":
            self._other(f"a widget on page {page} that belongs to no new field", new)
        self.roles.claim(self.view, references_in(new), Role(NOTE, page))
        if isinstance(new, dict):
            self.roles.draw(self.view, references_in(new.get("AP")))

    # Around them

    def _around(self, number: int) -> None:
        """Judge the change of an object that is there for one thing only, or is frozen."""
        role = self.roles.soft.get(number)
        after = self.step.new[number]
        value = after.value if after else None
        if role is None or (role.kind == FIELD and not self._field_changed(role.number)):
            self._other(f"object {number}", value)
            return
        if role.kind == NOTE:
            self.step.note("annotation", f"page {role.number}")
        elif role.kind == STRUCTURE:
            self.step.note("annotation", _STRUCTURE)
        elif role.kind == EVIDENCE:
            self.step.note("evidence", "document security store")
        elif role.kind == EXTENSIONS:
            self.step.note("evidence", "version or extensions")
        elif role.kind == INFO:
            before = self.step.old[number]
            self._information(before.value if before else None, value)
        elif role.kind == METADATA:
            self._metadata(self.step.old[number], after)
        self.roles.claim(self.view, references_in(value), role)

    def _field_changed(self, number: int) -> bool:
        """Note the new value or appearance of a field; False if that field may have none."""
        node = self.roles.nodes[number]
        if node.kind != "Sig":
            self.step.note("form", f"field {node.name!r}")
            return True
        return number in self.step.signed

    def _information(self, old: Object, new: Object) -> None:
        self.step.note("metadata", STAMPS if only_stamps(old, new) else "information of the document")

    def _xmp(self, old: Object, new: Object) -> None:
        before = self.step.old.get(number_of(old)) or self.view.load(number_of(old))
        self._metadata(before, self.view.load(number_of(new)))

    def _metadata(self, old: Parsed | None, new: Parsed | None) -> None:
        plain = only_xmp_stamps(self._stream(old), self._stream(new))
        self.step.note("metadata", STAMPS if plain else "metadata of the document")

    def _stream(self, found: Parsed | None) -> bytes:
        """Return a stream's data; its raw bytes where the filters cannot be undone."""
        if found is None or found.stream is None or not isinstance(found.value, dict):
            return b""
        raw = self.view.document.data[slice(*found.stream)]
        try:
            return decode(raw, found.value, self.view.document.budget)
        except Violation as violation:
            if violation.reason.startswith("limit."):
                raise
            return raw


def _items(value: Object) -> list[Object]:
    return value if isinstance(value, list) else []
