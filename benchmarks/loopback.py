"""Servers on loopback, each a process that is ended by its own handle, and a client that keeps its connection."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PATIENCE = 120.0
"""Seconds for a server to get ready, to answer or to end."""


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    """HTTP status."""
    body: bytes
    """All of it."""


class Client:
    """One connection, kept alive, and made anew when the server closes it.

    It does far less than a library's client would: what is timed is the server.
    """

    def __init__(self, port: int) -> None:
        """The connection is made."""
        self._address = ("127.0.0.1", port)
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection(self._address, timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __call__(self, request: bytes) -> Answer:
        """Return the answer to a request made by `request_of`."""
        self.send(request)
        return self.receive()

    def send(self, request: bytes) -> None:
        """The request is on its way."""
        self._socket.sendall(request)

    def receive(self) -> Answer:
        """Return the next answer. Raises ConnectionError if none comes."""
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head = data[:end].lower().split(b"\r\n")
        length = next(int(line[15:]) for line in head if line.startswith(b"content-length:"))
        parts, missing = [data[end + 4 :]], length - (len(data) - end - 4)
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        if b"connection: close" in head:
            self.close()
            self._connect()
        return Answer(int(head[0].split()[1]), b"".join(parts))

    def fileno(self) -> int:
        """Return the connection's descriptor, to wait for an answer."""
        return self._socket.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The connection is closed."""
        self._socket.close()

    def _more(self) -> bytes:
        part = self._socket.recv(1 << 18)
        if not part:
            raise ConnectionError("the server closed the connection")
        return part


def request_of(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return a request as it goes over the wire."""
    lines = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


@contextmanager
def served(module: str, arguments: Sequence[str], log: Path, *, workers: int = 1) -> Iterator[int]:
    """A module serves while the block runs; its port is given. All its workers are ready before.

    Args:
        module: run with `--port PORT` behind `arguments`.
        arguments: the module's own.
        log: where its standard error goes.
        workers: for ELICENSE_WORKERS.

    Raises:
        RuntimeError: it does not get ready.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", module, *arguments, "--port", str(port)]
    environment = {**os.environ, "ELICENSE_WORKERS": str(workers)}
    with log.open("wb") as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)  # noqa: S603
        try:
            _wait(process, port, log, workers)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


def _wait(process: subprocess.Popen[bytes], port: int, log: Path, workers: int) -> None:
    """Return when the server answers and all its workers have said that they are ready."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            client = Client(port)
        except OSError:
            time.sleep(0.1)
            continue
        status = client(request_of("GET", "/health/live", {})).status
        client.close()
        if status == 200 and (workers == 1 or log.read_bytes().count(b" is ready") == workers):
            return
        time.sleep(0.1)
    raise RuntimeError(f"a server did not get ready: {log.read_text('utf-8')}")
