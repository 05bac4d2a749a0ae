"""A trigger in a scenario's file: `{ asset = "SOL", falls = 0.1 }`, or `rises`, or `fills`."""

from solvent.domain.units import RATIO
from solvent.lab.scenario.fields import Fields
from solvent.lab.scenario.model import Trigger

MOST_RISE = 100 * RATIO


def read_trigger(fields: Fields, asset: int) -> Trigger:
    """The trigger of a table whose `asset` has been read. InputError unless it says one thing."""
    falls, rises, fills = (
        fields.ratio("falls", 0, high=RATIO - 1),
        fields.ratio("rises", 0, high=MOST_RISE),
        fields.ratio("fills", 0, high=RATIO),
    )
    if (falls > 0) + (rises > 0) + (fills > 0) != 1:
        raise fields.error("falls", "give either `falls` or `rises` or `fills`, above zero")
    return Trigger(asset, rises - falls, fills)
