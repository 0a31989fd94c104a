"""Proof of time and archive copies: timestamps replayed, exchanged and taken away, evidence that is another's.

Taking proof away is no forgery: what is left is the same genuine document at a lower level.
"""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from functools import cache

from asn1crypto import cms
from cryptography.hazmat.primitives.serialization import Encoding

from elicense import updates
from elicense.pki.evidence import Evidence
from elicense.pki.throwaway import ThrowawayPki, make_pki
from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.support.cms import signature_value, with_timestamp
from tests.support.tsa import DirectTsa
from tests.vectors.registry import Vector, forgery

STAMPED = tuple(f"{slug}+B-T" for slug in d.SINGLE)
LT, LTA = d.EXTENDED


@cache
def _stranger() -> ThrowawayPki:
    return make_pki(at=d.AT)


@cache
def _unknown() -> DirectTsa:
    """Return a timestamp authority with the trusted one's name that nobody trusts."""
    return DirectTsa(at=d.AT, identity=_stranger().timestamp_authority())


# --- The timestamp in the seal ---


def _bare(subject: str) -> bytes:
    """Return the subject's signed data without a timestamp."""
    content = cms.ContentInfo.load(d.signed_data(d.licence(subject)))
    del content["content"]["signer_infos"][0]["unsigned_attrs"]
    return content.dump(force=True)


def _token(subject: str) -> bytes:
    """Return the timestamp token in a subject's seal."""
    signer = cms.ContentInfo.load(d.signed_data(d.licence(subject)))["content"]["signer_infos"][0]
    return signer["unsigned_attrs"][0]["values"][0].dump()


def _with_token(subject: str, token: bytes) -> Vector:
    return s.against(d.with_signed_data(d.licence(subject), with_timestamp(_bare(subject), token)))


@forgery(*STAMPED)
def timestamp_replayed(subject: str) -> Vector:
    return _with_token(subject, _token(next(one for one in STAMPED if one != subject)))


@forgery(*STAMPED)
def timestamp_of_an_authority_of_the_same_name(subject: str) -> Vector:
    imprint = hashlib.sha256(signature_value(_bare(subject))).digest()
    return _with_token(subject, _unknown().stamp(imprint, "sha256"))


@forgery(*STAMPED)
def timestamp_backdated(subject: str) -> Vector:
    return _with_token(subject, _token(subject).replace(b"20260308040000Z", b"20250308040000Z"))


@forgery(*STAMPED)
def timestamp_twice(subject: str) -> Vector:
    token, content = _token(subject), cms.ContentInfo.load(_bare(subject))
    both = cms.SetOfContentInfo([cms.ContentInfo.load(token), cms.ContentInfo.load(token)])
    attribute = cms.CMSAttribute({"type": "signature_time_stamp_token", "values": both})
    content["content"]["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes([attribute])
    return s.against(d.with_signed_data(d.licence(subject), content.dump()))


@forgery(*STAMPED)
def timestamp_taken_away(subject: str) -> Vector:
    return s.against(d.with_signed_data(d.licence(subject), _bare(subject)))


# --- Evidence in the document (DSS) ---


@cache
def _others_evidence() -> Evidence:
    """Return certificates and lists of people who have nothing to do with the document."""
    pki = _stranger()
    certificates = (pki.root.certificate, pki.issuing.certificate)
    return Evidence(
        tuple(one.public_bytes(Encoding.DER) for one in certificates),
        tuple(one.public_bytes(Encoding.DER) for one in pki.crls),
    )


@forgery(*STAMPED)
def evidence_taken_away(subject: str) -> Vector:
    slug = subject.partition("+")[0]
    size = len(d.licence(subject))
    return s.against(d.with_evidence(d.licence(subject), d.evidence_for(slug))[:size])


@forgery(LTA)
def archive_timestamp_taken_away(subject: str) -> Vector:
    return s.against(d.licence(subject)[: len(d.licence(LT))])


@forgery(*STAMPED)
def evidence_copied_from_strangers(subject: str) -> Vector:
    return s.against(d.with_evidence(d.licence(subject), _others_evidence()))


@forgery(LT, LTA)
def evidence_overwritten(subject: str) -> Vector:
    held = d.evidence_for(subject.partition("+")[0])
    return s.against(d.with_evidence(d.licence(subject), replace(held, certificates=held.certificates[:1])))


@forgery(LT, LTA)
def evidence_taken_out_by_an_update(subject: str) -> Vector:
    return s.edited(subject, s.of(subject).tail.root, rb"/DSS [0-9]+ 0 R", b"")


@forgery(*STAMPED)
def evidence_with_a_changed_page(subject: str) -> Vector:
    document = s.of(subject)
    page = s.forged_page(document)
    dss, stream = document.free + 1, document.free + 2
    return s.changed(
        subject,
        {
            **page,
            document.tail.root: updates.with_evidence(document.catalogue, dss),
            dss: updates.evidence((stream,), (), ()),
            stream: updates.data_stream(
                d.keeper(subject.partition("+")[0]).signer.certificate.public_bytes(Encoding.DER)
            ),
        },
    )


def _evidence_plus(subject: str, **what: object) -> Vector:
    held = d.evidence_for(subject.partition("+")[0])
    return s.against(d.with_evidence(d.licence(subject), held, **what))


@forgery(*STAMPED)
def evidence_with_an_object_more(subject: str) -> Vector:
    return _evidence_plus(subject, more=1)


@forgery(*STAMPED)
def evidence_with_a_key_more(subject: str) -> Vector:
    return _evidence_plus(subject, words=b"/Shadow 1 0 R")


@forgery(*STAMPED)
def evidence_with_an_action(subject: str) -> Vector:
    return _evidence_plus(subject, words=b"/Next<</S/JavaScript/JS(1)>>")


@forgery(*STAMPED)
def evidence_that_is_no_certificate(subject: str) -> Vector:
    held = Evidence((b"<html>FORGED LICENCE</html>",), ())
    return s.against(d.with_evidence(d.licence(subject), held))


# --- Archive timestamps ---


@forgery(LT)
def archive_timestamp_replayed(subject: str) -> Vector:
    data = d.licence(LTA)
    start, end = _last_gap(data)
    other = d.with_archive_timestamp(d.with_evidence(d.licence(STAMPED[0]), d.evidence_for(d.TYPES[0])), 1)
    first, last = _last_gap(other)
    assert last - first == end - start
    return s.against(data[:start] + other[first:last] + data[end:])


def _last_gap(data: bytes) -> tuple[int, int]:
    start = data.rindex(b"/Contents <") + len(b"/Contents ")
    return start, data.index(b">", start) + 1


@forgery(LT)
def archive_timestamp_of_an_authority_of_the_same_name(subject: str) -> Vector:
    return s.against(d.with_archive_timestamp(d.licence(subject), 1, authority=_unknown()))


@forgery(LT)
def archive_timestamps_exchanged(subject: str) -> Vector:
    data = d.with_archive_timestamp(d.licence(LTA), 2)
    size = len(d.licence(LTA))
    (start, end), (first, last) = _last_gap(data[:size]), _last_gap(data)
    return s.against(data[:start] + data[first:last] + data[end:first] + data[start:end] + data[last:])


@forgery(LTA)
def archive_timestamp_before_the_last(subject: str) -> Vector:
    earlier = replace(d.timestamps(), at=d.AT - timedelta(days=1) / 2)
    return s.against(d.with_archive_timestamp(d.licence(subject), 2, authority=earlier))


@forgery(LT)
def archive_timestamp_over_less(subject: str) -> Vector:
    data = d.licence(LTA)
    start, end = _last_gap(data)
    at = data.rindex(b"/ByteRange")
    size = len(d.licence(LT))
    inner = d.gap(data)
    words = updates.RANGE % (inner[0], inner[1], size - inner[1])
    data = data[:at] + words + data[at + len(words) :]
    token = d.timestamps().stamp(hashlib.sha256(data[: inner[0]] + data[inner[1] : size]).digest(), "sha256")
    return s.against(updates.fill_gap(data, (0, start, end, len(data) - end), token))


@forgery(LT)
def archive_timestamp_on_the_page(subject: str) -> Vector:
    document = s.of(subject)
    field, value, drawn = document.free, document.free + 1, document.free + 2
    page = document.pages[0]
    body = document.body(page)
    listed = body.replace(b"/Annots[", b"/Annots[%d 0 R " % field)
    words = updates.timestamp_field("Timestamp1", value)[:-2]
    widget = b"/Type/Annot/Subtype/Widget/Rect[0 0 500 500]/F 132/AP<</N %d 0 R>>>>" % drawn
    objects = {
        document.tail.root: updates.with_field(document.catalogue, field),
        page: listed if listed != body else body[:-2] + b"/Annots[%d 0 R]>>" % field,
        field: words + widget,
        value: updates.timestamp_value(8192),
        drawn: s.picture(),
    }
    data = document.data + updates.write_update(document.tail, objects)
    placed, byte_range = updates.place_gap(data, document.tail.end)
    digest = hashlib.sha256(placed[: byte_range[1]] + placed[byte_range[2] :]).digest()
    return s.against(updates.fill_gap(placed, byte_range, d.timestamps().stamp(digest, "sha256")))


@forgery(LTA)
def archive_timestamp_with_digits_changed(subject: str) -> Vector:
    data = d.licence(subject)
    at = _last_gap(data)[0] + 1500
    return s.against(data[:at] + (b"0" if data[at : at + 1] != b"0" else b"1") + data[at + 1 :])


@forgery(LTA)
def archive_timestamp_with_padding_changed(subject: str) -> Vector:
    data = d.licence(subject)
    at = _last_gap(data)[1] - 3
    return s.against(data[:at] + b"1" + data[at + 1 :])


@forgery(*STAMPED)
def archive_over_a_changed_licence(subject: str) -> Vector:
    slug = subject.partition("+")[0]
    data = d.licence(subject)
    at = re.search(rb'"number":"[^"]*[0-9]', data).end() - 1  # type: ignore[union-attr]
    changed = data[:at] + (b"1" if data[at : at + 1] != b"1" else b"2") + data[at + 1 :]
    return s.against(d.with_archive_timestamp(d.with_evidence(changed, d.evidence_for(slug)), 1))


@forgery(*STAMPED)
def archive_over_an_update(subject: str) -> Vector:
    slug, document = subject.partition("+")[0], s.of(subject)
    forged = document.data + updates.write_update(document.tail, s.forged_page(document))
    return s.against(d.with_archive_timestamp(d.with_evidence(forged, d.evidence_for(slug)), 1))


@forgery(LT)
def evidence_gap_borrowed_by_the_seal(subject: str) -> Vector:
    document = s.anatomy(d.licence(LTA))
    value = int(re.findall(rb"/V ([0-9]+) 0 R", document.data)[-1])
    body = document.body(document.field).replace(b"/V %d 0 R" % document.signature, b"/V %d 0 R" % value)
    return s.against(s.update(document, {document.field: body}))
