"""Figures: what a run comes to, gathered from the engine's events while it runs.

Money is decimal text in USDC, ratios are numbers. `Recorder` hears every command and its events and
is shown the state after every step; `figures` and `series` are what it then has to say. The counts
of liquidated accounts follow each account to its last word: restored to health, closed with nothing
left to owe, or still in the waterfall.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from solvent.domain.codec.events import EVENT_KINDS, kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import TimeStep
from solvent.domain.engine_face import EngineFace
from solvent.domain.events import Event, IndexUpdated, MarkUpdated, Refused, Stepped
from solvent.domain.parameters import EngineParameters
from solvent.domain.queries import Queries
from solvent.domain.units import RATIO, SECOND, VALUE_SCALE
from solvent.domain.waterfall_events import (
    AdlOpened,
    BackstopFilled,
    BookingOpened,
)
from solvent.foresight.marks import Marks
from solvent.foresight.stage_figures import STAGES, StageFigures
from solvent.lab.adl.burden import Burden
from solvent.lab.prices.paths import time_text
from solvent.lab.report.conservation import BALANCE, Conservation
from solvent.lab.report.later import KindLater
from solvent.lab.report.liquidated import CLOSED, RESTORED, Liquidated
from solvent.lab.report.parties import Parties, Party
from solvent.lab.report.recovery import Recovery
from solvent.lab.report.settlement_figures import LenderFigures
from solvent.lab.report.shortfalls import Bookings, Defaults
from solvent.lab.report.write_downs import WriteDowns

MINUTE = 60 * SECOND
PRICE_UNIT = 10**10
DEPTH_WITHIN = RATIO // 100
NO_NAMES: Mapping[int, str] = MappingProxyType({})

Handler = Callable[[Event], None]


class PoolWatch:
    """One pool's utilization over a run, in 10^-9, sampled after every step."""

    def __init__(self, symbol: str, threshold: int) -> None:
        self.symbol = symbol
        self.threshold = threshold
        self.start: int | None = None
        self.peak = 0
        self.end = 0
        self.above = 0
        self.full = 0

    def sample(self, level: int, elapsed: int) -> None:
        """Take the level that `elapsed` microseconds ended with."""
        if self.start is None:
            self.start = level
        self.peak = max(self.peak, level)
        self.end = level
        self.above += elapsed if level > self.threshold else 0
        self.full += elapsed if level >= RATIO else 0

    def result(self) -> dict[str, Any]:
        """The record of this pool."""
        return {
            "asset": self.symbol,
            "start_utilization": ratio(self.start or 0),
            "peak_utilization": ratio(self.peak),
            "end_utilization": ratio(self.end),
            "threshold": ratio(self.threshold),
            "minutes_above_threshold": minutes(self.above),
            "minutes_full": minutes(self.full),
        }


class LendRate:
    """What lenders earned: the lend rates of all pools by what was lent there, and for how long.

    lend rate = sum of value lent * rate * time / sum of value lent * time

    Interest alone: a loss that lenders bear stands beside it, as their deficit.
    """

    def __init__(self) -> None:
        self._earned = 0
        self._lent = 0

    def sample(self, value: int, rate: int, elapsed: int) -> None:
        """Take a pool: `value` lent, 10^-6 USDC, at `rate` a year for `elapsed` microseconds."""
        self._earned += value * rate * elapsed
        self._lent += value * elapsed

    def result(self) -> float:
        """The mean rate a year; 0 where nobody lent."""
        return self._earned // self._lent / RATIO if self._lent else 0.0


def ratio(number: int) -> float:
    """A ratio of 10^-9 as a number."""
    return number / RATIO


def minutes(time: int) -> float | int:
    """Microseconds in minutes, to a hundredth."""
    exact = round(time / MINUTE, 2)
    return int(exact) if exact == int(exact) else exact


class Recorder:
    """Listens to one run; see the module."""

    def __init__(
        self,
        parameters: EngineParameters,
        parties: Sequence[Party] = (),
        names: Mapping[int, str] = NO_NAMES,
    ) -> None:
        self.commands = 0
        self.events = 0
        self.refused = 0
        self.steps = 0
        self.receipts = 0
        self._marks = Marks(parameters)
        self._stages = StageFigures(self._marks)
        self._lenders = LenderFigures(self._marks)
        self._recovery = Recovery(self._marks, names)
        self._write_downs = WriteDowns(self._marks, names)
        self._liquidated = Liquidated(self._marks, parties, names, self._moment)
        self._bookings = Bookings(self._marks, names, self._moment)
        self._defaults = Defaults(self._marks, names, self._moment)
        self._burden = Burden(self._marks)
        self._later = KindLater(self._marks, parameters.start_time)
        self._parties = Parties(self._marks, parties)
        self._conservation = Conservation(self._marks)
        self._lend_rate = LendRate()
        self._pools = [
            PoolWatch(asset.symbol, asset.pool.throttle_threshold) for asset in parameters.assets
        ]
        self._now = parameters.start_time
        self._command: tuple[Transcript, int] | None = None
        self._handlers: list[list[Handler]] = [[] for _ in EVENT_KINDS]
        self._listen()
        self._times: list[str] = []
        self._rows = {
            name: {pool.symbol: list[float]() for pool in self._pools}
            for name in ("marks", "utilization", "bound", "borrow_rate", "lend_rate", "depth")
        }
        self._stage_values = {stage: list[float]() for stage in STAGES}
        self._owed: list[float] = []
        self._received: list[float] = []
        self._in_waterfall = 0
        self._liquidating: list[int] = []

    def _listen(self) -> None:
        listeners = (
            self._stages,
            self._lenders,
            self._recovery,
            self._write_downs,
            self._liquidated,
            self._bookings,
            self._defaults,
            self._later,
            self._burden,
            self._parties,
            self._conservation,
        )
        told = [(kind, each.update) for each in listeners for kind in each.KINDS]
        own: list[tuple[type[Event], Handler]] = [
            (IndexUpdated, self._mark_moves),
            (MarkUpdated, self._mark_moves),
            (Refused, self._refuses),
            (Stepped, self._steps_on),
            (AdlOpened, self._settles),
            (BackstopFilled, self._settles),
            (BookingOpened, self._settles),
        ]
        for kind, handler in [*told, *own]:
            self._handlers[kind_number(kind)].append(handler)

    def hear(self, transcript: Transcript) -> None:
        """Take commands and their events."""
        self.commands += len(transcript)
        self.events += len(transcript.kinds)
        self._conservation.read(transcript)
        kinds, places, start = transcript.kinds, transcript.places, 0
        for number, end in enumerate(transcript.ends):
            self._command = transcript, number
            for each in range(start, end):
                kind = kinds[each]
                if kind == BALANCE:
                    self._conservation.note(places[each])
                elif handlers := self._handlers[kind]:
                    event = transcript.event(each)
                    for handler in handlers:
                        handler(event)
            self._conservation.close()
            start = end

    def forget(self) -> None:
        """Let go of the transcript that was heard last: what is left can be copied."""
        self._command = None
        self._conservation.forget()

    def _mark_moves(self, event: Event) -> None:
        self._conservation.close()
        self._marks.update(event)

    def _moment(self) -> int:
        """The time of the command whose events are heard: a step's own, or that of the last one."""
        assert self._command is not None
        transcript, number = self._command
        command = transcript.commands[number]
        return command.time if isinstance(command, TimeStep) else self._now

    def _refuses(self, _event: Event) -> None:
        self.refused += 1

    def _settles(self, _event: Event) -> None:
        self.receipts += 1

    def _steps_on(self, event: Event) -> None:
        assert isinstance(event, Stepped)
        self.steps += 1
        self._in_waterfall = event.liquidating

    def begin(self, engine: EngineFace) -> None:
        """Look at everybody before the first step."""
        self._parties.begin(engine.queries)
        self.see(engine)

    def end(self, engine: EngineFace) -> None:
        """Look at everybody after the last step."""
        self._parties.end(engine.queries)

    def see(self, engine: EngineFace) -> None:
        """Look at the pools after a step."""
        elapsed, self._now = engine.now - self._now, engine.now
        self._later.step(engine.now)
        for asset, (watch, pool) in enumerate(
            zip(self._pools, engine.pool_readings(), strict=True)
        ):
            watch.sample(pool.utilization, elapsed)
            if elapsed:
                self._rows["marks"][watch.symbol].append(self._marks.mark(asset) / PRICE_UNIT)
                self._rows["utilization"][watch.symbol].append(ratio(pool.utilization))
                self._rows["bound"][watch.symbol].append(ratio(pool.bound))
        if elapsed:
            self._sample(engine.queries, elapsed)

    def _sample(self, queries: Queries, elapsed: int) -> None:
        for asset, watch in enumerate(self._pools):
            report = queries.pool(asset)
            self._rows["borrow_rate"][watch.symbol].append(ratio(report.borrow_apr))
            self._rows["lend_rate"][watch.symbol].append(ratio(report.lend_apr))
            lent = self._marks.value(asset, report.lent)
            self._lend_rate.sample(lent, report.lend_apr, elapsed)
            self._rows["depth"][watch.symbol].append(self._depth(queries, asset))
        self._times.append(time_text(self._now))
        self._liquidating.append(self._in_waterfall)
        for stage, value in self._stages.values().items():
            self._stage_values[stage].append(value)
        owed, received = self._lenders.so_far()
        self._owed.append(owed)
        self._received.append(received)

    def _depth(self, queries: Queries, asset: int) -> float:
        """What rests within DEPTH_WITHIN of the mark on the thinner side of a book, USDC."""
        if not asset:
            return 0.0
        mark, depth = self._marks.mark(asset), queries.depth(asset)
        reach = mark * DEPTH_WITHIN // RATIO
        bids = sum(each.quantity for each in depth.bids if each.price >= mark - reach)
        asks = sum(each.quantity for each in depth.asks if each.price <= mark + reach)
        return self._marks.value(asset, min(bids, asks)) / VALUE_SCALE

    def figures(self) -> dict[str, Any]:
        """Everything gathered, by the names that reports use."""
        words = self._liquidated.outcomes()
        return {
            "steps": self.steps,
            "commands": self.commands,
            "events": self.events,
            "refused": self.refused,
            "liquidated_accounts": len(words),
            "restored_accounts": words.count(RESTORED),
            "closed_accounts": words.count(CLOSED),
            "liquidated": self._liquidated.result(),
            "stages": self._stages.result(),
            "lenders": self._lenders.result(),
            "lenders_settled": self._recovery.lenders(),
            "paid_in": self._recovery.paid(),
            "kind_later": self._later.result(),
            "burden": self._burden.result(),
            "parties": self._parties.result(),
            "defaults": self._defaults.result(),
            "deficits": self._lenders.deficits,
            "bookings": self._bookings.result(),
            "written_down": self._write_downs.result(),
            "pools": [watch.result() for watch in self._pools],
            "lend_rate": self._lend_rate.result(),
            "conservation": self._conservation.result(),
            "receipts": self.receipts,
        }

    def all_series(self) -> dict[str, Any]:
        """What was sampled after every step, to draw with."""
        return {
            "times": self._times,
            **self._rows,
            "threshold": {watch.symbol: ratio(watch.threshold) for watch in self._pools},
            "stage_value": self._stage_values,
            "lenders": {"owed": self._owed, "received": self._received},
            "liquidating": self._liquidating,
        }
