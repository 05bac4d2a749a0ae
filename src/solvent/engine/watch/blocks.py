"""Blocks of the watch: triggers of 16 accounts, and of 32 such blocks.

A trigger is a pair of numbers for one asset: the block fires when the asset's mark is below LOW or
its price of debt above HIGH. A superblock's pair is the tightest of its blocks', so that a change
of one price is held against few numbers before it finds what it fires.
"""

from solvent.domain.units import INT64_MAX
from solvent.engine.memory.layout import ASSETS
from solvent.engine.watch.rows import (
    BLOCK,
    BLOCKS,
    FIRED,
    FIRED_COUNT,
    HIGH,
    IS_FIRED,
    LOW,
    PAIR,
    SLOT_COUNT,
    SUPER,
    SUPER_TRIGGERS,
    SUPERS,
    TRIGGERS,
    section,
)
from solvent.kernels.language import Memory, Store, kernel, prefetch


@kernel
def _trigger(s: Store, block: int, asset: int) -> Memory:
    return section(s, TRIGGERS).at((block * s.globals[ASSETS] + asset) * PAIR)


@kernel
def _super_trigger(s: Store, number: int, asset: int) -> Memory:
    return section(s, SUPER_TRIGGERS).at((asset * s.watch[SUPERS] + number) * PAIR)


@kernel
def empty_blocks(s: Store) -> None:
    """Let no block fire for anything, and none have fired."""
    for block in range(s.watch[BLOCKS]):
        section(s, IS_FIRED)[block] = 0
        for asset in range(s.globals[ASSETS]):
            _open(_trigger(s, block, asset))
    for number in range(s.watch[SUPERS]):
        for asset in range(s.globals[ASSETS]):
            _open(_super_trigger(s, number, asset))
    s.watch[FIRED_COUNT] = 0


@kernel
def _open(pair: Memory) -> None:
    pair[LOW] = 0
    pair[HIGH] = INT64_MAX


@kernel
def tighten_low(s: Store, block: int, asset: int, low: int) -> None:
    """Let a block fire below a mark of `low` at the latest."""
    pair = _trigger(s, block, asset)
    if low > pair[LOW]:
        pair[LOW] = low
        outer = _super_trigger(s, block // SUPER, asset)
        outer[LOW] = max(outer[LOW], low)


@kernel
def tighten_high(s: Store, block: int, asset: int, high: int) -> None:
    """Let a block fire above a price of debt of `high` at the latest."""
    pair = _trigger(s, block, asset)
    if high < pair[HIGH]:
        pair[HIGH] = high
        outer = _super_trigger(s, block // SUPER, asset)
        outer[HIGH] = min(outer[HIGH], high)


@kernel
def bring_triggers(s: Store, block: int) -> None:
    """Have the triggers of a block brought near."""
    for asset in range(s.globals[ASSETS]):
        prefetch(_trigger(s, block, asset))


@kernel
def clear_triggers(s: Store, block: int) -> None:
    """Let a block fire for nothing; superblocks that fired for its sake get their pairs anew."""
    for asset in range(s.globals[ASSETS]):
        pair = _trigger(s, block, asset)
        outer = _super_trigger(s, block // SUPER, asset)
        tightest = pair[LOW] == outer[LOW] or pair[HIGH] == outer[HIGH]
        unused = pair[LOW] == 0 and pair[HIGH] == INT64_MAX
        _open(pair)
        if tightest and not unused:
            _fold(s, block // SUPER, asset, outer)


@kernel
def _fold(s: Store, number: int, asset: int, outer: Memory) -> None:
    """Write the tightest of a superblock's pairs."""
    low = 0
    high = INT64_MAX
    for block in range(number * SUPER, number * SUPER + SUPER):
        pair = _trigger(s, block, asset)
        low = max(low, pair[LOW])
        high = min(high, pair[HIGH])
    outer[LOW] = low
    outer[HIGH] = high


@kernel
def fire_passed(s: Store, asset: int, low: int, high: int) -> None:
    """Fire every block with a trigger in `asset` that a mark or a price of debt passes."""
    size = BLOCK * SUPER
    for number in range((s.watch[SLOT_COUNT] + size - 1) // size):
        if _is_passed(_super_trigger(s, number, asset), low, high):
            for block in range(number * SUPER, number * SUPER + SUPER):
                if _is_passed(_trigger(s, block, asset), low, high):
                    fire(s, block)


@kernel
def _is_passed(pair: Memory, low: int, high: int) -> bool:
    return low < pair[LOW] or high > pair[HIGH]


@kernel
def fire(s: Store, block: int) -> None:
    """Let the members of a block be asked in this watch."""
    flags = section(s, IS_FIRED)
    if flags[block] == 0:
        flags[block] = 1
        section(s, FIRED)[s.watch[FIRED_COUNT]] = block
        s.watch[FIRED_COUNT] += 1
