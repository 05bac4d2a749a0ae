"""The watch's column: where everything in it is, and the list of dirty accounts.

An account is dirty when it must be asked exactly: its mask says after a change of which assets, and
ALWAYS says at once. All others that owe something have a slot in a block of BLOCK, and the blocks
have triggers for each asset: the lowest mark and the highest price of debt at which every member is
certainly healthy, and the same over SUPER blocks. `certificates` says what is certain, `watch`
keeps it so. The column holds nothing that is not in the others: while `built` is 0, as at the start
and after the column grew, the next watch makes it anew.
"""

from solvent.engine.memory.rows import Watch
from solvent.engine.memory.store import Store
from solvent.kernels.language import allocate, copy_row, kernel, numbers_of, row_in, rows_in
from solvent.kernels.rows import Memory, Row, Rows

BLOCK = 16
SUPER = 32
ALWAYS = -1
"""The mask of all assets."""


class Dirty(Row):
    """A dirty account, and the assets, as bits, after a change of which it must be asked."""

    account: int
    mask: int


class Trigger(Row):
    """The lowest mark and the highest price of debt at which a block does not fire."""

    low: int
    high: int


class Seen(Row):
    """What the last watch saw of an asset: its mark, its indices, its parameters of risk."""

    mark: int
    stale: int
    lend_index: int
    debt_index: int
    weight: int
    haircut_kind: int
    haircut_base: int
    haircut_penalty: int
    size_by: int
    initial_base: int
    initial_factor: int
    maintenance_base: int
    maintenance_factor: int


class Bound(Row):
    """The largest number that a bound is good for, the value of one, and the shift of a product."""

    largest: int
    factor: int
    shift: int


class Screen(Row, width=16):
    """Bounds on what an asset's balances, claims and debts count for, and what rounding may cost.

    `scan` says how they are reckoned.
    """

    balance: Bound
    claim: Bound
    debt: Bound
    slack: int


@kernel
def lay_out(watch: Watch, capacity: int, assets: int) -> int:
    """Write where each section begins for so many accounts and assets; return where they end."""
    supers = capacity // (BLOCK * SUPER) + 1 + capacity // (4 * BLOCK * SUPER) + 1
    blocks = supers * SUPER
    watch.slot_capacity = blocks * BLOCK
    watch.blocks = blocks
    watch.supers = supers
    end = Watch.WIDTH
    watch.seen = end
    end += assets * Seen.WIDTH
    watch.screen = end
    end += assets * Screen.WIDTH
    watch.dirty = end
    end += capacity * Dirty.WIDTH
    watch.slots = end
    end += blocks * BLOCK
    watch.triggers = end
    end += blocks * assets * Trigger.WIDTH
    watch.super_triggers = end
    end += assets * supers * Trigger.WIDTH
    watch.is_fired = end
    end += blocks
    watch.fired = end
    return end + blocks


def watch_words(capacity: int, assets: int) -> int:
    """How many numbers the column takes for so many accounts and assets."""
    return lay_out(row_in(Watch, allocate(Watch.WIDTH)), capacity, assets)


@kernel
def _section(s: Store, start: int) -> Memory:
    """The numbers of the column from `start` on, as its head has it."""
    return numbers_of(s.watch).at(start)


@kernel
def seen_row(s: Store, asset: int) -> Seen:
    """What the last watch saw of `asset`."""
    return rows_in(Seen, _section(s, s.watch.seen))[asset]


@kernel
def screen_rows(s: Store) -> Rows[Screen]:
    """Bounds by asset."""
    return rows_in(Screen, _section(s, s.watch.screen))


@kernel
def dirty_row(s: Store, place: int) -> Dirty:
    """The dirty account at a place, from 0."""
    return rows_in(Dirty, _section(s, s.watch.dirty))[place]


@kernel
def slots_of(s: Store) -> Memory:
    """Of each slot: its account, from 1. Triggers leave an account out while it is dirty."""
    return _section(s, s.watch.slots)


@kernel
def block_trigger(s: Store, block: int, asset: int) -> Trigger:
    """The trigger of a block in an asset."""
    triggers = rows_in(Trigger, _section(s, s.watch.triggers))
    return triggers[block * s.globals.assets + asset]


@kernel
def super_trigger(s: Store, number: int, asset: int) -> Trigger:
    """The trigger of a superblock in an asset."""
    triggers = rows_in(Trigger, _section(s, s.watch.super_triggers))
    return triggers[asset * s.watch.supers + number]


@kernel
def fired_flags(s: Store) -> Memory:
    """Of each block, whether it fired."""
    return _section(s, s.watch.is_fired)


@kernel
def fired_blocks(s: Store) -> Memory:
    """The blocks that fired."""
    return _section(s, s.watch.fired)


@kernel
def touched(s: Store, account: int) -> None:
    """Note that what `account` has or owes changed, or that it is marked no longer."""
    if s.watch.built:
        heat(s, account, ALWAYS)


@kernel
def heat(s: Store, account: int, mask: int) -> None:
    """Make `account` dirty, to be asked after a change of an asset in `mask`."""
    holder = s.accounts[account]
    if holder.dirty_place == 0:
        s.watch.dirty_count += 1
        holder.dirty_place = s.watch.dirty_count
    row = dirty_row(s, holder.dirty_place - 1)
    row.account = account
    row.mask = mask


@kernel
def clean(s: Store, account: int) -> None:
    """Take a dirty account off the list; the last takes its place."""
    holder = s.accounts[account]
    place = holder.dirty_place
    last = dirty_row(s, s.watch.dirty_count - 1)
    copy_row(last, dirty_row(s, place - 1))
    s.accounts[last.account].dirty_place = place
    holder.dirty_place = 0
    s.watch.dirty_count -= 1
