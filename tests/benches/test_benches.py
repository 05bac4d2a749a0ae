"""Benches: each runs, agrees with its peers, and says what it measured. Nothing here is timed.

A bench compares its answer with its peer's before it gives a figure, so that a run that ends is one
in which they agree; that they would be caught is tested with answers that are wrong.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benches import bookings, burst, health_scan, order_book
from benches.burst import Size, crowded, fall
from benches.common.engines import apply_all, column, copy_of, engine_over, events_by_kind
from benches.common.market import market
from benches.common.measure import Timing, WrongAnswerError, agree, repeat
from benches.common.order_stream import order_stream
from benches.common.peers import peer
from benches.common.population import Edge, populated
from benches.common.rows import AT_LEAST, AT_MOST, TIMES, Row, Target, each, of, rate, shown
from benches.common.stream import mixed_stream
from benches.registry import Bench, run_bench
from solvent.domain.events import Refused
from solvent.domain.waterfall_events import AdlMatched, PoolWrittenDown
from solvent.engine.memory.rows import Account, Price
from solvent.engine.memory.snapshot import write_snapshot
from solvent.proof.invariants.invariants import check
from solvent.reference.snapshot import read_snapshot

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("bench", Bench)
def test_a_bench_runs_and_agrees_with_its_peers(bench: Bench) -> None:
    rows = list(run_bench(bench, quick=True))
    assert rows
    for row in rows:
        assert row.bench == bench
        assert row.figure.least <= row.figure.value <= row.figure.most
        read = json.loads(json.dumps(row.as_object()))
        assert read["figure"]["unit"] == row.figure.unit
        assert read["verdict"] == row.verdict
    assert len({(row.measured, row.peer, row.target) for row in rows}) == len(rows)


def run_benches(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `./run bench ARGUMENTS` without its set-up."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "benches", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_json_is_one_object_with_the_machine_and_every_row() -> None:
    done = run_benches("arithmetic", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    assert {"processor", "cores", "python", "numpy", "polars"} <= read["machine"].keys()
    assert read["quick"] is True
    assert {row["bench"] for row in read["rows"]} == {"arithmetic"}


def test_the_table_names_the_machine_once_and_every_peer() -> None:
    done = run_benches("arithmetic", "--quick")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("processor ") == 1
    assert "Python integers" in done.stdout


def test_an_unknown_bench_is_refused_with_those_that_there_are() -> None:
    done = run_benches("nonesuch")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "nonesuch" in done.stderr


# What is measured is what it should be.


@pytest.mark.parametrize("edge", [Edge(0.0, 0.0), Edge(0.2, -0.02)])
def test_the_population_is_a_state_that_holds(edge: Edge) -> None:
    columns = populated(market(), 400, edge=edge)
    state = read_snapshot(write_snapshot(columns))
    wrong = check(state)
    # Breached accounts that nobody has marked yet are wanted, and what A13 is about.
    assert {breach.invariant for breach in wrong} <= ({"A13"} if edge.share else set())
    held = columns.table("accounts", Account.WIDTH)[4:404, Account.held]
    assert 3.7 < np.bitwise_count(held).mean() < 4.3


def test_most_of_the_stream_is_accepted_and_all_of_it_is_there() -> None:
    rows = mixed_stream(market(), 500, 11_000)
    kinds = np.bincount(rows[:, 0], minlength=19)
    assert len(rows) == 11_000
    assert np.count_nonzero(kinds) == 10
    engine = engine_over(populated(market(), 500))
    events = events_by_kind(apply_all(engine, rows), Refused)
    assert len(events[Refused]) < 0.15 * len(rows)


def test_the_plain_book_keeps_price_and_time() -> None:
    book = order_book.PlainBook()
    book.run(
        [[0, 1, 1, 10, 5], [0, 2, 1, 9, 5], [0, 3, 1, 9, 5], [1, 2, 0, 0, 0], [0, 4, 0, 10, 8]]
    )
    assert book.trades == [(4, 3, 9, 5), (4, 1, 10, 3)]
    assert book.depth() == {10: 2}


def test_the_whole_engine_trades_as_the_plain_book_where_accounts_have_many_orders() -> None:
    stream = order_stream(4_000)
    book = order_book.PlainBook()
    events = np.stack((stream.what, stream.order, stream.side, stream.ticks, stream.lots), axis=1)
    book.run(events.tolist())
    figure = order_book.whole_engine(stream, book.trades, 1)
    assert figure.unit == "M orders/s"


# The checks can fail.


def test_a_wrong_answer_is_an_error() -> None:
    with pytest.raises(WrongAnswerError, match="accounts: 1, and the peer has 2"):
        agree("accounts", 1, 2)


@pytest.mark.parametrize("name", [name for name, _, _ in health_scan.PEERS])
def test_a_data_frame_that_flags_others_is_found(name: str) -> None:
    columns = populated(market(), 500, edge=Edge(0.1, -0.02))
    ours = health_scan.scanner(columns)().tolist()
    peer_of = next(each for each_name, _, each in health_scan.PEERS if each_name == name)
    scanned = peer_of(health_scan.table_of(columns))
    if scanned is None:
        pytest.skip(f"{name} is not installed")
    assert scanned().tolist() == ours
    columns["prices"][Price.WIDTH + Price.mark] //= 2
    dearer = peer_of(health_scan.table_of(columns))
    assert dearer is not None
    assert dearer().tolist() != ours


def test_a_book_that_forgets_time_is_found() -> None:
    stream = order_stream(2_000)
    events = np.stack((stream.what, stream.order, stream.side, stream.ticks, stream.lots), axis=1)
    book = order_book.PlainBook()
    book.run(events.tolist())
    with pytest.raises(WrongAnswerError, match="trades of the book"):
        order_book.book_alone(events, [*book.trades[1:], book.trades[0]], 1)


def test_an_engine_that_trades_otherwise_is_found() -> None:
    stream = order_stream(2_000)
    with pytest.raises(WrongAnswerError, match="trades of the engine"):
        order_book.whole_engine(stream, [], 1)


def test_a_fill_that_goes_missing_is_found() -> None:
    start = crowded(Size(60, 30, 8))
    parts = apply_all(engine_over(copy_of(start)), fall())
    events = events_by_kind(parts)
    burst.check_fills(events)
    events[AdlMatched] = events[AdlMatched][1:]
    with pytest.raises(WrongAnswerError, match="given and filled"):
        burst.check_fills(events)


def test_a_loss_that_nobody_bears_is_found() -> None:
    start = bookings.crowded(bookings.Size(60, 10))
    events = events_by_kind(apply_all(engine_over(copy_of(start)), bookings.rise()))
    downs = events[PoolWrittenDown]
    bookings.check_losses(downs)
    column(downs, PoolWrittenDown, "lenders")[0] -= 1
    with pytest.raises(WrongAnswerError, match="losses borne"):
        bookings.check_losses(downs)


# Rows.


def test_a_row_says_whether_its_target_is_met() -> None:
    figure, peer_figure = of("ns", [30.0, 20.0, 40.0]), of("ns", [90.0])
    assert (figure.value, figure.least, figure.most) == (30.0, 20.0, 40.0)
    assert figure.spread == pytest.approx(2 / 3)
    said = {
        Target(AT_MOST, 30): "met",
        Target(AT_MOST, 20): "missed by 1.50x",
        Target(TIMES, 3): "met",
        Target(TIMES, 6): "missed by 2.00x",
        None: "reported",
    }
    for target, verdict in said.items():
        assert Row("b", "m", figure, "p", peer_figure, target).verdict == verdict
    assert Row("b", "m", figure, "p", None, Target(TIMES, 3)).verdict == "not installed"


def test_more_of_a_rate_is_better() -> None:
    fast, slow = of("M commands/s", [8.0]), of("M commands/s", [2.0])
    assert Row("b", "m", fast, "p", slow, Target(TIMES, 4)).verdict == "met"
    assert Row("b", "m", slow, target=Target(AT_LEAST, 3)).verdict == "missed by 1.50x"


def test_figures_are_made_of_all_repeats() -> None:
    timing = Timing((2e-6, 1e-6, 4e-6))
    assert each(timing, 1000) == of("ns", [2.0, 1.0, 4.0])
    assert rate(timing, 10, "orders") == of("M orders/s", [5.0, 10.0, 2.5])
    assert each(timing, 2, "ms/tick").value == pytest.approx(1e-3)


def test_repeats_start_afresh_and_the_first_is_not_counted() -> None:
    seen: list[str] = []
    timing, last = repeat(lambda: len(seen), 3, lambda: seen.append("fresh"))
    assert len(timing.seconds) == 3
    assert last == 4


@pytest.mark.parametrize(
    ("value", "text"), [(0.0034, "0.003"), (1.0, "1.00"), (12.345, "12.3"), (54321.0, "54,321")]
)
def test_numbers_are_shown_with_three_digits(value: float, text: str) -> None:
    assert shown(value) == text


def test_a_peer_that_is_not_installed_is_none() -> None:
    assert peer("no_such_module_anywhere") is None
    assert peer("numpy") is np
