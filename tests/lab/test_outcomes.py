"""What each party has at the end, counted again from the engine, and payments in kind later."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from solvent.domain import commands as c
from solvent.domain.events import Borrowed, Deposited, IndexUpdated, Lent, Withdrawn
from solvent.domain.labels import AdlCase, LegForm, Tier
from solvent.domain.parameters import EngineParameters, Policy
from solvent.domain.units import HOUR, PRICE_SCALE
from solvent.domain.waterfall_events import AdlLeg, AdlOpened
from solvent.engine.engine import FastEngine
from solvent.foresight.marks import Marks
from solvent.lab.people.roles import Role
from solvent.lab.report.later import KindLater
from solvent.lab.report.parties import Parties, Party
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from solvent.reference.engine import ReferenceEngine
from tests.lab.run_helpers import RUNNABLE, packaged, small
from tests.proof import proves

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


def order(account: int, side: c.Side, quantity: int) -> list[c.Command]:
    """A limit order for so many SOL at 200."""
    return [
        c.PlaceOrder(account, SOL, side, price=200 * PRICE_SCALE, quantity=quantity * 10**9),
    ]


def holdings(result: Any, asset: str) -> dict[str, tuple[Any, ...]]:
    """What each role had, got, gave and has of an asset, and the net in atoms."""
    keys = ("start", "came_in", "went_out", "end", "sum_atoms")
    rows = (row for row in result["holdings"] if row["asset"] == asset)
    return {row["role"]: tuple(row[key] for key in keys) for row in rows}


def tell(engine: ReferenceEngine, listeners: list[Any], *commands: c.Command) -> None:
    """Carry commands out and let those who listen hear of it."""
    kinds = {Marks: IndexUpdated, Parties: Deposited | Withdrawn | Lent | Borrowed}
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


def test_what_comes_in_to_one_role_goes_out_of_another(tmp_path: Path) -> None:
    """Account 2 sells two tokens to a maker; both have to do with the outside as well."""
    _, engine, marks = market(tmp_path)
    parties = Parties(marks, [Party("maker", [3], Role.MAKER), Party("people", [2])])
    parties.begin(engine.queries)
    heard = [marks, parties]
    tell(engine, heard, c.Deposit(2, SOL, 10 * 10**9), c.Withdraw(3, 0, 400 * 10**6))
    tell(engine, heard, *order(3, c.Side.BID, 2), *order(2, c.Side.ASK, 2))
    parties.end(engine.queries)
    result = parties.result()
    assert holdings(result, "SOL") == {
        "holders": ("100", "10", "2", "108", 8 * 10**9),
        "market makers": ("0", "2", "0", "2", 2 * 10**9),
        "outside": ("0", "0", "10", "-10", -10 * 10**9),
        "together": ("100", "12", "12", "100", 0),
    }
    assert holdings(result, "USDC") == {
        "holders": ("0", "400", "0", "400", 400 * 10**6),
        "market makers": ("1000", "0", "800", "200", -800 * 10**6),
        "outside": ("0", "400", "0", "400", 400 * 10**6),
        "together": ("1000", "800", "800", "1000", 0),
    }


def test_roles_are_told_by_what_accounts_do(tmp_path: Path) -> None:
    """3 lends, 4 comes later and borrows against what it brings, 2 does neither."""
    _, engine, marks = market(tmp_path)
    people = [2, 3]
    parties = Parties(marks, [Party("people", people)])
    parties.begin(engine.queries)
    people.append(4)
    heard = [marks, parties]
    tell(engine, heard, c.OpenAccount(4), c.Deposit(4, SOL, 10**9), c.Lend(3, 0, 900 * 10**6))
    tell(engine, heard, c.Borrow(4, 0, 50 * 10**6), c.Repay(4, 0, 50 * 10**6))
    tell(engine, heard, quote(150))
    parties.end(engine.queries)
    rows = {row["role"]: row for row in parties.result()["roles"]}
    assert {name: row["worst_account"] for name, row in rows.items()} == {
        "lenders": 3,
        "borrowers": 4,
        "holders": 2,
    }
    assert (rows["holders"]["profit"], rows["borrowers"]["start"]) == ("-5000", "0")
    assert (rows["borrowers"]["brought"], rows["borrowers"]["profit"]) == ("200", "-50")


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNNABLE)
@proves("A10")
def test_nothing_is_made_or_lost_in_any_packaged_scenario(name: str) -> None:
    result = run(load_scenario(name), accounts=60, engine_factory=FastEngine)
    parties = result.figures["parties"]
    rows = parties["holdings"]
    for asset in result.figures["assets"]:
        nets = {row["role"]: row["sum_atoms"] for row in rows if row["asset"] == asset}
        assert nets.pop("together") == sum(nets.values()) == 0
        (together,) = (row for row in rows if (row["asset"], row["role"]) == (asset, "together"))
        assert together["came_in"] == together["went_out"]
        assert together["start"] == together["end"]
    counted = sum(row["accounts"] for row in parties["roles"])
    assert counted == sum(row["accounts"] for row in parties["parties"])
    by_role, by_party = (
        sum((Decimal(row["profit"]) for row in parties[each]), Decimal(0))
        for each in ("roles", "parties")
    )
    # Each row is rounded to 10^-6 USDC on its own.
    assert abs(by_role - by_party) <= Decimal(len(parties["parties"]) + 7) / 10**6


def test_tokens_that_vanish_are_counted(tmp_path: Path) -> None:
    _, engine, marks = market(tmp_path)
    parties = Parties(marks, [Party("one", [2])])
    parties.begin(engine.queries)
    engine.state.accounts[2].available[SOL] -= 7
    parties.end(engine.queries)
    result = parties.result()
    assert [token["lost_atoms"] for token in result["tokens"]] == [0, 7]
    assert holdings(result, "SOL")["together"][-1] == -7


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
