"""Canaries: a bug each, planted in one function of the reference engine, and what notices it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from solvent.domain.commands import ChangeParameter, PlaceOrder, TimeStep, UpdatePrice
from solvent.domain.labels import Reason, Source
from solvent.domain.parameters import PoolParameters
from solvent.domain.rejections import Limit, Refusal
from solvent.domain.units import (
    HOUR,
    INDEX_SCALE,
    RATIO,
    mul_div_down,
    mul_div_up,
    quantity_up,
)
from solvent.reference import clock, dispatch, governance, ledger, limits, margin, oracle, prices
from solvent.reference.lending import interest, pool, rates, throttle, wallet
from solvent.reference.orderbook import book, depth, matching, orders
from solvent.reference.standby import posted, relief
from solvent.reference.state import Order, Pool, State
from solvent.reference.waterfall import (
    adl,
    backstop,
    book_stage,
    bookings,
    clearing,
    default,
    insolvency,
    liquidation,
    opposites,
    rounds,
    settlement,
    sizing,
)
from solvent.reference.waterfall.policies import Candidate
from solvent.reference.waterfall.settlement import Means
from tests.simulator import populations
from tests.simulator.planting import canary


@canary("I4", within=500)
def lend_shares_round_up(patch: pytest.MonkeyPatch) -> None:
    def wrong(state: State, asset: int, quantity: int) -> int:
        return mul_div_up(quantity, INDEX_SCALE, state.pools[asset].lend_index)

    patch.setattr(pool, "lend_shares_down", wrong)


@canary("I4", within=6000, first_seed=1)
def redeem_shares_round_down(patch: pytest.MonkeyPatch) -> None:
    def wrong(state: State, account: int, asset: int, quantity: int) -> int:
        if quantity >= ledger.claim_of(state, account, asset):
            return state.accounts[account].lent_shares[asset]
        return mul_div_down(quantity, INDEX_SCALE, state.pools[asset].lend_index)

    patch.setattr(pool, "claim_shares_up", wrong)


@canary("I4", within=1500, first_seed=1)
def repayment_costs_round_down(patch: pytest.MonkeyPatch) -> None:
    right = pool.repay_shares_down

    def wrong(state: State, account: int, asset: int, quantity: int) -> tuple[int, int]:
        shares, _ = right(state, account, asset, quantity)
        index = state.pools[asset].debt_index
        return shares, mul_div_down(shares, index, INDEX_SCALE)

    patch.setattr(pool, "repay_shares_down", wrong)


@canary("I44", "I6", within=1500)
def an_hour_in_five_is_not_charged(patch: pytest.MonkeyPatch) -> None:
    right = interest.accrue_pool

    def wrong(state: State, asset: int, elapsed: int) -> None:
        if state.hour() % 5:
            right(state, asset, elapsed)

    patch.setattr(interest, "accrue_pool", wrong)


@canary("I44", within=1500)
def a_whole_hour_is_charged_at_once(patch: pytest.MonkeyPatch) -> None:
    right = interest.accrue_pool
    patch.setattr(interest, "accrue_pool", lambda state, asset, _: right(state, asset, HOUR))


@canary("I44", within=1500)
def every_step_compounds(patch: pytest.MonkeyPatch) -> None:
    right = interest.accrue_pool

    def wrong(state: State, asset: int, elapsed: int) -> None:
        right(state, asset, elapsed)
        pool = state.pools[asset]
        pool.debt_base, pool.base_ahead = pool.debt_index, 0

    patch.setattr(interest, "accrue_pool", wrong)


@canary("I6", "I44", within=1500)
def the_rate_ignores_the_kink(patch: pytest.MonkeyPatch) -> None:
    right = rates.borrow_apr
    patch.setattr(interest, "borrow_apr", lambda parameters, level: right(parameters, level // 2))


@canary("I6", within=1500)
def the_pool_forgets_its_fee(patch: pytest.MonkeyPatch) -> None:
    right = interest._share

    def wrong(state: State, asset: int, grown: int) -> None:
        fees = state.pools[asset].fees
        right(state, asset, grown)
        state.pools[asset].fees = fees

    patch.setattr(interest, "_share", wrong)


@canary("I6", within=1500)
def what_lenders_are_owed_is_not_carried(patch: pytest.MonkeyPatch) -> None:
    right = interest._pay_lenders

    def wrong(state: State, asset: int, earned: int) -> None:
        state.pools[asset].unpaid = 0
        right(state, asset, earned)

    patch.setattr(interest, "_pay_lenders", wrong)


@canary("I43", within=6000)
def shares_outgrow_an_atom(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(interest, "_double_debts", lambda *_: None)


@canary("I43", population=populations.MOST_IS_LOST)
def shares_are_not_halved_after_a_loss(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pool, "halve_claims", lambda *_: None)


@canary("I44", within=1500)
def an_entry_costs_an_atom_more(patch: pytest.MonkeyPatch) -> None:
    right = pool.pool_terms

    def wrong(of: Pool, own: int, quantity: int) -> pool.BorrowTerms:
        terms = right(of, own, quantity)
        return terms._replace(shares=terms.shares + 4)

    patch.setattr(pool, "pool_terms", wrong)


@canary("A13", population=populations.AT_MAINTENANCE)
def maintenance_is_off_by_one(patch: pytest.MonkeyPatch) -> None:
    def wrong(values: margin.Health) -> bool:
        return values.debts_value > 0 and values.net_equity < values.maintenance

    patch.setattr(margin.Health, "liquidatable", property(wrong))


@canary("I12", within=15_000, first_seed=5)
def withdrawals_ignore_the_throttle(patch: pytest.MonkeyPatch) -> None:
    right = wallet.Funding.refusal

    def wrong(self: wallet.Funding, *, redeem: bool, borrow: bool) -> Refusal | None:
        refusal = right(self, redeem=redeem, borrow=borrow)
        throttled = refusal is not None and refusal.limit is Limit.UTILIZATION_BOUND
        return None if throttled else refusal

    patch.setattr(wallet.Funding, "refusal", wrong)


@canary("I12", "I3", within=3000)
def borrowing_ignores_the_bound(patch: pytest.MonkeyPatch) -> None:
    right = limits.borrow_refusal

    def wrong(state: State, asset: int, quantity: int, redeemed: int = 0) -> Refusal | None:
        refusal = right(state, asset, quantity, redeemed)
        loose = (Limit.UTILIZATION_BOUND, Limit.POOL_CASH)
        return None if refusal is not None and refusal.limit in loose else refusal

    patch.setattr(wallet, "borrow_refusal", wrong)


@canary("I13", within=3000)
def the_bound_creeps_too_fast(patch: pytest.MonkeyPatch) -> None:
    right = throttle.bound_by_rule

    def wrong(parameters: PoolParameters, level: int) -> int:
        return min(parameters.max_utilization, right(parameters, level) + RATIO // 100)

    patch.setattr(throttle, "bound_by_rule", wrong)


@canary("I22", within=15_000, first_seed=30)
def adl_takes_more_than_the_loan(patch: pytest.MonkeyPatch) -> None:
    right = adl.payer_of

    def wrong(state: State, account: int, asset: int, means: Means) -> Candidate | None:
        found = right(state, account, asset, means)
        return found._replace(cap=2 * found.cap) if found else None

    patch.setattr(adl, "payer_of", wrong)
    patch.setattr(opposites, "payer_of", wrong)


@canary("I23", within=15_000)
def the_lender_is_overpaid(patch: pytest.MonkeyPatch) -> None:
    right = rounds.value_of

    def wrong(state: State, asset: int, quantity: int) -> int:
        value = right(state, asset, quantity)
        return value + value // 100

    patch.setattr(rounds, "value_of", wrong)


@canary("I23", "I24", within=15_000)
def legs_are_priced_off_the_mark(patch: pytest.MonkeyPatch) -> None:
    def wrong(value: int, price: int, decimals: int) -> int:
        return quantity_up(value, price + price // 50, decimals)

    patch.setattr(rounds, "quantity_up", wrong)


@canary("I23", "I40", within=15_000)
def a_closer_pays_more_than_he_owes(patch: pytest.MonkeyPatch) -> None:
    def wrong(value: int, price: int, decimals: int) -> int:
        return quantity_up(value, price, decimals) + 2

    patch.setattr(rounds, "quantity_up", wrong)


@canary("I40", population=populations.PAID_IN_LIGHTER_TOKENS)
def a_leg_that_hurts_is_not_flagged(patch: pytest.MonkeyPatch) -> None:
    for module in (adl, default, settlement):
        patch.setattr(module, "unhurt", lambda *_: True)


@canary("I40", population=populations.AN_OPPOSITE_HAS_CASH)
def opposites_cost_twice_the_fee(patch: pytest.MonkeyPatch) -> None:
    right = sizing.fee_rate

    def wrong(state: State, account: int, asset: int, debt: int, most: int) -> int:
        return 2 * right(state, account, asset, debt, most)

    patch.setattr(opposites, "fee_rate", wrong)


@canary("I15", within=15_000)
def adl_comes_before_the_backstop(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(liquidation, "take_over", lambda *_: Reason.NO_BACKSTOP_CAPACITY)


@canary("I31", "I38", "I10", "I45", within=15_000)
def deficits_are_not_booked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(liquidation, "book_losses", lambda *_: None)


@canary("I38", within=15_000)
def the_largest_debt_bears_all(patch: pytest.MonkeyPatch) -> None:
    right = clearing.write_offs

    def wrong(*asked: Any) -> list[clearing.WriteOff]:
        written = right(*asked)
        return sorted(written, key=lambda each: each.shares)[-1:] if len(written) > 1 else written

    patch.setattr(bookings, "write_offs", wrong)


@canary("I38", population=populations.A_LOSS_SPREADS)
def a_gate_forgets_who_it_makes_insolvent(patch: pytest.MonkeyPatch) -> None:
    right = insolvency.insolvent_among

    def wrong(
        state: State, accounts: Iterable[int], indices: list[int], *, waiting: bool
    ) -> list[int]:
        first = indices == [each.lend_index for each in state.pools]
        return right(state, accounts, indices, waiting=waiting) if first else []

    patch.setattr(clearing, "insolvent_among", wrong)


@canary("I38", population=populations.THE_INSOLVENT_REPAY)
def the_insolvent_choose_whom_they_repay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(wallet, "waits_for_booking", lambda *_: False)


@canary("I30", population=populations.LENDERS_WOULD_LEAVE)
def lenders_leave_before_the_loss(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(limits, "gated", lambda *_: False)


@canary("I46", population=populations.SOMEBODY_STANDS_BY)
def the_cheapest_standby_is_passed_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(relief, "queue", lambda state: posted.queue(state)[1:])


@canary("I40", population=populations.SOMEBODY_STANDS_BY)
def a_standby_is_paid_what_the_lender_cannot_bear(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(relief, "_bearable", lambda *_: RATIO)


@canary("I20", within=1500)
def cancelling_keeps_the_lock(patch: pytest.MonkeyPatch) -> None:
    right = book.remove

    def wrong(state: State, order: Order) -> None:
        locked = order.locked
        right(state, order)
        asset = book.pays_with(order.side, order.asset)
        holder = state.accounts[order.account]
        holder.available[asset] -= locked
        holder.locked[asset] += locked

    patch.setattr(book, "remove", wrong)


@canary("I27", within=5000)
def later_orders_come_first(patch: pytest.MonkeyPatch) -> None:
    right = book.insert

    def wrong(state: State, order: Order) -> None:
        right(state, order)
        ids = book.side_of(state, order.asset, order.side)
        ids.sort(key=lambda other: (abs(state.orders[other].price - order.price), -other))

    patch.setattr(orders, "insert", wrong)


@canary("I14", within=15_000, first_seed=8)
def stale_prices_liquidate(patch: pytest.MonkeyPatch) -> None:
    def wrong(state: State, account: int) -> bool:
        return margin.health_of(state, account).liquidatable

    patch.setattr(liquidation, "liquidatable", wrong)


@canary("I12", population=populations.A_PROVIDER_HAS_LITTLE)
def providers_go_below_initial_margin(patch: pytest.MonkeyPatch) -> None:
    def wrong(state: State, offer: backstop.Offer, provider: int) -> int:
        return min(offer.quantity, state.accounts[provider].committed[offer.debt])

    patch.setattr(backstop, "capacity", wrong)


@canary("I3", "I7", "I12", "A13", within=60_000)
def makers_are_not_asked(patch: pytest.MonkeyPatch) -> None:
    for module in (matching, depth):
        patch.setattr(module, "maker_refusal", lambda *_: None)


@canary("I12", within=15_000)
def claims_are_not_netted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pool, "net_out", lambda *_: None)


@canary("I37", within=5000)
def max_borrow_promises_an_atom_too_much(patch: pytest.MonkeyPatch) -> None:
    right = wallet.largest_borrow
    patch.setattr(wallet, "largest_borrow", lambda *place: right(*place) + 1)


@canary("I37", within=1500)
def a_refused_order_uses_up_a_number(patch: pytest.MonkeyPatch) -> None:
    right = orders.order_refusal

    def wrong(state: State, command: PlaceOrder) -> Refusal | None:
        state.next_order += 1
        return right(state, command)

    patch.setattr(orders, "order_refusal", wrong)


@canary("I9", within=3000)
def a_fill_forgets_the_seller(patch: pytest.MonkeyPatch) -> None:
    right = matching._plan_trade

    def wrong(
        state: State, taker: matching.Taker, maker: Order, quantity: int, rate: int
    ) -> matching.Trade:
        trade = right(state, taker, maker, quantity, rate)
        return trade._replace(received=trade.received - trade.received // 50)

    patch.setattr(matching, "_plan_trade", wrong)


@canary("I42", within=15_000)
def fees_round_up_at_every_fill(patch: pytest.MonkeyPatch) -> None:
    right = book.fee_of

    def wrong(quote: int, rate: int, _: int) -> tuple[int, int]:
        return right(quote, rate, 0)

    for module in (book, matching):
        patch.setattr(module, "fee_of", wrong)


@canary("I42", within=15_000)
def fill_or_kill_fills_in_part(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(orders, "_fills_whole", lambda *_: True)


@canary("A13", "I7", within=5000)
def borrowing_needs_no_margin(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(wallet, "risk_refusal", lambda *_: None)


@canary("A13", within=3000)
def nobody_watches_prices(patch: pytest.MonkeyPatch) -> None:
    for module in (oracle, clock, governance):
        patch.setattr(module, "watch", lambda *_: None)


@canary("I41", within=1500)
def prices_are_judged_one_by_one(patch: pytest.MonkeyPatch) -> None:
    right = oracle.update_price

    def wrong(state: State, command: UpdatePrice) -> Refusal | None:
        return right(state, replace(command, more=False))

    patch.setitem(dispatch.HANDLERS, UpdatePrice, wrong)


@canary("I39", within=15_000)
def a_lot_moves_the_mark(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(prices, "impact_quantity", lambda *_: 1)


@canary("A13", within=5000)
def marks_leave_their_band(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(prices, "mark_price", lambda _, price: max(1, price.index + 3 * price.premium))


@canary("I45", population=populations.NOBODY_BUYS)
def patience_never_ends(patch: pytest.MonkeyPatch) -> None:
    right = book_stage.note_shortage

    def wrong(state: State, attempt: book_stage.Attempt, short: int) -> None:
        right(state, attempt, short)
        attempt.exhausted = False

    patch.setattr(book_stage, "note_shortage", wrong)


@canary("I9", population=populations.SOMEBODY_HAS_TOKENS)
def a_time_step_lends_for_somebody(patch: pytest.MonkeyPatch) -> None:
    right = clock.time_step

    def wrong(state: State, command: TimeStep) -> Refusal | None:
        refusal = right(state, command)
        for account, holder in enumerate(state.accounts):
            if refusal is None and holder.available[0] and not holder.debt_shares[0]:
                pool.lend(state, account, 0, 1, Source.AUTO_LEND)
                break
        return refusal

    patch.setitem(dispatch.HANDLERS, TimeStep, wrong)


@canary("I41", within=15_000, first_seed=8)
def a_parameter_change_ends_a_moment(patch: pytest.MonkeyPatch) -> None:
    right = governance.change_parameter

    def wrong(state: State, command: ChangeParameter) -> Refusal | None:
        refusal = right(state, command)
        for asset in range(1, len(state.prices)):
            prices.refresh_staleness(state, asset)
        return refusal

    patch.setitem(dispatch.HANDLERS, ChangeParameter, wrong)
