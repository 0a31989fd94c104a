"""The benchmark of the service: its servers start and end, and what they answer is looked at. Nothing is timed here."""

from __future__ import annotations

import socket

import pytest

from benchmarks import service
from benchmarks.loopback import Client, request_of, served


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
