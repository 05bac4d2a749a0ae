"""Traders: a few accounts that take from the makers' book, so that a live market has trades.

At each step a draw says which account trades, what, on which side and how much: log-normal amounts
of a few hundred USDC, sent as limit orders that reach a little through the best price and expire at
once. Now and then one of them lends, redeems, borrows or repays a little instead, so that pools
move too. Both sides are as likely, so traders keep their means for long; what is refused stays
refused.

Everything follows from the seed and the number of the step. Scenarios that are run for their
figures have no traders.
"""

from collections.abc import Callable, Iterator

from solvent.domain.commands import (
    Borrow,
    Command,
    Deposit,
    Lend,
    OpenAccount,
    PlaceOrder,
    Redeem,
    Repay,
    Side,
    TimeInForce,
)
from solvent.domain.parameters import USDC, AssetParameters, EngineParameters
from solvent.domain.units import PRICE_SCALE, RATIO, VALUE_SCALE, divide_up, quantity_down
from solvent.lab.people.sampling import draw_size, draw_word
from solvent.lab.prices.feed import PriceAt

MEANS = 500_000 * VALUE_SCALE
"""USDC that each trader brings, and the value of each token."""

MEDIAN = 400 * VALUE_SCALE
SPREAD = RATIO * 12 // 10
LARGEST = 20_000 * VALUE_SCALE
"""Sizes of what is traded, lent and borrowed, in 10^-6 USDC."""

REACH = RATIO * 3 // 1000
"""How far through the index an order reaches, in 10^-9."""

MOST_TRADES = 3
"""A step has up to so many trades."""

POOL_ONE_IN = 4
"""Each of so many steps has something for the pools."""

TRADES, TRADE, POOL = range(3)
"""What a draw is for."""

_POOL_MOVES: tuple[Callable[[int, int, int], Command], ...] = (Lend, Redeem, Borrow, Repay)


class Traders:
    """`count` traders, numbered from `first` on."""

    def __init__(self, parameters: EngineParameters, count: int, first: int) -> None:
        self._assets = parameters.assets
        self._seed = parameters.seed
        self._accounts = range(first, first + count)
        self.next_account = first + count

    def open(self) -> Iterator[Command]:
        """Open every trader's account."""
        for account in self._accounts:
            yield OpenAccount(account)

    def setup(self, price: PriceAt) -> Iterator[Command]:
        """Deposit what the traders need, at these prices."""
        for account in self._accounts:
            yield Deposit(account, USDC, MEANS)
            for number, asset in enumerate(self._assets):
                if number != USDC:
                    quantity = quantity_down(MEANS, price(number), asset.decimals)
                    yield Deposit(account, number, quantity)

    def actions(self, step: int, price: PriceAt) -> Iterator[Command]:
        """What they do at a step."""
        if not self._accounts:
            return
        for place in range(draw_word(self._seed, TRADES, step) % (MOST_TRADES + 1)):
            yield from self._trade(step, place, price)
        if step % POOL_ONE_IN == 0:
            yield from self._pool_move(step, price)

    def _account(self, word: int) -> int:
        return self._accounts[word % len(self._accounts)]

    def _size(self, *labels: int) -> int:
        return min(LARGEST, draw_size(MEDIAN, SPREAD, self._seed, *labels))

    def _trade(self, step: int, place: int, price: PriceAt) -> Iterator[Command]:
        word = draw_word(self._seed, TRADE, step, place)
        side = Side(word & 1)
        account = self._account(word >> 1)
        number = 1 + (word >> 32) % (len(self._assets) - 1)
        asset = self._assets[number]
        assert asset.market is not None
        quantity = quantity_down(self._size(TRADE, step, place), price(number), asset.decimals)
        quantity = quantity // asset.market.lot * asset.market.lot
        if quantity >= max(1, asset.market.min_quantity):
            yield PlaceOrder(
                account,
                number,
                side,
                time_in_force=TimeInForce.IOC,
                price=_reaching(asset, side, price(number)),
                quantity=quantity,
            )

    def _pool_move(self, step: int, price: PriceAt) -> Iterator[Command]:
        word = draw_word(self._seed, POOL, step)
        move = _POOL_MOVES[word % len(_POOL_MOVES)]
        number = (word >> 32) % len(self._assets)
        at = PRICE_SCALE if number == USDC else price(number)
        quantity = quantity_down(self._size(POOL, step), at, self._assets[number].decimals)
        if quantity:
            yield move(self._account(word >> 2), number, quantity)


def _reaching(asset: AssetParameters, side: Side, price: int) -> int:
    """A price a little through the index, on a tick."""
    assert asset.market is not None
    tick = asset.market.tick
    if side is Side.BID:
        return divide_up(divide_up(price * (RATIO + REACH), RATIO), tick) * tick
    return max(tick, price * (RATIO - REACH) // RATIO // tick * tick)
