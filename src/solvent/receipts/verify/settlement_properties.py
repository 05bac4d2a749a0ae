"""What a settlement promises, checked on the receipt's own numbers with plain arithmetic.

Nothing of the engine is asked here: were the engine wrong, its receipts would say so. Per match, in
every asset and to the rounding unit (a share of claim, a share of debt and two atoms, for every leg
and once for the match):

- the legs sum to the value, which is the quantity at the mark, rounded up (or at most a unit more,
  where the giver has nothing left) (A8);
- the lender's claim and the payer's debt fall by the quantity, which neither exceeds (A9, A11);
- what one party loses another gains (I26), and nobody locks more than before;
- total values stay: the lender's always; the giver's where he pays his own debt (A10, I23);
- in case L the payer's health does not fall, nor the lender's but for lighter legs (I24).
"""

from collections import defaultdict
from collections.abc import Iterator

from solvent.domain.labels import AdlCase
from solvent.domain.units import INDEX_SCALE, PRICE_DECIMALS, VALUE_DECIMALS
from solvent.receipts.form import AdlReceipt, AssetTerms, MatchLine, Party

ATOMS_BESIDE_SHARES = 2
"""A claim rounds down and a debt up to an atom, beside the share each of them rounds to."""

_Net = dict[str, int]
"""Holdings less debt, in atoms, per asset."""


def promise_problems(receipt: AdlReceipt) -> Iterator[str]:
    """Every promise that an ADL receipt's numbers do not keep."""
    terms = {each.symbol: each for each in receipt.assets}
    for place, match in enumerate(receipt.matches):
        judge = _Judge(receipt, terms, match)
        for problem in judge.problems():
            yield f"matches[{place}]: {problem}"


class _Judge:
    """One match, with the exact value of everything in it."""

    def __init__(self, receipt: AdlReceipt, terms: dict[str, AssetTerms], match: MatchLine) -> None:
        self._receipt = receipt
        self._terms = terms
        self._match = match
        self._before = {party.account: party for party in match.before}
        self._after = {party.account: party for party in match.after}
        self._unit: defaultdict[str, int] = defaultdict(int)
        for asset in (receipt.asset, *(leg.asset for leg in match.legs)):
            each = terms[asset]
            shares = each.lend_index // INDEX_SCALE + each.debt_index // INDEX_SCALE + 2
            self._unit[asset] += shares + ATOMS_BESIDE_SHARES

    def problems(self) -> Iterator[str]:
        match = self._match
        parties = sorted({match.lender, match.payer, match.giver})
        if list(self._before) != parties or list(self._after) != parties:
            yield "before and after must hold its parties, in order of account"
            return
        yield from self._value()
        yield from self._quantity()
        yield from self._netting(parties)
        yield from self._total_values()
        if self._receipt.case is AdlCase.STUCK_LENDER:
            yield from self._health()

    def _worth(self, asset: str, quantity: int) -> tuple[int, int]:
        """quantity * mark in 10^-6 USDC, as a numerator and a denominator."""
        terms = self._terms[asset]
        scale: int = 10 ** (terms.decimals + PRICE_DECIMALS - VALUE_DECIMALS)
        return quantity * terms.mark, scale

    def _value(self) -> Iterator[str]:
        match = self._match
        worth, scale = self._worth(self._receipt.asset, match.quantity)
        above = match.value + (-worth // scale)
        if above and not (0 < above <= self._tolerance() and self._gave_all()):
            yield "value is not the quantity at the mark, rounded up"
        if match.quantity < 1 or sum(leg.value for leg in match.legs) != match.value:
            yield "the legs do not sum to the value"
        for leg in match.legs:
            worth, scale = self._worth(leg.asset, leg.quantity)
            if (leg.giver, leg.receiver) != (match.giver, match.lender) or leg.quantity < 1:
                yield "a leg does not go from the giver to the lender"
            if leg.value * scale > worth:
                yield "a leg counts for more than it is worth at the mark"
            if worth - leg.value * scale >= scale + self._worth(leg.asset, 1)[0]:
                yield "a leg counts for less than it is worth at the mark, by more than an atom"

    def _gave_all(self) -> bool:
        """Whether the giver has nothing left that can be handed over."""
        return not any(
            balance.available or balance.locked or balance.lent
            for balance in self._after[self._match.giver].balances
            if not self._terms[balance.asset].stale
        )

    def _quantity(self) -> Iterator[str]:
        match, asset = self._match, self._receipt.asset
        debt = _column(self._before[match.payer], asset)[1]
        claim = _column(self._before[match.lender], asset)[0]
        if match.quantity > debt or match.quantity > claim:
            yield "the quantity exceeds the loan or the claim"
        unit = self._unit[asset]
        received = sum(leg.quantity for leg in match.legs if leg.asset == asset)
        debt_fell = debt - _column(self._after[match.payer], asset)[1]
        claim_fell = claim - _column(self._after[match.lender], asset)[0]
        if match.payer != match.lender and abs(debt_fell - match.quantity) > unit:
            yield "the payer's debt does not fall by the quantity"
        if not -unit <= match.quantity - claim_fell <= unit + received:
            yield "the lender's claim does not fall by the quantity"

    def _netting(self, parties: list[int]) -> Iterator[str]:
        change: defaultdict[str, int] = defaultdict(int)
        for account in parties:
            for asset, quantity in self._change(account).items():
                change[asset] += quantity
        for asset, quantity in sorted(change.items()):
            if abs(quantity) > self._unit[asset]:
                yield f"{asset} does not net to zero between the parties"
        for account in parties:
            if _locked(self._after[account]) > _locked(self._before[account]):
                yield f"account {account} has more locked than before"

    def _change(self, account: int) -> _Net:
        old, new = _net(self._before[account]), _net(self._after[account])
        return {
            asset: new.get(asset, 0) - old.get(asset, 0)
            for asset in sorted(old.keys() | new.keys())
        }

    def _tolerance(self) -> int:
        """The rounding unit of this match in 10^-6 USDC."""
        worths = [self._worth(asset, atoms) for asset, atoms in self._unit.items()]
        return sum(-(-worth // scale) for worth, scale in worths) + len(worths)

    def _total_values(self) -> Iterator[str]:
        match, tolerance = self._match, self._tolerance()
        expected = {match.lender: 0, match.payer: 0}
        if match.giver != match.payer:
            expected[match.payer] = match.value
            expected[match.giver] = expected.get(match.giver, 0) - match.value
        for account, change in expected.items():
            total = sum(
                worth // scale
                for worth, scale in (
                    self._worth(asset, quantity)
                    for asset, quantity in self._change(account).items()
                )
            )
            if abs(total - change) > tolerance:
                yield f"the total value of account {account} changes beyond the rounding unit"

    def _health(self) -> Iterator[str]:
        match, tolerance = self._match, self._tolerance()
        accounts = [match.payer]
        if not any(leg.lighter for leg in match.legs):
            accounts.append(match.lender)
        for account in accounts:
            old, new = self._before[account], self._after[account]
            fell = old.net_equity - old.maintenance - new.net_equity + new.maintenance
            if fell > tolerance:
                yield f"the health of account {account} falls by {fell}"


def _column(party: Party, asset: str) -> tuple[int, int]:
    """Claim and debt of a party in one asset."""
    for balance in party.balances:
        if balance.asset == asset:
            return balance.lent, balance.debt
    return 0, 0


def _locked(party: Party) -> int:
    return sum(balance.locked for balance in party.balances)


def _net(party: Party) -> _Net:
    return {
        balance.asset: balance.available + balance.locked + balance.lent - balance.debt
        for balance in party.balances
    }
