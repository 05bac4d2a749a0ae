"""Conservation as columns finds what adding up account by account finds, to the last digit."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from itertools import chain
from random import Random

import pytest

from solvent.domain import commands as c
from solvent.domain.codec.events import kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.events import Event, IndexUpdated
from solvent.domain.labels import AdlCase, LegForm, Stage, Tier
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import INT64_MAX, format_decimal
from solvent.domain.waterfall_events import AdlLeg, AdlMatched, AdlOpened, PartyBalance
from solvent.engine.engine import FastEngine
from solvent.foresight.marks import Marks, exact_text
from solvent.lab.report import conservation
from solvent.lab.report.conservation import BALANCE, Conservation, fees_of
from solvent.lab.report.figures import Recorder
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from tests.proof import proves

HEARD = {kind_number(kind) for kind in Conservation.KINDS}
Figures = dict[str, object]


def take_back_fees(
    marks: Marks, events: Iterable[Event], worth: dict[tuple[int, int], dict[int, int]]
) -> None:
    """Count what fees changed as no change."""
    rounds = {event.round: event for event in events if isinstance(event, AdlOpened)}
    for event in events:
        if isinstance(event, AdlMatched):
            changes = worth[event.round, event.match]
            for account, change in fees_of(rounds[event.round], event):
                changes[account] = changes.get(account, 0) - marks.exact(0, change)


def plainly(marks: Marks, events: Iterable[Event]) -> Figures:
    """The record, added up match by match and account by account."""
    events = tuple(events)
    worth: dict[tuple[int, int], dict[int, int]] = {}
    atoms: dict[tuple[int, int], int] = {}
    matches: dict[tuple[int, int], AdlMatched] = {}
    asset = 0
    for event in events:
        if isinstance(event, AdlOpened):
            asset = event.asset
        elif isinstance(event, PartyBalance) and event.stage is Stage.ADL:
            held = event.available + event.locked + event.lent - event.debt
            value = marks.exact(event.asset, held if event.after else -held)
            changes = worth.setdefault((event.number, event.match), {})
            changes[event.account] = changes.get(event.account, 0) + value
        elif isinstance(event, AdlLeg):
            key = event.round, event.match
            atoms[key] = max(atoms.get(key, 0), marks.exact(event.asset, 1))
        elif isinstance(event, AdlMatched):
            key = event.round, event.match
            atoms[key] = max(atoms.get(key, 0), marks.exact(asset, 1))
            matches[key] = event
    take_back_fees(marks, events, worth)
    largest: tuple[int, int | None] = (0, None)
    in_atoms = Fraction(0)
    for key, match in matches.items():
        changes = worth[key]
        if match.giver != match.payer:
            changes[match.payer] = changes.get(match.payer, 0) + changes.pop(match.giver, 0)
        for account in sorted(changes):
            drift = abs(changes[account])
            if drift > largest[0] or largest[1] is None:
                largest = drift, account
            in_atoms = max(in_atoms, Fraction(drift, atoms[key]))
    scaled = in_atoms * 1000
    return {
        "settlements": len(matches),
        "largest_drift_usdc": exact_text(largest[0]),
        "largest_drift_atoms": format_decimal(-(-scaled.numerator // scaled.denominator), 3),
        "largest_drift_account": largest[1],
    }


def as_columns(marks: Marks, events: Sequence[Event]) -> Figures:
    """The record, as a run gathers it."""
    transcript = Transcript.of(0, [(c.TimeStep(1), events)])
    found = Conservation(marks)
    found.read(transcript)
    for each, kind in enumerate(transcript.kinds):
        if kind == BALANCE:
            found.note(transcript.places[each])
        elif kind in HEARD:
            found.update(transcript.event(each))
    found.close()
    return found.result()


@cache
def crowded() -> tuple[EngineParameters, Figures, list[Transcript]]:
    """A crash: its parameters, the record of its run, and what came of its commands."""
    heard: list[Transcript] = []

    class Kept(FastEngine):
        def apply(self, batch: Iterable[c.Command]) -> Transcript:
            heard.append(super().apply(batch))
            return heard[-1]

    scenario = load_scenario("crash-2025-10-10")
    result = run(scenario, accounts=300, engine_factory=Kept)
    return scenario.parameters, result.figures["conservation"], heard


def marks_of(parameters: EngineParameters, *prices: int) -> Marks:
    marks = Marks(parameters)
    for asset, price in enumerate(prices, 1):
        marks.update(IndexUpdated(asset, price, price))
    return marks


@proves("A10", "I23")
def test_a_crash_comes_to_the_same() -> None:
    """Marks move between its commands, so each is added up by itself."""
    parameters, figures, heard = crowded()
    assert figures["settlements"]
    best = Fraction(0)
    account = None
    marks = Marks(parameters)
    for entry in chain.from_iterable(heard):
        for event in entry.events:
            if type(event).__name__ in {"IndexUpdated", "MarkUpdated"}:
                marks.update(event)
        found = plainly(marks, entry.events)
        drift = Fraction(str(found["largest_drift_usdc"]))
        if drift > best:
            best, account = drift, found["largest_drift_account"]
    assert Fraction(str(figures["largest_drift_usdc"])) == best > 0
    assert figures["largest_drift_account"] == account


@pytest.mark.parametrize("many", [0, 1, 100, conservation.MANY])
def test_where_rounds_are_cut_makes_no_difference(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters, figures, heard = crowded()
    monkeypatch.setattr(conservation, "MANY", many)
    recorder, engine = Recorder(parameters), FastEngine(parameters)
    recorder.begin(engine)
    for transcript in heard:
        recorder.hear(transcript)
    recorder.end(engine)
    assert recorder.events == sum(len(transcript.kinds) for transcript in heard)
    assert recorder.figures()["conservation"] == figures


def opened(number: int, rng: Random) -> AdlOpened:
    """A round of opposites, or of a default that is paid in USDC or in kind."""
    case = rng.choice((AdlCase.OPPOSITES, AdlCase.BORROWER_DEFAULT))
    return AdlOpened(number, 1, case, 0, Tier.CASH, rng.choice((0, 2)), 0, 0, 1, 1, 1)


def made_up(seed: int, size: int) -> list[Event]:
    """Matches of which some lose or win, with amounts up to `size`."""
    rng = Random(seed)
    events: list[Event] = []
    for number in range(1, 6):
        events.append(opened(number, rng))
        for match in range(rng.randint(1, 4)):
            lender, payer = rng.sample(range(2, 9), 2)
            giver = rng.choice([payer, 0])
            before, after = [], []
            for account in dict.fromkeys((lender, payer, giver)):
                for asset in range(3):
                    amounts = [rng.choice([0, 1, rng.randint(0, size), size]) for _ in range(7)]
                    amounts[2] = 0
                    before.append(
                        PartyBalance(Stage.ADL, number, match, 0, account, asset, *amounts)
                    )
                    amounts[rng.randrange(2)] += rng.choice([0, 0, 0, 1, -1]) if size > 1 else 0
                    after.append(
                        PartyBalance(Stage.ADL, number, match, 1, account, asset, *amounts)
                    )
            leg = AdlLeg(number, match, giver, lender, 2, 1, LegForm.AVAILABLE, 1, 1, 0, Tier.CASH)
            fee = rng.choice([0, 0, 1, size]) if giver == payer else 0
            matched = AdlMatched(number, match, lender, payer, giver, 1, 1, 1, 1, fee, 1, 1)
            fill = PartyBalance(Stage.BACKSTOP, number, match, 1, lender, 0, *([size] * 7))
            events += [*before, leg, matched, *after, fill]
    return events


@pytest.mark.parametrize("size", [1, 10**6, 10**12, 1 << 60, INT64_MAX - 1])
@pytest.mark.parametrize("prices", [(1, 1), (10**14, 10**10), (10**18, 1), (3, 10**18)])
def test_made_up_matches_come_to_the_same(size: int, prices: tuple[int, int]) -> None:
    """With drifts of an atom among amounts up to the largest there can be."""
    parameters = crowded()[0]
    marks = marks_of(parameters, *prices)
    for seed in range(30):
        events = made_up(seed, size)
        assert as_columns(marks, events) == plainly(marks, events), seed


def test_without_a_match_there_is_no_drift() -> None:
    marks = Marks(crowded()[0])
    none = as_columns(marks, ())
    assert none == plainly(marks, chain()) == none | {"settlements": 0}
    assert none["largest_drift_account"] is None
