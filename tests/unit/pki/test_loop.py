"""One event loop per call."""

from __future__ import annotations

import asyncio
import threading

import pytest

from elicense.pki.loop import run


async def answer() -> int:
    """Return 42 after giving up the loop once."""
    await asyncio.sleep(0)
    return 42


def test_it_runs_in_any_thread() -> None:
    """The coroutine's result comes back in the main thread and in others."""
    results = [run(answer())]
    thread = threading.Thread(target=lambda: results.append(run(answer())))
    thread.start()
    thread.join(5)
    assert results == [42, 42]


def test_inside_a_loop_it_refuses() -> None:
    """Inside a running loop it is a RuntimeError, and the coroutine is closed without a warning."""

    async def inside() -> None:
        run(answer())

    with pytest.raises(RuntimeError, match="to_thread"):
        asyncio.run(inside())
