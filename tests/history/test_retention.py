"""Retention: what is old goes by the rule and nothing else, however little at a time."""

from collections.abc import Callable, Sequence

import pytest

from solvent.domain.units import HOUR, SECOND
from solvent.history import retention
from solvent.history.followers.candles import DAY, MINUTE
from solvent.history.market_views import Views
from solvent.history.retention import Keep
from solvent.history.tables.counts import COUNTED
from solvent.history.tables.database import Value
from solvent.history.tables.rows import Paging
from solvent.history.tables.schema import TABLES, Table
from tests.history.market_records import filled, simulated, views_of

ALL = Paging(limit=10**9, ascending=True)
SEED = 38
Row = dict[str, Value]


def rows_of(views: Views) -> dict[str, list[Row]]:
    """All rows of all tables, by column."""
    columns = {table.name: table.columns for table in TABLES}
    return {
        name: [dict(zip(columns[name], row, strict=True)) for row in rows]
        for name, rows in views.dump().items()
    }


def swept(views: Views, keep: Keep) -> None:
    """A whole sweep; a sweep of some hundred rows has far fewer steps."""
    for _ in range(5_000):
        views.forget(keep)


def rule(keep: Keep, now: int, before: dict[str, list[Row]]) -> dict[str, Callable[[Row], bool]]:
    """What stays of each table, said anew."""
    until, unfilled = now - keep.keep, now - keep.keep_unfilled
    hours = [int(row["place"]) for row in before["interest"] if int(row["hour"]) * HOUR <= until]
    place = max(hours, default=-1)

    def is_young(row: Row) -> bool:
        return int(row["time"]) >= until

    logs = ("trades", "fills", "settlements", "deposits", "withdrawals", "dust", "standbys")
    return dict.fromkeys(logs, is_young) | {
        "orders": lambda row: (
            not row["ended"]
            or int(row["ended"]) >= (until if row["executed"] else max(until, unfilled))
        ),
        "movements": lambda row: int(row["place" if not row["shares"] else "until"]) >= place,
        "positions": lambda row: int(row["closed"]) >= place,
        "candles": lambda row: (
            int(row["span"]) not in (SECOND, MINUTE) or int(row["start"]) >= until
        ),
    }


@pytest.mark.parametrize("part", [2, 4])
def test_what_the_rule_names_goes_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """S07: seven rows at a time, so that no table is done with in one step."""
    monkeypatch.setattr(retention, "ROWS", 7)
    market = simulated(SEED)
    views = filled(market)
    before = rows_of(views)
    now = market.records[-1][0]
    span = now - market.records[0][0]
    keep = Keep(span // part, span // part // 3)
    swept(views, keep)
    after, stays = rows_of(views), rule(keep, now, before)
    changed = {name for name in before if len(before[name]) != len(after[name])}
    assert {"trades", "fills", "orders", "movements", "candles"} <= changed
    for name, rows in before.items():
        if name != "counts":
            assert after[name] == [row for row in rows if stays.get(name, bool)(row)], name
    _counts_are_true(views)


def _counts_are_true(views: Views) -> None:
    """What is counted as it comes and goes is what there is."""
    found = rows_of(views)
    for number, (table, place) in enumerate(COUNTED.items()):
        assert _counted(found, number) == _owners(found, table, table.columns[place])


def _counted(found: dict[str, list[Row]], kind: int) -> dict[int, int]:
    rows = [row for row in found["counts"] if row["kind"] == kind and row["total"]]
    return {int(row["owner"]): int(row["total"]) for row in rows}


def _owners(found: dict[str, list[Row]], table: Table, owner: str) -> dict[int, int]:
    owners = [int(row[owner]) for row in found[table.name]]
    return {each: owners.count(each) for each in set(owners)}


def test_views_go_on_after_something_has_gone() -> None:
    """What is open, and all that comes later, is as if everything were there."""
    market, whole = simulated(SEED), views_of(SEED)
    half = len(market.records) // 2
    views = filled(market._replace(records=market.records[:half]))
    began = market.records[half][0]
    swept(views, Keep(SECOND, SECOND))
    for record in market.records[views.applied :]:
        views.apply(*record)
    views.commit()
    _counts_are_true(views)
    for account in range(40):
        open_now = views.positions(account, is_open=True, paging=ALL).rows
        assert open_now == whole.positions(account, is_open=True, paging=ALL).rows
        for ask in (Views.fills, Views.settlements, Views.orders, Views.interest):
            rows = [row for row in ask(whole, account, paging=ALL).rows if row.time > began]
            found = [row for row in ask(views, account, paging=ALL).rows if row.time > began]
            assert found == rows


def test_a_longer_rule_keeps_everything() -> None:
    views = filled(simulated(SEED))
    swept(views, Keep(9_000 * DAY, 9_000 * DAY))
    assert views.dump() == views_of(SEED).dump()


@pytest.mark.slow
def test_counts_are_those_of_the_rows() -> None:
    """S18: a page says of how many rows it is one, and nobody counts them for it."""
    for views in (views_of(SEED), views_of("weth-stuck-2026-04")):
        _counts_are_true(views)


def test_a_page_costs_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """S18: nor does one by number; with another condition an account pays for its own rows."""
    views, asked = views_of(SEED), list[str]()
    fetch = views._database.fetch

    def listening(statement: str, values: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        asked.append(statement)
        return fetch(statement, values)

    monkeypatch.setattr(views._database, "fetch", listening)
    everything = views.trades(1, paging=ALL)
    page = views.trades(1, Paging(limit=3), before=everything.rows[-1].trade)
    assert page.rows == everything.rows[-4:-1][::-1]
    assert page.total == everything.total == len(everything.rows)
    for account in range(10):
        views.fills(account)
        views.orders(account)
    assert not [statement for statement in asked if "COUNT" in statement]
    views.orders(1, asset=1)
    assert "COUNT" in "".join(asked)
