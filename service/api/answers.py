"""How an answer of the API becomes a response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

if TYPE_CHECKING:
    from pydantic import BaseModel


def as_json(shown: BaseModel, status: int = 200) -> Response:
    """Return a response with the JSON of a checked object, written in one go."""
    return Response(shown.model_dump_json(), status, mimetype="application/json")
