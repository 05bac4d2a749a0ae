"""Comparison: the same commands to two engines, in batches, until they differ.

The simulator's accounts ask the reference engine and send to it; the fast engine gets the same
commands, in batches of every size from one up, and must give the same event bytes and, now and then
and at the end, the same snapshot. With `attackers` three of ten moves are those of accounts that
want to gain or to hurt.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Protocol

import numpy as np
import numpy.typing as npt

from solvent.domain.codec.events import decode_event, encode_event
from solvent.domain.commands import Command
from solvent.domain.parameters import EngineParameters
from solvent.engine.engine import FastEngine
from solvent.engine.memory.command_rows import encode_batch
from solvent.proof.fuzz.actions import Moves
from solvent.proof.fuzz.draws import Plan
from solvent.proof.fuzz.hostile import Attackers
from solvent.proof.fuzz.market import random_parameters
from solvent.reference.engine import ReferenceEngine

BATCHES = (1, 2, 3, 7, 20, 64, 200, 1000)
"""Sizes of batches, drawn anew after each."""

Words = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two engines part: the command (counted from 0) and what each made of it."""

    seed: int
    command: int
    what: str
    attackers: bool = False

    @property
    def again(self) -> str:
        """What the command line is told to see it again."""
        mode = "--compare --attack" if self.attackers else "--compare"
        return f"sim {mode} --seed {self.seed} --commands {self.command + 1}"

    def __str__(self) -> str:
        """One line with the reproduction in front."""
        return f"{self.again}: {self.what}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One run of both engines; `difference` is the first, or None.

    `hostile` of the commands were given by attackers.
    """

    seed: int
    commands: int
    events: int
    state_hash: str
    difference: Difference | None
    hostile: int = 0


class Rows(Protocol):
    """An engine that takes commands and gives events as rows of numbers."""

    def apply_rows(self, rows: Words) -> tuple[Words, Words]:
        """Events of all commands, and where those of each end."""
        ...

    def snapshot(self) -> bytes:
        """The whole state as bytes."""
        ...


def compare(
    seed: int,
    commands: int,
    *,
    attackers: bool = False,
    engine_factory: Callable[[EngineParameters], Rows] = FastEngine,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Run both engines over one seed's commands; stop at the first difference."""
    run = _Run(seed, attackers=attackers)
    fast = engine_factory(run.reference.parameters)
    sizes = Random(f"batches of {seed}")
    done = words = 0
    difference = None
    while done < commands and difference is None:
        batch, expected = run.batch(min(sizes.choice(BATCHES), commands - done))
        difference = _one_batch(done, fast, batch, expected)
        if difference is None and fast.snapshot() != run.reference.snapshot():
            difference = done + len(batch) - 1, "the states differ"
        done += len(batch)
        words += sum(map(len, expected)) // 8
        if progress is not None:
            progress(done)
    return Comparison(
        seed,
        done,
        words,
        run.reference.state_hash(),
        Difference(seed, *difference, attackers) if difference else None,
        run.hostile,
    )


def compare_many(
    seed: int,
    commands: int,
    *,
    run_length: int,
    attackers: bool = False,
    processes: int = 1,
    progress: Callable[[int], None] | None = None,
) -> list[Comparison]:
    """Compare in runs of at most `run_length` commands, with seeds from `seed` on.

    Stops after the first run that differs. The results are the same for any number of `processes`.
    """
    lengths = [run_length] * (commands // run_length)
    if commands % run_length:
        lengths.append(commands % run_length)
    results: list[Comparison] = []
    done = 0
    one = partial(compare, attackers=attackers)
    for result in _all_runs(one, range(seed, seed + len(lengths)), lengths, processes):
        results.append(result)
        done += result.commands
        if progress is not None:
            progress(done)
        if result.difference is not None:
            break
    return results


def _all_runs(
    one: Callable[[int, int], Comparison], seeds: range, lengths: list[int], processes: int
) -> Iterator[Comparison]:
    if processes == 1:
        yield from map(one, seeds, lengths)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(one, seeds, lengths)


class _Run:
    """The reference engine of one seed and the accounts that send to it."""

    def __init__(self, seed: int, *, attackers: bool) -> None:
        rng = Random(seed)
        parameters, anchors = random_parameters(rng)
        self.reference = ReferenceEngine(parameters)
        self.hostile = 0
        self._moves = Moves(rng, self.reference, anchors)
        self._attackers = Attackers(seed, self.reference, anchors) if attackers else None

    def batch(self, size: int) -> tuple[list[Command], list[bytes]]:
        """The next commands, and what the reference answered."""
        batch: list[Command] = []
        expected: list[bytes] = []
        while len(batch) < size:
            plan = self._next()
            if plan is not None:
                batch.append(plan.command)
                events = self.reference.apply_one(plan.command)
                expected.append(b"".join(map(encode_event, events)))
        return batch, expected

    def _next(self) -> Plan | None:
        plan = self._attackers.next() if self._attackers else None
        if plan is None:
            return self._moves.next()
        self.hostile += 1
        return plan


def _one_batch(
    done: int, fast: Rows, batch: list[Command], expected: Iterable[bytes]
) -> tuple[int, str] | None:
    """The first command whose events differ, and how; None where none does."""
    try:
        events, ends = fast.apply_rows(encode_batch(batch))
    except ArithmeticError as error:
        return done + len(batch) - 1, f"within {len(batch)} commands {error}"
    data = events.tobytes()
    start = 0
    for number, (end, wanted) in enumerate(zip(ends.tolist(), expected, strict=True)):
        found = data[start : 8 * end]
        if found != wanted:
            return done + number, f"{batch[number]}: {_first_difference(found, wanted)}"
        start = 8 * end
    return None


def _first_difference(found: bytes, wanted: bytes) -> str:
    place = 0
    while place < len(wanted) and place < len(found):
        expected, following = decode_event(wanted, place)
        if found[place:following] != wanted[place:following]:
            return f"reference {expected}, fast {_shown(found, place)}"
        place = following
    return f"reference {_shown(wanted, place)}, fast {_shown(found, place)}"


def _shown(data: bytes, place: int) -> str:
    if place >= len(data):
        return "nothing more"
    try:
        return str(decode_event(data, place)[0])
    except ValueError as error:
        return str(error)
