"""`solvent cluster status`: where each node and each server of the log stands."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from solvent.cli.cluster.asking import ClusterSaid


def status(file: Path, /) -> int:
    """Say where each node of a cluster and each server of its log stands.

    Parameters
    ----------
    file
        The cluster's file, cluster.toml, with its secret beside it.
    """
    from solvent.cli.cluster.asking import ask_all
    from solvent.cli.cluster.settings import read_cluster

    show(ask_all(read_cluster(file)))
    return 0


def show(said: "ClusterSaid") -> None:
    """A line for each."""
    from solvent.cluster.nats_settings import Store
    from solvent.cluster.peers import NodeStatus

    for number, node in enumerate(said.nodes):
        if isinstance(node, NodeStatus):
            print(
                f"node {number}  {node.part:7}  frame {node.sequence:,}  epoch {node.epoch}  "
                f"lag {node.lag}  quiet {node.quiet:.1f} s  version {node.version}"
            )
        else:
            print(f"node {number}  {node}")
    for number, store in enumerate(said.servers):
        if isinstance(store, Store):
            version = ".".join(map(str, store.version))
            print(
                f"log {number}   {store.messages:,} frames, {store.first:,} to {store.last:,}  "
                f"holes {store.holes}  version {version}"
            )
        else:
            print(f"log {number}   {store}")
