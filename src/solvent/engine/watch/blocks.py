"""Blocks of the watch: triggers of 16 accounts, and of 32 such blocks.

A trigger is a pair of numbers for one asset: the block fires when the asset's mark is below the low
one or its price of debt above the high one. A superblock's pair is the tightest of its blocks', so
that a change of one price is held against few numbers before it finds what it fires.
"""

from solvent.domain.units import INT64_MAX
from solvent.engine.memory.store import Store
from solvent.engine.watch.rows import (
    BLOCK,
    SUPER,
    Trigger,
    block_trigger,
    fired_blocks,
    fired_flags,
    super_trigger,
)
from solvent.kernels.language import kernel, prefetch


@kernel
def empty_blocks(s: Store) -> None:
    """Let no block fire for anything, and none have fired."""
    for block in range(s.watch.blocks):
        fired_flags(s)[block] = 0
        for asset in range(s.globals.assets):
            _open(block_trigger(s, block, asset))
    for number in range(s.watch.supers):
        for asset in range(s.globals.assets):
            _open(super_trigger(s, number, asset))
    s.watch.fired_count = 0


@kernel
def _open(pair: Trigger) -> None:
    pair.low = 0
    pair.high = INT64_MAX


@kernel
def tighten_low(s: Store, block: int, asset: int, low: int) -> None:
    """Let a block fire below a mark of `low` at the latest."""
    pair = block_trigger(s, block, asset)
    if low > pair.low:
        pair.low = low
        outer = super_trigger(s, block // SUPER, asset)
        outer.low = max(outer.low, low)


@kernel
def tighten_high(s: Store, block: int, asset: int, high: int) -> None:
    """Let a block fire above a price of debt of `high` at the latest."""
    pair = block_trigger(s, block, asset)
    if high < pair.high:
        pair.high = high
        outer = super_trigger(s, block // SUPER, asset)
        outer.high = min(outer.high, high)


@kernel
def bring_triggers(s: Store, block: int) -> None:
    """Have the triggers of a block brought near."""
    for asset in range(s.globals.assets):
        prefetch(block_trigger(s, block, asset))


@kernel
def clear_triggers(s: Store, block: int) -> None:
    """Let a block fire for nothing; superblocks that fired for its sake get their pairs anew."""
    for asset in range(s.globals.assets):
        pair = block_trigger(s, block, asset)
        outer = super_trigger(s, block // SUPER, asset)
        tightest = pair.low == outer.low or pair.high == outer.high
        unused = pair.low == 0 and pair.high == INT64_MAX
        _open(pair)
        if tightest and not unused:
            _fold(s, block // SUPER, asset, outer)


@kernel
def _fold(s: Store, number: int, asset: int, outer: Trigger) -> None:
    """Write the tightest of a superblock's pairs."""
    low = 0
    high = INT64_MAX
    for block in range(number * SUPER, number * SUPER + SUPER):
        pair = block_trigger(s, block, asset)
        low = max(low, pair.low)
        high = min(high, pair.high)
    outer.low = low
    outer.high = high


@kernel
def fire_passed(s: Store, asset: int, low: int, high: int) -> None:
    """Fire every block with a trigger in `asset` that a mark or a price of debt passes."""
    size = BLOCK * SUPER
    for number in range((s.watch.slot_count + size - 1) // size):
        if _is_passed(super_trigger(s, number, asset), low, high):
            for block in range(number * SUPER, number * SUPER + SUPER):
                if _is_passed(block_trigger(s, block, asset), low, high):
                    fire(s, block)


@kernel
def _is_passed(pair: Trigger, low: int, high: int) -> bool:
    return low < pair.low or high > pair.high


@kernel
def fire(s: Store, block: int) -> None:
    """Let the members of a block be asked in this watch."""
    flags = fired_flags(s)
    if flags[block] == 0:
        flags[block] = 1
        fired_blocks(s)[s.watch.fired_count] = block
        s.watch.fired_count += 1
