"""Backstop fills to the atom: whatever the indices, rounding never makes room for another."""

from fractions import Fraction

import pytest

from solvent.domain import commands as c
from solvent.domain.events import Event, Refused
from solvent.domain.units import INDEX_SCALE, RATIO, SECOND
from solvent.domain.waterfall_events import BackstopFilled, PartyBalance
from solvent.reference.engine import ReferenceEngine
from tests.proof import proves
from tests.reference.machines import SOL, USDC, engine_with

LENDER, OWNER, PROVIDER = 2, 3, 4


def waiting(cash: int, held: int, owed: int, index: int) -> ReferenceEngine:
    """An account over the book's limit at MMR 100 %, no book, and a provider with some `cash`.

    It lent what it holds and owes 20,000 USDC worth; both pools' indices are at `index` %.
    """
    engine = engine_with("waterfall.book_limit 100", "SOL haircut.weight 97%")
    state, apply = engine.state, engine.apply_one
    for pool in state.pools:
        pool.lend_index = pool.debt_index = pool.debt_base = INDEX_SCALE * index // 100
    for account in (LENDER, OWNER):
        apply(c.OpenAccount(account))
    apply(c.OpenAccount(PROVIDER, c.Role.BACKSTOP_PROVIDER))
    apply(c.Deposit(LENDER, owed, 10**13))
    apply(c.Lend(LENDER, owed, 10**13))
    apply(c.Deposit(PROVIDER, USDC, cash))
    apply(c.PostBackstop(PROVIDER, owed, 10**13))
    quantity = 21_000 * 10**6 if held == USDC else 105 * 10**9
    apply(c.Deposit(OWNER, held, quantity))
    apply(c.Lend(OWNER, held, quantity))
    refusal = apply(c.Withdraw(OWNER, owed, 10**15, auto_borrow=True))[0]
    assert isinstance(refusal, Refused)
    apply(c.Withdraw(OWNER, owed, refusal.largest, auto_borrow=True))
    price = state.mark(SOL)
    while OWNER not in state.liquidating:
        price += price // 2000 if owed == SOL else -price // 2000
        apply(c.UpdatePrice(SOL, 0, price, price, price))
    return engine


def paid(engine: ReferenceEngine, events: tuple[Event, ...]) -> tuple[Fraction, Fraction]:
    """What a fill took of the owner's collateral and of his debts, both worth at the mark."""
    state = engine.state
    collateral = debts = Fraction(0)
    for event in events:
        if isinstance(event, PartyBalance) and event.account == OWNER:
            atom = Fraction(state.mark(event.asset), 10 ** state.asset(event.asset).decimals)
            sign = -1 if event.after else 1
            collateral += sign * atom * (event.available + event.lent)
            debts += sign * atom * event.debt
    return collateral, debts


@proves("I16", "I18")
@pytest.mark.parametrize("index", [100, 99, 77, 62, 51])
@pytest.mark.parametrize(("held", "owed"), [(USDC, SOL), (SOL, USDC)])
@pytest.mark.parametrize("cash", [7 * 10**6, 47_111_111, 200 * 10**6])
def test_fills_end_and_none_costs_more_than_its_discount(
    cash: int, held: int, owed: int, index: int
) -> None:
    engine = waiting(cash, held, owed, index)
    fills = []
    for _ in range(20):
        events = engine.apply_one(c.TimeStep(engine.state.now + SECOND))
        fills.append([event for event in events if isinstance(event, BackstopFilled)])
        for fill in fills[-1]:
            collateral, debts = paid(engine, events)
            assert 0 < collateral <= debts * Fraction(RATIO + fill.discount, RATIO)
    assert fills[0]
    assert not any(fills[10:])
