"""licence.json is read the quick way exactly as any canonical JSON is: the same result or the same refusal."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elicense import decoding
from elicense.encoding import encode_index, encode_licence_file
from elicense.errors import MalformedDocument
from elicense.model import FieldPlacement, Licence
from tests.unit.test_encoding import LICENCE, PLACEMENT, PLACEMENTS, licences

FILE = encode_licence_file(
    LICENCE,
    encode_index(
        (
            PLACEMENT,
            PLACEMENT._replace(mcid=9, text='甲\n"乙"\\\t\x0b\x7f/'),
            PLACEMENT._replace(mcid=10, template="一\n{number}"),
        )
    ),
)
PIECES = [b'"', b"\\", b",", b":", b"{", b"}", b"[", b"]", b" ", b"\n", b"0", b"-0", b"1.0", b"1e2", b"true", b"null",
          b'"text":"', b'{"fields":[', b'],"licence":', b',"schema":', b"\\u4e2d", b"\\n", b"\xff", b"\x1f",
          b"9007199254740993", b'"a":"b",', "照".encode(), b"\\u000b", b"\\u000B",
          b"\\u0009", b"\\t", b"\\/", b"\\u007f", b'\\"', b"\\\\"]  # fmt: skip


def outcome(read: object, data: bytes) -> object:
    """Return what was read, or that it was refused."""
    try:
        return read(data)  # type: ignore[operator]
    except MalformedDocument:
        return MalformedDocument


def quick(data: bytes) -> object:
    """Return what the quick way says, None if it leaves the file to the other one."""
    return outcome(decoding._as_written, data)


def test_what_the_issuer_writes_is_read_the_quick_way() -> None:
    """An ordinary file does not need the other way, so the comparisons below compare two."""
    assert quick(FILE) == decoding._as_json(FILE)


@given(licences(), st.lists(PLACEMENTS, max_size=3).map(tuple))
def test_both_ways_read_the_same(licence: Licence, placements: tuple[FieldPlacement, ...]) -> None:
    """Of every licence and index both ways give the same, or the quick one leaves it to the other."""
    data = encode_licence_file(licence, encode_index(placements))
    assert quick(data) in (None, decoding._as_json(data))


@settings(max_examples=600, deadline=None)
@given(st.randoms(use_true_random=False))
def test_damaged_files_are_judged_the_same(chance: random.Random) -> None:
    """Whatever was changed in a file, the quick way says what the other one says, or nothing."""
    data = FILE
    for _ in range(chance.choice((1, 1, 2, 3))):
        at, cut = chance.randrange(len(data)), chance.choice((0, 0, 1, 1, 5, 40))
        new = chance.choice(
            (b"", chance.choice(PIECES), data[chance.randrange(len(data)) :][: chance.randrange(40)])
        )
        data = data[:at] + new + data[at + cut :]
    found = quick(data)
    if found is not None:
        assert found == outcome(decoding._as_json, data)


def rewritten(**changes: object) -> bytes:
    """Return the file with members of its licence changed, not all of them as an issuer could."""
    body = json.loads(FILE)
    body["licence"] |= changes
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "data",
    [
        FILE.replace(b'"licence":{', b'"licence":{"authority":{},', 1),
        FILE.replace(b'"mcid":9', b'"mcid":09', 1),
        FILE.replace(b'"mcid":9,', b'"mcid":9,"mcid":9,', 1),
        FILE.replace(b'"mcid":9', b'"mcid":9007199254740993', 1),
        FILE.replace(b'"number":"', b'"number": "', 1),
        FILE.replace(b'"number":"', b'"number":"\\u0031', 1),
        FILE.replace(b'"schema":', b'"scheme":', 1),
        FILE.replace(b'],"licence":', b'] ,"licence":', 1),
        FILE.replace(b'},{"fields"', b'}{"fields"', 1),
        FILE[:-1] + b"}}",
        FILE + b"\n",
        b'{"index":[' + b'{"fields":[' * 50_000,
        rewritten(number=1),
        rewritten(number=1.5),
        rewritten(number=True),
        rewritten(fields={"a": {"b": "c"}}),
        rewritten(fields={"a": 9007199254740991}),
    ],
)  # fmt: skip
def test_files_of_another_form_are_refused(data: bytes) -> None:
    """What is not canonical, or not of the schema, is refused whichever way it takes."""
    with pytest.raises(MalformedDocument):
        decoding.open_licence_file(data)


def test_what_is_remembered_is_small() -> None:
    """An entry with a long head is read like any other and not remembered."""
    before = decoding._head.cache_info().currsize
    long = PLACEMENT._replace(template="{{" * 4000, fields=(), text="{" * 4000)
    data = encode_licence_file(LICENCE, encode_index((long,)))
    assert decoding.read_licence_file(data) == (LICENCE, (long,))
    assert decoding._head.cache_info().currsize == before
