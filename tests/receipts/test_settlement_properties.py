"""Every promise that is checked on a receipt can be broken, and then it is said."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from solvent.domain.labels import AdlCase
from solvent.receipts.form import AdlReceipt, Balance, MatchLine, Party
from solvent.receipts.verify.settlement_properties import property_problems
from tests.journal.small_run import example_run, receipts_of
from tests.proof import proves

LENDER, PAYER = 2, 4
Change = Callable[[MatchLine], MatchLine]


def example() -> AdlReceipt:
    (receipt,) = receipts_of(*example_run())
    assert isinstance(receipt, AdlReceipt)
    return receipt


def after(account: int, change: Callable[[Party], Party]) -> Change:
    """Change one party after the match."""

    def changed(match: MatchLine) -> MatchLine:
        parties = [change(one) if one.account == account else one for one in match.after]
        return replace(match, after=tuple(parties))

    return changed


def balance(account: int, asset: str, change: Callable[[Balance], Balance]) -> Change:
    """Change one balance of one party after the match."""
    return after(
        account,
        lambda party: replace(
            party,
            balances=tuple(change(one) if one.asset == asset else one for one in party.balances),
        ),
    )


BROKEN: list[tuple[str, Change]] = [
    ("the value is not the quantity", lambda match: replace(match, value=match.value + 10)),
    ("the legs do not sum", lambda match: replace(match, legs=())),
    ("a leg is neither the giver's", lambda match: replace(
        match, legs=(replace(match.legs[0], giver=LENDER),))),
    ("a leg counts for another value", lambda match: replace(
        match, legs=(replace(match.legs[0], quantity=1),))),
    ("a payer gave over an atom", lambda match: replace(
        match, legs=(replace(match.legs[0], quantity=2_000_000_010),))),
    ("the quantity exceeds", lambda match: replace(match, quantity=10**14)),
    ("the payer's debt does not fall",
     balance(PAYER, "SOL", lambda one: replace(one, debt=one.debt - 100))),
    ("the lender's claim does not fall",
     balance(LENDER, "SOL", lambda one: replace(one, lent=one.lent - 100))),
    ("an asset does not net to zero",
     balance(LENDER, "SOL", lambda one: replace(one, available=one.available + 100))),
    ("account 4: it has more locked",
     balance(PAYER, "BTC", lambda one: replace(one, available=0, locked=one.available))),
    ("account 2: its total value changes",
     balance(LENDER, "USDC", lambda one: replace(one, debt=one.debt + 10**6))),
    ("account 4: its health falls",
     after(PAYER, lambda party: replace(party, maintenance=party.maintenance + 10**9))),
    ("account 2: its health falls",
     after(LENDER, lambda party: replace(party, net_equity=party.net_equity - 10**9))),
    ("before and after do not hold", lambda match: replace(match, after=match.after[:1])),
]  # fmt: skip


def test_a_real_receipt_keeps_them_all() -> None:
    assert list(property_problems(example())) == []


@proves("A8", "A9", "A10", "A11", "I22", "I23", "I24", "I26")
@pytest.mark.parametrize(("said", "change"), BROKEN, ids=[said for said, _ in BROKEN])
def test_a_broken_promise_is_named(said: str, change: Change) -> None:
    receipt = example()
    broken = replace(receipt, matches=(change(receipt.matches[1]),))
    assert any(said in problem for problem in property_problems(broken))


@proves("I24")
def test_a_debtor_in_default_is_judged_by_all_that_he_pays() -> None:
    """What one match frees too little another may have freed more; not here."""
    receipt = replace(example(), case=AdlCase.BORROWER_DEFAULT)
    hurt = after(PAYER, lambda party: replace(party, maintenance=party.maintenance + 10**9))
    broken = replace(receipt, matches=(hurt(receipt.matches[1]),))
    assert "matches: account 4: its health falls" in list(property_problems(broken))
