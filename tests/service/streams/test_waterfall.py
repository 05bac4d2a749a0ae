"""The waterfall in public: every step is told, in the words of its event, and names nobody."""

from typing import get_args

import pytest

from solvent.domain import waterfall_events as w
from solvent.domain.events import Filled
from solvent.domain.labels import SystemOrder
from solvent.domain.parameters import EngineParameters
from solvent.service.api.shapes import quantity_text, value_text
from solvent.service.streams.subscriptions import WATERFALL, Topic
from solvent.service.streams.waterfall import BOOK_FILLED, TOLD, Waterfall
from tests.proof import proves
from tests.service.streams.stage import Listener, Stage

SEEDS = (22, 48, 58)
Figures = (
    w.HandedOver
    | w.BookingOpened
    | w.BookedAccount
    | w.FundPaid
    | w.DebtWrittenOff
    | w.PoolWrittenDown
)
FIGURES = get_args(Figures)
NAMES = {each.__name__ for each in FIGURES}


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


LOSSES = (7, 58)
"""Seeds in which stages hand over and losses are booked."""


@pytest.mark.parametrize("seed", LOSSES)
def test_hand_overs_and_bookings_are_told_with_their_figures(seed: int) -> None:
    """G3: stage, reason, round and amounts of each, in order, and whose it was as a pseudonym."""
    stage = Stage(seed)
    happened = [
        (command, event)
        for command, (_, events) in enumerate(stage.play(500))
        for event in events
        if isinstance(event, FIGURES)
    ]
    told = [each for each in stage.publisher.waterfall.latest if each.step in NAMES]
    assert len(told) == len(happened) > 0
    parameters, names = stage.parameters, dict[int, str]()
    for (command, event), step in zip(happened, told, strict=True):
        assert (step.command, step.step) == (command, type(event).__name__)
        amounts = {each.name: each.amount for each in step.amounts}
        if isinstance(event, w.HandedOver):
            assert (step.stage, step.reason) == (event.stage.name, event.reason.name)
            assert amounts == {"value": value_text(event.value)}
            assert step.symbol == parameters.assets[event.asset].symbol
        else:
            assert (step.stage, step.round) == ("BOOKING", event.booking)
            wanted = expected(parameters, event)
            assert {name: amounts[name] for name in wanted} == wanted
        if not isinstance(event, w.BookingOpened | w.PoolWrittenDown):
            (party,) = step.parties
            assert names.setdefault(event.account, party.account) == party.account
            assert len(party.account) == 16
    assert len(set(names.values())) == len(names) > 0
    assert {"HandedOver", "BookedAccount", "PoolWrittenDown"} <= {each.step for each in told}


def expected(parameters: EngineParameters, event: Figures) -> dict[str, str]:
    """The figures by which a booking can be followed from outside."""
    if isinstance(event, w.BookingOpened):
        return {name: value_text(getattr(event, name)) for name in ("shortfall", "paid")}
    if isinstance(event, w.BookedAccount):
        names = ("shortfall", "fund", "loss", "assets_value", "debts_value")
        return {name: value_text(getattr(event, name)) for name in names}
    atoms = ["quantity"]
    if isinstance(event, w.PoolWrittenDown):
        atoms = ["claims", "loss", "lenders", "fees", "treasury", "residue"]
    return {
        name: quantity_text(parameters, event.asset, getattr(event, name)) for name in atoms
    } | {"value": value_text(event.value)}


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
