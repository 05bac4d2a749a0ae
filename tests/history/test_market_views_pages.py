"""Pages and filters: each lets through what it names, and pages join to the whole."""

from solvent.history.tables.rows import BorrowLendSide, FillKind, OrderStatus, Paging
from tests.history.market_records import views_of

ALL = Paging(limit=10**9, ascending=True)


def test_pages_join_to_the_whole() -> None:
    views = views_of("weth-stuck-2026-04")
    account = max(range(200), key=lambda each: views.fills(each).total)
    whole = views.fills(account, paging=ALL)
    assert whole.total == len(whole.rows) > 20
    pages = [
        views.fills(account, paging=Paging(7, start, ascending=True))
        for start in range(0, whole.total, 7)
    ]
    assert [row for page in pages for row in page.rows] == whole.rows
    assert {page.total for page in pages} == {whole.total}
    assert views.fills(account, paging=Paging(limit=10**9)).rows == whole.rows[::-1]
    beyond = views.fills(account, paging=Paging(7, whole.total))
    assert (beyond.rows, beyond.total) == ([], whole.total)


def test_filters_let_through_what_they_name() -> None:
    views = views_of("weth-stuck-2026-04")
    account = max(range(200), key=lambda each: views.fills(each).total)
    rows = views.fills(account, paging=ALL).rows
    first, end = rows[3].time, rows[-3].time
    between = views.fills(account, first=first, end=end, paging=ALL).rows
    assert between == [row for row in rows if first <= row.time < end]
    assert 0 < len(between) < len(rows)
    kinds = {row.kind for row in rows}
    for kind in FillKind:
        of_kind = views.fills(account, kinds=[kind], paging=ALL).rows
        assert of_kind == [row for row in rows if row.kind is kind]
    assert kinds
    assert not views.fills(account, kinds=[]).total
    for asset in {row.asset for row in rows}:
        of_asset = views.fills(account, asset=asset, paging=ALL).rows
        assert of_asset == [row for row in rows if row.asset == asset]
    order = rows[0].order
    assert {row.order for row in views.fills(account, order=order).rows} == {order}
    statuses = [OrderStatus.EXPIRED]
    expired = views.orders(account, statuses=statuses, paging=ALL).rows
    everything = views.orders(account, paging=ALL).rows
    assert expired == [row for row in everything if row.status in statuses]


def test_interest_of_one_position_side_and_asset() -> None:
    views = views_of("weth-stuck-2026-04")
    account = max(range(200), key=lambda each: views.interest(each).total)
    rows = views.interest(account, paging=ALL).rows
    for position in {row.position for row in rows}:
        found = views.interest(account, position=position, paging=ALL).rows
        assert found == [row for row in rows if row.position == position]
        moved = views.movements(account, position=position, paging=ALL).rows
        assert {row.position for row in moved} == {position}
    for asset in {row.asset for row in rows}:
        of_asset = views.interest(account, asset=asset, paging=ALL).rows
        assert of_asset == [row for row in rows if row.asset == asset]
    for side in BorrowLendSide:
        whole = views.positions(account, paging=ALL).rows
        found_side = views.positions(account, side=side, paging=ALL).rows
        assert found_side == [row for row in whole if row.side is side]


def test_questions_with_numbers_beyond_every_column() -> None:
    views = views_of(38)
    assert views.fills(10**30).total == 0
    account = max(range(20), key=lambda each: views.fills(each).total)
    whole = views.fills(account, paging=ALL)
    assert views.fills(account, first=-(10**30), end=10**30, paging=ALL) == whole
    assert views.fills(account, order=10**30).total == 0
    assert views.fills(account, paging=Paging(10**30, ascending=True)) == whole
    assert views.fills(account, paging=Paging(1, 10**30)).rows == []
    assert views.withdrawals(account, sequence=10**30).total == 0
    assert views.klines(1, "1month", -(10**30), 10**30) == views.klines(1, "1month", 0, 10**17)
