"""Columns: the memory of one engine, and its way from and to a snapshot.

Every column is a flat NumPy array of 64-bit integers; `layout` names what is where. Columns that
depend on how much there is (accounts, orders, price levels) are grown here, between batches and
never inside a kernel. Parameters are validated objects outside and plain rows inside;
`put_parameters` is the only way in.
"""

import struct

import numpy as np
import numpy.typing as npt

from solvent.domain.codec.parameters import decode_parameters, encode_parameters
from solvent.domain.codec.snapshots import MAGIC, SECTIONS, VERSION, SnapshotError
from solvent.domain.commands import Role
from solvent.domain.parameters import AssetParameters, EngineParameters
from solvent.domain.units import (
    FINE_DECIMALS,
    INDEX_SCALE,
    PRICE_DECIMALS,
    PRICE_SCALE,
    value_divisor,
)
from solvent.engine.memory import layout as at
from solvent.engine.memory.order_columns import read_orders
from solvent.engine.watch.rows import watch_words
from solvent.kernels.language import Memory, Store

Column = npt.NDArray[np.int64]

SCRATCH_WORDS = 1 << 16
"""Room for what kernels keep while they work: some rows of one number an asset."""
_LINE = 8
"""Numbers in a cache line."""
FIRST_ACCOUNTS = 64
FIRST_ORDERS = 64
_SNAPSHOT_POSITIONS = (at.AVAILABLE, at.LOCKED, at.LENT, at.DEBT)
_SNAPSHOT_COLUMNS = len(_SNAPSHOT_POSITIONS) + 1
"""What a snapshot has of each account and asset: the numbers above and the commitment."""
_SNAPSHOT_SETTINGS = 5
_POOL_NUMBERS = at.DEFICIT + 1


class Columns:
    """All columns of one engine by name, and the parameters in force."""

    def __init__(self, parameters: EngineParameters) -> None:
        count = len(parameters.assets)
        self.parameters = parameters
        self.by_name: dict[str, Column] = {
            "globals": _zeros(at.GLOBALS_WIDTH),
            "rules": _zeros(at.RULES_WIDTH),
            "assets": _zeros(count * at.ASSET_WIDTH),
            "pools": _zeros(count * at.POOL_WIDTH),
            "prices": _zeros(count * at.PRICE_WIDTH),
            "quotes": _zeros(count * at.QUOTES_PER_ASSET),
            "books": _zeros(2 * count * at.BOOK_WIDTH),
            "scratch": _zeros(SCRATCH_WORDS),
        }
        numbers = self["globals"]
        numbers[at.ASSETS] = count
        numbers[at.FREE_ORDER] = at.NONE
        numbers[at.SCRATCH_CAPACITY] = SCRATCH_WORDS
        self.put_parameters(parameters)
        self.grow_accounts(FIRST_ACCOUNTS)
        self.grow_orders(FIRST_ORDERS)

    def __getitem__(self, name: str) -> Column:
        return self.by_name[name]

    def table(self, name: str, width: int) -> Column:
        """A column as a table of rows `width` numbers wide."""
        return self.by_name[name].reshape(-1, width)

    def put_parameters(self, parameters: EngineParameters) -> None:
        """Write validated parameters into their rows."""
        self.parameters = parameters
        waterfall = parameters.waterfall
        rules = self["rules"]
        rules[: at.SEED + 1] = (
            waterfall.target_buffer,
            waterfall.book_fraction,
            waterfall.book_probability,
            waterfall.book_fee,
            waterfall.book_limit,
            waterfall.auto_close_divisor,
            waterfall.auto_close_offset,
            waterfall.max_discount,
            waterfall.fund_share,
            waterfall.stale_doubt,
            waterfall.lender_policy,
            waterfall.default_policy,
            parameters.maker_fee,
            parameters.taker_fee,
            parameters.max_leverage,
            parameters.max_orders_per_account,
            parameters.seed,
        )
        for row, asset in zip(self.table("assets", at.ASSET_WIDTH), parameters.assets, strict=True):
            row[:] = 0
            _put_asset(row, asset)

    def grow_accounts(self, count: int) -> None:
        """Make room for at least `count` accounts."""
        numbers = self["globals"]
        if count <= numbers[at.ACCOUNT_CAPACITY] and "accounts" in self.by_name:
            return
        capacity = max(count, 2 * int(numbers[at.ACCOUNT_CAPACITY]))
        assets = int(numbers[at.ASSETS])
        self._resize("accounts", capacity * at.ACCOUNT_WIDTH)
        self._resize("positions", capacity * assets * at.POSITION_WIDTH)
        self._resize("pledges", capacity * assets * at.PLEDGE_WIDTH)
        self._resize("liquidating", capacity)
        self._resize("providers", capacity)
        self.by_name["watch"] = _zeros(watch_words(capacity, assets))
        numbers[at.ACCOUNT_CAPACITY] = capacity

    def grow_orders(self, count: int) -> None:
        """Make room for at least `count` resting orders, on one side of one market if need be."""
        numbers = self["globals"]
        if count > numbers[at.ORDER_CAPACITY]:
            capacity = max(count, 2 * int(numbers[at.ORDER_CAPACITY]))
            self._resize("orders", capacity * at.ORDER_WIDTH)
            numbers[at.ORDER_CAPACITY] = capacity
            self.index_orders()
        fullest = int(self.table("books", at.BOOK_WIDTH)[:, at.LEVEL_COUNT].max())
        levels = fullest + count - int(numbers[at.ORDERS])
        if levels > numbers[at.LEVEL_CAPACITY]:
            self._grow_levels(max(levels, 2 * int(numbers[at.LEVEL_CAPACITY])), fullest)

    def index_orders(self) -> None:
        """Write the table from order ids to slots anew."""
        size = 1 << (2 * int(self["globals"][at.ORDER_CAPACITY]) - 1).bit_length()
        self["globals"][at.ORDER_INDEX_SIZE] = size
        self.by_name["order_index"] = _zeros(size * at.ENTRY_WIDTH)
        index = self.table("order_index", at.ENTRY_WIDTH)
        ids = self.table("orders", at.ORDER_WIDTH)[:, at.ORDER_ID]
        slots = np.flatnonzero(ids)
        blocks, within = np.divmod(ids[slots], at.INDEX_BLOCK)
        bits = 65 - (size // at.INDEX_BLOCK).bit_length()
        mixed = blocks.astype(np.uint64) * np.uint64(at.INDEX_FACTOR % 2**64) >> np.uint64(bits)
        places = mixed.astype(np.int64) * at.INDEX_BLOCK + within
        while len(slots):
            # The first to come to a free place has it; all others go on by one.
            free = np.flatnonzero(index[places, at.ENTRY_ORDER] == 0)
            first = free[np.unique(places[free], return_index=True)[1]]
            index[places[first], at.ENTRY_ORDER] = ids[slots[first]]
            index[places[first], at.ENTRY_SLOT] = slots[first]
            slots = np.delete(slots, first)
            places = np.delete(places, first) + 1 & size - 1

    def _grow_levels(self, capacity: int, fullest: int) -> None:
        """Make room for `capacity` levels a side, of which `fullest` at most are in use."""
        sides = 2 * int(self["globals"][at.ASSETS])
        levels = np.zeros((sides, capacity, at.LEVEL_WIDTH), dtype=np.int64)
        if fullest:
            old = self["levels"].reshape(sides, -1, at.LEVEL_WIDTH)
            levels[:, :fullest] = old[:, :fullest]
        self.by_name["levels"] = levels.reshape(-1)
        self["globals"][at.LEVEL_CAPACITY] = capacity

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


def _put_asset(row: Column, asset: AssetParameters) -> None:
    shift = asset.decimals + PRICE_DECIMALS - FINE_DECIMALS
    row[at.DECIMALS] = asset.decimals
    row[at.VALUE_DIVISOR] = value_divisor(asset.decimals)
    row[at.FINE_FACTOR] = 10 ** max(0, -shift)
    row[at.FINE_DIVISOR] = 10 ** max(0, shift)
    row[at.UNIT] = 10**asset.decimals
    haircut, pool, market, price = asset.haircut, asset.pool, asset.market, asset.price
    row[at.WEIGHT : at.SIZE_BY + 1] = (
        haircut.weight,
        haircut.kind,
        haircut.base,
        haircut.penalty,
        haircut.size_by,
    )
    row[at.INITIAL_BASE : at.MAINTENANCE_FACTOR + 1] = (
        asset.initial.base,
        asset.initial.factor,
        asset.maintenance.base,
        asset.maintenance.factor,
    )
    row[at.POOL_FEE : at.POOL_STATE + 1] = (
        pool.fee,
        pool.optimal_utilization,
        pool.max_utilization,
        pool.throttle_threshold,
        pool.throttle_update_fraction,
        pool.open_borrow_lend_limit,
        pool.state,
    )
    if market is not None:
        row[at.TICK : at.MAX_IMPACT_MULTIPLIER + 1] = (
            market.tick,
            market.lot,
            market.min_quantity,
            market.min_multiplier,
            market.max_multiplier,
            market.min_impact_multiplier,
            market.max_impact_multiplier,
        )
    row[at.SOURCE_CLAMP : at.MAX_AGE + 1] = (
        price.source_clamp,
        price.mark_band,
        price.ewma_time,
        price.max_move,
        price.max_age,
    )
    row[at.SOURCES] = len(price.source_weights)
    row[at.SOURCE_WEIGHTS : at.SOURCE_WEIGHTS + len(price.source_weights)] = price.source_weights
    points = pool.curve.points
    row[at.CURVE_POINTS] = len(points)
    row[at.CURVE : at.CURVE + 2 * len(points)] = [number for point in points for number in point]


def new_columns(parameters: EngineParameters) -> Columns:
    """The columns before the first command: the fund, the treasury, and empty pools."""
    columns = Columns(parameters)
    numbers = columns["globals"]
    numbers[at.NOW] = parameters.start_time
    for counter in (at.NEXT_ORDER, at.NEXT_TRADE, at.NEXT_FILL, at.NEXT_ROUND):
        numbers[counter] = 1
    for row, asset in zip(columns.table("pools", at.POOL_WIDTH), parameters.assets, strict=True):
        row[at.LEND_INDEX] = row[at.DEBT_INDEX] = INDEX_SCALE
        row[at.BOUND] = asset.pool.throttle_threshold
    prices = columns.table("prices", at.PRICE_WIDTH)
    prices[:, at.UPDATED] = -1
    prices[1:, at.STALE] = 1
    prices[0, (at.INDEX, at.MARK)] = PRICE_SCALE
    columns.table("quotes", at.QUOTE_WIDTH)[:, at.QUOTE_TIME] = -1
    numbers[at.ACCOUNTS] = 2
    accounts = columns.table("accounts", at.ACCOUNT_WIDTH)[:2]
    accounts[:, at.ROLE] = (2, 3)
    accounts[:, at.LEVERAGE_LIMIT] = parameters.max_leverage
    accounts[:, (at.FIRST_ORDER, at.LAST_ORDER)] = at.NONE
    return columns


def write_snapshot(columns: Columns) -> bytes:
    """The whole state in the common snapshot format."""
    numbers = columns["globals"]
    count = int(numbers[at.ASSETS])
    pools = columns.table("pools", at.POOL_WIDTH)
    accounts = int(numbers[at.ACCOUNTS])
    settings = columns.table("accounts", at.ACCOUNT_WIDTH)[:accounts, :_SNAPSHOT_SETTINGS]
    positions = columns["positions"].reshape(-1, count, at.POSITION_WIDTH)[:accounts]
    pledges = columns["pledges"].reshape(-1, count, at.PLEDGE_WIDTH)[:accounts]
    width = _SNAPSHOT_SETTINGS + _SNAPSHOT_COLUMNS * count
    account_rows = np.empty((accounts, width), dtype=np.int64)
    account_rows[:, :_SNAPSHOT_SETTINGS] = settings
    for place, number in enumerate(_SNAPSHOT_POSITIONS):
        start = _SNAPSHOT_SETTINGS + place * count
        account_rows[:, start : start + count] = positions[:, :, number]
    account_rows[:, width - count :] = pledges[:, :, at.COMMITTED]
    orders = columns.table("orders", at.ORDER_WIDTH)
    resting = orders[orders[:, at.ORDER_ID] > 0][:, : at.ORDER_ROW]
    sections: tuple[npt.ArrayLike, ...] = (
        encode_parameters(columns.parameters),
        np.concatenate((numbers[at.NOW : at.NEXT_ROUND + 1], pools[:, at.OUTSIDE])),
        pools[:, :_POOL_NUMBERS].reshape(-1),
        _price_rows(columns, count),
        account_rows.reshape(-1),
        np.sort(columns["liquidating"][: numbers[at.LIQUIDATING_COUNT]]),
        resting[np.argsort(resting[:, at.ORDER_ID])].reshape(-1),
    )
    parts = [np.array([MAGIC, VERSION], dtype="<i8")]
    for section in sections:
        row = np.asarray(section, dtype="<i8")
        parts += [np.array([len(row)], dtype="<i8"), row]
    return np.concatenate(parts).tobytes()


def _price_rows(columns: Columns, count: int) -> list[int]:
    prices = columns.table("prices", at.PRICE_WIDTH)
    quotes = columns["quotes"].reshape(count, -1, at.QUOTE_WIDTH)
    sources = columns.table("assets", at.ASSET_WIDTH)[:, at.SOURCES]
    rows: list[int] = []
    for asset in range(count):
        quoted = int(sources[asset]) if asset else 0
        rows += [*prices[asset, : at.STALE + 1].tolist(), quoted]
        rows += quotes[asset, :quoted].reshape(-1).tolist()
    return rows


def read_snapshot(data: bytes) -> Columns:
    """The columns that a snapshot was taken from. Raises SnapshotError on other bytes."""
    if len(data) % 8:
        raise SnapshotError("a snapshot is a whole number of 8-byte words")
    try:
        columns = _rebuild(_split(np.frombuffer(data, dtype="<i8")))
        damaged = write_snapshot(columns) != data
    except (ArithmeticError, LookupError, RuntimeError, ValueError, struct.error) as error:
        raise SnapshotError(f"the snapshot is damaged: {error}") from error
    if damaged:
        raise SnapshotError("the snapshot is damaged: it is not what its state would write")
    return columns


def _split(row: Column) -> list[Column]:
    if row[:2].tolist() != [MAGIC, VERSION]:
        raise SnapshotError("these bytes are no snapshot of this version")
    sections = []
    place = 2
    while place < len(row):
        length = int(row[place])
        section = row[place + 1 : place + 1 + length]
        if length < 0 or len(section) != length:
            raise SnapshotError("the snapshot is cut short")
        sections.append(section)
        place += 1 + length
    if len(sections) != SECTIONS:
        raise SnapshotError(f"the snapshot has {len(sections)} sections, not {SECTIONS}")
    return sections


def _rebuild(sections: list[Column]) -> Columns:
    columns = Columns(decode_parameters(sections[0].tolist()))
    numbers = columns["globals"]
    count = int(numbers[at.ASSETS])
    counters = at.NEXT_ROUND + 1
    numbers[at.NOW : counters] = sections[1][:counters]
    pools = columns.table("pools", at.POOL_WIDTH)
    pools[:, :_POOL_NUMBERS] = sections[2].reshape(count, _POOL_NUMBERS)
    pools[:, at.OUTSIDE] = sections[1][counters:]
    _read_prices(columns, sections[3].tolist())
    _read_accounts(columns, sections[4], count)
    liquidating = sections[5]
    numbers[at.LIQUIDATING_COUNT] = len(liquidating)
    columns["liquidating"][: len(liquidating)] = liquidating
    columns.table("accounts", at.ACCOUNT_WIDTH)[liquidating, at.IS_LIQUIDATING] = 1
    read_orders(columns, sections[6].reshape(-1, at.ORDER_ROW))
    return columns


def _read_prices(columns: Columns, numbers: list[int]) -> None:
    place = 0
    prices = columns.table("prices", at.PRICE_WIDTH)
    quotes = columns.table("quotes", at.QUOTES_PER_ASSET)
    quotes.reshape(-1, at.QUOTE_WIDTH)[:, at.QUOTE_TIME] = -1
    for asset in range(len(prices)):
        prices[asset, : at.STALE + 1] = numbers[place : place + at.STALE + 1]
        place += at.STALE + 1
        width = numbers[place] * at.QUOTE_WIDTH
        quotes[asset, :width] = numbers[place + 1 : place + 1 + width]
        place += 1 + width


def _read_accounts(columns: Columns, section: Column, count: int) -> None:
    width = _SNAPSHOT_SETTINGS + _SNAPSHOT_COLUMNS * count
    rows = section.reshape(-1, width)
    columns.grow_accounts(len(rows))
    columns["globals"][at.ACCOUNTS] = len(rows)
    accounts = columns.table("accounts", at.ACCOUNT_WIDTH)[: len(rows)]
    accounts[:, :_SNAPSHOT_SETTINGS] = rows[:, :_SNAPSHOT_SETTINGS]
    accounts[:, (at.FIRST_ORDER, at.LAST_ORDER)] = at.NONE
    providers = np.flatnonzero(accounts[:, at.ROLE] == Role.BACKSTOP_PROVIDER)
    columns["globals"][at.PROVIDER_COUNT] = len(providers)
    columns["providers"][: len(providers)] = providers
    positions = columns["positions"].reshape(-1, count, at.POSITION_WIDTH)[: len(rows)]
    for place, number in enumerate(_SNAPSHOT_POSITIONS):
        start = _SNAPSHOT_SETTINGS + place * count
        positions[:, :, number] = rows[:, start : start + count]
    pledges = columns["pledges"].reshape(-1, count, at.PLEDGE_WIDTH)[: len(rows)]
    pledges[:, :, at.COMMITTED] = rows[:, width - count :]
    bits = np.left_shift(1, np.arange(count, dtype=np.int64))
    accounts[:, at.DEBTS] = (positions[:, :, at.DEBT] != 0) @ bits
    accounts[:, at.HELD] = (positions != 0).any(axis=2) @ bits


def plain_store(columns: Columns) -> Store:
    """The columns as kernels see them when they run as plain Python."""
    store = Store()
    for name, column in columns.by_name.items():
        setattr(store, name, Memory(column.data))
    return store
