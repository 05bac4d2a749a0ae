"""Settlement checks: each ADL round and backstop fill, judged by its own records.

What a round took is what was needed or all that could be had (I22); a provider takes no more than
it can bear, and gets no more than the discount (I12, I17). What each match does to its parties (I23
to I26) is judged by `domain.settlement_properties`, as receipts are.

Specification: sections 8.5, 9.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from solvent.domain import waterfall_events as w
from solvent.domain.events import Event
from solvent.domain.labels import AdlCase, LegForm, Tier
from solvent.domain.parameters import EngineParameters
from solvent.domain.settlement_properties import (
    EXACT,
    Flaw,
    Parties,
    Scales,
    match_flaws,
    payer_flaws,
)
from solvent.domain.settlements import (
    AdlRound,
    BackstopOffer,
    SettlementError,
    Transfer,
    settlements_of,
)
from solvent.domain.units import INDEX_SCALE, RATIO
from solvent.proof.invariants.invariants import Breach, breach
from solvent.reference.state import FUND


def check_settlements(parameters: EngineParameters, events: tuple[Event, ...]) -> list[Breach]:
    """All that is wrong with the rounds and fills of one pass."""
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
    found += _tiers(rounds)
    for each in rounds:
        transfers = list(each.matches.values())
        found += _Judge(parameters, each.pools, transfers, count).round(each)
    return found


def _tiers(rounds: list[AdlRound]) -> Iterator[Breach]:
    """I40: for each account, of an asset and a case, a tier comes after all those before it."""
    last: dict[tuple[int, ...], int] = {}
    for each in rounds:
        opened = each.opened
        for side in each.stuck:
            kind = side.account, opened.case, opened.asset, opened.fund
            if opened.tier < last.get(kind, 0):
                yield breach("I40", "a tier comes after a later one", opened.round, opened.tier)
            last[kind] = opened.tier


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


def _forms(balance: w.PartyBalance) -> tuple[tuple[LegForm, int], ...]:
    """What an account has of an asset, by the form in which it is handed over."""
    return (LegForm.AVAILABLE, balance.available), (LegForm.CLAIM, balance.lent)


def _breach_of(flaw: Flaw) -> Breach:
    whose = () if flaw.account is None else (flaw.account,)
    return Breach(flaw.invariant, flaw.sentence, whose + flaw.numbers)


class _Judge:
    """Judges one settlement by its records."""

    def __init__(
        self,
        parameters: EngineParameters,
        pools: Iterable[w.PoolRecorded],
        transfers: Iterable[Transfer],
        settlements: int,
    ) -> None:
        decimals = {place: asset.decimals for place, asset in enumerate(parameters.assets)}
        self._scales = Scales(pools, decimals)
        self._parameters = parameters
        self._settlements = settlements
        self._transfers = [Parties(transfer, self._scales) for transfer in transfers]

    def round(self, settled: AdlRound) -> Iterator[Breach]:
        """I14, I21 to I26 for an ADL round."""
        yield from self._budget(settled)
        yield from self._trigger(settled)
        for parties in self._transfers:
            for flaw in match_flaws(settled.opened.case, parties):
                yield _breach_of(flaw)
        for flaw in payer_flaws(settled.opened.case, self._transfers):
            yield _breach_of(flaw)
        yield from self._means(settled)

    def fill(self) -> Iterator[Breach]:
        """I12, I14, I16, I26 for a backstop fill."""
        (parties,) = self._transfers
        filled = parties.filled
        if filled is None:
            yield breach("I15", "a fill was recorded and not carried out")
            return
        assets = [filled.debt_asset, *(leg.asset for leg in parties.legs)]
        accounts = {filled.account, filled.provider, FUND}
        for flaw in (*parties.fresh(assets), *parties.nets(accounts)):
            yield _breach_of(flaw)
        yield from self._slice(parties, filled)
        new = parties.health[1][filled.provider]
        clean = not any(pool.stale for pool in self._scales.pools.values())
        if clean and new.net_equity + 1 < new.initial - 1:
            yield breach(
                "I12",
                "a provider was pushed below its initial margin",
                filled.provider,
                new.net_equity,
                new.initial,
            )
        value = parties.value_change(filled.account)
        given = filled.debt_value * filled.discount // RATIO
        if -value > (given + 2) * EXACT + parties.rounding():
            yield breach("I17", "a provider got more than the discount", filled.fill, -value, given)
        spare = self._settlements * parties.rounding() // EXACT + 2
        if parties.health[1][filled.account].total_value < -spare:
            yield breach("I16", "a fill pushed an account below zero", filled.account)

    def _slice(self, parties: Parties, filled: w.BackstopFilled) -> Iterator[Breach]:
        """I27: a provider gets the same part of all tokens and claims, whoever came before."""
        given: defaultdict[tuple[int, LegForm], int] = defaultdict(int)
        for leg in parties.legs:
            if leg.receiver == filled.provider:
                given[leg.asset, leg.form] += leg.quantity
        held = {
            (asset, form): quantity
            for (account, asset), balance in parties.balances[0].items()
            for form, quantity in _forms(balance)
            if account == filled.account
            and asset != filled.debt_asset
            and not self._scales.pools[asset].stale
        }
        # The smallest and the largest part lie within an atom of either, and a share of claims.
        for one, whole in held.items():
            for other, beside in held.items():
                slack = (2 + self._scales.atoms(one[0])) * beside
                slack += (2 + self._scales.atoms(other[0])) * whole
                if given[one] * beside - given[other] * whole > slack:
                    yield breach("I27", "a provider got another mix", filled.fill, *one, *other)

    def _means(self, settled: AdlRound) -> Iterator[Breach]:
        """I40: all of a round is paid in what it was opened for, for a fee within its side's."""
        opened = settled.opened
        rates = {side.account: side.fee for side in settled.stuck}
        waterfall = self._parameters.waterfall
        most = {AdlCase.OPPOSITES: waterfall.opposites_fee, AdlCase.STUCK_LENDER: 0}
        for account, rate in rates.items():
            if not 0 <= rate <= most.get(opened.case, waterfall.book_fee):
                yield breach("I40", "a fee is above the stated one", account, rate)
        for parties in self._transfers:
            match = parties.match
            if match is None:
                continue
            for leg in parties.legs:
                paid = isinstance(leg, w.AdlLeg) and leg.tier is opened.tier
                if not paid or (leg.giver == match.giver and leg.asset != opened.paid_in):
                    yield breach("I40", "a leg is not what its round is paid in", leg.asset)
            default = opened.case is AdlCase.BORROWER_DEFAULT
            side = match.payer if default else match.lender
            worth = match.quantity * self._scales.worth(opened.asset)
            if match.fee * EXACT * RATIO > worth * rates.get(side, 0):
                yield breach("I40", "a fee is above the stated one", side, match.fee)

    def _budget(self, settled: AdlRound) -> Iterator[Breach]:
        """I22: taken = needed, or all caps are exhausted; no party beyond its cap or position."""
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

        Where a default is settled, the atoms that share rounding left may be closed, too. Less is
        taken where a pool's cash ran out, or where a payment in kind would have hurt at its size.
        """
        opened = settled.opened
        default = opened.case is AdlCase.BORROWER_DEFAULT
        short = self._may_fall_short(opened)
        # Matches of less than an atom of what is paid in are left out.
        people = len(settled.stuck) + len(settled.candidates)
        dust = people * self._scales.worth(opened.paid_in)
        taken: defaultdict[int, int] = defaultdict(int)
        for parties in self._transfers:
            if parties.match is not None:
                taken[parties.match.payer] += parties.match.quantity
                taken[parties.match.lender] += parties.match.quantity
        allotments = [(side.account, side.allotted) for side in settled.stuck]
        allotments += [(side.account, side.allotted) for side in settled.candidates]
        for account, allotted in allotments:
            numbers = opened.round, account, taken[account], allotted
            over = (taken[account] - allotted) * self._scales.worth(opened.asset)
            if over > (self._spare() if default else 0):
                yield breach("I22", "more was taken than allotted", *numbers)
            if -over > self._spare() + dust and not short:
                yield breach("I22", "less was taken than allotted", *numbers)

    def _may_fall_short(self, opened: w.AdlOpened) -> bool:
        """Whether the round's means are such that less may be taken than was allotted."""
        if opened.borrowed or opened.tier is Tier.IN_KIND:
            return True
        pool = self._scales.pools[opened.paid_in]
        cash = (
            pool.lend_shares * pool.lend_index - pool.debt_shares * pool.debt_index
        ) // INDEX_SCALE
        redeemed = sum(
            leg.quantity
            for parties in self._transfers
            for leg in parties.legs
            if leg.form is LegForm.REDEEMED
        )
        worth = self._scales.worth(opened.paid_in)
        return redeemed > 0 and (cash - redeemed) * worth <= self._spare()

    def _spare(self) -> int:
        """What rounding of all matches together may keep from being settled."""
        every = sum(
            (1 + self._scales.atoms(asset)) * self._scales.worth(asset)
            for asset in self._scales.pools
        )
        return (every + EXACT) * (len(self._transfers) + 1)

    def _trigger(self, settled: AdlRound) -> Iterator[Breach]:
        """I14: each liquidated side is at MMR >= 100 % when the round opens."""
        if any(pool.stale for pool in self._scales.pools.values()):
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
