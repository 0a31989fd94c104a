"""Exhaustion: files that cost more to read than to make."""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

import re
import zlib

from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.vectors.registry import Vector, forgery


@forgery(*d.SLUGS)
def byte_ranges_without_end(subject: str) -> Vector:
    return s.against(s.in_seal(subject, b"/Reason(" + b"/ByteRange [" * 300_000 + b")"))


@forgery(*d.SLUGS)
def byte_ranges_all_over(subject: str) -> Vector:
    return s.against(d.licence(subject) + b"/ByteRange[9 9 9 9]" * 250_000)


@forgery(*d.SLUGS)
def escapes_in_a_string(subject: str) -> Vector:
    return s.against(s.in_seal(subject, b"/Reason(" + b"\\a" * 4_000_000 + b")"))


@forgery(*d.SLUGS)
def escapes_in_a_name(subject: str) -> Vector:
    return s.against(s.in_seal(subject, b"/" + b"#41" * 3_000_000))


@forgery(*d.SLUGS)
def escapes_and_nothing_else(subject: str) -> Vector:
    return s.against(b"%PDF-1.7\n" + b"#41" * 3_000_000 + b"\nstartxref\n0\n%%EOF\n")


@forgery(*d.SLUGS)
def brackets_without_end(subject: str) -> Vector:
    return s.against(s.in_seal(subject, b"/Reason" + b"[" * 100_000 + b"]" * 100_000))


@forgery(*d.SLUGS)
def digits_without_end(subject: str) -> Vector:
    return s.against(d.licence(subject) + (b"3" * 510 + b" ") * 16_000)


@forgery(*d.SLUGS)
def attachment_that_inflates(subject: str) -> Vector:
    return s.against(
        _with_attachment(subject, zlib.compress(bytes(64 * 1024 * 1024), 9), b"/Filter/FlateDecode")
    )


@forgery(*d.SLUGS)
def attachment_nested_without_end(subject: str) -> Vector:
    return s.against(_with_attachment(subject, b"[" * 100_000 + b"]" * 100_000, b""))


@forgery(*d.SLUGS)
def attachment_with_a_member_twice(subject: str) -> Vector:
    data = d.licence(subject)
    raw = _attached(data)[2].replace(b'"licence":{', b'"licence":{"number":"1",', 1)
    return s.against(_with_attachment(subject, raw, b""))


def _attached(data: bytes) -> tuple[int, int, bytes]:
    """Return where the attachment's object begins and ends, and its data."""
    start = data.rindex(b" 0 obj\n", 0, data.index(b"/EmbeddedFile/")) + 7
    body = data.index(b"stream\n", start) + 7
    end = data.index(b"\nendstream", body)
    return start, end, data[body:end]


def _with_attachment(subject: str, content: bytes, entries: bytes) -> bytes:
    """Return the licence with another attachment, sealed by its own authority."""
    data = d.licence(subject)
    start, end, _ = _attached(data)
    head = b"<</Type/EmbeddedFile%s/Length %d>>\nstream\n" % (entries, len(content))
    return d.sealed(d.framed(data[:start] + head + content + data[end:]), d.keeper(subject).signer)


@forgery(*d.SLUGS)
def pages_in_a_circle(subject: str) -> Vector:
    data = d.licence(subject)
    number = re.search(rb"/Pages ([0-9]+) 0 R", data)
    assert number is not None
    changed = re.sub(rb"/Kids ?\[", b"/Kids[" + number[1] + b" 0 R ", data, count=1)
    return s.against(d.sealed(d.framed(changed), d.keeper(subject).signer))
