"""The document store in a folder."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import signal
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from elicense.errors import LicenceNotFound, RegistryError
from elicense.registry import flushing
from elicense.registry.files import FileStore
from elicense.registry.memory import MemoryStore

DOCUMENT = b"%PDF-1.7 a document"
SHA256 = hashlib.sha256(DOCUMENT).hexdigest()


@pytest.fixture(params=["memory", "files"])
def store(request, tmp_path):
    """Each kind of store, empty."""
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "documents")


def files(folder):
    """Return all files below `folder`."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_put_is_got_by_its_hash(store):
    """What put returns is the SHA-256; get returns the same bytes, and putting them again changes nothing."""
    assert store.put(DOCUMENT) == store.put(DOCUMENT) == SHA256
    assert store.get(SHA256) == DOCUMENT


def test_a_digest_worked_out_already_is_the_name(store):
    """Who says the digest saves working it out; a wrong one is found out by whoever reads."""
    assert store.put(DOCUMENT, SHA256) == SHA256
    assert store.get(SHA256) == DOCUMENT
    if isinstance(store, FileStore):
        wrong = hashlib.sha256(b"other").hexdigest()
        store.put(DOCUMENT, wrong)
        with pytest.raises(RegistryError, match="damaged"):
            store.get(wrong)


@pytest.mark.parametrize(
    "name", ["0" * 64, "", "../../../etc/passwd", SHA256.upper(), SHA256 + "\n", SHA256[:-1]]
)
def test_anything_else_is_not_found(store, name):
    """An unknown digest, and anything that is no digest, is LicenceNotFound."""
    store.put(DOCUMENT)
    with pytest.raises(LicenceNotFound):
        store.get(name)


def test_documents_are_sharded_and_read_only(tmp_path):
    """A document lies in ab/cd/ under its whole digest, nobody may write it, nothing else is left behind."""
    FileStore(tmp_path).put(DOCUMENT)
    path = tmp_path / SHA256[:2] / SHA256[2:4] / f"{SHA256}.pdf"
    assert files(tmp_path) == [path]
    assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0


def damage(path, content):
    """Replace the content of a stored file."""
    path.chmod(0o600)
    path.write_bytes(content)


def test_a_damaged_document_is_refused_and_can_be_put_back(tmp_path):
    """A changed byte on the disk is found when reading; putting the right bytes again heals it."""
    store = FileStore(tmp_path)
    store.put(DOCUMENT)
    damage(files(tmp_path)[0], DOCUMENT.replace(b"1.7", b"1.6"))
    with pytest.raises(RegistryError, match="damaged"):
        store.get(SHA256)
    store.put(DOCUMENT)
    assert store.get(SHA256) == DOCUMENT


def test_a_refusing_disk_leaves_nothing_visible(tmp_path, monkeypatch):
    """If fsync fails, put raises RegistryError, no document appears and no temporary file stays."""

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    store = FileStore(tmp_path)
    (tmp_path / SHA256[:2] / SHA256[2:4]).mkdir(parents=True)
    (tmp_path / "unfinished").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(RegistryError, match="No space left"):
            store.put(DOCUMENT)
    assert files(tmp_path) == []
    assert store.put(DOCUMENT) == SHA256


def test_file_and_folders_are_synced_before_put_returns(tmp_path, monkeypatch):
    """The file is flushed before it gets its name, and its folder after."""
    events = []
    fsync, replace = os.fsync, os.replace

    def watch_fsync(descriptor):
        events.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def watch_replace(source, target):
        events.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watch_fsync)
    monkeypatch.setattr(os, "replace", watch_replace)
    store = FileStore(tmp_path)
    store.put(DOCUMENT)
    assert events[-3:] == ["file", "rename", "folder"]
    events.clear()
    store.put(DOCUMENT)
    assert events == ["folder"], "a second writer also makes sure that the name is on the disk"


def test_sweep_removes_only_old_leftovers(tmp_path):
    """What a killed process left goes once it is old; documents and fresh temporary files stay."""
    store = FileStore(tmp_path)
    store.put(DOCUMENT)
    now = datetime(2026, 3, 8, tzinfo=UTC)
    for name, age in (("old", 7200), ("fresh", 60)):
        path = tmp_path / "unfinished" / name
        path.write_bytes(b"half")
        os.utime(path, (now.timestamp() - age,) * 2)
    assert store.sweep(before=now - timedelta(hours=1)) == 1
    assert {path.name for path in files(tmp_path)} == {"fresh", f"{SHA256}.pdf"}


def test_writers_of_the_same_document_do_not_disturb_each_other(tmp_path):
    """Eight threads put the same bytes at once: all succeed, one file is there."""
    store, barrier = FileStore(tmp_path), threading.Barrier(8)

    def work(_):
        barrier.wait()
        return store.put(DOCUMENT)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(8))) == {SHA256}
    assert len(files(tmp_path)) == 1


# --- Groups ---

GROUP = {hashlib.sha256(body).hexdigest(): body for body in (b"%PDF one", b"%PDF two", b"%PDF three" * 9000)}


@pytest.fixture(params=["syncfs", "fsync"])
def flush(request, monkeypatch):
    """Each way to bring a group to the disk."""
    if request.param == "fsync":
        monkeypatch.setattr(flushing, "SYNCFS", None)
    elif flushing.SYNCFS is None:
        pytest.skip("no syncfs to be relied on here")
    return request.param


def test_a_group_is_got_by_its_hashes(store, flush):
    """Every document of a group is there; the group again changes nothing."""
    for _ in range(2):
        store.put_group(GROUP)
        assert {sha256: store.get(sha256) for sha256 in GROUP} == GROUP
    store.put_group({})


def test_a_group_leaves_read_only_files_and_nothing_else(tmp_path, flush):
    """Documents lie where `place_of` says, nobody may write them, no temporary file stays."""
    store = FileStore(tmp_path / "new" / "documents")
    store.put_group(GROUP)
    assert set(files(store.folder)) == {store.folder / store.place_of(sha256) for sha256 in GROUP}
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o222 == 0 for path in files(store.folder))


def test_a_group_is_on_the_disk_before_it_has_names_and_before_put_group_returns(
    tmp_path, monkeypatch, flush
):
    """All files are written, then flushed, then named, then the names are flushed: by one call or file by file."""
    events = []

    def watch(module, name, word):
        real = getattr(module, name)

        def call(*args, **kwargs):
            if word == "flush" and flush == "fsync":
                folder = stat.S_ISDIR(os.fstat(args[0]).st_mode)
                events.append("flush folder" if folder else "flush file")
            else:
                events.append(word)
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, call)

    store = FileStore(tmp_path)
    for sha256 in GROUP:
        (tmp_path / store.place_of(sha256)).parent.mkdir(parents=True)
    (tmp_path / "unfinished").mkdir()
    watch(os, "replace", "rename")
    if flush == "fsync":
        watch(os, "fsync", "flush")
    else:
        watch(flushing, "SYNCFS", "flush")
    store.put_group(GROUP)
    if flush == "syncfs":
        assert events == ["flush", "rename", "rename", "rename", "flush"]
        return
    assert events[:6] == ["flush file"] * 3 + ["rename"] * 3
    # Three folders, three above them, the store's own and the one that holds it.
    assert events[6:] == ["flush folder"] * 8


def test_a_refusing_disk_leaves_no_half_document_of_a_group(tmp_path, monkeypatch, flush):
    """If the flush fails, nothing has a name and no temporary file stays; afterwards the group can be put."""

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    store = FileStore(tmp_path)
    (tmp_path / "unfinished").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync") if flush == "fsync" else (flushing, "SYNCFS")), fail)
        with pytest.raises(RegistryError, match="No space left"):
            store.put_group(GROUP)
    assert files(tmp_path) == []
    store.put_group(GROUP)
    assert len(files(tmp_path)) == len(GROUP)


def test_a_disk_that_fills_up_in_a_file_leaves_no_half_document(tmp_path):
    """When a file cannot be written to its end, RegistryError says so and nothing of it is left."""
    store = FileStore(tmp_path)
    store.put_group({SHA256: DOCUMENT})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(RegistryError, match="too large"):
            store.put_group(GROUP)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert files(tmp_path) == [tmp_path / store.place_of(SHA256)]
    store.put_group(GROUP)
    assert {sha256: store.get(sha256) for sha256 in GROUP} == GROUP


def test_a_damaged_document_of_a_group_is_put_back(tmp_path, flush):
    """A file whose bytes were changed is replaced when its group comes again."""
    store = FileStore(tmp_path)
    store.put_group(GROUP)
    damage(files(tmp_path)[0], b"%PDF xxx")
    store.put_group(GROUP)
    assert {sha256: store.get(sha256) for sha256 in GROUP} == GROUP


@pytest.mark.parametrize(
    ("system", "release", "reliable"),
    [("Linux", "6.1.0-18-amd64", True), ("Linux", "5.8.0", True), ("Linux", "5.4.0-generic", False),
     ("Linux", "4.19", False), ("Darwin", "23.1.0", False), ("Linux", "unheard-of", False)],
)  # fmt: skip
def test_syncfs_is_used_only_where_it_reports_failed_writes(monkeypatch, system, release, reliable):
    """Before Linux 5.8 syncfs answers success whatever the disk says."""
    monkeypatch.setattr(os, "uname", lambda: os.uname_result((system, "host", release, "1", "x86_64")))
    if sys.platform == "linux" or not reliable:
        assert (flushing._syncfs() is not None) == reliable


@pytest.mark.skipif(flushing.SYNCFS is None, reason="no syncfs to be relied on here")
def test_syncfs_raises_what_the_system_says():
    """A descriptor that is none is an OSError with the system's number."""
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        flushing.SYNCFS(10**6)
    assert caught.value.errno == errno.EBADF
