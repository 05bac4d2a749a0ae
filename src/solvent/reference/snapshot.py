"""Snapshots: the whole state as one row of 64-bit numbers, and back.

The row is a sequence of sections, each led by its length, in a fixed order; equal states give equal
bytes and the state hash is a hash of them. Parameters travel with the state, so a snapshot stands
alone. Resting orders are written in id order; books are rebuilt from price and id, which is what
price-time priority means.

Specification: section 10.
"""

import struct
from collections.abc import Iterator

from solvent.domain.codec.parameters import decode_parameters, encode_parameters
from solvent.domain.codec.snapshots import MAGIC, VERSION, SnapshotError, split_sections
from solvent.domain.commands import (
    PlaceOrder,
    Role,
    SelfTradePrevention,
    Side,
    TriggerBy,
    command_fields,
    make_command,
)
from solvent.reference.ledger import change_taken
from solvent.reference.orderbook.book import insert, wait
from solvent.reference.state import (
    POOL_NUMBERS,
    Account,
    Order,
    OrderBook,
    Pool,
    Price,
    Quote,
    Standby,
    State,
    Trigger,
)


def write_snapshot(state: State) -> bytes:
    """The whole state as little-endian signed 64-bit numbers."""
    row: list[int] = [MAGIC, VERSION]
    for section in _sections(state):
        row.append(len(section))
        row.extend(section)
    return struct.pack(f"<{len(row)}q", *row)


def _sections(state: State) -> Iterator[list[int]]:
    """The sections in their order; standbys and doubts where there is anything to say."""
    yield from (
        list(encode_parameters(state.parameters)),
        _globals(state),
        [number for pool in state.pools for number in _pool_row(pool)],
        [number for price in state.prices for number in _price_row(price)],
        [number for account in state.accounts for number in _account_row(account)],
        [number for account in sorted(state.liquidating) for number in _waiting(state, account)],
        [number for key in sorted(state.orders) for number in _order_row(state.orders[key])],
        list(_notices(state)),
        [number for key in sorted(state.triggers) for number in _trigger_row(state.triggers[key])],
    )
    doubts = any(state.doubtful) or any(state.taken)
    if state.standbys or state.next_swap > 1 or doubts:
        yield [state.next_swap, *_standby_rows(state)]
    if doubts:
        yield [*state.doubtful, *_taken_rows(state)]


def read_snapshot(data: bytes) -> State:
    """The state that `data` was written from. Raises SnapshotError."""
    if len(data) % 8:
        raise SnapshotError("a snapshot is a whole number of 8-byte words")
    row = struct.unpack(f"<{len(data) // 8}q", data)
    try:
        state = _rebuild(split_sections(row))
        if write_snapshot(state) != data:
            raise SnapshotError("the snapshot is damaged: it is not what its state would write")
    except (ArithmeticError, LookupError, RuntimeError, StopIteration, ValueError) as error:
        raise SnapshotError(f"the snapshot is damaged: {error}") from error
    return state


def _globals(state: State) -> list[int]:
    return [
        state.now,
        state.stirred,
        state.heard,
        int(state.asleep),
        state.next_order,
        state.next_trade,
        state.next_fill,
        state.next_round,
        state.next_booking,
        *state.external,
    ]


def _pool_row(pool: Pool) -> list[int]:
    return [getattr(pool, name) for name in POOL_NUMBERS]


def _price_row(price: Price) -> list[int]:
    row = [price.index, price.premium, price.mark, price.updated]
    row += [int(price.halted), int(price.stale)]
    row += [price.anchor, price.anchored, int(price.in_doubt), price.given, price.last]
    row.append(len(price.quotes))
    for quote in price.quotes:
        row += [quote.bid, quote.ask, quote.last, quote.time]
    return row


def _waiting(state: State, account: int) -> list[int]:
    holder = state.accounts[account]
    return [account, holder.attempted, holder.shortage]


def _notices(state: State) -> Iterator[int]:
    """Commitments that leave: account, asset, atoms and when, four numbers each."""
    for account, holder in enumerate(state.accounts):
        for asset, quantity in enumerate(holder.leaving):
            if quantity:
                yield from (account, asset, quantity, holder.leaves_at[asset])


def _standby_rows(state: State) -> Iterator[int]:
    """Who stands by: account, atoms posted, premium, atoms that leave and when."""
    for account, standby in sorted(state.standbys.items()):
        yield from (account, standby.posted, standby.premium, standby.leaving, standby.leaves_at)


def _taken_rows(state: State) -> Iterator[int]:
    """What was taken out of doubtful pools: account, asset and atoms."""
    for account, holder in enumerate(state.accounts):
        for asset, quantity in enumerate(holder.taken):
            if quantity:
                yield from (account, asset, quantity)


def _account_row(account: Account) -> list[int]:
    return [
        account.role,
        account.leverage_limit,
        int(account.auto_lend),
        int(account.auto_repay_borrows),
        int(account.auto_borrow_settlements),
        *account.available,
        *account.locked,
        *account.lent_shares,
        *account.debt_shares,
        *account.committed,
        *account.principal,
    ]


def _order_row(order: Order) -> list[int]:
    return [
        order.order,
        order.account,
        order.asset,
        order.side,
        order.price,
        order.quantity,
        order.locked,
        order.unfunded,
        int(order.reduce_only),
        int(order.auto_borrow),
        int(order.auto_borrow_repay),
        order.self_trade_prevention,
        order.client_id,
        order.quote_ahead,
        order.fee_ahead,
        order.place,
    ]


_ORDER_FIELDS = command_fields(PlaceOrder)


def _trigger_row(trigger: Trigger) -> list[int]:
    asked = [int(getattr(trigger.becomes, name)) for name in _ORDER_FIELDS]
    price = [trigger.trigger_price, trigger.trigger_by, int(trigger.rising)]
    return [trigger.order, *asked, *price]


_ORDER_WIDTH = 16
_TRIGGER_WIDTH = 1 + len(_ORDER_FIELDS) + 3
_WAITING_WIDTH = 3
_NOTICE_WIDTH = 4
_STANDBY_WIDTH = 5
_TAKEN_WIDTH = 3


def _rebuild(sections: list[list[int]]) -> State:
    parameters = decode_parameters(sections[0])
    count, width = len(parameters.assets), len(POOL_NUMBERS)
    now, stirred, heard, asleep, *counters = sections[1]
    next_order, next_trade, next_fill, next_round, next_booking, *outside = counters
    numbers = iter(sections[3])
    state = State(
        parameters=parameters,
        now=now,
        accounts=_read_accounts(sections[4], count),
        pools=[
            Pool(*sections[2][place : place + width]) for place in range(0, width * count, width)
        ],
        prices=[_read_price(numbers) for _ in range(count)],
        books=[OrderBook() for _ in range(count)],
        orders={},
        external=outside,
        doubtful=[0] * count,
        taken=[0] * count,
        stirred=stirred,
        heard=heard,
        asleep=bool(asleep),
        next_order=next_order,
        next_trade=next_trade,
        next_fill=next_fill,
        next_round=next_round,
        next_booking=next_booking,
    )
    for place in range(0, len(sections[5]), _WAITING_WIDTH):
        account, attempted, shortage = sections[5][place : place + _WAITING_WIDTH]
        state.liquidating.add(account)
        state.accounts[account].attempted = attempted
        state.accounts[account].shortage = shortage
    for place in range(0, len(sections[7]), _NOTICE_WIDTH):
        account, asset, quantity, time = sections[7][place : place + _NOTICE_WIDTH]
        state.accounts[account].leaving[asset] = quantity
        state.accounts[account].leaves_at[asset] = time
    for place in range(0, len(sections[6]), _ORDER_WIDTH):
        order = _read_order(sections[6][place : place + _ORDER_WIDTH])
        insert(state, order)
        paid = order.asset if order.side is Side.ASK else 0
        state.accounts[order.account].unfunded[paid] += order.unfunded
    for place in range(0, len(sections[8]), _TRIGGER_WIDTH):
        wait(state, _read_trigger(sections[8][place : place + _TRIGGER_WIDTH]))
    for section in sections[9:10]:
        _read_standbys(state, section)
    for section in sections[10:]:
        _read_doubts(state, section, count)
    return state


def _read_doubts(state: State, section: list[int], count: int) -> None:
    state.doubtful = section[:count]
    rows = section[count:]
    for place in range(0, len(rows), _TAKEN_WIDTH):
        account, asset, quantity = rows[place : place + _TAKEN_WIDTH]
        change_taken(state, account, asset, quantity)


def _read_standbys(state: State, section: list[int]) -> None:
    state.next_swap, *rows = section
    for place in range(0, len(rows), _STANDBY_WIDTH):
        account, posted, premium, leaving, leaves_at = rows[place : place + _STANDBY_WIDTH]
        state.standbys[account] = Standby(posted, premium, leaving, leaves_at)


def _read_trigger(row: list[int]) -> Trigger:
    order, *asked, price, by, rising = row
    becomes = make_command(PlaceOrder, dict(zip(_ORDER_FIELDS, asked, strict=True)))
    assert isinstance(becomes, PlaceOrder)
    return Trigger(order, becomes, price, TriggerBy(by), bool(rising))


def _read_price(numbers: Iterator[int]) -> Price:
    index, premium, mark, updated, halted, stale = (next(numbers) for _ in range(6))
    anchor, anchored, in_doubt, given, last, quotes = (next(numbers) for _ in range(6))
    return Price(
        quotes=[Quote(*(next(numbers) for _ in range(4))) for _ in range(quotes)],
        index=index,
        premium=premium,
        mark=mark,
        updated=updated,
        halted=bool(halted),
        stale=bool(stale),
        anchor=anchor,
        anchored=anchored,
        in_doubt=bool(in_doubt),
        given=given,
        last=last,
    )


def _read_accounts(section: list[int], count: int) -> list[Account]:
    width = 5 + 6 * count
    if len(section) % width:
        raise SnapshotError("the accounts section has a wrong length")
    accounts = []
    for start in range(0, len(section), width):
        role, leverage, lend, repay, settle = section[start : start + 5]
        columns = [
            section[start + 5 + count * column : start + 5 + count * (column + 1)]
            for column in range(6)
        ]
        accounts.append(
            Account(
                role=Role(role),
                available=columns[0],
                locked=columns[1],
                lent_shares=columns[2],
                debt_shares=columns[3],
                unfunded=[0] * count,
                committed=columns[4],
                leaving=[0] * count,
                leaves_at=[0] * count,
                principal=columns[5],
                taken=[0] * count,
                leverage_limit=leverage,
                auto_lend=bool(lend),
                auto_repay_borrows=bool(repay),
                auto_borrow_settlements=bool(settle),
            )
        )
    return accounts


def _read_order(row: list[int]) -> Order:
    return Order(
        order=row[0],
        account=row[1],
        asset=row[2],
        side=Side(row[3]),
        price=row[4],
        quantity=row[5],
        locked=row[6],
        unfunded=row[7],
        reduce_only=bool(row[8]),
        auto_borrow=bool(row[9]),
        auto_borrow_repay=bool(row[10]),
        self_trade_prevention=SelfTradePrevention(row[11]),
        client_id=row[12],
        quote_ahead=row[13],
        fee_ahead=row[14],
        place=row[15],
    )
