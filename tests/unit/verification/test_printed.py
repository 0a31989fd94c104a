"""The page read back: what counts as printed, and that hostile content gives an answer, not an exception."""

from __future__ import annotations

import random
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elicense.encoding import encode_index, encode_licence_file
from elicense.verification import printed
from elicense.verification.document import read_facts
from elicense.verification.marks import ContentError
from elicense.verification.printed import inflate, read_content
from elicense.verification.structure import read_structure
from tests.unit.verification.minimal_pdf import LICENCE, Draft, placements, sealed
from tests.vectors.generate import NOW, base, seal, trust


def test_inflating_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Damaged, cut, continued and oversized data are refused, the last as a limit."""
    good = zlib.compress(b"x" * 1000)
    assert inflate(good) == b"x" * 1000
    for wrong in (good[:-1], good + b"x", b"x" + good, b""):
        with pytest.raises(ContentError) as caught:
            inflate(wrong)
        assert caught.value.reason == "content.stream"
    monkeypatch.setattr(printed, "MAX_STREAM", 999)
    with pytest.raises(ContentError) as caught:
        inflate(good)
    assert caught.value.reason == "limit.complexity"


def reason(draft: Draft) -> str | None:
    """Return why the content of a document made from `draft` is refused."""
    data = sealed(draft, seal().signer())
    structure = read_structure(data)
    assert structure.findings == ()
    return read_content(data, structure, structure.candidates[0].claimed_time).error


def embedded(**changes: object) -> Draft:
    """Return a document whose first index entry is changed in the embedded data only."""
    first, *others = placements(LICENCE)
    return Draft(embedded=encode_licence_file(LICENCE, encode_index((first._replace(**changes), *others))))


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (Draft(), None),
        (embedded(text="其他证照"), "content.value"),
        (embedded(template="{type.name", fields=()), "content.index"),
        (embedded(template="{number}"), "content.index"),
        (embedded(template="{number}", fields=("number",)), "content.value"),
        (embedded(page=2), "content.index"),
        (Draft(embedded=encode_licence_file(LICENCE, encode_index(placements(LICENCE)[:1] * 2))), "content.index"),
        (embedded(mcid=90), "content.printed"),
        (Draft(embedded=encode_licence_file(LICENCE, encode_index(placements(LICENCE)[1:]))), "content.unlisted"),
        (Draft(licence=replace(LICENCE, fields={})), None),
        (Draft(lines={0: "食品经营许可"}), "content.printed"),
        (Draft(objects={2: b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 1>>"}), "content.pages"),
        (Draft(objects={8: b"<</Font<</D0 3 0 R>>>>", 12: b"<</Fields[4 0 R]/SigFlags 3/DR<</D0 11 0 R>>>>"}),
         "content.font"),
    ],
)  # fmt: skip
def test_contradictions_have_their_reason(draft: Draft, expected: str | None) -> None:
    """Each way in which data, index and page can disagree is named."""
    assert reason(draft) == expected


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_facts_of_mutated_documents(chance: random.Random) -> None:
    """Whatever is done to the objects of a document, reading its facts does not raise."""
    data = bytearray(base())
    for _ in range(chance.randrange(1, 6)):
        position = chance.randrange(len(data))
        length = chance.randrange(1, 40)
        data[position : position + length] = data[chance.randrange(len(data)) :][:length]
    read_facts(bytes(data), read_structure(bytes(data)), trust(), NOW)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([2, 3, 8, 9, 10, 11, 13]))
def test_facts_of_documents_with_odd_objects(chance: random.Random, number: int) -> None:
    """A truly signed document with any value in place of one of its objects does not make the reader raise."""
    parts = [b"<<", b">>", b"[", b"]", b"/Type/Pages", b"/Kids", b"/Contents", b"/Font", b"/D0", b"2 0 R", b"9 0 R",
             b"3 0 R", b"(x)", b"<00>", b"1", b"null", b"/Encoding/Identity-H", b"/ToUnicode 13 0 R"]  # fmt: skip
    body = b" ".join(chance.choice(parts) for _ in range(chance.randrange(1, 12)))
    data = sealed(Draft(objects={number: body}), seal().signer())
    read_facts(data, read_structure(data), trust(), NOW)
