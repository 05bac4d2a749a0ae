"""The 16 waves of 10 October 2025: what was published, with two corrections, beside our policies.

- **Stock and flow.** The sum of the waves' deficits has one account in nine of them; a deficit that
  stands is a stock, and only what is new of it flows. Counted once it is an eighth of the sum.
- **Over and under.** The published overshoot is a signed sum, in which six waves that took too
  little pay for ten that took too much. Distances are added up beside it.

Accounts were not published, only sums by wave and gaps by coin. So of what hangs on who the winners
were, only what holds for any of them is computed here: what a rule takes in all (exactly what was
needed, in atoms or in whole contracts of each coin), and the share that pro rata takes of everyone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from solvent.domain.parameters import Policy
from solvent.lab.record.figures import Beside
from solvent.lab.record.published import Published, column
from solvent.reference.waterfall.policies import Candidate, Demand, allot

MILLION, CENTS = 10**6, 100
STAND_INS = 300
THEIR_POLICIES = {
    "prod": "their venue's queue",
    "pr": "their pro rata to wealth",
    "eq_pr": "their pro rata to equity",
    "pnl_pr": "their pro rata to profit",
    "vector": "their mirror descent",
    "contract_pr": "their contracts, cut down to whole",
    "fixed_point_ilp_integer": "their contracts, whole",
}
"""Policies of the published table by the ending of its columns."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a policy took over all waves, USDC, and the largest share that it took of anyone.

    Shares are None where they hang on accounts that were not published.
    """

    name: str
    taken: Fraction
    signed: Fraction
    distance: Fraction
    mean_share: Fraction | None
    worst_share: Fraction | None


def corrected(data: Published) -> list[Beside]:
    """The published sums and their two corrections."""
    needed, taken = column(data.policies, "budget_needed"), column(data.policies, "budget_prod")
    over = [one - two for one, two in zip(taken, needed, strict=True)]
    losses, largest = column(data.deficits, "deficit_usd"), column(data.deficits, "max_loss_usd")
    again = largest.count(max(largest)) - 1
    gaps = sum(column(data.gaps, "gap_usd_x_qty"), Fraction())
    return [
        Beside("needed, USDC", "15079669.61", sum(needed, Fraction())),
        Beside("needed, added up from gaps by coin", "15079669.61", gaps),
        Beside("taken by the venue", "60108335", sum(taken, Fraction())),
        Beside("taken too much, signed", "45028666", sum(over, Fraction())),
        _corrected("of it in waves that took too much", 49_406, [x for x in over if x > 0]),
        _corrected("of it in waves that took too little", -4_377, [x for x in over if x < 0]),
        _corrected("distance from what was needed", 53_782, [abs(x) for x in over]),
        Beside("deficit, flow", "100063387", sum(losses, Fraction())),
        Beside("waves with the same largest loser", "9", Fraction(again + 1)),
        Beside(
            "deficit, that account once, millions",
            "12.66",
            (sum(losses, Fraction()) - again * max(largest)) / MILLION,
        ),
    ]


def _corrected(name: str, thousands: int, values: Sequence[Fraction]) -> Beside:
    return Beside(f"{name}, millions", f"{thousands / 1000:.3f}", sum(values, Fraction()) / MILLION)


def theirs(data: Published) -> list[Taken]:
    """The published policies over all waves."""
    needed = column(data.policies, "budget_needed")
    found = []
    for ending, name in THEIR_POLICIES.items():
        taken = column(data.policies, f"budget_{ending}")
        shares = column(data.policies, f"max_pct_{ending}")
        found.append(_taken(name, taken, needed, shares))
    return found


def ours(data: Published) -> list[Taken]:
    """Our policies in cents over stand-ins, pro rata over anyone, and whole contracts by coin."""
    needed, capacity = (column(data.policies, name) for name in ("budget_needed", "total_cap"))
    found = []
    for policy in Policy:
        taken = [
            Fraction(
                sum(allot(policy, stand_ins(int(cap * CENTS)), _demand(int(need * CENTS)))), CENTS
            )
            for need, cap in zip(needed, capacity, strict=True)
        ]
        anyone = [need / cap for need, cap in zip(needed, capacity, strict=True)]
        shares = anyone if policy is Policy.PRO_RATA else None
        name = f"our {policy.name.lower().replace('_', ' ')}"
        found.append(_taken(name, taken, needed, shares))
    return [*found, _taken("our whole contracts of each coin", whole_contracts(data), needed, None)]


def whole_contracts(data: Published) -> list[Fraction]:
    """What whole contracts come to a wave: of each coin the number nearest to what was closed.

    Largest remainders share such a number among any accounts that have so many contracts.
    """
    found: dict[str, Fraction] = {row["wave"]: Fraction() for row in data.policies}
    for row in data.gaps:
        found[row["wave"]] += round(Fraction(row["qty_contracts"])) * Fraction(
            row["gap_per_contract_usd"]
        )
    return list(found.values())


def stand_ins(capacity: int, count: int = STAND_INS) -> list[Candidate]:
    """Accounts in place of those not published: endowments like 1 / rank that sum to `capacity`."""
    parts = [10**6 // rank for rank in range(1, count + 1)]
    endowments = [capacity * part // sum(parts) for part in parts]
    endowments[0] += capacity - sum(endowments)
    return [
        Candidate(account, cents, cents, cents * (2 + account % 5), cents)
        for account, cents in enumerate(endowments, 2)
    ]


def _demand(cents: int) -> Demand:
    return Demand(cents, cents)


def _taken(
    name: str,
    taken: Sequence[Fraction],
    needed: Sequence[Fraction],
    shares: Sequence[Fraction] | None,
) -> Taken:
    over = [one - two for one, two in zip(taken, needed, strict=True)]
    return Taken(
        name,
        sum(taken, Fraction()),
        sum(over, Fraction()),
        sum(map(abs, over), Fraction()),
        None if shares is None else sum(shares, Fraction()) / len(shares),
        None if shares is None else max(shares),
    )
