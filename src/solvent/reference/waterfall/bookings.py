"""Bookings: certain losses are written off first, once a step and pool, all lenders alike.

Before any stage of a step acts, what accounts lack for certain (`insolvency`) is paid by the
backstop fund as far as it reaches, split in proportion, and the rest is divided among each
account's debts by value and written off through the lend indices, as `clearing` solves it. So every
claim on a pool loses one fraction, whatever its owner did, owes, or is about to be put through
(I38). Afterwards the accounts are worth nothing, or up to a share of each debt, and are settled
like any other residual. Debts are non-recourse.

Specification: section 8.7.
"""

from collections.abc import Sequence
from typing import NamedTuple

from solvent.domain.labels import Stage
from solvent.domain.parameters import USDC
from solvent.domain.units import (
    FINE_PER_VALUE,
    INDEX_SCALE,
    RATIO,
    cover,
    divide_up,
    value_down,
    value_up,
)
from solvent.domain.waterfall_events import (
    BookedAccount,
    BookingOpened,
    DebtWrittenOff,
    FundPaid,
    PoolWrittenDown,
    ReservesRecorded,
)
from solvent.reference.ledger import (
    available,
    borrowed_fall,
    debt_of,
    forgive_debt,
    lent_total,
    move,
)
from solvent.reference.lending.pool import renew, write_down
from solvent.reference.state import FUND, TREASURY, State
from solvent.reference.waterfall.clearing import (
    Clearing,
    Insolvent,
    WriteOff,
    clear,
    fee_on,
    write_offs,
)
from solvent.reference.waterfall.insolvency import (
    DUST,
    booked_worth,
    is_interest_alone,
    is_unpayable,
    lend_indices,
)
from solvent.reference.waterfall.record import Record, record_parties, record_pools, touched


class Payment(NamedTuple):
    """Tokens of the fund for one account, and the value (10^-6 USDC) they count for."""

    account: int
    asset: int
    quantity: int
    value: int


class FundPlan(NamedTuple):
    """What insolvent accounts of the first round lack, and what the fund pays: 10^-6 USDC."""

    shortfall: int
    value: int
    payments: dict[int, list[Payment]]

    @property
    def parts(self) -> list[int]:
        """The value paid for each account, in order."""
        return [sum(each.value for each in given) for given in self.payments.values()]


class BookingPlan(NamedTuple):
    """The solution, what the fund pays, and per account in its order what is written off."""

    clearing: Clearing
    fund: FundPlan
    written: tuple[tuple[WriteOff, ...], ...]


def book_losses(state: State) -> None:
    """Book every certain loss whose time has come; the gate before it is lifted.

    A loss that interest alone can have made waits for its interval, and wakes no waterfall that
    sleeps: it always makes one.
    """
    for pool in state.pools:
        pool.impaired = 0
    plan = plan_bookings(state, waiting=True)
    if plan is not None:
        asleep = state.asleep
        first = [each.account for each in plan.clearing.accounts if each.round == 1]
        if not is_interest_alone(state, first, plan.fund.shortfall):
            asleep = False
        apply_bookings(state, plan)
        state.asleep = asleep


def plan_bookings(state: State, *, waiting: bool) -> BookingPlan | None:
    """What is to be booked now; None where nobody lacks anything for certain.

    Without the lost interest that is `waiting`, or with it.
    """
    funds: list[FundPlan] = []

    def parts(accounts: list[int]) -> list[int]:
        funds.append(plan_fund(state, accounts))
        return funds[-1].parts

    clearing = clear(state, parts, waiting=waiting)
    if not clearing.accounts:
        return None
    written = tuple(tuple(write_offs(state, each, clearing.indices)) for each in clearing.accounts)
    return BookingPlan(clearing, funds[0], written)


def plan_fund(state: State, accounts: list[int]) -> FundPlan:
    """How the fund is split over what these accounts lack, in proportion, and in which tokens.

    Only what it has free at fresh prices pays: claims of the fund may be on impaired pools. Who
    owes nothing that tokens pay for gets none.
    """
    indices = lend_indices(state)
    lacks = [
        divide_up(booked_worth(state, account, indices).lacks, FINE_PER_VALUE)
        for account in accounts
    ]
    free = [
        0 if state.prices[asset].stale else quantity
        for asset, quantity in enumerate(state.accounts[FUND].available)
    ]
    value = sum(
        value_down(quantity, state.mark(asset), state.asset(asset).decimals)
        for asset, quantity in enumerate(free)
    )
    asked = [
        0 if is_unpayable(state, account) else lack
        for account, lack in zip(accounts, lacks, strict=True)
    ]
    whole = sum(asked)
    paid = min(value, whole)
    payments: dict[int, list[Payment]] = {}
    before = 0
    for account, lack in zip(accounts, asked, strict=True):
        # Of running sums, so that the parts add up to all that is paid.
        part = paid * (before + lack) // whole - paid * before // whole if lack else 0
        before += lack
        payments[account] = _tokens(state, account, free, part)
    return FundPlan(sum(lacks), value, payments)


def _tokens(state: State, account: int, free: list[int], part: int) -> list[Payment]:
    """Tokens of what is `free` worth `part`: USDC first, then the others by number."""
    payments = []
    for asset in range(USDC, len(free)):
        if not (part and free[asset]):
            continue
        quantity, value = cover(free[asset], part, state.mark(asset), state.asset(asset).decimals)
        free[asset] -= quantity
        part -= value
        if quantity:
            payments.append(Payment(account, asset, quantity, value))
    return payments


class PoolLoss(NamedTuple):
    """What one pool loses and who bears it, in atoms: `loss` is the sum of the other four.

    `fees` and `treasury` are given back, `residue` is the pool's, `lenders` what claims fall by.
    """

    loss: int
    fees: int
    treasury: int
    residue: int
    lenders: int


def plan_pool_loss(state: State, asset: int, loss: int, due: int) -> PoolLoss:
    """Who bears `loss` atoms, of which `due` are fees on interest that was never paid.

    Where claims do not reach (fees can carry borrowed above lent), fees and residue bear the rest.
    """
    pool = state.pools[asset]
    fees = min(due, loss, pool.fees)
    treasury = min(due, loss, fees + state.accounts[TREASURY].available[asset]) - fees
    rest = loss - fees - treasury
    value = value_up(rest, state.mark(asset), state.asset(asset).decimals)
    residue = min(rest, pool.sink) if value < DUST else 0
    lenders = min(rest - residue, lent_total(pool))
    rest -= residue + lenders
    beyond = min(rest, pool.fees - fees)
    return PoolLoss(loss, fees + beyond, treasury, residue + rest - beyond, lenders)


def pool_losses(state: State, plan: BookingPlan) -> list[PoolLoss]:
    """What each pool loses by the plan, by asset."""
    shares = [0] * len(state.pools)
    due = [0] * len(state.pools)
    for written in (each for account in plan.written for each in account):
        shares[written.asset] += written.shares
        due[written.asset] += fee_on(state, written.asset, written.interest)
    return [
        plan_pool_loss(state, asset, borrowed_fall(pool, shares[asset]), due[asset])
        for asset, pool in enumerate(state.pools)
    ]


def apply_bookings(state: State, plan: BookingPlan) -> None:
    """Credit the fund's part, end what is written off, and let every pool's index fall once."""
    accounts, fund = plan.clearing.accounts, plan.fund
    booking = state.next_booking
    state.next_booking += 1
    state.emit(
        BookingOpened(
            booking=booking,
            accounts=len(accounts),
            rounds=plan.clearing.rounds,
            shortfall=fund.shortfall,
            fund_value=fund.value,
            paid=sum(fund.parts),
        )
    )
    record_pools(state, Record(Stage.DEFICIT, booking))
    _record_reserves(state, booking)
    losses = pool_losses(state, plan)
    for place, (each, written) in enumerate(zip(accounts, plan.written, strict=True)):
        _say_booked(state, booking, each, plan.clearing.indices)
        _record(state, booking, place, each.account, after=0)
        _pay(state, booking, fund.payments.get(each.account, []))
        for debt in written:
            _forgive(state, booking, each.account, debt, losses[debt.asset])
    for asset, loss in enumerate(losses):
        if loss.loss:
            _write_down(state, booking, asset, loss)
        index = plan.clearing.indices[asset]
        assert state.pools[asset].lend_index >= index, "claims fall no further than solved (I38)"
    for place, each in enumerate(accounts):
        _record(state, booking, place, each.account, after=1)


def _record_reserves(state: State, booking: int) -> None:
    """Write down what could bear each pool's loss before its lenders."""
    treasury, fund = state.accounts[TREASURY].available, state.accounts[FUND].available
    for asset, pool in enumerate(state.pools):
        reserves = pool.fees, pool.sink, treasury[asset], fund[asset]
        state.emit(ReservesRecorded(booking, asset, *reserves))


def _record(state: State, booking: int, place: int, account: int, after: int) -> None:
    """Write down what an account has and owes, and its health."""
    record = Record(Stage.DEFICIT, booking, place)
    record_parties(state, record, (account,), touched(state, (account,)), after)


def _say_booked(state: State, booking: int, each: Insolvent, indices: list[int]) -> None:
    worth = booked_worth(state, each.account, indices)
    lacks = divide_up(worth.lacks, FINE_PER_VALUE)
    state.emit(
        BookedAccount(
            booking=booking,
            account=each.account,
            round=each.round,
            assets_value=worth.assets // FINE_PER_VALUE,
            debts_value=divide_up(worth.debts, FINE_PER_VALUE),
            shortfall=max(0, lacks),
            fund=each.fund,
            loss=max(0, lacks - each.fund),
        )
    )


def _pay(state: State, booking: int, payments: Sequence[Payment]) -> None:
    """Credit the fund's tokens to an account."""
    for payment in payments:
        asset = payment.asset
        move(state, asset, payment.quantity, available(FUND), available(payment.account))
        state.emit(FundPaid(booking, payment.account, asset, state.mark(asset), *payment[2:]))


def _forgive(state: State, booking: int, account: int, debt: WriteOff, loss: PoolLoss) -> None:
    """End a part of a debt; what the residue pays alone is no deficit."""
    asset = debt.asset
    principal = state.accounts[account].principal[asset]
    value = value_up(debt.quantity, state.mark(asset), state.asset(asset).decimals)
    owed = debt_of(state, account, asset)
    forgive_debt(state, account, asset, debt.shares)
    fell = owed - debt_of(state, account, asset)
    assert fell == debt.quantity, "what is written off is what a debt falls by (I29)"
    state.emit(
        DebtWrittenOff(
            booking=booking,
            account=account,
            asset=asset,
            quantity=debt.quantity,
            value=value,
            debt_shares=debt.shares,
            principal=principal,
            interest=debt.interest,
            dust=int(loss.residue > 0 and not loss.lenders),
        )
    )


def _write_down(state: State, booking: int, asset: int, loss: PoolLoss) -> None:
    """Let all claims on a pool fall by one fraction; one that has none left starts anew."""
    pool = state.pools[asset]
    claims, index = lent_total(pool), pool.lend_index
    write_down(state, asset, *loss[1:])
    fallen = index - pool.lend_index
    worthless = fallen > 0 and lent_total(pool) == 0
    state.emit(
        PoolWrittenDown(
            booking=booking,
            asset=asset,
            mark=state.mark(asset),
            claims=claims,
            loss=loss.loss,
            value=value_up(loss.loss, state.mark(asset), state.asset(asset).decimals),
            fees=loss.fees,
            treasury=loss.treasury,
            residue=loss.residue,
            lenders=loss.lenders,
            fraction=divide_up(fallen * RATIO, index),
            lend_index=INDEX_SCALE if worthless else pool.lend_index,
            restarted=int(worthless),
        )
    )
    if fallen:
        renew(state, asset)
