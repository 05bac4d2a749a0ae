"""Settlement checks: each ADL round and backstop fill, judged by its own records.

The records of a round carry the marks, the indices and every party's holdings before and after each
match, so conservation is computed here from scratch: what a round took is what was needed or all
that could be had (I22), both accounts keep their total value to the rounding unit (I23), health
does not fall but for flagged legs (I24), claim and debt fall together without cash (I25), and what
one account lost in each asset another gained (I26).

Specification: sections 8.5, 9.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from solvent.domain import waterfall_events as w
from solvent.domain.events import Event
from solvent.domain.labels import AdlCase, LegForm
from solvent.domain.parameters import EngineParameters
from solvent.domain.settlements import (
    AdlRound,
    BackstopOffer,
    SettlementError,
    Transfer,
    settlements_of,
)
from solvent.domain.units import (
    INDEX_SCALE,
    MAX_DECIMALS,
    PRICE_DECIMALS,
    RATIO,
    VALUE_DECIMALS,
)
from solvent.proof.invariants.invariants import Breach, breach
from solvent.proof.invariants.postings import up

EXACT = int(10 ** (MAX_DECIMALS + PRICE_DECIMALS - VALUE_DECIMALS))
"""Values here are 10^-6 USDC times this, in which any quantity times any mark is whole."""


class _Parties:
    """What the parties of a match or a fill had before and after it."""

    def __init__(self, transfer: Transfer) -> None:
        self.match, self.filled, self.legs = transfer.matched, transfer.filled, transfer.legs
        self.balances: dict[int, dict[tuple[int, int], w.PartyBalance]] = {0: {}, 1: {}}
        self.health: dict[int, dict[int, w.PartyHealth]] = {0: {}, 1: {}}
        for balance in transfer.balances:
            self.balances[balance.after][balance.account, balance.asset] = balance
        for health in transfer.health:
            self.health[health.after][health.account] = health

    def change(self, account: int, asset: int) -> int:
        """Atoms by which an account's holding less its debt changed."""
        sides = [self.balances[after].get((account, asset)) for after in (0, 1)]
        old, new = (
            side.available + side.locked + side.lent - side.debt if side else 0 for side in sides
        )
        return new - old

    def surplus(self, account: int) -> int:
        """Change of NE - M as reported, 10^-6 USDC."""
        old, new = self.health[0][account], self.health[1][account]
        return new.net_equity - new.maintenance - old.net_equity + old.maintenance


def check_settlements(parameters: EngineParameters, events: tuple[Event, ...]) -> list[Breach]:
    """All that is wrong with the rounds and fills of one time step."""
    try:
        settlements = settlements_of(events)
    except SettlementError as error:
        return [breach("I21", str(error))]
    rounds = [each for each in settlements if isinstance(each, AdlRound)]
    offers = [each for each in settlements if isinstance(each, BackstopOffer)]
    count = len(rounds) + sum(len(offer.fills) for offer in offers)
    found: list[Breach] = []
    for offer in offers:
        for fill in offer.fills.values():
            found += _Judge(parameters, fill.pools, [fill], count).fill()
        found += _offer(offer.offered, offer.candidates)
    for each in rounds:
        transfers = list(each.matches.values())
        found += _Judge(parameters, each.pools, transfers, count).round(each)
    return found


def _offer(offer: w.BackstopOffered, candidates: list[w.BackstopCandidate]) -> Iterator[Breach]:
    """I12, I17: providers take no more than was offered, they committed and they can bear."""
    taken = sum(candidate.allotted for candidate in candidates)
    reach = sum(candidate.capacity for candidate in candidates)
    if taken != min(offer.quantity, reach):
        yield breach(
            "I17",
            "providers took another amount than was offered",
            offer.fill,
            offer.quantity,
            reach,
            taken,
        )
    for candidate in candidates:
        if not 0 <= candidate.allotted <= candidate.capacity <= candidate.committed:
            yield breach(
                "I12",
                "a provider took more than his capacity",
                candidate.provider,
                candidate.allotted,
                candidate.capacity,
            )


class _Judge:
    """Judges one settlement by its records."""

    def __init__(
        self,
        parameters: EngineParameters,
        pools: Iterable[w.PoolRecorded],
        transfers: Iterable[Transfer],
        settlements: int,
    ) -> None:
        self._parameters = parameters
        self._settlements = settlements
        self._pools = {pool.asset: pool for pool in pools}
        self._transfers = [_Parties(transfer) for transfer in transfers]

    def round(self, settled: AdlRound) -> Iterator[Breach]:
        """I14, I21 to I26 for an ADL round."""
        opened = settled.opened
        yield from self._fresh([opened.asset])
        yield from self._budget(settled)
        yield from self._trigger(settled)
        for parties in self._transfers:
            match = parties.match
            if match is None:
                yield breach("I22", "parties were recorded and not matched", opened.round)
                continue
            yield from self._fresh([leg.asset for leg in parties.legs])
            yield from self._notional(opened, parties, match)
            yield from self._values(parties, {match.lender, match.payer, match.giver})
            yield from self._healths(opened, parties, match)
            yield from self._together(opened, parties, match)
            yield from self._net(parties, {match.lender, match.payer, match.giver})

    def fill(self) -> Iterator[Breach]:
        """I12, I14, I16, I26 for a backstop fill."""
        (parties,) = self._transfers
        filled = parties.filled
        if filled is None:
            yield breach("I15", "a fill was recorded and not carried out")
            return
        yield from self._fresh([filled.debt_asset, *(leg.asset for leg in parties.legs)])
        yield from self._net(parties, {filled.account, filled.provider, 0})
        new = parties.health[1][filled.provider]
        clean = not any(pool.stale for pool in self._pools.values())
        if clean and new.net_equity + 1 < new.initial - 1:
            yield breach(
                "I12",
                "a provider was pushed below his initial margin",
                filled.provider,
                new.net_equity,
                new.initial,
            )
        value = sum(
            parties.change(filled.account, asset) * self._worth(asset) for asset in self._pools
        )
        given = filled.debt_value * filled.discount // RATIO
        if -value > (given + 2) * EXACT + self._rounding(parties):
            yield breach("I17", "a provider got more than the discount", filled.fill, -value, given)
        spare = self._settlements * self._rounding(parties) // EXACT + 2
        if parties.health[1][filled.account].total_value < -spare:
            yield breach("I16", "a fill pushed an account below zero", filled.account)

    def _fresh(self, assets: list[int]) -> Iterator[Breach]:
        """I14: nothing changes hands at a stale price."""
        for asset in assets:
            if asset not in self._pools or self._pools[asset].stale:
                yield breach("I14", "something changed hands at a stale price", asset)

    def _worth(self, asset: int) -> int:
        """Value of one atom at the mark, in `EXACT` units."""
        decimals = self._parameters.assets[asset].decimals
        return self._pools[asset].mark * int(10 ** (MAX_DECIMALS - decimals))

    def _atoms(self, asset: int) -> int:
        """Atoms that share rounding may cost or give one party in one asset of a match."""
        pool = self._pools[asset]
        return up(pool.lend_index, INDEX_SCALE) + up(pool.debt_index, INDEX_SCALE)

    def _rounding(self, parties: _Parties) -> int:
        """The rounding unit of an parties in `EXACT` units: an atom a leg, and shares."""
        assets = {leg.asset for leg in parties.legs}
        if parties.match is not None:
            assets.add(parties.match.asset)
        if parties.filled is not None:
            assets.add(parties.filled.debt_asset)
        units = EXACT * (1 + len(parties.legs))
        return units + sum((1 + self._atoms(asset)) * self._worth(asset) for asset in assets)

    def _budget(self, settled: AdlRound) -> Iterator[Breach]:
        """I22: taken = needed, or all caps are exhausted; nobody beyond his cap or his position."""
        opened, stuck, candidates = settled.opened, settled.stuck, settled.candidates
        needed = sum(side.needed for side in stuck)
        granted = sum(side.allotted for side in stuck)
        reach = sum(candidate.cap for candidate in candidates)
        allotted = sum(candidate.allotted for candidate in candidates)
        wanted = (min(needed, reach),) * 3
        if (granted, allotted, opened.allotted) != wanted or opened.needed != needed:
            yield breach(
                "I22",
                "a round allotted another amount than was needed",
                opened.round,
                needed,
                reach,
                granted,
                allotted,
            )
        for candidate in candidates:
            if not 0 <= candidate.allotted <= candidate.cap <= candidate.position:
                yield breach(
                    "I22",
                    "more than a loan was allotted",
                    candidate.account,
                    candidate.allotted,
                    candidate.cap,
                )
        yield from self._taken(settled)

    def _taken(self, settled: AdlRound) -> Iterator[Breach]:
        """I22: matches take what was allotted, short only by the atoms that rounding cost.

        Where the fund pays for a default, it may close the atoms that share rounding left, too.
        """
        opened = settled.opened
        default = opened.case is AdlCase.BORROWER_DEFAULT
        taken: defaultdict[int, int] = defaultdict(int)
        for parties in self._transfers:
            if parties.match is not None:
                taken[parties.match.payer] += parties.match.quantity
                taken[parties.match.lender] += parties.match.quantity
        allotments = [(side.account, side.allotted) for side in settled.stuck]
        allotments += [(side.account, side.allotted) for side in settled.candidates]
        for account, allotted in allotments:
            numbers = opened.round, account, taken[account], allotted
            over = (taken[account] - allotted) * self._worth(opened.asset)
            if over > (self._spare() if default else 0):
                yield breach("I22", "more was taken than allotted", *numbers)
            if -over > self._spare():
                yield breach("I22", "less was taken than allotted", *numbers)

    def _spare(self) -> int:
        """What rounding of all matches together may keep from being settled."""
        every = sum((1 + self._atoms(asset)) * self._worth(asset) for asset in self._pools)
        return (every + EXACT) * (len(self._transfers) + 1)

    def _trigger(self, settled: AdlRound) -> Iterator[Breach]:
        """I14: each liquidated side is at MMR >= 100 % when the round opens."""
        if any(pool.stale for pool in self._pools.values()):
            return
        for side in settled.stuck:
            if side.net_equity > side.maintenance:
                yield breach(
                    "I14",
                    "ADL for an account that is not liquidatable",
                    settled.opened.round,
                    side.account,
                    side.net_equity,
                    side.maintenance,
                )

    def _notional(
        self, opened: w.AdlOpened, parties: _Parties, match: w.AdlMatched
    ) -> Iterator[Breach]:
        """I22, I23: at most the loan is closed, for its notional at the mark, rounded up.

        The value may be that of an atom more, in the lender's favour. Legs are counted in whole
        units each and a claim may cost a share more than it is worth, so their sum may be short by
        the rounding unit.
        """
        atom = self._worth(opened.asset)
        worth = up(match.quantity * atom, EXACT)
        short = match.value - sum(leg.value for leg in parties.legs)
        unit = self._rounding(parties) // EXACT
        if not (0 <= match.value - worth <= up(atom, EXACT) and 0 <= short <= unit):
            yield breach(
                "I23",
                "what was paid is not the claim's notional",
                opened.round,
                match.match,
                match.value,
                worth,
                short,
            )
        debt = parties.balances[0].get((match.payer, opened.asset))
        if debt is None or match.quantity > debt.debt:
            yield breach("I22", "more than the loan was closed", match.payer, match.quantity)

    def _values(self, parties: _Parties, accounts: set[int]) -> Iterator[Breach]:
        """I23: nobody's total value moves by more than the rounding unit; the fund's may."""
        unit = self._rounding(parties)
        match = parties.match
        if match is not None and match.giver != match.payer:
            accounts = {match.lender} - {match.giver}
        for account in accounts:
            change = sum(
                parties.change(account, asset) * self._worth(asset) for asset in self._pools
            )
            if abs(change) > unit:
                yield breach("I23", "a total value moved in an ADL", account, change, unit)

    def _healths(
        self, opened: w.AdlOpened, parties: _Parties, match: w.AdlMatched
    ) -> Iterator[Breach]:
        """I24: the payer's health does not fall, nor the stuck lender's but for lighter legs."""
        unit = self._rounding(parties) // EXACT + 3
        lighter = any(isinstance(leg, w.AdlLeg) and leg.lighter for leg in parties.legs)
        watched = {match.payer}
        if opened.case is AdlCase.STUCK_LENDER and not lighter:
            watched.add(match.lender)
        for account in watched:
            fall = -parties.surplus(account)
            if fall > unit:
                yield breach("I24", "an ADL lowered somebody's health", account, fall, unit)

    def _together(
        self, opened: w.AdlOpened, parties: _Parties, match: w.AdlMatched
    ) -> Iterator[Breach]:
        """I25: claim and debt fall by the same quantity, and no cash of the asset moves."""
        pool = self._pools[opened.asset]
        claim = match.claim_shares * pool.lend_index
        debt = match.debt_shares * pool.debt_index
        quantity = match.quantity * INDEX_SCALE
        if not quantity <= claim < quantity + pool.lend_index + INDEX_SCALE:
            yield breach(
                "I25",
                "a claim fell by another quantity than was settled",
                match.lender,
                match.quantity,
                match.claim_shares,
            )
        if not quantity - pool.debt_index - INDEX_SCALE < debt <= quantity:
            yield breach(
                "I25",
                "a debt fell by another quantity than was settled",
                match.payer,
                match.quantity,
                match.debt_shares,
            )
        for leg in parties.legs:
            if leg.asset == opened.asset and leg.form in (LegForm.REDEEMED, LegForm.BORROWED):
                yield breach("I25", "cash of the settled asset moved", leg.asset, leg.quantity)

    def _net(self, parties: _Parties, accounts: set[int]) -> Iterator[Breach]:
        """I26: per asset, what the parties gained and lost comes to nothing."""
        for asset in self._pools:
            total = sum(parties.change(account, asset) for account in accounts)
            if abs(total) > len(accounts) * self._atoms(asset):
                yield breach("I26", "legs do not net to zero", asset, total)
