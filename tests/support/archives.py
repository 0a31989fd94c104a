"""Archive copies and joint documents by hand: updates on the minimal PDF, for tests that want other ones than ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elicense import updates
from elicense.pki.evidence import NO_EVIDENCE, Evidence
from elicense.pki.material import gather
from elicense.pki.paths import Purpose
from elicense.pki.remembered import require_path
from elicense.signing.cms import sign_digest
from elicense.verification.structure import read_structure
from tests.support.room import required_capacity
from tests.unit.verification.minimal_pdf import Draft, stream

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.pki.keys import Signer
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
    for values, old in zip(held.kinds, now.evidence, strict=True):
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
    pdf, byte_range = updates.place_gap(pdf, len(data))
    digest = updates.digest_of(pdf, byte_range, "sha256")
    return updates.fill_gap(pdf, byte_range, authority.stamp(digest, "sha256"))


def evidence_for(
    *identities: tuple[Identity, Purpose], trust: TrustStore, at: datetime, have: Evidence = NO_EVIDENCE
) -> Evidence:
    """Return what proves later that these certificates were good at `at`."""
    held = NO_EVIDENCE
    for identity, purpose in identities:
        path = require_path(identity.certificate, identity.chain, trust, at, purpose=purpose)
        held = held.and_also(gather(path.certificates, trust, at, held.and_also(have)))
    return held


def joint_draft(seals: int, **changes: object) -> Draft:
    """Return a draft with this many prepared fields, the first with the slot; `changes` are of its objects."""
    fields = [4, *range(15, 14 + seals)]
    appearances = range(14 + seals, 13 + 2 * seals)
    references = b" ".join(b"%d 0 R" % number for number in fields)
    objects = {
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources 8 0 R/Contents[9 0 R 10 0 R]/Annots["
        + references + b"]>>",
        12: b"<</Fields[" + references + b"]/SigFlags 3>>",
    }  # fmt: skip
    for place, (field, appearance) in enumerate(zip(fields[1:], appearances, strict=True), 2):
        lock = b"/Lock %d 0 R" % (13 + 2 * seals) if place == seals else b""
        objects[field] = (
            b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal%d)/F 132/P 3 0 R/Rect[%d 100 %d 200]/AP<</N %d 0 R>>%s>>"
            % (place, 100 * place, 100 * place + 90, appearance, lock)
        )
        objects[appearance] = stream(b"/Type/XObject/Subtype/Form/BBox[0 0 90 100]", b"")
    objects[13 + 2 * seals] = updates.LOCK
    return Draft(permission=b"2", objects=objects | changes.get("objects", {}))


def with_seal(data: bytes, signer: Signer, claimed: datetime, **changed: object) -> bytes:
    """Return the joint document with its next field sealed.

    Args:
        data: the document so far.
        signer: the next authority's.
        claimed: time it claims.
        changed: of the objects, by `field`, `value` or `appearance`: a function of the body that would be right;
            `objects`: further objects by number.
    """
    now = state(data)
    number, prepared = now.prepared[0]
    value, appearance = now.tail.size, now.tail.size + 1
    moment = claimed.strftime("D:%Y%m%d%H%M%SZ").encode()
    bodies = {
        "field": updates.sealed_field(prepared, appearance=appearance, value=value),
        "value": updates.seal_value(
            moment, required_capacity(signer), locks=now.tail.root if len(now.prepared) == 1 else 0
        ),
        "appearance": stream(b"/Type/XObject/Subtype/Form/BBox[0 0 90 100]", b"1 0 0 RG 5 5 80 90 re S"),
    }
    further = changed.pop("objects", {})
    for which, change in changed.items():
        bodies[which] = change(bodies[which])
    objects = {number: bodies["field"], value: bodies["value"], appearance: bodies["appearance"], **further}
    pdf, byte_range = updates.place_gap(data + updates.write_update(now.tail, objects), len(data))
    digest = updates.digest_of(pdf, byte_range, signer.algorithm.digest)
    return updates.fill_gap(pdf, byte_range, sign_digest(digest, signer))
