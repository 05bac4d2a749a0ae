"""Settlement: one match of an ADL round, planned, then carried out.

A lender gives up x atoms of his claim; a payer is rid of x atoms of debt in the same asset; the
value x * mark goes from the payer's assets to the lender, and nobody's total value changes (A8 to
A11). The payer is the matched borrower in case L, the defaulted borrower or the backstop fund in
case B. Value goes in the settlement order:

1. USDC that is free,
2. USDC that is lent: redeemed while the pool has cash, else the claim itself (always the claim in
   the asset that is settled, whose cash does not move, I25),
3. USDC borrowed, for a healthy payer whose settings allow it, within the pool's limits and his
   health, without an entry fee,
4. other assets in kind at the mark, highest weight first: those that weigh for the lender at least
   as much as the claim he gives up, then, flagged, the lighter ones.

What reaches a lender who owes that asset repays the debt at once. Values round up for the lender;
the difference is less than one atom of the last asset handed over.

`plan_settlement` finds all of this without a change to the state: each leg in order, with its form,
its atoms, the shares of a claim that go and the value it counts for. `apply_settlement` moves
exactly that. A plan knows what its own earlier legs will have done: only the legs in one asset bear
on one another, and all in one asset stand together.

Specification: section 8.5.
"""

from collections.abc import Iterator
from typing import NamedTuple

from solvent.domain.labels import ExpiryReason, LegForm, Source, Stage
from solvent.domain.parameters import USDC
from solvent.domain.units import cover, fine_down, payable, value_down, value_up
from solvent.domain.waterfall_events import AdlLeg, AdlMatched
from solvent.reference.ledger import (
    available,
    claim_of,
    claim_worth,
    debt_of,
    debt_worth,
    imagined_pool,
    move,
)
from solvent.reference.lending import pool as pools
from solvent.reference.limits import largest_passing, pool_refusal
from solvent.reference.margin import Portfolio, health, portfolio_of, weighted_down
from solvent.reference.orderbook.book import expire_all
from solvent.reference.state import Account, Pool, State
from solvent.reference.waterfall.record import Record, record_parties, touched
from solvent.reference.waterfall.sizing import deliverable_value


class Match(NamedTuple):
    """What a round asks of one lender and one debtor; `giver` pays (the debtor, or the fund)."""

    round: int
    number: int
    asset: int
    lender: int
    debtor: int
    giver: int
    quantity: int
    borrow_allowed: bool = False


class Leg(NamedTuple):
    """One thing that the giver hands over: atoms, and the value (10^-6 USDC) they count for.

    `shares` is what the atoms cost the giver's claim: 0 but where `form` is redeemed or claim.
    `lighter` flags what weighs less for the lender than the claim given up for it.
    """

    asset: int
    form: LegForm
    quantity: int
    shares: int
    value: int
    lighter: bool


class Settlement(NamedTuple):
    """The plan of a match: `quantity` atoms settled at `value`, which is the sum of the legs.

    The lender's claim and the debtor's debt fall by so many shares. `ends_orders` says that the
    giver's orders end first, so that what they lock can pay.
    """

    match: Match
    quantity: int
    value: int
    ends_orders: bool
    legs: tuple[Leg, ...]
    lender_shares: int
    debtor_shares: int


def settle(state: State, match: Match) -> int:
    """Carry out `match`, shrunk to what the giver can pay; return the atoms settled."""
    plan = plan_settlement(state, match)
    if plan is None:
        return 0
    apply_settlement(state, plan)
    return plan.quantity


def plan_settlement(state: State, match: Match) -> Settlement | None:
    """How `match` is settled, shrunk to what the giver can pay; None where nothing can be.

    A giver's holdings can fall short of the cap by the rounding of earlier matches only.
    """
    mark, decimals = state.mark(match.asset), state.asset(match.asset).decimals
    owed = min(match.quantity, debt_of(state, match.debtor, match.asset))
    owed = min(owed, claim_of(state, match.lender, match.asset))
    quantity = payable(owed, deliverable_value(state, match.giver), mark, decimals)
    if quantity == 0:
        return None
    payment = _Payment(state, match, quantity, value_up(quantity, mark, decimals))
    payment.find_legs()
    value = payment.value
    if payment.left:
        # Share rounding of a partly redeemed claim can leave a giver of everything short.
        value -= payment.left
        quantity = payable(quantity, value, mark, decimals)
    pool = state.pools[match.asset]
    lent = state.accounts[match.lender].lent_shares[match.asset] + payment.lent_on()
    return Settlement(
        match=match,
        quantity=quantity,
        value=value,
        ends_orders=payment.ends_orders,
        legs=tuple(payment.legs),
        lender_shares=pools.shares_up(pool, lent, quantity),
        debtor_shares=pools.repay_shares_down(state, match.debtor, match.asset, quantity)[0],
    )


class _Payment:
    """The legs of one match as they are found; `left` of its value is still to be paid."""

    def __init__(self, state: State, match: Match, quantity: int, value: int) -> None:
        self.state = state
        self.match = match
        self.quantity = quantity
        self.value = self.left = value
        self.legs: list[Leg] = []
        self.ends_orders = _must_end_orders(state, match.giver, value)

    @property
    def giver(self) -> Account:
        """Who pays."""
        return self.state.accounts[self.match.giver]

    def lent_on(self) -> int:
        """Shares of claims in the asset that is settled which the lender gains by the legs."""
        if self.match.giver == self.match.lender:
            return 0
        return sum(leg.shares for leg in self.legs if leg.asset == self.match.asset)

    def find_legs(self) -> None:
        """Find legs in the settlement order until the match is paid."""
        self._pay_with(USDC)
        if self.left and _may_borrow(self.state, self.match):
            self._pay_with_a_borrow()
        lender = portfolio_of(self.state, self.match.lender)
        claim_weight = _collateral_gain(self.state, lender, self.match.asset, -self.quantity)
        lighter = []
        for asset in _in_kind_order(self.state):
            if self.left == 0:
                return
            if self._weighs_enough(asset, lender, claim_weight):
                self._pay_with(asset)
            else:
                lighter.append(asset)
        for asset in lighter:
            if self.left:
                self._pay_with(asset, lighter=True)

    def _free(self, asset: int) -> int:
        """Atoms that the giver has free, once its orders ended where they do."""
        locked = self.giver.locked[asset] if self.ends_orders else 0
        return self.giver.available[asset] + locked

    def _weighs_enough(self, asset: int, lender: Portfolio, claim_weight: int) -> bool:
        """Whether this asset, at the size it would be paid in, weighs at least what the claim does.

        What repays a debt of the lender, whose portfolio is given, counts in full, the rest as the
        collateral it becomes.
        """
        state, match = self.state, self.match
        mark, decimals = state.mark(asset), state.asset(asset).decimals
        held = self._free(asset) + claim_of(state, match.giver, asset)
        quantity, value = cover(held, self.left, mark, decimals)
        repaid = min(quantity, debt_of(state, match.lender, asset))
        gain = fine_down(repaid, mark, decimals)
        gain += _collateral_gain(state, lender, asset, quantity - repaid)
        return gain * self.value >= claim_weight * value

    def _pay_with(self, asset: int, *, lighter: bool = False) -> None:
        """Pay with one asset: free tokens, then the claim, redeemed where the pool has cash."""
        pool, held = self.state.pools[asset], self.giver.lent_shares[asset]
        free = self._portion(asset, self._free(asset))
        self._count(asset, LegForm.AVAILABLE, free, 0, lighter=lighter)
        claim = self._portion(asset, claim_worth(pool, held))
        cash = min(claim, self._redeemable(asset, free))
        shares = pools.shares_up(pool, held, cash) if cash else 0
        self._count(asset, LegForm.REDEEMED, cash, shares, lighter=lighter)
        held -= shares
        claim = self._portion(asset, claim_worth(pool, held))
        shares = pools.shares_up(pool, held, claim) if claim else 0
        self._count(asset, LegForm.CLAIM, claim, shares, lighter=lighter)

    def _portion(self, asset: int, held: int) -> int:
        """Atoms of `held` that the rest of the payment needs."""
        decimals = self.state.asset(asset).decimals
        return cover(held, self.left, self.state.mark(asset), decimals)[0] if self.left else 0

    def _redeemable(self, asset: int, free: int) -> int:
        """Atoms that the pool pays out, once `free` tokens repaid the lender's debt in it.

        None of the asset that is settled, and none while the lender owes it: a claim nets better.
        """
        pool = self.state.pools[asset]
        owed = self.state.accounts[self.match.lender].debt_shares[asset]
        repaid, _ = pools.repaid_by(pool, owed, free)
        if asset == self.match.asset or repaid < owed:
            return 0
        return pools.redeemable(imagined_pool(pool, pool.lend_shares, pool.debt_shares - repaid))

    def _count(
        self, asset: int, form: LegForm, quantity: int, shares: int, *, lighter: bool
    ) -> None:
        """Add a leg, if there is anything in it, and count it against what is left to be paid."""
        if not quantity:
            return
        decimals = self.state.asset(asset).decimals
        counted = cover(quantity, self.left, self.state.mark(asset), decimals)[1]
        self.left -= counted
        self.legs.append(Leg(asset, form, quantity, shares, counted, lighter))

    def _pay_with_a_borrow(self) -> None:
        """Borrow USDC for the rest, as far as the pool lends and the giver's health bears it."""
        state = self.state
        if self.match.asset == USDC:
            return
        given = sum(leg.shares for leg in self.legs)
        own = self.giver.lent_shares[USDC] - given
        pool = self._usdc_pool()
        assert claim_worth(pool, own) == 0, "who borrows has given all of its own claim"
        quantity = largest_passing(
            lambda amount: pool_refusal(state, USDC, pool, own, amount) is None, self.left
        )
        if quantity and not self._borrowing_hurts(quantity):
            self._count(USDC, LegForm.BORROWED, quantity, 0, lighter=False)

    def _usdc_pool(self) -> Pool:
        """The pool of USDC as the legs found so far, all in USDC, will leave it."""
        pool = self.state.pools[USDC]
        owed = left = self.state.accounts[self.match.lender].debt_shares[USDC]
        taken = 0
        for leg in self.legs:
            if leg.form is LegForm.AVAILABLE:
                left -= pools.repaid_by(pool, left, leg.quantity)[0]
            elif leg.form is LegForm.REDEEMED:
                taken += leg.shares
            else:
                netted = min(claim_worth(pool, leg.shares), debt_worth(pool, left))
                taken += pools.shares_up(pool, leg.shares, netted) if netted else 0
                left -= pools.repaid_by(pool, left, netted)[0]
        return imagined_pool(pool, pool.lend_shares - taken, pool.debt_shares - (owed - left))

    def _borrowing_hurts(self, quantity: int) -> bool:
        """Whether swapping this much of the debt for a USDC debt would lower the giver's health."""
        state, match = self.state, self.match
        before = portfolio_of(state, match.giver)
        before.quantities[USDC] = sum(self._kept_of_usdc())
        if self.ends_orders:
            before.unfunded = [0] * len(before.unfunded)
        after = before.copy()
        mark, decimals = state.mark(match.asset), state.asset(match.asset).decimals
        after.debts[match.asset] -= payable(after.debts[match.asset], quantity, mark, decimals)
        after.debts[USDC] += quantity + 1
        return health(state, after).surplus < health(state, before).surplus

    def _kept_of_usdc(self) -> Iterator[int]:
        """What the giver keeps of USDC: free and locked balance less what the legs take of it."""
        yield self.giver.available[USDC]
        yield self.giver.locked[USDC]
        yield from (-leg.quantity for leg in self.legs if leg.form is LegForm.AVAILABLE)


def _may_borrow(state: State, match: Match) -> bool:
    """Whether this match and the giver's settings allow a payment in borrowed USDC."""
    return match.borrow_allowed and state.accounts[match.giver].auto_borrow_settlements


def _must_end_orders(state: State, giver: int, value: int) -> bool:
    """Whether the giver's orders lock what its free and lent assets lack: no escape (A10)."""
    holder = state.accounts[giver]
    if not holder.open_orders:
        return False
    unlocked = 0
    for asset, parameters in enumerate(state.parameters.assets):
        if not state.prices[asset].stale:
            quantity = holder.available[asset] + claim_of(state, giver, asset)
            unlocked += value_down(quantity, state.mark(asset), parameters.decimals)
    return unlocked < value


def _in_kind_order(state: State) -> Iterator[int]:
    """Assets but USDC at fresh prices, highest weight first, ties by number."""
    order = sorted(
        range(1, len(state.pools)), key=lambda asset: (-state.asset(asset).haircut.weight, asset)
    )
    return (asset for asset in order if not state.prices[asset].stale)


def _collateral_gain(state: State, portfolio: Portfolio, asset: int, change: int) -> int:
    """How much collateral value `change` atoms make at the size held: absolute, after haircut."""
    parameters, mark = state.asset(asset), state.mark(asset)
    held = portfolio.quantities[asset]
    before = weighted_down(parameters, held, mark)
    return abs(weighted_down(parameters, held + change, mark) - before)


def apply_settlement(state: State, plan: Settlement) -> None:
    """Hand the legs of a plan over, let claim and debt fall, and write all of it down."""
    match = plan.match
    assert plan.quantity <= match.quantity, "no more is settled than was asked (A11, I22)"
    assert sum(leg.value for leg in plan.legs) == plan.value, "the legs pay the value (A8, I23)"
    assert all(leg.quantity > 0 and leg.value >= 0 and leg.shares >= 0 for leg in plan.legs)
    parties = tuple(sorted({match.lender, match.debtor, match.giver}))
    record = Record(Stage.ADL, match.round, match.number)
    pairs = touched(state, parties)
    record_parties(state, record, parties, pairs, after=0)
    if plan.ends_orders:
        expire_all(state, match.giver, ExpiryReason.ADL_SETTLEMENT)
    for leg in plan.legs:
        _apply_leg(state, match, leg)
    shares = pools.cancel(
        state,
        match.asset,
        plan.quantity,
        lender=match.lender,
        borrower=match.debtor,
    )
    assert shares == (plan.lender_shares, plan.debtor_shares), "claim and debt fall as planned (A9)"
    state.emit(
        AdlMatched(
            round=match.round,
            match=match.number,
            lender=match.lender,
            payer=match.debtor,
            giver=match.giver,
            asset=match.asset,
            mark=state.mark(match.asset),
            quantity=plan.quantity,
            value=plan.value,
            claim_shares=plan.lender_shares,
            debt_shares=plan.debtor_shares,
            borrow_allowed=int(_may_borrow(state, match)),
        )
    )
    record_parties(state, record, parties, pairs | touched(state, parties), after=1)


def _apply_leg(state: State, match: Match, leg: Leg) -> None:
    """Hand one leg over, which repays at once what the lender owes of its asset."""
    giver, lender, asset = match.giver, match.lender, leg.asset
    if leg.form is LegForm.REDEEMED:
        shares = pools.redeem(state, giver, asset, leg.quantity, Source.ADL_PROVIDER)
        assert shares == leg.shares, "a claim is redeemed as planned"
    elif leg.form is LegForm.BORROWED:
        pools.borrow(state, giver, asset, leg.quantity, Source.RECONCILIATION)
    claim = leg.form is LegForm.CLAIM
    state.emit(
        AdlLeg(
            round=match.round,
            match=match.number,
            giver=giver,
            receiver=lender,
            asset=asset,
            mark=state.mark(asset),
            form=leg.form,
            quantity=leg.quantity,
            value=leg.value,
            shares=leg.shares if claim else 0,
            lighter=int(leg.lighter),
        )
    )
    if claim:
        pools.transfer_claim(state, asset, leg.shares, giver, lender, Source.ADL_PROVIDER)
        return
    move(state, asset, leg.quantity, available(giver), available(lender))
    if debt_of(state, lender, asset):
        pools.repay(state, lender, asset, leg.quantity, Source.LIQUIDATION_ADL)
