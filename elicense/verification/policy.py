"""What a verification demands and whom it believes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from elicense.errors import ConfigurationError

if TYPE_CHECKING:
    from elicense.pki.trust import TrustEntry, TrustStore

LICENCE = "licence"
"""Our own documents by the strict rule: one sealed revision, certified against every change."""

GENERAL = "general"
"""Any signed PDF from anybody: who signed it is known by a trust anchor, what it says is not looked at."""

SIZE_LIMIT = 256 * 1024 * 1024
"""Bytes of a document, unless the caller says less."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the clocks of signer, timestamp authority and verifier may differ."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The demands of one verification."""

    name: str
    """licence or general."""
    register: tuple[TrustEntry, ...] | None
    """Who may seal what; None if only anchors are known, then check 7 says who, not for what."""
    online: bool
    """Whether there is a register of licences to ask."""

    def entries(self, certificate: str) -> tuple[TrustEntry, ...]:
        """Return the trust register's lines for a certificate, given by its SHA-256 (hex)."""
        global _lines  # noqa: PLW0603 - says again what the register says, found faster
        register, lines = _lines
        if register is not self.register:
            lines = {}
            for entry in self.register or ():
                lines[entry.certificate] = (*lines.get(entry.certificate, ()), entry)
            _lines = self.register, lines
        return lines.get(certificate, ())


_lines: tuple[tuple[TrustEntry, ...] | None, dict[str, tuple[TrustEntry, ...]]] = (None, {})
"""The register asked last, and its lines by certificate: it is asked several times for each signature."""


def choose_policy(name: str, trust: TrustStore, *, online: bool) -> Policy:
    """Return the policy of that name. Raises ConfigurationError if there is none."""
    if name not in {LICENCE, GENERAL}:
        raise ConfigurationError(
            f"there is no policy {name!r}; use 'licence' for licences issued by this system, 'general' for any PDF",
            f"没有名为“{name}”的核验规则，请使用 licence（本系统签发的证照）或 general（其他签名 PDF）",
        )
    return Policy(name, trust.register, online and name == LICENCE)
