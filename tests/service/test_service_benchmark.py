"""The benchmark of the service: its servers start and end, and what they answer is looked at. Nothing is timed here."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess

import pytest

from benchmarks import loopback, service
from benchmarks.loopback import Answer, Client, request_of, served

DEAF = """
import signal, socket, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with socket.create_server(("127.0.0.1", int(sys.argv[2]))) as server:
    while True:
        connection, _ = server.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
"""


def test_both_sides_answer_rightly_before_they_are_compared():
    """One round of three parts: the documents pass their checks, and each part has its metrics."""
    rows = service.run(1, ("issue", "verify", "download"))
    assert [row.name.split(" over HTTP")[0] for row in rows] == [
        "issue",
        "issue",
        "verify an upload",
        "download",
    ]
    assert all(row.ratio > 0 and row.rounds == 1 for row in rows)


def test_two_workers_issue_all_that_is_asked_of_them():
    """The part with two servers has one metric; a request that is answered otherwise than with 201 ends it."""
    (row,) = service.run(1, ("workers",))
    assert row.ratio > 0
    assert (row.at_least, row.rounds) == (None, 1)
    with pytest.raises(AssertionError, match="not issued"):
        service._all_issued([], [[201, 201], [201, 503]])


def test_an_answer_that_is_another_than_expected_is_not_counted():
    """An error page is no document, and a document with another digest is no download."""
    assert service._body(Answer(200, b"whole")) == b"whole"
    for status in (201, 404, 500):
        with pytest.raises(AssertionError):
            service._body(Answer(status, b"whole"))
    right = service._all_of(hashlib.sha256(b"whole").hexdigest())
    right([], [b"whole", b"whole"])
    with pytest.raises(AssertionError, match="another document"):
        right([], [b"whole", b"other"])


def test_latency_is_told_from_all_answers():
    """The median and the 99th percentile lie within what was measured, however few answers there are."""
    timed = service.Timed(len, taken=[0.002, 0.001, 0.003])
    assert timed(b"abc") == 3
    timed.taken[3:] = [0.004]
    assert timed.latency() == "p50 2.50 ms, p99 3.97 ms"


def test_a_server_that_does_not_end_is_killed_by_its_own_handle(tmp_path, monkeypatch):
    """One that ignores SIGTERM is gone all the same, and the benchmark says so."""
    (tmp_path / "deaf.py").write_text(DEAF)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(subprocess.TimeoutExpired), served("deaf", [], tmp_path / "log") as port:
        monkeypatch.setattr(loopback, "PATIENCE", 0.2)
    with pytest.raises(ConnectionError):
        Client(port)


def test_a_server_that_does_not_start_says_why(tmp_path):
    """What it wrote is in the error, and nothing of it is left."""
    arguments = ["--demo", str(tmp_path / "absent")]
    with pytest.raises(RuntimeError, match="elicense demo"), served("service", arguments, tmp_path / "log"):
        pass


def test_the_client_comes_back_on_a_new_connection_when_the_old_one_is_closed():
    """An answer that closes its connection is followed by one on another."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = Client(server.getsockname()[1])
        request = request_of("GET", "/", {})
        for number in range(2):
            client.send(request)
            connection, _ = server.accept()
            with connection:
                assert connection.recv(1024) == request
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n%d" % number
                )
                assert client.receive() == (200, b"%d" % number)
        client.close()
