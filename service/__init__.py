"""The thin web service: `create_app` makes it, `python -m service` serves it.

What it stands on is loaded when first used, so that the process that only watches the workers stays small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.application import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """Return the public name, its module loaded now."""
    if name in __all__:
        from service import application  # noqa: PLC0415 - the point of it

        return getattr(application, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
