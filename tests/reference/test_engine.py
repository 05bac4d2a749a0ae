"""The engine's face: apply, hash, snapshot and restore, the same on every machine."""

import struct
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.domain import commands as c
from solvent.domain.codec.snapshots import SnapshotError
from solvent.domain.events import Refused
from solvent.reference.engine import ReferenceEngine
from solvent.reference.snapshot import read_snapshot, write_snapshot
from tests.domain.strategies import records
from tests.proof import proves
from tests.tables.story import Story

ROOT = Path(__file__).resolve().parents[2]

# Everything a state can hold: orders, credit, claims, debts, commitments, stale prices, a round.
RICH = """
    set SOL pool.curve.points 0:10% 80%:20% 1:300%
    set SOL pool.fee 10%
    set SOL price.source_weights 2 1
    set maker_fee 0.02%
    set taker_fee 0.05%
    deposit lender USDC 100,000
    lend    lender USDC 100,000
    deposit i  SOL  100
    lend    i  SOL  100
    borrow  i  USDC 17,000
    withdraw i USDC 17,000
    deposit j  USDC 60,000
    borrow  j  SOL  99.9
    withdraw j SOL  99.9
    buy     j SOL  1 @ 150 reduce repay stop_both
    settings j auto_lend=1 auto_borrow_settlements=1 leverage_limit=7
    open    vera provider
    deposit vera USDC 5,000
    commit  vera USDC 100
    deposit mia SOL  20
    deposit mia BTC  1
    sell    mia SOL 5 @ 210
    buy     mia SOL 5 @ 100 borrow
    step +1h
    halt BTC
    price SOL 190 source=0
    price SOL 190 source=1
    steps 2 +1s
"""


@pytest.fixture(scope="module", name="story")
def _story() -> Story:
    return Story().run(RICH)


@proves("I35")
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_batches_of_any_size_give_the_same_events_and_state(story: Story, size: int) -> None:
    engine = ReferenceEngine(story.parameters)
    events = []
    for start in range(0, len(story.log), size):
        events += [entry.events for entry in engine.apply(story.log[start : start + size])]
    single = ReferenceEngine(story.parameters)
    assert events == [single.apply_one(command) for command in story.log]
    assert engine.state_hash() == single.state_hash() == story.engine.state_hash()


@proves("I35")
def test_a_snapshot_at_any_point_and_the_rest_of_the_log_are_a_straight_run(story: Story) -> None:
    straight = ReferenceEngine(story.parameters)
    for place, command in enumerate(story.log):
        again = ReferenceEngine.restore(straight.snapshot())
        assert again.state == straight.state
        assert again.snapshot() == straight.snapshot()
        if place % 5 == 0:
            rest = again.apply(story.log[place:])
            assert again.state_hash() == story.engine.state_hash()
            assert len(rest) == len(story.log) - place
        straight.apply_one(command)


@proves("I36")
def test_a_log_cut_at_any_byte_replays_to_a_state_that_was(story: Story) -> None:
    """Whole commands survive, a torn one at the end is absent: never anything in between."""
    encoded = [c.encode_command(command) for command in story.log]
    log = b"".join(encoded)
    engine = ReferenceEngine(story.parameters)
    hashes = [engine.state_hash()]
    for command in story.log:
        engine.apply_one(command)
        hashes.append(engine.state_hash())
    ends = [sum(map(len, encoded[:count])) for count in range(len(encoded) + 1)]
    for cut in range(0, len(log) + 1, 97):
        again, offset = ReferenceEngine(story.parameters), 0
        for _ in range(len(story.log)):
            try:
                torn, offset = c.decode_command(log[:cut], offset)
            except c.CommandEncodingError:
                break
            again.apply_one(torn)
        whole = sum(end <= cut for end in ends) - 1
        assert again.state_hash() == hashes[whole]


PROGRAM = """
import hashlib
from solvent.domain.codec.events import encode_event
from tests.reference.test_engine import RICH
from tests.tables.story import Story
story = Story().run(RICH)
from solvent.reference.engine import ReferenceEngine
data = ReferenceEngine(story.parameters).apply(story.log).words.tobytes()
print(story.engine.state_hash(), hashlib.blake2b(data, digest_size=32).hexdigest())
"""


@proves("I27", "I35")
def test_hash_seeds_and_processes_change_nothing(story: Story) -> None:
    data = ReferenceEngine(story.parameters).apply(story.log).words.tobytes()
    expected = f"{story.engine.state_hash()} {blake2b(data, digest_size=32).hexdigest()}"
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == expected


@proves("I37")
@settings(max_examples=200)
@given(command=st.one_of([records(kind) for kind in c.COMMAND_KINDS]))
def test_any_numbers_are_carried_out_or_refused_and_a_refusal_changes_nothing(
    story: Story, command: c.Command
) -> None:
    before = story.engine.snapshot()
    engine = ReferenceEngine.restore(before)
    events = engine.apply_one(command)
    if any(isinstance(event, Refused) for event in events):
        assert len(events) == 1
        assert engine.snapshot() == before


@proves("I37")
def test_reading_changes_nothing(story: Story) -> None:
    before = story.engine.state_hash()
    assert story.engine.state_hash() == before
    assert len(before) == 64
    write_snapshot(story.state)
    assert story.engine.state_hash() == before


@proves("I35")
def test_every_word_of_a_snapshot_counts(story: Story) -> None:
    """A word that is changed is refused, or is another state: none is read and forgotten."""
    data = story.engine.snapshot()
    words = struct.unpack(f"<{len(data) // 8}q", data)
    for place in range(len(words)):
        changed = list(words)
        changed[place] += 1
        damaged = struct.pack(f"<{len(changed)}q", *changed)
        try:
            state = read_snapshot(damaged)
        except SnapshotError:
            continue
        assert write_snapshot(state) == damaged, f"word {place} is lost"


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 16, 24, 800])
def test_a_snapshot_cut_short_is_refused(story: Story, cut: int) -> None:
    data = story.engine.snapshot()
    with pytest.raises(SnapshotError):
        ReferenceEngine.restore(data[:cut])
    with pytest.raises(SnapshotError):
        ReferenceEngine.restore(data[: len(data) - 8])
    with pytest.raises(SnapshotError):
        ReferenceEngine.restore(data + b"\0" * 8)


@given(st.binary(max_size=400))
def test_noise_is_no_snapshot(noise: bytes) -> None:
    with pytest.raises(SnapshotError):
        ReferenceEngine.restore(noise)


@given(st.lists(st.integers(-3, 20), max_size=60))
def test_noise_behind_the_right_head_is_no_snapshot(story: Story, numbers: list[int]) -> None:
    head = story.engine.snapshot()[:16]
    with pytest.raises(SnapshotError):
        ReferenceEngine.restore(head + struct.pack(f"<{len(numbers)}q", *numbers))
