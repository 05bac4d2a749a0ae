"""The book of a folder, a run's or a market's, as it stands where its log ends."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from solvent.domain.errors import InputError

if TYPE_CHECKING:
    from solvent.domain.commands import Command
    from solvent.engine.engine import FastEngine

JOURNAL = "journal"
_BATCH = 4_096


def book_of(folder: Path, commands: int | None = None) -> "FastEngine":
    """An engine that has carried out what a folder's log says, the first `commands` or all of it.

    Of a market, which must not be served meanwhile, always all. InputError or JournalError where
    the folder is neither.
    """
    from solvent.journal.durable import holds_journal

    if not holds_journal(folder / JOURNAL):
        return _of_run(folder, commands)
    if commands is not None:
        raise InputError(str(folder), "--commands", "is for a run's log; a market is asked whole")
    return _of_market(folder / JOURNAL)


def came_after(folder: Path, commands: int) -> "list[Command]":
    """What a run's log has after so many commands."""
    from solvent.journal.run_log import RunLogReader

    return list(islice(RunLogReader(folder).commands(), commands, None))


def _of_run(folder: Path, commands: int | None) -> "FastEngine":
    from solvent.cli.progress import progress
    from solvent.engine.engine import FastEngine
    from solvent.journal.run_log import RunLogReader

    reader = RunLogReader(folder)
    whole = reader.manifest.commands
    count = whole if commands is None else commands
    if count > whole:
        raise InputError(str(folder), "--commands", f"must be up to the run's {whole}, is {count}")
    engine = FastEngine(reader.parameters)
    waiting = islice(reader.commands(), count)
    done = 0
    with progress(f"reading {folder}", "commands") as report:
        while batch := list(islice(waiting, _BATCH)):
            engine.apply(batch)
            done += len(batch)
            report(done, count)
    return engine


def _of_market(journal: Path) -> "FastEngine":
    from solvent.engine.engine import FastEngine
    from solvent.journal.durable import Journal
    from solvent.service.core.sequencer import recover

    opened = Journal.open(journal)
    try:
        engine = recover(opened, FastEngine).engine
    finally:
        opened.close()
    assert isinstance(engine, FastEngine)
    return engine
