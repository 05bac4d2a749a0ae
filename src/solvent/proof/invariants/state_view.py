"""State views: one state as the checks see it, light enough to take after every command.

A state view is made of tuples, so two compare in one go: equal views are equal states. It
carries what the checks need beside the raw numbers: claims and debts in atoms, and each account's
`Health`. Those are computed here again, from the formulas in the specification and from nothing
that `margin` or `ledger` compute, so that a mistake there shows as a difference.

What did not change since the last view is taken over from it, the very object, so that checks can
pass over what they have seen.

Specification: section 9.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import compress
from math import isqrt
from operator import attrgetter, is_not
from typing import NamedTuple, TypeVar

from solvent.domain.parameters import (
    AssetParameters,
    EngineParameters,
    Haircut,
    HaircutKind,
    MarginFunction,
    SizeBy,
)
from solvent.domain.units import (
    FINE_DECIMALS,
    FINE_PER_VALUE,
    INDEX_SCALE,
    INT64_MAX,
    PRICE_DECIMALS,
    RATIO,
    SQUARE_ROOT_SCALE,
    VALUE_DECIMALS,
)
from solvent.reference.state import POOL_NUMBERS, Account, Pool, Price, State, Trigger

FINE = 10 ** (FINE_DECIMALS - PRICE_DECIMALS)
ROOT = RATIO * SQUARE_ROOT_SCALE


Part = TypeVar("Part")
_ORDER = attrgetter(
    "order",
    "account",
    "asset",
    "side",
    "price",
    "quantity",
    "locked",
    "unfunded",
    "reduce_only",
    "auto_borrow",
    "auto_borrow_repay",
    "self_trade_prevention",
    "client_id",
    "quote_ahead",
    "fee_ahead",
    "place",
)


class PoolView(NamedTuple):
    """One pool: its columns, and what they come to in atoms."""

    cash: int
    lend_shares: int
    debt_shares: int
    lend_index: int
    debt_index: int
    fees: int
    residue: int
    bound: int
    deficit: int
    sink: int
    debt_base: int
    base_ahead: int
    accrued: int
    accrued_part: int
    owed_time: int
    apr: int
    interest: int
    interest_part: int
    hour_fee: int
    fee_part: int
    unpaid: int
    frozen: int
    impaired: int
    lent: int
    borrowed: int

    @property
    def exact_sink(self) -> int:
        """What is nobody's, in 10^-18 atoms: neither claims nor fees nor carried for either."""
        debts, claims = self.debt_shares * self.debt_index, self.lend_shares * self.lend_index
        carried = self.fee_part + self.unpaid + self.interest_part % RATIO
        return (self.cash - self.fees) * INDEX_SCALE + debts - claims - carried

    @property
    def utilization_up(self) -> int:
        """Borrowed / lent in 10^-9, rounded up; full where debts are owed and nothing is lent."""
        if not self.borrowed:
            return 0
        if not self.lent:
            return RATIO
        return min(INT64_MAX, -(-self.borrowed * RATIO // self.lent))


class PriceView(NamedTuple):
    """One asset's price; `quotes` are (bid, ask, last, time)."""

    index_price: int
    premium: int
    mark: int
    updated: int
    halted: bool
    stale: bool
    in_doubt: bool
    given: int
    quotes: tuple[tuple[int, int, int, int], ...]


class Holding(NamedTuple):
    """One account's columns."""

    role: int
    available: tuple[int, ...]
    locked: tuple[int, ...]
    lent_shares: tuple[int, ...]
    debt_shares: tuple[int, ...]
    unfunded: tuple[int, ...]
    committed: tuple[int, ...]
    principal: tuple[int, ...]
    taken: tuple[int, ...]
    leverage_limit: int
    settings: tuple[bool, bool, bool]
    open_orders: frozenset[int]
    triggers: frozenset[int]


class Health(NamedTuple):
    """One account's claims and debts in atoms, and its sums in 10^-12 USDC.

    `net_equity` and `maintenance` read stale prices for the account, `careful_equity`,
    `careful_maintenance` and `initial` against it; without stale prices they agree.
    """

    claims: tuple[int, ...]
    debts: tuple[int, ...]
    net_equity: int
    maintenance: int
    careful_equity: int
    careful_maintenance: int
    initial: int
    exposure: int
    assets_value: int
    debts_value: int

    @property
    def total_value(self) -> int:
        """Assets less debts at the mark, unweighted."""
        return self.assets_value - self.debts_value

    @property
    def surplus(self) -> int:
        """NE - M with stale prices read for the account."""
        return self.net_equity - self.maintenance

    @property
    def careful_surplus(self) -> int:
        """NE - M with stale prices read against the account."""
        return self.careful_equity - self.careful_maintenance

    @property
    def liquidatable(self) -> bool:
        """Something is owed, and NE <= M: MMR is at or above 100 %."""
        return self.debts_value > 0 and not self.net_equity > self.maintenance


@dataclass(frozen=True, slots=True)
class StateView:
    """One state. `market` is everything that health depend on beside the account itself."""

    parameters: EngineParameters
    now: int
    heard: int
    counters: tuple[int, ...]
    external: tuple[int, ...]
    pools: tuple[PoolView, ...]
    prices: tuple[PriceView, ...]
    holdings: tuple[Holding, ...]
    health: tuple[Health, ...]
    orders: tuple[tuple[int, ...], ...]
    triggers: tuple[Trigger, ...]
    last_trades: tuple[int, ...]
    books: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    liquidating: frozenset[int]
    standbys: tuple[tuple[int, ...], ...]
    doubtful: tuple[int, ...]

    def quantity(self, account: int, asset: int) -> int:
        """Atoms held free, locked and lent."""
        holding = self.holdings[account]
        claim = self.health[account].claims[asset]
        return holding.available[asset] + holding.locked[asset] + claim

    def net(self, account: int, asset: int) -> int:
        """Atoms held less atoms owed."""
        return self.quantity(account, asset) - self.health[account].debts[asset]


def view_of(
    state: State, last: StateView | None = None, touched: Collection[int] | None = None
) -> StateView:
    """The view of `state`; `last` is an earlier one, from which unchanged parts are taken.

    Where `touched` are given, accounts that are neither among them nor new are taken over from
    `last` without a look: whoever says so looks at all of them again before long.
    """
    parameters = state.parameters
    pools = tuple(_pool(pool) for pool in state.pools)
    prices = tuple(_price(price) for price in state.prices)
    holdings = _holdings(state, last, touched)
    orders = tuple(_ORDER(state.orders[number]) for number in sorted(state.orders))
    triggers = tuple(state.triggers[number] for number in sorted(state.triggers))
    books = tuple((tuple(book.bids), tuple(book.asks)) for book in state.books)
    liquidating = frozenset(state.liquidating)
    if last is not None:
        prices, orders = _kept(prices, last.prices), _kept(orders, last.orders)
        triggers = _kept(triggers, last.triggers)
        books, liquidating = _kept(books, last.books), _kept(liquidating, last.liquidating)
    return StateView(
        parameters=parameters,
        now=state.now,
        heard=state.heard,
        counters=(
            state.stirred,
            int(state.asleep),
            state.next_order,
            state.next_trade,
            state.next_fill,
            state.next_round,
            state.next_booking,
            state.next_swap,
        ),
        external=tuple(state.external),
        pools=pools,
        prices=prices,
        holdings=holdings,
        health=_healths(parameters, pools, prices, holdings, last),
        orders=orders,
        triggers=triggers,
        last_trades=tuple(price.last for price in state.prices),
        books=books,
        liquidating=liquidating,
        standbys=tuple(
            (account, each.posted, each.premium, each.leaving, each.leaves_at)
            for account, each in sorted(state.standbys.items())
        ),
        doubtful=tuple(state.doubtful),
    )


def _healths(
    parameters: EngineParameters,
    pools: tuple[PoolView, ...],
    prices: tuple[PriceView, ...],
    holdings: tuple[Holding, ...],
    last: StateView | None,
) -> tuple[Health, ...]:
    """Everybody's health, that of `last` where nothing that it depends on changed."""
    if last is None or last.parameters is not parameters:
        return tuple(health_in(parameters, pools, prices, holding) for holding in holdings)
    asked = places_of_others(holdings, last.holdings)
    if moved := _moved_assets(last, pools, prices):
        asked += [at for at, holding in enumerate(holdings) if _concerned(holding, moved)]
    anew = {at: health_in(parameters, pools, prices, holdings[at]) for at in asked}
    found = list(last.health)
    for number in sorted(anew):
        found[number : number + 1] = [anew[number]]
    return tuple(found)


def places_of_others(new: Sequence[object], old: Sequence[object]) -> list[int]:
    """Where another object stands than in `old`, which is as long or shorter."""
    moved = compress(range(len(old)), map(is_not, new, old))
    return [*moved, *range(len(old), len(new))]


def _holdings(
    state: State, last: StateView | None, touched: Collection[int] | None
) -> tuple[Holding, ...]:
    """Everybody's columns, those of `last` wherever they are the same."""
    if last is None:
        return tuple(map(_holding, state.accounts))
    known = last.holdings
    new = state.accounts[len(known) :]
    looked_at = range(len(known)) if touched is None else touched
    found = [*known, *map(_holding, new)]
    for number in looked_at:
        if number < len(known):
            found[number] = _kept(_holding(state.accounts[number]), known[number])
    return tuple(found)


def _kept(new: Part, old: Part) -> Part:
    """The old object where the new one equals it, so that what did not change is the same."""
    return old if new == old else new


def _moved_assets(
    last: StateView, pools: tuple[PoolView, ...], prices: tuple[PriceView, ...]
) -> list[int]:
    return [
        asset
        for asset, (pool, price) in enumerate(zip(pools, prices, strict=True))
        if pool.lend_index != last.pools[asset].lend_index
        or pool.debt_index != last.pools[asset].debt_index
        or price.mark != last.prices[asset].mark
        or price.stale != last.prices[asset].stale
        or price.in_doubt != last.prices[asset].in_doubt
    ]


def _concerned(holding: Holding, assets: list[int]) -> bool:
    return any(
        holding.available[asset]
        or holding.locked[asset]
        or holding.lent_shares[asset]
        or holding.debt_shares[asset]
        or holding.unfunded[asset]
        for asset in assets
    )


def _pool(pool: Pool) -> PoolView:
    return PoolView(
        **{name: getattr(pool, name) for name in POOL_NUMBERS},
        lent=pool.lend_shares * pool.lend_index // INDEX_SCALE,
        borrowed=-(-pool.debt_shares * pool.debt_index // INDEX_SCALE),
    )


def _price(price: Price) -> PriceView:
    quotes = tuple((quote.bid, quote.ask, quote.last, quote.time) for quote in price.quotes)
    return PriceView(
        price.index,
        price.premium,
        price.mark,
        price.updated,
        price.halted,
        price.stale,
        price.in_doubt,
        price.given,
        quotes,
    )


def _holding(account: Account) -> Holding:
    return Holding(
        account.role,
        tuple(account.available),
        tuple(account.locked),
        tuple(account.lent_shares),
        tuple(account.debt_shares),
        tuple(account.unfunded),
        tuple(account.committed),
        tuple(account.principal),
        tuple(account.taken),
        account.leverage_limit,
        (account.auto_lend, account.auto_repay_borrows, account.auto_borrow_settlements),
        frozenset(account.open_orders),
        frozenset(account.triggers),
    )


def health_in(
    parameters: EngineParameters,
    pools: tuple[PoolView, ...],
    prices: tuple[PriceView, ...],
    holding: Holding,
) -> Health:
    """Claims, debts and sums of one account, from the specification's formulas (section 4)."""
    doubt = parameters.waterfall.stale_doubt
    claims, debts = [], []
    kindly = carefully = needed = careful = initial = exposure = assets_value = debts_value = 0
    for number, asset in enumerate(parameters.assets):
        lent, owed = holding.lent_shares[number], holding.debt_shares[number]
        claim = lent * pools[number].lend_index // INDEX_SCALE if lent else 0
        debt = -(-owed * pools[number].debt_index // INDEX_SCALE) if owed else 0
        claims.append(claim)
        debts.append(debt)
        quantity = holding.available[number] + holding.locked[number] + claim
        at_risk = debt + holding.unfunded[number]
        if not (quantity or at_risk):
            continue
        mark, stale = prices[number].mark, prices[number].stale
        worth = quantity * mark * FINE // 10**asset.decimals
        weighted = collateral(asset, quantity, mark, worth) if quantity else 0
        assets_value += worth
        netted = min(quantity, debt)
        beyond = (quantity - netted) * mark * FINE // 10**asset.decimals
        kindly += worth + beyond * doubt // RATIO if stale else weighted
        carefully += 0 if stale else weighted
        if at_risk:
            cost = _cost(asset, debt, mark)
            debts_value += cost
            carefully -= cost
            careful += _margin(asset.maintenance, cost)
            at_stake = _cost(asset, at_risk, mark)
            exposure += at_stake
            initial += _margin(asset.initial, at_stake)
            if stale:
                lower = mark * RATIO // (RATIO + doubt)
                cost = _cost(asset, netted, mark) + _cost(asset, debt - netted, lower)
            kindly -= cost
            needed += _margin(asset.maintenance, cost)
    return Health(
        tuple(claims),
        tuple(debts),
        kindly,
        needed,
        carefully,
        careful,
        initial,
        exposure,
        assets_value,
        debts_value,
    )


def collateral(asset: AssetParameters, quantity: int, mark: int, worth: int) -> int:
    """Value of `quantity` atoms, worth `worth` at the mark, after the haircut, in 10^-12 USDC.

    The weight falls in steps of the size's root; at the start of a step the end of the last counts.
    A size so large that the weight has fewer units than the root is weighed without rounding it.
    """
    haircut: Haircut = asset.haircut
    if haircut.kind is HaircutKind.IDENTITY:
        return worth * haircut.weight // RATIO
    if haircut.size_by is SizeBy.QUANTITY:
        root = _root_up(-(-quantity * 10**VALUE_DECIMALS // 10**asset.decimals))
        last = (root - 1) ** 2 * mark * FINE // 10**VALUE_DECIMALS
    else:
        shift = 10 ** (asset.decimals + PRICE_DECIMALS - VALUE_DECIMALS)
        root = _root_up(-(-quantity * mark // shift))
        last = (root - 1) ** 2 * 10 ** (FINE_DECIMALS - VALUE_DECIMALS)
    now = _weighed(haircut, worth, root)
    return max(now, _weighed(haircut, last, root - 1)) if root else now


def _weighed(haircut: Haircut, worth: int, root: int) -> int:
    divisor = ROOT + haircut.penalty * root
    weight = int(min(haircut.weight, haircut.base * ROOT // divisor))
    if root + 3 <= weight:
        return worth * weight // RATIO
    whole = worth * haircut.base * SQUARE_ROOT_SCALE // divisor
    return int(min(worth * haircut.weight // RATIO, whole))


def _root_up(number: int) -> int:
    root = isqrt(number)
    return root + (root * root < number)


def _cost(asset: AssetParameters, debt: int, mark: int) -> int:
    """Value of a debt in 10^-12 USDC, rounded up."""
    return int(-(-debt * mark * FINE // 10**asset.decimals))


def _margin(function: MarginFunction, value: int) -> int:
    """What a debt worth `value` (10^-12 USDC) requires, in the same unit, rounded up."""
    fraction = function.base
    if function.factor:
        root = _root_up(min(INT64_MAX, -(-value // FINE_PER_VALUE)))
        fraction = max(fraction, -(-function.factor * root // SQUARE_ROOT_SCALE))
    return -(-value * fraction // RATIO)
