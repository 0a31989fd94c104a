"""A document's bytes on their way to the process that reads them: memory that both see, or else the pipe.

A pipe copies every byte twice, in small pieces; memory is written once and mapped. Handing over 100 MB takes 33 ms of
CPU instead of 92, and 15 where the memory of an earlier document is used again, which needs no new pages. The reader
cannot write to it, cut it or lengthen it: it is sealed. Its owner writes only between two documents, so what is read
is what was hashed, and of an earlier document nothing is left in it.

Where the system has no such memory, and for small documents, the bytes go through the pipe.
"""

from __future__ import annotations

import errno
import mmap
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

try:
    from fcntl import F_ADD_SEALS, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, fcntl
except ImportError:  # not Linux
    SEALED = False
else:
    SEALED = hasattr(os, "memfd_create")
    """Whether this system may have memory that can be sealed."""

Octets = bytes | mmap.mmap
"""A whole document: slicing gives bytes, and it can be searched and matched as they can."""

LARGE = 1024 * 1024
"""Bytes from which on mapping memory is quicker than the pipe."""
MOST_KEPT = 128 * 1024 * 1024
"""Bytes of memory that are kept for the next document, until a small one comes."""

_SEAL_FUTURE_WRITE = 0x10
"""Nobody may write but through mappings that exist. Linux 5.1 and later; fcntl.h, missing in Python's fcntl."""
_ZEROS = bytes(LARGE)
_PIPE, _NEW, _AGAIN, _ONCE = b"pipe", b"new", b"again", b"once"


class Giver:
    """One end of a connection, where documents are handed over; keeps the memory of a large one for the next."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._memory: mmap.mmap | None = None
        self._used = 0

    def hand_over(self, data: bytes) -> None:
        """The process at the other end has the document as soon as it calls `take_over`.

        It must be done with the one before. Raises OSError if it is gone.
        """
        size = len(data)
        if self._memory is not None and LARGE <= size <= len(self._memory):
            self._write_again(data)
            self._say(_AGAIN, size)
            return
        self.close()
        shared = _share(data) if size >= LARGE and SEALED else None
        if shared is None:
            self._say(_PIPE, size)
            self._connection.send_bytes(data)
            return
        descriptor, memory = shared
        try:
            if size <= MOST_KEPT:
                self._memory, self._used = memory, size
            self._say(_NEW if size <= MOST_KEPT else _ONCE, size)
            with socket.socket(fileno=os.dup(self._connection.fileno())) as channel:
                socket.send_fds(channel, [b"\0"], [descriptor])
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """No memory is kept."""
        if self._memory is not None:
            self._memory.close()
        self._memory = None

    def _say(self, how: bytes, size: int) -> None:
        self._connection.send_bytes(b"%s %d" % (how, size))

    def _write_again(self, data: bytes) -> None:
        """The memory holds the document, and nothing of the one before."""
        memory = self._memory
        assert memory is not None
        memory[: len(data)] = data
        for start in range(len(data), self._used, len(_ZEROS)):
            end = min(start + len(_ZEROS), self._used)
            memory[start:end] = _ZEROS[: end - start]
        self._used = len(data)


class Taker:
    """The other end, in the process that reads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._descriptor: int | None = None

    def take_over(self) -> Octets:
        """Return the document that the process at the other end hands over.

        Raises:
            EOFError, OSError: The other end is gone.
            MemoryError: It does not fit into this process; nothing more can be said over the connection.
        """
        how, size = self._connection.recv_bytes().split()
        if how != _AGAIN:
            self._forget()
        if how == _PIPE:
            return self._connection.recv_bytes()
        if how != _AGAIN:
            with socket.socket(fileno=os.dup(self._connection.fileno())) as channel:
                _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
            if not descriptors:
                raise EOFError
            self._descriptor = descriptors[0]
        assert self._descriptor is not None
        try:
            return mmap.mmap(self._descriptor, int(size), access=mmap.ACCESS_READ)
        except OSError as error:
            if error.errno != errno.ENOMEM:
                raise
            raise MemoryError from error
        finally:
            if how == _ONCE:
                self._forget()

    def _forget(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None


def whole(data: Octets) -> bytes:
    """Return a document as bytes; memory that was handed over is copied."""
    return data if isinstance(data, bytes) else data[:]


def _share(data: bytes) -> tuple[int, mmap.mmap] | None:
    """Return memory that holds the document, by its descriptor and mapped to be written; None if there is none.

    Only that one mapping can write.
    """
    try:
        descriptor = os.memfd_create("document", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    except OSError:
        return None
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        memory = mmap.mmap(descriptor, len(data))
        fcntl(descriptor, F_ADD_SEALS, _SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor, memory
