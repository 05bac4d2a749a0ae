"""Strangers: what a time step may do to accounts that it does not name.

Events explain every movement (`postings`); this says whose things may move at all. In a time step
those are the accounts in the waterfall, the counterparties that its settlements name, the fund and
the treasury. No other account lends, redeems, borrows or repays, and no settings change (I9).
"""

from collections.abc import Iterator

from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.events import Event
from solvent.proof.invariants.invariants import Breach, breach
from solvent.proof.invariants.state_view import StateView
from solvent.reference.state import FUND, TREASURY

NAMES = ("account", "taker", "maker", "provider", "lender", "payer", "giver", "receiver", "standby")
"""Fields in which an event names an account."""
NAMING = (
    e.Filled,
    w.LiquidationStarted,
    w.BackstopFilled,
    w.BackstopLeg,
    w.AdlMatched,
    w.AdlLeg,
    w.BookedAccount,
    w.StandbySwapped,
)
"""Events that make an account a party."""
MOVING = (
    e.Deposited,
    e.Withdrawn,
    e.Lent,
    e.Redeemed,
    e.Borrowed,
    e.Repaid,
    e.Netted,
    e.DustConverted,
)
"""Events that move something of an account, and follow from its being a party."""


def check_strangers(
    before: StateView, after: StateView, events: tuple[Event, ...]
) -> Iterator[Breach]:
    """I9: a time step touches no account beside the waterfall's and those that its events name."""
    parties = {FUND, TREASURY, *before.liquidating}
    for event in events:
        if isinstance(event, NAMING):
            parties.update(
                number for name in NAMES if (number := getattr(event, name, None)) is not None
            )
    for event in events:
        if isinstance(event, MOVING) and event.account not in parties:
            yield breach("I9", "a time step moved what a stranger has", event.account, event.asset)
    for account, old in enumerate(before.holdings):
        new = after.holdings[account]
        kept = old.role, old.leverage_limit, old.settings
        if new is not old and kept != (new.role, new.leverage_limit, new.settings):
            yield breach("I9", "a time step changed an account's settings", account)
