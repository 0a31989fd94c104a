"""`elicense bulk`: one licence for each row of a CSV file, on several cores, resumable at any row."""

from __future__ import annotations

import csv
import os
import signal
import sys
import time
from collections import deque
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from elicense import demo
from elicense.bulk import Job, Progress, Sheet, Summary, run_bulk, template
from elicense.bulk.columns import Columns
from elicense.bulk.run import GROUP
from elicense.bulk.sheet import ENCODINGS
from elicense.catalogue import Catalogue, templates_folder
from elicense.catalogue.values import check_text
from elicense.cli.common import (
    Language,
    complain,
    folder_option,
    json_option,
    language_option,
    now,
    pick,
    print_json,
    tell_demo,
)
from elicense.cli.office import demo_folder, require_writable
from elicense.issuing.outcome import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from elicense.bulk.run import Stop

_RESULTS = {
    Result.ISSUED: ("issued", "已签发"),
    Result.EARLIER: ("issued earlier", "此前已签发"),
    Result.REFUSED: ("refused", "未受理"),
    Result.VOID: ("void", "编号已作废"),
    Result.WAITING: ("to be finished", "待续办"),
    Result.UNTOUCHED: ("not begun", "未开始"),
}
_EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal."""


@click.command("bulk")
@click.argument("slug", metavar="TYPE")
@click.argument("file", metavar="[ROWS.CSV]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--template", "as_template", is_flag=True,
              help="Print a header and an invented row, and stop. 打印样表。")  # fmt: skip
@click.option("--workers", type=click.IntRange(1, 256), default=None, metavar="N",
              help="Processes; default: one for each core. 工作进程数。")  # fmt: skip
@click.option("--name", metavar="NAME",
              help="Name of the run, for rows without a key; default: the file's. 批次名称。")  # fmt: skip
@click.option("--authority", "authority_code", metavar="CODE",
              help="Credit code of the issuing authority; default: the sample's. 颁发机构代码。")  # fmt: skip
@click.option("--encoding", type=click.Choice(["utf-8", "gb18030"]),
              help="Encoding of the file; default: found out. 文件编码。")  # fmt: skip
@click.option("--results", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Where the results go; default: ROWS-results.csv beside the file. 结果文件。")  # fmt: skip
@click.option("--group", type=click.IntRange(1, 10_000), default=GROUP, show_default=True, metavar="N",
              help="Rows that are committed together. 每组行数。")  # fmt: skip
@folder_option
@language_option
@json_option
@click.pass_context
def bulk_command(
    context: click.Context,
    slug: str,
    file: Path | None,
    *,
    workers: int | None,
    name: str | None,
    authority_code: str | None,
    encoding: str | None,
    results: Path | None,
    group: int,
    folder: Path | None,
    as_template: bool,
    lang: Language,
    as_json: bool,
) -> None:
    """Issue one licence of TYPE for each row of a CSV file (批量签发).

    The same command again goes on where the last one stopped. Exit status: 0 every row has its licence, 1 rows were
    refused or the run stopped, 2 nothing was begun, 130 interrupted.
    """
    licence_type = Catalogue.load(templates_folder())[slug]
    if as_template:
        sys.stdout.write("\ufeff")
        csv.writer(sys.stdout).writerows(template(licence_type, chinese=lang == "zh"))
        return
    if file is None:
        raise click.UsageError("ROWS.CSV is missing")
    found = demo_folder(folder)
    sheet = Sheet.open(
        file, encoding=encoding and dict(zip(("utf-8", "gb18030"), ENCODINGS, strict=True))[encoding]
    )
    columns = Columns.read(sheet.header, licence_type)
    results = results or file.with_name(f"{file.stem}-results.csv")
    require_writable(results, "--results")
    job = Job(
        slug,
        authority_code or licence_type.sample_authority().code,
        check_text(name or file.stem, "--name", most=100),
    )
    if not as_json:
        tell_demo(lang)
    show = _Line(lang)
    with _asked_to_stop() as asked:
        summary = run_bulk(
            sheet, columns, job, partial(demo.load, found),
            results=results, clock=now, workers=workers or _cores(), lang=lang, group=group,
            on_progress=show, stop_asked=asked,
        )  # fmt: skip
    show.end()
    _conclude(summary, results, lang, as_json=as_json)
    context.exit(130 if summary.interrupted else int(not summary.complete))


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _conclude(summary: Summary, results: Path, lang: Language, *, as_json: bool) -> None:
    """What became of the run stands on standard output, and why it stopped on standard error."""
    if as_json:
        stop = summary.stopped_by
        print_json(
            {
                "rows": summary.total,
                **{result.value: summary.counts.get(result, 0) for result in Result},
                "stopped_by": stop
                and {"row": stop.row, "code": stop.problem.code, "text": _words(stop, lang)},
                "interrupted": summary.interrupted,
                "results": str(results),
            }
        )
    else:
        counts = (
            f"{summary.counts[result]:,} {pick(lang, *_RESULTS[result])}"
            for result in Result
            if summary.counts.get(result)
        )
        rows = pick(lang, f"{summary.total:,} rows", f"共 {summary.total:,} 行")
        click.echo(pick(lang, ", ", "，").join((rows, *counts)))
        click.echo(pick(lang, f"results: {results}", f"结果：{results}"))
    if summary.stopped_by is not None:
        row = summary.stopped_by.row
        words = _words(summary.stopped_by, lang)
        complain(pick(lang, f"stopped at row {row}: {words}", f"在第 {row} 行停止：{words}"))
    if summary.interrupted or summary.stopped_by is not None:
        complain(pick(lang, "the same command goes on from here", "重新运行同一命令即可继续"))


def _words(stop: Stop, lang: Language) -> str:
    return pick(lang, stop.problem.en, stop.problem.zh)


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Give a function that says whether Ctrl-C or SIGTERM came; a second Ctrl-C ends the run at once."""
    asked = False

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Line:
    """One line of progress: rewritten on a terminal, else a new one now and then."""

    def __init__(self, lang: Language) -> None:
        self._lang = lang
        self._terminal = sys.stderr.isatty()
        self._recent: deque[tuple[float, int]] = deque(maxlen=30)
        self._checking: bool | None = None
        self._shown = -_EVERY
        self._width = 0

    def __call__(self, progress: Progress) -> None:
        """Show where the run stands."""
        moment = time.monotonic()
        if progress.checking is not self._checking:
            self._checking = progress.checking
            self._recent.clear()
        if not self._recent or self._recent[-1][1] != progress.done:
            self._recent.append((moment, progress.done))
        last = progress.done == progress.total
        if self._terminal or last or moment >= self._shown + _EVERY:
            self._shown = moment
            self._print(self._text(progress, moment))

    def end(self) -> None:
        """The line is left as it is."""
        if self._terminal and self._width:
            click.echo(err=True)

    def _print(self, text: str) -> None:
        if not self._terminal:
            click.echo(text, err=True)
            return
        click.echo(f"\r{text:<{self._width}}", err=True, nl=False)
        self._width = len(text)

    def _text(self, progress: Progress, moment: float) -> str:
        lang = self._lang
        what = ("comparing", "比对") if progress.checking else ("issuing", "签发")
        text = f"{pick(lang, *what)} {progress.done:,}/{progress.total:,}"
        began, before = self._recent[0]
        if progress.done > before and moment > began:
            rate = (progress.done - before) / (moment - began)
            left = (progress.total - progress.done) / rate
            text += pick(lang, f", {rate:,.0f}/s", f"，{rate:,.0f} 份/秒")
            text += pick(lang, f", {_span(left)} left", f"，剩余 {_span(left)}")
        if progress.failed:
            text += pick(lang, f", {progress.failed:,} not issued", f"，{progress.failed:,} 份未签发")
        return text


def _span(seconds: float) -> str:
    """Return a length of time as h:mm:ss."""
    minutes, second = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}"
