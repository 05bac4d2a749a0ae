"""The depth of a run's book as a record: which curve, where it comes from, and what was assumed.

Which of it is measured and which is made up only the scenario can say: `basis` is what it says.
"""

from decimal import Decimal
from typing import Any

from solvent.domain.units import RATIO, SECOND, VALUE_DECIMALS, format_decimal
from solvent.lab.prices.paths import time_text
from solvent.lab.scenario.model import Scenario

BASIS_POINTS = 10_000


def depth_record(scenario: Scenario) -> dict[str, Any]:
    """The bands in USDC as they were quoted in calm, the thinning, and the scenario's own words."""
    depth = scenario.depth
    multipliers = [multiplier for _, multiplier in depth.thinning]
    thinnest = min(depth.thinning, key=lambda point: point[1], default=None)
    return {
        "bands": [
            {
                "asset": scenario.parameters.assets[curve.asset].symbol,
                "basis_points": str(Decimal(distance) * BASIS_POINTS / RATIO),
                "usdc": format_decimal(value * depth.scale // RATIO, VALUE_DECIMALS),
            }
            for curve in depth.curves
            for distance, value in curve.bands
        ],
        "scale": depth.scale / RATIO,
        "recovery_seconds": depth.recovery / SECOND,
        "thinnest": min(multipliers, default=RATIO) / RATIO,
        "thinnest_at": None if thinnest is None else time_text(scenario.start + thinnest[0]),
        "basis": depth.basis,
    }
