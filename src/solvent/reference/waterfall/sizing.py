"""Sizing: how much of a debt must be closed, and out of which collateral.

All three stages ask the same question: what is the least debt that, closed against collateral of
the same value plus a premium (a fee, a discount, or nothing), restores target health? They differ
in the premium and in which collateral may go. The answer comes from asking `what if` of a copy of
the portfolio, by bisection, so no formula can disagree with what the stage then does (I17).

Specification: sections 7.3, 8.2.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from solvent.domain.units import (
    FINE_PER_VALUE,
    RATIO,
    divide_up,
    fine_down,
    fine_up,
    mul_div_down,
    mul_div_up,
    payable,
    quantity_up,
    value_down,
    value_up,
)
from solvent.reference.ledger import claim_of
from solvent.reference.limits import smallest_passing
from solvent.reference.margin import (
    Doubt,
    Portfolio,
    health,
    health_of,
    margin_fraction_up,
    portfolio_of,
    target_restored,
    weight_of,
)
from solvent.reference.state import State

ROUNDING_OF_FRACTION = 2
"""By how much a margin fraction may be rounded up, 10^-9."""


Take = Callable[[list[int], int], None]
"""Takes collateral worth a value (10^-6 USDC), or all there is, out of quantities by asset."""


class Part(NamedTuple):
    """`quantity` atoms of `asset`."""

    asset: int
    quantity: int


def deliverable(state: State, account: int, asset: int) -> int:
    """Atoms of an asset that an account can hand over: free, locked and lent, at a fresh price."""
    if state.prices[asset].stale:
        return 0
    holder = state.accounts[account]
    return holder.available[asset] + holder.locked[asset] + claim_of(state, account, asset)


def deliverable_value(state: State, account: int) -> int:
    """Value at the mark of all that an account can hand over, rounded down per asset."""
    return sum(
        value_down(deliverable(state, account, asset), state.mark(asset), parameters.decimals)
        for asset, parameters in enumerate(state.parameters.assets)
    )


def debts_largest_first(state: State, portfolio: Portfolio) -> list[int]:
    """Debts at fresh prices by notional, largest first; ties by asset number."""
    debts = []
    for asset, debt in enumerate(portfolio.debts):
        if debt and not state.prices[asset].stale:
            notional = value_up(debt, state.mark(asset), state.asset(asset).decimals)
            debts.append((-notional, asset))
    return [asset for _, asset in sorted(debts)]


def draw_in_order(state: State, quantities: list[int], value: int, parts: Iterable[Part]) -> None:
    """Take collateral worth `value` out of `quantities`, one part after the other.

    Quantities round up, so that the value is reached; a part used up counts what it is worth.
    """
    for asset, most in parts:
        if value <= 0:
            return
        mark, decimals = state.mark(asset), state.asset(asset).decimals
        worth = value_down(most, mark, decimals)
        quantities[asset] -= most if worth < value else quantity_up(value, mark, decimals)
        value -= min(worth, value)


def slice_up(state: State, quantities: list[int], value: int, assets: Sequence[int]) -> None:
    """Take the same part of each of these assets, worth `value` together or all there is.

    Quantities round up, so that the value is reached.
    """
    total = sum(
        fine_down(quantities[asset], state.mark(asset), state.asset(asset).decimals)
        for asset in assets
    )
    total //= FINE_PER_VALUE
    for asset in assets:
        held = quantities[asset]
        quantities[asset] -= held if value >= total else mul_div_up(held, value, total)


def slice_down(
    state: State, quantities: list[int], value: int, assets: Sequence[int]
) -> list[Part]:
    """As `slice_up`, rounded down: worth at most `value`. What was taken, by asset."""
    total = sum(
        fine_up(quantities[asset], state.mark(asset), state.asset(asset).decimals)
        for asset in assets
    )
    total = divide_up(total, FINE_PER_VALUE)
    parts = []
    for asset in assets:
        held = quantities[asset]
        taken = held if value >= total else mul_div_down(held, value, total)
        if taken:
            quantities[asset] -= taken
            parts.append(Part(asset, taken))
    return parts


def needed_debt(state: State, portfolio: Portfolio, debt: int, premium: int, take: Take) -> int:
    """Least atoms of `debt` whose closing restores target health; the whole debt if none does.

    Closing x takes collateral worth x * (1 + premium) at the mark, as `take` finds it.
    """

    def restored(quantity: int) -> bool:
        after = portfolio.copy()
        after.debts[debt] -= quantity
        notional = value_up(quantity, state.mark(debt), state.asset(debt).decimals)
        take(after.quantities, mul_div_up(notional, RATIO + premium, RATIO))
        return target_restored(state, health(state, after, Doubt.FOR_ACCOUNT))

    return smallest_passing(restored, portfolio.debts[debt])


def needed_swap(
    state: State, portfolio: Portfolio, asset: int, order: list[int], most: int, fee: int = 0
) -> int:
    """Least atoms of `asset` which, turned into value that retires debts, restore target health.

    Value, less a fee of 10^-9 parts, goes to the debts in `order`; `most` where nothing less is
    enough.
    """
    decimals, mark = state.asset(asset).decimals, state.mark(asset)

    def restored(quantity: int) -> bool:
        after = portfolio.copy()
        after.quantities[asset] -= quantity
        cost = mul_div_down(value_down(quantity, mark, decimals), fee, RATIO) * FINE_PER_VALUE
        cash = retire(state, after, fine_down(quantity, mark, decimals) - cost, order)
        return target_restored(state, health(state, after, Doubt.FOR_ACCOUNT, cash=cash))

    return smallest_passing(restored, most)


def fee_rate(state: State, account: int, asset: int, debt: int, most: int) -> int:
    """The part of what is settled that an account pays as a fee, 10^-9: `most`, or what it bears.

    Closing all of its debts costs no more than it is worth, and NE - M does not fall by any part:
    what leaves weighs at most what it weighs at the size held, what ends needed at least what it
    needs at the size owed.
    """
    values = health_of(state, account)
    if values.total_value <= 0:
        return 0
    portfolio = portfolio_of(state, account)
    weight = weight_of(state.asset(asset), portfolio.quantities[asset], state.mark(asset))
    freed = freed_by(state, portfolio, debt)
    return min(most, bearable_rate(weight, freed), values.total_value * RATIO // values.debts_value)


def freed_by(state: State, portfolio: Portfolio, debt: int) -> int:
    """What maintenance a part of a debt frees at least where it ends, 10^-9 of the part."""
    parameters = state.asset(debt)
    notional = value_down(portfolio.debts[debt], state.mark(debt), parameters.decimals)
    return max(0, margin_fraction_up(parameters.maintenance, notional) - ROUNDING_OF_FRACTION)


def bearable_rate(weight: int, freed: int) -> int:
    """The largest fee, 10^-9 of the collateral given up, at which NE - M does not fall.

    Of a unit that weighed `weight` what is left of the fee is retired, and frees `freed` of itself.
    """
    return mul_div_down(max(0, RATIO - weight + freed), RATIO, RATIO + freed)


def retire(state: State, portfolio: Portfolio, value: int, order: list[int]) -> int:
    """Spend `value` (10^-12 USDC) on debts at the mark in the given order; return what is left."""
    for debt in order:
        decimals = state.asset(debt).decimals
        mark = state.mark(debt)
        quantity = payable(portfolio.debts[debt], value // FINE_PER_VALUE, mark, decimals)
        portfolio.debts[debt] -= quantity
        value -= min(value, fine_up(quantity, mark, decimals))
    return value
