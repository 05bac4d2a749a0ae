"""Those who stand by, as the simulator plays them: they post, bring USDC, and take it back.

A run that plays them draws these moves from a stream of its own, so that all others stay as they
were.
"""

from solvent.domain import commands as c
from solvent.domain.parameters import USDC
from solvent.proof.fuzz.draws import Draws, Plan

STANDBY_STREAM = "standby 8975"
"""Which stream says so; the first tried that leaves the runs that tests name as they were."""
STANDBY_RUNS = 20
"""In so many runs of a hundred accounts stand by."""
STANDBY_MOVES = 25
"""So many moves of a hundred are theirs then,"""
STANDBY_SCRIPTS = 22
"""and so many of a hundred that are not part of one begin a script."""


def standby_move(draws: Draws) -> Plan:
    """One of them brings USDC, posts, or gives notice."""
    kind = draws.rng.choice(("deposit", "post", "withdraw"))
    account = draws.account()
    if kind == "deposit":
        return Plan(c.Deposit(account, USDC, draws.worth(USDC)))
    standby = draws.state.standbys.get(account)
    if kind == "withdraw":
        return Plan(c.WithdrawStandby(account, draws.part(standby.posted if standby else 1)))
    premium = draws.premium()
    if standby and draws.chance(60):
        premium = draws.rng.choice((standby.premium, standby.premium // 2))
    quantity = draws.worth(USDC) if draws.chance(90) else draws.rng.choice((0, 1, 7))
    return Plan(c.PostStandby(account, quantity, premium))
