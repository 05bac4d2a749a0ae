"""The report of what is in a folder: a run's from its log, a served market's from its journal.

A run's figures are those of its manifest; what was sampled step by step for the charts, and its
receipts, come from carrying its commands out again. Of a market nothing but the journal is known:
its figures are gathered as those of a run are, its parties are the roles of its accounts, and the
count begins with its first step.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from solvent.domain.codec.events import kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command, Role, TimeStep
from solvent.domain.engine_face import EngineFace
from solvent.domain.errors import InputError
from solvent.domain.events import AccountOpened, Stepped
from solvent.domain.parameters import EngineParameters
from solvent.engine.engine import FastEngine
from solvent.journal.event_hash import EventHasher
from solvent.journal.run_log import RunLogReader
from solvent.lab.people.roles import Role as ReportedRole
from solvent.lab.prices.paths import time_text
from solvent.lab.report.figures import Recorder
from solvent.lab.report.page import write_report
from solvent.lab.report.parties import Party
from solvent.lab.report.receipts import Chosen
from solvent.receipts.runs import RunReceipts
from solvent.reference.state import FUND, TREASURY

STEPPED = kind_number(Stepped)
OPENED = frozenset({kind_number(AccountOpened)})
PARTIES = {
    Role.BACKSTOP_PROVIDER: ("backstop providers", ReportedRole.PROVIDER),
    Role.USER: ("accounts", None),
}


class Telling:
    """Hears commands with their events and is shown the engine after each step, as in a run."""

    def __init__(self, parameters: EngineParameters) -> None:
        self._opened: dict[Role, list[int]] = {role: [] for role in PARTIES}
        parties = (
            Party("backstop fund", (FUND,), ReportedRole.FUND),
            Party("treasury", (TREASURY,), ReportedRole.TREASURY),
            *(Party(name, self._opened[role], does) for role, (name, does) in PARTIES.items()),
        )
        self.recorder = Recorder(parameters, parties)
        self.hasher = EventHasher()
        self.shown = Chosen()
        self._receipts = RunReceipts(parameters)
        self._has_begun = False

    def hear(self, transcript: Transcript) -> None:
        """Take in commands that were carried out."""
        self.recorder.hear(transcript)
        self.hasher.update_encoded(transcript.words.cast("B"))
        for event in transcript.of_kinds(OPENED):
            assert isinstance(event, AccountOpened)
            if event.role in self._opened:
                self._opened[event.role].append(event.account)
        for receipt in self._receipts.feed(transcript):
            self.shown.take(receipt)

    def see(self, engine: EngineFace) -> None:
        """Sample the engine, or begin the count where nothing has been seen yet."""
        if self._has_begun:
            self.recorder.see(engine)
        else:
            self._has_begun = True
            self.recorder.begin(engine)

    def end(self, engine: EngineFace) -> None:
        """Take the last look."""
        if not self._has_begun:
            self.recorder.begin(engine)
        self.recorder.end(engine)


def report_of_run(folder: Path, out: Path) -> None:
    """Write the report of a run's folder again. InputError where the folder is not as written."""
    reader = RunLogReader(folder)
    figures: Any = reader.manifest.figures
    telling, engine = Telling(reader.parameters), FastEngine(reader.parameters)
    batch: list[Command] = []
    for command in reader.commands():
        if isinstance(command, TimeStep):
            _carry_out(telling, engine, batch)
            batch.clear()
        batch.append(command)
    _carry_out(telling, engine, batch)
    series = telling.recorder.all_series()
    try:
        # A book of accounts begins with other parameters than those that the report is about.
        series["threshold"] = {pool["asset"]: pool["threshold"] for pool in figures["pools"]}
        write_report(figures, series, telling.shown, out)
    except (KeyError, TypeError) as error:
        reason = f"lacks {error}: another version wrote it; run the scenario again"
        raise InputError(str(folder), "run.json", reason) from None


def _carry_out(telling: Telling, engine: FastEngine, batch: list[Command]) -> None:
    """All commands of one step, and then a look."""
    if batch:
        telling.hear(engine.apply(batch))
    telling.see(engine)


def report_of_market(
    name: str,
    parameters: EngineParameters,
    heard: Iterable[tuple[Transcript, EngineFace]],
    out: Path,
) -> None:
    """Write the report of a market, from every record that was carried out and its engine then."""
    telling = Telling(parameters)
    engine = None
    for transcript, engine in heard:
        telling.hear(transcript)
        if STEPPED in transcript.present:
            telling.see(engine)
    if engine is None:
        raise InputError(name, "journal", "holds no record; there is nothing to report yet")
    telling.end(engine)
    figures = _market_head(name, parameters, engine) | telling.recorder.figures()
    figures["state_hash"] = engine.state_hash()
    figures["event_hash"] = telling.hasher.hexdigest()
    write_report(figures, telling.recorder.all_series(), telling.shown, out)


def _market_head(name: str, parameters: EngineParameters, engine: EngineFace) -> dict[str, Any]:
    """What a scenario would say, as far as a journal knows it."""
    return {
        "scenario": name,
        "description": "A served market, from the first record of its journal to the last",
        "source": "its oracle and its clients: a journal does not say where they had prices from",
        "prices": {
            "foreign": False,
            "file": None,
            "sha256": None,
            "stale_seconds": {},
            "more_files": [],
        },
        "positions": None,
        "notes": [],
        "seed": parameters.seed,
        "policy": parameters.waterfall.lender_policy.name.lower(),
        "default_policy": parameters.waterfall.default_policy.name.lower(),
        "accounts": engine.queries.accounts(),
        "assets": [asset.symbol for asset in parameters.assets],
        "start": time_text(parameters.start_time),
        "end": time_text(engine.now),
        "step_seconds": None,
        "depth": None,
        "settings": None,
        "engine": "fast",
    }
