"""`elicense trust refresh`: current revocation data for a trust register, from where the register says."""

from __future__ import annotations

from pathlib import Path

import click

from elicense.cli.common import Language, json_option, language_option, now, out, pick, print_json, printable
from elicense.pki.refresh import Outcome, refresh

_WORDS = {
    Outcome.REPLACED: ("replaced", "已更新", "green"),
    Outcome.CURRENT: ("already current", "已是最新", ""),
    Outcome.FAILED: ("FAILED, nothing changed", "失败，未作更改", "red"),
}


@click.group("trust")
def trust_group() -> None:
    """Look after who is trusted (维护信任依据)."""


@trust_group.command("refresh")
@click.argument("register", metavar="REGISTER", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--timeout", "seconds", type=click.FloatRange(0.1, 600), default=30.0, show_default=True,
              help="Seconds allowed for each fetch. 每次获取的时限（秒）。")  # fmt: skip
@language_option
@json_option
@click.pass_context
def refresh_command(
    context: click.Context, register: Path, seconds: float, *, lang: Language, as_json: bool
) -> None:
    """Fetch revocation lists and OCSP answers for the sources that REGISTER names (更新吊销数据).

    Each is checked before it replaces an older one beside the register; verifying itself never fetches.
    Exit status: 0 everything current, 1 at least one source failed, 2 the register cannot be used.
    """
    done = refresh(register, at=now(), timeout_seconds=seconds)
    for one in done:
        if as_json:
            print_json(
                {
                    "issuer": one.issuer,
                    "url": one.url,
                    "file": one.file,
                    "outcome": one.outcome.value,
                    "detail": pick(lang, one.en, one.zh),
                }
            )
            continue
        en, zh, style = _WORDS[one.outcome]
        text = f"{one.url}: {pick(lang, en, zh)} ({pick(lang, one.en, one.zh)})"
        out().print(printable(text), style=style, markup=False)
    if not done and not as_json:
        click.echo(pick(lang, "the register names no sources: nothing to fetch", "名册未列出来源：无需获取"))
    context.exit(1 if any(one.outcome is Outcome.FAILED for one in done) else 0)
