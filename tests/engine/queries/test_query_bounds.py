"""What binds, and what an imagined command does to liquidation prices: as what then happens.

Every answer is held against the engine itself: the command is carried out on a copy, and the copy
is asked, or made to look at the price.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from solvent.domain import commands as c
from solvent.domain.events import Refused
from solvent.domain.parameters import MAX_SUPPLY, USDC
from solvent.domain.readings import AmountCommand, LiquidationPrices, PoolCommand, nearest
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.domain.units import PRICE_SCALE
from solvent.engine.engine import FastEngine
from solvent.engine.memory.rows import Price
from tests.engine.queries.moments import FLAGS, Seen, moments, some_order
from tests.proof import proves
from tests.tables.market import plain_parameters

POOL_COMMANDS = (c.Lend, c.Redeem, c.Borrow, c.Repay)
NOT_ABOUT_QUANTITY = (Limit.NONE, Limit.PRICE_BAND, Limit.ORDER_COUNT)


def asked_of(seen: Seen, account: int, asset: int) -> Iterator[AmountCommand]:
    """A command of every kind, with any flags, of no amount yet."""
    yield from (kind(account, asset, 0) for kind in POOL_COMMANDS)
    yield from (c.Withdraw(account, asset, 0, *flags) for flags in FLAGS)
    if asset != USDC:
        yield from (some_order(seen, account, asset) for _ in range(3))


def check_bounds(seen: Seen, account: int, asset: int) -> set[Limit]:
    """Compare what would be refused with what is; say which limits were met."""
    met = set()
    data = seen.fast.snapshot()
    copy = FastEngine.restore(data)
    for command in asked_of(seen, account, asset):
        bound = seen.queries.bound(command)
        largest = bound.largest
        amounts = {-1, 0, 1, largest // 2, largest, largest + 1, 2 * largest + 7, MAX_SUPPLY + 1}
        for quantity in sorted(amounts):
            one = replace(command, quantity=quantity)
            foreseen = seen.queries.refusal(one)
            (first, *_) = copy.apply_one(one)
            if isinstance(first, Refused):
                assert foreseen == Refusal(RejectionCode(first.code), Limit(first.limit)), one
                if foreseen.limit not in NOT_ABOUT_QUANTITY:
                    assert first.largest == largest, one
            else:
                assert foreseen is None, one
                copy = FastEngine.restore(data)
        if bound.refusal is not None:
            met.add(bound.refusal.limit)
        else:
            assert isinstance(command, c.Repay | c.PlaceOrder), command
    return met


@proves("A3", "A4", "A13", "A14", "I37")
@pytest.mark.parametrize("seed", range(40, 44))
def test_what_binds_is_what_refuses(seed: int) -> None:
    met = set()
    for seen in moments(seed):
        before = seen.fast.state_hash()
        for account in (0, 1, *seen.rng.sample(seen.accounts, 2)):
            met |= check_bounds(seen, account, seen.rng.choice(seen.assets))
        assert seen.fast.state_hash() == before
    assert len(met) > 3


# One limit after another, with a balance, a pool and a margin that are easy to see through.

SOL = 2
ONE_SOL, ONE_USDC = 10**9, 10**6


def plain_market() -> FastEngine:
    """10 SOL lent by account 2, 100 USDC with account 3; SOL at 200."""
    engine = FastEngine(plain_parameters())
    engine.apply(
        [
            c.UpdatePrice(SOL, 0, 200 * PRICE_SCALE, 200 * PRICE_SCALE, 200 * PRICE_SCALE),
            c.OpenAccount(2),
            c.OpenAccount(3),
            c.Deposit(2, SOL, 12 * ONE_SOL),
            c.Lend(2, SOL, 10 * ONE_SOL),
            c.Deposit(3, USDC, 100 * ONE_USDC),
        ]
    )
    return engine


@proves("A4", "A13", "A14")
def test_each_limit_is_named() -> None:
    engine = plain_market()
    asked = engine.queries

    def limit(command: AmountCommand) -> tuple[int, Limit | None]:
        bound = asked.bound(command)
        return bound.largest, bound.refusal.limit if bound.refusal else None

    assert limit(c.Lend(2, SOL, 0)) == (2 * ONE_SOL, Limit.AVAILABLE_BALANCE)
    assert limit(c.Redeem(2, SOL, 0)) == (10 * ONE_SOL, Limit.LENT_CLAIM)
    assert limit(c.Withdraw(2, SOL, 0)) == (2 * ONE_SOL, Limit.AVAILABLE_BALANCE)
    assert limit(c.Withdraw(2, SOL, 0, auto_lend_redeem=True)) == (12 * ONE_SOL, Limit.LENT_CLAIM)
    assert limit(c.Repay(3, SOL, 0)) == (0, Limit.OUTSTANDING_DEBT)
    largest, margin = limit(c.Borrow(3, SOL, 0))
    assert 0 < largest < 10 * ONE_SOL
    assert margin in (Limit.INITIAL_MARGIN, Limit.LEVERAGE)
    engine.apply_one(c.Deposit(3, USDC, 10**6 * ONE_USDC))
    assert limit(c.Borrow(3, SOL, 0)) == (10 * ONE_SOL, Limit.POOL_CASH)
    refused = asked.bound(c.Borrow(2, SOL, 0)).refusal
    assert refused == Refusal(RejectionCode.BORROW_REQUIRES_LEND_REDEEM)
    engine.apply_one(c.Borrow(3, SOL, ONE_SOL))
    assert limit(c.Repay(3, SOL, 0)) == (ONE_SOL, None)
    assert limit(c.PlaceOrder(3, SOL, c.Side.BID, c.OrderType.MARKET)) == (0, None)
    engine.apply_one(c.HaltPrice(SOL, halted=True))
    assert limit(c.Borrow(3, SOL, 0)) == (0, Limit.STALE_PRICE)


# Liquidation prices after an imagined command.


def liquidatable_at(engine: FastEngine, account: int, asset: int, mark: int) -> bool:
    """Whether another mark makes an account liquidating, on a copy."""
    copy = FastEngine.restore(engine.snapshot())
    copy.columns.table("prices", Price.WIDTH)[asset, Price.mark] = mark
    # Whatever is said of a price makes the engine look for liquidatable accounts.
    copy.apply_one(c.HaltPrice(asset, halted=copy.queries.price(asset).halted))
    return copy.queries.settings(account).liquidating


def imagined(seen: Seen, account: int, asset: int) -> Iterator[PoolCommand]:
    """Commands that nothing refuses, for small and for the largest amounts."""
    for kind in POOL_COMMANDS:
        largest = seen.queries.bound(kind(account, asset, 0)).largest
        for quantity in sorted({1, largest // 3, largest}):
            command = kind(account, asset, quantity)
            if seen.queries.refusal(command) is None:
                yield command


@pytest.mark.slow
@proves("A14", "I37")
def test_liquidation_prices_after_a_command_are_those_after_it() -> None:
    tried = dict.fromkeys(POOL_COMMANDS, 0)
    for seen in (each for seed in range(52, 61) for each in moments(seed)):
        before = seen.fast.state_hash()
        for account in seen.rng.sample(seen.accounts, 4):
            for asset in seen.assets:
                for command in imagined(seen, account, asset):
                    after = FastEngine.restore(seen.fast.snapshot())
                    assert not isinstance(after.apply_one(command)[0], Refused)
                    found = seen.queries.liquidation_prices_after(command)
                    assert found == after.queries.liquidation_prices(account, asset), command
                    tried[type(command)] += found != (None, None)
        assert seen.fast.state_hash() == before
    assert min(tried.values()) > 5, tried


@proves("A13", "A14")
def test_a_borrowed_asset_liquidates_when_it_rises() -> None:
    engine = plain_market()
    engine.apply_one(c.Deposit(3, USDC, 900 * ONE_USDC))
    command = c.Borrow(3, SOL, 2 * ONE_SOL)
    prices = engine.queries.liquidation_prices_after(command)
    engine.apply_one(command)
    engine.apply_one(c.Withdraw(3, SOL, 2 * ONE_SOL))
    assert prices.below is None
    held = engine.queries.liquidation_prices(3, SOL)
    assert held.above is not None
    assert held.above > 200 * PRICE_SCALE
    assert liquidatable_at(engine, 3, SOL, held.above)
    assert not liquidatable_at(engine, 3, SOL, held.above - 1)


@proves("A13", "A14")
def test_a_collateral_liquidates_when_it_falls() -> None:
    """Lending SOL against a debt in USDC leaves the price at which the account falls."""
    engine = plain_market()
    engine.apply(
        [
            c.Deposit(3, USDC, 900 * ONE_USDC),
            c.Lend(3, USDC, 1_000 * ONE_USDC),
            c.Deposit(2, USDC, ONE_USDC),
            c.Redeem(2, SOL, 10 * ONE_SOL),
            c.Borrow(2, USDC, 900 * ONE_USDC),
            c.Withdraw(2, USDC, 900 * ONE_USDC),
            c.Withdraw(2, SOL, 6 * ONE_SOL),
        ]
    )
    command = c.Lend(2, SOL, 6 * ONE_SOL)
    prices = engine.queries.liquidation_prices_after(command)
    assert prices.above is None
    assert prices.below is not None
    assert nearest(prices, 200 * PRICE_SCALE) == prices.below < 200 * PRICE_SCALE
    engine.apply_one(command)
    assert liquidatable_at(engine, 2, SOL, prices.below)
    assert not liquidatable_at(engine, 2, SOL, prices.below + 1)


def test_no_price_liquidates_who_owes_nothing() -> None:
    asked = plain_market().queries
    found = asked.liquidation_prices_after(c.Lend(2, SOL, ONE_SOL))
    assert found == LiquidationPrices(None, None)
    assert nearest(found, 200 * PRICE_SCALE) is None


def test_the_nearer_price_is_taken() -> None:
    assert nearest(LiquidationPrices(90, 120), 100) == 90
    assert nearest(LiquidationPrices(70, 120), 100) == 120
