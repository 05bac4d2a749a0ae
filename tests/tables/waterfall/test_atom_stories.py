"""Stories of coarse atoms: which are refused, and what the coarsest that is allowed costs."""

import pytest

from solvent.domain.commands import TimeStep
from solvent.domain.labels import Source
from solvent.domain.units import SECOND
from solvent.domain.waterfall_events import AdlMatched, AdlOpened
from solvent.engine.engine import FastEngine
from solvent.proof.fuzz.checked import CheckedEngine
from solvent.proof.invariants.invariants import Breach
from solvent.reference.engine import ReferenceEngine
from solvent.reference.lending import pool as pools
from solvent.reference.waterfall import insolvency
from tests.proof import proves
from tests.tables.story import Story, run_story

# 0.05 USDC an atom at this price, the highest that the first may be.
HIGHEST = {0: "0.05", 2: "5", 3: "50", 4: "500", 12: "50,000,000,000"}


@proves("I39", "I12")
@pytest.mark.parametrize("decimals", [0, 2, 3, 4])
def test_a_first_price_that_makes_an_atom_dear_is_refused(decimals: int) -> None:
    """Case a7: tokens of few decimals, listed at any price."""
    highest = HIGHEST[decimals]
    dear = "201" if decimals < 4 else "500.0000000001"
    story = Story().run(f"set BTC decimals {decimals}\nset BTC market.lot 1\nexpect stale BTC 1")
    story.run(f"""
        price  BTC {dear}              | INVALID_PRICE ATOM_VALUE {highest}
        price  BTC 0.01 {dear} 0.01    | INVALID_PRICE ATOM_VALUE {highest}
        expect stale BTC 1
        price  BTC {highest}
        expect stale BTC 0
        price  BTC 20,000
        expect mark BTC 20,000
    """)


@proves("I39")
def test_each_source_is_asked_until_there_is_an_index() -> None:
    story = Story().run("set BTC decimals 2\nset BTC price.source_weights 1 1 1\n")
    story.run("""
        price  BTC 5     source=0
        price  BTC 5.01  source=1    | INVALID_PRICE ATOM_VALUE 5
        expect stale BTC 1
        price  BTC 4.99  source=2
        expect stale BTC 0
        price  BTC 5.01  source=1
        expect stale BTC 0
    """)


@proves("I22", "I39")
@pytest.mark.parametrize("lenders", [1, 7, 20])
def test_lenders_get_at_most_an_atom_too_much_of_the_coarsest_asset(lenders: int) -> None:
    """Case a7: lenders were overpaid, and a solvent debtor left a deficit of 3,060."""
    # An atom of SOL is worth 0.02 USDC; its owner defaults to all lenders of USDC.
    names = [f"lender{number}" for number in range(lenders)]
    rows = "".join(f"deposit {name} USDC 170\nlend {name} USDC 170\n" for name in names)
    held = f"{lenders * 170 / 200 / 0.8:.4f}"
    story = run_story(f"""
        set SOL decimals 4
        set SOL market.lot 0.0001
        set SOL market.min_quantity 0.0001
        set waterfall.book_fee 0
        {rows}
        deposit debtor SOL {held}
        borrow  debtor USDC {lenders * 170}
        withdraw debtor USDC {lenders * 170}
        price SOL {lenders * 170 * 1.10 / float(held):.2f}
    """)
    story.run("steps 40 +1s")
    queries, mark = story.engine.queries, story.state.mark(2)
    for name in names:
        worth = queries.health(story.names.account(name)).total_value
        # An atom of SOL either way, for parts of a payment go by largest remainder.
        assert abs(worth - 170 * 10**6) <= mark // 10**8 + 10
    total = sum(queries.health(story.names.account(name)).total_value for name in names)
    rounds = 1 + sum(type(event).__name__ == "AdlOpened" for event in story.events)
    assert total <= lenders * 170 * 10**6 + rounds * (mark // 10**8 + 10) + 10 * lenders
    story.run("expect pool USDC deficit 0")


@proves("I39", "I45")
def test_an_account_of_cents_that_recovers_above_maintenance_is_let_go() -> None:
    """It is worth 0.007 USDC, which is worthless, and keeps its margin: nobody may close it."""
    run_story("""
        deposit ann USDC 100
        lend    ann USDC 100
        deposit sam SOL 0.0004
        borrow  sam USDC 0.05
        withdraw sam USDC 0.05
        price SOL 141
        price SOL 141.7                       # NE 0.001012, M 0.001, the target is 0.00105
        expect sam liquidating 1
        step +1s
        unseen AdlOpened
        unseen HandedOver
        expect sam liquidating 0
        expect sam USDC owed 0.05
    """)


@proves("I45", "I22")
def test_the_parts_of_lenders_who_get_no_atom_go_to_the_others() -> None:
    """Nine atoms pay what twenty lenders share: those who get one take the parts of the rest."""
    names = [f"lender{number}" for number in range(20)]
    rows = "".join(f"deposit {name} USDC 20\nlend {name} USDC 20\n" for name in names)
    story = run_story(f"""
        set SOL decimals 4
        set SOL market.lot 0.0001
        set SOL market.min_quantity 0.0001
        set waterfall.patience 1
        set waterfall.target_buffer 0
        {rows}
        deposit sam SOL 2.5
        borrow  sam USDC 400
        withdraw sam USDC 400
        price SOL 181.331555                  # NE 7.996, M 8, an atom is worth 0.018
        expect sam liquidating 1
        step +1s
        count  AdlOpened 1
        count  AdlMatched 9
        expect sam liquidating 0
        expect sam SOL available 2.4991
    """)
    settled = sum(event.quantity for event in story.events if isinstance(event, AdlMatched))
    assert [e.allotted for e in story.events if isinstance(e, AdlOpened)] == [settled]


def nobodys_atom() -> Story:
    """A debtor at MMR 99 % whose only debt is an atom that no claim is left for."""
    story = run_story("""
        set SOL decimals 4
        set SOL market.lot 0.0001
        set SOL market.min_quantity 0.0001
        set SOL pool.curve.points 0:80% 1:80%
        price   BTC 10,000
        deposit fund USDC 100
        deposit ann SOL 0.0001
        lend    ann SOL 0.0001
        deposit bob BTC 0.000004
        borrow  bob SOL 0.0001
        step    +1s
        deposit bob SOL 0.0001
        repay   bob SOL 0.0001
        withdraw bob SOL 0.0001
        expect  bob SOL owed 0.0001           # half an atom
    """)
    # As the waterfall redeems, which no bound holds.
    engine = story.engine
    assert isinstance(engine, ReferenceEngine | FastEngine)
    made = ReferenceEngine.restore(engine.snapshot())
    pools.redeem(made.state, story.names.account("ann"), 2, 1, Source.LIQUIDATION)
    story.started = engine.restore(made.snapshot())
    story.run("expect ann SOL lent 0")
    return story


def breaches_of(story: Story) -> list[Breach]:
    """What the next second breaks, and what is broken by looking ahead from it."""
    under = CheckedEngine(ReferenceEngine.restore(story.engine.snapshot()), look_every=1)
    under.carry_out(TimeStep(story.state.now + SECOND))
    return under.breaches


@proves("I45", "I31", "I39")
def test_an_atom_that_nobody_lent_is_written_off() -> None:
    """Of 0.038 USDC for an atom worth 0.0378 nobody can be given any, and the fund pays nothing."""
    story = nobodys_atom().run("price SOL 378\nexpect bob liquidating 1")
    assert breaches_of(story) == []
    story.run("""
        step +1s
        unseen FundPaid
        unseen AdlOpened
        saw    DebtWrittenOff account=bob asset=SOL
        expect bob SOL owed 0
        expect bob BTC available 0.000004
        expect bob liquidating 0
    """)


@proves("I45")
def test_an_atom_that_nobody_lent_and_nobody_books_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = nobodys_atom().run("price SOL 378")
    monkeypatch.setattr(insolvency, "is_nobodys", lambda *_: False)
    assert [each.invariant for each in breaches_of(story)] == ["I45"]
