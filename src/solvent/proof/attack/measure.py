"""What a group of accounts gained that no rule states, command by command, as exact fractions.

Worth is what the accounts have less what they owe, in atoms, at the indices before the command, so
that a mark which somebody moved measures nothing. Explained is what the rules state: what came from
outside or left, trades at the prices of their orders with the published fees, the backstop's
discount, and interest for the seconds that a claim or a debt stood. Interest is reckoned here from
the curve: simple within the hour, compounded at its top. What is left over is the remainder.

Values are 10^-6 USDC. Nothing here can touch an engine.

Specification: sections 5.3, 7.4, 9.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction

from solvent.domain import commands as c
from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.events import Event
from solvent.domain.labels import SystemOrder
from solvent.domain.units import INDEX_SCALE, RATIO, value_divisor
from solvent.proof.invariants.interest import accrual_of
from solvent.proof.invariants.state_view import StateView


@dataclass(slots=True)
class Ledger:
    """One group's remainder, and what it paid by the rules: fees, interest, spreads, discounts.

    With `bears_liquidation`, what a liquidation costs an account of the group is not explained: it
    is a harm, whoever is paid for it.
    """

    accounts: frozenset[int]
    bears_liquidation: bool = False
    remainder: Fraction = Fraction(0)
    paid: Fraction = Fraction(0)

    def add(self, worth: Fraction, explained: Collection[Fraction]) -> None:
        """One command changed the group's worth by so much, of which so much is explained."""
        self.remainder += worth - sum(explained)
        self.paid -= sum(amount for amount in explained if amount < 0)


@dataclass(slots=True)
class Measure:
    """Follows a run from its first view on; every command has to be seen."""

    view: StateView
    ledgers: tuple[Ledger, ...]

    def see(self, after: StateView, command: c.Command, events: tuple[Event, ...]) -> None:
        """Book one command: what each group's worth did, and what explains it."""
        before = self.view
        for ledger in self.ledgers:
            change = _worth(before, after, ledger) - _worth(before, before, ledger)
            outside = sum(_outside(before, event, ledger) for event in events)
            explained = [amount for event in events for amount in _explained(before, event, ledger)]
            if isinstance(command, c.TimeStep) and after.now > before.now:
                explained += _interest(before, after.now, ledger)
            ledger.add(change - outside, explained)
        self.view = after


def _interest(before: StateView, until: int, ledger: Ledger) -> Iterator[Fraction]:
    """What each claim earned and each debt cost for the time from one view to `until`.

    `accrual_of` reckons it from the curve. Whatever else moved an index is not explained.
    """
    for asset, pool in enumerate(before.pools):
        if not pool.debt_shares:
            continue
        right = accrual_of(before, asset, until)
        lent = right.pool.lend_index * right.claims - pool.lend_index
        owed = right.pool.debt_index * right.debts - pool.debt_index
        for account in ledger.accounts:
            holding = before.holdings[account]
            if holding.debt_shares[asset]:
                cost = Fraction(holding.debt_shares[asset] * owed, INDEX_SCALE)
                yield -value(before, asset, cost)
            if holding.lent_shares[asset]:
                earned = Fraction(holding.lent_shares[asset] * lent, INDEX_SCALE)
                yield value(before, asset, earned)


def value(view: StateView, asset: int, atoms: int | Fraction) -> Fraction:
    """What atoms are worth at the view's index, 10^-6 USDC."""
    divisor = value_divisor(view.parameters.assets[asset].decimals)
    return Fraction(atoms) * view.prices[asset].index_price / divisor


def _worth(prices: StateView, view: StateView, ledger: Ledger) -> Fraction:
    """What the group has less what it owes in `view`, at the indices of another."""
    return sum(
        (
            value(prices, asset, view.net(account, asset))
            for account in ledger.accounts
            if account < len(view.holdings)
            for asset in range(len(view.pools))
        ),
        Fraction(0),
    )


def _outside(view: StateView, event: Event, ledger: Ledger) -> Fraction:
    """What came from outside or left."""
    if isinstance(event, e.Deposited | e.Withdrawn) and event.account in ledger.accounts:
        worth = value(view, event.asset, event.quantity)
        return worth if isinstance(event, e.Deposited) else -worth
    return Fraction(0)


def _explained(view: StateView, event: Event, ledger: Ledger) -> Iterator[Fraction]:
    match event:
        case e.Filled():
            yield from _trade(view, event, ledger)
        case w.BackstopFilled():
            yield from _discount(event, ledger)


def _trade(view: StateView, event: e.Filled, ledger: Ledger) -> Iterator[Fraction]:
    """What both sides of a trade agreed to, and the fees."""
    worth = value(view, event.asset, event.quantity)
    system = event.system_order is not SystemOrder.USER
    for account, buys, fee in (
        (event.taker, event.side is c.Side.BID, event.taker_fee),
        (event.maker, event.side is c.Side.ASK, event.maker_fee),
    ):
        liquidated = system and account == event.taker
        if account in ledger.accounts and not (liquidated and ledger.bears_liquidation):
            got = worth - event.quote if buys else event.quote - worth
            yield got - fee


def _discount(event: w.BackstopFilled, ledger: Ledger) -> Iterator[Fraction]:
    """The discount at which a provider takes a debt over, less the fund's part."""
    discount = Fraction(event.debt_value * event.discount, RATIO)
    if event.provider in ledger.accounts:
        yield discount - event.fund_value
    if event.account in ledger.accounts and not ledger.bears_liquidation:
        yield -discount
