"""Settlement: one match of an ADL round, planned, then carried out.

A lender gives up x atoms of his claim; a payer is rid of x atoms of debt in the same asset; the
value x * mark goes from the payer to the lender, and nobody's total value changes but by the stated
fee (A8 to A11). Where opposites are closed the lender gives up tokens instead, which repay the
payer's debt. The giver is the payer himself, or the backstop fund for one in default.

A match is paid in one asset, and which of its forms count follows from the tier (`FORMS`): free
tokens first, then those that orders lock (every order that pays with the asset ends), then the
claim, which is redeemed as far as the pool has cash, or handed over. The settled asset's own cash
never moves by it (I25). What reaches a lender who owes that asset repays the debt at once.

`plan_settlement` finds all of this without a change to the state: each leg in order, with its form,
its atoms, the shares of a claim that go and the value it counts for. `apply_settlement` moves
exactly that.

Specification: section 8.5.
"""

from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from solvent.domain.labels import AdlCase, ExpiryReason, LegForm, Source, Stage, Tier
from solvent.domain.parameters import USDC
from solvent.domain.units import mul_div_down, mul_div_up, payable, value_down
from solvent.domain.waterfall_events import AdlLeg, AdlMatched
from solvent.reference.ledger import available, claim_of, claim_worth, debt_of, move
from solvent.reference.lending import pool as pools
from solvent.reference.limits import largest_passing, pool_refusal
from solvent.reference.margin import Doubt, Portfolio, health, portfolio_of
from solvent.reference.orderbook.book import expire_paying
from solvent.reference.state import FUND, State
from solvent.reference.waterfall.record import Record, record_parties, touched

FORMS = {
    Tier.OWED: (LegForm.AVAILABLE, LegForm.CLAIM),
    Tier.CASH: (LegForm.AVAILABLE, LegForm.REDEEMED),
    Tier.IN_KIND: (LegForm.AVAILABLE, LegForm.REDEEMED),
    Tier.FLAGGED: (LegForm.AVAILABLE, LegForm.REDEEMED, LegForm.CLAIM),
    Tier.LAST: (LegForm.AVAILABLE, LegForm.REDEEMED, LegForm.CLAIM),
}
"""In which forms a tier is paid: a claim on what the receiver owes cancels inside the pool."""


class Means(NamedTuple):
    """What a round is paid in: the tier, the asset, and whether the payer borrows it."""

    tier: Tier
    asset: int
    borrowed: bool = False


class Match(NamedTuple):
    """What a round asks of one lender and one debtor; `giver` pays (the debtor, or the fund).

    For `quantity` atoms of `asset` the lender gets `pay` atoms of what the round is paid in, which
    count for `value` (10^-6 USDC). `fee` is the side's, in 10^-6 USDC: where it is paid in USDC for
    a default it goes to the fund besides, else `value` has it in already.
    """

    round: int
    number: int
    case: AdlCase
    asset: int
    lender: int
    debtor: int
    giver: int
    means: Means
    quantity: int
    fee: int = 0
    value: int = 0
    pay: int = 0

    @property
    def fund_fee(self) -> int:
        """Atoms of USDC that go to the fund."""
        in_cash = self.case is AdlCase.BORROWER_DEFAULT and self.means.asset == USDC
        return self.fee if in_cash else 0


class Leg(NamedTuple):
    """One thing that is handed over: atoms, and the value (10^-6 USDC) they count for.

    `shares` is what the atoms cost the giver's claim: 0 but where `form` is redeemed or claim.
    """

    giver: int
    receiver: int
    asset: int
    form: LegForm
    quantity: int
    shares: int
    value: int


class Settlement(NamedTuple):
    """The plan of a match: `quantity` atoms settled at `value`, the sum of the lender's legs.

    The lender's claim and the debtor's debt fall by so many shares. `ends_orders` says that the
    giver's orders that pay with the asset end first.
    """

    match: Match
    quantity: int
    value: int
    fee: int
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


def means_worth(state: State, account: int, settled: int, means: Means) -> int:
    """Value at the mark, down, of what an account can pay in; all of a pool's cash counts."""
    if state.prices[means.asset].stale or means.borrowed:
        return 0
    holder = state.accounts[account]
    quantity = holder.available[means.asset] + holder.locked[means.asset]
    quantity += _claim_counted(state, account, settled, means)
    return value_down(quantity, state.mark(means.asset), state.asset(means.asset).decimals)


def _claim_counted(state: State, account: int, settled: int, means: Means) -> int:
    """Atoms of the payer's claim that the tier lets him pay with."""
    claim = claim_of(state, account, means.asset)
    if LegForm.CLAIM in FORMS[means.tier]:
        return claim
    return min(claim, _cash(state, settled, means))


def _cash(state: State, settled: int, means: Means) -> int:
    """Atoms that the pool pays out for a match; none of the asset that is settled (I25)."""
    if LegForm.REDEEMED not in FORMS[means.tier] or means.asset == settled:
        return 0
    return pools.redeemable(state.pools[means.asset])


def borrowable(state: State, account: int, asset: int, value: int) -> int:
    """USDC that an account may borrow to be rid of as much debt in `asset`, at most `value`.

    Its settings must allow it, the pool must lend it, and its health must not fall by it.
    """
    holder = state.accounts[account]
    if not holder.auto_borrow_settlements or asset == USDC or claim_of(state, account, USDC):
        return 0
    pool = state.pools[USDC]
    amount = largest_passing(lambda one: pool_refusal(state, USDC, pool, 0, one) is None, value)
    before = portfolio_of(state, account)
    after = before.copy()
    mark, decimals = state.mark(asset), state.asset(asset).decimals
    after.debts[asset] -= payable(after.debts[asset], amount, mark, decimals)
    after.debts[USDC] += amount + 1
    return amount if _surplus(state, after) >= _surplus(state, before) else 0


def _surplus(state: State, portfolio: Portfolio) -> int:
    return health(state, portfolio).surplus


def stays_healthy(
    state: State, lender: int, asset: int, quantity: int, paid_in: int, pay: int
) -> bool:
    """Whether a swap of `quantity` of his claim for `pay` leaves the lender above maintenance."""
    after = portfolio_of(state, lender)
    after.quantities[asset] -= quantity
    after.receive(paid_in, pay)
    return not health(state, after, Doubt.FOR_ACCOUNT).liquidatable


def unhurt(state: State, lender: int, asset: int, quantity: int, paid_in: int, pay: int) -> bool:
    """Whether the lender's NE - M does not fall by a swap of `quantity` of his claim for `pay`."""
    before = portfolio_of(state, lender)
    after = before.copy()
    after.quantities[asset] -= quantity
    after.receive(paid_in, pay)
    return _surplus(state, after) >= _surplus(state, before)


def plan_settlement(state: State, match: Match) -> Settlement | None:
    """How `match` is settled, shrunk to what the giver can pay; None where nothing can be.

    A giver can lack what was allotted to him by the rounding of earlier matches, or where earlier
    matches took a pool's cash. What must not hurt is asked again at the size that it came to.
    """
    owed = min(match.quantity, debt_of(state, match.debtor, match.asset), _given_up(state, match))
    # Down: a payer has rounded up once, for all of his matches together.
    wanted = mul_div_down(match.pay, owed, match.quantity)
    fee = mul_div_down(match.fee, owed, match.quantity)
    legs = list(_legs(state, match, wanted, fee))
    quantity, given = owed, _given(match, legs, wanted)
    if given < wanted:
        # No more is given than what can be settled of it is worth.
        quantity = mul_div_down(owed, given, wanted)
        wanted = mul_div_down(match.pay, quantity, match.quantity)
        fee = mul_div_down(match.fee, quantity, match.quantity)
        legs = list(_legs(state, match, wanted, fee))
        given = _given(match, legs, wanted)
    if quantity == 0 or given == 0:
        return None
    in_kind = match.means.tier is Tier.IN_KIND
    swap = match.lender, match.asset, quantity, match.means.asset, given
    if in_kind and not unhurt(state, *swap):
        return None
    value = mul_div_up(match.value, quantity, match.quantity)
    if match.fund_fee:
        # As much of it as the giver has: the lender comes first, and a pool's cash can end there.
        fee = sum(leg.quantity for leg in legs) - given
    legs = _valued(state, legs, given, value)
    if match.case is AdlCase.OPPOSITES:
        tokens = LegForm.AVAILABLE, quantity, 0, value + fee
        legs.append(Leg(match.lender, match.debtor, match.asset, *tokens))
    return Settlement(
        match=match,
        quantity=quantity,
        value=value,
        fee=fee,
        ends_orders=_ends_orders(state, match, wanted),
        legs=tuple(legs),
        lender_shares=_lender_shares(state, match, quantity, legs),
        debtor_shares=_debtor_shares(state, match, quantity),
    )


def _given(match: Match, legs: list[Leg], wanted: int) -> int:
    """Atoms that go to the lender for his claim; to the fund as a lender goes the fee as well."""
    return min(wanted, sum(leg.quantity for leg in legs if leg.receiver == match.lender))


def _given_up(state: State, match: Match) -> int:
    """Atoms that the lender has to give up: tokens where opposites are closed, else the claim."""
    if match.case is AdlCase.OPPOSITES:
        return state.accounts[match.lender].available[match.asset]
    return claim_of(state, match.lender, match.asset)


def _lender_shares(state: State, match: Match, quantity: int, legs: list[Leg]) -> int:
    """Shares of the lender's claim that fall, once the legs brought him any in that asset."""
    if match.case is AdlCase.OPPOSITES:
        return 0
    lent = state.accounts[match.lender].lent_shares[match.asset]
    if match.giver != match.lender:
        lent += sum(leg.shares for leg in legs if leg.asset == match.asset)
    return pools.shares_up(state.pools[match.asset], lent, quantity)


def _debtor_shares(state: State, match: Match, quantity: int) -> int:
    """Shares of the debt that fall against the claim; tokens of opposites repay it instead."""
    if match.case is AdlCase.OPPOSITES:
        return 0
    return pools.repay_shares_down(state, match.debtor, match.asset, quantity)[0]


def _ends_orders(state: State, match: Match, wanted: int) -> bool:
    """Whether the giver's orders lock what his free tokens lack: no escape (A10)."""
    holder, asset = state.accounts[match.giver], match.means.asset
    if match.means.borrowed or not holder.locked[asset]:
        return False
    return holder.available[asset] < wanted + match.fund_fee


def _legs(state: State, match: Match, wanted: int, fee: int) -> Iterator[Leg]:
    """What goes to the lender, `wanted` atoms if there are as many, then the fee, if the fund's."""
    giver, means = state.accounts[match.giver], match.means
    asset, forms = means.asset, FORMS[means.tier]
    if means.borrowed:
        quantity = borrowable(state, match.giver, match.asset, wanted)
        if quantity:
            yield Leg(match.giver, match.lender, asset, LegForm.BORROWED, quantity, 0, 0)
        return
    locked = giver.locked[asset] if _ends_orders(state, match, wanted) else 0
    left = {LegForm.AVAILABLE: giver.available[asset] + locked}
    left[LegForm.REDEEMED] = _cash(state, match.asset, means)
    pool, held = state.pools[asset], giver.lent_shares[asset]
    for receiver, due in ((match.lender, wanted), (FUND, fee if match.fund_fee else 0)):
        rest = due
        for form in forms:
            most = rest if form is LegForm.CLAIM else min(rest, left[form])
            quantity = most if form is LegForm.AVAILABLE else min(most, claim_worth(pool, held))
            if quantity:
                shares = 0
                if form is not LegForm.AVAILABLE:
                    shares = pools.shares_up(pool, held, quantity)
                yield Leg(match.giver, receiver, asset, form, quantity, shares, 0)
                rest -= quantity
                held -= shares
                if form is not LegForm.CLAIM:
                    left[form] -= quantity


def _valued(state: State, legs: list[Leg], given: int, value: int) -> list[Leg]:
    """The legs with what they count for: those of the `given` atoms make up `value`.

    The last of them counts the rest. The fund's fee comes after it, also where the fund is the
    lender.
    """
    found: list[Leg] = []
    left = value
    atoms = accumulate(leg.quantity for leg in legs)
    last = next(place for place, so_far in enumerate(atoms) if so_far >= given)
    for place, leg in enumerate(legs):
        worth = value_down(leg.quantity, state.mark(leg.asset), state.asset(leg.asset).decimals)
        counted = worth
        if place <= last:
            counted = left if place == last else min(left, worth)
            left -= counted
        found.append(leg._replace(value=counted))
    return found


def apply_settlement(state: State, plan: Settlement) -> None:
    """Hand the legs of a plan over, let claim and debt fall, and write all of it down."""
    match = plan.match
    assert plan.quantity <= match.quantity, "no more is settled than was asked (A11, I22)"
    assert all(leg.quantity > 0 and leg.value >= 0 and leg.shares >= 0 for leg in plan.legs)
    paid = sum(leg.value for leg in plan.legs if leg.receiver == match.lender)
    assert paid - plan.value in (0, plan.fee), "the legs pay the value (A8, I23)"
    parties = {match.lender, match.debtor, match.giver}
    parties |= {leg.receiver for leg in plan.legs}
    everyone = tuple(sorted(parties))
    record = Record(Stage.ADL, match.round, match.number)
    pairs = touched(state, everyone)
    record_parties(state, record, everyone, pairs, after=0)
    if plan.ends_orders:
        expire_paying(state, match.giver, match.means.asset, ExpiryReason.ADL_SETTLEMENT)
    for leg in plan.legs:
        _apply_leg(state, match, leg)
    shares = 0, 0
    if match.case is not AdlCase.OPPOSITES:
        shares = pools.cancel(
            state, match.asset, plan.quantity, lender=match.lender, borrower=match.debtor
        )
    assert shares == (plan.lender_shares, plan.debtor_shares), "both fall as planned (A9)"
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
            fee=plan.fee,
            claim_shares=plan.lender_shares,
            debt_shares=plan.debtor_shares,
        )
    )
    record_parties(state, record, everyone, pairs | touched(state, everyone), after=1)


def _apply_leg(state: State, match: Match, leg: Leg) -> None:
    """Hand one leg over, which repays at once what the receiver owes of its asset."""
    giver, receiver, asset = leg.giver, leg.receiver, leg.asset
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
            receiver=receiver,
            asset=asset,
            mark=state.mark(asset),
            form=leg.form,
            quantity=leg.quantity,
            value=leg.value,
            shares=leg.shares if claim else 0,
            tier=match.means.tier,
        )
    )
    if claim:
        pools.transfer_claim(state, asset, leg.shares, giver, receiver, Source.ADL_PROVIDER)
        return
    move(state, asset, leg.quantity, available(giver), available(receiver))
    if debt_of(state, receiver, asset):
        own = receiver == match.lender
        source = Source.LIQUIDATION_ADL if own else Source.ADL_PROVIDER
        pools.repay(state, receiver, asset, leg.quantity, source)
