"""Canaries among losses that wait: what of them is left out of the solution, or never booked."""

import pytest

from solvent.reference import clock
from solvent.reference.waterfall import clearing
from tests.simulator import populations
from tests.simulator.planting import canary


@canary("I38", population=populations.A_CLAIM_BECOMES_DUST)
def dust_is_left_out_of_the_solution(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(clearing, "_covers", lambda *_: True)


@canary("I31", population=populations.INTEREST_WAITS)
def lost_interest_waits_for_the_hour(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(clock, "next_loss", lambda _, top: top)
    patch.setattr(clock, "is_loss_due", lambda *_: False)
