"""Connections to the register's file: durable, closed to other users, each writer waiting for its turn."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from elicense.errors import ConfigurationError, RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection

BUSY_SECONDS = 10
"""How long a writer waits for another one before it gives up."""
_ASK_AGAIN = 0.001
"""Seconds between two attempts to become the writer."""
READS = "elicense_reads"
"""Execution option of an engine whose transactions only read: they begin DEFERRED, and wait for no writer."""


def journal_mode(version: tuple[int, int, int]) -> str:
    """Return the journal to use with this SQLite: "WAL", or "TRUNCATE" where WAL may lose commits.

    SQLite before 3.51.3 can lose committed transactions or corrupt the file when a WAL is reset while another
    connection writes; the repair went back into 3.50.7 and 3.44.6. A rollback journal never had the fault.
    """
    mended = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)
    return "WAL" if mended else "TRUNCATE"


def open_engine(path: Path, *, read_only: bool) -> Engine:
    """Return an engine whose connections have our durability settings and begin transactions as we say."""
    if not read_only:
        with as_registry_error(path):
            _make(path)
    uri = f"file:{quote(str(path.absolute()))}?mode={'ro' if read_only else 'rw'}"

    def connect() -> sqlite3.Connection:
        # isolation_level None: Python opens no transactions of its own, each BEGIN below is ours.
        return sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=4, max_overflow=28)
    journal = journal_mode(sqlite3.sqlite_version_info)

    @event.listens_for(engine, "connect")
    def set_durability(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        if not read_only:
            cursor.execute(f"PRAGMA journal_mode={journal}")
            if cursor.fetchall() != [(journal.lower(),)]:
                raise ConfigurationError(
                    f"{path} is open elsewhere in another journal mode: stop the program with another SQLite",
                    f"{path} 正被其他程序以另一种日志模式打开：请先停止该程序（其 SQLite 版本不同）",
                )
        # EXTRA also syncs the folder when a rollback journal ends; under WAL it means FULL.
        cursor.execute("PRAGMA synchronous=EXTRA")
        cursor.execute("PRAGMA trusted_schema=OFF")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(READS):
            connection.exec_driver_sql("BEGIN DEFERRED")
        else:
            _begin_writing(cast("sqlite3.Connection", connection.connection.driver_connection))

    return engine


def _make(path: Path) -> None:
    """The file is there; if it was not, only its owner can read it."""
    # Holder data: not for other users of the machine. A file that is there is not opened: closing it would end the
    # locks of every connection that this process has to it. Source: sqlite.org/howtocorrupt.html, 2.2.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _begin_writing(connection: sqlite3.Connection) -> None:
    """The connection is the one writer. Raises sqlite3.OperationalError if it is not its turn for BUSY_SECONDS.

    IMMEDIATE: a writer takes its lock first, so what it reads cannot change before it writes.

    It replaces SQLite's own waiting, which sleeps longer after each attempt, up to 100 ms, while other writers come and
    go: two processes issuing as fast as they can take 5.0 to 7.2 ms a licence instead of 8.2 to 9.5. A queue on a lock
    file (flock) was no faster.
    """
    end = time.monotonic() + BUSY_SECONDS
    connection.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
                time.sleep(_ASK_AGAIN)
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")


@contextmanager
def as_registry_error(path: Path) -> Iterator[None]:
    """Turn what the database or the disk refuses into one plain sentence."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        why = getattr(error, "orig", None) or error
        if isinstance(why, sqlite3.DatabaseError) and why.sqlite_errorname == "SQLITE_NOTADB":
            raise ConfigurationError(
                f"{path} is not a database: point to the register's file",
                f"{path} 不是数据库：请指向登记库文件",
            ) from error
        raise RegistryError(
            f"the register {path} cannot be used ({why}): "
            "check the disk, its space and who else has the file open, then resume",
            f"登记库 {path} 无法使用（{why}）：请检查磁盘、空间及占用该文件的程序，然后续办",
        ) from error
