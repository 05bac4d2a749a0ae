"""`solvent cluster check`: whether all nodes and all servers of the log have the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from solvent.cli.cluster.asking import ClusterSaid
    from solvent.cli.cluster.settings import ClusterSettings

DIFFERS = 1
NEAR = 100
"""Who is so many frames behind another may only have been asked earlier."""


def check(file: Path, /) -> int:
    """Say whether all nodes and servers of a cluster have the same. Exit code 1 where not.

    Parameters
    ----------
    file
        The cluster's file, cluster.toml, with its secret beside it.
    """
    from solvent.cli.cluster.asking import ask_all
    from solvent.cli.cluster.settings import read_cluster
    from solvent.cli.cluster.status import show

    settings = read_cluster(file)
    said = ask_all(settings)
    show(said)
    found = [*of_nodes(said), *of_servers(said), *of_frames(settings, said)]
    for line in found:
        print(f"differs: {line}")
    if not found:
        print("all have the same")
    return DIFFERS if found else 0


def of_nodes(said: "ClusterSaid") -> Iterator[str]:
    """What is wrong with the nodes by what they say of themselves."""
    nodes = said.answered
    for number in range(len(said.nodes)):
        if number not in nodes:
            yield f"node {number} does not answer: start it, or see its log for why it stopped"
    leaders = [str(number) for number, node in nodes.items() if node.part == "leads"]
    if len(leaders) != 1:
        yield f"{' and '.join(leaders) or 'no node'} leads, and one should"
    versions = {node.version for node in nodes.values()}
    if len(versions) > 1:
        yield f"the nodes have versions {', '.join(sorted(versions))}"
    furthest = max((node.sequence for node in nodes.values()), default=0)
    for number, node in nodes.items():
        behind = furthest - node.sequence
        if behind > NEAR:
            yield f"node {number} is {behind:,} frames behind another"


def of_servers(said: "ClusterSaid") -> Iterator[str]:
    """What is wrong with the servers of the log by what they count."""
    from solvent.cluster.log import LogError
    from solvent.cluster.nats_settings import refuse_weak_servers

    last = max((store.last for store in said.stores.values()), default=0)
    for number in range(len(said.servers)):
        store = said.stores.get(number)
        if store is None:
            yield f"log {number} does not answer"
            continue
        try:
            refuse_weak_servers([store])
        except LogError as error:
            yield f"log {number}: {error}"
        if store.holes or (store.messages and store.first != 1):
            yield f"log {number} lacks frames: stop it, remove its store, start it again"
        if last - store.last > NEAR:
            yield f"log {number} is {last - store.last:,} frames behind another"
    furthest = max((node.sequence for node in said.answered.values()), default=0)
    if furthest > last:
        yield f"the log ends with frame {last:,}, and a node has frame {furthest:,}"


def of_frames(settings: "ClusterSettings", said: "ClusterSaid") -> Iterator[str]:
    """Whether the nodes have the same frame where the last of them is."""
    from solvent.cli.cluster.asking import ask_digests

    common = min((node.sequence for node in said.answered.values()), default=0)
    if not common:
        return
    digests = ask_digests(settings, common)
    of_those = {digests[number] for number in said.answered}
    if b"" in of_those:
        yield f"a node does not tell its frame {common:,}"
    if len(of_those - {b""}) > 1:
        yield (
            f"frame {common:,} is another on another node: end the one that the log does not bear "
            "out, and `solvent cluster repair` it"
        )
