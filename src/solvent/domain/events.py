"""Events: everything that happened, as flat records of integers.

An engine answers each command with events, causes before consequences: an order before its fills,
a fill before the loan that paid for it, a leg before the claim and debt that it cancelled. A
refused command answers with one `Refused` and changes nothing. Receipts, streams, views and reports
are all made of these records and of nothing else, so each says what a reader could otherwise only
compute again: the shares that moved, the index afterwards, what is left of an order. What the
waterfall does is in `waterfall_events`, bytes are in `event_codec`.
"""

from dataclasses import dataclass

from solvent.domain.commands import (
    OrderType,
    Role,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerBy,
)
from solvent.domain.labels import ExpiryReason, Source, SystemOrder
from solvent.domain.rejections import Limit, RejectionCode


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """A command was refused; state is as before. `largest` would have passed."""

    command: int
    account: int
    asset: int
    code: RejectionCode
    limit: Limit
    largest: int


@dataclass(frozen=True, slots=True)
class AccountOpened(Event):
    """An account exists."""

    account: int
    role: Role


@dataclass(frozen=True, slots=True)
class Deposited(Event):
    """Tokens came in."""

    account: int
    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Withdrawn(Event):
    """Tokens left."""

    account: int
    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Lent(Event):
    """A claim rose by `shares` for `quantity` tokens put into the pool."""

    account: int
    asset: int
    quantity: int
    shares: int
    source: Source


@dataclass(frozen=True, slots=True)
class Redeemed(Event):
    """A claim fell by `shares` for `quantity` tokens taken out of the pool."""

    account: int
    asset: int
    quantity: int
    shares: int
    source: Source


@dataclass(frozen=True, slots=True)
class ClaimVoided(Event):
    """Shares of a claim worth less than an atom ended; the pool keeps the rest."""

    account: int
    asset: int
    shares: int


@dataclass(frozen=True, slots=True)
class Borrowed(Event):
    """A debt rose by `shares` for `quantity` tokens taken out of the pool."""

    account: int
    asset: int
    quantity: int
    shares: int
    source: Source


@dataclass(frozen=True, slots=True)
class Repaid(Event):
    """A debt fell by `shares` for `quantity` tokens paid into the pool."""

    account: int
    asset: int
    quantity: int
    shares: int
    source: Source


@dataclass(frozen=True, slots=True)
class Netted(Event):
    """A claim and a debt of one account cancelled inside the pool; no cash moved."""

    account: int
    asset: int
    quantity: int
    claim_shares: int
    debt_shares: int
    source: Source


@dataclass(frozen=True, slots=True)
class OrderAccepted(Event):
    """An order entered, as it was asked for; `locked` atoms of what it pays with are held.

    Flags are 0 or 1. `price` is 0 for market orders; one of `quantity` and `quote_quantity` is 0.
    """

    order: int
    account: int
    asset: int
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int
    quote_quantity: int
    post_only: int
    reduce_only: int
    auto_borrow: int
    auto_borrow_repay: int
    auto_lend_redeem: int
    self_trade_prevention: SelfTradePrevention
    client_id: int
    locked: int
    system_order: SystemOrder


@dataclass(frozen=True, slots=True)
class TriggerPlaced(Event):
    """An order waits, as it was asked for, and holds nothing.

    `rising` is 1 where it fires when the price has risen to `trigger_price`, 0 where it has fallen.
    """

    order: int
    account: int
    asset: int
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int
    quote_quantity: int
    post_only: int
    reduce_only: int
    auto_borrow: int
    auto_borrow_repay: int
    auto_lend_redeem: int
    self_trade_prevention: SelfTradePrevention
    client_id: int
    trigger_price: int
    trigger_by: TriggerBy
    rising: int


@dataclass(frozen=True, slots=True)
class Triggered(Event):
    """A waiting order fired at the price `reached` and entered; `locked` atoms are held."""

    order: int
    account: int
    asset: int
    trigger_by: TriggerBy
    reached: int
    locked: int


@dataclass(frozen=True, slots=True)
class TriggerFailed(Event):
    """A waiting order fired at the price `reached` and was refused, as an order would have been."""

    order: int
    account: int
    asset: int
    trigger_by: TriggerBy
    reached: int
    code: RejectionCode
    limit: Limit


@dataclass(frozen=True, slots=True)
class OrderRested(Event):
    """What is left of an order rests in the book."""

    order: int
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderCancelled(Event):
    """Its owner cancelled an order; its funds are free."""

    order: int
    account: int
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderExpired(Event):
    """An order ended with `quantity` unfilled; one by quote, always, with `unspent` USDC.

    `unspent` is what is left of `quote_quantity` after quote and fee (a bid), or after the quote
    (an ask, whose fee is taken out of it). IMMEDIATE_OR_CANCEL: it is too little for another lot.
    """

    order: int
    account: int
    quantity: int
    reason: ExpiryReason
    unspent: int


@dataclass(frozen=True, slots=True)
class Filled(Event):
    """One trade. `quote` is what the buyer paid, fees are USDC; `side` is the taker's.

    The seller received `quantity` at `price`, rounded down. What a buyer pays and both fees round
    up on the sum of an order's fills so far.

    `taker_left` and `maker_left` are the atoms that both orders still want; of a market order, of
    what it could have traded when it entered.
    """

    trade: int
    asset: int
    taker_order: int
    maker_order: int
    taker: int
    maker: int
    side: Side
    price: int
    quantity: int
    quote: int
    taker_fee: int
    maker_fee: int
    taker_left: int
    maker_left: int
    system_order: SystemOrder


@dataclass(frozen=True, slots=True)
class SettingsUpdated(Event):
    """An account's settings are now these."""

    account: int
    auto_lend: int
    auto_repay_borrows: int
    auto_borrow_settlements: int
    leverage_limit: int


@dataclass(frozen=True, slots=True)
class DustConverted(Event):
    """A dust balance went to the treasury for USDC at the mark."""

    account: int
    asset: int
    quantity: int
    received: int


@dataclass(frozen=True, slots=True)
class BackstopCommitted(Event):
    """A provider's unused commitment is now `committed`.

    Of it `leaving` atoms end at time `leaves_at` and can be called until then; both 0 for none.
    """

    account: int
    asset: int
    committed: int
    leaving: int
    leaves_at: int


@dataclass(frozen=True, slots=True)
class StandbyPosted(Event):
    """An account stands by with `posted` atoms of USDC at `premium` (10^-9); both 0 for no more.

    Of it `leaving` atoms end at time `leaves_at` and are called until then; both 0 for none.
    """

    account: int
    posted: int
    premium: int
    leaving: int
    leaves_at: int


@dataclass(frozen=True, slots=True)
class IndexUpdated(Event):
    """An asset has a new index and mark price."""

    asset: int
    index: int
    mark: int


@dataclass(frozen=True, slots=True)
class MarkUpdated(Event):
    """The premium of the book moved the mark."""

    asset: int
    index: int
    mark: int


@dataclass(frozen=True, slots=True)
class PriceStaleness(Event):
    """An asset's price became stale (1) or usable again (0)."""

    asset: int
    stale: int


@dataclass(frozen=True, slots=True)
class InterestCharged(Event):
    """Interest of the hour that ends at `hour` (hours since the epoch), which compounds there.

    `apr` is the mean borrow rate while anything was owed, `utilization` that of the hour's end
    (both 10^-9), `interest` what debts grew by and `fee` the part of it that the pool kept, in
    whole atoms.
    """

    asset: int
    hour: int
    apr: int
    utilization: int
    interest: int
    fee: int
    lend_index: int
    debt_index: int


@dataclass(frozen=True, slots=True)
class InterestAccrued(Event):
    """What interest has carried a pool's indices to, within an hour.

    Said before the pool's shares first change at a time, and where they were rescaled.
    """

    asset: int
    lend_index: int
    debt_index: int


@dataclass(frozen=True, slots=True)
class SharesRescaled(Event):
    """Every holder's claim (or debt, `of_debts` 1) is now shares * `multiplier` // `divisor`.

    One of the two is 1, and `index` is what a share is worth from now on.
    """

    asset: int
    of_debts: int
    multiplier: int
    divisor: int
    index: int


@dataclass(frozen=True, slots=True)
class PoolFrozen(Event):
    """A pool's debts would outgrow their columns, so it stands still (1), or goes on again (0)."""

    asset: int
    frozen: int


@dataclass(frozen=True, slots=True)
class ThrottleMoved(Event):
    """The highest utilization a borrow or redemption may leave."""

    asset: int
    bound: int


@dataclass(frozen=True, slots=True)
class PoolDoubted(Event):
    """Uncertain losses may take this `fraction` (10^-9) of a pool's claims; 0 for at most 1 %."""

    asset: int
    fraction: int


@dataclass(frozen=True, slots=True)
class ParameterChanged(Event):
    """One parameter has a new value."""

    asset: int
    field: int
    index: int
    value: int


@dataclass(frozen=True, slots=True)
class FeesCollected(Event):
    """Pool fees went to the treasury."""

    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Stepped(Event):
    """Time moved on; `liquidating` accounts are in the waterfall after the step."""

    time: int
    liquidating: int
