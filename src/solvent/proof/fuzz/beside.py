"""Beside: a market with and without hostile assets, which must change nothing elsewhere (I43).

Two engines get the same commands for the same assets and accounts. One of them has two assets more,
whose prices, parameters, pools, books and accounts go to all extremes: prices of a unit and of 62
bits, rates of ten thousand per cent, supplies at their limit, halts, stale quotes, debts that
nobody can pay. What of the first market's pools, prices, books and accounts differs, or an engine
that stops, is a breach.

The accounts of the hostile assets have nothing else, fees are zero, the fund is empty and nobody
stands by, for a venue's fund and treasury are shared by rule, and a standby takes any asset.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from solvent.domain import commands as c
from solvent.domain.events import Event, Refused
from solvent.domain.parameters import (
    MAX_SUPPLY,
    AssetParameters,
    Curve,
    EngineParameters,
    Haircut,
    MarginFunction,
    MarketParameters,
    PoolParameters,
    PriceParameters,
)
from solvent.domain.units import INT64_MAX, MAX_DECIMALS, RATIO, UnitsOverflowError
from solvent.proof.fuzz.actions import Moves
from solvent.proof.fuzz.draws import FIRST_USER
from solvent.proof.fuzz.market import random_parameters
from solvent.proof.invariants.invariants import Breach, breach
from solvent.reference.engine import ReferenceEngine
from solvent.reference.state import FUND, TREASURY, Account, Order, State

EngineFactory = Callable[[EngineParameters], ReferenceEngine]
HOSTS = (FIRST_USER, FIRST_USER + 1, FIRST_USER + 2)
"""Accounts that deal in the hostile assets alone."""
FIRST = HOSTS[-1] + 1
PRICES = (1, 2, 3, 10**4, 10**10, 10**14, 2**59, 2**61, 2**62)
QUANTITIES = (1, 2, 10, 10**9, MAX_SUPPLY // 2, MAX_SUPPLY, INT64_MAX)
HOSTILE_PERCENT = 40
_NOTHING = c.CancelAllOrders(HOSTS[0])
"""A command that is accepted and does nothing where it has no orders."""


@dataclass(frozen=True, slots=True)
class Beside:
    """One run: commands of the market, commands of the hostile assets, and the first breach."""

    seed: int
    commands: int
    hostile: int
    breach: Breach | None


def beside(seed: int, commands: int, *, engine_factory: EngineFactory = ReferenceEngine) -> Beside:
    """Run a market with and without hostile assets beside it; stop at the first difference."""
    rng = Random(f"beside {seed}")
    parameters, anchors = random_parameters(rng)
    parameters = _without_shared(parameters)
    alone = engine_factory(parameters)
    both = engine_factory(replace(parameters, assets=(*parameters.assets, *_hostile_assets(rng))))
    for account in HOSTS:
        for engine in (alone, both):
            engine.apply_one(c.OpenAccount(account))
    pair = _Pair(alone, both, len(parameters.assets))
    moves = Moves(rng, alone, anchors, FIRST)
    story = _ruin(rng, both.state, pair.assets)
    done = hostile = 0
    while done < commands and pair.breach is None:
        if rng.randrange(100) < HOSTILE_PERCENT:
            command = next(story, None)
            if command is None:
                story = _ruin(rng, both.state, pair.assets)
                command = _hostile(rng, both.state, pair.assets)
            pair.hostile(command)
            hostile += 1
            continue
        plan = moves.next()
        if plan is not None and _concerns(plan.command, pair.assets):
            pair.carry_out(plan.command)
            done += 1
    return Beside(seed, done, hostile, pair.breach)


def _without_shared(parameters: EngineParameters) -> EngineParameters:
    """The market without what its assets share by rule: fees to the treasury, and the fund."""
    waterfall = replace(parameters.waterfall, book_fee=0, fund_share=0)
    return replace(parameters, waterfall=waterfall, maker_fee=0, taker_fee=0)


def _hostile_assets(rng: Random) -> Iterator[AssetParameters]:
    for symbol in ("BAD", "WORSE"):
        margin = MarginFunction(rng.choice((1, RATIO // 10)), rng.choice((0, 10**4)))
        yield AssetParameters(
            symbol=symbol,
            decimals=rng.choice((0, 2, MAX_DECIMALS)),
            haircut=Haircut(rng.choice((0, RATIO))),
            initial=margin,
            maintenance=margin,
            pool=PoolParameters(
                curve=Curve(((0, rng.choice((0, 100 * RATIO))), (RATIO, 100 * RATIO))),
                fee=rng.choice((0, RATIO)),
                optimal_utilization=RATIO,
                max_utilization=RATIO,
                throttle_threshold=RATIO,
            ),
            market=MarketParameters(1, 1, 1, 0, 100 * RATIO, 0, 100 * RATIO),
            price=PriceParameters(
                source_weights=(1,) * rng.choice((1, 3)),
                max_age=rng.choice((1, 10**13)),
                mark_band=RATIO // 2,
            ),
        )


def _hostile(rng: Random, state: State, first: int) -> c.Command:
    """Anything at all in a hostile asset; only asks rest, so that nothing is traded for USDC."""
    account, asset = rng.choice(HOSTS), rng.choice((first, first + 1))
    price, quantity = rng.choice(PRICES), rng.choice(QUANTITIES)
    free = state.accounts[account].available[asset]
    source = rng.randrange(len(state.prices[asset].quotes))
    field, value = rng.choice(
        (
            (c.ParameterField.CURVE_RATE, 100 * RATIO),
            (c.ParameterField.COLLATERAL_WEIGHT, rng.choice((0, RATIO))),
            (c.ParameterField.PRICE_MAX_AGE, rng.choice((1, 10**13))),
            (c.ParameterField.OPEN_BORROW_LEND_LIMIT, rng.choice((0, MAX_SUPPLY))),
            (c.ParameterField.POOL_STATE, rng.choice((0, 0, 1, 2))),
            (c.ParameterField.POOL_FEE, rng.choice((0, RATIO))),
        )
    )
    more = _open(state, first)
    commands: tuple[c.Command, ...] = (
        c.UpdatePrice(asset, source, price, price, price, more),
        c.UpdatePrice(asset, source, price, price, price, more),
        c.UpdatePrice(asset, source, price, INT64_MAX, 1, more),
        c.HaltPrice(asset, rng.choice((True, False, False)), more),
        c.ChangeParameter(asset, field, value, rng.randrange(2)),
        c.Deposit(account, asset, quantity),
        c.Deposit(account, asset, quantity),
        c.Lend(account, asset, max(1, rng.choice((free, free // 2, quantity)))),
        c.Lend(account, asset, max(1, free)),
        c.Borrow(account, asset, rng.choice((quantity, max(1, state.pools[asset].cash)))),
        c.Borrow(account, asset, max(1, state.pools[asset].cash // 2)),
        c.Repay(account, asset, quantity),
        c.Redeem(account, asset, quantity),
        c.Withdraw(account, asset, max(1, free)),
        c.PlaceOrder(account, asset, c.Side.ASK, price=price, quantity=min(quantity, MAX_SUPPLY)),
        c.CancelAllOrders(account),
        c.CollectFees(asset),
    )
    return rng.choice(commands)


def _ruin(rng: Random, state: State, first: int) -> Iterator[c.Command]:
    """A debt in one hostile asset against the other, taken away; then the debtor is ruined."""
    lender, debtor, _ = rng.sample(HOSTS, 3)
    owed, held = rng.sample((first, first + 1), 2)
    for asset in (owed, held):
        for field, value in (
            (c.ParameterField.PRICE_MAX_AGE, 10**13),
            (c.ParameterField.COLLATERAL_WEIGHT, RATIO),
            (c.ParameterField.OPEN_BORROW_LEND_LIMIT, MAX_SUPPLY),
            (c.ParameterField.POOL_STATE, 0),
        ):
            yield c.ChangeParameter(asset, field, value)
        yield c.HaltPrice(asset, False, _open(state, first))
        for source in range(len(state.prices[asset].quotes)):
            yield c.UpdatePrice(asset, source, 10**6, 10**6, 10**6, _open(state, first))
    size = 10 ** rng.randint(3, 17)
    yield c.Deposit(lender, owed, size)
    yield c.Lend(lender, owed, size)
    yield c.Deposit(debtor, held, MAX_SUPPLY)
    yield c.Borrow(debtor, owed, rng.choice((size, size // 2)))
    yield c.Withdraw(debtor, owed, max(1, state.accounts[debtor].available[owed]))
    for asset, price in ((held, 1), (owed, rng.choice(PRICES))):
        for source in range(len(state.prices[asset].quotes)):
            yield c.UpdatePrice(asset, source, price, price, price, _open(state, first))


def _open(state: State, first: int) -> bool:
    """Whether a moment of the market is not over: it is not ended from beside."""
    return any(each.given for each in state.prices[:first])


class _Pair:
    """Both engines, and what of the first market differs between them."""

    def __init__(self, alone: ReferenceEngine, both: ReferenceEngine, assets: int) -> None:
        self.alone = alone
        self.both = both
        self.assets = assets
        self.breach: Breach | None = None
        self._orders: dict[int, int] = {}

    def hostile(self, command: c.Command) -> None:
        """A command of the hostile assets, which the other market does not have.

        Any accepted command has the next interval book interest that is lost, which otherwise waits
        for its minute (specification, section 7.2): so the other market hears of something as well.
        """
        events = self._applied(self.both, command)
        if events is not None and _refusal(events) is None:
            self._applied(self.alone, _NOTHING)
        if events is not None:
            self._compare()

    def carry_out(self, command: c.Command) -> None:
        """A command of the market, in both, with the numbers that its orders have in each."""
        if isinstance(command, c.PlaceOrder | c.PlaceTrigger):
            self._orders[self.alone.state.next_order] = self.both.state.next_order
        other = command
        if isinstance(command, c.CancelOrder):
            other = replace(command, order=self._orders.get(command.order, INT64_MAX))
        one, two = self._applied(self.alone, command), self._applied(self.both, other)
        if one is None or two is None:
            return
        if _refusal(one) != _refusal(two):
            self.breach = breach("I43", f"{command} is answered otherwise beside hostile assets")
            return
        self._compare()

    def _applied(self, engine: ReferenceEngine, command: c.Command) -> tuple[Event, ...] | None:
        try:
            return engine.apply_one(command)
        except (ArithmeticError, LookupError, AssertionError, UnitsOverflowError) as error:
            self.breach = breach("I43", f"{command} stopped an engine: {error}")
            return None

    def _compare(self) -> None:
        if self.breach is None:
            for name, one, two in _parts(self.alone.state, self.both.state, self.assets):
                if one != two:
                    self.breach = breach("I43", f"{name} differ beside others: {one}, {two}")
                    return


def _concerns(command: c.Command, assets: int) -> bool:
    """Whether a command is about nothing that both markets share by rule, or only one has."""
    account, asset = getattr(command, "account", FIRST), getattr(command, "asset", 0)
    if isinstance(command, c.PostStandby | c.WithdrawStandby):
        return False
    return asset < assets and account not in (FUND, TREASURY)


def _refusal(events: tuple[Event, ...]) -> object:
    first = events[0] if events else None
    return (first.code, first.limit) if isinstance(first, Refused) else None


def _parts(alone: State, both: State, assets: int) -> Iterator[tuple[str, object, object]]:
    """What must be the same of both states: name, in the one, in the other."""
    yield "times", alone.now, both.now
    yield "tokens outside", alone.external, both.external[:assets]
    yield "liquidations", alone.liquidating, both.liquidating - {*HOSTS}
    accounts = zip(alone.accounts[FIRST:], both.accounts[FIRST:], strict=True)
    for number, (one, two) in enumerate(accounts, FIRST):
        yield f"accounts {number}", _account(one, assets), _account(two, assets)
    for asset in range(assets):
        yield f"pools of {asset}", alone.pools[asset], both.pools[asset]
        yield f"prices of {asset}", alone.prices[asset], both.prices[asset]
        for side in ("bids", "asks"):
            yield f"{side} of {asset}", _orders(alone, asset, side), _orders(both, asset, side)


def _account(account: Account, assets: int) -> tuple[object, ...]:
    return (
        account.role,
        *(
            tuple(column[:assets])
            for column in (
                account.available,
                account.locked,
                account.lent_shares,
                account.debt_shares,
                account.unfunded,
                account.committed,
            )
        ),
        account.leverage_limit,
        account.auto_lend,
        account.auto_repay_borrows,
        account.auto_borrow_settlements,
        len(account.open_orders),
    )


def _orders(state: State, asset: int, side: str) -> list[Order]:
    """A side of a book, best first, without the numbers and ages of its orders."""
    numbers: list[int] = getattr(state.books[asset], side)
    return [replace(state.orders[number], order=0, place=0) for number in numbers]
