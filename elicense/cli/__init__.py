"""The command `elicense`: each command one function, errors one plain sentence, exit statuses fixed.

`verify` exits as its own page says. Elsewhere: 0 done, 1 refused or failed by rule, 2 wrong usage, configuration
or a file that cannot be opened, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import click

from elicense.cli.common import LANGUAGES, Language, complain, language_option
from elicense.cli.demonstrate import demo_command
from elicense.cli.doctor import doctor_command
from elicense.cli.office import CHANGES, issue_command, resume_command, status_command, types_command
from elicense.cli.seals import seal_group
from elicense.cli.verify import verify_command
from elicense.errors import ConfigurationError, ElicenseError, KeyUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cli", "main"]


def _version() -> str:
    """Return the installed version; a plain checkout has none."""
    try:
        return metadata.version("elicense")
    except metadata.PackageNotFoundError:
        return "0.0.0 (not installed)"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version())
@language_option
def cli(lang: Language) -> None:
    """Issue, seal and verify official electronic licences (签发、签章、查验电子证照)."""


for _command in (
    demo_command,
    types_command,
    issue_command,
    verify_command,
    status_command,
    *CHANGES,
    resume_command,
    seal_group,
    doctor_command,
):
    cli.add_command(_command)


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
