"""Posted: who stands by, with how much, for which premium, and until when.

An account posts USDC that it is ready to give for what ADL pays others in kind, and the premium
that it asks. What is posted is a promise, as a backstop commitment is: nothing is locked, and what
is withdrawn is called until its notice is over. A premium that rose shortly before a crash would be
a notice of no time, so it rises only while nothing is posted.

Specification: section 8.10.
"""

from solvent.domain.events import StandbyPosted
from solvent.domain.parameters import MAX_SUPPLY
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.reference.state import Standby, State

_NOBODY = Standby(0, 0)


def post_refusal(state: State, account: int, quantity: int, premium: int) -> Refusal | None:
    """Whether so much more may be posted at this premium."""
    most = state.parameters.waterfall.max_discount
    standby = state.standbys.get(account)
    if standby is not None:
        most = min(most, standby.premium)
    if not 0 <= premium <= most:
        return Refusal(RejectionCode.INVALID_PRICE)
    room = MAX_SUPPLY - (standby or _NOBODY).posted
    if quantity > room:
        return Refusal(RejectionCode.INVALID_QUANTITY, Limit.SUPPLY_CAP, room)
    return None


def post(state: State, account: int, quantity: int, premium: int) -> None:
    """Stand by with `quantity` more atoms of USDC, all of it at `premium`."""
    standby = state.standbys.setdefault(account, Standby(0, premium))
    standby.posted += quantity
    standby.premium = premium
    say_posted(state, account)


def withdraw_refusal(state: State, account: int, quantity: int) -> Refusal | None:
    """Whether so much is posted and not withdrawn yet."""
    standby = state.standbys.get(account, _NOBODY)
    staying = standby.posted - standby.leaving
    if quantity > staying:
        return Refusal(RejectionCode.INSUFFICIENT_FUNDS, Limit.COMMITTED_CAPACITY, staying)
    return None


def withdraw(state: State, account: int, quantity: int) -> None:
    """Give notice of `quantity` atoms; a further notice adds to it and begins anew."""
    standby = state.standbys[account]
    standby.leaving += quantity
    standby.leaves_at = state.now + state.parameters.waterfall.commitment_notice
    say_posted(state, account)


def use(state: State, account: int, value: int) -> None:
    """Take what a swap used out of what is posted; who has nothing left stands by no more."""
    standby = state.standbys[account]
    standby.posted -= value
    standby.leaving = min(standby.leaving, standby.posted)
    if not standby.leaving:
        standby.leaves_at = 0
    if not standby.posted:
        del state.standbys[account]


def end_notices(state: State) -> None:
    """Take out what leaves and whose notice is over."""
    for account, standby in in_order(state):
        if standby.leaving and standby.leaves_at <= state.now:
            ended, standby.leaving = standby.leaving, 0
            use(state, account, ended)
            state.asleep = False
            say_posted(state, account)


def next_notice(state: State) -> int | None:
    """When the next notice is over, or None."""
    times = (standby.leaves_at for standby in state.standbys.values() if standby.leaving)
    return min(times, default=None)


def queue(state: State) -> list[int]:
    """Who stands by and is not liquidating, the least premium first, ties by account."""
    return [account for account, _ in in_order(state) if account not in state.liquidating]


def in_order(state: State) -> list[tuple[int, Standby]]:
    """All who stand by, the least premium first, ties by account."""
    return sorted(state.standbys.items(), key=lambda each: (each[1].premium, each[0]))


def posted_of(state: State, account: int) -> int:
    """Atoms of USDC that an account has posted."""
    return state.standbys.get(account, _NOBODY).posted


def say_posted(state: State, account: int) -> None:
    """Write down what an account stands by with, and what of it leaves when."""
    standby = state.standbys.get(account, _NOBODY)
    state.emit(
        StandbyPosted(
            account=account,
            posted=standby.posted,
            premium=standby.premium,
            leaving=standby.leaving,
            leaves_at=standby.leaves_at,
        )
    )
