"""Stories of interest: by the second, split to the last part, on shares of at most an atom."""

import pytest

from tests.proof import proves
from tests.tables.story import run_story

# 8.76 % a year are 0.00001 an hour, at every utilization.
POOL = """
    set SOL pool.curve.points 0:8.76% 1:8.76%
    deposit alice SOL  1,000
    lend    alice SOL  1,000
    deposit bob   USDC 500,000
"""
KINKED = """
    set SOL pool.curve.points 0:1% 80%:8% 1:100%
    set SOL pool.fee 15%
    deposit vera SOL  1,000
    lend    vera SOL  1,000
    deposit bob  USDC 400,000
"""


@proves("I6", "A1", "I44")
def test_interest_of_seconds_hours_and_days() -> None:
    run_story(
        POOL
        + """
        borrow  bob   SOL  500
        expect  bob   SOL  owed 500
        step +1s
        unseen  InterestCharged
        expect  bob   SOL  owed 500.000001389      # 500 * 0.00001 / 3600
        expect  alice SOL  lent 1000.000001388
        step_to 30m
        expect  bob   SOL  owed 500.0025
        step_to 1h
        saw     InterestCharged asset=SOL hour=1 apr=8.76% interest=0.005SOL
        expect  bob   SOL  owed 500.005
        expect  alice SOL  lent 1000.005
        step_to 90m
        expect  bob   SOL  owed 500.007500025      # half an hour's on what the hour compounded
        step_to 24h
        count   InterestCharged 23
        expect  bob   SOL  owed 500.120013802      # 500 * 1.00001^24 is a little less
        expect  alice SOL  lent 1000.120013801
        expect  pool  SOL  residue < 0.000000003
    """
    )


@proves("I6", "I44")
def test_what_is_paid_is_for_the_time_that_a_debt_stood() -> None:
    run_story(
        POOL
        + """
        deposit carl  USDC 500,000
        deposit carl  SOL  1
        deposit bob   SOL  1
        step_to 770m                               # 12:50
        price SOL 200
        price BTC 100000
        borrow  bob   SOL  300
        borrow  carl  SOL  300
        expect  bob   SOL  owed 300                # no fee for entering
        step_to 46799s                             # 12:59:59
        repay   bob   SOL  301                     # a second before the hour saves a second
        saw     Repaid account=bob quantity=300.000499167
        step_to 13h
        saw     InterestCharged asset=SOL hour=13 apr=8.76% interest=0.000999166SOL
        repay   carl  SOL  301
        saw     Repaid account=carl quantity=300.000500001  # rounded up
    """
    )


@proves("I6", "I1")
def test_interest_is_split_between_lenders_and_fee() -> None:
    run_story("""
        set SOL pool.curve.points 0:8.76% 1:8.76%
        set SOL pool.fee 20%
        deposit alice SOL  600
        lend    alice SOL  600
        deposit carl  SOL  400
        lend    carl  SOL  400
        deposit bob   USDC 500,000
        borrow  bob   SOL  500
        step_to 1h
        expect  pool  SOL  fees 0.001              # of 0.005
        expect  alice SOL  lent 600.0024           # of 0.004: six tenths
        expect  carl  SOL  lent 400.0016
        expect  pool  SOL  lend_apr ~ 0.03504021   # 8.76 % * U * 0.8, U = 500.005 / 1000.004
        collect SOL
        saw     FeesCollected asset=SOL quantity=0.001
        expect  treasury SOL available 0.001
        expect  pool  SOL  fees 0
        collect SOL                                | INSUFFICIENT_FUNDS POOL_CASH
    """)


@proves("I6", "I44")
@pytest.mark.parametrize("cuts", ["steps 288 +15m", "steps 4320 +1m", "step_to 72h"])
def test_interest_does_not_depend_on_how_time_is_cut(cuts: str) -> None:
    text = KINKED + "borrow  bob   SOL  950\n"
    once = run_story(text + "step_to 36h\nstep_to 72h").state.pools[2]
    assert run_story(text + cuts).state.pools[2] == once


@proves("I44")
@pytest.mark.parametrize("parts", [2, 50])
def test_a_borrow_in_parts_costs_what_one_costs(parts: int) -> None:
    """Case 29."""
    one = run_story(KINKED + "borrow bob SOL 950\nstep_to 10h").state.pools[2]
    each = "borrow bob SOL " + str(950 / parts) + "\n"
    other = run_story(KINKED + each * parts + "step_to 10h").state.pools[2]
    assert (other.debt_shares, other.debt_index) == (one.debt_shares, one.debt_index)


@proves("I44")
def test_a_lender_of_two_seconds_an_hour_earns_two_seconds() -> None:
    """Cases 28 and a11: lending round every full hour for a day earned 86 % of what others did."""
    visits = "\n".join(
        f"""
        step_to {3600 * hour - 1}s
        price SOL 200
        price BTC 100000
        lend    eve SOL 9,000
        step_to {3600 * hour + 1}s
        redeem  eve SOL 9,000
        """
        for hour in range(1, 25)
    )
    alone = KINKED + "borrow bob SOL 900\n"
    run_story(
        alone
        + "deposit eve SOL 9,000\n"
        + visits
        + """
        # 9,000 at 0.1367 % a year for 48 of 86,400 seconds, less an atom a visit
        expect eve SOL available 9,000
        expect eve SOL lent < 0.0000188
        expect eve SOL lent > 0.0000186
        expect vera SOL lent > 1,001.1333          # of 1.134 without her
    """
    )
    run_story(alone + "step_to 86401s\nexpect vera SOL lent ~ 1,001.134045004")


COIN = """
    set BTC decimals 2
    set BTC market.lot 0.01
    set BTC market.min_quantity 0.01
"""


@proves("I6")
@pytest.mark.parametrize(
    ("listing", "price", "lent", "owed", "paid"),
    [
        # 30 days of 2 % on 400,000 of 500,000 satoshi, and on 800,000 of 1,000,000 hundredths.
        ("", "100,000", "0.005", "0.004", 658),
        (COIN, "1", "10,000", "8,000", 1316),
    ],
    ids=["500 USDC in BTC", "a coin of two decimals"],
)
def test_a_small_pool_pays_its_lenders_their_part(
    listing: str, price: str, lent: str, owed: str, paid: int
) -> None:
    """Case 33: lenders got nothing, for the remainder of every hour went to the pool."""
    story = run_story(
        listing
        + f"""
        set BTC pool.curve.points 0:2% 1:2%
        set BTC pool.fee 15%
        price   BTC {price}
        deposit ann BTC {lent}
        lend    ann BTC {lent}
        deposit bob USDC 500,000
        borrow  bob BTC {owed}
        keep    lent pool BTC lent
        keep    owed bob BTC owed
        steps 720 +1h
        keep    claim pool BTC lent
        keep    debt bob BTC owed
        """
    )
    interest = story.kept["debt"] - story.kept["owed"]
    assert abs(interest - paid) <= 1
    assert 0 <= interest * 85 // 100 - (story.kept["claim"] - story.kept["lent"]) <= 1


@proves("I43", "I4")
def test_loops_of_borrowing_move_no_index() -> None:
    """Case 31: 184,000 loops made two shares worth so much that a lend of 180 USDC bought one."""
    story = run_story(
        """
        set BTC pool.curve.points 0:80% 1:80%
        deposit ann BTC 0.00000002
        lend    ann BTC 0.00000002
        deposit bob BTC 0.1
        deposit bob USDC 1,000
        deposit eve BTC 1
        """
        + "borrow bob BTC 0.00000001\nrepay bob BTC 0.0000001\n" * 200
        + """
        expect pool BTC lend_index 1
        lend   eve BTC 0.00091
        lend   eve BTC 0.0018
        expect eve BTC lent 0.00271
        """
    )
    assert story.state.pools[1].lend_shares == 271_002


@proves("I43", "I4")
@pytest.mark.parametrize("fee", ["0%", "10%"])
def test_no_loop_makes_shares_that_a_late_lender_pays_for(fee: str) -> None:
    """Case a10b: borrow nearly all and repay, take half out, and so on, 144,000 times.

    A round of the loop leaves the pool as it was, so as many as one likes do.
    """
    start = f"""
        set BTC pool.curve.points 0:80% 1:80%
        set BTC pool.fee {fee}
        deposit ann BTC 0.1
        deposit bob BTC 1
        deposit bob USDC 1,000,000
        deposit eve BTC 1
        step_to 1h
        price BTC 100000
        lend    ann BTC 0.01
    """
    loop = "borrow bob BTC 0.0097\nrepay bob BTC 1\n"
    once, often = (run_story(start + loop * rounds) for rounds in (1, 50))
    assert often.state.pools[1] == once.state.pools[1]
    often.run(
        "redeem ann BTC 0.00999998\n"
        + "borrow bob BTC 0.00000001\nrepay bob BTC 1\n" * 50
        + """
        expect pool BTC lent 0.00000002
        lend   eve BTC 0.00000003
        redeem eve BTC 0.00000003
        lend   eve BTC 0.00000019
        expect eve BTC lent 0.00000019
        redeem eve BTC 0.00000019
        expect eve BTC available 1
        """
    )


@proves("I43", "I29")
def test_a_pool_lives_on_after_a_loss_of_all_but_a_cent() -> None:
    """Case 34."""
    run_story("""
        set USDC pool.curve.points 0:8.76% 1:8.76%
        deposit ann USDC 1,000,000.01
        lend    ann USDC 1,000,000.01
        deposit bob SOL  6,000
        borrow  bob USDC 1,000,000
        withdraw bob USDC 1,000,000
        price SOL 0.0000001
        step +1s
        saw    DebtWrittenOff asset=USDC
        saw    SharesRescaled asset=USDC of_debts=0 multiplier=1
        expect ann USDC lent >= 0.009998          # the roundings of a loss are the pool's
        price  SOL 200
        deposit eve USDC 100,000
        lend    eve USDC 100,000
        expect  eve USDC lent ~ 100,000
        deposit dan SOL 1,000
        borrow  dan USDC 50,000
        step_to 1h
        price   SOL 200
        expect  dan USDC owed > 50,000.49
        expect  eve USDC lent > 100,000.49
        redeem  eve USDC 50,000
    """)


@pytest.mark.slow
@proves("I43")
@pytest.mark.parametrize("dust", [True, False])
@pytest.mark.parametrize("apr", ["150", "1000", "10000"])
def test_a_pool_at_any_rate_stops_nobody(apr: str, dust: bool) -> None:
    """Case a9: what no column holds freezes its own pool, with an event; others go on."""
    lent = "0.000000002" if dust else "1"
    owed = "0.000000001" if dust else "0.5"
    story = run_story(
        f"""
        set SOL pool.curve.points 0:{apr}% 1:{apr}%
        set BTC pool.curve.points 0:8.76% 1:8.76%
        deposit ann SOL {lent}
        lend    ann SOL {lent}
        deposit dan BTC 2
        lend    dan BTC 2
        deposit bob USDC 900,000,000
        deposit jim USDC 900,000,000
        borrow  bob SOL {owed}
        borrow  jim BTC 1
        deposit eve SOL 5
        """
        + "\n".join(
            f"step_to {30 * 24 * month}h\nprice SOL 200\nprice BTC 100000\nstep +1s"
            for month in range(1, 49)
        )
        + """
        lend eve SOL 1
        expect dan BTC lent > 2.19
        """
    )
    assert story.state.pools[1].frozen == 0
