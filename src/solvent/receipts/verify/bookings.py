"""A booking, recomputed from its receipt alone.

The state before it is set up again from the receipt: pools, what could bear their losses, the
insolvent accounts. Then the specification's own functions look for who is insolvent, solve for what
every pool loses, split the fund, and write off; whatever comes out otherwise is named. Separately,
with plain arithmetic that asks nothing of the engine, `domain.booking_properties` judges what the
receipt says.

A receipt tells nothing of accounts that were solvent. That nobody else was insolvent is covered by
the run's log.
"""

from collections.abc import Iterator
from dataclasses import replace

from solvent.domain.booking_properties import booking_flaws
from solvent.domain.settlements import Booking, settlements_of
from solvent.receipts.bookings import booked_lines, pool_loss_lines, told
from solvent.receipts.form import BookingReceipt
from solvent.receipts.verify.compare import differences
from solvent.receipts.verify.reconstructed import ReconstructedState
from solvent.reference.ledger import borrowed_total, lent_total
from solvent.reference.state import FUND, TREASURY
from solvent.reference.waterfall.bookings import book_losses


def booking_problems(receipt: BookingReceipt) -> Iterator[str]:
    """Everything in a booking's receipt that recomputing does not confirm."""
    symbols = [terms.symbol for terms in receipt.assets]
    if [terms.number for terms in receipt.assets] != list(range(len(symbols))):
        yield "assets: must be all of the market, in order of number"
        return
    if [each.asset for each in receipt.reserves] != symbols:
        yield "reserves: must be those of each asset, in order"
        return
    for place, line in enumerate(receipt.accounts):
        if not line.account == line.before.account == line.after.account:
            yield f"accounts[{place}]: before and after must be of account {line.account}"
            return
    if receipt.booking < 1:
        yield "booking: must be at least 1"
        return
    for flaw in booking_flaws(told(receipt)):
        whose = "" if flaw.account is None else f"account {flaw.account}: "
        yield f"receipt: {whose}{flaw.sentence}"
    booking, rebuilt = _booked_again(receipt)
    if booking is None:
        yield "accounts: nobody of them lacks anything"
        return
    opened = booking.opened
    found = replace(
        receipt,
        rounds=opened.rounds,
        shortfall=opened.shortfall,
        fund_value=opened.fund_value,
        paid=opened.paid,
        accounts=booked_lines(booking, rebuilt.words),
        pools=pool_loss_lines(booking, rebuilt.words),
    )
    yield from differences(receipt, found, "receipt")


def _booked_again(receipt: BookingReceipt) -> tuple[Booking | None, ReconstructedState]:
    """The booking that the state before it leads to; none where nobody is insolvent."""
    rebuilt = _scene(receipt)
    state = rebuilt.state
    state.next_booking = receipt.booking
    book_losses(state)
    settled = settlements_of(state.events)
    return next((each for each in settled if isinstance(each, Booking)), None), rebuilt


def _scene(receipt: BookingReceipt) -> ReconstructedState:
    """The state that the booking found, as far as the receipt tells it."""
    rebuilt = ReconstructedState(receipt, None, [line.before for line in receipt.accounts])
    state = rebuilt.state
    state.parameters = replace(
        state.parameters,
        assets=tuple(
            replace(asset, pool=replace(asset.pool, fee=each.rate))
            for asset, each in zip(state.parameters.assets, receipt.reserves, strict=True)
        ),
    )
    for place, (pool, each) in enumerate(zip(state.pools, receipt.reserves, strict=True)):
        pool.fees, pool.sink = each.fees, each.residue
        # As much residue as it takes for cash not to be below zero: no loss depends on how much.
        surplus = lent_total(pool) + each.fees - borrowed_total(pool)
        pool.residue = max(each.residue + 1, -surplus)
        pool.cash = surplus + pool.residue
        state.accounts[TREASURY].available[place] = each.treasury
        state.accounts[FUND].available[place] = each.fund
    for line in receipt.accounts:
        account = rebuilt.account(line.account)
        state.liquidating.add(account)
        for written in line.written:
            state.accounts[account].principal[rebuilt.asset(written.asset)] = written.principal
    return rebuilt
