"""Receipts as rows: those that the builder makes of all events, for whom they concern, by pages."""

import json
from pathlib import Path
from typing import NoReturn, get_args

import pytest

from solvent.domain.codec.canonical import Json
from solvent.domain.labels import Stage
from solvent.history.followers.receipt_rows import parties
from solvent.history.market_views import Views
from solvent.history.tables.rows import Paging
from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.codec import read_receipt, receipt_line
from solvent.receipts.form import AdlReceipt, Receipt, StandbyReceipt
from solvent.receipts.settlements import stage_and_number
from solvent.receipts.verify.check import verify_path, verify_receipt
from tests.history.market_records import SCENARIOS, SEEDS, Told, filled, simulated, told, views_of
from tests.proof import proves

pytestmark = pytest.mark.slow

ALL = Paging(limit=10**6, ascending=True)
NO_BOUND = 2**60


def built(market: Told) -> list[Receipt]:
    """All receipts of a market, made of its events in one go."""
    builder = ReceiptBuilder(market.parameters)
    return [
        receipt
        for _, (number, _, events) in market.entries()
        for receipt in builder.feed(number, events)
    ]


def lines(views: Views, account: int | None = None) -> list[str]:
    return views.receipts(account, paging=ALL, most_bytes=NO_BOUND).rows


@proves("A6", "I35")
@pytest.mark.parametrize("name", [*SEEDS, *SCENARIOS])
def test_rows_are_the_receipts_of_all_settlements(name: int | str) -> None:
    receipts = built(told(name))
    assert lines(views_of(name)) == [receipt_line(receipt) for receipt in receipts]
    for account in range(len(told(name).state.accounts)):
        own = [receipt_line(receipt) for receipt in receipts if account in parties(receipt)]
        assert lines(views_of(name), account) == own


def test_the_markets_here_have_receipts_of_all_kinds() -> None:
    kinds = {type(receipt) for name in (*SEEDS, *SCENARIOS) for receipt in built(told(name))}
    assert len(kinds) == len(get_args(Receipt))


@proves("I35")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_stop_between_any_two_commands_changes_no_receipt(tmp_path: Path, seed: int) -> None:
    """What a receipt needs of commands before is in the database, too."""
    market = simulated(seed)
    url = f"sqlite:///{tmp_path / 'views.db'}"
    for stop in range(100, len(market.records), 100):
        views = Views.open(url, market.parameters)
        for record in market.records[views.applied : stop]:
            views.apply(*record)
        views.commit()
        views.close()
    assert lines(filled(market, url)) == lines(views_of(seed))


@proves("A6", "I22")
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_lines_are_what_verify_takes(tmp_path: Path, name: str) -> None:
    found = lines(views_of(name))
    file = tmp_path / "receipts.jsonl"
    file.write_text("".join(line + "\n" for line in found), encoding="ascii")
    report = verify_path(file, open_run=_no_run)
    assert (report.receipts, report.problems) == (len(found), ())
    document: dict[str, Json] = json.loads(found[-1])
    document["mark" if isinstance(read_receipt(document), AdlReceipt) else "quantity"] = "1"
    assert verify_receipt(document)


def _no_run(path: Path) -> NoReturn:
    raise AssertionError(path)


def test_pages_end_with_their_rows_or_bytes() -> None:
    name = next(name for name in SEEDS if len(built(told(name))) > 5)
    views, everything = views_of(name), lines(views_of(name))
    page = views.receipts(paging=Paging(2, 1, ascending=True), most_bytes=NO_BOUND)
    assert (page.rows, page.total) == (everything[1:3], len(everything))
    newest = views.receipts(paging=Paging(2), most_bytes=NO_BOUND)
    assert newest.rows == everything[::-1][:2]
    size = len(everything[0]) + len(everything[1])
    fits = views.receipts(paging=ALL, most_bytes=size)
    assert (fits.rows, fits.total) == (everything[:2], len(everything))
    assert views.receipts(paging=ALL, most_bytes=size - 1).rows == everything[:1]
    assert views.receipts(paging=ALL, most_bytes=1).rows == everything[:1]


@pytest.mark.parametrize("name", [*SEEDS, *SCENARIOS])
def test_a_settlement_is_found_by_its_number(name: int | str) -> None:
    views = views_of(name)
    asked = {
        Stage.ADL: "adl_round",
        Stage.BACKSTOP: "fill",
        Stage.DEFICIT: "booking",
        Stage.STANDBY: "swap",
    }
    receipts = built(told(name))
    swaps = [receipt for receipt in receipts if isinstance(receipt, StandbyReceipt)]
    for receipt in (*receipts[:20], *swaps[:5]):
        stage, number = stage_and_number(receipt)
        page = views.receipts(**{asked[stage]: number}, paging=ALL, most_bytes=NO_BOUND)
        assert page.rows == [receipt_line(receipt)]
    assert views.receipts(adl_round=10**9, paging=ALL, most_bytes=1).rows == []
