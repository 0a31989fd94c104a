"""The server of one process: one thread, requests in turn, and an end that answers what has begun."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from service.listening import listen
from service.server import Server

GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Application:
    """Says in which thread it runs; some addresses are slow or large."""

    def __init__(self):
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.bodies = []

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        body = str(threading.get_ident()).encode()
        if path == "/slow":
            self.entered.set()
            assert self.go_on.wait(20)
        elif path == "/large":
            body = b"x" * (5 << 20)
        elif environ["REQUEST_METHOD"] == "POST":
            self.bodies.append(environ["wsgi.input"].read())
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]


@pytest.fixture
def served(settings):
    """An application and where it is served."""
    with serving(settings) as (application, server, thread):
        yield application, server, thread


@contextmanager
def serving(settings):
    """Serve until the end of the block."""
    application = Application()
    server = Server(application, settings, listen(0))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield application, server, thread
    finally:
        application.go_on.set()
        server.stop()
        thread.join(30)
        assert not thread.is_alive()


def connect(server):
    """Return a connection to the server."""
    return socket.create_connection(("127.0.0.1", int(server.effective_port)), timeout=20)


def answer(connection):
    """Return head and body of the next answer."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        part = connection.recv(1)
        assert part, "closed without an answer"
        head += part
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:"))
    body = b""
    while len(body) < length:
        body += connection.recv(length - len(body))
    return head, body


def test_every_request_runs_in_the_thread_that_reads_it(served):
    """Four connections at once are answered by one thread, which is the server's own."""
    _, server, thread = served
    connections = [connect(server) for _ in range(4)]
    for connection in connections:
        connection.sendall(GET % b"/")
    for connection in connections:
        assert answer(connection)[1] == str(thread.ident).encode()
        connection.close()


def test_a_busy_process_leaves_new_connections_to_another(settings):
    """Two servers on one socket, one of them busy: whatever comes meanwhile is answered by the other."""
    with serving(settings) as (busy, first, thread):
        second = Server(Application(), settings, first.socket.dup())
        other = threading.Thread(target=second.run)
        with connect(first) as slow:
            slow.sendall(GET % b"/slow")
            assert busy.entered.wait(20)
            other.start()
            for _ in range(20):
                with connect(first) as connection:
                    connection.sendall(GET % b"/")
                    assert answer(connection)[1] == str(other.ident).encode()
            busy.go_on.set()
            answer(slow)
        second.stop()
        other.join(30)
        assert thread.is_alive()


@pytest.mark.parametrize(("workers", "closes"), [(1, False), (2, True)])
def test_a_process_with_too_much_to_do_sends_connections_away(settings, workers, closes):
    """With others at the same socket, an answer closes its connection if the next request waits; the last does not."""
    with serving(replace(settings, workers=workers)) as (application, server, _):
        with connect(server) as one, connect(server) as other, connect(server) as slow:
            for connection in (one, other):
                connection.sendall(GET % b"/")
                answer(connection)
            slow.sendall(GET % b"/slow")
            assert application.entered.wait(20)
            for connection in (one, other):
                connection.sendall(GET % b"/")
            application.go_on.set()
            answer(slow)
            heads = [answer(connection)[0] for connection in (one, other)]
        assert sorted(b"Connection: close" in head for head in heads) == [False, closes]


def test_requests_sent_in_one_go_are_answered_in_order(served):
    """Pipelined requests get their answers one after the other, however large, on one connection."""
    _, server, _ = served
    with connect(server) as connection:
        connection.sendall((GET % b"/large") * 6 + GET % b"/")
        assert [len(answer(connection)[1]) for _ in range(6)] == [5 << 20] * 6
        assert answer(connection)[0].startswith(b"HTTP/1.1 200")


def test_a_client_that_goes_away_harms_nobody(served):
    """An answer that nobody waits for is dropped, and the next client is served."""
    application, server, _ = served
    with connect(server) as gone:
        gone.sendall(GET % b"/slow")
        assert application.entered.wait(20)
    with connect(server) as gone:
        gone.sendall(GET % b"/large")
    application.go_on.set()
    with connect(server) as connection:
        connection.sendall(GET % b"/")
        assert answer(connection)[0].startswith(b"HTTP/1.1 200")


def test_stopping_answers_the_request_that_runs(served):
    """The answer comes whole and says that the connection closes; new connections are refused."""
    application, server, thread = served
    with connect(server) as connection:
        connection.sendall(GET % b"/slow")
        assert application.entered.wait(20)
        port = server.effective_port
        server.stop()
        application.go_on.set()
        head, _ = answer(connection)
        assert b"Connection: close" in head
        assert connection.recv(1) == b""
    thread.join(20)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)), timeout=5)


def test_stopping_waits_for_a_request_that_arrives(served):
    """A body that is still on its way when the server stops is read to its end and answered."""
    application, server, thread = served
    with connect(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nabc")
        until_arriving(server)
        server.stop()
        time.sleep(1.3)
        assert thread.is_alive()
        connection.sendall(b"def")
        assert answer(connection)[0].startswith(b"HTTP/1.1 200")
    assert application.bodies == [b"abcdef"]
    thread.join(20)
    assert not thread.is_alive()


def until_arriving(server):
    """Wait until the server has read the beginning of a request."""
    deadline = time.monotonic() + 20
    while not any(channel.request for channel in list(server.active_channels.values())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_stopping_answers_one_last_request_of_an_open_connection(served):
    """A connection kept alive is not cut under a request that is on its way; idle ones close after a moment."""
    _, server, thread = served
    with connect(server) as used, connect(server) as unused:
        for connection in (used, unused):
            connection.sendall(GET % b"/")
            assert b"Connection: close" not in answer(connection)[0]
        server.stop()
        time.sleep(0.2)
        used.sendall(GET % b"/")
        assert b"Connection: close" in answer(used)[0]
        assert used.recv(1) == b""
        assert unused.recv(1) == b""
    thread.join(20)
    assert not thread.is_alive()


def test_stopping_does_not_wait_for_ever(served, monkeypatch):
    """A request that never arrives whole is given up in the end."""
    monkeypatch.setattr("service.server.DRAIN_SECONDS", 0.5)
    _, server, thread = served
    with connect(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nabc")
        until_arriving(server)
        server.stop()
        thread.join(20)
        assert not thread.is_alive()
