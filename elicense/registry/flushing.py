"""Many new files on the disk at once: `syncfs` where it tells the truth, else fsync of each.

It replaces one fsync for each file and folder: 128 documents of 64 KB take 7 ms instead of 55 to 75 ms (ext4, measured
with both in one run), for the file system's journal is written once and not 256 times.
"""

from __future__ import annotations

import ctypes
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_TRUTHFUL = (5, 8)
"""Linux from which syncfs reports a failed write. Source: syncfs(2), errors."""


def flush_group(folder: Path, paths: Iterable[Path]) -> None:
    """Everything written to `paths`, files and folders in the file system of `folder`, is on the disk.

    Raises:
        OSError: the disk refused.
    """
    if SYNCFS is not None:
        _with_descriptor(folder, SYNCFS)
    else:
        for path in paths:
            _with_descriptor(path, os.fsync)


def _with_descriptor(path: Path, flush: Callable[[int], object]) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        flush(descriptor)
    finally:
        os.close(descriptor)


def _syncfs() -> Callable[[int], None] | None:
    """Return syncfs(2), or None where there is none to be relied on."""
    system = os.uname()
    numbers = re.match(r"(\d+)\.(\d+)", system.release)
    if system.sysname != "Linux" or numbers is None or tuple(map(int, numbers.groups())) < _TRUTHFUL:
        return None
    try:
        function = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):  # a C library without it
        return None

    def syncfs(descriptor: int) -> None:
        if function(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return syncfs


SYNCFS = _syncfs()
"""Flushes a whole file system; None where every file is flushed by itself."""
