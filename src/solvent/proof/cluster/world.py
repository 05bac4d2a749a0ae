"""A world of members, one log and a network between them, in simulated time; one seed, one run.

Members, frames and what they lead to are the product's own. Around them: messages that are late,
lost, doubled and flipped, appends whose answer never comes, nodes that are paused, killed, wiped,
cut off and deaf, and strangers of epochs that are over (`faults`). Clients ask any node, and again
where they hear nothing. At the end all faults stop, and everybody must come to rest: one leader,
every operation answered, every node where the log is.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from solvent.cluster.frames import (
    VERSION,
    Frame,
    FrameError,
    beginning,
    digest_of,
    encode_frame,
)
from solvent.cluster.log import Appended, Unknown
from solvent.cluster.member import (
    MILLISECOND,
    Append,
    Apply,
    AskAgain,
    Done,
    Effect,
    Fetch,
    Member,
    Part,
)
from solvent.cluster.memory_log import MemoryLog
from solvent.domain.units import SECOND
from solvent.proof.cluster.clients import Clients
from solvent.proof.cluster.faults import NONE, Faults, draw_faults
from solvent.proof.cluster.machine import Machine
from solvent.proof.cluster.nodes import Node
from solvent.proof.cluster.search import clients_flaw
from solvent.proof.cluster.witness import Fault, Truth, answers_flaw, owners_flaw, reads_flaw

NODES = 3
LOOK = 20 * MILLISECOND
ANSWER = 500 * MILLISECOND
"""After so long an append that was not answered is unknown."""
READ_EVERY = 8
"""A node reads the log by itself at one of so many looks."""
READ_FRAMES = 32
REST = 15 * SECOND
BEGIN = beginning(b"simulated")


@dataclass(frozen=True, slots=True)
class ClusterRun:
    """What a run did, and the first promise that it broke."""

    seed: int
    steps: int
    frames: int
    epochs: int
    answered: int
    reads: int
    faults: Faults
    fault: Fault | None


class World:
    """A run that has not ended."""

    members: type[Member] = Member
    node: type[Node] = Node

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.faults = draw_faults(self.rng)
        self.log = MemoryLog(remembers=bool(self.rng.randrange(2)))
        self.now = 0
        self.steps = 0
        self.fault: Fault | None = None
        self._events: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0
        self.nodes = [self.node(each, self.members(each, BEGIN, 0)) for each in range(NODES)]
        self.clients = Clients(self)
        for node in self.nodes:
            self.at(self.rng.randrange(LOOK), self._look, node)

    def run(self, steps: int) -> None:
        """Make so many steps, then let all faults stop and everybody come to rest."""
        self._until(lambda: self.steps >= steps)
        self.faults = NONE
        self.clients.is_closing = True
        for node in self.nodes:
            node.paused_until = node.cut_until = node.deaf_until = 0
            if node.is_down:
                self._restart(node)
        end = self.now + REST
        self._until(lambda: self.now >= end)

    def _until(self, is_over: Callable[[], bool]) -> None:
        events = self._events
        while self.fault is None and not is_over():
            self.now, _, call, arguments = heapq.heappop(events)
            self.steps += 1
            call(*arguments)

    def at(self, after: int, call: Callable[..., None], *arguments: Any) -> None:
        """Call this after so many microseconds."""
        self._order += 1
        heapq.heappush(self._events, (self.now + after, self._order, call, arguments))

    def delay(self) -> int:
        """How long a message takes."""
        return 1 + self.rng.randrange(self.faults.delay)

    def chance(self, measure: float) -> bool:
        """Whether a fault happens now."""
        return measure > 0 and self.rng.random() < measure

    # To a node.

    def tell(self, after: int, node: Node, call: Callable[..., None], *arguments: Any) -> None:
        """Call this of a node, unless it dies before."""
        self.at(after, self._told, node, node.life, call, arguments)

    def _told(
        self, node: Node, life: int, call: Callable[..., None], arguments: tuple[Any, ...]
    ) -> None:
        if node.life != life or node.is_down:
            return
        if node.paused_until > self.now:
            wait = node.paused_until - self.now + self.rng.randrange(MILLISECOND)
            self.at(wait, self._told, node, life, call, arguments)
            return
        call(node, *arguments)

    def perform(self, node: Node, effects: list[Effect]) -> None:
        """Do what a member says is to be done."""
        for effect in effects:
            match effect:
                case Append():
                    self._append(node, effect)
                case Apply():
                    node.journal.append(effect.data)
                    node.machine.carry_out(effect.records)
                case Done():
                    self.clients.done(node, effect)
                case AskAgain():
                    self.clients.ask_again(effect.tickets)
                case Fetch():
                    self.tell(self.delay(), node, self._fetch, effect.sequence)
                case _:
                    self.fault = Fault(effect.reason, (node.number,))

    def _look(self, node: Node) -> None:
        """A node looks at its clock."""
        self.at(LOOK, self._look, node)
        if node.is_down or node.paused_until > self.now:
            return
        faults, rng = self.faults, self.rng
        if self.chance(faults.killed):
            self._kill(node)
            return
        if self.chance(faults.paused):
            node.paused_until = self.now + rng.randrange(5 * SECOND)
            return
        if self.chance(faults.cut):
            node.cut_until = self.now + rng.randrange(5 * SECOND)
        if self.chance(faults.deaf):
            node.deaf_until = self.now + rng.randrange(5 * SECOND)
        if self.chance(faults.stranger):
            self._write_as_stranger()
        if self.chance(faults.handed):
            self.perform(node, node.member.hand_over(self.now))
        self.perform(node, node.member.tick(self.now))
        if not rng.randrange(READ_EVERY) and node.hears(self.now):
            self._read(node)

    def _kill(self, node: Node) -> None:
        node.life += 1
        node.is_down = True
        if self.chance(self.faults.wiped):
            self._wipe(node)
        self.at(self.rng.randrange(5 * SECOND), self._restart, node)

    def _wipe(self, node: Node) -> None:
        """What a dead node kept is lost: it comes up as a new one does."""
        node.member = self.members(node.number, BEGIN, self.now)
        node.machine, node.journal = Machine(), []

    def _restart(self, node: Node) -> None:
        if not node.is_down:
            return
        last = node.member.position
        node.member = self.members(node.number, last, self.now)
        node.is_down = False

    # The log.

    def _append(self, node: Node, append: Append) -> None:
        faults = self.faults
        self.at(ANSWER, self._told, node, node.life, self._answer, (append, Unknown()))
        if node.cut_until > self.now or self.chance(faults.lost):
            return
        after = self.delay() + (2 * ANSWER if self.chance(faults.late) else 0)
        self.at(after, self._store, node, node.life, append)

    def _store(self, node: Node, life: int, append: Append) -> None:
        before = self.log.tail()
        answer = self.log.append(append.expected, append.key, append.frame)
        if self.log.tail() > before:
            self._push(append.frame)
        if not self.chance(self.faults.unanswered):
            self.at(self.delay(), self._told, node, life, self._answer, (append, answer))

    def _answer(self, node: Node, append: Append, answer: Appended) -> None:
        self.perform(node, node.member.appended(append.key, answer, self.now))

    def _push(self, data: bytes) -> None:
        """The log's last frame is on its way to everybody."""
        faults, sequence = self.faults, self.log.tail()
        for node in self.nodes:
            if not node.hears(self.now) or self.chance(faults.dropped):
                continue
            for _ in range(2 if self.chance(faults.doubled) else 1):
                self.tell(self.delay(), node, self._hear, sequence, self._flipped(data))

    def _flipped(self, data: bytes) -> bytes:
        if not self.chance(self.faults.flipped):
            return data
        place = self.rng.randrange(8 * len(data))
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        return bytes(changed)

    def _hear(self, node: Node, sequence: int, data: bytes) -> None:
        self.perform(node, node.member.heard(sequence, data, self.now))

    def _read(self, node: Node) -> None:
        first = node.member.position.sequence + 1
        for sequence, data in enumerate(self.log.read(first, READ_FRAMES), first):
            self._hear(node, sequence, self._flipped(data))

    def _fetch(self, node: Node, sequence: int) -> None:
        """Frame `sequence` out of the journal of another node that has it."""
        for other in self.nodes:
            if other is not node and not other.is_down and sequence <= len(other.journal):
                data = other.journal[sequence - 1]
                self.perform(node, node.member.fetched(sequence, data, self.now))
                return

    def _write_as_stranger(self) -> None:
        """A frame that follows the last one and belongs to an epoch that is over."""
        try:
            truth = Truth(BEGIN, self.log.frames)
        except FrameError as error:
            self.fault = Fault(f"the log: {error}", ())
            return
        if truth.epoch:
            records = (self.clients.never(),)
            frame = Frame(VERSION, truth.epoch - 1, 0, 1, truth.digests[-1], records)
            data = encode_frame(frame)
            self.log.append(self.log.tail(), f"stranger {self.now}", data)
            self._push(data)

    def flaw(self) -> Fault | None:
        """The first promise that was broken."""
        if self.fault is not None:
            return self.fault
        try:
            truth = Truth(BEGIN, self.log.frames)
        except FrameError as error:
            return Fault(f"the log: {error}", ())
        clients = self.clients
        return (
            owners_flaw(truth)
            or answers_flaw(truth, clients.answers)
            or reads_flaw(truth, clients.reads)
            or clients_flaw(clients.answers, clients.unanswered)
            or self._rest_flaw(truth)
        )

    def _rest_flaw(self, truth: Truth) -> Fault | None:
        """Whether everybody came to rest where the log is."""
        leaders = [node.number for node in self.nodes if node.member.part is Part.LEADS]
        if len(leaders) != 1:
            return Fault("without faults there is not one leader", tuple(leaders))
        if self.clients.waiting:
            return Fault("an operation was never answered", tuple(self.clients.waiting.values()))
        for node in self.nodes:
            sequence, _ = node.said()
            if truth.digests[sequence] != digest_of(node.journal[-1]):
                return Fault("a node carried out what is not in the log", (node.number, sequence))
            if node.machine.places != truth.machine.places and sequence == self.log.tail():
                return Fault("a node differs from the log", (node.number, sequence))
            if sequence < self.log.tail() - 1:
                return Fault("a node stayed behind", (node.number, sequence))
        return None


def simulate_cluster(seed: int, steps: int, world: "type[World]" = World) -> ClusterRun:
    """One run of about so many steps."""
    made = world(seed)
    faults = made.faults
    made.run(steps)
    return ClusterRun(
        seed=seed,
        steps=made.steps,
        frames=made.log.tail(),
        epochs=max(node.member.position.epoch for node in made.nodes),
        answered=len(made.clients.answers),
        reads=len(made.clients.reads),
        faults=faults,
        fault=made.flaw(),
    )
