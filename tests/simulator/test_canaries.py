"""Every planted bug is noticed, by the invariant it breaks, within so many commands."""

import pytest

from tests.proof import proves
from tests.simulator import waiting_canaries
from tests.simulator.canaries import CANARIES, Canary, first_breaches

pytestmark = proves("I4", "I6", "I12", "I15", "I20", "I22", "I23", "I27", "I30", "I37", "I42")


@pytest.mark.slow
@pytest.mark.parametrize("bug", CANARIES, ids=lambda bug: bug.name)
def test_a_planted_bug_is_noticed(bug: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)
    commands, breaches = first_breaches(bug)
    names = {found.breach.invariant for found in breaches}
    assert names & bug.caught_by, f"after {commands} commands: {[str(each) for each in breaches]}"


def test_the_list_is_long_and_names_are_unique() -> None:
    names = [bug.name for bug in CANARIES]
    assert len(names) == len(set(names)) >= 12
    assert waiting_canaries.what_waits_outlives_a_liquidation.__name__ in names
