"""Views are made of events alone: the same ones give the same database, however they came."""

from pathlib import Path

import pytest

from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import ChangeParameter, Deposit, OpenAccount
from solvent.domain.errors import InputError
from solvent.domain.events import InterestCharged
from solvent.history.market_views import Views, ViewsError
from solvent.history.tables import schema
from solvent.history.tables.database import DatabaseError, open_database
from solvent.history.tables.rows import BorrowLendSide, Paging
from solvent.reference.ledger import borrowed_total, claim_of, debt_of, lent_total
from solvent.reference.queries import ReferenceQueries
from tests.history.market_records import SCENARIOS, SEEDS, filled, simulated, told, views_of
from tests.proof import proves

ALL = Paging(limit=10**9, ascending=True)
MARKETS = [*SEEDS, *SCENARIOS]


@pytest.mark.slow
@proves("I35")
@pytest.mark.parametrize("size", [1, 7, 500])
@pytest.mark.parametrize("seed", [5, 25, 38])
def test_the_size_of_batches_changes_nothing(seed: int, size: int) -> None:
    assert filled(simulated(seed), size=size).dump() == views_of(seed).dump()


@proves("I35")
@pytest.mark.parametrize("seed", [5, 38])
def test_views_go_on_where_a_commit_left_them(tmp_path: Path, seed: int) -> None:
    market = simulated(seed)
    url = f"sqlite:///{tmp_path / 'views.db'}"
    for stop in (1, 250, 251, 700, 1199):
        views = Views.open(url, market.parameters)
        for record in market.records[views.applied : stop]:
            views.apply(*record)
        views.commit()
        views.apply(*market.records[stop])  # Lost: never committed.
        views.close()
    views = Views.open(url, market.parameters)
    assert views.applied == 1199
    views.close()
    assert filled(market, url).dump() == views_of(seed).dump()


@pytest.mark.slow
@proves("I35")
@pytest.mark.parametrize("name", [57, *SCENARIOS])
def test_rebuilt_views_are_equal(name: int | str) -> None:
    views = filled(told(name))
    views.rebuild(told(name).records)
    assert views.dump() == views_of(name).dump()


def test_what_memory_forgets_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solvent.history.followers.lending.CACHED", 3)
    monkeypatch.setattr("solvent.history.followers.trading.CACHED", 3)
    assert filled(simulated(38), size=10).dump() == views_of(38).dump()


@pytest.mark.slow
@proves("I2")
@pytest.mark.parametrize("name", MARKETS)
def test_open_positions_are_the_engines(name: int | str) -> None:
    state, views = told(name).state, views_of(name)
    for account, holder in enumerate(state.accounts):
        found = views.positions(account, is_open=True, paging=ALL).rows
        held = {(row.asset, row.side): row.quantity for row in found}
        assert len(held) == len(found)
        expected = {}
        for asset in range(len(state.pools)):
            if holder.lent_shares[asset]:
                expected[asset, BorrowLendSide.LEND] = claim_of(state, account, asset)
            if holder.debt_shares[asset]:
                expected[asset, BorrowLendSide.BORROW] = debt_of(state, account, asset)
        assert held == expected


@pytest.mark.slow
@proves("A1")
@pytest.mark.parametrize("name", MARKETS)
def test_the_last_points_of_pools_are_the_engines(name: int | str) -> None:
    market, views = told(name), views_of(name)
    seen = 0
    for asset, pool in enumerate(market.state.pools):
        points = views.pool_history(asset, "1year", market.state.now)
        seen += len(points)
        if points:
            last, report = points[-1], ReferenceQueries(market.state).pool(asset)
            assert (last.lent, last.borrowed) == (lent_total(pool), borrowed_total(pool))
            assert last.utilization == report.utilization
            assert (last.borrow_rate, last.lend_rate) == (report.borrow_apr, report.lend_apr)
    assert seen


def test_commands_come_one_after_another() -> None:
    market = simulated(5)
    views = Views.open(":memory:", market.parameters)
    views.apply(*market.records[0])
    with pytest.raises(ViewsError, match="command 2 came where 1 is next"):
        views.apply(*market.records[2])
    with pytest.raises(ViewsError, match="command 0 came where 1 is next"):
        views.apply(*market.records[0])


def test_a_failed_commit_writes_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    market = simulated(5)
    path = tmp_path / "views.db"
    views = Views.open(f"sqlite:///{path}", market.parameters)
    for record in market.records[:300]:
        views.apply(*record)
    views.commit()
    before = views.dump()
    for record in market.records[300:]:
        views.apply(*record)
    other = open_database(f"sqlite:///{path}")
    other.execute("ALTER TABLE candles RENAME TO elsewhere")
    with pytest.raises(DatabaseError):
        views.commit()
    other.execute("ALTER TABLE elsewhere RENAME TO candles")
    other.close()
    assert views.dump() == before
    views.commit()
    assert views.dump() == views_of(5).dump()


def test_another_layout_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    market = simulated(5)
    url = f"sqlite:///{tmp_path / 'views.db'}"
    filled(market, url).close()
    monkeypatch.setattr("solvent.history.market_views.VERSION", schema.VERSION + 1)
    views = Views.open(url, market.parameters)
    assert views.applied == 0
    assert not views.deposits(0, paging=ALL).rows
    assert all(not rows for name, rows in views.dump().items() if name != "meta")


def test_another_market_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'views.db'}"
    filled(simulated(5), url).close()
    with pytest.raises(InputError, match="has the views of another market"):
        Views.open(url, simulated(7).parameters)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://me:secret@host/name", "is no address of a database"),
        ("sqlite:///", "is no address of a database"),
        ("views.db", "is no address of a database"),
        ("sqlite:////nowhere/at/all/views.db", "unable to open database file"),
        ("postgresql://me:secret@127.0.0.1:1/none?connect_timeout=2", "cannot be reached"),
    ],
)
def test_addresses_that_cannot_be_used(url: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        Views.open(url, simulated(5).parameters)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "views.db"
    path.write_text("not a database at all" * 100, encoding="ascii")
    with pytest.raises(InputError, match="no database"):
        Views.open(f"sqlite:///{path}", simulated(5).parameters)


def test_parameters_that_changed_are_kept(tmp_path: Path) -> None:
    """Rates after a change are those of the new curve, also when the views were opened after it."""
    market = simulated(4)
    changes = [
        number
        for _, (number, command, events) in market.entries()
        if isinstance(command, ChangeParameter) and len(events) == 1
    ]
    charged = [number for number, _, _ in market.events(InterestCharged)]
    stop = changes[len(changes) // 2] + 1
    assert any(number > stop for number in charged)
    url = f"sqlite:///{tmp_path / 'views.db'}"
    views = Views.open(url, market.parameters)
    for record in market.records[:stop]:
        views.apply(*record)
    views.commit()
    views.close()
    assert filled(market, url).dump() == views_of(4).dump()


def test_refused_commands_leave_nothing_but_their_number() -> None:
    market = simulated(5)
    views = Views.open(":memory:", market.parameters)
    empty = views.dump()
    views.apply(0, Transcript.of(0, [(OpenAccount(9), ()), (Deposit(9, 0, 5), ())]))
    views.commit()
    assert views.applied == 2
    assert {name for name, rows in views.dump().items() if rows != empty[name]} == {"meta"}
