"""`solvent lab sweep`: many paths at many points, on all cores, to be gone on with at any time."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.called import called
from solvent.cli.options import COUNT, NAMED, WHOLE, Accounts
from solvent.domain.errors import InputError

MOST_WORKERS = 1024
MOST_SHARDS = 100_000

Shard = Annotated[str | None, Parameter()]


def sweep(
    scenario: str,
    /,
    *,
    out: Annotated[Path, NAMED],
    vary: Annotated[list[str] | None, Parameter(negative_iterable=())] = None,
    paths: Annotated[int, WHOLE, COUNT] = 100,
    until: str = "",
    drop_losers: bool = False,
    accounts: Accounts = None,
    workers: Annotated[
        int | None, WHOLE, Parameter(validator=Number(gte=1, lte=MOST_WORKERS))
    ] = None,
    shard: Shard = None,
    cluster: Annotated[str | None, Parameter()] = None,
) -> None:
    """Run many paths of a scenario at many points of its parameters.

    The same command again goes on with a sweep that was interrupted or killed. What comes out is
    the same to the byte for any number of workers, shards and interruptions.

    Parameters
    ----------
    scenario
        Name of a packaged scenario or path of a TOML file.
    out
        The folder of the sweep.
    vary
        A field of the scenario's file and its values: waterfall.patience=1,2,4 or, evenly apart,
        fund.balance=0..100000:5. May be given again; all combinations are run, and the scenario as
        it is.
    paths
        How many paths each point has; at most so many with --until.
    until
        Stop as soon as every point is so sure: "deficit_p99 ± 5 %", "deficit_chance ± 0.01".
    drop_losers
        Leave out of later looks what another point surely beats in lenders' loss, unless it is
        surely better in something else of the frontier.
    workers
        How many processes compute; all cores by default.
    shard
        Compute only a part, like 3/16, for `solvent lab merge`.
    cluster
        Address of a Dask scheduler whose workers compute, like tcp://127.0.0.1:8786.
    """
    from solvent.cli.lab.shown import show_sweep
    from solvent.cli.lab.sweeping import carry_out, plan_of
    from solvent.lab.sweeps.points import grid, parse_varied
    from solvent.lab.sweeps.sweeping import targets_of

    if workers and cluster:
        reason = "is for this machine; a cluster has the workers that it has"
        raise InputError("sweep", "--workers", reason)
    for asked, option in ((until, "--until"), (drop_losers, "--drop-losers")):
        if asked and shard:
            reason = "needs all paths of all points; leave --shard out"
            raise InputError("sweep", option, reason)
    targets_of(until)
    points = grid([parse_varied(text) for text in vary or []])
    part = replace(
        plan_of(scenario, points, paths), accounts=accounts, until=until, drop=drop_losers
    )
    plan = replace(part, shard=read_shard(shard))
    rows = carry_out(plan, out, workers, cluster)
    if plan.shard[1] == 1:
        show_sweep(plan, rows, out)
    else:
        print(f"{len(rows)} rows of shard {shard} are in {out}; when all shards are done:")
        print(f"  {called()} lab merge FOLDER FOLDER ... --out FOLDER")


def read_shard(text: str | None) -> tuple[int, int]:
    """The part that `--shard` names: (1, 1) for all of it. InputError where it names none."""
    if text is None:
        return 1, 1
    place, sign, count = text.partition("/")
    if not (sign and place.isdecimal() and count.isdecimal()):
        raise InputError("sweep", "--shard", f"{text!r} is no part; write it like 3/16")
    if not 1 <= int(place) <= int(count) <= MOST_SHARDS:
        raise InputError("sweep", "--shard", f"{text!r} must lie between 1/N and N/N")
    return int(place), int(count)
