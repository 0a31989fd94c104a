"""The raw reader: what it accepts, what it refuses, and that no bytes make it raise or crawl."""

from __future__ import annotations

import random
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elicense.verification import sections, structure
from elicense.verification.pdf import Inventory, Name, Reference, Violation, read_text, read_value
from elicense.verification.ranges import read_claimed_time
from elicense.verification.scan import find_candidates, has_traces
from elicense.verification.structure import read_structure
from tests.unit.verification.minimal_pdf import Draft, sealed, unsigned
from tests.vectors.generate import base, gap, plain, seal, unsigned_foreign, update


def value(text: bytes) -> object:
    """Return the value that `text` is."""
    read, end = read_value(text, 0, len(text), Inventory(1000))
    assert end == len(text)
    return read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"null", None),
        (b"true", True),
        (b"-12", -12),
        (b"1.5", 1.5),
        (b"/A#20b", Name("A b")),
        (b"12 0 R", Reference(12, 0)),
        (b"[1 2 0 R 3]", [1, Reference(2, 0), 3]),
        (b"<</A/B/C[1]>>", {"A": Name("B"), "C": [1]}),
        (b"(a\\)\\101\\n)", b"a)A\n"),
        (b" \n<< /K (x) >>", {"K": b"x"}),
    ],
)
def test_values(text: bytes, expected: object) -> None:
    """Each kind of value is read as what it says."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"<</A 1/A 2>>", "format.duplicate_key"),
        (b"<</A 1/#41 2>>", "format.duplicate_key"),
        (b"[" * 60, "format.nesting"),
        (b"<</A>>", "format.token"),
        (b"<<1 2>>", "format.token"),
        (b"[1>>", "format.token"),
        (b"]", "format.token"),
        (b"(a(b)c)", "format.token"),
        (b"<0 0>", "format.token"),
        (b"% x\n1", "format.token"),
        (b"9" * 5000, "format.token"),
        (b"1 1 R", "format.layout"),
        (b"[" + b"1 " * 2000 + b"]", "limit.complexity"),
    ],
)
def test_refused_values(text: bytes, reason: str) -> None:
    """What is not of the dialect is refused with its reason."""
    with pytest.raises(Violation) as caught:
        value(text)
    assert caught.value.reason == reason


def test_text_strings() -> None:
    """UTF-16 with its mark, UTF-8 with its mark and plain bytes become characters; other values do not."""
    assert read_text(b"\xfe\xff\x8b\xc1", b"") == "证"
    assert read_text(b"\xef\xbb\xbf\xe8\xaf\x81", b"") == "证"
    assert read_text(b"licence.json", b"") == "licence.json"
    assert read_text(Name("x"), b"") is None


def test_a_sealed_document_has_no_findings() -> None:
    """The one candidate of an untouched document is the seal by its field, with its claimed time."""
    found = read_structure(base())
    assert found.findings == ()
    (candidate,) = found.candidates
    assert (candidate.field, candidate.declared) == ("Seal", True)
    assert candidate.gap == gap(base())
    assert candidate.covers_all(len(base()))
    assert candidate.claimed_time is not None


def test_traces_of_a_signature_survive_any_single_change() -> None:
    """No one-byte change makes a sealed document look unsigned."""
    data = bytearray(base())
    for position in range(0, len(data), 7):
        kept, data[position] = data[position], data[position] ^ 0x55
        assert has_traces(bytes(data))
        data[position] = kept


def test_escaped_names_are_traces() -> None:
    """A signature whose name is written with escapes is no unsigned file."""
    assert not has_traces(plain())
    assert has_traces(plain() + b"/Byte#52ange [0 1 2 3]")


def test_an_unsigned_file_has_no_candidates() -> None:
    """Nothing is taken for a signature where there is none."""
    assert find_candidates(unsigned_foreign().data) == ()


def test_a_damaged_declaration_does_not_hide_the_signature() -> None:
    """The run of digits is found when the byte range is unreadable or points elsewhere."""
    for changed in (b"/ByteRanje [0 0", b"/ByteRange [0 1"):
        broken = base().replace(b"/ByteRange [0 0", changed)
        assert gap(broken) in [candidate.gap for candidate in find_candidates(broken)]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    """Arbitrary bytes give findings, never an exception."""
    assert read_structure(data).findings


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 20))
def test_mutated_documents_are_read(chance: random.Random, count: int) -> None:
    """A sealed document with bytes overwritten, removed or inserted never makes the reader raise."""
    data = bytearray(base())
    for _ in range(count):
        position = chance.randrange(len(data))
        kind = chance.randrange(4)
        if kind == 0:
            data[position] = chance.randrange(256)
        elif kind == 1:
            del data[position : position + chance.randrange(50)]
        elif kind == 2:
            data[position:position] = data[chance.randrange(len(data)) :][:60]
        else:
            data[position:position] = chance.choice([b"<<", b">>", b"[", b"(", b"/", b"<", b"%", b"9" * 30])
    read_structure(bytes(data))


@pytest.mark.parametrize("shift", [0, 1, 100, 255, 256, 257])
@pytest.mark.parametrize("length", [510, 512, 513, 767, 768, 5000])
def test_runs_of_digits_are_found_wherever_they_lie(shift: int, length: int) -> None:
    """A run of 512 digits or more is found at every offset, with its true ends; a shorter one is not."""
    data = b"x" * shift + b"30" + b"a" * (length - 2) + b"x" * 700 + b"30" * 255
    found = find_candidates(data)
    expected = [(max(shift - 1, 0), shift + length + 1)] if length >= 512 else []
    assert [candidate.gap for candidate in found] == expected


HOSTILE = {
    "open brackets": b"[" * 2_000_000,
    "byte ranges": b"/ByteRange [0 1 2 3]" * 100_000,
    "half byte ranges": b"/ByteRange [ " * 150_000,
    "hex runs": (b"30" * 250 + b"x") * 4_000,
    "one hex run": b"30" * 1_000_000,
    "hex windows": (b"3" * 255 + b"x") * 8_000,
    "end marks": b"startxref\n0\n%%EOF\n" * 100_000,
    "escapes": b"#41" * 700_000,
    "encrypt": b"/Encrypt " * 200_000,
    "open string": b"(" + b"\\" * 2_000_000,
    "digits": b"1" * 2_000_000,
    "spaces": b" " * 2_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_cost_linear_time(name: str) -> None:
    """Two megabytes made to be slow are read within two seconds, behind a header and as an object's body."""
    filling = HOSTILE[name]
    start = time.process_time()
    read_structure(b"%PDF-1.7\n" + filling + b"\nstartxref\n9\n%%EOF\n")
    read_structure(b"%PDF-1.7\n1 0 obj\n" + filling + xref_behind(9 + 8 + len(filling)))
    assert time.process_time() - start < 4


def xref_behind(offset: int) -> bytes:
    """Return a table that names one object at byte 9, and a trailer."""
    table = b"xref\n0 2\n0000000000 65535 f \n0000000009 00000 n \n"
    return table + b"trailer\n<</Size 2/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % offset


def test_too_many_objects_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table longer than any licence's is not read to its end."""
    monkeypatch.setattr(sections, "MAX_OBJECTS", 10)
    (finding,) = read_structure(base()).findings
    assert (finding.check, finding.reason) == (1, "limit.complexity")


def test_too_many_objects_of_all_revisions_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tables of tolerable length, one behind the other, are not read to their end."""
    monkeypatch.setattr(sections, "MAX_OBJECTS", 50)
    data, previous = b"%PDF-1.7\n", b""
    for _ in range(10):
        at = len(data)
        data += b"xref\n0 11\n0000000000 65535 f \n" + b"0000000009 00000 n \n" * 10
        data += b"trailer\n<</Size 11/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (previous, at)
        previous = b"/Prev %d" % at
    (finding,) = read_structure(data).findings
    assert (finding.check, finding.reason) == (1, "limit.complexity")


def test_one_list_of_annotations_for_all_pages_costs_no_memory() -> None:
    """A thousand pages that share a list of ten thousand annotations are refused without multiplying the two."""
    pages = range(20, 1020)
    objects = dict.fromkeys((*range(16, 20), *pages), b"<</Annots 15 0 R>>")
    objects[2] = b"<</Type/Pages/Kids[3 0 R %s]/Count 1>>" % b" ".join(b"%d 0 R" % n for n in objects)
    objects[15] = b"[%s]" % (b"4 0 R " * 10_000)
    data = unsigned(Draft(objects=objects), 4096).pdf
    tracemalloc.start()
    (finding,) = read_structure(data).findings
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert finding.reason == "format.seal_field"
    assert peak < 40 * 1024 * 1024


def test_too_many_tokens_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading stops after a number of tokens, over all objects together."""
    monkeypatch.setattr(structure, "MAX_TOKENS", 100)
    (finding,) = read_structure(base()).findings
    assert finding.reason == "limit.complexity"


@pytest.mark.parametrize("text", ["D:20260302013000Z", "D:20260302013000", "D:20261302013000Z", "", "D:2026"])
def test_claimed_times(text: str) -> None:
    """Only a full moment in UTC is a claimed time."""
    assert (read_claimed_time(text) is not None) == (text == "D:20260302013000Z")


def test_every_rule_of_the_catalogue_is_kept() -> None:
    """An unknown entry in the catalogue is refused."""
    data = sealed(Draft(catalogue=b"/Secret 1"), seal().signer())
    (finding,) = read_structure(data).findings
    assert finding.reason == "format.layout"


def test_an_update_behind_the_seal_is_a_later_change() -> None:
    """A well-formed update is named as what it is, with the place where it begins."""
    (finding,) = read_structure(base() + update({14: b"<</Title(x)>>"})).findings
    assert (finding.check, finding.reason, finding.offset) == (3, "changes.revision", len(base()))
