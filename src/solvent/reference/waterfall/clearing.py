"""Clearing: which fraction of its claims each pool loses once all certain losses are booked.

Lenders of one pool owe another, so losses spread. The solution is that of Eisenberg and Noe (2001),
found by fictitious default: each round solves one linear system of the accounts that are known to
be insolvent, in the pools' fractions, then looks for accounts that the solution makes insolvent.
The set only grows, and the search ends when there are none.

What accounts lack at the fractions found so far is counted exactly, in whole shares; the system is
only about what comes on top, x = b + A x with nothing below zero. It is solved without a
subtraction but that of 1 - a, in integers of 2^-80, every operation rounded up. So the fractions
are never too small, off by some 2^-80 of themselves a step, and never by cancellation.

Specification: section 8.7.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from solvent.domain.units import (
    FINE_PER_VALUE,
    INDEX_SCALE,
    RATIO,
    divide_up,
    mul_div_down,
)
from solvent.reference.ledger import borrowed_fall, claim_of, debt_of, debt_worth, lent_total
from solvent.reference.lending.pool import index_less
from solvent.reference.state import TREASURY, State
from solvent.reference.waterfall.insolvency import (
    booked_worth,
    counted_up,
    insolvent_among,
    lend_indices,
    open_debt,
    rounding,
)

ONE = 2**80
"""A fraction of one."""
MOST = 2**122
"""Coefficients stop here: what depends on a pool so much is lost as soon as that loses anything."""
TIGHTENINGS = 4
"""How often the fractions are reckoned again from what is written off at those found."""

FundParts = Callable[[list[int]], list[int]]
"""The value (10^-6 USDC) that the fund gives to each of the accounts, in order."""


class WriteOff(NamedTuple):
    """What of one debt is written off: shares, the atoms it falls by, and interest among them."""

    asset: int
    shares: int
    quantity: int
    interest: int


@dataclass(slots=True)
class Insolvent:
    """An account whose certain loss is booked: found in `round`, with `fund` (10^-6 USDC) paid."""

    account: int
    round: int
    fund: int = 0


@dataclass(slots=True)
class Clearing:
    """The solution: who is insolvent, by account id, and at which lend indices claims count.

    `losses` are what each pool loses at those indices, in atoms, less fees given back.
    """

    accounts: list[Insolvent] = field(default_factory=list)
    rounds: int = 0
    indices: list[int] = field(default_factory=list)
    losses: list[int] = field(default_factory=list)


def clear(state: State, fund_parts: FundParts, *, waiting: bool) -> Clearing:
    """The clearing solution of all certain losses; no accounts where nobody is insolvent.

    Where lost interest is `waiting`, accounts that lack no more are left for its next booking.
    The first round asks the accounts in the waterfall: an account that lacks anything for certain
    has NE <= worth < 0 and is one of them.
    """
    found = Clearing(indices=lend_indices(state), losses=[0] * len(state.pools))
    new = insolvent_among(state, sorted(state.liquidating), found.indices, waiting=waiting)
    parts = fund_parts(new)
    while new:
        found.rounds += 1
        joined = zip(new, parts or [0] * len(new), strict=True)
        found.accounts += [Insolvent(account, found.rounds, part) for account, part in joined]
        parts = []
        _spread(state, found)
        known = {each.account for each in found.accounts}
        others = [account for account in range(len(state.accounts)) if account not in known]
        impaired = found.indices != lend_indices(state)
        new = []
        if impaired:
            new = insolvent_among(state, others, found.indices, waiting=waiting)
    found.accounts.sort(key=lambda each: each.account)
    return found


def write_offs(state: State, each: Insolvent, indices: list[int]) -> list[WriteOff]:
    """What of each debt is written off with claims at these indices: one fraction of all of them.

    What is left of a debt rounds down, in value, atoms and shares, so that the account is worth
    nothing or up to a share of each debt more.
    """
    worth = booked_worth(state, each.account, indices)
    lacks = worth.lacks - each.fund * FINE_PER_VALUE
    if lacks <= rounding(state):
        return []
    left = max(0, worth.debts - lacks)
    holder = state.accounts[each.account]
    found = []
    for asset, pool in enumerate(state.pools):
        held = holder.debt_shares[asset]
        if not (held and open_debt(state, each.account, asset)):
            continue
        debt = debt_worth(pool, held)
        counted = open_debt(state, each.account, asset)
        kept = debt - counted + counted * left // worth.debts
        kept = mul_div_down(kept, INDEX_SCALE, pool.debt_index)
        quantity = debt - debt_worth(pool, kept)
        interest = quantity * (debt - holder.principal[asset]) // debt
        found.append(WriteOff(asset, held - kept, quantity, interest))
    return found


def fee_on(state: State, asset: int, interest: int) -> int:
    """The pool's fee on interest that was never paid, rounded down."""
    return mul_div_down(interest, state.asset(asset).pool.fee, RATIO)


def fees_at_hand(state: State, asset: int) -> int:
    """What can be given back of fees: the pool's, and what the treasury has free."""
    return state.pools[asset].fees + state.accounts[TREASURY].available[asset]


def losses_at(state: State, accounts: list[Insolvent], indices: list[int]) -> list[int]:
    """What each pool loses when claims count at these indices, less fees given back, in atoms."""
    shares, fees = written_off(state, accounts, indices)
    losses = []
    for asset, pool in enumerate(state.pools):
        loss = borrowed_fall(pool, shares[asset])
        losses.append(loss - min(loss, fees[asset], fees_at_hand(state, asset)))
    return losses


def written_off(
    state: State, accounts: list[Insolvent], indices: list[int]
) -> tuple[list[int], list[int]]:
    """By asset the shares written off when claims count at these indices, and the fees due."""
    shares = [0] * len(state.pools)
    fees = [0] * len(state.pools)
    for each in accounts:
        for written in write_offs(state, each, indices):
            shares[written.asset] += written.shares
            fees[written.asset] += fee_on(state, written.asset, written.interest)
    return shares, fees


def _spread(state: State, found: Clearing) -> None:
    """Lower the indices until claims fall by at least what pools lose at them, and hardly more."""
    losses = losses_at(state, found.accounts, found.indices)
    system = _System(state, found, losses)
    if system.spreads:
        found.indices = system.solve()
        while not _covers(state, found):
            losses = losses_at(state, found.accounts, found.indices)
            found.indices = _System(state, found, losses).solve()
        for _ in range(TIGHTENINGS):
            losses = losses_at(state, found.accounts, found.indices)
            tighter = [
                max(index, fallen_index(state, asset, losses[asset]))
                for asset, index in enumerate(found.indices)
            ]
            if tighter == found.indices:
                break
            found.indices = tighter
        losses = losses_at(state, found.accounts, found.indices)
    else:
        found.indices = [fallen_index(state, asset, loss) for asset, loss in enumerate(losses)]
    found.losses = losses


def _covers(state: State, found: Clearing) -> bool:
    """Whether claims fall by all that pools lose at the indices found.

    The system knows slopes. What an account has falls at once where a claim becomes dust, or where
    nothing pays for an atom of a debt any more; each account does so at most once an asset.
    """
    losses = losses_at(state, found.accounts, found.indices)
    return all(
        fallen_index(state, asset, loss) >= found.indices[asset]
        for asset, loss in enumerate(losses)
    )


def fallen_index(state: State, asset: int, loss: int) -> int:
    """The lend index once claims on the pool fell by `loss` atoms, or by all of them."""
    pool = state.pools[asset]
    fall = min(loss, lent_total(pool))
    return index_less(pool, fall) if fall else pool.lend_index


class _System:
    """x = b + A x: by which fractions (of ONE) of all their claims pools lose more than so far."""

    def __init__(self, state: State, found: Clearing, losses: list[int]) -> None:
        self.state = state
        self.count = len(state.pools)
        self.claims = [lent_total(pool) for pool in state.pools]
        self.lost = [
            ONE - index * ONE // pool.lend_index if pool.lend_index else ONE
            for index, pool in zip(found.indices, state.pools, strict=True)
        ]
        self.factors = [[0] * self.count for _ in range(self.count)]
        self.spare = [0] * self.count
        _, fees = written_off(state, found.accounts, found.indices)
        self.given_back = [due <= fees_at_hand(state, asset) for asset, due in enumerate(fees)]
        for each in found.accounts:
            self._add(each)
        self.more = []
        for asset, pool in enumerate(state.pools):
            fallen = self.claims[asset] - mul_div_down(
                pool.lend_shares, found.indices[asset], INDEX_SCALE
            )
            extra = max(0, losses[asset] - fallen) + self.spare[asset]
            self.more.append(self._part_up(asset, extra))

    @property
    def spreads(self) -> bool:
        """Whether the loss of any pool depends on what another loses."""
        return any(map(any, self.factors))

    def _part_up(self, asset: int, quantity: int) -> int:
        claims = self.claims[asset]
        return divide_up(quantity * ONE, claims) if claims else 0

    def _add(self, each: Insolvent) -> None:
        """Let what an account lacks depend on what its claims lose."""
        state, holder = self.state, self.state.accounts[each.account]
        lent = [asset for asset in range(self.count) if holder.lent_shares[asset]]
        if not lent:
            return
        debts = booked_worth(state, each.account, lend_indices(state)).debts
        for asset, pool in enumerate(state.pools):
            owed = open_debt(state, each.account, asset)
            if not owed or not self.claims[asset]:
                continue
            # What is left of a debt is rounded to shares, and so is each claim: an atom more each.
            # Interest and the fee on it are rounded down.
            atoms = sum(counted_up(state, other, 1) for other in lent)
            self.spare[asset] += debt_worth(pool, 1) + 3 + divide_up(owed * atoms, debts)
            for other in lent:
                counts = counted_up(state, other, claim_of(state, each.account, other) + 1)
                part = divide_up(owed * counts * ONE, debts * self.claims[asset])
                part = self._less_fee(each.account, asset, part)
                self.factors[asset][other] = min(MOST, self.factors[asset][other] + part)

    def _less_fee(self, account: int, asset: int, part: int) -> int:
        """What of a part of a debt the pool loses, less the fee on the interest in it.

        All fees due are given back as long as there are as many. Where the solution needs more it
        is solved again from there, and from then on a loss is borne whole.
        """
        if not self.given_back[asset]:
            return part
        debt = debt_of(self.state, account, asset)
        interest = debt - self.state.accounts[account].principal[asset]
        whole = debt * RATIO
        fee = interest * self.state.asset(asset).pool.fee
        return divide_up(min(MOST, part) * (whole - fee), whole)

    def solve(self) -> list[int]:
        """The lend indices at which claims then count, each rounded down.

        A pool that would lose more than all its claims loses all of them and is solved for no more;
        the one that would lose most of them goes first, for that may be what the others lose by.
        """
        gone: set[int] = set()
        while True:
            more = self._eliminate(gone)
            over = [
                (-(self.lost[asset] + more[asset]), asset)
                for asset in range(self.count)
                if asset not in gone and self.lost[asset] + more[asset] > ONE
            ]
            if not over:
                break
            gone.add(min(over)[1])
        left = [
            0 if asset in gone else ONE - self.lost[asset] - more[asset]
            for asset in range(self.count)
        ]
        return [
            pool.lend_index * part // ONE for pool, part in zip(self.state.pools, left, strict=True)
        ]

    def _eliminate(self, gone: set[int]) -> list[int]:
        """Solve for all pools but those that are gone, which lose what they have left."""
        rows = [list(row) for row in self.factors]
        right = list(self.more)
        for asset in range(self.count):
            if asset in gone:
                right[asset], rows[asset] = ONE - self.lost[asset], [0] * self.count
        for place in range(self.count):
            rest = ONE - rows[place][place]
            if rest <= 0:
                # A closed web without an end: whoever is in it loses all.
                rest = 1
            for below in range(place + 1, self.count):
                factor = rows[below][place]
                if factor:
                    for column in range(place + 1, self.count):
                        part = divide_up(factor * rows[place][column], rest)
                        rows[below][column] = min(MOST, rows[below][column] + part)
                    right[below] = min(MOST, right[below] + divide_up(factor * right[place], rest))
        return self._substitute(rows, right)

    def _substitute(self, rows: list[list[int]], right: list[int]) -> list[int]:
        more = [0] * self.count
        for place in range(self.count - 1, -1, -1):
            total = right[place]
            for column in range(place + 1, self.count):
                total += divide_up(rows[place][column] * more[column], ONE)
            rest = max(1, ONE - rows[place][place])
            more[place] = min(MOST, divide_up(min(MOST, total) * ONE, rest))
        return more
