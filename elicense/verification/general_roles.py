"""What each object of a revision is there for, so that a later change of it can be judged.

Some objects have a role of their own: the catalogue, the form, its fields and widgets, pages, lists of annotations,
annotations. Around them, some are there for one thing only, which a later revision may be allowed to change: a field's
value or appearance, an annotation, the document's information, its metadata, its DSS. All others that anything refers
to are frozen; so is what two of those things share, and a number that is referred to and has no object.

What pages and appearances draw is looked up by names that whoever prepared the file chose: a catalogue, form or field
may be such a list of drawings at the same time, its DSS or value a drawing. Whatever drawing leads to is frozen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from elicense.verification.general_fields import Node, walk_fields
from elicense.verification.objects import references_in
from elicense.verification.pdf import Reference, Violation
from elicense.verification.xref import PACKED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from elicense.verification.objects import Object
    from elicense.verification.xref import View

CATALOGUE, FORM, FIELDS, KIDS, NODE, PAGE, ANNOTS, ANNOTATION = (
    "catalogue", "form", "fields", "kids", "node", "page", "annots", "annotation",
)  # fmt: skip
"""Roles of an object of its own."""
FIELD, NOTE, INFO, METADATA, EVIDENCE, EXTENSIONS, STRUCTURE = (
    "field", "note", "info", "metadata", "dss", "extensions", "structure",
)  # fmt: skip
"""Roles of what is there for one such thing."""
_LISTS = frozenset((FIELDS, KIDS, ANNOTS))
MOST_PAGES = 100_000
"""Pages of a document."""


@dataclass(frozen=True, slots=True)
class Role:
    """What an object is there for."""

    kind: str
    """One of the constants above."""
    number: int = 0
    """Object number of the field or its parent, or the page's number from 1."""


@dataclass(slots=True)
class Roles:
    """The roles of all objects that are in use; grows with each revision and never shrinks."""

    own: dict[int, Role] = field(default_factory=dict)
    """Object number -> role of its own."""
    soft: dict[int, Role] = field(default_factory=dict)
    """Object number -> the one thing it is there for."""
    used: set[int] = field(default_factory=set)
    """Numbers that anything in use refers to."""
    nodes: dict[int, Node] = field(default_factory=dict)
    """Fields and widgets by object number."""
    names: set[str] = field(default_factory=set)
    """Names of the fields."""
    drawn: set[int] = field(default_factory=set)
    """Numbers that drawing a page or an appearance leads to."""

    def enter(self, reference: Object, role: Role) -> None:
        """Give the object that a reference names a role of its own; what is frozen or drawn stays frozen."""
        if isinstance(reference, Reference):
            number = reference.number
            frozen = number in self.used and (number in self.drawn or number not in self.soft)
            if number in self.own or not frozen:
                self.own.setdefault(number, role)
            self.soft.pop(number, None)
            self.used.add(number)

    def claim(self, view: View, numbers: Iterable[int], role: Role | None) -> None:
        """Take `numbers`, and all they lead to, into use for `role`, or frozen if it is None."""
        waiting = [(number, role) for number in numbers]
        while waiting:
            number, wanted = waiting.pop()
            if number in self.own:
                self.used.add(number)
                if self.own[number].kind in _LISTS:
                    # Only its form, field or page refers to such a list; one that is something else too is frozen.
                    del self.own[number]
                continue
            if number not in self.used:
                self.used.add(number)
                if wanted is not None:
                    self.soft[number] = wanted
            elif number in self.soft and self.soft[number] != wanted:
                del self.soft[number]
                wanted = None
            else:
                continue
            found = view.load(number)
            if found is not None:
                waiting.extend((below, wanted) for below in found.references)

    def draw(self, view: View, numbers: Iterable[int]) -> None:
        """Note that drawing leads to `numbers`; what has a role of its own loses it and is frozen with all below."""
        waiting = list(numbers)
        while waiting:
            number = waiting.pop()
            if number in self.drawn:
                continue
            self.drawn.add(number)
            found = view.load(number)
            below = found.references if found is not None else frozenset()
            if self.own.pop(number, None) is not None:
                self.used.add(number)
                self.claim(view, below, None)
            waiting.extend(below)


def learn(view: View, information: Object) -> Roles:
    """Return the roles of everything in one revision.

    Args:
        view: the revision.
        information: the trailer's Info.

    Raises:
        Violation: what reading any of it raises.
    """
    roles = Roles()
    catalogue = view.dictionary(view.root)
    form = view.dictionary(catalogue.get("AcroForm"))
    pages, branches = list_pages(view, catalogue.get("Pages"))
    roles.own[view.root.number] = Role(CATALOGUE)
    roles.enter(catalogue.get("AcroForm"), Role(FORM))
    roles.enter(form.get("Fields"), Role(FIELDS))
    nodes = walk_fields(view, view.array(form.get("Fields")))
    for node in nodes:
        enter_node(roles, view, node)
    for index, number in enumerate(pages, 1):
        roles.own.setdefault(number, Role(PAGE, index))
    lists = [enter_annotations(roles, view, number, index) for index, number in enumerate(pages, 1)]
    roles.used.update(roles.own)
    roles.claim(view, {entry.place for entry in view.entries.values() if entry.kind == PACKED}, None)
    # Frozen first: what is shared with anything frozen is frozen.
    for key in catalogue.keys() - {"AcroForm", "DSS", "Metadata", "Extensions", "StructTreeRoot"}:
        roles.claim(view, references_in(catalogue[key]), None)
    claim_form(roles, view, form)
    for number in pages:
        claim_page(roles, view, number)
    for node in nodes:
        claim_node(roles, view, node)
    for index, listed in enumerate(lists, 1):
        claim_annotations(roles, view, listed, index)
    claim_around(roles, view, catalogue, information)
    draw_pages(roles, view, pages, branches)
    return roles


def claim_around(roles: Roles, view: View, catalogue: dict[str, Object], information: Object) -> None:
    """Take what the catalogue and the trailer say about the document into use."""
    kinds = {"DSS": EVIDENCE, "Metadata": METADATA, "Extensions": EXTENSIONS, "StructTreeRoot": STRUCTURE}
    for key, kind in kinds.items():
        roles.claim(view, references_in(catalogue.get(key)), Role(kind))
    roles.claim(view, references_in(information), Role(INFO))


def number_of(value: Object) -> int:
    """Return the number that a reference names, 0 for any other value."""
    return value.number if isinstance(value, Reference) else 0


def list_pages(view: View, root: Object) -> tuple[list[int], list[int]]:
    """Return the object numbers of the pages in their order, and those of the nodes above them.

    Raises Violation for a tree that is none.
    """
    found: list[int] = []
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        reference = waiting.pop()
        if not isinstance(reference, Reference) or reference.number in seen:
            raise Violation("format.layout", None, "the pages are no tree")
        seen.add(reference.number)
        value = view.dictionary(reference)
        if "Kids" in value:
            waiting.extend(reversed(view.array(value["Kids"])))
        else:
            found.append(reference.number)
        if len(seen) > MOST_PAGES:
            raise Violation("limit.complexity", None, "pages")
    return found, list(seen.difference(found))


def draw_pages(roles: Roles, view: View, pages: Iterable[int], branches: Iterable[int]) -> None:
    """Note what drawing pages leads to, resources inherited along the tree or by their Parent among it."""
    seen: set[int] = set()
    waiting = [*pages, *branches]
    while waiting:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        value = view.body(number)
        for key in ("Contents", "Resources", "Group"):
            roles.draw(view, references_in(value.get(key)))
        waiting.append(number_of(value.get("Parent")))


def enter_node(roles: Roles, view: View, node: Node) -> None:
    """Give a field or widget, and its list of kids, their own roles."""
    roles.nodes[node.number] = node
    roles.names.add(node.name)
    roles.own[node.number] = Role(NODE, node.number)
    kids = view.body(node.number).get("Kids")
    roles.enter(kids, Role(KIDS, node.number))


def enter_annotations(roles: Roles, view: View, page: int, index: int) -> list[Object]:
    """Give a page's list of annotations, and each of them, their own roles; return the list."""
    listed = view.body(page).get("Annots")
    roles.enter(listed, Role(ANNOTS, index))
    annotations = view.array(listed)
    for item in annotations:
        enter_annotation(roles, view, item, index)
    return annotations


def enter_annotation(roles: Roles, view: View, item: Object, index: int) -> None:
    """Give one annotation its own role; a field's widget knows its page from now on, any other widget is frozen."""
    if not isinstance(item, Reference):
        return
    if item.number in roles.nodes:
        roles.nodes[item.number].page = index
        return
    found = view.load(item.number)
    value = view.dictionary(item)
    # A base made for an attack may list anything here: only what looks like an annotation may change like one.
    if found and found.stream is None and "Rect" in value and value.get("Subtype") not in {None, "Widget"}:
        roles.own.setdefault(item.number, Role(ANNOTATION, index))


def claim_annotations(roles: Roles, view: View, annotations: Iterable[Object], index: int) -> None:
    """Take what annotations refer to into use, for themselves."""
    for item in annotations:
        number = number_of(item)
        if number in roles.nodes:
            continue
        if number and number not in roles.own:
            roles.claim(view, [number], None)
            continue
        value = view.dictionary(item)
        for key in value:
            role = None if key in {"P", "Parent"} else Role(NOTE, index)
            roles.claim(view, references_in(value[key]), role)
        roles.draw(view, references_in(value.get("AP")))


def claim_form(roles: Roles, view: View, form: dict[str, Object]) -> None:
    """Take what the form refers to beside its fields into use, frozen."""
    roles.used.update(references_in(form.get("Fields")))
    for key in form.keys() - {"Fields"}:
        roles.claim(view, references_in(form[key]), None)
    claim_direct(roles, view, form.get("Fields"))
    roles.draw(view, references_in(form.get("DR")))


def claim_direct(roles: Roles, view: View, listed: Object) -> None:
    """Take what a list of fields holds that is no reference, and so no field to us, into use, frozen."""
    for item in view.array(listed):
        if not isinstance(item, Reference):
            roles.claim(view, references_in(item), None)


def claim_page(roles: Roles, view: View, number: int) -> None:
    """Take what a page shows into use, frozen; its annotations apart."""
    value = view.body(number)
    for key in value.keys() - {"Annots"}:
        roles.claim(view, references_in(value[key]), None)


def claim_node(roles: Roles, view: View, node: Node) -> None:
    """Take what a field or widget refers to into use: value and appearance for the field, all else frozen."""
    value = view.body(node.number)
    for key in value.keys() - {"Kids"}:
        own = key == "AP" or (key in {"V", "RV", "DV"} and node.kind != "Sig")
        roles.claim(view, references_in(value[key]), Role(FIELD, node.owner.number) if own else None)
    claim_direct(roles, view, value.get("Kids"))
    for key in ("AP", "MK", "DR"):
        roles.draw(view, references_in(value.get(key)))
