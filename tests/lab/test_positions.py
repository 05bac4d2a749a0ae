"""A book of real accounts: put in to the atom, at whatever health, or refused with the reason."""

import csv
from pathlib import Path

import polars as pl
import pytest

from solvent.domain.commands import UpdatePrice
from solvent.domain.errors import InputError
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.parameters import MAX_LEVERAGE
from solvent.domain.units import PRICE_SCALE
from solvent.domain.waterfall_events import LiquidationStarted
from solvent.engine.engine import FastEngine
from solvent.lab.people.positions import (
    BookMembers,
    Position,
    read_positions,
    relaxed,
    tightened,
)
from solvent.lab.runner import ACCOUNTS, run
from solvent.lab.scenario.catalog import load_scenario
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.margin import health_of
from tests.lab.price_helpers import planted
from tests.lab.run_helpers import keep, small

HEAD = "account,asset,held,lent,owed\n"
BOOK = HEAD + (
    "whale,USDC,,1000000.000001,\n"
    "0xabc,SOL,10.5,,\n"
    "0xabc,USDC,3,,1500.25\n"
    "thin,SOL,1,,\n"
    "thin,USDC,,,195\n"
    "two,USDC,500,,\n"
    "two,SOL,,,1\n"
    "seller,SOL,,40,\n"
)
FIRST = 2


def test_every_balance_is_that_of_the_file(tmp_path: Path) -> None:
    free = (
        ("[[0, 0], [1, 0.5]]", "[[0, 0], [1, 0]]"),
        ("[[0, 0], [0.8, 0.1], [1, 1]]", "[[0, 0], [1, 0]]"),
    )
    scenario = small(tmp_path, *free)
    book = read_positions(planted(tmp_path, BOOK, "book.csv"), scenario)
    assert book.notes == ()
    members = BookMembers(book, FIRST)
    engine = ReferenceEngine(relaxed(scenario.parameters))
    price = 200 * PRICE_SCALE
    quote = UpdatePrice(1, 0, price, price, price)
    for part in (members.open(), [quote], members.setup(), members.loans()):
        for entry in engine.apply(list(part)):
            assert "Refused" not in {type(event).__name__ for event in entry.events}
    state = engine.state
    for place in range(len(book.names)):
        account = FIRST + place
        for asset in range(2):
            nothing = [Position(place, asset, 0, 0, 0)]
            ((_, _, held, lent, owed),) = [
                each for each in book.positions() if (each.account, each.asset) == (place, asset)
            ] or nothing
            assert state.accounts[account].available[asset] == held
            assert claim_of(state, account, asset) == lent
            assert owed <= debt_of(state, account, asset) <= owed + 1
    assert book.names == ("whale", "0xabc", "thin", "two", "seller")
    # The scenario's own margins make the thin one liquidatable, once they are in force.
    thin = FIRST + 2
    assert not health_of(state, thin).liquidatable
    transcript = engine.apply(list(tightened(scenario.parameters)))
    started = [
        event.account
        for entry in transcript
        for event in entry.events
        if isinstance(event, LiquidationStarted)
    ]
    assert started == [thin]
    assert engine.state.parameters.assets == scenario.parameters.assets


@pytest.mark.parametrize("name", ["crash-2025-10-10", "demo-market", "quiet", "short-squeeze"])
def test_what_is_relaxed_for_a_book_is_tightened_again(name: str) -> None:
    own = load_scenario(name).parameters
    parameters = relaxed(own)
    assert parameters.max_leverage == MAX_LEVERAGE
    assert all(asset.initial.base == 1 for asset in parameters.assets)
    for change in tightened(own):
        parameters = changed_parameters(parameters, change)
    assert parameters.assets == own.assets


def test_both_engines_run_a_book_to_the_same_state(tmp_path: Path) -> None:
    file = planted(tmp_path, BOOK, "book.csv")
    out = tmp_path / "out"
    kept = keep(small(tmp_path), positions=file, out=out)
    fast = run(small(tmp_path), positions=file, engine_factory=FastEngine)
    assert fast.figures["state_hash"] == kept.figures["state_hash"]
    assert kept.figures["refused"] == 0
    assert kept.figures["accounts"] == 5
    assert kept.figures["positions"]["file"] == "book.csv"
    assert kept.figures["liquidated_accounts"] >= 1
    with (out / ACCOUNTS).open(encoding="utf-8", newline="") as rows:
        names = {row["account"]: int(row["number"]) for row in csv.DictReader(rows)}
    assert list(names) == ["whale", "0xabc", "thin", "two", "seller"]
    assert claim_of(kept.state, names["whale"], 0) > 0


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_book_of_many_accounts_with_two_debts_each(kind: str, tmp_path: Path) -> None:
    rows = [
        row
        for number in range(1285)
        for row in (
            (f"a{number}", "USDC", 3000.0, 0.0, 0.0),
            (f"a{number}", "SOL", 0.0, 0.0, 1.0 + number / 1000),
            (f"a{number}", "ETH", 0.0, 0.0, 0.01),
        )
    ]
    rows += [("lender", "SOL", 0.0, 5000.0, 0.0), ("lender", "ETH", 0.0, 50.0, 0.0)]
    file = tmp_path / f"book.{kind}"
    names = ["account", "asset", "held", "lent", "owed"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    frame.write_csv(file) if kind == "csv" else frame.write_parquet(file)
    result = run(load_scenario("quiet"), positions=file, engine_factory=FastEngine)
    assert result.figures["accounts"] == 1286
    assert result.figures["refused"] == 0
    borrowed = {"USDC": 0.0, "BTC": 0.0, "ETH": 1285 * 0.01 / 50, "SOL": 0.4220}
    for pool in result.figures["pools"]:
        assert pool["start_utilization"] == pytest.approx(borrowed[pool["asset"]], abs=1e-4)
    held = {"a0": (0, 3000 * 10**6), "a1284": (0, 3000 * 10**6)}
    book = read_positions(file, load_scenario("quiet"))
    for name, position in held.items():
        own = [each for each in book.positions() if book.names[each.account] == name]
        assert (own[0].asset, own[0].held) == position
        assert [each.owed > 0 for each in own] == [False, True, True]


def test_what_is_finer_than_an_atom_is_rounded_against_the_account(tmp_path: Path) -> None:
    text = HEAD + "a,USDC,1.0000009,,\nb,USDC,,9,\nc,SOL,,,0.0000000001\nd,SOL,,1e-3,\n"
    book = read_positions(planted(tmp_path, text), small(tmp_path))
    a, _, c, d = book.positions()
    assert (a.held, c.owed, d.lent) == (1_000_000, 1, 10**6)
    assert book.notes == ("rounded 2 rows to whole atoms, against the account",)


def test_columns_that_are_not_read_are_named(tmp_path: Path) -> None:
    text = "account,class,asset,held,Threshold\na,isolated,USDC,1,0.9\n"
    book = read_positions(planted(tmp_path, text), small(tmp_path))
    assert book.notes == ("the book has columns that say nothing to a run: class, Threshold",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("account,asset\na,SOL\n", "held, lent or owed: no such column; the header line"),
        ("asset,held\nSOL,1\n", "account: no such column"),
        ("account,held\na,1\n", "asset: no such column"),
        (HEAD, "file: has no rows"),
        (HEAD + ",SOL,1,,\n", "account: line 2: the cell is empty"),
        (HEAD + "a,DOGE,1,,\n", "asset: line 2: 'DOGE' is no asset of the scenario: USDC, SOL"),
        (HEAD + "a,SOL,x,,\n", "held: line 2: 'x' is no number of tokens"),
        (HEAD + "a,SOL,-1,,\n", "held: line 2: -1 is out of range"),
        (HEAD + "a,SOL,nan,,\n", "held: line 2: 'nan' is no number of tokens"),
        (HEAD + "a,SOL,inf,,\n", "held: line 2: 'inf' is no number of tokens"),
        (HEAD + "a,SOL,1e99,,\n", "held: line 2: 1e99 is out of range"),
        (HEAD + "a,SOL,1,,\na,SOL,2,,\n", "asset: line 3: a has SOL twice; add the rows up"),
        (HEAD + "a,SOL,,1,1\n", "asset: line 2: a lends and owes SOL"),
        (HEAD + "a,SOL,,1,\nb,SOL,,,1.5\n", "owed: all accounts owe 1.5 SOL and lend 1; add who"),
    ],
)
def test_a_bad_book_is_refused_in_one_line(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        read_positions(planted(tmp_path, text, "book.csv"), small(tmp_path))
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_number_of_accounts_does_not_go_with_a_book(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="accounts: a file of positions says how many there are"):
        run(small(tmp_path), positions=planted(tmp_path, BOOK, "b.csv"), accounts=10)
