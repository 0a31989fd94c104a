"""A reader that looks for each path once: thousands of damaged files ask for the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

from cryptography.hazmat.primitives.serialization import Encoding

from elicense.pki.paths import find_path
from elicense.verification.document import InProcess

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from datetime import datetime

    from cryptography import x509

    from elicense.pki.paths import PathResult
    from elicense.pki.trust import TrustStore
    from elicense.verification.facts import Facts

_KNOWN: dict[Hashable, PathResult] = {}
_MOST = 5000


class Remembering(InProcess):
    """Reads documents in this process, and remembers the answer to every question for a path."""

    def read(self, data: bytes, trust: TrustStore, at: datetime, **options: str) -> Facts:
        """Return the facts of a document."""
        with patch("elicense.verification.chains.find_path", _remembered):
            return super().read(data, trust, at, **options)


def _remembered(
    leaf: x509.Certificate,
    intermediates: Iterable[x509.Certificate],
    store: TrustStore,
    at: datetime,
    **rest: Hashable,
) -> PathResult:
    """Return what `find_path` does, asked once for each leaf, company, store, moment, purpose and evidence."""
    others = tuple(intermediates)
    groups = (store.anchors, store.intermediates, store.crls, store.timestamp_anchors)
    believed = tuple(tuple(item.public_bytes(Encoding.DER) for item in group) for group in groups)
    question = (leaf, others, believed, store.ocsps, at, tuple(sorted(rest.items())))
    if question not in _KNOWN:
        if len(_KNOWN) >= _MOST:
            _KNOWN.clear()  # long runs of a fuzzer ask for ever more
        _KNOWN[question] = find_path(leaf, others, store, at, **rest)
    return _KNOWN[question]
