"""Every planted bug is noticed, by the invariant it breaks, within so many commands."""

import pytest

from tests.proof import proves
from tests.simulator import canaries, doubt_canaries, loss_canaries, waiting_canaries
from tests.simulator.planting import CANARIES, Canary, Seeds
from tests.simulator.populations import Population

SEEDED = [bug for bug in CANARIES if isinstance(bug.where, Seeds)]
PLACED = [(bug, bug.where) for bug in CANARIES if isinstance(bug.where, Population)]


def is_noticed(bug: Canary, where: Seeds | Population) -> None:
    """Assert that the first breach is of an invariant that the bug breaks."""
    commands, breaches = where.first_breaches()
    names = {found.invariant for found in breaches}
    assert names & bug.caught_by, f"after {commands} commands: {[str(each) for each in breaches]}"


@proves("I4", "I6", "I12", "I15", "I20", "I22", "I23", "I27", "I37", "I42")
@pytest.mark.slow
@pytest.mark.parametrize("bug", SEEDED, ids=lambda bug: bug.name)
def test_a_planted_bug_is_noticed(bug: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)
    is_noticed(bug, bug.where)


@proves("A13", "I9", "I12", "I30", "I38", "I40", "I43", "I45")
@pytest.mark.parametrize(("bug", "where"), PLACED, ids=[bug.name for bug, _ in PLACED])
def test_a_bug_is_noticed_at_its_boundary_and_nothing_without_it(
    bug: Canary, where: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert where.first_breaches() == (len(where.story.log), [])
    bug.plant(monkeypatch)
    is_noticed(bug, where)


def test_the_list_is_long_and_names_are_unique() -> None:
    names = [bug.name for bug in CANARIES]
    assert len(names) == len(set(names)) >= 12
    assert canaries.the_lender_is_overpaid.__name__ in names
    assert doubt_canaries.what_was_taken_is_forgotten.__name__ in names
    assert loss_canaries.lost_interest_waits_for_the_hour.__name__ in names
    assert waiting_canaries.what_waits_outlives_a_liquidation.__name__ in names
