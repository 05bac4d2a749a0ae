"""Many runs of simulated clusters, one a seed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from solvent.proof.cluster.world import ClusterRun, World, simulate_cluster

RUN_STEPS = 20_000
"""Steps of one run: some hundreds of frames, and a few elections where there are faults."""


def simulate_clusters(
    seed: int,
    steps: int,
    *,
    world: type[World] = World,
    processes: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Iterator[ClusterRun]:
    """Runs with seeds from `seed` on, until they made so many steps in all.

    `progress` is called with the number of steps done. The runs are the same for any number of
    `processes`.
    """
    done = 0
    run = partial(simulate_cluster, steps=RUN_STEPS, world=world)
    seeds = range(seed, seed + -(-steps // RUN_STEPS))
    for result in _all(run, seeds, processes):
        done += result.steps
        if progress is not None:
            progress(done)
        yield result
        if done >= steps:
            return


def _all(run: Callable[[int], ClusterRun], seeds: range, processes: int) -> Iterator[ClusterRun]:
    if processes == 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(run, seeds, chunksize=8)
