"""The supervisor over workers that only say their number: starting, dying, renewing, leaving."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("small_workers.py")
PATIENCE = 20.0
"""Seconds; a busy machine is no failure."""


@pytest.fixture
def port():
    """A port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def supervised(port, folder, count=2):
    """A supervisor that is ready, or has given up; nothing of it is left afterwards."""
    command = [sys.executable, str(SCRIPT), str(port), str(count), str(folder)]
    root = SCRIPT.parents[2]
    with subprocess.Popen(
        command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            process.stdout.readline()
            yield process
        finally:
            process.kill()
            process.communicate(timeout=PATIENCE)
    until(lambda: not any(map(alive, starts(folder))))


def starts(folder):
    """Return the numbers of all workers ever started, in order."""
    path = folder / "starts"
    return [int(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []


def alive(number):
    """Return whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ask(port):
    """Return the number of the worker that answers now, and what the workers have in common."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        number, secret = b"".join(iter(lambda: connection.recv(1024), b"")).split()
    return int(number), secret


def until(true):
    """Wait until `true()`, and fail if that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def running(folder):
    """Return the workers that run now."""
    return {number for number in starts(folder) if alive(number)}


def test_all_workers_answer_and_have_one_secret(port, tmp_path):
    """As many as wanted serve one port; the first alone looks after what a crash left; all got the same 32 bytes."""
    with supervised(port, tmp_path, count=3):
        until(lambda: len(running(tmp_path)) == 3)
        seen = set()
        until(lambda: seen.add(ask(port)) or len({number for number, _ in seen}) == 3)
        (secret,) = {secret for _, secret in seen}
        assert len(bytes.fromhex(secret.decode())) == 32
        resumed = [line.split()[1] for line in (tmp_path / "starts").read_text().splitlines()]
        assert resumed == ["1", "0", "0"]


def test_a_killed_worker_is_replaced(port, tmp_path):
    """One of two is killed: the other goes on answering, a new one comes and looks after what was left."""
    with supervised(port, tmp_path):
        until(lambda: len(running(tmp_path)) == 2)
        victim, other = starts(tmp_path)
        os.kill(victim, signal.SIGKILL)
        until(lambda: not alive(victim))
        assert ask(port)[0] != victim
        until(lambda: len(running(tmp_path)) == 2)
        assert other in running(tmp_path)
        assert (tmp_path / "starts").read_text().splitlines()[2].endswith(" 1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_leaves_nothing_behind(port, tmp_path, number):
    """All workers are gone, the status is 0 and the port is free."""
    with supervised(port, tmp_path) as process:
        until(lambda: len(running(tmp_path)) == 2)
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
        assert running(tmp_path) == set()
        socket.create_server(("127.0.0.1", port)).close()


def test_a_worker_that_does_not_leave_is_killed(port, tmp_path):
    """Stopping ends in time whatever the workers do."""
    (tmp_path / "stays").touch()
    with supervised(port, tmp_path) as process:
        until(lambda: len(running(tmp_path)) == 2)
        process.terminate()
        assert process.wait(PATIENCE) == 0
        assert running(tmp_path) == set()


def test_renewing_replaces_every_worker_and_never_has_fewer(port, tmp_path):
    """After SIGHUP all are new, every connection meanwhile is answered, and there was a worker more, not one less."""
    with supervised(port, tmp_path) as process:
        until(lambda: len(running(tmp_path)) == 2)
        before, fewest = running(tmp_path), 2
        process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE
        while running(tmp_path) & before:
            assert time.monotonic() < deadline
            fewest = min(fewest, len(running(tmp_path)))
            ask(port)
        assert fewest == 2
        until(lambda: len(running(tmp_path)) == 2)
        assert len(starts(tmp_path)) == 4


def test_renewing_with_something_broken_keeps_the_old_workers(port, tmp_path):
    """The new worker refuses its files: it is said, nothing changes, and a second SIGHUP works when they are mended."""
    with supervised(port, tmp_path) as process:
        until(lambda: len(running(tmp_path)) == 2)
        before = running(tmp_path)
        (tmp_path / "refuses").touch()
        process.send_signal(signal.SIGHUP)
        for line in process.stderr:
            if "the old ones go on" in line:
                break
        assert running(tmp_path) == before
        assert ask(port)[0] in before
        (tmp_path / "refuses").unlink()
        process.send_signal(signal.SIGHUP)
        until(lambda: len(running(tmp_path) - before) == 2 and not running(tmp_path) & before)


def test_a_refusal_of_the_first_worker_is_final(port, tmp_path):
    """What a worker says is wrong with its files will not mend itself: one attempt, its status."""
    (tmp_path / "refuses").touch()
    with supervised(port, tmp_path) as process:
        assert process.wait(PATIENCE) == 2
        assert len(starts(tmp_path)) == 1


def test_workers_that_never_get_ready_are_given_up(port, tmp_path):
    """Five attempts, ever later, then a plain sentence in both languages and status 1."""
    (tmp_path / "fails").touch()
    begun = time.monotonic()
    with supervised(port, tmp_path) as process:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1
        assert len(starts(tmp_path)) == 5
        assert time.monotonic() - begun > 1
        assert "5 workers in a row did not start" in said
        assert "工作进程连续 5 次未能启动" in said


def test_a_worker_that_dies_again_and_again_is_not_started_in_a_hurry(port, tmp_path):
    """Workers that get ready and die at once come back, each time later, and are not given up."""
    (tmp_path / "dies").touch()
    with supervised(port, tmp_path) as process:
        time.sleep(2)
        assert process.poll() is None
        assert 2 <= len(starts(tmp_path)) <= 7
        (tmp_path / "dies").unlink()
        until(lambda: len(running(tmp_path)) == 2)


def test_a_worker_that_hangs_is_replaced(port, tmp_path):
    """A worker that runs and says nothing is killed, and another takes its place."""
    (tmp_path / "hangs").touch()
    with supervised(port, tmp_path):
        until(lambda: len(starts(tmp_path)) == 3)
        hung = starts(tmp_path)[0]
        until(lambda: not alive(hung) and len(running(tmp_path)) == 2)
        assert ask(port)[0] != hung


def test_workers_leave_when_their_supervisor_is_gone(port, tmp_path):
    """The supervisor is killed: no worker stays behind with the port."""
    with supervised(port, tmp_path) as process:
        until(lambda: len(running(tmp_path)) == 2)
        process.kill()
        process.wait(PATIENCE)
        until(lambda: not running(tmp_path))
        socket.create_server(("127.0.0.1", port)).close()
