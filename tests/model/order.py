"""The order of a step, said once more and shortly: who is judged, booked and gated, and when.

Written from section 7.2 of the specification and from nothing that an engine computes but balances
and marks. A step's events are read as a word, one letter a stage; the word must be one of the
order's. Between steps the model says who has to be liquidating and which lends and redemptions the
gate refuses.
"""

import re
from collections.abc import Iterator, Sequence

from solvent.domain import commands as c
from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.commands import Command
from solvent.domain.events import Event
from solvent.domain.labels import AdlCase, SystemOrder
from solvent.domain.rejections import Limit
from solvent.proof.invariants.state_view import StateView

STAGES: dict[type[Event], str] = {
    e.InterestCharged: "i",
    e.IndexUpdated: "p",
    e.MarkUpdated: "p",
    e.PriceStaleness: "p",
    e.ThrottleMoved: "t",
    w.LiquidationStarted: "s",
    w.LiquidationEnded: "e",
    w.BackstopOffered: "v",
    w.DebtWrittenOff: "x",
    e.Stepped: ".",
}
ORDER = re.compile(
    r"i*p*t*"  # time, interest, the age of prices, bounds
    r"s*e*"  # who became liquidatable, who is restored
    r"x*s*b*"  # bookings, whom they made liquidatable, case B of who is worth nothing
    r"k*v*l*b*"  # book, backstop, case L, case B
    r"e*s*\."  # who is restored now, who has become liquidatable
)
CENT = 10**10
"""0.01 USDC in 10^-12: smaller losses of a pool close no gate."""
MAY_ALWAYS = (c.Deposit, c.Repay)
"""What an account may do while it is liquidating."""


def stage_of(event: Event) -> str:
    """The letter of the stage that an event tells of; none for details of a stage."""
    if isinstance(event, e.Filled):
        return "" if event.system_order is SystemOrder.USER else "k"
    if isinstance(event, w.AdlOpened):
        return "l" if event.case is AdlCase.STUCK_LENDER else "b"
    return STAGES.get(type(event), "")


def insolvent(view: StateView) -> set[int]:
    """Accounts in the waterfall that are worth less than nothing."""
    return {account for account in view.liquidating if view.health[account].total_value < 0}


def due(view: StateView) -> set[int]:
    """Accounts that have to be liquidating: something is owed and NE is at or below M."""
    return {account for account, health in enumerate(view.health) if health.liquidatable}


def wrong_in(
    before: StateView, command: Command, events: Sequence[Event], after: StateView
) -> Iterator[str]:
    """What of the order a transition breaks."""
    refusal = events[0] if events and isinstance(events[0], e.Refused) else None
    yield from _authority(before, command, refusal)
    yield from _gate(before, command, refusal)
    if refusal is not None:
        return
    if not due(after) <= after.liquidating:
        yield f"{due(after) - after.liquidating} should be liquidating"
    if isinstance(command, c.TimeStep):
        yield from _step(before, events, after)
        return
    if not isinstance(command, c.UpdatePrice | c.HaltPrice) and (
        after.liquidating != before.liquidating
    ):
        yield "somebody's own command changed who is liquidating"
    if not before.liquidating <= after.liquidating:
        yield "somebody left the waterfall outside a step"


def _authority(before: StateView, command: Command, refusal: e.Refused | None) -> Iterator[str]:
    account = getattr(command, "account", None)
    if account not in before.liquidating or isinstance(command, MAY_ALWAYS):
        return
    if refusal is None:
        yield "a liquidating account acted"


def _gate(before: StateView, command: Command, refusal: e.Refused | None) -> Iterator[str]:
    """Nobody leaves a pool that an insolvent account owes, and nobody comes."""
    if not isinstance(command, c.Redeem | c.Lend) or command.account in before.liquidating:
        return
    # What hangs on a stale price is not certain.
    if any(price.stale for price in before.prices):
        return
    lacks = [
        -before.health[account].total_value
        for account in insolvent(before)
        if before.holdings[account].debt_shares[command.asset]
    ]
    gated = sum(lacks) > CENT + CENT // 100
    refused = refusal is not None and refusal.limit is Limit.INSOLVENCY_GATE
    if gated and refusal is None:
        yield "a lender came or left before its loss was booked"
    if refused and sum(lacks) < CENT - CENT // 100:
        yield "the gate is shut and nobody is insolvent"


def _step(before: StateView, events: Sequence[Event], after: StateView) -> Iterator[str]:
    word = "".join(map(stage_of, events))
    if not ORDER.fullmatch(word):
        yield f"the stages came as {word}"
    judged = {event.account for event in events if isinstance(event, w.LiquidationStarted)}
    touched = {event.account for event in events if isinstance(event, w.HandedOver)}
    if not touched <= before.liquidating | judged:
        yield "a stage took somebody who was not liquidating"
    booked = {event.account for event in events if isinstance(event, w.DebtWrittenOff)}
    if not booked <= insolvent(before):
        yield "a loss was booked of somebody who was not insolvent before the step"
    if any(after.health[account].total_value < -CENT for account in booked):
        yield "an account is still insolvent after its loss was booked"
