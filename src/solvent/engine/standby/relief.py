"""Relief in kernels: standbys take over what a round paid in kind, as in `reference`."""

from solvent.domain.labels import AdlCase, LegForm, Source, Stage, Tier
from solvent.domain.parameters import USDC
from solvent.domain.units import INDEX_SCALE, RATIO
from solvent.domain.waterfall_events import StandbySwapped
from solvent.engine.allot.apportionment import apportion
from solvent.engine.ledger import (
    account_row,
    asset_row,
    available,
    claim_of,
    claim_worth,
    debt_of,
    mark_of,
    move,
    pool_row,
    position,
)
from solvent.engine.lending import pool as pools
from solvent.engine.limits import largest_passing
from solvent.engine.margin import (
    Doubt,
    copy_portfolio,
    health,
    health_of,
    leverage_exceeded,
    portfolio_of,
    receive,
    total_value,
)
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.standby.posted import (
    place_of,
    posted_of,
    queue,
    say_posted,
    stands_by,
    use,
)
from solvent.engine.standby.rows import Bearing, PaidInKind, Swap
from solvent.engine.units import divide_up, mul_div_down, value_down
from solvent.engine.waterfall.record import (
    PARTIES,
    Record,
    put_parties,
    record_parties,
    record_pools,
    touched,
)
from solvent.engine.waterfall.rounds import Round, value_of
from solvent.engine.waterfall.rows import Party
from solvent.engine.waterfall.sizing import bearable_rate, freed_by
from solvent.engine.weights import weight_of
from solvent.kernels.language import (
    allocate,
    copy_row,
    emit,
    kernel,
    narrow,
    numbers_of,
    release,
    row_in,
    rows_in,
    wide,
)
from solvent.kernels.rows import Memory, Rows


@kernel
def may_relieve(s: Store, plan: Round) -> bool:
    """Whether a round may pay in kind and anybody stands by."""
    return plan.fund == 0 and plan.means.tier >= Tier.IN_KIND and s.globals.standby_count > 0


@kernel
def note_held(s: Store, plan: Round, account: int, place: int, row: PaidInKind) -> int:
    """Write what a lender has before a round; 1, or 0 for one who stands by himself."""
    if stands_by(s, account):
        return 0
    held = position(s, account, plan.means.asset)
    row.account = account
    row.place = place
    row.tokens = held.available
    row.shares = held.lent_shares
    row.claim = claim_of(s, account, plan.asset)
    row.rate = 0
    row.budget = 0
    row.repaid = 0
    return 1


@kernel
def relieve(s: Store, plan: Round, number: int, rows: Rows[PaidInKind], noted: int) -> int:
    """Let standbys take over what a round paid in kind; return how many were paid so.

    Their rows are in front, each with what of it repaid USDC debts.
    """
    count = 0
    for place in range(noted):
        if _put_receiver(s, plan, rows[place]):
            copy_row(rows[place], rows[count])
            count += 1
    if count == 0:
        return 0
    called = allocate(s.globals.standby_count)
    for standby in range(queue(s, called)):
        _take_over(s, plan, number, called[standby], LegForm.AVAILABLE, rows, count)
    for standby in range(queue(s, called)):
        _take_over(s, plan, number, called[standby], LegForm.CLAIM, rows, count)
    release(called)
    return count


@kernel
def _put_receiver(s: Store, plan: Round, row: PaidInKind) -> bool:
    """Write what a round paid a lender in kind, and the premium for it that is borne; if any."""
    asset = plan.means.asset
    held = position(s, row.account, asset)
    row.tokens = max(0, held.available - row.tokens) if asset != USDC else 0
    row.shares = max(0, held.lent_shares - row.shares)
    quantity = row.tokens + claim_worth(pool_row(s, asset), row.shares)
    if quantity == 0:
        return False
    worth = value_down(quantity, mark_of(s, asset), asset_row(s, asset))
    if plan.case == AdlCase.STUCK_LENDER:
        row.rate = _bearable(s, row.account, plan.asset, asset, worth)
        row.budget = worth
        return True
    given = row.claim - claim_of(s, row.account, plan.asset)
    row.rate = RATIO
    beyond = max(0, worth - value_of(s, plan.asset, max(0, given)))
    row.budget = mul_div_down(beyond, RATIO - s.rules.fund_share, RATIO)
    return True


@kernel
def _bearable(s: Store, account: int, settled: int, paid_in: int, worth: int) -> int:
    """The largest premium at which a stuck lender is no worse than before his match, 10^-9."""
    values = health_of(s, account, Doubt.NONE)
    owned = total_value(values)
    if owned <= 0 or values.debts_value == 0:
        return 0
    weight = max(_weight_held(s, account, settled), _weight_held(s, account, paid_in))
    freed = freed_by(s, account, USDC) if debt_of(s, account, USDC) >= worth else 0
    least = min(wide(bearable_rate(weight, freed)), owned * RATIO // values.debts_value)
    return narrow(least)


@kernel
def _weight_held(s: Store, account: int, asset: int) -> int:
    row = position(s, account, asset)
    held = row.available + row.locked + claim_of(s, account, asset)
    return weight_of(asset_row(s, asset), held, mark_of(s, asset))


@kernel
def _left(s: Store, row: PaidInKind, asset: int, form: LegForm) -> int:
    """Atoms that were paid in a form and are not taken over yet."""
    if form == LegForm.CLAIM:
        return claim_worth(pool_row(s, asset), row.shares)
    return row.tokens


@kernel
def _take_over(
    s: Store,
    plan: Round,
    number: int,
    standby: int,
    form: LegForm,
    rows: Rows[PaidInKind],
    count: int,
) -> None:
    """One standby's part of what is left in one form, of each receiver in proportion."""
    asset = plan.means.asset
    left = allocate(count)
    parts = allocate(count)
    total = 0
    for place in range(count):
        left[place] = _left(s, rows[place], asset, form)
        total += left[place]
    apportion(s, capacity(s, standby, asset, total), left, left, count, parts)
    for place in range(count):
        # What those before took rounded, so he is asked once more.
        quantity = 0
        if parts[place]:
            quantity = capacity(s, standby, asset, parts[place])
        if quantity:
            _swap(s, plan, number, standby, form, rows[place], quantity)
    release(parts)
    release(left)


@kernel
def _swap(
    s: Store, plan: Round, number: int, standby: int, form: LegForm, row: PaidInKind, quantity: int
) -> None:
    """Let a standby take over so many atoms of a receiver, whose row says what is left."""
    top = s.globals.scratch_top
    swap = row_in(Swap, take(s, Swap.WIDTH))
    _put_swap(s, swap, standby, row, plan.means.asset, form, quantity)
    owed = debt_of(s, row.account, USDC)
    _apply_swap(s, plan, number, swap)
    row.repaid += owed - debt_of(s, row.account, USDC)
    row.budget -= swap.premium
    if form == LegForm.CLAIM:
        row.shares -= swap.shares
    else:
        row.tokens -= quantity
    s.globals.scratch_top = top


@kernel
def capacity(s: Store, standby: int, asset: int, most: int) -> int:
    """Of `most` atoms how many a standby takes over: what he posted and has free, and bears."""
    top = s.globals.scratch_top
    bearing = row_in(Bearing, take(s, Bearing.WIDTH + 6 * s.globals.assets))
    bearing.standby = standby
    bearing.asset = asset
    bearing.funds = min(posted_of(s, standby), position(s, standby, USDC).available)
    pool = pool_row(s, asset)
    slack = divide_up(pool.lend_index, INDEX_SCALE) + divide_up(pool.debt_index, INDEX_SCALE)
    bearing.slack = narrow(slack)
    portfolio_of(s, standby, _portfolio(bearing))
    largest = largest_passing(_bears, s, bearing, most)
    s.globals.scratch_top = top
    return largest


@kernel
def _portfolio(bearing: Bearing) -> Memory:
    return numbers_of(bearing).at(Bearing.WIDTH)


@kernel
def _bears(s: Store, bearing: Bearing, quantity: int) -> bool:
    """Whether the standby could take so much over within his margin and leverage limit."""
    value = value_of(s, bearing.asset, quantity)
    if value > bearing.funds:
        return False
    after = _portfolio(bearing).at(3 * s.globals.assets)
    copy_portfolio(s, _portfolio(bearing), after)
    after[USDC] -= value
    receive(s, after, bearing.asset, max(0, quantity - bearing.slack))
    values = health(s, after, Doubt.AGAINST_ACCOUNT, wide(0))
    limit = account_row(s, bearing.standby).leverage_limit
    return values.net_equity >= values.initial and not leverage_exceeded(values, limit)


@kernel
def _put_swap(
    s: Store,
    swap: Swap,
    standby: int,
    row: PaidInKind,
    asset: int,
    form: LegForm,
    quantity: int,
) -> None:
    """Write what moves where a standby takes over so many atoms of a receiver."""
    asked = min(s.standbys[place_of(s, standby)].premium, s.rules.max_discount)
    swap.standby = standby
    swap.receiver = row.account
    swap.asset = asset
    swap.form = form
    swap.quantity = quantity
    swap.shares = 0
    if form == LegForm.CLAIM:
        swap.shares = pools.shares_up(pool_row(s, asset), row.shares, quantity)
    swap.value = value_of(s, asset, quantity)
    swap.rate = min(asked, row.rate)
    swap.premium = min(mul_div_down(swap.value, swap.rate, RATIO), row.budget)
    swap.paid = swap.value - swap.premium


@kernel
def _apply_swap(s: Store, plan: Round, number: int, swap: Swap) -> None:
    """Hand over what a swap moves, each way, and write all of it down."""
    emit(
        s,
        StandbySwapped(
            swap=s.globals.next_swap,
            round=number,
            case=plan.case,
            standby=swap.standby,
            receiver=swap.receiver,
            asset=swap.asset,
            mark=mark_of(s, swap.asset),
            form=swap.form,
            quantity=swap.quantity,
            shares=swap.shares,
            value=swap.value,
            rate=swap.rate,
            premium=swap.premium,
            paid=swap.paid,
            posted=posted_of(s, swap.standby),
        ),
    )
    record = Record(Stage.STANDBY, s.globals.next_swap, 0)
    s.globals.next_swap += 1
    record_pools(s, record)
    parties = rows_in(Party, take(s, PARTIES * Party.WIDTH))
    count = put_parties(parties, swap.standby, swap.receiver, swap.receiver)
    touched(s, parties, count)
    record_parties(s, record, parties, count, 0)
    _hand_over(s, swap)
    touched(s, parties, count)
    record_parties(s, record, parties, count, 1)
    use(s, swap.standby, swap.value)
    say_posted(s, swap.standby)


@kernel
def _hand_over(s: Store, swap: Swap) -> None:
    """The tokens or the claim to the standby, USDC to the receiver; each repays what it can."""
    source = Source.ADL_PROVIDER
    if swap.form == LegForm.CLAIM:
        pools.transfer_claim(s, swap.asset, swap.shares, swap.receiver, swap.standby, source)
    else:
        _give(s, swap.asset, swap.quantity, swap.receiver, swap.standby, source)
    _give(s, USDC, swap.paid, swap.standby, swap.receiver, Source.LIQUIDATION_ADL)


@kernel
def _give(s: Store, asset: int, quantity: int, giver: int, receiver: int, source: Source) -> None:
    move(s, asset, quantity, available(giver), available(receiver))
    if debt_of(s, receiver, asset):
        pools.repay(s, receiver, asset, quantity, source)
