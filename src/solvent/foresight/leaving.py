"""Leaving: the least that an account could do so that a round would allot it nothing.

Every way is carried out in the forecaster's copy of the book, the round asked again, and the
commands taken back, so a command that would be refused is no way. Quantities are atoms, values
10^-6 USDC.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from solvent.domain.commands import Command, Deposit, Redeem, Repay, Withdraw
from solvent.domain.labels import AdlCase, Tier
from solvent.foresight.forecast import Forecaster, Place
from solvent.foresight.trial import Trial

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
    if place.allotted == 0:
        return []
    trial = Trial(forecaster.engine)

    def off(step: Step) -> bool:
        brings = lacking(forecaster, step)
        before: list[Command] = [Deposit(account, step.asset, brings)] if brings else []
        with trial.after([*before, step]) as carried_out:
            return carried_out and forecaster.share(account, place.asked) == 0

    able = [step for step in _steps(forecaster, account, place) if step.quantity and off(step)]
    found = []
    for most in able:
        step = replace(most, quantity=_least(off, most))
        value = forecaster.value_of(step.asset, step.quantity)
        found.append(Way(step, lacking(forecaster, step), value))
    return sorted(found, key=lambda way: way.value)


def _least(off: Callable[[Step], bool], most: Step) -> int:
    """The least quantity that a bisection finds to lead off, of a step that does at its largest."""
    low, high = 1, most.quantity
    while low < high:
        middle = (low + high) // 2
        if off(replace(most, quantity=middle)):
            high = middle
        else:
            low = middle + 1
    return low


def lacking(forecaster: Forecaster, step: Step) -> int:
    """Atoms that an account has to bring before it can repay."""
    if not isinstance(step, Repay):
        return 0
    free = forecaster.engine.queries.balances(step.account)[step.asset].available
    return max(0, step.quantity - free)


def _steps(forecaster: Forecaster, account: int, place: Place) -> Iterator[Step]:
    """What an account could do against a round, each at its largest."""
    queries = forecaster.engine.queries
    kind = place.asked.kind
    asset, means = kind.asset, kind.means
    balances = queries.balances(account)
    if kind.case is AdlCase.BORROWER_DEFAULT:
        yield Redeem(account, asset, queries.max_redeem(account, asset))
        if means.tier is Tier.OWED:
            yield Repay(account, means.asset, balances[means.asset].debt)
        return
    yield Repay(account, asset, balances[asset].debt)
    if not means.borrowed:
        most = queries.max_withdraw(account, means.asset, auto_lend_redeem=True, auto_borrow=False)
        yield Withdraw(account, means.asset, most, auto_lend_redeem=True)
