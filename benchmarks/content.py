"""What the plain documents say: the words of a licence in their order, for somebody who sets them with reportlab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from elicense.encoding import printed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elicense import Licence
    from elicense.catalogue import LicenceType

STATEMENT = (
    "根据《中华人民共和国民法典》等法律法规，为保护不动产权利人合法权益，对不动产权利人申请登记的本证所列不动产权利，"
    "经审查核实，准予登记，颁发此证。"
)
"""On the certificate's first page."""
_FOOD_ROWS = {
    "经营者名称": "{holder.name}",
    "统一社会信用代码": "{holder.code}",
    "法定代表人（负责人）": "{legal_representative}",
    "住所": "{domicile}",
    "经营场所": "{premises}",
    "主体业态": "{business_form}",
    "许可证编号": "{number}",
    "经营项目": "{items}",
    "日常监督管理机构": "{supervisor}",
    "日常监督管理人员": "{inspectors}",
    "投诉举报电话": "12315",
    "签发人": "{signatory}",
    "有效期至": "{valid_until|date-zh}",
    "发证机关": "{authority.name}",
    "日期": "{issued_on|date-zh}",
}
"""The food licence in two columns, the longest value at the foot of the first."""


class Text(NamedTuple):
    """A paragraph."""

    text: str
    """Its words."""
    size: float = 12
    """Points."""
    centred: bool = False
    """Centred instead of flush left."""


class Row(NamedTuple):
    """A row of a table."""

    cells: tuple[str, ...]
    """Its words."""
    widths: tuple[float, ...]
    """Width of each column, mm."""


class Corners(NamedTuple):
    """The outline of a parcel."""

    points: tuple[tuple[float, float], ...]
    """Its corners in order, metres north and east."""


class Mark(NamedTuple):
    """Something that is no text."""

    kind: str
    """page: a new page begins; code: the QR code stands here; seal: the seal is centred on the line above."""


Piece = Text | Row | Corners | Mark


@dataclass(frozen=True, slots=True)
class Content:
    """A document's words."""

    title: str
    """On top."""
    rows: dict[str, str]
    """Labels and values of a single page."""
    pieces: tuple[Piece, ...]
    """Of a document of several pages; empty for a single page."""
    paper: tuple[float, float]
    """Width and height, mm."""
    link: str
    """What the QR code says."""


def content_of(licence: Licence, licence_type: LicenceType) -> Content:
    """Return the words of a licence of one of the three types compared here."""
    paper = (licence_type.page_width, licence_type.page_height)
    link = printed("{verify_url}", licence)
    if licence.type == "real-estate-certificate":
        return Content(licence.type_name, {}, tuple(_certificate(licence)), paper, link)
    if licence.type == "approval-document":
        return Content("", {}, tuple(_approval(licence)), paper, link)
    rows = {
        label: "　".join(printed(template, licence).split("\n")) for label, template in _FOOD_ROWS.items()
    }
    return Content(licence.type_name, rows, (), paper, link)


def _certificate(licence: Licence) -> Iterator[Piece]:
    """Cover, facts, notes and plan of a real estate certificate."""
    page = Mark("page")
    yield Text(licence.type_name, 32, centred=True)
    yield Text(STATEMENT, 15)
    yield Text("登记机构", 12, centred=True)
    yield Text(licence.authority.name, 13, centred=True)
    yield Text(printed("{issued_on|date-zh}", licence), 13, centred=True)
    yield Mark("seal")
    yield Text("示例省自然资源厅监制", 10.5, centred=True)
    yield Text(f"证照标识　{licence.identifier}", 7, centred=True)
    yield page
    yield Text(licence.number, 14, centred=True)
    for label, template in (
        ("权利人", "{holders}"),
        ("共有情况", "{co_ownership}"),
        ("坐落", "{location}"),
        ("不动产单元号", "{unit_number}"),
        ("权利类型", "{right_type}"),
        ("权利性质", "{right_nature}"),
        ("用途", "{purpose}"),
        ("面积", "宗地面积{land_area}平方米／房屋建筑面积{floor_area}平方米"),
        ("使用期限", "国有建设用地使用权{use_from|date-zh}起至{use_until|date-zh}止"),
        ("权利其他状况", "{other}"),
    ):
        yield Row((label, printed(template, licence)), (35, 111))
    yield Mark("code")
    yield Text("扫描二维码查验本证书的真伪和现状", 9)
    yield page
    yield Text("附　记", 18, centred=True)
    yield from (Text("　　" + note, 12.5) for note in _leaves(licence.fields["notes"]))
    yield Text(licence.number, 9.5, centred=True)
    yield page
    yield Text("附　图", 18, centred=True)
    corners = [tuple(_leaves(corner)) for corner in licence.fields["parcel"]]
    yield Corners(tuple((float(x), float(y)) for x, y in corners))
    yield Row(("界址点", "X（米）", "Y（米）"), (30, 40, 40))
    yield from (Row((f"J{number}", *corner), (30, 40, 40)) for number, corner in enumerate(corners, 1))
    yield Text(licence.number, 9.5, centred=True)


def _approval(licence: Licence) -> Iterator[Piece]:
    """Head, text, signature and two attachments of an approval document."""
    fields = licence.fields
    day = printed("{issued_on|date-zh}", licence)
    first, second = _leaves(fields["attachments"])
    yield Mark("code")
    yield Text("扫码核验本批文", 8)
    yield Text(f"{licence.authority.name}文件", 45, centred=True)
    yield Text(licence.number, 16, centred=True)
    yield from (Text(line, 22, centred=True) for line in _leaves(fields["title"]))
    yield Text(f"{fields['addressee']}：", 16)
    yield from (Text("　　" + paragraph, 16) for paragraph in _leaves(fields["body"]))
    yield Text(f"　　附件：1. {first}", 16)
    yield Text(f"　　　　　2. {second}", 16)
    yield Text(licence.authority.name, 16, centred=True)
    yield Text(day, 16, centred=True)
    yield Mark("seal")
    yield Mark("page")
    yield Text("附件1", 16)
    yield Text(first, 22, centred=True)
    widths = (32.0, 44.0, 44.0, 36.0)
    yield Row(("类别", "项目", "限值", "监控位置"), widths)
    yield from (Row(tuple(_leaves(row)), widths) for row in fields["limits"])
    yield Mark("page")
    yield Text("附件2", 16)
    yield Text(second, 22, centred=True)
    yield from (Text("　　" + paragraph, 16) for paragraph in _leaves(fields["requirements"]))
    yield Text(f"抄送：{fields['copies']}。", 14)
    yield Text(f"{fields['printed_by']}　　{day}印发", 14)


def _leaves(value: object) -> tuple[str, ...]:
    """Return the texts of a list."""
    assert isinstance(value, tuple), "this field is a list"
    return tuple(str(item) for item in value)
