"""Canaries among uncertain losses: what is taken out of doubtful pools, and what is doubtful."""

import pytest

from solvent.reference import limits
from solvent.reference.lending import pool
from solvent.reference.waterfall import gate, insolvency
from tests.simulator import populations
from tests.simulator.planting import canary


@canary("I38", population=populations.THE_FAST_LEAVE)
def a_redemption_leaves_nothing_behind(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(limits, "left_behind", lambda *_: 0)


@canary("I44", population=populations.THE_FAST_LEAVE)
def what_was_taken_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pool, "note_redeemed", lambda *_: None)


@canary("I38", population=populations.THE_FAST_LEAVE)
def doubts_are_counted_for_the_account(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gate, "worth_against", insolvency.worth_of)
