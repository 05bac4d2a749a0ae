"""Who plays a scenario in a served market: its pace for the page, and at the end its report."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from solvent.domain.codec.transcript import Transcript
from solvent.domain.engine_face import EngineFace
from solvent.domain.errors import InputError
from solvent.engine.engine import FastEngine
from solvent.lab.live.driver import LiveAgents
from solvent.lab.report.folder import report_of_market
from solvent.service.core.market import Market, head_parameters
from solvent.service.core.node import Node
from solvent.service.core.paced import Paced
from solvent.service.core.records import decode_record


class Playing:
    """A scenario's agents and their market, as the service knows them."""

    def __init__(self, scenario: str, node: Node, agents: LiveAgents) -> None:
        self.scenario = scenario
        self._node = node
        self._agents = agents
        self._report = Paced(self._write_report, apart=True)

    @property
    def speed(self) -> int:
        """Seconds of the scenario in one, thousandths."""
        return self._agents.rate

    @property
    def is_paused(self) -> bool:
        """Whether its time stands still."""
        return self._agents.is_paused

    @property
    def end(self) -> int:
        """When the scenario's own prices end, microseconds UTC."""
        return self._agents.end

    def play(self, speed: int, *, is_paused: bool) -> None:
        """Go on at another speed, or stand still."""
        self._agents.set_pace(speed, is_paused=is_paused)

    async def report(self) -> bytes:
        """The report of what was played: what `solvent report FOLDER` writes, up to the end.

        It is written once. Raises InputError where the journal's beginning is not there.
        """
        return await self._report.now(lambda _: True)

    def _write_report(self) -> bytes:
        journal = self._node.sequencer.journal
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "report.html"
            report_of_market(self.scenario, head_parameters(journal.head), self._heard(), page)
            return page.read_bytes()

    def _heard(self) -> Iterator[tuple[Transcript, EngineFace]]:
        """Every record up to the scenario's end, carried out again in a market of its own."""
        journal = self._node.sequencer.journal
        if journal.first:
            raise InputError(self.scenario, "journal", "begins in an archive: run solvent report")
        market = Market(journal.head, FastEngine)
        for _, data in journal.records():
            if self._agents.is_stopped:
                raise InputError(self.scenario, "report", "is not written: the service ends")
            record = decode_record(data)
            if record.time > self.end:
                return
            (outcome,) = market.carry_out([record])
            yield outcome.transcript, market.engine
