"""Matching in kernels: a taker meets the book, one fill after another, as in `reference`.

A taker is a row of numbers that `new_taker` takes from scratch; `match` writes into it how far it
came and why it stopped. What a taker would get is asked in `depth`.
"""

from typing import NamedTuple

from solvent.domain.commands import SelfTradePrevention, Side
from solvent.domain.labels import ExpiryReason, Source, SystemOrder
from solvent.domain.parameters import USDC
from solvent.engine.ledger import (
    asset_row,
    available,
    claim_of,
    debt_of,
    locked,
    move,
)
from solvent.engine.lending import pool as pools
from solvent.engine.lending.wallet import after_receipt
from solvent.engine.limits import borrow_refusal, risk_refusal
from solvent.engine.margin import portfolio_of
from solvent.engine.memory.layout import (
    ASSETS,
    AUTO_BORROW,
    AUTO_BORROW_REPAY,
    BOOK_FEE,
    FILLED,
    FUND,
    MAKER_FEE,
    NEXT_TRADE,
    NONE,
    ORDER_ACCOUNT,
    ORDER_ASSET,
    ORDER_ID,
    ORDER_LOCKED,
    ORDER_PRICE,
    ORDER_QUANTITY,
    ORDER_SIDE,
    ORDER_UNFUNDED,
    REDUCE_ONLY,
    SCRATCH_TOP,
    TAKER_FEE,
    TREASURY,
)
from solvent.engine.memory.scratch import take
from solvent.engine.orderbook.book import (
    affordable,
    cost_up,
    crosses,
    expire,
    fee_up,
    is_exposed,
    opposite,
    pays_with,
    remove,
    required_lock,
    set_funding,
)
from solvent.engine.orderbook.levels import best_slot, order_row
from solvent.engine.units import value_down, value_up
from solvent.kernels.language import Memory, Store, emit, kernel

# takers
TAKER_ORDER = 0
TAKER_ACCOUNT = 1
TAKER_ASSET = 2
TAKER_SIDE = 3
TAKER_LIMIT = 4
TAKER_QUANTITY = 5
TAKER_LOCK = 6
"""Held in the locked balance; a system taker's is the most it spends of its available one."""
TAKER_CREDIT = 7
"""What it may borrow on top."""
TAKER_SYSTEM = 8
TAKER_REPAYS = 9
"""Whether it repays debts with what it receives."""
TAKER_PREVENTION = 10
TAKER_FILLED = 11
TAKER_STOPPED = 12
"""Why it stopped before its limit, or 0."""
TAKER_WIDTH = 13


@kernel
def new_taker(
    s: Store, order: int, account: int, asset: int, side: int, limit: int, quantity: int, lock: int
) -> Memory:
    """A user's taker without credit, in scratch; what differs is written into its row."""
    taker = take(s, TAKER_WIDTH)
    for number in range(TAKER_WIDTH):
        taker[number] = 0
    taker[TAKER_ORDER] = order
    taker[TAKER_ACCOUNT] = account
    taker[TAKER_ASSET] = asset
    taker[TAKER_SIDE] = side
    taker[TAKER_LIMIT] = limit
    taker[TAKER_QUANTITY] = quantity
    taker[TAKER_LOCK] = lock
    return taker


@kernel
def taker_open(taker: Memory) -> int:
    """Base atoms still wanted."""
    return taker[TAKER_QUANTITY] - taker[TAKER_FILLED]


@kernel
def taker_fee_rate(s: Store, system: int) -> int:
    """What a taker pays on the quote, 10^-9: the trading fee, or the liquidation fee."""
    return s.rules[TAKER_FEE] if system == SystemOrder.USER else s.rules[BOOK_FEE]


@kernel
def match(s: Store, taker: Memory) -> None:
    """Fill `taker` from the book as far as limit, means and makers allow."""
    asset, side, limit = taker[TAKER_ASSET], taker[TAKER_SIDE], taker[TAKER_LIMIT]
    rate = taker_fee_rate(s, taker[TAKER_SYSTEM])
    while taker_open(taker) and not taker[TAKER_STOPPED]:
        slot = best_slot(s, asset, opposite(side))
        if slot == NONE or not crosses(side, limit, order_row(s, slot)[ORDER_PRICE]):
            return
        _meet(s, taker, slot, rate)


@kernel
def _meet(s: Store, taker: Memory, slot: int, rate: int) -> None:
    """Fill `taker` from one maker, or end the one of both that cannot."""
    maker = order_row(s, slot)
    if maker[ORDER_ACCOUNT] == taker[TAKER_ACCOUNT]:
        _prevent_self_trade(s, taker, slot)
        return
    wanted = min(taker_open(taker), maker[ORDER_QUANTITY])
    quantity = _means(s, taker, maker[ORDER_PRICE], rate, wanted)
    if quantity == 0:
        taker[TAKER_STOPPED] = ExpiryReason.INSUFFICIENT_FUNDS
        return
    refusal = maker_refusal(s, maker, quantity)
    if refusal:
        expire(s, slot, refusal)
        return
    taker[TAKER_STOPPED] = _taker_refusal(s, taker, maker[ORDER_PRICE], quantity, rate)
    if not taker[TAKER_STOPPED]:
        _fill(s, taker, slot, quantity, rate)


@kernel
def _prevent_self_trade(s: Store, taker: Memory, slot: int) -> None:
    mode = taker[TAKER_PREVENTION]
    if mode != SelfTradePrevention.REJECT_TAKER:
        expire(s, slot, ExpiryReason.SELF_TRADE_PREVENTION)
    if mode != SelfTradePrevention.REJECT_MAKER:
        taker[TAKER_STOPPED] = ExpiryReason.SELF_TRADE_PREVENTION


@kernel
def _means(s: Store, taker: Memory, price: int, rate: int, wanted: int) -> int:
    """How much of `wanted` the taker can still pay for at `price`."""
    means = taker[TAKER_LOCK] + taker[TAKER_CREDIT]
    if taker[TAKER_SIDE] == Side.ASK:
        return min(wanted, means)
    return affordable(s, taker[TAKER_ASSET], price, means, rate, wanted)


@kernel
def _taker_refusal(s: Store, taker: Memory, price: int, quantity: int, rate: int) -> int:
    """Why the pool or the margin stops a taker who must borrow for this fill, or 0."""
    payment = _payment(s, taker, price, quantity, rate)
    short = payment - taker[TAKER_LOCK]
    if short <= 0:
        return 0
    account, side, base = taker[TAKER_ACCOUNT], taker[TAKER_SIDE], taker[TAKER_ASSET]
    if borrow_refusal(s, account, pays_with(side, base), short):
        return ExpiryReason.INSUFFICIENT_BORROWABLE_QUANTITY
    received = value_down(quantity, price, asset_row(s, base))
    proceeds = received - fee_up(received, rate)
    party = FillParty(account, side, base, payment, short)
    if _bears(s, party, quantity, proceeds, resting=False):
        return 0
    return ExpiryReason.INSUFFICIENT_MARGIN


class FillParty(NamedTuple):
    """One side of a fill: what it pays in all and how much of that it must borrow."""

    account: int
    side: int
    asset: int
    payment: int
    short: int


@kernel
def _bears(s: Store, party: FillParty, quantity: int, proceeds: int, resting: bool) -> bool:
    """Whether a party's margin bears a fill; a resting order's borrow was pending before."""
    top = s.globals[SCRATCH_TOP]
    count = s.globals[ASSETS]
    after = take(s, 3 * count)
    portfolio_after_fill(s, party, quantity, proceeds, after)
    if resting:
        pending = 2 * count + pays_with(party.side, party.asset)
        after[pending] -= min(party.short, after[pending])
    refusal = risk_refusal(s, party.account, after)
    s.globals[SCRATCH_TOP] = top
    return refusal == 0


@kernel
def portfolio_after_fill(
    s: Store, party: FillParty, quantity: int, proceeds: int, after: Memory
) -> None:
    """Write what a party would have after buying `quantity`, or selling it for `proceeds` USDC."""
    pays = pays_with(party.side, party.asset)
    portfolio_of(s, party.account, after)
    after[pays] -= party.payment - party.short
    if party.short:
        owed = s.globals[ASSETS] + pays
        after[owed] = pools.debt_after_borrow(s, party.account, pays, party.short)
    if party.side == Side.BID:
        after[party.asset] += quantity
    else:
        after[USDC] += proceeds


@kernel
def _payment(s: Store, taker: Memory, price: int, quantity: int, rate: int) -> int:
    if taker[TAKER_SIDE] == Side.ASK:
        return quantity
    return cost_up(s, taker[TAKER_ASSET], price, quantity, rate)


@kernel
def maker_refusal(s: Store, maker: Memory, quantity: int) -> int:
    """Why the order `maker` can no longer fill `quantity`, or 0."""
    account, side, base = maker[ORDER_ACCOUNT], maker[ORDER_SIDE], maker[ORDER_ASSET]
    asset = pays_with(side, base)
    if maker[REDUCE_ONLY] and quantity > debt_of(s, account, base):
        return ExpiryReason.REDUCE_ONLY_NOT_REDUCED
    payment = _maker_payment(s, maker, quantity)
    short = max(0, payment - maker[ORDER_LOCKED])
    if short:
        if claim_of(s, account, asset) or not maker[AUTO_BORROW]:
            return ExpiryReason.INSUFFICIENT_FUNDS
        if borrow_refusal(s, account, asset, short):
            return ExpiryReason.INSUFFICIENT_BORROWABLE_QUANTITY
    if not (short or is_exposed(s, account)):
        return 0
    received = value_down(quantity, maker[ORDER_PRICE], asset_row(s, base))
    proceeds = received - fee_up(received, s.rules[MAKER_FEE])
    party = FillParty(account, side, base, payment, short)
    if _bears(s, party, quantity, proceeds, resting=True):
        return 0
    return ExpiryReason.INSUFFICIENT_MARGIN


@kernel
def _maker_payment(s: Store, maker: Memory, quantity: int) -> int:
    if maker[ORDER_SIDE] == Side.ASK:
        return quantity
    return cost_up(s, maker[ORDER_ASSET], maker[ORDER_PRICE], quantity, s.rules[MAKER_FEE])


class Trade(NamedTuple):
    """One trade as it will be carried out: USDC amounts in atoms, fees apart."""

    quantity: int
    paid: int
    received: int
    buyer: int
    seller: int
    buyer_fee: int
    seller_fee: int


@kernel
def _plan_trade(s: Store, taker: Memory, maker: Memory, quantity: int, rate: int) -> Trade:
    """Amounts of a trade at the maker's price; the quote rounds against each side."""
    market = asset_row(s, taker[TAKER_ASSET])
    paid = value_up(quantity, maker[ORDER_PRICE], market)
    received = value_down(quantity, maker[ORDER_PRICE], market)
    buyer, buyer_rate = taker[TAKER_ACCOUNT], rate
    seller, seller_rate = maker[ORDER_ACCOUNT], s.rules[MAKER_FEE]
    if taker[TAKER_SIDE] == Side.ASK:
        buyer, seller = seller, buyer
        buyer_rate, seller_rate = seller_rate, buyer_rate
    buyer_fee, seller_fee = fee_up(paid, buyer_rate), fee_up(received, seller_rate)
    return Trade(quantity, paid, received, buyer, seller, buyer_fee, seller_fee)


@kernel
def _fill(s: Store, taker: Memory, slot: int, quantity: int, rate: int) -> None:
    """Carry out one trade: both pay, both receive, fees go where they belong."""
    maker = order_row(s, slot)
    trade = _plan_trade(s, taker, maker, quantity, rate)
    bid = taker[TAKER_SIDE] == Side.BID
    taker[TAKER_FILLED] += quantity
    maker[ORDER_QUANTITY] -= quantity
    emit(
        s,
        FILLED,
        s.globals[NEXT_TRADE],
        taker[TAKER_ASSET],
        taker[TAKER_ORDER],
        maker[ORDER_ID],
        taker[TAKER_ACCOUNT],
        maker[ORDER_ACCOUNT],
        taker[TAKER_SIDE],
        maker[ORDER_PRICE],
        quantity,
        trade.paid if bid else trade.received,
        trade.buyer_fee if bid else trade.seller_fee,
        trade.seller_fee if bid else trade.buyer_fee,
        taker_open(taker),
        maker[ORDER_QUANTITY],
        taker[TAKER_SYSTEM],
    )
    s.globals[NEXT_TRADE] += 1
    _take_from_taker(s, taker, _payment(s, taker, maker[ORDER_PRICE], quantity, rate))
    _take_from_maker(s, maker, quantity)
    _distribute(s, taker, trade)
    maker_repays = maker[AUTO_BORROW_REPAY] != 0
    _settle_maker(s, slot)
    _after_fill(s, taker, trade, maker_repays)


@kernel
def _after_fill(s: Store, taker: Memory, trade: Trade, maker_repays: bool) -> None:
    """Let both sides' settings act on what they received; a liquidation repays by itself."""
    base, bought = taker[TAKER_ASSET], trade.quantity
    sold = trade.received - trade.seller_fee
    by_user = taker[TAKER_SYSTEM] == SystemOrder.USER
    taker_repays = taker[TAKER_REPAYS] != 0
    if taker[TAKER_SIDE] == Side.BID:
        if by_user:
            after_receipt(s, trade.buyer, base, bought, taker_repays)
        after_receipt(s, trade.seller, USDC, sold, maker_repays)
    else:
        if by_user:
            after_receipt(s, trade.seller, USDC, sold, taker_repays)
        after_receipt(s, trade.buyer, base, bought, maker_repays)


@kernel
def _distribute(s: Store, taker: Memory, trade: Trade) -> None:
    """Swap base for quote between free balances and send fees and rounding away."""
    buyer, seller = available(trade.buyer), available(trade.seller)
    treasury = available(TREASURY)
    taker_sink = treasury if taker[TAKER_SYSTEM] == SystemOrder.USER else available(FUND)
    bid = taker[TAKER_SIDE] == Side.BID
    move(s, taker[TAKER_ASSET], trade.quantity, seller, buyer)
    move(s, USDC, trade.received, buyer, seller)
    move(s, USDC, trade.paid - trade.received, buyer, treasury)
    move(s, USDC, trade.buyer_fee, buyer, taker_sink if bid else treasury)
    move(s, USDC, trade.seller_fee, seller, treasury if bid else taker_sink)


@kernel
def _take_from_taker(s: Store, taker: Memory, payment: int) -> None:
    """Free what the taker pays: from its lock, then by borrowing."""
    account = taker[TAKER_ACCOUNT]
    asset = pays_with(taker[TAKER_SIDE], taker[TAKER_ASSET])
    from_lock = min(taker[TAKER_LOCK], payment)
    if taker[TAKER_SYSTEM] == SystemOrder.USER:
        move(s, asset, from_lock, locked(account), available(account))
    taker[TAKER_LOCK] -= from_lock
    short = payment - from_lock
    if short:
        pools.borrow(s, account, asset, short, Source.SPOT_MARGIN, fee=True)
        taker[TAKER_CREDIT] -= short


@kernel
def _take_from_maker(s: Store, maker: Memory, quantity: int) -> None:
    """Free what the maker pays: from its lock, then by borrowing."""
    account = maker[ORDER_ACCOUNT]
    payment = _maker_payment(s, maker, quantity)
    from_lock = min(maker[ORDER_LOCKED], payment)
    short = payment - from_lock
    unfunded = maker[ORDER_UNFUNDED] - min(short, maker[ORDER_UNFUNDED])
    set_funding(s, maker, maker[ORDER_LOCKED] - from_lock, unfunded)
    if short:
        asset = pays_with(maker[ORDER_SIDE], maker[ORDER_ASSET])
        pools.borrow(s, account, asset, short, Source.SPOT_MARGIN, fee=True)


@kernel
def _settle_maker(s: Store, slot: int) -> None:
    """Take a filled maker out, or free what its rest no longer needs."""
    maker = order_row(s, slot)
    if maker[ORDER_QUANTITY] == 0:
        remove(s, slot)
        return
    need = required_lock(s, maker)
    lock = min(maker[ORDER_LOCKED], need)
    set_funding(s, maker, lock, min(maker[ORDER_UNFUNDED], need - lock))
