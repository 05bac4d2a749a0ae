"""Tasks: what is done in a process apart (`apart`). It reads tasks, answers them, and ends with
its input; it yields to the process that serves.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

import msgspec

from solvent.domain import commands as c
from solvent.domain.errors import InputError
from solvent.foresight.rehearsal import at_once, encode, rehearse
from solvent.service.core.ahead.apart import Reply, parts_of, read_frame, write_frame
from solvent.service.core.ahead.rounds import rounds_of
from solvent.service.core.ahead.trees import Trees

_NICE = 5


def _change(data: bytes) -> c.ChangeParameter:
    command = c.decode_command(data)[0]
    assert isinstance(command, c.ChangeParameter)
    return command


def _rehearse(state: bytes, change: bytes, hours: bytes) -> bytes:
    return encode(rehearse(state, [_change(change)], int(hours)))


def _at_once(state: bytes, change: bytes) -> bytes:
    return encode(at_once(state, [_change(change)]))


def _forecast(state: bytes, account: bytes) -> bytes:
    return rounds_of(state, int(account))


_TREES = Trees()
REHEARSE, AT_ONCE, FORECAST = "rehearse", "at once", "forecast"
CERTIFY, PROVE = "certify", "prove"
TASKS: Mapping[str, Callable[..., bytes]] = {
    REHEARSE: _rehearse,
    AT_ONCE: _at_once,
    FORECAST: _forecast,
    CERTIFY: _TREES.certify,
    PROVE: _TREES.prove,
}


def answer(task: str, parts: Sequence[bytes]) -> Reply:
    """What is answered to a task: its result, or in a line why there is none."""
    try:
        return Reply(TASKS[task](*parts))
    except InputError as error:
        return Reply(error=error.reason)
    except Exception as error:
        return Reply(error=f"{type(error).__name__}: {error}".splitlines()[0])


def main() -> None:
    """Answer tasks until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICE)
    while True:
        try:
            task, parts = parts_of(read_frame(sys.stdin.buffer))
        except EOFError:
            return
        write_frame(sys.stdout.buffer, msgspec.msgpack.encode(answer(task, parts)))


if __name__ == "__main__":
    main()
