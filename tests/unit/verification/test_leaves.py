"""Leaves of a shape: whatever their grammar lets in, the reader takes for a value of the same kind and nothing more."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elicense.verification import leaves
from elicense.verification.leaves import leaves_of, pattern_of, values_of
from elicense.verification.pdf import FORBIDDEN, Hex, IndirectObject, Inventory, Name, read_value

COUNTED = {"Widget", "EF", "EmbeddedFile", "ByteRange", "Annots", *FORBIDDEN}
"""Names that structure.py looks for."""
GRAMMARS = {
    "NUMBER": (leaves.NUMBER, int),
    "LENGTH": (leaves.LENGTH, int),
    "MOMENT": (leaves.MOMENT, bytes),
    "TEXT": (leaves.TEXT, (bytes, Hex)),
    "WIDTHS": (leaves.WIDTHS, list),
    "TAG": (leaves.TAG + rb"NotoSerifSC-Regular", Name),
}


def read(body: bytes) -> tuple[IndirectObject, Inventory]:
    """Return an object with this body, and what the reader met."""
    met = Inventory(1_000_000)
    value, end = read_value(body, 0, len(body), met)
    assert end == len(body)
    sets = {"references": frozenset(met.references), "names": frozenset(met.names)}
    found = IndirectObject(value, 0, end, body=(0, end), stream=None, **sets)
    return found, met


@pytest.mark.parametrize("name", GRAMMARS)
@given(st.data())
def test_a_leaf_is_one_value_of_its_kind(name: str, data: st.DataObject) -> None:
    """Beside other entries, in every spelling that the grammar lets in, the rest of the object stays what it was."""
    grammar, kind = GRAMMARS[name]
    text = data.draw(st.from_regex(re.compile(grammar), fullmatch=True))
    found, met = read(
        b"<</Before(x)/Leaf%b/Behind 7 0 R/Name/Other>>" % (text if text[:1] in b"/(<[" else b" " + text)
    )
    assert isinstance(found.value, dict)
    leaf = found.value.pop("Leaf")
    assert isinstance(leaf, kind)
    assert not isinstance(leaf, list) or all(isinstance(one, int | float | list) for one in leaf)
    assert found.value == {"Before": b"x", "Behind": (7, 0), "Name": "Other"}
    assert met.references == {7}
    assert met.names - {leaf if isinstance(leaf, Name) else ""} == {
        "Before",
        "Leaf",
        "Behind",
        "Name",
        "Other",
    }
    assert not met.names & COUNTED
    # Escapes take as long as tokens to undo, and can spell a name in another way.
    assert b"\\" not in text
    assert kind is not Name or b"#" not in text


@given(
    st.lists(
        st.one_of(st.integers(0, 99999), st.lists(st.integers(0, 9999), min_size=1, max_size=3)), min_size=1
    )
)
def test_widths_are_the_numbers_written(numbers: list[object]) -> None:
    """Two numbers never run together: what is read has as many as were written."""
    text = (
        "[" + " ".join(f"[{' '.join(map(str, n))}]" if isinstance(n, list) else str(n) for n in numbers) + "]"
    )
    assert re.fullmatch(leaves.WIDTHS, text.encode())
    assert read(text.encode())[0].value == numbers
    assert not re.fullmatch(leaves.WIDTHS, text.replace("]", " ]", 1).encode())


BODIES = st.recursive(
    st.sampled_from([b"1", b"-2.5", b"/N", b"(a b)", b"3 0 R", b"true", b"null"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: b"[%b]" % b" ".join(items)),
        st.lists(inner, max_size=3).map(
            lambda items: b"<<%b>>" % b"".join(b"/K%d %b" % pair for pair in enumerate(items))
        ),
    ),
    max_leaves=8,
)


def plain(value: object, keys: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    """Return keys and value of everything that is no dictionary, and of no array that holds one."""
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in plain(item, (*keys, str(key)))]
    if isinstance(value, list) and "{" in repr(value):
        return [
            pair
            for item in value
            if isinstance(item, dict | list)
            for pair in plain(item, keys)
            if "{" in repr(item)
        ]
    return [(keys, value)] if keys else []


@given(BODIES)
def test_values_are_where_they_are_said_to_be(body: bytes) -> None:
    """Each value of every dictionary comes once with its keys, and its bytes read alone are that value."""
    found, _ = read(body)
    alone = [(one.keys, read(body[one.start : one.end])[0].value) for one in values_of(body, found)]
    assert alone == plain(found.value)


@given(BODIES, st.binary(max_size=3))
def test_a_pattern_without_leaves_is_the_bytes(body: bytes, more: bytes) -> None:
    """Where nothing may differ, the expression matches these bytes and no others."""
    found, _ = read(body)
    pattern = pattern_of(body, 0, len(body), found, {})
    assert re.fullmatch(pattern, body, re.DOTALL)
    assert not re.fullmatch(pattern, body + b"x" + more, re.DOTALL)


def test_leaves_belong_to_the_kind_of_object() -> None:
    """A key of another kind of object, or of another dictionary in it, is fixed like everything else."""
    font = (
        b"<</Type/Font/BaseFont/ABCDEF+Noto/W[1 [500 600]]/Length 12/Inner<</W[1]/BaseFont/ABCDEF+Other>>>>"
    )
    found, _ = read(font)
    pattern = pattern_of(font, 0, len(font), found, leaves_of(found, information=False))
    for old, new, same in (
        (b"ABCDEF+Noto", b"GHIJKL+Noto", True),
        (b"ABCDEF+Noto", b"GHIJKL+Nota", False),
        (b"ABCDEF+Noto", b"GHIJK#+Noto", False),
        (b"[1 [500 600]]", b"[1 [500 600 700] 9 [1]]", True),
        (b"[1 [500 600]]", b"[1 [500 600 7 0 R]]", False),
        (b"[1 [500 600]]", b"[1 [500  600]]", False),
        (b"/Length 12", b"/Length 13", False),
        (b"/W[1]", b"/W[2]", False),
        (b"ABCDEF+Other", b"GHIJKL+Other", False),
    ):
        changed = font.replace(old, new, 1)
        assert changed != font
        assert bool(re.fullmatch(pattern, changed, re.DOTALL)) is same, new
