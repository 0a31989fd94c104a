"""Seals with room to spare behind them: many forgeries need a place for what the seal's maker did not put there."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

from elicense.signing import pades

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elicense.pki.keys import Signer
    from elicense.pki.timestamps import TimestampAuthority

MORE = 1024
"""Bytes."""


def required_capacity(signer: Signer, timestamps: TimestampAuthority | None = None) -> int:
    """Return what a seal needs, and MORE: how much is reserved is the issuer's choice, and as good."""
    return pades.required_capacity(signer, timestamps) + MORE


@contextmanager
def roomy() -> Iterator[None]:
    """Offices that issue for the first time meanwhile reserve MORE."""
    with ExitStack() as stack:
        for module in ("elicense.issuing.means", "elicense.signing.further"):
            stack.enter_context(patch(f"{module}.required_capacity", required_capacity))
        yield
