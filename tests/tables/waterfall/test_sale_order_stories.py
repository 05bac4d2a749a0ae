"""Stories of which collateral the book sells first, and of the slice that providers take."""

import pytest

from solvent.domain.events import Filled
from tests.proof import proves
from tests.tables.story import Story, run_story

# Alice holds 0.6 BTC of weight 0.95 and 400 SOL of weight 0.5, and owes 75,800 USDC.
TWO = """
    set SOL haircut.weight 50%
    price BTC 105,000
    price SOL 100
    deposit lender USDC 1,000,000
    lend    lender USDC 1,000,000
    deposit alice  BTC  0.6
    deposit alice  SOL  400
    borrow  alice  USDC 75,800
    withdraw alice USDC 75,800
    deposit ben    USDC 10,000,000
"""
FALL = "price BTC 100,000\nexpect alice liquidating 1\n"


def sold(story: Story, symbol: str) -> int:
    """Atoms of an asset that alice no longer has."""
    asset = story.names.asset(symbol)
    held = story.engine.queries.balances(story.names.account("alice"))[asset]
    return int(story.kept[symbol] - held.available - held.lent)


def after(rows: str, steps: int = 30) -> Story:
    """The story of alice after bids were placed and the book had its time."""
    story = run_story(TWO + rows)
    story.run(f"keep BTC alice BTC available\nkeep SOL alice SOL available\nsteps {steps} +1s")
    return story


@proves("I17", "A6")
def test_the_lighter_collateral_goes_first() -> None:
    """Case 19."""
    # 767 USDC of SOL do what would have taken 6,450 of BTC.
    story = after(FALL + "buy ben SOL 1,000 @ 100\nbuy ben BTC 10 @ 100,000\n")
    story.run("expect alice liquidating 0\nexpect alice BTC available 0.6")
    assert 7.67 <= sold(story, "SOL") / 10**9 <= 7.68


@proves("I17")
def test_sizes_are_those_of_the_collateral_that_has_buyers() -> None:
    story = after(FALL + "buy ben BTC 10 @ 100,000\n")
    story.run("expect alice liquidating 0\nexpect alice SOL available 400")
    assert 0.0640 <= sold(story, "BTC") / 10**8 <= 0.0650


@proves("I39")
@pytest.mark.parametrize("dust", ["100", "104"], ids=["at the mark", "above it"])
def test_a_lot_bid_for_the_lighter_delays_no_sale_of_the_other(dust: str) -> None:
    story = after(FALL + f"buy ben SOL 0.0001 @ {dust}\nbuy ben BTC 10 @ 100,000\n", steps=1)
    alone = after(FALL + "buy ben BTC 10 @ 100,000\n", steps=1)
    assert sold(story, "SOL") == 10**5
    # A lot is worth a cent, and BTC's are worth ten USDC.
    assert sold(alone, "BTC") - 10**4 <= sold(story, "BTC") <= sold(alone, "BTC")


@proves("I17", "I16")
@pytest.mark.parametrize(
    ("bid", "first"), [("100", "SOL"), ("98.5", "SOL"), ("97.5", "BTC"), ("96", "BTC")]
)
def test_the_price_that_can_be_had_weighs_with_the_weight(bid: str, first: str) -> None:
    # SOL weighs 2 % less than BTC, so it goes first until its bids are 2 % worse.
    rows = TWO.replace("haircut.weight 50%", "haircut.weight 93%").replace("75,800", "93,000")
    story = run_story(rows + FALL + f"buy ben SOL 1,000 @ {bid}\nbuy ben BTC 10 @ 100,000\n")
    story.run("step +1s")
    fills = [event for event in story.events if isinstance(event, Filled)]
    assert fills[0].asset == story.names.asset(first)


@proves("I17")
def test_what_is_usdc_already_is_spent_before_anything_is_sold() -> None:
    story = run_story("""
        deposit lender BTC 10
        lend    lender BTC 10
        deposit alice  SOL 400
        deposit alice  USDC 30,000
        lend    alice  USDC 30,000
        borrow  alice  BTC 0.96
        withdraw alice BTC 0.96
        deposit ben    USDC 10,000,000
        deposit ben    BTC 10
        price BTC 105,000
        expect alice liquidating 1
        buy  ben SOL 1,000 @ 200
        sell ben BTC 10 @ 105,000
        step +1s
        saw    Redeemed account=alice asset=USDC
        unseen Filled asset=SOL
        saw    Filled asset=BTC
    """)
    assert story.names.asset("SOL") == 2


# Alice owes 9,500 USDC; of BTC she has tokens and, in a full pool, a claim.
SLICED = """
    set SOL haircut.weight 80%
    set waterfall.book_limit 1
    price SOL 210
    deposit lender USDC 100,000
    lend    lender USDC 100,000
    deposit taker  USDC 100,000
    deposit alice  BTC  0.06
    lend    alice  BTC  0.04
    borrow  taker  BTC  0.04
    withdraw taker BTC  0.04
    deposit alice  SOL  25
    borrow  alice  USDC 9,500
    withdraw alice USDC 9,500
    open vera provider
    open wim  provider
    open xena provider
    deposit vera USDC 90,000
    deposit wim  USDC 90,000
    deposit xena USDC 90,000
    commit  vera USDC 1,000
    commit  wim  USDC 2,000
    commit  xena USDC 3,000
    price SOL 187
    expect alice liquidating 1
    step +1s
    count BackstopFilled 3
"""


@proves("I12", "I17")
def test_every_provider_takes_the_same_slice_of_tokens_and_claims() -> None:
    story = run_story(SLICED)
    mixes = []
    for name in ("vera", "wim", "xena"):
        balances = story.engine.queries.balances(story.names.account(name))
        btc, sol = balances[1], balances[2]
        assert btc.available
        assert btc.lent
        mixes.append((btc.available / sol.available, btc.lent / sol.available))
    for mix in mixes:
        assert mix == pytest.approx((0.02e8 / 25e9, 0.04e8 / 25e9), rel=1e-4)
