"""Events of a booking, turned into the lines of its receipt, and back.

The builder does it with the engine's events, the verifier with those of its own recomputation, so
that both come to the same words. Told as events again, a receipt is judged as events are.
"""

from collections.abc import Iterator

from solvent.domain import waterfall_events as w
from solvent.domain.labels import Stage
from solvent.domain.settlements import Booking
from solvent.receipts.form import (
    BookedLine,
    BookingReceipt,
    FundLine,
    PoolLossLine,
    Reserves,
    WriteOffLine,
)
from solvent.receipts.lines import AFTER, BEFORE, Words, parties


def reserve_lines(booking: Booking, words: Words, rates: list[int]) -> tuple[Reserves, ...]:
    """What could bear each pool's loss; `rates` are the pools' fees on interest, by asset."""
    return tuple(
        Reserves(
            asset=words.symbols[event.asset],
            rate=rates[event.asset],
            fees=event.fees,
            residue=event.residue,
            treasury=event.treasury,
            fund=event.fund,
        )
        for event in booking.reserves
    )


def booked_lines(booking: Booking, words: Words) -> tuple[BookedLine, ...]:
    """The accounts of a booking, in order."""
    return tuple(
        _booked_line(booking, words, place, event) for place, event in enumerate(booking.accounts)
    )


def _booked_line(booking: Booking, words: Words, place: int, event: w.BookedAccount) -> BookedLine:
    (before,) = parties(booking.parties[place], words, BEFORE)
    (after,) = parties(booking.parties[place], words, AFTER)
    return BookedLine(
        account=words.account(event.account),
        round=event.round,
        assets_value=event.assets_value,
        debts_value=event.debts_value,
        shortfall=event.shortfall,
        fund=event.fund,
        loss=event.loss,
        payments=tuple(
            FundLine(words.symbols[paid.asset], paid.quantity, paid.value)
            for paid in booking.paid[event.account]
        ),
        written=tuple(
            WriteOffLine(
                asset=words.symbols[written.asset],
                quantity=written.quantity,
                value=written.value,
                debt_shares=written.debt_shares,
                principal=written.principal,
                interest=written.interest,
                dust=bool(written.dust),
            )
            for written in booking.written[event.account]
        ),
        before=before,
        after=after,
    )


def pool_loss_lines(booking: Booking, words: Words) -> tuple[PoolLossLine, ...]:
    """The pools that lost something, in order."""
    return tuple(
        PoolLossLine(
            asset=words.symbols[event.asset],
            claims=event.claims,
            loss=event.loss,
            value=event.value,
            fees=event.fees,
            treasury=event.treasury,
            residue=event.residue,
            lenders=event.lenders,
            fraction=event.fraction,
            lend_index=event.lend_index,
            restarted=bool(event.restarted),
        )
        for event in booking.downs
    )


def told(receipt: BookingReceipt) -> Booking:
    """The events that a receipt was made of, but for the balances and health of accounts."""
    places = {terms.symbol: place for place, terms in enumerate(receipt.assets)}
    number = receipt.booking
    booking = Booking(
        w.BookingOpened(
            booking=number,
            accounts=len(receipt.accounts),
            rounds=receipt.rounds,
            shortfall=receipt.shortfall,
            fund_value=receipt.fund_value,
            paid=receipt.paid,
        )
    )
    events = (*_pools(receipt), *_accounts(receipt, places), *_downs(receipt, places))
    for event in events:
        booking.take(event)
    return booking


def _pools(receipt: BookingReceipt) -> Iterator[w.PoolRecorded | w.ReservesRecorded]:
    for place, terms in enumerate(receipt.assets):
        yield w.PoolRecorded(
            stage=Stage.DEFICIT,
            number=receipt.booking,
            asset=place,
            mark=terms.mark,
            stale=int(terms.stale),
            lend_shares=terms.lend_shares,
            lend_index=terms.lend_index,
            debt_shares=terms.debt_shares,
            debt_index=terms.debt_index,
            bound=0,
        )
    for place, each in enumerate(receipt.reserves):
        sums = each.fees, each.residue, each.treasury, each.fund
        yield w.ReservesRecorded(receipt.booking, place, *sums)


def _accounts(
    receipt: BookingReceipt, places: dict[str, int]
) -> Iterator[w.BookedAccount | w.FundPaid | w.DebtWrittenOff]:
    number = receipt.booking
    for line in receipt.accounts:
        values = line.assets_value, line.debts_value, line.shortfall, line.fund, line.loss
        yield w.BookedAccount(number, line.account, line.round, *values)
        for paid in line.payments:
            asset = places[paid.asset]
            mark = receipt.assets[asset].mark
            yield w.FundPaid(number, line.account, asset, mark, paid.quantity, paid.value)
        for each in line.written:
            yield w.DebtWrittenOff(
                booking=number,
                account=line.account,
                asset=places[each.asset],
                quantity=each.quantity,
                value=each.value,
                debt_shares=each.debt_shares,
                principal=each.principal,
                interest=each.interest,
                dust=int(each.dust),
            )


def _downs(receipt: BookingReceipt, places: dict[str, int]) -> Iterator[w.PoolWrittenDown]:
    for line in receipt.pools:
        asset = places[line.asset]
        yield w.PoolWrittenDown(
            booking=receipt.booking,
            asset=asset,
            mark=receipt.assets[asset].mark,
            claims=line.claims,
            loss=line.loss,
            value=line.value,
            fees=line.fees,
            treasury=line.treasury,
            residue=line.residue,
            lenders=line.lenders,
            fraction=line.fraction,
            lend_index=line.lend_index,
            restarted=int(line.restarted),
        )
