"""The HTTP server of one process: waitress on loopback in one thread, with limits, and errors in our form.

The thread that reads and writes also runs the requests, one after the other. A second thread would win nothing,
as both wait for the same interpreter, and the handing over costs more than half of the throughput
(docs/operations.md, Workers). While a request runs nothing is accepted, so a new connection goes to a free process.
"""

from __future__ import annotations

import json
import math
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from waitress import wasyncore  # type: ignore[import-untyped]  # ships no types
from waitress.adjustments import Adjustments  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]
from waitress.task import ErrorTask, WSGITask  # type: ignore[import-untyped]

from service.api.verifications import MULTIPART_OVERHEAD, too_large
from service.listening import BACKLOG, CONNECTIONS
from service.problems import HTTP_TEXTS, PROBLEM_TYPE, Problem, of_elicense

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from flask import Flask

    from service.config import Settings

REQUEST_SECONDS = 120
"""A request that has not arrived by then never will: its connection is closed."""
DRAIN_SECONDS = 20
"""After `stop`, how long what has begun to arrive may take to be answered."""
LINGER_SECONDS = 1.0
"""After `stop`, how long a connection without a request stays open: one may be on its way."""
_AT_ONCE = 64 * 1024
"""Bytes of an answer that are gathered before they are sent: head and body of most go out together."""


class Server(TcpWSGIServer):  # type: ignore[misc]  # an untyped base
    """Serves an application on a listening socket, which other processes may serve too, until `stop`."""

    def __init__(self, app: Flask, settings: Settings, listening: socket.socket) -> None:
        """Connections are accepted from `run` on.

        Bodies within the upload limit stay in memory. Up to four times the limit they are read, to a nameless
        temporary file, so that the client gets our answer; anything larger is refused before it is read.
        """
        body = settings.upload_limit + MULTIPART_OVERHEAD
        adjustments = Adjustments(
            sockets=[listening],
            ident=None,
            backlog=BACKLOG,
            max_request_header_size=16 * 1024,
            max_request_body_size=4 * body,
            inbuf_overflow=body,
            connection_limit=CONNECTIONS,
            channel_timeout=30,
            # Waiting for a slow client would be waiting for ourselves. What one client can make us keep stays
            # small all the same: it is answered what it sent in one read of 8 KiB before it is read again.
            outbuf_high_watermark=1 << 62,
        )
        # Not as an argument: waitress means to gather answers by itself one day, and warns.
        adjustments.send_bytes = _AT_ONCE
        self.stopping = False
        """Whether every answer is its connection's last."""
        self.one_of_several = settings.workers > 1
        """Whether other processes accept from the same socket."""
        self._end = math.inf
        """When patience ends, by the monotonic clock."""
        self.waiting: deque[Any] = deque()
        """Connections with a whole request, in the order of their turns."""
        address = (listening.family, listening.type, listening.proto, listening.getsockname())
        super().__init__(
            app, {}, _sock=listening, dispatcher=self.waiting, adj=adjustments,
            sockinfo=address, bind_socket=False,
        )  # fmt: skip
        self.channel_class = _channel(settings.upload_limit)

    def add_task(self, channel: Any) -> None:
        """A connection has a whole request."""
        self.waiting.append(channel)

    def pull_trigger(self) -> None:
        """Nobody has to be woken: who asks is the one who would be."""

    def stop(self) -> None:
        """`run` ends when it has answered; may be called from a signal handler or another thread."""
        if not self.stopping:
            self.stopping = True
            self.trigger.pull_trigger()

    def run(self, tick: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop`, then answer what has begun to arrive, and leave; `tick` is called in between."""
        while not self.stopping:
            self.turn(1.0, tick)
        # Here only: a socket that other processes serve too goes on taking connections.
        wasyncore.dispatcher.close(self)
        lingering = time.monotonic() + LINGER_SECONDS
        self._end = time.monotonic() + DRAIN_SECONDS
        while self.active_channels and time.monotonic() < self._end:
            self.turn(0.05, tick)
            if time.monotonic() > lingering:
                for channel in [one for one in self.active_channels.values() if one.idle()]:
                    channel.handle_close()
        self.close()

    def turn(self, seconds: float, tick: Callable[[], None] = lambda: None) -> None:
        """Wait up to `seconds` for something to happen, then run every request that is complete."""
        wasyncore.poll2(seconds, self._map)
        tick()
        while self.waiting and time.monotonic() < self._end:
            channel = self.waiting.popleft()
            channel.service()
            if not channel.requests:
                channel.handle_write()
            tick()

    def close(self) -> None:
        """Everything is closed, whatever is under way."""
        wasyncore.close_all(self._map)


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # an untyped base
    """Reads a request, and refuses one whose end a proxy could see elsewhere. Source: RFC 9112, 6.1."""

    def parse_header(self, header_plus: bytes) -> None:
        """Raise ParsingError for a request with two statements of its length."""
        super().parse_header(header_plus)
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Content-Length beside Transfer-Encoding")


class _Task(WSGITask):  # type: ignore[misc]  # an untyped base
    """A request that the application answers."""

    def build_response_header(self) -> bytes:
        """Return the head, which says that this answer is the connection's last if the server is about to stop.

        So too if the next request waits for this process already, and there are others: whose connection is closed
        comes back to one that is free. Else the connections of a busy hour stay where they happen to be.
        """
        server = self.channel.server
        if server.stopping or (server.one_of_several and server.waiting):
            self.set_close_on_finish()
        head: bytes = super().build_response_header()
        return head


def _channel(upload_limit: int) -> type[Any]:
    """Return a connection whose errors before the application are problem documents too."""

    class Task(ErrorTask):  # type: ignore[misc]  # an untyped base
        """What waitress says about a request it does not pass on."""

        def execute(self) -> None:
            """Answer with a problem document and close."""
            problem = _problem(self.request.error.code, upload_limit)
            body = json.dumps(problem.body(), ensure_ascii=False).encode()
            self.status = f"{problem.status} {self.request.error.reason}"
            self.response_headers.append(("Content-Type", PROBLEM_TYPE))
            self.set_close_on_finish()
            self.content_length = len(body)
            self.write(body)

    class Channel(HTTPChannel):  # type: ignore[misc]  # an untyped base
        """A connection with our error task, our parser, and an end to the patience with a request."""

        task_class = _Task
        error_task_class = Task
        parser_class = _Parser
        begun: float | None = None
        """When the request that is not complete yet began to arrive."""

        def idle(self) -> bool:
            """Return whether no request is arriving or running, and no answer on its way."""
            return self.request is None and not self.requests and not self.total_outbufs_len

        def handle_read(self) -> None:
            """Read on, unless the request has been arriving for too long: every byte renews waitress's own limit."""
            super().handle_read()
            if self.request is None:
                self.begun = None
                return
            self.begun = self.begun or time.monotonic()
            if time.monotonic() - self.begun > REQUEST_SECONDS:
                self.will_close = True

        def send_continue(self) -> None:
            """Invite the body, unless the headers alone have already decided against it."""
            if self.request.error is None:
                super().send_continue()

    return Channel


def _problem(status: int, upload_limit: int) -> Problem:
    if status == 413:
        return of_elicense(too_large(upload_limit))
    code, en, zh = HTTP_TEXTS.get(status, HTTP_TEXTS[400])
    return Problem(status, code, en, zh)
