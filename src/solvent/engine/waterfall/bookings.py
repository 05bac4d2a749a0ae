"""Bookings in kernels: certain losses are written off first, as in `reference`."""

from typing import NamedTuple

from solvent.domain.labels import Stage
from solvent.domain.parameters import USDC
from solvent.domain.units import FINE_PER_VALUE, INDEX_SCALE, RATIO
from solvent.domain.waterfall_events import (
    BookedAccount,
    BookingOpened,
    DebtWrittenOff,
    FundPaid,
    PoolWrittenDown,
    ReservesRecorded,
)
from solvent.engine.ledger import (
    account_row,
    asset_row,
    available,
    borrowed_fall,
    commitment,
    forgive_debt,
    is_stale,
    lent_total,
    mark_of,
    move,
    pool_row,
    position,
)
from solvent.engine.lending.pool import renew, write_down
from solvent.engine.memory.layout import FUND, TREASURY
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import cover, divide_up, value_down, value_up
from solvent.engine.waterfall.clearing import (
    Clearing,
    Share,
    add_write_offs,
    clear_all,
    count_of,
    first_round,
    release_clearing,
    rounds_of,
    share_left,
    write_off,
)
from solvent.engine.waterfall.insolvency import (
    DUST,
    booked_worth,
    interest_up,
    is_unpayable,
    lacks,
    time_between,
)
from solvent.engine.waterfall.record import Record, record_parties, record_pools, touched
from solvent.engine.waterfall.rows import Insolvent, Party, PoolLoss
from solvent.kernels.language import (
    Wide,
    allocate_rows,
    bit,
    emit,
    huge,
    kernel,
    narrow,
    release,
    rows_in,
    thin,
    wide,
)
from solvent.kernels.rows import Memory, Rows


class FundPlan(NamedTuple):
    """What accounts of the first round lack, what the fund has and what it pays: 10^-6 USDC."""

    shortfall: Wide
    value: int
    paid: int


@kernel
def book_losses(s: Store) -> None:
    """Book every certain loss whose time has come; the gate before it is lifted.

    A loss that interest alone can have made waits for its interval, and wakes no waterfall that
    sleeps: it always makes one.
    """
    for asset in range(s.globals.assets):
        pool_row(s, asset).impaired = 0
    found = first_round(s, waiting=True)
    if count_of(found):
        asleep = s.globals.asleep
        fund = plan_fund(s, found)
        if not _is_interest_alone(s, found, fund.shortfall):
            asleep = 0
        clear_all(s, found, waiting=True)
        apply_bookings(s, found, fund)
        s.globals.asleep = asleep
    release_clearing(found)


@kernel
def _is_interest_alone(s: Store, found: Clearing, shortfall: Wide) -> bool:
    """Whether accounts of the first round lack no more than interest between two bookings."""
    time = time_between(s)
    made = wide(0)
    for place in range(count_of(found)):
        made += interest_up(s, found.accounts[place].account, time)
    return shortfall * FINE_PER_VALUE <= max(wide(DUST) * FINE_PER_VALUE, made)


@kernel
def plan_fund(s: Store, found: Clearing) -> FundPlan:
    """Split the fund over what the accounts of the first round lack, in proportion.

    Only what it has free at fresh prices pays: claims of the fund may be on impaired pools. Who
    owes nothing that tokens pay for gets none.
    """
    shortfall = wide(0)
    whole = wide(0)
    for place in range(count_of(found)):
        each = found.accounts[place]
        lack = lacks(booked_worth(s, each.account, found.indices))
        each.lacks = narrow(divide_up(lack, FINE_PER_VALUE))
        shortfall += each.lacks
        if is_unpayable(s, each.account):
            each.lacks = 0
        whole += each.lacks
    top = s.globals.scratch_top
    free = take(s, s.globals.assets)
    value = _free_of_fund(s, free)
    paid = narrow(min(wide(value), whole))
    given = 0
    before = wide(0)
    for place in range(count_of(found)):
        each = found.accounts[place]
        before += each.lacks
        each.part = narrow(thin(huge(before) * paid // whole)) - given if each.lacks else 0
        given += each.part
        each.fund = _draw(s, free, each.part)
    s.globals.scratch_top = top
    return FundPlan(shortfall, value, _fund_sum(found))


@kernel
def _fund_sum(found: Clearing) -> int:
    paid = 0
    for place in range(count_of(found)):
        paid += found.accounts[place].fund
    return paid


@kernel
def _free_of_fund(s: Store, free: Memory) -> int:
    """Write what the fund has free at fresh prices; its value."""
    value = 0
    for asset in range(s.globals.assets):
        free[asset] = 0 if is_stale(s, asset) else position(s, FUND, asset).available
        value += value_down(free[asset], mark_of(s, asset), asset_row(s, asset))
    return value


@kernel
def _draw(s: Store, free: Memory, part: int) -> int:
    """Take tokens worth `part` of what is free, USDC first; what they count for."""
    counted = 0
    for asset in range(USDC, s.globals.assets):
        if part and free[asset]:
            quantity, value = cover(free[asset], part, mark_of(s, asset), asset_row(s, asset))
            free[asset] -= quantity
            part -= value
            counted += value
    return counted


@kernel
def plan_pool_loss(s: Store, out: PoolLoss, asset: int, loss: int, due: int) -> None:
    """Write who bears `loss` atoms, of which `due` are fees on interest that was never paid."""
    pool = pool_row(s, asset)
    fees = min(due, loss, pool.fees)
    treasury = min(due, loss, fees + position(s, TREASURY, asset).available) - fees
    rest = loss - fees - treasury
    value = value_up(rest, mark_of(s, asset), asset_row(s, asset))
    residue = min(rest, pool.sink) if value < DUST else 0
    lenders = min(rest - residue, lent_total(pool))
    rest -= residue + lenders
    beyond = min(rest, pool.fees - fees)
    out.loss = loss
    out.fees = fees + beyond
    out.treasury = treasury
    out.residue = residue + rest - beyond
    out.lenders = lenders


@kernel
def pool_losses(s: Store, found: Clearing, losses: Rows[PoolLoss]) -> None:
    """Write what each pool loses by the solution."""
    top = s.globals.scratch_top
    shares = take(s, s.globals.assets)
    due = take(s, s.globals.assets)
    add_write_offs(s, found, shares, due)
    for asset in range(s.globals.assets):
        loss = borrowed_fall(pool_row(s, asset), shares[asset])
        plan_pool_loss(s, losses[asset], asset, loss, due[asset])
    s.globals.scratch_top = top


@kernel
def apply_bookings(s: Store, found: Clearing, fund: FundPlan) -> None:
    """Credit the fund's part, end what is written off, and let every pool's index fall once."""
    booking = s.globals.next_booking
    s.globals.next_booking = booking + 1
    count = count_of(found)
    emit(
        s,
        BookingOpened(
            booking=booking,
            accounts=count,
            rounds=rounds_of(found),
            shortfall=narrow(fund.shortfall),
            fund_value=fund.value,
            paid=fund.paid,
        ),
    )
    record_pools(s, Record(Stage.DEFICIT, booking, 0))
    _record_reserves(s, booking)
    losses = allocate_rows(PoolLoss, s.globals.assets)
    pool_losses(s, found, losses)
    for place in range(count):
        _book_account(s, found, booking, place, losses)
    for asset in range(s.globals.assets):
        if losses[asset].loss:
            _write_down(s, booking, asset, losses[asset])
    for place in range(count):
        _record(s, booking, place, found.accounts[place].account, 1)
    release(losses)


@kernel
def _book_account(
    s: Store, found: Clearing, booking: int, place: int, losses: Rows[PoolLoss]
) -> None:
    """Say what one account lacks, pay it the fund's part, and end what it cannot bear."""
    each = found.accounts[place]
    account = each.account
    share = share_left(s, each, found.indices)
    _say_booked(s, booking, each, found.indices)
    _record(s, booking, place, account, 0)
    _pay(s, booking, each)
    owed = account_row(s, account).debts
    for asset in range(s.globals.assets):
        if owed & bit(asset):
            _forgive(s, booking, account, asset, share, losses[asset])


@kernel
def _record_reserves(s: Store, booking: int) -> None:
    """Write down what could bear each pool's loss before its lenders."""
    for asset in range(s.globals.assets):
        pool = pool_row(s, asset)
        emit(
            s,
            ReservesRecorded(
                booking=booking,
                asset=asset,
                fees=pool.fees,
                residue=pool.sink,
                treasury=position(s, TREASURY, asset).available,
                fund=position(s, FUND, asset).available,
            ),
        )


@kernel
def _record(s: Store, booking: int, place: int, account: int, after: int) -> None:
    """Write down what an account has and owes, and its health."""
    top = s.globals.scratch_top
    parties = rows_in(Party, take(s, Party.WIDTH))
    parties[0].account = account
    parties[0].assets = 0
    touched(s, parties, 1)
    record_parties(s, Record(Stage.DEFICIT, booking, place), parties, 1, after)
    s.globals.scratch_top = top


@kernel
def _say_booked(s: Store, booking: int, each: Insolvent, indices: Memory) -> None:
    worth = booked_worth(s, each.account, indices)
    shortfall = narrow(divide_up(lacks(worth), FINE_PER_VALUE))
    emit(
        s,
        BookedAccount(
            booking=booking,
            account=each.account,
            round=each.round,
            assets_value=narrow(worth.assets // FINE_PER_VALUE),
            debts_value=narrow(divide_up(worth.debts, FINE_PER_VALUE)),
            shortfall=max(0, shortfall),
            fund=each.fund,
            loss=max(0, shortfall - each.fund),
        ),
    )


@kernel
def _pay(s: Store, booking: int, each: Insolvent) -> None:
    """Credit the fund's tokens to an account, in the order in which they were drawn."""
    part = each.part
    for asset in range(USDC, s.globals.assets):
        free = 0 if is_stale(s, asset) else position(s, FUND, asset).available
        if part and free:
            mark = mark_of(s, asset)
            quantity, value = cover(free, part, mark, asset_row(s, asset))
            part -= value
            if quantity:
                move(s, asset, quantity, available(FUND), available(each.account))
                emit(
                    s,
                    FundPaid(
                        booking=booking,
                        account=each.account,
                        asset=asset,
                        mark=mark,
                        quantity=quantity,
                        value=value,
                    ),
                )


@kernel
def _forgive(
    s: Store, booking: int, account: int, asset: int, share: Share, loss: PoolLoss
) -> None:
    """End a part of a debt; what the residue pays alone is no deficit."""
    written = write_off(s, account, asset, share)
    shares, quantity, interest = written
    if shares == 0:
        return
    value = value_up(quantity, mark_of(s, asset), asset_row(s, asset))
    principal = commitment(s, account, asset).principal
    forgive_debt(s, account, asset, shares)
    emit(
        s,
        DebtWrittenOff(
            booking=booking,
            account=account,
            asset=asset,
            quantity=quantity,
            value=value,
            debt_shares=shares,
            principal=principal,
            interest=interest,
            dust=1 if loss.residue and loss.lenders == 0 else 0,
        ),
    )


@kernel
def _write_down(s: Store, booking: int, asset: int, loss: PoolLoss) -> None:
    """Let all claims on a pool fall by one fraction; one that has none left starts anew."""
    pool = pool_row(s, asset)
    claims = lent_total(pool)
    index = pool.lend_index
    write_down(s, asset, loss.fees, loss.treasury, loss.residue, loss.lenders)
    fallen = index - pool.lend_index
    worthless = fallen > 0 and lent_total(pool) == 0
    emit(
        s,
        PoolWrittenDown(
            booking=booking,
            asset=asset,
            mark=mark_of(s, asset),
            claims=claims,
            loss=loss.loss,
            value=value_up(loss.loss, mark_of(s, asset), asset_row(s, asset)),
            fees=loss.fees,
            treasury=loss.treasury,
            residue=loss.residue,
            lenders=loss.lenders,
            fraction=narrow(divide_up(wide(fallen) * RATIO, index)),
            lend_index=INDEX_SCALE if worthless else pool.lend_index,
            restarted=1 if worthless else 0,
        ),
    )
    if fallen:
        renew(s, asset)
