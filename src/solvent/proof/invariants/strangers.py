"""Strangers: what a time step may do to accounts that it does not name.

Events explain every movement (`postings`); this says whose things may move at all. In a time step
those are the accounts in the waterfall, the counterparties that its events name, the fund and the
treasury. An account of which only an order ended keeps what it has. All others keep everything, to
the share, but for claims on a pool that begins anew because they were worth nothing (I9).
"""

from collections.abc import Iterator

from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.events import Event
from solvent.proof.invariants.invariants import Breach, breach
from solvent.proof.invariants.state_view import Holding, StateView
from solvent.reference.state import FUND, TREASURY

NAMES = ("account", "taker", "maker", "provider", "lender", "payer", "giver", "receiver")
"""Fields in which an event names an account."""
NAMING = (
    e.Filled,
    w.LiquidationStarted,
    w.BackstopFilled,
    w.BackstopLeg,
    w.AdlMatched,
    w.AdlLeg,
    w.DeficitBooked,
)
"""Events that make an account a party. A lend or a repayment follows from one and makes none."""


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
    begun_anew = {
        event.asset for event in events if isinstance(event, w.DeficitBooked) and event.restarted
    }
    for account, old in enumerate(before.holdings):
        new = after.holdings[account]
        if new is old:
            continue
        if (old.role, old.leverage_limit, old.settings) != (
            new.role,
            new.leverage_limit,
            new.settings,
        ):
            yield breach("I9", "a time step changed an account's settings", account)
        if account not in parties and _kept(old, begun_anew) != _kept(new, begun_anew):
            yield breach("I9", "a time step moved what a stranger has", account)


def _kept(holding: Holding, begun_anew: set[int]) -> tuple[object, ...]:
    """What a stranger keeps: an order that ends makes free what it locked, and asks for no more."""
    held = tuple(map(sum, zip(holding.available, holding.locked, strict=True)))
    claims = tuple(
        0 if asset in begun_anew else shares for asset, shares in enumerate(holding.lent_shares)
    )
    return held, claims, holding.debt_shares
