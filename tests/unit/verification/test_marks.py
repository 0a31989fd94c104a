"""The text of marked content: what counts as shown, and that both ways of reading a stream find the same."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elicense.verification import marks
from elicense.verification.marks import Characters, ContentError, Row, marked_text, read_to_unicode

FONTS = {b"D0": Characters({1: "证", 2: "照"}), b"D1": Characters({1: "𠀀", 3: "甲乙"})}
STREAM = b"""/P <</MCID 2>> BDC
BT
/D0 12 Tf
1 0 0 1 206.929 376.699 Tm <00010002> Tj
0.133 Tc
1 0 0 1 206.929 -3.5 Tm <0002> Tj
0 Tc
ET
EMC
q 0.5 0 1 rg
/Span <</MCID 4>> BDC
BT
/D1 9 Tf
1 0 0 1 3 4 Tm <0001> Tj
/D0 9 Tf
<0001> Tj
ET
EMC
Q
/Figure <</MCID 7>> BDC
q 0.83673 0 0 0.83673 695.29809 434.51069 cm
0 40 7 1 re
f
BI /W 45 /H 45 /IM true /BPC 1 /F /AHx ID
BDC0FFEE1234>
EI
Q
EMC
/Artifact BMC
q 1 0 0 1 0 0 cm /Seal Do Q
EMC
/Figure <</MCID 8>> BDC
0 0 m 3 3 l S
BT
/D0 8 Tf
1 0 0 1 5 5 Tm <0002> Tj
ET
EMC
/P <</MCID 9>> BDC
BT
ET
EMC
"""
TEXTS = {2: "证照照", 4: "𠀀证", 8: "照"}
PIECES = [
    b"/P <</MCID 3>> BDC\n", b"BT\n", b"ET\n", b"EMC\n", b"Q\n", b"q 0 0 0 rg\n", b"/D0 9 Tf\n", b"/D1 9 Tf\n",
    b"/D0 -9 Tf\n", b"/S0 9 Tf\n", b"<0001> Tj\n", b"<00010002> Tj\n", b"<000> Tj\n", b"<0003> Tj\n",
    b"0.1 Tc\n", b"/Artifact BMC\n", b"/Figure <</MCID 5>> BDC\n", b"0 0 1 1 re f\n", b"(a) Tj\n",
    b"[<0001>] TJ\n", b"(a) '\n", b"/P /Q BDC\n", b"/P<</MCID 03>>BDC ", b"EMC ", b"ID BDC1F>\n", b"<0001>Tj ",
    b"/MCID 2", b" ", b"\n",
]  # fmt: skip


def outcome(read: object, stream: bytes) -> object:
    """Return the texts, or the reason of the refusal."""
    try:
        return read(stream, FONTS)  # type: ignore[operator]
    except ContentError as error:
        return error.reason


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"/P <</MCID 3>> BDC BT /D0 9 Tf <00010002> Tj ET EMC", {3: "证照"}),
        (b"/P <</MCID 3>> BDC /D0 9 Tf <0001> Tj 1 0 0 1 2 3 Tm <0002> Tj EMC", {3: "证照"}),
        (b"/P <</MCID 3>> BDC /Span BMC /D0 9 Tf <0001> Tj EMC EMC", {3: "证"}),
        (b"/P <</MCID 3>> BDC EMC", {}),
        (b"/S1 9 Tf <0001> Tj", {}),
        (b"/Artifact <</Type/Pagination>> BDC q Q EMC", {}),
        (STREAM, TEXTS),
    ],
)
def test_marked_text(stream: bytes, expected: dict[int, str]) -> None:
    """Text belongs to the innermost sequence with an identifier; static fonts do not count."""
    assert marked_text(stream, FONTS) == expected


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"/D0 9 Tf <0001> Tj", "content.unlisted"),
        (b"/Artifact BMC /D0 9 Tf <0001> Tj EMC", "content.unlisted"),
        (b"/Artifact BMC\nBT\n/D0 9 Tf\n<0001> Tj\nET\nEMC\n", "content.unlisted"),
        (b"/P <</MCID 1>> BDC /D0 9 Tf <0003> Tj EMC", "content.font"),
        (b"/P <</MCID 1>> BDC\nBT\n/D0 9 Tf\n<0003> Tj\nET\nEMC\n", "content.font"),
        (b"/P <</MCID 1>> BDC /D0 9 Tf <000> Tj EMC", "content.stream"),
        (b"/P <</MCID 1>> BDC [<0001>] TJ EMC", "content.stream"),
        (b"/P <</MCID 1>> BDC (a) Tj EMC", "content.stream"),
        (b"/P <</MCID 1>> BDC (a) ' EMC", "content.stream"),
        (b"/P <</MCID 1>> BDC", "content.stream"),
        (b"EMC", "content.stream"),
        (b"/P <</MCID 1>> BDC EMC /P <</MCID 1>> BDC EMC", "content.stream"),
        (b"/P <</MCID 1>> BDC\nBT\nET\nEMC\n/P <</MCID 1>> BDC\nBT\nET\nEMC\n", "content.stream"),
        (b"/P <</MCID 1>> BDC\nBT\nET\nEMC\n/P <</MCID 01>> BDC\nBT\nET\nEMC\n", "content.stream"),
        (b"/P BMC " * 60, "content.stream"),
    ],
)
def test_text_that_is_not_the_fills(stream: bytes, reason: str) -> None:
    """Text shown in any other way is a difference with its own reason."""
    with pytest.raises(ContentError) as caught:
        marked_text(stream, FONTS)
    assert caught.value.reason == reason


def test_the_fills_own_stream_is_read_the_quick_way() -> None:
    """A stream as the fill writes it needs no reading by operators, so the comparisons below compare two ways."""
    assert marks._as_written(STREAM, FONTS) == marks._by_operators(STREAM, FONTS) == TEXTS


@settings(max_examples=3000, deadline=None)
@given(st.randoms(use_true_random=False))
def test_both_ways_find_the_same(chance: random.Random) -> None:
    """Of a stream damaged or put together at random the quick way finds what the other one finds, or nothing."""
    if chance.random() < 0.5:
        pieces = re.split(rb"(?<=\n)", STREAM)
        for _ in range(chance.choice((1, 1, 2, 4))):
            pieces[chance.randrange(len(pieces))] = chance.choice((b"", *PIECES, *pieces))
    else:
        pieces = [chance.choice(PIECES) for _ in range(chance.randrange(20))]
    stream = b"".join(pieces)
    try:
        found = marks._as_written(stream, FONTS)
    except ContentError as error:
        found = error.reason
    if found is not None:
        assert found == outcome(marks._by_operators, stream)


@given(st.binary(max_size=300))
def test_any_stream_is_read(stream: bytes) -> None:
    """Arbitrary operators give text or a ContentError."""
    with pytest.raises(ContentError):
        marked_text(stream + b"\n/D0 9 Tf <0009> Tj", FONTS)


def test_maps_from_codes_to_characters() -> None:
    """Characters of every plane are read; a code given twice and half a surrogate are refused."""
    assert read_to_unicode(b"2 beginbfchar\n<0001> <8BC1>\n<0002> <D840DC00>\nendbfchar") == {
        1: "证",
        2: "𠀀",
    }
    assert read_to_unicode(b"") == {}
    for wrong in (b"<0001> <8BC1>\n<0001> <7167>", b"<0001> <D840>", b"<0001> <D840>\n<0002> <DC00>"):
        with pytest.raises(ContentError):
            read_to_unicode(wrong)


MAP = """/CIDInit/ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def
1 begincodespacerange
<0000><FFFF>
endcodespacerange
1 beginbfrange
<0001><%04X>[%s]
endbfrange
endcmap
"""
"""As the fill writes it; one bfchar a line is read as well."""


def written(characters: str) -> bytes:
    """Return the map of one range from code 1 to these characters."""
    texts = "".join(f"<{one.encode('utf-16-be').hex().upper()}>" for one in characters)
    return (MAP % (len(characters), texts)).encode()


CHARACTERS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@given(CHARACTERS)
def test_every_map_reads_back(characters: str) -> None:
    """What a map says is what it was made of, in either form, and codes are decoded one by one."""
    lines = [
        b"<%04X> <%b>" % (code, one.encode("utf-16-be").hex().encode())
        for code, one in enumerate(characters, 1)
    ]
    expected = dict(enumerate(characters, 1))
    assert read_to_unicode(b"\n".join(lines)) == expected
    found = read_to_unicode(written(characters))
    # The code space stands there like one more character.
    assert (found.each if isinstance(found, Row) else found) == expected | {0: "\uffff"}
    assert found.text(b"".join(b"%04X" % code for code in expected)) == characters


@given(CHARACTERS, st.randoms(use_true_random=False))
def test_both_ways_read_the_same_map(characters: str, chance: random.Random) -> None:
    """Of a map that was damaged the quick way says what the other one says, or nothing."""
    cmap = written(characters)
    for _ in range(chance.choice((0, 1, 1, 2))):
        at = chance.randrange(len(cmap))
        new = chance.choice(
            (b"", b"<", b">", b"0", b"D840", b"<0002>", b"<0001><0002>", b"]", b" ", cmap[at : at + 12])
        )
        cmap = cmap[:at] + new + cmap[at + chance.choice((0, 1, 4, 6)) :]
    quick = marks._one_range(cmap)
    if quick is not None:
        assert quick.each == marks._any_map(cmap)


@given(
    st.text(max_size=300), st.lists(st.integers(0, 400), max_size=40), st.sampled_from(["", "0", "00", "000"])
)
def test_a_row_says_what_its_codes_say(characters: str, codes: list[int], rest: str) -> None:
    """Codes of a row, known or not, below 256 or not, cut or not, are read as each code alone is."""
    row, digits = Row(characters), ("".join(f"{code:04X}" for code in codes) + rest).encode()

    def said(font: Row | Characters) -> str:
        try:
            return font.text(digits)
        except ContentError as error:
            return error.reason

    assert said(row) == said(row.each)


def test_an_ordinary_map_is_read_the_quick_way() -> None:
    """A map without characters beyond U+FFFF needs no reading of any map, so the comparison above compares two."""
    assert marks._one_range(written("证照")) == Row("\uffff证照")
    assert marks._one_range(written("证𠀀")) is None
