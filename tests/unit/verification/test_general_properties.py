"""Whatever the bytes, the reader of any PDF answers, within its limits."""

from __future__ import annotations

import time
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elicense.verification.general import UNDECIDED, read_general
from elicense.verification.objects import Budget, HexString, read_value, same
from elicense.verification.objects_streams import decode
from elicense.verification.pdf import Name, Reference, Violation
from tests.support.foreign import (
    append,
    body_of,
    certify,
    hand_signed,
    last_xref,
    plain,
    repacked,
    root_of,
    sign,
    size_of,
    stream,
)

WORDS = (
    b"obj", b"endobj", b"stream", b"endstream", b"xref", b"trailer", b"startxref", b"%%EOF", b"<<", b">>", b"[", b"]",
    b"(", b")", b"<", b">", b"/Kids", b"/Fields", b"/V", b"/Prev", b"/ByteRange", b"/Contents", b"/Type", b"/Root",
    b"/AcroForm", b"/Annots", b"/Length", b"/Filter", b"/ObjStm", b"/XRef", b"1 0 R", b"2 0 R", b"0", b"-1", b"9" * 20,
    b"null", b"true", b"\n", b"%", b"\\", b"\0",
)  # fmt: skip


@cache
def samples() -> tuple[bytes, ...]:
    """Return signed files of several kinds, the later revisions uncompressed."""
    return (
        sign(sign(plain(2)), "Second", box=(10, 10, 90, 90)),
        sign(repacked(plain(), packed=True)),
        certify(plain(), 2, level="LTA"),
        append(hand_signed(plain(note=True)), {900: b"null"}),
    )


def mutated(data: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    """Return the file with some of its bytes replaced; places outside the long runs of digits are likelier."""
    out = bytearray(data)
    for place, length, word in changes:
        at = int(place * len(out))
        out[at : at + length] = word
    return bytes(out)


@settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 3),
    st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.integers(0, 12),
            st.sampled_from(WORDS) | st.binary(max_size=4),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_mutated_files(which: int, changes: list[tuple[float, int, bytes]]) -> None:
    """A signed file damaged anywhere is read to an answer."""
    read_general(mutated(samples()[which], changes))


@settings(max_examples=200)
@given(st.lists(st.sampled_from(WORDS) | st.binary(max_size=3), max_size=40))
def test_made_up_files(words: list[bytes]) -> None:
    """So is anything that only looks like one."""
    structure = read_general(b"%PDF-1.7\n" + b" ".join(words))
    assert structure.findings


@given(st.binary(max_size=100))
def test_no_pdf(data: bytes) -> None:
    """Bytes that are no PDF at all are named as such."""
    (finding,) = read_general(data).findings
    assert finding.reason in {"format.empty", "format.not_pdf", "format.cut"}


def chained(pdf: bytes, count: int, objects: object) -> bytes:
    """Return the file with `count` more revisions, quickly made."""
    out, previous, size = bytearray(pdf), last_xref(pdf), size_of(pdf)
    info = pdf[pdf.rindex(b"/Info") :].split(b"R")[0] + b"R"
    for index in range(count):
        offsets = {}
        for number, body in objects(index, size).items():
            offsets[number] = len(out)
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
            size = max(size, number + 1)
        at = len(out)
        lines = b"".join(b"%d 1\n%010d 00000 n \n" % pair for pair in sorted(offsets.items()))
        trailer = b"<</Size %d/Root %d 0 R/Prev %d%s>>" % (size, root_of(pdf), previous, info)
        out += b"xref\n%strailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (lines, trailer, at)
        previous = at
    return bytes(out)


def seconds(pdf: bytes) -> float:
    """Return how long reading takes, processor time."""
    start = time.process_time()
    read_general(pdf)
    return time.process_time() - start


def test_ten_thousand_revisions() -> None:
    """Ten thousand later revisions are read in seconds, each with its change."""
    pdf = chained(hand_signed(plain()), 10_000, lambda index, size: {size: b"<</A %d>>" % index})
    start = time.process_time()
    structure = read_general(pdf)
    assert time.process_time() - start < 10
    assert structure.findings == ()
    assert len(structure.revisions) == 10_001
    assert {change.kind for revision in structure.revisions for change in revision.changes} == {"unused"}


def test_too_many_revisions() -> None:
    """More than that is a limit, which proves nothing."""
    pdf = chained(hand_signed(plain()), 12_001, lambda index, size: {size: b"<</A %d>>" % index})
    (finding,) = read_general(pdf).findings
    assert finding.reason == "limit.complexity"
    assert finding.reason in UNDECIDED


def test_five_thousand_pages() -> None:
    """Five thousand pages, signed twice, are compared in seconds."""
    assert seconds(sign(hand_signed(plain(5000)), "Second")) < 10


def test_cost_grows_with_the_file() -> None:
    """Twenty times as many revisions cost about twenty times as much."""
    pdf = hand_signed(plain())
    catalogue = body_of(pdf, root_of(pdf))[:-2]
    make = lambda index, size: {root_of(pdf): catalogue + b"/DSS %d 0 R>>" % size, size: b"<</Type/DSS>>"}  # noqa: E731
    few, many = chained(pdf, 100, make), chained(pdf, 2000, make)
    seconds(few)
    assert seconds(many) < 60 * max(seconds(few), 0.005)


BOMBS = {
    "object stream": lambda: _bomb(b"/Type/ObjStm/N 1/First 4"),
    "cross-reference stream": lambda: _bomb(b"/Type/XRef/W[1 2 1]/Size 10/Root 1 0 R"),
    "brackets": lambda: _frame(b"1 0 obj\n" + b"[" * 100_000),
    "dictionaries": lambda: _frame(b"1 0 obj\n" + b"<</A" * 100_000),
    "parentheses": lambda: _frame(b"1 0 obj\n" + b"(" * 1_000_000),
    "escapes": lambda: _frame(b"1 0 obj\n(" + b"\\n" * 4_000_000 + b")\nendobj"),
    "names": lambda: _frame(b"1 0 obj\n<</" + b"#41" * 4_000_000 + b" 1>>\nendobj"),
    "comments": lambda: _frame(b"1 0 obj\n" + b"%\n" * 2_000_000),
    "numbers": lambda: _frame(b"1 0 obj\n[" + b"1 " * 4_000_000 + b"]endobj"),
    "byte ranges": lambda: _frame(b"/ByteRange " * 300_000),
    "ends": lambda: b"%PDF-1.7\n" + b"startxref 9 %%EOF\n" * 200_000,
}


def _frame(body: bytes) -> bytes:
    """Return a file whose first object is the catalogue."""
    start = b"%PDF-1.7\n"
    at = len(start + body) + 1
    table = b"xref\n0 2\n0000000000 65535 f \n%010d 00000 n \n" % len(start)
    return start + body + b"\n" + table + b"trailer\n<</Size 2/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % at


def _bomb(entries: bytes) -> bytes:
    """Return a file whose last stream unpacks to a quarter of a gigabyte."""
    import zlib

    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
    start = b"%PDF-1.7\n"
    body = b"2 0 obj\n%s\nendobj\n" % stream(packed, entries + b"/Filter/FlateDecode")
    if b"XRef" in entries:
        return start + body + b"startxref\n%d\n%%%%EOF\n" % len(start)
    rows = b"\x00\x00\x00\x00" + b"\x02\x00\x02\x00" + b"\x01" + len(start).to_bytes(2) + b"\x00"
    table = b"3 0 obj\n%s\nendobj\n" % stream(rows, b"/Type/XRef/W[1 2 1]/Size 3/Root 1 0 R")
    return start + body + table + b"startxref\n%d\n%%%%EOF\n" % len(start + body)


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    """What unpacks or nests without end is answered within seconds."""
    pdf = BOMBS[name]()
    start = time.process_time()
    (finding,) = read_general(pdf).findings
    assert time.process_time() - start < 8
    assert finding.check in {1, 2}


def value(text: bytes) -> object:
    """Return what a text reads as."""
    return read_value(text, 0, len(text), set(), Budget(1000, 0, 0))[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"% remark\n12", 12),
        (b"(a(b)c)", b"a(b)c"),
        (rb"(a\)\(\\\101\7\n)", b"a)(\\A\x07\n"),
        (b"(a\\\nb\rc\r\nd)", b"ab\nc\nd"),
        (b"<4 1\n4>", b"A@"),
        (b"[1 0 R 2 7 R 3 0]", [Reference(1, 0), Reference(2, 7), 3, 0]),
        (b"<</A/B#43/D null>>", {"A": Name("BC"), "D": None}),
        (b"[true false -1 +2 .5 4. -.0]", [True, False, -1, 2, 0.5, 4.0, 0.0]),
        (b"<<>>", {}),
    ],
)
def test_values(text: bytes, expected: object) -> None:
    """Each kind of value is read as the standard says."""
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [b"", b"]", b"[>>", b"<<1 2>>", b"<</A>>", b"(a", b"<4x>", b"1.2.3", b"word", b"[" * 65 + b"]" * 65],
)
def test_no_values(text: bytes) -> None:
    """What is none of them is refused."""
    with pytest.raises(Violation):
        value(text)


def test_strings_know_their_place() -> None:
    """A hexadecimal string knows where it stands, angle brackets included."""
    found = value(b"  <41>")
    assert isinstance(found, HexString)
    assert found.span == (2, 6)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (b"612", b"612.0", True),
        (b"true", b"1", False),
        (b"(A)", b"<41>", True),
        (b"(A)", b"/A", False),
        (b"[1 0 R]", b"[[1 0]]", False),
        (b"<</A 1/A 2>>", b"<</A 1/A 2>>", False),
        (b"1 0 R", b"1 1 R", False),
        (b"null", b"0", False),
    ],
)
def test_same(one: bytes, two: bytes, *, expected: bool) -> None:
    """Two values are the same if every reader must see the same."""
    assert same(value(one), value(two)) is expected


@pytest.mark.parametrize("predictor", [2, 10, 11, 12, 13, 14])
def test_predictors(predictor: int) -> None:
    """Each predictor is undone."""
    import zlib

    rows = [bytes([10, 20, 30]), bytes([11, 25, 200])]
    kind = predictor - 10
    if predictor == 2:
        coded = b"".join(bytes([row[0], (row[1] - row[0]) & 255, (row[2] - row[1]) & 255]) for row in rows)
    else:
        coded, above = b"", bytes(3)
        for row in rows:
            out = bytearray()
            for i, byte in enumerate(row):
                left, up, corner = (row[i - 1] if i else 0), above[i], (above[i - 1] if i else 0)
                near = min((left, up, corner), key=lambda v, e=left + up - corner: abs(e - v))
                guess = (0, left, up, (left + up) // 2, near)[kind]
                out.append((byte - guess) & 255)
            coded += bytes([kind]) + out
            above = row
    dictionary = {
        "Filter": Name("FlateDecode"),
        "DecodeParms": {"Predictor": predictor, "Columns": 3},
    }
    assert decode(zlib.compress(coded), dictionary, Budget(0, 0, 10_000)) == b"".join(rows)


@pytest.mark.parametrize(
    ("name", "coded"),
    [("ASCIIHexDecode", b"41 4 2>"), ("ASCII85Decode", b"<~5sb~>"), ("A85", b"5sb~>"), ("AHx", b"4142")],
)
def test_text_filters(name: str, coded: bytes) -> None:
    """The filters that write bytes as text are undone."""
    assert decode(coded, {"Filter": [Name(name)]}, Budget(0, 0, 100)) == b"AB"


@pytest.mark.parametrize("name", ["LZWDecode", "Crypt", "DCTDecode"])
def test_other_filters(name: str) -> None:
    """Others are not undone, and that is said."""
    with pytest.raises(Violation, match=r"format\.unsupported"):
        decode(b"", {"Filter": Name(name)}, Budget(0, 0, 100))
