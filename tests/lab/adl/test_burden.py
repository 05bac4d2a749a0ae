"""Who bore ADL: shares over all rounds, their unevenness, regret, and what was out of order."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

from solvent.domain.labels import AdlCase, Stage
from solvent.domain.parameters import Policy
from solvent.domain.waterfall_events import AdlCandidate, AdlOpened, PartyHealth
from solvent.foresight.marks import Marks
from solvent.lab.adl.burden import Burden
from tests.tables.market import plain_parameters


def opened(
    case: AdlCase = AdlCase.STUCK_LENDER, asset: int = 0, policy: Policy = Policy.LEVERAGE
) -> AdlOpened:
    zeros: dict[str, Any] = {each.name: 0 for each in fields(AdlOpened)}
    return AdlOpened(**(zeros | {"case": case, "asset": asset, "policy": policy}))


def candidate(
    account: int, position: int, allotted: int, assets: int = 2, cap: int | None = None
) -> AdlCandidate:
    return AdlCandidate(0, account, position, assets, 1, position if cap is None else cap, allotted)


def burden(*events: AdlOpened | AdlCandidate | PartyHealth) -> dict[str, Any]:
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


MILLION = 10**6


def crowd(policy: Policy) -> list[AdlCandidate]:
    """Three who can be asked, as a policy asks them for 600,000 of 3,000,000."""
    parts = {Policy.PRO_RATA: (200, 200, 200), Policy.LARGEST_LOAN: (600, 0, 0)}[policy]
    return [
        AdlCandidate(
            round=0,
            account=2 + place,
            position=MILLION - place * (policy is Policy.LARGEST_LOAN),
            assets_value=4 * MILLION,
            total_value=2 * MILLION,
            cap=MILLION - place * (policy is Policy.LARGEST_LOAN),
            allotted=1000 * part,
        )
        for place, part in enumerate(parts)
    ]


def test_who_splits_his_account_saves_all_where_the_largest_pays() -> None:
    found = burden(opened(policy=Policy.LARGEST_LOAN), *crowd(Policy.LARGEST_LOAN))
    assert Decimal(found["sybil_gain"]) == 1
    found = burden(opened(policy=Policy.PRO_RATA), *crowd(Policy.PRO_RATA))
    assert Decimal(found["sybil_gain"]) == 0


def test_rounds_of_less_than_a_cent_tell_of_no_gain() -> None:
    found = burden(
        opened(policy=Policy.LARGEST_LOAN), candidate(1, 9_999, 9_999), candidate(2, 9, 0)
    )
    assert Decimal(found["sybil_gain"]) == 0


def health(after: int, equity: int, account: int = 1, stage: Stage = Stage.ADL) -> PartyHealth:
    return PartyHealth(stage, 0, 0, after, account, 0, equity, 0, 100)


def test_health_is_what_rounds_made_of_it() -> None:
    found = burden(
        opened(),
        *(health(0, 150), health(0, 200, account=2)),
        *(health(1, 190), health(1, 170, account=2)),
        *(health(0, 0, stage=Stage.BACKSTOP), health(1, 99, stage=Stage.BACKSTOP)),
    )
    assert Decimal(found["health"]) == Decimal("0.00001")
    assert Decimal(found["hurt"]) == Decimal("0.00003")
    assert burden(opened(AdlCase.OPPOSITES), health(0, 0), health(1, 9))["health"] == "0"
