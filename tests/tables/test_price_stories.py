"""Stories of prices: what moves a mark, and what an atom, a lot or a broken source cannot."""

from itertools import permutations

import pytest

from tests.proof import proves
from tests.tables.story import Story, run_story

STUCK = """
    set SOL market.max_multiplier 100
    set SOL market.min_multiplier 0
    deposit lender USDC 2,000,000
    lend    lender USDC 2,000,000
    deposit ann SOL 10,000                        # a lender near her margin
    lend    ann SOL 10,000
    borrow  ann USDC 1,690,000
    withdraw ann USDC 1,690,000
    deposit pat USDC 3,000,000                    # would gain by a lower mark: he owes SOL
    borrow  pat SOL 10,000
    withdraw pat SOL 10,000
    deposit mia SOL  2
    deposit ben USDC 2,100
    step +1s
"""


@proves("I39")
def test_two_orders_of_one_lot_say_nothing_about_the_mark() -> None:
    """Case a5: the mark stayed 5 % below the index, and ann's claim was taken at it."""
    run_story(
        STUCK
        + """
        sell mia SOL 0.0001 @ 151
        buy  ben SOL 0.0001 @ 150
        steps 40 +15s
        expect mark SOL 200
        expect ann liquidating 0
    """
    )


@proves("I39")
def test_a_lot_asked_far_away_moves_the_mark_by_nothing() -> None:
    run_story(
        STUCK
        + """
        buy  ben SOL 10 @ 199.9
        sell mia SOL 0.0001 @ 20000
        step +1s
        expect mark SOL 200
        expect ann liquidating 0
    """
    )


@proves("I39", "I14")
def test_a_wick_of_a_second_liquidates_no_short() -> None:
    """Case 10: a lot asked at 20,000 for a second moved the mark by 5 %, a short of 80 was lost."""
    run_story("""
        deposit lender SOL 20
        lend    lender SOL 10
        deposit sam USDC 2,080
        borrow  sam SOL 10
        withdraw sam SOL 10
        deposit ben USDC 10,000
        buy     ben SOL 10 @ 199.9
        deposit mia SOL 1
        step +1s
        sell    mia SOL 0.0001 @ 20,000           # order 2
        step +1s
        expect mark SOL >= 199.84
        expect mark SOL <= 200.16
        unseen LiquidationStarted
        expect sam liquidating 0
        cancel  mia #2
        steps 60 +1s
        unseen LiquidationStarted
        expect mark SOL 200
        expect sam value 80
        expect pool SOL deficit 0
    """)


THIN = """
    set SOL price.impact_notional 2,000
    set SOL price.ewma_time 60s
    set waterfall.interval 60s
    deposit mia SOL  1,000
    deposit ben USDC 100,000
"""


@proves("I39")
def test_the_sample_is_what_the_notional_would_get_and_pay() -> None:
    run_story(
        THIN
        + """
        buy  ben SOL 4  @ 204
        buy  ben SOL 6  @ 203                      # 10 SOL are sold for 203.4 on average
        sell mia SOL 5  @ 206
        sell mia SOL 50 @ 207                      # and bought for 206.5
        step +60s
        expect mark SOL 202.475                    # half the way to 204.95
    """
    )


@proves("I39")
def test_a_side_that_lacks_the_notional_says_nothing() -> None:
    run_story(
        THIN
        + """
        sell mia SOL 100 @ 206
        buy  ben SOL 9.9999 @ 204
        step +60s
        expect mark SOL 200
        buy  ben SOL 0.0001 @ 204
        step +60s
        expect mark SOL 202.5
        cancel ben #2
        step +60s
        expect mark SOL 201.25                     # and back to the index
    """
    )


@proves("I39")
def test_a_part_of_what_is_borrowed_is_asked_of_the_book_too() -> None:
    run_story(
        THIN
        + """
        deposit lender SOL 10,000
        lend    lender SOL 10,000
        deposit carl USDC 1,000,000
        borrow  carl SOL 2,000                     # 1 % of it is 20 SOL
        sell mia SOL 100 @ 206
        buy  ben SOL 19.9999 @ 204
        step +60s
        expect mark SOL 200
        buy  ben SOL 0.0001 @ 204
        step +60s
        expect mark SOL 202.5
    """
    )


@proves("I39")
def test_orders_that_may_not_fill_do_not_count() -> None:
    run_story(
        THIN
        + """
        deposit lender USDC 100,000
        lend    lender USDC 100,000
        deposit eve SOL 100
        sell mia SOL 100 @ 206
        buy  eve SOL 50 @ 204 borrow               # nothing is locked for it
        step +60s
        expect mark SOL 200
    """
    )


@proves("I39")
def test_orders_outside_the_price_band_do_not_count() -> None:
    run_story(
        "set SOL market.max_multiplier 1.02"
        + THIN
        + """
        sell mia SOL 100 @ 204
        buy  ben SOL 10 @ 203
        price SOL 199                              # 204 is above 199 * 1.02
        step +60s
        expect mark SOL 199
    """
    )


@proves("I39")
def test_a_sample_is_held_within_the_band_before_it_is_averaged() -> None:
    run_story(
        THIN
        + """
        sell mia SOL 10 @ 248
        buy  ben SOL 10 @ 246                      # mid 247
        step +60s
        expect mark SOL 205                        # half the way to 210, not to 247
    """
    )


HEDGED = """
    set SOL price.source_weights 1 1
    deposit lender BTC 1
    lend    lender BTC 1
    deposit ann SOL 500                           # long of one, short of the other
    borrow  ann BTC 0.8
    withdraw ann BTC 0.8
    sell    ann SOL 10 @ 220
"""
FALL = ("price SOL 170", "price SOL 170 source=1", "price BTC 85000")


def _given_together(rows: tuple[str, ...]) -> str:
    *first, last = rows
    return "\n".join([f"{row} more\nexpect ann liquidating 0" for row in first] + [last])


@proves("I41")
def test_prices_of_one_moment_are_judged_once_in_any_order() -> None:
    """Cases 11 and a22: all fall by 15 %, and whichever was told first decided who is flagged."""
    hashes = set()
    for order in permutations(FALL):
        story = run_story(
            HEDGED
            + _given_together(order)
            + """
            unseen LiquidationStarted
            expect ann liquidating 0
            expect ann orders 1
            expect ann net_equity 8,500
            expect index SOL 170
        """
        )
        hashes.add(story.engine.state_hash())
    assert len(hashes) == 1


@proves("I41")
@pytest.mark.parametrize("rows", list(permutations(("halt SOL", *FALL))))
def test_a_halt_in_the_moment_counts_from_its_end(rows: tuple[str, ...]) -> None:
    run_story(
        HEDGED
        + _given_together(rows)
        + """
        expect stale SOL 1
        expect ann orders 1
        expect ann liquidating 0
        resume SOL more
        expect stale SOL 1
        price SOL 100 more
        price SOL 100 source=1
        expect stale SOL 0
        expect ann liquidating 1
    """
    )


@proves("I41")
def test_what_waits_takes_effect_with_the_next_step_at_the_latest() -> None:
    run_story(
        HEDGED
        + """
        price SOL 170 more
        price SOL 170 source=1 more
        price BTC 0                               | INVALID_PRICE
        expect index SOL 200                      # the last one was refused
        deposit ben USDC 100                      # and others act at the old prices
        expect index SOL 200
        step +1s
        saw LiquidationStarted account=ann
        expect index SOL 170
    """
    )


@proves("I41", "I43")
@pytest.mark.parametrize("asset", ["SOL", "BTC"])
def test_a_parameter_change_ends_no_moment(asset: str) -> None:
    run_story(
        HEDGED
        + f"""
        halt SOL more
        change {asset} COLLATERAL_WEIGHT 0.9
        expect stale SOL 0
        unseen PriceStaleness
        price BTC 100000
        expect stale SOL 1
    """
    )


@proves("I41")
def test_a_refused_quote_stops_no_other() -> None:
    run_story(
        HEDGED
        + """
        price SOL 190 more
        price SOL 190 source=7 more               | INVALID_CLIENT_REQUEST
        price SOL 190 source=1
        expect index SOL 190
    """
    )


@proves("I41")
def test_the_later_of_two_quotes_of_a_source_counts() -> None:
    run_story(
        HEDGED
        + """
        price SOL 50 more
        price SOL 50 source=1 more
        price SOL 190 more
        price SOL 190 source=1
        expect index SOL 190
        count IndexUpdated 1
        unseen LiquidationStarted
    """
    )


@proves("I14", "I39")
def test_a_price_in_doubt_liquidates_nobody_and_counts_nothing() -> None:
    run_story("""
        set SOL price.max_move 1%
        deposit lender USDC 100,000
        lend    lender USDC 100,000
        deposit ann SOL 100
        borrow  ann USDC 17,200
        withdraw ann USDC 17,200
        price SOL 190                             # 17,100 of weight, less than what she owes
        expect index SOL 198
        expect ann liquidating 0
        borrow ann USDC 1                         | MAX_LEVERAGE_REACHED LEVERAGE 0
        steps 4 +1s
        expect index SOL > 190
        expect ann liquidating 0
        step +1s
        expect index SOL 190
        saw LiquidationStarted account=ann
    """)


@proves("I34")
def test_forty_messages_at_one_instant_are_one_move() -> None:
    """Case 13."""
    run_story(
        """
        set SOL price.max_move 1%
        price SOL 100
        """
        + 39 * "price SOL 100\n"
        + """
        expect index SOL 198
    """
    )


@proves("I34")
def test_a_source_alone_after_a_silence_makes_no_index() -> None:
    """Case 12: at what one of three said alone after 700 s, ann was liquidated."""
    run_story("""
        set SOL price.source_weights 1 1 1
        set SOL price.max_age 10m
        deposit lender USDC 50,000
        lend    lender USDC 50,000
        deposit ann SOL 100
        borrow  ann USDC 14,000
        withdraw ann USDC 14,000
        step +1s
        step +699s
        expect stale SOL 1
        price SOL 150 source=2                    # the broken one speaks first
        expect index SOL 200
        expect stale SOL 1
        unseen LiquidationStarted
        expect ann liquidating 0
        price SOL 200 source=0
        expect stale SOL 0
        unseen LiquidationStarted
        price SOL 200 source=1
        expect index SOL 199.3333333333
        expect ann liquidating 0
    """)


@proves("I43")
def test_no_supply_grows_past_what_a_quote_that_is_held_back_may_make_of_it() -> None:
    """`sim --compare --seed 772134422`: what was deposited at the cap's index outgrew 128 bits."""
    run_story("""
        set  SOL price.max_move 5%
        deposit ann  SOL  1,000
        deposit lena USDC 1,000,000
        lend    lena USDC 1,000,000
        borrow  ann  USDC 1,000
        price   SOL 100,000,000               # 2^60 of 10^-6 USDC are 11,529 of these
        expect  mark SOL 210                  # held back, and in doubt
        deposit ann SOL 900,000,000           | INVALID_QUANTITY SUPPLY_CAP 10,529.215046068
        steps   400 +1s
        expect  mark SOL 100,000,000
        expect  ann liquidating 0
    """)


@proves("I39", "I43")
def test_the_book_is_sampled_by_the_clock_however_time_is_cut() -> None:
    """`beside` seed 11: a price grows stale within the step, and its maker owes something."""
    marks = []
    for cuts in ((600,), (60,) * 10, (7,) * 85 + (5,), (1,) * 600):
        story = Story().run("""
            set  SOL price.max_age 58s
            set  SOL price.ewma_time 1h
            set  SOL price.impact_notional 1
            set  SOL pool.curve.points 0:100% 1:100%
            deposit lena SOL  100,000
            lend    lena SOL  100,000
            deposit bob  USDC 20,000,000
            borrow  bob  SOL  50,000
            withdraw bob SOL  50,000
            deposit mia  USDC 200,000
            deposit mia  SOL  1,000
            deposit lena USDC 1,000,000
            lend    lena USDC 1,000,000
            borrow  mia  USDC 100
            withdraw mia USDC 100
            sell mia SOL 520 @ 201.9
            sell mia SOL 10  @ 215
            buy  mia SOL 530 @ 200.1
            step +1s
        """)
        for seconds in cuts:
            story.tell(f"step +{seconds}s")
        marks.append(story.state.prices[2].premium)
    assert marks[0] > 0
    assert len(set(marks)) == 1
