"""After a trade: both engines say the same, and it is so once the fill has come."""

from random import Random

import pytest

from solvent.domain import commands as c
from solvent.domain.parameters import USDC
from solvent.domain.readings import Trade
from solvent.domain.units import PRICE_SCALE
from solvent.engine.engine import FastEngine
from solvent.reference.engine import ReferenceEngine
from tests.engine.queries.moments import moments
from tests.proof import proves
from tests.sizes import sized
from tests.tables.market import plain_parameters

ANN, BOB, SOL = 2, 3, 2


@proves("A14", "I37")
@pytest.mark.parametrize("seed", range(sized(2, 8, 30)))
def test_both_engines_say_the_same_of_any_trade(seed: int) -> None:
    rng = Random(seed)
    compared = 0
    for seen in moments(seed):
        taken = seen.fast.snapshot()
        other = ReferenceEngine.restore(taken)
        for _ in range(4):
            gives, gets = rng.sample(list(seen.assets), 2) if len(seen.assets) > 1 else (0, 0)
            account = rng.randrange(other.queries.accounts())
            trade = Trade(account, gives, rng.randrange(10**9), gets, rng.randrange(10**9))
            asset = rng.choice(list(seen.assets))
            told = seen.fast.queries.after_trade(trade, asset)
            assert told == other.queries.after_trade(trade, asset)
            compared += told.maintenance_ratio is not None
        assert seen.fast.snapshot() == taken
    assert compared


@proves("A14")
@pytest.mark.parametrize("kind", [FastEngine, ReferenceEngine])
def test_what_is_said_before_an_order_is_so_after_its_fill(
    kind: type[FastEngine] | type[ReferenceEngine],
) -> None:
    """A purchase with borrowed USDC, without a fee."""
    engine = kind(plain_parameters())
    price = 200 * PRICE_SCALE
    engine.apply(
        [
            *(c.UpdatePrice(asset, 0, price, price, price) for asset in (1, SOL)),
            *(c.OpenAccount(account) for account in (ANN, BOB)),
            c.Deposit(ANN, USDC, 10_000 * 10**6),
            c.Deposit(BOB, USDC, 100_000 * 10**6),
            c.Deposit(BOB, SOL, 500 * 10**9),
            c.Lend(BOB, USDC, 90_000 * 10**6),
            c.PlaceOrder(BOB, SOL, c.Side.ASK, c.OrderType.LIMIT, price=price, quantity=10**11),
        ]
    )
    paid, got = 20_000 * 10**6, 100 * 10**9
    said = engine.queries.after_trade(Trade(ANN, USDC, paid, SOL, got), SOL)
    assert said.borrowed == 10_000 * 10**6
    engine.apply(
        [
            c.PlaceOrder(
                ANN, SOL, c.Side.BID, c.OrderType.LIMIT, price=price, quantity=got, auto_borrow=True
            )
        ]
    )
    balances = engine.queries.balances(ANN)
    fee = got - balances[SOL].available
    assert balances[USDC].debt == said.borrowed
    if not fee:
        assert engine.queries.fractions(ANN).maintenance_ratio == said.maintenance_ratio
        assert engine.queries.liquidation_prices(ANN, SOL) == said.prices
    assert said.maintenance_ratio is not None
