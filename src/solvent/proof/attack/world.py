"""The world of an attack: a plain market, honest accounts in it, and prices that are given.

Decimals, prices, sizes and rates are drawn from a seed; limits are usual ones, for an attack on a
market whose parameters are absurd proves nothing. What happens is a list of acts: those of the
world (prices, time, honest accounts) and those of the attackers, which a second run leaves out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from solvent.domain import commands as c
from solvent.domain.parameters import (
    MAX_SUPPLY,
    USDC,
    AssetParameters,
    Curve,
    EngineParameters,
    Haircut,
    MarginFunction,
    MarketParameters,
    PoolParameters,
    PriceParameters,
)
from solvent.domain.units import (
    HOUR,
    PRICE_SCALE,
    RATIO,
    SECOND,
    VALUE_DECIMALS,
    value_divisor,
)
from solvent.reference.state import State

PERCENT = RATIO // 100
MINUTE = 60 * SECOND
START_TIME = 1_760_000_400 * SECOND
LADDER = (2, 5, 10)
"""How far the maker's quotes are from the price, in thousandths."""


class Cast(NamedTuple):
    """Who and what an attack is about.

    Honest: a `lender` of all assets, a `saver` who lends USDC, a `borrower`, a `maker`, a
    `provider`. Attackers, who act together: a `head` with money, a `friend`, and a `backer`, who is
    a backstop provider. Assets beside USDC: a dear `coin`, the `token` that most attacks are about,
    and an `other` one.
    """

    lender: int
    saver: int
    borrower: int
    maker: int
    provider: int
    head: int
    friend: int
    backer: int
    coin: int
    token: int
    other: int

    @property
    def honest(self) -> frozenset[int]:
        """Accounts that mean no harm."""
        return frozenset(self[:5])

    @property
    def attackers(self) -> frozenset[int]:
        """Accounts that act together."""
        return frozenset(self[5:8])


PLAIN = Cast(2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3)
"""The cast of a market that is made for an attack."""


@dataclass(frozen=True, slots=True)
class Act:
    """One command, and whether the attackers gave it."""

    command: c.Command
    mine: bool = False


Acts = Iterator[Act]


def plain_market(rng: Random) -> tuple[EngineParameters, list[int]]:
    """A market's parameters, and each asset's first price in 10^-10 USDC a token."""
    usdc = AssetParameters(
        "USDC",
        VALUE_DECIMALS,
        Haircut(RATIO),
        MarginFunction(4 * PERCENT),
        MarginFunction(2 * PERCENT),
        _pool(rng),
    )
    prices = [
        PRICE_SCALE,
        rng.randint(20_000, 120_000) * PRICE_SCALE,
        rng.choice((rng.randint(2, 900), rng.randint(2, 900), 1)) * PRICE_SCALE,
        rng.randint(1, 99) * PRICE_SCALE // 100,
    ]
    tokens = (
        _token(rng, "COIN", rng.randint(7, 9), prices[1]),
        _token(rng, "TOKEN", rng.randint(5, 9), prices[2]),
        _token(rng, "OTHER", rng.randint(2, 9), prices[3]),
    )
    parameters = EngineParameters(
        assets=(usdc, *tokens),
        taker_fee=rng.choice((0, PERCENT // 20, PERCENT // 10)),
        seed=rng.getrandbits(62),
        start_time=START_TIME,
    )
    return parameters, prices


def _pool(rng: Random) -> PoolParameters:
    full = rng.choice((60, 100, 300)) * PERCENT
    return PoolParameters(
        curve=Curve(((0, 2 * PERCENT), (80 * PERCENT, 12 * PERCENT), (RATIO, full))),
        fee=rng.choice((0, 10, 15)) * PERCENT,
        optimal_utilization=80 * PERCENT,
        max_utilization=RATIO,
        throttle_threshold=rng.choice((95 * PERCENT, RATIO)),
    )


def _token(rng: Random, symbol: str, decimals: int, price: int) -> AssetParameters:
    lot = 10 ** max(0, decimals - rng.randint(2, 4))
    return AssetParameters(
        symbol=symbol,
        decimals=decimals,
        haircut=Haircut(rng.choice((80, 90, 95)) * PERCENT),
        initial=MarginFunction(20 * PERCENT),
        maintenance=MarginFunction(10 * PERCENT),
        pool=_pool(rng),
        market=MarketParameters(
            tick=max(1, price // 10_000),
            lot=lot,
            min_quantity=lot,
            min_multiplier=50 * PERCENT,
            max_multiplier=150 * PERCENT,
            min_impact_multiplier=90 * PERCENT,
            max_impact_multiplier=110 * PERCENT,
        ),
        price=PriceParameters(max_age=24 * HOUR),
    )


class World:
    """What a strategy sees of its market, and the acts that it can ask for."""

    def __init__(self, rng: Random, state: Callable[[], State], cast: Cast) -> None:
        self.rng = rng
        self.cast = cast
        self._state = state

    @property
    def state(self) -> State:
        """The engine's state, to be read."""
        return self._state()

    def atoms(self, asset: int, usdc: int) -> int:
        """Atoms of an asset worth so many whole USDC at its index."""
        divisor = value_divisor(self.state.asset(asset).decimals)
        index = max(1, self.state.prices[asset].index)
        return int(min(MAX_SUPPLY, max(1, usdc * 10**VALUE_DECIMALS * divisor // index)))

    def free(self, account: int, asset: int) -> int:
        """Atoms available to an account."""
        return self.state.accounts[account].available[asset]

    def opening(self, prices: list[int]) -> Acts:
        """Accounts, prices, and what everybody came with; lenders lend and the maker quotes."""
        cast, assets = self.cast, range(len(prices))
        for asset in assets[1:]:
            yield from self.price_at(asset, prices[asset])
        for account in range(cast.lender, cast.backer + 1):
            provides = account in (cast.provider, cast.backer)
            yield Act(c.OpenAccount(account, c.Role(provides)))
        for asset in assets:
            for account, usdc in (
                (cast.lender, 400_000),
                (cast.maker, 500_000),
                (cast.head, 100_000),
            ):
                yield Act(c.Deposit(account, asset, self.atoms(asset, usdc)))
            if asset != cast.other:
                yield Act(c.Lend(cast.lender, asset, self.atoms(asset, 400_000)))
        for account, usdc in (
            (cast.saver, 100_000),
            (cast.provider, 50_000),
            (cast.friend, 50_000),
            (cast.backer, 50_000),
        ):
            yield Act(c.Deposit(account, USDC, self.atoms(USDC, usdc)))
        yield Act(c.Lend(cast.saver, USDC, self.atoms(USDC, 100_000)))
        yield Act(c.Deposit(cast.borrower, cast.coin, self.atoms(cast.coin, 100_000)))
        yield from self.loan(cast.borrower, USDC, 40_000)
        for asset in assets[1:]:
            yield from self.quotes(asset)

    def loan(self, account: int, asset: int, usdc: int) -> Acts:
        """An account borrows, and takes what it borrowed elsewhere."""
        quantity = self.atoms(asset, usdc)
        yield Act(c.Borrow(account, asset, quantity))
        yield Act(c.Withdraw(account, asset, quantity))

    def quotes(self, asset: int) -> Acts:
        """The maker's ladder around the index, in place of the old one."""
        maker, lot = self.cast.maker, self.lot(asset)
        yield Act(c.CancelAllOrders(maker, asset))
        quantity = max(lot, self.atoms(asset, 20_000) // lot * lot)
        for away in LADDER:
            for side, permille in ((c.Side.BID, 1000 - away), (c.Side.ASK, 1000 + away)):
                price = self.tick(asset, permille)
                yield Act(c.PlaceOrder(maker, asset, side, price=price, quantity=quantity))

    def price(self, asset: int, percent: int) -> Acts:
        """The world gives a price, in per cent of the last."""
        yield from self.price_at(asset, self.state.prices[asset].index * percent // 100)

    def price_at(self, asset: int, price: int) -> Acts:
        """All sources of an asset give a price."""
        price = max(1, price)
        for source in range(len(self.state.prices[asset].quotes)):
            yield Act(c.UpdatePrice(asset, source, price, price, price))

    def seconds(self, count: int) -> Acts:
        """So many seconds, one by one."""
        for _ in range(count):
            yield Act(c.TimeStep(self.state.now + SECOND))

    def until_top(self, before: int = 0) -> Acts:
        """Time until so many microseconds before the next full hour, a minute a step."""
        top = (self.state.now // HOUR + 1) * HOUR - before
        while self.state.now < top:
            yield Act(c.TimeStep(min(top, self.state.now + MINUTE)))

    def rest(self) -> Acts:
        """Time at fixed prices: seconds while anybody is liquidating, then to the full hour."""
        for _ in range(120):
            yield from self.seconds(1)
            if not self.state.liquidating:
                break
        yield from self.until_top()

    def mine(self, *commands: c.Command) -> Acts:
        """The attackers act."""
        for command in commands:
            yield Act(command, mine=True)

    def tick(self, asset: int, permille: int) -> int:
        """A price of an order, in thousandths of the index, on a tick."""
        tick = self._market(asset).tick
        index = self.state.prices[asset].index
        return int(max(1, index * permille // 1000 // tick) * tick)

    def lot(self, asset: int) -> int:
        """The smallest order."""
        return self._market(asset).min_quantity

    def _market(self, asset: int) -> MarketParameters:
        market = self.state.asset(asset).market
        if market is None:
            raise AssertionError(f"asset {asset} has no market")
        return market
