"""Matching: a taker meets the book, one fill after another, until its limit or its means end.

A taker is described by what it may spend (`Taker`): users' orders spend what they lock and, where
allowed, a borrow on top; the liquidation engine spends what the account holds. Each maker is asked
at the moment of the fill whether it can still pay and bear the fill; one that cannot is expired
with the reason, and the taker goes on (I7: no other account's order takes a healthy account below
its margin).

The seller gets the quote of a fill rounded down; what the buyer pays and the fees of both round up
on the sum of an order's fills so far, so that many parts cost what one does and a lock suffices
(I42). The difference and trading fees go to the treasury, the liquidation fee to the backstop fund.
What a taker would get is asked in `depth`, without moving anything.

Specification: section 6.3.
"""

from dataclasses import dataclass
from typing import NamedTuple

from solvent.domain.commands import SelfTradePrevention, Side
from solvent.domain.events import Filled
from solvent.domain.labels import ExpiryReason, Source, SystemOrder
from solvent.domain.parameters import USDC
from solvent.domain.units import value_down
from solvent.reference.ledger import available, debt_of, locked, move
from solvent.reference.lending import pool as pools
from solvent.reference.lending.wallet import Funding, after_receipt, redeem_rounding
from solvent.reference.limits import borrow_refusal, risk_refusal
from solvent.reference.margin import Portfolio, portfolio_of
from solvent.reference.orderbook.book import (
    Purchase,
    affordable,
    bill_of,
    borne_rate,
    crosses,
    expire,
    fee_of,
    market_of,
    next_bill,
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

    `lock` is held in the locked balance of what the taker pays with; what is free may be taken
    and `credit` borrowed on top. A system taker pays from the available balance instead, up to
    `lock`. One that is `judged` is asked for margin at every fill, since what the book gives may be
    dearer than what it showed. `spent` is the USDC that a bid has paid with fees, which may not
    pass the `budget` of one by quote, and the USDC that an ask got before fees. The fee of a fill
    is cut to what its price leaves to the `bearable` one.
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
    reduce_only: bool = False
    judged: bool = False
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.REJECT_TAKER
    budget: int | None = None
    bearable: int = 0
    filled: int = 0
    spent: int = 0
    quote_ahead: int = 0
    fee_ahead: int = 0
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
        _meet(state, taker, maker, borne_rate(taker.side, maker.price, taker.bearable, rate))


def _meet(state: State, taker: Taker, maker: Order, rate: int) -> None:
    """Fill `taker` from one maker, or end the one of both that cannot.

    What a reduce-only order may not fill any more is trimmed off and ends.
    """
    wanted = min(taker.open, maker.quantity)
    taken, given = min(wanted, _reduces(state, taker)), min(wanted, offered(state, maker))
    if taken == 0:
        taker.stopped = ExpiryReason.REDUCE_ONLY_NOT_REDUCED
        return
    if given == 0:
        expire(state, maker, ExpiryReason.REDUCE_ONLY_NOT_REDUCED)
        return
    quantity = _means(state, taker, maker.price, rate, min(taken, given))
    if quantity == 0:
        taker.stopped = ExpiryReason.INSUFFICIENT_FUNDS
        return
    # Makers are asked before the taker is: one that cannot fill leaves the book even if the taker
    # then stops.
    refusal = maker_refusal(state, maker, quantity)
    if refusal is not None:
        expire(state, maker, refusal)
        return
    taker.stopped = _taker_refusal(state, taker, maker.price, quantity, rate)
    if taker.stopped is not None:
        return
    _fill(state, taker, maker, quantity, rate)
    if quantity == taken < wanted:
        taker.stopped = ExpiryReason.REDUCE_ONLY_NOT_REDUCED
    if quantity == given < wanted:
        expire(state, maker, ExpiryReason.REDUCE_ONLY_NOT_REDUCED)


def _reduces(state: State, taker: Taker) -> int:
    """How much a taker may still fill: of a reduce-only bid no more than its owner's debt."""
    if not (taker.reduce_only and taker.side is Side.BID):
        return taker.open
    return _debt_lots(state, taker.account, taker.asset, taker.open)


def offered(state: State, maker: Order) -> int:
    """How much a resting order may still fill: of a reduce-only bid no more than the debt.

    A reduce-only ask sells what it locks, so that it reduces whatever it fills.
    """
    if not (maker.reduce_only and maker.side is Side.BID):
        return maker.quantity
    return _debt_lots(state, maker.account, maker.asset, maker.quantity)


def _debt_lots(state: State, account: int, asset: int, most: int) -> int:
    lot = market_of(state, asset).lot
    return min(most, debt_of(state, account, asset) // lot * lot)


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
    if taker.system is SystemOrder.USER:
        means += state.accounts[taker.account].available[USDC]
    if taker.budget is not None:
        means = min(means, taker.budget - taker.spent)
    purchase = Purchase(taker.asset, price, rate, taker.quote_ahead, taker.fee_ahead)
    return affordable(state, purchase, means, wanted)


def _taker_refusal(
    state: State, taker: Taker, price: int, quantity: int, rate: int
) -> ExpiryReason | None:
    """Why the pool or the margin stops a taker who is judged or needs credit, or None."""
    payment = _payment(state, taker, price, quantity, rate)
    asset = pays_with(taker.side, taker.asset)
    borrowed = 0
    if payment > taker.lock:
        borrowed = _beyond_free(state, taker.account, asset, payment - taker.lock)
    if not (borrowed or taker.judged):
        return None
    if borrowed and borrow_refusal(state, taker.account, asset, borrowed) is not None:
        return ExpiryReason.INSUFFICIENT_BORROWABLE_QUANTITY
    received = value_down(quantity, price, state.asset(taker.asset).decimals)
    proceeds = received - fee_of(received, rate, taker.fee_ahead)[0]
    party = FillParty(taker.account, taker.side, taker.asset, payment, borrowed)
    after = portfolio_after_fill(state, party, quantity, proceeds)
    if risk_refusal(state, taker.account, after) is not None:
        return ExpiryReason.INSUFFICIENT_MARGIN
    return None


def _beyond_free(state: State, account: int, asset: int, quantity: int) -> int:
    """What of `quantity` the free balance does not pay."""
    return max(0, quantity - state.accounts[account].available[asset])


class FillParty(NamedTuple):
    """One side of a fill: what it pays in all, how much of that it borrows and redeems."""

    account: int
    side: Side
    asset: int
    payment: int
    borrowed: int
    redeemed: int = 0


def portfolio_after_fill(state: State, party: FillParty, quantity: int, proceeds: int) -> Portfolio:
    """What a party would have after a fill: `quantity` bought, or sold for `proceeds` USDC."""
    account, pays = party.account, pays_with(party.side, party.asset)
    after = portfolio_of(state, account)
    after.quantities[pays] -= party.payment - party.borrowed
    if party.redeemed:
        after.quantities[pays] -= redeem_rounding(state, account, pays, party.redeemed)
    if party.borrowed:
        after.debts[pays] = pools.debt_after_borrow(state, account, pays, party.borrowed)
    if party.side is Side.BID:
        after.quantities[party.asset] += quantity
    else:
        after.quantities[USDC] += proceeds
    return after


def _payment(state: State, taker: Taker, price: int, quantity: int, rate: int) -> int:
    if taker.side is Side.ASK:
        return quantity
    ahead = taker.quote_ahead, taker.fee_ahead
    return bill_of(state, taker.asset, price, quantity, rate, *ahead).total


def maker_refusal(state: State, maker: Order, quantity: int) -> ExpiryReason | None:
    """Why `maker` can no longer fill `quantity`, or None.

    An order pays from what it locks, then from what is free; with auto-borrow it then redeems, then
    borrows.
    """
    account, asset = maker.account, pays_with(maker.side, maker.asset)
    payment = _maker_payment(state, maker, quantity)
    short = max(0, payment - maker.locked)
    funding = Funding(state, account, asset, short)
    if funding.redeemed or funding.borrowed:
        if not maker.auto_borrow:
            return ExpiryReason.INSUFFICIENT_FUNDS
        if funding.refusal(redeem=True, borrow=True) is not None:
            return ExpiryReason.INSUFFICIENT_BORROWABLE_QUANTITY
    holder = state.accounts[account]
    if not (funding.borrowed or any(holder.debt_shares) or any(holder.unfunded)):
        return None
    received = value_down(quantity, maker.price, state.asset(maker.asset).decimals)
    proceeds = received - fee_of(received, state.parameters.maker_fee, maker.fee_ahead)[0]
    needed = funding.borrowed, funding.redeemed
    party = FillParty(account, maker.side, maker.asset, payment, *needed)
    after = portfolio_after_fill(state, party, quantity, proceeds)
    after.unfunded[asset] -= min(short, maker.unfunded)
    if risk_refusal(state, account, after) is not None:
        return ExpiryReason.INSUFFICIENT_MARGIN
    return None


def _maker_payment(state: State, maker: Order, quantity: int) -> int:
    if maker.side is Side.ASK:
        return quantity
    return next_bill(state, maker, quantity).total


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


def _plan_trade(state: State, taker: Taker, maker: Order, quantity: int, rate: int) -> Trade:
    """Amounts of a trade at the maker's price; the sums of an order round against its owner."""
    bid = taker.side is Side.BID
    buyer, seller = (taker, maker) if bid else (maker, taker)
    buyer_rate, seller_rate = rate, state.parameters.maker_fee
    if not bid:
        buyer_rate, seller_rate = seller_rate, buyer_rate
    ahead = buyer.quote_ahead, buyer.fee_ahead
    bill = bill_of(state, taker.asset, maker.price, quantity, buyer_rate, *ahead)
    received = value_down(quantity, maker.price, state.asset(taker.asset).decimals)
    fee, seller_ahead = fee_of(received, seller_rate, seller.fee_ahead)
    return Trade(
        quantity=quantity,
        paid=bill.quote,
        received=received,
        buyer=buyer.account,
        seller=seller.account,
        buyer_fee=bill.fee,
        seller_fee=fee,
        quote_ahead=bill.quote_ahead,
        buyer_ahead=bill.fee_ahead,
        seller_ahead=seller_ahead,
    )


def _fill(state: State, taker: Taker, maker: Order, quantity: int, rate: int) -> None:
    """Carry out one trade: both pay, both receive, fees go where they belong."""
    assert 0 < quantity <= min(taker.open, maker.quantity), "no more trades than both want"
    trade = _plan_trade(state, taker, maker, quantity, rate)
    bid = taker.side is Side.BID
    _note_trade(taker, maker, trade)
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
            quote=trade.paid,
            taker_fee=trade.buyer_fee if bid else trade.seller_fee,
            maker_fee=trade.seller_fee if bid else trade.buyer_fee,
            taker_left=taker.open,
            maker_left=maker.quantity,
            system_order=taker.system,
        )
    )
    state.next_trade += 1
    state.prices[taker.asset].last = maker.price
    cost = trade.paid + trade.buyer_fee
    _take_from_taker(state, taker, cost if bid else quantity)
    _take_from_maker(state, maker, quantity if bid else cost)
    _distribute(state, taker, trade)
    _settle_maker(state, maker)
    _after_fill(state, taker, maker, trade)


def _note_trade(taker: Taker, maker: Order, trade: Trade) -> None:
    """Count a trade in both orders."""
    taker.filled += trade.quantity
    maker.quantity -= trade.quantity
    buyer, seller = (taker, maker) if taker.side is Side.BID else (maker, taker)
    taker.spent += trade.paid + trade.buyer_fee if buyer is taker else trade.received
    buyer.quote_ahead = trade.quote_ahead
    buyer.fee_ahead = trade.buyer_ahead
    seller.fee_ahead = trade.seller_ahead


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
    """Free what the taker pays: from its lock, then what is free, then by borrowing."""
    asset = pays_with(taker.side, taker.asset)
    # A system taker pays from its available balance: its `lock` is a limit, and nothing is locked.
    from_lock = min(taker.lock, payment)
    borrowed = 0
    if taker.system is SystemOrder.USER:
        borrowed = _beyond_free(state, taker.account, asset, payment - from_lock)
        move(state, asset, from_lock, locked(taker.account), available(taker.account))
    taker.lock -= from_lock
    if borrowed:
        pools.borrow(state, taker.account, asset, borrowed, Source.SPOT_MARGIN)
        taker.credit -= borrowed


def _take_from_maker(state: State, maker: Order, payment: int) -> None:
    """Free what the maker pays: from its lock, then what is free, then redeemed, then borrowed."""
    asset = pays_with(maker.side, maker.asset)
    from_lock = min(maker.locked, payment)
    short = payment - from_lock
    funding = Funding(state, maker.account, asset, short)
    set_funding(state, maker, maker.locked - from_lock, maker.unfunded - min(short, maker.unfunded))
    funding.carry_out(Source.SPOT_MARGIN)


def _settle_maker(state: State, maker: Order) -> None:
    """Take a filled maker out, or free what its rest no longer needs."""
    if maker.quantity == 0:
        remove(state, maker)
        return
    need = required_lock(state, maker)
    lock = min(maker.locked, need)
    set_funding(state, maker, lock, min(maker.unfunded, need - lock))
