"""[impact] and [[oracle]]: how the market answers to what is eaten, and what its oracle gets wrong.

[impact]    whole, recovery_seconds, lasting, basis
[[oracle]]  asset, do, at, until, sources, and what the fault needs: times, at_most, by_seconds
"""

from collections.abc import Callable, Sequence

from solvent.domain.parameters import EngineParameters
from solvent.domain.units import INT64_MAX, PRICE_DECIMALS, RATIO
from solvent.lab.scenario.fields import Fields
from solvent.lab.scenario.model import Depth, Fault, Impact, OracleFault

MOST_BOOKS = 1000 * RATIO
MOST_TIMES = 100 * RATIO
NO_BASIS = "the scenario does not say what of this was measured: take all of it for an assumption"

AfterStart = Callable[[Fields, str], int]
"""Microseconds from the start to the moment that a field names."""
AssetOf = Callable[[Fields, str], int]
"""The number of the asset whose symbol a field holds."""


def read_impact(root: Fields, depth: Depth) -> Impact | None:
    """The table [impact], None where there is none. InputError without a book to be eaten."""
    if root.skip("impact"):
        return None
    fields = root.table("impact")
    if not depth.curves:
        raise root.error("impact", "needs a book that can be eaten; add [depth], or leave it out")
    impact = Impact(
        whole=fields.ratio("whole", low=1, high=MOST_BOOKS),
        recovery=fields.seconds("recovery_seconds"),
        lasting=fields.ratio("lasting", 0, high=RATIO),
        basis=fields.text("basis", NO_BASIS),
    )
    fields.close()
    return impact


def read_oracle(
    tables: Sequence[Fields], parameters: EngineParameters, after: AfterStart, asset_of: AssetOf
) -> tuple[OracleFault, ...]:
    """The faults of [[oracle]], in the file's order."""
    return tuple(_fault(fields, parameters, after, asset_of) for fields in tables)


def _fault(
    fields: Fields, parameters: EngineParameters, after: AfterStart, asset_of: AssetOf
) -> OracleFault:
    asset, fault = asset_of(fields, "asset"), fields.choice("do", Fault)
    if not asset:
        raise fields.error("asset", "USDC is the unit of account and has no oracle; name another")
    since = after(fields, "at")
    until = INT64_MAX if fields.skip("until") else after(fields, "until")
    if until <= since:
        raise fields.error("until", "must come after `at`")
    amount = 0
    if fault is Fault.WRONG:
        amount = fields.ratio("times", low=1, high=MOST_TIMES)
    elif fault is Fault.CAP:
        amount = fields.number("at_most", PRICE_DECIMALS, low=1, high=INT64_MAX // 4)
    elif fault is Fault.LATE:
        amount = fields.seconds("by_seconds")
    sources = fields.counts("sources", ())
    count = len(parameters.assets[asset].price.source_weights)
    if any(source >= count for source in sources):
        raise fields.error("sources", f"are numbered from 0; the asset has {count}")
    fields.close()
    return OracleFault(asset, since, until, fault, amount, sources)
