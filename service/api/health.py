"""GET /health/live and /health/ready, for whoever watches the service."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from service.services import now, services

health = Blueprint("health", __name__, url_prefix="/health")


@health.get("/live")
def live() -> Response:
    """The process answers."""
    return jsonify({"status": "live"})


@health.get("/ready")
def ready() -> tuple[Response, int]:
    """Everything the service needs is well; 503 and the names of what is not, otherwise."""
    unwell = sorted(name for name, well in services().readiness.items() if not well(now()))
    return jsonify({"status": "not ready" if unwell else "ready", "unwell": unwell}), 503 if unwell else 200
