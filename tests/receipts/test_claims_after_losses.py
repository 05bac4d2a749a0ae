"""Paid in a claim on a pool that loses in the same step: the loss comes first, and it shows."""

from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

from solvent.domain.commands import (
    ChangeParameter,
    Deposit,
    Lend,
    OpenAccount,
    ParameterField,
    TimeStep,
)
from solvent.domain.labels import AdlCase, LegForm
from solvent.domain.parameters import Policy
from solvent.domain.units import INDEX_SCALE, RATIO, SECOND
from solvent.receipts.codec import receipt_document
from solvent.receipts.form import AdlReceipt, BookingReceipt
from solvent.receipts.verify.check import verify_receipt
from tests.journal.small_run import (
    BTC,
    ONE_BTC,
    ONE_SOL,
    ONE_USDC,
    SOL,
    USDC,
    carried_out,
    parameters,
    price,
    receipts_of,
    taken,
)
from tests.proof import proves
from tests.receipts.forging import resealed

FOX, DAN, BOB, HAL, GUS, ANN = range(2, 8)
"""Fox and Dan lend USDC to Bob and Hal; Ann lends SOL to Dan and owes Gus's BTC."""


@cache
def settled() -> tuple[BookingReceipt, AdlReceipt]:
    """Bob lacks 5,000 of 40,000 USDC; Ann is stuck, and Dan has nothing but his claim on USDC."""
    commands = [
        price(BTC, 100_000),
        price(SOL, 200),
        *map(OpenAccount, range(FOX, ANN + 1)),
        # What Bob has left goes to Fox, who lent most.
        ChangeParameter(USDC, ParameterField.DEFAULT_POLICY, Policy.LARGEST_LOAN),
        Deposit(FOX, USDC, 60_000 * ONE_USDC),
        Lend(FOX, USDC, 60_000 * ONE_USDC),
        Deposit(DAN, USDC, 30_000 * ONE_USDC),
        Lend(DAN, USDC, 30_000 * ONE_USDC),
        Deposit(BOB, BTC, ONE_BTC // 2),
        *taken(BOB, USDC, 40_000 * ONE_USDC),
        Deposit(HAL, BTC, 2 * ONE_BTC),
        *taken(HAL, USDC, 50_000 * ONE_USDC),
        Deposit(GUS, BTC, ONE_BTC),
        Lend(GUS, BTC, ONE_BTC),
        Deposit(ANN, SOL, 100 * ONE_SOL),
        Lend(ANN, SOL, 100 * ONE_SOL),
        *taken(ANN, BTC, ONE_BTC // 8),
        *taken(DAN, SOL, 100 * ONE_SOL),
        replace(price(BTC, 70_000), more=True),
        price(SOL, 99),
        TimeStep(SECOND),
    ]
    receipts = receipts_of(*carried_out(parameters(), tuple(commands)))
    (booking,) = [each for each in receipts if isinstance(each, BookingReceipt)]
    (paid,) = [
        each
        for each in receipts
        if isinstance(each, AdlReceipt)
        and each.case is AdlCase.STUCK_LENDER
        and any(leg.form is LegForm.CLAIM for match in each.matches for leg in match.legs)
    ]
    return booking, paid


def written_down(document: dict[str, Any], fraction: int) -> dict[str, Any]:
    """The receipt as it would be if the claim that Ann got had lost the fraction only then."""
    forged = deepcopy(document)
    (match,) = forged["matches"]
    (ann,) = [party for party in match["after"] if party["account"] == ANN]
    (claim,) = [balance for balance in ann["balances"] if balance["asset"] == "USDC"]
    lost = int(claim["lent"]) * fraction // RATIO
    claim["lent"] = str(int(claim["lent"]) - lost)
    for figure in ("total_value", "net_equity"):
        ann[figure] = str(int(ann[figure]) - lost)
    return resealed(forged)


@proves("I38", "I40", "A10")
def test_a_claim_is_handed_over_at_what_the_loss_left_of_it() -> None:
    booking, paid = settled()
    (loss,) = booking.pools
    (usdc,) = [terms for terms in paid.assets if terms.symbol == "USDC"]
    assert (loss.asset, loss.lenders) == ("USDC", 5_000 * ONE_USDC)
    assert usdc.lend_index == loss.lend_index < INDEX_SCALE
    (match,) = paid.matches
    (leg,) = match.legs
    assert (leg.giver, leg.receiver, leg.form) == (DAN, ANN, LegForm.CLAIM)
    assert leg.value == leg.quantity == match.value
    worth = {party.account: party.total_value for party in match.before}
    assert worth[ANN] == 1_150 * ONE_USDC
    assert all(worth[party.account] - party.total_value in range(3) for party in match.after)
    assert verify_receipt(receipt_document(paid)) == []


@proves("I38", "A10", "A12")
def test_a_claim_that_is_written_down_after_it_was_paid_makes_a_bad_receipt() -> None:
    booking, paid = settled()
    good: dict[str, Any] = dict(receipt_document(paid))
    bad = written_down(good, booking.pools[0].fraction)
    assert verify_receipt(bad)
    # And so does one that knows nothing of the loss.
    at_par = deepcopy(good)
    at_par["assets"][USDC]["lend_index"] = str(INDEX_SCALE)
    assert verify_receipt(resealed(at_par))
