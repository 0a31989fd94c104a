"""Streams deflate and inflate, with ISA-L and without it, and the engine line says which it was."""

import re
import sys
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elicense.rendering import deflate
from elicense.rendering.compiler import compile_template
from elicense.rendering.fill import engine_version, fill
from elicense.rendering.objects import stream
from elicense.verification.printed import inflate, read_content
from elicense.verification.structure import read_structure
from tests.support.licences import CAPACITY, licence_of, seal_of, shipped_fonts, test_type

PERMIT = test_type("test-permit")


@pytest.fixture(params=["isal", "zlib"])
def library(request, monkeypatch):
    """Deflate with each library in turn."""
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal", None)
        monkeypatch.setattr(deflate, "QUICK", deflate.installed())
    assert deflate.QUICK.name.startswith(f"{request.param} ")
    return request.param


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=3000), st.text(max_size=500).map(str.encode)))
def test_what_is_deflated_inflates(data):
    """Whatever is deflated quickly or well is a zlib stream of the same bytes, which the verifier inflates."""
    for packed in (deflate.deflated(data), deflate.best_deflated(data)):
        assert zlib.decompress(packed) == inflate(packed) == data


def test_each_library_is_named_with_its_version(library):
    """The engine line names the library that deflates, and its mark differs between the two."""
    told = deflate.engine()
    assert re.fullmatch(rf"{library} \S+.* level 1, zlib \S+ level 9, sample [0-9a-f]{{8}}", told)
    assert told in engine_version(shipped_fonts())


def test_the_mark_tells_the_libraries_apart(monkeypatch):
    """Two libraries that deflate to other bytes have other marks."""
    with_isal = deflate.engine()
    monkeypatch.setitem(sys.modules, "isal", None)
    monkeypatch.setattr(deflate, "QUICK", deflate.installed())
    assert with_isal[-8:] != deflate.engine()[-8:]


@pytest.mark.usefixtures("library")
def test_documents_say_the_same_with_either_library():
    """A document is made twice to the same bytes, and pages read back what was printed."""
    licence = licence_of(PERMIT)
    compiled = compile_template(PERMIT, shipped_fonts(), seal_of(PERMIT), capacity=CAPACITY)
    document = fill(compiled, licence)
    assert fill(compiled, licence).pdf == document.pdf
    read = read_content(document.pdf, read_structure(document.pdf), licence.signing_time)
    assert (read.error, read.detail) == (None, "")


def test_short_streams_are_left_as_they_are():
    """A stream too short to gain anything has no filter; a longer one has, unless that is not wanted."""
    short, long = b"0" * (deflate.SMALLEST - 1), b"0" * deflate.SMALLEST
    assert stream("/N 3", short) == b"<</N 3/Length %d>>\nstream\n%s\nendstream" % (len(short), short)
    assert b"/Filter/FlateDecode/Length" in stream("", long)
    assert b"/Filter" not in stream("", long, compress=False)
