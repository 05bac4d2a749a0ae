"""Snapshots of columns: the whole state in the common format, and columns made of it again."""

import struct

import numpy as np
import numpy.typing as npt

from solvent.domain.codec.parameters import decode_parameters, encode_parameters
from solvent.domain.codec.snapshots import MAGIC, MOST_SECTIONS, SECTIONS, VERSION, SnapshotError
from solvent.domain.commands import Role
from solvent.domain.parameters import MAX_SOURCES
from solvent.engine.memory.columns import Column, Columns
from solvent.engine.memory.layout import FIRST_WAITING, NONE
from solvent.engine.memory.order_columns import TRIGGER_ROW, read_orders
from solvent.engine.memory.rows import (
    ORDER_ROW,
    PRICE_ROW,
    Account,
    Asset,
    Commitment,
    Globals,
    Order,
    Pool,
    Position,
    Price,
    Quote,
    Standby,
    Trigger,
    Waiting,
)

_SNAPSHOT_POSITIONS = (
    Position.available,
    Position.locked,
    Position.lent_shares,
    Position.debt_shares,
)
_SNAPSHOT_COMMITMENTS = (Commitment.committed, Commitment.principal)
_SNAPSHOT_COLUMNS = len(_SNAPSHOT_POSITIONS) + len(_SNAPSHOT_COMMITMENTS)
"""What a snapshot has of each account and asset: the numbers above."""
_SNAPSHOT_SETTINGS = 5
_NOTICE_NUMBERS = 4
_TAKEN_NUMBERS = 3
_POOL_NUMBERS = Pool.impaired + 1


def write_snapshot(columns: Columns) -> bytes:
    """The whole state in the common snapshot format."""
    numbers = columns["globals"]
    count = int(numbers[Globals.assets])
    pools = columns.table("pools", Pool.WIDTH)
    accounts = int(numbers[Globals.accounts])
    settings = columns.table("accounts", Account.WIDTH)[:accounts, :_SNAPSHOT_SETTINGS]
    positions = columns["positions"].reshape(-1, count, Position.WIDTH)[:accounts]
    commitments = columns["commitments"].reshape(-1, count, Commitment.WIDTH)[:accounts]
    width = _SNAPSHOT_SETTINGS + _SNAPSHOT_COLUMNS * count
    account_rows = np.empty((accounts, width), dtype=np.int64)
    account_rows[:, :_SNAPSHOT_SETTINGS] = settings
    for place, number in enumerate(_SNAPSHOT_POSITIONS):
        start = _SNAPSHOT_SETTINGS + place * count
        account_rows[:, start : start + count] = positions[:, :, number]
    for place, number in enumerate(_SNAPSHOT_COMMITMENTS, len(_SNAPSHOT_POSITIONS)):
        start = _SNAPSHOT_SETTINGS + place * count
        account_rows[:, start : start + count] = commitments[:, :, number]
    orders = columns.table("orders", Order.WIDTH)
    rests = (orders[:, Order.order] > 0) & (orders[:, Order.line] < FIRST_WAITING)
    resting = orders[rests][:, :ORDER_ROW]
    sections: tuple[npt.ArrayLike, ...] = (
        encode_parameters(columns.parameters),
        np.concatenate((numbers[Globals.now : Globals.next_booking + 1], pools[:, Pool.external])),
        pools[:, :_POOL_NUMBERS].reshape(-1),
        _price_rows(columns, count),
        account_rows.reshape(-1),
        _waiting_rows(columns).reshape(-1),
        resting[np.argsort(resting[:, Order.order])].reshape(-1),
        _notice_rows(commitments).reshape(-1),
        _trigger_rows(columns).reshape(-1),
        *_standby_section(columns),
    )
    doubts = _doubts_section(pools, commitments)
    if doubts:
        sections = *sections[:SECTIONS], _standby_row(columns), *doubts
    parts = [np.array([MAGIC, VERSION], dtype="<i8")]
    for section in sections:
        row = np.asarray(section, dtype="<i8")
        parts += [np.array([len(row)], dtype="<i8"), row]
    return np.concatenate(parts).tobytes()


def _waiting_rows(columns: Columns) -> Column:
    """Accounts in liquidation, in order, and how long they wait."""
    count = columns["globals"][Globals.liquidating_count]
    accounts = np.sort(columns["liquidating"][:count])
    return np.column_stack((accounts, columns.table("waiting", Waiting.WIDTH)[accounts]))


def _notice_rows(commitments: Column) -> Column:
    """Commitments that leave: account, asset, atoms and when."""
    accounts, assets = np.nonzero(commitments[:, :, Commitment.leaving])
    leaving = commitments[accounts, assets]
    times = leaving[:, Commitment.leaves_at]
    return np.column_stack((accounts, assets, leaving[:, Commitment.leaving], times))


def _standby_section(columns: Columns) -> list[Column]:
    """The number of the next swap and who stands by, by account, where there is anything to say."""
    numbers = columns["globals"]
    if not numbers[Globals.standby_count] and numbers[Globals.next_swap] == 1:
        return []
    return [_standby_row(columns)]


def _standby_row(columns: Columns) -> Column:
    numbers = columns["globals"]
    count, next_swap = numbers[Globals.standby_count], numbers[Globals.next_swap]
    rows = columns.table("standbys", Standby.WIDTH)[:count]
    rows = rows[np.argsort(rows[:, Standby.account])]
    return np.concatenate(([next_swap], rows.reshape(-1)))


def _doubts_section(pools: Column, commitments: Column) -> list[Column]:
    """Fractions of claims that are doubtful, and what was taken: account, asset and atoms."""
    doubtful = pools[:, Pool.doubtful]
    if not (doubtful.any() or pools[:, Pool.taken].any()):
        return []
    accounts, assets = np.nonzero(commitments[:, :, Commitment.taken])
    taken = commitments[accounts, assets, Commitment.taken]
    return [np.concatenate((doubtful, np.column_stack((accounts, assets, taken)).reshape(-1)))]


def _trigger_rows(columns: Columns) -> Column:
    """Waiting orders by id: the id, the command that placed it, whether it waits for a rise."""
    orders = columns.table("orders", Order.WIDTH)
    waits = (orders[:, Order.order] > 0) & (orders[:, Order.line] >= FIRST_WAITING)
    slots = np.flatnonzero(waits)
    slots = slots[np.argsort(orders[slots, Order.order])]
    asked = columns.table("triggers", Trigger.WIDTH)[slots]
    return np.column_stack((orders[slots, Order.order], asked, orders[slots, Order.line] % 2))


def _price_rows(columns: Columns, count: int) -> list[int]:
    prices = columns.table("prices", Price.WIDTH)
    quotes = columns["quotes"].reshape(count, -1, Quote.WIDTH)
    sources = columns.table("assets", Asset.WIDTH)[:, Asset.sources]
    rows: list[int] = []
    for asset in range(count):
        quoted = int(sources[asset]) if asset else 0
        rows += [*prices[asset, :PRICE_ROW].tolist(), quoted]
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
    if not SECTIONS <= len(sections) <= MOST_SECTIONS:
        raise SnapshotError(f"the snapshot has {len(sections)} sections, not {SECTIONS}")
    return sections


def _rebuild(sections: list[Column]) -> Columns:
    columns = Columns(decode_parameters(sections[0].tolist()))
    numbers = columns["globals"]
    count = int(numbers[Globals.assets])
    counters = Globals.next_booking + 1
    numbers[Globals.now : counters] = sections[1][:counters]
    pools = columns.table("pools", Pool.WIDTH)
    pools[:, :_POOL_NUMBERS] = sections[2].reshape(count, _POOL_NUMBERS)
    pools[:, Pool.external] = sections[1][counters:]
    _read_prices(columns, sections[3].tolist())
    _read_accounts(columns, sections[4], count)
    _read_waiting(columns, sections[5].reshape(-1, 1 + Waiting.WIDTH))
    read_orders(
        columns,
        sections[6].reshape(-1, ORDER_ROW),
        sections[8].reshape(-1, TRIGGER_ROW),
    )
    _read_notices(columns, sections[7].reshape(-1, _NOTICE_NUMBERS), count)
    for section in sections[SECTIONS : SECTIONS + 1]:
        _read_standbys(columns, section)
    for section in sections[SECTIONS + 1 :]:
        _read_doubts(columns, section, count)
    return columns


def _read_standbys(columns: Columns, section: Column) -> None:
    numbers = columns["globals"]
    numbers[Globals.next_swap] = section[0]
    rows = section[1:].reshape(-1, Standby.WIDTH)
    rows = rows[np.lexsort((rows[:, Standby.account], rows[:, Standby.premium]))]
    columns.grow_standbys(len(rows))
    columns.table("standbys", Standby.WIDTH)[: len(rows)] = rows
    numbers[Globals.standby_count] = len(rows)


def _read_doubts(columns: Columns, section: Column, count: int) -> None:
    pools = columns.table("pools", Pool.WIDTH)
    pools[:, Pool.doubtful] = section[:count]
    accounts, assets, taken = section[count:].reshape(-1, _TAKEN_NUMBERS).T
    commitments = columns["commitments"].reshape(-1, count, Commitment.WIDTH)
    commitments[accounts, assets, Commitment.taken] = taken
    np.add.at(pools[:, Pool.taken], assets, taken)


def _read_waiting(columns: Columns, rows: Column) -> None:
    liquidating = rows[:, 0]
    columns["globals"][Globals.liquidating_count] = len(liquidating)
    columns["liquidating"][: len(liquidating)] = liquidating
    columns.table("waiting", Waiting.WIDTH)[liquidating] = rows[:, 1:]
    columns.table("accounts", Account.WIDTH)[liquidating, Account.is_liquidating] = 1


def _read_notices(columns: Columns, rows: Column, count: int) -> None:
    accounts, assets = rows[:, 0], rows[:, 1]
    commitments = columns["commitments"].reshape(-1, count, Commitment.WIDTH)
    commitments[accounts, assets, Commitment.leaving] = rows[:, 2]
    commitments[accounts, assets, Commitment.leaves_at] = rows[:, 3]
    columns["globals"][Globals.notices] = len(rows)


def _read_prices(columns: Columns, numbers: list[int]) -> None:
    place = 0
    prices = columns.table("prices", Price.WIDTH)
    quotes = columns.table("quotes", MAX_SOURCES * Quote.WIDTH)
    quotes.reshape(-1, Quote.WIDTH)[:, Quote.time] = -1
    for asset in range(len(prices)):
        prices[asset, :PRICE_ROW] = numbers[place : place + PRICE_ROW]
        place += PRICE_ROW
        width = numbers[place] * Quote.WIDTH
        quotes[asset, :width] = numbers[place + 1 : place + 1 + width]
        place += 1 + width


def _read_accounts(columns: Columns, section: Column, count: int) -> None:
    width = _SNAPSHOT_SETTINGS + _SNAPSHOT_COLUMNS * count
    rows = section.reshape(-1, width)
    columns.grow_accounts(len(rows))
    columns["globals"][Globals.accounts] = len(rows)
    accounts = columns.table("accounts", Account.WIDTH)[: len(rows)]
    accounts[:, :_SNAPSHOT_SETTINGS] = rows[:, :_SNAPSHOT_SETTINGS]
    accounts[:, (Account.first_order, Account.last_order)] = NONE
    providers = np.flatnonzero(accounts[:, Account.role] == Role.BACKSTOP_PROVIDER)
    columns["globals"][Globals.provider_count] = len(providers)
    columns["providers"][: len(providers)] = providers
    positions = columns["positions"].reshape(-1, count, Position.WIDTH)[: len(rows)]
    for place, number in enumerate(_SNAPSHOT_POSITIONS):
        start = _SNAPSHOT_SETTINGS + place * count
        positions[:, :, number] = rows[:, start : start + count]
    commitments = columns["commitments"].reshape(-1, count, Commitment.WIDTH)[: len(rows)]
    for place, number in enumerate(_SNAPSHOT_COMMITMENTS, len(_SNAPSHOT_POSITIONS)):
        start = _SNAPSHOT_SETTINGS + place * count
        commitments[:, :, number] = rows[:, start : start + count]
    bits = np.left_shift(1, np.arange(count, dtype=np.int64))
    accounts[:, Account.debts] = (positions[:, :, Position.debt_shares] != 0) @ bits
    accounts[:, Account.held] = (positions != 0).any(axis=2) @ bits
