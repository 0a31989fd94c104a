"""A few reused child processes that read untrusted documents under limits; the parent outlives all of them.

Each job has limits on address space, CPU and wall time; files cannot be written, few opened, no process
started, and the network is left where the system permits it (`isolated` says so). A worker that hits a limit
is killed and replaced, and the facts say which limit it was.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from multiprocessing import Pipe
from typing import TYPE_CHECKING, Protocol, Self

from elicense.verification.facts import MEMORY_EXIT, Facts, facts_from_json
from elicense.verification.handing import Giver
from elicense.verification.policy import LICENCE
from elicense.verification.shown import read_answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from multiprocessing.connection import Connection
    from types import TracebackType

    from elicense.pki.trust import TrustStore
    from elicense.verification.digests import Digests, Known
    from elicense.verification.shown import PageDifference

MEMORY = 1024 * 1024 * 1024
"""Bytes of address space."""
CPU_SECONDS = 10
"""Of one job."""
WALL_SECONDS = 15.0
"""Of one job, from handing it over to its answer."""
START_SECONDS = 60.0
"""A worker that is not ready by then never will be."""
LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of facts."""
JOBS_PER_WORKER = 1000
"""A worker is replaced after so many, whatever they left in its memory."""

_BOOT = (
    "import json,sys; sys.path[:]=json.loads(sys.argv[1]); "
    "from elicense.verification.worker import main; main(int(sys.argv[2]), sys.argv[3])"
)


class Reader(Protocol):
    """Whatever turns a document's bytes into facts."""

    def read(
        self,
        data: bytes,
        trust: TrustStore,
        at: datetime,
        *,
        policy: str = LICENCE,
        digests: Digests | None = None,
    ) -> Facts:
        """Return the facts of a document under a policy's reading; never raises for what its bytes hold.

        `digests` of this very document are known already and need not be computed.
        """


class _LimitReachedError(Exception):
    """The worker is gone; `limit` says why."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


class Sandbox:
    """Reads documents in child processes; may be used from several threads at once.

    Args:
        workers: How many documents are read at the same time; further callers wait.
        memory: Address space of a worker in bytes.
        cpu_seconds: CPU time of one job.
        wall_seconds: Time from handing a job over to its answer.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        memory: int = MEMORY,
        cpu_seconds: int = CPU_SECONDS,
        wall_seconds: float = WALL_SECONDS,
    ) -> None:
        self._settings = json.dumps({"memory": memory, "cpu": cpu_seconds})
        self._wall = wall_seconds
        self._turns = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._closed = False
        self.isolated: bool | None = None
        """Whether the latest worker is cut off from the network; None before one started."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """All idle workers are gone; busy ones end with their job."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.kill()

    def warm_up(self) -> None:
        """A worker is started and waiting, so that the next document does not wait for it."""
        with self._turns:
            self._give_back(self._take())

    def read(
        self,
        data: bytes,
        trust: TrustStore,
        at: datetime,
        *,
        policy: str = LICENCE,
        digests: Digests | None = None,
    ) -> Facts:
        """Return the facts of a document, or facts that name the limit it hit.

        Raises RuntimeError if no worker can be started or the sandbox is closed.
        """
        with self._turns:
            worker = self._take()
            try:
                facts = worker.read(data, trust, self._wall, (at, policy, digests.known if digests else {}))
            except _LimitReachedError as error:
                return Facts(len(data), (), traces=True, limit=error.limit)
            except BaseException:
                worker.kill()
                raise
            self._give_back(worker)
            return facts

    def difference(self, data: bytes, end: int) -> tuple[tuple[PageDifference, ...], bool, str | None]:
        """Return how the text of a document differs from that of its first `end` bytes (see shown.py).

        The worker that did it is gone afterwards: a native reader saw a document that may be hostile, and such
        a process must never answer for another one. Raises RuntimeError as `read` does.
        """
        with self._turns:
            worker = self._take()
            try:
                return worker.compare(data, end, self._wall)
            except _LimitReachedError as error:
                return (), False, error.limit
            finally:
                worker.kill()

    def _take(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise RuntimeError("this sandbox is closed")
            worker = self._idle.pop() if self._idle else None
        # Killed while it waited, e.g. by a system short of memory: no fault of the next document.
        if worker is not None and not worker.alive():
            worker.kill()
            worker = None
        if worker is None:
            worker = _Worker(self._settings)
            self.isolated = worker.isolated
        return worker

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            keep = not self._closed and worker.jobs < JOBS_PER_WORKER
            if keep:
                self._idle.append(worker)
        if not keep:
            worker.kill()


class _Worker:
    """One child process and the connection to it."""

    def __init__(self, settings: str) -> None:
        ours, theirs = Pipe()
        self._connection: Connection = ours
        self._giver = Giver(ours)
        self._trust: TrustStore | None = None
        self.jobs = 0
        with theirs:
            # Our own interpreter and code; nothing in this command comes from a document.
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-c", _BOOT, json.dumps(sys.path), str(theirs.fileno()), settings],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        try:
            ready = self._guarded(self._connection.recv_bytes, START_SECONDS)
        except _LimitReachedError as error:
            raise RuntimeError("the process that reads uploaded documents does not start") from error
        self.isolated = bool(json.loads(ready)["isolated"])

    def read(self, data: bytes, trust: TrustStore, wall: float, job: tuple[datetime, str, Known]) -> Facts:
        """Return the facts of one document. Raises _LimitReachedError; the process is gone then."""
        self.jobs += 1

        def exchange() -> bytes:
            if trust is not self._trust:
                self._connection.send_bytes(pickle.dumps(("trust", trust)))
                self._trust = trust
            self._connection.send_bytes(pickle.dumps(("document", job)))
            self._giver.hand_over(data)
            return self._connection.recv_bytes(LARGEST_ANSWER)

        answer = self._guarded(exchange, wall)
        try:
            return facts_from_json(answer)
        except ValueError as error:
            # No worker of ours answers so: a document has taken it over.
            self.kill()
            raise _LimitReachedError("process") from error

    def compare(
        self, data: bytes, end: int, wall: float
    ) -> tuple[tuple[PageDifference, ...], bool, str | None]:
        """Return the answer about one document's two texts. Raises _LimitReachedError; kill it in any case."""

        def exchange() -> bytes:
            self._connection.send_bytes(pickle.dumps(("difference", end)))
            self._giver.hand_over(data)
            return self._connection.recv_bytes(LARGEST_ANSWER)

        answer = self._guarded(exchange, wall)
        try:
            return read_answer(answer)
        except ValueError as error:
            raise _LimitReachedError("process") from error

    def alive(self) -> bool:
        """Return whether the process still runs."""
        return self._process.poll() is None

    def _guarded(self, exchange: Callable[[], bytes], seconds: float) -> bytes:
        """Return what `exchange` returns, or kill the process after `seconds` and raise _LimitReachedError."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            return exchange()
        except (EOFError, OSError) as error:
            limit = self._ended()
            raise _LimitReachedError("time" if late.is_set() else limit) from error
        finally:
            timer.cancel()

    def _ended(self) -> str:
        """Return the limit that the process died of; "process" if it was none that we set."""
        try:
            # It closed its end because it is ending, which takes a moment.
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            code = 0
        self.kill()
        # The kernel ends a process over its CPU limit with this signal.
        return {-signal.SIGXCPU: "time", MEMORY_EXIT: "memory"}.get(code, "process")

    def kill(self) -> None:
        """The process is gone and waited for."""
        self._giver.close()
        with contextlib.suppress(OSError):
            self._connection.close()
        self._process.kill()
        self._process.wait()
