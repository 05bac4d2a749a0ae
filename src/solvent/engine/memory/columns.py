"""Columns: the memory of one engine.

Every column is a flat NumPy array of 64-bit integers; `rows` names what is where. Columns that
depend on how much there is (accounts, orders, price levels) are grown here, between batches and
never inside a kernel. Parameters are validated objects outside and plain rows inside;
`put_parameters` is the only way in.
"""

import numpy as np
import numpy.typing as npt

from solvent.domain.parameters import (
    MAX_SOURCES,
    AssetParameters,
    EngineParameters,
    MarketParameters,
    PoolParameters,
    PriceParameters,
)
from solvent.domain.units import (
    FINE_DECIMALS,
    INDEX_SCALE,
    PRICE_DECIMALS,
    PRICE_SCALE,
    value_divisor,
)
from solvent.engine.memory.layout import COPIED, INDEX_BLOCK, INDEX_FACTOR, LINES, NONE, UNSET
from solvent.engine.memory.rows import (
    Account,
    Asset,
    Book,
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
)
from solvent.engine.memory.store import Store
from solvent.engine.watch.rows import watch_words
from solvent.kernels.rows import Rows
from solvent.kernels.shapes import column_of, column_types

Column = npt.NDArray[np.int64]

SCRATCH_WORDS = 1 << 16
"""Room for what kernels keep while they work: some rows of one number an asset."""
_LINE = 8
"""Numbers in a cache line."""
FIRST_ACCOUNTS = 64
FIRST_ORDERS = 64
FIRST_STANDBYS = 8


class Columns:
    """All columns of one engine by name, and the parameters in force."""

    def __init__(self, parameters: EngineParameters) -> None:
        count = len(parameters.assets)
        self.parameters = parameters
        self.by_name: dict[str, Column] = {
            "globals": _zeros(Globals.WIDTH),
            "rules": _zeros(Rules.WIDTH),
            "assets": _zeros(count * Asset.WIDTH),
            "pools": _zeros(count * Pool.WIDTH),
            "prices": _zeros(count * Price.WIDTH),
            "quotes": _zeros(count * MAX_SOURCES * Quote.WIDTH),
            "books": _zeros(LINES * count * Book.WIDTH),
            "scratch": _zeros(SCRATCH_WORDS),
        }
        numbers = self["globals"]
        numbers[Globals.assets] = count
        numbers[Globals.free_order] = NONE
        numbers[Globals.next_swap] = 1
        numbers[Globals.scratch_capacity] = SCRATCH_WORDS
        self.put_parameters(parameters)
        self.grow_accounts(FIRST_ACCOUNTS)
        self.grow_orders(FIRST_ORDERS)
        self.grow_standbys(FIRST_STANDBYS)

    def __getitem__(self, name: str) -> Column:
        return self.by_name[name]

    def table(self, name: str, width: int) -> Column:
        """A column as a table of rows `width` numbers wide."""
        return self.by_name[name].reshape(-1, width)

    def put_parameters(self, parameters: EngineParameters) -> None:
        """Write validated parameters into their rows."""
        self.parameters = parameters
        waterfall = parameters.waterfall
        rules = Rules(self["rules"].data)
        rules.target_buffer = waterfall.target_buffer
        rules.book_fraction = waterfall.book_fraction
        rules.book_probability = waterfall.book_probability
        rules.book_fee = waterfall.book_fee
        rules.book_limit = waterfall.book_limit
        rules.auto_close_divisor = waterfall.auto_close_divisor
        rules.auto_close_offset = waterfall.auto_close_offset
        rules.max_discount = waterfall.max_discount
        rules.fund_share = waterfall.fund_share
        rules.stale_doubt = waterfall.stale_doubt
        rules.opposites_fee = waterfall.opposites_fee
        rules.lender_policy = waterfall.lender_policy
        rules.default_policy = waterfall.default_policy
        rules.interval = waterfall.interval
        rules.patience = waterfall.patience
        rules.commitment_notice = waterfall.commitment_notice
        rules.opposites = waterfall.opposites
        rules.tiers = waterfall.tiers
        rules.mark_limits = waterfall.mark_limits
        rules.maker_fee = parameters.maker_fee
        rules.taker_fee = parameters.taker_fee
        rules.max_leverage = parameters.max_leverage
        rules.max_orders = parameters.max_orders_per_account
        rules.seed = parameters.seed
        self["assets"][:] = 0
        rows = Rows(Asset, self["assets"].data)
        for number, asset in enumerate(parameters.assets):
            _put_asset(rows[number], asset)

    def grow_accounts(self, count: int) -> None:
        """Make room for at least `count` accounts."""
        numbers = self["globals"]
        if count <= numbers[Globals.account_capacity] and "accounts" in self.by_name:
            return
        capacity = max(count, 2 * int(numbers[Globals.account_capacity]))
        assets = int(numbers[Globals.assets])
        self._resize("accounts", capacity * Account.WIDTH)
        self._resize("positions", capacity * assets * Position.WIDTH)
        self._resize("commitments", capacity * assets * Commitment.WIDTH)
        self._resize("liquidating", capacity)
        self._resize("waiting", capacity * Waiting.WIDTH)
        self._resize("providers", capacity)
        self._resize("moved", capacity // COPIED + 1)
        self.by_name["watch"] = _zeros(watch_words(capacity, assets))
        numbers[Globals.account_capacity] = capacity

    def grow_orders(self, count: int) -> None:
        """Make room for `count` orders that rest or wait, on one side of one market if need be."""
        numbers = self["globals"]
        if count > numbers[Globals.order_capacity]:
            capacity = max(count, 2 * int(numbers[Globals.order_capacity]))
            self._resize("orders", capacity * Order.WIDTH)
            self._resize("triggers", capacity * Trigger.WIDTH)
            numbers[Globals.order_capacity] = capacity
            self.index_orders()
        fullest = int(self.table("books", Book.WIDTH)[:, Book.level_count].max())
        # Those that wait may all come to rest without another command.
        levels = fullest + count - int(numbers[Globals.orders] - numbers[Globals.waiting])
        if levels > numbers[Globals.level_capacity]:
            self._grow_levels(max(levels, 2 * int(numbers[Globals.level_capacity])), fullest)

    def grow_standbys(self, count: int) -> None:
        """Make room for `count` accounts that stand by."""
        numbers = self["globals"]
        if count > numbers[Globals.standby_capacity]:
            capacity = max(count, 2 * int(numbers[Globals.standby_capacity]))
            self._resize("standbys", capacity * Standby.WIDTH)
            numbers[Globals.standby_capacity] = capacity

    def index_orders(self) -> None:
        """Write the table from order ids to slots anew."""
        size = 1 << (2 * int(self["globals"][Globals.order_capacity]) - 1).bit_length()
        self["globals"][Globals.order_index_size] = size
        self.by_name["order_index"] = _zeros(size * Entry.WIDTH)
        index = self.table("order_index", Entry.WIDTH)
        ids = self.table("orders", Order.WIDTH)[:, Order.order]
        slots = np.flatnonzero(ids)
        blocks, within = np.divmod(ids[slots], INDEX_BLOCK)
        bits = 65 - (size // INDEX_BLOCK).bit_length()
        mixed = blocks.astype(np.uint64) * np.uint64(INDEX_FACTOR % 2**64) >> np.uint64(bits)
        places = mixed.astype(np.int64) * INDEX_BLOCK + within
        while len(slots):
            # The first to come to a free place has it; all others go on by one.
            free = np.flatnonzero(index[places, Entry.order] == 0)
            first = free[np.unique(places[free], return_index=True)[1]]
            index[places[first], Entry.order] = ids[slots[first]]
            index[places[first], Entry.slot] = slots[first]
            slots = np.delete(slots, first)
            places = np.delete(places, first) + 1 & size - 1

    def _grow_levels(self, capacity: int, fullest: int) -> None:
        """Make room for `capacity` levels a line, of which `fullest` at most are in use."""
        lines = LINES * int(self["globals"][Globals.assets])
        levels = np.zeros((lines, capacity, Level.WIDTH), dtype=np.int64)
        if fullest:
            old = self["levels"].reshape(lines, -1, Level.WIDTH)
            levels[:, :fullest] = old[:, :fullest]
        self.by_name["levels"] = levels.reshape(-1)
        self["globals"][Globals.level_capacity] = capacity

    def _resize(self, name: str, size: int) -> None:
        column = _zeros(size)
        if name in self.by_name:
            old = self.by_name[name]
            column[: len(old)] = old
        self.by_name[name] = column


def _zeros(count: int) -> Column:
    """Zeros that begin with a cache line, so that no row takes more lines than it must."""
    whole = np.zeros(count + _LINE, dtype=np.int64)
    start = -whole.ctypes.data // whole.itemsize % _LINE
    return whole[start : start + count]


def _put_asset(row: Asset, asset: AssetParameters) -> None:
    shift = asset.decimals + PRICE_DECIMALS - FINE_DECIMALS
    row.decimals = asset.decimals
    row.value_divisor = value_divisor(asset.decimals)
    row.fine_factor = 10 ** max(0, -shift)
    row.fine_divisor = 10 ** max(0, shift)
    row.unit = 10**asset.decimals
    row.weight = asset.haircut.weight
    row.haircut_kind = asset.haircut.kind
    row.haircut_base = asset.haircut.base
    row.haircut_penalty = asset.haircut.penalty
    row.size_by = asset.haircut.size_by
    row.initial_base = asset.initial.base
    row.initial_factor = asset.initial.factor
    row.maintenance_base = asset.maintenance.base
    row.maintenance_factor = asset.maintenance.factor
    _put_pool(row, asset.pool)
    if asset.market is not None:
        _put_market(row, asset.market)
    _put_price(row, asset.price)


def _put_pool(row: Asset, pool: PoolParameters) -> None:
    row.pool_fee = pool.fee
    row.optimal_utilization = pool.optimal_utilization
    row.max_utilization = pool.max_utilization
    row.throttle_threshold = pool.throttle_threshold
    row.throttle_update_fraction = pool.throttle_update_fraction
    row.open_borrow_lend_limit = pool.open_borrow_lend_limit
    row.pool_state = pool.state
    row.curve_points = len(pool.curve.points)
    for number, (utilization, rate) in enumerate(pool.curve.points):
        row.curve[number].utilization = utilization
        row.curve[number].rate = rate


def _put_market(row: Asset, market: MarketParameters) -> None:
    row.tick = market.tick
    row.lot = market.lot
    row.min_quantity = market.min_quantity
    row.min_multiplier = market.min_multiplier
    row.max_multiplier = market.max_multiplier
    row.min_impact_multiplier = market.min_impact_multiplier
    row.max_impact_multiplier = market.max_impact_multiplier


def _put_price(row: Asset, price: PriceParameters) -> None:
    row.source_clamp = price.source_clamp
    row.mark_band = price.mark_band
    row.ewma_time = price.ewma_time
    row.max_move = price.max_move
    row.max_age = price.max_age
    row.impact_notional = price.impact_notional
    row.move_time = price.move_time
    row.quorum = price.quorum
    row.sources = len(price.source_weights)
    for number, weight in enumerate(price.source_weights):
        row.source_weights[number] = weight


def new_columns(parameters: EngineParameters) -> Columns:
    """The columns before the first command: the fund, the treasury, and empty pools."""
    columns = Columns(parameters)
    numbers = columns["globals"]
    numbers[Globals.now] = parameters.start_time
    numbers[Globals.next_order : Globals.next_booking + 1] = 1
    for row, asset in zip(columns.table("pools", Pool.WIDTH), parameters.assets, strict=True):
        row[[Pool.lend_index, Pool.debt_index, Pool.debt_base]] = INDEX_SCALE
        row[Pool.apr] = UNSET
        row[Pool.bound] = asset.pool.throttle_threshold
    prices = columns.table("prices", Price.WIDTH)
    prices[:, Price.updated] = -1
    prices[1:, Price.stale] = 1
    prices[0, (Price.index, Price.mark)] = PRICE_SCALE
    columns.table("quotes", Quote.WIDTH)[:, Quote.time] = -1
    numbers[Globals.accounts] = 2
    accounts = columns.table("accounts", Account.WIDTH)[:2]
    accounts[:, Account.role] = (2, 3)
    accounts[:, Account.leverage_limit] = parameters.max_leverage
    accounts[:, (Account.first_order, Account.last_order)] = NONE
    return columns


def plain_store(columns: Columns) -> Store:
    """The columns as kernels see them when they run as plain Python."""
    store = Store()
    for name, kind in column_types(Store).items():
        if name in columns.by_name:
            setattr(store, name, column_of(kind, columns[name].data))
    return store
