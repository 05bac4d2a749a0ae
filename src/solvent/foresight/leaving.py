"""Leaving: the least that an account could do so that a round would allot it nothing.

Every way is carried out on a copy of the book and the round asked again, so a command that would be
refused is no way. Quantities are atoms, values 10^-6 USDC.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from solvent.domain.commands import Deposit, Redeem, Repay, Withdraw
from solvent.domain.events import Refused
from solvent.domain.labels import AdlCase, Tier
from solvent.foresight.forecast import Forecaster, Place, share_in
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import debt_of
from solvent.reference.limits import smallest_passing
from solvent.reference.queries import ReferenceQueries
from solvent.reference.waterfall.rounds import value_of

Step = Repay | Withdraw | Redeem


@dataclass(frozen=True, slots=True)
class Way:
    """A command after which the round allots the account nothing, its value at the mark, up.

    `brings` atoms of the command's asset have to be deposited before it.
    """

    command: Step
    brings: int
    value: int


def ways_off(forecaster: Forecaster, account: int, place: Place) -> list[Way]:
    """The least of each way off a round, the cheapest first; none where nothing is allowed now."""
    book = forecaster.copy()
    state = forecaster.state

    def carried_out(step: Step) -> ReferenceEngine | None:
        """The book after the step, or None where it is refused."""
        after = ReferenceEngine.restore(book)
        brings = lacking(forecaster, step)
        before = [Deposit(account, step.asset, brings)] if brings else []
        events = [event for command in (*before, step) for event in after.apply_one(command)]
        return None if any(isinstance(event, Refused) for event in events) else after

    def off(step: Step) -> bool:
        after = carried_out(step)
        return after is not None and share_in(after.state, account, place.asked) == 0

    def least(most: Step) -> Step:
        def passes(quantity: int) -> bool:
            return quantity > 0 and off(replace(most, quantity=quantity))

        return replace(most, quantity=smallest_passing(passes, most.quantity))

    if place.allotted == 0:
        return []
    able = [step for step in _steps(forecaster, account, place) if step.quantity and off(step)]
    found = []
    for step in map(least, able):
        value = value_of(state, step.asset, step.quantity)
        found.append(Way(step, lacking(forecaster, step), value))
    return sorted(found, key=lambda way: way.value)


def lacking(forecaster: Forecaster, step: Step) -> int:
    """Atoms that an account has to bring before it can repay."""
    if not isinstance(step, Repay):
        return 0
    free = forecaster.state.accounts[step.account].available[step.asset]
    return max(0, step.quantity - free)


def _steps(forecaster: Forecaster, account: int, place: Place) -> Iterator[Step]:
    """What an account could do against a round, each at its largest."""
    state, queries = forecaster.state, ReferenceQueries(forecaster.state)
    kind = place.asked.kind
    asset, means = kind.asset, kind.means
    if kind.case is AdlCase.BORROWER_DEFAULT:
        yield Redeem(account, asset, queries.max_redeem(account, asset))
        if means.tier is Tier.OWED:
            yield Repay(account, means.asset, debt_of(state, account, means.asset))
        return
    yield Repay(account, asset, debt_of(state, account, asset))
    if not means.borrowed:
        most = queries.max_withdraw(account, means.asset, auto_lend_redeem=True, auto_borrow=False)
        yield Withdraw(account, means.asset, most, auto_lend_redeem=True)
