"""What a crash test counted and found."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Difference(NamedTuple):
    """Something that is otherwise than it must be; `lost` and `doubled` count effects."""

    text: str
    lost: int = 0
    doubled: int = 0


@dataclass
class CrashTest:
    """Counts of what happened, and what was otherwise than it must be.

    Of the kills some came while the process was opening, writing a snapshot or closing.
    `unanswered` requests were on their way at a kill; `unanswered_done` of them had been carried
    out. `told` messages of streams were heard; `missed` trades fell between two connections and
    are in the history. `fired` orders had waited for a price; `rotated` keys took the place of
    others. `archived` records left the journals. `lost` and `doubled` count effects;
    `problems` says in one line each what was otherwise, those included.
    """

    kills: int = 0
    opening: int = 0
    in_snapshot: int = 0
    closing: int = 0
    markets: int = 0
    acknowledged: int = 0
    repeated: int = 0
    unanswered: int = 0
    unanswered_done: int = 0
    told: int = 0
    missed: int = 0
    fired: int = 0
    rotated: int = 0
    archived: int = 0
    records: int = 0
    commands: int = 0
    state_hash: str = ""
    lost: int = 0
    doubled: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, doubled or answered otherwise."""
        return not self.problems

    def note(self, difference: Difference) -> None:
        """Count what is otherwise than it must be."""
        self.lost += difference.lost
        self.doubled += difference.doubled
        self.problems.append(f"after {self.kills} kills: {difference.text}")
