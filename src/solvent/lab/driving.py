"""Driving: a run's own engine, and how it goes from one moment of its prices to the next."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Protocol, Self

from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command
from solvent.domain.engine_face import EngineFace
from solvent.domain.parameters import EngineParameters
from solvent.journal.event_hash import EventHasher
from solvent.lab.people.agents import Agents, Driver
from solvent.lab.prices.feed import Feed
from solvent.lab.report.figures import Recorder

EngineFactory = Callable[[EngineParameters], EngineFace]
Progress = Callable[[int, int], None]
"""Called with the steps done and all steps."""


class RunLog(Protocol):
    """What a run is written to."""

    def append(self, transcript: Transcript) -> None:
        """Write down commands and their events."""
        ...

    def event_hash(self) -> str:
        """The event hash of everything so far."""
        ...


def advance(agents: Agents, driver: "RunDriver", feed: Feed, progress: Progress | None) -> None:
    """From one moment of the feed to the next, to its end."""
    done = 0
    for number, moment in enumerate(feed.moments, start=1):
        go_to(agents, driver, done, moment - feed.start)
        done = moment - feed.start
        if progress is not None:
            progress(number, len(feed.moments))


def go_to(agents: Agents, driver: "RunDriver", done: int, after: int) -> None:
    """From `done` to `after` microseconds, by as many steps as the agents ask for."""
    while done < after:
        until = agents.next_step(driver, done, after)
        agents.step(driver, done, until)
        driver.see()
        done = until


class RunDriver(Driver):
    """The engine of a run, which starts with `parameters`, and its listeners."""

    def __init__(
        self,
        parameters: EngineParameters,
        recorder: Recorder,
        engine_factory: EngineFactory,
        log: RunLog | None,
    ) -> None:
        super().__init__()
        self.engine = engine_factory(parameters)
        self.recorder = recorder
        self.state_hash = ""
        self._log = log
        self._hasher = EventHasher()

    def fork(self, engine: EngineFace) -> Self:
        """A driver that heard the same so far, of an engine in the same state; it writes no log."""
        assert self._log is None
        self.recorder.forget()
        return deepcopy(self, {id(self.engine): engine})

    def carry_out(self, batch: list[Command]) -> Transcript:
        """Let the engine do it."""
        return self.engine.apply(batch)

    def utilization(self, asset: int) -> int:
        """As the engine has it."""
        return self.engine.pool_readings()[asset].utilization

    def hear(self, transcript: Transcript) -> None:
        """Let figures, hash and log have it."""
        self.recorder.hear(transcript)
        if self._log is None:
            self._hasher.update_encoded(transcript.words.cast("B"))
        else:
            self._log.append(transcript)

    def begin(self) -> None:
        """Show the recorder the state before the first step."""
        self.recorder.begin(self.engine)

    def see(self) -> None:
        """Show the recorder the state after a step."""
        self.recorder.see(self.engine)

    def finish(self) -> dict[str, Any]:
        """Figures and hashes of the whole run."""
        self.recorder.end(self.engine)
        self.state_hash = self.engine.state_hash()
        hashed = self._hasher.hexdigest() if self._log is None else self._log.event_hash()
        name = type(self.engine).__name__.removesuffix("Engine").lower()
        return {
            "engine": name,
            **self.recorder.figures(),
            "state_hash": self.state_hash,
            "event_hash": hashed,
        }
