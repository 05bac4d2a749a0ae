"""Payments: what an account earned and paid, worked out when somebody asks.

Interest follows from the shares that a movement left and the indices after the hours in which they
were held; so does what a deficit took from a lender. The payments of a position that has ended
sum to what it earned or cost, to the atom; a deficit is a settlement and no
payment.
"""

from collections.abc import Iterable
from typing import NamedTuple

from solvent.domain.units import HOUR, INDEX_SCALE, divide_up
from solvent.history.questions.pages import Questions, Where, integers, sequence_of
from solvent.history.tables.rows import (
    NEWEST,
    InterestPayment,
    Page,
    Paging,
    PaymentType,
    Settlement,
    SettlementSource,
)

_INTEREST = f"""(
    SELECT i.place, i.hour * {HOUR} AS time, i.asset, m.position, m.side AS payment,
        CASE WHEN m.side = 0 THEN i.borrow_rate ELSE i.lend_rate END AS rate,
        m.shares, m.place AS moved, i.previous, m.net, m.settled,
        CASE WHEN m.side = 0 THEN i.debt_previous ELSE i.lend_previous END AS index_before,
        CASE WHEN m.side = 0 THEN i.debt_after ELSE i.lend_after END AS index_after
    FROM movements m JOIN interest i ON i.asset = m.asset AND i.place > m.place
        AND i.place < m.until
    WHERE m.account = ? AND m.pays = 1 AND m.shares > 0
    UNION ALL
    SELECT m.place, m.time, m.asset, m.position, m.side, 0, 0, m.place,
        COALESCE((SELECT MAX(i.place) FROM interest i WHERE i.asset = m.asset
            AND i.place < m.place), -1),
        m.net, m.settled, 0, 0
    FROM movements m WHERE m.account = ? AND m.pays = 1 AND m.shares = 0 AND m.closing <> '0'
) AS payments"""
_SETTLEMENTS = f"""(
    SELECT place, time, source, asset, quantity, value, number, 0 AS shares, 0 AS index_before,
        0 AS index_after
    FROM settlements WHERE account = ?
    UNION ALL
    SELECT place, time, CASE WHEN kind = 0 THEN {SettlementSource.TRADING_FEES:d}
        ELSE {SettlementSource.TRADING_FEES_SYSTEM:d} END, 0, -fee, -fee, trade, 0, 0, 0
    FROM fills WHERE account = ? AND fee > 0
    UNION ALL
    SELECT l.place, l.time, {SettlementSource.SYSTEM_LIABILITY_TRANSFER:d}, l.asset, l.quantity,
        l.value, 0, m.shares, l.index_before, l.index_after
    FROM movements m JOIN losses l ON l.asset = m.asset AND l.place > m.place AND l.place < m.until
    WHERE m.account = ? AND m.pays = 1 AND m.shares > 0 AND m.side = 1
) AS settled"""


class Loss(NamedTuple):
    """What a deficit took from one claim."""

    position: int
    place: int
    quantity: int


class Payments(Questions):
    """Queries of what an account earned and paid."""

    def interest(
        self,
        account: int,
        *,
        asset: int | None = None,
        position: int | None = None,
        payment: PaymentType | None = None,
        paging: Paging = NEWEST,
    ) -> Page[InterestPayment]:
        """Interest paid and earned by the hour; nobody is charged an entry fee."""
        where = Where().equal("asset", asset).equal("position", position)
        where.equal("payment", payment)
        where.values[:0] = [account, account]
        columns = (
            "place, time, asset, position, payment, rate, shares, moved, previous, net, settled, "
            "index_before, index_after"
        )
        rows, total = self._read(columns, _INTEREST, where, "place payment", paging)
        losses = self._losses(account) if rows else []
        return Page([_payment(account, integers(row), losses) for row in rows], total)

    def _losses(self, account: int) -> list[Loss]:
        """What deficits took from the account's claims."""
        rows = self._database.fetch(
            "SELECT m.position, l.place, m.shares, l.index_before, l.index_after FROM movements m "
            "JOIN losses l ON l.asset = m.asset AND l.place > m.place AND l.place < m.until "
            "WHERE m.account = ? AND m.pays = 1 AND m.shares > 0 AND m.side = 1",
            [account],
        )
        numbers = [integers(row) for row in rows]
        return [Loss(row[0], row[1], _lost(*row[2:])) for row in numbers]

    def settlements(
        self,
        account: int,
        *,
        sources: Iterable[SettlementSource] | None = None,
        paging: Paging = NEWEST,
    ) -> Page[Settlement]:
        """Trading fees, what liquidations exchanged, and deficits."""
        where = Where().among("source", sources)
        where.values[:0] = [account, account, account]
        columns = (
            "place, time, source, asset, quantity, value, number, shares, index_before, index_after"
        )
        rows, total = self._read(columns, _SETTLEMENTS, where, "place", paging)
        return Page([_settlement(account, integers(row)) for row in rows], total)


def _payment(account: int, row: list[int], losses: list[Loss]) -> InterestPayment:
    """One payment; what deficits took in the meantime is a settlement and no interest."""
    place, time, asset, position, payment, rate, shares, moved, previous, net, settled, *index = row
    before, after = (_worth(payment, shares, each) - net for each in index)
    quantity = after - (before if moved < previous else settled)
    quantity += sum(
        loss.quantity
        for loss in losses
        if loss.position == position and previous < loss.place < place
    )
    kind = PaymentType(payment)
    return InterestPayment(sequence_of(place), time, account, asset, kind, position, quantity, rate)


def _worth(payment: int, shares: int, index: int) -> int:
    if payment == PaymentType.LEND:
        return shares * index // INDEX_SCALE
    return divide_up(shares * index, INDEX_SCALE)


def _lost(shares: int, before: int, after: int) -> int:
    return shares * before // INDEX_SCALE - shares * after // INDEX_SCALE


def _settlement(account: int, row: list[int]) -> Settlement:
    place, time, source, asset, quantity, value, number, shares, before, after = row
    if shares:
        lost = _lost(shares, before, after)
        quantity, value = -lost, -(lost * value // quantity) if quantity else 0
    kind = SettlementSource(source)
    return Settlement(sequence_of(place), time, account, kind, asset, quantity, value, number)
