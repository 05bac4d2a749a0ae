"""`solvent report`: the report of a run's folder, or of a served market's, as one HTML file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from solvent.cli.options import NAMED

JOURNAL = "journal"


def report(
    directory: Annotated[Path, NAMED],
    /,
    *,
    out: Annotated[Path, NAMED],
    archive: Annotated[Path | None, NAMED] = None,
) -> None:
    """Write the report of a run, or of a market that is not being served, as one HTML file.

    Parameters
    ----------
    directory
        The folder of a run or of a market.
    out
        File for the report; one that is there is replaced.
    archive
        Where old segments of the market's journal were moved to.
    """
    from solvent.cli.progress import progress, say
    from solvent.journal.durable import holds_journal
    from solvent.lab.report.folder import report_of_market, report_of_run

    journal = directory / JOURNAL
    with _whole(out) as partial:
        if holds_journal(journal):
            from solvent.proof.audit.markets import market_head, market_transcripts

            name, parameters = directory.absolute().name, market_head(journal, archive)
            with progress(f"reading {directory}", "records") as told:
                heard = (
                    (transcript, market.engine)
                    for market, transcript in market_transcripts(journal, archive, told)
                )
                report_of_market(name, parameters, heard, partial)
        else:
            report_of_run(directory, partial)
    say(f"report: {out}")


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A file beside `out` that takes its place once it is whole. InputError where it cannot."""
    from solvent.domain.errors import InputError

    partial = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        partial.touch()
    except OSError as error:
        reason = f"cannot be written: {error.strerror}; name a file in a folder that is there"
        raise InputError(str(out), "--out", reason) from None
    try:
        yield partial
        partial.replace(out)
    except OSError as error:
        raise InputError(str(out), "--out", f"cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
