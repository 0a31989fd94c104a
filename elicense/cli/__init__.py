"""The command `elicense`: each command one function, errors one plain sentence, exit statuses fixed.

`verify` exits as its own page says. Elsewhere: 0 done, 1 refused or failed by rule, 2 wrong usage, configuration
or a file that cannot be opened, 130 interrupted.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import click

from elicense.cli.common import LANGUAGES, Language, complain, file_trouble, language_option, print_json
from elicense.cli.usage import explain, language_asked
from elicense.errors import ConfigurationError, ElicenseError, InvalidSheet, KeyUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "cli", "main", "run"]

COMMANDS = {
    "demo": "demonstrate:demo_command",
    "types": "office:types_command",
    "issue": "office:issue_command",
    "bulk": "bulk:bulk_command",
    "verify": "verify:verify_command",
    "status": "office:status_command",
    "suspend": "office:suspend_command",
    "reinstate": "office:reinstate_command",
    "revoke": "office:revoke_command",
    "void": "office:void_command",
    "resume": "office:resume_command",
    "archive": "archive:archive_command",
    "seal": "seals:seal_group",
    "trust": "trust:trust_group",
    "doctor": "doctor:doctor_command",
}
"""Name of a command -> module below this one and function."""


class _Commands(click.Group):
    """Loads a command when it is called: who verifies does not wait for what renders and signs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command, or None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(f"elicense.cli.{module}"), function)
        return command


def _version() -> str:
    """Return the installed version; a plain checkout has none."""
    try:
        return metadata.version("elicense")
    except metadata.PackageNotFoundError:
        return "0.0.0 (not installed)"


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version())
@language_option
def cli(lang: Language) -> None:
    """Issue, seal and verify official electronic licences (签发、签章、查验电子证照)."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit status; never a traceback for what can be explained."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    context: dict[str, Any] = {"lang": language_asked(given) or LANGUAGES.guess(os.environ), "json": False}
    for stream in (sys.stdout, sys.stderr):
        # A file's name may hold bytes that are no text, a terminal may not know every character.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = cli.main(given, prog_name="elicense", standalone_mode=False, obj=context)
    except click.exceptions.Abort:
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _refuse(context, "usage", explain(error, context["lang"]), status=2)
    except ElicenseError as error:
        status = 2 if isinstance(error, ConfigurationError | KeyUnavailable | InvalidSheet) else 1
        return _refuse(context, error.code, error.text(context["lang"]), field=error.field, status=status)
    except OSError as error:
        where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        return _refuse(context, "file", where + file_trouble(error, context["lang"]), status=2)
    return status if isinstance(status, int) else 0


def _refuse(context: dict[str, Any], code: str, text: str, *, status: int, field: str | None = None) -> int:
    """One sentence stands on standard error, with --json an object on standard output too; return `status`."""
    complain(text, field=field)
    if context["json"]:
        print_json({"error": {"code": code, "field": field, "text": text}})
    return status
