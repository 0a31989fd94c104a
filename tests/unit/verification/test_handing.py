"""What reaches the process that reads a document is the document, and stays it."""

from __future__ import annotations

import mmap
import os
import threading
from fcntl import F_ADD_SEALS, fcntl
from multiprocessing import Pipe
from typing import TYPE_CHECKING

import pytest

from elicense.verification import handing
from elicense.verification.document import InProcess
from elicense.verification.handing import LARGE, MOST_KEPT, Giver, Taker, whole
from elicense.verification.sandbox import Sandbox
from tests.support.foreign import append, hand_signed, plain, stream
from tests.vectors.generate import NOW, base, trust

if TYPE_CHECKING:
    from collections.abc import Iterator

BIG = os.urandom(2 * LARGE + 12_345)


class Line:
    """Both ends of a connection."""

    def __init__(self) -> None:
        ours, theirs = Pipe()
        self.giver, self.taker = Giver(ours), Taker(theirs)
        self.ends = ours, theirs

    def carry(self, data: bytes) -> object:
        """Return what arrives at the other end."""
        sending = threading.Thread(target=self.giver.hand_over, args=(data,))
        sending.start()
        arrived = self.taker.take_over()
        sending.join()
        return arrived


@pytest.fixture
def line() -> Iterator[Line]:
    """A connection, closed afterwards."""
    opened = Line()
    yield opened
    opened.giver.close()
    opened.taker._forget()
    for end in opened.ends:
        end.close()


@pytest.mark.parametrize("data", [b"", b"%PDF", BIG[: LARGE - 1], BIG[:LARGE], BIG])
def test_every_byte_arrives(line: Line, data: bytes) -> None:
    """Small or large, by whichever way, it is the same bytes."""
    arrived = line.carry(data)
    assert isinstance(arrived, mmap.mmap if len(data) >= LARGE else bytes)
    assert whole(arrived) == data


@pytest.mark.parametrize("kept", [MOST_KEPT, LARGE + 10, 0])
def test_several_documents_one_after_the_other(
    line: Line, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """Documents of all sizes go over one connection, each whole, whatever memory is kept between them."""
    monkeypatch.setattr(handing, "MOST_KEPT", kept)
    sizes = (len(BIG), LARGE, 5, LARGE + 1, LARGE, len(BIG), len(BIG) - 1, 0, LARGE, LARGE)
    for number, size in enumerate(sizes):
        data = BIG[number:][:size]
        assert whole(line.carry(data)) == data


def test_nothing_is_left_of_the_document_before(line: Line) -> None:
    """Where memory is used again, it holds the new document and zeros."""
    line.carry(BIG)
    memory = line.giver._memory
    line.carry(BIG[3 : 3 + LARGE + 7])
    assert line.giver._memory is memory
    assert memory[:] == (BIG[3 : 3 + LARGE + 7] + bytes(len(BIG)))[: len(BIG)]


def test_a_small_document_gives_the_memory_back(line: Line) -> None:
    """No memory is kept on either side behind a document that needs none."""
    line.carry(BIG)
    assert line.taker._descriptor is not None
    line.carry(b"small")
    assert line.giver._memory is None
    assert line.taker._descriptor is None


def test_whoever_reads_cannot_change_it(line: Line) -> None:
    """The reader cannot write to it, cut it, lengthen it, map it to write, or take the seals off."""
    arrived = line.carry(BIG)
    memory = line.taker._descriptor
    for change in (
        lambda: os.pwrite(memory, b"x", 0),
        lambda: os.ftruncate(memory, 10),
        lambda: os.ftruncate(memory, len(BIG) + 10),
        lambda: mmap.mmap(memory, len(BIG)),
        lambda: fcntl(memory, F_ADD_SEALS, 0),
    ):
        with pytest.raises(PermissionError):
            change()
    with pytest.raises(TypeError):
        arrived[0] = 7
    assert whole(arrived) == BIG


@pytest.mark.parametrize("missing", ["SEALED", "memfd_create", "fcntl"])
def test_without_such_memory_the_pipe_carries_it(
    line: Line, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """On a system that has none, gives none, or cannot seal it, the document arrives all the same."""

    def refuse(*_: object) -> int:
        raise OSError

    if missing == "SEALED":
        monkeypatch.setattr(handing, "SEALED", False)
    else:
        monkeypatch.setattr(handing if missing == "fcntl" else os, missing, refuse)
    assert line.carry(BIG) == BIG
    assert line.giver._memory is None


def test_a_connection_that_ends(line: Line) -> None:
    """Nothing is read out of a connection whose other end is gone."""
    line.ends[0].send_bytes(b"new 2000000")
    line.ends[0].close()
    with pytest.raises(EOFError):
        line.taker.take_over()


def large() -> bytes:
    """Return a signed file with a large stream."""
    return hand_signed(append(plain(), {900: stream(os.urandom(2 * LARGE))}))


def test_large_documents_are_read_as_small_ones() -> None:
    """The sandbox says of a document in shared memory what this process says of its bytes, under both policies."""
    good, store = large(), trust()
    files = (good, good[:-3], good + b"x", good.replace(b"/ByteRange", b"/ByteRangE"), base() + bytes(LARGE))
    with Sandbox() as box:
        for data in files:
            for policy in ("general", "licence"):
                assert box.read(data, store, NOW, policy=policy) == InProcess().read(
                    data, store, NOW, policy=policy
                )


def test_texts_of_a_large_document_are_compared() -> None:
    """So does the comparison of texts."""
    good = large()
    with Sandbox() as box:
        assert box.difference(good, len(good)) == ((), True, None)
