"""What all commands share: language, moment, output."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.console import Console

from elicense.registry.rules import BEIJING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Language = Literal["zh", "en"]


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
        "--json", "as_json", is_flag=True, help="One JSON object a line on standard output. 输出 JSON。"
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

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time: write it like 2026-03-08T12:00:00+08:00", param, ctx)
        return (moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)).astimezone(UTC)


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
    """One sentence stands on standard error, with the field it is about."""
    where = f"{field}: " if field else ""
    click.echo(f"elicense: {where}{text}", err=True)


def print_json(value: Mapping[str, object]) -> None:
    """One JSON object stands on one line of standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, sort_keys=False))


def tell_demo(lang: Language) -> None:
    """A remark on standard error says that what follows is worth nothing outside the demonstration."""
    text = pick(
        lang,
        "Demo trust: these authorities are invented; nothing here is a legal seal.",
        "演示信任：以下机构均为虚构，印章不具法律效力。",
    )
    err().print(text, style="yellow", markup=False)
