"""What people's own commands can do to themselves and to others: very little (I7 to I13)."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solvent.domain import commands as c
from solvent.domain.events import Event, Filled, Refused
from solvent.domain.units import INDEX_SCALE, PRICE_SCALE, RATIO
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import borrowed_total, lent_total
from solvent.reference.margin import health_of, leverage_exceeded
from solvent.reference.state import TREASURY, State
from tests.proof import proves
from tests.reference.machines import engine_with
from tests.tables.audit import faults
from tests.tables.story import Story

USDC, BTC, SOL = 0, 1, 2

# Four traders with claims and debts close to their limits, and one in liquidation.
WORLD = """
    set SOL pool.throttle_threshold 80%
    set SOL pool.open_borrow_lend_limit 500
    set USDC pool.throttle_threshold 85%
    set SOL haircut.kind inverse_square_root
    set SOL haircut.penalty 0.001
    set SOL pool.curve.points 0:10% 80%:30% 1:400%
    set SOL pool.fee 20%
    set max_leverage 8
    set maker_fee 0.02%
    set taker_fee 0.05%
    set waterfall.book_probability 0.0000001
    deposit ann USDC 30,000
    lend    ann USDC 20,000
    deposit bob SOL  200
    lend    bob SOL  150
    borrow  bob USDC 15,000
    deposit cat USDC 20,000
    borrow  cat SOL  60
    sell    cat SOL  20 @ 205
    deposit dan BTC  0.2
    borrow  dan SOL  40
    buy     dan SOL  5 @ 195 borrow
    sell    ann SOL  10 @ 207 borrow
    deposit sam USDC 1,000
    withdraw sam SOL 4.4 borrow
    step +1h
    price SOL 224
    expect sam liquidating 1
"""
TRADERS = (2, 3, 4, 5)


@pytest.fixture(scope="module", name="snapshot")
def _snapshot() -> bytes:
    return Story().run(WORLD).engine.snapshot()


accounts = st.sampled_from((*TRADERS, 6))
assets = st.sampled_from((USDC, BTC, SOL))
flags = st.booleans()


def amounts(asset: int) -> st.SearchStrategy[int]:
    """Atoms from one to more than anybody has, with round lots among them."""
    top = {USDC: 40_000 * 10**6, BTC: 10**8, SOL: 300 * 10**9}[asset]
    return st.one_of(st.integers(1, top), st.integers(1, 3000).map(lambda n: n * 10**5))


@st.composite
def moves(draw: st.DrawFn) -> c.Command:
    """A deposit, withdrawal, lend, redemption, borrow or repayment."""
    asset = draw(assets)
    plain = st.sampled_from((c.Deposit, c.Lend, c.Redeem, c.Borrow, c.Repay))
    if draw(st.integers(0, 3)):
        return draw(plain)(draw(accounts), asset, draw(amounts(asset)))
    return c.Withdraw(draw(accounts), asset, draw(amounts(asset)), draw(flags), draw(flags))


@st.composite
def orders(draw: st.DrawFn) -> c.Command:
    """An order for SOL around its price, of any kind."""
    market = draw(st.booleans())
    by_quote = market and draw(st.booleans())
    return c.PlaceOrder(
        account=draw(accounts),
        asset=SOL,
        side=draw(st.sampled_from(c.Side)),
        order_type=c.OrderType.MARKET if market else c.OrderType.LIMIT,
        time_in_force=draw(st.sampled_from(c.TimeInForce)),
        price=0 if market else draw(st.integers(20_000, 25_000)) * PRICE_SCALE // 100,
        quantity=0 if by_quote else draw(st.integers(1, 2000)) * 10**8,
        quote_quantity=draw(st.integers(1, 10**10)) if by_quote else 0,
        reduce_only=draw(st.sampled_from((False, False, False, True))),
        auto_borrow=draw(flags),
        auto_borrow_repay=draw(flags),
        auto_lend_redeem=draw(flags),
        self_trade_prevention=draw(st.sampled_from(c.SelfTradePrevention)),
    )


others = st.one_of(
    st.builds(c.CancelOrder, accounts, st.integers(1, 8)),
    st.builds(c.CancelAllOrders, accounts, st.sampled_from((c.ANY_ASSET, SOL))),
    st.builds(
        c.UpdateSettings,
        accounts,
        st.sampled_from((-1, 0, 1)),
        st.sampled_from((-1, 0, 1)),
        st.sampled_from((-1, 0, 1)),
        st.sampled_from((-1, RATIO, 3 * RATIO, 8 * RATIO)),
    ),
    st.builds(c.ConvertDust, accounts, st.sampled_from((BTC, SOL))),
)
commands = st.lists(st.one_of(moves(), orders(), others), min_size=1, max_size=8)
thorough = settings(
    max_examples=250,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def shares_of(state: State, account: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """All that an account has and owes."""
    holder = state.accounts[account]
    return (
        list(holder.available),
        list(holder.locked),
        list(holder.lent_shares),
        list(holder.debt_shares),
    )


def touched_by(command: c.Command, events: Sequence[Event]) -> set[int]:
    """The account that acts and those it traded with."""
    fills = [event for event in events if isinstance(event, Filled)]
    return {getattr(command, "account", -1)} | {event.maker for event in fills}


@proves("I7", "I8", "I9", "I11", "I12", "I13", "A13")
@thorough
@given(commands)
def test_people_hurt_neither_others_nor_their_own_maintenance(
    snapshot: bytes, sequence: list[c.Command]
) -> None:
    engine = ReferenceEngine.restore(snapshot)
    state = engine.state
    for command in sequence:
        before = [shares_of(state, account) for account in range(len(state.accounts))]
        health = [health_of(state, account) for account in range(len(state.accounts))]
        bounds = [pool.bound for pool in state.pools]
        events = engine.apply_one(command)
        assert faults(state) == []
        assert [pool.bound for pool in state.pools] == bounds, "I13"
        touched = touched_by(command, events)
        expired = {getattr(event, "account", -1) for event in events}
        for account in range(len(state.accounts)):
            values = health_of(state, account)
            if not health[account].liquidatable:
                assert not values.liquidatable, f"I7: {command} takes {account} below"
            elif account in touched:
                assert values.surplus >= health[account].surplus, f"I8: {command}"
            if account not in touched | expired | {TREASURY}:
                assert shares_of(state, account) == before[account], f"I9: {command}"
        if isinstance(command, c.Deposit) and not isinstance(events[0], Refused):
            account = command.account
            assert health_of(state, account).surplus >= health[account].surplus, "I11"


@proves("I12", "A3", "A4", "A13")
@thorough
@given(commands)
def test_no_command_leaves_a_cap_behind(snapshot: bytes, sequence: list[c.Command]) -> None:
    engine = ReferenceEngine.restore(snapshot)
    state = engine.state
    for command in sequence:
        before = [(lent_total(pool), borrowed_total(pool)) for pool in state.pools]
        health = [health_of(state, account) for account in range(len(state.accounts))]
        engine.apply_one(command)
        for asset, pool in enumerate(state.pools):
            lent, borrowed = lent_total(pool), borrowed_total(pool)
            was_lent, was_borrowed = before[asset]
            tighter = borrowed * max(1, was_lent) > was_borrowed * max(1, lent)
            if tighter:
                assert borrowed * RATIO <= pool.bound * lent, f"I12: {command}"
            limit = state.asset(asset).pool.open_borrow_lend_limit
            assert lent <= max(limit, was_lent), f"I12: {command}"
            assert borrowed <= max(limit, was_borrowed), f"I12: {command}"
            assert pool.cash >= 0
        account = getattr(command, "account", TREASURY)
        values = health_of(state, account)
        riskier = values.net_equity - values.initial < (
            health[account].net_equity - health[account].initial
        )
        exceeded = leverage_exceeded(values, state.accounts[account].leverage_limit)
        if riskier and not isinstance(command, c.UpdateSettings | c.Repay | c.Lend | c.Redeem):
            assert values.net_equity >= values.initial, f"A13: {command}"
            assert not exceeded, f"I12: {command}"


@proves("I4")
@thorough
@given(st.lists(moves(), min_size=1, max_size=6), st.sampled_from(TRADERS))
def test_no_loop_of_moves_gains_an_atom(
    snapshot: bytes, sequence: list[c.Command], account: int
) -> None:
    """Whatever one account does with the pools at one instant, it ends with no atom more."""
    engine = ReferenceEngine.restore(snapshot)
    state = engine.state
    flows = [0, 0, 0]
    before = _worth(state, account)
    for command in sequence:
        row = {name: int(getattr(command, name)) for name in c.command_fields(type(command))}
        own = c.make_command(type(command), row | {"account": account})
        outside = list(state.external)
        engine.apply_one(own)
        for asset in range(3):
            flows[asset] += outside[asset] - state.external[asset]
    after = _worth(state, account)
    for asset in range(3):
        assert after[asset] - before[asset] - flows[asset] <= 0, f"I4: asset {asset}"


def _worth(state: State, account: int) -> list[int]:
    """Per asset: what an account has less what it owes, in atoms."""
    available, locked, _, _ = shares_of(state, account)
    holder, worth = state.accounts[account], []
    for asset, pool in enumerate(state.pools):
        claim = holder.lent_shares[asset] * pool.lend_index // INDEX_SCALE
        debt = -(-holder.debt_shares[asset] * pool.debt_index // INDEX_SCALE)
        worth.append(available[asset] + locked[asset] + claim - debt)
    return worth


def test_a_market_ask_by_quote_where_the_band_reaches_zero() -> None:
    engine = engine_with("SOL market.min_impact_multiplier 0%")
    engine.apply([c.OpenAccount(2), c.Deposit(2, SOL, 10 * 10**9)])
    engine.apply([c.OpenAccount(3), c.Deposit(3, USDC, 1000 * 10**6)])
    engine.apply_one(c.PlaceOrder(3, SOL, c.Side.BID, price=190 * PRICE_SCALE, quantity=2 * 10**9))
    events = engine.apply_one(
        c.PlaceOrder(2, SOL, c.Side.ASK, c.OrderType.MARKET, quote_quantity=190 * 10**6)
    )
    assert [event.quantity for event in events if isinstance(event, Filled)] == [10**9]
