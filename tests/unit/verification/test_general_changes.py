"""Which later changes a signature permits is exactly the table of changes.py."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elicense.verification.changes import LaterChanges, Unpermitted
from elicense.verification.facts import Change, Facts, RevisionFacts, SignatureFacts, TimestampFacts
from elicense.verification.general_rules import STAMPS

KINDS = (
    "evidence", "timestamp", "unused", "metadata", "signature", "signature_field", "signature_visible", "form",
    "annotation", "other", "unheard_of",
)  # fmt: skip

EXPECTED = {
    1: "yes yes yes doubt no no no no no no no",
    2: "yes yes yes doubt yes yes no yes no no no",
    3: "yes yes yes doubt yes yes doubt yes doubt no no",
    None: "yes yes yes doubt yes yes doubt doubt doubt no no",
}
"""Without any later signature."""
SIGNED = {
    1: "yes yes yes yes no no no no no no no",
    2: "yes yes yes yes yes yes no yes no no no",
    3: "yes yes yes yes yes yes doubt yes yes no no",
    None: "yes yes yes yes yes yes yes doubt doubt no no",
}
"""With a later signature over the change."""
STAMPED = {
    permission: line.replace("yes yes yes doubt", "yes yes yes yes") for permission, line in EXPECTED.items()
}
"""With a later timestamp over it."""


def signature(
    revision: int, permission: int | None = None, locked: tuple[str, ...] | None = None
) -> SignatureFacts:
    """Return a signature."""
    return SignatureFacts(
        "S", (0, 1, 2, 3), covers_all=False, declared=True, claimed_time=None, error=None, revision=revision,
        permission=permission, locked=locked,
    )  # fmt: skip


def facts(*changes: Change, signed: bool = False, stamped: bool = False) -> Facts:
    """Return facts with one later revision of these changes."""
    revisions = (RevisionFacts(0, 10), RevisionFacts(10, 20, changes), RevisionFacts(20, 30))
    signatures = (signature(0), *((signature(2),) if signed else ()))
    stamps = (TimestampFacts(None, None, None, revision=2),) if stamped else ()
    return Facts(30, (), True, signatures, stamps, revisions)


def unpermitted(signed: SignatureFacts, found: Facts) -> Unpermitted:
    """Return what one signature does not permit."""
    return LaterChanges(found).unpermitted(signed)


def answer(found: Unpermitted) -> str:
    """Return yes, no or doubt."""
    return "no" if found.violations else "doubt" if found.undecided else "yes"


@pytest.mark.parametrize("permission", [1, 2, 3, None])
@pytest.mark.parametrize(
    ("table", "cover"), [(EXPECTED, {}), (SIGNED, {"signed": True}), (STAMPED, {"stamped": True})]
)
def test_table(permission: int | None, table: dict[int | None, str], cover: dict[str, bool]) -> None:
    """Each kind of change has the answer that the table gives it."""
    for kind, expected in zip(KINDS, table[permission].split(), strict=True):
        found = unpermitted(signature(0, permission), facts(Change(kind, "field 'A'"), **cover))
        assert (kind, answer(found)) == (kind, expected)


def test_date_and_program_alone() -> None:
    """A new date of saving needs nobody's cover."""
    assert unpermitted(signature(0, 1), facts(Change("metadata", STAMPS))) == Unpermitted()


@pytest.mark.parametrize(
    ("locked", "field", "expected"),
    [
        (("A",), "A", "no"), (("A",), "A.b", "no"), (("A",), "AB", "yes"), (("A.b",), "A", "no"),
        (("A.b",), "A.c", "yes"), (("*",), "Z", "no"), ((), "A", "yes"), (("A",), "*", "yes"),
    ],
)  # fmt: skip
def test_locked_fields(locked: tuple[str, ...], field: str, expected: str) -> None:
    """A locked field, one inside it or one it is inside of does not change; others do as the table says."""
    for kind in ("signature", "form"):
        found = unpermitted(signature(0, 2, locked), facts(Change(kind, f"field {field!r}")))
        assert answer(found) == expected


@pytest.mark.parametrize("detail", ["defaults of all fields", "field (", "field 7", "field " + "(" * 5000])
def test_all_fields(detail: str) -> None:
    """A change of all fields, or one whose field cannot be told, is one of locked fields."""
    assert answer(unpermitted(signature(0, 2, ("A",)), facts(Change("form", detail)))) == "no"


def test_earlier_changes_are_the_signers_own() -> None:
    """A signature says nothing against what stood before it."""
    assert unpermitted(signature(1, 1), facts(Change("other", "page 1"))) == Unpermitted()


def test_every_change_is_named() -> None:
    """All changes come back, in their order, each in its list."""
    changes = (
        Change("other", "a"),
        Change("form", "field 'x'"),
        Change("other", "b"),
        Change("annotation", "page 1"),
    )
    found = unpermitted(signature(0), facts(*changes))
    assert found == Unpermitted((changes[0], changes[2]), (changes[1], changes[3]))


CHANGES = st.builds(
    Change, st.sampled_from(KINDS), st.sampled_from(("field 'A'", "field 'A.b'", "field 'C'", STAMPS))
)
SIGNATURES = st.builds(
    signature,
    st.integers(-1, 6),
    st.sampled_from((1, 2, 3, None)),
    st.sampled_from((None, (), ("A",), ("C", "D"), ("*",))),
)


@settings(max_examples=400)
@given(
    st.lists(st.lists(CHANGES, max_size=4).map(tuple), min_size=1, max_size=7),
    st.lists(SIGNATURES, min_size=1, max_size=5),
    st.integers(-1, 6),
)
def test_one_look_at_all_changes(
    revisions: list[tuple[Change, ...]], signatures: list[SignatureFacts], stamped: int
) -> None:
    """Each change is judged as if it were the only one, whatever else was asked before."""
    stamp = TimestampFacts(None, None, None, revision=stamped)
    later = LaterChanges(_file(revisions, signatures, stamp))
    for signed in signatures:
        expected = []
        for at in range(signed.revision + 1, len(revisions)):
            for change in revisions[at]:
                alone = [(change,) if index == at else () for index in range(len(revisions))]
                expected.append(unpermitted(signed, _file(alone, signatures, stamp)))
        found = later.unpermitted(signed)
        assert found.violations == tuple(change for one in expected for change in one.violations)
        assert found.undecided == tuple(change for one in expected for change in one.undecided)


def _file(
    revisions: list[tuple[Change, ...]], signatures: list[SignatureFacts], stamp: TimestampFacts
) -> Facts:
    parts = tuple(RevisionFacts(at, at + 1, changes) for at, changes in enumerate(revisions))
    return Facts(len(parts), (), True, tuple(signatures), (stamp,), parts)


def test_many_changes_of_many_locked_names_cost_little() -> None:
    """Five thousand locked fields and as many changes of others are told apart in a second."""
    locked = tuple(f"a{number}.b" for number in range(5_000))
    found = facts(*(Change("form", f"field 'c{number}.d'") for number in range(5_000)))
    start = time.process_time()
    assert unpermitted(signature(0, 2, locked), found) == Unpermitted()
    assert time.process_time() - start < 1
