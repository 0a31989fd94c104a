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
from service import create_app
from service.config import read_settings
from service.server import HOST, make_server
from service.wiring import TOKEN_FILE

if TYPE_CHECKING:
    from types import FrameType


def main(arguments: list[str]) -> int:
    """Serve until interrupted; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m service", description="The web service, on 127.0.0.1 only."
    )
    parser.add_argument("--demo", type=Path, default=Path("var/demo"), help="folder made by `elicense demo`")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = read_settings(options.demo, options.port, os.environ)
        app = create_app(settings)
        server = make_server(app, settings)
    except ElicenseError as error:
        return _refuse(error.zh, error.en)
    except OSError as error:
        return _refuse(
            f"无法监听端口 {options.port}（{error.strerror}）：请用 --port 换一个",
            f"cannot listen on port {options.port} ({error.strerror}): choose another with --port",
        )
    sys.stdout.write(
        f"查验页 verify page   http://{HOST}:{settings.port}/\n"
        f"接口 API description http://{HOST}:{settings.port}/openapi.json\n"
        f"令牌 bearer token    {settings.demo_folder / TOKEN_FILE}\n"
    )
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, _stop)
    try:
        server.run()
    finally:
        app.extensions["elicense"].close()
    return 0


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal module's signature
    """Leave `server.run()`, which ends quietly at this exception."""
    raise SystemExit(0)


def _refuse(zh: str, en: str) -> int:
    sys.stderr.write(f"{zh}\n{en}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
