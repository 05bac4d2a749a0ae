"""Previews on accounts within a hair of every limit: the most passes, and the next amount does not.

A walk takes some command's maximum, or an atom less, again and again, so that accounts and pools
stand at their limits; after every step all maxima are asked anew and tried. Rounding can make a
question of margin turn more than once (shares that cost more than an atom, lots worth less than
one): some amount beyond may then pass although the next one does not. No other limit does so.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from solvent.domain import commands as c
from solvent.domain.commands import Side
from solvent.domain.parameters import MAX_SUPPLY
from solvent.domain.readings import AmountCommand
from solvent.domain.rejections import Limit
from solvent.engine.engine import FastEngine
from solvent.reference.engine import ReferenceEngine
from tests.engine.queries.moments import FLAGS, Seen, moments
from tests.proof import proves
from tests.sizes import sized

STEPS = 5
BEYOND = (2, 3, 4, 5, 8, 20, 100, 1_000)
ORDER_FLAGS: tuple[dict[str, Any], ...] = (
    {},
    {"reduce_only": True},
    {"post_only": True},
    {"auto_borrow": True},
    {"auto_borrow": True, "auto_lend_redeem": True},
)


def maxima(seen: Seen, account: int, asset: int) -> Iterator[AmountCommand]:
    """Commands of every kind whose maximum can be asked, of no amount yet."""
    yield from (kind(account, asset, 0) for kind in (c.Lend, c.Redeem, c.Borrow, c.Repay))
    yield from (c.Withdraw(account, asset, 0, *flags) for flags in FLAGS)
    market = seen.state.asset(asset).market
    if market is None:
        return
    for side in Side:
        percent = seen.rng.choice((90, 99, 100, 101, 110))
        price = seen.state.mark(asset) * percent // 100 // market.tick * market.tick
        if price:
            flags = seen.rng.choice(ORDER_FLAGS)
            yield replace(c.PlaceOrder(account, asset, side, price=price), **flags)


def check_maximum(seen: Seen, command: AmountCommand) -> Limit | None:
    """Try a maximum and what lies beyond it; say what binds."""
    bound = seen.queries.bound(command)
    assert bound == seen.reference.queries.bound(command), command
    unit, least = 1, 1
    if isinstance(command, c.PlaceOrder):
        market = seen.state.asset(command.asset).market
        assert market is not None
        unit, least = market.lot, -(-market.min_quantity // market.lot) * market.lot

    def passes(quantity: int) -> bool:
        return seen.queries.refusal(replace(command, quantity=quantity)) is None

    assert bound.largest == 0 or passes(bound.largest), command
    if isinstance(command, c.Repay):
        # More than the debt may be offered; no more is taken.
        return None
    following = bound.largest + unit if bound.largest else least
    assert following > MAX_SUPPLY or not passes(following), command
    further = [following + unit * each for each in BEYOND]
    if any(each <= MAX_SUPPLY and passes(each) for each in further):
        assert bound.refusal is not None
        assert bound.refusal.limit in (Limit.INITIAL_MARGIN, Limit.LEVERAGE), command
    return bound.refusal.limit if bound.refusal else None


def at_a_limit(seen: Seen, commands: list[AmountCommand]) -> Seen:
    """Both engines after one of the commands with all that it may ask for, or an atom less."""
    command = seen.rng.choice(commands)
    largest = seen.queries.bound(command).largest
    atoms = largest > 1 and not isinstance(command, c.PlaceOrder)
    taken = replace(command, quantity=largest - (seen.rng.choice((0, 0, 1)) if atoms else 0))
    reference = ReferenceEngine.restore(seen.reference.snapshot())
    fast = FastEngine.restore(seen.fast.snapshot())
    assert reference.apply_one(taken) == fast.apply_one(taken)
    return Seen(reference, fast, fast.queries, seen.rng)


def walk(seed: int) -> Counter[Limit | None]:
    """A run of the simulator, then steps from limit to limit; what bound how often."""
    met: Counter[Limit | None] = Counter()
    *_, seen = moments(seed)
    seen = seen._replace(rng=Random(seed))
    for _ in range(STEPS):
        users = [each for each in seen.accounts if each > 1]
        asked = [
            command
            for account in seen.rng.sample(users, 3)
            for asset in seen.assets
            for command in maxima(seen, account, asset)
        ]
        met.update(check_maximum(seen, command) for command in asked)
        possible = [each for each in asked if seen.queries.bound(each).largest]
        if not possible:
            break
        seen = at_a_limit(seen, possible)
    return met


@pytest.mark.slow
@proves("A3", "A4", "A13", "A14", "I37")
@pytest.mark.parametrize("start", range(0, sized(8, 16, 400), 8))
def test_the_most_passes_and_the_next_does_not(start: int) -> None:
    met: Counter[Limit | None] = Counter()
    for seed in range(start, start + 8):
        met.update(walk(seed))
    assert len(met) > 6, met
