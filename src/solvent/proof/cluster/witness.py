"""The witness: what every node, answer and read of a run must agree with is the log itself.

A log is a total order, so no search for one is needed: what was answered is held against the log
replayed, and real time against the log's order.
"""

import bisect
from typing import NamedTuple

from solvent.cluster.frames import Position, decode_frame, digest_of
from solvent.proof.cluster.machine import Machine


class Answered(NamedTuple):
    """A client asked for an operation at `asked`, and was told its place at `told`."""

    operation: int
    place: int
    asked: int
    told: int


class Read(NamedTuple):
    """A node said at frame `sequence` that there were `count` operations."""

    node: int
    sequence: int
    operations: int
    least: int


class Fault(NamedTuple):
    """A promise that was broken, in words, with numbers."""

    sentence: str
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        """One line."""
        return f"{self.sentence} {list(self.numbers)}"


class Truth:
    """The log replayed: digests and counts by sequence, and places of operations.

    `intruders` are frames in force that another node wrote than the one that began their epoch.
    """

    def __init__(self, begin: Position, frames: list[bytes]) -> None:
        self.machine = Machine()
        self.digests = [begin.digest]
        self.counts = [0]
        self.intruders: list[int] = []
        owners: dict[int, int] = {}
        self.epoch, digest = begin.epoch, begin.digest
        for data in frames:
            frame = decode_frame(data, digest)
            if frame.epoch >= self.epoch:
                self.machine.carry_out(frame.records)
                if owners.setdefault(frame.epoch, frame.node) != frame.node:
                    self.intruders.append(len(self.digests))
            self.epoch, digest = max(self.epoch, frame.epoch), digest_of(data)
            self.digests.append(digest)
            self.counts.append(self.machine.count)


def owners_flaw(truth: Truth) -> Fault | None:
    """An epoch in which two nodes wrote."""
    if truth.intruders:
        return Fault("two nodes wrote in one epoch", tuple(truth.intruders[:1]))
    return None


def answers_flaw(truth: Truth, answers: list[Answered]) -> Fault | None:
    """An answer that the log does not bear out, or the first that real time does not."""
    for one in answers:
        place = truth.machine.places.get(one.operation)
        if place is None:
            return Fault("what was acknowledged is not in the log", (one.operation,))
        if place != one.place:
            return Fault("an answer is not the log's", (one.operation, one.place, place))
    return order_flaw(answers)


def order_flaw(answers: list[Answered]) -> Fault | None:
    """An operation that was told before another was asked for, and stands after it in the log."""
    told = sorted(answers, key=lambda one: one.told)
    times = [one.told for one in told]
    highest: list[int] = []
    for one in told:
        highest.append(max(one.place, highest[-1] if highest else -1))
    for one in answers:
        before = bisect.bisect_left(times, one.asked)
        if before and highest[before - 1] > one.place:
            return Fault("real time and the log differ", (one.operation, one.place))
    return None


def reads_flaw(truth: Truth, reads: list[Read]) -> Fault | None:
    """A read that says what was not so at its sequence, or is older than was asked for."""
    for read in reads:
        if read.sequence >= len(truth.counts):
            return Fault("a node read its own future", (read.node, read.sequence))
        if read.operations != truth.counts[read.sequence]:
            return Fault("a read is not the log's", (read.node, read.sequence, read.operations))
        if read.sequence < read.least:
            return Fault("a read is older than was asked for", (read.node, read.sequence))
    return None
