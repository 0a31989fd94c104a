"""A licence as the smallest sealed PDF that keeps every rule of the verifier: written by hand, no rendering.

What a test wants different, it says: other embedded data, other printed text, further objects, another tail.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from elicense.encoding import encode_index, encode_licence_file, printed, template_names
from elicense.identifiers import LicenceIdentifier
from elicense.model import (
    AuthorityLevel,
    DocumentCategory,
    FieldPlacement,
    Holder,
    IssuingAuthority,
    Licence,
    Validity,
)
from elicense.preflight import (
    _TOKEN,
    ClearedDocument,
    FillPlan,
    SealPlacement,
    SignatureSlot,
    UnsignedDocument,
)
from elicense.signing.pades import seal_document
from tests.support.pki import AT, AUTHORITY, AUTHORITY_CODE
from tests.support.room import required_capacity

TYPE_CODE = "11990000000000000D001"

LICENCE = Licence(
    type="food-business-licence",
    type_code=TYPE_CODE,
    type_name="食品经营许可证",
    category=DocumentCategory.LICENCE,
    authority=IssuingAuthority(AUTHORITY, AUTHORITY_CODE, AuthorityLevel.CITY, "990101", "样例市", "样市监"),
    holders=(Holder("样例餐饮测试有限公司", "001", "91990101MA0000000U"),),
    issued_on=date(2026, 3, 2),
    validity=Validity(date(2026, 3, 2), date(2031, 3, 1)),
    fields={"operator_name": "样例餐饮测试有限公司", "scope": "热食类食品制售\n冷食类食品制售"},
    labels={},
    verify_base="https://verify.example/v/",
    identifier=LicenceIdentifier(TYPE_CODE, AUTHORITY_CODE, "0000000001", 1),
    number="JY19901010000018",
    signing_time=AT.replace(microsecond=0),
    document_id="0123456789abcdef0123456789abcdef",
)

TEMPLATES = (
    "{type.name}",
    "编号：{number}",
    "{operator_name}",
    "{scope}",
    "{valid_from|date-zh}",
    "第{page}页，共{pages}页",
)


@dataclass
class Draft:
    """What goes into the file; every part can be replaced before `unsigned`."""

    licence: Licence = LICENCE
    embedded: bytes | None = None
    lines: dict[int, str] = field(default_factory=dict)
    """MCID -> what is drawn instead of the index's text."""
    extra_stream: bytes = b""
    """Operators behind the marked content."""
    objects: dict[int, bytes] = field(default_factory=dict)
    """Object number -> body instead of ours, or further objects."""
    catalogue: bytes = b""
    """Further entries of the catalogue."""
    signature: bytes = b""
    """Further entries of the signature dictionary."""
    permission: bytes = b"1"
    trailer: bytes = b""
    """Further entries of the trailer."""
    file_name: bytes = b"licence.json"
    byte_range: bytes = b"[0 %010d %010d %010d]"


def placements(licence: Licence) -> tuple[FieldPlacement, ...]:
    """Return the index: one place a template, all on page 1."""
    return tuple(
        FieldPlacement(
            template=template,
            fields=template_names(template),
            page=1,
            rect=(2000, 25000 - 1000 * mcid, 17000, 800),
            mcid=mcid,
            text=printed(template, licence, page=1, pages=1),
        )
        for mcid, template in enumerate(TEMPLATES)
    )


def stream(dictionary: bytes, data: bytes, *, deflate: bool = True) -> bytes:
    """Return a stream object's body."""
    if deflate:
        data = zlib.compress(data)
        dictionary += b"/Filter/FlateDecode"
    return b"<<" + dictionary + b"/Length %d>>\nstream\n" % len(data) + data + b"\nendstream"


def page_content(draft: Draft) -> tuple[bytes, bytes]:
    """Return the dynamic stream and the ToUnicode map of its font."""
    index = placements(draft.licence)
    texts = {place.mcid: draft.lines.get(place.mcid, place.text.replace("\n", "")) for place in index}
    codes = {char: code for code, char in enumerate(dict.fromkeys("".join(texts.values())), 1)}
    parts = [
        b"/P <</MCID %d>> BDC\nBT\n/D0 12 Tf\n1 0 0 1 57 %d Tm <%s> Tj\nET\nEMC\n"
        % (mcid, 700 - 30 * mcid, "".join(f"{codes[char]:04X}" for char in text).encode())
        for mcid, text in texts.items()
    ]
    lines = [f"<{code:04X}> <{char.encode('utf-16-be').hex().upper()}>" for char, code in codes.items()]
    cmap = f"{len(lines)} beginbfchar\n" + "\n".join(lines) + "\nendbfchar\n"
    return b"".join(parts) + draft.extra_stream, cmap.encode()


def bodies(draft: Draft, capacity: int) -> dict[int, bytes]:
    """Return object number -> body."""
    content, cmap = page_content(draft)
    embedded = draft.embedded
    if embedded is None:
        embedded = encode_licence_file(draft.licence, encode_index(placements(draft.licence)))
    moment = draft.licence.signing_time.strftime("D:%Y%m%d%H%M%SZ").encode()
    name = draft.file_name
    own = {
        1: b"<</Type/Catalog/Pages 2 0 R/AcroForm 12 0 R/Perms<</DocMDP 5 0 R>>/AF[6 0 R]"
        b"/Names<</EmbeddedFiles<</Names[(" + name + b") 6 0 R]>>>>/Lang(zh-CN)" + draft.catalogue + b">>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources 8 0 R/Contents[9 0 R 10 0 R]/Annots[4 0 R]>>",
        4: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal)/V 5 0 R/P 3 0 R/Rect[400 100 500 200]/F 132>>",
        5: b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached"
        b"/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P "
        + draft.permission
        + b"/V/1.2>>>>]/M("
        + moment
        + b")"
        + draft.signature
        + b"/ByteRange "
        + draft.byte_range % (0, 0, 0)
        + b"/Contents <"
        + b"0" * (2 * capacity)
        + b">>>",
        6: b"<</Type/Filespec/F("
        + name
        + b")/UF("
        + name
        + b")/AFRelationship/Data/EF<</F 7 0 R/UF 7 0 R>>>>",
        7: stream(b"/Type/EmbeddedFile/Subtype/application#2Fjson", embedded, deflate=False),
        8: b"<</Font<</D0 11 0 R>>>>",
        9: stream(b"", b"0.5 w 40 40 515 762 re S\n"),
        10: stream(b"", content),
        11: b"<</Type/Font/Subtype/Type0/BaseFont/AAAAAA+Test/Encoding/Identity-H/ToUnicode 13 0 R>>",
        12: b"<</Fields[4 0 R]/SigFlags 3>>",
        13: stream(b"", cmap),
        14: b"<</Title(A licence \\(test\\))/Producer(by hand)>>",
    }
    return own | draft.objects


def unsigned(draft: Draft, capacity: int) -> UnsignedDocument:
    """Return the PDF with an empty slot of `capacity` bytes."""
    objects = bodies(draft, capacity)
    pdf = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number in sorted(objects):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n" % number + objects[number] + b"\nendobj\n"
    start_xref = len(pdf)
    pdf += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    pdf += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    identifier = draft.licence.document_id.encode()
    pdf += b"trailer\n<</Size %d/Root 1 0 R/Info 14 0 R/ID[<%s><%s>]" % (
        len(objects) + 1,
        identifier,
        identifier,
    )
    pdf += draft.trailer + b">>\nstartxref\n%d\n%%%%EOF\n" % start_xref
    gap = b"<" + b"0" * (2 * capacity) + b">"
    start = pdf.index(gap)
    byte_range = (0, start, start + len(gap), len(pdf) - start - len(gap))
    filled = bytes(pdf).replace(draft.byte_range % (0, 0, 0), draft.byte_range % byte_range[1:])
    plan = FillPlan(((210.0, 297.0),), (), placements(draft.licence), SealPlacement(1, (0.0, 0.0, 0.0, 0.0)))
    return UnsignedDocument(filled, SignatureSlot(byte_range, capacity), plan, b"")


def sealed(draft: Draft, signer: object, *, timestamps: object = None) -> bytes:
    """Return the PDF sealed by `signer`, whatever is in it."""
    document = unsigned(draft, required_capacity(signer, timestamps))
    cleared = ClearedDocument(document, draft.licence, _token=_TOKEN)
    return seal_document(cleared, signer, timestamps=timestamps).pdf


NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
"""When the tests verify: a week after sealing."""
