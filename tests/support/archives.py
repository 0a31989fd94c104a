"""Archive copies and joint documents by hand: updates on the minimal PDF, for tests that want other ones than ours."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from elicense import updates
from elicense.pki.evidence import NO_EVIDENCE, Evidence, gather
from elicense.pki.paths import Purpose, require_path
from elicense.verification.structure import read_structure

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.pki.throwaway import Identity
    from elicense.pki.timestamps import TimestampAuthority
    from elicense.pki.trust import TrustStore
    from elicense.verification.revisions import Extensible


def state(data: bytes) -> Extensible:
    """Return what an update must know of a file that keeps every rule."""
    found = read_structure(data)
    assert found.extensible is not None, found.findings
    return found.extensible


def with_evidence(data: bytes, held: Evidence) -> bytes:
    """Return the file with an update that holds this evidence."""
    now = state(data)
    numbers, objects = now.tail.size, {}
    lists = []
    for values, old in zip((held.certificates, held.crls, held.ocsps), now.evidence, strict=True):
        lists.append([*old, *range(numbers, numbers + len(values))])
        objects |= {numbers + n: updates.data_stream(value) for n, value in enumerate(values)}
        numbers += len(values)
    objects[numbers] = updates.evidence(*lists)
    objects[now.tail.root] = updates.with_evidence(now.catalogue, numbers)
    return data + updates.write_update(now.tail, objects)


def with_timestamp(data: bytes, authority: TimestampAuthority, **changed: object) -> bytes:
    """Return the file with an archive timestamp of the authority.

    Args:
        data: the file.
        authority: who stamps.
        changed: of the objects, by `field`, `value` or `form`: a function of the body that would be right.
    """
    now = state(data)
    field, value = now.tail.size, now.tail.size + 1
    name = updates.timestamp_name(now.timestamps + 1)
    bodies = {
        "field": updates.timestamp_field(name, value),
        "value": updates.timestamp_value(authority.token_size),
        "form": updates.with_field(now.form_body, field),
    }
    for which, change in changed.items():
        bodies[which] = change(bodies[which])
    objects = {field: bodies["field"], value: bodies["value"], now.form: bodies["form"]}
    pdf = data + updates.write_update(now.tail, objects)
    pdf, (_, start, end, rest) = updates.place_gap(pdf, len(data))
    digest = hashlib.sha256(pdf[:start] + pdf[end:]).digest()
    return updates.fill_gap(pdf, (0, start, end, rest), authority.stamp(digest, "sha256"))


def evidence_for(
    *identities: tuple[Identity, Purpose], trust: TrustStore, at: datetime, have: Evidence = NO_EVIDENCE
) -> Evidence:
    """Return what proves later that these certificates were good at `at`."""
    held = NO_EVIDENCE
    for identity, purpose in identities:
        path = require_path(identity.certificate, identity.chain, trust, at, purpose=purpose)
        held = held.and_also(gather(path.certificates, trust, at, held.and_also(have)))
    return held
