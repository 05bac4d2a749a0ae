"""Plans of the waterfall's stages: making one changes nothing, and only a sound one is carried out.

The simulator drives the engine into every stage; each plan that is made on the way is looked at.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from solvent.domain.labels import LegForm
from solvent.domain.parameters import MAX_SUPPLY
from solvent.domain.waterfall_events import AdlLeg, BackstopLeg
from solvent.proof.fuzz.simulator import simulate
from solvent.reference.state import State
from solvent.reference.waterfall import (
    adl,
    backstop,
    book_stage,
    bookings,
    default,
    opposites,
    settlement,
)

PLANS: list[tuple[ModuleType, str]] = [
    (book_stage, "plan_repayments"),
    (book_stage, "plan_book"),
    (book_stage, "plan_sale"),
    (book_stage, "plan_purchase"),
    (backstop, "plan_offer"),
    (backstop, "plan_split"),
    (backstop, "plan_fill"),
    (adl, "plan_stuck_sides"),
    (opposites, "opposite_of"),
    (default, "plan_default_sides"),
    (default, "plan_lenders"),
    (settlement, "plan_settlement"),
    (bookings, "plan_bookings"),
]


class Made(NamedTuple):
    """A plan, and a copy of the state that it was made of."""

    state: State
    plan: Any


@pytest.fixture(scope="module")
def made() -> dict[str, list[Made]]:
    """By function, plans that are not empty, each made without a change to the state."""
    found: dict[str, list[Made]] = {name: [] for _, name in PLANS}

    def watched(
        name: str, right: Callable[..., Any], state: State, *asked: Any, **named: Any
    ) -> Any:
        if asked and asked[-1] == []:
            return right(state, *asked, **named)
        before = deepcopy(state)
        plan = right(state, *asked, **named)
        assert state == before, f"{name} changed the state"
        if plan:
            found[name].append(Made(before, plan))
        return plan

    with pytest.MonkeyPatch.context() as patch:
        for module, name in PLANS:
            patch.setattr(module, name, partial(watched, name, getattr(module, name)))
        for seed in (205, 204, 214, 219, 230, 246):
            simulate(seed, 1500, check_every=10**9)
    return found


def test_every_stage_made_plans_and_none_changed_the_state(made: dict[str, list[Made]]) -> None:
    assert [name for name, plans in made.items() if not plans] == []


def carried_out(apply: Callable[..., None], state: State, plan: Any) -> State:
    """The state after a plan, carried out on a copy."""
    after = deepcopy(state)
    apply(after, plan)
    return after


@pytest.mark.parametrize(
    ("name", "apply"),
    [
        ("plan_settlement", settlement.apply_settlement),
        ("plan_fill", backstop.apply_fill),
    ],
)
def test_a_plan_is_carried_out_to_the_atom(
    made: dict[str, list[Made]], name: str, apply: Callable[..., None]
) -> None:
    for state, plan in made[name][:50]:
        after = carried_out(apply, state, plan)
        new = after.events[len(state.events) :]
        legs = [event for event in new if isinstance(event, AdlLeg | BackstopLeg)]
        told = [(leg.asset, leg.form, leg.quantity, leg.value) for leg in plan.legs]
        assert [(leg.asset, leg.form, leg.quantity, leg.value) for leg in legs] == told


def wrong_settlements(plan: settlement.Settlement) -> list[settlement.Settlement]:
    leg = plan.legs[0]
    return [
        plan._replace(quantity=plan.match.quantity + 1),
        plan._replace(value=plan.value + 1),
        plan._replace(legs=plan.legs[1:]),
        plan._replace(legs=(leg._replace(quantity=0), *plan.legs[1:])),
        plan._replace(lender_shares=plan.lender_shares + 1),
        plan._replace(debtor_shares=plan.debtor_shares + 1),
    ]


def wrong_fills(plan: backstop.Fill) -> list[backstop.Fill]:
    leg, more = plan.legs[0], MAX_SUPPLY + 1
    dearer = leg._replace(form=LegForm.AVAILABLE, quantity=more)
    return [
        plan._replace(quantity=0),
        plan._replace(quantity=more),
        plan._replace(legs=(leg._replace(quantity=0), *plan.legs[1:])),
        plan._replace(legs=(dearer, *plan.legs[1:])),
    ]


def wrong_bookings(plan: bookings.BookingPlan) -> list[bookings.BookingPlan]:
    first, *others = plan.written
    more = first[0]._replace(quantity=first[0].quantity + 1)
    dearer = [index + 1 for index in plan.clearing.indices]
    return [
        plan._replace(written=((more, *first[1:]), *others)),
        plan._replace(clearing=replace(plan.clearing, indices=dearer)),
    ]


@pytest.mark.parametrize(
    ("name", "apply", "wrong"),
    [
        ("plan_settlement", settlement.apply_settlement, wrong_settlements),
        ("plan_fill", backstop.apply_fill, wrong_fills),
        ("plan_bookings", bookings.apply_bookings, wrong_bookings),
    ],
)
def test_a_wrong_plan_is_not_carried_out(
    made: dict[str, list[Made]],
    name: str,
    apply: Callable[..., None],
    wrong: Callable[[Any], list[Any]],
) -> None:
    state, plan = made[name][0]
    for one in wrong(plan):
        with pytest.raises(AssertionError):
            carried_out(apply, state, one)


def test_a_redemption_that_costs_other_shares_than_planned_stops_the_engine(
    made: dict[str, list[Made]],
) -> None:
    redeemed = [
        (state, plan, place)
        for state, plan in made["plan_settlement"]
        for place, leg in enumerate(plan.legs)
        if leg.form is LegForm.REDEEMED
    ]
    state, plan, place = redeemed[0]
    legs = list(plan.legs)
    legs[place] = legs[place]._replace(shares=legs[place].shares + 1)
    with pytest.raises(AssertionError, match="redeemed as planned"):
        carried_out(settlement.apply_settlement, state, plan._replace(legs=tuple(legs)))
