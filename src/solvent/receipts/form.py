"""The form of a receipt: every field of the document, with its meaning and its unit.

One receipt is one JSON object: what a booking, an ADL round or a backstop fill found, decided and
left, and every number that is needed to compute it again. The classes here are the document;
`codec` writes and reads them field by field. Fields of type `Amount` are written as decimal
strings, for they can exceed what a JSON reader keeps exactly; other integers as numbers; enums by
name; assets by symbol; accounts by number.

Units: quantities are atoms, `mark` 10^-10 USDC per whole token, values 10^-6 USDC, ratios (weights,
margin fractions, discounts, utilization) 10^-9, indices 10^-18, times microseconds UTC. Total value
and net equity are rounded down, requirements up.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from solvent.domain.labels import AdlCase, LegForm, Reason, Stage, Tier
from solvent.domain.parameters import Haircut, MarginFunction, Policy, PoolState

TEXT = "decimal string"
Amount: TypeAlias = Annotated[int, TEXT]
"""An integer that is written as a string."""

ADL_FORMAT = "solvent adl receipt"
BACKSTOP_FORMAT = "solvent backstop receipt"
BOOKING_FORMAT = "solvent booking receipt"
STANDBY_FORMAT = "solvent standby receipt"
VERSION = 1


@dataclass(frozen=True, slots=True)
class AssetTerms:
    """One asset that the settlement touches, and its pool as the settlement found it.

    `number` is the engine's, `decimals` those of the atom; `stale` says that the mark must not be
    used. Claim = lent shares * lend index, rounded down; debt = debt shares * debt index, up.
    """

    symbol: str
    number: int
    decimals: int
    mark: Amount
    stale: bool
    haircut: Haircut
    initial: MarginFunction
    maintenance: MarginFunction
    lend_shares: Amount
    lend_index: Amount
    debt_shares: Amount
    debt_index: Amount


@dataclass(frozen=True, slots=True)
class BorrowTerms:
    """What limits a settlement in borrowed USDC; `curve` is (utilization, APR) per point."""

    state: PoolState
    open_borrow_lend_limit: Amount
    max_utilization: int
    throttle_threshold: int
    throttle_update_fraction: int
    bound: int
    curve: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class WaterfallTerms:
    """The waterfall's parameters that sized this settlement.

    `target_buffer` is how far above maintenance health is restored, `stale_doubt` by how much a
    stale price is read in the account's favour, `book_fee` and `opposites_fee` are what liquidated
    accounts pay at most.
    """

    target_buffer: int
    stale_doubt: int
    book_fee: int
    opposites_fee: int


@dataclass(frozen=True, slots=True)
class DiscountTerms:
    """What bounds a backstop's discount, and the fund's share of it."""

    max_discount: int
    fund_share: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What a party has and owes of one asset; `unfunded` is what its open orders would borrow."""

    asset: str
    available: Amount
    locked: Amount
    unfunded: Amount
    lent: Amount
    debt: Amount
    lent_shares: Amount
    debt_shares: Amount


@dataclass(frozen=True, slots=True)
class Party:
    """One account at one moment: value, net equity, both requirements, balances by asset."""

    account: int
    total_value: Amount
    net_equity: Amount
    initial: Amount
    maintenance: Amount
    balances: tuple[Balance, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """When the account became liquidatable: the command, the time, and its health there."""

    command: int
    time: Amount
    net_equity: Amount
    maintenance: Amount
    exposure: Amount
    total_value: Amount


@dataclass(frozen=True, slots=True)
class Handover:
    """A stage of this step that left `value` of the account's debts, largest in `asset`."""

    stage: Stage
    reason: Reason
    asset: str
    value: Amount


@dataclass(frozen=True, slots=True)
class Side:
    """A liquidated account of the round, in atoms of the round's asset.

    `needed` was asked and `allotted` granted. `fee` is what it pays of what is settled, `received`
    the value that rounds of this step brought it and that repaid nothing yet. Health is that at the
    opening. `book_reason` and `backstop_reason` are what the round acted on, `handed_over` what the
    stages before wrote in this step, in order.
    """

    account: int
    needed: Amount
    allotted: Amount
    fee: int
    received: Amount
    total_value: Amount
    net_equity: Amount
    maintenance: Amount
    book_reason: Reason
    backstop_reason: Reason
    handed_over: tuple[Handover, ...]
    started: Started


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """A counterparty: position and cap in atoms, assets and total value, and its allotment."""

    account: int
    position: Amount
    cap: Amount
    assets_value: Amount
    total_value: Amount
    allotted: Amount


@dataclass(frozen=True, slots=True)
class Leg:
    """One thing handed over; `value` is what it counted for.

    `tier` says in which tier an ADL round was paid in it, null for what goes with a fill.
    """

    giver: int
    receiver: int
    asset: str
    form: LegForm
    quantity: Amount
    value: Amount
    tier: Tier | None


@dataclass(frozen=True, slots=True)
class Drift:
    """By how much a party's total value differs after the settlement."""

    account: int
    total_value: Amount


@dataclass(frozen=True, slots=True)
class Rounding:
    """What rounding did: `value` and `legs` in 10^-12 USDC, drifts in 10^-6.

    `value`: the value settled less quantity * mark. `legs`: what the legs are worth at the mark
    less the value they counted for. Both are at least 0, in favour of the receiver.
    """

    value: Amount
    legs: Amount
    drifts: tuple[Drift, ...]


@dataclass(frozen=True, slots=True)
class MatchLine:
    """One match: `lender` gives up `quantity`, `payer` is rid of as much debt.

    The lender gives up a claim, but tokens where opposites are closed, a leg of his own. `giver`
    (the payer or the backstop fund) hands over `value` in legs. `fee` is what the liquidated side
    pays: `value` is less by it for opposites, more where a default is settled in kind; in USDC it
    is a leg to the fund. `before` and `after` are all parties, by account.
    """

    number: int
    lender: int
    payer: int
    giver: int
    quantity: Amount
    value: Amount
    fee: Amount
    claim_shares: Amount
    debt_shares: Amount
    legs: tuple[Leg, ...]
    rounding: Rounding
    before: tuple[Party, ...]
    after: tuple[Party, ...]


@dataclass(frozen=True, slots=True)
class AdlReceipt:
    """One ADL round: `needed` atoms of `asset` were to be settled, `allotted` could be.

    All of it is paid in `paid_in`, in the forms of `tier`; `borrowed` says that payers borrow it,
    `fund` that the backstop fund pays for those in default.
    """

    format: str
    version: int
    command: int
    time: Amount
    round: int
    case: AdlCase
    policy: Policy
    tier: Tier
    paid_in: str
    borrowed: bool
    fund: bool
    asset: str
    mark: Amount
    needed: Amount
    allotted: Amount
    waterfall: WaterfallTerms
    borrowing: BorrowTerms | None
    assets: tuple[AssetTerms, ...]
    sides: tuple[Side, ...]
    candidates: tuple[CandidateLine, ...]
    matches: tuple[MatchLine, ...]


@dataclass(frozen=True, slots=True)
class ProviderLine:
    """A provider asked: what it had committed, what it bears of it, what it took.

    It bears what its margin and its leverage limit (10^-9) allow.
    """

    account: int
    committed: Amount
    leverage_limit: int
    capacity: Amount
    allotted: Amount


@dataclass(frozen=True, slots=True)
class Offer:
    """The offer that the fill is part of; its fills count up from `first_fill`.

    `quantity` atoms of the debt at `discount`, sized for the account as it then was (`opening`). At
    the full discount providers would have taken `taken` atoms; where that lowers the account's
    health, `discount` is the largest that does not.
    """

    first_fill: int
    quantity: Amount
    taken: Amount
    discount: int
    opening: Party
    providers: tuple[ProviderLine, ...]


@dataclass(frozen=True, slots=True)
class BackstopReceipt:
    """One backstop fill: `provider` took over `quantity` of a debt, and collateral with it.

    `value` is the debt's at the mark, `fund_value` the fund's part of the discount. Rounding as in
    a match, `legs` counted against the collateral that was due.
    """

    format: str
    version: int
    command: int
    time: Amount
    fill: int
    account: int
    provider: int
    asset: str
    mark: Amount
    quantity: Amount
    value: Amount
    fund_value: Amount
    waterfall: WaterfallTerms
    terms: DiscountTerms
    assets: tuple[AssetTerms, ...]
    started: Started
    handed_over: tuple[Handover, ...]
    offer: Offer
    legs: tuple[Leg, ...]
    rounding: Rounding
    before: tuple[Party, ...]
    after: tuple[Party, ...]


@dataclass(frozen=True, slots=True)
class Reserves:
    """What could bear a pool's loss before its lenders, in atoms, when the booking began.

    `rate` (10^-9) is the part of interest that is the pool's fee, `fees` what of it is not
    collected yet, `residue` what of rounding is nobody's; the treasury and the backstop fund had so
    much free.
    """

    asset: str
    rate: int
    fees: Amount
    residue: Amount
    treasury: Amount
    fund: Amount


@dataclass(frozen=True, slots=True)
class FundLine:
    """Tokens of the backstop fund that an account was credited with, and what they counted for."""

    asset: str
    quantity: Amount
    value: Amount


@dataclass(frozen=True, slots=True)
class WriteOffLine:
    """The part of a debt that nobody pays.

    `principal` of the debt was borrowed, `interest` of the part is interest never paid. `dust` says
    that the pool's residue pays all of the pool's loss.
    """

    asset: str
    quantity: Amount
    value: Amount
    debt_shares: Amount
    principal: Amount
    interest: Amount
    dust: bool


@dataclass(frozen=True, slots=True)
class BookedLine:
    """An insolvent account, found in `round`: what it lacked, what the fund paid, what is lost.

    Assets and debts are counted for it, with claims as the booking leaves them.
    """

    account: int
    round: int
    assets_value: Amount
    debts_value: Amount
    shortfall: Amount
    fund: Amount
    loss: Amount
    payments: tuple[FundLine, ...]
    written: tuple[WriteOffLine, ...]
    before: Party
    after: Party


@dataclass(frozen=True, slots=True)
class PoolLossLine:
    """A pool that lost something: claims before, the loss, and who bore it, in atoms.

    `loss` is `fees` and `treasury` (given back), `residue` and `lenders` together. All claims fell
    by `fraction` (10^-9, up) to `lend_index`; where they are worth nothing then the pool is
    `restarted`.
    """

    asset: str
    claims: Amount
    loss: Amount
    value: Amount
    fees: Amount
    treasury: Amount
    residue: Amount
    lenders: Amount
    fraction: int
    lend_index: Amount
    restarted: bool


@dataclass(frozen=True, slots=True)
class BookingReceipt:
    """A booking: the certain losses of all `accounts`, found in `rounds`, written off at once.

    Those of the first round lacked `shortfall`; of `fund_value` that the backstop fund had free it
    paid `paid`. `stale_doubt` (10^-9) is by how much stale prices are read for an account. `assets`
    are all of the market, `reserves` those of each.
    """

    format: str
    version: int
    command: int
    time: Amount
    booking: int
    rounds: int
    shortfall: Amount
    fund_value: Amount
    paid: Amount
    stale_doubt: int
    assets: tuple[AssetTerms, ...]
    reserves: tuple[Reserves, ...]
    accounts: tuple[BookedLine, ...]
    pools: tuple[PoolLossLine, ...]


@dataclass(frozen=True, slots=True)
class StandbyReceipt:
    """One relief: `standby` took over `quantity` of what round `round` paid `receiver` in kind.

    In `form`, for `value` at the mark, of which the `premium` (at most `rate`, 10^-9) stays his and
    `paid` went to the receiver in USDC. He had `posted` before; `shares` are those of a claim.
    """

    format: str
    version: int
    command: int
    time: Amount
    swap: int
    round: int
    case: AdlCase
    standby: int
    receiver: int
    asset: str
    mark: Amount
    form: LegForm
    quantity: Amount
    shares: Amount
    value: Amount
    rate: int
    premium: Amount
    paid: Amount
    posted: Amount
    stale_doubt: int
    assets: tuple[AssetTerms, ...]
    before: tuple[Party, ...]
    after: tuple[Party, ...]


Settled: TypeAlias = AdlReceipt | BackstopReceipt
"""Receipts of settlements in which value changes hands."""
Receipt: TypeAlias = Settled | BookingReceipt | StandbyReceipt
"""What `ReceiptBuilder` builds and `verify_receipt` judges."""
