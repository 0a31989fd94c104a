"""The socket that all workers accept from."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"
"""Loopback only, by design: TLS and the outside world are a reverse proxy's business."""
BACKLOG = 1024
"""Connections that wait for a worker."""
CONNECTIONS = 64
"""Connections of one worker, most of them idle; further ones wait."""


def listen(port: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1; connections wait there until a worker accepts them.

    Raises OSError if the port is taken.
    """
    listening = socket.create_server((HOST, port), backlog=BACKLOG)
    # Several processes are told of one connection; all but the first must find nothing rather than wait.
    listening.setblocking(False)
    return listening
