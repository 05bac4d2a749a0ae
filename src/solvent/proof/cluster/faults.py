"""What can go wrong in a simulated cluster, and how often; a run draws its own measure of each."""

from dataclasses import dataclass, fields
from random import Random

from solvent.cluster.member import MILLISECOND


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances out of 1, and the longest delay of a message in microseconds.

    `lost` appends never reach the log; the answer to `unanswered` ones never comes back, stored or
    not; `late` ones reach it after they were given up. `dropped`, `doubled` and `flipped` are
    frames on their way to a node; `paused`, `killed` and `cut` happen to a node at a look of its
    clock; a killed one is `wiped` of its journal, and a `deaf` one is cut off for what comes in
    while what it sends arrives; a `stranger` writes a frame of an epoch that is over. A leader is
    told to hand over where it is `handed`.
    """

    lost: float = 0.0
    unanswered: float = 0.0
    late: float = 0.0
    dropped: float = 0.0
    doubled: float = 0.0
    flipped: float = 0.0
    paused: float = 0.0
    killed: float = 0.0
    wiped: float = 0.0
    cut: float = 0.0
    deaf: float = 0.0
    stranger: float = 0.0
    handed: float = 0.0
    delay: int = 5 * MILLISECOND


NONE = Faults()
_MOST = Faults(
    lost=0.2,
    unanswered=0.2,
    late=0.1,
    dropped=0.2,
    doubled=0.2,
    flipped=0.1,
    paused=0.01,
    killed=0.01,
    wiped=1.0,
    cut=0.01,
    deaf=0.01,
    stranger=0.003,
    handed=0.01,
    delay=200 * MILLISECOND,
)
FREQUENT = 2
"""Each kind of fault is in one run of so many."""


def draw_faults(rng: Random) -> Faults:
    """A measure of every fault: none of half of them, up to the most of the others."""
    drawn = {
        field.name: getattr(_MOST, field.name) * rng.random() ** 2
        for field in fields(Faults)
        if rng.randrange(FREQUENT)
    }
    delay = round(drawn.pop("delay", NONE.delay))
    return Faults(**drawn, delay=max(delay, MILLISECOND))
