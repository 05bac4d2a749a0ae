"""What a relief must keep, asked of its own records with plain arithmetic and nothing else.

A standby takes over at the mark what a round paid another in kind, and pays what is left of it
after his premium. Both total values stay but for the premium, the receiver's NE - M does not fall
by it beyond the premium that was agreed to be borne, and the standby stays within his initial
margin. Receipts and invariants are both judged here; nothing is shared with the engines.

Specification: sections 8.10, 9.
"""

from collections.abc import Iterator, Mapping

from solvent.domain.labels import AdlCase, LegForm
from solvent.domain.parameters import USDC
from solvent.domain.settlement_properties import EXACT, Flaw, Parties, Scales, flaw, up
from solvent.domain.settlements import Relief
from solvent.domain.units import INDEX_SCALE, RATIO


def relief_flaws(relief: Relief, decimals: Mapping[int, int]) -> Iterator[Flaw]:
    """All that the records of a relief show to be wrong; `decimals` by asset."""
    swap, scales = relief.swapped, Scales(relief.pools, decimals)
    parties = Parties(relief.parties, scales)
    accounts = {swap.standby, swap.receiver}
    if swap.standby == swap.receiver or any(
        set(parties.health[after]) != accounts for after in (0, 1)
    ):
        yield flaw("I22", "before and after do not hold its parties")
        return
    yield from parties.fresh([swap.asset])
    yield from _price(relief, scales)
    yield from _quantity(relief, parties)
    yield from parties.nets(accounts)
    unit = parties.rounding() + 2 * (scales.worth(swap.asset) * (1 + scales.atoms(swap.asset)))
    unit += 2 * EXACT + scales.worth(USDC) * (1 + scales.atoms(USDC))
    for account, sign in ((swap.receiver, -1), (swap.standby, 1)):
        found = parties.value_change(account)
        if abs(found - sign * swap.premium * EXACT) > unit:
            yield flaw("I23", "a total value changes by more than the premium", account=account)
    # Of a lender of a default only the total value counts: he was paid a fee for it.
    fall = -parties.surplus_change(swap.receiver) * EXACT
    if swap.case is AdlCase.STUCK_LENDER and fall > unit:
        yield flaw("I40", "its health falls by a relief", fall, unit, account=swap.receiver)
    new = parties.health[1][swap.standby]
    clean = not any(pool.stale for pool in relief.pools)
    if clean and new.net_equity + 1 < new.initial - 1:
        yield flaw("I12", "a standby is below initial margin", account=swap.standby)


def _price(relief: Relief, scales: Scales) -> Iterator[Flaw]:
    """I23, I40: the value at the mark, and no more of it than the rate for the standby."""
    swap = relief.swapped
    if swap.value != up(swap.quantity * scales.worth(swap.asset), EXACT):
        yield flaw("I23", "the value is not the quantity at the mark", swap.value)
    if swap.paid + swap.premium != swap.value or not 0 <= swap.premium <= swap.value:
        yield flaw("I23", "what is paid is not the value less the premium", swap.paid)
    if swap.premium * RATIO > swap.value * swap.rate:
        yield flaw("I40", "a premium is above its rate", swap.premium, swap.rate)
    if swap.value > swap.posted:
        yield flaw("I22", "a standby took over more than he posted", swap.value, swap.posted)


def _quantity(relief: Relief, parties: Parties) -> Iterator[Flaw]:
    """I22, I25: what is handed over is there, and what is paid was free."""
    swap = relief.swapped
    held = parties.available(0, swap.receiver, swap.asset)
    if swap.form is LegForm.CLAIM:
        held = parties.column(0, swap.receiver, swap.asset)[0]
        pool = parties.scales.pools[swap.asset]
        worth = swap.shares * pool.lend_index
        spare = 2 * INDEX_SCALE + 2 * pool.lend_index
        if not 0 <= worth - swap.quantity * INDEX_SCALE + INDEX_SCALE < spare + INDEX_SCALE:
            yield flaw("I25", "the shares are not those of the quantity", swap.shares)
    elif swap.asset == USDC or swap.shares:
        yield flaw("I22", "free USDC is nothing in kind", swap.asset)
    if not 1 <= swap.quantity <= held:
        yield flaw("I22", "more was taken over than was there", swap.quantity, held)
    if swap.paid > parties.available(0, swap.standby, USDC):
        yield flaw("I22", "a standby paid more than he had free", swap.paid)
