"""`solvent cluster add`: one node more, written at the end of a cluster's file."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Url = Annotated[str, Parameter(help="Where it is to serve clients, like http://node-3:8620.")]
Peer = Annotated[
    str, Parameter(help="Where it is to answer the other nodes, like http://node-3:8630.")
]


def add(file: Path, /, *, url: Url, peer: Peer) -> int:
    """Write one node more at the end of a cluster's file, and say what is to be done with it.

    Parameters
    ----------
    file
        The cluster's file, cluster.toml, with its secret beside it.
    """
    from solvent.cli.cluster.asking import ask_all
    from solvent.cli.cluster.settings import NodePlace, read_cluster, with_node
    from solvent.domain.errors import InputError

    settings = read_cluster(file)
    new = NodePlace(url, peer)
    taken = {address for node in settings.nodes for address in node}
    for name, address in new._asdict().items():
        if address in taken or url == peer:
            reason = "is an address of a node already; each node has two of its own"
            raise InputError(address, f"--{name}", reason)
    said = ask_all(settings)
    if not any(node.part == "leads" for node in said.answered.values()):
        reason = "leads, so that nobody could tell a new one anything; see cluster status"
        raise InputError(str(file), "node", reason)
    made = with_node(settings, new)
    number, furthest = len(made.nodes) - 1, max(at.sequence for at in said.answered.values())
    print(f"{file}: node {number} is in it now. To have it:")
    print("1. copy the file to every machine, and the secret and the head to the new one")
    print(f"2. on that: solvent up --cluster {file.name} --node {number} --folder FOLDER")
    print(f"   an empty folder is filled, {furthest:,} frames until now; or `solvent restore` a")
    print("   backup of any node into it first, and only what came since is")
    print("3. when `solvent cluster check` finds nothing: start the other nodes again, one at a")
    print("   time, so that they ask the new one too")
    return 0
