"""Receipts of bookings: everything that a lender needs to reckon his loss again, and no more."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from solvent.domain.commands import (
    ChangeParameter,
    CollectFees,
    Deposit,
    Lend,
    OpenAccount,
    ParameterField,
    TimeStep,
)
from solvent.domain.units import HOUR, INDEX_SCALE, SECOND
from solvent.receipts.codec import receipt_document
from solvent.receipts.form import BookingReceipt
from solvent.receipts.verify.check import verify_receipt
from tests.journal.small_run import (
    BTC,
    DAY,
    ONE_BTC,
    ONE_SOL,
    ONE_USDC,
    PERCENT,
    SOL,
    USDC,
    carried_out,
    parameters,
    price,
    receipts_of,
    taken,
)
from tests.proof import proves
from tests.receipts.forging import forgeries, resealed

# What follows from nothing else in the receipt, or has no influence here: the digest and the run's
# log cover it.
ONLY_IN_THE_LOG = {
    "command",
    "time",
    "booking",
    "stale_doubt",
    # A parameter or a pool that no account in the booking has anything to do with.
    "assets.haircut.kind",
    "assets.haircut.weight",
    "assets.haircut.base",
    "assets.haircut.penalty",
    "assets.haircut.size_by",
    "assets.initial.base",
    "assets.initial.factor",
    "assets.maintenance.base",
    "assets.lend_index",
    "assets.lend_shares",
    "assets.debt_index",
    "assets.debt_shares",
    # A unit of the last place, where it makes no difference to any sum.
    "assets.mark",
    "accounts.written.principal",
    # Reserves beyond what was drawn on.
    "reserves.rate",
    "reserves.fees",
    "reserves.residue",
    "reserves.treasury",
    "reserves.fund",
}


@cache
def web() -> BookingReceipt:
    """A loss that spreads: account 4 takes 3, a lender of what it owes, down with it.

    Account 2 and 3 lend BTC, 5 lends USDC, 3 owes USDC; the fund has something, and a part of the
    fees is with the treasury already.
    """
    commands = [
        price(BTC, 1_000),
        price(SOL, 100),
        *(OpenAccount(number) for number in range(2, 6)),
        *(
            ChangeParameter(asset, ParameterField.CURVE_RATE, 30 * PERCENT, index=1)
            for asset in (USDC, BTC)
        ),
        Deposit(0, USDC, 100 * ONE_USDC),
        Deposit(2, BTC, 5 * ONE_BTC),
        Lend(2, BTC, 5 * ONE_BTC),
        Deposit(3, BTC, 4_999 * ONE_BTC // 1_000),
        Lend(3, BTC, 4_999 * ONE_BTC // 1_000),
        Deposit(5, USDC, 10_000 * ONE_USDC),
        Lend(5, USDC, 10_000 * ONE_USDC),
        *taken(3, USDC, 4_500 * ONE_USDC),
        Deposit(4, SOL, 150 * ONE_SOL),
        *taken(4, BTC, 999 * ONE_BTC // 100),
        TimeStep(DAY),
        CollectFees(BTC),
        TimeStep(DAY + 3 * HOUR),
        price(SOL, 58),
        TimeStep(DAY + 3 * HOUR + SECOND),
    ]
    receipts = receipts_of(*carried_out(parameters(), tuple(commands)))
    (receipt,) = [each for each in receipts if isinstance(each, BookingReceipt)]
    return receipt


def document() -> dict[str, Any]:
    return dict(receipt_document(web()))


@proves("I29", "I38", "A12")
def test_a_booking_names_every_part_of_a_loss() -> None:
    receipt = web()
    assert receipt.rounds == 2
    assert [(line.account, line.round) for line in receipt.accounts] == [(3, 2), (4, 1)]
    assert receipt.fund_value == receipt.paid == 100 * ONE_USDC
    usdc, btc = receipt.pools
    assert (usdc.asset, btc.asset) == ("USDC", "BTC")
    for pool in receipt.pools:
        written = [each for line in receipt.accounts for each in line.written]
        fell = [each.quantity for each in written if each.asset == pool.asset]
        # Debts round up to the atom each, and so does their sum.
        assert pool.loss - len(fell) <= sum(fell) <= pool.loss
        assert pool.loss == pool.fees + pool.treasury + pool.residue + pool.lenders
    assert btc.fees > 0
    assert btc.treasury > 0
    for line in receipt.accounts:
        assert line.shortfall == line.fund + line.loss
        assert 0 <= line.after.total_value <= 10


@proves("I38")
def test_every_claim_falls_by_the_fraction_that_the_receipt_states() -> None:
    receipt = web()
    lender = next(line for line in receipt.accounts if line.account == 3)
    claims = [balance.lent for balance in lender.before.balances if balance.asset == "BTC"]
    left = [balance.lent for balance in lender.after.balances if balance.asset == "BTC"]
    terms = next(each for each in receipt.assets if each.symbol == "BTC")
    loss = next(each for each in receipt.pools if each.asset == "BTC")
    assert left == [claims[0] * loss.lend_index // terms.lend_index]
    fall = terms.lend_index - loss.lend_index
    assert (loss.fraction - 1) * terms.lend_index < fall * 10**9 <= loss.fraction * terms.lend_index
    assert terms.lend_shares * fall // INDEX_SCALE in (loss.lenders, loss.lenders + 1)


@proves("A12")
def test_a_booking_is_good_and_every_single_change_is_rejected() -> None:
    good = document()
    assert verify_receipt(good) == []
    count = 0
    for forgery in forgeries(good):
        count += 1
        assert verify_receipt(forgery.document), (forgery.what, forgery.path)
    assert count > 500


@proves("A12", "I38")
def test_a_forger_with_a_digest_of_his_own_changes_nobodys_loss() -> None:
    passed = {
        forgery.place
        for forgery in forgeries(document())
        if forgery.path != ("digest",)
        and "digest" in forgery.document
        and not verify_receipt(resealed(forgery.document))
    }
    assert passed <= ONLY_IN_THE_LOG, passed - ONLY_IN_THE_LOG


@pytest.mark.parametrize("place", [0, 1])
def test_an_account_that_is_left_out_is_missed(place: int) -> None:
    """Who owed what the pools lost must be there."""
    receipt = web()
    accounts = receipt.accounts[:place] + receipt.accounts[place + 1 :]
    assert verify_receipt(receipt_document(replace(receipt, accounts=accounts)))


def test_an_equal_loss_is_no_matter_of_belief() -> None:
    """Whoever moves an atom of a loss from the lenders to the residue has to say where it is."""
    receipt = web()
    usdc, btc = receipt.pools
    moved = replace(btc, lenders=btc.lenders - 1, residue=btc.residue + 1)
    assert verify_receipt(receipt_document(replace(receipt, pools=(usdc, moved))))
