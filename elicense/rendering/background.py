"""The other route to a layout: a page drawn in an office program, whose form fields say where the data go.

The page's drawing becomes one form XObject with just the resources it uses; fields, other annotations, actions,
metadata and structure stay behind. The file is the operator's own and trusted, but what it holds is copied by kind:
whatever is not a plain drawing is refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    ByteStringObject,
    ContentStream,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NullObject,
    StreamObject,
    TextStringObject,
)

from elicense.errors import InvalidTemplate
from elicense.rendering.blocks import QrBlock, SealBlock, TextBlock
from elicense.rendering.layout import Defaults, Layout, Page, Place
from elicense.rendering.objects import POINTS_PER_MM, num, nums, ref, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from elicense.rendering.blocks import Block
    from elicense.rendering.objects import Body
    from elicense.rendering.template import Rect

_SIZE_SLACK = 1.0
"""Millimetres by which the drawn page may differ from the type's paper."""
_DROPPED = frozenset({
    "/AF", "/Alternates", "/LastModified", "/Metadata", "/OC", "/OPI", "/PS", "/Parent", "/PieceInfo", "/Ref",
    "/StructParent", "/StructParents",
})  # fmt: skip
"""Entries of a drawing's objects that draw nothing, or that a sealed document may not hold."""
_BAD_FILTERS = frozenset({"/LZWDecode", "/Crypt"})
"""Source: ISO 19005-3, 6.1.7.2 (not read)."""
_RESOURCES = {
    "Tf": "/Font",
    "Do": "/XObject",
    "gs": "/ExtGState",
    "cs": "/ColorSpace",
    "CS": "/ColorSpace",
    "scn": "/Pattern",
    "SCN": "/Pattern",
    "sh": "/Shading",
}
_MARKING = frozenset({"BMC", "BDC", "EMC", "MP", "DP"})
_SHOWING = frozenset({b"Tj", b"TJ", b"'", b'"'})
_FILLS = frozenset({b"f", b"F", b"f*"})
_GROUND_SLACK = 0.75
"""Points by which the ground of a field may differ from it."""


@dataclass(frozen=True, slots=True)
class Background:
    """A page drawn elsewhere."""

    layout: Layout
    """One page with a block for each form field; its art is the drawing."""
    box: tuple[float, float, float, float]
    """The page's box in its own coordinates, points: left, lower, right, upper."""
    operators: bytes
    """What draws the page."""
    resources: DictionaryObject
    """What the operators use."""
    shown: str
    """Name of the file for messages."""

    def write(self, body: Body, allocate: Callable[[], int]) -> int:
        """Write the page as a form XObject with all it uses; return its number.

        Raises:
            InvalidTemplate: the drawing holds something a sealed document may not hold.
        """
        number = allocate()
        copier = _Copier(body, allocate, self.shown)
        used = copier.text(self.resources)
        matrix = f"/Matrix[1 0 0 1 {nums(-self.box[0], -self.box[1])}]" if self.box[0] or self.box[1] else ""
        dictionary = f"/Type/XObject/Subtype/Form/BBox[{nums(*self.box)}]{matrix}/Resources{used}"
        body.add(number, stream(dictionary, self.operators))
        return number


def read_background(folder: Path, layout: Layout, size: tuple[float, float]) -> Background:
    """Return the page in the file that `layout` names, its fields turned into blocks.

    Args:
        folder: of the licence type.
        layout: with `background`, `defaults` and `places`.
        size: width and height of the type's paper, mm.

    Raises:
        InvalidTemplate: the file cannot be read, is not one page of that size, has no field `seal`, or `places`
            names a field that is not there.
    """
    assert layout.background is not None
    shown = f"{folder.name}/{layout.background}"
    try:
        reader = PdfReader(folder / layout.background)
        if reader.is_encrypted or len(reader.pages) != 1:
            raise _wrong(shown, "it must be one page without a password", "须为一页且不设密码")
        page = reader.pages[0]
        box = tuple(float(value) for value in page.mediabox)
        fields = list(_fields(page, (box[0], box[1])))
        operators, resources = _drawing(page, reader, [rect for _, rect in fields], (box[0], box[1]))
    except (PyPdfError, OSError, KeyError, ValueError) as error:
        raise _wrong(shown, f"it cannot be read ({error})", "无法读取") from error
    width, height = (box[2] - box[0]) / POINTS_PER_MM, (box[3] - box[1]) / POINTS_PER_MM
    if abs(width - size[0]) > _SIZE_SLACK or abs(height - size[1]) > _SIZE_SLACK or page.rotation:
        raise _wrong(
            shown,
            f"its page is {width:.0f} x {height:.0f} mm, the type's paper {size[0]:g} x {size[1]:g} mm, not turned",
            f"页面为{width:.0f}×{height:.0f}毫米，应为{size[0]:g}×{size[1]:g}毫米且不得旋转",
        )
    drawn = layout.model_copy(update={"pages": (_page(layout, fields, shown),)})
    return Background(drawn, (box[0], box[1], box[2], box[3]), operators, resources, shown)


def _wrong(shown: str, en: str, zh: str) -> InvalidTemplate:
    return InvalidTemplate(f"{shown}: {en}", f"{shown}：{zh}", field=shown)


def _fields(page: Any, corner: tuple[float, float]) -> Iterator[tuple[str, Rect]]:
    """Yield each form field's full name and its box in mm from the page's lower left."""
    for reference in page.get("/Annots", ArrayObject()).get_object():
        widget = reference.get_object()
        if widget.get("/Subtype") != "/Widget":
            continue
        names: list[str] = []
        node: Any = widget
        while node is not None:
            if "/T" in node:
                names.insert(0, str(node["/T"]))
            node = node["/Parent"].get_object() if "/Parent" in node else None
        left, lower, right, upper = (float(value) for value in widget["/Rect"])
        x, y = (min(left, right) - corner[0]) / POINTS_PER_MM, (min(lower, upper) - corner[1]) / POINTS_PER_MM
        rect = (x, y, abs(right - left) / POINTS_PER_MM, abs(upper - lower) / POINTS_PER_MM)
        yield ".".join(names), (round(rect[0], 2), round(rect[1], 2), round(rect[2], 2), round(rect[3], 2))


def _page(layout: Layout, fields: list[tuple[str, Rect]], shown: str) -> Page:
    """Return the page of blocks, from the top left to the lower right."""
    names = {name for name, _ in fields}
    if unknown := sorted(layout.places.keys() - names):
        raise _wrong(shown, f"it has no form field {unknown[0]}", f"没有名为 {unknown[0]} 的表单域")
    if sum(name == "seal" for name, _ in fields) != 1:
        raise _wrong(shown, "it needs one form field named seal", "须有且仅有一个名为 seal 的表单域")
    ordered = sorted(fields, key=lambda entry: (-round(entry[1][1] + entry[1][3]), entry[1][0]))
    try:
        blocks = tuple(
            _block(layout.defaults, layout.places.get(name, Place()), name, rect) for name, rect in ordered
        )
    except ValueError as error:
        raise _wrong(
            shown, f"a form field's name or place is wrong ({error})", "有表单域的名称或设置有误"
        ) from error
    return Page(id="page", blocks=blocks)


def _block(defaults: Defaults, place: Place, name: str, rect: Rect) -> Block:
    if name == "seal":
        return SealBlock(seal=True, centre=(rect[0] + rect[2] / 2, rect[1] + rect[3] / 2))
    if name == "qr":
        return QrBlock(qr=place.template or "{verify_url}", rect=rect)
    style = defaults.model_dump(exclude_none=True) | place.model_dump(exclude_none=True, exclude={"template"})
    if "min_size" in style:
        style["min_size"] = min(style["min_size"], style["size"])
    return TextBlock(text=place.template or f"{{{name}}}", rect=rect, **style)


def _drawing(
    page: Any, reader: PdfReader, fields: Sequence[Rect], corner: tuple[float, float]
) -> tuple[bytes, DictionaryObject]:
    """Return the operators that draw the page and the resources they use.

    Marks of its old structure go, and so does the plain ground that office programs paint under each field.
    """
    contents = page.get_contents()
    if contents is None:
        return b"", DictionaryObject()
    content = ContentStream(contents, reader)
    operations = list(_without_grounds(content.operations, fields, corner))
    writing = _writing_fonts(operations)
    # A font that is chosen and never written with needs no embedding; some programs choose one on every page.
    content.operations = [
        (operands, operator) for operands, operator in operations
        if operator.decode("latin-1") not in _MARKING and (operator != b"Tf" or str(operands[0]) in writing)
    ]  # fmt: skip
    wanted: dict[str, set[str]] = {}
    for operands, operator in content.operations:
        kind = _RESOURCES.get(operator.decode("latin-1"))
        if kind is not None:
            names = {str(operand) for operand in operands if isinstance(operand, NameObject)}
            wanted.setdefault(kind, set()).update(names)
    resources = DictionaryObject()
    available = page.get("/Resources", DictionaryObject()).get_object()
    for kind in sorted(wanted):
        entries = available.get(kind, DictionaryObject()).get_object()
        found = (name for name in sorted(wanted[kind]) if name in entries)
        used = DictionaryObject({NameObject(name): entries.raw_get(name) for name in found})
        if used:
            resources[NameObject(kind)] = used
    _require_embedded(resources.get("/Font", {}))
    return content.get_data(), resources


def _writing_fonts(operations: Sequence[tuple[Any, bytes]]) -> set[str]:
    """Return the names of the fonts that text is shown in."""
    found: set[str] = set()
    chosen: list[str] = [""]
    for operands, operator in operations:
        if operator == b"q":
            chosen.append(chosen[-1])
        elif operator == b"Q" and len(chosen) > 1:
            chosen.pop()
        elif operator == b"Tf":
            chosen[-1] = str(operands[0])
        elif operator in _SHOWING:
            found.add(chosen[-1])
    return found


def _require_embedded(fonts: Any) -> None:
    """Raise ValueError for a font the file does not bring along. Source: ISO 19005-3, 6.2.11.4 (not read)."""
    for reference in fonts.values():
        font = reference.get_object()
        inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
        embedded = {"/FontFile", "/FontFile2", "/FontFile3"} & set(inner.get("/FontDescriptor", {}))
        if not embedded and font.get("/Subtype") != "/Type3":
            raise ValueError(
                f"the font {str(font.get('/BaseFont'))[1:]} is not embedded; embed it when exporting"
            )


def _without_grounds(
    operations: Sequence[tuple[Any, bytes]], fields: Sequence[Rect], corner: tuple[float, float]
) -> Iterator[tuple[Any, bytes]]:
    """Yield the operations but for filled rectangles that coincide with a form field."""
    grounds = [
        (
            corner[0] + x * POINTS_PER_MM,
            corner[1] + y * POINTS_PER_MM,
            width * POINTS_PER_MM,
            height * POINTS_PER_MM,
        )
        for x, y, width, height in fields
    ]
    skip = False
    for index, (operands, operator) in enumerate(operations):
        if skip:
            skip = False
            continue
        follows = operations[index + 1][1] if index + 1 < len(operations) else b""
        if operator == b"re" and follows in _FILLS:
            drawn = [float(value) for value in operands]
            skip = any(
                all(abs(a - b) <= _GROUND_SLACK for a, b in zip(drawn, ground, strict=True))
                for ground in grounds
            )
        if not skip:
            yield operands, operator


@dataclass(slots=True)
class _Copier:
    """Copies objects of another file, each once, numbered in the order in which they are met."""

    body: Body
    allocate: Callable[[], int]
    shown: str
    numbers: dict[tuple[int, int], int] = field(default_factory=dict)

    def text(self, value: Any) -> str:
        """Return `value` as it stands inside another object; streams and indirect objects are written first."""
        if isinstance(value, IndirectObject):
            key = (value.idnum, value.generation)
            if key not in self.numbers:
                self.numbers[key] = self.allocate()
                self.body.add(self.numbers[key], self._whole(value.get_object()))
            return ref(self.numbers[key])
        if isinstance(value, StreamObject):
            raise _wrong(self.shown, "a stream stands inside another object", "有流对象嵌在其他对象之内")
        if isinstance(value, DictionaryObject):
            return f"<<{self._entries(value)}>>"
        if isinstance(value, ArrayObject):
            return f"[{' '.join(self.text(item) for item in value)}]"
        return _scalar(value)

    def _whole(self, value: Any) -> bytes:
        """Return the body of an indirect object."""
        if not isinstance(value, StreamObject):
            return self.text(value).encode("ascii")
        filters = value.get("/Filter", ArrayObject())
        if _BAD_FILTERS & {
            str(name) for name in (filters if isinstance(filters, ArrayObject) else [filters])
        }:
            raise _wrong(
                self.shown, "a picture uses LZW or encryption; save it again", "有图像采用LZW压缩，请另存"
            )
        data: bytes = value._data  # noqa: SLF001 - pypdf offers the stored bytes of a stream under no other name
        return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (
            self._entries(value).encode("ascii"),
            len(data),
            data,
        )

    def _entries(self, value: DictionaryObject) -> str:
        dropped = _DROPPED | {"/Length"} if isinstance(value, StreamObject) else _DROPPED
        kept = (key for key in value if key not in dropped)
        return "".join(f"{_name(key)} {self.text(value.raw_get(key))}" for key in kept)


def _scalar(value: Any) -> str:
    """Return a name, string, number, boolean or null; strings as hexadecimal."""
    if isinstance(value, NameObject):
        return _name(str(value))
    if isinstance(value, TextStringObject):
        return f"<{value.original_bytes.hex()}>"
    if isinstance(value, ByteStringObject):
        return f"<{bytes(value).hex()}>"
    if isinstance(value, BooleanObject):
        return "true" if value.value else "false"
    if isinstance(value, NullObject):
        return "null"
    return str(int(value)) if float(value).is_integer() else num(float(value))


def _name(name: str) -> str:
    """Return a name with what is no plain character written as #xx."""
    safe = "".join(
        chr(byte) if 33 <= byte <= 126 and chr(byte) not in "#()<>[]{}/%" else f"#{byte:02X}"
        for byte in name[1:].encode("utf-8")
    )
    return f"/{safe}"
