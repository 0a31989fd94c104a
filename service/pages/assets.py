"""Style, script and icon: read once, under addresses that change with their content, so that they are kept for good."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path

from flask import Response, abort, request

FOR_GOOD = "public, max-age=31536000, immutable"
"""Nobody asks again for a year: other content has another address. Source: RFC 8246."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    data: bytes
    """Its content."""
    media: str
    """Its media type."""
    version: str
    """Start of the SHA-256 of its content."""


def _read(file: Path) -> Asset:
    data = file.read_bytes()
    return Asset(data, guess_type(file.name)[0] or "", hashlib.sha256(data).hexdigest()[:16])


ASSETS = {file.name: _read(file) for file in Path(__file__).with_name("static").iterdir()}
"""By name."""


def asset_url(name: str) -> str:
    """Return the address of an asset with this content."""
    return f"/static/{name}?v={ASSETS[name].version}"


def asset(name: str) -> Response:
    """Return an asset; kept for good if it was asked for by its version, else asked for again each time."""
    found = ASSETS.get(name) or abort(404)
    known = request.if_none_match.contains_weak(found.version)
    response = Response(b"" if known else found.data, 304 if known else 200, mimetype=found.media)
    response.set_etag(found.version)
    same = request.args.get("v") == found.version
    response.headers["Cache-Control"] = FOR_GOOD if same else "no-cache"
    return response
