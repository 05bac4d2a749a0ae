"""Stories of uncertain losses: what a redemption leaves behind while a price is stale."""

from tests.proof import proves
from tests.tables.story import run_story

HALTED = """
    deposit ann USDC 700
    lend    ann USDC 700
    deposit bea USDC 300
    lend    bea USDC 300
    price   SOL 110
    deposit bob SOL 7.5
    borrow  bob USDC 600
    withdraw bob USDC 600
    price   SOL 100                            # a debt of 600 against 750
    halt    SOL
"""
"""At half of its last mark the token leaves 375 for a debt of 600: 225 of 1,000 are uncertain."""


@proves("I38", "I44")
def test_a_redemption_leaves_the_doubtful_part_of_all_that_the_claim_was() -> None:
    run_story(
        HALTED
        + """
        saw     PoolDoubted asset=USDC fraction=22.5%
        redeem  bea USDC 300                   | INSUFFICIENT_SUPPLY UNCERTAIN_LOSS 232.5
        redeem  bea USDC 232.500001            | INSUFFICIENT_SUPPLY UNCERTAIN_LOSS 232.5
        redeem  bea USDC 100
        # In parts it comes out alike.
        redeem  bea USDC 200                   | INSUFFICIENT_SUPPLY UNCERTAIN_LOSS 132.5
        # What comes back may leave again.
        deposit bea USDC 50
        lend    bea USDC 50
        redeem  bea USDC 200                   | INSUFFICIENT_SUPPLY UNCERTAIN_LOSS 182.5
        redeem  bea USDC 182.5
        expect  bea USDC lent 67.5
        withdraw bea USDC 300 redeem           | INSUFFICIENT_SUPPLY UNCERTAIN_LOSS 282.5
        # Others have lost nothing by it: the same fraction of the same whole is doubtful.
        step    +1s
        unseen  PoolDoubted
        redeem  ann USDC 167.5
        redeem  ann USDC 0.000001              | INSUFFICIENT_SUPPLY POOL_CASH 0
        # The price is back, and nothing is lost.
        resume  SOL
        saw     PoolDoubted asset=USDC fraction=0
        deposit eve USDC 100
        lend    eve USDC 100
        redeem  bea USDC 67.5
    """
    )


@proves("I38")
def test_one_per_cent_of_claims_holds_nobody_and_a_thousandth_more_does() -> None:
    for collateral, largest in (("11.8", None), ("11.799998", "296.7")):
        run_story(
            HALTED.replace("SOL 7.5", f"SOL {collateral}")
            + (
                f"""
                redeem bea USDC 300            | INSUFFICIENT_SUPPLY UNCERTAIN_LOSS {largest}
                """
                if largest
                else """
                unseen PoolDoubted
                redeem bea USDC 300
                """
            )
        )


@proves("I38")
def test_a_halted_debt_is_doubted_too() -> None:
    run_story(
        """
        deposit ann SOL 100
        lend    ann SOL 100
        deposit bob USDC 12,000
        borrow  bob SOL 50
        withdraw bob SOL 50                    # 10,000 at 200, and 20,000 at twice that
        halt    SOL
        saw     PoolDoubted asset=SOL fraction=20%
        redeem  ann SOL 50
        # 80 of 100 would be safe; the pool has no more cash.
        redeem  ann SOL 30                     | INSUFFICIENT_SUPPLY POOL_CASH 0
    """
    )


@proves("I38", "A13")
def test_a_doubtful_claim_counts_for_less_where_its_owner_asks() -> None:
    rows = (
        HALTED
        + """
        deposit eve BTC 1
        lend    eve BTC 1
        """
    )
    run_story(
        rows
        + """
        borrow  bea BTC 0.0023
        # 300 count 232.5, which leaves 2.5 of collateral, and 4 % of 230 are asked for.
        withdraw bea BTC 0.0023                | MAX_LEVERAGE_REACHED LEVERAGE 0.00222947
        resume  SOL
        withdraw bea BTC 0.0023
    """
    )


@proves("I38", "I39")
def test_an_uncertain_loss_vetoes_no_booking_and_is_forgotten_with_it() -> None:
    run_story(
        HALTED
        + """
        redeem  bea USDC 232.5
        step    +1s
        price   SOL 60                         # given, and halted: nobody knows
        redeem  bea USDC 1                     | INSUFFICIENT_SUPPLY UNCERTAIN_LOSS 0
        resume  SOL                            # 450 for a debt of 600
        saw     PoolDoubted asset=USDC fraction=0
        redeem  bea USDC 1                     | INSUFFICIENT_SUPPLY INSOLVENCY_GATE 0
        step    +1s
        saw     PoolWrittenDown asset=USDC
    """
    )
