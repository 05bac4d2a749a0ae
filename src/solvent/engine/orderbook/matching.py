"""Matching in kernels: a taker meets the book, one fill after another, as in `reference`.

A taker is a row of numbers that `new_taker` takes from scratch; `match` writes into it how far it
came and why it stopped. What a taker would get is asked in `depth`.
"""

from typing import NamedTuple

from solvent.domain.commands import SelfTradePrevention, Side
from solvent.domain.events import Filled
from solvent.domain.labels import ExpiryReason, Source, SystemOrder
from solvent.domain.parameters import USDC
from solvent.engine.ledger import asset_row, available, claim_of, debt_of, locked, move
from solvent.engine.lending import pool as pools
from solvent.engine.lending.wallet import after_receipt
from solvent.engine.limits import borrow_refusal, risk_refusal
from solvent.engine.margin import portfolio_of
from solvent.engine.memory.layout import FUND, NONE, TREASURY
from solvent.engine.memory.rows import Order
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
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
from solvent.kernels.language import clear, emit, kernel, row_in
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
    """What it may borrow on top."""
    system: SystemOrder
    repays: int
    """Whether it repays debts with what it receives."""
    prevention: SelfTradePrevention
    filled: int
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
        _meet(s, taker, slot, rate)


@kernel
def _meet(s: Store, taker: Taker, slot: int, rate: int) -> None:
    """Fill `taker` from one maker, or end the one of both that cannot."""
    maker = order_row(s, slot)
    if maker.account == taker.account:
        _prevent_self_trade(s, taker, slot)
        return
    wanted = min(taker_open(taker), maker.quantity)
    quantity = _means(s, taker, maker.price, rate, wanted)
    if quantity == 0:
        taker.stopped = ExpiryReason.INSUFFICIENT_FUNDS
        return
    refusal = maker_refusal(s, maker, quantity)
    if refusal:
        expire(s, slot, ExpiryReason(refusal))
        return
    taker.stopped = _taker_refusal(s, taker, maker.price, quantity, rate)
    if not taker.stopped:
        _fill(s, taker, slot, quantity, rate)


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
    return affordable(s, taker.asset, price, means, rate, wanted)


@kernel
def _taker_refusal(s: Store, taker: Taker, price: int, quantity: int, rate: int) -> int:
    """Why the pool or the margin stops a taker who must borrow for this fill, or 0."""
    payment = _payment(s, taker, price, quantity, rate)
    short = payment - taker.lock
    if short <= 0:
        return 0
    account, side, base = taker.account, taker.side, taker.asset
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
    side: Side
    asset: int
    payment: int
    short: int


@kernel
def _bears(s: Store, party: FillParty, quantity: int, proceeds: int, resting: bool) -> bool:
    """Whether a party's margin bears a fill; a resting order's borrow was pending before."""
    top = s.globals.scratch_top
    count = s.globals.assets
    after = take(s, 3 * count)
    portfolio_after_fill(s, party, quantity, proceeds, after)
    if resting:
        pending = 2 * count + pays_with(party.side, party.asset)
        after[pending] -= min(party.short, after[pending])
    refusal = risk_refusal(s, party.account, after)
    s.globals.scratch_top = top
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
        owed = s.globals.assets + pays
        after[owed] = pools.debt_after_borrow(s, party.account, pays, party.short)
    if party.side == Side.BID:
        after[party.asset] += quantity
    else:
        after[USDC] += proceeds


@kernel
def _payment(s: Store, taker: Taker, price: int, quantity: int, rate: int) -> int:
    if taker.side == Side.ASK:
        return quantity
    return cost_up(s, taker.asset, price, quantity, rate)


@kernel
def maker_refusal(s: Store, maker: Order, quantity: int) -> int:
    """Why the order `maker` can no longer fill `quantity`, or 0."""
    account, side, base = maker.account, maker.side, maker.asset
    asset = pays_with(side, base)
    if maker.reduce_only and quantity > debt_of(s, account, base):
        return ExpiryReason.REDUCE_ONLY_NOT_REDUCED
    payment = _maker_payment(s, maker, quantity)
    short = max(0, payment - maker.locked)
    if short:
        if claim_of(s, account, asset) or not maker.auto_borrow:
            return ExpiryReason.INSUFFICIENT_FUNDS
        if borrow_refusal(s, account, asset, short):
            return ExpiryReason.INSUFFICIENT_BORROWABLE_QUANTITY
    if not (short or is_exposed(s, account)):
        return 0
    received = value_down(quantity, maker.price, asset_row(s, base))
    proceeds = received - fee_up(received, s.rules.maker_fee)
    party = FillParty(account, side, base, payment, short)
    if _bears(s, party, quantity, proceeds, resting=True):
        return 0
    return ExpiryReason.INSUFFICIENT_MARGIN


@kernel
def _maker_payment(s: Store, maker: Order, quantity: int) -> int:
    if maker.side == Side.ASK:
        return quantity
    return cost_up(s, maker.asset, maker.price, quantity, s.rules.maker_fee)


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
def _plan_trade(s: Store, taker: Taker, maker: Order, quantity: int, rate: int) -> Trade:
    """Amounts of a trade at the maker's price; the quote rounds against each side."""
    market = asset_row(s, taker.asset)
    paid = value_up(quantity, maker.price, market)
    received = value_down(quantity, maker.price, market)
    buyer, buyer_rate = taker.account, rate
    seller, seller_rate = maker.account, s.rules.maker_fee
    if taker.side == Side.ASK:
        buyer, seller = seller, buyer
        buyer_rate, seller_rate = seller_rate, buyer_rate
    buyer_fee, seller_fee = fee_up(paid, buyer_rate), fee_up(received, seller_rate)
    return Trade(quantity, paid, received, buyer, seller, buyer_fee, seller_fee)


@kernel
def _fill(s: Store, taker: Taker, slot: int, quantity: int, rate: int) -> None:
    """Carry out one trade: both pay, both receive, fees go where they belong."""
    maker = order_row(s, slot)
    trade = _plan_trade(s, taker, maker, quantity, rate)
    bid = taker.side == Side.BID
    taker.filled += quantity
    maker.quantity -= quantity
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
            quote=trade.paid if bid else trade.received,
            taker_fee=trade.buyer_fee if bid else trade.seller_fee,
            maker_fee=trade.seller_fee if bid else trade.buyer_fee,
            taker_left=taker_open(taker),
            maker_left=maker.quantity,
            system_order=taker.system,
        ),
    )
    s.globals.next_trade += 1
    _take_from_taker(s, taker, _payment(s, taker, maker.price, quantity, rate))
    _take_from_maker(s, maker, quantity)
    _distribute(s, taker, trade)
    maker_repays = maker.auto_borrow_repay != 0
    _settle_maker(s, slot)
    _after_fill(s, taker, trade, maker_repays)


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
    """Free what the taker pays: from its lock, then by borrowing."""
    account = taker.account
    asset = pays_with(taker.side, taker.asset)
    from_lock = min(taker.lock, payment)
    if taker.system == SystemOrder.USER:
        move(s, asset, from_lock, locked(account), available(account))
    taker.lock -= from_lock
    short = payment - from_lock
    if short:
        pools.borrow(s, account, asset, short, Source.SPOT_MARGIN, fee=True)
        taker.credit -= short


@kernel
def _take_from_maker(s: Store, maker: Order, quantity: int) -> None:
    """Free what the maker pays: from its lock, then by borrowing."""
    account = maker.account
    payment = _maker_payment(s, maker, quantity)
    from_lock = min(maker.locked, payment)
    short = payment - from_lock
    unfunded = maker.unfunded - min(short, maker.unfunded)
    set_funding(s, maker, maker.locked - from_lock, unfunded)
    if short:
        asset = pays_with(maker.side, maker.asset)
        pools.borrow(s, account, asset, short, Source.SPOT_MARGIN, fee=True)


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
