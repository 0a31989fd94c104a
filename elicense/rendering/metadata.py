"""What a document says about itself: XMP with the GB/T 36903 elements, output intent, information dictionary."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from elicense.rendering.objects import stream, text_string

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.model import Licence

NAMESPACE = "urn:elicense:gbt36903:1"
"""Of the licence elements. Source: GB/T 36903-2018 for the names (text not read; names from implementers)."""
PRODUCER = "elicense"
"""Named in the XMP and the information dictionary."""

_ELEMENTS = (
    ("certificateName", "Text", "证照名称"),
    ("certificateTypeCode", "Text", "证照类型代码"),
    ("certificateNumber", "Text", "证照编号"),
    ("certificateIdentifier", "Text", "证照标识"),
    ("certificateIssuingAuthorityName", "Text", "证照颁发机构"),
    ("certificateIssuingAuthorityCode", "Text", "证照颁发机构代码"),
    ("certificateIssuedDate", "Date", "证照颁发日期"),
    ("certificateHolderName", "seq Text", "持证主体"),
    ("certificateHolderCode", "seq Text", "持证主体代码"),
    ("certificateHolderTypeCode", "seq Text", "持证主体代码类型代码"),
    ("certificateEffectiveDate", "Date", "证照有效期起始日期"),
    ("certificateExpiringDate", "Date", "证照有效期截止日期"),
)


def pdf_date(at: datetime) -> str:
    """Return a UTC moment as PDF writes it."""
    return at.strftime("D:%Y%m%d%H%M%SZ")


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return an ICC profile of sRGB: that of Little CMS with a fixed date and no platform (the tests make it anew)."""
    return Path(__file__).with_name("srgb.icc").read_bytes()


def output_intent(profile: int) -> str:
    """Return the PDF/A output intent that points at the profile object. Source: ISO 19005-3, 6.2.3 (not read)."""
    return (
        "<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/Info(sRGB IEC61966-2.1)"
        f"/RegistryName(http://www.color.org)/DestOutputProfile {profile} 0 R>>"
    )


def profile_stream() -> bytes:
    """Return the profile as a stream object's body."""
    return stream("/N 3", srgb_profile(), best=True)


def title_of(licence: Licence) -> str:
    """Return the document's title: what it is and its number."""
    return f"{licence.type_name} {licence.number}"


def information(licence: Licence, moment: str) -> bytes:
    """Return the information dictionary, in agreement with the XMP; `moment` is the signing time as PDF writes it."""
    return b"<</Title %s/Author %s/Producer %s/CreationDate(%s)/ModDate(%s)>>" % (
        text_string(title_of(licence)),
        text_string(licence.authority.name),
        text_string(PRODUCER),
        moment.encode("ascii"),
        moment.encode("ascii"),
    )


def xmp(licence: Licence, *, conformance: str) -> bytes:
    """Return the XMP packet of `licence`, dates equal to its signing time.

    Args:
        licence: whose document it is.
        conformance: level of PDF/A-3, "A" (then PDF/UA-1 is claimed too) or "B".
    """
    moment = licence.signing_time.strftime("%Y-%m-%dT%H:%M:%SZ")
    tagged = conformance == "A"
    head, middle = _skeleton(tagged=tagged)
    body = (
        f"<pdfaid:part>3</pdfaid:part><pdfaid:conformance>{conformance}</pdfaid:conformance>"
        + ("<pdfuaid:part>1</pdfuaid:part>" if tagged else "")
        + f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title_of(licence))}</rdf:li></rdf:Alt></dc:title>'
        f"<dc:creator><rdf:Seq><rdf:li>{escape(licence.authority.name)}</rdf:li></rdf:Seq></dc:creator>"
        "<dc:language><rdf:Bag><rdf:li>zh-CN</rdf:li></rdf:Bag></dc:language>"
        f"<pdf:Producer>{PRODUCER}</pdf:Producer><xmp:CreateDate>{moment}</xmp:CreateDate>"
        f"<xmp:ModifyDate>{moment}</xmp:ModifyDate><xmp:MetadataDate>{moment}</xmp:MetadataDate>"
        + "".join(f"<lic:{name}>{value}</lic:{name}>" for name, value in _elements(licence))
    )
    return (head + body + middle).encode("utf-8")


def _elements(licence: Licence) -> list[tuple[str, str]]:
    """Return the name and XML value of each licence element; an open end has no expiring date."""
    values = {
        "certificateName": escape(licence.type_name),
        "certificateTypeCode": escape(licence.type_code),
        "certificateNumber": escape(licence.number),
        "certificateIdentifier": escape(str(licence.identifier)),
        "certificateIssuingAuthorityName": escape(licence.authority.name),
        "certificateIssuingAuthorityCode": escape(licence.authority.code),
        "certificateIssuedDate": licence.issued_on.isoformat(),
        "certificateHolderName": _seq([holder.name for holder in licence.holders]),
        "certificateHolderCode": _seq([holder.code for holder in licence.holders]),
        "certificateHolderTypeCode": _seq([holder.code_kind for holder in licence.holders]),
        "certificateEffectiveDate": licence.validity.start.isoformat(),
        "certificateExpiringDate": licence.validity.end.isoformat() if licence.validity.end else "",
    }
    return [(name, values[name]) for name, _, _ in _ELEMENTS if values[name]]


def _seq(items: list[str]) -> str:
    return "<rdf:Seq>" + "".join(f"<rdf:li>{escape(item)}</rdf:li>" for item in items) + "</rdf:Seq>"


@lru_cache(maxsize=2)
def _skeleton(*, tagged: bool) -> tuple[str, str]:
    """Return what stands before and after the values; the extension schemas are always the same."""
    head = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"'
        ' xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"'
        f' xmlns:lic="{NAMESPACE}" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"'
        ' xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"'
        ' xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">'
    )
    schemas = _schema("GB/T 36903 licence elements", NAMESPACE, "lic", _ELEMENTS)
    if tagged:
        universal = (("part", "Integer", "Part of the PDF/UA standard"),)
        schemas += _schema("PDF/UA identification", "http://www.aiim.org/pdfua/ns/id/", "pdfuaid", universal)
    middle = (
        f"<pdfaExtension:schemas><rdf:Bag>{schemas}</rdf:Bag></pdfaExtension:schemas>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    )
    return head, middle


def _schema(name: str, uri: str, prefix: str, elements: tuple[tuple[str, str, str], ...]) -> str:
    """Return the description of a schema; its properties are written as attributes, which is half as long."""
    properties = "".join(
        f'<rdf:li pdfaProperty:name="{element}" pdfaProperty:valueType="{kind}"'
        f' pdfaProperty:category="external" pdfaProperty:description="{text}"/>'
        for element, kind, text in elements
    )
    return (
        f'<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>{name}</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{uri}</pdfaSchema:namespaceURI><pdfaSchema:prefix>{prefix}</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
