"""Apart: long sums in a process of their own, so that the one that serves never shares its turn.

A task is a name and some bytes, its answer is bytes, each as a length and so many bytes over the
pipes of the process, which knows nothing else. It ends when its input does: with the service,
however that ends. It is begun when it is first asked and again after it was ended.
"""

import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO

import msgspec

LENGTH_BYTES = 8
_MODULE = "solvent.service.core.ahead.tasks"


class ApartError(Exception):
    """A task that has no answer. `str(error)` says why, in a line."""


class Reply(msgspec.Struct, array_like=True, frozen=True):
    """The answer to a task, or why there is none."""

    answer: bytes = b""
    error: str = ""


class Apart:
    """A process for tasks, one at a time; `seconds` is how long one may take."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def ask(self, task: str, *parts: bytes) -> bytes:
        """The answer to a task. Waits for it; raises ApartError."""
        with self._turn:
            if self._is_closed:
                raise ApartError("the service is closing")
            process = self._process or self._begin()
            assert process.stdin is not None
            assert process.stdout is not None
            alarm = threading.Timer(self._seconds, process.kill)
            alarm.start()
            try:
                write_frame(process.stdin, msgspec.msgpack.encode((task, parts)))
                reply = msgspec.msgpack.decode(read_frame(process.stdout), type=Reply)
            except (OSError, EOFError, msgspec.DecodeError):
                self._end()
                raise ApartError("it took too long, or its process was ended") from None
            finally:
                alarm.cancel()
        if reply.error:
            raise ApartError(reply.error)
        return reply.answer

    def _begin(self) -> "subprocess.Popen[bytes]":
        self._process = subprocess.Popen(
            [sys.executable, "-m", _MODULE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:
                continue

    def close(self) -> None:
        """End the process, and with it what it does."""
        self._is_closed = True
        process = self._process
        if process is not None:
            process.kill()
        with self._turn:
            self._end()


def write_frame(pipe: IO[bytes], data: bytes) -> None:
    """Write bytes with their length."""
    pipe.write(len(data).to_bytes(LENGTH_BYTES, "little"))
    pipe.write(data)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> bytes:
    """The next bytes. EOFError where there are none, or not all of them."""
    length = int.from_bytes(_exactly(pipe, LENGTH_BYTES), "little")
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data


def parts_of(frame: bytes) -> tuple[str, Sequence[bytes]]:
    """A task's name and its bytes."""
    return msgspec.msgpack.decode(frame, type=tuple[str, tuple[bytes, ...]])
