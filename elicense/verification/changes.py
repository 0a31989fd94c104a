"""Which later changes a signature permits, under the policy `general`.

What a revision after the signed one may hold (rows), by what the signature said (columns). P is that of a certification
(DocMDP), or what an approval's field locks the document to:

    ================== ======== ======== ======== ====================
    kind of change     P=1      P=2      P=3      approval without P
    ================== ======== ======== ======== ====================
    evidence           yes      yes      yes      yes
    timestamp          yes      yes      yes      yes
    unused             yes      yes      yes      yes
    metadata           answered answered answered answered
    signature          no       yes      yes      yes
    signature_field    no       yes      yes      yes
    signature_visible  no       no       doubt    signed, else doubt
    form               no       yes      yes      doubt
    annotation         no       no       signed,  doubt
                                         else doubt
    other              no       no       no       no
    field locked       no       no       no       no
    ================== ======== ======== ======== ====================

*no* is a violation: proof, if the signer is known. *doubt* is undecided: not permitted, yet honest programs do it and
nothing is hidden by it that the list of changes does not show.

- *answered*: allowed if a later signature or timestamp of the file covers it, or if only the date and the program's
  name changed; else in doubt. No page shows metadata, and honest programs renew them whenever they save (also under
  P=1, when they add evidence), so they never prove anything. But a title can mislead, and an uncovered one could be
  anybody's at any time after all signatures.
- *signed*: allowed if a later signature (no timestamp: anybody gets one) of the file covers it, for then its signer
  answers for what he put there or saw. The verdict on the file is the worst of all its signatures, so an unknown or
  broken later signature helps nobody. Without one, a visible empty field or a comment that its author drew over the
  text is what the published attacks on certified documents do, although P=3 permits comments as such.
- *field locked* (FieldMDP) goes before all else, for changes of fields that were there.

Source: ISO 32000-2, 12.8.2.2 and 12.8.2.4, tables 257 and 258 (text read in secondary sources). Narrower than the
standard in doubt under P=3, in visible new fields and in form filling after an uncertified approval.
"""

from __future__ import annotations

import ast
import bisect
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from elicense.verification.general_fields import is_among
from elicense.verification.general_rules import STAMPS

if TYPE_CHECKING:
    from collections.abc import Collection

    from elicense.verification.facts import Change, Facts, SignatureFacts

NOT_PERMITTED = "changes.not_permitted"
"""Reason of a violation."""
IN_DOUBT = "changes.in_doubt"
"""Reason of what is neither permitted nor a violation."""

_ALWAYS = frozenset(("evidence", "timestamp", "unused"))
_FIELDS = frozenset(("signature", "form"))
"""Changes of fields that were there."""
_YES, _NO, _DOUBT, _SIGNED, _ANSWERED = "yes", "no", "doubt", "signed", "answered"
_TABLE = {
    "metadata": (_ANSWERED, _ANSWERED, _ANSWERED, _ANSWERED),
    "signature": (_NO, _YES, _YES, _YES),
    "signature_field": (_NO, _YES, _YES, _YES),
    "signature_visible": (_NO, _NO, _DOUBT, _SIGNED),
    "form": (_NO, _YES, _YES, _DOUBT),
    "annotation": (_NO, _NO, _SIGNED, _DOUBT),
}
"""Kind -> what P=1, 2, 3 and no P make of it."""


@dataclass(frozen=True, slots=True)
class Unpermitted:
    """Later changes that a signature does not permit."""

    violations: tuple[Change, ...] = ()
    """What it forbids; proof, if its signer is known."""
    undecided: tuple[Change, ...] = ()
    """What it neither permits nor forbids beyond doubt."""


class LaterChanges:
    """All changes of one file; what a signature permits of those behind it is looked up, not asked one by one.

    So judging many signatures takes a time in proportion to their number. Only one that locks fields is asked about
    every later change.
    """

    def __init__(self, facts: Facts) -> None:
        last_signed = max((other.revision for other in facts.signatures), default=-1)
        last_covered = max((stamp.revision for stamp in facts.timestamps), default=-1)
        self._changes: list[Change] = []
        self._signed: list[bool] = []
        """For each change, whether a later signature covers it."""
        self._covered: list[bool] = []
        """For each change, whether a later signature or timestamp covers it."""
        self._starts: list[int] = []
        """For each revision, the index of its first change."""
        for index, revision in enumerate(facts.revisions):
            self._starts.append(len(self._changes))
            self._changes += revision.changes
            self._signed += [index <= last_signed] * len(revision.changes)
            self._covered += [index <= max(last_signed, last_covered)] * len(revision.changes)
        self._answers: dict[int, tuple[list[int], list[int]]] = {}

    def unpermitted(self, signature: SignatureFacts) -> Unpermitted:
        """Return the changes after the revision that `signature` signs which it does not permit, in their order."""
        later = signature.revision + 1
        start = self._starts[later] if later < len(self._starts) else len(self._changes)
        violations, undecided = (
            found[bisect.bisect_left(found, start) :] for found in self._found(signature)
        )
        if signature.locked:
            locked = _Locked(signature.locked)
            ours = {
                index
                for index in range(start, len(self._changes))
                if self._changes[index].kind in _FIELDS and locked.has(self._changes[index])
            }
            violations = sorted(ours.union(violations))
            undecided = [index for index in undecided if index not in ours]
        changes = self._changes
        return Unpermitted(tuple(changes[i] for i in violations), tuple(changes[i] for i in undecided))

    def _found(self, signature: SignatureFacts) -> tuple[list[int], list[int]]:
        """Return the indexes of all changes, wherever they are, that such a signature forbids, and doubts."""
        column = signature.permission - 1 if signature.permission in {1, 2, 3} else 3
        if column not in self._answers:
            answers = list(map(_answer, itertools.repeat(column), self._changes, self._signed, self._covered))
            forbidden, doubted = (
                [i for i, one in enumerate(answers) if one == kind] for kind in (_NO, _DOUBT)
            )
            self._answers[column] = forbidden, doubted
        return self._answers[column]


def _answer(column: int, change: Change, signed: bool, covered: bool) -> str:
    """Return yes, no or doubt for one change that is of no locked field."""
    if change.kind in _ALWAYS:
        return _YES
    answer = _TABLE.get(change.kind, (_NO,) * 4)[column]
    if answer == _SIGNED:
        return _YES if signed else _DOUBT
    if answer == _ANSWERED:
        return _YES if covered or change.detail == STAMPS else _DOUBT
    return answer


class _Locked:
    """The fields that a signature locks; a change is looked up among many names in short time."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._sorted = sorted(names)
        self._known: dict[str, bool] = {}

    def has(self, change: Change) -> bool:
        """Return whether the change is of a locked field, or of all fields."""
        if not self._names:
            return False
        if change.detail not in self._known:
            self._known[change.detail] = self._is_locked(change.detail)
        return self._known[change.detail]

    def _is_locked(self, detail: str) -> bool:
        try:
            name = ast.literal_eval(detail.removeprefix("field "))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return True
        if not isinstance(name, str) or is_among(name, self._names):
            return True
        # What a field is inside of may give it a value.
        below = f"{name}."
        at = bisect.bisect_left(self._sorted, below)
        return at < len(self._sorted) and self._sorted[at].startswith(below)
