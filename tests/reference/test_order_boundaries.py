"""Orders a hair from what they promised: bids just funded, debts just bought back (I42).

The populations are played with every transition checked; a planted bug shows in each of them.
"""

import pytest

from solvent.domain import commands as c
from solvent.domain.events import Event
from solvent.proof.invariants.invariants import Breach
from solvent.proof.invariants.state_view import view_of
from solvent.proof.invariants.transitions import check_transition
from solvent.reference.orderbook import book, matching
from tests.proof import proves
from tests.tables.story import Story


class Checked(Story):
    """A story whose transitions are checked."""

    def __init__(self) -> None:
        super().__init__()
        self.breaches: list[Breach] = []

    def apply(self, command: c.Command) -> tuple[Event, ...]:
        """Carry out one command and check what it led to."""
        before = view_of(self.state)
        events = super().apply(command)
        self.breaches += check_transition(before, view_of(self.state), command, events)
        return events


def just_funded(makers: int) -> list[Breach]:
    """Bids, resting and taking, whose owners have not an atom more than one fill costs."""
    story = Checked()
    story.run("""
        set maker_fee 0.07%
        set taker_fee 0.05%
        set SOL market.tick 0.00001
        deposit mia SOL 1,000
        deposit ben USDC 100,000
        deposit ann USDC 100,000
    """)
    for number in range(1, 8):
        lots = f"0.{number:04}"
        story.tell(f"buy ben SOL 0.{number * makers:04} @ 200.0{number}999")
        for _ in range(makers):
            story.tell(f"sell mia SOL {lots} @ 200.0{number}999")
        for _ in range(makers):
            story.tell(f"sell mia SOL {lots} @ 201.0{number}999")
        story.tell(f"buy ann SOL 0.{number * makers:04} @ 201.0{number}999 fok")
    return story.breaches


def just_owed() -> list[Breach]:
    """Reduce-only bids that were as large as the debt and meet it after a repayment."""
    story = Checked()
    story.run("""
        deposit lender SOL 100
        lend   lender SOL 100
        deposit mia SOL 100
        deposit ben USDC 10,000
        borrow ben SOL 2.00005
        buy ben SOL 2 @ 190 reduce
        repay ben SOL 0.5
        sell mia SOL 2 @ 190 ioc
    """)
    return story.breaches


@proves("I42")
@pytest.mark.parametrize("makers", [1, 2, 3, 9])
def test_bids_that_are_just_funded_are_filled(makers: int) -> None:
    assert just_funded(makers) == []


@proves("I42")
def test_reduce_only_bids_that_are_just_owed_are_trimmed() -> None:
    assert just_owed() == []


def test_fees_that_round_at_every_fill_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = book.fee_of
    for module in (book, matching):
        monkeypatch.setattr(module, "fee_of", lambda quote, rate, _: right(quote, rate, 0))
    assert "I42" in {found.invariant for found in just_funded(3)}


def test_a_reduce_only_maker_that_is_not_asked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "_debt_lots", lambda *place: place[-1])
    assert "I42" in {found.invariant for found in just_owed()}
