"""Over HTTP on loopback: the service against reportlab and pyHanko behind Flask in the same server.

Ours issues durably (register on SQLite, document store on disk), verifies what it issued and hands the document out by
a second request; the peer answers with the document at once and keeps nothing. Each has one worker process and one
connection that is kept alive. Seconds are wall time as the client sees it, unless the name says CPU, which is that of
servers and client together. What a server answers is looked at before anything is timed and in every round.
"""

from __future__ import annotations

import hashlib
import json
import selectors
import shutil
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.cases import FOOD, Cases
from benchmarks.checks import confirmed, require_good, require_ours, spoilt, words_of
from benchmarks.loopback import Client, request_of, served
from benchmarks.means import Means
from benchmarks.measure import Ratio, Side, cpu_seconds, race
from elicense import issue
from elicense.demo_folder import register_file
from elicense.encoding import holder_to_json
from elicense.registry.sql import SqlRegistry
from service.config import TOKEN_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from benchmarks.cases import Case
    from benchmarks.loopback import Answer

PARTS = ("issue", "verify", "download", "workers")
"""What `--only` chooses from."""
_CONFIRMED = 10
"""Every so manieth document of ours is confirmed on the full road."""
_FILES = 32
"""Licences to verify, taken in turn."""
_CONNECTIONS = 4
"""Of the client of one worker and of two."""
_AT_ONCE = 48
"""Licences issued over them in a round."""
_FLOOR = 0.3
"""Seconds of a side's share of a round by the wall clock: a 99th percentile needs some hundred answers."""


@dataclass(frozen=True, slots=True)
class Ours:
    """A client of the service."""

    port: int
    """Where it listens."""
    folder: Path
    """Its demonstration."""
    cases: Cases
    """What is asked for."""
    numbers: count[int] = field(default_factory=count)
    """Of the requests: no idempotency key is used twice."""

    @property
    def token(self) -> dict[str, str]:
        """The header that opens the service."""
        return {"Authorization": f"Bearer {(self.folder / TOKEN_FILE).read_text('ascii').strip()}"}

    def issuing(self, number: int) -> bytes:
        """Return the request that issues a licence."""
        asked = self.cases.request(number)
        dates = {name: getattr(asked, name) for name in ("issued_on", "valid_from", "valid_until")}
        body = {
            "type": asked.type,
            "authority_code": asked.authority_code,
            "holders": [holder_to_json(holder) for holder in asked.holders],
            "fields": dict(asked.fields),
            "case_number": asked.case_number,
            **{name: value.isoformat() for name, value in dates.items() if value is not None},
        }
        key = {"Idempotency-Key": f"case-{next(self.numbers)}", "Content-Type": "application/json"}
        return request_of("POST", "/licences", self.token | key, json.dumps(body).encode())

    def batch(self, number: int) -> list[bytes]:
        """Return the requests of a round that issue over several connections."""
        return [self.issuing(number * _AT_ONCE + place) for place in range(_AT_ONCE)]

    def fetching(self, record: dict[str, Any]) -> bytes:
        """Return the request for a licence's document."""
        return request_of("GET", record["document"]["href"], self.token)


class _Sides(NamedTuple):
    """The service and its peer, a connection to each."""

    service: Ours
    """Makes the requests."""
    ours: Client
    """To the service."""
    peer: Client
    """To the peer."""


@dataclass(slots=True)
class Timed:
    """A way to do something over HTTP that notes how long each time took."""

    run: Callable[[Any], Any]
    """Does it."""
    taken: list[float] = field(default_factory=list)
    """Seconds."""

    def __call__(self, asked: Any) -> Any:
        """Do it."""
        start = time.perf_counter()
        found = self.run(asked)
        self.taken.append(time.perf_counter() - start)
        return found

    def latency(self) -> str:
        """Return the median and the 99th percentile in words."""
        hundredths = statistics.quantiles(self.taken, n=100, method="inclusive")
        return f"p50 {hundredths[49] * 1000:.2f} ms, p99 {hundredths[98] * 1000:.2f} ms"


def run(rounds: int, only: Collection[str] = PARTS) -> list[Ratio]:
    """Return the metrics, headline first. Raises AssertionError if an answer is wrong."""
    at = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        means = Means.build(folder / "means", at=at)
        cases = Cases(means.office, FOOD, at)
        kept = issue(cases.request(-100), means.fresh(), at=at).pdf
        (means.folder / "kept.pdf").write_bytes(kept)
        wanted = (1, 2) if "workers" in only else (1,)
        ours = {workers: _ours(stack, means, cases, folder, workers) for workers in wanted}
        peer = stack.enter_context(served("benchmarks.plain_service", [str(means.folder)], folder / "plain"))
        sides = _Sides(ours[1], *(stack.enter_context(Client(port)) for port in (ours[1].port, peer)))
        rows: list[Ratio] = []
        if "issue" in only:
            rows += _issue(sides, rounds)
        if "verify" in only:
            rows.append(_verify(sides, means, rounds))
        if "download" in only:
            rows.append(_download(sides, means, rounds))
        if "workers" in only:
            rows.append(_workers(ours[1], ours[2], rounds))
        return rows


def _ours(stack: ExitStack, means: Means, cases: Cases, folder: Path, workers: int) -> Ours:
    """Return a client of the service with so many workers, on a demonstration of its own."""
    home = folder / f"service-{workers}"
    shutil.copytree(means.demo_folder, home)
    port = stack.enter_context(
        served("service", ["--demo", str(home)], folder / f"log-{workers}", workers=workers)
    )
    return Ours(port, home, cases)


def _issue(between: _Sides, rounds: int) -> list[Ratio]:
    """Issuing and handing out, by the wall clock and by CPU time."""
    ours, client, peer = between

    def issued(request: bytes) -> bytes:
        record = json.loads(_body(client(request), 201))
        return _body(client(ours.fetching(record)))

    def plain(request: bytes) -> bytes:
        return _body(peer(request))

    _require_issued(ours, issued, plain)
    mine, theirs = Timed(issued), Timed(plain)
    sides = {
        "ours": Side(mine, ours.issuing, lambda _, pdfs: _confirm(ours, pdfs)),
        "plain": Side(theirs, lambda number: _plain_request(ours.cases.case(number))),
    }
    wall = race(sides, rounds=rounds, clock=time.perf_counter, floor=_FLOOR)
    said = f"ours {mine.latency()}; plain {theirs.latency()}"
    cpu = race(sides, rounds=rounds, clock=cpu_seconds)
    what = "issue over HTTP, durable, and fetch ÷ plain reportlab + pyHanko behind Flask"
    return [
        Ratio.of(f"{what}, one worker each ({said})", wall["ours"], wall["plain"]),
        Ratio.of(f"{what}, CPU", cpu["ours"], cpu["plain"]),
    ]


def _body(answer: Answer, status: int = 200) -> bytes:
    """Return the body of an answer. Raises AssertionError if its status is another."""
    assert answer.status == status, answer.body
    return answer.body


def _plain_request(case: Case) -> bytes:
    """Return the peer's request with the same words."""
    content = case.content
    body = {"title": content.title, "rows": content.rows, "paper": content.paper, "link": content.link}
    return request_of("POST", "/licences", {"Content-Type": "application/json"}, json.dumps(body).encode())


def _require_issued(ours: Ours, issued: Callable[[bytes], bytes], plain: Callable[[bytes], bytes]) -> None:
    """Return if the first documents of both sides are right. Raises AssertionError."""
    office, at = ours.cases.office, ours.cases.at
    pdf = issued(ours.issuing(-1))
    register = SqlRegistry(register_file(ours.folder), read_only=True)
    newest = register.find_document(_digest(pdf))
    register.close()
    assert newest is not None, "the service gives out what is not on record"
    require_ours(pdf, newest.licence, office, at=at)
    case = ours.cases.case(-1)
    words = words_of(case.licence, office.catalogue[FOOD])
    require_good(plain(_plain_request(case)), office.trust.anchors, words=words, link=case.content.link)


def _confirm(ours: Ours, pdfs: Sequence[bytes]) -> None:
    for pdf in pdfs[::_CONFIRMED]:
        assert confirmed(pdf, ours.cases.office, at=datetime.now(UTC)), "a document is not confirmed"


def _digest(pdf: bytes) -> str:
    return hashlib.sha256(pdf).hexdigest()


def _verify(between: _Sides, means: Means, rounds: int) -> Ratio:
    """Verifying uploads that the service's register has never seen."""
    ours, client, peer = between
    cases, office = ours.cases, means.fresh()
    pdfs = [issue(cases.request(-1 - number), office, at=cases.at).pdf for number in range(_FILES)]

    def mine(pdf: bytes) -> bool:
        found = json.loads(_body(client(_upload(pdf))))
        return bool(found["authentic"]["indication"] == "TOTAL_PASSED")

    def theirs(pdf: bytes) -> bool:
        return bool(json.loads(_body(peer(_upload(pdf))))["authentic"])

    for accepts in (mine, theirs):
        assert accepts(pdfs[0]), "a verifier does not accept the document"
        for place, bad in spoilt(pdfs[0]).items():
            assert not accepts(bad), f"a verifier does not notice a flipped bit in the {place}"
    timed = {"ours": Timed(mine), "plain": Timed(theirs)}
    sides = {
        name: Side(accepts, lambda number: pdfs[number % _FILES], _all_accepted)
        for name, accepts in timed.items()
    }
    wall = race(sides, rounds=rounds, clock=time.perf_counter, floor=_FLOOR)
    said = "; ".join(f"{name} {one.latency()}" for name, one in timed.items())
    what = f"verify an upload over HTTP ÷ pyHanko's plain validation behind Flask, one worker each ({said})"
    return Ratio.of(what, wall["ours"], wall["plain"])


def _upload(pdf: bytes) -> bytes:
    return request_of("POST", "/verifications", {"Content-Type": "application/pdf"}, pdf)


def _all_accepted(_: Sequence[object], answers: Sequence[bool]) -> None:
    assert all(answers), "a verifier does not accept a document"


def _download(between: _Sides, means: Means, rounds: int) -> Ratio:
    """Handing out a document: ours asks who may have it, and reads it against its digest."""
    ours, client, peer = between
    record = json.loads(_body(client(ours.issuing(-2)), 201))
    kept = (means.folder / "kept.pdf").read_bytes()
    mine = Timed(lambda request: _body(client(request)))
    theirs = Timed(lambda request: _body(peer(request)))
    request, peer_request = ours.fetching(record), request_of("GET", "/document", {})
    wall = race(
        {
            "ours": Side(mine, lambda _: request, _all_of(record["document"]["sha256"])),
            "plain": Side(theirs, lambda _: peer_request, _all_of(_digest(kept))),
        },
        rounds=rounds,
        clock=time.perf_counter,
        floor=_FLOOR,
    )
    said = f"{record['document']['size'] // 1000} KB, ours {mine.latency()}; plain {theirs.latency()}"
    return Ratio.of(
        f"download over HTTP ÷ an open file behind Flask, one worker each ({said})",
        wall["ours"], wall["plain"],
    )  # fmt: skip


def _all_of(sha256: str) -> Callable[[Sequence[object], Sequence[bytes]], None]:
    """Return the check that every document given out has this digest."""

    def check(_: Sequence[object], documents: Sequence[bytes]) -> None:
        assert {_digest(one) for one in documents} == {sha256}, "another document was given out"

    return check


def _workers(one: Ours, two: Ours, rounds: int) -> Ratio:
    """Two workers against one, the same number of connections, durable."""
    sides = {
        name: Side(_Crowd(service), service.batch, _all_issued, times=1)
        for name, service in (("one", one), ("two", two))
    }
    wall = race(sides, rounds=rounds, clock=time.perf_counter)
    per_licence = {name: [seconds / _AT_ONCE for seconds in figures] for name, figures in wall.items()}
    what = f"issue over HTTP, durable: two workers ÷ one, {_CONNECTIONS} connections"
    return Ratio.of(what, per_licence["two"], per_licence["one"])


@dataclass(slots=True)
class _Crowd:
    """Several connections to one service, each with a request under way as long as there are any."""

    service: Ours
    """The service."""

    def __call__(self, requests: Sequence[bytes]) -> list[int]:
        """Return the status of every request."""
        clients = [Client(self.service.port) for _ in range(_CONNECTIONS)]
        waiting, found = list(requests), list[int]()
        with selectors.DefaultSelector() as selector:
            for client in clients:
                selector.register(client, selectors.EVENT_READ, client)
                client.send(waiting.pop())
            while len(found) < len(requests):
                for key, _ in selector.select():
                    client = key.data
                    selector.unregister(key.fileobj)
                    found.append(client.receive().status)
                    if waiting:
                        # Registered again, because the connection may be another one now.
                        selector.register(client, selectors.EVENT_READ, client)
                        client.send(waiting.pop())
        for client in clients:
            client.close()
        return found


def _all_issued(_: Sequence[object], rounds: Sequence[Sequence[int]]) -> None:
    assert all(status == 201 for statuses in rounds for status in statuses), "a licence was not issued"
