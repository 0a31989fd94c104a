"""Deflates streams: quickly what each licence brings, as small as can be what a template brings once.

Quickly is ISA-L where the extra `fast` is installed: 54 µs for the 27 KB font program of a food licence, where zlib
takes 363 µs at level 1 (0.4 % larger) and 535 µs at level 6 (3 % smaller). Without the extra zlib does it, at level 1.

The same bytes in give the same bytes out only from the same library, and ISA-L may choose its code by the processor:
so the engine line names both libraries and marks how this process deflates a sample.
"""

from __future__ import annotations

import hashlib
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK_LEVEL = 1
"""Of either library; ISA-L's level 3 takes a third longer for 1 %."""
BEST_LEVEL = 9
"""Of zlib, for what is deflated once a template."""
SMALLEST = 160
"""Bytes; what is shorter is left as it is: the filter's name and the frame of a deflated stream eat the gain."""
_SAMPLE = b"".join(b"%d %d l\n" % (number * number % 1009, number * 7 % 997) for number in range(1500))


class Deflater(NamedTuple):
    """A library that deflates quickly."""

    name: str
    """Name, version and level."""
    deflate: Callable[[bytes], bytes]
    """Returns its argument as a zlib stream."""


def installed() -> Deflater:
    """Return the quickest library there is."""
    try:
        import isal  # noqa: PLC0415 - the extra `fast` may not be installed
        from isal import isal_zlib  # noqa: PLC0415
    except ImportError:
        return Deflater(
            f"zlib {zlib.ZLIB_RUNTIME_VERSION} level {QUICK_LEVEL}",
            lambda data: zlib.compress(data, QUICK_LEVEL),
        )
    name = f"isal {isal.__version__} ({isal.ISAL_VERSION}) level {QUICK_LEVEL}"
    return Deflater(name, lambda data: isal_zlib.compress(data, QUICK_LEVEL))


QUICK = installed()
"""What this process deflates with."""


def deflated(data: bytes) -> bytes:
    """Return `data` deflated quickly."""
    return QUICK.deflate(data)


def best_deflated(data: bytes) -> bytes:
    """Return `data` deflated as small as zlib can: drawings come out smaller when it looks for long matches only."""
    return min(
        (_searched(data, strategy) for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED)), key=len
    )


def _searched(data: bytes, strategy: int) -> bytes:
    packer = zlib.compressobj(BEST_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, strategy)
    return packer.compress(data) + packer.flush()


def engine() -> str:
    """Return which libraries deflate, at which levels, and a mark of the bytes they give."""
    return _engine(QUICK)


@lru_cache(maxsize=4)
def _engine(quick: Deflater) -> str:
    mark = hashlib.sha256(quick.deflate(_SAMPLE) + best_deflated(_SAMPLE)).hexdigest()[:8]
    return f"{quick.name}, zlib {zlib.ZLIB_RUNTIME_VERSION} level {BEST_LEVEL}, sample {mark}"
