"""Which collateral goes: the order that sells the least value, the slice that is alike for all."""

from random import Random

import pytest

from solvent.domain import commands as c
from solvent.domain.events import Event, Filled
from solvent.domain.units import PRICE_SCALE, SECOND, quantity_down, value_up
from solvent.domain.waterfall_events import BackstopFilled
from solvent.proof.invariants.state_view import view_of
from solvent.proof.invariants.transitions import check_transition
from solvent.reference.engine import ReferenceEngine
from solvent.reference.state import State
from solvent.reference.waterfall import backstop, book_stage, sales
from solvent.reference.waterfall.sizing import Part
from tests.proof import proves
from tests.reference.machines import SOL, USDC, engine_with
from tests.sizes import sized

BTC = 1
LENDER, OWNER, BIDDER = 2, 3, 4
SEEDS = range(sized(20, 60, 600))


def price(engine: ReferenceEngine, asset: int, value: int) -> tuple[Event, ...]:
    """A price of 10^-10 USDC."""
    return engine.apply_one(c.UpdatePrice(asset, 0, value, value, value))


def owing(seed: int) -> ReferenceEngine:
    """An account that owes USDC against two assets of any weights, just liquidatable.

    Both have deep bids at prices of their own, up to 2 % below the mark.
    """
    rng = Random(seed)
    weights = [f"{asset} haircut.weight {rng.randint(50, 97)}%" for asset in ("BTC", "SOL")]
    engine = engine_with(*weights)
    state, apply = engine.state, engine.apply_one
    for account in (LENDER, OWNER, BIDDER):
        apply(c.OpenAccount(account))
        apply(c.Deposit(account, USDC, 10**14 if account != OWNER else 1))
    apply(c.Lend(LENDER, USDC, 10**13))
    apply(c.Deposit(OWNER, BTC, rng.randint(5 * 10**6, 10**8)))
    apply(c.Deposit(OWNER, SOL, rng.randint(25 * 10**9, 500 * 10**9)))
    most = engine.queries.max_withdraw(OWNER, USDC, auto_lend_redeem=False, auto_borrow=True)
    apply(c.Withdraw(OWNER, USDC, most, auto_borrow=True))
    while OWNER not in state.liquidating:
        for asset in (BTC, SOL):
            price(engine, asset, state.mark(asset) * 999 // 1000)
    for asset, quantity in ((BTC, 10**10), (SOL, 10**13)):
        tick = PRICE_SCALE // 100
        bid = state.mark(asset) * rng.randint(980, 1000) // 1000 // tick * tick
        apply(c.PlaceOrder(BIDDER, asset, c.Side.BID, price=bid, quantity=quantity))
    return engine


def sold_until_rest(engine: ReferenceEngine) -> tuple[int, list[str]]:
    """Value sold at the mark (10^-6 USDC) until the account is healthy, and what was breached."""
    state, value = engine.state, 0
    breaches: list[str] = []
    for _ in range(60):
        if OWNER not in state.liquidating:
            return value, breaches
        before, command = view_of(state), c.TimeStep(state.now + SECOND)
        events = engine.apply_one(command)
        breaches += map(str, check_transition(before, view_of(state), command, events))
        for event in events:
            if isinstance(event, Filled):
                decimals = state.asset(event.asset).decimals
                value += value_up(event.quantity, state.mark(event.asset), decimals)
    raise AssertionError("the account did not come to rest")


def backwards(state: State, account: int, debt: int, budget: int) -> list[sales.Prospect]:
    """The right order, read from its end."""
    return sales.sale_order(state, account, debt, budget)[::-1]


@proves("I17", "I18")
@pytest.mark.parametrize("seed", SEEDS)
def test_no_other_order_sells_less(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    least, breaches = sold_until_rest(owing(seed))
    assert breaches == []
    monkeypatch.setattr(book_stage, "sale_order", backwards)
    # Lots and the fee's cut may cost a little of either.
    assert least <= sold_until_rest(owing(seed))[0] * 1001 // 1000


@proves("I17")
def test_an_order_that_sells_more_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = 0
    monkeypatch.setattr(book_stage, "sale_order", backwards)
    for seed in range(20):
        # Little is bid for each, so that the second is sold in the same pass.
        engine = owing(seed)
        engine.apply_one(c.CancelAllOrders(BIDDER))
        for asset, quantity in ((BTC, 10**4), (SOL, 10**7)):
            bid = engine.state.mark(asset) // 10**8 * 10**8
            engine.apply_one(c.PlaceOrder(BIDDER, asset, c.Side.BID, price=bid, quantity=quantity))
        before, command = view_of(engine.state), c.TimeStep(engine.state.now + SECOND)
        events = engine.apply_one(command)
        found = check_transition(before, view_of(engine.state), command, events)
        assert {each.invariant for each in found} <= {"I17"}
        reported += bool(found)
    assert reported >= 5


def taken_over(engine: ReferenceEngine) -> list[str]:
    """What three providers of unequal means breach when they take an account over."""
    state, apply = engine.state, engine.apply_one
    apply(c.CancelAllOrders(BIDDER))
    for account in (5, 6, 7):
        apply(c.OpenAccount(account, c.Role.BACKSTOP_PROVIDER))
        apply(c.Deposit(account, USDC, 10**12))
        apply(c.PostBackstop(account, USDC, 10**9 * account))
    fills: list[Event] = []
    breaches: list[str] = []
    for _ in range(8):
        before, command = view_of(state), c.TimeStep(state.now + SECOND)
        events = apply(command)
        fills += [event for event in events if isinstance(event, BackstopFilled)]
        breaches += map(str, check_transition(before, view_of(state), command, events))
    assert len(fills) >= 3
    return breaches


def one_after_the_other(
    state: State, quantities: list[int], value: int, assets: list[int]
) -> list[Part]:
    """Collateral in order of assets, as if one were as good as the other."""
    parts = []
    for asset in assets:
        mark, decimals = state.mark(asset), state.asset(asset).decimals
        taken = min(quantities[asset], quantity_down(value, mark, decimals))
        value = max(0, value - value_up(taken, mark, decimals))
        quantities[asset] -= taken
        parts.append(Part(asset, taken))
    return [part for part in parts if part.quantity]


@proves("I12", "I27")
@pytest.mark.parametrize("seed", SEEDS)
def test_every_provider_gets_the_same_mix(seed: int) -> None:
    assert taken_over(owing(seed)) == []


@proves("I27")
@pytest.mark.parametrize("seed", range(5))
def test_another_mix_is_reported(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backstop, "slice_down", one_after_the_other)
    assert any(breach.startswith("I27") for breach in taken_over(owing(seed)))
