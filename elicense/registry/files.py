"""Finished documents in a folder: written once, named by content, on the disk before anyone is told."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from elicense.errors import LicenceNotFound, RegistryError
from elicense.registry.flushing import flush_group

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNFINISHED = "unfinished"


class FileStore:
    """A DocumentStore in one folder: `ab/cd/abcd….pdf`, two levels of 256 folders.

    A document appears under its name only whole and durable: temporary file, fsync, rename, fsync of
    the folder. Whoever writes here cannot forge: every read recomputes the hash, and the hash was
    recorded elsewhere.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def put(self, document: bytes, sha256: str | None = None) -> str:
        """`document` lies durably under its SHA-256, which is returned; the same bytes again are a no-op.

        Args:
            document: the bytes.
            sha256: as worked out by the caller, if it was; `get` makes sure of it.

        Raises:
            RegistryError: if the disk refuses (full, read only, input/output error); nothing is visible then.
        """
        sha256 = sha256 or hashlib.sha256(document).hexdigest()
        with self._as_registry_error():
            self._write(self._path(sha256), document)
        return sha256

    def put_group(self, documents: Mapping[str, bytes]) -> None:
        """Every document lies durably under its SHA-256, as worked out by the caller; `get` makes sure of it.

        All are written, then flushed together, then named, then their names are flushed: as with `put`, no name ever
        stands for half a document.

        Raises:
            RegistryError: as `put`; some of the documents may be visible then, each of them whole.
        """
        with self._as_registry_error():
            self._write_group({self._path(sha256): document for sha256, document in documents.items()})

    def place_of(self, sha256: str) -> str:
        """Return where a document lies, seen from the folder."""
        return f"{sha256[:2]}/{sha256[2:4]}/{sha256}.pdf"

    def get(self, sha256: str) -> bytes:
        """Return the bytes whose SHA-256 (64 lower-case hex digits) is `sha256`.

        Raises:
            LicenceNotFound: if there is no such document, or `sha256` is no digest.
            RegistryError: if the file is there and damaged, or cannot be read.
        """
        # Anything but a digest could be a path; it never reaches the file system.
        path = self._path(sha256) if _SHA256.fullmatch(sha256) else None
        try:
            document = path.read_bytes() if path else None
        except FileNotFoundError:
            document = None
        except OSError as error:
            raise RegistryError(
                f"the document store cannot read {path} ({error.strerror}): "
                "check the disk and its permissions",
                f"文件库无法读取 {path}（{error.strerror}）：请检查磁盘和权限",
            ) from error
        if document is None:
            raise LicenceNotFound("the document store has no such document", "文件库中没有该文件")
        if hashlib.sha256(document).hexdigest() != sha256:
            raise RegistryError(
                f"the stored document {sha256} is damaged: "
                "restore it from a backup or from the holder's copy",
                f"文件库中的文件 {sha256} 已损坏：请从备份或持证人手中的原件恢复",
            )
        return document

    def sweep(self, *, before: datetime) -> int:
        """Temporary files last written before `before` (UTC) are gone; return how many there were.

        They are what a killed process left; no name ever pointed to them. Choose `before` an hour ago
        or more, so that no file in the making is hit.
        """
        removed = 0
        for leftover in (self.folder / _UNFINISHED).glob("*"):
            with suppress(FileNotFoundError):
                if leftover.stat().st_mtime < before.timestamp():
                    leftover.unlink()
                    removed += 1
        return removed

    def _path(self, sha256: str) -> Path:
        return self.folder / self.place_of(sha256)

    @contextmanager
    def _as_registry_error(self) -> Iterator[None]:
        """Say in one sentence what the disk refuses."""
        try:
            yield
        except OSError as error:
            raise RegistryError(
                f"the document store cannot write to {self.folder} ({error.strerror}): "
                "free space or mend the disk, then resume",
                f"文件库无法写入 {self.folder}（{error.strerror}）：请释放空间或修复磁盘后续办",
            ) from error

    def _write(self, path: Path, document: bytes) -> None:
        """`path` holds `document` durably, whether or not somebody wrote it before."""
        _make_folder(path.parent, self.folder)
        if not _holds(path, document):
            # Not there, or damaged: the content address says which bytes are right, so replacing is safe.
            temporary = self._waiting_room() / f"{path.stem}.{secrets.token_hex(8)}"
            try:
                with _write_new(temporary, document) as file:
                    os.fsync(file.fileno())
                temporary.replace(path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
        # Also when the file was there already: who renamed it may have died before this line.
        _sync_folder(path.parent)

    def _write_group(self, documents: Mapping[Path, bytes]) -> None:
        """Every path holds its document durably, whether or not somebody wrote it before."""
        folders = {path.parent for path in documents}
        for folder in folders:
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
        waiting, token = self._waiting_room(), secrets.token_hex(8)
        new: dict[Path, Path] = {}
        try:
            for path, document in documents.items():
                if not _holds(path, document):
                    new[path] = waiting / f"{path.stem}.{token}"
                    _write_new(new[path], document).close()
            flush_group(self.folder, new.values())
            for path, temporary in new.items():
                temporary.replace(path)
        except OSError:
            for temporary in new.values():
                temporary.unlink(missing_ok=True)
            raise
        # Every level: another process may have made a folder a moment ago and not have flushed it yet.
        upper = {folder.parent for folder in folders}
        flush_group(self.folder, (*folders, *upper, self.folder, self.folder.parent))

    def _waiting_room(self) -> Path:
        """Return the folder, which is there, of files that have no name yet."""
        waiting = self.folder / _UNFINISHED
        _make_folder(waiting, self.folder)
        return waiting


def _holds(path: Path, document: bytes) -> bool:
    """Return whether `path` already has exactly these bytes."""
    try:
        return path.stat().st_size == len(document) and path.read_bytes() == document
    except FileNotFoundError:
        return False


def _write_new(path: Path, document: bytes) -> FileIO:
    """`path` is a new read-only file with these bytes, not yet flushed to the disk; return it, open."""
    # 0o440: nothing should ever open it for writing again.
    file = FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440), "wb")
    try:
        rest = memoryview(document)
        while rest:
            # A disk that is nearly full takes a part and says so only at the next attempt.
            rest = rest[file.write(rest) :]
    except OSError:
        file.close()
        raise
    return file


def _make_folder(folder: Path, root: Path) -> None:
    """`folder`, at or below `root`, exists, and each new level is known to its parent on the disk."""
    if folder.is_dir():
        return
    if folder != root:
        _make_folder(folder.parent, root)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)
    else:
        folder.mkdir(parents=True, exist_ok=True)


def _sync_folder(folder: Path) -> None:
    """The names in `folder` are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
