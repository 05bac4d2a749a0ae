"""Scenario files: what a good one says, and what each bad one is told, a row an error."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.domain.parameters import Policy
from solvent.domain.units import RATIO
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import Scenario, list_scenarios, load_scenario
from tests.lab.run_helpers import SMALL, keep, small, written

PACKAGED = (
    "crash-2020-03-13",
    "crash-2021-05-19",
    "crash-2022-11-08",
    "crash-2024-08-05",
    "crash-2025-10-10",
    "demo-market",
    "jump-day",
    "luna-2022-05",
    "quiet",
    "short-squeeze",
    "usdc-2023-03-11",
    "weth-stuck-2026-04",
)


def later(table: str, minute: int, *fields: str) -> str:
    """One more table of what happens at a minute of the small run."""
    return "\n".join((f"[[{table}]]", f"at = 2026-01-01T00:{minute:02}:00Z", *fields, ""))


def with_prices(folder: Path, table: str) -> Scenario:
    """The small scenario with a table of how SOL's index is made."""
    return small(folder, ("[assets.market]", f"{table}\n[assets.market]"))


def refusal(path: Path | str) -> InputError:
    """The error that reading a scenario ends with; it must be one line that names the file."""
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{path}: ")
    return caught.value


class TestGoodFiles:
    """What is read is what is written, to the last digit."""

    def test_packaged_scenarios_are_listed_and_load(self) -> None:
        assert list_scenarios() == PACKAGED
        for name in PACKAGED:
            scenario = load_scenario(name)
            assert scenario.name == name
            assert scenario.source
            assert scenario.accounts == sum(group.count for group in scenario.groups)

    def test_numbers_are_exact(self, tmp_path: Path) -> None:
        scenario = small(tmp_path, ("base = 0.05 }\nmaintenance", "base = 0.1 }\nmaintenance"))
        assert scenario.parameters.assets[0].initial.base == RATIO // 10
        assert scenario.prices.points[1][1] == (600 * 10**6, 150 * 10**10)
        assert scenario.depth.curves[0].bands == (
            (10**6, 20_000 * 10**6),
            (2 * 10**6, 50_000 * 10**6),
        )
        assert scenario.parameters.waterfall.lender_policy is Policy.QUEUE

    def test_a_number_may_be_written_as_text(self, tmp_path: Path) -> None:
        scenario = small(tmp_path, ("fee = 0.1, optimal", 'fee = "0.123456789", optimal'))
        assert scenario.parameters.assets[0].pool.fee == 123_456_789

    def test_sources_have_weights_and_a_quorum(self, tmp_path: Path) -> None:
        """And a run quotes from all of them: the index is as with one."""
        lines = "[assets.price]\nsource_weights = [2, 1, 1]\nmin_sources = 2\nmax_move = 0.05\n"
        scenario = with_prices(tmp_path, lines)
        price = scenario.parameters.assets[1].price
        assert (price.source_weights, price.quorum) == ((2, 1, 1), 2)
        assert price.max_move == RATIO // 20
        one = keep(with_prices(tmp_path, "[assets.price]\nmax_move = 0.05\n"))
        three = keep(scenario)
        assert three.engine.queries.price(1).index == one.engine.queries.price(1).index > 0

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("source_weights = []", "at least one"),
            ("source_weights = [0]", "source_weights[0]"),
            ('source_weights = ["a"]', "source_weights"),
            ("min_sources = 2", "min_sources"),
        ],
    )
    def test_sources_that_cannot_be_are_refused(self, tmp_path: Path, line: str, said: str) -> None:
        with pytest.raises(InputError, match=re.escape(said)):
            with_prices(tmp_path, f"[assets.price]\n{line}\n")

    def test_times_are_counted_from_the_start(self, tmp_path: Path) -> None:
        scenario = small(tmp_path)
        assert scenario.depth.thinning == ((0, RATIO), (600 * 10**6, RATIO // 2))
        assert scenario.end - scenario.start == 600 * 10**6

    def test_actions_and_changes_come_in_order_of_time(self, tmp_path: Path) -> None:
        usdc = 'asset = "USDC"'
        tables = (
            later("actions", 5, 'group = "lenders"', 'do = "withdraw"', usdc),
            later("actions", 1, 'group = "longs"', 'do = "repay"', usdc, "share = 0.5"),
            later("changes", 2, 'asset = "SOL"', 'field = "price_max_age"', "value = 90"),
        )
        scenario = small(tmp_path, ("[depth]\n", "".join((*tables, "[depth]\n"))))
        assert [action.group for action in scenario.actions] == ["longs", "lenders"]
        assert [change.command.value for change in scenario.changes] == [90 * 10**6]


BAD = [
    # what is replaced, by what, the field that is named, and a part of the reason
    ("seed = 7\n", "", "scenario.seed", "is missing"),
    ("seed = 7", "seed = -7", "scenario.seed", "must lie between 0"),
    ("seed = 7", "seed = 7.5", "scenario.seed", "more than 0 decimals"),
    ("seed = 7", "seed = true", "scenario.seed", "must be a number"),
    ("seed = 7", "seed = 99999999999999999999", "scenario.seed", "too large"),
    ('name = "small"', 'name = ""', "scenario.name", "is empty"),
    ('name = "small"', "name = 5", "scenario.name", "must be a text"),
    ("seed = 7", "seed = 7\nseeds = 8", "scenario.seeds", "is not a known field"),
    ("start = 2026-01-01T00:00:00Z", "start = 2026-01-01", "scenario.start", "a time like"),
    ("end = 2026-01-01T00:10:00Z", "end = 2026-01-01T00:10:00", "scenario.end", "a time like"),
    ("start = 2026-01-01T00:00:00Z", 'start = "noon"', "scenario.start", "a time like"),
    ("start = 2026-01-01T00:00:00Z", "start = 1960-01-01T00:00:00Z", "scenario.start", "1970"),
    ("end = 2026-01-01T00:10:00Z", "end = 2025-01-01T00:10:00Z", "scenario.end", "one step to 366"),
    ("end = 2026-01-01T00:10:00Z", "end = 2036-01-01T00:10:00Z", "scenario.end", "one step to 366"),
    ("step = 60", "step = 0", "scenario.step", "must lie between 1 and 86400"),
    ("step = 60", "step = 0.5", "scenario.step", "more than 0 decimals"),
    ("[assets.market]", "[assets.price]\nmax_age_seconds = 59.9\n[assets.market]",
     "assets[1].price.max_age_seconds", "scenario.step"),
    ("[prices.paths]", '[prices]\nfile = "x.csv"\n[prices.paths]', "prices.file", "either a"),
    ("SOL = [[2026-01-01T00:00:00Z, 200]", "XYZ = [[2026-01-01T00:00:00Z, 200]", "prices.paths.SOL",
     "is missing"),
    ("[2026-01-01T00:00:00Z, 200]", "[2026-01-01T00:01:00Z, 200]", "prices.paths.SOL[0]",
     "must not come after"),
    ("[2026-01-01T00:10:00Z, 150]]", "[2026-01-01T00:00:00Z, 150]]", "prices.paths.SOL[1]",
     "must come after"),
    ("[2026-01-01T00:10:00Z, 150]]", "[2026-01-01T00:10:00Z, 0]]", "prices.paths.SOL[1]",
     "must lie between"),
    ("[2026-01-01T00:10:00Z, 150]]", "[2026-01-01T00:10:00Z, 1e3]]", "prices.paths.SOL[1]",
     "no plain decimal number"),
    ("[2026-01-01T00:10:00Z, 150]]", "[2026-01-01T00:10:00Z, nan]]", "prices.paths.SOL[1]",
     "no plain decimal number"),
    ("[2026-01-01T00:10:00Z, 150]]", "[2026-01-01T00:10:00Z, -1.5]]", "prices.paths.SOL[1]",
     "must lie between"),
    ("[2026-01-01T00:10:00Z, 150]]", "[150]]", "prices.paths.SOL[1]", "a pair in brackets"),
    ('policy = "queue"', 'policy = "fair"', "waterfall.policy", "choose from leverage, pro_rata"),
    ('policy = "queue"', "book_fraction = 1.5", "waterfall.book_fraction", "between 0.01 and 1,"),
    ('policy = "queue"', "book_fracton = 0.5", "waterfall.book_fracton", "not a known field"),
    ('symbol = "USDC"', 'symbol = "USDT"', "assets[0].symbol", "must be USDC"),
    ('symbol = "SOL"', 'symbol = "SO-L"', "assets[1].symbol", "letters or digits"),
    ("haircut = { weight = 0.9 }", "haircut = { weight = 1.2 }", "assets[1].haircut.weight",
     "must lie between 0 and 1, is 1.2"),
    ("haircut = { weight = 0.9 }", 'haircut = { weight = 0.9, kind = "log" }',
     "assets[1].haircut.kind", "choose from identity"),
    ("haircut = { weight = 0.9 }", "haircut = 0.9", "assets[1].haircut", "must be a table"),
    ("maintenance = { base = 0.05 }", "maintenance = { base = 0.2 }", "assets[1].maintenance.base",
     "initial.base"),
    ("[0, 0], [0.8, 0.1], [1, 1]", "[0, 0], [0.8, 2], [1, 1]",
     "assets[1].pool.curve[2].rate", "must not fall"),
    ("[0, 0], [0.8, 0.1], [1, 1]", "[0, 0], [0.8, 0.1]", "assets[1].pool.curve", "end at utiliz"),
    ("[0, 0], [0.8, 0.1], [1, 1]", "[0, 0], [0.8, 0.1], 5", "assets[1].pool.curve[2]", "a pair"),
    ("[0, 0], [0.8, 0.1], [1, 1]", "", "assets[1].pool.curve", "empty list"),
    ("throttle_threshold = 0.9\n", "throttle_threshold = 0.99\n",
     "assets[1].pool.throttle_threshold", "must not exceed max_utilization"),
    ("lot = 0.001", "lot = 0.0000000001", "assets[1].market.lot", "more than 9 decimals"),
    ("lot = 0.001", "lot = 0.001\nmin_quantity = 0.0015", "assets[1].market.min_quantity",
     "multiple of lot"),
    ("count = 6", "count = 0", "groups[0].count", "must lie between 1"),
    ("count = 6", "count = 99_999_999", "groups[0].count", "must lie between 1"),
    ("size = 50_000", "size = -50_000", "groups[0].size", "must lie between"),
    ('name = "longs"', 'name = "lenders"', "groups[1].name", "is taken"),
    ('collateral = [{ asset = "SOL", lent = true }]', 'collateral = [{ asset = "DOGE" }]',
     "groups[1].collateral[0].asset", "choose from USDC, SOL"),
    ('collateral = [{ asset = "SOL", lent = true }]',
     'collateral = [{ asset = "SOL", share = 0.5 }, { asset = "SOL", share = 0.5 }]',
     "groups[1].collateral", "twice"),
    ('asset = "SOL", lent = true }', 'asset = "SOL", share = 0.5 }', "groups[1].collateral",
     "add up to 1"),
    ('collateral = [{ asset = "SOL", lent = true }]', "collateral = []", "groups[1].collateral",
     "empty list"),
    ("cushion = [0.1, 0.5]", "cushion = [0.5, 0.1]", "groups[1].cushion", "must not fall"),
    ("cushion = [0.1, 0.5]\n", "", "groups[1].cushion", "is missing; add it"),
    ('debt = "USDC"\n', "", "groups[1].cushion", "is of a debt"),
    ('debt = "USDC"', 'debt = "SOL"', "groups[1].debt", "among the collateral"),
    ("cushion = [0.1, 0.5]", "cushion = [0.1, 0.5]\nutilization = 0.5", "groups[1].utilization",
     "only lend one asset"),
    ("cushion = [0.1, 0.5]", "cushion = [0.1, 0.5]\nborrow_at = 2027-01-01T00:00:00Z",
     "groups[1].borrow_at", "between scenario.start and scenario.end"),
    ("cushion = [0.1, 0.5]", "cushion = [0.1, 0.5]\nsettings = { auto_lent = true }",
     "groups[1].settings.auto_lent", "not a known field"),
    ("cushion = [0.1, 0.5]", "cushion = [0.1, 0.5]\nsettings = { auto_lend = 1 }",
     "groups[1].settings.auto_lend", "true or false"),
    ("scale = 0.5", "scale = 0", "depth.scale", "must lie between"),
    ("SOL = [[10, 20_000]", "USDC = [[10, 20_000]", "depth.bands.USDC", "no market"),
    ("SOL = [[10, 20_000]", "SOL = [[0, 20_000]", "depth.bands.SOL", "above 0"),
    ("[20, 50_000]", "[20, 10_000]", "depth.bands.SOL", "must not fall with distance"),
    ("[2026-01-01T00:10:00Z, 0.5]", "[2026-01-01T00:10:00Z, 0]", "depth.thinning[1]",
     "between 0.001"),
    ("commitments = { USDC = 5_000 }", "commitments = { EUR = 5_000 }",
     "providers[0].commitments.EUR", "is no asset"),
    ("balance = 1_000", "balances = 1_000", "fund.balances", "not a known field"),
    ("[fund]", "[funds]", "funds", "not a known field"),
    ("[fund]", later("actions", 5, 'group = "shorts"') + "[fund]",
     "actions[0].group", "is no group"),
    ("[fund]", later("changes", 5, 'field = "fees"') + "[fund]",
     "changes[0].field", "choose from pool_state"),
    ("[fund]", later("changes", 5, 'field = "throttle_threshold"', 'asset = "SOL"', "value = 0.99")
     + "[fund]", "changes[0].value", "must not exceed max_util"),
    ("[fund]", later("changes", 5, 'field = "curve_rate"', 'asset = "SOL"', "value = 0.99",
                     "index = 3") + "[fund]", "changes[0].value", "no point 3"),
]  # fmt: skip


class TestBadFiles:
    """Every error names the file, the dotted field and what to do."""

    @pytest.mark.parametrize(("old", "new", "field", "reason"), BAD, ids=range(len(BAD)))
    def test_row(self, tmp_path: Path, old: str, new: str, field: str, reason: str) -> None:
        assert old in SMALL
        path = written(tmp_path, SMALL.replace(old, new, 1))
        error = refusal(path)
        assert error.field == field
        assert reason in error.reason
        assert [each.name for each in tmp_path.iterdir()] == ["small.toml"]

    def test_unknown_name(self) -> None:
        error = refusal("crash-2025-10-11")
        assert error.field == "scenario"
        assert "crash-2025-10-10" in error.reason

    def test_missing_file(self, tmp_path: Path) -> None:
        assert "no such file" in refusal(tmp_path / "nothing.toml").reason

    def test_folder(self, tmp_path: Path) -> None:
        assert refusal(tmp_path).field == "file"

    def test_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "bytes.toml"
        path.write_bytes(b"\xff\xfe\x00")
        assert "UTF-8" in refusal(path).reason

    @pytest.mark.parametrize(
        "text", ["[scenario", "a = ", "seed = 1\nseed = 2", "a = " + "[" * 5000]
    )
    def test_no_toml(self, tmp_path: Path, text: str) -> None:
        assert "no valid TOML" in refusal(written(tmp_path, text)).reason

    def test_empty_file(self, tmp_path: Path) -> None:
        assert refusal(written(tmp_path, "")).field == "scenario"

    def test_two_groups_of_one_pool_cannot_be_reached(self, tmp_path: Path) -> None:
        scenario = small(
            tmp_path,
            (
                '[[groups]]\nname = "longs"',
                '[[groups]]\nname = "rich"\ncount = 1\nsize = 900_000\n'
                'collateral = [{ asset = "USDC", lent = true }]\n[[groups]]\nname = "longs"',
            ),
        )
        with pytest.raises(
            InputError, match=r"groups\[0\]\.utilization: line 52: cannot be reached"
        ):
            run(scenario)


def test_prices_of_paths_are_decimals(tmp_path: Path) -> None:
    """A price of the file is the price of the run, not the float next to it."""
    scenario = small(tmp_path, ("200], [", "0.1], ["))
    assert Decimal(scenario.prices.points[1][0][1]).scaleb(-10) == Decimal("0.1")


def test_an_asset_of_too_coarse_atoms_is_refused_with_the_decimals_it_needs(tmp_path: Path) -> None:
    scenario = small(tmp_path, ("decimals = 9", "decimals = 3"), ("lot = 0.001", "lot = 1"))
    own = r"assets\[1\]\.decimals: line \d+: an atom of SOL would be worth more than 0\.05 USDC"
    with pytest.raises(InputError, match=own + r".*, 200; give it 4 decimals or more"):
        run(scenario)
    foreign = written(
        tmp_path, "time,SOL\n2026-01-01T00:00:00Z,5000\n2026-01-01T00:10:00Z,5000\n", "prices.csv"
    )
    with pytest.raises(InputError, match=own + r".*, 5000; give it 5 decimals or more"):
        run(scenario, prices=foreign)
