"""The names a layout draws on, checked against its licence type before anything is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elicense.catalogue import FieldKind
from elicense.errors import InvalidTemplate
from elicense.rendering.blocks import (
    FlowBlock,
    FootItem,
    ListItem,
    ParagraphsItem,
    PlotBlock,
    QrBlock,
    RowsItem,
    SignatureItem,
    TableBlock,
    TextBlock,
    TextItem,
    names_in,
)
from elicense.wording import OWN_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elicense.catalogue import LicenceType
    from elicense.rendering.blocks import Block, Flow, Item
    from elicense.rendering.layout import Layout

_LISTS = {FieldKind.PARAGRAPHS, FieldKind.LIST}


def check_names(layout: Layout, licence_type: LicenceType) -> None:
    """Refuse a layout that names what its type does not have, prints what is embedded only, or lacks room for seals.

    Raises:
        InvalidTemplate: unknown name, wrong kind of field, a field with `print: false`, or a type that may be
            joint whose layout has its seal anywhere but in the signature of a flow, or a straddle seal.
    """
    _check_joint(layout, licence_type)
    fields = {spec.name: spec for spec in licence_type.fields}
    for template in _templates(layout):
        for name in names_in(template):
            base = name.split(".")[0]
            if name in OWN_NAMES:
                continue
            if base not in fields:
                raise _wrong(licence_type, f"{{{name}}}", "is no field of this type", "不是本类型的字段")
            if not fields[base].printed:
                raise _wrong(
                    licence_type, f"{{{name}}}", "is embedded only (print: false)", "不得印出（print: false）"
                )
    for name, kinds in _fields(layout):
        if name not in fields or fields[name].kind not in kinds:
            wanted = " or ".join(sorted(kinds))
            raise _wrong(licence_type, name, f"is no field of kind {wanted}", f"不是 {wanted} 类字段")


def _check_joint(layout: Layout, licence_type: LicenceType) -> None:
    found = layout.flow()
    signed = found is not None and any(
        isinstance(item, SignatureItem) and item.seal for item in found[1].items
    )
    if licence_type.most_authorities > 1 and (not signed or layout.straddle):
        raise _wrong(
            licence_type, "seal", "of a joint type stands in the signature of a flow, without a straddle seal",
            "：联合行文的印章只能在正文流的落款处，且不设骑缝章",
        )  # fmt: skip


def _wrong(licence_type: LicenceType, what: str, en: str, zh: str) -> InvalidTemplate:
    shown = f"{licence_type.slug}/layout.yaml"
    return InvalidTemplate(f"{shown}: {what} {en}", f"{shown}：{what}{zh}", field=what)


def _templates(layout: Layout) -> Iterator[str]:
    for page in layout.pages:
        for block in page.blocks:
            yield from _block_templates(block)


def _block_templates(block: Block) -> Iterator[str]:
    if isinstance(block, TextBlock):
        yield block.text
        if block.label is not None:
            yield block.label.text
    elif isinstance(block, QrBlock):
        yield block.qr
    elif isinstance(block, TableBlock):
        yield from (cell.text for row in block.table.rows for cell in row.cells)
    elif isinstance(block, FlowBlock):
        yield from flow_templates(block.flow)


def flow_templates(flow: Flow) -> Iterator[str]:
    """Yield the templates that a flow's items name; the fields they name directly are not among them."""
    for item in flow.items:
        yield from _item_templates(item)


def _item_templates(item: Item) -> Iterator[str]:
    if isinstance(item, TextItem):
        yield item.text
    elif isinstance(item, ParagraphsItem):
        yield item.empty
    elif isinstance(item, SignatureItem):
        yield item.signature.name
        yield item.signature.date
    elif isinstance(item, FootItem):
        for piece in item.foot:
            if isinstance(piece, TextBlock):
                yield from _block_templates(piece)


def _fields(layout: Layout) -> Iterator[tuple[str, set[FieldKind]]]:
    """Yield each field a layout names directly, with the kinds it may have."""
    for page in layout.pages:
        for block in page.blocks:
            if isinstance(block, PlotBlock):
                yield block.plot, {FieldKind.PLOT}
            elif isinstance(block, FlowBlock):
                for item in block.flow.items:
                    if isinstance(item, ParagraphsItem):
                        yield item.paragraphs, _LISTS
                    elif isinstance(item, ListItem):
                        yield item.list_, _LISTS
                    elif isinstance(item, RowsItem):
                        yield item.rows, {FieldKind.TABLE}
