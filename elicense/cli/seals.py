"""`elicense seal preview`: look at a seal before it is made. `elicense seal next`: seal a joint document in turn."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import click

from elicense.catalogue import templates_folder
from elicense.cli.common import (
    Language,
    folder_option,
    json_option,
    language_option,
    now,
    pick,
    print_json,
    tell_demo,
)
from elicense.cli.office import open_office, summary
from elicense.errors import ConfigurationError
from elicense.issuing import seal_next
from elicense.model import AuthorityLevel
from elicense.rendering.fonts import FontLibrary
from elicense.seal.model import SealArt, SealCentre, SealPicture, SealShape
from elicense.seal.preview import preview
from elicense.seal.sizes import size_for


@click.group("seal")
def seal_group() -> None:
    """Work with seals (印章)."""


@seal_group.command("preview")
@click.argument("out_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--text", default="示例省样例市示例局", show_default=True, help="Organ's name. 机关名称。")
@click.option("--lower", default="", help="Line below the centre, e.g. 电子证照专用章. 下横排文字。")
@click.option("--code", default="", help="13 or 14 digits on the ring. 印章编码。")
@click.option("--shape", type=click.Choice([shape.value for shape in SealShape]), default="round",
              show_default=True, help="Outline. 形状。")  # fmt: skip
@click.option("--centre", type=click.Choice([centre.value for centre in SealCentre]),
              help="Middle of a round seal; default: by level. 中心图案。")  # fmt: skip
@click.option("--level", type=click.Choice([level.value for level in AuthorityLevel]), default="city",
              show_default=True, help="Level of the authority; gives the size. 机关级别。")  # fmt: skip
@click.option("--width", type=click.FloatRange(5, 120), help="True width in mm; default: by level. 宽。")
@click.option("--height", type=click.FloatRange(5, 120), help="True height in mm; default: the width. 高。")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False),
              help="A PNG with transparency instead of words, at least 300 dpi. 印章图片。")  # fmt: skip
@click.option("--specimen", is_flag=True, help="Write 样本 across it. 加盖“样本”字样。")
@language_option
def preview_command(
    *,
    out_file: Path,
    text: str,
    lower: str,
    code: str,
    shape: str,
    centre: str | None,
    level: str,
    width: float | None,
    height: float | None,
    picture: Path | None,
    specimen: bool,
    lang: Language,
) -> None:
    """Draw a seal at its true size into FILE (.svg or .pdf) (按实际尺寸绘制印章预览)."""
    suffix = out_file.suffix.lower().lstrip(".")
    if suffix not in {"svg", "pdf"}:
        raise ConfigurationError(
            "the file's name must end in .svg or .pdf: choose another one",
            "文件名应以 .svg 或 .pdf 结尾：请换一个名称",
            field="FILE",
        )
    size = size_for(AuthorityLevel(level))
    wide = width or size.diameter
    tall = height or wide
    art: SealArt | SealPicture
    if picture is not None:
        art = SealPicture(picture.read_bytes(), wide, tall)
    else:
        middle = SealCentre(centre) if centre else size.centre
        art = SealArt(SealShape(shape), wide, tall, text, middle, lower, code, specimen)
    fonts = FontLibrary.load(templates_folder() / "fonts")
    out_file.write_bytes(preview(art, fonts, format=cast("Literal['svg', 'pdf']", suffix)))
    click.echo(
        pick(lang, f"{out_file}: {wide:g} × {tall:g} mm", f"{out_file}：{wide:g} × {tall:g} 毫米"),
    )


@seal_group.command("next")
@click.argument("identifier")
@click.option("--authority", "authority_code", metavar="CODE",
              help="Credit code of the authority that means to seal; default: any. 盖章机构。")  # fmt: skip
@click.option("--out", "out_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Where a copy of the document goes. 输出文件。")  # fmt: skip
@folder_option
@language_option
@json_option
def next_command(
    identifier: str,
    authority_code: str | None,
    out_file: Path | None,
    folder: Path | None,
    *,
    lang: Language,
    as_json: bool,
) -> None:
    """Put the next authority's seal under a joint document (为联合行文加盖下一枚印章)."""
    _, office = open_office(folder)
    record = seal_next(identifier, office, at=now(), authority_code=authority_code)
    document = record.document or record.interim[-1]
    if out_file is not None:
        out_file.write_bytes(office.store.get(document.sha256))
    authorities = record.licence.authorities
    seals = len(authorities) if record.document else len(record.interim)
    if as_json:
        print_json({**summary(record), "seals": seals, "authorities": [one.code for one in authorities]})
        return
    tell_demo(lang)
    number, by = record.licence.number, authorities[seals - 1].name
    click.echo(
        pick(lang, f"{number} sealed by {by}, {seals} of {len(authorities)} seals",
             f"{number} 已加盖{by}印章，共 {len(authorities)} 枚，已盖 {seals} 枚")
    )  # fmt: skip
    if record.document is None:
        waits = authorities[seals].name
        click.echo(pick(lang, f"waits for the seal of {waits}", f"待{waits}盖章"))
