"""What-if: at marks to which quotes have led it is the market after those quotes, to the atom.

The simulator's markets are asked at moments of their runs. Each answer is held against the
reference engine, restored from the same moment and given the quotes.
"""

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import NamedTuple

import numpy as np
import pytest

from solvent.domain import commands as c
from solvent.domain.codec.transcript import Transcript
from solvent.domain.errors import InputError
from solvent.domain.events import Triggered, TriggerFailed
from solvent.domain.parameters import USDC
from solvent.domain.units import FINE_PER_VALUE, RATIO, divide_up, value_divisor
from solvent.engine.engine import FastEngine
from solvent.foresight.moves import CURVE, PERCENT, by_asset, by_beta
from solvent.foresight.what_if import Outlook, Point, WhatIf
from solvent.reference.engine import ReferenceEngine
from solvent.reference.margin import Doubt, health_of, liquidatable
from solvent.reference.state import State
from solvent.reference.waterfall.insolvency import lend_indices, worth_of
from tests.engine.queries.moments import moments
from tests.proof import proves
from tests.sizes import sized

SEEDS = sized(3, 25, 120)
MOVES = sized(3, 6, 10)
"""Moves a moment; a run has ten moments."""
FIRED = (Triggered, TriggerFailed)
FACTORS = (1, 10, 50, 90, 97, 99, 100, 101, 103, 110, 150, 300)


class Asked(NamedTuple):
    """A moment: what was answered, and the reference to which the quotes were given."""

    answer: WhatIf
    after: ReferenceEngine
    moved: bool

    @property
    def state(self) -> State:
        return self.after.state

    @property
    def point(self) -> Point:
        return self.answer.point


def quotes(state: State, rng: Random) -> list[c.PriceCommand]:
    """Quotes of every source for some assets, far from where they are."""
    given: list[c.PriceCommand] = []
    together = rng.choice(FACTORS)
    for asset in range(USDC + 1, len(state.pools)):
        if rng.random() < 0.2:
            continue
        factor = together if rng.random() < 0.5 else rng.choice(FACTORS)
        price = max(1, state.mark(asset) * factor // 100)
        given += [
            c.UpdatePrice(asset, source, price, price, price)
            for source in range(len(state.asset(asset).price.source_weights))
        ]
    return c.one_moment(given)


def asked(seed: int, moves: int = MOVES) -> Iterator[Asked]:
    """Answers at moments of a run, each beside a market to which the quotes were given."""
    outlook = None
    for seen in moments(seed):
        if outlook is None:
            outlook = Outlook(seen.fast)
        outlook.refresh()
        taken = seen.fast.snapshot()
        for _ in range(moves):
            after = ReferenceEngine.restore(taken)
            given = quotes(after.state, seen.rng)
            before = [after.state.mark(asset) for asset in seen.assets]
            if fires(after.apply(given)):
                continue
            marks = [after.state.mark(asset) for asset in seen.assets]
            stale = {asset for asset in seen.assets if after.state.prices[asset].stale}
            yield Asked(outlook.at(marks, stale), after, marks != before)
        assert seen.fast.snapshot() == taken


def fires(transcript: Transcript) -> bool:
    """Whether the quotes let orders act that waited for a price: then more moved than marks."""
    return any(isinstance(event, FIRED) for one in transcript for event in one.events)


def test_few_quotes_let_waiting_orders_act() -> None:
    compared = sum(1 for seed in range(3) for _ in asked(seed))
    assert compared >= 3 * 10 * MOVES // 3


def lacking(state: State, account: int) -> int:
    """What an account lacks for certain, 10^-6 USDC up; 0 for who is solvent."""
    if not any(state.accounts[account].debt_shares):
        return 0
    lack = worth_of(state, account, lend_indices(state)).lacks
    return divide_up(lack, FINE_PER_VALUE) if lack > len(state.pools) else 0


def hold_against_the_market(each: Asked) -> None:
    """Hold an answer against the market after the quotes."""
    state, queries = each.state, each.after.queries
    everybody = range(len(state.accounts))
    found = [account for account in everybody if liquidatable(state, account)]
    assert list(each.answer.accounts) == found
    assert each.point.accounts == len(found)
    lacks = [lacking(state, account) for account in everybody]
    assert each.point.lacking == sum(lacks)
    assert each.point.insolvent == sum(lack > 0 for lack in lacks)
    if each.moved:
        expected = tuple(pool.impaired for pool in state.pools)
        assert each.answer.impaired == expected
    for asset, pool in enumerate(each.point.pools):
        balances = [queries.balances(account)[asset] for account in found]
        assert pool.owed == sum(one.debt for one in balances)
        assert pool.lent == sum(one.lent for one in balances)
        assert pool.redeemable == queries.pool(asset).redeemable


@proves("A13", "A14", "I37")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_an_answer_is_the_market_after_the_quotes(seed: int) -> None:
    for each in asked(seed):
        hold_against_the_market(each)


@pytest.mark.parametrize("seed", range(100, 100 + SEEDS))
def test_stages_are_capacities_of_the_market_after_the_quotes(seed: int) -> None:
    for each in asked(seed):
        stakes, opposites = squares(each.state, each.answer.accounts)
        found = each.point.stages
        assert found.total == sum(stakes.values())
        assert found.own == sum(value for (has, owes), value in stakes.items() if has == owes)
        for asset, capacity in enumerate(each.point.capacities):
            depth = (0, 0) if asset == USDC else resting(each.state, asset)
            assert (capacity.bids, capacity.asks) == depth
            assert capacity.committed == committed(each.state, asset)
        assert found.opposites <= sum(opposites.values())
        assert found.book <= sum(one.bids + one.asks for one in each.point.capacities)
        assert found.providers <= sum(one.committed for one in each.point.capacities)


Square = dict[tuple[int, int], int]


def squares(state: State, found: tuple[int, ...]) -> tuple[Square, Square]:
    """What is at stake and what opposites have, by asset had and asset owed, said once more."""
    assets = range(len(state.pools))
    stakes: Square = {}
    opposites: Square = {}
    queries = ReferenceEngine.restore(_snapshot(state)).queries
    for account in range(len(state.accounts)):
        has, owes = [0] * len(assets), [0] * len(assets)
        for asset, balance in enumerate(queries.balances(account)):
            divisor = value_divisor(state.asset(asset).decimals)
            quantity = balance.available + balance.locked + balance.lent
            has[asset] = quantity * state.mark(asset) // divisor
            owes[asset] = divide_up(balance.debt * state.mark(asset), divisor)
        if account not in found:
            for owed, had in product(assets, assets):
                if owes[owed] and owed != had:
                    part = min(owes[owed], has[had])
                    opposites[owed, had] = opposites.get((owed, had), 0) + part
            continue
        pairs = [(asset, asset) for asset in assets]
        while True:
            for had, owed in pairs:
                part = min(has[had], owes[owed])
                has[had] -= part
                owes[owed] -= part
                stakes[had, owed] = stakes.get((had, owed), 0) + part
            pairs = [(has.index(max(has)), owes.index(max(owes)))]
            if not (max(has) and max(owes)):
                break
    return stakes, opposites


def _snapshot(state: State) -> bytes:
    engine = ReferenceEngine.__new__(ReferenceEngine)
    engine.state = state
    return engine.snapshot()


def resting(state: State, asset: int) -> tuple[int, int]:
    """Value of bids and asks that are funded, near enough and not about to be cancelled."""
    if state.prices[asset].stale:
        return 0, 0
    mark, most = state.mark(asset), state.parameters.waterfall.max_discount
    lowest, highest = divide_up(mark * (RATIO - most), RATIO), mark * (RATIO + most) // RATIO
    totals = [0, 0]
    for order in state.orders.values():
        near = order.price >= lowest if order.side == c.Side.BID else order.price <= highest
        unsure = order.unfunded or (order.reduce_only and order.side == c.Side.BID)
        if order.asset == asset and near and not unsure and not liquidatable(state, order.account):
            totals[order.side] += order.quantity
    divisor = value_divisor(state.asset(asset).decimals)
    return totals[0] * mark // divisor, totals[1] * mark // divisor


def committed(state: State, asset: int) -> int:
    """Value of the commitments of providers who have their initial margin."""
    total = 0
    for account, holder in enumerate(state.accounts):
        values = health_of(state, account, Doubt.AGAINST_ACCOUNT)
        sound = not values.liquidatable and values.net_equity >= values.initial
        if holder.role == c.Role.BACKSTOP_PROVIDER and account not in state.liquidating and sound:
            divisor = value_divisor(state.asset(asset).decimals)
            total += holder.committed[asset] * state.mark(asset) // divisor
    return 0 if state.prices[asset].stale else total


def busy(seed: int) -> FastEngine:
    """An engine in the middle of a run."""
    return [seen.fast for seen in moments(seed)][-1]


def test_a_curve_is_its_points_asked_one_by_one() -> None:
    for seed in range(SEEDS):
        outlook = Outlook(busy(seed))
        betas = {1: RATIO // 2}
        curve = outlook.curve(betas=betas)
        assert len(curve) == len(CURVE)
        for move, point in zip(CURVE, curve, strict=True):
            moves = by_beta(outlook.parameters, outlook.marks, betas, move)
            assert outlook.what_if(moves).point == point
        assert curve == outlook.curve(betas=betas), "a question changed the image"


def test_the_image_is_the_engine_after_every_refresh() -> None:
    outlook = None
    for seen in moments(3):
        outlook = outlook or Outlook(seen.fast)
        outlook.refresh()
        for name in ("positions", "commitments", "pools", "prices", "rules", "orders", "levels"):
            ours, theirs = outlook._image[name], seen.fast.columns[name]
            assert not np.flatnonzero(ours != theirs).tolist(), name


def test_a_change_that_nobody_noted_would_be_seen_here() -> None:
    outlook = None
    missed = 0
    for seen in moments(3):
        outlook = outlook or Outlook(seen.fast)
        seen.fast.columns["moved"][:] = 0
        outlook.refresh()
        missed += int((outlook._image["positions"] != seen.fast.columns["positions"]).any())
    assert missed > 5


@pytest.mark.parametrize(
    ("moves", "said"),
    [
        ({USDC: PERCENT}, "unit"),
        ({1: -RATIO - 1}, "-100 %"),
        ({1: 101 * RATIO}, "10,000 %"),
    ],
)
def test_what_cannot_be_asked_is_refused(moves: dict[int, int], said: str) -> None:
    outlook = Outlook(busy(1))
    with pytest.raises(InputError, match=said):
        outlook.what_if(moves)
    with pytest.raises(InputError, match="no mark"):
        by_asset(outlook.parameters, [0] * 9, {1: PERCENT})
