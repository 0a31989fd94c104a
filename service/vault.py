"""A finished report travels in the page that shows it, locked, and comes back to be shown another way.

So the service keeps nothing of an upload, and still signs only what it has verified itself: the lock's key is made
at start, lives in the service's processes alone and is never written. A report is good for an hour, or until the
service stops.
"""

from __future__ import annotations

import base64
import os
import zlib
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken

from elicense.reporting.stored import report_from_json, report_to_json
from service.problems import ReportExpired

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.verification.report import VerificationReport

HOUR = 3600
"""Seconds that a locked report stays good."""
LARGEST = 512 * 1024
"""Characters of a locked report; a larger one is not put into the page."""


class Vault:
    """Locks reports and opens them again; every vault of the same key opens them."""

    def __init__(self, key: bytes | None = None) -> None:
        """`key` is 32 random bytes; without one a key of its own is made."""
        self._lock = Fernet(base64.urlsafe_b64encode(key or os.urandom(32)))

    def lock(self, report: VerificationReport, at: datetime) -> str | None:
        """Return the report as text that only this service can read; None if it would be too large for a page."""
        data = zlib.compress(report_to_json(report))
        token = self._lock.encrypt_at_time(data, int(at.timestamp())).decode("ascii")
        return token if len(token) <= LARGEST else None

    def unlock(self, token: str, at: datetime) -> VerificationReport:
        """Return the report that `lock` locked. Raises ReportExpired if it is too old or not of this service."""
        try:
            data = self._lock.decrypt_at_time(token.encode("ascii"), HOUR, int(at.timestamp()))
        except (InvalidToken, UnicodeEncodeError) as error:
            raise ReportExpired(
                "this report is no longer at hand, because nothing is kept here: verify the file again",
                "该报告已不可用，因为本服务不保存任何内容：请重新查验文件",
                field="report",
            ) from error
        return report_from_json(zlib.decompress(data))
