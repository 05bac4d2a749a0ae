"""The file layer: the few things a journal asks of a disk, so that tests can break each of them.

Every byte of a journal passes here. Calls raise OSError; `write` may also write less than it was
given, which `write_whole` makes an error. Nothing is retried: after a failed sync a system may
call pages clean that never reached the disk.

What is assumed of the disk: synced bytes stay; bytes outside a write are not changed by it; a
rename is whole or absent, and lasts once the folder is synced.
"""

import errno
import fcntl
import os
from pathlib import Path
from typing import Protocol

PIECE_BYTES = 16 * 1024 * 1024
"""The most that one call writes: systems cut calls of 2 GiB short."""


class Files(Protocol):
    """What a journal asks of files and folders. Handles are small integers."""

    def lock(self, folder: Path) -> int:
        """Open a folder for this user alone; closing the handle, or dying, releases it.

        Raises BlockingIOError if it is taken.
        """

    def make_folder(self, folder: Path) -> None:
        """Make a folder and those above it, to stay; no error if it is there."""

    def names(self, folder: Path) -> list[str]:
        """What is in a folder, sorted."""

    def read(self, path: Path, limit: int = -1) -> bytes:
        """A file's bytes, or the first `limit`."""

    def create(self, path: Path) -> int:
        """A new file, open for writing. Raises FileExistsError."""

    def open(self, path: Path) -> int:
        """A file that is there, open for writing."""

    def write(self, handle: int, data: bytes, offset: int) -> int:
        """Write at an offset; how many bytes were written."""

    def truncate(self, handle: int, size: int) -> None:
        """Cut a file to a size."""

    def sync(self, handle: int) -> None:
        """Return when a file's bytes and its size are on the disk."""

    def close(self, handle: int) -> None:
        """Close a file or release a folder."""

    def rename(self, old: Path, new: Path) -> None:
        """Put a file in another's place."""

    def remove(self, path: Path) -> None:
        """Remove a file."""

    def sync_folder(self, folder: Path) -> None:
        """Return when what was made, renamed and removed in a folder is so on the disk."""


class OsFiles:
    """The system's own files."""

    def lock(self, folder: Path) -> int:
        """Lock the folder itself (flock): no lock file that could be left behind."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(handle)
            raise
        return handle

    def make_folder(self, folder: Path) -> None:
        """Make each missing folder and sync the one above it."""
        if not folder.is_dir():
            self.make_folder(folder.parent)
            folder.mkdir(exist_ok=True)
            self.sync_folder(folder.parent)

    def names(self, folder: Path) -> list[str]:
        """Names of files and folders."""
        return sorted(path.name for path in folder.iterdir())

    def read(self, path: Path, limit: int = -1) -> bytes:
        """Read from the beginning."""
        with path.open("rb") as file:
            return file.read(limit)

    def create(self, path: Path) -> int:
        """Readable by its owner and group, as the process's mask allows."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)

    def open(self, path: Path) -> int:
        """Open for reading and writing."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def write(self, handle: int, data: bytes, offset: int) -> int:
        """Write with pwrite."""
        return os.pwrite(handle, data, offset)

    def truncate(self, handle: int, size: int) -> None:
        """Cut with ftruncate."""
        os.ftruncate(handle, size)

    def sync(self, handle: int) -> None:
        """Sync with fdatasync where the system has it: no wait for times of access and change."""
        getattr(os, "fdatasync", os.fsync)(handle)

    def close(self, handle: int) -> None:
        """Close the descriptor."""
        os.close(handle)

    def rename(self, old: Path, new: Path) -> None:
        """Rename in one step."""
        old.replace(new)

    def remove(self, path: Path) -> None:
        """Unlink."""
        path.unlink()

    def sync_folder(self, folder: Path) -> None:
        """Sync the folder's own descriptor."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_whole(files: Files, handle: int, data: bytes, offset: int) -> None:
    """Write all of `data`. Raises OSError, also where less was written."""
    for start in range(0, len(data), PIECE_BYTES):
        piece = data if len(data) <= PIECE_BYTES else data[start : start + PIECE_BYTES]
        written = files.write(handle, piece, offset + start)
        if written != len(piece):
            reason = f"only {written} of {len(piece)} bytes were written"
            raise OSError(errno.EIO, reason)


def put_in_place(files: Files, temporary: Path, path: Path, data: bytes) -> int:
    """Make a file that is there whole or not at all; the handle it is open with.

    Written and synced under another name, renamed, the folder synced. Raises OSError.
    """
    handle = files.create(temporary)
    try:
        write_whole(files, handle, data, 0)
        files.sync(handle)
        files.rename(temporary, path)
        files.sync_folder(path.parent)
    except BaseException:
        files.close(handle)
        raise
    return handle
