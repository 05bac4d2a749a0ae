"""Matches of a round, planned and carried out again, and compared line by line.

The specification's own driver takes the round's plan through its matches on the state that the
receipt describes, so that every later match finds what the earlier ones left. Here is only what it
calls for each match: settle, and compare with the line.
"""

from collections.abc import Iterator

from solvent.domain.events import Lent
from solvent.domain.labels import AdlCase
from solvent.domain.units import payable
from solvent.receipts.form import AdlReceipt
from solvent.receipts.lines import match_line
from solvent.receipts.verify.compare import differences
from solvent.receipts.verify.reconstructed import ReconstructedState
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.state import FUND, TREASURY, State
from solvent.reference.waterfall import adl
from solvent.reference.waterfall.default import settle_debtors
from solvent.reference.waterfall.settlement import Match, settle
from solvent.reference.waterfall.sizing import deliverable_value


def match_problems(
    receipt: AdlReceipt, plan: adl.Round, rebuilt: ReconstructedState
) -> Iterator[str]:
    """Everything in a round's matches that settling them again does not confirm."""
    numbers = [line.number for line in receipt.matches]
    if numbers != sorted(set(numbers)):
        yield "matches: must be in order of number, each once"
        return
    settling = Settling(receipt, rebuilt)
    drive = adl.settle_lenders if plan.case is AdlCase.STUCK_LENDER else settle_debtors
    drive(rebuilt.state, plan, receipt.round, settling.carry_out)
    yield from settling.problems
    for number, (place, _) in sorted(settling.left.items()):
        yield f"matches[{place}]: the allotment leads to no match {number} here"


class Settling:
    """One round, settled again; `left` are the lines that no match has called for yet."""

    def __init__(self, receipt: AdlReceipt, rebuilt: ReconstructedState) -> None:
        self.receipt = receipt
        self.rebuilt = rebuilt
        self.left = {line.number: (place, line) for place, line in enumerate(receipt.matches)}
        self.problems: list[str] = []

    def carry_out(self, state: State, match: Match) -> int:
        """Settle a match again and compare with its line; return the atoms settled."""
        self.forget_minted(state, match.asset)
        place, line = self.left.get(match.number, (0, None))
        borrows = match.borrow_allowed and line is not None and line.borrows
        state.accounts[match.giver].auto_borrow_settlements = borrows
        settled = settle(state, match)
        transfer = self.rebuilt.take_transfer()
        if transfer.matched is None:
            if line is None and not self._exhausted(state, match):
                self._miss(match)
            return 0
        if line is None:
            self._miss(match)
        else:
            del self.left[match.number]
            found = match_line(transfer, self.rebuilt.words)
            self.problems += differences(line, found, f"matches[{place}]")
        return settled

    def _miss(self, match: Match) -> None:
        self.problems.append(f"matches: match {match.number}, which the plan gives, is missing")

    def forget_minted(self, state: State, asset: int) -> None:
        """Take from the treasury the claim it was just given if it was loaded with that claim.

        So it is where the receipt first shows the treasury's balances after the claim was made of
        the pool's fees, in a match that is still to come.
        """
        minted = sum(
            event.shares
            for event in state.events
            if isinstance(event, Lent) and event.account == TREASURY
        )
        seen = any(
            party.account == TREASURY
            for line in self.receipt.matches
            if line.number not in self.left
            for party in line.before
        )
        if minted and not seen and TREASURY in self.rebuilt.known:
            state.accounts[TREASURY].lent_shares[asset] -= minted

    def _exhausted(self, state: State, match: Match) -> bool:
        """Whether earlier matches left a known party of this one with nothing to settle."""
        knows, asset = self.rebuilt.knows, match.asset
        if knows(match.lender) and not claim_of(state, match.lender, asset):
            return True
        if knows(match.debtor) and not debt_of(state, match.debtor, asset):
            return True
        if not knows(match.giver) and match.giver != FUND:
            return False
        worth = deliverable_value(state, match.giver)
        return payable(1, worth, state.mark(asset), state.asset(asset).decimals) == 0
