"""What the events of one step say about its ADL rounds, added up again (I21 to I26).

Nothing here looks at the engine: a round is judged by its own record alone.
"""

from collections.abc import Iterator, Sequence

from solvent.domain.events import Event
from solvent.domain.labels import AdlCase, Stage, Tier
from solvent.domain.waterfall_events import (
    AdlCandidate,
    AdlLeg,
    AdlMatched,
    AdlOpened,
    AdlStuck,
    BackstopFilled,
    HandedOver,
    PartyBalance,
    PartyHealth,
)

FUND = 0


def faults_of_step(events: Sequence[Event], unit: int) -> list[str]:
    """What is wrong with the rounds of a step; `unit` is the rounding unit in 10^-6 USDC."""
    faults = list(_order(events))
    for opened in (event for event in events if isinstance(event, AdlOpened)):
        faults += _budget(events, opened)
        for match in range(_matches(events, opened.round)):
            faults += _match(events, opened, match, unit)
    return faults


def _of_round(events: Sequence[Event], number: int) -> list[Event]:
    return [
        event
        for event in events
        if getattr(event, "round", None) == number
        or (
            isinstance(event, PartyBalance | PartyHealth)
            and (event.stage, event.number) == (Stage.ADL, number)
        )
    ]


def _matches(events: Sequence[Event], number: int) -> int:
    numbers = [
        event.match for event in events if isinstance(event, AdlMatched) and event.round == number
    ]
    return max(numbers, default=-1) + 1


def _order(events: Sequence[Event]) -> Iterator[str]:
    """I15, I21: who is settled by ADL was handed over by the book and the providers before."""
    handed: dict[int, set[Stage]] = {}
    for event in events:
        if isinstance(event, HandedOver):
            handed.setdefault(event.account, set()).add(event.stage)
        if isinstance(event, BackstopFilled) and Stage.BOOK not in handed.get(event.account, ()):
            yield f"I15: account {event.account} went to a provider before the book gave up"
        if isinstance(event, AdlStuck):
            missing = {Stage.BOOK, Stage.BACKSTOP} - handed.get(event.account, set())
            if missing:
                yield f"I21: account {event.account} came to ADL without {missing}"


def _budget(events: Sequence[Event], opened: AdlOpened) -> Iterator[str]:
    """I22: taken is needed, or all caps are exhausted; within each cap and each loan.

    The atoms that rounding left of a default are closed too, beyond what was allotted, and so are
    the parts of those lenders who get no atom of what is paid in.
    """
    own = _of_round(events, opened.round)
    stuck = [event for event in own if isinstance(event, AdlStuck)]
    asked = [event for event in own if isinstance(event, AdlCandidate)]
    caps = sum(event.cap for event in asked)
    place = f"round {opened.round}"
    default = opened.case is AdlCase.BORROWER_DEFAULT
    rests = 2 * (_matches(events, opened.round) + 1) if default else 0
    if opened.allotted != min(opened.needed, caps):
        yield f"I22: {place}: {opened.allotted} of {opened.needed} with caps of {caps}"
    if opened.needed <= 0:
        yield f"I21: {place}: nothing was needed"
    if sum(event.needed for event in stuck) != opened.needed:
        yield f"I22: {place}: the sides do not need what the round needs"
    for side in (stuck, asked):
        if sum(event.allotted for event in side) != opened.allotted:
            yield f"I22: {place}: a side is not allotted what the round is"
    if any(not 0 <= event.allotted <= event.cap <= event.position for event in asked):
        yield f"I22: {place}: a candidate is over his cap or his loan"
    taken = {event.account: _taken(own, event.account) for event in asked}
    left_out = sum(event.allotted for event in asked if default and not taken[event.account])
    for event in asked:
        most = min(event.cap, event.allotted + left_out) + rests
        if taken[event.account] > most:
            yield f"I22: {place}: {taken[event.account]} taken from account {event.account}"


def _taken(own: list[Event], account: int) -> int:
    """Atoms that the matches of a round settled with an account."""
    return sum(
        match.quantity
        for match in own
        if isinstance(match, AdlMatched) and account in (match.lender, match.payer)
    )


def _match(events: Sequence[Event], opened: AdlOpened, match: int, unit: int) -> Iterator[str]:
    """I23, I24, I26: values stay but for the fee, legs are the value, only flagged legs hurt.

    The fund, which pays for others, may itself be the lender: then it has what it gives, less.
    """
    number, opposites = opened.round, opened.case is AdlCase.OPPOSITES
    own = [event for event in _of_round(events, number) if getattr(event, "match", None) == match]
    place = f"round {number}, match {match}"
    deal = next((event for event in own if isinstance(event, AdlMatched)), None)
    if deal is None:
        return
    legs = [event for event in own if isinstance(event, AdlLeg)]
    health = [event for event in own if isinstance(event, PartyHealth)]
    given = [leg for leg in legs if not opposites or leg.asset != deal.asset]
    spare = sum(leg.value for leg in given) - deal.value
    if not 0 <= spare <= (0 if opposites else deal.fee):
        yield f"I23: {place}: legs of {spare} more than {deal.value}"
    for leg in legs:
        parties = (deal.giver, deal.lender) if leg in given else (deal.lender, deal.payer)
        fund = leg.receiver == FUND and deal.fee and leg.giver == deal.giver
        if (leg.giver, leg.receiver) != parties and not fund:
            yield f"I26: {place}: a leg of somebody else"
    flagged = any(leg.tier >= Tier.FLAGGED for leg in legs)
    for before in (event for event in health if not event.after):
        after = next(each for each in health if each.after and each.account == before.account)
        moved = after.total_value - before.total_value
        if deal.giver == deal.payer and abs(moved) > unit + deal.fee:
            yield f"I23: {place}: account {before.account} moved by {moved}"
        lends = before.account == deal.lender != deal.giver
        if lends and moved < -unit - (deal.fee if opposites else 0):
            yield f"I23: {place}: the lender lost {-moved}"
        fell = (before.net_equity - before.maintenance) - (after.net_equity - after.maintenance)
        judged = lends and not flagged
        judged |= before.account == deal.payer == deal.giver
        if judged and fell > unit:
            yield f"I24: {place}: the health of account {before.account} fell by {fell}"
    yield from _quantities(own, place)


def _quantities(own: list[Event], place: str) -> Iterator[str]:
    """I25, I26: atoms leave one side as they reach the other, but those that cancel a debt."""
    balances: dict[tuple[int, int], int] = {}
    for event in own:
        if isinstance(event, PartyBalance):
            net = event.available + event.locked + event.lent - event.debt
            key = (event.account, event.asset)
            balances[key] = balances.get(key, 0) + (net if event.after else -net)
    per_asset: dict[int, int] = {}
    for (_, asset), change in balances.items():
        per_asset[asset] = per_asset.get(asset, 0) + change
    for asset, change in per_asset.items():
        if not -2 <= change <= 2:
            yield f"I26: {place}: asset {asset} changed by {change} over all parties"
