"""What a watch sends for ahead, so that the members of fired blocks are near when they are asked.

They are anywhere in memory. One after the other, from block to block, each one's row is sent for
some turns before his own, and what he has and owes when his row has come. Nothing depends on it.
"""

from solvent.engine.ledger import account_row
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.store import Store
from solvent.engine.watch.blocks import bring_triggers
from solvent.engine.watch.rows import BLOCK, fired_blocks, slots_of
from solvent.engine.watch.scan import bring_positions
from solvent.kernels.language import kernel, prefetch

_BLOCKS_AHEAD = 6
_ROWS_AHEAD = 32
_POSITIONS_AHEAD = 8
"""Blocks, and members, before their turn."""


@kernel
def bring_first(s: Store) -> None:
    """Send for what the first blocks and members need."""
    for place in range(_BLOCKS_AHEAD):
        _bring_block(s, place)
    for number in range(_ROWS_AHEAD):
        _bring_row(s, number)
    for number in range(_POSITIONS_AHEAD):
        _bring_positions(s, number)


@kernel
def bring_block_after(s: Store, place: int) -> None:
    """Send for the block that comes some after the fired one at `place`."""
    _bring_block(s, place + _BLOCKS_AHEAD)


@kernel
def bring_member_after(s: Store, number: int) -> None:
    """Send for the members that come some after the one of this number, over all fired blocks."""
    _bring_row(s, number + _ROWS_AHEAD)
    _bring_positions(s, number + _POSITIONS_AHEAD)


@kernel
def _bring_block(s: Store, place: int) -> None:
    """Slots and triggers."""
    if place < s.watch.fired_count:
        block = fired_blocks(s)[place]
        slots = slots_of(s).at(block * BLOCK)
        prefetch(slots)
        prefetch(slots.at(BLOCK - 1))
        bring_triggers(s, block)


@kernel
def _bring_row(s: Store, number: int) -> None:
    account = _member(s, number)
    if account != NONE:
        prefetch(account_row(s, account))


@kernel
def _bring_positions(s: Store, number: int) -> None:
    account = _member(s, number)
    if account != NONE:
        bring_positions(s, account)


@kernel
def _member(s: Store, number: int) -> int:
    """The account of this number among the members of all fired blocks, or NONE."""
    place = number // BLOCK
    if place >= s.watch.fired_count:
        return NONE
    return slots_of(s)[fired_blocks(s)[place] * BLOCK + number % BLOCK] - 1
