"""Clients of a simulated cluster: they ask any node, repeat what was not answered, and read."""

from collections.abc import Callable, Hashable, Sequence
from itertools import count
from random import Random
from typing import Any, Protocol

from solvent.cluster.member import MILLISECOND, Done, Effect
from solvent.proof.cluster.machine import record_of
from solvent.proof.cluster.nodes import Node
from solvent.proof.cluster.witness import Answered, Read

CLIENTS = 4
PATIENCE = 1500 * MILLISECOND
THINK = 100 * MILLISECOND
READS = 3
"""A client reads at one of so many turns."""


class Stage(Protocol):
    """Where clients act: time, chance, and messages that take as long as they do."""

    now: int
    rng: Random
    nodes: list[Node]

    def at(self, after: int, call: Callable[..., None], *arguments: Any) -> None:
        """Call this after so many microseconds."""

    def tell(self, after: int, node: Node, call: Callable[..., None], *arguments: Any) -> None:
        """Call this of a node, unless it dies before."""

    def delay(self) -> int:
        """How long a message takes."""
        ...

    def perform(self, node: Node, effects: list[Effect]) -> None:
        """Do what a member says is to be done."""


class Clients:
    """Every client has one operation that is not answered, and repeats it until it is.

    `waiting` are those operations by client; `answers` and `reads` what was said, for the witness.
    """

    def __init__(self, world: Stage) -> None:
        self.is_closing = False
        self.waiting: dict[int, int] = {}
        self.answers: list[Answered] = []
        self.reads: list[Read] = []
        self._world = world
        self._numbers = count(1)
        self._asked: dict[int, int] = {}
        self._seen = [0] * CLIENTS
        self._tries = [0] * CLIENTS
        for client in range(CLIENTS):
            world.at(world.rng.randrange(THINK), self._turn, client)

    def never(self) -> bytes:
        """The record of an operation that no client asked for."""
        return record_of(next(self._numbers))

    @property
    def unanswered(self) -> list[int]:
        """When the operations were asked for that are not answered."""
        return [self._asked[operation] for operation in self.waiting.values()]

    def _turn(self, client: int) -> None:
        """A client begins an operation, or reads."""
        world = self._world
        if self.is_closing:
            return
        if not world.rng.randrange(READS):
            self._read(client)
        operation = next(self._numbers)
        self.waiting[client], self._asked[operation] = operation, world.now
        self._ask(client, operation, self._tries[client])

    def _ask(self, client: int, operation: int, tries: int) -> None:
        """Ask a node, often the one that leads, and again where it has not answered by then."""
        world = self._world
        if self.waiting.get(client) != operation or self._tries[client] != tries:
            return
        self._tries[client] += 1
        node = world.nodes[self._choice()]
        world.tell(world.delay(), node, self._asked_of, client, operation)
        world.at(PATIENCE, self._ask, client, operation, tries + 1)

    def _choice(self) -> int:
        rng, nodes = self._world.rng, self._world.nodes
        leader = nodes[rng.randrange(len(nodes))].member.leader
        if leader is not None and rng.randrange(len(nodes)):
            return leader
        return rng.randrange(len(nodes))

    def _asked_of(self, node: Node, client: int, operation: int) -> None:
        """At the node: what was done before is answered so again; otherwise it is handed in."""
        world = self._world
        if operation in node.machine.places:
            self._answer(node, client, operation, node.member.position.sequence)
            return
        effects = node.member.submit((client, operation), record_of(operation), world.now)
        world.perform(node, effects)

    def done(self, node: Node, done: Done) -> None:
        """A record was carried out on the node that took it in."""
        client, operation = _pair(done.ticket)
        self._answer(node, client, operation, done.sequence)

    def _answer(self, node: Node, client: int, operation: int, sequence: int) -> None:
        place = node.machine.places.get(operation, -1)
        self._world.at(self._world.delay(), self._told, client, operation, place, sequence)

    def _told(self, client: int, operation: int, place: int, sequence: int) -> None:
        world = self._world
        asked = self._asked[operation]
        self.answers.append(Answered(operation, place, asked, world.now))
        if self.waiting.get(client) != operation:
            return
        del self.waiting[client]
        self._seen[client] = max(self._seen[client], sequence)
        world.at(world.rng.randrange(THINK), self._turn, client)

    def ask_again(self, tickets: Sequence[Hashable]) -> None:
        """A node cannot say what became of these."""
        for ticket in tickets:
            client, operation = _pair(ticket)
            after = self._world.delay() + self._world.rng.randrange(THINK)
            self._world.at(after, self._ask, client, operation, self._tries[client])

    def _read(self, client: int) -> None:
        world = self._world
        node = world.nodes[world.rng.randrange(len(world.nodes))]
        world.tell(world.delay(), node, self._read_of, client)

    def _read_of(self, node: Node, client: int) -> None:
        """At the node: it answers unless it is behind what the client has seen."""
        sequence, total = node.said()
        least = self._seen[client]
        if sequence >= least:
            self.reads.append(Read(node.number, sequence, total, least))
            self._seen[client] = sequence


def _pair(ticket: Hashable) -> tuple[int, int]:
    assert isinstance(ticket, tuple)
    client, operation = ticket
    return client, operation
