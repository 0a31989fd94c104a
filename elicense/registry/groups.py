"""A group of licences, often of one, in one transaction: each kind of row written by one statement, none read alone.

Plain SQL through the driver's executemany: what SQLAlchemy adds to a statement costs more here than the database does
(measured per licence of a group of 128: see benchmarks, 64 µs instead of 410).
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from elicense.encoding import canonical_json, licence_to_json
from elicense.model import LicenceState
from elicense.registry.assigning import Known, counter_of, request_of
from elicense.registry.rows import dump, find_records, time_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from elicense.model import Licence, LicenceDraft
    from elicense.registry.assigning import Assigned, Counter, Request
    from elicense.registry.protocol import DocumentEvidence, Intent, Reservation

_REQUESTS = """
SELECT key, draft_sha256, identifier FROM idempotency
WHERE authority = ? AND key IN (SELECT value FROM json_each(?))
"""
_LAST = "SELECT last FROM counter WHERE authority = ? AND type = ? AND year = ?"
_COUNTERS = "SELECT type, year, last FROM counter WHERE authority = ?"
_IN_USE = """
SELECT number FROM licence WHERE number IN (SELECT value FROM json_each(?))
UNION ALL SELECT identifier FROM licence WHERE identifier IN (SELECT value FROM json_each(?))
"""
_WAITING = f"""
SELECT identifier FROM licence
WHERE state = '{LicenceState.RESERVED}' AND identifier IN (SELECT value FROM json_each(?))
"""  # noqa: S608 - a name of our own
_COUNT = """
INSERT INTO counter (authority, type, year, last) VALUES (?, ?, ?, ?)
ON CONFLICT (authority, type, year) DO UPDATE SET last = excluded.last
"""
_RESERVE = """
INSERT INTO licence (identifier, number, authority, type, year, sequence, content, content_sha256, intent, state,
    changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_REMEMBER = "INSERT INTO idempotency (authority, key, draft_sha256, identifier) VALUES (?, ?, ?, ?)"
_ENTER = "INSERT INTO history (identifier, state, at) VALUES (?, ?, ?)"
_FINISH = f"""
UPDATE licence SET state = '{LicenceState.ISSUED}', changed_at = ?, reason = NULL, document = ?, document_sha256 = ?
WHERE identifier = ?
"""  # noqa: S608 - a name of our own


def find_known(connection: Connection, authority: str, keys: Collection[str]) -> dict[str, Known]:
    """Return what these idempotency keys of an authority made, by key."""
    rows = connection.exec_driver_sql(_REQUESTS, (authority, json.dumps(list(keys)))).all()
    records = find_records(connection, [row.identifier for row in rows])
    return {row.key: Known(row.draft_sha256, records[row.identifier]) for row in rows}


def counters(connection: Connection, authority: str) -> dict[Counter, int]:
    """Return the last sequence of all counters of an authority."""
    rows = connection.exec_driver_sql(_COUNTERS, (authority,))
    return {(authority, kind, year): last for kind, year, last in rows}


def known_requests(connection: Connection, wanted: Sequence[Reservation]) -> dict[Request, Known]:
    """Return what the idempotency keys of `wanted` made before."""
    requests = {request for one in wanted if (request := request_of(one)) is not None}
    return {
        (authority, key): known
        for authority in {authority for authority, _ in requests}
        for key, known in find_known(
            connection, authority, [key for whose, key in requests if whose == authority]
        ).items()
    }


def last_sequences(connection: Connection, drafts: Sequence[LicenceDraft]) -> dict[Counter, int]:
    """Return the last sequence of every counter that numbers for `drafts` are taken from."""
    return {
        counter: connection.exec_driver_sql(_LAST, counter).scalar_one_or_none() or 0
        for counter in {counter_of(draft) for draft in drafts}
    }


def names_in_use(connection: Connection, licences: Sequence[Licence]) -> set[str]:
    """Return those of the numbers and identifiers of `licences` that are on record already."""
    numbers = json.dumps([licence.number for licence in licences])
    identifiers = json.dumps([str(licence.identifier) for licence in licences])
    return set(connection.exec_driver_sql(_IN_USE, (numbers, identifiers)).scalars())


def write_reservations(connection: Connection, assigned: Sequence[Assigned], at: datetime) -> None:
    """Every one of `assigned` is on record, its counter moved, its request remembered, its history begun."""
    if not assigned:
        return
    when, state = time_text(at), LicenceState.RESERVED.value
    intents: dict[Intent, str] = {}
    licences, requests, counters = [], [], {}
    for record, sequence, request, draft_sha256 in assigned:
        licence = record.licence
        content = canonical_json(licence_to_json(licence))
        intent = intents.get(record.intent) or intents.setdefault(record.intent, dump(record.intent))
        counter = counter_of(licence)
        identifier = str(licence.identifier)
        licences.append((
            identifier, licence.number, *counter, sequence, content.decode(),
            hashlib.sha256(content).hexdigest(), intent, state, when,
        ))  # fmt: skip
        counters[counter] = sequence
        if request is not None:
            requests.append((*request, draft_sha256, identifier))
    connection.exec_driver_sql(_RESERVE, licences)
    connection.exec_driver_sql(_COUNT, [(*counter, last) for counter, last in counters.items()])
    connection.exec_driver_sql(_ENTER, [(row[0], state, when) for row in licences])
    if requests:
        connection.exec_driver_sql(_REMEMBER, requests)


def waiting(connection: Connection, identifiers: Collection[str]) -> set[str]:
    """Return those of `identifiers` whose licences are RESERVED."""
    return set(connection.exec_driver_sql(_WAITING, (json.dumps(list(identifiers)),)).scalars())


def write_documents(connection: Connection, documents: Mapping[str, DocumentEvidence], at: datetime) -> None:
    """Every licence named, RESERVED until now, is ISSUED with its document."""
    if not documents:
        return
    when, state = time_text(at), LicenceState.ISSUED.value
    connection.exec_driver_sql(
        _FINISH, [(when, dump(one), one.sha256, name) for name, one in documents.items()]
    )
    connection.exec_driver_sql(_ENTER, [(name, state, when) for name in documents])
