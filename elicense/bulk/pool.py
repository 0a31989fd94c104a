"""Worker processes, each with an office of its own: a task goes to whoever is free, a lost worker is replaced once.

Between parent and worker one message goes either way at a time, so that nobody ever waits for a full pipe. The
processes are spawned, not forked: keys, tokens and database connections are opened where they are used, and when the
parent dies each worker finds its pipe closed and ends after the group it is at.
"""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Self

from elicense.bulk.work import Greeting, Problem, Report, RowReport, work
from elicense.errors import ElicenseError, WorkerLost
from elicense.issuing.outcome import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from multiprocessing.context import SpawnProcess
    from types import TracebackType

    from elicense.bulk.columns import Job
    from elicense.bulk.work import Task
    from elicense.issuing.office import IssuingOffice

_TICK = 1.0
"""Seconds after which whoever waits for reports may look round."""
_LAST_GROUP = 60.0
"""Seconds that a worker has for the group it is at when the run ends before it."""


@dataclass(slots=True)
class _Worker:
    """A process and what it is at."""

    process: SpawnProcess
    """Spawned, a daemon."""
    connection: Connection
    """The parent's end of its pipe."""
    task: Task | None = None
    """What it is at."""


class Pool:
    """Workers that are ready to issue."""

    def __init__(
        self,
        size: int,
        open_office: Callable[[], IssuingOffice],
        job: Job,
        header: Sequence[str],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        """`size` processes have opened their offices.

        Args:
            size: How many; one for each core that may be busy.
            open_office: Called in each process; must be picklable.
            job: What the run is about.
            header: Of the file.
            clock: Gives the moment of each group, UTC.

        Raises:
            ElicenseError: as `open_office` and `Columns.read`.
            WorkerLost: a process ended before it was ready.
        """
        self._arguments = (open_office, job, tuple(header))
        self._clock = clock
        self._repeated: set[int] = set()
        self._workers: list[_Worker] = []
        try:
            self._workers += [self._start() for _ in range(size)]
            for worker in self._workers:
                _greet(worker)
        except BaseException:
            self.close(at_once=True)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(at_once=kind is not None and issubclass(kind, KeyboardInterrupt))

    @property
    def processes(self) -> tuple[int, ...]:
        """Process ids of the workers that are there."""
        return tuple(worker.process.pid or 0 for worker in self._workers)

    def close(self, *, at_once: bool = False) -> None:
        """All processes have ended, after the groups they are at unless `at_once`; what is begun can be resumed."""
        for worker in self._workers:
            worker.connection.close()
        for worker in self._workers:
            if not at_once:
                worker.process.join(_LAST_GROUP)
            worker.process.kill()
            worker.process.join()

    def reports(
        self, tasks: Iterator[Task], *, may_begin: Callable[[Task], bool]
    ) -> Iterator[tuple[Task, Report] | None]:
        """Yield each task with its report as they come in, and None now and then meanwhile.

        After a report that something stopped, no more tasks are begun; those under way are still reported.

        Args:
            tasks: Taken one by one, as workers become free.
            may_begin: Asked before a task is handed out; what it refuses is asked about again later, and is not done
                if nothing is under way any more.
        """
        upcoming = next(tasks, None)

        def hand_out(worker: _Worker) -> None:
            nonlocal upcoming
            if worker.task is None and upcoming is not None and may_begin(upcoming):
                self._give(worker, upcoming)
                upcoming = next(tasks, None)

        while True:
            for worker in self._workers:
                hand_out(worker)
            busy = {worker.connection: worker for worker in self._workers if worker.task is not None}
            if not busy:
                return
            ready = wait(list(busy), _TICK)
            if not ready:
                yield None
            for connection in ready:
                assert isinstance(connection, Connection), "nothing else is waited for"
                worker = busy[connection]
                answer = self._collect(worker)
                if answer is not None and answer[1].stopped_by is not None:
                    upcoming = None
                # The worker goes on before anything else is done with what it said.
                hand_out(worker)
                yield answer

    def _start(self) -> _Worker:
        """Return a worker that is opening its office."""
        context = multiprocessing.get_context("spawn")
        # It would unblock SIGINT if it were started below. Source: CPython, multiprocessing/resource_tracker.py.
        resource_tracker.ensure_running()
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, *self._arguments), daemon=True)
        with _interrupts_held():
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def _give(self, worker: _Worker, task: Task) -> None:
        worker.task = task
        try:
            worker.connection.send((task, self._clock()))
        except OSError:
            # It is gone; reading from it will say so.
            return

    def _collect(self, worker: _Worker) -> tuple[Task, Report] | None:
        """Return what a worker says of its task; None if it was lost and another one does the task again."""
        task = worker.task
        assert task is not None, "only busy workers are waited for"
        try:
            report = worker.connection.recv()
        except (EOFError, OSError):
            return self._replace(worker, task)
        worker.task = None
        return task, report

    def _replace(self, worker: _Worker, task: Task) -> tuple[Task, Report] | None:
        """The task is in other hands, or is given up with a report if it has cost a worker before."""
        error: ElicenseError = _lost(worker, task)
        self._workers.remove(worker)
        if task.number not in self._repeated:
            self._repeated.add(task.number)
            successor = self._start()
            try:
                _greet(successor)
            except ElicenseError as trouble:
                error = trouble
            else:
                self._workers.append(successor)
                self._give(successor, task)
                return None
        problem = Problem.of(error)
        rows = tuple(RowReport(row.number, "", Result.WAITING, problem=problem) for row in task.rows)
        return task, Report(rows, problem)


def _greet(worker: _Worker) -> None:
    """Return when the worker is ready. Raises what kept it from opening its office."""
    try:
        greeting = worker.connection.recv()
    except (EOFError, OSError):
        raise _lost(worker, None) from None
    if greeting is not Greeting.READY:
        assert isinstance(greeting, ElicenseError), "a worker says that it is ready, or why not"
        worker.process.join()
        raise greeting


def _lost(worker: _Worker, task: Task | None) -> WorkerLost:
    """Return the error for a worker that ended by itself."""
    worker.connection.close()
    worker.process.join()
    code = worker.process.exitcode or 0
    how, how_zh = (f"signal {-code}", f"信号 {-code}") if code < 0 else (f"status {code}", f"状态码 {code}")
    if task is None:
        where, where_zh = "before it was ready", "在就绪之前"
    else:
        first, last = task.rows[0].number, task.rows[-1].number
        where, where_zh = f"at rows {first} to {last}", f"处理第 {first} 至 {last} 行时"
    return WorkerLost(
        f"a worker process ended with {how} {where}: look above for what it said, and whether memory ran out; "
        "then run the same command again",
        f"工作进程{where_zh}意外结束（{how_zh}）：请查看上方输出及内存是否不足，然后重新运行同一命令",
    )


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A process started here never sees Ctrl-C, which goes to all of a terminal's processes: the parent ends it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
