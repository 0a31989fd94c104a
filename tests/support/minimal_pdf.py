"""A minimal PDF with a signature slot, made by hand: the smallest thing that can be sealed."""

from __future__ import annotations

from elicense.preflight import (
    _TOKEN,
    ClearedDocument,
    FillPlan,
    SealPlacement,
    SignatureSlot,
    UnsignedDocument,
)

LICENCE = object()
"""Stands for the licence, which sealing hands through without looking."""


def unsigned(capacity: int, *, filler: bytes = b"") -> UnsignedDocument:
    """Return a one-page PDF 1.7 with one signature field certifying P=1, its slot `capacity` bytes wide."""
    gap = b"<" + b"0" * (2 * capacity) + b">"
    numbers = b"[0 %010d %010d %010d]"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]/SigFlags 3>>/Perms<</DocMDP 5 0 R>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>/Annots[4 0 R]>>",
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal)/V 5 0 R/P 3 0 R/Rect[0 0 0 0]/F 132>>",
        b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:20260101000000Z)"
        b"/Reference[<</Type/SigRef/TransformMethod/DocMDP"
        b"/TransformParams<</Type/TransformParams/P 1/V/1.2>>>>]"
        b"/ByteRange " + numbers % (0, 0, 0) + b"/Contents " + gap + b">>",
        b"<</Length %d>>stream\n" % len(filler) + filler + b"\nendstream",
    ]
    pdf = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    xref = len(pdf)
    pdf += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    pdf += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    identity = b"<" + b"00" * 16 + b">"
    pdf += b"trailer\n<</Size %d/Root 1 0 R/ID[%s%s]>>\n" % (len(objects) + 1, identity, identity)
    pdf += b"startxref\n%d\n%%%%EOF\n" % xref
    start = pdf.index(gap)
    end = start + len(gap)
    byte_range = (0, start, end, len(pdf) - end)
    data = bytes(pdf).replace(numbers % (0, 0, 0), numbers % byte_range[1:])
    plan = FillPlan(((210.0, 297.0),), (), (), SealPlacement(1, (0.0, 0.0, 0.0, 0.0)))
    return UnsignedDocument(data, SignatureSlot(byte_range, capacity), plan, b"")


def cleared(document: UnsignedDocument) -> ClearedDocument:
    """Return the document as if it had passed preflight."""
    return ClearedDocument(document, LICENCE, _token=_TOKEN)
