"""A supervisor over workers that only say their number: `python small_workers.py PORT COUNT FOLDER`.

A file in FOLDER says how the next worker behaves: `refuses` (status 2), `fails` (status 1), `dies` (after it was
ready), `hangs` (so too), `stays` (does not leave when asked). Each start adds a line to the file `starts`.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path


def supervise(port: int, count: int, folder: Path) -> int:
    """Supervise until told to stop."""
    # Here, because the worker below starts without any of our packages, in a few hundredths of a second.
    from service import supervisor
    from service.listening import listen

    supervisor.STOP_SECONDS, supervisor.FIRST_DELAY = 1.0, 0.1
    if (folder / "hangs").exists():
        supervisor.SILENT_SECONDS = 3.0

    def command(listening: int, line: int, resuming: bool) -> list[str]:
        told = [str(listening), str(line), str(int(resuming)), str(folder)]
        return [sys.executable, "-S", "-E", __file__, "worker", *told]

    return supervisor.Supervisor(
        command,
        listen(port),
        count,
        on_ready=lambda: print("ready", flush=True),  # noqa: T201
    ).run()


def work(listening: int, line: int, resuming: bool, folder: Path) -> None:
    """Answer every connection with the number of this process, whether it resumed, and what all have in common."""
    with (folder / "starts").open("a") as file:
        file.write(f"{os.getpid()} {int(resuming)}\n")
    for name, status in (("refuses", 2), ("fails", 1)):
        if (folder / name).exists():
            sys.exit(status)
    if (folder / "stays").exists():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    supervising, server = socket.socket(fileno=line), socket.socket(fileno=listening)
    secret = supervising.recv(32, socket.MSG_WAITALL)
    supervising.send(b".")
    if (folder / "dies").exists():
        sys.exit(3)
    if (folder / "hangs").exists():
        (folder / "hangs").unlink()
        time.sleep(600)
    supervising.setblocking(False)
    while True:
        try:
            if not supervising.recv(1):
                return
        except BlockingIOError:
            pass
        supervising.send(b".")
        server.settimeout(0.05)
        try:
            connection, _ = server.accept()
        except TimeoutError:
            continue
        with connection:
            connection.sendall(f"{os.getpid()} {secret.hex()}".encode())


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        work(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1", Path(sys.argv[5]))
    else:
        sys.exit(supervise(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
