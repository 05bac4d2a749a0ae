"""Depth: what the book holds for a taker, asked without moving anything.

`best_maker` is the order that sets the impact band, `impact_limit` the worst price within it;
`walk` and `base_for_quote` add up what a taker would get up to a limit. A maker counts for what it
can pay and bear as `matching` would ask it.

Specification: section 6.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from solvent.domain.commands import Side
from solvent.domain.parameters import MAX_SUPPLY
from solvent.domain.units import RATIO, divide_up, value_divisor
from solvent.reference.orderbook.book import crosses, market_of, opposite, side_of
from solvent.reference.orderbook.matching import maker_refusal, offered
from solvent.reference.state import Order, State


def best_maker(state: State, asset: int, side: Side, account: int) -> Order | None:
    """First order that a taker could trade with: another account's that can be paid whole."""
    for number in side_of(state, asset, opposite(side)):
        maker = state.orders[number]
        quantity = offered(state, maker)
        able = quantity and maker_refusal(state, maker, quantity) is None
        if maker.account != account and able:
            return maker
    return None


def impact_limit(state: State, asset: int, side: Side, account: int) -> int | None:
    """Worst price that a taker may reach: the best opposite price times the impact band.

    Orders of the taker's own account, and those that cannot pay, set no band (I39).
    """
    best = best_maker(state, asset, side, account)
    if best is None:
        return None
    market = market_of(state, asset)
    if side is Side.BID:
        return best.price * market.max_impact_multiplier // RATIO
    return divide_up(best.price * market.min_impact_multiplier, RATIO)


@dataclass(frozen=True, slots=True)
class Walk:
    """What a taker would get: base atoms and the quote, without fees."""

    quantity: int
    quote: int


def walk(
    state: State, account: int, asset: int, side: Side, limit: int, quantity: int, sure: bool
) -> Walk:
    """Look how much of `quantity` the book holds for a taker within `limit`.

    With `sure` only makers count that must be able to fill whatever happens before their turn:
    fully funded ones that owe nothing, or that pass now and have no earlier order in the walk.
    """
    divisor = value_divisor(state.asset(asset).decimals)
    got = exact = received = 0
    seen: set[int] = set()
    for maker in _met(state, account, asset, side, limit, sure):
        if got == quantity:
            break
        part = min(quantity - got, offered(state, maker))
        if sure and not _surely_fills(state, maker, part, seen):
            continue
        seen.add(maker.account)
        got += part
        exact += part * maker.price
        received += part * maker.price // divisor
    return Walk(got, divide_up(exact, divisor) if side is Side.BID else received)


def base_for_quote(
    state: State, account: int, asset: int, side: Side, limit: int, quote: int, sure: bool
) -> int:
    """Whole lots that a taker within `limit` trades until another would pass `quote` USDC atoms.

    What a buyer spends includes the taker's fee.
    """
    divisor = value_divisor(state.asset(asset).decimals)
    left = quote * RATIO // (RATIO + state.parameters.taker_fee) * divisor
    if side is Side.ASK:
        left = quote
    got = 0
    seen: set[int] = set()
    for maker in _met(state, account, asset, side, limit, sure):
        if got >= MAX_SUPPLY:
            break
        most = left // maker.price
        if side is Side.ASK:
            most = ((left + 1) * divisor - 1) // maker.price
        whole = offered(state, maker)
        part = min(whole, most)
        if sure and not _surely_fills(state, maker, part, seen):
            continue
        seen.add(maker.account)
        got += part
        if part < whole:
            break
        worth = part * maker.price
        left -= worth if side is Side.BID else worth // divisor
    lot = market_of(state, asset).lot
    return min(got, MAX_SUPPLY) // lot * lot


def _met(
    state: State, account: int, asset: int, side: Side, limit: int, sure: bool
) -> Iterator[Order]:
    """Orders that a taker would meet within `limit`, its own left out; to be sure, up to those."""
    for number in side_of(state, asset, opposite(side)):
        maker = state.orders[number]
        if not crosses(side, limit, maker.price):
            return
        if maker.account != account:
            yield maker
        elif sure:
            return


def _surely_fills(state: State, maker: Order, quantity: int, seen: set[int]) -> bool:
    if maker.unfunded or (maker.reduce_only and maker.side is Side.BID):
        return False
    holder = state.accounts[maker.account]
    if not any(holder.debt_shares) and not any(holder.unfunded):
        return True
    return maker.account not in seen and maker_refusal(state, maker, quantity) is None
