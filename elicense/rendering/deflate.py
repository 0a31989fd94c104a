"""Deflates streams: quickly what each licence brings, as small as can be what a template brings once.

Quickly is ISA-L where the extra `fast` is installed: 54 µs for the 27 KB font program of a food licence, where zlib
takes 363 µs at level 1 (a hundred bytes larger) and 535 µs at level 6 (3 % smaller). Without it zlib does, at level 1.

The same bytes in give the same bytes out only from the same library, and ISA-L may choose its code by the processor:
so the engine line names both and how this process deflates a sample.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    import isal
    from isal import isal_zlib
except ImportError:  # the extra `fast` is not installed
    isal_zlib = None

QUICK_LEVEL = 1
"""Of either library; ISA-L's level 3 costs a third more for 1 %."""
BEST_LEVEL = 9
"""Of zlib, for what is deflated once a template."""
SMALLEST = 160
"""Bytes; what is shorter is left as it is: the filter's name and a stream's own frame would eat the gain."""
_SAMPLE = b"".join(b"%d %d l\n" % (number * number % 1009, number * 7 % 997) for number in range(1500))


def deflated(data: bytes) -> bytes:
    """Return `data` deflated quickly."""
    return _quick(data)


def best_deflated(data: bytes) -> bytes:
    """Return `data` deflated as small as zlib can."""
    return zlib.compress(data, BEST_LEVEL)


def engine() -> str:
    """Return which libraries deflate, their versions and levels, and a mark of the bytes they give."""
    return f"{_NAME}, zlib {zlib.ZLIB_RUNTIME_VERSION} level {BEST_LEVEL}, {_MARK}"


def _zlib(data: bytes) -> bytes:
    return zlib.compress(data, QUICK_LEVEL)


def _choose() -> tuple[str, Callable[[bytes], bytes]]:
    """Return name and function of what deflates quickly here."""
    if isal_zlib is None:
        return f"zlib {zlib.ZLIB_RUNTIME_VERSION} level {QUICK_LEVEL}", _zlib
    return (
        f"isal {isal.__version__} ({isal.ISAL_VERSION}) level {QUICK_LEVEL}",
        lambda data: isal_zlib.compress(data, QUICK_LEVEL),
    )


_NAME, _quick = _choose()
_MARK = hashlib.sha256(_quick(_SAMPLE) + best_deflated(_SAMPLE)).hexdigest()[:8]
