"""`elicense archive`: a sealed document, as a file or on record, extended so that its proof lasts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, get_args

import click

from elicense.archiving import ArchivedDocument, Level, archive, archive_licence
from elicense.cli.common import Language, folder_option, json_option, language_option, now, pick, print_json
from elicense.cli.office import open_office
from elicense.demo_folder import find_demo, trust_file
from elicense.errors import ConfigurationError
from elicense.pki.timestamps import HttpTimestampAuthority
from elicense.pki.trust import load_trust
from elicense.verification.sandbox import Sandbox

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.issuing import IssuingOffice
    from elicense.pki.timestamps import TimestampAuthority
    from elicense.pki.trust import TrustStore
    from elicense.verification.sandbox import Reader

_LEVELS: dict[str, Level] = {level.removeprefix("B-"): level for level in get_args(Level)}


class _Means(TypedDict):
    """What `archive` and `archive_licence` both want."""

    level: Level
    trust: TrustStore
    timestamps: TimestampAuthority
    at: datetime
    renew: bool
    sandbox: Reader


@click.command("archive")
@click.argument("file", required=False, metavar="[FILE]", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--licence", "identifier", metavar="IDENTIFIER",
              help="A licence on record instead of FILE; its copy goes on record too. 已登记证照。")  # fmt: skip
@click.option("--level", "short", type=click.Choice(list(_LEVELS)), default="LTA", show_default=True,
              help="T: proof of time; LT: evidence inside; LTA: a timestamp over it. 归档级别。")  # fmt: skip
@click.option("--renew", is_flag=True, help="One more timestamp, whatever there is. 续期归档时间戳。")
@click.option(
    "--tsa", "url", required=True, metavar="URL", help="RFC 3161 timestamp authority. 时间戳服务地址。"
)
@click.option("--trust", "trust_files", multiple=True, metavar="FILE", type=click.Path(path_type=Path),
              help="Trust register, PEM of anchors and lists; repeatable. 信任依据。")  # fmt: skip
@click.option("-o", "--out", "out_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Where the copy of FILE goes; default: FILE-archive.pdf beside it. 输出文件。")  # fmt: skip
@folder_option
@language_option
@json_option
def archive_command(
    *,
    file: Path | None,
    identifier: str | None,
    short: str,
    renew: bool,
    url: str,
    trust_files: tuple[Path, ...],
    out_file: Path | None,
    folder: Path | None,
    lang: Language,
    as_json: bool,
) -> None:
    """Make an archive copy of FILE, or of a licence on record; what is extended stays as it is (长期归档)."""
    if (file is None) == (identifier is None):
        raise ConfigurationError(
            "name either a FILE or a --licence: one of the two is archived",
            "请指定一个文件，或用 --licence 指定一份证照（二选一）",
        )
    if identifier is not None and out_file is not None:
        raise ConfigurationError(
            "the copy of a licence on record goes to the document store: leave --out away",
            "已登记证照的副本存入文件库：请去掉 --out",
            field="--out",
        )
    office = open_office(folder)[1] if identifier else None
    trust = _trust(trust_files, office, folder)
    with Sandbox() as sandbox:
        means: _Means = {
            "level": _LEVELS[short],
            "trust": trust,
            "timestamps": HttpTimestampAuthority(url, trust=trust),
            "at": now(),
            "renew": renew,
            "sandbox": sandbox,
        }
        if office is not None and identifier is not None:
            _archive_record(identifier, office, means, lang=lang, as_json=as_json)
        elif file is not None:
            _archive_file(file, out_file, means, lang=lang, as_json=as_json)


def _trust(files: tuple[Path, ...], office: IssuingOffice | None, folder: Path | None) -> TrustStore:
    """Return the trust named, or the demonstration's. Raises ConfigurationError if there is neither."""
    if files:
        return load_trust(*files)
    if office is not None:
        return office.trust
    found = folder or find_demo(Path.cwd())
    if found is None:
        raise ConfigurationError(
            "no trust is given, so there is no evidence to add: name a trust register with --trust",
            "未提供信任依据，无从取得验证数据：请用 --trust 指定信任名册",
            field="--trust",
        )
    return load_trust(trust_file(found))


def _archive_file(file: Path, out_file: Path | None, means: _Means, *, lang: Language, as_json: bool) -> None:
    """The archive copy of `file` is written, unless there was nothing to add."""
    target = out_file or file.with_name(f"{file.stem}-archive.pdf")
    if target.exists() and target.samefile(file):
        raise ConfigurationError(
            "the copy would replace the file it is made of: choose another name with --out",
            "副本不得覆盖原文件：请用 --out 指定其他名称",
            field="--out",
        )
    archived = archive(file.read_bytes(), **means)
    if archived.added:
        target.write_bytes(archived.pdf)
    if as_json:
        print_json({**_particulars(archived), "file": str(target) if archived.added else None})
    elif archived.added:
        click.echo(f"{target}: {archived.level} ({', '.join(archived.added)})")
    else:
        click.echo(_nothing(file.name, archived.level, lang))
    _remind(archived, lang, as_json=as_json)


def _archive_record(
    identifier: str, office: IssuingOffice, means: _Means, *, lang: Language, as_json: bool
) -> None:
    """The licence's newest copy is stored and on record, unless there was nothing to add."""
    done = archive_licence(identifier, office.registry, office.store, **means)
    archived, number = done.document, done.record.licence.number
    if as_json:
        print_json({"identifier": identifier, **_particulars(archived)})
    elif archived.added:
        text = f"{number}: {archived.level}, {archived.sha256}.pdf"
        click.echo(pick(lang, f"{text} stored and on record", f"{text} 已存入文件库并登记"))
    else:
        click.echo(_nothing(number, archived.level, lang))
    _remind(archived, lang, as_json=as_json)


def _particulars(archived: ArchivedDocument) -> dict[str, object]:
    return {
        "level": archived.level,
        "added": list(archived.added),
        "sha256": archived.sha256,
        "renew_before": f"{archived.renew_before:%Y-%m-%dT%H:%M:%SZ}",
    }


def _remind(archived: ArchivedDocument, lang: Language, *, as_json: bool) -> None:
    if not as_json:
        day = f"{archived.renew_before:%Y-%m-%d}"
        click.echo(pick(lang, f"renew it before {day}", f"请在 {day} 之前续期"))


def _nothing(name: str, level: str, lang: Language) -> str:
    return pick(
        lang,
        f"{name} is {level} already: nothing to add; --renew adds a timestamp",
        f"{name} 已是 {level}：无需补充；如需续期请用 --renew",
    )
