"""ADL policies: how a quantity is split among the counterparties of a round.

Each policy takes the candidates in order of account id and the quantity to allot, and returns whole
atoms: exactly the quantity, or every cap where the caps do not reach (I22). Ties go by account id.
All are O(n log n) and free of floats.

- `leverage`: drain the most levered down to a common level (water-filling; minimises the maximum
  leverage, arXiv 2603.15963). Total value is untouched by a settlement, so leverage A / TV falls
  as assets leave: v = max(0, A - level * TV), capped.
- `pro_rata`: capped pro rata to the position; the only rule that is Sybil-resistant,
  scale-invariant and monotone (arXiv 2512.01112).
- `queue`: greedy, most levered first.
- `largest_loan`: greedy, largest position first: fewest accounts touched.
- `risk_weighted`: capped pro rata to position times leverage.

Specification: section 8.6.
"""

from collections.abc import Callable, Sequence
from functools import cmp_to_key, partial
from typing import NamedTuple

from solvent.domain.parameters import Policy
from solvent.domain.units import RATIO

MAX_LEVERAGE_WEIGHT = 1000 * RATIO
"""Leverage above a thousand counts as a thousand when positions are weighted by risk."""


class Candidate(NamedTuple):
    """One counterparty: position and cap in atoms, assets and total value (> 0) in 10^-6 USDC."""

    account: int
    position: int
    cap: int
    assets_value: int
    total_value: int


class Demand(NamedTuple):
    """What a round has to allot: `quantity` atoms, worth `value` (10^-6 USDC) at the mark."""

    quantity: int
    value: int


PolicyFunction = Callable[[Sequence[Candidate], Demand], list[int]]
"""(candidates, demand) -> atoms per candidate."""


def allot(policy: Policy, candidates: Sequence[Candidate], demand: Demand) -> list[int]:
    """Atoms per candidate, summing to the demand, or to all caps where they do not reach it."""
    reachable = sum(candidate.cap for candidate in candidates)
    if demand.quantity >= reachable:
        return [candidate.cap for candidate in candidates]
    return POLICIES[policy](candidates, demand)


def apportion(total: int, weights: Sequence[int], caps: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `weights`, each part at most its cap, exactly.

    Parts are eta * weight, or the cap where that is less, with one eta for all (water-filling over
    the caps); what rounding leaves goes by largest remainder, then by place. Weights may be zero;
    when every weighted place is at its cap the rest goes to the others in order of place.
    """
    parts = [0] * len(weights)
    left = min(total, sum(caps))
    order = sorted(
        (place for place in range(len(weights)) if weights[place] and caps[place]),
        key=cmp_to_key(partial(_compare_cap_per_weight, weights, caps)),
    )
    weight_left = sum(weights[place] for place in order)
    start = 0
    for place in order:
        if left * weights[place] < caps[place] * weight_left:
            break
        parts[place] = caps[place]
        left -= caps[place]
        weight_left -= weights[place]
        start += 1
    active = order[start:]
    remainders = []
    spread = left
    for place in active:
        parts[place], remainder = divmod(spread * weights[place], weight_left)
        left -= parts[place]
        remainders.append((-remainder, place))
    for _, place in sorted(remainders)[:left] if active else []:
        parts[place] += 1
        left -= 1
    for place in range(len(weights)):
        extra = min(left, caps[place] - parts[place])
        parts[place] += extra
        left -= extra
    assert left == 0, "all is split, as far as the caps reach (I22)"
    return parts


def _compare_cap_per_weight(weights: Sequence[int], caps: Sequence[int], one: int, two: int) -> int:
    left, right = caps[one] * weights[two], caps[two] * weights[one]
    return (left > right) - (left < right) or one - two


def greedy(total: int, order: Sequence[int], caps: Sequence[int]) -> list[int]:
    """Fill places in the given order, each to its cap, until `total` is used up."""
    parts = [0] * len(caps)
    for place in order:
        parts[place] = min(total, caps[place])
        total -= parts[place]
    return parts


def most_levered_first(candidates: Sequence[Candidate]) -> list[int]:
    """Places by leverage A / TV, highest first; ties by account."""

    def compare(one: int, two: int) -> int:
        first, second = candidates[one], candidates[two]
        left = first.assets_value * second.total_value
        right = second.assets_value * first.total_value
        return (right > left) - (right < left) or first.account - second.account

    return sorted(range(len(candidates)), key=cmp_to_key(compare))


def _pro_rata(candidates: Sequence[Candidate], demand: Demand) -> list[int]:
    return apportion(
        demand.quantity,
        [candidate.position for candidate in candidates],
        [candidate.cap for candidate in candidates],
    )


def _queue(candidates: Sequence[Candidate], demand: Demand) -> list[int]:
    caps = [candidate.cap for candidate in candidates]
    return greedy(demand.quantity, most_levered_first(candidates), caps)


def _largest_loan(candidates: Sequence[Candidate], demand: Demand) -> list[int]:
    order = sorted(
        range(len(candidates)),
        key=lambda place: (-candidates[place].position, candidates[place].account),
    )
    return greedy(demand.quantity, order, [candidate.cap for candidate in candidates])


def _risk_weighted(candidates: Sequence[Candidate], demand: Demand) -> list[int]:
    weights = [
        candidate.position
        * min(MAX_LEVERAGE_WEIGHT, candidate.assets_value * RATIO // candidate.total_value)
        for candidate in candidates
    ]
    return apportion(demand.quantity, weights, [candidate.cap for candidate in candidates])


def _leverage(candidates: Sequence[Candidate], demand: Demand) -> list[int]:
    """Water-filling: values above the common level, then atoms in proportion to them."""
    caps = [candidate.cap for candidate in candidates]
    value_caps = [
        min(candidate.assets_value, -(-candidate.cap * demand.value // demand.quantity))
        if demand.quantity
        else 0
        for candidate in candidates
    ]
    drained = drain_to_level(candidates, value_caps, demand.value)
    return apportion(demand.quantity, drained, caps)


def drain_to_level(
    candidates: Sequence[Candidate], value_caps: Sequence[int], value: int
) -> list[int]:
    """Values v = min(cap, max(0, A - level * TV)) that sum to `value`, rounded down.

    The sum falls as the level rises, linearly between breakpoints A / TV (a candidate comes in)
    and (A - cap) / TV (it is drained to its cap). Breakpoints are walked from the highest; in the
    segment where the sum reaches `value` the level is a fraction, solved exactly.
    """
    breakpoints = []
    for place, candidate in enumerate(candidates):
        if value_caps[place] > 0:
            breakpoints.append((candidate.assets_value, candidate.total_value, 0, place))
            floor = candidate.assets_value - value_caps[place]
            breakpoints.append((floor, candidate.total_value, 1, place))
    breakpoints.sort(key=cmp_to_key(_compare_breakpoints))
    assets = total_values = capped = 0
    for top, bottom, leaving, place in breakpoints:
        # Sum at this level: capped + assets - level * total_values, with level = top / bottom.
        if (capped + assets - value) * bottom >= top * total_values and total_values:
            break
        if leaving:
            assets -= candidates[place].assets_value
            total_values -= candidates[place].total_value
            capped += value_caps[place]
        else:
            assets += candidates[place].assets_value
            total_values += candidates[place].total_value
    numerator, denominator = capped + assets - value, total_values
    if denominator == 0:
        return list(value_caps)
    drained = []
    for place, candidate in enumerate(candidates):
        above = candidate.assets_value * denominator - numerator * candidate.total_value
        drained.append(max(0, min(value_caps[place], above // denominator)))
    return drained


def _compare_breakpoints(one: tuple[int, int, int, int], two: tuple[int, int, int, int]) -> int:
    left, right = one[0] * two[1], two[0] * one[1]
    if left != right:
        return -1 if left > right else 1
    return (one[2] - two[2]) or (one[3] - two[3])


POLICIES: dict[Policy, PolicyFunction] = {
    Policy.LEVERAGE: _leverage,
    Policy.PRO_RATA: _pro_rata,
    Policy.QUEUE: _queue,
    Policy.LARGEST_LOAN: _largest_loan,
    Policy.RISK_WEIGHTED: _risk_weighted,
}
