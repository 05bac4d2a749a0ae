"""The record of a liquidated account, event by event: what cleared its debts and what it cost."""

from pathlib import Path

from solvent.domain.commands import Side
from solvent.domain.events import Event, Filled, MarkUpdated, Repaid
from solvent.domain.labels import AdlCase, LegForm, Reason, Source, Stage, SystemOrder, Tier
from solvent.domain.units import PRICE_SCALE
from solvent.domain.waterfall_events import (
    AdlLeg,
    AdlMatched,
    AdlOpened,
    BackstopFilled,
    BackstopLeg,
    DebtWrittenOff,
    HandedOver,
    LiquidationEnded,
    LiquidationStarted,
)
from solvent.foresight.marks import Marks
from solvent.lab.report.liquidated import Liquidated
from solvent.lab.report.parties import Party
from solvent.lab.report.recovery import Recovery
from tests.lab.run_helpers import small

USDC, SOL = 0, 1
UNIT, TOKEN = 10**6, 10**9
MARK = 200 * PRICE_SCALE


def marks(folder: Path) -> Marks:
    found = Marks(small(folder).parameters)
    found.update(MarkUpdated(SOL, MARK, MARK))
    return found


def filled(side: Side, price: int, fee: int, order: SystemOrder) -> Filled:
    quote = price * UNIT
    taker = (9, side, price * PRICE_SCALE, TOKEN, quote, fee, 0, 0, 0, order)
    return Filled(1, SOL, 1, 2, 5, *taker)


def matched(lender: int, payer: int, value: int, fee: int) -> AdlMatched:
    return AdlMatched(1, 0, lender, payer, payer, SOL, MARK, TOKEN, value, fee, 1, 1)


def opened(case: AdlCase) -> AdlOpened:
    return AdlOpened(1, SOL, case, 0, Tier(1), USDC, 0, 0, MARK, TOKEN, TOKEN)


def told(folder: Path, *events: Event) -> dict[str, object]:
    """The record of account 5 after its liquidation began and these events."""
    times = iter(range(10**6, 10**9, 10**6))
    record = Liquidated(marks(folder), (Party("longs", (5,)),), {5: "0xabc"}, lambda: next(times))
    for event in (LiquidationStarted(5, 90, 100, 1000, 95), *events):
        record.update(event)
    (found,) = record.result()
    return found


def test_fills_cost_what_they_are_away_from_the_mark_and_the_fee(tmp_path: Path) -> None:
    book = SystemOrder.BOOK_LIQUIDATION
    sold = told(tmp_path, filled(Side.ASK, 195, UNIT, book))
    bought = told(tmp_path, filled(Side.BID, 203, 0, book))
    gained = told(tmp_path, filled(Side.ASK, 202, 0, book))
    own = told(tmp_path, filled(Side.ASK, 195, UNIT, SystemOrder.USER))
    assert [each["cost"] for each in (sold, bought, gained, own)] == ["6", "3", "-2", "0"]


def test_a_provider_costs_what_goes_with_a_debt_beyond_its_value(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        HandedOver(5, Stage.BOOK, Reason.PRICE_GAP, USDC, 100),
        BackstopFilled(1, 5, 8, USDC, PRICE_SCALE, 100 * UNIT, 100 * UNIT, 1, 0, 0),
        BackstopLeg(1, 5, 8, SOL, MARK, LegForm.AVAILABLE, TOKEN * 52 // 100, 104 * UNIT, 0),
        BackstopLeg(1, 5, 0, SOL, MARK, LegForm.AVAILABLE, TOKEN // 100, 2 * UNIT, 0),
    )
    assert (found["backstop"], found["cost"], found["reasons"]) == ("100", "6", ["price_gap"])
    assert found["debts"] == ["USDC"]


def test_adl_costs_its_fee(tmp_path: Path) -> None:
    default = told(tmp_path, opened(AdlCase.BORROWER_DEFAULT), matched(7, 5, 202 * UNIT, 2 * UNIT))
    assert (default["adl_borrower_default"], default["cost"]) == ("200", "2")
    opposite = told(tmp_path, opened(AdlCase.OPPOSITES), matched(5, 7, 198 * UNIT, 2 * UNIT))
    assert (opposite["adl_opposites"], opposite["cost"]) == ("200", "2")
    payer = told(tmp_path, opened(AdlCase.STUCK_LENDER), matched(7, 5, 200 * UNIT, 0))
    assert (payer["adl_stuck_lender"], payer["cleared"]) == ("0", "0")


def test_an_account_may_come_in_more_than_once(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        Repaid(5, USDC, 30 * UNIT, 1, Source.LIQUIDATION),
        Repaid(5, USDC, 70 * UNIT, 1, Source.MANUAL),
        LiquidationEnded(5, 0, 0, 1, 0),
        LiquidationStarted(5, 80, 90, 900, 85),
        DebtWrittenOff(1, 5, SOL, TOKEN, 200 * UNIT, 1, TOKEN, 0, 0),
    )
    assert (found["times"], found["outcome"], found["ended"]) == (2, "in the waterfall", None)
    assert (found["book"], found["deficit"], found["cleared"]) == ("30", "200", "230")
    assert (found["name"], found["party"], found["net_equity"]) == ("0xabc", "longs", "0.00009")
    closed = told(tmp_path, LiquidationEnded(5, 0, 0, 0, 0))
    assert (closed["outcome"], closed["ended"]) == ("closed", "1970-01-01T00:00:02+00:00")


def test_lenders_are_told_by_account_and_by_what_they_got(tmp_path: Path) -> None:
    known = marks(tmp_path)
    record = Recovery(known, {7: "whale"})
    leg = (MARK, LegForm.AVAILABLE)
    for event in (
        opened(AdlCase.BORROWER_DEFAULT),
        AdlLeg(1, 0, 5, 7, SOL, *leg, TOKEN // 2, 100 * UNIT, 0, Tier(1)),
        AdlLeg(1, 0, 5, 7, SOL, MARK, LegForm.CLAIM, TOKEN // 2, 100 * UNIT, 1, Tier(1)),
        AdlLeg(1, 0, 5, 0, SOL, *leg, TOKEN, 200 * UNIT, 0, Tier(1)),
        matched(7, 5, 200 * UNIT, 0),
        opened(AdlCase.OPPOSITES),
        matched(7, 5, 200 * UNIT, 0),
    ):
        record.update(event)
    (lender,) = record.lenders()
    assert (lender["name"], lender["owed"], lender["received"]) == ("whale", "200", "200")
    assert (lender["matches"], lender["recovery"]) == (1, 1.0)
    known.update(MarkUpdated(SOL, MARK, MARK // 2))
    assert [(each["form"], each["paid"], each["worth"]) for each in record.paid()] == [
        ("a claim", "100", "50"),
        ("tokens", "100", "50"),
    ]
