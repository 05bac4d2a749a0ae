"""`solvent lab merge`: the shards of a sweep become one."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from solvent.cli.options import NAMED


def merge(*folders: Annotated[Path, NAMED], out: Annotated[Path, NAMED, Parameter()]) -> None:
    """Put the shards of a sweep, or of a sample of the tail, together, as if computed in one.

    Parameters
    ----------
    folders
        The folders of all its shards.
    out
        The folder of the whole sweep.
    """
    from solvent.cli.lab.shown import show_sweep, show_tail
    from solvent.domain.errors import InputError
    from solvent.lab.sweeps.plan import read_plan
    from solvent.lab.sweeps.sweeping import merge as put_together
    from solvent.lab.tail import folder as tails

    if not folders:
        raise InputError("merge", "folders", "name the folders of all shards")
    if tails.is_tail(folders[0]):
        leaves = tails.merge(list(folders), out)
        show_tail(tails.read_plan(out).asked, leaves, out)
        return
    rows = put_together(list(folders), out)
    show_sweep(read_plan(out), rows, out)
