"""What entries of fields and metadata may differ without anybody seeing another document, and what is noted of a step.

Source: ISO 32000-2, 12.5.2, 12.5.3 (annotations and their flags), 12.7.4 (fields), 14.3 (metadata); text read in
secondary sources.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from elicense.verification.facts import Change
from elicense.verification.objects import same
from elicense.verification.pdf import Name

if TYPE_CHECKING:
    from elicense.verification.objects import Object, Parsed

STAMPS = "date and program only"
"""Detail of a change of metadata that names nothing but when and by which program the file was saved."""
FILLING = frozenset(("V", "AP", "AS", "I", "TI", "RV", "DV", "MK", "DA", "Q", "M"))
"""What filling in a field changes of it."""
SIGNING = frozenset(("V", "AP", "AS", "M", "MK", "DA"))
"""What signing changes of its field."""
_TYPES: dict[str, type] = {
    "AS": Name, "I": list, "TI": int, "Q": int, "MK": dict, "DA": bytes, "M": bytes, "AP": dict,
}  # fmt: skip
"""What the entries of a field are; the same names mean other things in other objects."""
FIELD_KEYS = frozenset((
    "Type", "Subtype", "FT", "T", "TU", "TM", "V", "F", "Ff", "Rect", "P", "AP", "AS", "Kids", "Parent", "Lock", "SV",
    "MK", "DA", "DR", "Q", "Border", "BS", "M", "NM", "StructParent", "Contents",
))  # fmt: skip
"""All that a new signature field may have: no actions, no layers."""
_HIDING = 1 | 2 | 32
"""Annotation flags Invisible, Hidden, NoView."""
_MOST_XMP = 1024 * 1024
_XMP_STAMPS = re.compile(
    rb"<(xmp:ModifyDate|xmp:MetadataDate|pdf:Producer|xmpMM:InstanceID)>[^<]{0,400}</\1>"
    rb"|(?:xmp:ModifyDate|xmp:MetadataDate|pdf:Producer|xmpMM:InstanceID)=(?:\"[^\"<]{0,400}\"|'[^'<]{0,400}')"
    rb"|\s+"
)
_INFO_STAMPS = frozenset(("ModDate", "Producer"))
_MOST_OF_A_KIND = 10
"""Changes of one kind that a revision lists, but for those of fields; the rest says nothing new."""
_NAMED = frozenset(("form", "signature"))
"""Kinds whose every change counts: a signature may lock fields by their names."""


@dataclass(slots=True)
class Step:
    """One revision against the one before."""

    old: dict[int, Parsed | None]
    """Objects in use that it redefines or frees, as they were."""
    new: dict[int, Parsed | None]
    """The same objects now."""
    fresh: set[int]
    """Numbers it defines that nothing referred to."""
    signed: set[int] = field(default_factory=set)
    """Object numbers of the fields it signs."""
    signatures: set[int] = field(default_factory=set)
    """Object numbers of their signatures."""
    added: set[int] = field(default_factory=set)
    """Object numbers of the fields and widgets it adds."""
    changes: dict[tuple[str, str], Change] = field(default_factory=dict)
    """What was found, in order."""
    counts: dict[str, int] = field(default_factory=dict)
    """Kind -> how many of it were found."""

    def note(self, kind: str, detail: str) -> None:
        """Note a change once, and not too many of a kind."""
        count = self.counts.get(kind, 0)
        if (kind, detail) not in self.changes and (kind in _NAMED or count < _MOST_OF_A_KIND):
            self.changes[kind, detail] = Change(kind, detail)
            self.counts[kind] = count + 1


def has_type(key: str, value: Object) -> bool:
    """Return whether a field's entry, reached through its references, is what it has to be, or is gone."""
    return value is None or isinstance(value, _TYPES.get(key, object))


def is_harmless(key: str, one: Object, two: Object, *, signs: bool) -> bool:
    """Return whether a field only became read-only, or a signed one keeps being shown as much as before."""
    before, after = (value if type(value) is int else 0 for value in (one, two))
    if key == "Ff":
        return type(two) is int and after == before | 1
    return key == "F" and signs and before & _HIDING == after & _HIDING


def is_timestamp(value: dict[str, Object]) -> bool:
    """Return whether a signature's dictionary is that of a document timestamp."""
    return value.get("Type") == "DocTimeStamp" or value.get("SubFilter") == "ETSI.RFC3161"


def only_stamps(old: Object, new: Object) -> bool:
    """Return whether two information dictionaries differ in date of change and program alone."""
    one, two = (value if isinstance(value, dict) else {} for value in (old, new))
    names = {key for key in one.keys() | two.keys() if not same(one.get(key), two.get(key))}
    return names <= _INFO_STAMPS and all(isinstance(two.get(key, b""), bytes) for key in names)


def only_xmp_stamps(old: bytes, new: bytes) -> bool:
    """Return whether two XMP packets differ in white space, dates of change, program and instance alone."""
    if max(len(old), len(new)) > _MOST_XMP:
        return False
    return _XMP_STAMPS.sub(b"", old) == _XMP_STAMPS.sub(b"", new)
