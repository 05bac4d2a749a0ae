"""Canaries among orders that wait: bugs of what fires, when, in which order, and what ends them."""

import pytest

from solvent.domain.labels import ExpiryReason
from solvent.reference.orderbook import book, orders, triggers
from solvent.reference.state import State, Trigger
from solvent.reference.waterfall import liquidation
from tests.simulator.planting import canary


@canary("I42", within=30_000)
def triggers_fire_by_age_alone(patch: pytest.MonkeyPatch) -> None:
    def wrong(trigger: Trigger) -> tuple[int, ...]:
        return (trigger.order,)

    patch.setattr(triggers, "_turn", wrong)


@canary("I42", within=30_000)
def triggers_fire_at_stale_prices(patch: pytest.MonkeyPatch) -> None:
    def wrong(state: State, trigger: Trigger) -> bool:
        price = triggers.looked_at(state, trigger.becomes.asset, trigger.trigger_by)
        return price >= trigger.trigger_price if trigger.rising else price <= trigger.trigger_price

    patch.setattr(triggers, "_is_reached", wrong)


@canary("I20", within=30_000)
def what_waits_outlives_a_liquidation(patch: pytest.MonkeyPatch) -> None:
    def wrong(state: State, account: int, reason: ExpiryReason) -> None:
        for number in sorted(state.accounts[account].open_orders):
            book.expire(state, state.orders[number], reason)

    patch.setattr(liquidation, "expire_all", wrong)


@canary("I27", within=30_000)
def a_fired_order_keeps_the_age_of_its_placing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(orders, "_place", lambda _state, order: order)
