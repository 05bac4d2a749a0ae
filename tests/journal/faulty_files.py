"""A disk in memory that can be broken: at any call, in any way that disks are known to fail.

A file has two contents: what programs read (the cache) and what is left when the power goes (the
platter). Writes reach the platter when they are synced; names when their folder is. `power_cut`
lets each write that was not synced arrive whole, not at all, up to some sector, or as garbage, and
names up to some rename. A failed sync leaves the cache as it is and the platter without the bytes,
and calls the pages clean, as systems do. `kill` ends the process alone.

Calls that change something are counted, and the one numbered `at` meets `fault`.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from random import Random

SECTOR = 64


class Fault(Enum):
    """What can go wrong at one call."""

    EIO = "the call fails"
    ENOSPC = "the disk is full"
    SHORT = "half is written, and the call says so"
    TORN = "half is written, and the power goes"
    CRASH = "the power goes before the call"
    CRASH_AFTER = "the power goes after the call"
    DROPPED = "nothing is written, and the call says that it was"
    MISDIRECTED = "it is written in another place, and the call says that it was not"
    GARBAGE = "something else is written, and the call says that it was not"


SILENT = {Fault.DROPPED, Fault.MISDIRECTED, Fault.GARBAGE}
WRITES_ONLY = SILENT | {Fault.ENOSPC, Fault.SHORT, Fault.TORN}


class DiedError(Exception):
    """The process is dead: the power went."""


@dataclass
class Content:
    """A file's bytes: those that are read, those on the platter, and the changes in between."""

    cache: bytearray = field(default_factory=bytearray)
    platter: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def write(self, data: bytes, offset: int) -> None:
        put(self.cache, data, offset)
        self.pending.append((offset, data))

    def truncate(self, size: int) -> None:
        del self.cache[size:]
        self.pending.append((size, None))

    def sync(self) -> None:
        for offset, data in self.pending:
            change(self.platter, offset, data)
        self.pending.clear()


def put(target: bytearray, data: bytes, offset: int) -> None:
    if len(target) < offset:
        target.extend(bytes(offset - len(target)))
    target[offset : offset + len(data)] = data


def change(target: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del target[offset:]
    else:
        put(target, data, offset)


class FaultyFiles:
    """Files in memory, as `solvent.journal.disk.Files` asks for them."""

    def __init__(self, at: int = -1, fault: Fault = Fault.CRASH, seed: int = 0) -> None:
        self.rng = Random(seed)
        self.calls: list[str] = []
        self.at, self.fault = at, fault
        self.names_now: dict[Path, Content] = {}
        self.names_then: dict[Path, Content] = {}
        self.renamings: list[Callable[[dict[Path, Content]], None]] = []
        self.handles: dict[int, Content | Path] = {}
        self.is_dead = False
        self.hit: str | None = None

    # What happens to the machine.

    def arm(self, at: int, fault: Fault) -> None:
        """Meet `fault` at the call numbered `at` from now."""
        self.at, self.fault, self.hit = len(self.calls) + at, fault, None

    def disarm(self) -> None:
        self.at = -1

    def plant(self, path: Path, content: bytes) -> None:
        """Put a file there, as if it had always been."""
        self.names_now[path] = self.names_then[path] = Content(
            bytearray(content), bytearray(content)
        )

    def kill(self) -> None:
        """End the process: locks go, what was written stays to be read."""
        self.handles.clear()
        self.is_dead = False

    def power_cut(self) -> None:
        """End the process and lose, in part, what was not synced."""
        self.kill()
        done = self.rng.randint(0, len(self.renamings))
        for rename in self.renamings[:done]:
            rename(self.names_then)
        self.renamings.clear()
        for content in {id(one): one for one in self.names_then.values()}.values():
            for offset, data in content.pending:
                self._arrive(content.platter, offset, data)
            content.pending.clear()
            content.cache = bytearray(content.platter)
        self.names_now = dict(self.names_then)

    def _arrive(self, platter: bytearray, offset: int, data: bytes | None) -> None:
        way = self.rng.choice(("whole", "dropped", "torn", "garbage"))
        if way == "dropped":
            return
        if data is not None and way == "torn":
            data = data[: self.rng.randrange(len(data) // SECTOR + 1) * SECTOR]
        elif data is not None and way == "garbage" and data:
            middle = self.rng.randrange(len(data)) // SECTOR * SECTOR
            rest = data[middle + SECTOR :]
            data = data[:middle] + self.rng.randbytes(len(data) - len(rest) - middle) + rest
        change(platter, offset, data)

    # What a journal asks for.

    def lock(self, folder: Path) -> int:
        self._live()
        if folder in self.handles.values():
            raise BlockingIOError(errno.EAGAIN, "is locked")
        return self._handle(folder)

    def make_folder(self, folder: Path) -> None:
        self._live()
        assert folder.name

    def names(self, folder: Path) -> list[str]:
        self._live()
        return sorted(path.name for path in self.names_now if path.parent == folder)

    def read(self, path: Path, limit: int = -1) -> bytes:
        self._live()
        data = bytes(self._named(path).cache)
        return data if limit < 0 else data[:limit]

    def create(self, path: Path) -> int:
        self._count("create")
        if path in self.names_now:
            raise FileExistsError(errno.EEXIST, "is there")
        content = Content()
        self._name(lambda names: names.update({path: content}))
        return self._handle(content)

    def open(self, path: Path) -> int:
        self._live()
        return self._handle(self._named(path))

    def write(self, handle: int, data: bytes, offset: int) -> int:
        content = self._content(handle)
        fault = self._count("write")
        half = len(data) // 2
        match fault:
            case Fault.SHORT | Fault.TORN:
                content.write(data[:half], offset)
            case Fault.MISDIRECTED:
                away = [one for one in (offset - 100, offset + 200, 0) if one >= 0]
                self.rng.choice(self._contents()).write(data, self.rng.choice(away))
            case Fault.GARBAGE:
                content.write(self.rng.randbytes(len(data)), offset)
            case Fault.DROPPED:
                pass
            case _:
                content.write(data, offset)
        if fault is Fault.TORN:
            self._die()
        self._after(fault)
        return half if fault is Fault.SHORT else len(data)

    def truncate(self, handle: int, size: int) -> None:
        content = self._content(handle)
        fault = self._count("truncate")
        content.truncate(size)
        self._after(fault)

    def sync(self, handle: int) -> None:
        content = self._content(handle)
        try:
            fault = self._count("sync")
        except OSError:
            content.pending.clear()
            raise
        content.sync()
        self._after(fault)

    def close(self, handle: int) -> None:
        self.handles.pop(handle, None)

    def rename(self, old: Path, new: Path) -> None:
        fault = self._count("rename")
        self._named(old)
        self._name(lambda names: names.update({new: names.pop(old)}))
        self._after(fault)

    def remove(self, path: Path) -> None:
        fault = self._count("remove")
        self._named(path)
        self._name(lambda names: names.__delitem__(path))
        self._after(fault)

    def sync_folder(self, folder: Path) -> None:
        fault = self._count("sync_folder")
        assert folder.name
        self.renamings.clear()
        self.names_then = dict(self.names_now)
        self._after(fault)

    # Counting and failing.

    def _count(self, call: str) -> Fault | None:
        """The fault of this call, where it is not one that ends it at once."""
        self._live()
        number = len(self.calls)
        self.calls.append(call)
        if number != self.at or (self.fault in WRITES_ONLY and call != "write"):
            return None
        self.hit = call
        match self.fault:
            case Fault.CRASH:
                self._die()
            case Fault.EIO:
                raise OSError(errno.EIO, "Input/output error")
            case Fault.ENOSPC:
                raise OSError(errno.ENOSPC, "No space left on device")
        return self.fault

    def _after(self, fault: Fault | None) -> None:
        if fault is Fault.CRASH_AFTER:
            self._die()

    def _die(self) -> None:
        self.is_dead = True
        raise DiedError

    def _live(self) -> None:
        if self.is_dead:
            raise DiedError

    def _handle(self, what: Content | Path) -> int:
        handle = max(self.handles, default=2) + 1
        self.handles[handle] = what
        return handle

    def _content(self, handle: int) -> Content:
        self._live()
        content = self.handles[handle]
        assert isinstance(content, Content)
        return content

    def _contents(self) -> list[Content]:
        return list(self.names_now.values())

    def _named(self, path: Path) -> Content:
        if path not in self.names_now:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        return self.names_now[path]

    def _name(self, renaming: Callable[[dict[Path, Content]], None]) -> None:
        renaming(self.names_now)
        self.renamings.append(renaming)
