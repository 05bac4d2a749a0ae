"""The simulator over fixed seeds: no invariant breaks, every corner is reached, runs repeat.

Over 100,000 commands are made in young markets, 300,000 with `--full`, each of them checked, and
the last 20,000 of 50,000 in a few old ones, where indices have grown and accounts are full. The
runs are spread over many tests so that they can go to several processes.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from solvent.domain.commands import COMMAND_KINDS, Command, HaltPrice, TimeStep, UpdatePrice
from solvent.domain.events import Filled
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import SECOND
from solvent.domain.waterfall_events import AdlMatched, BackstopFilled, DebtWrittenOff
from solvent.journal.event_hash import EventHasher
from solvent.proof.fuzz.simulator import RUN_LENGTH, SimulationResult, simulate, simulate_many
from solvent.reference.engine import Part, ReferenceEngine
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.lending import wallet
from solvent.reference.limits import gated, rounding_refusal
from solvent.reference.margin import portfolio_of
from solvent.reference.state import State
from tests.proof import proves
from tests.sizes import sized

COMMANDS = sized(quick=12_000, usual=96_000, full=300_000)
GROUP = 12_000
OLD_MARKETS = tuple(range(710_000, 710_008))
OLD = sized(quick=0, usual=2, full=8)
AGE, LATER = 30_000, 20_000
GROUPS = COMMANDS // GROUP
REGRESSIONS = Path(__file__).with_name("regressions.txt")

CORNERS = (
    "ADL rounds, case B",
    "ADL rounds, case L",
    "ADL rounds, opposites",
    "available legs",
    "backstop claim legs",
    "backstop fills",
    "book fills",
    "claim legs",
    "claims netted",
    "deficits",
    "empty pool refusals",
    "flagged legs",
    "hours charged",
    "insolvency gate refusals",
    "leverage refusals",
    "liquidations",
    "liquidations ended",
    "margin refusals",
    "redeemed legs",
    "stale price refusals",
    "stale price shields",
    "standby swaps",
    "throttle refusals",
    "trades",
)


STANDING_BY = 1012
"""A seed with accounts that stand by, which they do in one of five."""


def said(results: list[SimulationResult]) -> list[str]:
    """All breaches, a line each."""
    return [str(breach) for result in results for breach in result.breaches]


@proves("A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13")
@proves("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13", "I14")
@proves("I15", "I16", "I17", "I19", "I20", "I21", "I22", "I23", "I24", "I25", "I26", "I29", "I30")
@proves("I31", "I32", "I37")
@pytest.mark.parametrize("group", range(GROUPS))
def test_no_command_breaks_an_invariant(group: int) -> None:
    first = group * GROUP // RUN_LENGTH
    results = simulate_many(first, GROUP)
    assert said(results) == []
    assert sum(result.commands for result in results) == GROUP
    accepted = sum(result.accepted for result in results)
    assert accepted > sum(result.refused for result in results)


@pytest.mark.slow
@proves("A13", "I1", "I11", "I17", "I37")
@pytest.mark.parametrize("seed", OLD_MARKETS[:OLD])
def test_no_command_breaks_an_invariant_in_an_old_market(seed: int) -> None:
    result = simulate(seed, AGE + LATER, checked_from=AGE)
    assert said([result]) == []
    assert result.commands == AGE + LATER


@pytest.mark.slow
def test_every_kind_of_command_has_its_share() -> None:
    """Each kind is at least two in a thousand, and the stages have work."""
    kinds: Counter[str] = Counter()
    reached: Counter[str] = Counter()
    for result in (*simulate_many(600, 24_000), simulate(STANDING_BY, 3000)):
        kinds.update(result.kinds)
        reached.update(result.reached)
    assert {kind.__name__ for kind in COMMAND_KINDS} == kinds.keys()
    assert min(kinds.values()) > 24_000 // 500
    assert reached["trades"] > 24_000 // 100
    assert min(reached["book fills"], reached["backstop fills"], reached["ADL matches"]) >= 4


@pytest.mark.slow
@proves("A6", "A7", "A12", "I21")
def test_every_corner_is_reached() -> None:
    missing = set(CORNERS)
    for seed in (1077, 1043, 1004, 1020, 1012, *range(1000, 1120)):
        missing -= simulate(seed, 1500).reached.keys()
        if not missing:
            break
    assert missing == set()


@proves("I27", "I35")
def test_a_run_repeats_itself_also_under_another_hash_seed() -> None:
    here = simulate(7, 1000)
    code = (
        "from solvent.proof.fuzz.simulator import simulate; run = simulate(7, 1000); "
        "print(run.state_hash, run.event_hash)"
    )
    for hash_seed in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert there.stdout.split() == [here.state_hash, here.event_hash]
    assert simulate(7, 1000) == here
    assert simulate(8, 1000).event_hash != here.event_hash


@proves("I35")
def test_runs_do_not_depend_on_the_number_of_processes() -> None:
    alone = simulate_many(20, 700, run_length=300)
    together = simulate_many(20, 700, run_length=300, processes=2)
    assert [result.commands for result in alone] == [300, 300, 100]
    assert together == alone


@proves("I37")
def test_checking_less_often_changes_nothing_but_the_checks() -> None:
    assert simulate(3, 800, check_every=7) == simulate(3, 800, checked_from=300) == simulate(3, 800)


def test_progress_is_told() -> None:
    steps: list[int] = []
    simulate(5, 1000, progress=steps.append)
    simulate_many(5, 400, run_length=200, progress=steps.append)
    assert steps == [500, 1000, 200, 400]


class Recorder(ReferenceEngine):
    """An engine that remembers what it was asked."""

    def __init__(self, parameters: EngineParameters) -> None:
        super().__init__(parameters)
        self.begun = parameters
        self.commands: list[Command] = []

    def parts(self, command: Command) -> Iterator[Part]:
        self.commands.append(command)
        yield from super().parts(command)


def recorded(seed: int, commands: int) -> tuple[Recorder, SimulationResult]:
    """The engine of a run, with its commands, and what the run said."""
    engines: list[Recorder] = []

    def make(parameters: EngineParameters) -> Recorder:
        engines.append(Recorder(parameters))
        return engines[-1]

    result = simulate(seed, commands, engine_factory=make)
    return engines[0], result


@pytest.mark.slow
@proves("I35")
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_batches_and_snapshots_change_nothing(seed: int) -> None:
    run, result = recorded(seed, 1500)
    for size in (1, 7, 1500):
        engine, hasher = ReferenceEngine(run.begun), EventHasher()
        for start in range(0, len(run.commands), size):
            transcript = engine.apply(run.commands[start : start + size])
            hasher.update_encoded(transcript.words.cast("B"))
        assert (engine.state_hash(), hasher.hexdigest()) == (result.state_hash, result.event_hash)
    rng = Random(seed)
    engine, hasher = ReferenceEngine(run.begun), EventHasher()
    for command in run.commands:
        hasher.update(engine.apply_one(command))
        if rng.random() < 0.02:
            engine = ReferenceEngine.restore(engine.snapshot())
    assert (engine.state_hash(), hasher.hexdigest()) == (result.state_hash, result.event_hash)


class Probe(ReferenceEngine):
    """An engine that asks after each command whether people can still leave and repay."""

    asked = 0

    def parts(self, command: Command) -> Iterator[Part]:
        yield from super().parts(command)
        for account in range(2, len(self.state.accounts)):
            for asset in range(len(self.state.pools)):
                self._ask(account, asset)

    def _ask(self, account: int, asset: int) -> None:
        state = self.state
        claim, debt = claim_of(state, account, asset), debt_of(state, account, asset)
        if claim and account not in state.liquidating and not state.pools[asset].debt_shares:
            Probe.asked += 1
            assert leaves(state, account, asset, claim), (account, asset, claim)
        if debt and state.accounts[account].available[asset] >= debt:
            Probe.asked += 1
            assert wallet.repay_refusal(state, account, asset, debt) is None, (account, asset)


def leaves(state: State, account: int, asset: int, claim: int) -> bool:
    """Whether a lender can take his whole claim, or only his own margin's rounding forbids it."""
    if wallet.user_redeem_refusal(state, account, asset, claim) is None:
        return True
    assert not gated(state, asset)
    after = portfolio_of(state, account)
    after.quantities[asset] -= wallet.redeem_rounding(state, account, asset, claim)
    return rounding_refusal(state, after) is not None


@proves("I33", "I34")
@pytest.mark.parametrize("seed", [31, 32, 33])
def test_lenders_of_idle_pools_can_leave_and_borrowers_can_repay(seed: int) -> None:
    Probe.asked = 0
    assert said([simulate(seed, 600, engine_factory=Probe, check_every=100)]) == []
    assert Probe.asked > 0


WORK = (Filled, BackstopFilled, AdlMatched, DebtWrittenOff)


@pytest.mark.slow
@proves("I18")
@pytest.mark.parametrize("seed", [41, 42, 43, 44, 45, 46])
def test_at_fixed_prices_liquidation_ends(seed: int) -> None:
    engine, _ = recorded(seed, 1200)
    state = engine.state
    marks = [price.index for price in state.prices]
    busy: list[int] = []
    for number in range(700):
        if number % 20 == 0:
            refresh(engine, marks)
        events = engine.apply_one(TimeStep(state.now + SECOND))
        if any(isinstance(event, WORK) for event in events):
            busy.append(number)
    assert all(number < 600 for number in busy)


def refresh(engine: ReferenceEngine, marks: list[int]) -> None:
    """Quote every asset again at the price it has."""
    for asset in range(1, len(marks)):
        if marks[asset]:
            engine.apply_one(HaltPrice(asset, False))
            for source in range(len(engine.state.prices[asset].quotes)):
                engine.apply_one(
                    UpdatePrice(asset, source, marks[asset], marks[asset], marks[asset])
                )


def regressions() -> list[tuple[int, int]]:
    """Seeds and commands of bugs that were found and fixed."""
    lines = REGRESSIONS.read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return [(int(row[0]), int(row[1])) for row in rows]


@pytest.mark.slow
@proves("I35")
@pytest.mark.parametrize(("seed", "commands"), regressions())
def test_a_fixed_bug_does_not_come_back(seed: int, commands: int) -> None:
    assert said([simulate(seed, commands)]) == []
