"""`solvent audit`: a run's log replayed, with every invariant and every hash checked."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number


def audit(
    directory: Path,
    /,
    *,
    check_every: Annotated[int, Parameter(validator=Number(gte=0))] = 1,
) -> int:
    """Replay a run's log and check every invariant and hash. Exit code 1 at a difference.

    Parameters
    ----------
    directory
        The folder of a run.
    check_every
        Check the invariants after every so many commands; 0 for never. Events and hashes are
        always compared.
    """
    from solvent.cli.progress import progress
    from solvent.journal.audit import audit as replay
    from solvent.lab.formatting import number

    with progress(f"auditing {directory}", "commands") as report:
        found = replay(directory, check_every=check_every, progress=report)
    print(f"{number(found.commands)} commands replayed, {number(found.events)} events compared")
    print(f"invariants checked after {number(found.checked)} commands")
    print(f"state_hash  {found.state_hash}")
    print(f"event_hash  {found.event_hash}")
    if found.problem is not None:
        print(f"FAILED: {found.problem}")
        return 1
    print("everything agrees")
    return 0
