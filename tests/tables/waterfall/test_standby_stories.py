"""Stories of standby: who takes, for a premium, what ADL would pay others in kind."""

from dataclasses import replace

from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.codec import receipt_document
from solvent.receipts.form import StandbyReceipt
from solvent.receipts.verify.check import verify_receipt
from tests.proof import proves
from tests.tables.story import Story, run_story

# A lender of 100 SOL owes 17,000 USDC; the borrower of his SOL has nothing but BTC.
STUCK = """
    set BTC haircut.weight 80%
    deposit lender USDC 20,000
    lend    lender USDC 20,000
    deposit i  SOL  100
    lend    i  SOL  100
    borrow  i  USDC 17,000
    withdraw i USDC 17,000
    deposit j  BTC  0.4
    borrow  j  SOL  100
    withdraw j SOL  100
    deposit s  USDC 10,000
"""

IN_DEFAULT = """
    set waterfall.opposites off
    deposit ann USDC 100,000
    lend    ann USDC 100,000
    deposit bob SOL 100
    borrow  bob USDC 17,000
    withdraw bob USDC 17,000
    deposit s   USDC 50,000
"""


@proves("I40", "I46")
def test_a_stuck_lender_gets_usdc_and_the_standby_what_was_meant_for_him() -> None:
    run_story(
        STUCK
        + """
        stand_by s 5,000 at 1%
        saw   StandbyPosted account=s posted=5000USDC
        price SOL 190
        keep  before i value
        step  +1s
        saw   AdlLeg giver=j receiver=i asset=BTC tier=FLAGGED
        saw   StandbySwapped standby=s receiver=i asset=BTC form=AVAILABLE
        unseen AdlLeg asset=USDC
        expect i BTC available 0
        expect i net_equity > 300
        expect s BTC available > 0.02
        expect s value > 10,020
        expect s value < 10,023
    """
    )


@proves("I46")
def test_without_anybody_standing_by_nothing_is_swapped() -> None:
    run_story(STUCK + "price SOL 190\nstep +1s\nunseen StandbySwapped\nunseen StandbyPosted")


@proves("I46")
def test_the_least_premium_is_called_first_and_no_more_than_was_posted() -> None:
    run_story(
        STUCK
        + """
        deposit t  USDC 10,000
        stand_by s 5,000 at 1%
        stand_by t 500   at 0.5%
        price SOL 190
        step  +1s
        saw   StandbySwapped standby=t rate=0.5%
        saw   StandbySwapped standby=s rate=1%
        saw   StandbyPosted account=t posted=0 premium=0
        expect i BTC available 0
        expect t USDC available > 9,502
        expect t USDC available < 9,503
    """
    )


@proves("I46")
def test_who_cannot_bear_it_is_not_asked() -> None:
    run_story(
        STUCK
        + """
        deposit t  USDC 1,000
        stand_by t 500 at 0%
        withdraw t USDC 1,000
        price SOL 190
        step  +1s
        unseen StandbySwapped
        saw    AdlLeg receiver=i asset=BTC tier=FLAGGED
        expect i BTC available > 0
    """
    )


@proves("I40", "I46")
def test_the_lender_of_a_default_is_relieved_out_of_the_fee() -> None:
    run_story(
        IN_DEFAULT
        + """
        stand_by s 50,000 at 0.4%
        price SOL 176
        steps 8 +1s
        saw   AdlLeg giver=bob receiver=ann asset=SOL
        saw   StandbySwapped standby=s receiver=ann asset=SOL case=BORROWER_DEFAULT
        expect ann SOL available 0
        expect ann value >= 100,000
        expect s value > 50,000
    """
    )


@proves("I46")
def test_nobody_pays_where_the_account_is_worth_nothing() -> None:
    run_story(
        IN_DEFAULT
        + """
        stand_by s 50,000 at 1%
        price SOL 160
        step  +1s
        saw   StandbySwapped standby=s receiver=ann asset=SOL premium=0
        expect ann SOL available 0
        expect s value <= 50,000
    """
    )


def test_a_notice_ends_what_is_posted_and_a_premium_does_not_rise_before() -> None:
    run_story(
        """
        deposit s USDC 1,000
        stand_by s 1,000 at 1%
        stand_by s 1     at 2%        | INVALID_PRICE
        stand_by s 1     at 0.5%
        stand_down s 1,002            | INSUFFICIENT_FUNDS COMMITTED_CAPACITY 1,001
        stand_down s 1,001
        saw  StandbyPosted account=s posted=1001USDC leaving=1001USDC
        step +59m
        unseen StandbyPosted
        step +1m
        saw  StandbyPosted account=s posted=0 premium=0 leaving=0 leaves_at=0
        stand_by s 1,000 at 2%
        """
    )


def test_a_notice_of_a_part_ends_that_part_once() -> None:
    """`sim --compare --seed 772134388`: each pass took it again, of all that was posted."""
    run_story(
        """
        deposit s USDC 1,000
        stand_by s 1,000 at 1%
        stand_down s 1
        step +1h
        saw  StandbyPosted account=s posted=999USDC leaving=0 leaves_at=0
        step +1h
        unseen StandbyPosted
        """
    )


@proves("I46")
def test_a_relief_has_a_receipt_and_every_change_of_it_is_noticed() -> None:
    story = run_story(STUCK + "stand_by s 5,000 at 1%\nprice SOL 190\nstep +1s")
    found = [one for one in _receipts(story) if isinstance(one, StandbyReceipt)]
    assert found
    for receipt in found:
        assert verify_receipt(receipt_document(receipt)) == []
        for field in ("quantity", "value", "premium", "paid", "shares"):
            forged = replace(receipt, **{field: getattr(receipt, field) + 1})
            assert verify_receipt(receipt_document(forged)), field


def _receipts(story: Story) -> list[object]:
    builder = ReceiptBuilder(story.parameters)
    engine = Story.engines(story.parameters)
    found: list[object] = []
    for number, command in enumerate(story.log):
        found += builder.feed(number, engine.apply_one(command))
    return found
