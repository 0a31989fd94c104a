"""The WSGI server of one machine: waitress on loopback, with limits, and errors of its own in our form."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import waitress  # type: ignore[import-untyped]  # ships no types
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]
from waitress.task import ErrorTask  # type: ignore[import-untyped]

from service.api.verifications import MULTIPART_OVERHEAD, too_large
from service.problems import HTTP_TEXTS, PROBLEM_TYPE, Problem, of_elicense

if TYPE_CHECKING:
    from flask import Flask

    from service.config import Settings

REQUEST_SECONDS = 120
"""A request that has not arrived by then never will: its connection is closed."""
HOST = "127.0.0.1"
"""Loopback only, by design: TLS and the outside world are a reverse proxy's business."""


def make_server(app: Flask, settings: Settings) -> Any:
    """Return a server bound to 127.0.0.1 and the settings' port; call its `run()`.

    Bodies within the upload limit stay in memory. Up to four times the limit they are read, to a nameless
    temporary file, so that the client gets our answer; anything larger is refused before it is read.
    Raises OSError if the port is taken.
    """
    body = settings.upload_limit + MULTIPART_OVERHEAD
    server = waitress.create_server(
        app,
        host=HOST,
        port=settings.port,
        threads=settings.threads,
        ident=None,
        max_request_header_size=16 * 1024,
        max_request_body_size=4 * body,
        inbuf_overflow=body,
        connection_limit=64,
        channel_timeout=30,
    )
    server.channel_class = _channel(settings.upload_limit)
    return server


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # an untyped base
    """Reads a request, and refuses one whose end a proxy could see elsewhere. Source: RFC 9112, 6.1."""

    def parse_header(self, header_plus: bytes) -> None:
        """Raise ParsingError for a request with two statements of its length."""
        super().parse_header(header_plus)
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Content-Length beside Transfer-Encoding")


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

        error_task_class = Task
        parser_class = _Parser
        begun: float | None = None
        """When the request that is not complete yet began to arrive."""

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
