"""The checks of a run against itself: with half the step, and with half and twice the depth.

A result that hangs on the step of a run is no result.

The step of a scenario spans quiet time alone: prices act at their own times, and the waterfall and
the depth that it meets go by the second. What is left of the step is when members act and how often
makers are asked in between. A run with half the step says how much that is.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from solvent.domain.units import SECOND

PLACES = 6


def compared(step: int, whole: Mapping[str, Any], half: Mapping[str, Any]) -> dict[str, Any]:
    """Stages, deficits and accounts of both runs; `largest` is the furthest that they are apart.

    It is the largest difference of a stage's value, as a part of all that was cleared.
    """
    stages = [
        {"stage": one["stage"], "value": one["value"], "half": other["value"]}
        for one, other in zip(whole["stages"], half["stages"], strict=True)
    ]
    cleared = sum(Decimal(each["value"]) for each in stages)
    apart = max(abs(Decimal(each["value"]) - Decimal(each["half"])) for each in stages)
    return {
        "step_seconds": step / SECOND,
        "half_seconds": step // 2 / SECOND,
        "stages": stages,
        "liquidated": [whole["liquidated_accounts"], half["liquidated_accounts"]],
        "largest": round(float(apart / cleared), PLACES) if cleared else 0.0,
    }


def depths_compared(
    half: Mapping[str, Any], whole: Mapping[str, Any], twice: Mapping[str, Any]
) -> dict[str, Any]:
    """Stages, accounts and recovery of the run beside those with half and with twice its depth."""
    runs = (half, whole, twice)
    return {
        "stages": [
            {"stage": rows[0]["stage"], "values": [each["value"] for each in rows]}
            for rows in zip(*(each["stages"] for each in runs), strict=True)
        ],
        "liquidated": [each["liquidated_accounts"] for each in runs],
        "recovery": [each["lenders"]["recovery"] for each in runs],
    }
