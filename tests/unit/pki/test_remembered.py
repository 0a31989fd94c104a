"""A remembered path beside the same one searched anew, at many moments under many trust stores."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.errors import CertificatePathError
from elicense.pki import paths, remembered
from elicense.pki.evidence import NO_EVIDENCE, Evidence
from elicense.pki.paths import PathStatus, Purpose
from elicense.pki.throwaway import (
    Identity,
    ThrowawayPki,
    _authority,
    _builder,
    _crl,
    _name,
    make_key,
    make_pki,
    seal_subject,
)
from elicense.pki.trust import TrustStore
from tests.support import ocsp as answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cryptography.hazmat.primitives.asymmetric import ec

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
LAST = 200
"""Days in which everything happens."""
BESIDE = [part * SECOND for part in (-3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3)]
"""Around every moment at which something begins or ends."""


def day(number: float) -> datetime:
    """Return a moment."""
    return START + number * DAY


@cache
def _house(number: int) -> ThrowawayPki:
    del number
    return make_pki(at=START)


def house(number: int = 0) -> ThrowawayPki:
    """Return a PKI; numbers make different ones of the same names."""
    return _house(number)


def seal(first: float = -1, last: float = 730, number: int = 0) -> Identity:
    """Return a seal that is good between these days."""
    return _seal(first, last, number)


@cache
def _seal(first: float, last: float, number: int) -> Identity:
    subject = seal_subject("99010100000017", "样例单位", "11990101MB00000019")
    return house(number).leaf(subject, valid_from=day(first), valid_until=day(last))


def lists(
    issued: float, days: float, revoked: dict[int, datetime] | None = None, number: int = 0, **more: object
) -> tuple[x509.CertificateRevocationList, ...]:
    """Return the lists of root and issuing authority of a day, good for `days`."""
    return house(number).with_crls(revoked, at=day(issued), days=days, **more).crls


def special(
    extension: x509.ExtensionType, revoked: dict[int, datetime] | None = None
) -> x509.CertificateRevocationList:
    """Return a list of the issuing authority with an extension more, of day 10, good for 100 days."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(house().issuing.certificate.subject)
    builder = builder.last_update(day(10)).next_update(day(110)).add_extension(extension, critical=True)
    for serial, moment in (revoked or {}).items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(house().issuing.key, hashes.SHA256())


OTHER_KEY = make_key()
HELD = x509.ReasonFlags.certificate_hold


@cache
def authority(key: ec.EllipticCurvePrivateKey, first: float, last: float) -> x509.Certificate:
    """Return another certificate of the issuing authority, for this key."""
    root, name = house().root, house().issuing.certificate.subject
    builder = _builder(name, root.certificate, key.public_key(), day(first), day(last))
    return _authority(builder, path_length=0, key=root.key)


def other_key_list(revoked: dict[int, datetime]) -> x509.CertificateRevocationList:
    """Return a list of the issuing authority, signed with its other key."""
    return _crl(Identity(authority(OTHER_KEY, -1, 730), OTHER_KEY), revoked, day(0), 150, HELD)


@dataclass(frozen=True)
class Question:
    """Who asks about whom, under what."""

    leaf: x509.Certificate
    along: tuple[x509.Certificate, ...]
    store: TrustStore
    purpose: Purpose = Purpose.SEAL
    evidence: Evidence = NO_EVIDENCE

    def anew(self, at: datetime) -> paths.PathResult:
        """Return the answer searched for."""
        return paths.find_path(
            self.leaf, self.along, self.store, at, purpose=self.purpose, evidence=self.evidence
        )

    def again(self, at: datetime) -> paths.PathResult:
        """Return the answer, remembered if that is possible."""
        return remembered.find_path(
            self.leaf, self.along, self.store, at, purpose=self.purpose, evidence=self.evidence
        )


def ask(identity: Identity, *crls: x509.CertificateRevocationList, **more: object) -> Question:
    """Return the question for a seal that brings its chain, under these lists."""
    store = TrustStore((house().root.certificate,), crls=crls, **more)
    return Question(identity.certificate, identity.chain, store)


def good(issued: float, days: float, certificate: x509.Certificate | None = None, **more: object) -> bytes:
    """Return an answer by OCSP of a day, good for `days`."""
    issuing = house().issuing
    return answers.answer(
        certificate or seal().certificate, issuing.certificate, issuing, day(issued), days=days, **more
    )


def root_list(issued: float, days: float) -> x509.CertificateRevocationList:
    """Return the root's list alone: the seal's own state is then told by OCSP."""
    return lists(issued, days)[0]


SERIAL = seal().certificate.serial_number
ISSUING = house().issuing.certificate.serial_number
STAMPS = house().timestamp_authority()
QUESTIONS: dict[str, Callable[[], Question]] = {
    "one list": lambda: ask(seal(), *lists(0, 100)),
    "lists of three weeks": lambda: ask(seal(), *lists(0, 7), *lists(6, 7), *lists(20, 7)),
    "archived and current lists": lambda: ask(seal(), *lists(0, 30), *lists(90, 90)),
    "expires before its list": lambda: ask(seal(-1, 50), *lists(0, 100)),
    "begins after its list": lambda: ask(seal(20, 90), *lists(0, 100)),
    "list from after the expiry": lambda: ask(seal(-1, 50), *lists(0, 30), *lists(60, 100)),
    "seal revoked": lambda: ask(seal(), *lists(0, 100, {SERIAL: day(40)})),
    "revoked in a later list": lambda: ask(seal(), *lists(0, 100), *lists(50, 100, {SERIAL: day(40)})),
    "authority revoked": lambda: ask(seal(), *lists(0, 100, {ISSUING: day(60)})),
    "on hold, then lifted": lambda: ask(
        seal(),
        *lists(0, 50, {SERIAL: day(5)}, reason=HELD),
        *lists(50, 50, {SERIAL: day(5)}, reason=x509.ReasonFlags.remove_from_crl),
    ),
    "no list": lambda: ask(seal()),
    "one list missing": lambda: ask(seal(), lists(0, 100)[1]),
    "strangers' lists": lambda: ask(seal(), *lists(0, 100), *lists(30, 20, number=1)),
    "stranger of the same name revokes the serial": lambda: ask(
        seal(), *lists(0, 100), *lists(30, 20, {SERIAL: day(35)}, number=1)
    ),
    "ocsp": lambda: ask(seal(), root_list(0, 150), ocsps=(good(10, 7), good(15, 7), good(60, 30))),
    "ocsp without an end": lambda: ask(seal(), root_list(0, 150), ocsps=(good(60, None),)),
    "ocsp and lists": lambda: ask(seal(), *lists(0, 30), root_list(30, 100), ocsps=(good(20, 50),)),
    "ocsp says revoked": lambda: ask(
        seal(), *lists(0, 100), ocsps=(good(10, 50), good(60, 50, revoked_at=day(55)))
    ),
    "ocsp about another": lambda: ask(
        seal(), *lists(0, 100), ocsps=(good(60, 50, seal(0, 90).certificate, revoked_at=day(55)),)
    ),
    "ocsp that cannot be read": lambda: ask(seal(), *lists(0, 100), ocsps=(b"0\x03\x02\x01\x00",)),
    "wrong usage": lambda: Question(
        STAMPS.certificate, STAMPS.chain, TrustStore((house().root.certificate,), crls=lists(0, 100))
    ),
    "timestamps": lambda: Question(
        STAMPS.certificate,
        STAMPS.chain,
        TrustStore(
            (house(1).root.certificate,),
            crls=(*lists(0, 100), *lists(10, 70, number=1)),
            timestamp_anchors=(house().root.certificate,),
        ),
        Purpose.TIMESTAMP,
    ),
    "any purpose": lambda: replace(ask(seal(), *lists(0, 100)), purpose=Purpose.ANY),
    "no anchor": lambda: Question(
        seal().certificate, seal().chain, TrustStore((house(1).root.certificate,), crls=lists(0, 100))
    ),
    "the leaf is the anchor": lambda: Question(
        seal().certificate, (), TrustStore((seal().certificate,), crls=lists(0, 100))
    ),
    "a crowd came along": lambda: replace(
        ask(seal(), *lists(0, 100)), along=(*seal().chain, *(seal(n, 90).certificate for n in range(1, 7)))
    ),
    "another seal came along, revoked": lambda: replace(
        ask(seal(), *lists(0, 100, {seal(0, 90).certificate.serial_number: day(40)})),
        along=(*seal().chain, seal(0, 90).certificate),
    ),
    "intermediate of the store": lambda: Question(
        seal().certificate,
        (),
        TrustStore((house().root.certificate,), (house().issuing.certificate,), lists(0, 100)),
    ),
    "two authorities of one name": lambda: replace(
        ask(seal(), *lists(0, 100), *lists(20, 60, number=1)),
        along=(house(1).issuing.certificate, *seal().chain),
    ),
    "authority certified anew": lambda: replace(
        ask(seal(), *lists(0, 100)), along=(authority(house().issuing.key, -1, 50), *seal().chain)
    ),
    "authority with another key revokes": lambda: replace(
        ask(seal(), *lists(0, 150), other_key_list({SERIAL: day(60)})),
        along=(*seal().chain, authority(OTHER_KEY, -1, 730)),
    ),
    "list for others' certificates, too": lambda: ask(
        seal(),
        *lists(0, 150),
        special(
            x509.IssuingDistributionPoint(None, None, False, False, None, True, False), {SERIAL: day(50)}
        ),
    ),
    "list with an unknown condition": lambda: ask(
        seal(),
        lists(0, 150)[0],
        special(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")),
    ),
    "delta list": lambda: ask(seal(), *lists(0, 150), special(x509.DeltaCRLIndicator(5), {SERIAL: day(50)})),
    "evidence": lambda: replace(
        ask(seal()), evidence=Evidence(crls=tuple(crl.public_bytes(Encoding.DER) for crl in lists(0, 100)))
    ),
}


def moments(question: Question) -> list[datetime]:
    """Return moments before, in, after and right beside everything in the question."""
    every: set[datetime] = {day(number) for number in (-400, -30, -0.5, LAST, 800, 8000)}
    for crl in question.store.crls:
        every |= {crl.last_update_utc, crl.next_update_utc, *(entry.revocation_date_utc for entry in crl)}
    for one in (question.leaf, *question.along, *question.store.intermediates):
        every |= {one.not_valid_before_utc, one.not_valid_after_utc}
    every |= {day(number) for number in (10, 15, 17, 20, 22, 55, 60, 90)}
    marks = sorted(every)
    between = [first + (second - first) / 2 for first, second in itertools.pairwise(marks)]
    return [*between, *(mark + beside for mark in marks for beside in BESIDE)]


def require_same(question: Question, asked: Iterable[datetime]) -> None:
    """Return if the remembered answer is the one searched for, at every moment, asked twice each."""
    for at in asked:
        expected = question.anew(at)
        assert question.again(at) == expected, at
        assert question.again(at) == expected, at


@pytest.mark.parametrize("name", QUESTIONS)
def test_it_is_what_a_search_finds(name: str) -> None:
    """At 36 moments in any order, with what was remembered at one asked again at the others: the same answer."""
    question = QUESTIONS[name]()
    every = moments(question)
    chance = random.Random(name)  # noqa: S311 - no secret
    require_same(question, chance.sample(every, min(36, len(every))))


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Return the moments for which a path is searched anew meanwhile."""
    made: list[datetime] = []
    whole = paths.find_path

    def counted(*asked: object, **more: object) -> paths.PathResult:
        made.append(asked[3])
        return whole(*asked, **more)

    monkeypatch.setattr(paths, "find_path", counted)
    return made


SEARCHED = {
    "seal revoked", "revoked in a later list", "authority revoked", "on hold, then lifted", "no list",
    "one list missing", "ocsp says revoked", "ocsp that cannot be read", "wrong usage", "no anchor",
    "a crowd came along", "list for others' certificates, too", "list with an unknown condition", "delta list",
    "evidence",
}  # fmt: skip
"""Questions that are searched each time on day 25; the others are remembered."""


@pytest.mark.parametrize("name", QUESTIONS)
def test_plain_paths_are_remembered_and_no_others(name: str, searches: list[datetime]) -> None:
    """A second question costs a search where the path is not VALID, or anything unusual is at hand, and only there."""
    question = QUESTIONS[name]()
    for at in (day(25.25), day(25.25) + SECOND):
        question.again(at)
    assert len(searches) == (2 if name in SEARCHED else 1)


@pytest.mark.parametrize("seed", range(10))
def test_it_is_what_a_search_finds_under_any_store(seed: int) -> None:
    """Lists, answers, revocations and periods drawn at random: the same answer at thirty moments each."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    first = chance.choice((-1, 0, 30))
    one = seal(first, first + chance.choice((60, 120, 700)), chance.choice((0, 0, 1)))
    crls: list[x509.CertificateRevocationList] = []
    for _ in range(chance.randint(1, 4)):
        named = (one.certificate.serial_number, ISSUING, 4711, 4712, 4713)
        revoked = {
            chance.choice(named): day(chance.randint(0, LAST)) for _ in range(chance.choice((0, 0, 1)))
        }
        own, other = chance.randint(0, 90), chance.randint(5, 120)
        crls += lists(own, other, revoked, chance.choice((0, 0, 1)))
    said = [
        good(chance.randint(0, 90), chance.choice((7, 30, None)), one.certificate)
        for _ in range(chance.choice((0, 0, 2)))
    ]
    chance.shuffle(crls)
    question = ask(one, *crls, ocsps=tuple(said))
    question = replace(question, store=replace(question.store, intermediates=(house(1).issuing.certificate,)))
    require_same(question, chance.sample(moments(question), 30))


def test_a_path_is_searched_once_between_beginnings_and_ends(searches: list[datetime]) -> None:
    """From the list's first to its last moment one search is enough, borders included; outside each is its own."""
    question = ask(seal(), *lists(10, 20))
    for at in (day(15), day(10), day(30), day(20), day(30) - SECOND, day(10) + SECOND):
        assert question.again(at).status is PathStatus.VALID
    assert searches == [day(15)]
    for at in (day(30) + SECOND, day(31), day(31)):
        question.again(at)
    assert searches == [day(15), day(30) + SECOND, day(31), day(31)]


def test_a_list_of_others_ends_a_window_too(searches: list[datetime]) -> None:
    """What ends elsewhere in the store costs one search more, and the next window begins behind it."""
    question = ask(seal(), *lists(0, 100), *lists(0, 30, number=1))
    for at in (day(10), day(20), day(40), day(50), day(99)):
        question.again(at)
    assert searches == [day(10), day(40)]


def test_another_store_is_another_memory(searches: list[datetime]) -> None:
    """An equal store, and one with a newer list, know nothing of what was found under the first."""
    question = ask(seal(), *lists(0, 100))
    refreshed = replace(question, store=replace(question.store, crls=lists(0, 100, {SERIAL: day(1)})))
    equal = replace(question, store=replace(question.store))
    assert question.again(day(10)).status is PathStatus.VALID
    assert refreshed.again(day(10)).status is PathStatus.REVOKED
    assert equal.again(day(10)).status is PathStatus.VALID
    assert question.again(day(11)).status is PathStatus.VALID
    assert searches == [day(10)] * 3


def test_large_certificates_are_not_kept(searches: list[datetime]) -> None:
    """Who attaches a huge certificate to a document fills no memory with it."""
    text = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), bytes(1 << 16))
    huge = house().leaf(_name("large", "large"), extensions=[(text, False)]).certificate
    question = replace(ask(seal(), *lists(0, 100)), along=(*seal().chain, huge))
    question.again(day(10))
    question.again(day(10))
    assert searches == [day(10)] * 2


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are never more paths under a store, or more stores, than allowed; the oldest go first."""
    monkeypatch.setattr(remembered, "_PATHS", 3)
    memory = remembered._Memory()
    monkeypatch.setattr(remembered, "_MEMORY", memory)
    base = ask(seal(), *lists(0, 100))
    for number in range(6):
        one = seal(number, 90)
        replace(base, leaf=one.certificate).again(day(10))
    kept = [question[0] for question in memory.under(base.store)._kept]
    assert kept == [seal(number, 90).certificate for number in (3, 4, 5)]
    for _ in range(9):
        replace(base, store=replace(base.store)).again(day(10))
    assert len(memory._shelves) == remembered._STORES


def test_threads_share_it() -> None:
    """Eight threads that ask at different moments each get their own right answer."""
    question = ask(seal(), *lists(0, 30), *lists(40, 30))
    asked = [day(number) for number in (5, 15, 29, 35, 45, 60, 69, 75)]
    expected = {at: question.anew(at) for at in asked}
    wrong: list[datetime] = []

    def work(first: int) -> None:
        for number in range(24):
            at = asked[(first + number) % len(asked)]
            if question.again(at) != expected[at]:
                wrong.append(at)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_it_refuses_what_a_search_refuses() -> None:
    """A moment without time zone and a running event loop are mistakes, also when the answer is at hand."""
    question = ask(seal(), *lists(0, 100))
    question.again(day(10))
    with pytest.raises(TypeError, match="time zone"):
        question.again(day(10).replace(tzinfo=None))

    async def inside() -> None:
        question.again(day(10))

    with pytest.raises(RuntimeError, match="to_thread"):
        asyncio.run(inside())


def test_a_required_path_is_refused_when_it_ends() -> None:
    """Remembered today, a certificate is refused by name on the first second after its end."""
    question = ask(seal(-1, 50), *lists(0, 100))
    for at in (day(49), day(50)):
        assert remembered.require_path(question.leaf, question.along, question.store, at)
    with pytest.raises(CertificatePathError, match="expired"):
        remembered.require_path(question.leaf, question.along, question.store, day(50) + 2 * SECOND)
