"""`python -m service --demo FOLDER --port PORT`: serve on this machine's own address, and nowhere else."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from elicense.errors import ElicenseError
from service.config import TOKEN_FILE, log_to_stderr, read_settings
from service.listening import HOST, listen
from service.supervisor import Supervisor

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from service.config import Settings
    from service.server import Server


def main(arguments: list[str]) -> int:
    """Serve until interrupted; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m service", description="The web service, on 127.0.0.1 only."
    )
    parser.add_argument("--demo", type=Path, default=Path("var/demo"), help="folder made by `elicense demo`")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args(arguments)
    log_to_stderr()
    try:
        settings = read_settings(options.demo, options.port, os.environ)
        listening = listen(settings.port)
    except ElicenseError as error:
        return _refuse(error.zh, error.en)
    except OSError as error:
        return _refuse(
            f"无法监听端口 {options.port}（{error.strerror}）：请用 --port 换一个",
            f"cannot listen on port {options.port} ({error.strerror}): choose another with --port",
        )
    if settings.workers == 1:
        return _alone(settings, listening)
    return Supervisor(
        _worker_command(settings), listening, settings.workers, on_ready=lambda: _announce(settings)
    ).run()


def _worker_command(settings: Settings) -> Callable[[int, int, bool], list[str]]:
    """Return how the supervisor starts a worker: in an interpreter of its own, so that nothing can be shared."""
    fixed = [sys.executable, "-m", "service.worker", "--demo", str(settings.demo_folder)]
    fixed += ["--port", str(settings.port)]

    def command(listening: int, line: int, resuming: bool) -> list[str]:
        inherited = ["--listening", str(listening), "--line", str(line)]
        return [*fixed, *inherited, *(["--resume"] if resuming else [])]

    return command


def _alone(settings: Settings, listening: socket.socket) -> int:
    """Serve in this process."""
    signal.signal(signal.SIGHUP, lambda *_: _no_reload())
    from service.worker import serve  # noqa: PLC0415 - all the rest is loaded where requests are served, only there

    def ready(_: Server) -> Callable[[], None]:
        _announce(settings)
        return lambda: None

    try:
        serve(settings, listening, on_ready=ready)
    except ElicenseError as error:
        return _refuse(error.zh, error.en)
    except KeyboardInterrupt:
        return 130
    return 0


def _no_reload() -> None:
    logging.getLogger("service").warning(
        "SIGHUP: a single process cannot renew itself without a gap: restart it, or serve with several workers"
    )


def _announce(settings: Settings) -> None:
    """Print where everything is."""
    sys.stdout.write(
        f"查验页 verify page   http://{HOST}:{settings.port}/\n"
        f"接口 API description http://{HOST}:{settings.port}/openapi.json\n"
        f"令牌 bearer token    {settings.demo_folder / TOKEN_FILE}\n"
    )
    sys.stdout.flush()


def _refuse(zh: str, en: str) -> int:
    sys.stderr.write(f"{zh}\n{en}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
