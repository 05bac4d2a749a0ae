"""Matching: a taker meets the book, one fill after another, until its limit or its means end.

A taker is described by what it may spend (`Taker`): users' orders spend what they lock and, where
allowed, a borrow on top; the liquidation engine spends what the account holds. Each maker is asked
at the moment of the fill whether it can still pay and bear the fill; one that cannot is expired
with the reason, and the taker goes on (I7: no other account's order takes a healthy account below
its margin).

The buyer pays the quote rounded up and the seller gets it rounded down; the difference and trading
fees go to the treasury, the liquidation fee to the backstop fund. `walk` asks what a taker would
get without moving anything.

Specification: section 6.3.
"""

from dataclasses import dataclass
from typing import NamedTuple

from solvent.domain.commands import SelfTradePrevention, Side
from solvent.domain.events import Filled
from solvent.domain.labels import ExpiryReason, Source, SystemOrder
from solvent.domain.parameters import USDC
from solvent.domain.units import value_down, value_up
from solvent.reference.ledger import available, claim_of, debt_of, locked, move
from solvent.reference.lending import pool as pools
from solvent.reference.lending.wallet import after_receipt
from solvent.reference.limits import borrow_refusal, risk_refusal
from solvent.reference.margin import Portfolio, portfolio_of
from solvent.reference.orderbook.book import (
    affordable,
    cost_up,
    crosses,
    expire,
    fee_up,
    opposite,
    pays_with,
    remove,
    required_lock,
    set_funding,
    side_of,
)
from solvent.reference.state import FUND, TREASURY, Order, State


@dataclass(slots=True)
class Taker:
    """The account that takes, what it may do, and how far it has come.

    `lock` is held in the locked balance of what the taker pays with, `credit` may be borrowed on
    top; a system taker pays from the available balance instead, up to `lock`.
    """

    order: int
    account: int
    asset: int
    side: Side
    limit: int
    quantity: int
    lock: int
    credit: int = 0
    system: SystemOrder = SystemOrder.USER
    auto_borrow_repay: bool = False
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.REJECT_TAKER
    filled: int = 0
    quote: int = 0
    stopped: ExpiryReason | None = None

    @property
    def open(self) -> int:
        """Base atoms still wanted."""
        return self.quantity - self.filled


def taker_fee_rate(state: State, system: SystemOrder) -> int:
    """What a taker pays on the quote: the trading fee, or the liquidation fee."""
    if system is SystemOrder.USER:
        return state.parameters.taker_fee
    return state.parameters.waterfall.book_fee


def match(state: State, taker: Taker) -> None:
    """Fill `taker` from the book as far as limit, means and makers allow."""
    rate = taker_fee_rate(state, taker.system)
    ids = side_of(state, taker.asset, opposite(taker.side))
    while taker.open and ids and taker.stopped is None:
        maker = state.orders[ids[0]]
        if not crosses(taker.side, taker.limit, maker.price):
            return
        if maker.account == taker.account:
            _prevent_self_trade(state, taker, maker)
            continue
        quantity = _means(state, taker, maker.price, rate, min(taker.open, maker.quantity))
        if quantity == 0:
            taker.stopped = ExpiryReason.INSUFFICIENT_FUNDS
            return
        # Makers are asked before the taker is: one that cannot fill leaves the book even if the
        # taker then stops.
        refusal = maker_refusal(state, maker, quantity)
        if refusal is not None:
            expire(state, maker, refusal)
            continue
        taker.stopped = _taker_refusal(state, taker, maker.price, quantity, rate)
        if taker.stopped is not None:
            return
        _fill(state, taker, maker, quantity, rate)


def _prevent_self_trade(state: State, taker: Taker, maker: Order) -> None:
    mode = taker.self_trade_prevention
    if mode is not SelfTradePrevention.REJECT_TAKER:
        expire(state, maker, ExpiryReason.SELF_TRADE_PREVENTION)
    if mode is not SelfTradePrevention.REJECT_MAKER:
        taker.stopped = ExpiryReason.SELF_TRADE_PREVENTION


def _means(state: State, taker: Taker, price: int, rate: int, wanted: int) -> int:
    """How much of `wanted` the taker can still pay for at `price`."""
    means = taker.lock + taker.credit
    if taker.side is Side.ASK:
        return min(wanted, means)
    return affordable(state, taker.asset, price, means, rate, wanted)


def _taker_refusal(
    state: State, taker: Taker, price: int, quantity: int, rate: int
) -> ExpiryReason | None:
    """Why the pool or the margin stops a taker that must borrow for this fill, or None."""
    payment = _payment(state, taker, price, quantity, rate)
    short = payment - taker.lock
    if short <= 0:
        return None
    asset = pays_with(taker.side, taker.asset)
    if borrow_refusal(state, taker.account, asset, short) is not None:
        return ExpiryReason.INSUFFICIENT_BORROWABLE_QUANTITY
    received = value_down(quantity, price, state.asset(taker.asset).decimals)
    proceeds = received - fee_up(received, rate)
    party = FillParty(taker.account, taker.side, taker.asset, payment, short)
    after = portfolio_after_fill(state, party, quantity, proceeds)
    if risk_refusal(state, taker.account, after) is not None:
        return ExpiryReason.INSUFFICIENT_MARGIN
    return None


class FillParty(NamedTuple):
    """One side of a fill: what it pays in all and how much of that it must borrow."""

    account: int
    side: Side
    asset: int
    payment: int
    short: int


def portfolio_after_fill(state: State, party: FillParty, quantity: int, proceeds: int) -> Portfolio:
    """What a party would have after a fill: `quantity` bought, or sold for `proceeds` USDC."""
    pays = pays_with(party.side, party.asset)
    after = portfolio_of(state, party.account)
    after.quantities[pays] -= party.payment - party.short
    if party.short:
        after.debts[pays] = pools.debt_after_borrow(state, party.account, pays, party.short)
    if party.side is Side.BID:
        after.quantities[party.asset] += quantity
    else:
        after.quantities[USDC] += proceeds
    return after


def _payment(state: State, taker: Taker, price: int, quantity: int, rate: int) -> int:
    if taker.side is Side.ASK:
        return quantity
    return cost_up(state, taker.asset, price, quantity, rate)


def maker_refusal(state: State, maker: Order, quantity: int) -> ExpiryReason | None:
    """Why `maker` can no longer fill `quantity`, or None."""
    asset = pays_with(maker.side, maker.asset)
    if maker.reduce_only and quantity > debt_of(state, maker.account, maker.asset):
        return ExpiryReason.REDUCE_ONLY_NOT_REDUCED
    payment = _maker_payment(state, maker, quantity)
    short = max(0, payment - maker.locked)
    holder = state.accounts[maker.account]
    if short:
        if claim_of(state, maker.account, asset) or not maker.auto_borrow:
            return ExpiryReason.INSUFFICIENT_FUNDS
        if borrow_refusal(state, maker.account, asset, short) is not None:
            return ExpiryReason.INSUFFICIENT_BORROWABLE_QUANTITY
    if not (short or any(holder.debt_shares) or any(holder.unfunded)):
        return None
    received = value_down(quantity, maker.price, state.asset(maker.asset).decimals)
    proceeds = received - fee_up(received, state.parameters.maker_fee)
    party = FillParty(maker.account, maker.side, maker.asset, payment, short)
    after = portfolio_after_fill(state, party, quantity, proceeds)
    # What is borrowed now was counted as open exposure until now.
    after.unfunded[asset] -= min(short, after.unfunded[asset])
    if risk_refusal(state, maker.account, after) is not None:
        return ExpiryReason.INSUFFICIENT_MARGIN
    return None


def _maker_payment(state: State, maker: Order, quantity: int) -> int:
    if maker.side is Side.ASK:
        return quantity
    fee = state.parameters.maker_fee
    return cost_up(state, maker.asset, maker.price, quantity, fee)


class Trade(NamedTuple):
    """One trade as it will be carried out: USDC amounts in atoms, fees apart."""

    quantity: int
    paid: int
    received: int
    buyer: int
    seller: int
    buyer_fee: int
    seller_fee: int


def _plan_trade(state: State, taker: Taker, maker: Order, quantity: int, rate: int) -> Trade:
    """Amounts of a trade at the maker's price; the quote rounds against each side."""
    decimals = state.asset(taker.asset).decimals
    paid = value_up(quantity, maker.price, decimals)
    received = value_down(quantity, maker.price, decimals)
    maker_rate = state.parameters.maker_fee
    if taker.side is Side.BID:
        fees = fee_up(paid, rate), fee_up(received, maker_rate)
        return Trade(quantity, paid, received, taker.account, maker.account, *fees)
    fees = fee_up(paid, maker_rate), fee_up(received, rate)
    return Trade(quantity, paid, received, maker.account, taker.account, *fees)


def _fill(state: State, taker: Taker, maker: Order, quantity: int, rate: int) -> None:
    """Carry out one trade: both pay, both receive, fees go where they belong."""
    assert 0 < quantity <= min(taker.open, maker.quantity), "no more trades than both want"
    trade = _plan_trade(state, taker, maker, quantity, rate)
    bid = taker.side is Side.BID
    quote = trade.paid if bid else trade.received
    taker.filled += quantity
    taker.quote += quote
    maker.quantity -= quantity
    state.emit(
        Filled(
            trade=state.next_trade,
            asset=taker.asset,
            taker_order=taker.order,
            maker_order=maker.order,
            taker=taker.account,
            maker=maker.account,
            side=taker.side,
            price=maker.price,
            quantity=quantity,
            quote=quote,
            taker_fee=trade.buyer_fee if bid else trade.seller_fee,
            maker_fee=trade.seller_fee if bid else trade.buyer_fee,
            taker_left=taker.open,
            maker_left=maker.quantity,
            system_order=taker.system,
        )
    )
    state.next_trade += 1
    _take_from_taker(state, taker, _payment(state, taker, maker.price, quantity, rate))
    _take_from_maker(state, maker, quantity)
    _distribute(state, taker, trade)
    _settle_maker(state, maker)
    _after_fill(state, taker, maker, trade)


def _after_fill(state: State, taker: Taker, maker: Order, trade: Trade) -> None:
    """Let both sides' settings act on what they received; a liquidation repays by itself."""
    bought = (taker.asset, trade.quantity)
    sold = (USDC, trade.received - trade.seller_fee)
    taker_got, maker_got = (bought, sold) if taker.side is Side.BID else (sold, bought)
    if taker.system is SystemOrder.USER:
        repay = taker.auto_borrow_repay
        after_receipt(state, taker.account, *taker_got, repay_anyway=repay)
    after_receipt(state, maker.account, *maker_got, repay_anyway=maker.auto_borrow_repay)


def _distribute(state: State, taker: Taker, trade: Trade) -> None:
    """Swap base for quote between free balances and send fees and rounding away."""
    buyer, seller = available(trade.buyer), available(trade.seller)
    treasury = available(TREASURY)
    taker_sink = treasury if taker.system is SystemOrder.USER else available(FUND)
    bid = taker.side is Side.BID
    move(state, taker.asset, trade.quantity, seller, buyer)
    # The buyer pays rounded up and the seller gets rounded down: the atom between goes to the
    # treasury, so no split of a trade pays either side.
    move(state, USDC, trade.received, buyer, seller)
    move(state, USDC, trade.paid - trade.received, buyer, treasury)
    move(state, USDC, trade.buyer_fee, buyer, taker_sink if bid else treasury)
    move(state, USDC, trade.seller_fee, seller, treasury if bid else taker_sink)


def _take_from_taker(state: State, taker: Taker, payment: int) -> None:
    """Free what the taker pays: from its lock, then by borrowing."""
    asset = pays_with(taker.side, taker.asset)
    # A system taker pays from its available balance: its `lock` is a limit, and nothing is locked.
    from_lock = min(taker.lock, payment)
    if taker.system is SystemOrder.USER:
        move(state, asset, from_lock, locked(taker.account), available(taker.account))
    taker.lock -= from_lock
    short = payment - from_lock
    if short:
        pools.borrow(state, taker.account, asset, short, Source.SPOT_MARGIN)
        taker.credit -= short


def _take_from_maker(state: State, maker: Order, quantity: int) -> None:
    """Free what the maker pays: from its lock, then by borrowing."""
    asset = pays_with(maker.side, maker.asset)
    payment = _maker_payment(state, maker, quantity)
    from_lock = min(maker.locked, payment)
    short = payment - from_lock
    set_funding(state, maker, maker.locked - from_lock, maker.unfunded - min(short, maker.unfunded))
    if short:
        pools.borrow(state, maker.account, asset, short, Source.SPOT_MARGIN)


def _settle_maker(state: State, maker: Order) -> None:
    """Take a filled maker out, or free what its rest no longer needs."""
    if maker.quantity == 0:
        remove(state, maker)
        return
    need = required_lock(state, maker)
    lock = min(maker.locked, need)
    set_funding(state, maker, lock, min(maker.unfunded, need - lock))


@dataclass(frozen=True, slots=True)
class Walk:
    """What a taker would get: base atoms and the quote, without fees."""

    quantity: int
    quote: int


def walk(
    state: State, account: int, asset: int, side: Side, limit: int, quantity: int, sure: bool
) -> Walk:
    """Look how much of `quantity` the book holds for a taker within `limit`.

    With `sure` only makers count that must be able to fill whatever happens before their turn:
    fully funded ones that owe nothing, or that pass now and have no earlier order in the walk.
    """
    decimals = state.asset(asset).decimals
    got = quote = 0
    seen: set[int] = set()
    for number in side_of(state, asset, opposite(side)):
        maker = state.orders[number]
        if got == quantity or not crosses(side, limit, maker.price):
            break
        if maker.account == account:
            if sure:
                break
            continue
        part = min(quantity - got, maker.quantity)
        if sure and not _surely_fills(state, maker, part, seen):
            continue
        seen.add(maker.account)
        got += part
        if side is Side.BID:
            quote += value_up(part, maker.price, decimals)
        else:
            quote += value_down(part, maker.price, decimals)
    return Walk(got, quote)


def _surely_fills(state: State, maker: Order, quantity: int, seen: set[int]) -> bool:
    if maker.unfunded or maker.reduce_only:
        return False
    holder = state.accounts[maker.account]
    if not any(holder.debt_shares) and not any(holder.unfunded):
        return True
    return maker.account not in seen and maker_refusal(state, maker, quantity) is None
