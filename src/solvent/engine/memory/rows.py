"""Rows: what the engine's columns hold, number by number. `store` says which columns there are.

The order of numbers inside a row is ours; snapshots have their own order (`columns`).
"""

from solvent.domain.commands import (
    COMMAND_WORDS,
    PlaceTrigger,
    Role,
    SelfTradePrevention,
    Side,
    command_fields,
)
from solvent.domain.parameters import MAX_CURVE_POINTS, MAX_SOURCES
from solvent.kernels.rows import Memory, Row, Rows, numbers, rows

COMMAND_WIDTH = 18
assert max(COMMAND_WORDS) <= COMMAND_WIDTH


class Globals(Row, width=64):
    """Clock, counters and counts; there is one row."""

    now: int
    stirred: int
    """The first interval for which all is as it is now."""
    heard: int
    """The first interval after the last command that was accepted."""
    asleep: int
    """Whether nothing happened since the last pass, which changed nothing."""
    next_order: int
    next_trade: int
    next_fill: int
    next_round: int
    next_booking: int
    assets: int
    """How many assets there are."""
    accounts: int
    """How many accounts there are."""
    orders: int
    """How many orders rest or wait."""
    waiting: int
    """How many of them wait."""
    printed: int
    """Assets, as bits, of which a price was made since triggers were looked at."""
    liquidating_count: int
    scratch_top: int
    """How much of `scratch` is taken."""
    largest: int
    """The largest amount that would have passed, of the refusal being made."""
    order_slots: int
    """Slots of `orders` ever used; those below it that are free form a list."""
    free_order: int
    """First free slot of `orders`, or NONE."""
    order_index_size: int
    """Places of the table from order ids to slots, a power of two."""
    level_capacity: int
    """Rows of `levels` that each side of a market has."""
    order_capacity: int
    account_capacity: int
    scratch_capacity: int
    batch_next: int
    """The next command of the batch to apply."""
    event_limit: int
    """A batch stops after the command that took the events past this many numbers."""
    provider_count: int
    notices: int
    """How many commitments of a provider and asset leave."""
    walks: int
    """How many walks through a book counted only makers that surely fill."""
    standby_count: int
    standby_capacity: int
    next_swap: int


class Rules(Row, width=32):
    """Waterfall and engine parameters; there is one row."""

    target_buffer: int
    book_fraction: int
    book_probability: int
    book_fee: int
    book_limit: int
    auto_close_divisor: int
    auto_close_offset: int
    max_discount: int
    fund_share: int
    stale_doubt: int
    opposites_fee: int
    lender_policy: int
    default_policy: int
    interval: int
    patience: int
    commitment_notice: int
    opposites: int
    tiers: int
    mark_limits: int
    maker_fee: int
    taker_fee: int
    max_leverage: int
    max_orders: int
    seed: int


class CurvePoint(Row):
    """A point of a borrow curve, both 10^-9."""

    utilization: int
    rate: int


class Asset(Row):
    """An asset's parameters."""

    decimals: int
    value_divisor: int
    """quantity * price / value_divisor = value in 10^-6 USDC."""
    fine_factor: int
    fine_divisor: int
    """quantity * price * fine_factor / fine_divisor = value in 10^-12 USDC; one of the two is 1."""
    unit: int
    """Atoms of one whole token: 10^decimals."""
    weight: int
    haircut_kind: int
    haircut_base: int
    haircut_penalty: int
    size_by: int
    initial_base: int
    initial_factor: int
    maintenance_base: int
    maintenance_factor: int
    pool_fee: int
    optimal_utilization: int
    max_utilization: int
    throttle_threshold: int
    throttle_update_fraction: int
    open_borrow_lend_limit: int
    pool_state: int
    tick: int
    lot: int
    min_quantity: int
    min_multiplier: int
    max_multiplier: int
    min_impact_multiplier: int
    max_impact_multiplier: int
    source_clamp: int
    mark_band: int
    ewma_time: int
    max_move: int
    max_age: int
    impact_notional: int
    move_time: int
    quorum: int
    """How many sources must be fresh for an index."""
    sources: int
    source_weights: Memory = numbers(MAX_SOURCES)
    curve_points: int
    """How many points the curve has."""
    curve: Rows[CurvePoint] = rows(CurvePoint, MAX_CURVE_POINTS)


class Pool(Row, width=32):
    """An asset's pool, as `reference.state` has it, and what of the asset is in the world."""

    cash: int
    lend_shares: int
    debt_shares: int
    lend_index: int
    debt_index: int
    fees: int
    residue: int
    bound: int
    deficit: int
    sink: int
    debt_base: int
    base_ahead: int
    accrued: int
    accrued_part: int
    owed_time: int
    apr: int
    interest: int
    interest_part: int
    hour_fee: int
    fee_part: int
    unpaid: int
    frozen: int
    impaired: int
    """The fraction of claims, 10^-18, that certain losses will take at the next booking."""
    external: int
    """Tokens in the world external: the negative of all that came in."""
    doubtful: int
    """The fraction of claims, 10^-9, that uncertain losses may take."""
    taken: int
    """Atoms that accounts took out while it was doubtful."""


class Price(Row, width=16):
    """An asset's index, premium, mark and staleness."""

    index: int
    premium: int
    mark: int
    updated: int
    halted: int
    stale: int
    anchor: int
    """The index from which the cap on moves is counted."""
    anchored: int
    """Since when it is counted from there."""
    in_doubt: int
    """Whether the cap holds the index back from what the quotes say."""
    given: int
    """What of a moment that is not over waits: nothing (0), a halt (1) or a quote (2)."""
    last: int
    """The price of the last trade."""


PRICE_ROW = 11
"""Numbers of a price that a snapshot has."""


class Quote(Row):
    """What a source last said of an asset; `time` is -1 before it said anything."""

    bid: int
    ask: int
    last: int
    time: int


class Account(Row, width=16):
    """An account's role and settings, which assets it has to do with, and its orders."""

    role: Role
    leverage_limit: int
    auto_lend: int
    auto_repay_borrows: int
    auto_borrow_settlements: int
    is_liquidating: int
    debts: int
    """Assets in which the account has debt shares, as bits."""
    held: int
    """Assets that the account may hold or owe, as bits; some may be set for what it had before."""
    unfundeds: int
    """Assets in which open orders would borrow, as bits."""
    first_order: int
    """Slot of the account's oldest order that rests or waits, or NONE."""
    last_order: int
    order_count: int
    last_walk: int
    """Number of the last walk through a book that counted an order of the account."""
    dirty_place: int
    """Its place in the watch's list of dirty accounts, from 1; 0 is none."""
    slot: int
    """Its slot in the watch's blocks, from 1; 0 is none."""


class Position(Row):
    """What an account has and owes of an asset; two rows lie in a cache line."""

    available: int
    locked: int
    lent_shares: int
    debt_shares: int


class Commitment(Row):
    """What an account has promised of an asset, which most never do."""

    unfunded: int
    """Atoms that open orders would borrow."""
    committed: int
    """Atoms of debts that a backstop provider offers to take over."""
    leaving: int
    """Of these, atoms that can be called until their notice is over."""
    leaves_at: int
    principal: int
    """Atoms of a debt that are no interest."""
    taken: int
    """Atoms that were redeemed while losses of the pool were uncertain."""


class Standby(Row):
    """What an account stands by with; rows are in the order in which they are called."""

    account: int
    posted: int
    """Atoms of USDC."""
    premium: int
    """10^-9 of what it takes over."""
    leaving: int
    """Of what is posted, atoms that are called until their notice is over."""
    leaves_at: int


class Waiting(Row):
    """Of an account that is liquidating: how long it waits for the book."""

    attempted: int
    """Interval of the book's last attempt, or in which the liquidation began."""
    shortage: int
    """What attempts since could not close, in 10^-9 of an attempt."""


class Order(Row, width=24):
    """A slot: an order that rests or waits, or, with an id of 0, a free one.

    One that waits has the price that it waits for, locks nothing, and is written whole in
    `triggers`. A snapshot has the first numbers of one that rests.
    """

    order: int
    account: int
    asset: int
    side: Side
    price: int
    quantity: int
    locked: int
    unfunded: int
    reduce_only: int
    auto_borrow: int
    auto_borrow_repay: int
    self_trade_prevention: SelfTradePrevention
    client_id: int
    quote_ahead: int
    """What a buyer paid beyond the exact sum of its fills, 1 / value_divisor atoms."""
    fee_ahead: int
    """What was charged beyond the exact fee on the sum of fills, 10^-9 atoms."""
    place: int
    """Its age: its id or, if it waited, the one that was next when it came to rest."""
    next: int
    """Slot of the next order at the same price, or of the next free slot."""
    previous: int
    account_next: int
    """Slot of the account's next younger order."""
    account_previous: int
    line: int
    """In which of its market's rows of levels it lies."""


ORDER_ROW = 16
"""Numbers of an order that a snapshot has."""


class Trigger(Row):
    """Of a slot whose order waits: the command that placed it, which begins like a PlaceOrder."""

    asked: Memory = numbers(len(command_fields(PlaceTrigger)))


class Book(Row, width=4):
    """One of a market's rows of levels."""

    level_count: int


class Level(Row, width=4):
    """A price of one of these rows and the orders at it."""

    price: int
    first: int
    """Slot of the oldest order at this price."""
    last: int


class Entry(Row):
    """Of the table from order ids to slots: an id (0: free) and its slot.

    The table is one of open addressing with linear probing.
    """

    order: int
    slot: int


class Watch(Row):
    """The head of the margin watch's column: counts, and where its sections begin: `watch.rows`."""

    built: int
    dirty_count: int
    slot_count: int
    """Slots given to accounts so far, also those that were left again."""
    slot_capacity: int
    blocks: int
    supers: int
    asked: int
    """How many accounts were asked since the column was built."""
    members: int
    """How many accounts got a slot when it was built."""
    rough: int
    """Assets, as bits, whose haircut rounds too coarsely to certify anything."""
    collateral_error: int
    requirement_error: int
    """How far roundings of haircuts and requirements can be off, in 10^-9 of what they round."""
    glance_shift: int
    """By how many bits weighted collateral is shifted to exceed the roundings of its haircut."""
    seen_doubt: int
    changed: int
    """Assets, as bits, of which anything changed since the watch before."""
    seen: int
    """Here begins, like after the next ones, what is as long as there are assets or accounts."""
    screen: int
    dirty: int
    slots: int
    """Here begins a number for each slot, of its account, from 1: see `watch.rows`."""
    triggers: int
    """A row of one trigger an asset for each block."""
    super_triggers: int
    """A row of one trigger a superblock for each asset."""
    is_fired: int
    fired: int
    fired_count: int


class CommandRow(Row):
    """A command of a batch: the number of its kind, and its fields."""

    kind: int
    fields: Memory = numbers(COMMAND_WIDTH - 1)


class Attempt(Row, width=12):
    """What a pass does with an account that it takes through the waterfall."""

    account: int
    book_reason: int
    """Why the book handed the account over, or NO_REASON."""
    backstop_reason: int
    """Why the backstop handed the account over, or NO_REASON."""
    stuck: int
    """Whether a pool had no cash for a claim and nothing else made up for it."""
    acted: int
    exhausted: int
    """Whether the book's patience is used up."""
    is_stuck_lender: int
    """Whether the account takes part in the rounds of ADL case L."""
    defaulted: int
    """Whether the account takes part in the rounds of ADL case B."""
    unsold: int
    """Whether the account takes part in the rounds of opposites."""
    received: int
    """Value (10^-6 USDC) that case L brought the account and that repaid nothing yet."""
