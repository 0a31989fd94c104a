"""Paths found before: the answers of `paths.find_path`, at hand for as long as nothing they rest on begins or ends.

What time decides in path validation, it decides by comparing the asked moment with moments that stand in certificates,
revocation lists and OCSP answers. Between two such moments the answer is the same, and is given again without a
search: 4,500 µs the first time, 5 µs then. Plan:

1. The same question: leaf, certificates that came along, purpose, and the very same trust store. A store never
   changes; whoever reads new lists has a new one, under which nothing is remembered yet.
2. Only a VALID path of which no revocation is known is remembered. Every other answer, and every question with
   validation data out of a document, goes the whole way each time.
3. It is remembered from the latest beginning to the earliest end of everything at hand, whether the path uses it or
   not: periods of certificates, lists and OCSP answers; a revocation is a moment of its own. What ended before, or
   begins later, bounds the window with two seconds to spare: certvalidator allows for clocks that differ by one.
4. If anything at hand does not say when it ends, nothing is remembered.

Source: RFC 5280, 6.1.3 and 6.3.3; RFC 6960, 3.2 (what is compared with the current time).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.errors import CertificatePathError
from elicense.pki import paths
from elicense.pki.evidence import NO_EVIDENCE
from elicense.pki.keys import common_name
from elicense.pki.loop import refuse_running_loop
from elicense.pki.paths import PathStatus, Purpose
from elicense.pki.periods import ALWAYS, NEVER, periods_of_certificates, periods_of_store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from elicense.pki.evidence import Evidence
    from elicense.pki.paths import PathResult
    from elicense.pki.periods import Period
    from elicense.pki.trust import TrustStore

_STORES, _PATHS = 4, 1024
"""Stores, and paths under each, that are remembered; the store used longest ago, and the oldest path, go first."""
_MOST_ALONG, _MOST_BYTES = 4, 1 << 15
"""Certificates along with the leaf, and bytes of all, in what is remembered: strangers choose both."""


class _Kept(NamedTuple):
    """An answer and when it is true."""

    result: PathResult
    period: Period


_Question = tuple[x509.Certificate, tuple[x509.Certificate, ...], Purpose]


class _Shelf:
    """What is remembered under one trust store."""

    def __init__(self, store: TrustStore) -> None:
        # Held, so that no other store can get its identity.
        self.store = store
        self._kept: dict[_Question, _Kept] = {}
        # The same by the identity of what was asked: certificates hash all their bytes each time, 13 us for three.
        self._same: dict[tuple[int, ...], tuple[_Question, _Kept]] = {}
        self._lock = threading.Lock()

    def recall(self, question: _Question, at: datetime) -> PathResult | None:
        """Return the answer if it is remembered for `at`."""
        leaf, along, purpose = question
        identity = (id(leaf), *map(id, along), id(purpose))
        same = self._same.get(identity)
        kept = same[1] if same else self._kept.get(question)
        if kept is None or not kept.period.start <= at <= kept.period.end:
            return None
        if same is None and len(self._same) < _PATHS:
            # The question is held with it, so that nothing else can get this identity.
            self._same[identity] = question, kept
        return kept.result

    def keep(self, question: _Question, result: PathResult, at: datetime) -> None:
        """The answer is remembered for as long as it is certain to be the same."""
        period = self._certain(question, at)
        if period is None:
            return
        with self._lock:
            if question not in self._kept and len(self._kept) >= _PATHS:
                del self._kept[next(iter(self._kept))]
            self._kept[question] = _Kept(result, period)
            self._same = {}

    def _certain(self, question: _Question, at: datetime) -> Period | None:
        """Return the time around `at` in which nothing at hand begins or ends; None if there is none to be sure of."""
        leaf, along, _ = question
        asked = (leaf, *along)
        # Certificates that came along are untrusted bytes: whatever goes wrong in reading, nothing is certain.
        try:
            if sum(len(one.public_bytes(Encoding.DER)) for one in asked) > _MOST_BYTES:
                return None
            others = (*self._own, *periods_of_certificates(asked, self.store))
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001
            return None
        found: Period | None = ALWAYS
        for other in others:
            found = found.cut(at, other) if found else None
        return found

    @cached_property
    def _own(self) -> tuple[Period, ...]:
        """When everything in the store begins and ends, or a time that never was if something does not say so."""
        try:
            return periods_of_store(self.store)
        except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension):
            return (NEVER,)


class _Memory:
    """The stores last asked about."""

    def __init__(self) -> None:
        self._shelves: OrderedDict[int, _Shelf] = OrderedDict()
        self._lock = threading.Lock()

    def under(self, store: TrustStore) -> _Shelf:
        """Return what is remembered under this very store, not under another one with the same content."""
        with self._lock:
            shelf = self._shelves.get(id(store))
            if shelf is None:
                shelf = self._shelves[id(store)] = _Shelf(store)
                if len(self._shelves) > _STORES:
                    self._shelves.popitem(last=False)
            else:
                self._shelves.move_to_end(id(store))
            return shelf


_MEMORY = _Memory()


def find_path(
    leaf: x509.Certificate,
    intermediates: Iterable[x509.Certificate],
    store: TrustStore,
    at: datetime,
    *,
    purpose: Purpose = Purpose.SEAL,
    evidence: Evidence = NO_EVIDENCE,
) -> PathResult:
    """Return what `paths.find_path` returns, remembered if it was found before and cannot have changed.

    Args and Raises: as there.
    """
    along = tuple(intermediates)
    if len(along) > _MOST_ALONG or (evidence is not NO_EVIDENCE and evidence) or at.utcoffset() is None:
        return paths.find_path(leaf, along, store, at, purpose=purpose, evidence=evidence)
    refuse_running_loop()
    shelf, question = _MEMORY.under(store), (leaf, along, purpose)
    known = shelf.recall(question, at)
    if known is not None:
        return known
    result = paths.find_path(leaf, along, store, at, purpose=purpose)
    if result.status is PathStatus.VALID and result.revoked_at is None:
        shelf.keep(question, result, at)
    return result


def require_path(
    leaf: x509.Certificate,
    intermediates: Iterable[x509.Certificate],
    store: TrustStore,
    at: datetime,
    *,
    purpose: Purpose = Purpose.SEAL,
    evidence: Evidence = NO_EVIDENCE,
) -> PathResult:
    """Return the VALID path of `find_path`.

    Raises:
        CertificatePathError: There is none; the message names the certificate and what to do.
    """
    result = find_path(leaf, intermediates, store, at, purpose=purpose, evidence=evidence)
    if result.status is PathStatus.VALID:
        return result
    en, zh = _ADVICE[result.status]
    period = f"{leaf.not_valid_before_utc:%Y-%m-%d} – {leaf.not_valid_after_utc:%Y-%m-%d}"
    name = common_name(leaf)
    raise CertificatePathError(
        f"the certificate {name} ({period}) cannot be used at {at:%Y-%m-%d %H:%M} UTC: {en}",
        f"证书 {name}（{period}）在 {at:%Y-%m-%d %H:%M} UTC 不可用：{zh}",
    )


_ADVICE = {
    PathStatus.EXPIRED: (
        "it or a certificate above it has expired; install a renewed one",
        "该证书或其上级证书已过期，请更换新证书",
    ),
    PathStatus.NOT_YET_VALID: (
        "it or a certificate above it is not yet valid; check the clock or wait",
        "该证书或其上级证书尚未生效，请核对时钟或等待生效",
    ),
    PathStatus.REVOKED: (
        "it or a certificate above it was revoked; apply for a new one",
        "该证书或其上级证书已被吊销，请申请新证书",
    ),
    PathStatus.NO_ANCHOR: (
        "no trust anchor issued it; add its root to the trust store or use another certificate",
        "未找到签发它的信任锚，请在信任库中添加其根证书或更换证书",
    ),
    PathStatus.NO_REVOCATION_DATA: (
        "there is no revocation list or OCSP answer about it; add its issuer's current list to the trust store",
        "没有相应的证书吊销列表或 OCSP 应答，请在信任库中添加其签发机构的最新列表",
    ),
    PathStatus.STALE_REVOCATION_DATA: (
        "the revocation data about it are out of date; add its issuer's current list to the trust store",
        "相应的吊销数据已过期，请在信任库中更新其签发机构的列表",
    ),
    PathStatus.WRONG_USAGE: (
        "it was not issued for this purpose; use a certificate for electronic seals",
        "该证书不是为此用途签发的，请使用电子印章证书",
    ),
    PathStatus.INVALID: (
        "its chain of issuers is not valid; ask the certification authority",
        "其证书链无效，请联系电子认证服务机构",
    ),
}
