"""A trigger in a scenario's file: `{ asset = "SOL", falls = 0.1 }`, or `rises`."""

from solvent.domain.units import RATIO
from solvent.lab.scenario.fields import Fields
from solvent.lab.scenario.model import Trigger

MOST_RISE = 100 * RATIO


def read_trigger(fields: Fields, asset: int) -> Trigger:
    """The trigger of a table whose `asset` has been read. InputError where it says both or none."""
    falls, rises = (
        fields.ratio("falls", 0, high=RATIO - 1),
        fields.ratio("rises", 0, high=MOST_RISE),
    )
    if bool(falls) == bool(rises):
        raise fields.error("falls", "give either `falls` or `rises`, above zero")
    return Trigger(asset, rises - falls)
