"""Crowds: random positions, one price jump after the other, and steps until nothing moves.

A history follows from its number through `Random` and from nothing else, so that every process
tries the same ones. Hypothesis is no help here: it also draws constants that it finds in whatever
modules happen to be imported.
"""

from random import Random
from typing import NamedTuple

from solvent.domain import commands as c
from solvent.domain.events import Event, Refused
from solvent.domain.labels import Tier
from solvent.domain.units import FINE_PER_VALUE, PRICE_SCALE, SECOND, value_up
from solvent.domain.waterfall_events import AdlLeg, DebtWrittenOff, LiquidationStarted
from solvent.proof.invariants.invariants import check
from solvent.reference.margin import below_auto_close, health_of
from solvent.reference.waterfall.sizing import deliverable_value
from tests.reference.machines import SOL, USDC, engine_with
from tests.reference.rounds import faults_of_step
from tests.tables.audit import faults

BTC = 1
PEOPLE = range(2, 9)
MAKER = 9
FIRST_PROVIDER = 10
PATIENCE = 20
"""Steps without a change after which an account that waits for the book is taken to wait for good.

With even odds for the book in each step one in 2^20 would be taken wrongly; histories are fixed, so
none is.
"""
MOST_STEPS = 1_200
"""Steps after which fixed prices must have brought everyone to rest.

The book closes a tenth of a debt a step, rounded up: one of 10^13 atoms in log(10^13) / log(10 / 9)
+ 10 < 300 steps in which it acts, which with even odds is 600 steps. An account here has at most
two debts, and accounts are served side by side. What else moves, moves once or a few times.
"""


class Start(NamedTuple):
    """A crowd before its history: how it is lent to, quoted for and backed.

    `odds` that the book acts in a step (per cent), `lent` SOL, `depth` of the book on either side
    (tenths of a SOL), the `fund` (USDC), and per provider a capacity: thousands of USDC on deposit
    and as commitment, and tens of SOL.
    """

    odds: int
    lent: int
    depth: int
    fund: int
    capacities: tuple[int, ...]


class Position(NamedTuple):
    """Deposit `worth` USDC of one asset, maybe lend it, and leave with `share` % of what can be
    borrowed of another.
    """

    account: int
    held: int
    owed: int
    worth: int
    share: int
    lends: bool


class Jump(NamedTuple):
    """A price goes to so many per cent of what it was; the book is quoted around it, if at all."""

    asset: int
    percent: int
    depth: int


class History(NamedTuple):
    """What happens to a crowd."""

    start: Start
    steps: tuple[Position | Jump, ...]


def history(number: int) -> History:
    """The history of a number: 40 steps, sizes anywhere within their limits and often at them."""
    random = Random(number)

    def size(low: int, high: int) -> int:
        return random.choice((low, high)) if random.random() < 0.1 else random.randint(low, high)

    start = Start(
        odds=random.choice((50, 100)),
        lent=size(1, 100),
        depth=size(0, 60),
        fund=size(0, 2_000),
        capacities=tuple(size(0, 50) for _ in range(random.randint(1, 2))),
    )
    steps: list[Position | Jump] = []
    for _ in range(40):
        if random.random() < 0.5:
            steps.append(Jump(random.choice((BTC, SOL)), size(40, 250), size(0, 30)))
        else:
            held, owed = random.sample((USDC, BTC, SOL), 2)
            account = random.choice(PEOPLE[1:])
            worth, share = size(50, 20_000), size(30, 99)
            steps.append(Position(account, held, owed, worth, share, random.random() < 0.5))
    return History(start, tuple(steps))


class Crowd:
    """Lenders of all assets, a book of some depth, providers, a fund, and people with positions."""

    def __init__(self, start: Start) -> None:
        odds = f"waterfall.book_probability {start.odds}%"
        self.engine = engine_with("BTC haircut.weight 80%", odds)
        apply = self.engine.apply_one
        for account in (*PEOPLE, MAKER):
            apply(c.OpenAccount(account))
        for provider, capacity in enumerate(start.capacities, FIRST_PROVIDER):
            apply(c.OpenAccount(provider, c.Role.BACKSTOP_PROVIDER))
            apply(c.Deposit(provider, USDC, capacity * 10**9))
            apply(c.PostBackstop(provider, SOL, capacity * 10**10))
            apply(c.PostBackstop(provider, USDC, capacity * 10**9))
        lender = PEOPLE[0]
        for asset, quantity in ((USDC, 300_000 * 10**6), (BTC, 10**8), (SOL, start.lent * 10**9)):
            apply(c.Deposit(lender, asset, quantity))
            apply(c.Lend(lender, asset, quantity))
        if start.fund:
            apply(c.Deposit(0, USDC, start.fund * 10**6))
        apply(c.Deposit(MAKER, SOL, 10**12))
        apply(c.Deposit(MAKER, USDC, 10**12))
        self._quote(200, start.depth)

    def live(self, steps: tuple[Position | Jump, ...]) -> None:
        """Go through the steps; after each jump everyone comes to rest, and the books add up."""
        for step in steps:
            if isinstance(step, Jump):
                self._jump(step)
                self._rest()
            else:
                self._open(step)
            assert faults(self.engine.state) == []

    def _quote(self, price: int, depth: int) -> None:
        """Quote around the index, so that the book's mid moves no mark."""
        apply = self.engine.apply_one
        apply(c.CancelAllOrders(MAKER))
        for side, cents in ((c.Side.BID, price * 100 - 10), (c.Side.ASK, price * 100 + 10)):
            tick = cents * PRICE_SCALE // 100
            if depth:
                apply(c.PlaceOrder(MAKER, SOL, side, price=tick, quantity=depth * 10**8))

    def _open(self, step: Position) -> None:
        state, apply = self.engine.state, self.engine.apply_one
        account, held, owed = step.account, step.held, step.owed
        decimals = state.asset(held).decimals
        quantity = max(1, step.worth * 10**decimals * PRICE_SCALE // state.mark(held))
        apply(c.Deposit(account, held, quantity))
        if step.lends:
            apply(c.Lend(account, held, quantity))
        largest = apply(c.Withdraw(account, owed, 10**17, auto_borrow=True))[0]
        if isinstance(largest, Refused) and largest.largest:
            wanted = max(1, largest.largest * step.share // 100)
            apply(c.Withdraw(account, owed, wanted, auto_borrow=True))

    def _jump(self, step: Jump) -> None:
        mark = self.engine.state.mark(step.asset)
        price = max(PRICE_SCALE, mark * step.percent // 100 // PRICE_SCALE * PRICE_SCALE)
        self.engine.apply_one(c.UpdatePrice(step.asset, 0, price, price, price))
        self._quote(price // PRICE_SCALE, step.depth if step.asset == SOL else 0)

    def _rest(self) -> None:
        """At fixed prices steps must end, with everyone settled, and spread to nobody (I18)."""
        state = self.engine.state
        quiet = 0
        for _ in range(MOST_STEPS):
            before, surplus = self._positions(), self._surplus()
            events = self.engine.apply_one(c.TimeStep(state.now + SECOND))
            assert faults_of_step(events, self._rounding_unit()) == []
            self._nobody_fell(surplus, events)
            kinds = {type(event) for event in events}
            # Only a deficit, which lenders bear, may take another account below maintenance.
            assert LiquidationStarted not in kinds or DebtWrittenOff in kinds
            quiet = quiet + 1 if self._positions() == before else 0
            if quiet >= (PATIENCE if state.liquidating else 1):
                break
        else:
            raise AssertionError("the waterfall does not come to rest at fixed prices")
        assert check(state) == []
        self._everyone_is_settled()

    def _rounding_unit(self) -> int:
        """An atom of every asset, a few times over, in 10^-6 USDC."""
        state = self.engine.state
        atoms = [value_up(1, state.mark(asset), state.asset(asset).decimals) for asset in range(3)]
        return 4 * sum(atoms)

    def _surplus(self) -> dict[int, int]:
        """NE - M of who is being liquidated and not beyond recovery."""
        state = self.engine.state
        health = {account: health_of(state, account) for account in state.liquidating}
        return {
            account: values.surplus for account, values in health.items() if values.total_value > 0
        }

    def _nobody_fell(self, before: dict[int, int], events: tuple[Event, ...]) -> None:
        """I16: no step lowers the health of an account that can recover.

        But lenders bear deficits of their asset, and who is paid in what weighs less is told so.
        """
        state = self.engine.state
        lost = {event.asset for event in events if isinstance(event, DebtWrittenOff)}
        legs = [event for event in events if isinstance(event, AdlLeg)]
        paid = {leg.receiver for leg in legs if leg.tier >= Tier.FLAGGED}
        unit = self._rounding_unit() * FINE_PER_VALUE
        for account, surplus in before.items():
            lends = any(state.accounts[account].lent_shares[asset] for asset in lost)
            if account not in paid and not lends:
                assert health_of(state, account).surplus >= surplus - unit

    def _positions(self) -> list[tuple[list[int], list[int], list[int]]]:
        return [
            (list(each.available), list(each.lent_shares), list(each.debt_shares))
            for each in self.engine.state.accounts
        ]

    def _everyone_is_settled(self) -> None:
        """I10, I19: no debt, or above maintenance; nobody owes who has nothing.

        Above the auto-close fraction an account waits for the book: no later stage may act yet.
        """
        state = self.engine.state
        for account, holder in enumerate(state.accounts):
            if any(holder.debt_shares):
                values = health_of(state, account)
                waits = account in state.liquidating and not below_auto_close(state, values)
                assert waits or not values.liquidatable
                assert deliverable_value(state, account) > 0
