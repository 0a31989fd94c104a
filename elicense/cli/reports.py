"""What `elicense verify` writes besides its answers: a report of some kind, and the sealed revision."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from elicense.cli.common import Language, complain, out, pick, printable
from elicense.errors import ConfigurationError, MalformedDocument
from elicense.reporting.etsi import etsi_report
from elicense.reporting.lines import shown_lines, text_of
from elicense.reporting.plain import detailed, diagnostic, simple
from elicense.verification.policy import GENERAL
from elicense.verification.shown import sealed_revision

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from elicense.pki.keys import Signer
    from elicense.verification.report import VerificationReport


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for besides the answers."""

    report: str | None
    """Kind of report instead of the usual output."""
    output: Path | None
    """Where it goes; None is standard output."""
    sealed: Path | None
    """Where the sealed revision goes."""
    field: str | None
    """Whose sealed revision: name of a signature's field; None is the last seal's, or the first signature's."""
    key: Path | None
    """Key that signs the PDF; None is a demonstration's."""
    certificates: Path | None
    """Its certificates."""

    def check(self, files: tuple[Path, ...]) -> None:
        """Return if these options make sense together with `files`. Raises ConfigurationError."""
        written = [path.absolute() for path in (self.output, self.sealed) if path is not None]
        distinct = len({*written, *(file.absolute() for file in files)})
        for wrong, en, zh, option in (
            (len(files) > 1 and written, "it takes one file at a time", "一次只能用于一个文件", "--output"),
            (
                self.report == "pdf" and self.output is None,
                "pdf needs --output FILE",
                "pdf 需要 --output 文件",
                "--report",
            ),
            (self.output and not self.report, "it needs --report", "须与 --report 同用", "--output"),
            (
                distinct < len(written) + len(set(files)),
                "what is written must be another file than those that are read",
                "写出的文件不能是被查验的文件",
                "--extract-sealed" if self.output is None else "--output",
            ),
            (
                self.field and not self.compares,
                "it needs --extract-sealed, or the detailed or the pdf report",
                "须与 --extract-sealed 或 detailed、pdf 报告同用",
                "--field",
            ),
            (
                (self.key or self.certificates) and self.report != "pdf",
                "it needs --report pdf",
                "须与 --report pdf 同用",
                "--report-key" if self.key else "--report-certificates",
            ),
            (
                (self.key is None) != (self.certificates is None),
                "a key needs its certificates: name both --report-key and --report-certificates",
                "密钥与证书须同时用 --report-key 和 --report-certificates 指定",
                "--report-key",
            ),
        ):
            if wrong:
                raise ConfigurationError(en, zh, field=option)

    @property
    def compares(self) -> bool:
        """Whether the text shown is compared with what was sealed."""
        return self.sealed is not None or self.report in {"detailed", "pdf"}


def write_report(
    report: VerificationReport,
    wanted: Wanted,
    *,
    lang: Language,
    as_json: bool,
    demo: Path | None,
    at: datetime,
) -> None:
    """The report asked for is on standard output or in its file.

    Args:
        report: the verification's.
        wanted: its kind and place.
        lang: of the words.
        as_json: whether simple and detailed are JSON.
        demo: folder of the demonstration whose trust was used; None if trust was given.
        at: moment of the run, UTC.

    Raises:
        ConfigurationError: a PDF was asked for and there is no key to sign it with.
        OSError: the file cannot be written.
    """
    if wanted.report == "pdf":
        assert wanted.output is not None, "the options were checked"
        wanted.output.write_bytes(_pdf(report, wanted, demo=demo, at=at))
        return
    text = _text(report, wanted.report or "simple", lang=lang, as_json=as_json)
    if wanted.output is not None:
        wanted.output.write_bytes(text.encode("utf-8", "backslashreplace"))
    else:
        click.echo(text if as_json else _safe(text), nl=False)


def _safe(text: str) -> str:
    """Return lines for a terminal, with nothing in them that could move its cursor."""
    return "".join(f"{printable(line)}\n" for line in text.split("\n")[:-1])


def _text(report: VerificationReport, kind: str, *, lang: Language, as_json: bool) -> str:
    if kind == "etsi":
        return etsi_report(report).decode()
    if kind == "diagnostic":
        return json.dumps(diagnostic(report), ensure_ascii=False) + "\n"
    plain = detailed(report, lang) if kind == "detailed" else simple(report, lang)
    return json.dumps(plain, ensure_ascii=False) + "\n" if as_json else text_of(plain)


def _pdf(report: VerificationReport, wanted: Wanted, *, demo: Path | None, at: datetime) -> bytes:
    # Only here: who verifies does not wait for what renders and signs.
    from elicense.catalogue import templates_folder  # noqa: PLC0415
    from elicense.rendering.fonts import FontLibrary  # noqa: PLC0415
    from elicense.reporting.document import pdf_report  # noqa: PLC0415

    fonts = FontLibrary.load(templates_folder() / "fonts")
    signer = _signer(wanted, demo, at)
    return pdf_report(report, fonts=fonts, signer=signer, at=at, demo=wanted.key is None)


def _signer(wanted: Wanted, demo: Path | None, at: datetime) -> Signer:
    """Return whose key signs the report. Raises ConfigurationError if nobody's is at hand."""
    from elicense.pki.keys import load_pem_signer  # noqa: PLC0415
    from elicense.reporting.identity import demo_report_signer  # noqa: PLC0415

    if wanted.key is not None and wanted.certificates is not None:
        return load_pem_signer(wanted.key, wanted.certificates)
    if demo is None:
        raise ConfigurationError(
            "a PDF report needs a key to be signed with: name it with --report-key and --report-certificates",
            "PDF 报告需要签名密钥：请用 --report-key 和 --report-certificates 指定",
            field="--report",
        )
    return demo_report_signer(demo, at=at)


def extract_sealed(
    data: bytes, report: VerificationReport, wanted: Wanted, *, lang: Language, quiet: bool
) -> None:
    """The sealed revision lies in its file, and people are told how the text differs from it.

    A file without a sealed revision is complained about and changes no answer. Raises OSError.
    """
    assert wanted.sealed is not None, "asked for"
    try:
        sealed = sealed_revision(data, report, field=wanted.field)
    except MalformedDocument as error:
        complain(error.text(lang))
        return
    wanted.sealed.write_bytes(sealed)
    if quiet:
        return
    behind = len(data) - len(sealed)
    if not behind:
        said = pick(lang, "nothing stands behind it: this is the whole file", "其后没有内容：即整个文件")
    else:
        said = pick(
            lang,
            f"{behind} bytes stand behind it",
            f"其后另有 {behind} 字节",
        )
    label = pick(lang, "signed version" if report.policy == GENERAL else "sealed version", "签署时的版本")
    out().print(f"  {label} {printable(str(wanted.sealed))} ({said})", markup=False)
    shown = detailed(report, lang)["shown"]
    for line in shown_lines(shown, lang) if shown is not None else ():
        out().print(f"  {printable(line)}", markup=False)
