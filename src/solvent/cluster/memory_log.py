"""A log in memory: for the simulator, which puts the faults around it, and for tests."""

from collections.abc import Sequence
from threading import Lock

from solvent.cluster.log import Appended, Refused, Stored


class MemoryLog:
    """Frames in a list. With `remembers` a key that was stored is answered as the first time."""

    def __init__(self, *, remembers: bool = True) -> None:
        self.frames: list[bytes] = []
        self._lock = Lock()
        self._keys: dict[str, int] | None = {} if remembers else None

    def append(self, expected: int, key: str, frame: bytes) -> Appended:
        """As `Log.append`; it is never unknown."""
        with self._lock:
            if self._keys is not None and key in self._keys:
                return Stored(self._keys[key])
            if expected != len(self.frames):
                return Refused()
            self.frames.append(frame)
            if self._keys is not None:
                self._keys[key] = len(self.frames)
            return Stored(len(self.frames))

    def read(self, first: int, most: int) -> Sequence[bytes]:
        """As `Log.read`."""
        return self.frames[first - 1 : first - 1 + most]

    def tail(self) -> int:
        """As `Log.tail`."""
        return len(self.frames)

    def close(self) -> None:
        """As `Log.close`."""
