"""Standby checks: what stands by, what was taken over, and what nobody took over.

While a standby is left who can bear it, nobody who does not stand by keeps what ADL paid him in
kind (I46); those who stand by are called in the order of their premiums, and no premium is above
the one posted. What a relief does to its two parties is judged by `domain.standby_properties`, as
receipts are.

Whether one could bear it is asked of those who were no party to anything before in the pass: what
they have is then what they had when it began.

Specification: sections 8.10, 9.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.events import Event
from solvent.domain.labels import LegForm, Tier
from solvent.domain.parameters import USDC
from solvent.domain.settlement_properties import up
from solvent.domain.settlements import Relief, SettlementError, settlements_of
from solvent.domain.standby_properties import relief_flaws
from solvent.domain.units import FINE_PER_VALUE, INDEX_SCALE, RATIO
from solvent.proof.invariants.invariants import Breach, breach
from solvent.proof.invariants.state_view import FINE, StateView, health_in
from solvent.proof.invariants.strangers import NAMES

LEAST = 1_000_000
"""Whoever can bear a USDC's worth more is asked (10^-6 USDC); less is a matter of rounding."""


def check_standbys(started: StateView, after: StateView, events: tuple[Event, ...]) -> list[Breach]:
    """All that is wrong with the standby of one pass; `started` is the state it began with."""
    found = list(_listed(after))
    if not started.standbys or not any(isinstance(one, w.AdlOpened) for one in events):
        return found
    try:
        reliefs = [one for one in settlements_of(events) if isinstance(one, Relief)]
    except SettlementError as error:
        return [breach("I21", str(error))]
    decimals = {place: one.decimals for place, one in enumerate(after.parameters.assets)}
    for relief in reliefs:
        for flaw in relief_flaws(relief, decimals):
            whose = () if flaw.account is None else (flaw.account,)
            found.append(Breach(flaw.invariant, flaw.sentence, whose + flaw.numbers))
    found += _Pass(started, after).judge(events)
    return found


def _listed(view: StateView) -> Iterator[Breach]:
    """I46: what is posted is something, and no more leaves than is posted."""
    for account, posted, premium, leaving, leaves_at in view.standbys:
        whole = posted > 0 and 0 <= leaving <= posted and (leaving > 0) == (leaves_at > 0)
        if not whole or not 0 <= premium <= RATIO or account >= len(view.holdings):
            yield breach("I46", "somebody stands by with nothing", account, posted, leaving)


@dataclass(slots=True)
class _Round:
    """A round that may pay in kind: who stood by, and what lenders keep, by account and form."""

    opened: w.AdlOpened
    standing: frozenset[int]
    kept: Counter[tuple[int, LegForm]] = field(default_factory=Counter)
    last: dict[LegForm, tuple[int, int]] = field(default_factory=dict)


class _Pass:
    """The events of a pass, told in order: who stands by with what, and what rounds left."""

    def __init__(self, started: StateView, after: StateView) -> None:
        self.started, self.after = started, after
        self.posted = {row[0]: (row[1], row[2]) for row in started.standbys}
        self.named: set[int] = set(started.liquidating)
        self.round: _Round | None = None
        self.pools = list(started.pools)

    def judge(self, events: tuple[Event, ...]) -> Iterator[Breach]:
        """I46 over all rounds of the pass."""
        for event in events:
            match event:
                case w.AdlOpened():
                    yield from self._end_round()
                    self.round = None
                    if event.tier >= Tier.IN_KIND and not event.fund:
                        able = (account for account, (posted, _) in self.posted.items() if posted)
                        self.round = _Round(event, frozenset(able))
                case e.StandbyPosted():
                    self.posted[event.account] = event.posted, event.premium
                case w.StandbySwapped():
                    yield from self._swapped(event)
                case w.PoolRecorded():
                    self._pool(event)
                case _:
                    self._paid(event)
            self._name(event)
        yield from self._end_round()

    def _pool(self, event: w.PoolRecorded) -> None:
        pool = self.pools[event.asset]
        self.pools[event.asset] = pool._replace(
            lend_index=event.lend_index, debt_index=event.debt_index
        )

    def _name(self, event: Event) -> None:
        """Note whom an event names, but for records and for what they stand by with."""
        silent = w.AdlCandidate | w.PartyBalance | w.PartyHealth | e.StandbyPosted
        if isinstance(event, e.SharesRescaled):
            # What everybody has is other shares now.
            self.named.update(range(len(self.started.holdings)))
        elif not isinstance(event, silent | w.BackstopCandidate):
            for name in NAMES:
                account = getattr(event, name, None)
                if account is not None:
                    self.named.add(account)

    def _paid(self, event: Event) -> None:
        """What a leg brought, and what of it repaid at once or cancelled."""
        if self.round is None:
            return
        kept, paid_in = self.round.kept, self.round.opened.paid_in
        if isinstance(event, w.AdlLeg) and event.asset == paid_in:
            if event.form is LegForm.CLAIM:
                kept[event.receiver, LegForm.CLAIM] += event.shares
                kept[event.giver, LegForm.CLAIM] -= event.shares
            elif paid_in != USDC:
                kept[event.receiver, LegForm.AVAILABLE] += event.quantity
                kept[event.giver, LegForm.AVAILABLE] -= event.quantity
        elif isinstance(event, e.Repaid) and event.asset == paid_in:
            kept[event.account, LegForm.AVAILABLE] -= event.quantity
        elif isinstance(event, e.Netted) and event.asset == paid_in:
            kept[event.account, LegForm.CLAIM] -= event.claim_shares
        elif isinstance(event, w.AdlMatched) and event.asset == paid_in:
            kept[event.lender, LegForm.CLAIM] -= event.claim_shares

    def _swapped(self, event: w.StandbySwapped) -> Iterator[Breach]:
        """I46: what a round paid in kind, by one who posted this premium, in order of premiums."""
        posted, premium = self.posted.get(event.standby, (0, 0))
        if event.posted != posted or event.rate > premium:
            yield breach("I46", "a relief is not as was posted", event.standby, posted, premium)
        if self.round is None or self.round.opened.round != event.round:
            yield breach("I46", "a relief follows no round in kind", event.swap, event.round)
            return
        moved = event.shares if event.form is LegForm.CLAIM else event.quantity
        self.round.kept[event.receiver, event.form] -= moved
        if self.round.kept[event.receiver, event.form] < 0:
            yield breach("I46", "more was taken over than was paid in kind", event.receiver)
        place = premium, event.standby
        if place < self.round.last.get(event.form, place):
            yield breach("I46", "a dearer standby was called first", event.swap, event.standby)
        self.round.last[event.form] = place

    def _end_round(self) -> Iterator[Breach]:
        """I46: whoever could still take over what lenders keep was asked to."""
        if self.round is None:
            return
        opened = self.round.opened
        for (account, form), moved in self.round.kept.items():
            quantity = moved
            if form is LegForm.CLAIM:
                quantity = moved * self.pools[opened.paid_in].lend_index // INDEX_SCALE
            if quantity <= 0 or account in self.round.standing:
                continue
            for standby in self._able(opened.paid_in, quantity):
                sentence = "a lender keeps in kind what a standby could bear"
                yield breach("I46", sentence, opened.round, account, standby, quantity)

    def _able(self, asset: int, quantity: int) -> Iterator[int]:
        """Who stands by, was no party yet, and bears a USDC's worth of so many atoms."""
        parameters, prices = self.started.parameters, self.after.prices
        atom = prices[asset].mark * FINE
        unit = 10 ** parameters.assets[asset].decimals
        least = up(LEAST * FINE_PER_VALUE * unit, atom)
        if quantity < least:
            return
        value = up(least * atom, unit * FINE_PER_VALUE)
        for standby, (posted, _) in self.posted.items():
            holding = self.started.holdings[standby]
            if standby in self.named or min(posted, holding.available[USDC]) < value:
                continue
            # Nothing of it is taken to be worth anything but what his debts of it fall by.
            tokens = list(holding.available)
            tokens[USDC] -= value
            health = health_in(
                parameters, tuple(self.pools), prices, holding._replace(available=tuple(tokens))
            )
            fits = health.exposure * RATIO <= holding.leverage_limit * health.careful_equity
            if health.careful_equity > health.initial and (fits or not health.exposure):
                yield standby
