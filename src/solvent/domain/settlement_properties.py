"""Settlement properties: what one match or fill must do, judged by its own records.

The records of a transfer carry the marks, the indices and every party's holdings before and after
it, so everything is computed here from these numbers with plain arithmetic: nothing of an engine is
asked. Invariants judge an engine's events by it, and verification a receipt's. Per match:

- the legs sum to the value, which is the quantity at the mark, rounded up (or up to an atom more,
  where the giver has nothing left) (A8, I22);
- the lender's claim and the payer's debt fall by the quantity, which neither exceeds, and no cash
  of the asset moves (A9, A11, I25);
- total values stay, but that the fund pays for another's debt (A10, I23);
- the payer's health does not fall, nor a stuck lender's but for lighter legs (I24);
- what one party loses another gains (I26), and no party locks more than before.

Bounds are the rounding unit: a share of claim and of debt and an atom for every asset that moves,
and a unit of value for every leg.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from solvent.domain import waterfall_events as w
from solvent.domain.labels import AdlCase, LegForm
from solvent.domain.settlements import Transfer
from solvent.domain.units import INDEX_SCALE, MAX_DECIMALS, PRICE_DECIMALS, VALUE_DECIMALS

EXACT = int(10 ** (MAX_DECIMALS + PRICE_DECIMALS - VALUE_DECIMALS))
"""Values here are 10^-6 USDC times this, in which any quantity times any mark is whole."""


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
        return units + sum((1 + scales.atoms(asset)) * scales.worth(asset) for asset in assets)

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
    accounts = {match.lender, match.payer, match.giver}
    if any(set(parties.health[after]) != accounts for after in (0, 1)):
        yield flaw("I22", "before and after do not hold its parties")
        return
    yield from parties.fresh([match.asset, *(leg.asset for leg in parties.legs)])
    yield from _value(parties, match)
    yield from _legs(parties, match)
    yield from _quantity(parties, match)
    yield from _shares(parties, match)
    yield from _total_values(parties, match)
    yield from _healths(case, parties, match)
    yield from parties.nets(accounts)
    for account in sorted(accounts):
        if parties.locked(1, account) > parties.locked(0, account):
            yield flaw("I26", "it has more locked than before", account=account)


def _value(parties: Parties, match: w.AdlMatched) -> Iterator[Flaw]:
    """A8, I22: the quantity at the mark, rounded up; an atom more where nothing is left."""
    atom = parties.scales.worth(match.asset)
    above = match.value - up(match.quantity * atom, EXACT)
    if above and not (0 < above <= up(atom, EXACT) and _gave_all(parties, match.giver)):
        yield flaw("I23", "the value is not the quantity at the mark, rounded up", above)
    if match.quantity < 1 or sum(leg.value for leg in parties.legs) != match.value:
        yield flaw("I23", "the legs do not sum to the value", match.value)


def _gave_all(parties: Parties, giver: int) -> bool:
    """Whether the giver has nothing left that can be handed over."""
    return not any(
        balance.available or balance.locked or balance.lent
        for balance in parties.balances[1].values()
        if balance.account == giver and not parties.scales.pools[balance.asset].stale
    )


def _legs(parties: Parties, match: w.AdlMatched) -> Iterator[Flaw]:
    """A8, I25: legs go from giver to lender at the mark, to an atom, and not as settled cash."""
    for leg in parties.legs:
        atom = parties.scales.worth(leg.asset)
        spare = leg.quantity * atom - leg.value * EXACT
        if (leg.giver, leg.receiver) != (match.giver, match.lender) or leg.quantity < 1:
            yield flaw("I23", "a leg does not go from the giver to the lender", leg.asset)
        if spare < 0:
            yield flaw("I23", "a leg counts for more than it is worth at the mark", leg.asset)
        if spare >= EXACT + atom:
            sentence = "a leg counts for less than it is worth at the mark, by more than an atom"
            yield flaw("I23", sentence, leg.asset)
        if leg.asset == match.asset and leg.form in (LegForm.REDEEMED, LegForm.BORROWED):
            yield flaw("I25", "cash of the settled asset moved", leg.asset, leg.quantity)


def _quantity(parties: Parties, match: w.AdlMatched) -> Iterator[Flaw]:
    """A9, A11, I22: claim and debt fall by the quantity, which neither exceeds."""
    asset = match.asset
    debt = parties.column(0, match.payer, asset)[1]
    claim = parties.column(0, match.lender, asset)[0]
    if match.quantity > debt or match.quantity > claim:
        yield flaw("I22", "the quantity exceeds the loan or the claim", match.quantity)
    legs = [leg for leg in parties.legs if leg.asset == asset]
    unit = (1 + len(legs)) * (parties.scales.atoms(asset) + 2)
    debt_fell = debt - parties.column(1, match.payer, asset)[1]
    claim_fell = claim - parties.column(1, match.lender, asset)[0]
    if match.payer != match.lender and abs(debt_fell - match.quantity) > unit:
        yield flaw("I25", "the payer's debt does not fall by the quantity", debt_fell)
    received = sum(leg.quantity for leg in legs)
    if not -unit <= match.quantity - claim_fell <= unit + received:
        yield flaw("I25", "the lender's claim does not fall by the quantity", claim_fell)


def _shares(parties: Parties, match: w.AdlMatched) -> Iterator[Flaw]:
    """I25: the shares that ended are those of the quantity, rounded for the pool."""
    pool = parties.scales.pools[match.asset]
    claim = match.claim_shares * pool.lend_index
    debt = match.debt_shares * pool.debt_index
    quantity = match.quantity * INDEX_SCALE
    if not quantity <= claim < quantity + pool.lend_index + INDEX_SCALE:
        yield flaw("I25", "a claim fell by other shares than were settled", match.claim_shares)
    if not quantity - pool.debt_index - INDEX_SCALE < debt <= quantity:
        yield flaw("I25", "a debt fell by other shares than were settled", match.debt_shares)


def _total_values(parties: Parties, match: w.AdlMatched) -> Iterator[Flaw]:
    """A10, I23: the lender's stays, and the giver's where it pays its own debt."""
    unit = parties.rounding()
    expected = {match.lender: 0, match.payer: 0}
    if match.giver != match.payer:
        expected[match.payer] = match.value
        expected[match.giver] = expected.get(match.giver, 0) - match.value
    for account, change in expected.items():
        found = parties.value_change(account)
        if abs(found - change * EXACT) > unit:
            sentence = "its total value changes beyond the rounding unit"
            yield flaw("I23", sentence, found, unit, account=account)


def _healths(case: AdlCase, parties: Parties, match: w.AdlMatched) -> Iterator[Flaw]:
    """I24: the payer's health does not fall, nor the stuck lender's but for lighter legs."""
    unit = parties.rounding() // EXACT + 3
    lighter = any(isinstance(leg, w.AdlLeg) and leg.lighter for leg in parties.legs)
    watched = {match.payer}
    if case is AdlCase.STUCK_LENDER and not lighter:
        watched.add(match.lender)
    for account in sorted(watched):
        fall = -parties.surplus_change(account)
        if fall > unit:
            yield flaw("I24", "its health falls", fall, unit, account=account)
