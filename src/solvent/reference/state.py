"""State: everything the engine knows, as plain objects holding integers.

Accounts, pools, prices, orders and commitments, plus the parameters in force and the time of the
last step. Nothing here decides anything: `ledger` changes balances and shares, `book` changes
orders, `prices` changes prices, `throttle` and `pool` change pools, `engine` changes the rest.

Deliberately absent: caches. What can be computed from the state is computed.

Specification: section 3.
"""

from dataclasses import dataclass, field, fields

from solvent.domain.commands import PlaceOrder, Role, SelfTradePrevention, Side, TriggerBy
from solvent.domain.events import Event
from solvent.domain.parameters import AssetParameters, EngineParameters
from solvent.domain.units import HOUR, INDEX_SCALE, PRICE_SCALE

UNSET = -1
"""The rate of a pool whose shares, curve or hour changed since interest last accrued."""


@dataclass(slots=True)
class Account:
    """One cross-margined wallet: per asset available, locked, lent and owed, and its settings.

    `lent_shares` and `debt_shares` times the pool's index are the claim and the debt. `unfunded`
    is the part of open orders that would borrow. `committed` is a provider's unused capacity, of
    which `leaving` atoms can be called until time `leaves_at`. `attempted` is the interval of the
    book's last attempt while the account is liquidating, or in which that began, and `shortage` (in
    10^-9 of an attempt) the sum of what attempts since could not close.
    `principal` is what of a debt is no interest, in atoms. `taken` are atoms that were redeemed
    while losses of the pool were uncertain. `open_orders` rest, `triggers` wait.
    """

    role: Role
    available: list[int]
    locked: list[int]
    lent_shares: list[int]
    debt_shares: list[int]
    unfunded: list[int]
    committed: list[int]
    leaving: list[int]
    leaves_at: list[int]
    principal: list[int]
    taken: list[int]
    leverage_limit: int
    auto_lend: bool = False
    auto_repay_borrows: bool = False
    auto_borrow_settlements: bool = False
    attempted: int = 0
    shortage: int = 0
    open_orders: set[int] = field(default_factory=set)
    triggers: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Pool:
    """One asset's pool. Lent and borrowed are shares times an index of 10^-18.

    cash + borrowed = lent + fees + residue, exactly. `bound` is the throttle's, `deficit` the sum
    of all deficits ever booked to lenders, in atoms. `impaired` is the fraction of claims, 10^-18,
    that certain losses will take at the next booking.

    The rest is of `interest`: `debt_base` less 10^-18 * `base_ahead` is the debt index at the top
    of the hour, `accrued` (APR, 10^-9 * hours, and `accrued_part` microseconds of it) the rates
    since then, `owed_time` how long anything was owed, `apr` the rate in force or UNSET. `interest`
    and `hour_fee` are atoms since the top of the hour; `interest_part`, `fee_part` and `unpaid` (to
    lenders) are carried, 10^-18 atoms. `sink` is what of the residue is nobody's.
    """

    cash: int = 0
    lend_shares: int = 0
    debt_shares: int = 0
    lend_index: int = INDEX_SCALE
    debt_index: int = INDEX_SCALE
    fees: int = 0
    residue: int = 0
    bound: int = 0
    deficit: int = 0
    sink: int = 0
    debt_base: int = INDEX_SCALE
    base_ahead: int = 0
    accrued: int = 0
    accrued_part: int = 0
    owed_time: int = 0
    apr: int = UNSET
    interest: int = 0
    interest_part: int = 0
    hour_fee: int = 0
    fee_part: int = 0
    unpaid: int = 0
    frozen: int = 0
    impaired: int = 0


POOL_NUMBERS = tuple(each.name for each in fields(Pool))
"""The numbers of a pool, in the order of its snapshot."""


@dataclass(slots=True)
class Quote:
    """What a source last said; `time` is -1 before it said anything."""

    bid: int = 0
    ask: int = 0
    last: int = 0
    time: int = -1

    @property
    def price(self) -> int:
        """The source's price: median of its bid, ask and last."""
        return sorted((self.bid, self.ask, self.last))[1]


@dataclass(slots=True)
class Price:
    """An asset's quotes and what was made of them: index, book premium, mark; its last trade's.

    `anchor` is the index from which the cap on moves is counted, since time `anchored`; `in_doubt`
    says that the cap holds the index back from what the quotes say, `given` what of a moment that
    is not over waits to take effect: nothing (0), a halt (1) or a quote (2).
    """

    quotes: list[Quote]
    index: int = 0
    premium: int = 0
    mark: int = 0
    updated: int = -1
    halted: bool = False
    stale: bool = True
    anchor: int = 0
    anchored: int = 0
    in_doubt: bool = False
    given: int = 0
    last: int = 0


@dataclass(slots=True)
class Order:
    """A resting order. `locked` atoms of what it pays with are held; the rest would be borrowed.

    `quote_ahead` (1 / value_divisor atoms of USDC) and `fee_ahead` (10^-9 atoms) are what the
    order, where it buys, paid and what it was charged beyond the exact sums of its fills so far.
    `place` is its age: its own number or, if it waited, the one that was next when it came to rest.
    """

    order: int
    account: int
    asset: int
    side: Side
    price: int
    quantity: int
    locked: int
    unfunded: int
    reduce_only: bool
    auto_borrow: bool
    auto_borrow_repay: bool
    self_trade_prevention: SelfTradePrevention
    client_id: int
    quote_ahead: int = 0
    fee_ahead: int = 0
    place: int = 0


@dataclass(frozen=True, slots=True)
class Trigger:
    """A waiting order: what it becomes, and the price that it waits for, risen or fallen to."""

    order: int
    becomes: PlaceOrder
    trigger_price: int
    trigger_by: TriggerBy
    rising: bool


@dataclass(slots=True)
class Standby:
    """What an account stands by with: `posted` atoms of USDC at `premium` (10^-9).

    Of it `leaving` atoms are called until time `leaves_at`.
    """

    posted: int
    premium: int
    leaving: int = 0
    leaves_at: int = 0


@dataclass(slots=True)
class OrderBook:
    """Ids of resting orders of one market, best price first, oldest first within a price."""

    bids: list[int] = field(default_factory=list)
    asks: list[int] = field(default_factory=list)


@dataclass(slots=True)
class State:
    """The whole state of one engine, and the events of the command being applied.

    `asleep` says that nothing happened since the last pass of the waterfall, which changed nothing;
    `stirred` is the first interval for which all is as it is now, and `heard` the first after the
    last command that was accepted. By asset, `doubtful` is the fraction of claims (10^-9) that
    uncertain losses may take, `taken` what all accounts have taken.
    """

    parameters: EngineParameters
    now: int
    accounts: list[Account]
    pools: list[Pool]
    prices: list[Price]
    books: list[OrderBook]
    orders: dict[int, Order]
    external: list[int]
    doubtful: list[int]
    taken: list[int]
    triggers: dict[int, Trigger] = field(default_factory=dict)
    liquidating: set[int] = field(default_factory=set)
    standbys: dict[int, Standby] = field(default_factory=dict)
    stirred: int = 0
    heard: int = 0
    asleep: bool = False
    next_order: int = 1
    next_trade: int = 1
    next_fill: int = 1
    next_round: int = 1
    next_booking: int = 1
    next_swap: int = 1
    events: list[Event] = field(default_factory=list)

    def asset(self, number: int) -> AssetParameters:
        """Parameters of asset `number`."""
        return self.parameters.assets[number]

    def mark(self, asset: int) -> int:
        """Mark price of `asset`, 10^-10 USDC per whole token; 0 before the first quote."""
        return self.prices[asset].mark

    def highest_mark(self, asset: int) -> int:
        """What an asset's index may rise to by the quotes that it has, or its mark if that is more.

        The others of its sources, and a cap on moves, may hold it below that for now.
        """
        price = self.prices[asset]
        return max([price.mark, *(quote.price for quote in price.quotes)])

    def hour(self) -> int:
        """Hours since the epoch that have begun."""
        return self.now // HOUR

    def interval(self) -> int:
        """Number of the waterfall's interval that has begun."""
        return self.now // self.parameters.waterfall.interval

    def emit(self, event: Event) -> None:
        """Record what happened."""
        self.events.append(event)


def new_account(parameters: EngineParameters, role: Role) -> Account:
    """An empty account with the platform's leverage limit and all settings off."""
    zeros = [0] * len(parameters.assets)
    return Account(
        role=role,
        available=list(zeros),
        locked=list(zeros),
        lent_shares=list(zeros),
        debt_shares=list(zeros),
        unfunded=list(zeros),
        committed=list(zeros),
        leaving=list(zeros),
        leaves_at=list(zeros),
        principal=list(zeros),
        taken=list(zeros),
        leverage_limit=parameters.max_leverage,
    )


FUND = 0
"""Account number of the backstop fund."""
TREASURY = 1
"""Account number of the treasury, which receives trading and pool fees."""


def new_state(parameters: EngineParameters) -> State:
    """The state before the first command: the fund, the treasury, and empty pools."""
    assets = parameters.assets
    pools = [Pool(bound=asset.pool.throttle_threshold) for asset in assets]
    prices = [Price([Quote() for _ in asset.price.source_weights]) for asset in assets]
    prices[0] = Price([], index=PRICE_SCALE, mark=PRICE_SCALE, stale=False)
    return State(
        parameters=parameters,
        now=parameters.start_time,
        accounts=[
            new_account(parameters, Role.BACKSTOP_FUND),
            new_account(parameters, Role.TREASURY),
        ],
        pools=pools,
        prices=prices,
        books=[OrderBook() for _ in assets],
        orders={},
        external=[0] * len(assets),
        doubtful=[0] * len(assets),
        taken=[0] * len(assets),
    )
