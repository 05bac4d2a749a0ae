"""The store: all columns of one engine by name, as kernels see them.

globals     one row
rules       one row
assets, pools, prices
a row an asset
quotes      MAX_SOURCES rows an asset
accounts    a row an account
positions, commitments
a row an account and asset
orders, triggers
a row a slot
order_index a table from order ids to slots
books       LINES rows an asset: bids, asks, and what waits
levels      LEVEL_CAPACITY rows a line: its prices from worst to best
liquidating account ids in the waterfall
waiting     a row an account
providers   account ids of backstop providers, ascending
standbys    a row for each who stands by, the first to be called first
moved       a number a block of accounts: not 0 where positions changed, for copies
scratch     what kernels keep while they work
watch       what the margin watch knows; its head is a row
commands    a batch, a row a command, and in
ends        how many numbers of events there were after each
"""

from solvent.domain.codec.events import EVENT_KINDS
from solvent.engine.memory.rows import (
    Account,
    Asset,
    Book,
    CommandRow,
    Commitment,
    Entry,
    Globals,
    Level,
    Order,
    Pool,
    Position,
    Price,
    Quote,
    Rules,
    Standby,
    Trigger,
    Waiting,
    Watch,
)
from solvent.kernels.language import Root
from solvent.kernels.rows import Memory, Rows


class Store(Root):
    """All columns of one engine."""

    event_kinds = EVENT_KINDS

    globals: Globals
    rules: Rules
    assets: Rows[Asset]
    pools: Rows[Pool]
    prices: Rows[Price]
    quotes: Rows[Quote]
    accounts: Rows[Account]
    positions: Rows[Position]
    commitments: Rows[Commitment]
    orders: Rows[Order]
    triggers: Rows[Trigger]
    order_index: Rows[Entry]
    levels: Rows[Level]
    books: Rows[Book]
    liquidating: Memory
    waiting: Rows[Waiting]
    providers: Memory
    standbys: Rows[Standby]
    moved: Memory
    scratch: Memory
    watch: Watch
    commands: Rows[CommandRow]
    ends: Memory
