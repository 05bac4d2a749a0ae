"""Triggers: what people do not at a time but when a price has moved so far since the start.

A trigger is looked at at every step, with that step's prices, and fires once. Nobody knows it
before, so what hangs on it works in a run and in a market that is served alike.
"""

from collections.abc import Iterable

from solvent.domain.units import RATIO
from solvent.lab.prices.feed import PriceAt
from solvent.lab.scenario.model import Trigger


class Watch:
    """When each of some triggers fired, in microseconds after the start."""

    def __init__(self, triggers: Iterable[Trigger], first: PriceAt) -> None:
        self._first = {each: first(each.asset) for each in triggers}
        self.fired: dict[Trigger, int] = {}

    def look(self, after: int, price: PriceAt) -> list[Trigger]:
        """Those that fire at these prices."""
        new = [
            trigger
            for trigger, first in self._first.items()
            if trigger not in self.fired and _moved(trigger, first, price(trigger.asset))
        ]
        self.fired.update(dict.fromkeys(new, after))
        return new


def _moved(trigger: Trigger, first: int, now: int) -> bool:
    """Whether the price has come as far as the trigger says, compared without a division."""
    edge = first * (RATIO + trigger.move)
    return now * RATIO <= edge if trigger.move < 0 else now * RATIO >= edge
