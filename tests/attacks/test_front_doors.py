"""Attacks through the command line, the service, and the worker processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from elicense.cli import run
from elicense.demo_folder import trust_file
from elicense.errors import ConfigurationError
from elicense.pki.trust import load_trust
from elicense.verification.document import InProcess
from elicense.verification.pipeline import verify
from elicense.verification.sandbox import Sandbox
from service import create_app
from service.config import Settings
from service.listening import listen
from service.server import Server
from tests.attacks import documents, fuzz, lookalikes
from tests.support import demonstration
from tests.vectors.generate import CASES, VECTORS
from tests.vectors.registry import load_case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLUG = documents.SLUGS[0]


def expected(name: str) -> dict[str, str | None]:
    """Return the answer to "authentic?" that a vector's case states."""
    case = load_case(CASES / f"{name}.toml")
    return {"indication": case.indication, "sub_indication": case.sub_indication}


# --- Command line ---


def cli(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return exit status, standard output and standard error of a verification with the demonstration's trust."""
    trust = str(trust_file(demonstration.folder()))
    status = run(["verify", "--lang", "en", "--trust", trust, "--at", documents.AT.isoformat(), *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_the_worst_of_several_files_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A genuine file before or after does not hide a forged, an undecided or a missing one."""
    good, forged, unknown = (tmp_path / name for name in ("good.pdf", "forged.pdf", "unknown.pdf"))
    good.write_bytes(documents.licence(SLUG))
    forged.write_bytes(documents.licence(SLUG)[:-1])
    unknown.write_bytes(VECTORS["twin-certificate"](SLUG).data)
    missing = tmp_path / "missing.pdf"
    assert cli(capsys, str(good))[0] == 0
    assert cli(capsys, str(good), str(unknown), str(good))[0] == 3
    assert cli(capsys, str(good), str(missing), str(unknown))[0] == 2
    assert cli(capsys, str(missing), str(forged), str(good))[0] == 1


@pytest.mark.parametrize(
    "name", [b"\xff\xfe.pdf", b"a\x1b[2Jb.pdf", b"a\n  authentic? yes (TOTAL_PASSED).pdf"]
)
def test_a_files_name_writes_nothing_of_its_own(
    name: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names that are no UTF-8, move the cursor or begin a line are shown as escapes, and JSON stays JSON."""
    file = os.fsencode(tmp_path) + b"/" + name
    with open(file, "wb") as stream:  # noqa: PTH123 - a name of bytes
        stream.write(b"x")
    path = os.fsdecode(file)
    status, out, _ = cli(capsys, path)
    assert status == 1
    assert "\x1b[2J" not in out
    assert not any(line.startswith("  authentic? yes") for line in out.splitlines())
    status, out, _ = cli(capsys, "--json", path)
    assert json.loads(out)["file"] == path


def test_a_device_and_a_moment_out_of_range_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """What has no end is not read; a moment with which nothing can be compared is wrong usage."""
    assert cli(capsys, "/dev/zero")[0] == 2
    for moment in ("0001-01-01T00:00:00", "9999-12-31T23:59:59+00:00"):
        assert cli(capsys, "--at", moment, "x.pdf")[0] == 2


def test_a_register_nested_without_end_is_refused(tmp_path: Path) -> None:
    """A damaged trust register is a configuration error, not a traceback."""
    file = tmp_path / "register.json"
    file.write_text('{"entries":' + "[" * 100_000)
    with pytest.raises(ConfigurationError):
        load_trust(file)


# --- The workers ---


def test_a_worker_killed_while_idle_costs_nobody_a_verdict() -> None:
    """The next document gets a new worker, and its verdict."""
    with Sandbox() as sandbox:
        sandbox.warm_up()
        os.kill(sandbox._idle[0]._process.pid, signal.SIGKILL)
        sandbox._idle[0]._process.wait()
        report = verify(documents.licence(SLUG), trust=documents.trust(), at=documents.AT, sandbox=sandbox)
    report.require_passed()


def test_a_worker_killed_over_its_work_is_a_limit_and_nothing_is_left_behind() -> None:
    """Killed in the middle: LIMIT_REACHED; no descriptor and no process stay behind, and the next file is read."""
    heavy = VECTORS["certificates-without-number"](SLUG)
    with Sandbox() as sandbox:
        sandbox.warm_up()
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the kernel's own list
        for _ in range(3):
            worker = sandbox._idle[0]._process
            # Stopped, so that it surely dies over the document and not before or after.
            os.kill(worker.pid, signal.SIGSTOP)
            threading.Timer(0.2, os.kill, (worker.pid, signal.SIGKILL)).start()
            report = verify(heavy.data, trust=heavy.trust, at=heavy.at, sandbox=sandbox)
            assert str(report.sub_indication) == "LIMIT_REACHED"
            assert worker.poll() is not None
            sandbox.warm_up()
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
        verify(
            documents.licence(SLUG), trust=documents.trust(), at=documents.AT, sandbox=sandbox
        ).require_passed()


def test_an_answer_no_worker_of_ours_gives_is_a_limit() -> None:
    """A worker that a document has taken over and that talks nonsense is replaced; nothing is raised."""
    with Sandbox() as sandbox:
        sandbox.warm_up()
        worker = sandbox._idle[0]
        worker._guarded = lambda exchange, seconds: b'{"": "Facts", "size": '  # type: ignore[method-assign]
        means = {"trust": documents.trust(), "at": documents.AT, "sandbox": sandbox, "known": None}
        report = verify(documents.licence(SLUG), **means)
        assert str(report.sub_indication) == "LIMIT_REACHED"
        verify(documents.licence(SLUG), **means).require_passed()


# --- The service ---


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A service on the demonstration, behind its real server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    settings = Settings(demonstration.folder(), port=number)
    app = create_app(settings)
    server = Server(app, settings, listen(number))
    thread = threading.Thread(target=server.run)
    thread.start()
    yield number
    server.stop()
    thread.join(30)
    app.extensions["elicense"].close()


def exchange(port: int, request: bytes) -> bytes:
    """Return everything the server says to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def posted(port: int, data: bytes) -> dict[str, object]:
    """Return the report on an upload."""
    head = b"POST /verifications HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/pdf\r\n"
    answer = exchange(port, head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def test_uploads_that_meant_to_stop_the_service_do_not(port: int) -> None:
    """Bombs get their answer within seconds, and others are served meanwhile."""
    names = ("byte-ranges-without-end", "escapes-in-a-string", "brackets-without-end", "digits-without-end")
    begun = time.monotonic()
    with ThreadPoolExecutor(len(names) + 1) as pool:
        bombs = [pool.submit(posted, port, VECTORS[name](SLUG).data) for name in names]
        other = pool.submit(exchange, port, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert other.result(20).startswith(b"HTTP/1.1 200")
        found = [bomb.result(30)["authentic"] for bomb in bombs]
    assert time.monotonic() - begun < 30
    assert found == [expected(name) for name in names]


def test_a_hundred_uploads_at_once_all_get_their_answer(port: int) -> None:
    """They wait for each other in one process: no deadlock, no wrong verdict."""
    files = [documents.licence(SLUG), documents.licence(SLUG)[:-1]] * 50
    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lambda data: posted(port, data)["authentic"]["indication"], files, timeout=60))
    # The demonstration of this process: its clock is today's, so only that nothing forged passes is fixed.
    assert found[1::2] == ["TOTAL_FAILED"] * 50
    assert len(set(found[0::2])) == 1


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"Content-Length: 4\r\nContent-Length: 60\r\n\r\nabcdGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"Content-Length: -4\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"Content-Length: +4\r\n\r\nabcdGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"X: a\nContent-Length: 4\r\n\r\nabcdGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_two_lengths_of_one_request_never_make_two_requests(port: int, head: bytes) -> None:
    """A request whose end can be read in two ways is answered once at most, and not with a second request's answer."""
    request = b"POST /verifications HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/pdf\r\n" + head
    answer = exchange(port, request)
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert not answer.startswith(b"HTTP/1.1 200")


def test_no_address_in_a_certificate_is_ever_opened() -> None:
    """A listener that a certificate of the trusted CA names for lists and issuers hears nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener, Sandbox() as sandbox:
        listener.settimeout(0.3)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x.crl"
        data = documents.sealed(documents.licence(SLUG), lookalikes.fetching_identity(address).signer())
        for reader in (sandbox, InProcess()):
            report = verify(data, trust=documents.trust(), at=documents.AT, sandbox=reader)
            assert str(report.sub_indication) == "CHAIN_CONSTRAINTS_FAILURE"
        with pytest.raises(TimeoutError):
            listener.accept()


def test_random_damage_never_passes_and_never_raises() -> None:
    """A short run of the fuzzer; `python -m tests.attacks.fuzz 600` is the long one."""
    found = fuzz.run(150, 20.0, 7, resealed=True)
    assert (found.passed, found.raised) == ([], [])
    assert sum(found.verdicts.values()) > 20


def test_a_request_that_never_ends_is_ended(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then does not keep a connection for ever."""
    monkeypatch.setattr("service.server.REQUEST_SECONDS", 0.5)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert _seconds_until_closed(connection) < 10


def _seconds_until_closed(connection: socket.socket) -> float:
    """Return how long the other side takes a byte now and then, at most 10 seconds."""
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < 10:
            connection.sendall(b"y")
            time.sleep(0.1)
    except ConnectionError:
        return time.monotonic() - begun
    return 10.0
