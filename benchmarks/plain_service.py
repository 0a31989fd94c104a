"""The peer of the service: reportlab and pyHanko behind Flask, in the same server, everything loaded once.

`python -m benchmarks.plain_service FOLDER --port PORT`; FOLDER is that of `Means.build`. It keeps nothing and checks
nothing.
"""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, jsonify, request

from benchmarks.cases import FOOD
from benchmarks.content import Content
from benchmarks.means import Means
from benchmarks.page import load_font
from benchmarks.validator import PyhankoValidator
from elicense import demo
from elicense.registry.memory import MemoryRegistry, MemoryStore
from service.config import Settings
from service.listening import listen
from service.server import Server


def create(means: Means, kept: Path) -> Flask:
    """Return the application; `kept` is the file it gives for download."""
    app = Flask("plain")
    plain = means.plain(FOOD)
    validator = PyhankoValidator.of(means.office.trust, datetime.now(UTC).replace(microsecond=0))

    @app.get("/health/live")
    def live() -> Response:
        return jsonify({"status": "live"})

    @app.post("/licences")
    def issue() -> Response:
        asked = {"pieces": (), **request.get_json()}
        return Response(plain.issue(Content(**asked)), mimetype="application/pdf")

    @app.post("/verifications")
    def verify() -> Response:
        return jsonify({"authentic": validator.accepts(request.get_data())})

    @app.get("/document")
    def document() -> Response:
        return Response(kept.read_bytes(), mimetype="application/pdf")

    return app


def main(folder: Path, port: int) -> None:
    """Serve until SIGTERM."""
    load_font()
    office = replace(demo.load(folder / "demo"), registry=MemoryRegistry(), store=MemoryStore())
    app = create(Means(office, folder), folder / "kept.pdf")
    server = Server(app, Settings(folder, port), listen(port))
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    server.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[3]))
