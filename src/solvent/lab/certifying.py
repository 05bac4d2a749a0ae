"""Certificates of a run: its log is carried out again, and the state where it stands certified."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from nacl.signing import SigningKey

from solvent.domain.codec.events import kind_number
from solvent.domain.commands import Command
from solvent.domain.errors import InputError
from solvent.engine.engine import FastEngine
from solvent.journal.event_hash import EventHasher
from solvent.journal.run_log import RunLogReader
from solvent.solvency.certificate import Certificate
from solvent.solvency.proofs import Prover
from solvent.solvency.survey import Flows, certify

BATCH = 4096


def certify_run(
    folder: Path,
    secret: SigningKey,
    *,
    commands: int | None = None,
    previous: Certificate | None = None,
    number: int | None = None,
) -> tuple[Certificate, Prover]:
    """The certificate of a run after so many commands (all of them by default), and its prover.

    `previous` is a certificate of the same run after fewer commands; `number` is that of the new
    one where it is made again without the one before. InputError where the folder is
    no run's, or the numbers do not fit each other.
    """
    reader = RunLogReader(folder)
    whole = reader.manifest.commands
    count = whole if commands is None else commands
    since = 0 if previous is None else previous.commands
    if not since < count <= whole:
        reason = f"must lie above {since} and up to the run's {whole}, is {count}"
        raise InputError(str(folder), "commands", reason)
    engine, flows, hasher = FastEngine(reader.parameters), Flows(), EventHasher()
    kinds = {kind_number(kind) for kind in Flows.KINDS}
    waiting = reader.commands()
    for length, begins in ((since, False), (count - since, True)):
        if begins:
            flows.next_period()
        for batch in _batches(islice(waiting, length)):
            transcript = engine.apply(batch)
            hasher.update_encoded(transcript.words.cast("B"))
            for event in transcript.of_kinds(kinds):
                flows.update(event)
    return certify(
        engine.queries,
        flows,
        secret,
        market=str(reader.manifest.figures.get("scenario", folder.name)),
        time=engine.now,
        commands=count,
        journal=hasher.hexdigest(),
        previous=previous,
        number=number,
    )


def _batches(commands: Iterator[Command]) -> Iterator[list[Command]]:
    while batch := list(islice(commands, BATCH)):
        yield batch
