"""Stories of prices that nobody can trust: nobody is liquidated by them, nobody is held up."""

from tests.proof import proves
from tests.tables.story import run_story
from tests.tables.test_liquidation_stories import SHORT


@proves("I14", "I34")
def test_a_stale_price_liquidates_nobody_and_blocks_nobody_else() -> None:
    run_story(
        SHORT
        + """
        deposit lender USDC 100,000
        lend    lender USDC 100,000
        deposit carl BTC 1
        borrow  carl USDC 80,000
        withdraw carl USDC 80,000
        halt  SOL
        price SOL 400                              # nobody knows whether that is true
        expect bob liquidating 0
        steps 3 +1s
        expect bob liquidating 0
        # The asset takes repayment only.
        borrow bob SOL 0.1                         | BORROW_LIMIT STALE_PRICE 0
        lend   lender SOL 0.1                      | INSUFFICIENT_FUNDS AVAILABLE_BALANCE 0
        deposit lender SOL 1
        lend   lender SOL 0.1                      | LEND_LIMIT STALE_PRICE 0
        deposit bob SOL 60
        repay  bob SOL 60
        # Others are liquidated as ever.
        price BTC 80000
        expect carl liquidating 1
        step +1s
        saw AdlOpened asset=USDC case=BORROWER_DEFAULT
        resume SOL
        expect bob liquidating 0                   # he owes 40 SOL: 16,000 of 22,000
    """
    )


@proves("I14", "I34")
def test_a_price_that_nobody_renews_becomes_stale() -> None:
    run_story(
        "set SOL price.max_age 10m\n"
        + SHORT
        + """
        step +10m
        expect stale SOL 0
        step +1s
        saw  PriceStaleness asset=SOL stale=1
        borrow bob SOL 0.1                         | BORROW_LIMIT STALE_PRICE 0
        deposit bob SOL 1
        repay  bob SOL 1
        price SOL 200
        saw  PriceStaleness asset=SOL stale=0
    """
    )


@proves("I14")
def test_what_the_doubt_hid_comes_to_light_when_the_price_is_back() -> None:
    run_story(
        SHORT
        + """
        halt  SOL
        price SOL 219
        expect bob liquidating 0
        resume SOL
        saw  LiquidationStarted account=bob
    """
    )
