"""Days that were: each is a scenario, does what it is there for, and asks for what it lacks."""

import subprocess
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.engine.engine import FastEngine
from solvent.lab.paths.drawing import scenario_hash
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from tests.cli.helpers import command
from tests.lab.run_helpers import HISTORY, RUNNABLE, SMALL, written

DAYS = (*HISTORY, "crash-2025-10-10", "weth-stuck-2026-04")
YEARS = ("2020-03", "2021-05", "2022-05", "2022-11", "2023-03", "2024-08", "2025-10", "2026-04")
LUNA = "LUNAUSDT_1h.csv"
BROUGHT = '[prices]\nfile = "sol.csv"\nbring = "sol.csv of somebody"\nsha256 = "{}"'


def brought(folder: Path, digest: str) -> Path:
    """The small scenario on a file that must be brought."""
    path = "[prices.paths]\nSOL = [[2026-01-01T00:00:00Z, 200], [2026-01-01T00:10:00Z, 150]]"
    assert path in SMALL
    return written(folder, SMALL.replace(path, BROUGHT.format(digest)))


def test_there_is_a_scenario_of_each_day() -> None:
    assert {day for day in YEARS if any(day in name for name in DAYS)} == set(YEARS)


@pytest.mark.parametrize("name", [name for name in HISTORY if name in RUNNABLE])
def test_somebody_is_liquidated_and_the_book_does_not_bear_it_alone(name: str) -> None:
    figures = run(load_scenario(name), engine_factory=FastEngine).figures
    assert figures["liquidated_accounts"] > 5
    stages = {each["stage"]: Decimal(each["value"]) for each in figures["stages"]}
    assert 0 < stages["book"] < sum(stages.values())


def test_where_usdc_falls_who_owes_tokens_is_liquidated() -> None:
    figures = run(load_scenario("usdc-2023-03-11"), engine_factory=FastEngine).figures
    first = sorted(figures["liquidated"], key=lambda each: each["started"])[:10]
    assert {each["party"] for each in first} <= {"btc-shorts", "eth-shorts"}
    assert all(set(each["debts"]) <= {"BTC", "ETH"} for each in first)
    assert any("0.87" in note for note in figures["notes"])


def test_what_is_not_shipped_is_asked_for_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLVENT_DATA", str(tmp_path))
    scenario = load_scenario("luna-2022-05")
    for use in (scenario_hash, run):
        with pytest.raises(InputError, match="is not shipped; bring data/LUNAUSDT_1h") as caught:
            use(scenario)
        assert caught.value.line == 18
        assert "SOLVENT_DATA" in str(caught.value)
    (tmp_path / LUNA).write_text("time,close\n2022-05-09T12:00:00Z,64\n")
    for use in (scenario_hash, run):
        with pytest.raises(InputError, match=r"prices.sha256: .* not af9014985a00"):
            use(scenario)
    done = subprocess.run(
        command("lab", "sweep", "luna-2022-05", "--out", tmp_path / "out"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert not (tmp_path / "out").exists()


def test_a_file_that_was_brought_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prices = "time,symbol,close\n" + "".join(
        f"2026-01-01T00:{minute:02}:00Z,SOL,{200 - 5 * minute}\n" for minute in range(11)
    )
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "sol.csv").write_text(prices)
    digest = sha256(prices.encode()).hexdigest()
    scenario = load_scenario(brought(tmp_path, digest))
    with pytest.raises(InputError, match="is not shipped; bring sol"):
        run(scenario)
    monkeypatch.setenv("SOLVENT_DATA", str(folder))
    figures = run(load_scenario(brought(tmp_path, digest)), engine_factory=FastEngine).figures
    assert figures["prices"]["sha256"] == digest


@pytest.mark.parametrize(
    ("digest", "said"), [("", "bring: line 12: needs sha256"), ("12", "sha256: .*64 digits")]
)
def test_a_file_to_bring_needs_a_hash(digest: str, said: str, tmp_path: Path) -> None:
    file = brought(tmp_path, digest)
    if not digest:
        file.write_text(file.read_text().replace('sha256 = ""\n', ""))
    with pytest.raises(InputError, match=said):
        load_scenario(file)
