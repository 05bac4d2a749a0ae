"""An account's past: one method a history of the public API.

Each gives one page, newest first unless asked otherwise, and the number of all rows. `first` is
included and `end` is not; both are microseconds UTC. Questions see what was committed.
Interest and settlements are in `payments`.
"""

from collections.abc import Iterable

from solvent.domain.commands import OrderType, SelfTradePrevention, Side, TimeInForce, TriggerBy
from solvent.domain.labels import ExpiryReason, Source, SystemOrder
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import INDEX_SCALE, divide_up
from solvent.history.questions.pages import Where, integers, sequence_of
from solvent.history.questions.payments import Payments
from solvent.history.tables.database import Value
from solvent.history.tables.rows import (
    NEWEST,
    BorrowLendSide,
    DepositRow,
    DustRow,
    Fill,
    FillKind,
    Movement,
    MovementType,
    OrderRow,
    OrderStatus,
    Page,
    Paging,
    Position,
    StandbyRow,
    WithdrawalRow,
)
from solvent.history.tables.schema import FILLS, NEVER, ORDERS, PLACE_BITS

_POSITIONS = "positions JOIN pools ON pools.asset = positions.asset"
_POSITION_COLUMNS = (
    "id, account, positions.asset, side, source, opened_at, closed, closed_at, shares, added, "
    "removed, hours_before, rates_before, hours_after, rates_after, lend_index, debt_index, hours, "
    "borrow_rates, lend_rates"
)


class AccountHistory(Payments):
    """Queries of one account's past."""

    def movements(
        self,
        account: int,
        *,
        kind: MovementType | None = None,
        sources: Iterable[Source] | None = None,
        position: int | None = None,
        asset: int | None = None,
        paging: Paging = NEWEST,
    ) -> Page[Movement]:
        """Borrow-lend movements."""
        where = Where().equal("account", account).between("quantity", 1, None)
        where.equal("kind", kind).among("source", sources)
        where.equal("position", position).equal("asset", asset)
        columns = "place, time, account, asset, kind, source, quantity, position, held, order_id"
        rows, total = self._read(columns, "movements", where, "place", paging)
        return Page([_movement(integers(row)) for row in rows], total)

    def positions(
        self,
        account: int,
        *,
        asset: int | None = None,
        side: BorrowLendSide | None = None,
        is_open: bool | None = None,
        paging: Paging = NEWEST,
    ) -> Page[Position]:
        """Claims and debts from beginning to end, in the order in which they began."""
        where = Where().equal("account", account).equal("positions.asset", asset)
        where.equal("side", side)
        if is_open is not None:
            where.between("closed", NEVER if is_open else None, None if is_open else NEVER)
        rows, total = self._read(_POSITION_COLUMNS, _POSITIONS, where, "id", paging)
        return Page([_position(integers(row)) for row in rows], total)

    def deposits(
        self,
        account: int,
        *,
        first: int | None = None,
        end: int | None = None,
        paging: Paging = NEWEST,
    ) -> Page[DepositRow]:
        """Tokens that came in."""
        where = Where().equal("account", account).between("time", first, end)
        columns = "place, time, account, asset, quantity"
        rows, total = self._read(columns, "deposits", where, "place", paging)
        return Page([DepositRow(sequence_of(row[0]), *integers(row[1:])) for row in rows], total)

    def standbys(self, account: int, *, paging: Paging = NEWEST) -> Page[StandbyRow]:
        """What it stood by with: each change, whether its own, a swap's or a notice's."""
        where = Where().equal("account", account)
        columns = "place, time, account, posted, premium, leaving, leaves_at"
        rows, total = self._read(columns, "standbys", where, "place", paging)
        return Page([StandbyRow(sequence_of(row[0]), *integers(row[1:])) for row in rows], total)

    def withdrawals(
        self,
        account: int,
        *,
        sequence: int | None = None,
        client_id: str | None = None,
        first: int | None = None,
        end: int | None = None,
        paging: Paging = NEWEST,
    ) -> Page[WithdrawalRow]:
        """Tokens that left, with what the client said of it."""
        where = Where().equal("account", account).equal("client_id", client_id)
        where.between("time", first, end)
        _of_command(where, sequence)
        columns = "place, time, account, asset, quantity, client_id, address, blockchain"
        rows, total = self._read(columns, "withdrawals", where, "place", paging)
        return Page([_withdrawal(row) for row in rows], total)

    def dust(
        self,
        account: int,
        *,
        sequence: int | None = None,
        asset: int | None = None,
        paging: Paging = NEWEST,
    ) -> Page[DustRow]:
        """Dust that was converted."""
        where = Where().equal("account", account).equal("asset", asset)
        _of_command(where, sequence)
        columns = "place, time, account, asset, quantity, received"
        rows, total = self._read(columns, "dust", where, "place", paging)
        return Page([DustRow(sequence_of(row[0]), *integers(row[1:])) for row in rows], total)

    def orders(
        self,
        account: int,
        *,
        order: int | None = None,
        asset: int | None = None,
        statuses: Iterable[OrderStatus] | None = None,
        paging: Paging = NEWEST,
    ) -> Page[OrderRow]:
        """Orders of the account and of the liquidation engine for it."""
        where = Where().equal("account", account).equal("id", order).equal("asset", asset)
        where.among("status", statuses)
        columns = (
            "id, place, time, account, asset, side, order_type, time_in_force, price, quantity, "
            "quote_quantity, post_only, reduce_only, self_trade_prevention, client_id, system, "
            "executed, executed_quote, status, trigger_price, trigger_by, refused, refused_limit, "
            "reason"
        )
        known = self._of_owner(ORDERS, account, where)
        rows, total = self._read(columns, "orders", where, "id", paging, known)
        return Page([_order(integers(row)) for row in rows], total)

    def fills(
        self,
        account: int,
        *,
        order: int | None = None,
        asset: int | None = None,
        kinds: Iterable[FillKind] | None = None,
        first: int | None = None,
        end: int | None = None,
        paging: Paging = NEWEST,
    ) -> Page[Fill]:
        """Fills of the account, those of the waterfall among them."""
        where = Where().equal("account", account).equal("order_id", order).equal("asset", asset)
        where.among("kind", kinds).between("time", first, end)
        columns = (
            "place, time, account, asset, order_id, trade, side, price, quantity, quote, fee, "
            "maker, kind, number, part, client_id"
        )
        known = self._of_owner(FILLS, account, where)
        rows, total = self._read(columns, "fills", where, "place", paging, known)
        return Page([_fill(integers(row)) for row in rows], total)


def _of_command(where: Where, sequence: int | None) -> None:
    if sequence is not None:
        where.between("place", _first_place(sequence), _first_place(sequence + 1))


def _first_place(sequence: int) -> int:
    return sequence << PLACE_BITS


def _movement(row: list[int]) -> Movement:
    place, time, account, asset, kind, source, *rest = row
    labels = MovementType(kind), Source(source)
    return Movement(sequence_of(place), time, account, asset, *labels, *rest)


def _position(row: list[int]) -> Position:
    number, account, asset, side, source, opened_at, closed, closed_at, *rest = row
    shares, added, removed, hours, rates, hours_after, rates_after, *pool = rest
    lend_index, debt_index, hours_now, borrow_rates, lend_rates = pool
    quantity = divide_up(shares * debt_index, INDEX_SCALE)
    if side == BorrowLendSide.LEND:
        quantity = shares * lend_index // INDEX_SCALE
    is_open = closed == NEVER
    if is_open:
        hours_after = hours_now
        rates_after = lend_rates if side == BorrowLendSide.LEND else borrow_rates
    charged = hours_after - hours
    return Position(
        position=number,
        account=account,
        asset=asset,
        side=BorrowLendSide(side),
        source=Source(source),
        opened_at=opened_at,
        closed_at=None if is_open else closed_at,
        quantity=quantity,
        added=added,
        removed=removed,
        interest=quantity + removed - added,
        rate=(rates_after - rates) // charged if charged else 0,
    )


def _withdrawal(row: list[Value]) -> WithdrawalRow:
    time, account, asset, quantity = integers(row[1:5])
    client_id, address, blockchain = (str(value) for value in row[5:])
    return WithdrawalRow(
        sequence=sequence_of(row[0]),
        time=time,
        account=account,
        asset=asset,
        quantity=quantity,
        client_id=client_id,
        address=address,
        blockchain=blockchain,
    )


def _order(row: list[int]) -> OrderRow:
    order, place, time, account, asset, side, kind, force, *rest = row
    price, quantity, quote, post_only, reduce_only, prevention, client_id, system, *now = rest
    executed, executed_quote, status, trigger_price, trigger_by, refused, limit, reason = now
    return OrderRow(
        order=order,
        sequence=sequence_of(place),
        time=time,
        account=account,
        asset=asset,
        side=Side(side),
        order_type=OrderType(kind),
        time_in_force=TimeInForce(force),
        price=price,
        quantity=quantity,
        quote_quantity=quote,
        post_only=bool(post_only),
        reduce_only=bool(reduce_only),
        self_trade_prevention=SelfTradePrevention(prevention),
        client_id=client_id,
        system=SystemOrder(system),
        executed=executed,
        executed_quote=executed_quote,
        status=OrderStatus(status),
        trigger_price=trigger_price,
        trigger_by=TriggerBy(trigger_by),
        refused=RejectionCode(refused) if refused else None,
        limit=Limit(limit),
        reason=ExpiryReason(reason) if reason else None,
    )


def _fill(row: list[int]) -> Fill:
    place, time, account, asset, order, trade, side, *rest = row
    price, quantity, quote, fee, maker, kind, number, part, client_id = rest
    return Fill(
        sequence=sequence_of(place),
        time=time,
        account=account,
        asset=asset,
        order=order,
        trade=trade,
        side=Side(side),
        price=price,
        quantity=quantity,
        quote=quote,
        fee=fee,
        is_maker=bool(maker),
        kind=FillKind(kind),
        number=number,
        part=part,
        client_id=client_id,
    )
