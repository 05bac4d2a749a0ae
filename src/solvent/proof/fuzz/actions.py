"""What the simulated accounts and prices do next: single commands mixed with scripts of several.

Scripts are short stories that random commands seldom tell by themselves: a short against the limit,
a lender that borrows against its claim, a drained pool, a crash, and a price set to the very mark
at which an account becomes liquidatable, or one unit beside it. They are interleaved with each
other and with everything else.
"""

from collections.abc import Callable
from random import Random

from solvent.domain import commands as c
from solvent.domain.parameters import MAX_SUPPLY, USDC, PoolState
from solvent.domain.units import RATIO, SECOND
from solvent.proof.fuzz.commands import COMMANDS, deposit
from solvent.proof.fuzz.draws import FIRST_USER, Draws, Plan, Script
from solvent.proof.invariants.state_view import health_in, view_of
from solvent.reference.engine import ReferenceEngine
from solvent.reference.lending import wallet
from solvent.reference.state import FUND, TREASURY

MAX_SCRIPTS = 6
NEVER_OFF = ("step", "price", "deposit", "refresh")


def opening(draws: Draws) -> Script:
    """Accounts, first prices, first deposits: the commands a run begins with."""
    for asset in range(1, len(draws.state.pools)):
        yield from draws.quote_all(asset, draws.drift(asset))
    for account in range(FIRST_USER, FIRST_USER + draws.rng.randint(6, 12)):
        role = c.Role.BACKSTOP_PROVIDER if draws.chance(20) else c.Role.USER
        yield Plan(c.OpenAccount(account, role))
    for _ in range(draws.rng.randint(5, 30)):
        yield deposit(draws)
    for account in (FUND, TREASURY):
        if draws.chance(40):
            yield Plan(c.Deposit(account, USDC, draws.worth(USDC)))


def short(draws: Draws) -> Script:
    """Borrow a token against USDC and be rid of it: hurt when it rises."""
    account, asset = draws.account(), draws.token()
    yield Plan(c.Deposit(account, USDC, draws.worth(USDC)))
    yield from _borrow_most(draws, account, asset)
    free = draws.free(account, asset)
    if draws.chance(50):
        yield Plan(c.Withdraw(account, asset, free))
    else:
        lot = draws.market(asset).lot
        market = c.OrderType.MARKET
        yield Plan(c.PlaceOrder(account, asset, c.Side.ASK, market, quantity=free // lot * lot))


def lever(draws: Draws) -> Script:
    """Lend one asset and borrow another against it, to the limit; maybe take it away."""
    account, held, owed = draws.account(), draws.asset(), draws.asset()
    yield Plan(c.Deposit(account, held, draws.worth(held)))
    if draws.chance(70):
        yield Plan(c.Lend(account, held, draws.free(account, held)))
    yield from _borrow_most(draws, account, owed)
    if draws.chance(70):
        yield Plan(c.Withdraw(account, owed, draws.free(account, owed)))


def drain(draws: Draws) -> Script:
    """Take all that a pool gives, with collateral to spare."""
    account, asset = draws.account(), draws.asset()
    other = USDC if asset != USDC else draws.token()
    for _ in range(3):
        yield Plan(c.Deposit(account, other, draws.worth(other)))
    if draws.chance(30):
        yield Plan(c.UpdateSettings(account, auto_borrow_settlements=1))
    yield from _borrow_most(draws, account, asset)
    if draws.chance(60):
        yield Plan(c.Withdraw(account, asset, draws.free(account, asset)))


def _borrow_most(draws: Draws, account: int, asset: int) -> Script:
    if not draws.exists(account):
        return
    most = wallet.largest_borrow(draws.state, account, asset)
    quantity = most if draws.chance(60) else most * draws.rng.randint(50, 99) // 100
    passes = True if 0 < quantity == most and draws.may_act(account) else None
    yield Plan(c.Borrow(account, asset, quantity), passes)


def stuck(draws: Draws) -> Script:
    """A lender borrows against its claim, others drain the pool, and the price of it falls.

    The others may owe USDC instead of handing assets over, where the USDC pool has some.
    """
    account, asset = draws.account(), draws.token()
    yield from thaw(draws, asset)
    yield from thaw(draws, USDC)
    usdc_lender = draws.account()
    yield Plan(c.Deposit(usdc_lender, USDC, draws.worth(USDC)))
    yield Plan(c.Lend(usdc_lender, USDC, draws.free(usdc_lender, USDC)))
    yield Plan(c.Deposit(account, asset, draws.worth(asset)))
    yield Plan(c.Lend(account, asset, draws.free(account, asset)))
    yield from _borrow_most(draws, account, USDC)
    yield Plan(c.Withdraw(account, USDC, draws.free(account, USDC)))
    for _ in range(2):
        other, collateral = draws.account(), draws.asset()
        yield Plan(c.Deposit(other, collateral, draws.worth(collateral)))
        yield Plan(c.UpdateSettings(other, auto_borrow_settlements=1))
        yield from _borrow_most(draws, other, asset)
    yield from hunt(draws, account, asset)


def underwrite(draws: Draws) -> Script:
    """A provider commits in every asset, more than its deposit bears."""
    account = draws.provider()
    yield Plan(c.Deposit(account, USDC, draws.worth(USDC)))
    for asset in range(len(draws.state.pools)):
        quantity = max(draws.worth(asset) for _ in range(3))
        yield Plan(c.PostBackstop(account, asset, quantity))


def crash(draws: Draws) -> Script:
    """A gap in one price, then seconds in which the waterfall works."""
    asset = draws.token()
    percent = draws.rng.choice((20, 50, 70, 85, 92, 96, 104, 108, 115, 140, 200, 400))
    yield from draws.quote_all(asset, max(1, draws.drift(asset) * percent // 100))
    for _ in range(draws.rng.randint(1, 8)):
        yield Plan(c.TimeStep(draws.state.now + SECOND))


def hunt(draws: Draws, account: int | None = None, asset: int | None = None) -> Script:
    """Set a price to where an account becomes liquidatable, or one unit beside it."""
    debtors = [
        number
        for number, holder in enumerate(draws.state.accounts)
        if any(holder.debt_shares) and number not in draws.state.liquidating
    ]
    if account is not None:
        debtors = [number for number in debtors if number == account]
    if not debtors:
        return
    asset = draws.token() if asset is None else asset
    edge = _edge(draws, draws.rng.choice(debtors), asset)
    if edge:
        price = max(1, edge + draws.rng.choice((0, 0, -1, 1)))
        yield from draws.quote_all(asset, price, sharp=True)
        for _ in range(draws.rng.randint(0, 3)):
            yield Plan(c.TimeStep(draws.state.now + SECOND))


def _edge(draws: Draws, account: int, asset: int) -> int:
    """The mark next to the present one at which an account is liquidatable, or 0."""
    view = view_of(draws.state)

    def fatal(mark: int) -> bool:
        prices = list(view.prices)
        prices[asset] = prices[asset]._replace(mark=mark)
        holding = view.holdings[account]
        return health_in(view.parameters, view.pools, tuple(prices), holding).liquidatable

    safe = view.prices[asset].mark
    for limit in (safe // 5, safe * 5):
        near, far = safe, limit
        if safe and far and not fatal(near) and fatal(far):
            while abs(far - near) > 1:
                middle = (near + far) // 2
                near, far = (near, middle) if fatal(middle) else (middle, far)
            return far
    return 0


def make_market(draws: Draws) -> Script:
    """Rest orders on both sides of the mark."""
    account, asset = draws.account(), draws.token()
    yield Plan(c.Deposit(account, asset, draws.worth(asset)))
    yield Plan(c.Deposit(account, USDC, draws.worth(USDC)))
    market = draws.market(asset)
    for distance in range(1, draws.rng.randint(2, 5)):
        for side, percent in ((c.Side.BID, 100 - distance), (c.Side.ASK, 100 + distance)):
            ticks = draws.state.mark(asset) * percent // 100 // market.tick
            lots = draws.free(account, asset) // 4 // market.lot
            yield Plan(
                c.PlaceOrder(
                    account,
                    asset,
                    side,
                    price=max(1, ticks) * market.tick,
                    quantity=max(market.min_quantity, lots * market.lot),
                    auto_borrow=draws.chance(30),
                )
            )


def refresh(draws: Draws) -> Script:
    """Quote every asset again where it is, ending halts."""
    for asset in range(1, len(draws.state.pools)):
        if draws.state.prices[asset].halted:
            yield Plan(c.HaltPrice(asset, False))
        yield from draws.quote_all(asset, draws.drift(asset))


def thaw(draws: Draws, asset: int | None = None) -> Script:
    """Open a pool fully, as a venue would after an incident."""
    asset = draws.asset() if asset is None else asset
    for field, value in (
        (c.ParameterField.POOL_STATE, PoolState.OPEN),
        (c.ParameterField.OPEN_BORROW_LEND_LIMIT, MAX_SUPPLY),
        (c.ParameterField.MAX_UTILIZATION, RATIO),
        (c.ParameterField.THROTTLE_THRESHOLD, RATIO),
    ):
        yield Plan(c.ChangeParameter(asset, field, value))


SCRIPTS: dict[str, tuple[Callable[[Draws], Script], int]] = {
    "short": (short, 20),
    "lever": (lever, 30),
    "drain": (drain, 15),
    "stuck": (stuck, 10),
    "underwrite": (underwrite, 8),
    "crash": (crash, 14),
    "hunt": (hunt, 20),
    "make_market": (make_market, 15),
    "refresh": (refresh, 20),
    "thaw": (thaw, 6),
}
"""Every script and how often one is begun, before a run's own factors."""


class Moves:
    """The accounts and prices of one run: `next` is what happens next."""

    def __init__(self, rng: Random, engine: ReferenceEngine, anchors: list[int]) -> None:
        self._rng = rng
        self._draws = Draws(rng, engine, anchors)
        self._opening = opening(self._draws)
        self._running: list[Script] = []
        usual = {kind: weight for kind, (_, weight) in (COMMANDS | SCRIPTS).items()}
        factors = {kind: rng.choice((0, 1, 4, 8, 8, 16, 40)) for kind in usual}
        for kind in NEVER_OFF:
            factors[kind] = max(4, factors[kind])
        self._kinds = list(usual)
        self._weights = [usual[kind] * factors[kind] for kind in usual]

    def next(self) -> Plan | None:
        """The next command, or None when this move was only a question."""
        plan = next(self._opening, None)
        if plan is not None:
            return plan
        if self._running and self._draws.chance(60):
            script = self._rng.choice(self._running)
            plan = next(script, None)
            if plan is not None:
                return plan
            self._running.remove(script)
        (kind,) = self._rng.choices(self._kinds, self._weights)
        if kind in COMMANDS:
            return COMMANDS[kind][0](self._draws)
        script = SCRIPTS[kind][0](self._draws)
        if len(self._running) < MAX_SCRIPTS:
            self._running.append(script)
        return next(script, None)
