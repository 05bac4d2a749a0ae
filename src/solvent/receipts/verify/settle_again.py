"""Matches of a round, planned and carried out again, and compared line by line.

The specification's own driver takes the round's plan through its matches on the state that the
receipt describes, so that every later match finds what the earlier ones left. Here is only what it
calls for each match: settle, and compare with the line.
"""

from collections.abc import Iterator

from solvent.domain.labels import AdlCase, Tier
from solvent.domain.units import payable
from solvent.receipts.form import AdlReceipt
from solvent.receipts.lines import match_line
from solvent.receipts.verify.compare import differences
from solvent.receipts.verify.reconstructed import ReconstructedState
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.lending.pool import redeemable
from solvent.reference.state import FUND, State
from solvent.reference.waterfall.default import settle_debtors
from solvent.reference.waterfall.rounds import Round, matches_of
from solvent.reference.waterfall.settlement import Match, means_worth, settle


def match_problems(receipt: AdlReceipt, plan: Round, rebuilt: ReconstructedState) -> Iterator[str]:
    """Everything in a round's matches that settling them again does not confirm."""
    numbers = [line.number for line in receipt.matches]
    if numbers != sorted(set(numbers)):
        yield "matches: must be in order of number, each once"
        return
    settling = Settling(receipt, rebuilt)
    if receipt.case is AdlCase.BORROWER_DEFAULT:
        settle_debtors(rebuilt.state, plan, receipt.round, settling.carry_out)
    else:
        for match in matches_of(rebuilt.state, plan, receipt.round):
            settling.carry_out(rebuilt.state, match)
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
        place, line = self.left.get(match.number, (0, None))
        settled = settle(state, match)
        transfer = self.rebuilt.take_transfer()
        if transfer.matched is None:
            if line is None and not self._nothing_to_settle(state, match):
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

    def _nothing_to_settle(self, state: State, match: Match) -> bool:
        """Whether there is a reason why a match was not carried out.

        Where all balances of its parties are known, that settling it again comes to nothing is the
        reason. Else earlier matches left a known party of it with nothing, or took the pool's cash;
        a swap in kind can hurt at the size that it came to, and a borrow at that moment.
        """
        knows, asset, means = self.rebuilt.knows, match.asset, match.means
        if all(map(knows, (match.lender, match.debtor, match.giver))):
            return True
        if means.borrowed or means.tier is Tier.IN_KIND:
            return True
        if knows(match.lender) and not claim_of(state, match.lender, asset):
            return match.case is not AdlCase.OPPOSITES
        if knows(match.debtor) and not debt_of(state, match.debtor, asset):
            return True
        if not knows(match.giver) and match.giver != FUND:
            return means.tier is not Tier.OWED and not redeemable(state.pools[means.asset])
        worth = means_worth(state, match.giver, asset, means)
        return payable(1, worth, state.mark(asset), state.asset(asset).decimals) == 0
