"""Stories of rules that are switched off: what the same people get without them."""

import pytest

from tests.proof import proves
from tests.tables.story import run_story

# i holds SOL that nobody bids for and owes USDC; j owes SOL and has USDC.
HELD = """
    set waterfall.patience 1
    deposit lender USDC 1,000,000
    lend    lender USDC 1,000,000
    deposit sue SOL 100
    lend    sue SOL 100
    deposit i SOL  100
    borrow  i USDC 17,000
    withdraw i USDC 17,000
    deposit j USDC 40,000
    borrow  j SOL  60
    withdraw j SOL 60
    price SOL 190
    step +1s
"""


@proves("A12", "I40")
def test_without_opposites_a_lender_is_paid_in_what_nobody_buys() -> None:
    run_story(HELD + "saw AdlOpened case=OPPOSITES\n expect lender SOL available 0")
    run_story(
        "set waterfall.opposites off\n"
        + HELD
        + """
        unseen AdlOpened case=OPPOSITES
        saw AdlOpened case=BORROWER_DEFAULT
        saw AdlLeg giver=i receiver=lender asset=SOL form=AVAILABLE
        expect j SOL owed 60
    """
    )


# i has lent SOL that cannot be redeemed and owes BTC; j owes SOL, has BTC and more USDC.
STUCK = """
    deposit lender BTC 10
    lend    lender BTC 10
    deposit i  SOL 100
    lend    i  SOL 100
    borrow  i  BTC 0.17
    withdraw i BTC 0.17
    deposit j USDC 40,000
    deposit j BTC  0.1
    borrow  j SOL 100
    withdraw j SOL 100
    price SOL 190
    step +1s
"""


@proves("A8", "I40")
def test_without_tiers_usdc_comes_first_whatever_the_lender_owes() -> None:
    run_story(
        STUCK + "saw AdlLeg giver=j receiver=i asset=BTC tier=OWED\n unseen AdlLeg asset=USDC"
    )
    run_story(
        "set waterfall.tiers off\n"
        + STUCK
        + """
        saw AdlLeg giver=j receiver=i asset=USDC tier=FLAGGED
        unseen AdlLeg tier=OWED
        unseen AdlLeg asset=BTC
    """
    )


# The only bid is 7 % below the mark, and SOL weighs 0.9.
LONE_BID = """
    deposit lender USDC 1,000,000
    lend    lender USDC 1,000,000
    deposit i SOL 100
    borrow  i USDC 17,000
    withdraw i USDC 17,000
    deposit bidder USDC 40,000
    buy bidder SOL 100 @ 176.7
    price SOL 190
    step +1s
"""


@pytest.mark.parametrize("limits", ["on", "off"])
@proves("I16", "I39")
def test_without_limits_of_the_mark_a_far_bid_is_hit(limits: str) -> None:
    what = "unseen" if limits == "on" else "saw"
    run_story(f"set waterfall.mark_limits {limits}\n{LONE_BID}\n{what} Filled taker=i")
