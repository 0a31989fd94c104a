"""One short event loop per call, for libraries whose useful functions are coroutines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

Result = TypeVar("Result")


def run(coroutine: Coroutine[object, object, Result]) -> Result:
    """Return the coroutine's result; works in any thread that has no running event loop.

    Raises:
        RuntimeError: Called inside a running event loop; use a thread, e.g. asyncio.to_thread.
    """
    try:
        refuse_running_loop()
    except RuntimeError:
        coroutine.close()
        raise
    return asyncio.run(coroutine)


def refuse_running_loop() -> None:
    """Return if this thread runs no event loop. Raises RuntimeError otherwise: blocking would stop it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("this call blocks and must not run inside an event loop; use asyncio.to_thread")
