"""Every sequence of five commands of a small world keeps the order of a step, in both engines.

`./run test --full tests/model` explores the whole alphabet, `python -m tests.model` says what it
saw on the way.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from solvent.domain import commands as c
from solvent.domain import waterfall_events as w
from solvent.domain.commands import Command
from solvent.domain.events import Event
from solvent.proof.invariants.state_view import StateView, view_of
from solvent.reference import dispatch, limits
from solvent.reference.engine import ReferenceEngine
from solvent.reference.waterfall import liquidation
from tests.model.explorer import explore, fork
from tests.model.letters import ALPHABET, Letter
from tests.model.order import wrong_in
from tests.model.worlds import ANN, WORLDS, World, full_pool
from tests.proof import proves
from tests.sizes import sized

DEPTH = 5
LETTERS = sized(8, 9, len(ALPHABET))
MORE_LETTERS = sized(14, 14, len(ALPHABET))
STAGES = {"LiquidationStarted", "LiquidationEnded", "AdlOpened", "DebtWrittenOff", "Refused"}
ANN_DUE = "price just below where Ann is at maintenance"
BOB_FAR_PAST = "price at 120 % of where Bob is worth nothing"


def letters(*names: str) -> list[Letter]:
    """Letters by name, in the order given."""
    known = {letter.name: letter for letter in ALPHABET}
    return [known[name] for name in names]


def played(world: World, *names: str) -> ReferenceEngine:
    """The world after some letters."""
    engine = ReferenceEngine(world.parameters)
    for command in world.opening:
        engine.apply_one(command)
    for letter in letters(*names):
        step = letter.command(view_of(engine.state))
        assert step is not None
        engine.apply_one(step)
    return engine


@pytest.mark.slow
@proves("I8", "I15", "I30", "I35")
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_all_sequences_of_five_keep_the_order(world: World) -> None:
    explored = explore(world, ALPHABET[:LETTERS], DEPTH, wrong_in)
    assert explored.findings == []
    # What was explored is worth exploring: every stage was reached.
    assert len(explored.depths) == DEPTH
    assert explored.events.keys() >= STAGES


@pytest.mark.slow
@proves("I8", "I15", "I30", "I35")
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_sequences_of_four_of_more_letters_keep_the_order(world: World) -> None:
    explored = explore(world, ALPHABET[:MORE_LETTERS], DEPTH - 1, wrong_in)
    assert explored.findings == []
    assert len(explored.kinds) >= 10
    assert explored.events.keys() >= STAGES


def test_a_fork_is_the_same_state_and_another_one() -> None:
    engine = played(full_pool(), "Cat bids for 40 tokens")
    before = engine.state_hash()
    other = ReferenceEngine.__new__(ReferenceEngine)
    other.state = fork(engine.state)
    assert other.state_hash() == before
    other.apply([c.Repay(3, 1, 10**9), c.CancelAllOrders(4), c.TimeStep(engine.now + 1)])
    assert other.state_hash() != before
    assert engine.state_hash() == before


@pytest.mark.parametrize(
    ("module", "name", "instead", "path", "sentence"),
    [
        (limits, "gated", lambda *_: False, BOB_FAR_PAST, "before its loss was booked"),
        (dispatch, "_busy", lambda *_: None, ANN_DUE, "a liquidating account acted"),
        (liquidation, "liquidatable", lambda *_: False, ANN_DUE, "should be liquidating"),
    ],
)  # fmt: skip
def test_a_planted_bug_is_found(
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    instead: Callable[..., Any],
    path: str,
    sentence: str,
) -> None:
    monkeypatch.setattr(module, name, instead)
    settings = Letter("Ann changes settings", lambda _: c.UpdateSettings(ANN, auto_lend=1))
    few = [*letters("Bob repays 5 tokens", path, "Ann redeems 3 tokens"), settings]
    found = explore(full_pool(), few, 3, wrong_in, most_findings=100)
    assert [each for each in found.findings if sentence in each.wrong]


Change = Callable[[StateView, Sequence[Event], StateView], tuple[Sequence[Event], StateView]]


def last_first(_: StateView, events: Sequence[Event], after: StateView) -> Any:
    """The end of the step comes before its stages."""
    return (events[-1], *events[:-1]), after


def judged_late(_: StateView, events: Sequence[Event], after: StateView) -> Any:
    """An account is found liquidatable between two stages."""
    at = next(at for at, event in enumerate(events) if isinstance(event, w.AdlOpened))
    started = w.LiquidationStarted(2, 0, 0, 0, 0)
    return (*events[: at + 1], started, *events[at:]), after


def all_released(_: StateView, events: Sequence[Event], after: StateView) -> Any:
    """Nobody is liquidating after the step, although somebody has to be."""
    return events, replace(after, liquidating=frozenset())


def somebody_elses(before: StateView, events: Sequence[Event], after: StateView) -> Any:
    """The loss of somebody is booked who was not insolvent."""
    solvent = next(account for account in (4, 3, 2) if before.health[account].total_value > 0)
    changed = [
        replace(event, account=solvent) if isinstance(event, w.DebtWrittenOff) else event
        for event in events
    ]
    return changed, after


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (last_first, BOB_FAR_PAST),
        (judged_late, BOB_FAR_PAST),
        (all_released, ANN_DUE),
        (somebody_elses, BOB_FAR_PAST),
    ],
)
def test_a_step_in_another_order_is_found(change: Change, path: str) -> None:
    engine = played(full_pool(), path)
    before = view_of(engine.state)
    command: Command = c.TimeStep(engine.now + 1)
    events = engine.apply_one(command)
    after = view_of(engine.state)
    if change is all_released:
        # As if the step had done nothing.
        after = replace(before, now=after.now)
    assert list(wrong_in(before, command, events, after)) == []
    assert list(wrong_in(before, command, *change(before, events, after)))
