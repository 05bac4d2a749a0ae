"""What each party has at the end, counted again from the engine, and payments in kind later."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from solvent.domain import commands as c
from solvent.domain.events import Deposited, IndexUpdated, Withdrawn
from solvent.domain.labels import AdlCase, LegForm, Tier
from solvent.domain.parameters import EngineParameters, Policy
from solvent.domain.units import HOUR, PRICE_SCALE
from solvent.domain.waterfall_events import AdlLeg, AdlOpened
from solvent.foresight.marks import Marks
from solvent.lab.report.later import KindLater
from solvent.lab.report.parties import Parties, Party
from solvent.reference.engine import ReferenceEngine
from tests.lab.run_helpers import packaged, small

SOL = 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["crash-2025-10-10", "short-squeeze", "quiet"])
def test_profits_of_all_parties_add_up_and_no_token_is_lost(name: str) -> None:
    kept = packaged(name, 60)
    parties = kept.figures["parties"]
    rows = parties["parties"]
    assert sum(row["accounts"] for row in rows) == len(kept.state.accounts)
    profits = sum(Decimal(row["profit"]) for row in rows) + Decimal(parties["pools"])
    # Each row is rounded to 10^-6 USDC on its own.
    assert abs(profits - Decimal(parties["total"])) <= Decimal(len(rows) + 2) / 10**6
    assert [token["lost_atoms"] for token in parties["tokens"]] == [0] * len(parties["tokens"])
    for row in rows:
        begun, brought, end = (Decimal(row[key]) for key in ("start", "brought", "end"))
        assert abs(end - begun - brought - Decimal(row["profit"])) <= Decimal(3) / 10**6
        assert Decimal(row["worst"]) <= Decimal(row["median"]) <= Decimal(row["best"])


def market(folder: Path) -> tuple[EngineParameters, ReferenceEngine, Marks]:
    """Accounts 2 and 3 with 100 SOL and 1,000 USDC at 200."""
    parameters = small(folder).parameters
    engine, marks = ReferenceEngine(parameters), Marks(parameters)
    tell(engine, [marks], c.OpenAccount(2), c.OpenAccount(3), quote(200))
    tell(engine, [marks], c.Deposit(2, SOL, 100 * 10**9), c.Deposit(3, 0, 1000 * 10**6))
    return parameters, engine, marks


def quote(price: int) -> c.UpdatePrice:
    scaled = price * PRICE_SCALE
    return c.UpdatePrice(SOL, 0, scaled, scaled, scaled)


def tell(engine: ReferenceEngine, listeners: list[Any], *commands: c.Command) -> None:
    """Carry commands out and let those who listen hear of it."""
    kinds = {Marks: IndexUpdated, Parties: Deposited | Withdrawn}
    for entry in engine.apply(list(commands)):
        for event in entry.events:
            for listener in listeners:
                if isinstance(event, kinds[type(listener)]):
                    listener.update(event)


def test_a_profit_is_what_marks_did_to_what_was_there(tmp_path: Path) -> None:
    _, engine, marks = market(tmp_path)
    parties = Parties(marks, [Party("one", [2]), Party("other", [3]), Party("nobody", [])])
    parties.begin(engine.queries)
    heard = [marks, parties]
    tell(engine, heard, quote(190), c.Deposit(2, SOL, 10 * 10**9), c.Withdraw(3, 0, 400 * 10**6))
    tell(engine, heard, quote(180))
    parties.end(engine.queries)
    result = parties.result()
    one, other = result["parties"]
    # 100 SOL fall by 20; 10 SOL brought at 190 fall by 10.
    assert (one["brought"], one["profit"]) == ("1900", "-2100")
    assert (other["start"], other["brought"], other["end"]) == ("1000", "-400", "600")
    assert (other["profit"], result["total"]) == ("0", "-2100")
    assert [token["lost_atoms"] for token in result["tokens"]] == [0, 0]


def test_tokens_that_vanish_are_counted(tmp_path: Path) -> None:
    _, engine, marks = market(tmp_path)
    parties = Parties(marks, [Party("one", [2])])
    parties.begin(engine.queries)
    engine.state.accounts[2].available[SOL] -= 7
    parties.end(engine.queries)
    assert [token["lost_atoms"] for token in parties.result()["tokens"]] == [0, 7]


def opened(asset: int) -> AdlOpened:
    return AdlOpened(
        1, asset, AdlCase.BORROWER_DEFAULT, Policy.PRO_RATA, Tier.IN_KIND, 2, 0, 0, 1, 1, 1
    )


def leg(asset: int, form: LegForm, quantity: int) -> AdlLeg:
    return AdlLeg(1, 0, 2, 3, asset, 1, form, quantity, 0, 0, Tier.IN_KIND)


@pytest.mark.parametrize(("late", "hour"), [(0, ("400", "300")), (1, ("0", "0"))])
def test_a_payment_in_kind_is_valued_at_the_first_step_an_hour_on(
    late: int, hour: tuple[str, str], tmp_path: Path
) -> None:
    parameters, _, marks = market(tmp_path)
    later = KindLater(marks, parameters.start_time)
    now = parameters.start_time + 5
    later.step(now)
    # USDC, the token itself and a claim are no payment in kind.
    for event in (opened(0), leg(SOL, LegForm.AVAILABLE, 2 * 10**9), leg(0, LegForm.AVAILABLE, 9)):
        later.update(event)
    for event in (leg(SOL, LegForm.CLAIM, 7), opened(SOL), leg(SOL, LegForm.AVAILABLE, 10**9)):
        later.update(event)
    marks.update(IndexUpdated(SOL, 150 * PRICE_SCALE, 150 * PRICE_SCALE))
    later.step(now + HOUR - late)
    marks.update(IndexUpdated(SOL, 100 * PRICE_SCALE, 100 * PRICE_SCALE))
    result = later.result()
    assert tuple(result["after"][0][key] for key in ("paid", "worth")) == hour
    assert result["after"][0]["hours"] == 1
    assert result["end"] == {"paid": "400", "worth": "200"}
