"""Stories of losses that interest makes while nobody acts, and of claims that losses make dust."""

import pytest

from solvent.domain.events import Event, Stepped
from solvent.domain.waterfall_events import FundPaid, PoolWrittenDown
from solvent.reference.waterfall.insolvency import LOSS_INTERVALS
from tests.proof import proves
from tests.tables.story import Story, run_story

# A BTC that is halted at 100,000 counts 200,000: 80,000 of 280,000 are lost for certain at once,
# and then each second 0.005 USDC of interest at 80 % on what is left open.
WAITING = """
    set SOL pool.curve.points 0:80% 1:80%
    deposit ann SOL 1,000
    lend    ann SOL 1,000
    deposit bob BTC 1
    borrow  bob SOL 280
    withdraw bob SOL 280
    halt    BTC
    price   SOL 1,000
    step +999999us
    saw     PoolWrittenDown asset=SOL
"""


@proves("I31", "I38", "I39")
def test_interest_on_what_waits_for_a_halt_shuts_no_pool_for_long() -> None:
    run_story(
        WAITING
        + """
        step +1us
        step +58s                             # the last second of a minute: 0.29 USDC are lost
        unseen PoolWrittenDown
        redeem ann SOL 1                      | INSUFFICIENT_SUPPLY INSOLVENCY_GATE 0
        step +1s
        saw    PoolWrittenDown asset=SOL
        redeem ann SOL 1
        """
    )


@proves("I31", "I38")
def test_what_interest_took_is_booked_as_soon_as_anybody_does_anything() -> None:
    run_story(
        WAITING
        + """
        step +1us
        step +10s
        unseen PoolWrittenDown
        price  SOL 1,000                      # whatever is accepted: the next interval books
        redeem ann SOL 1                      | INSUFFICIENT_SUPPLY INSOLVENCY_GATE 0
        step +1s
        saw    PoolWrittenDown asset=SOL
        redeem ann SOL 1
        """
    )


@proves("I31", "I45")
def test_what_interest_adds_is_booked_by_the_minute_however_time_is_cut() -> None:
    told: list[list[Event]] = []
    for cuts in ((200,), (7,) * 28 + (4,), (1,) * 200):
        story = Story().run(WAITING + "step +1us")
        events: list[Event] = []
        for seconds in cuts:
            story.tell(f"step +{seconds}s")
            events += [event for event in story.events if not isinstance(event, Stepped)]
        told.append(events)
    assert told[0] == told[1] == told[2]
    losses = [event.value for event in told[0] if isinstance(event, PoolWrittenDown)]
    assert len(losses) == 200 // LOSS_INTERVALS
    assert all(60 * 5_050 < loss < 60 * 5_100 for loss in losses[1:])


@proves("I31", "I45")
def test_a_quiet_market_books_by_the_hour_however_time_is_cut() -> None:
    """`sim --compare --seed 706`: a step of 30 days made a pass a minute, 43,200 of them."""
    told: list[list[Event]] = []
    for cuts in ((4,), (1,) * 4, (0.5,) * 8, (0.01,) * 400):
        story = Story().run(WAITING + "step +1us")
        events: list[Event] = []
        passes = 0
        for hours in cuts:
            story.tell(f"step +{round(hours * 3600)}s")
            passes += sum(isinstance(event, Stepped) for event in story.events)
            events += [event for event in story.events if not isinstance(event, Stepped)]
        assert passes <= 60 + 4 + len(cuts) + 1
        told.append(events)
    assert all(events == told[0] for events in told)
    losses = [event.value for event in told[0] if isinstance(event, PoolWrittenDown)]
    assert len(losses) == 60 + 3
    assert all(3600 * 5_000 < loss < 3600 * 5_100 for loss in losses[-3:])


@proves("I31", "I45")
def test_a_fund_that_pays_each_loss_of_interest_keeps_nobody_awake() -> None:
    """`sim --compare --seed 100027`: it repays, which brought a pass and a payment each second."""
    funded = WAITING.replace("deposit ann", "deposit fund USDC 100,000\ndeposit ann", 1)
    story = Story().run(funded.replace("saw ", "unseen ") + "step +1us")
    story.tell("step +4h")
    passes = sum(isinstance(event, Stepped) for event in story.events)
    paid = sum(isinstance(event, FundPaid) for event in story.events)
    assert paid == 60 + 3
    assert passes <= 2 * paid + 4


@proves("I43")
def test_who_keeps_the_waterfall_awake_books_nobody_elses_interest() -> None:
    """A pass that another's liquidation brings books what it must, and not a second's interest."""
    with_another = """
        deposit cat USDC 10,150
        deposit mia SOL 100
        deposit ann"""
    told = WAITING.replace("    deposit ann", with_another, 1).replace(
        "    halt ", "    borrow cat SOL 10\n    withdraw cat SOL 10\n    halt "
    )
    run_story(
        told
        + """
        sell mia SOL 50 @ 1,000
        step +1us
        step +1s
        step +5s                              # the book closes a part of cat's debt each second
        count Filled 5
        unseen BookingOpened
        step +53s
        count BookingOpened 1
    """
    )


@proves("I39")
@pytest.mark.parametrize(("rate", "booked"), [("2.672%", 0), ("2.673%", 1)])
def test_a_minute_books_a_cent_and_nothing_less(rate: str, booked: int) -> None:
    run_story(
        WAITING.replace("80%", rate)
        + f"""
        step +1us
        step +59s                             # interest on 200,000: 0.009999 or 0.010002 USDC
        count PoolWrittenDown {booked}
        redeem ann SOL 1
        """
    )


@proves("I38", "I39", "I18")
@pytest.mark.parametrize("claim", ["0.000025", "0.000026", "0.000027", "0.000028"])
def test_a_claim_that_becomes_dust_by_the_loss_is_part_of_the_solution(claim: str) -> None:
    """A claim on a halted token counts from 0.01 USDC on, so what it counts for may fall at once.

    At 400 the claims are worth 0.0100 to 0.0112, and after a loss of 9 % three of them nothing.
    """
    run_story(f"""
        deposit ann SOL 1,000
        lend    ann SOL 1,000
        deposit eve USDC 1,000
        lend    eve USDC 1,000
        deposit cat BTC 1
        borrow  cat SOL 100
        withdraw cat SOL 100
        deposit bob BTC 0.002
        deposit bob SOL {claim}
        lend    bob SOL {claim}
        borrow  bob USDC 100
        withdraw bob USDC 100
        halt    SOL
        price   BTC 1,000                     # 1,000 for 10,000 at the doubted price, 2 for 100
        step +1s
        saw     DebtWrittenOff account=cat asset=SOL
        saw     DebtWrittenOff account=bob asset=USDC
        expect  pool USDC deficit >= 97.98
        expect  pool USDC deficit <= 98.000001
    """)


@proves("I38", "I43")
def test_billions_against_a_large_pool_are_cleared() -> None:
    """A debt of 2 * 10^21 in 10^-12 USDC, times claims of 4 * 10^17 atoms, has 130 bits."""
    run_story("""
        deposit ann SOL 400,000,000
        lend    ann SOL 400,000,000
        deposit bob BTC 30,000
        lend    bob BTC 30,000
        borrow  bob SOL 10,000,000
        withdraw bob SOL 10,000,000
        price   BTC 10,000                    # 300 million for 2 billion
        step +1s
        saw     DebtWrittenOff account=bob asset=SOL
        expect  pool SOL deficit >= 8,500,000
        expect  pool SOL deficit <= 8,500,000.01
    """)
