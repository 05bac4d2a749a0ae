"""Waterfall events: what liquidation, backstop, ADL and deficits did, and why.

Values are 10^-6 USDC, quantities atoms, marks 10^-10 USDC per whole token. A round's events stand
together: `AdlOpened`, the pools, one `AdlStuck` per liquidated side, one `AdlCandidate` per
counterparty, then per match the balances and health of all parties before, the legs, `AdlMatched`,
and the balances and health after. A backstop offer's too: `BackstopOffered`, one
`BackstopCandidate` per provider, then per fill the pools, balances and health before,
`BackstopFilled`, the legs, and balances and health after. What a leg leads to for its receiver (a
debt repaid, a claim and a debt that cancel) comes right behind it. `Transcript` tells rounds and
offers apart. A booking's stand together as well: `BookingOpened`, every pool as it was, what could
bear each one's loss before its lenders (`ReservesRecorded`), then per insolvent account
`BookedAccount`, its balances and health before, what the fund paid, and what of each debt was
written off; then `PoolWrittenDown` per pool, and balances and health after.
"""

from dataclasses import dataclass

from solvent.domain.events import Event
from solvent.domain.labels import AdlCase, LegForm, Reason, Stage, Tier


@dataclass(frozen=True, slots=True)
class LiquidationStarted(Event):
    """MMR reached 100 %: net equity is at or below the maintenance requirement."""

    account: int
    net_equity: int
    maintenance: int
    exposure: int
    total_value: int


@dataclass(frozen=True, slots=True)
class LiquidationEnded(Event):
    """Target health is restored, or nothing is owed any more."""

    account: int
    net_equity: int
    maintenance: int
    exposure: int
    total_value: int


@dataclass(frozen=True, slots=True)
class HandedOver(Event):
    """`stage` could not clear `value` (10^-6 USDC of debt) of `account`; `asset` says in what."""

    account: int
    stage: Stage
    reason: Reason
    asset: int
    value: int


@dataclass(frozen=True, slots=True)
class PoolRecorded(Event):
    """One pool and its price as ADL round or backstop fill `number` found them.

    `mark` is 10^-10 USDC per whole token, `stale` 1 when it must not be used, `bound` the
    throttle's (10^-9), indices 10^-18.
    """

    stage: Stage
    number: int
    asset: int
    mark: int
    stale: int
    lend_shares: int
    lend_index: int
    debt_shares: int
    debt_index: int
    bound: int


@dataclass(frozen=True, slots=True)
class PartyBalance(Event):
    """Holdings of one party in one asset before (0) or after (1) a match or fill, in atoms.

    `number` is the ADL round or the backstop fill, `match` the match of the round (0 for fills).
    """

    stage: Stage
    number: int
    match: int
    after: int
    account: int
    asset: int
    available: int
    locked: int
    unfunded: int
    lent: int
    debt: int
    lent_shares: int
    debt_shares: int


@dataclass(frozen=True, slots=True)
class PartyHealth(Event):
    """Value and health of one party before (0) or after (1) a match or fill."""

    stage: Stage
    number: int
    match: int
    after: int
    account: int
    total_value: int
    net_equity: int
    initial: int
    maintenance: int


@dataclass(frozen=True, slots=True)
class BackstopOffered(Event):
    """`quantity` of a debt is on offer at `discount`; its fills count up from `fill`.

    At the full discount providers would have taken `taken` atoms: where that lowers the account's
    health, `discount` is less than the full one.
    """

    fill: int
    account: int
    debt_asset: int
    quantity: int
    taken: int
    discount: int
    total_value: int
    net_equity: int
    maintenance: int


@dataclass(frozen=True, slots=True)
class BackstopCandidate(Event):
    """A provider of the offer that starts at `fill`: what it committed, can bear, and takes.

    It bears what its margin and its `leverage_limit` (10^-9) allow.
    """

    fill: int
    provider: int
    committed: int
    leverage_limit: int
    capacity: int
    allotted: int


@dataclass(frozen=True, slots=True)
class BackstopFilled(Event):
    """A provider took over `debt_quantity` of `debt_asset`, worth `debt_value` at the mark.

    `debt_shares` move from the account to the provider once the legs have moved.
    """

    fill: int
    account: int
    provider: int
    debt_asset: int
    mark: int
    debt_quantity: int
    debt_value: int
    debt_shares: int
    discount: int
    fund_value: int


@dataclass(frozen=True, slots=True)
class BackstopLeg(Event):
    """Collateral that went with a backstop fill, from `giver` to the provider or to the fund.

    `shares` are those of a claim that was handed over as it is, 0 for tokens.
    """

    fill: int
    giver: int
    receiver: int
    asset: int
    mark: int
    form: LegForm
    quantity: int
    value: int
    shares: int


@dataclass(frozen=True, slots=True)
class AdlOpened(Event):
    """A round: `needed` atoms of `asset` are to be settled, `allotted` could be.

    All of it is paid in `paid_in`, in the forms of `tier`: `borrowed` is 1 where payers borrow it,
    `fund` where the backstop fund pays for those in default.
    """

    round: int
    asset: int
    case: AdlCase
    policy: int
    tier: Tier
    paid_in: int
    borrowed: int
    fund: int
    mark: int
    needed: int
    allotted: int


@dataclass(frozen=True, slots=True)
class AdlStuck(Event):
    """A liquidated side of the round: `needed` atoms asked, `allotted` atoms granted.

    `fee` (10^-9 of what is settled) is what it pays for that, `received` the value (10^-6 USDC)
    that rounds of this step brought it and that repaid nothing yet. Health is that at the opening.
    """

    round: int
    account: int
    needed: int
    allotted: int
    fee: int
    received: int
    total_value: int
    net_equity: int
    maintenance: int
    book_reason: Reason
    backstop_reason: Reason


@dataclass(frozen=True, slots=True)
class AdlCandidate(Event):
    """A counterparty of the round: its inputs and its allotment in atoms."""

    round: int
    account: int
    position: int
    assets_value: int
    total_value: int
    cap: int
    allotted: int


@dataclass(frozen=True, slots=True)
class AdlMatched(Event):
    """`lender` gives up `quantity`, `payer` is rid of as much debt, and `lender` gets `value`.

    He gives up a claim, but tokens where opposites are closed. `giver` hands the value over: the
    payer, or the backstop fund. `fee` (10^-6 USDC) is what the liquidated side pays: `value` is
    less by it where opposites are closed, and more where a default is settled in kind; in USDC it
    goes to the fund. A claim's `claim_shares` end against `debt_shares` of the debt: none of either
    where opposites are closed, whose tokens repay the debt.
    """

    round: int
    match: int
    lender: int
    payer: int
    giver: int
    asset: int
    mark: int
    quantity: int
    value: int
    fee: int
    claim_shares: int
    debt_shares: int


@dataclass(frozen=True, slots=True)
class AdlLeg(Event):
    """One leg of a match, from `giver` to `receiver`; `tier` says why it was paid in this.

    `shares` are those of a claim that was handed over as it is, 0 for tokens.
    """

    round: int
    match: int
    giver: int
    receiver: int
    asset: int
    mark: int
    form: LegForm
    quantity: int
    value: int
    shares: int
    tier: Tier


@dataclass(frozen=True, slots=True)
class BookingOpened(Event):
    """The certain losses of `accounts` insolvent accounts are booked, found in `rounds` rounds.

    Those of the first round lack `shortfall` (10^-6 USDC, up) before anything is booked. Of what
    the backstop fund has free at fresh prices, `fund_value`, it pays `paid`. `PoolRecorded` of
    every pool (stage `DEFICIT`, number `booking`) comes right behind it, then `ReservesRecorded`
    of each.
    """

    booking: int
    accounts: int
    rounds: int
    shortfall: int
    fund_value: int
    paid: int


@dataclass(frozen=True, slots=True)
class ReservesRecorded(Event):
    """What could bear a loss of one pool before its lenders when a booking began, in atoms.

    `fees` that the pool has not collected, its `residue`, what the `treasury` and the backstop
    `fund` have free.
    """

    booking: int
    asset: int
    fees: int
    residue: int
    treasury: int
    fund: int


@dataclass(frozen=True, slots=True)
class BookedAccount(Event):
    """An account whose certain loss is booked; it was found insolvent in `round`, from 1.

    What it has and owes is counted for it: stale assets at (1 + doubt) times the last mark, stale
    debts at 1 / (1 + doubt), and claims as the booking leaves them. `assets_value` rounds down,
    `debts_value` up. It lacks `shortfall`, of which the fund's part `fund` is credited and `loss`
    is written off. Its balances and health before (0) and after (1) have its place as `match`.
    """

    booking: int
    account: int
    round: int
    assets_value: int
    debts_value: int
    shortfall: int
    fund: int
    loss: int


@dataclass(frozen=True, slots=True)
class FundPaid(Event):
    """Tokens of the backstop fund that are credited to an account before its loss is booked."""

    booking: int
    account: int
    asset: int
    mark: int
    quantity: int
    value: int


@dataclass(frozen=True, slots=True)
class DebtWrittenOff(Event):
    """The part of a debt that nobody pays: `quantity` atoms, at the expense of the pool.

    `debt_shares` of the account end. Of what it owed before, `principal` was borrowed and the rest
    is interest; `interest` is the part of the write-off that is interest never paid, of which the
    fee is given back. `value` is at the mark (up), stale or not. `dust` is 1 where all losses of
    the pool are under 0.01 USDC and its residue pays: that is no deficit.
    """

    booking: int
    account: int
    asset: int
    quantity: int
    value: int
    debt_shares: int
    principal: int
    interest: int
    dust: int


@dataclass(frozen=True, slots=True)
class PoolWrittenDown(Event):
    """What a booking did to one pool, in atoms: `claims` before, `loss` (what debts fell by).

    `fees` and `treasury` are fees given back, out of the pool's and out of what the treasury had
    collected, `residue` is what the residue bore, and `lenders` what claims fell by: each of them
    by `fraction` (10^-9, up; for show: `lend_index` decides). `restarted` is 1 where claims are
    worth nothing afterwards: they end, and the index is one again.
    """

    booking: int
    asset: int
    mark: int
    claims: int
    loss: int
    value: int
    fees: int
    treasury: int
    residue: int
    lenders: int
    fraction: int
    lend_index: int
    restarted: int


@dataclass(frozen=True, slots=True)
class StandbySwapped(Event):
    """What a round paid `receiver` in kind goes to a standby at the mark, for USDC.

    `quantity` atoms of `asset`, in the `form` in which they were paid (`shares` are those of a
    claim, 0 for tokens), count for `value` (up). `rate` (10^-9) of it, or less, is the `premium`,
    and `paid` atoms of USDC are the rest. `posted` is what the standby had posted before. Every
    pool, and balances and health of both before and after, come right behind it, with stage
    `STANDBY` and the number of the swap.
    """

    swap: int
    round: int
    case: AdlCase
    standby: int
    receiver: int
    asset: int
    mark: int
    form: LegForm
    quantity: int
    shares: int
    value: int
    rate: int
    premium: int
    paid: int
    posted: int
