"""The command `elicense`: each command one function, errors one plain sentence, exit statuses fixed.

`verify` exits as its own page says. Elsewhere: 0 done, 1 refused or failed by rule, 2 wrong usage, configuration
or a file that cannot be opened, 130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import click

from elicense.cli.common import LANGUAGES, Language, complain, language_option
from elicense.errors import ConfigurationError, ElicenseError, KeyUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "cli", "main", "run"]

COMMANDS = {
    "demo": "demonstrate:demo_command",
    "types": "office:types_command",
    "issue": "office:issue_command",
    "verify": "verify:verify_command",
    "status": "office:status_command",
    "suspend": "office:suspend_command",
    "reinstate": "office:reinstate_command",
    "revoke": "office:revoke_command",
    "void": "office:void_command",
    "resume": "office:resume_command",
    "seal": "seals:seal_group",
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
    context: dict[str, Language] = {"lang": LANGUAGES.guess(os.environ)}
    try:
        status = cli.main(arguments, prog_name="elicense", standalone_mode=False, obj=context)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except ElicenseError as error:
        complain(error.text(context["lang"]), field=error.field)
        return 2 if isinstance(error, ConfigurationError | KeyUnavailable) else 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        complain(f"{where}{error.strerror or error}")
        return 2
    return status if isinstance(status, int) else 0
