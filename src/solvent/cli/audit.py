"""`solvent audit`: a run's log or a market's journal replayed, with every hash checked."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import NAMED, WHOLE

JOURNAL = "journal"


def audit(
    directory: Annotated[Path, NAMED],
    /,
    *,
    check_every: Annotated[int, WHOLE, Parameter(validator=Number(gte=0))] = 1,
    archive: Annotated[Path | None, NAMED] = None,
) -> int:
    """Replay a run's log or a market's journal and check it. Exit code 1 at a difference.

    Of a run every event, invariant and hash is checked; of a market, which must not be running,
    every byte of the journal, every state hash in it and every snapshot.

    Parameters
    ----------
    directory
        The folder of a run or of a market.
    check_every
        Check the invariants of a run after every so many commands; 0 for never. Events and hashes
        are always compared.
    archive
        Folder that a market's older records left for. Without it the audit begins at a snapshot.
    """
    from solvent.journal.durable import holds_journal

    if holds_journal(directory / JOURNAL):
        return _audit_market(directory / JOURNAL, archive)
    return _audit_run(directory, check_every)


def _audit_run(directory: Path, check_every: int) -> int:
    from solvent.cli.progress import progress
    from solvent.lab.report.formatting import number
    from solvent.proof.audit.runs import audit as replay

    with progress(f"auditing {directory}", "commands") as report:
        found = replay(directory, check_every=check_every, progress=report)
    print(f"{number(found.commands)} commands replayed, {number(found.events)} events compared")
    print(f"invariants checked after {number(found.checked)} commands")
    print(f"state_hash  {found.state_hash}")
    print(f"event_hash  {found.event_hash}")
    return _verdict(found.problem)


def _audit_market(journal: Path, archive: Path | None) -> int:
    from solvent.cli.progress import progress
    from solvent.lab.report.formatting import number
    from solvent.proof.audit.markets import audit_market

    with progress(f"auditing {journal}", "records") as report:
        found = audit_market(journal, report, archive)
    replayed = number(found.records - found.first)
    print(f"{replayed} records replayed, {number(found.commands)} commands")
    if found.first:
        print(f"begun at the snapshot of record {number(found.first)}: --archive has those before")
    print(f"{number(found.checks)} state hashes and {number(found.snapshots)} snapshots compared")
    if found.torn:
        print(
            f"{number(found.torn)} bytes at the end are no whole batch: one that was being written "
            "when the process was killed and was not acknowledged, or the last one that was, "
            "damaged later. The journal alone cannot tell; a copy can"
        )
    print(f"head_digest {found.digest}")
    print(f"state_hash  {found.state_hash}")
    return _verdict(found.problem, but=", as far as can be told" if found.torn else "")


def _verdict(problem: str | None, but: str = "") -> int:
    if problem is not None:
        print(f"FAILED: {problem}")
        return 1
    print(f"everything agrees{but}")
    return 0
