"""The check of a round's record finds what was altered in it: each of these would be a defect."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from solvent.domain.events import Event
from solvent.domain.labels import Stage, Tier
from solvent.domain.units import value_up
from solvent.domain.waterfall_events import (
    AdlCandidate,
    AdlLeg,
    AdlMatched,
    AdlOpened,
    AdlStuck,
    HandedOver,
    PartyBalance,
    PartyHealth,
)
from solvent.reference.waterfall.adl import needed_of
from solvent.reference.waterfall.settlement import Means
from tests.proof import proves
from tests.reference.rounds import faults_of_step
from tests.tables.story import run_story
from tests.tables.test_default_stories import RISES
from tests.tables.test_lender_stories import EXAMPLE

UNIT = 4_000
STEP = run_story(EXAMPLE).events
DEFAULT = run_story(RISES + "price SOL 218\nstep +1s").events


def altered(
    kind: type[Event], place: int, step: Sequence[Event] = STEP, **changes: int
) -> list[Event]:
    """The step with one record of a kind changed."""
    events = list(step)
    index = [n for n, event in enumerate(events) if type(event) is kind][place]
    values = {name: getattr(events[index], name) + by for name, by in changes.items()}
    events[index] = replace(events[index], **values)
    return events


def without(keep: Callable[[Event], bool]) -> list[Event]:
    """The step without some of its records."""
    return [event for event in STEP if keep(event)]


@proves("I15", "I21", "I22", "I23", "I24", "I26")
def test_the_worked_example_has_no_fault() -> None:
    assert faults_of_step(STEP, UNIT) == []


@proves("I22")
def test_a_default_closes_the_atoms_that_rounding_left_and_no_more() -> None:
    assert faults_of_step(DEFAULT, UNIT) == []
    assert faults_of_step(altered(AdlMatched, 0, DEFAULT, quantity=2), UNIT) == []
    faults = faults_of_step(altered(AdlMatched, 0, DEFAULT, quantity=100), UNIT)
    assert [fault[:3] for fault in faults] == ["I22"]


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        (altered(AdlOpened, 0, allotted=1), "I22"),
        (altered(AdlOpened, 0, needed=5), "I22"),
        (altered(AdlOpened, 0, needed=-11_178_773_380), "I21"),
        (altered(AdlStuck, 0, allotted=-1), "I22"),
        (altered(AdlStuck, 0, needed=-1), "I22"),
        (altered(AdlCandidate, 1, allotted=1), "I22"),
        (altered(AdlCandidate, 1, cap=-40_000_000_000), "I22"),
        (altered(AdlCandidate, 0, position=-1), "I22"),
        (altered(AdlMatched, 0, quantity=1), "I22"),
        (altered(AdlMatched, 0, value=UNIT + 1), "I23"),
        (altered(AdlMatched, 0, value=-1), "I23"),
        (altered(AdlLeg, 0, value=-UNIT - 1), "I23"),
        (altered(AdlLeg, 0, receiver=1), "I26"),
        (altered(PartyHealth, 2, total_value=-UNIT - 100), "I23"),
        (altered(PartyHealth, 3, total_value=-UNIT - 100), "I23"),
        (altered(PartyHealth, 3, total_value=UNIT + 100), "I23"),
        (altered(PartyHealth, 3, net_equity=-(10**8)), "I24"),
        (altered(PartyHealth, 2, maintenance=10**9), "I24"),
        (altered(PartyBalance, -1, debt=3), "I26"),
        (without(lambda event: not isinstance(event, HandedOver)), "I21"),
        (without(lambda event: getattr(event, "stage", 0) is not Stage.BACKSTOP), "I21"),
        (without(lambda event: getattr(event, "stage", 0) is not Stage.BOOK), "I21"),
    ],
)
def test_what_is_altered_is_found(events: list[Event], fault: str) -> None:
    assert any(line.startswith(fault) for line in faults_of_step(events, UNIT))


@proves("I43")
def test_what_is_worth_next_to_nothing_stops_no_round() -> None:
    """All atoms that there can be of it are worth 0.0001 USDC: nobody can be paid more in it."""
    story = run_story("""
        set BTC decimals 12
        price BTC 100,000
        deposit ann USDC 100,000
        lend    ann USDC 100,000
        deposit lender SOL 100
        lend    lender SOL 100
        borrow  lender USDC 17,000
        withdraw lender USDC 17,000
        deposit bob USDC 40,000
        borrow  bob SOL 100
        withdraw bob SOL 100
        price BTC 0.0000000001
        price SOL 190
        expect lender liquidating 1
    """)
    state, lender = story.state, story.names.account("lender")
    needed = needed_of(state, lender, 2, Means(Tier.IN_KIND, 1), 0)
    assert value_up(needed, state.mark(2), 9) <= 100 < value_up(needed + 1, state.mark(2), 9)
