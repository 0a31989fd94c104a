"""No byte of a sealed licence can be other than it was: changed anywhere, cut anywhere, added to, or borrowed.

Every offset of the sample was tried once when this was written; here a few hundred are tried, others each time.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.issuing import issue
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication, SubIndication
from elicense.verification.structure import read_structure
from tests.support.demonstration import AT, office, request

SLUG = "service-certificate"
"""The type with the smallest file."""
SAMPLED = 400


@cache
def home() -> object:
    """Return one office for all licences of these tests."""
    return office()


@cache
def document(name: str = "赵测试") -> bytes:
    """Return the sample licence of somebody."""
    sample = request(SLUG)
    (holder,) = sample.holders
    return issue(replace(sample, holders=(replace(holder, name=name),)), home(), at=AT).pdf


def gap() -> tuple[int, int]:
    """Return where the signature lies, angle brackets included: all other bytes are covered by it."""
    return read_structure(document()).candidates[0].gap


def verdict(data: bytes, reader: object) -> Indication:
    """Return what the verifier says."""
    return verify(data, trust=home().trust, at=AT, sandbox=reader).indication


def test_no_byte_may_be_another(in_process: object) -> None:
    """A byte changed at any offset never passes, and is TOTAL_FAILED wherever the signature covers it."""
    data, (start, end) = document(), gap()
    assert verdict(data, in_process) is Indication.TOTAL_PASSED
    chance = random.Random(AT.toordinal())  # noqa: S311 - the offsets need be no secret
    structural = [
        data.rindex(word) for word in (b"startxref", b"trailer", b"%%EOF", b"/ByteRange", b"/Contents")
    ]
    for position in {*structural, 0, len(data) - 1, *chance.sample(range(len(data)), SAMPLED)}:
        changed = bytearray(data)
        changed[position] ^= chance.randrange(1, 256)
        said = verdict(bytes(changed), in_process)
        if start <= position < end:
            assert said is not Indication.TOTAL_PASSED, position
        else:
            assert said is Indication.TOTAL_FAILED, position


def test_no_hex_digit_of_the_signature_may_be_another(in_process: object) -> None:
    """Inside the gap even another valid digit, or the same in capitals, never passes."""
    data, (start, end) = document(), gap()
    chance = random.Random(AT.toordinal())  # noqa: S311
    for position in chance.sample(range(start + 1, end - 1), 150):
        old = data[position : position + 1]
        others = [old.upper()] if old.isalpha() else []
        others.append(chance.choice([b"%x" % digit for digit in range(16) if b"%x" % digit != old]))
        for other in others:
            changed = data[:position] + other + data[position + 1 :]
            assert verdict(changed, in_process) is not Indication.TOTAL_PASSED, (position, other)


def test_a_cut_file_never_passes(in_process: object) -> None:
    """Cut anywhere, at its end or its beginning, a file is TOTAL_FAILED while any trace of the seal is left."""
    data, (start, _) = document(), gap()
    chance = random.Random(AT.toordinal())  # noqa: S311
    for length in {*range(len(data) - 40, len(data)), *chance.sample(range(len(data)), 100)}:
        expected = {Indication.TOTAL_FAILED}
        if length < start:
            expected.add(Indication.INDETERMINATE)
        assert verdict(data[:length], in_process) in expected, length
        assert verdict(data[-length:], in_process) in {Indication.TOTAL_FAILED, Indication.INDETERMINATE}, (
            length
        )


def additions() -> dict[str, bytes]:
    """Return bytes of many kinds to stand behind the file."""
    data = document()
    table = data[data.rindex(b"xref\n0 ") :]
    return {
        "line end": b"\n",
        "carriage return": b"\r",
        "space": b" ",
        "zero": b"\0",
        "end of file": b"%%EOF\n",
        "comment": b"% note\n",
        "object": b"999 0 obj\n<</Type/Page>>\nendobj\n",
        "table again": table,
        "update": b"999 0 obj\nnull\nendobj\nxref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1000/Root 1 0 R"
        b"/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (data.rindex(b"xref\n0 "), len(data) + 22),
        "itself": data,
        "another licence": document("钱样例"),
        "archive": b"PK\x03\x04" + bytes(26),
        "script": b"<script>alert(1)</script>",
        "a megabyte": bytes(1 << 20),
    }


@pytest.mark.parametrize("name", additions())
def test_nothing_may_be_added(in_process: object, name: str) -> None:
    """Whatever stands behind or before the file, it is TOTAL_FAILED."""
    data, more = document(), additions()[name]
    assert verdict(data + more, in_process) is Indication.TOTAL_FAILED
    assert verdict(more + data, in_process) is Indication.TOTAL_FAILED


def embedded(data: bytes) -> tuple[int, int]:
    """Return where the embedded licence.json lies."""
    start = data.index(b'{"index":') if b'{"index":' in data else data.index(b'{"')
    return start, data.index(b"\nendstream", start)


@pytest.mark.parametrize("name", ["钱样例", "欧阳样例", "赵测试"])
def test_the_embedded_data_cannot_be_anothers(in_process: object, name: str) -> None:
    """Another licence's data, of the same length or not, even of the same person's next licence, is TOTAL_FAILED."""
    data, sample = document(), request(SLUG)
    holders = (replace(sample.holders[0], name=name),)
    other = issue(replace(sample, holders=holders), home(), at=AT).pdf
    (start, end), (first, last) = embedded(data), embedded(other)
    swapped = data[:start] + other[first:last] + data[end:]
    assert swapped != data
    if name != "欧阳样例":
        assert len(swapped) == len(data)
    report = verify(swapped, trust=home().trust, at=AT, sandbox=in_process)
    assert report.indication is Indication.TOTAL_FAILED
    if len(swapped) == len(data):
        assert report.sub_indication is SubIndication.HASH_FAILURE


def test_a_signature_cannot_be_borrowed(in_process: object) -> None:
    """The genuine signature of one licence in the gap of another is TOTAL_FAILED for its hash."""
    data, other, (start, end) = document(), document("钱样例"), gap()
    first, last = read_structure(other).candidates[0].gap
    assert last - first == end - start
    report = verify(
        data[:start] + other[first:last] + data[end:], trust=home().trust, at=AT, sandbox=in_process
    )
    assert (report.indication, report.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.HASH_FAILURE)


def test_a_serial_number_that_is_not_positive_is_refused_before_it_is_read(in_process: object) -> None:
    """A certificate made to have a negative serial number is refused by our own reader, whatever libraries say."""
    data = document()
    (keeper,) = [
        k for k in home().keepers if k.signer.certificate.public_bytes(Encoding.DER).hex().encode() in data
    ]
    for certificate in (keeper.signer.certificate, *keeper.signer.chain):
        number = certificate.serial_number
        # As DER has it: a byte of zeros goes before a highest bit that is set, which one number in 256 needs.
        serial = number.to_bytes(number.bit_length() // 8 + 1, "big")
        at = data.index(b"02%02x" % len(serial) + serial.hex().encode()) + 4
        changed = data[:at] + b"%x" % (int(data[at : at + 1], 16) ^ 8) + data[at + 1 :]
        assert verdict(changed, in_process) is not Indication.TOTAL_PASSED
