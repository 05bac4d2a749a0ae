"""The watch's column: where everything in it is, and the list of hot accounts.

An account is hot when it must be asked exactly: its mask says after a change of which assets, and
ALWAYS says at once. All others that owe something have a slot in a block of BLOCK, and the blocks
have triggers for each asset: the lowest mark and the highest price of debt at which every member is
certainly healthy, and the same over SUPER blocks. `certificates` says what is certain, `watch`
keeps it so. The column holds nothing that is not in the others: while BUILT is 0, as at the start
and after the column grew, the next watch makes it anew.
"""

from solvent.engine.memory.layout import ACCOUNT_WIDTH, SCREEN_WIDTH
from solvent.kernels.language import Memory, Store, allocate, kernel

BLOCK = 16
SUPER = 32
ALWAYS = -1
"""The mask of all assets."""

# In an account's row.
HOT_PLACE = 13
"""Its place in the list of hot accounts, from 1; 0 is none."""
SLOT = 14
"""Its slot, from 1; 0 is none."""

BUILT = 0
HOT_COUNT = 1
SLOT_COUNT = 2
"""Slots given to accounts so far, also those that were left again."""
SLOT_CAPACITY = 3
BLOCKS = 4
SUPERS = 5
ASKED = 6
"""How many accounts were asked since the column was built."""
MEMBERS = 7
"""How many accounts got a slot when it was built."""
ROUGH = 8
"""Assets, as bits, whose haircut rounds too coarsely to certify anything."""
COLLATERAL_ERROR = 9
REQUIREMENT_ERROR = 10
"""How far roundings of haircuts and requirements can be off, in 10^-9 of what they round."""
GLANCE_SHIFT = 11
"""By how many bits weighted collateral is shifted to exceed the roundings of its haircut."""
SEEN_DOUBT = 12
CHANGED = 13
"""Assets, as bits, of which anything changed since the watch before."""
SEEN = 14
"""Here begins, like after the next ones, what is as long as there are assets or accounts."""
SCREEN = 15
"""Rows of `scan`."""
HOT = 16
SLOTS = 17
"""A number for each slot: of its account, from 1. Triggers leave an account out while it is hot."""
TRIGGERS = 18
"""A row of one pair an asset for each block."""
SUPER_TRIGGERS = 19
"""A row of one pair a superblock for each asset."""
IS_FIRED = 20
FIRED = 21
FIRED_COUNT = 22
HEADER = 23

HOT_ACCOUNT = 0
HOT_MASK = 1
HOT_WIDTH = 2

LOW = 0
HIGH = 1
PAIR = 2

SEEN_PARAMETERS = 9
"""From the weight to the maintenance factor."""
SEEN_MARK = 0
SEEN_STALE = 1
SEEN_LEND_INDEX = 2
SEEN_DEBT_INDEX = 3
SEEN_FIRST_PARAMETER = 4
SEEN_WIDTH = SEEN_FIRST_PARAMETER + SEEN_PARAMETERS


@kernel
def lay_out(watch: Memory, capacity: int, assets: int) -> int:
    """Write where each section begins for so many accounts and assets; return where they end."""
    supers = capacity // (BLOCK * SUPER) + 1 + capacity // (4 * BLOCK * SUPER) + 1
    blocks = supers * SUPER
    watch[SLOT_CAPACITY] = blocks * BLOCK
    watch[BLOCKS] = blocks
    watch[SUPERS] = supers
    end = HEADER
    watch[SEEN] = end
    end += assets * SEEN_WIDTH
    watch[SCREEN] = end
    end += assets * SCREEN_WIDTH
    watch[HOT] = end
    end += capacity * HOT_WIDTH
    watch[SLOTS] = end
    end += blocks * BLOCK
    watch[TRIGGERS] = end
    end += blocks * assets * PAIR
    watch[SUPER_TRIGGERS] = end
    end += assets * supers * PAIR
    watch[IS_FIRED] = end
    end += blocks
    watch[FIRED] = end
    return end + blocks


def watch_words(capacity: int, assets: int) -> int:
    """How many numbers the column takes for so many accounts and assets."""
    return lay_out(allocate(HEADER), capacity, assets)


@kernel
def section(s: Store, which: int) -> Memory:
    """The rows that begin where the header's number `which` says."""
    return s.watch.at(s.watch[which])


@kernel
def seen_row(s: Store, asset: int) -> Memory:
    """What the last watch saw of `asset`."""
    return s.watch.at(s.watch[SEEN] + asset * SEEN_WIDTH)


@kernel
def hot_row(s: Store, place: int) -> Memory:
    """The hot account at a place, from 0."""
    return s.watch.at(s.watch[HOT] + place * HOT_WIDTH)


@kernel
def touched(s: Store, account: int) -> None:
    """Note that what `account` has or owes changed, or that it is marked no longer."""
    if s.watch[BUILT]:
        heat(s, account, ALWAYS)


@kernel
def heat(s: Store, account: int, mask: int) -> None:
    """Make `account` hot, to be asked after a change of an asset in `mask`."""
    holder = s.accounts.at(account * ACCOUNT_WIDTH)
    if holder[HOT_PLACE] == 0:
        s.watch[HOT_COUNT] += 1
        holder[HOT_PLACE] = s.watch[HOT_COUNT]
    row = hot_row(s, holder[HOT_PLACE] - 1)
    row[HOT_ACCOUNT] = account
    row[HOT_MASK] = mask


@kernel
def cool(s: Store, account: int) -> None:
    """Take a hot account off the list; the last takes its place."""
    holder = s.accounts.at(account * ACCOUNT_WIDTH)
    place = holder[HOT_PLACE]
    last = hot_row(s, s.watch[HOT_COUNT] - 1)
    row = hot_row(s, place - 1)
    row[HOT_ACCOUNT] = last[HOT_ACCOUNT]
    row[HOT_MASK] = last[HOT_MASK]
    s.accounts[last[HOT_ACCOUNT] * ACCOUNT_WIDTH + HOT_PLACE] = place
    holder[HOT_PLACE] = 0
    s.watch[HOT_COUNT] -= 1
