"""Runs: the same answers to the same question, options that do what they say, prices of others."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from solvent.domain.commands import Withdraw
from solvent.domain.errors import InputError
from solvent.domain.events import PriceStaleness, Refused
from solvent.domain.parameters import Policy
from solvent.domain.rejections import Limit
from solvent.domain.waterfall_events import LiquidationStarted
from solvent.engine.engine import FastEngine
from solvent.lab.prices.feed import Foreign
from solvent.lab.prices.paths import read_prices
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from tests.lab.run_helpers import keep, packaged, small
from tests.lab.test_price_sources import ROOT, shared
from tests.proof import proves

FEW = 60
SOME = 200
SCRIPT = f"""
import json
from solvent.engine.engine import FastEngine
from solvent.lab.prices.feed import Foreign
from solvent.lab.prices.paths import read_prices
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
result = run(load_scenario("short-squeeze"), accounts={FEW})
print(json.dumps([result.figures, result.series], sort_keys=True))
"""


class TestDeterminism:
    """Same scenario, accounts and seed: same bytes."""

    @pytest.mark.slow
    @proves("I27", "I35")
    def test_any_hash_seed_gives_the_same_run(self) -> None:
        """In processes of their own, whose sets and dicts iterate in other orders."""
        outputs = {
            subprocess.run(
                [sys.executable, "-c", SCRIPT],
                env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "src")},
                capture_output=True,
                check=True,
                text=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(outputs) == 1
        figures, _ = json.loads(outputs.pop())
        here = run(load_scenario("short-squeeze"), accounts=FEW).figures
        assert figures == json.loads(json.dumps(here))

    @proves("I35")
    def test_another_seed_is_another_run(self, tmp_path: Path) -> None:
        scenario = small(tmp_path)
        runs = [run(scenario, seed=seed).figures for seed in (1, 1, 2)]
        hashes = [(each["state_hash"], each["event_hash"]) for each in runs]
        assert hashes[0] == hashes[1]
        assert hashes[0] != hashes[2]
        assert [each["seed"] for each in runs] == [1, 1, 2]

    def test_writing_a_run_down_changes_nothing(self, tmp_path: Path) -> None:
        scenario = small(tmp_path)
        silent, loud = run(scenario), run(scenario, out=tmp_path / "out")
        assert silent.figures == loud.figures
        assert silent.series == loud.series


class TestLateBorrowers:
    """Who takes a loan when the pool is nearly lent out."""

    LATE = (
        "[depth]\n",
        '[[groups]]\nname = "late"\ncount = 25\nsize = 8_000\ncollateral = [{ asset = "USDC" }]\n'
        'debt = "SOL"\ncushion = [0.5, 1]\nborrow_at = 2026-01-01T00:01:00Z\n\n[depth]\n',
    )

    @proves("A3", "I13")
    def test_late_borrowers_take_what_the_bound_allows(self, tmp_path: Path) -> None:
        """One is refused with the largest loan there is, and takes that; after it there is none."""
        kept = keep(small(tmp_path, self.LATE))
        asked = [each for each in kept.engine.said if isinstance(each[0], Withdraw)]
        refused = [at for at, (_, (first, *_)) in enumerate(asked) if isinstance(first, Refused)]
        first, *later = (asked[at][1][0] for at in refused)
        assert isinstance(first, Refused)
        command = asked[refused[0]][0]
        assert isinstance(command, Withdraw)
        assert 0 < first.largest < command.quantity
        again, answers = asked[refused[0] + 1]
        assert again == replace(command, quantity=first.largest)
        assert not any(isinstance(event, Refused) for event in answers)
        assert later
        for refusal in (first, *later):
            assert isinstance(refusal, Refused)
            assert refusal.limit is Limit.UTILIZATION_BOUND
        assert {refusal.largest for refusal in later if isinstance(refusal, Refused)} == {0}
        # As the loans leave it; interest and liquidations carry it on.
        level, threshold = (
            kept.result.series["utilization"]["SOL"][0],
            kept.pool("SOL")["threshold"],
        )
        assert threshold - 1e-6 < level <= threshold


class TestOptions:
    """Policy, accounts and seed."""

    @pytest.mark.slow
    @pytest.mark.parametrize("policy", list(Policy))
    def test_policy_is_the_one_used(self, policy: Policy) -> None:
        kept = packaged("weth-stuck-2026-04", FEW, policy)
        assert kept.figures["policy"] == policy.name.lower()
        cases = {each.policy for each in kept.engine.rounds if each.case == 0}
        assert cases == {policy}
        assert kept.figures["lenders"]["recovery"] == pytest.approx(1, abs=1e-6)

    @pytest.mark.slow
    @pytest.mark.parametrize("policy", list(Policy))
    def test_defaults_have_a_policy_of_their_own(self, policy: Policy) -> None:
        scenario = load_scenario("crash-2025-10-10")
        kept = keep(scenario, accounts=SOME, default_policy=policy)
        assert kept.figures["default_policy"] == policy.name.lower()
        assert kept.figures["policy"] == scenario.parameters.waterfall.lender_policy.name.lower()
        cases = {each.policy for each in kept.engine.rounds if each.case == 1}
        assert cases == {policy}

    @pytest.mark.slow
    def test_policies_settle_differently(self) -> None:
        hashes = {
            packaged("weth-stuck-2026-04", FEW, policy).figures["state_hash"] for policy in Policy
        }
        assert len(hashes) == len(Policy)

    def test_the_scenario_s_own_policy_stays(self, tmp_path: Path) -> None:
        assert run(small(tmp_path)).figures["policy"] == "queue"

    @pytest.mark.parametrize("accounts", [2, 5, 40])
    def test_accounts_scale_the_market(self, tmp_path: Path, accounts: int) -> None:
        kept = keep(small(tmp_path), accounts=accounts)
        assert kept.figures["accounts"] == accounts
        assert len(kept.state.accounts) == 2 + 1 + 2 + accounts
        assert kept.pool("USDC")["start_utilization"] == pytest.approx(0.8, abs=1e-4)

    @pytest.mark.parametrize(
        ("options", "field"),
        [({"accounts": 1}, "accounts"), ({"seed": -1}, "seed"), ({"seed": 2**63}, "seed")],
    )
    def test_options_out_of_range(
        self, tmp_path: Path, options: dict[str, int], field: str
    ) -> None:
        with pytest.raises(InputError) as refusal:
            run(small(tmp_path), **options)  # type: ignore[arg-type]
        assert refusal.value.field == field

    def test_progress_counts_every_step(self, tmp_path: Path) -> None:
        seen: list[tuple[int, int]] = []
        run(small(tmp_path), progress=lambda done, whole: seen.append((done, whole)))
        assert seen == [(step, 10) for step in range(1, 11)]


QUIET_FILES: list[tuple[str, dict[str, Any], str]] = [
    ("alts_5m_2025_10.parquet", {}, "SOL"),
    ("btc_eth_1m_2021_05_and_2025_10.parquet", {"window": "2025-10_october_10_adl"}, "BTC"),
    ("btc_eth_1m_2021_05_and_2025_10.parquet", {"window": "2021-05_china_ban"}, "ETH"),
    ("ethusdt_1m_2021_01_bidask_liquidations.csv.gz", {}, "ETH"),
    ("weth_usdc_price_1m_2023_08_13_17.csv.gz", {"sort": True}, "ETH"),
]


class TestForeignPrices:
    """The scenario's people on somebody else's prices."""

    @pytest.mark.slow
    @pytest.mark.parametrize(("name", "options", "symbol"), QUIET_FILES)
    def test_every_shared_file_runs(self, name: str, options: dict[str, Any], symbol: str) -> None:
        prices = Foreign(shared(name), **options)
        result = run(load_scenario("quiet"), prices=prices, accounts=20, engine_factory=FastEngine)
        marks = result.series["marks"]
        assert max(marks[symbol]) > 1.02 * min(marks[symbol])
        path = read_prices(prices.file, window=prices.window, sort=prices.sort)
        (place,) = (at for at, name in enumerate(path.symbols) if symbol in name)
        assert result.figures["steps"] >= len(path.prints[place]) - 1
        assert any("counted from" in note for note in result.notes)

    def test_unsorted_file_names_the_option(self) -> None:
        with pytest.raises(InputError, match="use --sort-prices"):
            run(load_scenario("quiet"), prices=shared("weth_usdc_price_1m_2023_08_13_17.csv.gz"))

    def prices(self, folder: Path, *rows: str, head: str = "time,symbol,close") -> Path:
        path = folder / "prices.csv"
        path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
        return path

    def minutes(self, symbol: str, prices: list[int]) -> list[str]:
        return [
            f"2025-01-01T00:{place:02}:00Z,{symbol},{price}" for place, price in enumerate(prices)
        ]

    def test_missing_assets_stay_flat_and_unknown_ones_are_left_out(self, tmp_path: Path) -> None:
        rows = self.minutes("SOLUSDT", [100, 101, 99]) + self.minutes("DOGEUSDT", [1, 2, 3])
        result = run(load_scenario("quiet"), prices=self.prices(tmp_path, *rows), accounts=10)
        assert set(result.series["marks"]["BTC"]) == {100_000.0}
        assert result.series["marks"]["SOL"][-1] == pytest.approx(99, rel=0.01)
        notes = " ".join(result.notes)
        assert "BTC is not in the file" in notes
        assert "left out DOGEUSDT" in notes

    def test_no_asset_of_the_scenario(self, tmp_path: Path) -> None:
        path = self.prices(tmp_path, *self.minutes("DOGEUSDT", [1, 2, 3]))
        with pytest.raises(InputError, match="has DOGEUSDT; quiet knows BTC, "):
            run(load_scenario("quiet"), prices=path, out=tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_too_short(self, tmp_path: Path) -> None:
        path = self.prices(tmp_path, *self.minutes("BTC", [1]))
        with pytest.raises(InputError, match="less than one step"):
            run(load_scenario("quiet"), prices=path)

    def test_another_level_of_prices_changes_no_value(self, tmp_path: Path) -> None:
        """Sizes are values, so a token a hundred times dearer makes the same market."""
        stays = [200] * 11
        cheap = self.prices(tmp_path, *self.minutes("SOL", stays))
        one = run(small(tmp_path), prices=cheap).figures
        dear = self.prices(tmp_path, *self.minutes("SOL", [100 * price for price in stays]))
        other = run(small(tmp_path), prices=dear).figures
        for pool, again in zip(one["pools"], other["pools"], strict=True):
            assert pool["start_utilization"] == pytest.approx(again["start_utilization"], abs=1e-6)

    @proves("I14", "I34")
    def test_a_hole_makes_the_price_stale_and_liquidates_nobody(self, tmp_path: Path) -> None:
        """Rows at minutes 0 to 2 and from 40 on, a good deal lower; nobody quotes between."""
        times = [0, 1, 2, 40, 41, 42]
        rows = [
            f"2025-01-01T00:{minute:02}:00Z,SOL,{200 if minute < 40 else 120}" for minute in times
        ]
        kept = keep(small(tmp_path), prices=self.prices(tmp_path, *rows))
        story = [
            event
            for _, events in kept.engine.said
            for event in events
            if isinstance(event, PriceStaleness | LiquidationStarted)
        ]
        stale = [event.stale for event in story if isinstance(event, PriceStaleness)]
        assert stale == [0, 1, 0]
        started = [
            place for place, each in enumerate(story) if isinstance(each, LiquidationStarted)
        ]
        assert started
        assert min(started) == len(stale)
        levels = dict(
            zip(kept.result.series["times"], kept.result.series["marks"]["SOL"], strict=True)
        )
        assert levels["2025-01-01T00:39:00+00:00"] == 200
        assert levels["2025-01-01T00:42:00+00:00"] < 130


class TestOwnPrices:
    """A scenario whose file does not cover it is refused."""

    FILE = (
        "[prices.paths]\nSOL = [[2026-01-01T00:00:00Z, 200], [2026-01-01T00:10:00Z, 150]]",
        '[prices]\nfile = "prices.csv"',
    )

    @pytest.mark.parametrize(
        ("rows", "field"),
        [
            (["2026-01-01T00:00:30Z,SOL,1", "2026-01-01T00:20:00Z,SOL,2"], "scenario.start"),
            (["2025-12-31T00:00:00Z,SOL,1", "2026-01-01T00:05:00Z,SOL,2"], "scenario.end"),
            (["2025-12-31T00:00:00Z,BTC,1", "2026-01-01T00:20:00Z,BTC,2"], "prices.file"),
        ],
    )
    def test_file_and_window(self, tmp_path: Path, rows: list[str], field: str) -> None:
        text = "\n".join(["time,symbol,close", *rows, ""])
        (tmp_path / "prices.csv").write_text(text, encoding="utf-8")
        with pytest.raises(InputError) as refusal:
            run(small(tmp_path, self.FILE))
        assert refusal.value.field == field

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(InputError) as refusal:
            run(small(tmp_path, self.FILE))
        assert refusal.value.file == str(tmp_path / "small.toml")
        assert f"{tmp_path / 'prices.csv'} does not exist" in refusal.value.reason
