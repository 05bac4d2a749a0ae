"""Triggers: what people do not at a time but when a price has moved so far, or a pool is so full.

A trigger is looked at at every step, with that step's prices, and fires once. Nobody knows it
before, so what hangs on it works in a run and in a market that is served alike.
"""

from collections.abc import Callable, Iterable

from solvent.domain.units import RATIO
from solvent.lab.prices.feed import PriceAt
from solvent.lab.scenario.model import Trigger

UtilizationOf = Callable[[int], int]
"""How much of an asset's pool is lent out, 10^-9."""


class Watch:
    """When each of some triggers fired, in microseconds after the start."""

    def __init__(self, triggers: Iterable[Trigger], first: PriceAt) -> None:
        self._first = {each: first(each.asset) for each in triggers}
        self.fired: dict[Trigger, int] = {}

    def look(self, after: int, price: PriceAt, utilization: UtilizationOf) -> list[Trigger]:
        """Those that fire at these prices, with pools so full."""
        new = [
            trigger
            for trigger, first in self._first.items()
            if trigger not in self.fired and _fires(trigger, first, price, utilization)
        ]
        self.fired.update(dict.fromkeys(new, after))
        return new


def _fires(trigger: Trigger, first: int, price: PriceAt, utilization: UtilizationOf) -> bool:
    """Whether the price, or the pool, has come as far as the trigger says, without a division."""
    if trigger.utilization:
        return utilization(trigger.asset) >= trigger.utilization
    now, edge = price(trigger.asset), first * (RATIO + trigger.move)
    return now * RATIO <= edge if trigger.move < 0 else now * RATIO >= edge
