"""Ways off a list: carried out in the market itself, each does what it says and no less does it."""

from dataclasses import replace
from random import Random

import pytest

from solvent.domain.commands import Command, Deposit, Redeem, Repay, Withdraw
from solvent.domain.events import Refused
from solvent.domain.labels import AdlCase
from solvent.domain.parameters import USDC, Policy
from solvent.engine.engine import FastEngine
from solvent.foresight.forecast import Asked, Forecaster
from solvent.foresight.leaving import Way, lacking, ways_off
from solvent.proof.fuzz.actions import Moves
from solvent.proof.fuzz.market import random_parameters
from solvent.reference.engine import ReferenceEngine
from tests.foresight.test_forecast import SOL, STORIES, list_of
from tests.proof import proves
from tests.sizes import sized
from tests.tables.story import run_story

SEEDS = sized(3, 20, 200)
COMMANDS = 600
LISTS = 12
"""Lists of a market whose ways off are carried out."""


def share_after(book: bytes, way: Way, account: int, asked: Asked) -> int | None:
    """What the round allots the account once the way was carried out; None if it is refused."""
    engine = FastEngine.restore(book)
    commands: list[Command] = [way.command]
    if way.brings:
        commands.insert(0, Deposit(account, way.command.asset, way.brings))
    for command in commands:
        if any(isinstance(event, Refused) for event in engine.apply_one(command)):
            return None
    found = Forecaster(engine).place(account, asked)
    return found.allotted if found else 0


@proves("A14")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_way_off_leads_off_and_an_atom_less_does_not(seed: int) -> None:
    rng = Random(seed)
    parameters, anchors = random_parameters(rng)
    engine = ReferenceEngine(parameters)
    moves = Moves(rng, engine, anchors)
    for _ in range(COMMANDS):
        plan = moves.next()
        if plan is not None:
            engine.apply_one(plan.command)
    forecaster, book = Forecaster(engine), engine.snapshot()
    lists = [
        (account, listed.place)
        for account in range(len(engine.state.accounts))
        for listed in forecaster.lists(account)
        if listed.place.allotted
    ]
    for account, place in rng.sample(lists, min(LISTS, len(lists))):
        ways = ways_off(forecaster, account, place)
        assert [way.value for way in ways] == sorted(way.value for way in ways)
        for way in ways:
            assert share_after(book, way, account, place.asked) == 0
            step = replace(way.command, quantity=way.command.quantity - 1)
            if step.quantity:
                less = Way(step, lacking(forecaster, step), 0)
                assert share_after(book, less, account, place.asked) != 0
    assert engine.snapshot() == book


@pytest.mark.parametrize("policy", [policy.name.lower() for policy in Policy])
@pytest.mark.parametrize("case", [AdlCase.OPPOSITES, AdlCase.STUCK_LENDER])
def test_who_owes_and_has_none_has_to_bring_what_it_repays(case: AdlCase, policy: str) -> None:
    story = run_story(STORIES[case][0].replace("POLICY", policy))
    account = story.names.account("a")
    forecaster = Forecaster(story.engine)
    place = list_of(forecaster, account, case).place
    (way,) = ways_off(forecaster, account, place)
    # Withdrawing its USDC would take its initial margin.
    assert isinstance(way.command, Repay)
    assert (way.command.asset, way.brings) == (SOL, way.command.quantity)


def test_a_lender_gets_out_as_far_as_there_is_cash() -> None:
    story = run_story(STORIES[AdlCase.BORROWER_DEFAULT][0].replace("POLICY", "queue"))
    account = story.names.account("a")

    def ways() -> list[Way]:
        forecaster = Forecaster(story.engine)
        place = list_of(forecaster, account, AdlCase.BORROWER_DEFAULT).place
        return ways_off(forecaster, account, place)

    # 90 of 100 SOL are lent out, and the account has a claim on 50.
    assert ways() == []
    story.run("deposit i SOL 60\nrepay i SOL 60")
    assert ways() == [Way(Redeem(account, SOL, 50 * 10**9), 0, 50 * 200 * 10**6)]


def test_who_is_allotted_nothing_has_nowhere_to_go() -> None:
    story = run_story(STORIES[AdlCase.OPPOSITES][0].replace("POLICY", "queue"))
    account = story.names.account("e")
    forecaster = Forecaster(story.engine)
    place = list_of(forecaster, account, AdlCase.OPPOSITES).place
    small = forecaster.place(account, Asked(place.asked.kind, place.asked.sides, 10**9))
    assert small is not None
    assert (small.rank, small.allotted) == (3, 0)
    assert ways_off(forecaster, account, small) == []


def test_the_cheapest_way_by_hand() -> None:
    """Two ways: account c, in good health, repays its 5 SOL, or takes its 2,000 USDC away."""
    rows = STORIES[AdlCase.OPPOSITES][0].replace("POLICY", "largest_loan")
    story = run_story(
        rows
        + """
        deposit lender SOL 10
        lend    lender SOL 10
        deposit c BTC  1
        deposit c USDC 2,000
        borrow  c SOL  5
        """
    )
    account = story.names.account("c")
    forecaster = Forecaster(story.engine)
    kind = list_of(forecaster, story.names.account("a"), AdlCase.OPPOSITES).place.asked.kind
    asked = Asked(kind, frozenset({story.names.account("i")}), 105 * 10**9)
    place = forecaster.place(account, asked)
    assert place is not None
    # 17,000 USDC would be 85 SOL; of 105, a, b and e take 100 of theirs first.
    assert (place.rank, place.allotted) == (4, 5 * 10**9)
    assert ways_off(forecaster, account, place) == [
        Way(Repay(account, SOL, 5 * 10**9), 0, 1_000 * 10**6),
        Way(
            Withdraw(account, USDC, 2_000 * 10**6, auto_lend_redeem=True),
            0,
            2_000 * 10**6,
        ),
    ]
