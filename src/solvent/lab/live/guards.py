"""Guards: what keeps one wrong quote from being the price of a market that people trade in.

A run has one source, its own, and believes it. A served market has an oracle that can be wrong: an
asset of which its scenario names one source gets three of equal weight, so that two must be fresh
for an index and each is held near the median of all; one of which it names no cap gets one. What a
scenario does say, a source's weights or a cap, stays.
"""

from dataclasses import replace

from solvent.domain.parameters import USDC, AssetParameters
from solvent.domain.units import RATIO
from solvent.lab.scenario.model import Scenario

SOURCES = 3
"""How many sources the price of an asset has where the scenario names one."""
MOST_MOVE = RATIO * 1 // 100
"""The most that an index moves in each `move_time`, a second unless the scenario says otherwise."""


def guarded(scenario: Scenario, sources: int = SOURCES) -> Scenario:
    """The scenario with guards on the price of every asset but USDC, which is 1 by definition."""
    assets = tuple(
        asset if number == USDC else _guarded(asset, sources)
        for number, asset in enumerate(scenario.parameters.assets)
    )
    return replace(scenario, parameters=replace(scenario.parameters, assets=assets))


def _guarded(asset: AssetParameters, sources: int) -> AssetParameters:
    price = asset.price
    if len(price.source_weights) == 1:
        price = replace(price, source_weights=(1,) * sources)
    return replace(asset, price=replace(price, max_move=price.max_move or MOST_MOVE))
