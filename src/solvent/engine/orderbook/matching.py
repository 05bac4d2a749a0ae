"""Matching in kernels: a taker meets the book, one fill after another, as in `reference`.

A taker is a row of numbers that `new_taker` takes from scratch; `match` writes into it how far it
came and why it stopped. What a taker would get is asked in `depth`.
"""

from typing import NamedTuple

from solvent.domain.commands import SelfTradePrevention, Side
from solvent.domain.events import Filled
from solvent.domain.labels import ExpiryReason, Source, SystemOrder
from solvent.domain.parameters import USDC
from solvent.engine.ledger import asset_row, available, debt_of, locked, move, position
from solvent.engine.lending import pool as pools
from solvent.engine.lending.wallet import (
    after_receipt,
    carry_out,
    funding_of,
    funding_refusal,
    redeem_rounding,
)
from solvent.engine.limits import borrow_refusal, risk_refusal
from solvent.engine.margin import portfolio_of
from solvent.engine.memory.layout import FUND, NONE, TREASURY
from solvent.engine.memory.rows import Order
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import (
    Purchase,
    affordable,
    bill_of,
    bill_total,
    borne_rate,
    crosses,
    expire,
    fee_of,
    is_exposed,
    next_bill,
    opposite,
    pays_with,
    remove,
    required_lock,
    set_funding,
)
from solvent.engine.orderbook.levels import best_slot, order_row
from solvent.engine.units import value_down
from solvent.kernels.language import bit, clear, emit, kernel, row_in
from solvent.kernels.rows import Memory, Row


class Taker(Row):
    """A taker, and how far it came."""

    order: int
    account: int
    asset: int
    side: Side
    limit: int
    quantity: int
    lock: int
    """Held in the locked balance; a system taker's is the most it spends of its available one."""
    credit: int
    """What it may borrow on top, where what is free does not do."""
    reduce_only: int
    judged: int
    """Whether margin is asked at every fill, since the book may give less than it showed."""
    budget: int
    """The most USDC that a bid by quote spends, fees included; 0 for any other order."""
    bearable: int
    """The price to which a fill leaves room for its fee, or 0."""
    spent: int
    """USDC that a bid has paid with fees, or that an ask got before fees."""
    system: SystemOrder
    repays: int
    """Whether it repays debts with what it receives."""
    prevention: SelfTradePrevention
    filled: int
    quote_ahead: int
    """What a buyer paid beyond the exact sum of its fills, 1 / value_divisor atoms."""
    fee_ahead: int
    """What was charged beyond the exact fee on the sum of fills, 10^-9 atoms."""
    stopped: int
    """Why it stopped before its limit, or 0."""


@kernel
def new_taker(
    s: Store, order: int, account: int, asset: int, side: Side, limit: int, quantity: int, lock: int
) -> Taker:
    """A user's taker without credit, in scratch; what differs is written into its row."""
    taker = row_in(Taker, take(s, Taker.WIDTH))
    clear(taker)
    taker.order = order
    taker.account = account
    taker.asset = asset
    taker.side = side
    taker.limit = limit
    taker.quantity = quantity
    taker.lock = lock
    return taker


@kernel
def taker_open(taker: Taker) -> int:
    """Base atoms still wanted."""
    return taker.quantity - taker.filled


@kernel
def taker_fee_rate(s: Store, system: SystemOrder) -> int:
    """What a taker pays on the quote, 10^-9: the trading fee, or the liquidation fee."""
    return s.rules.taker_fee if system == SystemOrder.USER else s.rules.book_fee


@kernel
def match(s: Store, taker: Taker) -> None:
    """Fill `taker` from the book as far as limit, means and makers allow."""
    asset, side, limit = taker.asset, taker.side, taker.limit
    rate = taker_fee_rate(s, taker.system)
    while taker_open(taker) and not taker.stopped:
        slot = best_slot(s, asset, opposite(side))
        if slot == NONE or not crosses(side, limit, order_row(s, slot).price):
            return
        _meet(s, taker, slot, borne_rate(side, order_row(s, slot).price, taker.bearable, rate))


@kernel
def _meet(s: Store, taker: Taker, slot: int, rate: int) -> None:
    """Fill `taker` from one maker, or end the one of both that cannot.

    What a reduce-only order may not fill any more is trimmed off and ends.
    """
    maker = order_row(s, slot)
    if maker.account == taker.account:
        _prevent_self_trade(s, taker, slot)
        return
    wanted = min(taker_open(taker), maker.quantity)
    taken, given = min(wanted, _reduces(s, taker)), min(wanted, offered(s, maker))
    if taken == 0:
        taker.stopped = ExpiryReason.REDUCE_ONLY_NOT_REDUCED
        return
    if given == 0:
        expire(s, slot, ExpiryReason.REDUCE_ONLY_NOT_REDUCED)
        return
    quantity = _means(s, taker, maker.price, rate, min(taken, given))
    if quantity == 0:
        taker.stopped = ExpiryReason.INSUFFICIENT_FUNDS
        return
    refusal = maker_refusal(s, maker, quantity)
    if refusal:
        expire(s, slot, ExpiryReason(refusal))
        return
    taker.stopped = _taker_refusal(s, taker, maker.price, quantity, rate)
    if taker.stopped:
        return
    _fill(s, taker, slot, quantity, rate)
    if quantity == taken and taken < wanted:
        taker.stopped = ExpiryReason.REDUCE_ONLY_NOT_REDUCED
    if quantity == given and given < wanted:
        expire(s, slot, ExpiryReason.REDUCE_ONLY_NOT_REDUCED)


@kernel
def _reduces(s: Store, taker: Taker) -> int:
    """How much a taker may still fill: of a reduce-only bid no more than its owner's debt."""
    if not (taker.reduce_only and taker.side == Side.BID):
        return taker_open(taker)
    return _debt_lots(s, taker.account, taker.asset, taker_open(taker))


@kernel
def offered(s: Store, maker: Order) -> int:
    """How much a resting order may still fill: of a reduce-only bid no more than the debt."""
    if not (maker.reduce_only and maker.side == Side.BID):
        return maker.quantity
    return _debt_lots(s, maker.account, maker.asset, maker.quantity)


@kernel
def _debt_lots(s: Store, account: int, asset: int, most: int) -> int:
    lot = asset_row(s, asset).lot
    return min(most, debt_of(s, account, asset) // lot * lot)


@kernel
def _prevent_self_trade(s: Store, taker: Taker, slot: int) -> None:
    mode = taker.prevention
    if mode != SelfTradePrevention.REJECT_TAKER:
        expire(s, slot, ExpiryReason.SELF_TRADE_PREVENTION)
    if mode != SelfTradePrevention.REJECT_MAKER:
        taker.stopped = ExpiryReason.SELF_TRADE_PREVENTION


@kernel
def _means(s: Store, taker: Taker, price: int, rate: int, wanted: int) -> int:
    """How much of `wanted` the taker can still pay for at `price`."""
    means = taker.lock + taker.credit
    if taker.side == Side.ASK:
        return min(wanted, means)
    if taker.system == SystemOrder.USER:
        means += position(s, taker.account, USDC).available
    if taker.budget:
        means = min(means, taker.budget - taker.spent)
    top = s.globals.scratch_top
    purchase = row_in(Purchase, take(s, Purchase.WIDTH))
    purchase.asset = taker.asset
    purchase.price = price
    purchase.fee_rate = rate
    purchase.quote_ahead = taker.quote_ahead
    purchase.fee_ahead = taker.fee_ahead
    purchase.budget = means
    quantity = affordable(s, purchase, wanted)
    s.globals.scratch_top = top
    return quantity


@kernel
def _taker_refusal(s: Store, taker: Taker, price: int, quantity: int, rate: int) -> int:
    """Why the pool or the margin stops a taker who is judged or needs credit, or 0."""
    payment = _payment(s, taker, price, quantity, rate)
    account, side, base = taker.account, taker.side, taker.asset
    asset = pays_with(side, base)
    borrowed = 0
    if payment > taker.lock:
        borrowed = _beyond_free(s, account, asset, payment - taker.lock)
    if not (borrowed or taker.judged):
        return 0
    if borrowed and borrow_refusal(s, account, asset, borrowed):
        return ExpiryReason.INSUFFICIENT_BORROWABLE_QUANTITY
    if not (borrowed or is_exposed(s, account)):
        return 0
    received = value_down(quantity, price, asset_row(s, base))
    fee, _ = fee_of(received, rate, taker.fee_ahead)
    party = FillParty(account, side, base, payment, borrowed, 0)
    if _bears(s, party, quantity, received - fee, 0):
        return 0
    return ExpiryReason.INSUFFICIENT_MARGIN


@kernel
def _beyond_free(s: Store, account: int, asset: int, quantity: int) -> int:
    """What of `quantity` the free balance does not pay."""
    return max(0, quantity - position(s, account, asset).available)


class FillParty(NamedTuple):
    """One side of a fill: what it pays in all, how much of that it borrows and redeems."""

    account: int
    side: Side
    asset: int
    payment: int
    borrowed: int
    redeemed: int


@kernel
def _bears(s: Store, party: FillParty, quantity: int, proceeds: int, pending: int) -> bool:
    """Whether a party's margin bears a fill, after which its orders borrow `pending` less."""
    top = s.globals.scratch_top
    count = s.globals.assets
    after = take(s, 3 * count)
    portfolio_after_fill(s, party, quantity, proceeds, after)
    after[2 * count + pays_with(party.side, party.asset)] -= pending
    refusal = risk_refusal(s, party.account, after)
    s.globals.scratch_top = top
    return refusal == 0


@kernel
def portfolio_after_fill(
    s: Store, party: FillParty, quantity: int, proceeds: int, after: Memory
) -> None:
    """Write what a party would have after buying `quantity`, or selling it for `proceeds` USDC."""
    account = party.account
    pays = pays_with(party.side, party.asset)
    portfolio_of(s, account, after)
    after[pays] -= party.payment - party.borrowed
    if party.redeemed:
        after[pays] -= redeem_rounding(s, account, pays, party.redeemed)
    if party.borrowed:
        owed = s.globals.assets + pays
        after[owed] = pools.debt_after_borrow(s, account, pays, party.borrowed)
    if party.side == Side.BID:
        after[party.asset] += quantity
    else:
        after[USDC] += proceeds


@kernel
def _payment(s: Store, taker: Taker, price: int, quantity: int, rate: int) -> int:
    if taker.side == Side.ASK:
        return quantity
    quote_ahead, fee_ahead = taker.quote_ahead, taker.fee_ahead
    return bill_total(bill_of(s, taker.asset, price, quantity, rate, quote_ahead, fee_ahead))


@kernel
def maker_refusal(s: Store, maker: Order, quantity: int) -> int:
    """Why the order `maker` can no longer fill `quantity`, or 0."""
    account, side, base = maker.account, maker.side, maker.asset
    asset = pays_with(side, base)
    payment = _maker_payment(s, maker, quantity)
    short = max(0, payment - maker.locked)
    funding = funding_of(s, account, asset, short)
    if funding.redeemed or funding.borrowed:
        if not maker.auto_borrow:
            return ExpiryReason.INSUFFICIENT_FUNDS
        if funding_refusal(s, funding, True, True):
            return ExpiryReason.INSUFFICIENT_BORROWABLE_QUANTITY
    if not (funding.borrowed or is_exposed(s, account)):
        return 0
    received = value_down(quantity, maker.price, asset_row(s, base))
    fee, _ = fee_of(received, s.rules.maker_fee, maker.fee_ahead)
    party = FillParty(account, side, base, payment, funding.borrowed, funding.redeemed)
    if _bears(s, party, quantity, received - fee, min(short, maker.unfunded)):
        return 0
    return ExpiryReason.INSUFFICIENT_MARGIN


@kernel
def _maker_payment(s: Store, maker: Order, quantity: int) -> int:
    if maker.side == Side.ASK:
        return quantity
    return bill_total(next_bill(s, maker, quantity))


class Trade(NamedTuple):
    """One trade as it will be carried out: USDC amounts in atoms, fees apart.

    `quote_ahead` and `buyer_ahead` are how far the buyer's order is ahead afterwards in the quote
    and the fee, `seller_ahead` the seller's in the fee.
    """

    quantity: int
    paid: int
    received: int
    buyer: int
    seller: int
    buyer_fee: int
    seller_fee: int
    quote_ahead: int
    buyer_ahead: int
    seller_ahead: int


@kernel
def _plan_trade(s: Store, taker: Taker, maker: Order, quantity: int, rate: int) -> Trade:
    """Amounts of a trade at the maker's price; the sums of an order round against its owner."""
    base, price = taker.asset, maker.price
    received = value_down(quantity, price, asset_row(s, base))
    maker_rate = s.rules.maker_fee
    if taker.side == Side.BID:
        buyer, seller = taker.account, maker.account
        bill = bill_of(s, base, price, quantity, rate, taker.quote_ahead, taker.fee_ahead)
        fee, seller_ahead = fee_of(received, maker_rate, maker.fee_ahead)
    else:
        buyer, seller = maker.account, taker.account
        bill = bill_of(s, base, price, quantity, maker_rate, maker.quote_ahead, maker.fee_ahead)
        fee, seller_ahead = fee_of(received, rate, taker.fee_ahead)
    return Trade(
        quantity=quantity,
        paid=bill.quote,
        received=received,
        buyer=buyer,
        seller=seller,
        buyer_fee=bill.fee,
        seller_fee=fee,
        quote_ahead=bill.quote_ahead,
        buyer_ahead=bill.fee_ahead,
        seller_ahead=seller_ahead,
    )


@kernel
def _fill(s: Store, taker: Taker, slot: int, quantity: int, rate: int) -> None:
    """Carry out one trade: both pay, both receive, fees go where they belong."""
    maker = order_row(s, slot)
    trade = _plan_trade(s, taker, maker, quantity, rate)
    bid = taker.side == Side.BID
    _note_trade(taker, maker, trade)
    emit(
        s,
        Filled(
            trade=s.globals.next_trade,
            asset=taker.asset,
            taker_order=taker.order,
            maker_order=maker.order,
            taker=taker.account,
            maker=maker.account,
            side=taker.side,
            price=maker.price,
            quantity=quantity,
            quote=trade.paid,
            taker_fee=trade.buyer_fee if bid else trade.seller_fee,
            maker_fee=trade.seller_fee if bid else trade.buyer_fee,
            taker_left=taker_open(taker),
            maker_left=maker.quantity,
            system_order=taker.system,
        ),
    )
    s.globals.next_trade += 1
    s.prices[taker.asset].last = maker.price
    s.globals.printed = s.globals.printed | bit(taker.asset)
    cost = trade.paid + trade.buyer_fee
    _take_from_taker(s, taker, cost if bid else quantity)
    _take_from_maker(s, maker, quantity if bid else cost)
    _distribute(s, taker, trade)
    maker_repays = maker.auto_borrow_repay != 0
    _settle_maker(s, slot)
    _after_fill(s, taker, trade, maker_repays)


@kernel
def _note_trade(taker: Taker, maker: Order, trade: Trade) -> None:
    """Count a trade in both orders."""
    taker.filled += trade.quantity
    maker.quantity -= trade.quantity
    if taker.side == Side.BID:
        taker.spent += trade.paid + trade.buyer_fee
        taker.quote_ahead = trade.quote_ahead
        taker.fee_ahead = trade.buyer_ahead
        maker.fee_ahead = trade.seller_ahead
    else:
        maker.quote_ahead = trade.quote_ahead
        maker.fee_ahead = trade.buyer_ahead
        taker.fee_ahead = trade.seller_ahead
        taker.spent += trade.received


@kernel
def _after_fill(s: Store, taker: Taker, trade: Trade, maker_repays: bool) -> None:
    """Let both sides' settings act on what they received; a liquidation repays by itself."""
    base, bought = taker.asset, trade.quantity
    sold = trade.received - trade.seller_fee
    by_user = taker.system == SystemOrder.USER
    taker_repays = taker.repays != 0
    if taker.side == Side.BID:
        if by_user:
            after_receipt(s, trade.buyer, base, bought, taker_repays)
        after_receipt(s, trade.seller, USDC, sold, maker_repays)
    else:
        if by_user:
            after_receipt(s, trade.seller, USDC, sold, taker_repays)
        after_receipt(s, trade.buyer, base, bought, maker_repays)


@kernel
def _distribute(s: Store, taker: Taker, trade: Trade) -> None:
    """Swap base for quote between free balances and send fees and rounding away."""
    buyer, seller = available(trade.buyer), available(trade.seller)
    treasury = available(TREASURY)
    taker_sink = treasury if taker.system == SystemOrder.USER else available(FUND)
    bid = taker.side == Side.BID
    move(s, taker.asset, trade.quantity, seller, buyer)
    move(s, USDC, trade.received, buyer, seller)
    move(s, USDC, trade.paid - trade.received, buyer, treasury)
    move(s, USDC, trade.buyer_fee, buyer, taker_sink if bid else treasury)
    move(s, USDC, trade.seller_fee, seller, treasury if bid else taker_sink)


@kernel
def _take_from_taker(s: Store, taker: Taker, payment: int) -> None:
    """Free what the taker pays: from its lock, then what is free, then by borrowing."""
    account = taker.account
    asset = pays_with(taker.side, taker.asset)
    from_lock = min(taker.lock, payment)
    borrowed = 0
    if taker.system == SystemOrder.USER:
        borrowed = _beyond_free(s, account, asset, payment - from_lock)
        move(s, asset, from_lock, locked(account), available(account))
    taker.lock -= from_lock
    if borrowed:
        pools.borrow(s, account, asset, borrowed, Source.SPOT_MARGIN)
        taker.credit -= borrowed


@kernel
def _take_from_maker(s: Store, maker: Order, payment: int) -> None:
    """Free what the maker pays: from its lock, then what is free, then redeemed, then borrowed."""
    asset = pays_with(maker.side, maker.asset)
    from_lock = min(maker.locked, payment)
    short = payment - from_lock
    funding = funding_of(s, maker.account, asset, short)
    unfunded = maker.unfunded - min(short, maker.unfunded)
    set_funding(s, maker, maker.locked - from_lock, unfunded)
    carry_out(s, funding, Source.SPOT_MARGIN)


@kernel
def _settle_maker(s: Store, slot: int) -> None:
    """Take a filled maker out, or free what its rest no longer needs."""
    maker = order_row(s, slot)
    if maker.quantity == 0:
        remove(s, slot)
        return
    need = required_lock(s, maker)
    lock = min(maker.locked, need)
    set_funding(s, maker, lock, min(maker.unfunded, need - lock))
