"""Attacks on certification: a later annotation or signature covers what was certified, or the certificate's limits go.

Source: Rohlmann, Mladenov, Mainka, Schwenk: Breaking the Specification: PDF Certification (IEEE S&P 2021). EAA is the
evil annotation attack, SSA the sneaky signature attack.
"""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

import hashlib

from elicense.pki.throwaway import make_pki
from elicense.signing.cms import sign_digest
from elicense.updates import fill_gap, place_gap, seal_value, with_field
from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.attacks.saving import EXTENDED
from tests.attacks.shadow import prepared
from tests.vectors.registry import Vector, forgery


def _annotated(subject: str, annotation: bytes) -> Vector:
    """Return the subject with an update that lays an annotation, its picture the next object, over the first page."""
    document = s.of(subject)
    return s.against(_with_annotation(document, annotation))


def _with_annotation(document: s.Anatomy, annotation: bytes) -> bytes:
    page, number = document.pages[0], document.free
    body = document.body(page)
    if b"/Annots[" in body:
        body = body.replace(b"/Annots[", b"/Annots[%d 0 R " % number)
    else:
        body = body[:-2] + b"/Annots[%d 0 R]>>" % number
    words = b"<</Type/Annot%s/Rect[0 0 500 500]/F 4/AP<</N %d 0 R>>>>" % (annotation, number + 1)
    return s.update(document, {page: body, number: words, number + 1: s.picture()})


@forgery(*EXTENDED)
def eaa_free_text(subject: str) -> Vector:
    return _annotated(subject, b"/Subtype/FreeText/DA(/F0 12 Tf)/Contents(FORGED)")


@forgery(*EXTENDED)
def eaa_stamp(subject: str) -> Vector:
    return _annotated(subject, b"/Subtype/Stamp/Name/Approved")


@forgery(*EXTENDED)
def eaa_redaction(subject: str) -> Vector:
    return _annotated(subject, b"/Subtype/Redact/OverlayText(FORGED)")


@forgery(*EXTENDED)
def eaa_highlight(subject: str) -> Vector:
    return _annotated(subject, b"/Subtype/Highlight/QuadPoints[0 0 500 0 0 500 500 500]")


@forgery(*EXTENDED)
def eaa_hidden_kind(subject: str) -> Vector:
    return _annotated(subject, b"/Subtype/Unheard")


@forgery(*EXTENDED)
def eaa_file_attachment(subject: str) -> Vector:
    return _annotated(subject, b"/Subtype/FileAttachment/FS<</F(x.exe)>>")


@forgery(*EXTENDED)
def eaa_link(subject: str) -> Vector:
    return _annotated(subject, b"/Subtype/Link/A<</S/URI/URI(http://example.com/)>>")


def later_signature(
    document: s.Anatomy, *, widget: bytes = b"", signer: object = None, name: bytes = b"Later"
) -> bytes:
    """Return the document with an update that brings a signature field and truly signs the whole.

    Args:
        document: what is signed once more.
        widget: further entries of the field, if it shows anywhere; its picture is the third new object.
        signer: whose; by default a stranger's.
        name: of the field.
    """
    signer = signer or make_pki(at=d.AT).seal("99010100000099", "示例机关", "11990101MB00000019").signer()
    field, value, drawn = document.free, document.free + 1, document.free + 2
    page = document.pages[0]
    objects = {
        document.tail.root: with_field(document.catalogue, field),
        field: b"<</FT/Sig/T(%s)/V %d 0 R%s>>" % (name, value, widget.replace(b"DRAWN", b"%d 0 R" % drawn)),
        value: seal_value(b"D:20260308040000Z", 3072),
    }
    if widget:
        body = document.body(page)
        listed = body.replace(b"/Annots[", b"/Annots[%d 0 R " % field)
        objects[page] = listed if listed != body else body[:-2] + b"/Annots[%d 0 R]>>" % field
        objects[drawn] = s.picture()
    placed, byte_range = place_gap(s.update(document, dict(sorted(objects.items()))), document.tail.end)
    covered = placed[: byte_range[1]] + placed[byte_range[2] :]
    return fill_gap(placed, byte_range, sign_digest(hashlib.sha256(covered).digest(), signer))  # type: ignore[arg-type]


_WIDGET = b"/Type/Annot/Subtype/Widget/Rect[0 0 500 500]/F 132/AP<</N DRAWN>>"


@forgery(*EXTENDED)
def ssa_visible_signature(subject: str) -> Vector:
    return s.against(later_signature(s.of(subject), widget=_WIDGET))


@forgery(*EXTENDED)
def ssa_visible_signature_by_the_authority(subject: str) -> Vector:
    signer = d.keeper(subject.partition("+")[0]).signer
    return s.against(later_signature(s.of(subject), widget=_WIDGET, signer=signer))


@forgery(*EXTENDED)
def ssa_invisible_signature(subject: str) -> Vector:
    return s.against(later_signature(s.of(subject)))


@forgery(*EXTENDED)
def ssa_invisible_signature_by_the_authority(subject: str) -> Vector:
    return s.against(later_signature(s.of(subject), signer=d.keeper(subject.partition("+")[0]).signer))


def permitting(subject: str, permission: bytes) -> bytes:
    """Return the document as its own authority would have sealed it with another permission."""
    document = s.of(subject)
    body = document.body(document.signature).replace(b"/P 1/", b"/P %s/" % permission)
    return prepared(subject, {}, {document.signature: body})


@forgery(*d.SINGLE)
def certified_for_form_filling(subject: str) -> Vector:
    return s.against(permitting(subject, b"2"))


@forgery(*d.SINGLE)
def certified_for_annotations(subject: str) -> Vector:
    return s.against(permitting(subject, b"3"))


@forgery(*d.TYPES)
def eaa_where_annotations_are_permitted(subject: str) -> Vector:
    document = s.anatomy(permitting(subject, b"3"))
    return s.against(_with_annotation(document, b"/Subtype/FreeText/DA(/F0 12 Tf)"))


@forgery(*d.TYPES)
def ssa_where_form_filling_is_permitted(subject: str) -> Vector:
    return s.against(later_signature(s.anatomy(permitting(subject, b"2")), widget=_WIDGET))


@forgery(*d.SINGLE)
def certification_without_parameters(subject: str) -> Vector:
    document = s.of(subject)
    body = document.body(document.signature).replace(
        b"/TransformParams<</Type/TransformParams/P 1/V/1.2>>", b""
    )
    return s.against(prepared(subject, {}, {document.signature: body}))


@forgery(*EXTENDED)
def certification_taken_away(subject: str) -> Vector:
    document = s.of(subject)
    catalogue = document.catalogue.replace(b"/Perms<</DocMDP %d 0 R>>" % document.signature, b"")
    assert catalogue != document.catalogue
    return s.changed(subject, {**s.forged_page(document), document.tail.root: catalogue})


@forgery(*d.SINGLE)
def certification_loosened_in_place(subject: str) -> Vector:
    return s.against(s.in_place(subject, rb"/P 1/V/1.2", b"/P 3/V/1.2"))
