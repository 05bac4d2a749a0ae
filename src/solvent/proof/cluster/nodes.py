"""A simulated node: what of it outlives a death, and what happens to it meanwhile."""

from dataclasses import dataclass, field

from solvent.cluster.member import Member
from solvent.proof.cluster.machine import Machine


@dataclass(slots=True)
class Node:
    """A node: its member, what it carried out, and the frames of its own journal."""

    number: int
    member: Member
    machine: Machine = field(default_factory=Machine)
    journal: list[bytes] = field(default_factory=list)
    life: int = 0
    is_down: bool = False
    paused_until: int = 0
    cut_until: int = 0
    deaf_until: int = 0

    def hears(self, now: int) -> bool:
        """Whether what is sent to it arrives."""
        return max(self.cut_until, self.deaf_until) <= now

    def said(self) -> tuple[int, int]:
        """What it tells a reader: at which frame it is, and how many operations there were."""
        return self.member.position.sequence, self.machine.count
