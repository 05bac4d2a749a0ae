"""`solvent sim`: random commands with every invariant checked, or random kills of the service."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.called import called
from solvent.cli.options import COUNT, WHOLE
from solvent.cli.progress import say
from solvent.domain.errors import InputError

if TYPE_CHECKING:
    from solvent.proof.fuzz.simulator import SimulationResult


def sim(
    *,
    seed: Annotated[int, WHOLE, Parameter(validator=Number(gte=0))] = 1,
    commands: Annotated[int, WHOLE, COUNT] = 3000,
    runs: Annotated[int, WHOLE, COUNT] = 1,
    compare: bool = False,
    kill: Annotated[int | None, WHOLE, COUNT] = None,
) -> int:
    """Let seeded random commands loose on the engine and check every invariant.

    Exit code 1 when one is broken, with a line that reproduces it.

    Parameters
    ----------
    seed
        Seed of the first run; the runs after it take the seeds that follow.
    commands
        How many commands each run makes.
    runs
        How many runs, each with a market and a population of its own.
    compare
        Run the fast engine beside the reference instead, and stop at the first byte that differs.
    kill
        Kill the running service so many times instead, at random moments under load, and check
        after each that nothing acknowledged was lost and nothing was done twice.
    """
    if kill is not None:
        from solvent.cli.crash import kill as kill_service

        if compare:
            raise InputError("--kill", str(kill), "does not go with --compare; name one of them")
        return kill_service(kill, seed)
    if compare:
        return _compare(seed, commands, runs)
    from solvent.cli.progress import progress
    from solvent.proof.fuzz.simulator import simulate, simulate_many

    started = time.monotonic()
    whole = commands * runs
    with progress(f"simulating from seed {seed}", "commands") as report:
        if runs == 1:
            results = [simulate(seed, commands, progress=lambda done: report(done, whole))]
        else:
            results = simulate_many(
                seed,
                whole,
                run_length=commands,
                processes=min(runs, os.cpu_count() or 1),
                progress=lambda done: report(done, whole),
            )
        report(sum(result.commands for result in results), whole)
    return _tell(results, time.monotonic() - started)


def _compare(seed: int, commands: int, runs: int) -> int:
    """Run both engines over the same commands; 1 when they differ."""
    from solvent.cli.progress import progress
    from solvent.engine.engine import machine
    from solvent.lab.report.formatting import number
    from solvent.proof.fuzz.comparison import compare_many

    machine(say)
    started = time.monotonic()
    whole = commands * runs
    with progress(f"comparing from seed {seed}", "commands") as report:
        results = compare_many(
            seed,
            whole,
            run_length=commands,
            processes=min(runs, os.cpu_count() or 1),
            progress=lambda done: report(done, whole),
        )
    seconds = max(time.monotonic() - started, 1e-9)
    done = sum(result.commands for result in results)
    events = sum(result.events for result in results)
    print(
        f"{number(done)} commands and {number(events)} words of events in {number(len(results))} "
        f"runs of both engines, {number(done / seconds, 0)} commands/s"
    )
    differences = [result.difference for result in results if result.difference is not None]
    for difference in differences:
        print(f"DIFFERENCE {difference.what}")
        print(f"  {called()} {difference.again}")
    if not differences:
        print("the engines agree to the bit")
    return 1 if differences else 0


def _tell(results: Sequence["SimulationResult"], seconds: float) -> int:
    """Print what the runs did; 1 when any broke an invariant."""
    from solvent.lab.report.formatting import number

    done = sum(result.commands for result in results)
    accepted = sum(result.accepted for result in results)
    reached: Counter[str] = Counter()
    for result in results:
        reached.update(result.reached)
    print(
        f"{number(done)} commands in {number(len(results))} runs, {number(accepted)} accepted, "
        f"{number(done / max(seconds, 1e-9), 0)} commands/s with every check"
    )
    for name, count in sorted(reached.items()):
        print(f"  {name:<28} {number(count):>10}")
    for result in results:
        print(f"seed {result.seed}: state {result.state_hash}  events {result.event_hash}")
    breaches = [breach for result in results for breach in result.breaches]
    for breach in breaches:
        print(f"BREACH {breach.breach}")
        print(f"  {called()} {breach.again}")
    if not breaches:
        print("no invariant was broken")
    return 1 if breaches else 0
