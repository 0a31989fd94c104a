"""`elicense verify`: two answers for each file, and an exit status a script can rely on.

Exit status: 0 authentic and in force, conditional, or not known · 1 TOTAL_FAILED (a file that is no PDF, empty or
cut among them) · 2 wrong usage, or a file that cannot be opened · 3 INDETERMINATE · 4 authentic, not in force.
With several files the worst, in the order 1, 2, 3, 4, 0.
"""

from __future__ import annotations

import errno
import hashlib
import stat
import sys
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from elicense import messages
from elicense.cli.common import (
    Language,
    Moment,
    complain,
    file_trouble,
    json_option,
    language_option,
    now,
    out,
    pick,
    print_json,
    printable,
    tell_demo,
)
from elicense.cli.reports import Wanted, extract_sealed, write_report
from elicense.demo_folder import find_demo, register_file, trust_file
from elicense.model import InForce
from elicense.pki.trust import TrustStore, load_trust
from elicense.registry.sql import SqlRegistry
from elicense.reporting import REPORTS
from elicense.reporting.plain import what_to_do
from elicense.reporting.words import NO_FORCE
from elicense.verification.pipeline import verify
from elicense.verification.policy import GENERAL
from elicense.verification.report import CheckStatus, Indication, decisive, exit_status, to_json
from elicense.verification.sandbox import Sandbox
from elicense.verification.shown import with_difference

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from elicense.registry.protocol import Registry
    from elicense.verification.report import SignatureSummary, VerificationReport

SIZE_LIMIT = 256 * 1024 * 1024
"""Bytes; a larger file is not looked into."""

_WORST_FIRST = (1, 2, 3, 4, 0)


@dataclass(frozen=True, slots=True)
class _Means:
    """What the files are judged with."""

    trust: TrustStore
    registry: Registry | None
    sandbox: Sandbox
    policy: str
    at: datetime
    demo: Path | None
    """Folder of the demonstration whose trust this is."""


@click.command("verify")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=Path, readable=False)
)
@click.option("--policy", type=click.Choice(["licence", "general"]), default="licence", show_default=True,
              help="licence: our documents, strictly; general: any signed PDF. 查验规则。")  # fmt: skip
@click.option("--trust", "trust_files", multiple=True, metavar="FILE", type=click.Path(path_type=Path),
              help="PEM of trust anchors, or a trust register; repeatable. 信任锚或信任名册。")  # fmt: skip
@click.option("--at", type=Moment(), help="Judge at this moment instead of now (ISO 8601). 查验时点。")
@click.option("--offline", is_flag=True, help="Do not ask the register. 不查询登记库。")
@click.option("--report", "kind", type=click.Choice(REPORTS),
              help="A report instead of the short answer; etsi is XML, pdf is signed. 查验报告。")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT",
              help="Where the report goes; default: standard output. 报告文件。")  # fmt: skip
@click.option("--extract-sealed", "sealed", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.pdf",
              help="Write the file as it was sealed, and say how the text differs now. 取出盖章时的版本。")  # fmt: skip
@click.option("--field", metavar="NAME", help="The signature whose version is taken out; default: the last seal, "
              "under general the first signature. 签名域。")  # fmt: skip
@click.option("--report-key", type=click.Path(path_type=Path), metavar="FILE",
              help="PEM of the key that signs the PDF report, no seal's. 报告签名密钥。")  # fmt: skip
@click.option("--report-certificates", type=click.Path(path_type=Path), metavar="FILE",
              help="PEM of its certificates. 报告签名证书。")  # fmt: skip
@language_option
@json_option
@click.pass_context
def verify_command(
    context: click.Context,
    files: tuple[Path, ...],
    policy: str,
    trust_files: tuple[Path, ...],
    at: datetime | None,
    *,
    kind: str | None,
    output: Path | None,
    sealed: Path | None,
    field: str | None,
    report_key: Path | None,
    report_certificates: Path | None,
    offline: bool,
    lang: Language,
    as_json: bool,
) -> int:
    """Say of each FILE, - for standard input: authentic? in force? (查验文件).

    Exit status: 0 authentic and in force (or not known), 1 not authentic, 2 wrong usage or a file that cannot be
    opened, 3 cannot be decided, 4 authentic but not in force. With several files the worst: 1, 2, 3, 4, 0.
    """
    wanted = Wanted(kind, output, sealed, field, report_key, report_certificates)
    wanted.check(files)
    trust, registry, demo = _choose_trust(trust_files, offline=offline, lang=lang)
    try:
        with Sandbox() as sandbox:
            means = _Means(trust, registry, sandbox, policy, at or now(), demo)
            statuses = [_one(file, means, wanted, lang=lang, as_json=as_json) for file in files]
    finally:
        if registry is not None:
            registry.close()
    context.exit(min(statuses, key=_WORST_FIRST.index))


def _choose_trust(
    files: tuple[Path, ...], *, offline: bool, lang: Language
) -> tuple[TrustStore, SqlRegistry | None, Path | None]:
    """Return the trust asked for, or the demonstration's if the run stands in its folder, with register and folder.

    Raises ConfigurationError if a trust file cannot be read.
    """
    if files:
        return load_trust(*files), None, None
    folder = find_demo(Path.cwd())
    if folder is None:
        complain(
            pick(
                lang,
                "no trust is given, so no signer can be known: name a trust register or anchors with --trust",
                "未提供信任依据，无法确认签章人身份：请用 --trust 指定信任名册或信任锚",
            )
        )
        return TrustStore(()), None, None
    tell_demo(lang)
    register = register_file(folder)
    registry = SqlRegistry(register, read_only=True) if register.exists() and not offline else None
    return load_trust(trust_file(folder)), registry, folder


def _one(file: Path, means: _Means, wanted: Wanted, *, lang: Language, as_json: bool) -> int:
    """Print the answers for one file and return its exit status."""
    try:
        data, sha256 = _read(file)
    except OSError as error:
        text = file_trouble(error, lang)
        complain(f"{file}: {text}")
        if as_json:
            print_json({"file": str(file), "error": text})
        return 2
    report = verify(
        data,
        trust=means.trust,
        at=means.at,
        policy=means.policy,
        registry=means.registry,
        sandbox=means.sandbox,
        size_limit=SIZE_LIMIT,
    )
    report = replace(report, sha256=sha256)
    if wanted.compares and len(data) <= SIZE_LIMIT:
        report = with_difference(data, report, means.sandbox, field=wanted.field)
    if wanted.report is not None:
        write_report(report, wanted, lang=lang, as_json=as_json, demo=means.demo, at=now())
        if wanted.output is not None and not as_json:
            _show(out(), file, report, demo_trust=means.trust.demo, lang=lang)
            line(out(), pick(lang, "report", "报告"), str(wanted.output))
    elif as_json:
        print_json(to_json(report, str(file)))
    else:
        _show(out(), file, report, demo_trust=means.trust.demo, lang=lang)
    if wanted.sealed is not None and len(data) > SIZE_LIMIT:
        complain(f"{file}: {messages.answer('limit.size', lang)}")
    elif wanted.sealed is not None:
        extract_sealed(data, report, wanted, lang=lang, quiet=as_json or wanted.report is not None)
    return exit_status([report])


def _read(file: Path) -> tuple[bytes, str]:
    """Return the file's bytes and their SHA-256; of a file over the limit no more than one byte above it.

    "-" is standard input. Raises OSError if it cannot be read.
    """
    if str(file) != "-" and stat.S_ISCHR(file.stat().st_mode):
        raise OSError(errno.ENODEV, "a device, not a file")
    with nullcontext(sys.stdin.buffer) if str(file) == "-" else file.open("rb") as stream:
        data = stream.read(SIZE_LIMIT + 1)
        digest = hashlib.sha256(data)
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return data, digest.hexdigest()


# --- For people ---

AUTHENTIC = {
    Indication.TOTAL_PASSED: ("yes", "是", "green"),
    Indication.INDETERMINATE: ("cannot be decided", "无法确定", "yellow"),
    Indication.TOTAL_FAILED: ("NO", "否", "red"),
}
IN_FORCE = {
    InForce.IN_FORCE: ("yes", "有效", "green"),
    InForce.CONDITIONAL: ("under conditions", "附条件有效", "yellow"),
    InForce.SUSPENDED: ("NO, suspended", "否，已暂扣", "red"),
    InForce.REVOKED: ("NO, revoked", "否，已撤销", "red"),
    InForce.EXPIRED: ("NO, expired", "否，已过期", "red"),
    InForce.NOT_YET_VALID: ("NO, not yet valid", "否，尚未生效", "red"),
    InForce.SUPERSEDED: ("NO, replaced by a newer one", "否，已被新证照替代", "red"),
    InForce.NOT_KNOWN: ("not known", "未知", "yellow"),
}


def _show(
    console: Console, file: Path, report: VerificationReport, *, demo_trust: bool, lang: Language
) -> None:
    """Print the two answers, who sealed it, and every check that did not pass."""
    console.print(printable(str(file)), style="bold", markup=False)
    en, zh, style = AUTHENTIC[report.indication]
    code = "/".join(str(part) for part in (report.indication, report.sub_indication) if part)
    line(console, pick(lang, "authentic?", "是否真实"), f"{pick(lang, en, zh)} ({code})", style)
    general = report.policy == GENERAL
    en, zh, style = IN_FORCE[report.in_force.state]
    force = f"{pick(lang, en, zh)} ({report.in_force.state}, {report.in_force.as_of:%Y-%m-%d %H:%M} UTC)"
    if report.in_force.reason:
        force += f": {report.in_force.reason}"
    line(console, pick(lang, "in force?", "是否有效"), NO_FORCE(lang) if general else force, style)
    by = pick(lang, "signed by", "签名人") if general else pick(lang, "sealed by", "签章人")
    passed = report.indication is Indication.TOTAL_PASSED
    signers = Counter(_signer(one, lang, demo_trust=demo_trust) for one in report.signatures if passed)
    for signer, times in signers.items():
        line(console, by, signer if times == 1 else f"{signer} × {times}")
    for check in report.checks:
        if check.status in {CheckStatus.FAILED, CheckStatus.INDETERMINATE}:
            said = messages.answer(check.reason, lang, report.policy) if check.reason else check.status.value
            detail = f" [{check.detail}]" if check.detail else ""
            line(
                console,
                f"{check.number:>2} {messages.question(check.code, lang, report.policy)}",
                f"{said}{detail}",
                "red",
            )
    if decisive(report) is not None:
        line(console, pick(lang, "what to do", "怎么办"), what_to_do(report, lang))


def _signer(signature: SignatureSummary, lang: Language, *, demo_trust: bool) -> str:
    """Return who made a signature, and when he says he did."""
    claimed = f", {signature.claimed_time:%Y-%m-%d %H:%M} UTC" if signature.claimed_time is not None else ""
    return signature.signer + claimed + (pick(lang, " (demo trust)", "（演示信任）") if demo_trust else "")


def line(console: Console, label: str, text: str, style: str = "") -> None:
    """Print one indented line, its label dim."""
    console.print(f"  {label} ", style="dim", end="", markup=False)
    console.print(printable(text), style=style, markup=False)
