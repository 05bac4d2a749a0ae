"""The waterfall in public: every step is told, in the words of its event, and names nobody."""

import pytest

from solvent.domain.events import Filled
from solvent.domain.labels import SystemOrder
from solvent.service.streams.subscriptions import WATERFALL, Topic
from solvent.service.streams.waterfall import BOOK_FILLED, TOLD, Waterfall
from tests.proof import proves
from tests.service.streams.stage import Listener, Stage

SEEDS = (22, 48, 58)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_step_is_told_once_and_kept(seed: int) -> None:
    """G3."""
    stage = Stage(seed)
    listener = Listener(stage.publisher)
    listener.join(Topic(WATERFALL))
    heard = []
    for _ in stage.play(500):
        heard += [message.data for message in listener.heard()]
    kept = list(stage.publisher.waterfall.latest)
    assert len(heard) == len(kept) > 0
    assert [each["step"] for each in heard] == [each.step for each in kept]
    assert all(each.parties or each.round is not None or each.symbol for each in kept)


def test_steps_have_stages() -> None:
    stages: set[str | None] = set()
    for seed in SEEDS:
        stage = Stage(seed)
        for _ in stage.play(500):
            pass
        stages.update(each.stage for each in stage.publisher.waterfall.latest)
    assert {"BOOK", "BACKSTOP"} <= stages


@proves("A9", "A10")
def test_every_step_of_a_round_names_its_case() -> None:
    """Opposites have the published labels of ADL elsewhere; here they are told apart."""
    opposites = 0
    for seed in (7, *SEEDS):
        stage = Stage(seed)
        for _ in stage.play(500):
            pass
        case = None
        for each in stage.publisher.waterfall.latest:
            if each.step == "AdlOpened":
                case = each.case
            expected = case if each.step in ("AdlOpened", "AdlMatched", "AdlLeg") else None
            assert each.case == expected
            opposites += each.case == "OPPOSITES"
    assert opposites


def test_pseudonyms_are_the_markets_own() -> None:
    """The same in every step of a market, and not to be made without its secret."""
    parameters = Stage(22).engine.parameters
    ours, theirs = (Waterfall(parameters, secret) for secret in (b"ours", b"theirs"))
    assert ours._name(7) == Waterfall(parameters, b"ours")._name(7)
    assert len({ours._name(each) for each in range(1000)}) == 1000
    assert ours._name(7) != theirs._name(7)
    assert TOLD


def test_fills_of_the_book_stage_are_steps_and_no_others() -> None:
    """What a liquidation's own orders traded, at its price; users' trades are no steps."""
    for seed in SEEDS:
        stage = Stage(seed)
        fills = [
            event for _, events in stage.play(500) for event in events if isinstance(event, Filled)
        ]
        ours = [fill for fill in fills if fill.system_order is not SystemOrder.USER]
        told = [step for step in stage.publisher.waterfall.latest if step.step == BOOK_FILLED]
        assert len(fills) > len(ours) == len(told)
        if told:
            return
    raise AssertionError("no seed liquidates on the book")
