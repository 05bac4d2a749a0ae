"""The runner: a scenario goes in, figures and hashes come out.

What is sent and when is in `agents`; here the run's own engine carries it out, step by step, and
what gathers figures and writes logs listens. What is refused stays refused, and is counted.

The engine alone decides what happens. A run with the same scenario, prices, accounts and seed gives
the same commands and events; nothing here reads a clock or draws a number but from the seed.
"""

import csv
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import Any

from solvent.domain.codec.transcript import Transcript
from solvent.domain.parameters import EngineParameters, Policy
from solvent.domain.units import INT64_MAX, RATIO, SECOND
from solvent.journal.run_log import RunLogWriter
from solvent.lab.driving import EngineFactory, Progress, RunDriver, advance
from solvent.lab.people.agents import Agents
from solvent.lab.people.population import crowd
from solvent.lab.people.positions import NO_BOOK, Book, read_positions, relaxed
from solvent.lab.prices.feed import Feed, Foreign, foreign_feed, own_feed
from solvent.lab.prices.paths import time_text
from solvent.lab.report.depth import depth_record
from solvent.lab.report.figures import Recorder
from solvent.lab.report.page import write_report
from solvent.lab.report.receipts import Chosen
from solvent.lab.report.step_check import compared, depths_compared
from solvent.lab.scenario.model import Scenario
from solvent.receipts.codec import receipt_line
from solvent.receipts.runs import RunReceipts
from solvent.reference.engine import ReferenceEngine

RECEIPTS = "receipts.jsonl"
REPORT = "report.html"
ACCOUNTS = "accounts.csv"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came out: `figures` and `series` are plain JSON, `notes` what had to be assumed.

    `receipts` were written into the run's folder, if there is one.
    """

    figures: dict[str, Any]
    series: dict[str, Any]
    notes: tuple[str, ...]
    receipts: int


def run(
    scenario: Scenario,
    *,
    prices: Foreign | str | Path | None = None,
    positions: str | Path | None = None,
    policy: Policy | None = None,
    default_policy: Policy | None = None,
    accounts: int | None = None,
    seed: int | None = None,
    out: Path | None = None,
    check_step: bool = False,
    depth: int = RATIO,
    check_depth: bool = False,
    progress: Progress | None = None,
    engine_factory: EngineFactory = ReferenceEngine,
) -> RunResult:
    """Carry a scenario out.

    - prices: another price file, with how to read it where that must be said (`Foreign`).
    - positions: accounts from a file instead of the scenario's groups and their later actions.
    - policy, default_policy: how ADL picks the payers of a stuck lender (case L) and which lenders
      settle a default (case B), instead of the scenario's.
    - accounts: how many accounts; sizes and the groups' shares stay, everything else scales.
    - seed: of the population and of the engine's draws.
    - out: a folder, missing or empty, for commands.log, events.log, receipts.jsonl, report.html,
      run.json and, with positions, accounts.csv: all of them or nothing.

    - check_step: carry it out once more with half the step, and say how far the two agree.
    - depth: the makers' depth times this ratio (10^-9).
    - check_depth: carry it out twice more, with half and with twice the depth, and put the results
      beside each other.

    Raises InputError for what is wrong with a file or an argument, before anything is written.
    """
    if seed is not None and not 0 <= seed <= INT64_MAX:
        raise scenario.error("seed", f"must lie between 0 and {INT64_MAX}, is {seed}")
    scenario = _adjusted(scenario, policy, default_policy, seed, depth)
    whole = scenario
    scenario, feed, book = _given(scenario, prices, positions, accounts)
    people = crowd(scenario, accounts)
    with ExitStack() as stack:
        agents = Agents(scenario, feed, people, book=book)
        log = None
        if out is not None:
            writer = stack.enter_context(RunLogWriter(out, feed.parameters))
            log = stack.enter_context(closing(_Log(writer, feed.parameters)))
        recorder = Recorder(scenario.parameters, agents.parties, _names(agents, book))
        driver = RunDriver(feed.parameters, recorder, engine_factory, log)
        driver.run(agents.open())
        agents.set_up(driver)
        driver.begin()
        advance(agents, driver, feed, progress)
        notes = (*feed.notes, *agents.notes, *book.notes)
        count = len(book.names) or people.accounts
        figures = _head(scenario, feed, book, count, notes) | {"impact": agents.impact()}
        figures |= driver.finish()
        series = driver.recorder.all_series()
        again = partial(
            run,
            prices=prices,
            positions=positions,
            accounts=accounts,
            engine_factory=engine_factory,
        )
        figures |= _checks(whole, figures, again, step=check_step, depth=check_depth)
        if log is not None:
            log.name_accounts(agents.next_account, book)
            log.finish(figures, series, driver.state_hash)
    return RunResult(figures, series, notes, 0 if log is None else log.receipts)


def _checks(
    whole: Scenario,
    figures: dict[str, Any],
    again: Callable[..., RunResult],
    *,
    step: bool,
    depth: bool,
) -> dict[str, Any]:
    """What the run comes to with half its step, and with half and twice its depth, if asked."""
    found = {}
    if step:
        half = again(replace(whole, step=max(1, whole.step // 2)))
        found["step_check"] = compared(whole.step, figures, half.figures)
    if depth:
        less, more = (again(whole, depth=other).figures for other in (RATIO // 2, 2 * RATIO))
        found["depth_check"] = depths_compared(less, figures, more)
    return found


def _given(
    scenario: Scenario,
    prices: Foreign | str | Path | None,
    positions: str | Path | None,
    accounts: int | None,
) -> tuple[Scenario, Feed, Book]:
    """The scenario, its prices and its book of accounts, with what was given instead."""
    if prices is None:
        feed = own_feed(scenario)
    else:
        foreign = prices if isinstance(prices, Foreign) else Foreign(Path(prices))
        feed = foreign_feed(scenario, foreign)
    if positions is None:
        return scenario, feed, NO_BOOK
    if accounts is not None:
        raise scenario.error("accounts", "a file of positions says how many there are")
    book = read_positions(positions, scenario)
    scenario = replace(scenario, groups=(), actions=())
    return scenario, replace(feed, parameters=relaxed(feed.parameters)), book


def _names(agents: Agents, book: Book) -> dict[int, str]:
    """What a book calls its accounts, by their number in the run."""
    first = agents.next_account - len(book.names)
    return dict(enumerate(book.names, start=first))


def _adjusted(
    scenario: Scenario,
    policy: Policy | None,
    default_policy: Policy | None,
    seed: int | None,
    depth: int,
) -> Scenario:
    """The scenario with other policies, another seed or another depth of its book."""
    parameters = scenario.parameters
    waterfall = parameters.waterfall
    if policy is not None:
        waterfall = replace(waterfall, lender_policy=policy)
    if default_policy is not None:
        waterfall = replace(waterfall, default_policy=default_policy)
    parameters = replace(parameters, waterfall=waterfall)
    if seed is not None:
        parameters = replace(parameters, seed=seed)
    scale = scenario.depth.scale * depth // RATIO
    if scenario.depth.curves and not 0 < scale <= INT64_MAX:
        raise scenario.error("depth.scale", "is out of range with this --depth; come nearer to 1")
    return replace(scenario, parameters=parameters, depth=replace(scenario.depth, scale=scale))


def _head(
    scenario: Scenario, feed: Feed, book: Book, accounts: int, notes: tuple[str, ...]
) -> dict[str, Any]:
    """What was run, by the names that reports use."""
    waterfall = scenario.parameters.waterfall
    return {
        "scenario": scenario.name,
        "description": scenario.description,
        "source": scenario.source,
        "prices": _provenance(feed),
        "positions": None if book.file is None else _file(book.file),
        "notes": list(notes),
        "seed": scenario.parameters.seed,
        "policy": waterfall.lender_policy.name.lower(),
        "default_policy": waterfall.default_policy.name.lower(),
        "accounts": accounts,
        "assets": [asset.symbol for asset in scenario.parameters.assets],
        "start": time_text(feed.start),
        "end": time_text(feed.end),
        "step_seconds": scenario.step // SECOND,
        "depth": depth_record(scenario),
        "settings": Path(scenario.file).read_text(encoding="utf-8"),
    }


def _provenance(feed: Feed) -> dict[str, Any]:
    """Which file the prices are, and when they were stale; a drawn path is in the scenario."""
    stale = Counter[str]()
    for hole in feed.holes:
        stale[hole.symbol] += hole.end - hole.start
    return {
        "foreign": feed.foreign,
        **({"file": None, "sha256": None} if feed.file is None else _file(feed.file)),
        "more_files": [_file(each) for each in feed.more],
        "stale_seconds": {symbol: time // SECOND for symbol, time in stale.items()},
        "holes": [
            {"asset": hole.symbol, "start": time_text(hole.start), "end": time_text(hole.end)}
            for hole in feed.holes
        ],
    }


def _file(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return {"file": path.name, "sha256": file_digest(file, "sha256").hexdigest()}


class _Log:
    """What a run writes: the logs, receipts of settlements, and the report."""

    def __init__(self, writer: RunLogWriter, parameters: EngineParameters) -> None:
        self._writer = writer
        self._settled = RunReceipts(parameters)
        self._shown = Chosen()
        self._receipts = writer.path(RECEIPTS).open("w", encoding="ascii", newline="\n")
        self.receipts = 0

    def append(self, transcript: Transcript) -> None:
        """Write down commands and their events."""
        for index, command in enumerate(transcript.commands):
            count = len(transcript.span(index))
            self._writer.append_encoded(command, transcript.encoded(index), count)
        for receipt in self._settled.feed(transcript):
            self._shown.take(receipt)
            self._receipts.write(receipt_line(receipt) + "\n")
            self.receipts += 1

    def event_hash(self) -> str:
        """The event hash of everything so far."""
        return self._writer.event_hash()

    def name_accounts(self, end: int, book: Book) -> None:
        """Write down which account of the run is which of the book, the last one before `end`."""
        if book.file is None:
            return
        first = end - len(book.names)
        with self._writer.path(ACCOUNTS).open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("number", "account"))
            rows.writerows(enumerate(book.names, start=first))

    def close(self) -> None:
        """Let go of the file of receipts."""
        self._receipts.close()

    def finish(self, figures: dict[str, Any], series: dict[str, Any], state_hash: str) -> None:
        """Write the receipts, the report and, last, the manifest, which covers them all."""
        self.close()
        write_report(figures, series, self._shown, self._writer.path(REPORT))
        self._writer.finish(figures, state_hash)
