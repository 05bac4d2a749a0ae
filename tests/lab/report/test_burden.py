"""Who bore ADL: shares over all rounds, their unevenness, regret, and what was out of order."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

from solvent.domain.labels import AdlCase
from solvent.domain.waterfall_events import AdlCandidate, AdlOpened
from solvent.foresight.marks import Marks
from solvent.lab.report.burden import Burden
from tests.tables.market import plain_parameters


def opened(case: AdlCase = AdlCase.STUCK_LENDER, asset: int = 0) -> AdlOpened:
    zeros: dict[str, Any] = {each.name: 0 for each in fields(AdlOpened)}
    return AdlOpened(**(zeros | {"case": case, "asset": asset}))


def candidate(
    account: int, position: int, allotted: int, assets: int = 2, cap: int | None = None
) -> AdlCandidate:
    return AdlCandidate(0, account, position, assets, 1, position if cap is None else cap, allotted)


def burden(*events: AdlOpened | AdlCandidate) -> dict[str, Any]:
    found = Burden(Marks(plain_parameters()))
    for event in events:
        found.update(event)
    return found.result()


def test_nobody_is_asked() -> None:
    assert set(map(Decimal, map(str, burden().values()))) == {0}


def test_equal_shares_leave_nothing_to_regret() -> None:
    found = burden(opened(), candidate(1, 100, 10), candidate(2, 50, 5))
    assert (found["asked"], found["candidates"]) == (2, 2)
    assert Decimal(found["largest_share"]) == Decimal("0.1")
    assert Decimal(found["regret"]) == Decimal(found["gini"]) == 0


def test_one_who_pays_all_is_told_from_the_common_share() -> None:
    """20 of 100 is 0.2 where 20 of 200 is common; of two shares, one zero, Gini is a half."""
    found = burden(opened(), candidate(1, 100, 20), candidate(2, 100, 0))
    assert (found["asked"], found["candidates"]) == (1, 2)
    assert Decimal(found["largest_share"]) == Decimal("0.2")
    assert Decimal(found["regret"]) == Decimal("0.1")
    assert Decimal(found["gini"]) == Decimal("0.5")


def test_rounds_add_up_to_a_share_of_the_position_at_its_largest() -> None:
    """10 of 100 and then 45 of the 90 that are left are 55 of 100."""
    found = burden(opened(), candidate(1, 100, 10), opened(), candidate(1, 90, 45))
    assert Decimal(found["largest_share"]) == Decimal("0.55")


def test_what_the_less_levered_give_while_others_have_room_is_out_of_order() -> None:
    kept = burden(opened(), candidate(1, 10, 10, assets=9), candidate(2, 10, 5, assets=3))
    assert Decimal(kept["out_of_order"]) == 0
    broken = burden(opened(), candidate(1, 10, 5, assets=9), candidate(2, 10, 15, assets=3))
    assert Decimal(broken["out_of_order"]) == Decimal("0.75")


def test_opposites_are_asked_of_nobody() -> None:
    assert burden(opened(AdlCase.OPPOSITES), candidate(1, 100, 20))["asked"] == 0
