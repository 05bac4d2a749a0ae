"""Metrics: counters and gauges in Prometheus' text form, with no name or key in them."""

import shutil
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from solvent import __version__
from solvent.domain.codec.events import kind_number
from solvent.domain.commands import COMMAND_KINDS
from solvent.domain.events import Refused
from solvent.domain.waterfall_events import (
    AdlMatched,
    BackstopFilled,
    DebtWrittenOff,
    LiquidationStarted,
)
from solvent.service.core.archiver import Archiver
from solvent.service.core.clock import MarketClock
from solvent.service.core.history_writer import ViewsWriter
from solvent.service.core.market import Outcome
from solvent.service.core.sequencer import Sequencer

_COUNTED = frozenset(
    map(kind_number, (Refused, LiquidationStarted, BackstopFilled, AdlMatched, DebtWrittenOff))
)
"""Kinds of events, by number, that are counted."""


class Metrics:
    """All metrics of one node: of its writer, and of the requests that it answers."""

    def __init__(
        self,
        sequencer: Sequencer,
        clock: MarketClock,
        views: ViewsWriter,
        archiver: Archiver,
        is_ready: Callable[[], bool],
    ) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        build = Gauge("solvent_build_info", "Version", ["version"], registry=self._registry)
        build.labels(__version__).set(1)
        self._commands = self._counter("commands", "Commands carried out", ["command"])
        self._refused = self._counter("refusals", "Commands refused", ["code"])
        self._waterfall = self._counter("waterfall", "Steps of the waterfall", ["event"])
        self._requests = self._counter("requests", "Requests answered", ["tag", "status"])
        self._seconds = Histogram(
            "solvent_request_seconds", "Time to an answer", ["tag"], registry=self._registry
        )
        # A metric's child of these labels is found once and then kept.
        self._counted: dict[int, Counter] = {}
        self._answered: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._gauge("records", "Durable records", lambda: sequencer.journal.sequence)
        self._gauge_place(sequencer)
        self._gauge("waiting", "Requests that wait for the writer", lambda: sequencer.waiting)
        self._gauge("ready", "1 while requests are carried out", lambda: int(is_ready()))
        self._gauge(
            "engine_time_seconds", "The engine's time", lambda: sequencer.market.engine.now / 1e6
        )

        self._gauge(
            "journal_notes",
            "What was cut or passed over in the journal since the start",
            lambda: len(sequencer.journal.notes),
        )
        self._gauge("batches", "Batches made durable", lambda: sequencer.batches)
        self._gauge(
            "append_seconds", "Time in which they were made so", lambda: sequencer.append_seconds
        )
        self._gauge(
            "disk_free_bytes",
            "Room beside the journal",
            lambda: shutil.disk_usage(sequencer.journal.folder).free,
        )
        self._gauge("journal_first", "First record that is not archived", lambda: archiver.first)
        self._gauge(
            "archive_failures", "Moves to the archive that failed", lambda: archiver.failures
        )
        self._gauge(
            "snapshot_records", "Records after the latest snapshot", lambda: sequencer.tail.records
        )
        self._gauge("views_follow", "1 while histories can be read", lambda: int(views.follows))
        self._gauge("views_lag_commands", "Commands that histories lack", lambda: views.lag)
        self._gauge(
            "views_lag_seconds", "For how long they have lacked some", lambda: views.lag_seconds
        )
        self._gauge("views_failures", "Failures of the views' database", lambda: views.failures)
        self._gauge("views_rebuilds", "How often views were made anew", lambda: views.rebuilds)
        self._gauge(
            "clock_offset_seconds",
            "How far the wall clock is ahead of the one that signatures are judged by",
            lambda: clock.offset / 1e6,
        )
        self._gauge("clock_leaps", "Leaps of the wall clock", lambda: clock.leaps)
        self._gauge(
            "market_lead_seconds",
            "How far the market is ahead of the time that signatures are judged by",
            lambda: clock.lead / 1e6,
        )

    def _gauge_place(self, sequencer: Sequencer) -> None:
        """Where the node stands in a cluster."""
        self._gauge("leads", "1 while requests are taken in here", lambda: int(sequencer.leads))
        self._gauge("sequence", "Latest record, or frame, carried out", lambda: sequencer.applied)
        self._gauge("epoch", "Times that a node began to lead", lambda: sequencer.place.epoch)
        self._gauge("lag_frames", "Frames not carried out yet", lambda: sequencer.place.lag)
        self._gauge("quiet_seconds", "Since the latest frame", lambda: sequencer.place.quiet)

    def _counter(self, name: str, said: str, labels: list[str]) -> Counter:
        return Counter(f"solvent_{name}", said, labels, registry=self._registry)

    def _gauge(self, name: str, said: str, reading: Callable[[], float]) -> None:
        Gauge(f"solvent_{name}", said, registry=self._registry).set_function(reading)

    def note(self, outcome: Outcome) -> None:
        """Count what a record led to."""
        transcript = outcome.transcript
        kinds = transcript.commands.kinds
        for kind in dict.fromkeys(kinds):
            counted = self._counted.get(kind)
            if counted is None:
                name = COMMAND_KINDS[kind].__name__
                counted = self._counted[kind] = self._commands.labels(name)
            counted.inc(kinds.count(kind))
        if transcript.present.isdisjoint(_COUNTED):
            return
        for event in transcript.of_kinds(_COUNTED):
            if isinstance(event, Refused):
                self._refused.labels(event.code.name).inc()
            else:
                self._waterfall.labels(type(event).__name__).inc()

    def answered(self, tag: str, status: int, seconds: float) -> None:
        """Count a request."""
        found = self._answered.get((tag, status))
        if found is None:
            found = self._requests.labels(tag, str(status)), self._seconds.labels(tag)
            self._answered[tag, status] = found
        count, durations = found
        count.inc()
        durations.observe(seconds)

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)
