"""`solvent sim`: seeded random commands, every invariant checked after each."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

if TYPE_CHECKING:
    from solvent.lab.simulator import SimulationResult


def sim(
    *,
    seed: Annotated[int, Parameter(validator=Number(gte=0))] = 1,
    commands: Annotated[int, Parameter(validator=Number(gte=1))] = 3000,
    runs: Annotated[int, Parameter(validator=Number(gte=1))] = 1,
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
    """
    from solvent.cli.progress import progress
    from solvent.lab.simulator import simulate, simulate_many

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


def _tell(results: Sequence["SimulationResult"], seconds: float) -> int:
    """Print what the runs did; 1 when any broke an invariant."""
    from solvent.lab.formatting import number

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
        print(f"  solvent sim --seed {breach.seed} --commands {breach.command + 1}")
    if not breaches:
        print("no invariant was broken")
    return 1 if breaches else 0
