"""Forecasts: what is said of a round is what a round that is carried out then does, to the atom.

Rounds of the simulator's markets are forecast at the moment in which they open. In stories the
forecast is made before prices move, at the marks to which they then do.
"""

from collections.abc import Iterator
from fractions import Fraction
from random import Random
from typing import NamedTuple

import pytest

from solvent.domain import commands as c
from solvent.domain.errors import InputError
from solvent.domain.events import Event
from solvent.domain.labels import AdlCase, Tier
from solvent.domain.parameters import USDC, Policy
from solvent.domain.readings import nearest
from solvent.domain.units import PRICE_SCALE, RATIO, payable, value_down
from solvent.domain.waterfall_events import AdlCandidate, AdlOpened, AdlStuck
from solvent.engine.engine import FastEngine
from solvent.engine.waterfall.rows import Candidate
from solvent.foresight.forecast import Asked, Forecaster, Kind, Listed, PaidIn, Place
from solvent.proof.fuzz.actions import Moves
from solvent.proof.fuzz.market import random_parameters
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.snapshot import write_snapshot
from solvent.reference.state import State
from solvent.reference.waterfall import adl, default, opposites
from solvent.reference.waterfall.rounds import Reasons, Round, open_round
from solvent.reference.waterfall.settlement import Means, means_worth
from tests.engine.queries.moments import moments
from tests.proof import proves
from tests.sizes import sized
from tests.tables.story import Story, run_story

SOL = 2
SEEDS = sized(4, 10, 11)
COMMANDS = 1_500
POLICIES = [policy.name.lower() for policy in Policy]

Foreseen = dict[tuple[int, int], Place | None]
"""Forecasts by round and account; None of an account that is no candidate."""


class Book(NamedTuple):
    """A state as it was written down, in the middle of a step too."""

    state: bytes

    def snapshot(self) -> bytes:
        return self.state


def played(seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Foreseen, list[Event]]:
    """Forecasts of every account for every round of a run, and the events of the run."""
    foreseen: Foreseen = {}

    def foresee(state: State, plan: Round, reasons: Reasons) -> int:
        kind = Kind(plan.kind.asset, plan.kind.case, PaidIn(*plan.kind.means))
        asked = Asked(kind, frozenset(side.account for side in plan.sides), plan.needed)
        forecaster = Forecaster(Book(write_snapshot(state)))
        for account in range(len(state.accounts)):
            foreseen[state.next_round, account] = forecaster.place(account, asked)
        return open_round(state, plan, reasons)

    for module in (adl, default, opposites):
        monkeypatch.setattr(module, "open_round", foresee)
    rng = Random(seed)
    parameters, anchors = random_parameters(rng)
    engine = ReferenceEngine(parameters)
    moves = Moves(rng, engine, anchors)
    events: list[Event] = []
    for _ in range(COMMANDS):
        plan = moves.next()
        if plan is not None:
            events += engine.apply_one(plan.command)
    return foreseen, events


def rank_of(policy: Policy, one: AdlCandidate, everybody: list[AdlCandidate]) -> int:
    """Rank from what a round wrote down, without the engine's own order."""

    def weight(each: AdlCandidate) -> Fraction:
        leverage = Fraction(each.assets_value, each.total_value)
        if policy in (Policy.LEVERAGE, Policy.QUEUE):
            return leverage
        if policy is Policy.RISK_WEIGHTED:
            return each.position * min(Fraction(1000), Fraction(int(leverage * RATIO), RATIO))
        return Fraction(each.position)

    return 1 + sum(
        (weight(other), -other.account) > (weight(one), -one.account) for other in everybody
    )


@proves("A14")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_place_in_a_round_is_that_of_the_round(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreseen, events = played(seed, monkeypatch)
    opened = {event.round: event for event in events if isinstance(event, AdlOpened)}
    assert {number for number, _ in foreseen} == set(opened)
    for number, one in opened.items():
        asked = [each for each in events if isinstance(each, AdlCandidate) and each.round == number]
        expected = {each.account: each for each in asked}
        for (other, account), place in foreseen.items():
            if other != number:
                continue
            assert (place is not None) == (account in expected)
            if place is None:
                continue
            each = expected[account]
            assert place.policy is one.policy
            assert (place.cap, place.allotted) == (each.cap, each.allotted)
            assert place.candidates == len(asked)
            assert place.rank == rank_of(one.policy, each, asked)


def stake_of(state: State, kind: Kind, account: int) -> int:
    """What a round could settle for an account, said once more over the readable state."""
    asset, means = kind.asset, Means(*kind.means)
    mark, decimals = state.mark(asset), state.asset(asset).decimals
    if kind.case is AdlCase.BORROWER_DEFAULT:
        debt = debt_of(state, account, asset)
        return payable(debt, means_worth(state, account, asset, means), mark, decimals)
    given_up = claim_of(state, account, asset)
    if kind.case is AdlCase.OPPOSITES:
        given_up = state.accounts[account].available[asset]
    if means.tier is not Tier.OWED:
        return given_up if any(state.accounts[account].debt_shares) else 0
    owed = debt_of(state, account, means.asset)
    worth = value_down(owed, state.mark(means.asset), state.asset(means.asset).decimals)
    return payable(given_up, worth, mark, decimals)


def partners_checked(seed: int) -> int:
    """Hold every list of a busy market against the readable engine; how many partners were."""
    engine = [seen.reference for seen in moments(seed)][-1]
    state, queries = engine.state, engine.queries
    forecaster = Forecaster(engine)
    found = 0
    for account in range(len(state.accounts)):
        others = [other for other in range(len(state.accounts)) if other != account]
        for listed in forecaster.lists(account):
            kind = listed.place.asked.kind
            stakes = {other: stake_of(state, kind, other) for other in others}
            expected = {other: stake for other, stake in stakes.items() if stake}
            assert {each.account: each.stake for each in listed.partners} == expected
            assert listed.place.asked.quantity == sum(expected.values())
            for each in listed.partners:
                found += 1
                if each.asset is not None:
                    assert kind.asset in (USDC, each.asset)
                    prices = queries.liquidation_prices(each.account, each.asset)
                    assert each.mark == nearest(prices, state.mark(each.asset))
    assert forecaster.engine.snapshot() == engine.snapshot()
    return found


@proves("A14")
def test_partners_of_busy_markets_are_those_of_the_readable_engine() -> None:
    assert sum(map(partners_checked, range(SEEDS))) > 100 * SEEDS


def test_rounds_of_every_case_are_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    cases: set[AdlCase] = set()
    for seed in range(4):
        _, events = played(seed, monkeypatch)
        cases |= {event.case for event in events if isinstance(event, AdlOpened)}
    assert cases == set(AdlCase)


def rounds_of(story: Story) -> Iterator[tuple[Asked, list[AdlCandidate]]]:
    """The rounds of a story's last command, as they were asked and whom they were allotted to."""
    for opened in [event for event in story.events if isinstance(event, AdlOpened)]:
        of_round = [
            event for event in story.events if getattr(event, "round", None) == opened.round
        ]
        sides = frozenset(event.account for event in of_round if isinstance(event, AdlStuck))
        means = PaidIn(opened.tier, opened.paid_in, bool(opened.borrowed))
        kind = Kind(opened.asset, opened.case, means)
        candidates = [event for event in of_round if isinstance(event, AdlCandidate)]
        yield Asked(kind, sides, opened.needed), candidates


CLOSERS = """
    deposit a   USDC 12,000
    deposit b   USDC 9,000
    deposit e   USDC 30,000
    borrow  a   SOL  40
    borrow  b   SOL  30
    borrow  e   SOL  30
    withdraw a  SOL  40
    withdraw b  SOL  30
    withdraw e  SOL  30
"""
OPPOSITES = """
    set waterfall.lender_policy POLICY
    deposit lender USDC 20,000
    lend    lender USDC 20,000
    deposit lender SOL  100
    lend    lender SOL  100
    deposit i   SOL  100
    borrow  i   USDC 17,000
    withdraw i  USDC 17,000
"""
STUCK = """
    set waterfall.lender_policy POLICY
    deposit lender USDC 20,000
    lend    lender USDC 20,000
    deposit i   SOL  100
    lend    i   SOL  100
    borrow  i   USDC 17,000
    withdraw i  USDC 17,000
"""
DEFAULT = """
    set waterfall.default_policy POLICY
    deposit a   SOL  50
    lend    a   SOL  50
    deposit b   SOL  30
    lend    b   SOL  30
    deposit e   SOL  20
    deposit e   BTC  0.1
    lend    e   SOL  20
    deposit i   USDC 20,000
    borrow  i   SOL  90
    withdraw i  SOL  90
"""
STORIES = {
    AdlCase.OPPOSITES: (OPPOSITES + CLOSERS, "price SOL 190", Tier.OWED),
    AdlCase.STUCK_LENDER: (STUCK + CLOSERS, "price SOL 190", Tier.OWED),
    AdlCase.BORROWER_DEFAULT: (DEFAULT, "price SOL 220", Tier.CASH),
}


@proves("A14", "I37")
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("case", AdlCase)
def test_a_forecast_at_other_prices_is_the_round_after_they_moved(
    case: AdlCase, policy: str
) -> None:
    rows, quote, tier = STORIES[case]
    story = run_story(rows.replace("POLICY", policy))
    before = story.engine.snapshot()
    price = int(quote.split()[-1])
    forecaster = Forecaster(story.engine, {SOL: (price - 200) * RATIO // 200})
    fast = Forecaster(FastEngine.restore(before), {SOL: (price - 200) * RATIO // 200})
    assert story.engine.snapshot() == before
    story.run(quote + "\nstep +60s")
    carried_out = [each for each in rounds_of(story) if each[0].kind.case is case]
    assert carried_out
    asked, candidates = carried_out[0]
    assert (asked.kind.means.tier, len(candidates)) == (tier, 3)
    for each in candidates:
        place = forecaster.place(each.account, asked)
        assert place is not None
        assert (place.cap, place.allotted) == (each.cap, each.allotted)
        assert place.rank == rank_of(place.policy, each, candidates)
        listed = forecaster.lists(each.account)
        assert listed == fast.lists(each.account)
        assert asked.kind in [one.place.asked.kind for one in listed]


def list_of(forecaster: Forecaster, account: int, case: AdlCase) -> Listed:
    """The first list of a case that an account is on."""
    found = forecaster.lists(account)
    return next(one for one in found if one.place.asked.kind.case is case)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("case", AdlCase)
def test_a_size_that_reaches_an_account_does_so_by_its_last_atom(
    case: AdlCase, policy: str
) -> None:
    story = run_story(STORIES[case][0].replace("POLICY", policy))
    forecaster = Forecaster(story.engine)
    for name in "abe":
        account = story.names.account(name)
        place = list_of(forecaster, account, case).place
        assert place.reached is not None
        for quantity, reaches in ((place.reached, True), (place.reached - 1, False)):
            asked = Asked(place.asked.kind, place.asked.sides, quantity)
            found = forecaster.place(account, asked)
            assert found is not None
            assert (found.allotted > 0) == reaches


@proves("A14")
@pytest.mark.parametrize("case", AdlCase)
def test_who_could_be_paired_is_liquidatable_at_its_price_and_not_before(case: AdlCase) -> None:
    story = run_story(STORIES[case][0].replace("POLICY", "queue"))
    listed = list_of(Forecaster(story.engine), story.names.account("a"), case)
    (partner,) = listed.partners
    assert partner.account == story.names.account("i")
    assert partner.asset == SOL
    assert partner.mark is not None
    assert partner.move is not None
    before = partner.mark + (1 if partner.move < 0 else -1)
    for price, falls in ((partner.mark, True), (before, False)):
        copy = Story.engines.restore(story.engine.snapshot())
        copy.apply_one(c.UpdatePrice(SOL, 0, price, price, price))
        assert (partner.account in copy.queries.liquidating()) == falls
    assert partner.move == (partner.mark - 200 * PRICE_SCALE) * RATIO // (200 * PRICE_SCALE)


def test_who_has_nobody_opposite_is_on_no_list() -> None:
    story = run_story("""
        deposit alone SOL  10
        lend    alone SOL  10
        deposit idle  USDC 5
    """)
    forecaster = Forecaster(story.engine)
    assert forecaster.lists(story.names.account("alone")) == []
    assert forecaster.lists(story.names.account("idle")) == []


def test_equals_are_ranked_by_account() -> None:
    story = run_story(
        OPPOSITES.replace("POLICY", "queue")
        + """
        deposit a USDC 10,000
        deposit b USDC 10,000
        borrow  a SOL 40
        borrow  b SOL 40
        withdraw a SOL 40
        withdraw b SOL 40
        """
    )
    forecaster = Forecaster(story.engine)
    places = [
        list_of(forecaster, story.names.account(name), AdlCase.OPPOSITES).place for name in "ab"
    ]
    assert [place.rank for place in places] == [1, 2]
    assert places[0].reached == 1
    assert places[1].reached == places[0].cap + 1


def test_whom_a_round_is_for_is_not_asked_by_it() -> None:
    """Account i has SOL and owes USDC; it owes SOL too, and is its own opposite."""
    story = run_story(
        """
        deposit lender USDC 20,000
        lend    lender USDC 20,000
        deposit lender SOL  100
        lend    lender SOL  100
        deposit i   SOL  100
        borrow  i   USDC 5,000
        borrow  i   SOL  10
        deposit a   USDC 12,000
        borrow  a   SOL  40
        """
    )
    i, a = story.names.account("i"), story.names.account("a")
    forecaster = Forecaster(story.engine)
    kind = Kind(SOL, AdlCase.OPPOSITES, PaidIn(Tier.OWED, USDC))
    for sides, expected in (({i}, [a]), ({a}, [i]), (set(), [i, a])):
        asked = Asked(kind, frozenset(sides), 10**9)
        found = forecaster.candidates(asked)[:, Candidate.account].tolist()
        assert found == sorted(expected)
        assert (forecaster.place(i, asked) is None) == (i in sides)


def test_a_stale_price_is_on_no_list() -> None:
    story = run_story(OPPOSITES.replace("POLICY", "queue") + CLOSERS)
    account = story.names.account("a")
    assert Forecaster(story.engine).lists(account)
    story.run("step +72h")
    assert story.engine.queries.price(SOL).stale
    assert Forecaster(story.engine).lists(account) == []


def test_what_cannot_be_asked_is_said() -> None:
    story = run_story("deposit a USDC 1")
    with pytest.raises(LookupError, match="no account 99"):
        Forecaster(story.engine).lists(99)
    with pytest.raises(InputError, match="is the unit"):
        Forecaster(story.engine, {USDC: 1})
