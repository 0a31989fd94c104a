"""`elicense bulk` as a program: killed, interrupted, run twice at once; each row once, nothing is left over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from elicense import demo
from tests.support.bulk import addresses, require_consistent, write_rows
from tests.support.bulk import results as lines_beside

ROWS = 90
STARTED = []


@pytest.fixture(autouse=True)
def nothing_left():
    """After a test none of its programs runs on."""
    yield
    while STARTED:
        program = STARTED.pop()
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.communicate()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A demonstration of today: the program reads the real clock."""
    home = tmp_path_factory.mktemp("made") / "demo"
    demo.build(home, at=datetime.now(UTC)).registry.close()
    return home


@pytest.fixture
def home(made, tmp_path):
    """A copy of it with a register of its own, and a file of rows beside it."""
    subprocess.run(["cp", "-r", made, tmp_path / "demo"], check=True)
    write_rows(tmp_path / "rows.csv", addresses(ROWS))
    return tmp_path / "demo"


def start(home, *options, results="results.csv"):
    """Start the program over the file in groups of three; it has a process group of its own, as in a terminal."""
    command = [
        sys.executable, "-m", "elicense", "bulk", "food-business-licence", "rows.csv", "--folder", home,
        "--workers", "2", "--group", "3", "--results", results, "--lang", "en", *options,
    ]  # fmt: skip
    program = subprocess.Popen(
        command, cwd=home.parent, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.getcwd()},  # noqa: PTH109
    )  # fmt: skip
    STARTED.append(program)
    return program


def wait_for_rows(program, path, count):
    """Return when so many rows are in the results."""
    part = path.with_name("results.csv.part")
    while program.poll() is None:
        if part.exists() and len(part.read_bytes().splitlines()) > count:
            return
        time.sleep(0.01)
    pytest.fail(f"the program ended by itself: {program.communicate()}")


def members(group):
    """Return the processes of a process group that are there, dead ones that nobody has waited for left out."""
    shown = subprocess.run(
        ["ps", "-wweo", "pgid=,stat=,pid="], capture_output=True, text=True, check=True
    ).stdout
    found = (line.split() for line in shown.splitlines())
    return [int(pid) for pgid, state, pid in found if int(pgid) == group and not state.startswith("Z")]


def finish(home, path):
    """Run the program to its end; every row has its licence, and all stores tell the same."""
    program = start(home)
    out, err = program.communicate(timeout=300)
    assert program.returncode == 0, (out, err)
    lines = lines_beside(path)
    assert len(lines) == ROWS
    require_consistent(home, lines)
    return out, lines


def test_the_program_is_killed_and_run_again(home, tmp_path):
    """After `kill -9` of the parent the workers end by themselves; the same command issues each remaining row once."""
    path = tmp_path / "rows.csv"
    program = start(home)
    wait_for_rows(program, path, 3)
    program.kill()
    program.communicate()
    deadline = time.monotonic() + 60
    while members(program.pid):
        assert time.monotonic() < deadline, "a worker outlives its parent"
        time.sleep(0.05)
    out, lines = finish(home, path)
    earlier = sum(line["result"] == "earlier" for line in lines)
    assert 3 <= earlier < ROWS
    assert f"{earlier} issued earlier" in out


def test_everything_is_killed_at_once(home, tmp_path):
    """As at a power cut: parent and workers die in the middle of their groups; again: each row once."""
    path = tmp_path / "rows.csv"
    program = start(home)
    wait_for_rows(program, path, 3)
    os.killpg(program.pid, signal.SIGKILL)
    program.communicate()
    finish(home, path)


def test_a_worker_is_killed(home, tmp_path):
    """The run goes on with a new worker and ends with every row issued."""
    path = tmp_path / "rows.csv"
    program = start(home)
    wait_for_rows(program, path, 3)
    shown = subprocess.run(
        ["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    workers = [
        int(line.split()[0]) for line in shown.splitlines()
        if int(line.split()[1]) == program.pid and "spawn_main" in line
    ]  # fmt: skip
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    out, err = program.communicate(timeout=300)
    assert program.returncode == 0, (out, err)
    require_consistent(home, lines_beside(path))


def test_ctrl_c_ends_after_the_groups_under_way(home, tmp_path):
    """Exit status 130, all rows looked at are in the results, nothing is left reserved; the same command goes on."""
    path = tmp_path / "rows.csv"
    program = start(home)
    wait_for_rows(program, path, 3)
    os.killpg(program.pid, signal.SIGINT)
    out, err = program.communicate(timeout=300)
    assert program.returncode == 130, (out, err)
    assert "Traceback" not in err
    assert "goes on from here" in err
    lines = lines_beside(path)
    assert 0 < len(lines) < ROWS
    require_consistent(home, lines)
    finish(home, path)


def test_two_runs_at_once_on_one_register(home, tmp_path):
    """Both over the same rows: every row has one licence, and both tell the same."""
    path = tmp_path / "rows.csv"
    programs = [start(home, results=name) for name in ("results.csv", "other.csv")]
    for program in programs:
        out, err = program.communicate(timeout=300)
        assert program.returncode == 0, (out, err)
    lines = lines_beside(path)
    require_consistent(home, lines)
    (tmp_path / "other.csv").replace(tmp_path / "results.csv")
    names = ("row", "key", "number", "identifier", "sha256")
    assert [[line[name] for name in names] for line in lines_beside(path)] == [
        [line[name] for name in names] for line in lines
    ]
