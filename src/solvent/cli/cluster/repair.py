"""`solvent cluster repair`: a node begins anew, and what it had is kept."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from solvent.cli.options import NAMED, WHOLE

if TYPE_CHECKING:
    from solvent.cli.cluster.settings import ClusterSettings

ASIDE = "set-aside-"
Number = Annotated[int, WHOLE, Parameter(help="Which node of the cluster it is, from 0.")]
Folder = Annotated[Path, NAMED, Parameter(help="The node's folder, as `up` was given it.")]


def repair(file: Path, /, *, node: Number, folder: Folder) -> int:
    """Set aside what a node has, on its machine, so that it fills itself from log and other nodes.

    Nothing is removed, and a node that runs is not touched.

    Parameters
    ----------
    file
        The cluster's file, cluster.toml, with its secret beside it.
    """
    from solvent.cli.cluster.joining import cluster_node
    from solvent.cli.cluster.settings import read_cluster
    from solvent.service.core.opening import begin_journal

    settings = read_cluster(file)
    cluster_node(settings, node)
    _refuse_to_touch(settings, node, folder)
    aside = set_aside(folder)
    begin_journal(folder, settings.head)
    print(f"node {node} begins anew; what it had is in {aside}")
    print(f"start it: solvent up --cluster {file} --node {node} --folder {folder}")
    print("when `solvent cluster check` finds nothing, what was set aside can go")
    return 0


def _refuse_to_touch(settings: "ClusterSettings", number: int, folder: Path) -> None:
    """Raise InputError unless the folder is of a node that is down while another leads."""
    from solvent.cli.cluster.asking import ask_all
    from solvent.domain.errors import InputError
    from solvent.journal.durable import holds_journal, refuse_open
    from solvent.service.core.opening import JOURNAL

    if not holds_journal(folder / JOURNAL):
        reason = "holds no market; start the node with it, and it is filled"
        raise InputError(str(folder), "--folder", reason)
    refuse_open(folder / JOURNAL)
    said = ask_all(settings).answered
    if number in said:
        reason = "runs; end it first, for what it has is set aside"
        raise InputError(str(settings.file), f"node {number}", reason)
    if not any(at.part == "leads" for at in said.values()):
        reason = "leads now, so that nothing could fill this one; see cluster status"
        raise InputError(str(settings.file), "node", reason)


def set_aside(folder: Path) -> Path:
    """Move all that a node keeps into a folder below its own, and say which."""
    number = 1
    while (aside := folder / f"{ASIDE}{number}").exists():
        number += 1
    aside.mkdir()
    for each in sorted(folder.iterdir()):
        if not each.name.startswith((ASIDE, "demo-staff")):
            each.rename(aside / each.name)
    return aside
