"""Attackers among the accounts of a run: strategies played one after another, often some at once.

They have a stream of their own, so that the moves of all others are drawn as without them; what
those then find is another market. A cast is drawn anew for each strategy, so that the attackers of
one are the victims of the next.
"""

from random import Random

from solvent.proof.fuzz.actions import conspire, farm
from solvent.proof.fuzz.draws import Draws, Plan, Script
from solvent.reference.engine import ReferenceEngine

HOSTILE_MOVES = 30
"""Of a hundred moves so many are attackers', once there are accounts."""
MOST_AT_ONCE = 3
FARMING = 10
"""Of a hundred strategies so many are those of accounts that stand by."""
FEWEST = 3
"""Accounts without which nobody is there to be attacked."""


class Attackers:
    """What the attackers of one run do next."""

    def __init__(self, seed: int, engine: ReferenceEngine, anchors: list[int]) -> None:
        self._draws = Draws(Random(f"attackers of {seed}"), engine, anchors)
        self._running: list[Script] = []

    def next(self) -> Plan | None:
        """The next command of an attack; None where it is another's turn."""
        draws = self._draws
        if len(draws.state.accounts) < draws.first + FEWEST or not draws.chance(HOSTILE_MOVES):
            return None
        if len(self._running) < MOST_AT_ONCE:
            self._running.append(farm(draws) if draws.chance(FARMING) else conspire(draws))
        script = draws.rng.choice(self._running)
        plan = next(script, None)
        if plan is None:
            self._running.remove(script)
        return plan
