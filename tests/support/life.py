"""Years in the life of one licence: issued, archived and renewed, with lists and timestamp authorities of each day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from elicense.archiving import archive
from elicense.errors import TimestampUnavailable
from elicense.issuing import issue
from elicense.pki.throwaway import _name
from elicense.verification.document import InProcess
from elicense.verification.pipeline import verify
from tests.support import demonstration
from tests.support.sealing import house
from tests.support.tsa import DirectTsa

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from elicense.archiving import ArchivedDocument
    from elicense.issuing import IssuingOffice
    from elicense.pki.throwaway import Identity
    from elicense.pki.trust import TrustStore
    from elicense.verification.report import VerificationReport
    from tests.support.sealing import House

DAY = timedelta(days=1)


class Outage:
    """A timestamp authority that does not answer."""

    token_size = 8192

    def stamp(self, digest: bytes, algorithm: str) -> bytes:
        """Raise TimestampUnavailable."""
        del digest, algorithm
        raise TimestampUnavailable("down", "故障")


@dataclass(frozen=True)
class Life:
    """One licence's world from `start` on; days count from there."""

    start: datetime
    house: House
    signer: Identity
    """Its certificate lives for 730 days, as each timestamp authority's does."""
    office: IssuingOffice

    def day(self, number: float) -> datetime:
        """Return the moment `number` days after the start."""
        return self.start + number * DAY

    def tsa(self, number: float) -> DirectTsa:
        """Return a timestamp authority whose certificate begins on that day, stamping that day."""
        at = self.day(number)
        identity = self.house.stamps.leaf(
            _name("示例时间戳服务", "示例电子认证机构"),
            valid_from=at - DAY,
            valid_until=at + 729 * DAY,
            timestamping=True,
        )
        return DirectTsa(at=at, identity=identity)

    def trust(
        self, number: float, revoked: Mapping[int, datetime] | None = None, **lists: object
    ) -> TrustStore:
        """Return the trust store of that day: that day's lists, good for a year, and no others."""
        made = {"at": self.day(number), **lists}
        seals = self.house.seals.with_crls(revoked, **made).crls
        return replace(self.office.trust, crls=(*seals, *self.house.stamps.with_crls(revoked, **made).crls))

    def issued(self, *, stamped: bool = False) -> bytes:
        """Return the licence's document of day 0, without a timestamp unless `stamped`."""
        tsa = self.tsa(0) if stamped else Outage()
        office = replace(self.office, timestamps=tsa, on_timestamp_failure="pending")
        return issue(demonstration.request(), office, at=self.start).pdf

    def archive(
        self,
        pdf: bytes,
        number: float,
        level: str = "B-LTA",
        *,
        tsa: DirectTsa | None = None,
        **changes: object,
    ) -> ArchivedDocument:
        """Return the document archived on that day, with that day's authority and lists."""
        arguments = {"trust": self.trust(number), "sandbox": InProcess(), **changes}
        stamps = tsa or self.tsa(number)
        return archive(pdf, level=level, timestamps=stamps, at=self.day(number), **arguments)

    def verify(self, pdf: bytes, number: float, trust: TrustStore | None = None) -> VerificationReport:
        """Return the report of that day."""
        return verify(pdf, trust=trust or self.trust(number), at=self.day(number), sandbox=InProcess())


def life(start: datetime) -> Life:
    """Return a life that begins at `start`, with keys of its own."""
    home = house(start)
    signer = home.identity()
    return Life(start, home, signer, home.office(signer.signer()))
