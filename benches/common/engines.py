"""Both engines over columns that were filled by NumPy, and what their events say."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from benches.common.measure import agree
from solvent.domain.codec.events import EVENT_KINDS, event_fields
from solvent.domain.commands import decode_command
from solvent.domain.events import Event
from solvent.engine.engine import FastEngine
from solvent.engine.memory.columns import Columns, new_columns
from solvent.engine.memory.snapshot import write_snapshot
from solvent.reference.engine import ReferenceEngine

Words = npt.NDArray[np.int64]

BATCH = 20_000
"""Commands given to the engine in one batch."""

_LENGTHS = [1 + len(event_fields(kind)) for kind in EVENT_KINDS]


def copy_of(columns: Columns) -> Columns:
    """Columns that can be changed without changing these."""
    copied = new_columns(columns.parameters)
    copied.by_name = {name: column.copy() for name, column in columns.by_name.items()}
    return copied


def engine_over(columns: Columns) -> FastEngine:
    """A fast engine that goes on from these columns, and changes them."""
    engine = FastEngine(columns.parameters)
    engine.columns = columns
    return engine


def apply_all(engine: FastEngine, rows: Words, batch: int = BATCH) -> list[Words]:
    """Carry out all rows in batches; the events of each batch."""
    return [
        engine.apply_rows(rows[start : start + batch])[0] for start in range(0, len(rows), batch)
    ]


def same_as_reference(columns: Columns, rows: Words) -> int:
    """Carry out rows in both engines from one snapshot; WrongAnswerError where they differ.

    Returns how many words of events there were.
    """
    start = write_snapshot(columns)
    reference = ReferenceEngine.restore(start)
    answers = reference.apply(decode_command(row.tobytes())[0] for row in rows)
    fast = FastEngine.restore(start)
    events = b"".join(part.tobytes() for part in apply_all(fast, rows))
    agree("event bytes of both engines", events, answers.words.tobytes())
    agree("state hashes of both engines", fast.state_hash(), reference.state_hash())
    return len(events) // 8


def events_by_kind(parts: Iterable[Words], *kinds: type[Event]) -> dict[type[Event], Words]:
    """The events of some kinds, or of all, that happened: tables of their fields, in order."""
    wanted = {EVENT_KINDS.index(kind) for kind in kinds or EVENT_KINDS}
    found = defaultdict(list)
    for part in parts:
        numbers = part.tolist()
        place = 0
        while place < len(numbers):
            kind = numbers[place]
            end = place + _LENGTHS[kind]
            if kind in wanted:
                found[kind].append(numbers[place + 1 : end])
            place = end
    return {
        EVENT_KINDS[kind]: np.array(rows, dtype=np.int64).reshape(len(rows), -1)
        for kind, rows in found.items()
    }


def column(table: Words, kind: type[Event], name: str) -> Words:
    """One field of a table of events."""
    return table[:, event_fields(kind).index(name)]
