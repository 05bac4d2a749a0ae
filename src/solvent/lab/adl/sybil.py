"""What the largest payer of a round would have saved, had he been several accounts (Sybil gain).

The round is allotted again by its own policy with his account in parts, and what the parts pay is
taken from what he paid. He splits in the best of a few ways (`splits`): into equal parts, or with
most of his loan on one side and most of his assets on the other. Every part is worth something.

Deliberately absent: whether the parts could have borrowed so; it is what the rule invites to.
"""

from collections.abc import Iterator, Sequence

from solvent.domain.parameters import Policy
from solvent.reference.waterfall.policies import Candidate, Demand, allot

EQUAL = (2, 5, 20)
"""So many equal parts."""
APART = (10, 25, 75, 90)
"""Per cent of the loan that the one of two parts has, and of the assets that the other has."""
PERCENT = 100


def saved(policy: Policy, people: Sequence[Candidate], demand: Demand) -> tuple[int, int]:
    """Atoms that the largest payer was asked for, and how many of them the best split saves him.

    `people` are the round's candidates by account. (0, 0) where nobody was asked.
    """
    parts = allot(policy, people, demand)
    asked = max(parts, default=0)
    if not asked:
        return 0, 0
    place = parts.index(asked)
    others = [each for each in people if each is not people[place]]
    least = min(
        sum(allot(policy, [*others, *split], demand)[len(others) :])
        for split in [[people[place]], *splits(people[place], people[-1].account + 1)]
    )
    return asked, asked - least


def splits(whole: Candidate, first: int) -> Iterator[list[Candidate]]:
    """The ways to split an account, its parts numbered from `first`; none loses an atom."""
    for count in EQUAL:
        yield from _valid(
            [[(total + k) // count for k in range(count)] for total in whole[1:]], first
        )
    for part in APART:
        loan, cap = (total * part // PERCENT for total in (whole.position, whole.cap))
        assets = whole.assets_value * (PERCENT - part) // PERCENT
        worth = min(assets, whole.total_value * part // PERCENT)
        halves = [
            [mine, total - mine]
            for mine, total in zip((loan, cap, assets, worth), whole[1:], strict=True)
        ]
        yield from _valid(halves, first)


def _valid(columns: Sequence[Sequence[int]], first: int) -> Iterator[list[Candidate]]:
    """The parts, where each owes something and is worth something, but not more than it has."""
    rows = list(zip(*columns, strict=True))
    if all(position > 0 and 0 < worth <= assets for position, _, assets, worth in rows):
        yield [Candidate(first + place, *row) for place, row in enumerate(rows)]
