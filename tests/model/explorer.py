"""All sequences of a few letters, each state once: breadth first, on both engines at a time.

A state is known by its snapshot, so two sequences that lead to one state are continued once, and a
refused command, which changes nothing, leads nowhere. From each state every letter is played on a
copy of the reference's state and on the fast engine, whose columns are put back afterwards. What
each transition must keep is asked of the invariants, of the model of the order, and of the other
engine, whose events and snapshot must be the same bytes.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np

from solvent.domain.commands import Command
from solvent.domain.events import Event, Refused
from solvent.engine.engine import FastEngine
from solvent.proof.invariants.invariants import check_view
from solvent.proof.invariants.state_view import StateView, view_of
from solvent.proof.invariants.transitions import check_transition
from solvent.proof.passes import parts_of
from solvent.reference.engine import ReferenceEngine
from solvent.reference.snapshot import write_snapshot
from solvent.reference.state import State
from tests.model.letters import Letter
from tests.model.worlds import World

Model = Callable[[StateView, Command, Sequence[Event], StateView], Iterator[str]]
"""(before, command, events, after) -> what is wrong, in sentences."""


class Finding(NamedTuple):
    """What is wrong after a sequence of letters."""

    letters: tuple[str, ...]
    wrong: str


@dataclass
class Explored:
    """What was seen: states by depth, transitions, kinds of events, and what was wrong."""

    depths: list[int] = field(default_factory=list)
    transitions: int = 0
    refused: int = 0
    kinds: set[str] = field(default_factory=set)
    events: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)


class _Node(NamedTuple):
    snapshot: bytes
    path: tuple[int, ...]


def explore(
    world: World, letters: Sequence[Letter], depth: int, model: Model, most_findings: int = 1
) -> Explored:
    """Play all sequences of `depth` letters and check every transition of them once."""
    start = ReferenceEngine(world.parameters)
    for command in world.opening:
        events = start.apply_one(command)
        assert not isinstance(events[0], Refused), (world.name, command, events[0])
    found = Explored()
    frontier = [_Node(start.snapshot(), ())]
    seen = {_key(frontier[0].snapshot)}
    for level in range(depth):
        found.depths.append(len(frontier))
        following: dict[bytes, _Node] = {}
        for node in frontier:
            for at, after in _transitions(node, letters, model, found):
                key = _key(after)
                if level + 1 < depth and key not in seen:
                    seen.add(key)
                    following[key] = _Node(after, (*node.path, at))
            if len(found.findings) >= most_findings:
                return found
        frontier = list(following.values())
    return found


def _key(snapshot: bytes) -> bytes:
    return blake2b(snapshot, digest_size=16).digest()


def _transitions(
    node: _Node, letters: Sequence[Letter], model: Model, found: Explored
) -> Iterator[tuple[int, bytes]]:
    """Play every letter from one state; yield where each leads to."""
    origin = ReferenceEngine.restore(node.snapshot).state
    fast = _Rewinding(node.snapshot)
    before = view_of(origin)
    for at, letter in enumerate(letters):
        command = letter.command(before)
        if command is None:
            continue
        found.transitions += 1
        found.kinds.add(type(command).__name__)
        engine = ReferenceEngine.__new__(ReferenceEngine)
        engine.state = fork(origin)
        events, after, broken = _checked(engine, before, command)
        after_bytes = write_snapshot(engine.state)
        wrong = [*fast.differences(command, events, after_bytes), *broken]
        found.events.update(type(event).__name__ for event in events)
        if events and isinstance(events[0], Refused):
            found.refused += 1
            if after_bytes != node.snapshot:
                wrong.append("a refused command changed the state")
        wrong += map(str, check_view(after))
        wrong += model(before, command, events, after)
        names = (*(letters[step].name for step in node.path), letter.name)
        found.findings += [Finding(names, sentence) for sentence in wrong]
        if after_bytes != node.snapshot:
            yield at, after_bytes


def _checked(
    engine: ReferenceEngine, before: StateView, command: Command
) -> tuple[tuple[Event, ...], StateView, list[str]]:
    """Carry out a command; its events, where it led, and what broke in any of its parts."""
    told: list[Event] = []
    broken: list[str] = []
    for each, events in parts_of(engine, command):
        after = view_of(engine.state, before)
        broken += map(str, check_transition(before, after, each, events))
        told += events
        before = after
    return tuple(told), before, broken


class _Rewinding:
    """A fast engine that goes back to one state after every command."""

    def __init__(self, snapshot: bytes) -> None:
        self._engine = FastEngine.restore(snapshot)
        self._snapshot = snapshot
        self._kept = {
            name: column.copy()
            for name, column in self._engine.columns.by_name.items()
            if name != "scratch"
        }

    def differences(
        self, command: Command, events: Sequence[Event], snapshot: bytes
    ) -> Iterator[str]:
        """How the fast engine's answer differs, if it does."""
        columns = self._engine.columns.by_name
        if self._engine.apply_one(command) != tuple(events):
            yield "the engines say different things"
        if self._engine.snapshot() != snapshot:
            yield "the engines end in different states"
        for name, column in self._kept.items():
            np.copyto(columns[name], column)


def fork(state: State) -> State:
    """A copy of a state that shares what never changes."""
    copied = _copied(state)
    assert isinstance(copied, State)
    return copied


def _copied(value: Any) -> Any:
    kind: type[Any] = type(value)
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = _names(kind)
    if names:
        other = object.__new__(kind)
        for name in names:
            setattr(other, name, _copied(getattr(value, name)))
        return other
    if kind is list:
        flat = not value or type(value[0]) is int
        return value.copy() if flat else [_copied(each) for each in value]
    if kind is dict:
        return {key: _copied(each) for key, each in value.items()}
    return value.copy() if kind is set else value


_NAMES: dict[type, tuple[str, ...]] = {}
"""Fields of each kind of record that can change; none of those that cannot."""


def _names(kind: Any) -> tuple[str, ...]:
    # A number, or a record that is frozen, has a hash.
    changes = kind.__hash__ is None and is_dataclass(kind)
    return tuple(each.name for each in fields(kind)) if changes else ()
