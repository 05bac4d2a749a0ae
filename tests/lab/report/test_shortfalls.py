"""The records of defaults and of bookings, event by event, and in the report."""

from pathlib import Path

from solvent.domain.events import Event, MarkUpdated, Stepped
from solvent.domain.labels import AdlCase, Reason, Tier
from solvent.domain.units import PRICE_SCALE
from solvent.domain.waterfall_events import (
    AdlMatched,
    AdlOpened,
    AdlStuck,
    BookedAccount,
    BookingOpened,
    LiquidationStarted,
    PoolWrittenDown,
)
from solvent.foresight.marks import Marks
from solvent.lab.report.people_sheets import booking_sheet, default_sheet
from solvent.lab.report.shortfalls import Bookings, Defaults
from tests.lab.run_helpers import small
from tests.proof import proves

USDC, SOL = 0, 1
UNIT, TOKEN, MINUTE = 10**6, 10**9, 60 * 10**6
MARK = 200 * PRICE_SCALE
NAMES = {5: "0xabc"}


def marks(folder: Path) -> Marks:
    found = Marks(small(folder).parameters)
    found.update(MarkUpdated(SOL, MARK, MARK))
    return found


def opened(case: AdlCase) -> AdlOpened:
    return AdlOpened(1, SOL, case, 0, Tier.CASH, USDC, 0, 0, MARK, TOKEN, TOKEN)


def in_round(account: int) -> AdlStuck:
    reasons = Reason.NO_LIQUIDITY_IN_BAND, Reason.NO_BACKSTOP_CAPACITY
    return AdlStuck(1, account, TOKEN, TOKEN, 0, 0, 9 * UNIT, 8 * UNIT, 10 * UNIT, *reasons)


def matched(lender: int, payer: int) -> AdlMatched:
    return AdlMatched(1, 0, lender, payer, payer, SOL, MARK, TOKEN, 200 * UNIT, 0, 1, 1)


def begun(account: int) -> LiquidationStarted:
    return LiquidationStarted(account, 90, 100, 1000, 95)


@proves("A12")
def test_a_default_counts_from_the_account_s_way_into_the_waterfall(tmp_path: Path) -> None:
    told: list[tuple[int, Event]] = [
        (0, begun(5)),
        (MINUTE, begun(6)),
        # A stuck lender is not in default.
        (MINUTE, opened(AdlCase.STUCK_LENDER)),
        (MINUTE, in_round(5)),
        (MINUTE, matched(5, 7)),
        (2 * MINUTE, opened(AdlCase.BORROWER_DEFAULT)),
        (2 * MINUTE, in_round(5)),
        (2 * MINUTE, in_round(6)),
        (2 * MINUTE, matched(8, 5)),
        (3 * MINUTE, opened(AdlCase.BORROWER_DEFAULT)),
        (3 * MINUTE, in_round(5)),
        (3 * MINUTE, matched(8, 5)),
    ]
    now = [0]
    record = Defaults(marks(tmp_path), NAMES, lambda: now[0])
    for time, event in told:
        now[0] = time
        record.update(event)
    soon, late = record.result()
    assert (soon["name"], soon["after_seconds"], soon["settled"]) == ("6", 60, "0")
    assert (late["name"], late["after_seconds"]) == ("0xabc", 120)
    assert (late["worth"], late["settled"]) == ("9", "400")
    assert default_sheet({"defaults": [late]}).rows == [
        ("0xabc", "1970-01-01 00:02:00", "120", "9.00", "400.00")
    ]


@proves("I29", "I38")
def test_a_booking_says_what_each_pool_lost(tmp_path: Path) -> None:
    record = Bookings(marks(tmp_path), NAMES, lambda: MINUTE)
    told: list[Event] = [
        BookingOpened(1, 1, 1, 600 * UNIT, 100 * UNIT, 100 * UNIT),
        BookedAccount(1, 5, 1, 0, 600 * UNIT, 600 * UNIT, 100 * UNIT, 500 * UNIT),
        PoolWrittenDown(
            booking=1,
            asset=SOL,
            mark=MARK,
            claims=10 * TOKEN,
            loss=TOKEN * 5 // 2,
            value=500 * UNIT,
            fees=TOKEN // 2,
            treasury=0,
            residue=0,
            lenders=2 * TOKEN,
            fraction=200_000_000,
            lend_index=8 * 10**17,
            restarted=0,
        ),
    ]
    for event in told:
        record.update(event)
    (row,) = booking_sheet({"bookings": record.result()}).rows
    assert row[:5] == ("1970-01-01 00:01:00", "0xabc", "SOL", "600.00", "100.00")
    assert row[5:] == ("10", "2.5", "500.00", "2", "20.0000 %")


def test_a_step_of_several_passes_tells_each_at_its_time(tmp_path: Path) -> None:
    """Events of a pass are heard before its end, when the command's time is all that is known."""
    defaults = Defaults(marks(tmp_path), NAMES, lambda: 20 * MINUTE)
    bookings = Bookings(marks(tmp_path), NAMES, lambda: 20 * MINUTE)
    defaults.update(begun(5))
    bookings.update(BookingOpened(1, 1, 1, 600 * UNIT, 0, 0))
    for record in (defaults, bookings):
        record.update(Stepped(MINUTE, 1))
    for event in (opened(AdlCase.BORROWER_DEFAULT), in_round(5), Stepped(3 * MINUTE, 1)):
        defaults.update(event)
    for record in (defaults, bookings):
        record.update(Stepped(20 * MINUTE, 0))
    assert [each["after_seconds"] for each in defaults.result()] == [120]
    assert [each["time"] for each in bookings.result()] == ["1970-01-01T00:01:00+00:00"]
