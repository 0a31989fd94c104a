"""`elicense demo`: a throw-away authority, one licence of each type, each verified, and one altered copy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import Progress

from elicense import demo
from elicense.cli.common import (
    Language,
    err,
    json_option,
    language_option,
    now,
    out,
    pick,
    print_json,
    tell_demo,
)
from elicense.cli.verify import AUTHENTIC, IN_FORCE, line
from elicense.demo_folder import USUAL
from elicense.model import InForce
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from elicense.verification.sandbox import Sandbox

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.issuing import IssuingOffice
    from elicense.verification.report import VerificationReport


@dataclass(frozen=True, slots=True)
class _Row:
    """One file of the demonstration and its verdict."""

    name_en: str
    name_zh: str
    number: str
    file: Path
    report: VerificationReport
    expected: Indication

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one that the demonstration promises."""
        in_force = (
            self.expected is not Indication.TOTAL_PASSED or self.report.in_force.state is InForce.IN_FORCE
        )
        return self.report.indication is self.expected and in_force


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=USUAL)
@language_option
@json_option
@click.pass_context
def demo_command(context: click.Context, folder: Path, *, lang: Language, as_json: bool) -> None:
    """Issue and verify one licence of each type in FOLDER (制作演示).

    Run again, it keeps its authorities and register and issues one more of each. Exit status 1 if a verdict is not
    the expected one.
    """
    at = now()
    with Progress(console=err(), transient=True, disable=not err().is_terminal) as progress:
        task = progress.add_task(pick(lang, "making authorities and seals", "制作机构与印章"), total=None)
        office = demo.build(folder, at=at)
        doing = pick(lang, "issuing and verifying", "签发并查验")
        progress.update(task, description=doing, total=len(office.catalogue.types) * 2)
        samples = demo.issue_samples(office, folder, at=at, on_issued=lambda _: progress.advance(task))
        rows = []
        with Sandbox() as sandbox:
            for sample in samples:
                rows.append(_verified(sample, office, sandbox, at=at))
                progress.advance(task)
            rows.append(_altered(samples[0], office, folder, sandbox, at=at))
    if as_json:
        for row in rows:
            print_json(_to_json(row))
    else:
        _show(rows, folder, lang=lang)
    context.exit(int(not all(row.as_expected for row in rows)))


def _verified(sample: demo.Sample, office: IssuingOffice, sandbox: Sandbox, *, at: datetime) -> _Row:
    """Return the verdict on an issued file, as anyone would get it."""
    report = verify(
        sample.file.read_bytes(), trust=office.trust, at=at, registry=office.registry, sandbox=sandbox
    )
    names = (sample.type.name_en, sample.type.name_zh)
    return _Row(*names, sample.record.licence.number, sample.file, report, Indication.TOTAL_PASSED)


def _altered(
    sample: demo.Sample, office: IssuingOffice, folder: Path, sandbox: Sandbox, *, at: datetime
) -> _Row:
    """Return the verdict on a copy of an issued file with one byte changed, which lies in the folder too."""
    data = bytearray(sample.file.read_bytes())
    # Before the gap of the signature: a byte that it covers.
    position = data.index(b"/ByteRange") // 2
    data[position] ^= 1
    file = folder / "altered.pdf"
    file.write_bytes(data)
    report = verify(bytes(data), trust=office.trust, at=at, registry=office.registry, sandbox=sandbox)
    number = f"{sample.record.licence.number}, @{position}"
    return _Row("one byte changed", "改动一个字节", number, file, report, Indication.TOTAL_FAILED)


def _show(rows: list[_Row], folder: Path, *, lang: Language) -> None:
    """Print the verdicts, where the files lie and what to type next."""
    console = out()
    for row in rows:
        en, zh, style = AUTHENTIC[row.report.indication]
        force_en, force_zh, force_style = IN_FORCE[row.report.in_force.state]
        console.print(str(row.file), style="bold", markup=False)
        console.print(f"  {pick(lang, row.name_en, row.name_zh)} {row.number}", markup=False)
        line(console, pick(lang, "authentic?", "是否真实"), pick(lang, en, zh), style)
        line(console, pick(lang, "in force?", "是否有效"), pick(lang, force_en, force_zh), force_style)
    tell_demo(lang)
    first = rows[0].file
    steps = (
        (pick(lang, "look at one", "打开一份"), str(first)),
        (pick(lang, "verify it", "查验"), f".venv/bin/elicense verify {first}"),
        (pick(lang, "in a browser", "在浏览器中"), "python3 run.py serve"),
    )
    for label, command in steps:
        console.print(f"  {label}: {command}", markup=False)
    if folder != USUAL:
        console.print(f"  --folder {folder}", markup=False)


def _to_json(row: _Row) -> dict[str, object]:
    return {
        "name": {"zh": row.name_zh, "en": row.name_en},
        "number": row.number,
        "file": str(row.file),
        "authentic": row.report.indication.value,
        "sub_indication": row.report.sub_indication.value if row.report.sub_indication else None,
        "in_force": row.report.in_force.state.value,
        "as_expected": row.as_expected,
    }
