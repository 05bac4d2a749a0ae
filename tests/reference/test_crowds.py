"""Whatever happens to a crowd, at fixed prices the waterfall ends with everyone settled."""

import pytest

from tests.proof import proves
from tests.reference.crowds import BTC, Crowd, History, Jump, Position, Start, history
from tests.reference.machines import SOL
from tests.sizes import sized

pytestmark = proves("I10", "I15", "I16", "I18", "I19", "I21", "I22", "I23", "I24", "I26")

# The only provider can take a part of the debt. As long as rounding was for him, what it gave him
# was room for the next sliver: 750 atoms of 4 SOL a step, for 60 days.
SLIVERS = History(
    Start(odds=100, lent=100, depth=0, fund=0, capacities=(1,)),
    (
        Jump(SOL, percent=1000, depth=0),
        Position(8, held=BTC, owed=SOL, worth=17_000, share=80, lends=True),
        Jump(BTC, percent=130, depth=0),
        Jump(SOL, percent=200, depth=0),
    ),
)


@pytest.mark.parametrize("number", range(sized(quick=40, usual=200, full=1_000)))
def test_a_waterfall_comes_to_rest_with_everyone_settled(number: int) -> None:
    start, steps = history(number)
    Crowd(start).live(steps)


def test_a_provider_without_room_takes_no_slivers() -> None:
    Crowd(SLIVERS.start).live(SLIVERS.steps)
