"""One process that serves. All that it works with is opened here and shared with no other process.

Only the listening socket comes from outside, and the line to the supervisor if there is one (supervisor.py).
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from waitress import wasyncore  # type: ignore[import-untyped]  # ships no types

from elicense.errors import ElicenseError
from service.application import create_app
from service.config import log_to_stderr, read_settings
from service.server import Server
from service.wiring import wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.config import Settings

BEAT_SECONDS = 5.0
"""Between two signs of life."""


def serve(
    settings: Settings,
    listening: socket.socket,
    *,
    resuming: bool = True,
    vault_key: bytes | None = None,
    on_ready: Callable[[Server], Callable[[], None]],
) -> None:
    """Serve until SIGTERM or SIGINT, then answer what has begun to arrive.

    Args:
        settings: checked.
        listening: from `listening.listen`.
        resuming: whether to finish first what a crash left behind.
        vault_key: 32 bytes that all processes of the service have in common.
        on_ready: called when everything is warm; returns what is to be called now and then.

    Raises:
        ElicenseError: something in the folder is missing, wrong or broken.
    """
    services = wire(settings, resuming=resuming)
    try:
        server = Server(create_app(settings, services, vault_key=vault_key), settings, listening)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())
        # What is made now stays till the end: looking through all of it (0.1 s) would hold up a request now and then.
        gc.collect()
        gc.freeze()
        server.run(on_ready(server))
    finally:
        services.close()


class _Line(wasyncore.dispatcher):  # type: ignore[misc]  # an untyped base
    """The worker's end of the line to its supervisor."""

    def __init__(self, line: socket.socket, server: Server) -> None:
        """The supervisor knows that this worker is ready."""
        super().__init__(line, map=server._map)  # noqa: SLF001 - waitress gives no other name to it
        self._server = server
        self._next = 0.0
        self.beat()

    def writable(self) -> bool:
        """Nothing waits to be written: a beat that finds no room is left out."""
        return False

    def handle_read(self) -> None:
        """Leave if the supervisor is gone: nobody would ever end or replace this worker."""
        if not self.recv(64):
            self._server.stop()

    def beat(self) -> None:
        """Say that this worker lives, every few seconds."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + BEAT_SECONDS
            with suppress(OSError):
                self.socket.send(b".")


def main(arguments: list[str]) -> int:
    """Serve as one of a supervisor's workers; return the exit status, 2 if what is wrong has been said."""
    parser = argparse.ArgumentParser(
        prog="python -m service.worker", description="Started by the supervisor."
    )
    parser.add_argument("--demo", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--listening", type=int, required=True, help="inherited descriptor")
    parser.add_argument("--line", type=int, required=True, help="inherited descriptor")
    parser.add_argument("--resume", action="store_true", help="finish what a crash left behind")
    options = parser.parse_args(arguments)
    log_to_stderr()
    line = socket.socket(fileno=options.line)
    key = line.recv(32, socket.MSG_WAITALL)
    try:
        serve(
            read_settings(options.demo, options.port, os.environ),
            socket.socket(fileno=options.listening),
            resuming=options.resume,
            vault_key=key,
            on_ready=lambda server: _Line(line, server).beat,
        )
    except ElicenseError as error:
        sys.stderr.write(f"{error.zh}\n{error.en}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
