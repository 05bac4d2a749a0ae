"""Relief: after a round of ADL, standbys take over what it paid in kind.

A round of the later tiers leaves lenders with tokens or claims that they did not ask for. Who
stands by takes these over at the mark, the least premium first, and gives USDC for them, which
repays at once what its receiver owes of it. So nobody who does not stand by himself keeps anything
in kind while a standby is left who can bear it (I46).

The premium comes from the liquidated side (I40). A stuck lender pays what his NE - M and his worth
bear, and is no worse for it than before his match. The lender of a default pays no more than a part
of what the default's fee gave him beyond his claim. Whoever could pay nothing is relieved for
nothing.

What standbys can take is split among those paid in kind in proportion to what they were paid.

Specification: section 8.10.
"""

from collections.abc import Sequence
from typing import NamedTuple

from solvent.domain.labels import AdlCase, LegForm, Source, Stage, Tier
from solvent.domain.parameters import USDC
from solvent.domain.units import (
    INDEX_SCALE,
    RATIO,
    divide_up,
    mul_div_down,
    value_down,
)
from solvent.domain.waterfall_events import StandbySwapped
from solvent.reference.ledger import available, claim_of, claim_worth, debt_of, move
from solvent.reference.lending import pool as pools
from solvent.reference.limits import largest_passing
from solvent.reference.margin import (
    Doubt,
    health,
    health_of,
    leverage_exceeded,
    portfolio_of,
    weight_of,
)
from solvent.reference.standby.posted import posted_of, queue, say_posted, use
from solvent.reference.state import State
from solvent.reference.waterfall.policies import apportion
from solvent.reference.waterfall.record import Record, record_parties, record_pools, touched
from solvent.reference.waterfall.rounds import Kind, value_of
from solvent.reference.waterfall.sizing import bearable_rate, freed_by

Repaid = dict[int, int]
"""Per receiver: USDC of a relief that repaid what he owed of it."""


class Held(NamedTuple):
    """What a lender had before a round: free tokens and shares of what it pays in, and his claim.

    `claim` is the one that is settled, in atoms.
    """

    account: int
    tokens: int
    shares: int
    claim: int


class Swap(NamedTuple):
    """What one standby takes over of one receiver: `value` counts up, `paid` is less `premium`."""

    standby: int
    receiver: int
    asset: int
    form: LegForm
    quantity: int
    shares: int
    value: int
    rate: int
    premium: int
    paid: int


class Receiver:
    """Who was paid in kind: what is left of it, and which premium it can bear.

    `rate` is the largest premium (10^-9 of the value), `budget` what is left for premiums.
    """

    def __init__(self, account: int, tokens: int, shares: int, rate: int, budget: int) -> None:
        self.account = account
        self.tokens = tokens
        self.shares = shares
        self.rate = rate
        self.budget = budget

    def left(self, state: State, asset: int, form: LegForm) -> int:
        """Atoms that were paid in this form and are not taken over yet."""
        if form is LegForm.CLAIM:
            return claim_worth(state.pools[asset], self.shares)
        return self.tokens


def held_before(state: State, kind: Kind, accounts: Sequence[int]) -> list[Held]:
    """What lenders have before a round, if it may pay them in kind and anybody stands by."""
    if kind.fund or kind.means.tier < Tier.IN_KIND or not state.standbys:
        return []
    paid_in, standing_by = kind.means.asset, queue(state)
    return [
        Held(
            account,
            state.accounts[account].available[paid_in],
            state.accounts[account].lent_shares[paid_in],
            claim_of(state, account, kind.asset),
        )
        for account in accounts
        if account not in standing_by
    ]


def relieve(state: State, kind: Kind, number: int, before: Sequence[Held]) -> Repaid:
    """Let standbys take over what round `number` paid in kind; what of it repaid USDC debts."""
    receivers = [found for held in before if (found := _receiver(state, kind, held))]
    repaid: Repaid = {}
    for form in (LegForm.AVAILABLE, LegForm.CLAIM):
        for standby in queue(state) if receivers else ():
            _take_over(state, kind, number, standby, form, receivers, repaid)
    return repaid


def _receiver(state: State, kind: Kind, held: Held) -> Receiver | None:
    """What a round paid a lender in kind, and the premium for it that is borne; or None.

    Free USDC is in kind nowhere.
    """
    asset, holder = kind.means.asset, state.accounts[held.account]
    tokens = max(0, holder.available[asset] - held.tokens) if asset != USDC else 0
    shares = max(0, holder.lent_shares[asset] - held.shares)
    quantity = tokens + claim_worth(state.pools[asset], shares)
    if not quantity:
        return None
    worth = value_down(quantity, state.mark(asset), state.asset(asset).decimals)
    if kind.case is AdlCase.STUCK_LENDER:
        rate = _bearable(state, held.account, kind.asset, asset, worth)
        return Receiver(held.account, tokens, shares, rate, worth)
    given = held.claim - claim_of(state, held.account, kind.asset)
    beyond = max(0, worth - value_of(state, kind.asset, max(0, given)))
    # As of a backstop's discount a share is not the taker's: else a default with a standby of its
    # own would be free.
    budget = mul_div_down(beyond, RATIO - state.parameters.waterfall.fund_share, RATIO)
    return Receiver(held.account, tokens, shares, RATIO, budget)


def _bearable(state: State, account: int, settled: int, paid_in: int, worth: int) -> int:
    """The largest premium at which a stuck lender is no worse than before his match, 10^-9.

    What he gave up, and what he hands on, weighs at most what it weighs at the size held. Margin is
    freed where all of it repays USDC.
    """
    values = health_of(state, account)
    if values.total_value <= 0 or not values.debts_value:
        return 0
    portfolio = portfolio_of(state, account)
    weight = max(
        weight_of(state.asset(asset), portfolio.quantities[asset], state.mark(asset))
        for asset in (settled, paid_in)
    )
    freed = freed_by(state, portfolio, USDC) if portfolio.debts[USDC] >= worth else 0
    return min(bearable_rate(weight, freed), values.total_value * RATIO // values.debts_value)


def _take_over(
    state: State,
    kind: Kind,
    number: int,
    standby: int,
    form: LegForm,
    receivers: Sequence[Receiver],
    repaid: Repaid,
) -> None:
    """One standby's part of what is left in one form, of each receiver in proportion."""
    asset = kind.means.asset
    left = [receiver.left(state, asset, form) for receiver in receivers]
    most = capacity(state, standby, asset, sum(left))
    for receiver, part in zip(receivers, apportion(most, left, left), strict=True):
        # What those before took rounded, so he is asked once more.
        quantity = capacity(state, standby, asset, part) if part else 0
        if quantity:
            swap = swap_of(state, standby, receiver, asset, form, quantity)
            owed = debt_of(state, receiver.account, USDC)
            apply_swap(state, kind, number, swap)
            fell = owed - debt_of(state, receiver.account, USDC)
            repaid[receiver.account] = repaid.get(receiver.account, 0) + fell
            receiver.budget -= swap.premium
            if form is LegForm.CLAIM:
                receiver.shares -= swap.shares
            else:
                receiver.tokens -= quantity


def capacity(state: State, standby: int, asset: int, most: int) -> int:
    """Of `most` atoms how many a standby takes over: what he posted and has free, and bears.

    The premium comes on top. He stays within his initial margin and his leverage limit.
    """
    before = portfolio_of(state, standby)
    funds = min(posted_of(state, standby), state.accounts[standby].available[USDC])
    pool = state.pools[asset]
    slack = divide_up(pool.lend_index, INDEX_SCALE) + divide_up(pool.debt_index, INDEX_SCALE)

    def bears(quantity: int) -> bool:
        value = value_of(state, asset, quantity)
        if value > funds:
            return False
        after = before.copy()
        after.quantities[USDC] -= value
        after.receive(asset, max(0, quantity - slack))
        values = health(state, after, Doubt.AGAINST_ACCOUNT)
        limit = state.accounts[standby].leverage_limit
        return values.net_equity >= values.initial and not leverage_exceeded(values, limit)

    return largest_passing(bears, most)


def swap_of(
    state: State, standby: int, receiver: Receiver, asset: int, form: LegForm, quantity: int
) -> Swap:
    """What moves where a standby takes over so many atoms of a receiver."""
    value = value_of(state, asset, quantity)
    asked = min(state.standbys[standby].premium, state.parameters.waterfall.max_discount)
    rate = min(asked, receiver.rate)
    premium = min(mul_div_down(value, rate, RATIO), receiver.budget)
    shares = 0
    if form is LegForm.CLAIM:
        shares = pools.shares_up(state.pools[asset], receiver.shares, quantity)
    return Swap(
        standby=standby,
        receiver=receiver.account,
        asset=asset,
        form=form,
        quantity=quantity,
        shares=shares,
        value=value,
        rate=rate,
        premium=premium,
        paid=value - premium,
    )


def apply_swap(state: State, kind: Kind, number: int, swap: Swap) -> None:
    """Hand over what a swap moves, each way, and write all of it down."""
    mark = state.mark(swap.asset)
    state.emit(
        StandbySwapped(
            swap=state.next_swap,
            round=number,
            case=kind.case,
            standby=swap.standby,
            receiver=swap.receiver,
            asset=swap.asset,
            mark=mark,
            form=swap.form,
            quantity=swap.quantity,
            shares=swap.shares,
            value=swap.value,
            rate=swap.rate,
            premium=swap.premium,
            paid=swap.paid,
            posted=state.standbys[swap.standby].posted,
        )
    )
    record = Record(Stage.STANDBY, state.next_swap)
    state.next_swap += 1
    record_pools(state, record)
    parties = tuple(sorted((swap.standby, swap.receiver)))
    pairs = touched(state, parties)
    record_parties(state, record, parties, pairs, after=0)
    hand_over(state, swap)
    record_parties(state, record, parties, pairs | touched(state, parties), after=1)
    use(state, swap.standby, swap.value)
    say_posted(state, swap.standby)


def hand_over(state: State, swap: Swap) -> None:
    """The tokens or the claim to the standby, USDC to the receiver; each repays what it can."""
    if swap.form is LegForm.CLAIM:
        pools.transfer_claim(
            state, swap.asset, swap.shares, swap.receiver, swap.standby, Source.ADL_PROVIDER
        )
    else:
        _give(state, swap.asset, swap.quantity, swap.receiver, swap.standby, Source.ADL_PROVIDER)
    _give(state, USDC, swap.paid, swap.standby, swap.receiver, Source.LIQUIDATION_ADL)


def _give(
    state: State, asset: int, quantity: int, giver: int, receiver: int, source: Source
) -> None:
    move(state, asset, quantity, available(giver), available(receiver))
    if debt_of(state, receiver, asset):
        pools.repay(state, receiver, asset, quantity, source)
