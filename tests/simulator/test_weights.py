"""What collateral counts for, by the checks' own formula and by the rules', from dust to whales."""

from dataclasses import replace
from itertools import product

import pytest

from solvent.domain.parameters import MAX_VALUE, Haircut, HaircutKind, SizeBy
from solvent.domain.units import FINE_PER_VALUE, FINE_SCALE, PRICE_SCALE, RATIO
from solvent.proof.invariants.state_view import collateral
from solvent.reference.margin import weighted_down
from tests.proof import proves
from tests.tables.market import plain_asset

DECIMALS = 6
BASES = (1, 1000, RATIO // 2, RATIO)
PENALTIES = (1, RATIO // 10_000, RATIO)
MARKS = (PRICE_SCALE // 100, PRICE_SCALE, 29_787_544_608_337)
SIZES = tuple(near for power in range(0, 61, 3) for near in (2**power - 1, 2**power, 2**power + 1))


def worth(quantity: int, mark: int) -> int:
    return int(quantity * mark * FINE_SCALE // (PRICE_SCALE * 10**DECIMALS))


@proves("A13")
@pytest.mark.parametrize("size_by", list(SizeBy))
def test_the_checks_and_the_rules_weigh_alike(size_by: SizeBy) -> None:
    seen = 0
    for base, penalty, mark, quantity in product(BASES, PENALTIES, MARKS, SIZES):
        haircut = Haircut(RATIO, HaircutKind.INVERSE_SQUARE_ROOT, base, penalty, size_by)
        asset = replace(plain_asset("SOL", DECIMALS, RATIO), haircut=haircut)
        if worth(quantity, mark) <= MAX_VALUE * FINE_PER_VALUE:
            seen += 1
            weighed = collateral(asset, quantity, mark, worth(quantity, mark))
            assert weighed == weighted_down(asset, quantity, mark), (haircut, mark, quantity)
    assert seen > 1000
