"""What reaches the process that reads a document is the document, and stays it."""

from __future__ import annotations

import mmap
import os
import threading
from fcntl import F_ADD_SEALS, F_GET_SEALS, F_SEAL_WRITE, fcntl
from multiprocessing import Pipe

import pytest

from elicense.verification import handing
from elicense.verification.document import InProcess
from elicense.verification.handing import LARGE, hand_over, take_over, whole
from elicense.verification.sandbox import Sandbox
from tests.support.foreign import append, hand_signed, plain, stream
from tests.vectors.generate import NOW, base, trust

BIG = os.urandom(LARGE + 12_345)


def carried(data: bytes) -> object:
    """Return what arrives at the other end of a connection."""
    ours, theirs = Pipe()
    with ours, theirs:
        sending = threading.Thread(target=hand_over, args=(ours, data))
        sending.start()
        arrived = take_over(theirs)
        sending.join()
    return arrived


@pytest.mark.parametrize("data", [b"", b"%PDF", BIG[: LARGE - 1], BIG[:LARGE], BIG])
def test_every_byte_arrives(data: bytes) -> None:
    """Small or large, by whichever way, it is the same bytes."""
    arrived = carried(data)
    assert isinstance(arrived, mmap.mmap if len(data) >= LARGE else bytes)
    assert whole(arrived) == data


def test_several_documents_one_after_the_other() -> None:
    """Documents of both kinds go over one connection, each whole."""
    ours, theirs = Pipe()
    with ours, theirs:
        for data in (BIG, b"small", BIG[7:], b"", BIG):
            sending = threading.Thread(target=hand_over, args=(ours, data))
            sending.start()
            assert whole(take_over(theirs)) == data
            sending.join()


def test_sealed_memory_cannot_be_changed() -> None:
    """Nobody can write to it, cut it, lengthen it, map it to write, or take the seals off."""
    memory = handing._sealed(BIG)
    assert memory is not None
    try:
        assert fcntl(memory, F_GET_SEALS) & F_SEAL_WRITE
        for change in (
            lambda: os.pwrite(memory, b"x", 0),
            lambda: os.ftruncate(memory, 10),
            lambda: os.ftruncate(memory, len(BIG) + 10),
            lambda: mmap.mmap(memory, len(BIG)),
            lambda: fcntl(memory, F_ADD_SEALS, 0),
        ):
            with pytest.raises(PermissionError):
                change()
        assert os.pread(memory, len(BIG), 0) == BIG
    finally:
        os.close(memory)


def test_without_such_memory_the_pipe_carries_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system that has none, or gives none, the document arrives all the same."""
    with monkeypatch.context() as patched:
        patched.setattr(handing, "SEALED", False)
        assert carried(BIG) == BIG

    def refuse(*_: object) -> int:
        raise OSError

    monkeypatch.setattr(os, "memfd_create", refuse)
    assert carried(BIG) == BIG


def test_a_connection_that_ends() -> None:
    """Nothing is read out of a connection whose other end is gone."""
    ours, theirs = Pipe()
    with theirs:
        ours.send_bytes(b"memory")
        ours.close()
        with pytest.raises(EOFError):
            take_over(theirs)


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
