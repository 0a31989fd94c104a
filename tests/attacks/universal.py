"""Universal signature forgery: the seal's entries are emptied or bent until a careless verifier has nothing to refuse.

Source: Mladenov and others (CCS 2019), section 5.1, whose 24 variants these are, each under a forged page.
"""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

import re

from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.vectors.registry import Vector, forgery


def _contents(subject: str, new: bytes) -> Vector:
    """Return the document with other words instead of `/Contents <…>`, as long as they were."""
    return s.against(s.in_place(subject, rb"/Contents <[0-9a-f]*>", new))


def _range(subject: str, new: bytes) -> Vector:
    """Return the document with other words instead of `/ByteRange […]`, as long as they were."""
    return s.against(s.in_place(subject, rb"/ByteRange \[[0-9 ]{34}\]", new))


@forgery(*d.TYPES)
def usf_contents_missing(subject: str) -> Vector:
    return _contents(subject, b"")


@forgery(*d.SINGLE)
def usf_contents_without_value(subject: str) -> Vector:
    return _contents(subject, b"/Contents")


@forgery(*d.TYPES)
def usf_contents_null(subject: str) -> Vector:
    return _contents(subject, b"/Contents null")


@forgery(*d.TYPES)
def usf_contents_empty(subject: str) -> Vector:
    return _contents(subject, b"/Contents <>")


@forgery(*d.TYPES)
def usf_contents_zero(subject: str) -> Vector:
    return _contents(subject, b"/Contents <00>")


@forgery(*d.TYPES)
def usf_contents_all_zeros(subject: str) -> Vector:
    data = d.licence(subject)
    start, end = d.gap(data)
    return s.against(data[: start + 1] + b"0" * (end - start - 2) + data[end - 1 :])


@forgery(*d.SINGLE)
def usf_contents_no_signer(subject: str) -> Vector:
    from asn1crypto import cms

    content = cms.ContentInfo.load(d.signed_data(d.licence(subject)))
    content["content"]["signer_infos"] = cms.SignerInfos([])
    return s.against(d.with_signed_data(d.licence(subject), content.dump(force=True)))


@forgery(*d.SINGLE)
def usf_contents_half_overwritten(subject: str) -> Vector:
    data = d.licence(subject)
    start, end = d.gap(data)
    return s.against(data[: start + 601] + b"f" * (end - start - 602) + data[end - 1 :])


@forgery(*d.TYPES)
def usf_byte_range_missing(subject: str) -> Vector:
    return _range(subject, b"")


@forgery(*d.TYPES)
def usf_byte_range_without_value(subject: str) -> Vector:
    return _range(subject, b"/ByteRange")


@forgery(*d.TYPES)
def usf_byte_range_null(subject: str) -> Vector:
    return _range(subject, b"/ByteRange null")


@forgery(*d.TYPES)
def usf_byte_range_empty(subject: str) -> Vector:
    return _range(subject, b"/ByteRange []")


@forgery(*d.TYPES)
def usf_byte_range_zeros(subject: str) -> Vector:
    return _range(subject, b"/ByteRange [0 0 0 0]")


@forgery(*d.TYPES)
def usf_byte_range_negative(subject: str) -> Vector:
    return _range(subject, b"/ByteRange [0 -1 -1 -1]")


@forgery(*d.TYPES)
def usf_byte_range_negative_second_part(subject: str) -> Vector:
    start, _ = d.gap(d.licence(subject))
    return _range(subject, b"/ByteRange [0 %d -%d 99]" % (start, start))


@forgery(*d.TYPES)
def usf_byte_range_three_numbers(subject: str) -> Vector:
    return _range(subject, b"/ByteRange [0 %d %d]" % d.gap(d.licence(subject)))


@forgery(*d.TYPES)
def usf_byte_range_one_part(subject: str) -> Vector:
    return _range(subject, b"/ByteRange [0 100]")


@forgery(*d.TYPES)
def usf_byte_range_beyond_the_file(subject: str) -> Vector:
    return _range(subject, b"/ByteRange [0 %d %d 9999999]" % d.gap(d.licence(subject)))


@forgery(*d.TYPES)
def usf_byte_range_overflowing(subject: str) -> Vector:
    return _range(subject, b"/ByteRange [0 1 2 18446744073709551617]")


@forgery(*d.TYPES)
def usf_byte_range_of_reals(subject: str) -> Vector:
    start, end = d.gap(d.licence(subject))
    return _range(subject, b"/ByteRange [0 %d.0 %d.0 99.5]" % (start, end))


@forgery(*d.TYPES)
def usf_byte_range_of_references(subject: str) -> Vector:
    return _range(subject, b"/ByteRange [0 4 0 R 4 0 R 4 0 R]")


@forgery(*d.TYPES)
def usf_byte_range_elsewhere(subject: str) -> Vector:
    number = s.of(subject).free
    changed = s.in_place(subject, rb"/ByteRange \[[0-9 ]{34}\]", b"/ByteRange %d 0 R" % number)
    start, end = d.gap(d.licence(subject))
    whole = b"[0 %d %d %d]" % (start, end, len(changed) - end)
    return s.against(s.update(_as(subject, changed), {number: whole}))


def _as(subject: str, data: bytes) -> s.Anatomy:
    """Return the anatomy of a subject for other bytes of the same layout."""
    from dataclasses import replace

    return replace(s.of(subject), data=data)


@forgery(*d.TYPES)
def usf_byte_range_overlapping(subject: str) -> Vector:
    start, _ = d.gap(d.licence(subject))
    return _range(subject, b"/ByteRange [0 %d %d 1000]" % (start, start - 500))


@forgery(*d.TYPES)
def usf_byte_range_whole_file(subject: str) -> Vector:
    size = len(d.licence(subject))
    return _range(subject, b"/ByteRange [0 %d %d 0]" % (size, size))


@forgery(*d.TYPES)
def usf_signature_dictionary_null(subject: str) -> Vector:
    document = s.of(subject)
    return s.changed(subject, {**s.forged_page(document), document.signature: b"null"})


@forgery(*d.TYPES)
def usf_contents_emptied_by_an_update(subject: str) -> Vector:
    document = s.of(subject)
    body = re.sub(rb"/Contents <[0-9a-f]*>", b"/Contents <>", document.body(document.signature))
    return s.changed(subject, {**s.forged_page(document), document.signature: body})


@forgery(*d.TYPES)
def usf_subfilter_unknown(subject: str) -> Vector:
    return s.against(
        s.in_place(subject, rb"/SubFilter/ETSI.CAdES.detached", b"/SubFilter/ETSI.CAdES.detachee")
    )


@forgery(*d.TYPES)
def usf_filter_unknown(subject: str) -> Vector:
    return s.against(s.in_place(subject, rb"/Filter/Adobe.PPKLite", b"/Filter/Nobody.Knows_"))
