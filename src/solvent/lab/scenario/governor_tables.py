"""[[governors]]: who moves a pool's curve as its utilization goes (`people.governors`).

[[governors]]  asset, rule, every_seconds, target, rate, steepness, lowest, highest,
               speed (adaptive), proportional, integral, derivative (pid)
"""

from collections.abc import Sequence

from solvent.domain.parameters import MAX_APR, EngineParameters
from solvent.domain.units import RATIO
from solvent.lab.scenario.fields import Fields
from solvent.lab.scenario.market_tables import AssetOf
from solvent.lab.scenario.model import Governor, Rule

POINTS = 3
"""What a governed curve has: empty, the target, full."""
MOST_GAIN = 1000 * RATIO
USUAL = {"steepness": 4, "speed": 50, "proportional": 2, "integral": 1, "derivative": 0}
"""Those of the adaptive curve are Morpho's (read 2026-11-22); those of the other one are ours."""


def read_governors(
    tables: Sequence[Fields], parameters: EngineParameters, asset_of: AssetOf
) -> tuple[Governor, ...]:
    """The governors in the file's order, one an asset at most."""
    found: list[Governor] = []
    for fields in tables:
        governor = _governor(fields, parameters, asset_of)
        if any(each.asset == governor.asset for each in found):
            raise fields.error("asset", "has a governor already; leave one of them out")
        found.append(governor)
    return tuple(found)


def _governor(fields: Fields, parameters: EngineParameters, asset_of: AssetOf) -> Governor:
    asset = asset_of(fields, "asset")
    count = len(parameters.assets[asset].pool.curve.points)
    if count != POINTS:
        reason = f"its curve has {count} points; a governed one has three: empty, target, full"
        raise fields.error("asset", reason)
    lowest = fields.ratio("lowest", RATIO // 1000, high=MAX_APR)
    highest = fields.ratio("highest", 2 * RATIO, low=lowest, high=MAX_APR)
    governor = Governor(
        asset=asset,
        rule=fields.choice("rule", Rule),
        every=fields.seconds("every_seconds"),
        target=fields.ratio("target", low=1, high=RATIO - 1),
        rate=fields.ratio("rate", low=lowest, high=highest),
        steepness=fields.ratio("steepness", USUAL["steepness"] * RATIO, low=RATIO, high=MOST_GAIN),
        lowest=lowest,
        highest=highest,
        speed=fields.ratio("speed", USUAL["speed"] * RATIO, high=MOST_GAIN),
        proportional=fields.ratio("proportional", USUAL["proportional"] * RATIO, high=MOST_GAIN),
        integral=fields.ratio("integral", USUAL["integral"] * RATIO, high=MOST_GAIN),
        derivative=fields.ratio("derivative", USUAL["derivative"] * RATIO, high=MOST_GAIN),
    )
    fields.close()
    return governor
