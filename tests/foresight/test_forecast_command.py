"""`solvent forecast`: what the command says is what the functions say; what is wrong it names."""

import json
from pathlib import Path

import pytest

from solvent.cli.ahead.books import book_of
from solvent.foresight.flows import pool_times, pools_at
from solvent.foresight.forecast import Forecaster
from solvent.foresight.leaving import ways_off
from tests.cli.helpers import solvent

ACCOUNT = 9
SINCE = 9_000
ASKED = (str(ACCOUNT), "--since", str(SINCE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short crash of few accounts."""
    found = tmp_path_factory.mktemp("forecast") / "crash"
    done = solvent("run", "crash-2025-10-10", "--accounts", "60", "--out", found)
    assert done.returncode == 0, done.stderr
    return found


def test_the_command_says_what_the_functions_say(folder: Path) -> None:
    done = solvent("forecast", folder, *ASKED, "BTC=0.1", "--tiers", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    engine = book_of(folder)
    forecaster = Forecaster(engine, {1: 100_000_000})
    lists = forecaster.lists(ACCOUNT)
    assert len(said["lists"]) == len(lists) > 1
    for shown, listed in zip(said["lists"], lists, strict=True):
        place = listed.place
        kind = place.asked.kind
        assert (shown["case"], shown["tier"]) == (kind.case.name, kind.means.tier.name)
        assert (shown["rank"], shown["allotted"]) == (place.rank, place.allotted)
        assert shown["reached"] == place.reached
        assert len(shown["partners"]) == len(listed.partners)
        ways = ways_off(forecaster, ACCOUNT, place)
        assert [way["quantity"] for way in shown["ways"]] == [way.command.quantity for way in ways]
    times = pool_times(pools_at(book_of(folder, SINCE)), engine)
    assert [pool["throttle"] for pool in said["pools"].values()] == [one.throttle for one in times]


def test_the_command_shows_a_table_of_each(folder: Path) -> None:
    done = solvent("forecast", folder, *ASKED, "all=0.1")
    assert done.returncode == 0, done.stderr
    for title in ("Rounds that could reach account 9", "Who could be paired", "Cheapest way off"):
        assert title in done.stdout
    assert "opposites USDC, owed BTC" in done.stdout
    assert "Pools, at the flow so far" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("999",), "there is no account 999"),
        (("9", "GOLD=1"), "is none of"),
        (("9", "all=1", "BTC=1"), "are of all or by asset, and not both"),
        (("9", "--commands", "100", "--since", "100"), "two readings with time between them"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, words: tuple[str, ...], said: str) -> None:
    done = solvent("forecast", folder, *words)
    assert done.returncode != 0
    assert said in done.stderr
    assert done.stdout == ""
