"""The document store in a folder."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from elicense.errors import LicenceNotFound, RegistryError
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
