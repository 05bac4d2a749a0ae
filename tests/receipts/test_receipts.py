"""Receipts are built from the events alone, and say what the specification asks of them."""

import json
from functools import cache

import pytest

from solvent.domain.codec.canonical import DIGEST_FIELD, digest_of
from solvent.domain.commands import TimeStep
from solvent.domain.labels import AdlCase, LegForm, Reason, Stage, Tier
from solvent.domain.parameters import Policy
from solvent.domain.units import PRICE_SCALE, RATIO, SECOND
from solvent.receipts.codec import (
    ReceiptFormError,
    read_receipt,
    receipt_document,
    receipt_line,
)
from solvent.receipts.form import AdlReceipt, BackstopReceipt, Receipt
from solvent.receipts.verify.check import verify_receipt
from tests.journal.small_run import (
    ONE_SOL,
    ONE_USDC,
    busy_run,
    carried_out,
    example_run,
    receipts_of,
)
from tests.model.worlds import price as token_price
from tests.model.worlds import two_lenders
from tests.proof import proves


@cache
def busy_receipts() -> tuple[Receipt, ...]:
    """All receipts of the small run."""
    return tuple(receipts_of(*busy_run()))


def rounds() -> list[AdlReceipt]:
    return [receipt for receipt in busy_receipts() if isinstance(receipt, AdlReceipt)]


def fills() -> list[BackstopReceipt]:
    return [receipt for receipt in busy_receipts() if isinstance(receipt, BackstopReceipt)]


@proves("A6", "A7", "A8", "A9", "A10", "A11", "I15", "I22", "I23")
def test_the_worked_example_is_receipted_as_the_specification_tells_it() -> None:
    (receipt,) = receipts_of(*example_run())
    assert isinstance(receipt, AdlReceipt)
    assert (receipt.case, receipt.policy) == (AdlCase.STUCK_LENDER, Policy.LEVERAGE)
    assert (receipt.asset, receipt.needed, receipt.allotted) == ("SOL", 11178773380, 11178773380)
    (side,) = receipt.sides
    assert (side.net_equity, side.maintenance) == (100 * ONE_USDC, 340 * ONE_USDC)
    assert side.total_value == 2_000 * ONE_USDC
    assert (side.started.net_equity, side.started.maintenance) == (100 * ONE_USDC, 340 * ONE_USDC)
    assert [(line.stage, line.reason) for line in side.handed_over] == [
        (Stage.BOOK, Reason.NO_REDEEMABLE_CASH),
        (Stage.BACKSTOP, Reason.NO_BACKSTOP_CAPACITY),
    ]
    assert [
        (line.account, line.position, line.assets_value, line.total_value, line.allotted)
        for line in receipt.candidates
    ] == [
        (3, 60 * ONE_SOL, 40_000 * ONE_USDC, 28_600 * ONE_USDC, 652457591),
        (4, 40 * ONE_SOL, 12_000 * ONE_USDC, 4_400 * ONE_USDC, 10526315789),
    ]
    assert (receipt.tier, receipt.paid_in) == (Tier.OWED, "USDC")
    one, other = receipt.matches
    assert (one.lender, one.payer, one.giver) == (2, 3, 3)
    assert (one.quantity, one.value) == (652457591, 123_966_943)
    assert (other.lender, other.payer, other.giver) == (2, 4, 4)
    assert (other.quantity, other.value, other.fee) == (10526315789, 2_000 * ONE_USDC, 0)
    legs = [(leg.asset, leg.form, leg.quantity, leg.tier) for leg in other.legs]
    assert legs == [("USDC", LegForm.AVAILABLE, 2_000 * ONE_USDC, Tier.OWED)]
    values = [(party.account, party.total_value) for party in other.before]
    assert values == [(2, 2_000 * ONE_USDC), (4, 4_400 * ONE_USDC)]
    drifts = [(drift.account, drift.total_value) for drift in other.rounding.drifts]
    assert drifts == [(2, 0), (4, -1)]


@proves("I22")
@pytest.mark.parametrize(
    ("policy", "allotted"),
    [
        (Policy.LEVERAGE, [652457591, 10526315789]),
        (Policy.QUEUE, [652457591, 10526315789]),
        (Policy.PRO_RATA, [6707264028, 4471509352]),
        (Policy.LARGEST_LOAN, [11178773380, 0]),
    ],
)
def test_the_policy_shows_in_the_receipt(policy: Policy, allotted: list[int]) -> None:
    (receipt,) = receipts_of(*example_run(policy))
    assert isinstance(receipt, AdlReceipt)
    assert receipt.policy is policy
    assert [line.allotted for line in receipt.candidates] == allotted


@proves("A7", "A12")
def test_the_small_run_settles_in_every_way() -> None:
    assert {receipt.case for receipt in rounds()} == set(AdlCase)
    assert len(fills()) == 4
    legs = [leg for receipt in rounds() for match in receipt.matches for leg in match.legs]
    assert {leg.form for leg in legs} == set(LegForm)
    assert {leg.tier for leg in legs} == {Tier.OWED, Tier.CASH, Tier.IN_KIND}
    assert {leg.form for receipt in fills() for leg in receipt.legs} == {
        LegForm.AVAILABLE,
        LegForm.CLAIM,
    }
    sides = {side.account for receipt in rounds() if receipt.fund for side in receipt.sides}
    assert sides == {10}
    assert any(match.giver != match.payer for receipt in rounds() for match in receipt.matches)


@proves("A12")
def test_a_flagged_leg_is_receipted_and_verified() -> None:
    # Bob, 17 % short of what he owes, has his loss booked; what Ann is paid then is flagged.
    world = two_lenders()
    ends = (token_price(276 * PRICE_SCALE), TimeStep(SECOND))
    receipts = receipts_of(*carried_out(world.parameters, (*world.opening, *ends)))
    settled = [receipt for receipt in receipts if isinstance(receipt, AdlReceipt)]
    tiers = {leg.tier for receipt in settled for match in receipt.matches for leg in match.legs}
    assert Tier.FLAGGED in tiers
    assert [verify_receipt(receipt_document(receipt)) for receipt in settled] == [[]] * len(settled)


def test_parameters_are_those_in_force_at_the_settlement() -> None:
    first, *_, last = rounds()
    weights = [
        {each.symbol: each.haircut.weight for each in receipt.assets} for receipt in (first, last)
    ]
    assert (weights[0]["SOL"], weights[1]["SOL"]) == (90 * RATIO // 100, 85 * RATIO // 100)
    stuck = [receipt for receipt in rounds() if receipt.case is AdlCase.STUCK_LENDER]
    assert [receipt.policy for receipt in stuck][::3] == [Policy.LEVERAGE, Policy.PRO_RATA]
    assert {receipt.borrowing is not None for receipt in stuck} == {False, True}


def test_rounds_and_fills_are_numbered_and_timed() -> None:
    assert [receipt.round for receipt in rounds()] == list(range(1, len(rounds()) + 1))
    assert [receipt.fill for receipt in fills()] == [1, 2, 3, 4]
    commands = [receipt.command for receipt in busy_receipts()]
    times = [receipt.time for receipt in busy_receipts()]
    assert commands == sorted(commands)
    assert times == sorted(times)
    for receipt in fills():
        assert receipt.started.command < receipt.command
        assert receipt.started.time < receipt.time


@proves("A6", "I15")
def test_every_receipt_says_why_it_came_to_this() -> None:
    for receipt in rounds():
        for side in receipt.sides:
            assert [line.stage for line in side.handed_over[:2]] == [Stage.BOOK, Stage.BACKSTOP]
            assert side.handed_over[0].reason is side.book_reason
            assert side.handed_over[1].reason is side.backstop_reason
    for fill in fills():
        assert [line.stage for line in fill.handed_over] == [Stage.BOOK]


@pytest.mark.parametrize("number", range(len(busy_receipts())))
def test_a_document_is_read_back_as_the_same_receipt(number: int) -> None:
    receipt = busy_receipts()[number]
    line = receipt_line(receipt)
    assert "\n" not in line
    document = json.loads(line)
    assert document == receipt_document(receipt)
    assert document[DIGEST_FIELD] == digest_of(document)
    assert read_receipt(document) == receipt


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("needed", "1.0", "needed: must be an integer as a decimal string"),
        ("needed", "01", "needed: must be an integer"),
        ("needed", "+1", "needed: must be an integer"),
        ("needed", "-0", "needed: must be an integer"),
        ("needed", "１", "needed: must be an integer"),
        ("needed", " 1", "needed: must be an integer"),
        ("needed", "9" * 40, "needed: must be an integer"),
        ("needed", "9" * 39, "needed: must be an integer"),
        ("needed", 1, "needed: must be an integer"),
        ("needed", None, "needed: must be an integer"),
        ("round", "1", "round: has the wrong type"),
        ("round", True, "round: has the wrong type"),
        ("round", 1.0, "round: has the wrong type"),
        ("round", 1 << 200, "round: has the wrong type"),
        ("policy", "RANDOM", "policy: must be one of LEVERAGE, PRO_RATA"),
        ("policy", 0, "policy: must be one of"),
        ("sides", {}, "sides: must be a list"),
        ("sides", [0], "sides[0]: must be an object"),
        ("waterfall", {}, "waterfall: lacks book_fee, opposites_fee"),
        ("note", "", "receipt: has note, which no receipt has"),
        ("version", 2, "version: must be 1"),
        ("format", "receipt", "format: must be one of solvent adl receipt"),
        (DIGEST_FIELD, None, "digest: is missing"),
    ],
)
def test_another_form_is_refused(field: str, value: object, said: str) -> None:
    document = {**receipt_document(busy_receipts()[0]), field: value}
    with pytest.raises(ReceiptFormError) as caught:
        read_receipt(document)  # type: ignore[arg-type]
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("document", [None, 1, "receipt", [], {}])
def test_what_is_no_document_is_refused(document: object) -> None:
    with pytest.raises(ReceiptFormError):
        read_receipt(document)  # type: ignore[arg-type]


def test_parameters_in_a_receipt_are_checked_as_everywhere() -> None:
    document = receipt_document(busy_receipts()[0])
    text = json.dumps(document).replace('"weight": 900000000', '"weight": -1')
    with pytest.raises(ReceiptFormError, match=r"assets\[2\].haircut: weight: must lie between"):
        read_receipt(json.loads(text))
