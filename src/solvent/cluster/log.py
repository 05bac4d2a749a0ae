"""A log: frames in one order, and an append that holds only where the writer knows the end.

`append` is the one decision that the nodes of a cluster leave to somebody else, and leadership is
made of nothing but it (`member`). What was stored stays: nothing is changed, removed or moved.

Deliberately absent: a leader, a lease or a lock of the log's own, and the present end of the log as
something to rely on. What `tail` and `read` say may be old; what `append` says never is.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from solvent.domain.errors import InputError

NO_FRAME = 0
"""The sequence of a log in which nothing stands; its first frame is number 1."""


class Stored(NamedTuple):
    """The frame is in the log for good, as number `sequence`."""

    sequence: int


class Refused(NamedTuple):
    """The log does not end where the writer thought. This attempt stored nothing."""


class Unknown(NamedTuple):
    """No answer came: the frame may be in the log, or not, or come to be in it yet."""


Appended = Stored | Refused | Unknown


class LogError(InputError):
    """A log that cannot be used, or not as it is set up. One line, with the remedy."""


class LogSilentError(Exception):
    """The log does not answer a question now. Ask again; nothing is known by it."""


class Log(Protocol):
    """Frames from number 1 on."""

    def append(self, expected: int, key: str, frame: bytes) -> Appended:
        """Store a frame as number `expected` + 1 if the log ends with number `expected`.

        The same frame under the same `key` may be sent again after `Unknown`: it is stored once,
        and a second attempt is answered `Stored` or `Refused`. A key is of one content for ever: a
        log may answer one that it has seen with the place of what was stored then.
        """
        ...

    def read(self, first: int, most: int) -> Sequence[bytes]:
        """At most `most` frames from number `first` on, as far as this reader sees.

        They end before a frame that the store does not have; `tail` may be far beyond.
        """
        ...

    def tail(self) -> int:
        """The number of the last frame that this reader sees; 0 where there is none."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
