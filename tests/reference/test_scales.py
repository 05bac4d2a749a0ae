"""A market is the same at any price and with any decimals, up to what an atom is worth."""

from typing import NamedTuple

import pytest

from solvent.domain import commands as c
from solvent.domain.units import INT64_MAX, PRICE_SCALE, value_divisor
from solvent.domain.waterfall_events import AdlMatched
from solvent.proof.invariants.state_view import view_of
from solvent.proof.invariants.transitions import check_transition
from tests.proof import proves
from tests.reference.machines import SOL, USDC, engine_with

STUCK, LONG, SHORT, LENDER = 2, 3, 4, 5
WORTH = 20_000 * 10**6
"""What the stuck lender has lent, 10^-6 USDC."""


class Outcome(NamedTuple):
    """What came of the fall, in 10^-6 USDC."""

    net_equity: int
    maintenance: int
    matched: int
    total: int


def fallen(price: int, decimals: int) -> Outcome:
    """The worked example of a stuck lender with SOL at `price` (10^-10 USDC), and its outcome."""
    lot = f"market.lot {10**-decimals:.{max(1, decimals)}f}" if decimals else "market.lot 1"
    engine = engine_with(f"SOL decimals {decimals}", f"SOL {lot}", "BTC decimals 8")
    state = engine.state

    def run(command: c.Command) -> list[AdlMatched]:
        before = view_of(state)
        events = engine.apply_one(command)
        assert check_transition(before, view_of(state), command, events) == []
        return [event for event in events if isinstance(event, AdlMatched)]

    def quote(value: int) -> list[AdlMatched]:
        return run(c.UpdatePrice(SOL, 0, value, value, value))

    quote(price)
    sol = WORTH * value_divisor(decimals) // price
    for account in (STUCK, LONG, SHORT, LENDER):
        run(c.OpenAccount(account))
    for account, asset, quantity in (
        (LENDER, USDC, 10**11),
        (STUCK, SOL, sol),
        (LONG, USDC, 4 * 10**10),
        (SHORT, USDC, 2 * 10**10),
    ):
        run(c.Deposit(account, asset, quantity))
    run(c.Lend(LENDER, USDC, 10**11))
    run(c.Lend(STUCK, SOL, sol))
    run(c.Withdraw(STUCK, USDC, 17 * 10**9, auto_borrow=True))
    run(c.Withdraw(LONG, SOL, sol * 6 // 10, auto_borrow=True))
    run(c.Withdraw(SHORT, SOL, sol - sol * 6 // 10, auto_borrow=True))
    matches = quote(price * 19 // 20)
    for second in range(1, 30):
        matches += run(c.TimeStep(state.now + second * 10**6))
    health = engine.queries.health(STUCK)
    return Outcome(
        health.net_equity,
        health.maintenance,
        sum(match.value for match in matches),
        health.total_value,
    )


def atom(price: int, decimals: int) -> int:
    """What an atom is worth, 10^-6 USDC, rounded up."""
    return -(-price // value_divisor(decimals))


PRICES = [2 * 10**power for power in range(1, 19)]
"""From 20 units, of which a fall of 5 % is a whole one, to the most that a price may be."""
CASES = [
    (price, decimals)
    for price in PRICES
    for decimals in (0, 3, 6, 9, 12)
    if price <= 50_000 * value_divisor(decimals)
    and 10**6 <= WORTH * value_divisor(decimals) // price <= 10**17
]


@proves("I39", "I43", "I28")
@pytest.mark.parametrize(("price", "decimals"), CASES)
def test_the_outcome_is_the_same_at_any_price_and_decimals(price: int, decimals: int) -> None:
    usual = fallen(200 * PRICE_SCALE, 9)
    assert usual.matched > 2000 * 10**6
    found = fallen(price, decimals)
    # Everything moves in whole atoms.
    spare = 40 * atom(price, decimals) + 40
    for one, other in zip(found, usual, strict=True):
        assert abs(one - other) <= spare, (found, usual)


def test_prices_span_all_that_a_price_can_be() -> None:
    prices = [price for price, _ in CASES]
    assert min(prices) == 20
    assert 10 * max(prices) > INT64_MAX // 4
    assert {decimals for _, decimals in CASES} == {0, 3, 6, 9, 12}
