"""Commands as rows of numbers, all equally wide: what one call of the engine's kernels reads."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.commands import COMMAND_WORDS, Command, encode_command
from solvent.engine.memory.rows import COMMAND_WIDTH

Words = npt.NDArray[np.int64]

_ROW_BYTES = 8 * COMMAND_WIDTH
_WIDTHS = np.array(COMMAND_WORDS, dtype=np.int64)


def encode_batch(batch: Sequence[Command]) -> Words:
    """Commands as rows of numbers: the kind, the fields, zeros."""
    data = b"".join(encode_command(command).ljust(_ROW_BYTES, b"\0") for command in batch)
    return np.frombuffer(data, dtype=np.int64).reshape(-1, COMMAND_WIDTH)


def command_rows(groups: Sequence[EncodedCommands]) -> Words:
    """Encoded commands as rows of numbers, as `encode_batch` makes them of objects."""
    kinds = np.array([kind for commands in groups for kind in commands.kinds], dtype=np.int64)
    rows = np.zeros((len(kinds), COMMAND_WIDTH), dtype=np.int64)
    data = b"".join(commands.data for commands in groups)
    rows[np.arange(COMMAND_WIDTH) < _WIDTHS[kinds, None]] = np.frombuffer(data, dtype=np.int64)
    return rows
