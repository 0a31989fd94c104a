"""`elicense types`, `issue`, `status`, `resume`, and the changes of a licence's state."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elicense import demo, messages
from elicense.catalogue import Catalogue, templates_folder
from elicense.catalogue.values import check_text
from elicense.cli.common import (
    Language,
    err,
    file_trouble,
    folder_option,
    json_option,
    language_option,
    now,
    pick,
    print_json,
    printable,
    tell_demo,
)
from elicense.demo_folder import find_demo
from elicense.errors import ConfigurationError, InvalidLicenceData, SealAwaited
from elicense.issuing import issue, resume
from elicense.model import Holder, IssueRequest, LicenceState
from elicense.registry.files import FileStore
from elicense.registry.rules import STATES_ZH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elicense.catalogue import LicenceType
    from elicense.issuing import IssuingOffice
    from elicense.registry.protocol import LicenceRecord

_DATES = ("issued_on", "valid_from", "valid_until")
_TEXTS = ("authority_code", "case_number", "idempotency_key")
_JOINT = "joint_authority_codes"


@click.command("types")
@language_option
@json_option
def types_command(*, lang: Language, as_json: bool) -> None:
    """List the licence types (列出证照类型)."""
    types = Catalogue.load(templates_folder()).types
    if as_json:
        for one in types:
            print_json(
                {
                    "type": one.slug,
                    "name": {"zh": one.name_zh, "en": one.name_en},
                    "type_code": one.type_code,
                    "category": one.category.value,
                    "seal_use": one.seal_use,
                    "fields": [spec.name for spec in one.fields],
                }
            )
        return
    width = max(len(one.slug) for one in types)
    for one in types:
        click.echo(f"{one.slug:<{width}}  {pick(lang, one.name_en, one.name_zh)} ({one.seal_use})")


@click.command("issue")
@click.argument("slug", metavar="TYPE")
@click.option("--data", "data_file", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE",
              help="Request as JSON, - for standard input; default: the type's sample. 申请数据。")  # fmt: skip
@click.option("--out", "out_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Where the PDF goes; default: TYPE-SERIAL.pdf here. 输出文件。")  # fmt: skip
@click.option("--sample", is_flag=True, help="Print the type's sample request and stop. 打印示例申请。")
@folder_option
@language_option
@json_option
def issue_command(
    slug: str,
    data_file: Path | None,
    out_file: Path | None,
    folder: Path | None,
    *,
    sample: bool,
    lang: Language,
    as_json: bool,
) -> None:
    """Issue one licence of TYPE in the demonstration (在演示环境中签发一份证照)."""
    if sample:
        click.echo(_sample(Catalogue.load(templates_folder())[slug]))
        return
    _, office = open_office(folder)
    licence_type = office.catalogue[slug]
    request = licence_type.sample_request() if data_file is None else _request(slug, _read_data(data_file))
    if not request.authority_code:
        request = replace(request, authority_code=licence_type.sample_authority().code)
    require_writable(out_file or Path(f"{slug}.pdf"))
    with err().status(pick(lang, "issuing …", "正在签发…")):
        issued = issue(request, office, at=now())
    file = out_file or Path(f"{slug}-{issued.record.licence.identifier.serial}.pdf")
    try:
        file.write_bytes(issued.pdf)
    except OSError as error:
        raise _issued_but_not_written(issued.record, file, error) from error
    if as_json:
        print_json({**summary(issued.record), "file": str(file)})
        return
    tell_demo(lang)
    licence = issued.record.licence
    click.echo(
        pick(
            lang,
            f"{licence_type.name_en} {licence.number} issued: {file}",
            f"{licence_type.name_zh} {licence.number} 已签发：{file}",
        )
    )
    click.echo(f"  {licence.identifier}")
    click.echo(pick(lang, f"next: elicense verify {file}", f"下一步：elicense verify {file}"))


@click.command("status")
@click.argument("identifier")
@folder_option
@language_option
@json_option
def status_command(identifier: str, folder: Path | None, *, lang: Language, as_json: bool) -> None:
    """Show the state and history of a licence (查看证照状态)."""
    _, office = open_office(folder)
    at = now()
    record, status = office.registry.get(identifier), office.registry.status(identifier, at=at)
    history = office.registry.history(identifier)
    if as_json:
        changes = [
            {"state": change.state.value, "at": change.at.isoformat(), "reason": change.reason}
            for change in history
        ]
        print_json({**summary(record), "in_force": status.state.value, "history": changes})
        return
    tell_demo(lang)
    click.echo(f"{record.licence.type_name} {record.licence.number}")
    in_force = messages.in_force(status.state, lang)
    click.echo(pick(lang, f"in force? {in_force}", f"是否有效：{in_force}"))
    for change in history:
        state = pick(lang, change.state, STATES_ZH[change.state])
        reason = printable(change.reason or "")
        click.echo(f"  {change.at:%Y-%m-%d %H:%M:%S} UTC  {state}  {reason}".rstrip())


def _change_command(verb: str, state: LicenceState, en: str, zh: str) -> click.Command:
    """Return the command that brings a licence into `state`, with a reason on record."""

    @click.command(verb, help=f"{en} ({zh}).")
    @click.argument("identifier")
    @click.option("--reason", required=True, help="Goes on record and is shown to whoever asks. 理由。")
    @folder_option
    @language_option
    @json_option
    def change(identifier: str, reason: str, folder: Path | None, *, lang: Language, as_json: bool) -> None:
        # The public reads it on the verify page.
        check_text(reason, "reason", most=200)
        _, office = open_office(folder)
        if state is LicenceState.VOID:
            record = office.registry.void(identifier, reason=reason, at=now())
        else:
            record = office.registry.change_state(identifier, state, reason=reason, at=now())
        if as_json:
            print_json(summary(record))
        else:
            tell_demo(lang)
            state_now = pick(lang, record.state, STATES_ZH[record.state])
            click.echo(f"{record.licence.type_name} {record.licence.number}: {state_now}")

    return change


suspend_command = _change_command("suspend", LicenceState.SUSPENDED, "Suspend a licence", "暂停证照效力")
reinstate_command = _change_command("reinstate", LicenceState.ISSUED, "End a suspension", "恢复证照效力")
revoke_command = _change_command("revoke", LicenceState.REVOKED, "Revoke a licence for good", "撤销证照")
void_command = _change_command("void", LicenceState.VOID, "Void a reserved number", "作废未完成的编号")


@click.command("resume")
@folder_option
@language_option
@json_option
@click.pass_context
def resume_command(context: click.Context, folder: Path | None, *, lang: Language, as_json: bool) -> None:
    """Finish every reserved licence, as after a crash (续办所有未完成的证照).

    Exit status 1 if one of them could not be finished; a joint document that waits for another office is none of these.
    """
    _, office = open_office(folder)
    at = now()
    results = resume(office, at=at)
    if isinstance(office.store, FileStore):
        office.store.sweep(before=at - timedelta(hours=1))
    for result in results:
        error = result.error.text(lang) if result.error else None
        if as_json:
            print_json({**summary(result.record), "error": error})
        else:
            state = pick(lang, result.record.state, STATES_ZH[result.record.state])
            click.echo(f"{result.record.licence.number}: {error or state}")
    if not as_json:
        tell_demo(lang)
        done = sum(result.issued is not None for result in results)
        click.echo(
            pick(lang, f"{done} of {len(results)} finished", f"未完成 {len(results)} 份，已办结 {done} 份")
        )
    failed = [one for one in results if one.error is not None and not isinstance(one.error, SealAwaited)]
    context.exit(int(bool(failed)))


# --- The office ---


def open_office(folder: Path | None) -> tuple[Path, IssuingOffice]:
    """Return the demonstration's folder and its office.

    Raises:
        ConfigurationError: none is named or found, or it is damaged.
    """
    found = demo_folder(folder)
    return found, demo.load(found)


def demo_folder(folder: Path | None) -> Path:
    """Return the demonstration's folder. Raises ConfigurationError if none is named or found."""
    found = folder or find_demo(Path.cwd())
    if found is None:
        raise ConfigurationError(
            "this release issues and keeps licences only in a demonstration's folder, and there is none here: "
            "make one with `elicense demo`, or name it with --folder",
            "本版本只能在演示目录中签发和管理证照，而此处没有演示目录：请先运行 elicense demo，或用 --folder 指定",
        )
    return found


# --- The file ---


def require_writable(file: Path, option: str = "--out") -> None:
    """Return if `file` can probably be written: known before a number is spent. Raises ConfigurationError."""
    folder = file.absolute().parent
    if not folder.is_dir() or not os.access(file if file.exists() else folder, os.W_OK):
        raise ConfigurationError(
            f"{file} cannot be written: make its folder, or choose another place with {option}",
            f"无法写入 {file}：请先建好目录，或用 {option} 换一个位置",
            field=option,
        )


def _issued_but_not_written(record: LicenceRecord, file: Path, error: OSError) -> ConfigurationError:
    """Return the error for a licence that is on record while its copy could not be written."""
    number, digest = record.licence.number, record.document.sha256 if record.document else ""
    return ConfigurationError(
        f"licence {number} is issued and kept in the demonstration's documents folder as {digest}.pdf, but "
        f"{file} could not be written ({file_trouble(error, 'en')}): copy it from there, do not issue again",
        f"证照 {number} 已签发，保存在演示目录的 documents 中（{digest}.pdf），但未能写入 {file}"
        f"（{file_trouble(error, 'zh')}）：请从该处复制，不要重复签发",
        field="--out",
    )


# --- A request as JSON ---


def _sample(licence_type: LicenceType) -> str:
    """Return the sample request in the form --data takes."""
    request = licence_type.sample_request()
    joint = list(request.joint_authority_codes)
    content: dict[str, object] = {
        "authority_code": request.authority_code,
        **({_JOINT: joint} if joint else {}),
        "holders": [asdict(holder) for holder in request.holders],
        "fields": dict(request.fields),
    }
    for name in (*_DATES, "case_number"):
        value = getattr(request, name)
        if value is not None:
            content[name] = str(value)
    return json.dumps(content, ensure_ascii=False, indent=2)


def _read_data(file: Path) -> object:
    """Return the JSON in a file, or on standard input for "-".

    Raises InvalidLicenceData if it is none, names a member twice, or is nested without end.
    """
    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        return json.loads(data, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        line, column = (error.lineno, error.colno) if isinstance(error, json.JSONDecodeError) else (0, 0)
        en = f", line {line} column {column}" if line else ""
        zh = f"（第{line}行第{column}列）" if line else ""
        raise InvalidLicenceData(
            f"the request is not strict JSON{en}: print a sample with `elicense issue TYPE --sample`",
            f"申请数据不是严格的 JSON{zh}：可用 elicense issue TYPE --sample 打印示例",
            field="--data",
        ) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object. Raises InvalidLicenceData if a member stands twice: which one counts is a guess."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidLicenceData(
            "this part of the request stands there twice: delete one",
            "申请数据中此项重复：请删除其一",
            field=twice,
        )
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _request(slug: str, content: object) -> IssueRequest:
    """Return the request written as JSON; values of fields stay unchecked. Raises InvalidLicenceData."""
    if not isinstance(content, dict):
        raise _wrong("request")
    if unknown := sorted(set(content) - {"holders", "fields", _JOINT, *_DATES, *_TEXTS}):
        raise _wrong(unknown[0])
    holders, fields = content.get("holders"), content.get("fields")
    if not isinstance(holders, list) or not all(map(_is_holder, holders)):
        raise _wrong("holders")
    if not isinstance(fields, dict):
        raise _wrong("fields")
    values: dict[str, Any] = {name: _text(content, name) for name in _TEXTS}
    values |= {name: _date(content, name) for name in _DATES}
    values["authority_code"] = values["authority_code"] or ""
    values[_JOINT] = _codes(content)
    return IssueRequest(slug, holders=tuple(Holder(**one) for one in holders), fields=fields, **values)


def _is_holder(value: object) -> bool:
    keys = {"name", "code_kind", "code"}
    return (
        isinstance(value, dict) and value.keys() == keys and all(isinstance(v, str) for v in value.values())
    )


def _text(content: Mapping[str, object], name: str) -> str | None:
    value = content.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong(name)
    return value


def _codes(content: Mapping[str, object]) -> tuple[str, ...]:
    value = content.get(_JOINT, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _wrong(_JOINT)
    return tuple(value)


def _date(content: Mapping[str, object], name: str) -> date | None:
    text = _text(content, name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise _wrong(name)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _wrong(name) from error


def _wrong(name: str) -> InvalidLicenceData:
    return InvalidLicenceData(
        "this part of the request is unknown or of the wrong form: compare with `elicense issue TYPE --sample`",
        "申请数据中的这一项未知或格式有误：请对照 elicense issue TYPE --sample 的输出",
        field=name,
    )


def summary(record: LicenceRecord) -> dict[str, object]:
    """Return what a script wants to know of a record."""
    licence = record.licence
    return {
        "type": licence.type,
        "number": licence.number,
        "identifier": str(licence.identifier),
        "state": record.state.value,
        "sha256": record.document.sha256 if record.document else None,
    }
