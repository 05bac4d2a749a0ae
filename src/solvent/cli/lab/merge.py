"""`solvent lab merge`: the shards of a sweep become one."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from solvent.cli.options import NAMED


def merge(*folders: Annotated[Path, NAMED], out: Annotated[Path, NAMED, Parameter()]) -> None:
    """Put the shards of a sweep together, as if it had been computed in one.

    Parameters
    ----------
    folders
        The folders of all its shards.
    out
        The folder of the whole sweep.
    """
    from solvent.cli.lab.shown import show_sweep
    from solvent.domain.errors import InputError
    from solvent.lab.sweeps.plan import read_plan
    from solvent.lab.sweeps.sweeping import merge as put_together

    if not folders:
        raise InputError("merge", "folders", "name the folders of all shards")
    rows = put_together(list(folders), out)
    show_sweep(read_plan(out), rows, out)
