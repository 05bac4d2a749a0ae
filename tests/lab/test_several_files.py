"""Several price files in one run: other symbols beside each other, and days that follow."""

import json
from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.lab.prices.feed import Foreign, foreign_feed
from solvent.lab.scenario.catalog import load_scenario
from tests.cli.helpers import solvent
from tests.lab.price_helpers import at, planted, price

HEAD = "time,symbol,close\n"


def prints(folder: Path, name: str, symbol: str, *cells: str) -> Path:
    rows = [f"2026-01-0{cell.replace('=', f':00Z,{symbol},')}\n" for cell in cells]
    return planted(folder, HEAD + "".join(rows), name)


def test_files_of_other_symbols_stand_side_by_side(tmp_path: Path) -> None:
    sol = prints(tmp_path, "a.csv", "SOL", "1T00:00=100", "1T00:03=90")
    btc = prints(tmp_path, "b.csv", "BTC", "1T00:01=50000", "1T00:04=40000")
    feed = foreign_feed(load_scenario("quiet"), Foreign(sol, (btc,)))
    assert (feed.start, feed.end) == (at("2026-01-01T00:01"), at("2026-01-01T00:04"))
    assert feed.price(3, feed.start) == price("100")  # the print before the start is in force
    assert feed.price(3, at("2026-01-01T00:03")) == price("90")
    assert (feed.price(1, feed.start), feed.price(1, feed.end)) == (price("50000"), price("40000"))
    assert any("left out 1 times before" in note for note in feed.notes)
    other = foreign_feed(load_scenario("quiet"), Foreign(btc, (sol,)))
    assert [track.times for track in other.tracks[1:]] == [track.times for track in feed.tracks[1:]]


@pytest.mark.parametrize("swapped", [False, True])
def test_files_of_one_symbol_follow_each_other(swapped: bool, tmp_path: Path) -> None:
    files = [
        prints(tmp_path, "1.csv", "SOL", "1T23:58=100", "1T23:59=99", "2T00:00=98"),
        prints(tmp_path, "2.csv", "SOL", "2T00:00=97", "2T00:01=96"),
    ]
    first, second = reversed(files) if swapped else files
    feed = foreign_feed(load_scenario("quiet"), Foreign(first, (second,)))
    assert list(feed.tracks[3].prices) == [price(text) for text in ("100", "99", "97", "96")]


def test_days_of_bars_are_one_path(tmp_path: Path) -> None:
    """The last bar of a day ends as the next day begins, whose open takes the close's place."""
    head = "time,symbol,open,high,low,close\n"
    one = planted(
        tmp_path,
        head + "2026-01-01T23:58Z,SOL,100,102,98,101\n2026-01-01T23:59Z,SOL,101,103,99,102.5\n",
        "1.csv",
    )
    two = planted(
        tmp_path,
        head + "2026-01-02T00:00Z,SOL,102,104,100,103\n2026-01-02T00:01Z,SOL,103,105,101,104\n",
        "2.csv",
    )
    foreign = Foreign(one, (two,))
    feed = foreign_feed(load_scenario("quiet"), foreign)
    assert feed.price(3, at("2026-01-02T00:00")) == price("102")
    assert (feed.start, feed.end) == (at("2026-01-01T23:58"), at("2026-01-02T00:02"))
    assert feed.holes == ()


def test_what_overlaps_is_refused_and_names_the_file(tmp_path: Path) -> None:
    one = prints(tmp_path, "1.csv", "SOL", "1T00:00=100", "1T00:02=99")
    two = prints(tmp_path, "2.csv", "SOL", "1T00:01=97", "1T00:03=96")
    with pytest.raises(InputError) as refusal:
        foreign_feed(load_scenario("quiet"), Foreign(one, (two,)))
    assert "2.csv: symbol: has SOL from 2026-01-01T00:01:00+00:00, and 1.csv has it" in str(
        refusal.value
    )
    with pytest.raises(InputError, match="--symbol: names the token of one file"):
        foreign_feed(load_scenario("quiet"), Foreign(one, (two,), symbol="SOL"))


def test_the_command_line_takes_them_and_the_figures_name_them(tmp_path: Path) -> None:
    sol = prints(tmp_path, "a.csv", "SOL", "1T00:00=100", "1T00:03=90")
    btc = prints(tmp_path, "b.csv", "BTC", "1T00:00=50000", "1T00:04=40000")
    done = solvent("run", "quiet", "--accounts", "10", "--prices", sol, "--prices", btc, "--json")
    assert done.returncode == 0, done.stderr
    prices = json.loads(done.stdout)["prices"]
    assert prices["file"] == "a.csv"
    assert [each["file"] for each in prices["more_files"]] == ["b.csv"]
    bad = solvent("run", "quiet", "--prices", sol, "--prices", tmp_path / "c.csv")
    assert (bad.returncode, bad.stderr.count("\n")) == (2, 1)
    assert "c.csv: file: does not exist" in bad.stderr
