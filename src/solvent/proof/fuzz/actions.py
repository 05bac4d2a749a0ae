"""What the simulated accounts and prices do next: single commands mixed with scripts of several.

Scripts are short stories that random commands seldom tell by themselves: a short against the limit,
a lender that borrows against its claim, a drained pool, a crash, and a price set to the very mark
at which an account becomes liquidatable, or one unit beside it. They are interleaved with each
other and with everything else.
"""

from collections.abc import Callable
from random import Random

from solvent.domain import commands as c
from solvent.domain.parameters import MAX_SUPPLY, USDC
from solvent.domain.units import SECOND
from solvent.proof.attack.strategies import STANDBY_FARMER, STRATEGIES
from solvent.proof.attack.world import Cast, World
from solvent.proof.fuzz.commands import COMMANDS, cancel_waiting, deposit, trigger
from solvent.proof.fuzz.draws import FIRST_USER, Draws, Plan, Script
from solvent.proof.fuzz.standing import (
    STANDBY_MOVES,
    STANDBY_RUNS,
    STANDBY_SCRIPTS,
    STANDBY_STREAM,
    standby_move,
)
from solvent.proof.fuzz.trading import borrow_most, edge_of, make_market, siege, take, thaw
from solvent.reference.engine import ReferenceEngine
from solvent.reference.state import FUND, TREASURY

MAX_SCRIPTS = 6
WAITING_RUNS, WAITING_MOVES = 40, 6
"""Of a hundred runs so many have orders that wait, and there of a hundred moves so many place one.

They have a stream of their own, drawn beside the run's, so that no other run is another for them.
"""
NEVER_OFF = ("step", "price", "deposit", "refresh")


def opening(draws: Draws) -> Script:
    """Accounts, first prices, first deposits: the commands a run begins with."""
    for asset in range(1, len(draws.state.pools)):
        yield from draws.quote_all(asset, draws.drift(asset))
    for account in range(draws.first, draws.first + draws.rng.randint(6, 12)):
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
    yield from borrow_most(draws, account, asset)
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
    yield from borrow_most(draws, account, owed)
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
    yield from borrow_most(draws, account, asset)
    if draws.chance(60):
        yield Plan(c.Withdraw(account, asset, draws.free(account, asset)))


def stuck(draws: Draws) -> Script:
    """A lender borrows against its claim, others drain the pool, and the price of it falls.

    The others may owe USDC instead of handing assets over, where the USDC pool has some.
    """
    account, asset = draws.account(), draws.token()
    yield from thaw(draws, asset)
    yield from thaw(draws, USDC)
    usdc_lender = draws.account()
    # Enough of it that the pool can lend when payers have none.
    yield Plan(c.Deposit(usdc_lender, USDC, draws.worth(USDC) * 10))
    yield Plan(c.Lend(usdc_lender, USDC, draws.free(usdc_lender, USDC)))
    yield Plan(c.Deposit(account, asset, draws.worth(asset)))
    yield Plan(c.Lend(account, asset, draws.free(account, asset)))
    yield from borrow_most(draws, account, USDC)
    yield Plan(c.Withdraw(account, USDC, draws.free(account, USDC)))
    for _ in range(2):
        other = draws.account()
        collateral = draws.token() if draws.chance(70) else USDC
        yield Plan(c.Deposit(other, collateral, draws.worth(collateral)))
        yield Plan(c.UpdateSettings(other, auto_borrow_settlements=1))
        yield from borrow_most(draws, other, asset)
    yield from hunt(draws, account, asset)


def plenty(draws: Draws, asset: int) -> int:
    """Ten times of some worth, as far as there may be so much."""
    return min(MAX_SUPPLY, draws.worth(asset) * 10)


def strand(draws: Draws) -> Script:
    """A lender is stuck whose borrowers have other tokens only, while somebody stands by."""
    account, standby, asset = draws.account(), draws.account(), draws.token()
    yield from thaw(draws, asset)
    yield from thaw(draws, USDC)
    yield Plan(c.Deposit(standby, USDC, plenty(draws, USDC)))
    yield Plan(c.PostStandby(standby, plenty(draws, USDC), draws.premium()))
    yield Plan(c.Deposit(account, asset, draws.worth(asset)))
    yield Plan(c.Lend(account, asset, draws.free(account, asset)))
    yield from borrow_most(draws, account, USDC)
    yield Plan(c.Withdraw(account, USDC, draws.free(account, USDC)))
    for _ in range(2):
        other, collateral = draws.account(), draws.token()
        yield Plan(c.Deposit(other, collateral, plenty(draws, collateral)))
        if draws.chance(30):
            yield Plan(c.Lend(other, collateral, draws.free(other, collateral)))
        yield from borrow_most(draws, other, asset)
        yield Plan(c.Withdraw(other, asset, draws.free(other, asset)))
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
    edge = edge_of(draws, draws.rng.choice(debtors), asset, ruin=False)
    if edge:
        price = max(1, edge + draws.rng.choice((0, 0, -1, 1)))
        yield from draws.quote_all(asset, price, sharp=True)
        for _ in range(draws.rng.randint(0, 3)):
            yield Plan(c.TimeStep(draws.state.now + SECOND))


def conspire(draws: Draws) -> Script:
    """Some accounts act together, to gain or to hurt, among the others."""
    yield from _conspire(draws, [name for name in STRATEGIES if name != STANDBY_FARMER])


def farm(draws: Draws) -> Script:
    """Some accounts act together to be paid for standing by."""
    yield from _conspire(draws, [STANDBY_FARMER])


def _conspire(draws: Draws, names: list[str]) -> Script:
    """The cast of one of these strategies comes with something, and plays it."""
    users = range(draws.first, len(draws.state.accounts))
    tokens = range(1, len(draws.state.pools))
    cast = Cast(*draws.rng.choices(users, k=8), *draws.rng.choices(tokens, k=3))
    for account in (cast.lender, cast.borrower, cast.head, cast.friend, cast.backer):
        asset = draws.asset()
        yield Plan(c.Deposit(account, asset, draws.worth(asset)))
    strategy = STRATEGIES[draws.rng.choice(names)]
    for act in strategy.play(World(draws.rng, lambda: draws.state, cast)):
        yield Plan(act.command)


def refresh(draws: Draws) -> Script:
    """Quote every asset again where it is, ending halts."""
    for asset in range(1, len(draws.state.pools)):
        if draws.state.prices[asset].halted:
            yield Plan(c.HaltPrice(asset, False))
        yield from draws.quote_all(asset, draws.drift(asset))


SCRIPTS: dict[str, tuple[Callable[[Draws], Script], int]] = {
    "short": (short, 20),
    "lever": (lever, 30),
    "drain": (drain, 15),
    "stuck": (stuck, 25),
    "underwrite": (underwrite, 8),
    "crash": (crash, 14),
    "hunt": (hunt, 20),
    "make_market": (make_market, 15),
    "take": (take, 40),
    "siege": (siege, 60),
    "conspire": (conspire, 12),
    "refresh": (refresh, 30),
    "thaw": (thaw, 6),
}
"""Every script and how often one is begun, before a run's own factors."""


class Moves:
    """The accounts (from `first` on) and prices of one run: `next` is what happens next."""

    def __init__(
        self, rng: Random, engine: ReferenceEngine, anchors: list[int], first: int = FIRST_USER
    ) -> None:
        self._rng = rng
        self._draws = Draws(rng, engine, anchors, first)
        self._opening = opening(self._draws)
        self._running: list[Script] = []
        own = Random(f"waiting {rng.getstate()[1][:8]}")
        self._waits = own.randrange(100) < WAITING_RUNS
        self._waiting = Draws(own, engine, anchors, first)
        apart = Random(f"{STANDBY_STREAM} {rng.getstate()[1][:8]}")
        self._stands_by = apart.randrange(100) < STANDBY_RUNS
        self._standing = Draws(apart, engine, anchors, first)
        self._stranding: Script = iter(())
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
        if self._waits and self._waiting.chance(WAITING_MOVES):
            return (cancel_waiting if self._waiting.chance(10) else trigger)(self._waiting)
        if self._stands_by and self._standing.chance(STANDBY_MOVES):
            return next(self._stranding, None) or self._stand_by()
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

    def _stand_by(self) -> Plan:
        """A move of those who stand by, or the first of a script that calls them."""
        if self._standing.chance(STANDBY_SCRIPTS):
            script = farm if self._standing.chance(20) else strand
            self._stranding = script(self._standing)
        return standby_move(self._standing)
