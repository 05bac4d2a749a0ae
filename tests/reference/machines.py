"""State machines of a pool and of an order book, each beside a model of the plainest Python."""

from fractions import Fraction
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
)

from solvent.domain import commands as c
from solvent.domain.events import Event, Filled, OrderExpired, Refused
from solvent.domain.units import PRICE_SCALE, SECOND
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import claim_of, debt_of
from tests.tables.audit import faults
from tests.tables.market import plain_parameters, with_setting

SOL, USDC = 2, 0
SMALL = settings(
    max_examples=150,
    stateful_step_count=40,
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
        engine.apply_one(
            c.UpdatePrice(asset, 0, price * PRICE_SCALE, price * PRICE_SCALE, price * PRICE_SCALE)
        )
    return engine


def passed(events: tuple[Event, ...]) -> bool:
    """Whether a command was carried out."""
    return not any(isinstance(event, Refused) for event in events)


class PoolMachine(RuleBasedStateMachine):
    """Three lenders and two borrowers of SOL against a pool of fractions without rounding.

    The model charges 87.6 % a year (0.01 % an hour) at every utilization, simple from the top of
    the hour, fee 10 %. The engine may differ by an atom a command, for the pool.
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
        self.base = self.level = Fraction(1)
        self.steps = 0

    def _pass(self, minutes: int) -> None:
        """Some time within an hour: debts grow by the hour's base, claims by what debts do."""
        owed, lent = sum(self.debts.values()), sum(self.claims.values())
        if not owed:
            return
        grown = self.base * Fraction(minutes, 60 * 10_000) / self.level
        self.level *= 1 + grown
        for account in self.debts:
            self.debts[account] *= 1 + grown
        for account in self.claims if lent else ():
            self.claims[account] *= 1 + owed * grown * Fraction(9, 10) / lent

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
        """Borrow."""
        if passed(self.engine.apply_one(c.Borrow(account, SOL, quantity))):
            self.debts[account] += quantity
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
        """Let time pass, over the top of an hour or not."""
        state = self.engine.state
        minute, price = state.now // (60 * SECOND), 200 * PRICE_SCALE
        self.engine.apply_one(c.TimeStep(state.now + minutes * 60 * SECOND))
        self.engine.apply_one(c.UpdatePrice(SOL, 0, price, price, price))
        end = minute + minutes
        while minute < end:
            part = min(end - minute, 60 - minute % 60)
            self._pass(part)
            minute += part
            if minute % 60 == 0:
                self.base = self.level
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
