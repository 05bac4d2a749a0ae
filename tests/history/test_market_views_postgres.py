"""PostgreSQL holds the same rows as SQLite, and answers the same questions with the same pages."""

from collections.abc import Iterator

import pytest

from solvent.domain.errors import InputError
from solvent.domain.labels import Source
from solvent.history.followers.candles import INTERVALS
from solvent.history.market_views import Views
from solvent.history.questions.market import POOL_SPANS, TICKER_SPANS
from solvent.history.retention import Keep
from solvent.history.tables.database import DatabaseError, open_database
from solvent.history.tables.rows import FillKind, OrderStatus, Paging, PaymentType, PriceKind
from tests.history.market_records import Told, filled, simulated, told, views_of
from tests.history.postgres_server import NoServerError, running_server
from tests.proof import proves

MARKETS = [5, 38, "short-squeeze"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server's address."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    try:
        with running_server() as url:
            yield url
    except NoServerError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def url(server: str) -> Iterator[str]:
    """The address of a database without views."""
    yield server
    database = open_database(server)
    for name in database.tables():
        database.execute(f"DROP TABLE {name}")
    database.close()


def answers(views: Views, market: Told) -> Iterator[object]:
    """What every question is answered with."""
    now = market.records[-1][0]
    middle = market.records[len(market.records) // 2][0]
    for account in range(min(len(market.state.accounts), 40)):
        for page in (Paging(), Paging(3, 2, ascending=True)):
            yield views.movements(account, paging=page)
            yield views.movements(account, asset=1, sources=[Source.MANUAL], paging=page)
            yield views.positions(account, paging=page)
            yield views.positions(account, is_open=False, paging=page)
            yield views.interest(account, paging=page)
            yield views.interest(account, payment=PaymentType.LEND, asset=0, paging=page)
            yield views.deposits(account, first=middle, paging=page)
            yield views.withdrawals(account, end=middle, paging=page)
            yield views.withdrawals(account, client_id="w7", paging=page)
            yield views.settlements(account, paging=page)
            yield views.dust(account, paging=page)
            yield views.orders(account, paging=page)
            yield views.orders(account, statuses=[OrderStatus.EXPIRED], paging=page)
            yield views.fills(account, paging=page)
            yield views.fills(account, kinds=[FillKind.ADL, FillKind.BACKSTOP], paging=page)
    for asset in range(len(market.state.pools)):
        yield views.trades(asset)
        for interval in INTERVALS:
            yield views.klines(asset, interval, 0, now + 1, PriceKind.MARK)
        for span in TICKER_SPANS:
            yield views.ticker(asset, span, now)
        for span in POOL_SPANS:
            yield views.pool_history(asset, span, now)


@pytest.mark.slow
@proves("I35")
@pytest.mark.parametrize("name", MARKETS)
def test_both_databases_hold_and_say_the_same(url: str, name: int | str) -> None:
    market = told(name)
    views = filled(market, url, size=400)
    assert views.dump() == views_of(name).dump()
    for found, expected in zip(
        answers(views, market), answers(views_of(name), market), strict=True
    ):
        assert found == expected
    views.close()


def test_both_databases_forget_the_same(url: str) -> None:
    market = simulated(38)
    half = (market.records[-1][0] - market.records[0][0]) // 2
    here, there = filled(market), filled(market, url)
    for views in (here, there):
        for _ in range(100):
            views.forget(Keep(half, half // 2))
    assert there.dump() == here.dump() != views_of(38).dump()
    there.close()


@proves("I35")
def test_views_go_on_where_a_commit_left_them(url: str) -> None:
    market = simulated(38)
    for stop in (1, 500, 501, 1100):
        views = Views.open(url, market.parameters)
        for record in market.records[views.applied : stop]:
            views.apply(*record)
        views.commit()
        views.apply(*market.records[stop])
        views.close()
    views = filled(market, url)
    assert views.dump() == views_of(38).dump()
    views.rebuild(market.records)
    assert views.dump() == views_of(38).dump()
    views.close()


def test_a_failed_commit_writes_nothing_and_can_be_repeated(url: str) -> None:
    market = simulated(5)
    views = Views.open(url, market.parameters)
    for record in market.records[:300]:
        views.apply(*record)
    views.commit()
    before = views.dump()
    for record in market.records[300:]:
        views.apply(*record)
    other = open_database(url)
    other.execute("ALTER TABLE candles RENAME TO elsewhere")
    with pytest.raises(DatabaseError):
        views.commit()
    other.execute("ALTER TABLE elsewhere RENAME TO candles")
    other.close()
    assert views.dump() == before
    views.commit()
    assert views.dump() == views_of(5).dump()
    views.close()


def test_another_market_is_refused(url: str) -> None:
    filled(simulated(5), url).close()
    with pytest.raises(InputError, match="has the views of another market"):
        Views.open(url, simulated(7).parameters)
