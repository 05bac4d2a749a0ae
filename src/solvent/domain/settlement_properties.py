"""Settlement properties: what one match or fill must do, judged by its own records.

The records of a transfer carry the marks, the indices and every party's holdings before and after
it, so everything is computed here from these numbers with plain arithmetic: nothing of an engine is
asked. Invariants judge an engine's events by it, and verification a receipt's. Per match:

- the giver's legs sum to the value, which is the quantity at the mark, rounded up, but for the fee
  that the liquidated side pays (A8, I22);
- the lender's claim, or his tokens where opposites are closed, and the payer's debt fall by the
  quantity, which neither exceeds, and no cash of the asset moves by the payment (A9, A11, I25);
- total values stay, but for the fee, and that the fund pays for another's debt (A10, I23);
- nobody's health falls but that of a receiver of flagged legs (I24, I40), and a debtor's in default
  by no part of what he pays in a round;
- what one party loses another gains (I26), and no party locks more than before.

Bounds are the rounding unit: a share of claim and of debt and an atom for every asset that moves,
and a few units of value for every leg. What a payer gives for all of his matches of a round
together is at most an atom more than it counts for (`payer_flaws`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from solvent.domain import waterfall_events as w
from solvent.domain.labels import AdlCase, LegForm, Tier
from solvent.domain.parameters import USDC
from solvent.domain.settlements import Transfer
from solvent.domain.units import INDEX_SCALE, MAX_DECIMALS, PRICE_DECIMALS, VALUE_DECIMALS

EXACT = int(10 ** (MAX_DECIMALS + PRICE_DECIMALS - VALUE_DECIMALS))
"""Values here are 10^-6 USDC times this, in which any quantity times any mark is whole."""

FUND = 0
"""Account number of the backstop fund."""
ROUNDED = 4
"""Units of value by which rounding may change a match: its part of its payer's value, and legs."""


class Flaw(NamedTuple):
    """A property that does not hold: the invariant's id, a sentence, whose it is, the numbers."""

    invariant: str
    sentence: str
    account: int | None = None
    numbers: tuple[int, ...] = ()


def flaw(invariant: str, sentence: str, *numbers: int, account: int | None = None) -> Flaw:
    """A flaw, its numbers in a row."""
    return Flaw(invariant, sentence, account, numbers)


def up(numerator: int, divisor: int) -> int:
    """ceil(numerator / divisor), written out here so that nothing is shared with the checked."""
    return -(-numerator // divisor)


class Scales:
    """What atoms are worth, and what share rounding may cost, in the pools of a settlement."""

    def __init__(self, pools: Iterable[w.PoolRecorded], decimals: Mapping[int, int]) -> None:
        self.pools = {pool.asset: pool for pool in pools}
        self._decimals = decimals

    def worth(self, asset: int) -> int:
        """Value of one atom at the mark, in `EXACT` units."""
        return self.pools[asset].mark * int(10 ** (MAX_DECIMALS - self._decimals[asset]))

    def atoms(self, asset: int) -> int:
        """Atoms that share rounding may cost or give one party in one asset."""
        pool = self.pools[asset]
        return up(pool.lend_index, INDEX_SCALE) + up(pool.debt_index, INDEX_SCALE)


class Parties:
    """A match or a fill: what its parties had before (0) and after (1), and what passed."""

    def __init__(self, transfer: Transfer, scales: Scales) -> None:
        self.match, self.filled, self.legs = transfer.matched, transfer.filled, transfer.legs
        self.scales = scales
        self.balances: dict[int, dict[tuple[int, int], w.PartyBalance]] = {0: {}, 1: {}}
        self.health: dict[int, dict[int, w.PartyHealth]] = {0: {}, 1: {}}
        for balance in transfer.balances:
            self.balances[balance.after][balance.account, balance.asset] = balance
        for health in transfer.health:
            self.health[health.after][health.account] = health

    def column(self, after: int, account: int, asset: int) -> tuple[int, int]:
        """Claim and debt of a party in one asset."""
        balance = self.balances[after].get((account, asset))
        return (balance.lent, balance.debt) if balance else (0, 0)

    def available(self, after: int, account: int, asset: int) -> int:
        """Free tokens of a party in one asset."""
        balance = self.balances[after].get((account, asset))
        return balance.available if balance else 0

    def change(self, account: int, asset: int) -> int:
        """Atoms by which an account's holding less its debt changed."""
        sides = [self.balances[after].get((account, asset)) for after in (0, 1)]
        old, new = (
            side.available + side.locked + side.lent - side.debt if side else 0 for side in sides
        )
        return new - old

    def value_change(self, account: int) -> int:
        """The same over all assets, in `EXACT` units."""
        pools = self.scales.pools
        return sum(self.change(account, asset) * self.scales.worth(asset) for asset in pools)

    def surplus_change(self, account: int) -> int:
        """Change of NE - M as reported, 10^-6 USDC."""
        old, new = self.health[0][account], self.health[1][account]
        return new.net_equity - new.maintenance - old.net_equity + old.maintenance

    def locked(self, after: int, account: int) -> int:
        """Atoms that an account's orders hold, over all assets."""
        sides = self.balances[after].values()
        return sum(balance.locked for balance in sides if balance.account == account)

    def rounding(self) -> int:
        """The rounding unit in `EXACT` units: an atom and shares an asset, a unit a leg."""
        assets = {leg.asset for leg in self.legs}
        if self.match is not None:
            assets.add(self.match.asset)
        if self.filled is not None:
            assets.add(self.filled.debt_asset)
        scales = self.scales
        units = EXACT * (1 + len(self.legs))
        # Parts of what a payer gives can be two atoms from what they count for.
        return ROUNDED * units + sum(
            (2 + scales.atoms(asset)) * scales.worth(asset) for asset in assets
        )

    def unit(self) -> int:
        """What rounding may take of a party's health, 10^-6 USDC."""
        return self.rounding() // EXACT + ROUNDED

    def nets(self, accounts: set[int]) -> Iterator[Flaw]:
        """I26: per asset, what the parties gained and lost comes to nothing."""
        for asset in self.scales.pools:
            total = sum(self.change(account, asset) for account in accounts)
            if abs(total) > len(accounts) * self.scales.atoms(asset):
                yield flaw("I26", "an asset does not net to zero", asset, total)

    def fresh(self, assets: Iterable[int]) -> Iterator[Flaw]:
        """I14: nothing changes hands at a stale price."""
        pools = self.scales.pools
        for asset in assets:
            if asset not in pools or pools[asset].stale:
                yield flaw("I14", "something changed hands at a stale price", asset)


def match_flaws(case: AdlCase, parties: Parties) -> Iterator[Flaw]:
    """Every property that a match of a round of this case does not keep."""
    match = parties.match
    if match is None:
        yield flaw("I22", "parties were recorded and not matched")
        return
    accounts = {match.lender, match.payer, match.giver, *(leg.receiver for leg in parties.legs)}
    if any(set(parties.health[after]) != accounts for after in (0, 1)):
        yield flaw("I22", "before and after do not hold its parties")
        return
    judged = _MatchOf(case, parties, match)
    yield from parties.fresh([match.asset, *(leg.asset for leg in parties.legs)])
    yield from judged.value()
    yield from judged.legs()
    yield from judged.quantity()
    yield from judged.shares()
    yield from judged.total_values()
    yield from judged.healths()
    yield from parties.nets(accounts)
    for account in sorted(accounts):
        if parties.locked(1, account) > parties.locked(0, account):
            yield flaw("I26", "it has more locked than before", account=account)


def payer_flaws(case: AdlCase, transfers: Sequence[Parties]) -> Iterator[Flaw]:
    """I24, I40: what a payer's matches of a round do to him together."""
    yield from _overpaid(transfers)
    if case is AdlCase.BORROWER_DEFAULT:
        yield from _debtors_hurt(transfers)


def _debtors_hurt(transfers: Iterable[Parties]) -> Iterator[Flaw]:
    """I24: no debtor's health is lower after any of his matches than before the first.

    The last part of a debt may free less maintenance than the fee on it, for the first freed more.
    """
    change: Counter[int] = Counter()
    units: Counter[int] = Counter()
    for parties in transfers:
        payer = None if parties.match is None else parties.match.payer
        # Whose records lack him is told by each match.
        if payer is not None and all(payer in parties.health[after] for after in (0, 1)):
            change[payer] += parties.surplus_change(payer)
            units[payer] += parties.unit()
            if -change[payer] > units[payer]:
                numbers = -change[payer], units[payer]
                yield flaw("I24", "its health falls", *numbers, account=payer)


def _overpaid(transfers: Iterable[Parties]) -> Iterator[Flaw]:
    """I40: over all matches of a round a payer gives at most an atom more than he owes.

    Where matches can be left out (all tiers but the first) it is an atom a match more at most: what
    is rounded up once is split over matches of which some may not come about.
    """
    spare: defaultdict[tuple[int, int], int] = defaultdict(int)
    atoms: dict[tuple[int, int], int] = {}
    for parties in transfers:
        match = parties.match
        for leg in parties.legs if match is not None else ():
            if match is not None and leg.giver == match.giver:
                payer = leg.giver, leg.asset
                worth = parties.scales.worth(leg.asset)
                every = not isinstance(leg, w.AdlLeg) or leg.tier is Tier.OWED
                spare[payer] += leg.quantity * worth - (leg.value + ROUNDED) * EXACT
                atoms[payer] = worth if every else atoms.get(payer, worth) + worth
    for (account, asset), more in spare.items():
        if more > atoms[account, asset]:
            yield flaw(
                "I40", "a payer gave over an atom more than he owes", asset, more, account=account
            )


class _MatchOf:
    """The properties of one match that depend on its case."""

    def __init__(self, case: AdlCase, parties: Parties, match: w.AdlMatched) -> None:
        self.case, self.parties, self.match = case, parties, match
        self.scales = parties.scales
        self.given = [leg for leg in parties.legs if leg.giver == match.giver]
        self.opposites = case is AdlCase.OPPOSITES
        if self.opposites:
            self.given = [leg for leg in self.given if leg.asset != match.asset]
        in_cash = all(leg.asset == USDC for leg in self.given)
        self.to_fund = match.fee if case is AdlCase.BORROWER_DEFAULT and in_cash else 0

    def value(self) -> Iterator[Flaw]:
        """A8, I22: the quantity at the mark, rounded once a payer, with or without the fee."""
        match = self.match
        exact = match.quantity * self.scales.worth(match.asset)
        fee = match.fee - self.to_fund
        found = match.value + (fee if self.opposites else -fee)
        if abs(found * EXACT - exact) > ROUNDED * EXACT:
            yield flaw("I23", "the value is not the quantity at the mark", match.value)
        given = sum(leg.value for leg in self.given)
        if match.quantity < 1 or not 0 <= match.value + self.to_fund - given <= self.to_fund:
            yield flaw("I23", "the legs do not sum to the value", match.value)

    def legs(self) -> Iterator[Flaw]:
        """A8, I25: legs go at the mark, to two atoms, and not as settled cash."""
        match = self.match
        for leg in self.parties.legs:
            atom = self.scales.worth(leg.asset)
            spare = leg.quantity * atom - leg.value * EXACT
            if leg not in self.given:
                # The tokens of opposites, which are not the giver's.
                given_up = (match.lender, match.payer, match.asset, match.quantity)
                if (leg.giver, leg.receiver, leg.asset, leg.quantity) != given_up:
                    yield flaw("I23", "a leg is neither the giver's nor given up", leg.asset)
            elif leg.receiver not in (match.lender, FUND) or leg.quantity < 1:
                yield flaw("I23", "a leg does not go from the giver to the lender", leg.asset)
            if abs(spare) > 2 * atom + ROUNDED * EXACT:
                sentence = "a leg counts for another value than it has at the mark"
                yield flaw("I23", sentence, leg.asset, spare)
            if leg.asset == match.asset and leg.form in (LegForm.REDEEMED, LegForm.BORROWED):
                yield flaw("I25", "cash of the settled asset moved", leg.asset, leg.quantity)

    def quantity(self) -> Iterator[Flaw]:
        """A9, A11, I22: what is given up and the debt fall by the quantity, at most all of it."""
        parties, match = self.parties, self.match
        asset = match.asset
        debt = parties.column(0, match.payer, asset)[1]
        claim = parties.column(0, match.lender, asset)[0]
        if self.opposites:
            claim = parties.available(0, match.lender, asset)
        if match.quantity > debt or match.quantity > claim:
            yield flaw("I22", "the quantity exceeds the loan or the claim", match.quantity)
        legs = [leg for leg in self.given if leg.asset == asset]
        unit = (1 + len(legs)) * (self.scales.atoms(asset) + 2)
        debt_fell = debt - parties.column(1, match.payer, asset)[1]
        if match.payer != match.lender and abs(debt_fell - match.quantity) > unit:
            yield flaw("I25", "the payer's debt does not fall by the quantity", debt_fell)
        claim_fell = claim - parties.column(1, match.lender, asset)[0]
        if self.opposites:
            claim_fell = claim - parties.available(1, match.lender, asset)
        received = sum(leg.quantity for leg in legs)
        if not -unit <= match.quantity - claim_fell <= unit + received:
            yield flaw("I25", "the lender's claim does not fall by the quantity", claim_fell)

    def shares(self) -> Iterator[Flaw]:
        """I25: the shares that ended are those of the quantity, rounded for the pool."""
        match = self.match
        pool = self.scales.pools[match.asset]
        claim = match.claim_shares * pool.lend_index
        debt = match.debt_shares * pool.debt_index
        quantity = match.quantity * INDEX_SCALE
        if self.opposites:
            # Tokens repay the debt, and no claim falls.
            claim = debt = quantity if match.claim_shares == match.debt_shares == 0 else -1
        if not quantity <= claim < quantity + pool.lend_index + INDEX_SCALE:
            yield flaw("I25", "a claim fell by other shares than were settled", match.claim_shares)
        if not quantity - pool.debt_index - INDEX_SCALE < debt <= quantity:
            yield flaw("I25", "a debt fell by other shares than were settled", match.debt_shares)

    def total_values(self) -> Iterator[Flaw]:
        """A10, I23: they stay but for the fee, and where the fund pays another's debt."""
        match, parties = self.match, self.parties
        unit = parties.rounding()
        expected: defaultdict[int, int] = defaultdict(int)
        expected[match.lender] += -match.fee if self.opposites else match.fee - self.to_fund
        expected[match.payer] += match.fee if self.opposites else -match.fee
        expected[FUND] += self.to_fund
        if match.giver != match.payer:
            expected[match.payer] += match.value
            expected[match.giver] -= match.value
        for account in parties.health[0]:
            found = parties.value_change(account)
            if abs(found - expected[account] * EXACT) > unit:
                sentence = "its total value changes beyond the rounding unit"
                yield flaw("I23", sentence, found, unit, account=account)

    def healths(self) -> Iterator[Flaw]:
        """I24, I40: nobody's health falls but that of a receiver of flagged legs."""
        match, parties = self.match, self.parties
        unit = parties.unit()
        flagged = any(isinstance(leg, w.AdlLeg) and leg.tier >= Tier.FLAGGED for leg in self.given)
        watched = {match.payer} if flagged else {match.payer, match.lender}
        if self.case is AdlCase.BORROWER_DEFAULT:
            # His matches are judged together (`payer_flaws`).
            watched.discard(match.payer)
        if match.giver != match.payer:
            # The fund pays for another, and be it for a claim of its own.
            watched.discard(match.giver)
        for account in sorted(watched):
            fall = -parties.surplus_change(account)
            if fall > unit:
                older = self.case is AdlCase.STUCK_LENDER or account == match.payer
                yield flaw(
                    "I24" if older else "I40", "its health falls", fall, unit, account=account
                )
