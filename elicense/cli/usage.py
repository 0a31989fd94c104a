"""What is wrong with a command as it was typed, in one sentence of the chosen language."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, get_args

import click

from elicense.cli.common import Language, pick

if TYPE_CHECKING:
    from collections.abc import Sequence


def language_asked(arguments: Sequence[str]) -> Language | None:
    """Return the language that --lang names anywhere, for when the command line is not understood as a whole."""
    for one, after in pairwise((*arguments, "")):
        for language in get_args(Language):
            if one == f"--lang={language}" or (one == "--lang" and after == language):
                chosen: Language = language
                return chosen
    return None


def explain(error: click.ClickException, lang: Language) -> str:
    """Return what is wrong and which help page says more."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context is not None else "elicense"
    en = error.format_message().rstrip(".")
    return pick(lang, f"{en}: see `{path} --help`", f"{_chinese(error)}：用法见 {path} --help")


def _chinese(error: click.ClickException) -> str:
    if isinstance(error, click.exceptions.NoSuchCommand):
        return f"没有命令 {error.command_name}"
    if isinstance(error, click.NoSuchOption):
        return f"没有选项 {error.option_name}"
    if isinstance(error, click.MissingParameter):
        return f"缺少 {_name(error)}"
    if isinstance(error, click.BadParameter):
        return f"{_name(error)} 的值不正确{_allowed(error.param)}"
    if isinstance(error, click.BadOptionUsage):
        return f"选项 {error.option_name} 的用法不正确"
    return "命令写法不正确，或多写了参数"


def _name(error: click.BadParameter) -> str:
    """Return the option or argument as it is typed."""
    if isinstance(error.param, click.Option):
        return error.param.opts[0]
    return (
        error.param.make_metavar(error.ctx) if error.param is not None and error.ctx is not None else "参数"
    )


def _allowed(parameter: click.Parameter | None) -> str:
    """Return which values the parameter takes, if that can be said shortly."""
    kind = parameter.type if parameter is not None else None
    if isinstance(kind, click.Choice):
        return "，可选 " + "、".join(map(str, kind.choices))
    if isinstance(kind, click.FloatRange):
        return f"，应为 {kind.min:g} 至 {kind.max:g} 的数"
    if isinstance(kind, click.Path):
        return "，请指定目录" if kind.dir_okay and not kind.file_okay else "，请指定文件"
    return ""
