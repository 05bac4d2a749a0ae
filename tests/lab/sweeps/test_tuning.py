"""Searching: the same seed tries the same points, a kill costs nothing, and Optuna is an extra."""

import subprocess
import sys
from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.lab.sweeps.log import LOG
from solvent.lab.sweeps.plan import read_plan
from solvent.lab.sweeps.sweeping import ROWS, read_rows
from solvent.lab.sweeps.tuning import Search, Span, parse_least, parse_span, tune
from solvent.lab.sweeps.verifying import verify
from solvent.lab.sweeps.workers import local_pool
from tests.cli.helpers import command
from tests.lab.sweeps.helpers import falling
from tests.lab.sweeps.test_dask import plan_of


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("fund.balance=0..100_000", Span("fund.balance", 0.0, 100_000.0)),
        ("a.b = -0.5..0.5", Span("a.b", -0.5, 0.5)),
        (
            "waterfall.policy=queue,pro_rata",
            Span("waterfall.policy", choices=("queue", "pro_rata")),
        ),
    ],
)
def test_a_field_has_a_range_or_values(text: str, span: Span) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize("text", ["a=1..0", "a=x..2", "=0..1", "a", "a=1,1"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--vary"):
        parse_span(text)


def test_what_is_made_small_must_be_a_statistic() -> None:
    assert parse_least("deficit_es99").statistic == "es99"
    for text in ("deficit", "deficits_mean", ""):
        with pytest.raises(InputError, match="--least"):
            parse_least(text)


def test_values_are_as_fine_as_their_range_asks() -> None:
    assert Span("a", 0.0, 50_000.0).text(11099.658554487) == "11099.7"
    assert Span("a", 0.0, 0.1).text(0.0123456789) == "0.0123457"
    assert Span("a", 0.0, 1e9).text(123.4) == "123"
    assert Span("a", -0.5, 0.5).ends == ("-0.5", "0.5")


def asked(file: Path, trials: int) -> Search:
    spans = (Span("fund.balance", 0.0, 50_000.0), Span("depth.scale", choices=("0.05", "0.1")))
    plan = plan_of(file, 4)
    return Search(
        type(plan)(plan.scenario, plan.root, plan.sources, ({},), 4),
        spans,
        trials,
        "deficit_mean",
        5,
    )


@pytest.mark.slow
def test_a_search_is_a_sweep_that_can_be_gone_on_with(tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="the extra tune is not installed")
    file = falling(tmp_path / "own")

    def nothing(_done: int, _whole: int) -> None:
        pass

    plan = tune(tmp_path / "one", asked(file, 6), local_pool(1), nothing)
    assert read_plan(tmp_path / "one") == plan
    assert len(plan.points) == 7
    assert len({tuple(point.items()) for point in plan.points}) > 4
    rows = read_rows(tmp_path / "one")
    assert [row.key for row in rows] == [(point, path) for point in range(7) for path in range(4)]
    assert all(each.same for each in verify(tmp_path / "one", 5, seed=1))
    two = tmp_path / "two"
    two.mkdir()
    for name, share in (("tune.json", 1.0), (LOG, 0.6)):
        whole = (tmp_path / "one" / name).read_bytes()
        (two / name).write_bytes(whole[: int(share * len(whole))])
    tune(two, asked(file, 6), local_pool(2), nothing)
    for name in (ROWS, "plan.json", "report.html"):
        assert (two / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    with pytest.raises(InputError, match="another search"):
        tune(two, asked(file, 7), local_pool(1), nothing)


def test_without_optuna_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    file = falling(tmp_path / "own")
    with pytest.raises(InputError, match=r"pip install 'solvent\[tune\]'"):
        tune(tmp_path / "out", asked(file, 2), local_pool(1), lambda *_: None)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--vary", "fund.balanse=0..1"], "fund.balanse"),
        (["--vary", "fund.balance=0..1", "--vary", "fund.balance=2..3"], "twice"),
        (["--vary", "fund.balance=0..1", "--least", "deficit"], "--least"),
        (["--vary", "waterfall.patience=1..3.5"], "waterfall.patience"),
        (["--vary", "assets[SOL].haircut.weight=0.5..7"], "haircut.weight"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    options: list[str], said: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        command("lab", "tune", "quiet", "--out", tmp_path / "out", *options),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, len(done.stderr.splitlines()), said in done.stderr) == (2, 1, True)
    assert not (tmp_path / "out").exists()
