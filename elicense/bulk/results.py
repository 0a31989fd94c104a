"""results.csv: a line for each row that a run looked at, in the file's order; the register is the truth behind it."""

from __future__ import annotations

import csv
import fcntl
import os
from typing import TYPE_CHECKING, Self

from elicense.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from elicense.bulk.work import RowReport

HEADER = ("row", "key", "result", "number", "identifier", "sha256", "file", "code", "message")
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet would take for the beginning of a formula."""


class ResultsFile:
    """The file in the making; it bears its name when the run ends, however it ends but by a kill."""

    def __init__(self, path: Path, lang: str) -> None:
        """`path` will hold the results; until then they are in `path` + ".part", which no other run writes.

        Raises:
            ConfigurationError: another run is writing these results.
            OSError: it cannot be written.
        """
        self._path, self._part, self._lang = path, path.with_name(f"{path.name}.part"), lang
        # With the mark, so that office programs take it for UTF-8.
        self._file = self._part.open("a", encoding="utf-8-sig", newline="")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise ConfigurationError(
                f"another run is writing {path} now: wait for its end, or choose another file with --results",
                f"另一批签发正在写入 {path}：请等待其结束，或用 --results 指定其他文件",
                field="--results",
            ) from error
        # What a killed run left.
        self._file.truncate(0)
        self._writer = csv.writer(self._file)
        self._writer.writerow(HEADER)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
            # Still locked: the next run makes a new file.
            self._part.replace(self._path)

    def write(self, rows: Iterable[RowReport]) -> None:
        """The rows stand in the file; whoever reads it meanwhile sees them. Raises OSError."""
        self._writer.writerows(self._line(row) for row in rows)
        self._file.flush()

    def _line(self, row: RowReport) -> tuple[str | int, ...]:
        problem, zh = row.problem, self._lang == "zh"
        message = "" if problem is None else problem.zh if zh else problem.en
        if problem is not None and problem.field and problem.field not in message:
            message = f"{problem.field}: {message}"
        return (
            row.row, _text(row.key), row.result.value, _text(row.number), row.identifier, row.sha256, row.file,
            problem.code if problem else "", _text(message),
        )  # fmt: skip


def _text(value: str) -> str:
    """Return `value` so that no spreadsheet runs it. Source: OWASP, CSV injection."""
    return f"'{value}" if value.startswith(_FORMULA) else value
