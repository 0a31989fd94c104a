"""What the register on SQLite promises beyond the common contract."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest
from registry_samples import INTENT, NOON, make_draft, make_evidence, number

from elicense.errors import ConfigurationError, RegistryError
from elicense.model import LicenceState
from elicense.registry import connections
from elicense.registry.connections import journal_mode
from elicense.registry.sql import SqlRegistry


@pytest.fixture
def path(tmp_path):
    """Where the register's file goes; the name needs care in a URI."""
    return tmp_path / "登记 100%?#.sqlite"


@pytest.fixture
def registry(path):
    """An empty register."""
    register = SqlRegistry(path)
    yield register
    register.close()


def reserve(registry, **changes):
    """Reserve with the usual arguments; return the record."""
    return registry.reserve(make_draft(), **{"number": number, "intent": INTENT, "at": NOON, **changes})


def tamper(path, statement):
    """Run a statement on the file behind the register's back."""
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.execute(statement)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "TRUNCATE"),
        ((3, 44, 5), "TRUNCATE"),
        ((3, 44, 6), "WAL"),
        ((3, 45, 0), "TRUNCATE"),
        ((3, 50, 6), "TRUNCATE"),
        ((3, 50, 7), "WAL"),
        ((3, 51, 0), "TRUNCATE"),
        ((3, 51, 2), "TRUNCATE"),
        ((3, 51, 3), "WAL"),
        ((4, 0, 0), "WAL"),
    ],
)
def test_wal_is_used_only_where_it_is_mended(version, mode):
    """Releases whose WAL may lose a commit get a rollback journal."""
    assert journal_mode(version) == mode


def test_connections_are_durable_and_careful(registry):
    """Every connection syncs fully, has the journal of this SQLite, and waits for other writers."""
    with registry._engine.connect() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        assert mode.upper() == journal_mode(sqlite3.sqlite_version_info)
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 3
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 10_000


def test_everything_survives_closing(registry, path):
    """A register opened again, also read only, has the same records, history and sequences."""
    first = reserve(registry, idempotency_key="k")
    identifier = str(first.licence.identifier)
    issued = registry.commit(identifier, make_evidence(), at=NOON)
    registry.close()
    reader = SqlRegistry(path, read_only=True)
    assert reader.get(identifier) == issued
    assert [change.state for change in reader.history(identifier)] == ["reserved", "issued"]
    reader.close()
    again = SqlRegistry(path)
    assert again.find_document("d" * 64) == issued
    assert reserve(again).licence.number == "JY000002"
    again.close()


def test_only_the_owner_can_read_the_file(registry, path):
    """The database holds personal data: its mode is 0600."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_read_only_register_refuses_to_write(registry, path):
    """Opened read only, nothing is changed, and a missing file is not made."""
    reader = SqlRegistry(path, read_only=True)
    with pytest.raises(RegistryError, match="readonly"):
        reserve(reader)
    reader.close()
    with pytest.raises(RegistryError, match="unable to open"):
        SqlRegistry(path.with_name("missing"), read_only=True)
    assert not path.with_name("missing").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE history SET reason = 'other'",
        "DELETE FROM history",
        "DELETE FROM licence",
        "UPDATE licence SET number = 'other'",
        "UPDATE licence SET content = '{}'",
        "UPDATE licence SET intent = '{}'",
        "UPDATE licence SET document_sha256 = 'e'",
        "UPDATE licence SET document = NULL",
        "UPDATE licence SET state = 'forged'",
        "DELETE FROM idempotency",
        "UPDATE idempotency SET identifier = 'other'",
        "UPDATE archive_copy SET sha256 = 'other'",
        "DELETE FROM archive_copy",
    ],
)
def test_history_and_frozen_content_cannot_be_changed(registry, path, statement):
    """The database itself refuses to rewrite what is on record."""
    record = reserve(registry, idempotency_key="k")
    registry.commit(str(record.licence.identifier), make_evidence(), at=NOON)
    registry.add_archive_copy(str(record.licence.identifier), make_evidence("e" * 64), at=NOON)
    with pytest.raises(sqlite3.IntegrityError):
        tamper(path, statement)


def test_a_register_of_an_earlier_release_opens(registry, path):
    """Without the table of archive copies a reader sees none; the first writer adds it, triggers included."""
    identifier = str(reserve(registry).licence.identifier)
    issued = registry.commit(identifier, make_evidence(), at=NOON)
    registry.close()
    tamper(path, "DROP TABLE archive_copy")
    reader = SqlRegistry(path, read_only=True)
    assert reader.get(identifier) == issued
    assert reader.find_document("e" * 64) is None
    writer = SqlRegistry(path)
    copied = writer.add_archive_copy(identifier, make_evidence("e" * 64), at=NOON)
    assert reader.find_document("e" * 64) == copied
    assert copied.archive_copies == (make_evidence("e" * 64),)
    reader.close()
    writer.close()
    with pytest.raises(sqlite3.IntegrityError):
        tamper(path, "DELETE FROM archive_copy")


def test_altered_content_is_noticed(registry, path):
    """Whoever drops the trigger and edits a licence is found when it is read."""
    identifier = str(reserve(registry).licence.identifier)
    tamper(path, "DROP TRIGGER licence_frozen")
    tamper(path, "UPDATE licence SET content = replace(content, 'JY000001', 'JY000009')")
    with pytest.raises(RegistryError, match="altered"):
        registry.get(identifier)


def test_files_that_are_no_register_are_refused(tmp_path):
    """No database, a foreign one and another schema version are configuration errors and stay as is."""
    text = tmp_path / "text"
    text.write_text("not a database, but long enough to look like one " * 40)
    foreign, newer = tmp_path / "foreign", tmp_path / "newer"
    tamper(foreign, "CREATE TABLE theirs (x)")
    SqlRegistry(newer).close()
    tamper(newer, "UPDATE schema_version SET version = 99")
    for path in (text, foreign, newer):
        before = path.read_bytes()
        with pytest.raises(ConfigurationError):
            SqlRegistry(path)
        assert path.read_bytes() == before


def test_a_writer_that_never_gets_its_turn_says_so(path, monkeypatch):
    """If another program keeps the lock, the register gives up with one sentence and nothing is reserved."""
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    registry = SqlRegistry(path)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(RegistryError, match="locked"):
        reserve(registry)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert reserve(registry).licence.number == "JY000001"
    registry.close()


_TRY_TO_WRITE = """
import sqlite3, sys
try:
    sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None).execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    sys.exit(str(error))
"""


def test_opening_the_file_again_ends_nobodys_lock(path, registry, monkeypatch):
    """While this process writes, opening the register once more does not let another process write too."""
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    with registry._writing():
        with pytest.raises(RegistryError, match="locked"):
            SqlRegistry(path)
        other = subprocess.run(
            [sys.executable, "-c", _TRY_TO_WRITE, str(path)], capture_output=True, text=True, check=False
        )
        assert other.stderr.strip() == "database is locked"


def test_a_writer_gets_its_turn_when_the_other_is_done(path, registry):
    """Who has to wait for another program's transaction writes after it."""
    blocker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    blocker.execute("INSERT INTO counter VALUES ('11990101MB00000006', 'food-business-licence', 2026, 41)")
    release = threading.Timer(0.2, blocker.execute, ["COMMIT"])
    release.start()
    assert reserve(registry).licence.number == number(42)
    release.join()
    blocker.close()


def _reserve_many(path, count, results):
    registry = SqlRegistry(path)
    results.put([reserve(registry).licence.number for _ in range(count)])
    registry.close()


def test_processes_racing_for_numbers_get_each_once(path):
    """Three processes opening a new register at once take 1 to 30 between them; the file is intact after."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=_reserve_many, args=(path, 10, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    taken = [text for _ in workers for text in results.get(timeout=60)]
    for worker in workers:
        worker.join(timeout=60)
        assert worker.exitcode == 0
    assert sorted(taken) == [number(n) for n in range(1, 31)]
    registry = SqlRegistry(path)
    assert [record.state for record in registry.unfinished()] == [LicenceState.RESERVED] * 30
    with registry._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    registry.close()


def test_a_full_disk_costs_no_number(registry):
    """When the file cannot grow, the reservation fails whole; with room again the numbers go on without a gap."""
    reserve(registry)
    with registry._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    taken = 1

    def reserve_until_full():
        nonlocal taken
        while True:
            reserve(registry)
            taken += 1

    with pytest.raises(RegistryError, match="full"):
        reserve_until_full()
    with registry._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=100000")
    assert reserve(registry).licence.number == number(taken + 1)
    assert len(registry.unfinished()) == taken + 1
