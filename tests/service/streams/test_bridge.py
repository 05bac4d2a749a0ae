"""The bridge: every debt that ended in the waterfall, once, and the parts add up to the unit."""

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest

from solvent.domain import waterfall_events as w
from solvent.domain.events import IndexUpdated, MarkUpdated, Repaid
from solvent.domain.labels import AdlCase, Source
from solvent.domain.units import PRICE_SCALE
from solvent.service.routes.backstop import bridge_shown
from solvent.service.streams.bridge import Ended
from tests.service.streams.stage import Stage

SEEDS = (7, 22, 48, 58)


@pytest.mark.parametrize("seed", SEEDS)
def test_its_parts_are_the_debts_that_ended(seed: int) -> None:
    """Held against the events, with fractions, at marks that are the reference's after each."""
    stage = Stage(seed)
    expected: Counter[str] = Counter()
    case = AdlCase.STUCK_LENDER
    scales = [10**about.decimals for about in stage.parameters.assets]

    prices = stage.reference.queries.price
    marks = [prices(asset).mark for asset in range(len(scales))]

    def worth(asset: int, quantity: int) -> int:
        return ceil(Fraction(quantity * marks[asset] * 10**6, PRICE_SCALE * scales[asset]))

    for _, events in stage.play(500):
        for event in events:
            if isinstance(event, IndexUpdated | MarkUpdated):
                marks[event.asset] = event.mark
            elif isinstance(event, w.AdlOpened):
                case = event.case
            elif isinstance(event, Repaid) and event.source is Source.LIQUIDATION:
                expected["BOOK"] += worth(event.asset, event.quantity)
            elif isinstance(event, w.BackstopFilled):
                expected["BACKSTOP"] += worth(event.debt_asset, event.debt_quantity)
            elif isinstance(event, w.AdlMatched):
                name = "OPPOSITES" if case is AdlCase.OPPOSITES else "ADL"
                expected[name] += worth(event.asset, event.quantity)
            elif isinstance(event, w.DebtWrittenOff):
                expected["DEFICIT"] += worth(event.asset, event.quantity)
        assert marks == [prices(asset).mark for asset in range(len(scales))]
    found = stage.publisher.bridge
    assert {each.value: found.ended[each] for each in Ended if found.ended[each]} == dict(expected)
    assert found.owed == expected.total()


def test_what_is_shown_adds_up() -> None:
    ended = set()
    for seed in SEEDS:
        stage = Stage(seed)
        for _ in stage.play(500):
            pass
        shown = bridge_shown(stage.publisher.bridge)
        left = Decimal(shown.owed)
        for each in shown.stages:
            left -= Decimal(each.value)
            assert Decimal(each.left) == left
            if each.settlements:
                ended.add(each.stage)
        assert left == 0
        assert Decimal(shown.owed) == Decimal(shown.received) + Decimal(shown.deficit)
        assert Decimal(shown.deficit) == Decimal(shown.stages[-1].value)
    assert ended == {each.value for each in Ended}
