"""When what paths are built from begins and ends: the moments at which an answer about a path may change."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.x509 import ocsp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from elicense.pki.trust import TrustStore

_SPARE = timedelta(seconds=2)
"""Kept from what has ended and from what is to begin: certvalidator allows for clocks that differ by one second."""


class Period(NamedTuple):
    """From a first to a last moment, both inclusive."""

    start: datetime
    """First moment, UTC."""
    end: datetime
    """Last moment, UTC."""

    def cut(self, at: datetime, other: Period) -> Period | None:
        """Return the part of this period around `at` in which `other` neither begins nor ends; None if it has none."""
        if other.start <= at <= other.end:
            return Period(max(self.start, other.start), min(self.end, other.end))
        if other.end < other.start:
            return None
        if other.start - at > _SPARE:
            return Period(self.start, min(self.end, other.start - _SPARE))
        if at - other.end > _SPARE:
            return Period(max(self.start, other.end + _SPARE), self.end)
        return None


ALWAYS = Period(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
"""No bounds."""
NEVER = Period(ALWAYS.end, ALWAYS.start)
"""No time at all: nothing can be cut around it."""


def periods_of_store(store: TrustStore) -> tuple[Period, ...]:
    """Return when everything in the store begins and ends. Raises ValueError if something does not say so."""
    certificates = (*store.anchors, *store.timestamp_anchors, *store.intermediates)
    return (
        *map(_currency, store.crls),
        *(period for der in store.ocsps for period in _answered(der)),
        *periods_of_certificates(certificates, store),
    )


def periods_of_certificates(
    certificates: Iterable[x509.Certificate], store: TrustStore
) -> tuple[Period, ...]:
    """Return when these certificates begin, end, or are revoked by any list of the store, whoever signed it."""
    every = tuple(certificates)
    lives = (Period(one.not_valid_before_utc, one.not_valid_after_utc) for one in every)
    return (*lives, *_revoked(every, store.crls))


def _currency(crl: x509.CertificateRevocationList) -> Period:
    if crl.next_update_utc is None:
        raise ValueError("a revocation list without an end")
    return Period(crl.last_update_utc, crl.next_update_utc)


def _revoked(
    certificates: Iterable[x509.Certificate], crls: Iterable[x509.CertificateRevocationList]
) -> Iterator[Period]:
    """Yield the moments from which any list, whoever signed it, calls one of these serial numbers revoked."""
    for crl, one in itertools.product(crls, certificates):
        entry = crl.get_revoked_certificate_by_serial_number(one.serial_number)
        if entry is not None:
            yield Period(entry.revocation_date_utc, entry.revocation_date_utc)
            yield from _invalid(entry.extensions)


def _answered(der: bytes) -> Iterator[Period]:
    """Yield the periods of an OCSP answer, and the moments from which it calls anything revoked."""
    response = ocsp.load_der_ocsp_response(der)
    singles = list(response.responses)
    for single in singles:
        # Without an end it counts up to its beginning only, for older moments.
        yield Period(single.this_update_utc, single.next_update_utc or single.this_update_utc)
        if single.revocation_time_utc is not None:
            yield Period(single.revocation_time_utc, single.revocation_time_utc)
    if len(singles) == 1:
        yield from _invalid(response.single_extensions)


def _invalid(extensions: x509.Extensions) -> Iterator[Period]:
    for extension in extensions:
        if isinstance(extension.value, x509.InvalidityDate):
            yield Period(extension.value.invalidity_date_utc, extension.value.invalidity_date_utc)
