"""`solvent sim`: random commands with every invariant checked, or random kills of the service."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.called import called
from solvent.cli.options import COUNT, NAMED, WHOLE
from solvent.cli.progress import say
from solvent.domain.errors import InputError

if TYPE_CHECKING:
    from solvent.proof.fuzz.shards import Totals
    from solvent.proof.fuzz.simulator import SimulationResult


def sim(
    *,
    seed: Annotated[int, WHOLE, Parameter(validator=Number(gte=0))] = 1,
    commands: Annotated[int, WHOLE, COUNT] = 3000,
    runs: Annotated[int, WHOLE, COUNT] = 1,
    compare: bool = False,
    shards: Annotated[Path | None, NAMED] = None,
    attack: bool = False,
    kill: Annotated[int | None, WHOLE, COUNT] = None,
    cluster: Annotated[int | None, WHOLE, COUNT] = None,
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
    shards
        Keep a line of this file for each run, with its seed, counts, hashes and breach, and go on
        where the file ends; runs that it has are not made again. Goes with --compare, also where
        that goes with --attack, or with --kill, of which `--runs` is then how many.
    attack
        Let accounts loose that want to gain or to hurt, each strategy beside honest accounts, and
        print what it cost, gained and did to others, in USDC at fixed prices; exit code 1 when one
        gains more than an atom a command. `--runs` is how many markets each strategy is tried in.
        With --compare they are among the accounts whose commands both engines get, three commands
        of ten, and nothing is measured.
    kill
        Kill the running service so many times instead, at random moments under load, and check
        after each that nothing acknowledged was lost and nothing was done twice.
    cluster
        Make so many steps of simulated clusters instead, with every fault of network, log and
        nodes, and hold each answer and read against the log.
    """
    chosen = {
        "--kill": kill is not None,
        "--cluster": cluster is not None,
        "--attack": attack,
        "--compare": compare,
    }
    named = [name for name, given in chosen.items() if given]
    compared = [[], ["--compare"], ["--attack", "--compare"]]
    if named not in [*compared, ["--kill"]] and (len(named) > 1 or shards is not None):
        raise InputError(named[0], "option", f"does not go with {named[1:] or '--shards'}")
    if kill is not None:
        return _kill(kill, seed, runs, shards)
    if cluster is not None:
        return _cluster(seed, cluster)
    if shards is not None:
        return _shards(shards, seed, runs, commands, comparing=compare, attackers=attack)
    if compare:
        return _compare(seed, commands, runs, attackers=attack)
    if attack:
        return _attack(seed, runs)
    return _simulate(seed, commands, runs)


def _simulate(seed: int, commands: int, runs: int) -> int:
    """Make so many runs with every check; 1 when any broke an invariant."""
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


def _attack(seed: int, runs: int) -> int:
    """Play every strategy in so many markets; 1 when one pays or breaks an invariant."""
    from solvent.cli.progress import progress
    from solvent.cli.runs.tables import print_sheet
    from solvent.lab.report.formatting import number
    from solvent.proof.attack.attacks import attack_many
    from solvent.proof.attack.strategies import STRATEGIES
    from solvent.proof.attack.told import lines_of, sheet_of

    whole = runs * len(STRATEGIES)
    with progress(f"attacking from seed {seed}", "markets") as report:
        found = attack_many(
            seed,
            runs,
            processes=min(whole, os.cpu_count() or 1),
            progress=lambda done: report(done, whole),
        )
    print_sheet(sheet_of(found, runs))
    commands = sum(each.commands for each in found)
    print(f"{number(commands)} commands of attackers in {number(len(found))} markets")
    for line in lines_of(found, called()):
        print(line)
    return int(any(each.is_fault for each in found))


def _kill(kills: int, seed: int, runs: int, shards: Path | None) -> int:
    """Kill the service in one run, or in runs that are the shards of a file."""
    from solvent.cli.crash import NOTHING, kill, kill_shards

    if shards is not None:
        return _tell_totals(kill_shards(shards, runs, kills, seed), "kills", NOTHING)
    if runs > 1:
        raise InputError("--runs", "option", "goes with --kill where --shards names a file")
    return kill(kills, seed)


def _cluster(seed: int, steps: int) -> int:
    """Make so many steps of simulated clusters; 1 when one broke a promise."""
    from solvent.cli.progress import progress
    from solvent.lab.report.formatting import number
    from solvent.proof.cluster.simulation import simulate_clusters

    with progress(f"clusters from seed {seed}", "steps") as report:
        found = list(
            simulate_clusters(
                seed,
                steps,
                processes=os.cpu_count() or 1,
                progress=lambda done: report(min(done, steps), steps),
            )
        )
    print(
        f"{number(sum(run.steps for run in found))} steps in {number(len(found))} clusters: "
        f"{number(sum(run.frames for run in found))} frames, "
        f"{number(sum(run.epochs for run in found))} epochs, "
        f"{number(sum(run.answered for run in found))} answers, "
        f"{number(sum(run.reads for run in found))} reads"
    )
    faults = [f"seed {run.seed}: {run.fault}" for run in found if run.fault]
    for fault in faults:
        print(f"FAULT {fault}")
    if not faults:
        print("nothing acknowledged was lost, and every answer and read is the log's")
    return 1 if faults else 0


def _shards(
    path: Path, seed: int, runs: int, commands: int, *, comparing: bool, attackers: bool
) -> int:
    """Make the runs that a file does not have yet, and say what all of them did."""
    from solvent.cli.progress import progress
    from solvent.proof.fuzz.shards import run_shards

    if comparing:
        from solvent.engine.engine import machine

        machine(say)
    whole = runs * commands
    with progress(f"shards of {path}", "commands") as report:
        totals = run_shards(
            path,
            seed,
            runs,
            commands,
            comparing=comparing,
            attackers=attackers,
            processes=min(runs, os.cpu_count() or 1),
            progress=lambda done: report(done, whole),
        )
    clean = "the engines agree to the bit" if comparing else "no invariant was broken"
    return _tell_totals(totals, "commands", clean)


def _tell_totals(totals: "Totals", unit: str, clean: str) -> int:
    """Print what all shards of a file did, in so many of a `unit`; 1 where one has a fault.

    `clean` is what is said where none has.
    """
    from solvent.lab.report.formatting import number

    print(
        f"{number(totals.commands)} {unit} in {number(totals.shards)} shards, "
        f"seeds {totals.first_seed} to {totals.last_seed}"
    )
    for name, count in totals.reached.items():
        print(f"  {name.replace('_', ' '):<28} {number(count):>10}")
    for fault in totals.faults:
        print(f"FAULT {called()} {fault}")
    if not totals.faults:
        print(clean)
    return 1 if totals.faults else 0


def _compare(seed: int, commands: int, runs: int, *, attackers: bool) -> int:
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
            attackers=attackers,
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
    if attackers:
        print(f"{number(sum(result.hostile for result in results))} of them were attackers'")
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
