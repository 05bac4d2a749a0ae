"""Postings: what a command's events say was moved, added up from the events alone.

Tokens per account and asset, shares of claims and debts, each pool's cash and fees, and the world
outside. An engine whose columns differ from this has done something that it did not say, or said
something that it did not do (I3, I9).

Specification: section 9.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.commands import Side
from solvent.domain.events import Event
from solvent.domain.labels import LegForm, Source, SystemOrder
from solvent.domain.parameters import USDC
from solvent.domain.units import PRICE_DECIMALS, VALUE_DECIMALS
from solvent.proof.invariants.state_view import StateView
from solvent.reference.state import FUND, TREASURY

Key = tuple[int, int]
"""(account, asset)."""


@dataclass(slots=True)
class Bookings:
    """What the events of one command moved.

    `tokens`, `claims` and `debts` are by (account, asset); `cash`, `fees`, `outside` and `deficits`
    by asset. `borrowed`, `repaid`, `redeemed` and `lent` name assets in which that was done,
    `adjusted` those whose fees and sink a waterfall step drew on. `fees` leaves interest out, which
    is reckoned anew.
    """

    before: StateView
    tokens: Counter[Key] = field(default_factory=Counter)
    claims: Counter[Key] = field(default_factory=Counter)
    debts: Counter[Key] = field(default_factory=Counter)
    cash: Counter[int] = field(default_factory=Counter)
    fees: Counter[int] = field(default_factory=Counter)
    external: Counter[int] = field(default_factory=Counter)
    deficits: Counter[int] = field(default_factory=Counter)
    borrowed: set[int] = field(default_factory=set)
    redeemed: set[int] = field(default_factory=set)
    lent: set[int] = field(default_factory=set)
    repaid: set[int] = field(default_factory=set)
    adjusted: set[int] = field(default_factory=set)
    actors: set[int] = field(default_factory=set)
    interest: defaultdict[int, list[e.InterestCharged]] = field(
        default_factory=lambda: defaultdict(list)
    )
    indices: defaultdict[int, list[e.InterestAccrued]] = field(
        default_factory=lambda: defaultdict(list)
    )
    rescaled: defaultdict[int, list[e.SharesRescaled]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def book(self, event: Event) -> None:
        """Add one event."""
        rule = _RULES.get(type(event))
        if rule is not None:
            rule(self, event)

    def _deposited(self, event: e.Deposited) -> None:
        self.tokens[event.account, event.asset] += event.quantity
        self.external[event.asset] -= event.quantity

    def _withdrawn(self, event: e.Withdrawn) -> None:
        self.tokens[event.account, event.asset] -= event.quantity
        self.external[event.asset] += event.quantity

    def _lent(self, event: e.Lent) -> None:
        self.claims[event.account, event.asset] += event.shares
        if event.source is Source.RECONCILIATION:
            self.adjusted.add(event.asset)
            return
        self.lent.add(event.asset)
        self.tokens[event.account, event.asset] -= event.quantity
        self.cash[event.asset] += event.quantity

    def _redeemed(self, event: e.Redeemed) -> None:
        self.redeemed.add(event.asset)
        self.claims[event.account, event.asset] -= event.shares
        self.tokens[event.account, event.asset] += event.quantity
        self.cash[event.asset] -= event.quantity

    def _borrowed(self, event: e.Borrowed) -> None:
        self.borrowed.add(event.asset)
        self.debts[event.account, event.asset] += event.shares
        self.tokens[event.account, event.asset] += event.quantity
        self.cash[event.asset] -= event.quantity

    def _repaid(self, event: e.Repaid) -> None:
        self.repaid.add(event.asset)
        self.debts[event.account, event.asset] -= event.shares
        self.tokens[event.account, event.asset] -= event.quantity
        self.cash[event.asset] += event.quantity

    def _netted(self, event: e.Netted) -> None:
        self.claims[event.account, event.asset] -= event.claim_shares
        self.debts[event.account, event.asset] -= event.debt_shares

    def _voided(self, event: e.ClaimVoided) -> None:
        self.claims[event.account, event.asset] -= event.shares

    def _filled(self, event: e.Filled) -> None:
        decimals = self.before.parameters.assets[event.asset].decimals
        divisor = 10 ** (decimals + PRICE_DECIMALS - VALUE_DECIMALS)
        paid = event.quote
        received = event.quantity * event.price // divisor
        buyer, seller = event.taker, event.maker
        buyer_fee, seller_fee = event.taker_fee, event.maker_fee
        if event.side is Side.ASK:
            buyer, seller = seller, buyer
            buyer_fee, seller_fee = seller_fee, buyer_fee
        user = event.system_order is SystemOrder.USER
        self.tokens[buyer, event.asset] += event.quantity
        self.tokens[seller, event.asset] -= event.quantity
        self.tokens[buyer, USDC] -= paid + buyer_fee
        self.tokens[seller, USDC] += received - seller_fee
        self.tokens[TREASURY if user else FUND, USDC] += event.taker_fee
        self.tokens[TREASURY, USDC] += event.maker_fee + paid - received
        self.actors |= {event.taker, event.maker}

    def _dust(self, event: e.DustConverted) -> None:
        self.tokens[event.account, event.asset] -= event.quantity
        self.tokens[TREASURY, event.asset] += event.quantity
        self.tokens[event.account, USDC] += event.received
        self.tokens[TREASURY, USDC] -= event.received

    def _collected(self, event: e.FeesCollected) -> None:
        self.tokens[TREASURY, event.asset] += event.quantity
        self.cash[event.asset] -= event.quantity
        self.fees[event.asset] -= event.quantity

    def _charged(self, event: e.InterestCharged) -> None:
        self.interest[event.asset].append(event)

    def _accrued(self, event: e.InterestAccrued) -> None:
        self.indices[event.asset].append(event)

    def _rescaled(self, event: e.SharesRescaled) -> None:
        self.rescaled[event.asset].append(event)
        booked = self.debts if event.of_debts else self.claims
        for account, holding in enumerate(self.before.holdings):
            column = holding.debt_shares if event.of_debts else holding.lent_shares
            held = column[event.asset] + booked[account, event.asset]
            booked[account, event.asset] += held * event.multiplier // event.divisor - held

    def _taken_over(self, event: w.BackstopFilled) -> None:
        self.debts[event.account, event.debt_asset] -= event.debt_shares
        self.debts[event.provider, event.debt_asset] += event.debt_shares

    def _leg(self, leg: w.BackstopLeg | w.AdlLeg) -> None:
        moved = leg.quantity if leg.form is not LegForm.CLAIM else leg.shares
        places = self.tokens if leg.form is not LegForm.CLAIM else self.claims
        places[leg.giver, leg.asset] -= moved
        places[leg.receiver, leg.asset] += moved

    def _swapped(self, event: w.StandbySwapped) -> None:
        claim = event.form is LegForm.CLAIM
        moved = event.shares if claim else event.quantity
        places = self.claims if claim else self.tokens
        places[event.receiver, event.asset] -= moved
        places[event.standby, event.asset] += moved
        self.tokens[event.standby, USDC] -= event.paid
        self.tokens[event.receiver, USDC] += event.paid

    def _matched(self, event: w.AdlMatched) -> None:
        self.claims[event.lender, event.asset] -= event.claim_shares
        self.debts[event.payer, event.asset] -= event.debt_shares

    def _fund_paid(self, event: w.FundPaid) -> None:
        self.tokens[FUND, event.asset] -= event.quantity
        self.tokens[event.account, event.asset] += event.quantity

    def _written_off(self, event: w.DebtWrittenOff) -> None:
        self.debts[event.account, event.asset] -= event.debt_shares

    def _written_down(self, event: w.PoolWrittenDown) -> None:
        self.tokens[TREASURY, event.asset] -= event.treasury
        self.cash[event.asset] += event.treasury
        self.adjusted.add(event.asset)
        self.deficits[event.asset] += event.lenders


_RULES: dict[type[Event], Callable[..., None]] = {
    e.Deposited: Bookings._deposited,
    e.Withdrawn: Bookings._withdrawn,
    e.Lent: Bookings._lent,
    e.Redeemed: Bookings._redeemed,
    e.Borrowed: Bookings._borrowed,
    e.Repaid: Bookings._repaid,
    e.Netted: Bookings._netted,
    e.ClaimVoided: Bookings._voided,
    e.Filled: Bookings._filled,
    e.DustConverted: Bookings._dust,
    e.FeesCollected: Bookings._collected,
    e.InterestCharged: Bookings._charged,
    e.InterestAccrued: Bookings._accrued,
    e.SharesRescaled: Bookings._rescaled,
    w.BackstopFilled: Bookings._taken_over,
    w.BackstopLeg: Bookings._leg,
    w.AdlLeg: Bookings._leg,
    w.AdlMatched: Bookings._matched,
    w.StandbySwapped: Bookings._swapped,
    w.FundPaid: Bookings._fund_paid,
    w.DebtWrittenOff: Bookings._written_off,
    w.PoolWrittenDown: Bookings._written_down,
}


def book_events(before: StateView, events: tuple[Event, ...]) -> Bookings:
    """Add up the events of one command."""
    bookings = Bookings(before)
    for event in events:
        bookings.book(event)
    return bookings
