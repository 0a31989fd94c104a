"""What a document says about itself: XMP with the GB/T 36903 elements, output intent, information dictionary."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from elicense.encoding import utc_text
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


_MARKS = str.maketrans("", "", "-:T")
"""Between the numbers of a moment."""
_LAST_DAY = "certificateExpiringDate"
"""The last of them, which not every licence has."""


def pdf_date(at: datetime) -> str:
    """Return a UTC moment as PDF writes it."""
    return f"D:{utc_text(at).translate(_MARKS)}"


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
    """Return the XMP packet of `licence`, dates equal to its signing time; an open end has no expiring date.

    Args:
        licence: whose document it is.
        conformance: level of PDF/A-3, "A" (then PDF/UA-1 is claimed too) or "B".
    """
    before, behind = _skeleton(conformance)
    moment = utc_text(licence.signing_time)
    authority, end = _escaped(licence.authority.name), licence.validity.end
    values = (
        _escaped(title_of(licence)),
        authority,
        moment,
        moment,
        moment,
        _escaped(licence.type_name),
        _escaped(licence.type_code),
        _escaped(licence.number),
        _escaped(str(licence.identifier)),
        authority,
        _escaped(licence.authority.code),
        licence.issued_on.isoformat(),
        "".join([f"<rdf:li>{_escaped(holder.name)}</rdf:li>" for holder in licence.holders]),
        "".join([f"<rdf:li>{_escaped(holder.code)}</rdf:li>" for holder in licence.holders]),
        "".join([f"<rdf:li>{_escaped(holder.code_kind)}</rdf:li>" for holder in licence.holders]),
        licence.validity.start.isoformat(),
    )
    last_day = f"<lic:{_LAST_DAY}>{end.isoformat()}</lic:{_LAST_DAY}>" if end is not None else ""
    return b"".join((before % tuple(map(str.encode, values)), last_day.encode(), behind))


def _escaped(text: str) -> str:
    """Return `text` as XML has it."""
    return escape(text) if "&" in text or "<" in text or ">" in text else text


@lru_cache(maxsize=2)
def _skeleton(conformance: str) -> tuple[bytes, bytes]:
    """Return what stands before and behind the last day, the first with places for all values but this."""
    tagged = conformance == "A"
    elements = "".join(
        f"<lic:{name}>{'<rdf:Seq>%s</rdf:Seq>' if kind.startswith('seq') else '%s'}</lic:{name}>"
        for name, kind, _ in _ELEMENTS
        if name != _LAST_DAY
    )
    before = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"'
        ' xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"'
        f' xmlns:lic="{NAMESPACE}" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"'
        ' xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"'
        ' xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">'
        f"<pdfaid:part>3</pdfaid:part><pdfaid:conformance>{conformance}</pdfaid:conformance>"
        f"{'<pdfuaid:part>1</pdfuaid:part>' if tagged else ''}"
        '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:title>'
        "<dc:creator><rdf:Seq><rdf:li>%s</rdf:li></rdf:Seq></dc:creator>"
        "<dc:language><rdf:Bag><rdf:li>zh-CN</rdf:li></rdf:Bag></dc:language>"
        f"<pdf:Producer>{PRODUCER}</pdf:Producer><xmp:CreateDate>%s</xmp:CreateDate>"
        "<xmp:ModifyDate>%s</xmp:ModifyDate><xmp:MetadataDate>%s</xmp:MetadataDate>"
        f"{elements}"
    )
    schemas = _schema("GB/T 36903 licence elements", NAMESPACE, "lic", _ELEMENTS)
    if tagged:
        universal = (("part", "Integer", "Part of the PDF/UA standard"),)
        schemas += _schema("PDF/UA identification", "http://www.aiim.org/pdfua/ns/id/", "pdfuaid", universal)
    behind = (
        f"<pdfaExtension:schemas><rdf:Bag>{schemas}</rdf:Bag></pdfaExtension:schemas>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    )
    return before.encode(), behind.encode()


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
