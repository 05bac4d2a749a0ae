"""The fast engine against the reference: same commands, same bytes, whatever the batches."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from solvent.domain import commands as c
from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.codec.snapshots import SnapshotError
from solvent.domain.commands import Command
from solvent.domain.parameters import MAX_SUPPLY, EngineParameters
from solvent.domain.units import PRICE_SCALE, SECOND
from solvent.engine.engine import FastEngine
from solvent.engine.memory.command_rows import encode_batch
from solvent.engine.memory.rows import Position
from solvent.journal.run_log import RunLogReader
from solvent.kernels.rows import EngineFault
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from solvent.proof.fuzz.actions import Moves
from solvent.proof.fuzz.comparison import compare
from solvent.proof.fuzz.market import random_parameters
from solvent.reference.engine import ReferenceEngine
from tests.lab.run_helpers import RUNNABLE
from tests.proof import proves
from tests.sizes import sized
from tests.tables.market import plain_parameters

GROUPS = sized(quick=1, usual=20, full=200)
GROUP_COMMANDS = 15_000
RUN_COMMANDS = 3_000


def stream(seed: int, commands: int) -> tuple[EngineParameters, list[Command], ReferenceEngine]:
    """The simulator's commands, and the reference engine that had them."""
    rng = Random(seed)
    parameters, anchors = random_parameters(rng)
    engine = ReferenceEngine(parameters)
    moves = Moves(rng, engine, anchors)
    made: list[Command] = []
    while len(made) < commands:
        plan = moves.next()
        if plan is not None:
            engine.apply_one(plan.command)
            made.append(plan.command)
    return parameters, made, engine


@proves("I35")
@pytest.mark.parametrize("group", range(GROUPS))
def test_simulator_commands_give_the_same_bytes(group: int) -> None:
    first = 100_000 + group * (GROUP_COMMANDS // RUN_COMMANDS)
    for seed in range(first, first + GROUP_COMMANDS // RUN_COMMANDS):
        found = compare(seed, RUN_COMMANDS)
        assert found.difference is None, str(found.difference)
        assert found.commands == RUN_COMMANDS


@proves("I35")
@pytest.mark.parametrize("group", range(GROUPS))
def test_attackers_get_the_same_bytes_of_both(group: int) -> None:
    first = 500_000 + group * (GROUP_COMMANDS // RUN_COMMANDS)
    hostile = 0
    for seed in range(first, first + sized(quick=1, usual=5, full=5)):
        found = compare(seed, RUN_COMMANDS, attackers=True)
        assert found.difference is None, str(found.difference)
        hostile += found.hostile
    assert hostile > RUN_COMMANDS // 10


@pytest.mark.slow
@proves("I35")
def test_values_whose_products_pass_128_bits_are_compared() -> None:
    found = compare(3, 5_100)
    assert found.difference is None, str(found.difference)


@proves("I35")
@pytest.mark.parametrize("size", [1, 2, 17, 5000])
def test_the_size_of_batches_changes_nothing(size: int) -> None:
    parameters, made, reference = stream(7, 1500)
    engine = FastEngine(parameters)
    words = []
    for start in range(0, len(made), size):
        events, _ = engine.apply_rows(encode_batch(made[start : start + size]))
        words.append(events)
    whole = FastEngine(parameters)
    assert np.array_equal(np.concatenate(words), whole.apply_rows(encode_batch(made))[0])
    assert engine.snapshot() == whole.snapshot() == reference.snapshot()
    assert engine.state_hash() == reference.state_hash()
    assert engine.now == reference.now
    assert engine.pool_readings() == reference.pool_readings()


def test_events_come_back_as_objects_a_command() -> None:
    parameters, made, _ = stream(3, 400)
    reference = ReferenceEngine(parameters)
    assert list(FastEngine(parameters).apply(made)) == list(reference.apply(made))


def test_groups_are_numbered_on_and_told_apart_by_both_engines() -> None:
    parameters, made, _ = stream(3, 400)
    groups = [EncodedCommands.of(made[start:end]) for start, end in ((0, 7), (7, 7), (7, 400))]
    of_one = FastEngine(parameters).apply_groups(5, groups)
    of_other = ReferenceEngine(parameters).apply_groups(5, groups)
    assert [list(transcript) for transcript in of_one] == [list(each) for each in of_other]
    assert [(each.first, each.end) for each in of_one] == [(5, 12), (12, 12), (12, 405)]


@pytest.mark.parametrize("seed", range(4))
def test_either_engine_goes_on_from_the_others_snapshot(seed: int) -> None:
    parameters, made, reference = stream(40 + seed, 900)
    half = len(made) // 2
    first = ReferenceEngine(parameters)
    first.apply(made[:half])
    fast = FastEngine.restore(first.snapshot())
    assert fast.snapshot() == first.snapshot()
    fast.apply(made[half:])
    assert fast.snapshot() == reference.snapshot()
    back = ReferenceEngine.restore(fast.snapshot())
    assert back.state_hash() == reference.state_hash()


def test_a_damaged_snapshot_is_refused() -> None:
    _, _, reference = stream(5, 300)
    data = reference.snapshot()
    for wrong in (data[:-8], data[:-3], b"", b"\0" * 64, data + b"\0" * 8):
        with pytest.raises(SnapshotError):
            FastEngine.restore(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNNABLE)
def test_scenarios_give_equal_hashes(name: str) -> None:
    scenario = load_scenario(name)
    hashes = []
    for factory in (ReferenceEngine, FastEngine):
        figures = run(scenario, accounts=60, engine_factory=factory).figures
        hashes.append((figures["state_hash"], figures["event_hash"], figures["stages"]))
    assert hashes[0] == hashes[1]


def test_a_recorded_run_is_replayed_to_the_byte(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(load_scenario("short-squeeze"), accounts=40, out=out, engine_factory=ReferenceEngine)
    reader = RunLogReader(out)
    made = list(reader.commands())
    logged = list(reader.groups())
    engine = FastEngine(reader.parameters)
    events, ends = engine.apply_rows(encode_batch(made))
    data, start = events.tobytes(), 0
    for end, wanted in zip(ends.tolist(), logged, strict=True):
        assert data[start : 8 * end] == wanted
        start = 8 * end
    assert engine.state_hash() == reader.manifest.state_hash


accounts = st.integers(-1, 5)
assets = st.integers(-1, 3)
quantities = st.one_of(
    st.integers(0, 3), st.integers(1, 10**12), st.sampled_from([-1, MAX_SUPPLY, MAX_SUPPLY + 1])
)
prices = st.one_of(st.integers(0, 3), st.integers(1, 10**15), st.just(2**61))
some_commands = st.lists(
    st.one_of(
        st.builds(c.OpenAccount, accounts, st.sampled_from(c.Role)),
        st.builds(c.Deposit, accounts, assets, quantities),
        st.builds(c.Withdraw, accounts, assets, quantities, st.booleans(), st.booleans()),
        st.builds(c.Lend, accounts, assets, quantities),
        st.builds(c.Redeem, accounts, assets, quantities),
        st.builds(c.Borrow, accounts, assets, quantities),
        st.builds(c.Repay, accounts, assets, quantities),
        st.builds(
            c.PlaceOrder,
            accounts,
            assets,
            st.sampled_from(c.Side),
            st.sampled_from(c.OrderType),
            st.sampled_from(c.TimeInForce),
            prices,
            quantities,
            quantities,
            st.booleans(),
            st.booleans(),
            st.booleans(),
            st.booleans(),
            st.booleans(),
            st.sampled_from(c.SelfTradePrevention),
        ),
        st.builds(
            c.PlaceTrigger,
            accounts,
            assets,
            st.sampled_from(c.Side),
            st.sampled_from(c.OrderType),
            st.sampled_from(c.TimeInForce),
            prices,
            quantities,
            quantities,
            trigger_price=prices,
            trigger_by=st.sampled_from(c.TriggerBy),
        ),
        st.builds(c.CancelOrder, accounts, st.integers(0, 6)),
        st.builds(c.CancelAllOrders, accounts, assets),
        st.builds(c.UpdateSettings, accounts, *[st.integers(-1, 2)] * 3, st.integers(-1, 10**11)),
        st.builds(c.ConvertDust, accounts, assets),
        st.builds(c.PostBackstop, accounts, assets, quantities),
        st.builds(c.WithdrawBackstop, accounts, assets, quantities),
        st.builds(c.PostStandby, accounts, quantities, st.integers(-1, 10**8)),
        st.builds(c.WithdrawStandby, accounts, quantities),
        st.builds(c.UpdatePrice, assets, st.integers(-1, 1), prices, prices, prices, st.booleans()),
        st.builds(c.HaltPrice, assets, st.booleans(), st.booleans()),
        st.builds(c.TimeStep, st.integers(0, 10**12)),
        st.builds(
            c.ChangeParameter,
            assets,
            st.sampled_from(c.ParameterField),
            st.integers(0, 2 * 10**9),
            st.integers(0, 2),
        ),
        st.builds(c.CollectFees, assets),
    ),
    max_size=60,
)


@proves("I35")
@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(some_commands)
def test_any_commands_at_all(batch: list[Command]) -> None:
    parameters = plain_parameters()
    opening: list[Command] = [
        c.UpdatePrice(asset, 0, price * PRICE_SCALE, price * PRICE_SCALE, price * PRICE_SCALE)
        for asset, price in ((1, 100_000), (2, 200))
    ]
    for account in range(2, 5):
        opening += [c.OpenAccount(account)]
        opening += [c.Deposit(account, asset, 10**11) for asset in range(3)]
    opening += [c.TimeStep(SECOND), c.Lend(2, 0, 10**10), c.Lend(3, 2, 10**10)]
    reference, fast = ReferenceEngine(parameters), FastEngine(parameters)
    wanted = reference.apply(opening + batch)
    events, _ = fast.apply_rows(encode_batch(opening + batch))
    assert events.tobytes() == wanted.words.tobytes()
    assert fast.snapshot() == reference.snapshot()


def test_rows_that_are_no_commands_are_refused() -> None:
    engine = FastEngine(plain_parameters())
    before = engine.snapshot()
    for wrong in (np.zeros((1, 3), dtype=np.int64), np.full((1, 16), -1), np.full((1, 16), 19)):
        with pytest.raises(ValueError, match="row"):
            engine.apply_rows(wrong)
    assert engine.apply_rows(encode_batch([]))[1].tolist() == []
    assert engine.snapshot() == before


def test_an_engine_that_stopped_refuses_to_go_on() -> None:
    engine = FastEngine(plain_parameters())
    engine.apply([c.OpenAccount(2), c.Deposit(2, 0, 10**9)])
    # A balance that no command can make: the next deposit leaves its column.
    engine.columns["positions"][2 * 3 * Position.WIDTH] = 2**63 - 1
    with pytest.raises(EngineFault, match="ledger"):
        engine.apply_one(c.Deposit(2, 0, 1))
    with pytest.raises(EngineFault, match="stopped before"):
        engine.apply_one(c.OpenAccount(3))
