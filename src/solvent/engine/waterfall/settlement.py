"""Settlement in kernels: one match of an ADL round, carried out, as in `reference`.

A match is a row of named numbers. Value goes from the giver to the lender in the settlement order:
USDC free, USDC lent, USDC borrowed where allowed, then other assets in kind, heavier ones first.
"""

from solvent.domain.labels import ExpiryReason, LegForm, Source, Stage
from solvent.domain.parameters import USDC
from solvent.engine.allot.sorting import sort_by
from solvent.engine.ledger import (
    account_row,
    asset_row,
    available,
    claim_of,
    debt_of,
    is_stale,
    mark_of,
    move,
    pool_row,
    position,
)
from solvent.engine.lending import pool as pools
from solvent.engine.limits import borrow_refusal, largest_passing
from solvent.engine.margin import (
    Doubt,
    copy_portfolio,
    health,
    portfolio_of,
    surplus,
)
from solvent.engine.memory.layout import (
    ADL_LEG,
    ADL_MATCHED,
    ASSETS,
    AUTO_BORROW_SETTLEMENTS,
    AVAILABLE,
    ORDER_COUNT,
    SCRATCH_TOP,
    WEIGHT,
)
from solvent.engine.memory.scratch import take
from solvent.engine.orderbook.book import expire_all
from solvent.engine.units import cover, fine_down, payable, value_down, value_up
from solvent.engine.waterfall.record import (
    PARTIES_WIDTH,
    Record,
    put_parties,
    record_parties,
    touched,
)
from solvent.engine.waterfall.sizing import deliverable_value
from solvent.engine.weights import weighted_down
from solvent.kernels.language import Memory, Store, Wide, emit, kernel, wide

MATCH_ROUND = 0
MATCH_NUMBER = 1
MATCH_ASSET = 2
MATCH_LENDER = 3
MATCH_DEBTOR = 4
MATCH_GIVER = 5
"""Who pays for the debt: the debtor, or the fund."""
MATCH_QUANTITY = 6
MATCH_VALUE = 7
MATCH_BORROW_ALLOWED = 8
MATCH_LEFT = 9
"""Value still to be paid, 10^-6 USDC."""
MATCH_FULL_VALUE = 10
MATCH_WIDTH = 12


@kernel
def put_match(
    match: Memory,
    round_number: int,
    number: int,
    asset: int,
    lender: int,
    debtor: int,
    giver: int,
    quantity: int,
) -> None:
    """Write a match that may not borrow."""
    match[MATCH_ROUND] = round_number
    match[MATCH_NUMBER] = number
    match[MATCH_ASSET] = asset
    match[MATCH_LENDER] = lender
    match[MATCH_DEBTOR] = debtor
    match[MATCH_GIVER] = giver
    match[MATCH_QUANTITY] = quantity
    match[MATCH_VALUE] = 0
    match[MATCH_BORROW_ALLOWED] = 0


@kernel
def settle(s: Store, match: Memory) -> int:
    """Carry out `match`, shrunk to what the giver can pay; return the atoms settled."""
    asset = match[MATCH_ASSET]
    mark = mark_of(s, asset)
    owed = min(match[MATCH_QUANTITY], debt_of(s, match[MATCH_DEBTOR], asset))
    owed = min(owed, claim_of(s, match[MATCH_LENDER], asset))
    held = deliverable_value(s, match[MATCH_GIVER])
    match[MATCH_QUANTITY] = payable(owed, held, mark, asset_row(s, asset))
    if match[MATCH_QUANTITY] == 0:
        return 0
    match[MATCH_VALUE] = value_up(match[MATCH_QUANTITY], mark, asset_row(s, asset))
    top = s.globals[SCRATCH_TOP]
    _settle(s, match)
    s.globals[SCRATCH_TOP] = top
    return match[MATCH_QUANTITY]


@kernel
def _settle(s: Store, match: Memory) -> None:
    asset = match[MATCH_ASSET]
    parties = take(s, PARTIES_WIDTH)
    count = put_parties(parties, match[MATCH_LENDER], match[MATCH_DEBTOR], match[MATCH_GIVER])
    record = Record(Stage.ADL, match[MATCH_ROUND], match[MATCH_NUMBER])
    touched(s, parties, count)
    record_parties(s, record, parties, count, 0)
    unpaid = _pay(s, match)
    if unpaid:
        match[MATCH_VALUE] -= unpaid
        match[MATCH_QUANTITY] = payable(
            match[MATCH_QUANTITY], match[MATCH_VALUE], mark_of(s, asset), asset_row(s, asset)
        )
    claim_shares, debt_shares = pools.cancel(
        s, asset, match[MATCH_QUANTITY], match[MATCH_LENDER], match[MATCH_DEBTOR]
    )
    emit(
        s,
        ADL_MATCHED,
        match[MATCH_ROUND],
        match[MATCH_NUMBER],
        match[MATCH_LENDER],
        match[MATCH_DEBTOR],
        match[MATCH_GIVER],
        asset,
        mark_of(s, asset),
        match[MATCH_QUANTITY],
        match[MATCH_VALUE],
        claim_shares,
        debt_shares,
        1 if _may_borrow(s, match) else 0,
    )
    touched(s, parties, count)
    record_parties(s, record, parties, count, 1)


@kernel
def _pay(s: Store, match: Memory) -> int:
    """Hand over value in the settlement order until the match is paid; return what is not."""
    _free_locked(s, match)
    assets = s.globals[ASSETS]
    lender = take(s, 3 * assets)
    portfolio_of(s, match[MATCH_LENDER], lender)
    weight = _collateral_gain(s, lender, match[MATCH_ASSET], -match[MATCH_QUANTITY])
    match[MATCH_LEFT] = match[MATCH_VALUE]
    match[MATCH_FULL_VALUE] = match[MATCH_VALUE]
    _hand_over(s, match, USDC, 0)
    if match[MATCH_LEFT] and _may_borrow(s, match):
        _borrow_and_pay(s, match)
    order = take(s, assets)
    count = _in_kind_order(s, order)
    lighter = 0
    for place in range(count):
        if match[MATCH_LEFT] == 0:
            break
        if _weighs_enough(s, match, order[place], lender, weight):
            _hand_over(s, match, order[place], 0)
        else:
            order[lighter] = order[place]
            lighter += 1
    for place in range(lighter):
        if match[MATCH_LEFT]:
            _hand_over(s, match, order[place], 1)
    return match[MATCH_LEFT]


@kernel
def _free_locked(s: Store, match: Memory) -> None:
    """End the giver's orders when his free and lent assets cannot pay: locking is no escape."""
    giver = match[MATCH_GIVER]
    if account_row(s, giver)[ORDER_COUNT] == 0:
        return
    unlocked = wide(0)
    for asset in range(s.globals[ASSETS]):
        if not is_stale(s, asset):
            quantity = position(s, giver, asset)[AVAILABLE] + claim_of(s, giver, asset)
            unlocked += value_down(quantity, mark_of(s, asset), asset_row(s, asset))
    if unlocked < match[MATCH_VALUE]:
        expire_all(s, giver, ExpiryReason.ADL_SETTLEMENT)


@kernel
def _in_kind_order(s: Store, order: Memory) -> int:
    """Write the assets but USDC at fresh prices, highest weight first, ties by number."""
    count = 0
    for asset in range(1, s.globals[ASSETS]):
        if not is_stale(s, asset):
            order[count] = asset
            count += 1
    sort_by(s, order, count, _is_heavier, order)
    return count


@kernel
def _is_heavier(s: Store, context: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    first, second = asset_row(s, one)[WEIGHT], asset_row(s, other)[WEIGHT]
    return one < other if first == second else first > second


@kernel
def _collateral_gain(s: Store, portfolio: Memory, asset: int, change: int) -> Wide:
    """How much collateral value `change` atoms make at the size held: absolute, after haircut."""
    parameters = asset_row(s, asset)
    mark = mark_of(s, asset)
    held = portfolio[asset]
    before = weighted_down(parameters, held, mark)
    return abs(weighted_down(parameters, held + change, mark) - before)


@kernel
def _weighs_enough(s: Store, match: Memory, asset: int, lender: Memory, weight: Wide) -> bool:
    """Whether this asset, at the size it would be paid in, weighs at least what the claim does."""
    parameters = asset_row(s, asset)
    mark = mark_of(s, asset)
    giver = match[MATCH_GIVER]
    held = position(s, giver, asset)[AVAILABLE] + claim_of(s, giver, asset)
    quantity, value = cover(held, match[MATCH_LEFT], mark, parameters)
    repaid = min(quantity, debt_of(s, match[MATCH_LENDER], asset))
    gain = fine_down(repaid, mark, parameters)
    portfolio_of(s, match[MATCH_LENDER], lender)
    gain += _collateral_gain(s, lender, asset, quantity - repaid)
    return gain * match[MATCH_FULL_VALUE] >= weight * value


@kernel
def _hand_over(s: Store, match: Memory, asset: int, lighter: int) -> None:
    """Pay with one asset: free tokens, then the claim, redeemed where the pool has cash."""
    giver, lender = match[MATCH_GIVER], match[MATCH_LENDER]
    free = _portion(s, match, asset, position(s, giver, asset)[AVAILABLE])
    if free:
        _give_tokens(s, match, asset, free, LegForm.AVAILABLE, lighter)
    claim = _portion(s, match, asset, claim_of(s, giver, asset))
    if not claim:
        return
    cash = 0
    if asset != match[MATCH_ASSET] and not debt_of(s, lender, asset):
        cash = min(claim, pools.redeemable(pool_row(s, asset)))
    if cash:
        pools.redeem(s, giver, asset, cash, Source.ADL_PROVIDER)
        _give_tokens(s, match, asset, cash, LegForm.REDEEMED, lighter)
    claim = _portion(s, match, asset, claim_of(s, giver, asset))
    if claim:
        shares = pools.claim_shares_up(s, giver, asset, claim)
        _count(s, match, asset, claim, LegForm.CLAIM, lighter, shares)
        pools.transfer_claim(s, asset, shares, giver, lender, Source.ADL_PROVIDER)


@kernel
def _portion(s: Store, match: Memory, asset: int, held: int) -> int:
    """Atoms of `held` that the rest of the payment needs."""
    if match[MATCH_LEFT] == 0:
        return 0
    quantity, _ = cover(held, match[MATCH_LEFT], mark_of(s, asset), asset_row(s, asset))
    return quantity


@kernel
def _give_tokens(
    s: Store, match: Memory, asset: int, quantity: int, form: int, lighter: int
) -> None:
    """Move tokens to the lender, whose debt in them is repaid at once."""
    lender = match[MATCH_LENDER]
    _count(s, match, asset, quantity, form, lighter, 0)
    move(s, asset, quantity, available(match[MATCH_GIVER]), available(lender))
    if debt_of(s, lender, asset):
        pools.repay(s, lender, asset, quantity, Source.LIQUIDATION_ADL)


@kernel
def _count(
    s: Store, match: Memory, asset: int, quantity: int, form: int, lighter: int, shares: int
) -> None:
    """Count a leg against what is still to be paid and write it down."""
    mark = mark_of(s, asset)
    _, counted = cover(quantity, match[MATCH_LEFT], mark, asset_row(s, asset))
    match[MATCH_LEFT] -= counted
    emit(
        s,
        ADL_LEG,
        match[MATCH_ROUND],
        match[MATCH_NUMBER],
        match[MATCH_GIVER],
        match[MATCH_LENDER],
        asset,
        mark,
        form,
        quantity,
        counted,
        shares,
        lighter,
    )


@kernel
def _may_borrow(s: Store, match: Memory) -> bool:
    """Whether this match and the giver's settings allow a payment in borrowed USDC."""
    if match[MATCH_BORROW_ALLOWED] == 0:
        return False
    return account_row(s, match[MATCH_GIVER])[AUTO_BORROW_SETTLEMENTS] != 0


@kernel
def _borrow_and_pay(s: Store, match: Memory) -> None:
    """Borrow USDC for the rest, as far as the pool lends and the payer's health does not fall."""
    giver = match[MATCH_GIVER]
    if claim_of(s, giver, USDC):
        return
    if is_stale(s, USDC) or match[MATCH_ASSET] == USDC:
        return
    quantity = largest_passing(_pool_lends, s, match, match[MATCH_LEFT])
    if quantity == 0 or _borrowing_hurts(s, match, quantity):
        return
    pools.borrow(s, giver, USDC, quantity, Source.RECONCILIATION, fee=False)
    _give_tokens(s, match, USDC, quantity, LegForm.BORROWED, 0)


@kernel
def _pool_lends(s: Store, match: Memory, amount: int) -> bool:
    return borrow_refusal(s, match[MATCH_GIVER], USDC, amount) == 0


@kernel
def _borrowing_hurts(s: Store, match: Memory, quantity: int) -> bool:
    """Whether swapping this much of the debt for a USDC debt would lower the payer's health."""
    assets = s.globals[ASSETS]
    asset = match[MATCH_ASSET]
    top = s.globals[SCRATCH_TOP]
    before = take(s, 3 * assets)
    after = take(s, 3 * assets)
    portfolio_of(s, match[MATCH_GIVER], before)
    copy_portfolio(s, before, after)
    debts = after.at(assets)
    debts[asset] -= payable(debts[asset], quantity, mark_of(s, asset), asset_row(s, asset))
    debts[USDC] += quantity + 1
    old = surplus(health(s, before, Doubt.NONE, wide(0)))
    new = surplus(health(s, after, Doubt.NONE, wide(0)))
    s.globals[SCRATCH_TOP] = top
    return new < old
