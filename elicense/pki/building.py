"""Chains of issuers from a certificate to an anchor, built over signatures so that no crowd of names costs time.

certvalidator builds paths by names alone: a dozen certificates of one name keep it busy for hours. Here only what
an anchor's signature leads to is walked, and certvalidator judges the chains found, one by one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from asn1crypto import x509 as asn1_x509  # type: ignore[import-untyped]
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cryptography import x509

_MOST_STEPS = 12
"""Certificates a chain may have, leaf and anchor included."""
_MOST_CHAINS = 16
_MOST_VISITS = 1000


def candidate_chains(
    leaf: x509.Certificate, pool: Iterable[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> Iterator[tuple[x509.Certificate, ...]]:
    """Yield chains, leaf first and anchor last, in which each certificate's issuer comes next; at most 16.

    Args:
        leaf: Where they begin.
        pool: What may stand between, trusted for nothing; what comes first is tried first.
        anchors: Where they end.
    """
    if leaf in anchors:
        yield (leaf,)
        return
    links = _Links(leaf, pool, anchors)
    waiting: list[tuple[x509.Certificate, ...]] = [(leaf,)]
    found = visits = 0
    while waiting and found < _MOST_CHAINS and visits < _MOST_VISITS:
        chain = waiting.pop()
        visits += 1
        for issuer in reversed(links.issuers(chain[-1])):
            if issuer in chain:
                continue
            if issuer in anchors:
                found += 1
                yield (*chain, issuer)
            elif len(chain) < _MOST_STEPS - 1:
                waiting.append((*chain, issuer))


class _Links:
    """Who issued whom, among the certificates that some chain leads from to an anchor."""

    def __init__(
        self, leaf: x509.Certificate, pool: Iterable[x509.Certificate], anchors: Sequence[x509.Certificate]
    ) -> None:
        rest = list(dict.fromkeys((leaf, *pool)))
        self._names = {one: _names(one) for one in dict.fromkeys((*rest, *anchors))}
        self._reached: dict[x509.Certificate, None] = dict.fromkeys(anchors)
        self._known: dict[tuple[x509.Certificate, x509.Certificate], bool] = {}
        new = list(anchors)
        while new:
            fresh = [
                one for one in rest if one not in self._reached and any(self._issued(one, top) for top in new)
            ]
            self._reached |= dict.fromkeys(fresh)
            new = fresh

    def issuers(self, certificate: x509.Certificate) -> list[x509.Certificate]:
        """Return the issuers of `certificate`, anchors first."""
        return [top for top in self._reached if self._issued(certificate, top)]

    def _issued(self, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        if certificate == issuer or self._names[certificate][1] != self._names[issuer][0]:
            return False
        pair = (certificate, issuer)
        if pair not in self._known:
            self._known[pair] = may_have_issued(certificate, issuer)
        return self._known[pair]


def may_have_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether the issuer's key signed the certificate, or that cannot be told here.

    It cannot for algorithms not known here, and names that are the same in another spelling; certvalidator judges.
    """
    try:
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return True
    return True


def asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """Return the certificate as certvalidator wants it."""
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _names(certificate: x509.Certificate) -> tuple[str, str]:
    """Return subject and issuer, spelt so that equal names are equal. Source: RFC 5280, 7.1."""
    loaded = asn1(certificate)
    return _spelt(loaded.subject.dump()), _spelt(loaded.issuer.dump())


@lru_cache(maxsize=1024)
def _spelt(name: bytes) -> str:
    return str(asn1_x509.Name.load(name).hashable)
