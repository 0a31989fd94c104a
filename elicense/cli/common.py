"""What all commands share: language, moment, output."""

from __future__ import annotations

import errno
import json
import sys
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.console import Console

from elicense.errors import ConfigurationError
from elicense.model import BEIJING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Language = Literal["zh", "en"]

_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}

_FILE_TROUBLES = {
    errno.ENOENT: ("there is no such file or folder: check the path", "没有这个文件或目录：请核对路径"),
    errno.EISDIR: ("this is a folder: name a file", "这是一个目录：请指定文件"),
    errno.ENOTDIR: ("a part of the path is no folder: check the path", "路径中有一段不是目录：请核对路径"),
    errno.ENODEV: ("this is a device: name a file", "这是一个设备：请指定文件"),
    errno.EACCES: ("you have no permission: check who may use it", "没有权限：请检查访问权限"),
    errno.EPERM: ("you have no permission: check who may use it", "没有权限：请检查访问权限"),
    errno.ENOSPC: ("the disk is full: make room and try again", "磁盘空间已满：请清理后重试"),
    errno.EROFS: ("nothing can be written here: choose another place", "此处不可写入：请换一个位置"),
    errno.ENAMETOOLONG: ("the name is too long: choose a shorter one", "名称过长：请缩短"),
}


class LanguageChoice:
    """How the language of the output is found."""

    @staticmethod
    def guess(environ: Mapping[str, str]) -> Language:
        """Return the language of the locale: Chinese for a Chinese one, otherwise English."""
        for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
            if environ.get(name):
                return "zh" if environ[name].lower().startswith("zh") else "en"
        return "en"


LANGUAGES = LanguageChoice()


def _remember(context: click.Context, _: click.Parameter, value: Language | None) -> Language:
    """Keep --lang for the messages of the whole run; without it the group's choice or the locale's counts."""
    if value is not None:
        context.obj["lang"] = value
    chosen: Language = context.obj["lang"]
    return chosen


def _remember_json(context: click.Context, _: click.Parameter, value: bool) -> bool:
    """Keep --json for the errors of the whole run."""
    context.obj["json"] = value
    return value


def language_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --lang and the argument `lang`."""
    return click.option(
        "--lang",
        type=click.Choice(["zh", "en"]),
        callback=_remember,
        is_eager=True,
        help="Language of the output; default: the locale's. 输出语言。",
    )(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --json and the argument `as_json`."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        callback=_remember_json,
        help="One JSON object a line on standard output. 输出 JSON。",
    )(command)


def folder_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --folder, the demonstration it works in."""
    return click.option(
        "--folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="Demonstration to work in; default: var/demo. 演示目录。",
    )(command)


class Moment(click.ParamType[datetime]):
    """A moment in ISO 8601; without an offset it is Beijing time."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ARG002 - click's
        """Return the moment in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
            return (moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ConfigurationError(
                f"{value!r} is no time: write it like 2026-03-08T12:00:00+08:00",
                f"{value!r} 不是时间：请写成 2026-03-08T12:00:00+08:00 的形式",
                field="--at",
            ) from error


def now() -> datetime:
    """Return the time of this run, UTC: the only place where the command line reads the clock."""
    return datetime.now(UTC)


def pick(lang: Language, en: str, zh: str) -> str:
    """Return the text in the language."""
    return zh if lang == "zh" else en


def out() -> Console:
    """Return the console of answers, on standard output."""
    return Console(file=sys.stdout, soft_wrap=True, highlight=False)


def err() -> Console:
    """Return the console of remarks and progress, on standard error."""
    return Console(file=sys.stderr, soft_wrap=True, highlight=False)


def complain(text: str, *, field: str | None = None) -> None:
    """One sentence stands on standard error, with the field it is about unless the sentence names it."""
    where = f"{field}: " if field and field not in text else ""
    click.echo(printable(f"elicense: {where}{text}"), err=True)


def file_trouble(error: OSError, lang: Language) -> str:
    """Return what the operating system says about a file, and what to do."""
    said = error.strerror or str(error)
    return pick(lang, *_FILE_TROUBLES.get(error.errno or 0, (said, f"操作系统报告 {said}")))


def printable(text: str) -> str:
    """Return `text` with every character that could move the cursor or turn the line written as its code."""
    return "".join(
        one.encode("unicode_escape").decode() if unicodedata.category(one) in _UNPRINTABLE else one
        for one in text
    )


def print_json(value: Mapping[str, object]) -> None:
    """One JSON object stands on one line of standard output."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=False)
    # Half a surrogate pair, from a file name that is no UTF-8, becomes its JSON escape.
    click.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def tell_demo(lang: Language) -> None:
    """A remark on standard error says that what follows is worth nothing outside the demonstration."""
    text = pick(
        lang,
        "Demo trust: these authorities are invented; nothing here is a legal seal.",
        "演示信任：以下机构均为虚构，印章不具法律效力。",
    )
    err().print(text, style="yellow", markup=False)
