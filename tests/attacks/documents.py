"""Real issued licences of the demonstration, and tools to damage them and to seal what nobody should have sealed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from elicense import preflight, updates
from elicense.issuing import issue
from elicense.pki.paths import Purpose
from elicense.pki.throwaway import load_pki
from elicense.registry.rules import new_licence
from elicense.rendering.compiler import compile_template
from elicense.rendering.fill import fill
from elicense.signing.cms import sign_digest
from elicense.signing.pades import seal_document
from elicense.verification import der
from tests.support import archives, demonstration
from tests.support.demonstration import AT
from tests.support.room import required_capacity, roomy
from tests.support.tsa import DirectTsa

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elicense.issuing import IssuingOffice, SealKeeper
    from elicense.pki.evidence import Evidence
    from elicense.pki.keys import Signer
    from elicense.pki.throwaway import ThrowawayPki
    from elicense.pki.trust import TrustStore
    from elicense.registry.protocol import LicenceRecord

TYPES = tuple(sorted(kind.slug for kind in demonstration.office().catalogue.types))
"""Every licence type there is."""
JOINT = "joint-approval-document"
"""The type that several authorities seal, each in a revision of its own."""
SINGLE = tuple(slug for slug in TYPES if slug != JOINT)
"""The types with one seal and one revision."""
SLUGS = ("food-business-licence", "real-estate-certificate")
"""Types for what costs time: a form on one page, and one whose authority has two seals for different types."""
EXTENDED = tuple(f"{SLUGS[0]}+{form}" for form in ("LT", "LTA"))
"""Archive copies: documents of more than one revision."""
_TRAILER = re.compile(rb"trailer\n<</Size ([0-9]+)/Root ([0-9]+) 0 R(?:/Info ([0-9]+) 0 R)?/ID(\[[^\]]*\])")
_OBJECT = re.compile(rb"(?:\A|\n)([0-9]{1,6}) 0 obj\n")
_RANGE = re.compile(rb"/ByteRange \[[0-9 ]{34}\]/Contents <")


@cache
def office() -> IssuingOffice:
    """Return an office whose register keeps what the attacks issue."""
    return demonstration.office()


def trust() -> TrustStore:
    """Return what a verifier of the demonstration believes."""
    return office().trust


@cache
def pki() -> ThrowawayPki:
    """Return the demonstration's certification authority, keys included."""
    return load_pki(demonstration.folder() / "ca", at=AT)


@cache
def _issued(slug: str) -> tuple[LicenceRecord, bytes]:
    with roomy():
        issued = issue(demonstration.request(slug), office(), at=AT)
    return issued.record, issued.pdf


def licence(subject: str) -> bytes:
    """Return the sealed licence of a type, or what a `+` behind the type says became of it."""
    slug, _, form = subject.partition("+")
    return archived(slug, form) if form else _issued(slug)[1]


@cache
def archived(slug: str, form: str) -> bytes:
    """Return the licence of a type with a timestamp (B-T), its evidence as well (LT), or that stamped too (LTA)."""
    if form == "B-T":
        return made(slug, keeper(slug), timestamps=timestamps())
    if form == "LT":
        return archives.with_evidence(archived(slug, "B-T"), evidence_for(slug))
    return archives.with_timestamp(archived(slug, "LT"), timestamps())


@cache
def timestamps() -> DirectTsa:
    """Return a timestamp authority that the demonstration's root vouches for."""
    return DirectTsa(at=AT, identity=pki().timestamp_authority())


@cache
def evidence_for(slug: str) -> Evidence:
    """Return what proves the seal and its timestamp later."""
    signers = ((keeper(slug).signer, Purpose.SEAL), (timestamps().identity, Purpose.TIMESTAMP))
    return archives.evidence_for(*signers, trust=trust(), at=AT)


def tail(data: bytes) -> updates.Tail:
    """Return what an update must know of a document of ours."""
    last = list(_TRAILER.finditer(data))[-1]
    xref = int(data[data.rindex(b"startxref\n") + 10 :].split()[0])
    return updates.Tail(len(data), xref, int(last[1]), int(last[2]), int(last[3] or 0), last[4])


def body(data: bytes, number: int) -> bytes:
    """Return the newest body of an object."""
    mark = b"\n%d 0 obj\n" % number
    start = data.rindex(mark) + len(mark)
    return data[start : data.index(b"\nendobj\n", start)]


def with_evidence(data: bytes, evidence: Evidence, *, words: bytes = b"", more: int = 0) -> bytes:
    """Return any document of ours with an update that holds this evidence and none from before, whatever it is.

    Args:
        data: the file; need not keep a rule.
        evidence: certificates and lists.
        words: further entries of the evidence's dictionary.
        more: so many objects more, which nothing refers to.
    """
    end = tail(data)
    number, objects, lists = end.size, {}, []
    for values in (evidence.certificates, evidence.crls, evidence.ocsps):
        lists.append(range(number, number + len(values)))
        objects |= {number + n: updates.data_stream(value) for n, value in enumerate(values)}
        number += len(values)
    objects[number] = updates.evidence(*lists)[:-2] + words + b">>"
    objects |= {number + n: b"<</Type/Page>>" for n in range(1, more + 1)}
    objects[end.root] = updates.with_evidence(body(data, end.root), number)
    return data + updates.write_update(end, objects)


def with_archive_timestamp(data: bytes, number: int, *, authority: DirectTsa | None = None) -> bytes:
    """Return any document of ours with its `number`-th archive timestamp, whatever else is in it."""
    end, tsa = tail(data), authority or timestamps()
    objects = {
        end.root: updates.with_field(body(data, end.root), end.size),
        end.size: updates.timestamp_field(updates.timestamp_name(number), end.size + 1),
        end.size + 1: updates.timestamp_value(tsa.token_size),
    }
    placed, byte_range = updates.place_gap(data + updates.write_update(end, objects), len(data))
    _, start, stop, _ = byte_range
    token = tsa.stamp(hashlib.sha256(placed[:start] + placed[stop:]).digest(), "sha256")
    return updates.fill_gap(placed, byte_range, token)


def record(slug: str) -> LicenceRecord:
    """Return its record."""
    return _issued(slug)[0]


def keeper(slug: str) -> SealKeeper:
    """Return who seals the type."""
    licence_type = office().catalogue[slug]
    code = licence_type.sample_authority().code
    return next(
        k for k in office().keepers if (k.authority.code, k.seal.use) == (code, licence_type.seal_use)
    )


def stranger(slug: str) -> SealKeeper:
    """Return a keeper of another authority in the same trust register."""
    return next(k for k in office().keepers if k.authority.code != keeper(slug).authority.code)


# --- The gap ---


def gap(data: bytes) -> tuple[int, int]:
    """Return where the seal's hexadecimal string begins and ends, brackets included."""
    found = _RANGE.search(data)
    assert found is not None
    return found.end() - 1, data.index(b">", found.end()) + 1


def signed_data(data: bytes) -> bytes:
    """Return the DER in the gap."""
    start, end = gap(data)
    raw = bytes.fromhex(data[start + 1 : end - 1].decode())
    return raw[: der.read(raw, 0, len(raw)).end]


def with_signed_data(data: bytes, encoded: bytes) -> bytes:
    """Return the document with other DER in its gap."""
    start, end = gap(data)
    digits = encoded.hex().encode()
    assert len(digits) <= end - start - 2
    return data[: start + 1] + digits.ljust(end - start - 2, b"0") + data[end - 1 :]


# --- Covered bytes ---


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return the document with the first `old` replaced, cross-references right again; the seal is not."""
    assert old in data
    return framed(data.replace(old, new, 1))


def framed(data: bytes) -> bytes:
    """Return the document with a cross-reference table and a byte range that fit its bytes."""
    table = data.rindex(b"\nxref\n") + 1
    trailer = data.index(b"trailer\n", table)
    offsets = {int(m[1]): m.start(1) for m in _OBJECT.finditer(data, 0, table)}
    count = int(data[table:trailer].split()[2])
    lines = b"".join(b"%010d 00000 n \n" % offsets.get(number, 0) for number in range(1, count))
    head = b"xref\n0 %d\n0000000000 65535 f \n" % count
    tail = re.sub(rb"startxref\n[0-9]+", b"startxref\n%d" % table, data[trailer:])
    data = data[:table] + head + lines + tail
    found = _RANGE.search(data)
    if found is None:
        return data
    start = found.end() - 1
    end = data.index(b">", start) + 1
    numbers = b"/ByteRange [0 %010d %010d %010d]/Contents <" % (start, end, len(data) - end)
    return data[: found.start()] + numbers + data[found.end() :]


def sealed(data: bytes, signer: Signer) -> bytes:
    """Return the document with its gap filled by `signer`, whatever the document says."""
    start, end = gap(data)
    digest = hashlib.new(signer.algorithm.digest, data[:start] + data[end:]).digest()
    return with_signed_data(data, sign_digest(digest, signer))


def resealed(data: bytes) -> bytes:
    """Return the document in order and sealed by a known authority, or as it is if too much is gone."""
    try:
        return sealed(framed(data), stranger(SLUGS[0]).signer)
    except (ValueError, AssertionError, IndexError):
        return data


def made(
    slug: str,
    seal: SealKeeper,
    *,
    backdated: object = None,
    timestamps: DirectTsa | None = None,
    fields: Mapping[str, str] = MappingProxyType({}),
    **authority: str,
) -> bytes:
    """Return a licence as the type's own authority would issue it, but sealed by `seal`.

    Args:
        slug: the type.
        seal: whose seal and key.
        backdated: moment it claims instead of AT.
        timestamps: who stamps it, if anybody.
        fields: values other than the sample's.
        authority: what the licence says of its authority otherwise.
    """
    licence_type = office().catalogue[slug]
    moment = backdated or AT
    draft = office().catalogue.draft(
        demonstration.request(slug),
        licence_type.sample_authority(),
        at=moment,
        verify_base=office().verify_base,
    )
    draft = replace(draft, authority=replace(draft.authority, **authority), fields={**draft.fields, **fields})
    content = new_licence(draft, number=licence_type.number(draft, 1), at=moment)
    capacity = required_capacity(seal.signer, timestamps)
    compiled = compile_template(licence_type, office().fonts, seal.seal, capacity=capacity)
    cleared = preflight.clear(fill(compiled, content), content, licence_type)
    return seal_document(cleared, seal.signer, timestamps=timestamps).pdf
