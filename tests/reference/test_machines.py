"""State machines: a pool against fractions, a book against a list, a waterfall and its promises.

Each model is a few lines of the plainest Python. Settings are small and derandomized: the three
together take less than a minute, and the same steps are taken every time. A failure is shown as it
was found; add Phase.shrink to look for a shorter one.
"""

from fractions import Fraction
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from solvent.domain import commands as c
from solvent.domain.events import Event, Filled, OrderExpired, Refused
from solvent.domain.units import (
    FINE_PER_VALUE,
    HOUR,
    HOURS_PER_YEAR,
    PRICE_SCALE,
    RATIO,
    SECOND,
    value_up,
)
from solvent.domain.waterfall_events import DeficitBooked, LiquidationStarted
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.margin import health_of
from solvent.reference.sizing import deliverable_value
from tests.proof import proves
from tests.reference.rounds import faults_of_step
from tests.tables.audit import faults
from tests.tables.market import plain_parameters, with_setting

SOL, USDC = 2, 0
SMALL = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def engine_with(*settings_of: str) -> ReferenceEngine:
    """An engine in the stories' market with BTC at 100,000 and SOL at 200."""
    parameters = plain_parameters()
    for setting in settings_of:
        parameters = with_setting(parameters, setting.split())
    engine = ReferenceEngine(parameters)
    for asset, price in ((1, 100_000), (SOL, 200)):
        engine.apply_one(c.UpdatePrice(asset, 0, *[price * PRICE_SCALE] * 3))
    return engine


def passed(events: tuple[Event, ...]) -> bool:
    """Whether a command was carried out."""
    return not any(isinstance(event, Refused) for event in events)


class PoolMachine(RuleBasedStateMachine):
    """Three lenders and two borrowers of SOL against a pool of fractions without rounding.

    The model charges 87.6 % a year (0.01 % an hour) at every utilization, fee 10 %, and the entry
    fee for the rest of the hour. The engine may differ by an atom a command, for the pool.
    """

    lenders = (2, 3, 4)
    borrowers = (5, 6)

    def __init__(self) -> None:
        super().__init__()
        self.engine = engine_with("SOL pool.curve.points 0:87.6% 1:87.6%", "SOL pool.fee 10%")
        for account in (*self.lenders, *self.borrowers):
            self.engine.apply_one(c.OpenAccount(account))
            self.engine.apply_one(c.Deposit(account, SOL, 10**12))
        for account in self.borrowers:
            self.engine.apply_one(c.Deposit(account, USDC, 10**13))
        self.claims = dict.fromkeys(self.lenders, Fraction(0))
        self.debts = dict.fromkeys(self.borrowers, Fraction(0))
        self.steps = 0

    def _charge(self, interest: Fraction) -> None:
        lent = sum(self.claims.values())
        if lent:
            for account in self.claims:
                self.claims[account] *= 1 + interest * Fraction(9, 10) / lent

    @rule(account=st.sampled_from(lenders), quantity=st.integers(1, 10**11))
    def lend(self, account: int, quantity: int) -> None:
        """Lend."""
        if passed(self.engine.apply_one(c.Lend(account, SOL, quantity))):
            self.claims[account] += quantity
            self.steps += 1

    @rule(account=st.sampled_from(lenders), quantity=st.integers(1, 10**11))
    def redeem(self, account: int, quantity: int) -> None:
        """Redeem."""
        if passed(self.engine.apply_one(c.Redeem(account, SOL, quantity))):
            self.claims[account] -= quantity
            self.steps += 1

    @rule(account=st.sampled_from(borrowers), quantity=st.integers(1, 10**11))
    def borrow(self, account: int, quantity: int) -> None:
        """Borrow, and pay for the rest of the hour."""
        if passed(self.engine.apply_one(c.Borrow(account, SOL, quantity))):
            rest = HOUR - self.engine.state.now % HOUR
            rate = Fraction(876 * RATIO // 1000, RATIO * HOURS_PER_YEAR)
            fee = quantity * rate * rest / HOUR
            self.debts[account] += quantity + fee
            self._charge(fee)
            self.steps += 1

    @rule(account=st.sampled_from(borrowers), quantity=st.integers(1, 10**11))
    def repay(self, account: int, quantity: int) -> None:
        """Repay as much as is owed."""
        owed = debt_of(self.engine.state, account, SOL)
        if passed(self.engine.apply_one(c.Repay(account, SOL, quantity))):
            paid = owed if quantity >= owed else quantity
            self.debts[account] = max(Fraction(0), self.debts[account] - paid)
            self.steps += 1

    @rule(minutes=st.integers(1, 200))
    def wait(self, minutes: int) -> None:
        """Let hours begin."""
        state = self.engine.state
        before = state.hour()
        price = [200 * PRICE_SCALE] * 3
        self.engine.apply_one(c.TimeStep(state.now + minutes * 60 * SECOND))
        self.engine.apply_one(c.UpdatePrice(SOL, 0, *price))
        for _ in range(state.hour() - before):
            interest = sum(self.debts.values()) * Fraction(876, 1000 * HOURS_PER_YEAR)
            for account in self.debts:
                self.debts[account] *= 1 + Fraction(876, 1000 * HOURS_PER_YEAR)
            self._charge(interest)
            self.steps += 1

    @invariant()
    def claims_and_debts_are_the_models_up_to_an_atom_a_step(self) -> None:
        """Lenders never have more than the model gives them, borrowers never owe less."""
        slack = 2 * self.steps + 2
        for account, exact in self.claims.items():
            claim = claim_of(self.engine.state, account, SOL)
            assert -slack <= claim - exact <= slack
        for account, exact in self.debts.items():
            debt = debt_of(self.engine.state, account, SOL)
            assert -slack <= debt - exact <= slack
        total = sum(claim_of(self.engine.state, account, SOL) for account in self.lenders)
        assert total <= sum(self.claims.values()) + self.steps

    @invariant()
    def the_books_add_up(self) -> None:
        """I1, I2, I3."""
        assert faults(self.engine.state) == []


class Resting(NamedTuple):
    """One order of the model."""

    number: int
    account: int
    side: c.Side
    price: int
    lots: int


class BookMachine(RuleBasedStateMachine):
    """Orders of four traders against a list that is searched for the best price each time."""

    traders = (2, 3, 4, 5)
    numbers: Bundle[int] = Bundle("numbers")
    lot = 10**5
    cent = PRICE_SCALE // 100

    def __init__(self) -> None:
        super().__init__()
        self.engine = engine_with("SOL market.max_impact_multiplier 100")
        for account in self.traders:
            self.engine.apply_one(c.OpenAccount(account))
            self.engine.apply_one(c.Deposit(account, SOL, 10**13))
            self.engine.apply_one(c.Deposit(account, USDC, 10**13))
        self.book: list[Resting] = []
        self.next = 1

    def _best(self, side: c.Side, limit: int) -> Resting | None:
        sign = 1 if side is c.Side.ASK else -1
        resting = [
            order
            for order in self.book
            if order.side is side and sign * order.price <= sign * limit
        ]
        return min(resting, key=lambda order: (sign * order.price, order.number), default=None)

    @rule(
        target=numbers,
        account=st.sampled_from(traders),
        side=st.sampled_from(c.Side),
        cents=st.integers(19_900, 20_100),
        lots=st.integers(1, 30),
        force=st.sampled_from(c.TimeInForce),
    )
    def place(self, account: int, side: c.Side, cents: int, lots: int, force: c.TimeInForce) -> int:
        """Place a limit order; the model walks its list."""
        price, number = cents * self.cent, self.next
        self.next += 1
        events = self.engine.apply_one(
            c.PlaceOrder(
                account,
                SOL,
                side,
                time_in_force=force,
                price=price,
                quantity=lots * self.lot,
                self_trade_prevention=c.SelfTradePrevention.REJECT_MAKER,
            )
        )
        expected = self._walk(account, side, price, lots, force)
        trades = [
            (event.maker_order, event.price, event.quantity // self.lot)
            for event in events
            if isinstance(event, Filled)
        ]
        assert trades == expected
        left = lots - sum(trade[2] for trade in trades)
        if force is c.TimeInForce.GTC and left:
            self.book.append(Resting(number, account, side, price, left))
        elif left:
            assert any(isinstance(event, OrderExpired) for event in events)
        return number

    def _walk(
        self, account: int, side: c.Side, price: int, lots: int, force: c.TimeInForce
    ) -> list[tuple[int, int, int]]:
        other = c.Side.ASK if side is c.Side.BID else c.Side.BID
        if force is c.TimeInForce.FOK and self._reachable(account, other, price) < lots:
            return []
        trades = []
        while lots and (best := self._best(other, price)):
            self.book.remove(best)
            if best.account == account:
                continue
            part = min(lots, best.lots)
            trades.append((best.number, best.price, part))
            lots -= part
            if best.lots > part:
                self.book.append(best._replace(lots=best.lots - part))
        return trades

    def _reachable(self, account: int, side: c.Side, limit: int) -> int:
        """Lots a fill-or-kill order surely gets: those in front of its owner's own first order."""
        sign = 1 if side is c.Side.ASK else -1
        lots = 0
        for order in sorted(self.book, key=lambda order: (sign * order.price, order.number)):
            if order.side is side and sign * order.price <= sign * limit:
                if order.account == account:
                    break
                lots += order.lots
        return lots

    @rule(number=numbers, account=st.sampled_from(traders))
    def cancel(self, number: int, account: int) -> None:
        """Cancel an order, if it rests and is one's own."""
        mine = [order for order in self.book if order[:2] == (number, account)]
        assert passed(self.engine.apply_one(c.CancelOrder(account, number))) is bool(mine)
        self.book = [order for order in self.book if order not in mine]

    @rule(account=st.sampled_from(traders))
    def cancel_all(self, account: int) -> None:
        """Cancel all of a trader's orders; nothing of his is locked then (I20)."""
        self.engine.apply_one(c.CancelAllOrders(account))
        self.book = [order for order in self.book if order.account != account]
        assert not any(self.engine.state.accounts[account].locked)

    @invariant()
    def the_same_orders_rest(self) -> None:
        """Both books hold the same, in the same order."""
        state = self.engine.state
        for side, ids in ((c.Side.BID, state.books[SOL].bids), (c.Side.ASK, state.books[SOL].asks)):
            sign = 1 if side is c.Side.ASK else -1
            ordered = sorted(
                (order for order in self.book if order.side is side),
                key=lambda order: (sign * order.price, order.number),
            )
            assert ids == [order.number for order in ordered]
            assert [state.orders[number].quantity // self.lot for number in ids] == [
                order.lots for order in ordered
            ]

    @invariant()
    def the_books_add_up(self) -> None:
        """I3 and what orders hold."""
        assert faults(self.engine.state) == []


QUIET_STEPS = 400
"""Steps after which fixed prices must have brought every account to rest."""


class WaterfallMachine(RuleBasedStateMachine):
    """Random positions, one price jump after the other, then steps until nothing moves."""

    people = tuple(range(2, 9))
    maker = 9

    def __init__(self) -> None:
        super().__init__()
        self.engine = engine_with("BTC haircut.weight 80%")

    @initialize(
        lent=st.integers(1, 100),
        depth=st.integers(0, 60),
        capacity=st.integers(0, 50),
        fund=st.integers(0, 2_000),
    )
    def populate(self, lent: int, depth: int, capacity: int, fund: int) -> None:
        """Lenders of all assets, a book of some depth, a provider, a fund."""
        apply = self.engine.apply_one
        for account in self.people:
            apply(c.OpenAccount(account))
        apply(c.OpenAccount(self.maker))
        apply(c.OpenAccount(10, c.Role.BACKSTOP_PROVIDER))
        apply(c.Deposit(10, USDC, capacity * 10**9))
        apply(c.PostBackstop(10, SOL, capacity * 10**10))
        apply(c.PostBackstop(10, USDC, capacity * 10**9))
        for asset, quantity in ((USDC, 300_000 * 10**6), (1, 10**8), (SOL, lent * 10**9)):
            apply(c.Deposit(2, asset, quantity))
            apply(c.Lend(2, asset, quantity))
        if fund:
            apply(c.Deposit(0, USDC, fund * 10**6))
        apply(c.Deposit(self.maker, SOL, 10**12))
        apply(c.Deposit(self.maker, USDC, 10**12))
        if depth:
            self._quote(200, depth)

    def _quote(self, price: int, lots: int) -> None:
        """Quote around the index, so that the book's mid moves no mark."""
        apply = self.engine.apply_one
        apply(c.CancelAllOrders(self.maker))
        for side, cents in ((c.Side.BID, price * 100 - 10), (c.Side.ASK, price * 100 + 10)):
            tick = cents * PRICE_SCALE // 100
            apply(c.PlaceOrder(self.maker, SOL, side, price=tick, quantity=lots * 10**8))

    @rule(
        account=st.sampled_from(people[1:]),
        held=st.sampled_from((USDC, 1, SOL)),
        owed=st.sampled_from((USDC, 1, SOL)),
        worth=st.integers(50, 20_000),
        share=st.integers(30, 99),
        lends=st.booleans(),
    )
    def open_position(
        self, account: int, held: int, owed: int, worth: int, share: int, lends: bool
    ) -> None:
        """Deposit one asset, maybe lend it, borrow another as far as margin goes, and leave."""
        state, apply = self.engine.state, self.engine.apply_one
        if held == owed:
            return
        decimals = state.asset(held).decimals
        quantity = worth * 10**decimals * PRICE_SCALE // state.mark(held)
        apply(c.Deposit(account, held, max(1, quantity)))
        if lends:
            apply(c.Lend(account, held, max(1, quantity)))
        largest = apply(c.Withdraw(account, owed, 10**17, auto_borrow=True))[0]
        if isinstance(largest, Refused) and largest.largest:
            wanted = max(1, largest.largest * share // 100)
            apply(c.Withdraw(account, owed, wanted, auto_borrow=True))

    @rule(
        asset=st.sampled_from((1, SOL)),
        percent=st.integers(40, 250),
        depth=st.integers(0, 30),
    )
    @precondition(lambda self: len(self.engine.state.accounts) > self.maker)
    def jump_and_rest(self, asset: int, percent: int, depth: int) -> None:
        """Move a price; then at fixed prices steps must end, and spread to nobody."""
        state = self.engine.state
        price = max(PRICE_SCALE, state.mark(asset) * percent // 100 // PRICE_SCALE * PRICE_SCALE)
        self.engine.apply_one(c.UpdatePrice(asset, 0, price, price, price))
        if asset == SOL and depth:
            self._quote(price // PRICE_SCALE, depth)
        else:
            self.engine.apply_one(c.CancelAllOrders(self.maker))
        quiet = 0
        for _ in range(QUIET_STEPS):
            before, surplus = self._positions(), self._surplus()
            events = self.engine.apply_one(c.TimeStep(state.now + SECOND))
            assert faults_of_step(events, self._rounding_unit()) == []
            self._nobody_fell(surplus)
            kinds = {type(event) for event in events}
            # Only a deficit, which lenders bear, may take another account below maintenance.
            assert LiquidationStarted not in kinds or DeficitBooked in kinds
            quiet = quiet + 1 if self._positions() == before else 0
            if quiet == 3:
                break
        assert quiet == 3, "the waterfall does not come to rest at fixed prices"
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

    def _nobody_fell(self, before: dict[int, int]) -> None:
        """I16: no step lowers the health of an account that can recover."""
        unit = self._rounding_unit() * FINE_PER_VALUE
        for account, surplus in before.items():
            assert health_of(self.engine.state, account).surplus >= surplus - unit

    def _positions(self) -> list[tuple[list[int], list[int], list[int]]]:
        return [
            (list(each.available), list(each.lent_shares), list(each.debt_shares))
            for each in self.engine.state.accounts
        ]

    def _everyone_is_settled(self) -> None:
        """I10, I19: no debt, or above maintenance; nobody owes who has nothing."""
        state = self.engine.state
        for account, holder in enumerate(state.accounts):
            if any(holder.debt_shares):
                assert not health_of(state, account).liquidatable
                assert deliverable_value(state, account) > 0

    @invariant()
    def the_books_add_up(self) -> None:
        """I1, I2, I3, at every step."""
        assert faults(self.engine.state) == []


@proves("I1", "I2", "I3", "I4", "I6")
def test_a_pool_against_fractions() -> None:
    run_state_machine_as_test(PoolMachine, settings=SMALL)


@proves("I3", "I20")
def test_a_book_against_a_list() -> None:
    run_state_machine_as_test(BookMachine, settings=SMALL)


@proves("I10", "I15", "I16", "I18", "I19", "I21", "I22", "I23", "I24", "I26")
def test_a_waterfall_comes_to_rest_with_everyone_settled() -> None:
    run_state_machine_as_test(WaterfallMachine, settings=SMALL)
