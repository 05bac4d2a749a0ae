"""Matches of a round, settled again by the specification's settlement and compared line by line.

The allotment leads to pairs; each is settled on the state the receipt describes, in order, so that
every later match finds what the earlier ones left. In case B a payer that runs dry is followed by
the backstop fund, and atoms that share rounding left of a debt are offered to all lenders.
"""

from collections.abc import Iterator

from solvent.domain.labels import AdlCase
from solvent.domain.units import INDEX_SCALE, payable
from solvent.receipts.form import AdlReceipt
from solvent.receipts.lines import match_line
from solvent.receipts.verify.compare import differences
from solvent.receipts.verify.reconstructed import Scene
from solvent.reference.ledger import (
    borrowed_total,
    change_claim,
    claim_of,
    debt_of,
    lent_total,
)
from solvent.reference.margin import health_of
from solvent.reference.state import FUND, TREASURY
from solvent.reference.waterfall.adl import Part, pair
from solvent.reference.waterfall.default import ROUNDING_ATOMS
from solvent.reference.waterfall.settlement import Match, settle
from solvent.reference.waterfall.sizing import deliverable_value


def match_problems(receipt: AdlReceipt, scene: Scene) -> Iterator[str]:
    """Everything in a round's matches that settling them again does not confirm."""
    numbers = [line.number for line in receipt.matches]
    if numbers != sorted(set(numbers)):
        yield "matches: must be in order of number, each once"
        return
    settling = _Settling(receipt, scene)
    if receipt.case is AdlCase.STUCK_LENDER:
        settling.stuck_lenders()
    else:
        settling.defaults()
    yield from settling.problems
    for number, (place, _) in sorted(settling.left.items()):
        yield f"matches[{place}]: the allotment leads to no match {number} here"


class _Settling:
    """One round, settled again; `left` are the lines that no match has called for yet."""

    def __init__(self, receipt: AdlReceipt, scene: Scene) -> None:
        self.receipt = receipt
        self.scene = scene
        self.state = scene.state
        self.asset = scene.asset(receipt.asset)
        self.left = {line.number: (place, line) for place, line in enumerate(receipt.matches)}
        self.problems: list[str] = []

    def stuck_lenders(self) -> None:
        """Case L: each pair once, the borrower paying."""
        for number, (lender, borrower, quantity) in enumerate(pair(*self._sides())):
            self._expect(number, lender, borrower, borrower, quantity)

    def defaults(self) -> None:
        """Case B: the debtor pays for its part of each pair, the fund for the rest."""
        sides, others = self._sides()
        own_left = {side.account: side.own for side in self.receipt.sides}
        number = 0
        for lender, payer, quantity in pair(others, sides):
            own = min(quantity, own_left[payer])
            own_left[payer] -= own
            paid = self._expect(number, lender, payer, payer, own)
            worthless = self._total_value(payer) <= 0
            rest = quantity - paid if worthless else 0
            self._expect(number + 1, lender, payer, FUND, rest)
            number += 2
        for side in self.receipt.sides:
            if side.account in self.scene.known:
                number = self._rests(number, side.account)

    def _sides(self) -> tuple[list[Part], list[Part]]:
        """What the liquidated accounts and the candidates were granted."""
        return (
            [Part(side.account, side.allotted) for side in self.receipt.sides],
            [Part(line.account, line.allotted) for line in self.receipt.candidates],
        )

    def _total_value(self, account: int) -> int:
        return health_of(self.state, self.scene.account(account)).total_value

    def _rests(self, number: int, payer: int) -> int:
        """A worthless account's last atoms of debt go to a lender's account; the next number."""
        rest = debt_of(self.state, self.scene.account(payer), self.asset)
        if not 0 < rest <= ROUNDING_ATOMS * (number + 1) or self._total_value(payer) > 0:
            return number
        for lender in sorted(self.scene.known):
            if lender == TREASURY:
                self._claim_fees(number, rest)
            for giver in (payer, FUND):
                rest = debt_of(self.state, self.scene.account(payer), self.asset)
                if number in self.left or giver in self.scene.known:
                    number += self._try(number, lender, payer, giver, rest) > 0
        return number

    def _claim_fees(self, number: int, most: int) -> None:
        """Give the treasury the claim that the engine made of the pool's fees, if it made one."""
        _, line = self.left.get(number, (0, None))
        if line is None or line.lender != TREASURY:
            return
        symbol, treasury = self.receipt.asset, self.scene.account(TREASURY)
        found = self.state.accounts[treasury].lent_shares[self.asset]
        pool = self.state.pools[self.asset]
        for party in line.before:
            for balance in party.balances:
                if (party.account, balance.asset) == (TREASURY, symbol):
                    made = balance.lent_shares - found
                    if 0 < made * pool.lend_index <= most * INDEX_SCALE:
                        change_claim(self.state, treasury, self.asset, made)
                        pool.residue = pool.cash + borrowed_total(pool) - lent_total(pool)

    def _expect(self, number: int, lender: int, payer: int, giver: int, quantity: int) -> int:
        """Settle a match that must be there unless there is nothing to settle; atoms settled."""
        if not quantity:
            return 0
        if number in self.left:
            return self._try(number, lender, payer, giver, quantity)
        if not self._exhausted(lender, payer, giver):
            self.problems.append(f"matches: match {number}, which the allotment gives, is missing")
        return 0

    def _exhausted(self, lender: int, payer: int, giver: int) -> bool:
        """Whether earlier matches left a known party of this one with nothing to settle."""
        known, state, asset = self.scene.known, self.state, self.asset
        if lender in known and not claim_of(state, self.scene.account(lender), asset):
            return True
        if payer in known and not debt_of(state, self.scene.account(payer), asset):
            return True
        if giver not in known and giver != FUND:
            return False
        worth = deliverable_value(state, self.scene.account(giver))
        return payable(1, worth, state.mark(asset), state.asset(asset).decimals) == 0

    def _try(self, number: int, lender: int, payer: int, giver: int, quantity: int) -> int:
        """Settle up to `quantity` again and compare with its line; atoms settled."""
        place, line = self.left.get(number, (0, None))
        may_borrow = self.receipt.case is AdlCase.STUCK_LENDER
        borrows = may_borrow and line is not None and line.borrows
        self.scene.holder(giver).auto_borrow_settlements = borrows
        match = Match(
            round=self.receipt.round,
            number=number,
            asset=self.asset,
            lender=self.scene.account(lender),
            debtor=self.scene.account(payer),
            giver=self.scene.account(giver),
            quantity=quantity,
            borrow_allowed=may_borrow,
        )
        settled = settle(self.state, match)
        transfer = self.scene.take_transfer()
        if transfer.matched is None:
            return 0
        found = match_line(transfer, self.scene.words)
        if line is None:
            self.problems.append(f"matches: match {number}, {settled} atoms, is missing")
            return settled
        del self.left[number]
        name = f"matches[{place}]"
        self.problems += differences(line, found, name)
        return settled
