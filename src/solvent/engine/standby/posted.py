"""Posted in kernels: who stands by, as in `reference.standby.posted`.

Those who stand by are rows in the order in which they are called: the least premium first, ties by
account. Room for a batch's rows is made before it.
"""

from solvent.domain.events import StandbyPosted
from solvent.domain.parameters import MAX_SUPPLY
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import INT64_MAX
from solvent.engine.ledger import account_row
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.store import Store
from solvent.engine.refusals import refuse
from solvent.kernels.language import copy_row, emit, fail, kernel
from solvent.kernels.rows import Memory


@kernel
def place_of(s: Store, account: int) -> int:
    """The place of an account among those who stand by, or NONE."""
    for place in range(s.globals.standby_count):
        if s.standbys[place].account == account:
            return place
    return NONE


@kernel
def posted_of(s: Store, account: int) -> int:
    """Atoms of USDC that an account has posted."""
    place = place_of(s, account)
    return 0 if place == NONE else s.standbys[place].posted


@kernel
def post_refusal(s: Store, account: int, quantity: int, premium: int) -> int:
    """Whether so much more may be posted at this premium."""
    most = s.rules.max_discount
    place = place_of(s, account)
    room = MAX_SUPPLY
    if place != NONE:
        most = min(most, s.standbys[place].premium)
        room -= s.standbys[place].posted
    if not 0 <= premium <= most:
        return refuse(RejectionCode.INVALID_PRICE, Limit.NONE)
    if quantity > room:
        s.globals.largest = room
        return refuse(RejectionCode.INVALID_QUANTITY, Limit.SUPPLY_CAP)
    return 0


@kernel
def post(s: Store, account: int, quantity: int, premium: int) -> None:
    """Stand by with `quantity` more atoms of USDC, all of it at `premium`."""
    place = place_of(s, account)
    posted = quantity
    leaving = 0
    leaves_at = 0
    if place != NONE:
        row = s.standbys[place]
        posted += row.posted
        leaving = row.leaving
        leaves_at = row.leaves_at
        _remove(s, place)
    if s.globals.standby_count >= s.globals.standby_capacity:
        fail()
    place = s.globals.standby_count
    s.globals.standby_count = place + 1
    while place > 0 and _is_called_after(s, place - 1, premium, account):
        copy_row(s.standbys[place - 1], s.standbys[place])
        place -= 1
    row = s.standbys[place]
    row.account = account
    row.posted = posted
    row.premium = premium
    row.leaving = leaving
    row.leaves_at = leaves_at
    say_posted(s, account)


@kernel
def _is_called_after(s: Store, place: int, premium: int, account: int) -> bool:
    """Whether the one at a place is called after such a one."""
    row = s.standbys[place]
    return row.account > account if row.premium == premium else row.premium > premium


@kernel
def withdraw_refusal(s: Store, account: int, quantity: int) -> int:
    """Whether so much is posted and not withdrawn yet."""
    place = place_of(s, account)
    staying = 0
    if place != NONE:
        staying = s.standbys[place].posted - s.standbys[place].leaving
    if quantity > staying:
        s.globals.largest = staying
        return refuse(RejectionCode.INSUFFICIENT_FUNDS, Limit.COMMITTED_CAPACITY)
    return 0


@kernel
def withdraw(s: Store, account: int, quantity: int) -> None:
    """Give notice of `quantity` atoms; a further notice adds to it and begins anew."""
    row = s.standbys[place_of(s, account)]
    row.leaving += quantity
    row.leaves_at = s.globals.now + s.rules.commitment_notice
    say_posted(s, account)


@kernel
def use(s: Store, account: int, value: int) -> None:
    """Take what a swap used out of what is posted; who has nothing left stands by no more."""
    place = place_of(s, account)
    row = s.standbys[place]
    row.posted -= value
    row.leaving = min(row.leaving, row.posted)
    if row.leaving == 0:
        row.leaves_at = 0
    if row.posted == 0:
        _remove(s, place)


@kernel
def _remove(s: Store, gone: int) -> None:
    """Take the row at a place out."""
    s.globals.standby_count -= 1
    for place in range(gone, s.globals.standby_count):
        copy_row(s.standbys[place + 1], s.standbys[place])


@kernel
def end_notices(s: Store) -> None:
    """Take out what leaves and whose notice is over."""
    place = 0
    while place < s.globals.standby_count:
        row = s.standbys[place]
        account = row.account
        before = s.globals.standby_count
        if row.leaving and row.leaves_at <= s.globals.now:
            ended = row.leaving
            row.leaving = 0
            use(s, account, ended)
            s.globals.asleep = 0
            say_posted(s, account)
        if s.globals.standby_count == before:
            place += 1


@kernel
def next_notice(s: Store) -> int:
    """When the next notice is over, or the end of time."""
    first = INT64_MAX
    for place in range(s.globals.standby_count):
        row = s.standbys[place]
        if row.leaving:
            first = min(first, row.leaves_at)
    return first


@kernel
def queue(s: Store, accounts: Memory) -> int:
    """Write who stands by and is not liquidating, in the order of calls; return how many."""
    count = 0
    for place in range(s.globals.standby_count):
        account = s.standbys[place].account
        if account_row(s, account).is_liquidating == 0:
            accounts[count] = account
            count += 1
    return count


@kernel
def stands_by(s: Store, account: int) -> bool:
    """Whether an account can be called."""
    return place_of(s, account) != NONE and account_row(s, account).is_liquidating == 0


@kernel
def say_posted(s: Store, account: int) -> None:
    """Write down what an account stands by with, and what of it leaves when."""
    place = place_of(s, account)
    posted = 0
    premium = 0
    leaving = 0
    leaves_at = 0
    if place != NONE:
        row = s.standbys[place]
        posted = row.posted
        premium = row.premium
        leaving = row.leaving
        leaves_at = row.leaves_at
    emit(
        s,
        StandbyPosted(
            account=account,
            posted=posted,
            premium=premium,
            leaving=leaving,
            leaves_at=leaves_at,
        ),
    )
