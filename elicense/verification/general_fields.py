"""Form fields and the signatures in them, as one revision of any PDF shows them.

Source: ISO 32000-2, 7.9.4 (dates), 12.7.4 (fields), 12.7.5.5 and 12.8 (signatures); text read in secondary sources.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from elicense.verification.objects import Ambiguous, HexString, read_text
from elicense.verification.pdf import Reference, Violation
from elicense.verification.scan import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from elicense.verification.handing import Octets
    from elicense.verification.objects import Object, Parsed
    from elicense.verification.xref import View

MOST_NODES = 100_000
"""Fields and their widgets."""
MOST_DEPTH = 32
"""Fields inside fields; their names grow with each."""
LONGEST_NAME = 2_000
"""Characters of a field's full name: each part of it is looked up among the names that a signature locks."""
MOST_TRANSFORMS = 8
"""Transforms of one signature that are looked at; DocMDP and FieldMDP are all there is."""
_DATE = re.compile(
    r"(?:D:)?([0-9]{4})([0-9]{2})?([0-9]{2})?([0-9]{2})?([0-9]{2})?([0-9]{2})?"
    r"(?:([-+])([0-9]{2})'?([0-9]{2})?'?|Z(?:00'?(?:00'?)?)?)?"
)
_LONGEST_DATE = 32
"""Characters of a date; none has more."""
_FREE_FORM = frozenset(("adbe.x509.rsa_sha1",))
"""Encodings of Contents that are no SEQUENCE; they are refused for their algorithm, not as damage."""


@dataclass(eq=False, slots=True)
class Node:
    """A form field or one of its widgets."""

    number: int
    """Object number."""
    name: str
    """Fully qualified name of the field; a widget has that of its field."""
    kind: str
    """FT, inherited or own: Sig, Tx, Btn, Ch; "" if there is none."""
    field: Node | None
    """The field a widget belongs to; None for a field."""
    depth: int
    """How many fields it is inside of."""
    value: Object = None
    """V as it stands in this object."""
    page: int = 0
    """Number of the page, from 1, that shows it; 0 if none is known to."""
    parent: bool = False
    """Whether other fields are inside it."""

    @property
    def owner(self) -> Node:
        """The field that it is or belongs to."""
        return self.field or self


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature reached through its field, its byte range leaving out exactly its own Contents."""

    field: str
    """Fully qualified name of its field."""
    number: int
    """Object number of its dictionary."""
    parsed: Parsed
    """The object that holds its dictionary."""
    value: dict[str, Object]
    """Its dictionary."""
    byte_range: tuple[int, int, int, int]
    """As declared."""
    lock: Object
    """The field's Lock."""

    @property
    def end(self) -> int:
        """Offset behind the last byte it covers."""
        return self.byte_range[2] + self.byte_range[3]


def walk_fields(view: View, roots: Iterable[Object], parent: Node | None = None) -> list[Node]:
    """Return the fields and widgets below `roots`, parents first.

    Raises Violation: format.seal_field if a signature field is reached twice; limit.complexity.
    """
    found: dict[int, Node] = {}
    waiting: list[tuple[Object, Node | None]] = [(item, parent) for item in roots]
    waiting.reverse()
    while waiting:
        reference, above = waiting.pop()
        if not isinstance(reference, Reference):
            continue
        value = view.dictionary(reference)
        if reference.number in found:
            if "Sig" in {found[reference.number].kind, value.get("FT")}:
                raise Violation("format.seal_field", None, "a signature field reached in two ways")
            continue
        node = _node(view, reference.number, value, above)
        found[node.number] = node
        if len(found) > MOST_NODES or node.depth > MOST_DEPTH:
            raise Violation("limit.complexity", None, "form fields")
        waiting.extend((kid, node.owner) for kid in reversed(view.array(value.get("Kids"))))
    return list(found.values())


def _node(view: View, number: int, value: dict[str, Object], above: Node | None) -> Node:
    own = read_text(view.resolve(value.get("T")))
    kind = view.resolve(value.get("FT"))
    inherited = above.kind if above else ""
    kind_name = str(kind) if isinstance(kind, str) else inherited
    if above is not None and "T" not in value and above.kind == kind_name:
        return Node(number, above.name, kind_name, above, above.depth, value.get("V"))
    if above is not None:
        above.parent = True
    name = f"{above.name}.{own}" if above and above.name else own
    if len(name) > LONGEST_NAME:
        raise Violation("limit.complexity", None, "names of form fields")
    view.document.budget.take_token(8 * len(name), 0)
    return Node(number, name, kind_name, None, above.depth + 1 if above else 0, value.get("V"))


def read_signatures(view: View, nodes: Iterable[Node], size: int) -> list[Signature]:
    """Return the signatures of the signed fields among `nodes`, in the order of what they cover.

    Raises Violation with byte_range.*, format.duplicate_key or format.seal_field.
    """
    found, numbers = [], set()
    for node in nodes:
        if node.kind != "Sig" or node.value is None or view.resolve(node.value) is None:
            continue
        signature = _signature(view, node, size)
        if signature.number in numbers or node.field is not None:
            raise Violation("format.seal_field", signature.parsed.start, "two fields with one signature")
        numbers.add(signature.number)
        found.append(signature)
    return sorted(found, key=lambda signature: signature.end)


def _signature(view: View, node: Node, size: int) -> Signature:
    number = node.value.number if isinstance(node.value, Reference) else node.number
    parsed = view.load(number)
    value = view.resolve(node.value)
    field = view.body(node.number)
    if parsed is None or not isinstance(value, dict):
        raise Violation("byte_range.shape", None, "a signature that is no dictionary")
    if isinstance(value, Ambiguous):
        raise Violation("format.duplicate_key", parsed.start)
    if parsed.compressed:
        raise Violation("byte_range.gap", parsed.start, "a signature inside an object stream")
    byte_range = read_range(value.get("ByteRange"), size)
    if byte_range is None:
        raise Violation("byte_range.shape", parsed.start)
    _check_gap(view.document.data, value, byte_range, parsed)
    return Signature(node.name, number, parsed, value, byte_range, field.get("Lock"))


def read_range(value: Object, size: int) -> tuple[int, int, int, int] | None:
    """Return a byte range: from 0, one gap, not beyond `size`; None for any other."""
    if not isinstance(value, list) or len(value) != 4:
        return None
    numbers = [number for number in value if type(number) is int]
    if len(numbers) != 4:
        return None
    first, start, end, rest = numbers
    if first == 0 and 0 < start < end and rest >= 0 and end + rest <= size:
        return first, start, end, rest
    return None


def _check_gap(
    data: Octets, value: dict[str, Object], byte_range: tuple[int, int, int, int], parsed: Parsed
) -> None:
    """The gap is exactly the dictionary's own Contents, plain hexadecimal digits. Raises Violation otherwise."""
    contents = value.get("Contents")
    gap = byte_range[1:3]
    if not isinstance(contents, HexString) or contents.span != gap:
        raise Violation("byte_range.gap", parsed.start, "the gap is not the signature's own Contents")
    digits = data[gap[0] + 1 : gap[1] - 1]
    # Read as a hexadecimal string it can hold digits and white space only.
    if len(digits) % 2 or (digits and not digits.isalnum()):
        raise Violation("byte_range.hex", gap[0])
    if not contents.strip(b"\0"):
        raise Violation("byte_range.empty", gap[0])
    if value.get("SubFilter") not in _FREE_FORM and contents[0] != 0x30:
        raise Violation("byte_range.der", gap[0], "not a sequence")


def describe(
    view: View, signature: Signature, revision: int, names: Callable[[], Iterable[str]]
) -> Candidate:
    """Return what a signature says of itself.

    Args:
        view: the revision that it signs.
        signature: which one.
        revision: index of that revision.
        names: lists the fields there, to resolve "all but".
    """
    value = signature.value
    subfilter = view.resolve(value.get("SubFilter"))
    timestamp = value.get("Type") == "DocTimeStamp" or subfilter == "ETSI.RFC3161"
    named = view.dictionary(view.dictionary(view.root).get("Perms")).get("DocMDP")
    permission, locked = None, None
    for item in view.array(value.get("Reference"))[:MOST_TRANSFORMS]:
        reference = view.dictionary(item)
        parameters = view.dictionary(reference.get("TransformParams"))
        if reference.get("TransformMethod") == "DocMDP":
            permission = min(_permission(parameters), permission or 3)
        elif reference.get("TransformMethod") == "FieldMDP":
            locked = (*(locked or ()), *_locked(view, parameters, names))
    certifies = permission is not None or (isinstance(named, Reference) and named.number == signature.number)
    if certifies and permission is None:
        permission = 2
    lock = view.dictionary(signature.lock)
    # What the field was to lock binds whoever filled it, even if the signature does not repeat it.
    if locked is None and "Action" in lock:
        locked = _locked(view, lock, names)
    if "P" in lock:
        permission = min(_permission(lock), permission or 3)
    kind = "timestamp" if timestamp else "certification" if certifies else "approval"
    return Candidate(
        field=signature.field,
        byte_range=signature.byte_range,
        declared=True,
        claimed_time=read_date(read_text(view.resolve(value.get("M")))),
        kind=kind,
        revision=revision,
        permission=permission,
        locked=locked,
        subfilter=str(subfilter) if isinstance(subfilter, str) else "",
    )


def _permission(parameters: dict[str, Object]) -> int:
    """Return P; 2 if it is absent, the strictest if it is none. Source: ISO 32000-2, table 257."""
    value = parameters.get("P", 2)
    return value if type(value) is int and value in {1, 2, 3} else 1


def _locked(view: View, parameters: dict[str, Object], names: Callable[[], Iterable[str]]) -> tuple[str, ...]:
    """Return the names of the fields that a FieldMDP transform or a Lock names, ("*",) for all."""
    action = parameters.get("Action")
    listed = {read_text(view.resolve(item)) for item in view.array(parameters.get("Fields"))}
    if action == "Include":
        return tuple(sorted(listed))
    if action == "Exclude":
        return tuple(sorted(name for name in set(names()) if not is_among(name, listed)))
    return ("*",)


def is_among(name: str, listed: Collection[str]) -> bool:
    """Return whether a field, or one that it is inside of, is listed; "*" lists all."""
    parts = name.split(".")
    return "*" in listed or any(".".join(parts[:count]) in listed for count in range(1, len(parts) + 1))


def read_date(text: str) -> datetime | None:
    """Return a PDF date in UTC, None if the text is none. Without an offset it is taken for UTC."""
    return _known_date(text) if len(text) <= _LONGEST_DATE else None


@lru_cache(maxsize=256)
def _known_date(text: str) -> datetime | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    defaults = (1, 1, 1, 0, 0, 0)
    year, month, day, hour, minute, second = (
        int(part) if part else default for part, default in zip(match.groups()[:6], defaults, strict=True)
    )
    offset = timedelta(hours=int(match[8] or 0), minutes=int(match[9] or 0))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return moment - offset if match[7] == "+" else moment + offset
    except (ValueError, OverflowError):
        return None


def is_visible(view: View, node: Node) -> bool:
    """Return whether a field's object has an extent on a page: a Rect that is not a single point."""
    rectangle = [view.resolve(side) for side in view.array(view.body(node.number).get("Rect"))]
    sides = [side for side in rectangle if isinstance(side, (int, float)) and not isinstance(side, bool)]
    if not rectangle:
        return False
    return len(sides) != 4 or len(rectangle) != 4 or sides[:2] != sides[2:]
