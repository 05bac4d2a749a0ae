"""Kernels as plain Python against the reference, one command at a time, each from the same state.

Before every command the columns are read anew from the reference's snapshot, so a difference is
found in the command that makes it, and kernels of some commands can be tried before others exist:

    python -m tests.engine.stepwise Deposit,Lend --seeds 1:20 --commands 800
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from solvent.domain.codec.events import decode_event, encode_event
from solvent.domain.commands import ChangeParameter, Command, encode_command
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.parameters import ParameterError
from solvent.engine.dispatch import apply_command
from solvent.engine.governance import parameters_changed, parameters_refused
from solvent.engine.memory.columns import Columns, plain_store
from solvent.engine.memory.rows import COMMAND_WIDTH, CommandRow, Globals
from solvent.engine.memory.snapshot import read_snapshot, write_snapshot
from solvent.engine.memory.store import Store
from solvent.proof.fuzz.actions import Moves
from solvent.proof.fuzz.market import random_parameters
from solvent.reference.engine import ReferenceEngine


class Step(NamedTuple):
    """What the reference did with one command."""

    before: bytes
    command: Command
    events: bytes
    after: bytes


def steps(seed: int, commands: int, kinds: set[str] | None = None) -> Iterator[Step]:
    """The simulator's commands of some kinds, with the state before and after each."""
    rng = Random(seed)
    parameters, anchors = random_parameters(rng)
    engine = ReferenceEngine(parameters)
    moves = Moves(rng, engine, anchors)
    for _ in range(commands):
        plan = moves.next()
        if plan is None:
            continue
        wanted = kinds is None or type(plan.command).__name__ in kinds
        before = engine.snapshot() if wanted else b""
        events = b"".join(encode_event(event) for event in engine.apply_one(plan.command))
        if wanted:
            yield Step(before, plan.command, events, engine.snapshot())


def command_row(command: Command) -> CommandRow:
    """A command as kernels read it."""
    words = memoryview(bytearray(8 * COMMAND_WIDTH))
    data = encode_command(command)
    words[: len(data)] = data
    return CommandRow(words.cast("q"))


def _apply(columns: Columns, store: Store, command: Command) -> None:
    """Carry out a command as the fast engine does, but in plain Python."""
    row = command_row(command)
    if not isinstance(command, ChangeParameter):
        apply_command(store, row)
        return
    try:
        columns.put_parameters(changed_parameters(columns.parameters, command))
    except ParameterError:
        parameters_refused(store, row)
    else:
        parameters_changed(store, row)


def difference(step: Step) -> str | None:
    """What the kernels did otherwise than the reference, or None."""
    columns = read_snapshot(step.before)
    columns.grow_accounts(int(columns["globals"][Globals.accounts]) + 1)
    columns.grow_orders(int(columns["globals"][Globals.orders]) + 1)
    store = plain_store(columns)
    _apply(columns, store, step.command)
    if store.events.tobytes() != step.events:
        ours, theirs = shown(store.events.tobytes()), shown(step.events)
        place = next(
            (i for i, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]),
            None,
        )
        place = min(len(ours), len(theirs)) if place is None else place
        return (
            f"{step.command}\n  event {place}\n  kernel    {ours[place : place + 3]}\n"
            f"  reference {theirs[place : place + 3]}"
        )
    if write_snapshot(columns) != step.after:
        ours_, theirs_ = memoryview(write_snapshot(columns)), memoryview(step.after)
        words = [
            i
            for i in range(0, min(len(ours_), len(theirs_)), 8)
            if ours_[i : i + 8] != theirs_[i : i + 8]
        ]
        return f"{step.command}\n  snapshots differ at words {[w // 8 for w in words[:10]]}"
    return None


def shown(data: bytes) -> list[object]:
    """Events of a row of bytes."""
    found: list[object] = []
    place = 0
    while place < len(data):
        event, place = decode_event(data, place)
        found.append(event)
    return found


def main() -> None:
    """Try kernels of some commands over some seeds; print the first differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", help="command names with commas, or ALL")
    parser.add_argument("--seeds", default="1:6")
    parser.add_argument("--commands", type=int, default=800)
    parser.add_argument("--stop", type=int, default=3, help="differences to print")
    options = parser.parse_args()
    kinds = None if options.kinds == "ALL" else set(options.kinds.split(","))
    low, high = map(int, options.seeds.split(":"))
    tried: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for seed in range(low, high):
        for step in steps(seed, options.commands, kinds):
            name = type(step.command).__name__
            tried[name] += 1
            try:
                found = difference(step)
            except Exception as error:
                if sum(wrong.values()) < options.stop:
                    print(f"seed {seed}: {step.command} raised {error!r}")
                    raise
                found = repr(error)
            if found:
                wrong[name] += 1
                if sum(wrong.values()) <= options.stop:
                    print(f"seed {seed}: {found}")
    for name, count in tried.items():
        print(f"{name}: {count} tried, {wrong[name]} differ")


if __name__ == "__main__":
    main()
