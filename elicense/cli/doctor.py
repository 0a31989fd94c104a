"""`elicense doctor`: what on this machine could keep licences from being issued or believed."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from elicense import demo
from elicense.catalogue import Catalogue, templates_folder
from elicense.cli.common import (
    Language,
    folder_option,
    json_option,
    language_option,
    now,
    out,
    pick,
    print_json,
    tell_demo,
)
from elicense.demo_folder import find_demo, is_demo
from elicense.errors import ElicenseError
from elicense.pki.trust import find_path
from elicense.registry.connections import journal_mode
from elicense.rendering.compiler import compile_template
from elicense.rendering.fonts import FontLibrary
from elicense.signing.pades import required_capacity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from elicense.issuing import IssuingOffice

Grade = Literal["good", "note", "bad"]
_STYLES: dict[Grade, str] = {"good": "green", "note": "yellow", "bad": "red"}
_MARKS: dict[Grade, str] = {"good": "✓", "note": "!", "bad": "✗"}

SOON = timedelta(days=30)
"""A certificate or list that ends within this time is worth a note."""
LEAST_FREE = 512 * 1024 * 1024
"""Free bytes below which the disk is worth a note."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    subject: str
    """Stable name, for scripts."""
    grade: Grade
    """bad means: issuing or verifying does not work as promised."""
    en: str
    """What was found and what to do, in English."""
    zh: str
    """The same in Chinese."""


@click.command("doctor")
@folder_option
@language_option
@json_option
@click.pass_context
def doctor_command(context: click.Context, folder: Path | None, *, lang: Language, as_json: bool) -> None:
    """Check this machine and the demonstration (检查运行环境).

    Exit status 1 if something is bad; notes do not count.
    """
    at = now()
    findings = list(_machine())
    found = folder or find_demo(Path.cwd())
    if found is None:
        findings.append(
            Finding(
                "demo",
                "note",
                "no demonstration here: run `elicense demo`",
                "此处没有演示目录：可运行 elicense demo",
            )
        )
    else:
        findings += _demonstration(found, at=at)
    for finding in findings:
        text = pick(lang, finding.en, finding.zh)
        if as_json:
            print_json({"subject": finding.subject, "grade": finding.grade, "text": text})
        else:
            out().print(
                f"{_MARKS[finding.grade]} {finding.subject}: {text}",
                style=_STYLES[finding.grade],
                markup=False,
            )
    if found is not None and is_demo(found) and not as_json:
        tell_demo(lang)
    context.exit(int(any(finding.grade == "bad" for finding in findings)))


def _machine() -> Iterator[Finding]:
    """Yield what holds without any data: Python, SQLite, fonts, licence types."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", "good", python, python)
    journal = journal_mode(sqlite3.sqlite_version_info)
    yield Finding(
        "sqlite",
        "good",
        f"{sqlite3.sqlite_version}, journal {journal}" + _WHY_TRUNCATE[journal][0],
        f"{sqlite3.sqlite_version}，日志模式 {journal}" + _WHY_TRUNCATE[journal][1],
    )
    try:
        fonts = FontLibrary.load(templates_folder() / "fonts")
        for index, spec in enumerate(fonts.specs):
            face = fonts.face(index)
            yield Finding("font", "good", f"{spec.name} ({face.postscript_name})", spec.name)
        for stand_in in fonts.stand_ins:
            yield Finding(
                "font",
                "note",
                f"role {stand_in.role}: {stand_in.en}",
                f"字体角色 {stand_in.role}：{stand_in.zh}",
            )
        count = len(Catalogue.load(templates_folder()).types)
        yield Finding("types", "good", f"{count} licence types", f"{count} 种证照类型")
    except ElicenseError as error:
        yield _bad("templates", error)


_WHY_TRUNCATE = {
    "WAL": ("", ""),
    "TRUNCATE": (
        " (the WAL of this release may lose commits when several connections write)",
        "（此版本的 WAL 在多连接写入时可能丢失提交）",
    ),
}


def _demonstration(folder: Path, *, at: datetime) -> Iterator[Finding]:
    """Yield the state of a demonstration: keys, trust, register, store, disk."""
    try:
        office = demo.load(folder)
    except ElicenseError as error:
        yield _bad("demo", error)
        return
    yield Finding(
        "demo", "good", f"{folder}, {len(office.keepers)} seals", f"{folder}，{len(office.keepers)} 枚印章"
    )
    yield from _keepers(office, at=at)
    yield from _lists(office, at=at)
    yield from _register(office)
    free = shutil.disk_usage(folder).free
    grade: Grade = "good" if free >= LEAST_FREE else "note"
    yield Finding("disk", grade, f"{free >> 20} MiB free", f"可用空间 {free >> 20} MiB")
    if office.timestamps is None:
        yield Finding(
            "timestamps", "note", "no timestamp authority: profile B-B", "未配置时间戳服务：签发 B-B 级签名"
        )


def _keepers(office: IssuingOffice, *, at: datetime) -> Iterator[Finding]:
    """Yield whether each seal can be used now. Key files open to others were refused when they were loaded."""
    for keeper in office.keepers:
        name = f"{keeper.seal.number} {keeper.seal.name}"
        path = find_path(keeper.signer.certificate, keeper.signer.chain, office.trust, at)
        end = min(keeper.seal.valid_until, keeper.signer.certificate.not_valid_after_utc)
        grade: Grade = "good" if end - at > SOON else "note"
        if path.status != "valid" or not keeper.seal.valid_from <= at <= keeper.seal.valid_until:
            grade = "bad"
        yield Finding(
            "seal",
            grade,
            f"{name}: certificate path {path.status}, until {end:%Y-%m-%d}",
            f"{name}：证书路径 {path.status}，有效至 {end:%Y-%m-%d}",
        )
    for licence_type in office.catalogue.types:
        authorities = (licence_type.sample_authority(), *licence_type.sample_joint_authorities())
        keepers = [
            keeper
            for authority in authorities
            for keeper in office.keepers
            if keeper.seal.use == licence_type.seal_use and keeper.authority.code == authority.code
        ]
        if len(keepers) < len(authorities):
            yield Finding(
                "type",
                "bad",
                f"{licence_type.slug}: no seal for it yet, run `elicense demo` again",
                f"{licence_type.slug}：尚无相应印章，请重新运行 elicense demo",
            )
            continue
        try:
            capacity = required_capacity(keepers[0].signer, office.timestamps)
            seals = (keeper.seal for keeper in keepers)
            compile_template(licence_type, office.fonts, *seals, capacity=capacity)
        except ElicenseError as error:
            yield _bad("type", error)


def _lists(office: IssuingOffice, *, at: datetime) -> Iterator[Finding]:
    """Yield how long the revocation lists are current."""
    ends = [crl.next_update_utc for crl in office.trust.crls if crl.next_update_utc is not None]
    if not ends:
        yield Finding("revocation", "bad", "no revocation list: add the issuers'", "没有证书吊销列表：请添加")
        return
    end = min(ends)
    grade: Grade = "bad" if end <= at else "note" if end - at < SOON else "good"
    yield Finding(
        "revocation", grade, f"lists current until {end:%Y-%m-%d}", f"吊销列表有效至 {end:%Y-%m-%d}"
    )


def _register(office: IssuingOffice) -> Iterator[Finding]:
    """Yield whether reservations wait to be finished."""
    try:
        waiting = Counter(record.licence.type for record in office.registry.unfinished())
    except ElicenseError as error:
        yield _bad("register", error)
        return
    count = sum(waiting.values())
    if count:
        text = f"{count} reserved licences are not finished: run `elicense resume`"
        yield Finding("register", "note", text, f"{count} 份证照未办结：请运行 elicense resume")
    else:
        yield Finding("register", "good", "nothing unfinished", "没有未办结的证照")


def _bad(subject: str, error: ElicenseError) -> Finding:
    return Finding(subject, "bad", error.en, error.zh)
