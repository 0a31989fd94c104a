"""Starts the workers, replaces those that die, renews them one by one and ends them all; serves nothing itself.

1. The first worker starts alone: it finishes what a crash left behind, makes what is missing, says what is wrong.
2. When it is ready the others start.
3. One that ends unasked is replaced: at once if it lived, ever later if that goes on; if none gets ready, not for ever.
4. SIGHUP: a new worker starts, and when it is ready an old one is asked to leave, until all are new. If the new one
   does not get ready, the old ones stay.
5. SIGTERM or SIGINT: all are asked to leave, and are killed if they do not; at the second signal they are killed.

A worker is a program that inherits the listening socket and a line (a socket pair): it reads 32 bytes from it, sends
a byte when it is ready and one now and then from then on, leaves at SIGTERM or at the end of the line.
"""

from __future__ import annotations

import contextlib
import logging
import math
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

logger = logging.getLogger("service")

STOP_SECONDS = 30.0
"""How long a worker that was asked to leave may take."""
SILENT_SECONDS = 180.0
"""A worker that says nothing for so long hangs: no request takes as long, nor does getting ready."""
STEADY_SECONDS = 10.0
"""A worker that lived so long did not die of its start."""
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
"""Seconds before the next attempt when a worker died of its start; doubled each time, up to the second."""
ATTEMPTS = 5
"""So many workers in a row that do not get ready, and no other alive, are the end."""
REFUSED = 2
"""Exit status of a worker that has said what is wrong with its settings, keys or files."""

Command: TypeAlias = "Callable[[int, int, bool], list[str]]"
"""Descriptors of the listening socket and of the line, whether to finish what a crash left -> the worker's command."""


@dataclass(eq=False, slots=True)
class _Worker:
    """One worker process."""

    process: subprocess.Popen[bytes]
    line: socket.socket
    """Our end; its end tells that the process is gone."""
    heard: float
    """When it last said something, or was started."""
    ready: float = math.inf
    """Since when it serves."""
    killed: float = math.inf
    """When it is killed if it is still there; it has been asked to leave if this is set."""

    @property
    def staying(self) -> bool:
        """Whether it has not been asked to leave."""
        return self.killed == math.inf


class Supervisor:
    """Keeps `count` workers on one listening socket."""

    def __init__(
        self, command: Command, listening: socket.socket, count: int, *, on_ready: Callable[[], None]
    ) -> None:
        """Nothing runs before `run`; `on_ready` is called once, when the first worker serves."""
        self._command = command
        self._listening = listening
        self._count = count
        self._on_ready = on_ready
        self._secret = secrets.token_bytes(32)
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []
        self._old: list[_Worker] = []
        """Those still to be renewed."""
        self._signals: list[int] = []
        self._announced = self._stopping = False
        self._crashed = True
        """Whether the next worker has to look for what a crash left behind."""
        self._failures = 0
        self._delay = self._not_before = 0.0
        self._status = 0

    def run(self) -> int:
        """Return the exit status when all workers are gone: 0 stopped, 1 given up, 2 refused by the first worker."""
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        waker, woken = socket.socketpair()
        for end in (waker, woken):
            end.setblocking(False)
        self._selector.register(woken, selectors.EVENT_READ)
        before = [signal.signal(number, self._note) for number in numbers]
        previous = signal.set_wakeup_fd(waker.fileno())
        try:
            self._step(time.monotonic())
            while self._workers or not self._stopping:
                self._hear(woken)
                self._step(time.monotonic())
        finally:
            for worker in self._workers:
                worker.process.kill()
                worker.process.wait()
            signal.set_wakeup_fd(previous)
            for one in (self._selector, waker, woken):
                one.close()
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)
            self._listening.close()
        return self._status

    # --- What happens ---

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signal module's signature
        self._signals.append(number)

    def _hear(self, woken: socket.socket) -> None:
        """Wait up to a second for a signal or a worker's word, and take it in."""
        for key, _ in self._selector.select(1.0):
            if key.data is None:
                woken.recv(4096)
            elif self._word(key.data):
                self._spoke(key.data, time.monotonic())
            else:
                self._ended(key.data, time.monotonic())
        while self._signals:
            if self._signals.pop(0) != signal.SIGHUP:
                self._stop()
            elif not self._stopping:
                logger.info("SIGHUP: the workers are renewed one after the other")
                self._old = [worker for worker in self._workers if worker.staying]

    @staticmethod
    def _word(worker: _Worker) -> bytes:
        """Return what the worker says; nothing at the line's end."""
        try:
            return worker.line.recv(4096)
        except ConnectionError:
            return b""

    def _spoke(self, worker: _Worker, now: float) -> None:
        worker.heard = now
        if worker.ready < now:
            return
        worker.ready = now
        self._failures = 0
        logger.info("worker %d is ready", worker.process.pid)
        if not self._announced:
            self._announced = True
            self._on_ready()

    def _ended(self, worker: _Worker, now: float) -> None:
        """A worker is gone: reap it and decide what follows."""
        self._workers.remove(worker)
        self._selector.unregister(worker.line)
        worker.line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.process.wait(5)
        worker.process.kill()
        status = worker.process.wait()
        if not worker.staying or self._stopping:
            return
        self._crashed = True
        if now - worker.ready > STEADY_SECONDS:
            self._delay = 0.0
        else:
            self._put_off(now)
        logger.error("worker %d %s", worker.process.pid, _how(status))
        if worker.ready == math.inf:
            self._failed(status)

    def _failed(self, status: int) -> None:
        """A worker did not get ready: the old ones stay; if there are none, try again or give up."""
        if self._old:
            logger.error("the new worker did not get ready: the old ones go on with what they have")
            self._old = []
            self._delay = self._not_before = 0.0
        self._failures += 1
        if any(worker.ready < math.inf for worker in self._workers):
            return
        if status == REFUSED:
            self._give_up(REFUSED)
        elif self._failures >= ATTEMPTS:
            self._give_up(1)
            sys.stderr.write(
                f"工作进程连续 {ATTEMPTS} 次未能启动，服务停止：请查看上面的日志\n"
                f"{ATTEMPTS} workers in a row did not start, so the service stops: see the log above\n"
            )

    # --- What is done ---

    def _step(self, now: float) -> None:
        """Start what is missing, renew what is old, end what hangs."""
        for worker in self._workers:
            if now > worker.killed or (worker.staying and now - worker.heard > SILENT_SECONDS):
                logger.error("worker %d does not answer: it is killed", worker.process.pid)
                worker.process.kill()
        if self._stopping or now < self._not_before:
            return
        staying = [worker for worker in self._workers if worker.staying]
        all_ready = all(worker.ready <= now for worker in staying)
        self._old = [worker for worker in self._old if worker in staying]
        if self._old and all_ready and len(staying) > self._count:
            oldest = self._old.pop(0)
            self._ask_to_leave(oldest, now)
            staying.remove(oldest)
        wanted = self._count if any(worker.ready <= now for worker in staying) else 1
        if self._old and all_ready and len(staying) == self._count:
            wanted += 1
        for _ in range(wanted - len(staying)):
            self._start(now)

    def _start(self, now: float) -> None:
        """One more worker is on its way."""
        ours, theirs = socket.socketpair()
        ours.sendall(self._secret)
        ours.setblocking(False)
        inherited = (self._listening.fileno(), theirs.fileno())
        try:
            # Our own interpreter and code. A process group of its own: Ctrl-C at the terminal reaches only us. Not a
            # session: Linux shares the cores among sessions, and a worker then waits longer at each sync (autogroup).
            process = subprocess.Popen(  # noqa: S603
                self._command(*inherited, self._crashed),
                stdin=subprocess.DEVNULL,
                pass_fds=inherited,
                process_group=0,
            )
        except OSError:
            ours.close()
            logger.exception("a worker cannot be started")
            self._put_off(now)
            return
        finally:
            theirs.close()
        worker = _Worker(process, ours, now)
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)
        self._crashed = False

    def _put_off(self, now: float) -> None:
        """The next start has to wait, twice as long as the last time."""
        self._delay = min(LONGEST_DELAY, max(FIRST_DELAY, 2 * self._delay))
        self._not_before = now + self._delay

    @staticmethod
    def _ask_to_leave(worker: _Worker, now: float) -> None:
        worker.killed = now + STOP_SECONDS
        worker.process.terminate()

    def _stop(self) -> None:
        """All workers are asked to leave, or gone if they had been asked before; nothing new is accepted."""
        self._listening.close()
        now = time.monotonic()
        for worker in self._workers:
            if self._stopping:
                worker.process.kill()
            elif worker.staying:
                self._ask_to_leave(worker, now)
        self._stopping = True

    def _give_up(self, status: int) -> None:
        self._status = status
        self._stop()


def _how(status: int) -> str:
    """Return how a process ended, in words."""
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
