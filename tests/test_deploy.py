"""What is in deploy/ holds: rules fire, units verify, names exist, options are read.

`hadolint` comes with the tests; `promtool` and `systemd-analyze` judge where they are installed.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from solvent.cli.cluster.settings import read_cluster
from solvent.cluster.nats_settings import REPLICAS, Server, refuse_one_host
from tests.cli.helpers import solvent
from tests.cluster.nats_servers import BINARY
from tests.service.clients.served import serving
from tests.service.harness import House, with_house

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "solvent.rules.yml"
RUN_BOOK = ROOT / "docs" / "how-to" / "run-book.md"
METRIC = re.compile(r"\b(?:solvent|process)_[a-z_]+")


def judged(*words: object) -> None:
    """Let a program judge files. Skips where it is not installed."""
    if shutil.which(str(words[0])) is None:
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def test_alarms_fire_when_they_should() -> None:
    """S30: each rule against made-up series, by the program that evaluates them."""
    judged("promtool", "check", "rules", RULES)
    judged("promtool", "test", "rules", DEPLOY / "prometheus" / "solvent.test.yml")


def test_the_units_verify() -> None:
    units = sorted((DEPLOY / "systemd").glob("*.service"))
    assert [unit.name for unit in units] == [
        "solvent-log.service",
        "solvent-node@.service",
        "solvent.service",
    ]
    judged("systemd-analyze", "verify", *units)


CLUSTER = DEPLOY / "cluster"


def test_the_file_of_a_cluster_is_read_and_its_log_would_be_taken(tmp_path: Path) -> None:
    shutil.copy(CLUSTER / "cluster.toml", tmp_path)
    (tmp_path / "market.head").write_bytes(b"head")
    (tmp_path / "cluster.secret").write_bytes(bytes(range(32)))
    (tmp_path / "cluster.secret").chmod(0o600)
    settings = read_cluster(tmp_path / "cluster.toml")
    assert len(settings.nodes) == REPLICAS
    refuse_one_host([Server(*each) for each in settings.log], all_on_one=settings.all_on_one)
    done = subprocess.run(
        [BINARY, "-t", "-c", CLUSTER / "nats.conf"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "is valid" in done.stderr + done.stdout) == (0, True), done
    assert "sync_interval: always" in (CLUSTER / "nats.conf").read_text()


def test_the_containers_of_a_cluster_fit_together() -> None:
    """Nothing runs them here, and the file says so; what can be read of it is judged."""
    text = (CLUSTER / "compose.yaml").read_text()
    assert "NOT RUN by the tests" in text
    said = import_module("yaml").safe_load(text)
    settings = tomllib.loads((CLUSTER / "cluster.toml").read_text())
    services = said["services"]
    hosts = {urlsplit(each["url"]).hostname for each in settings["log"] + settings["node"]}
    assert hosts == set(services)
    volumes = {
        volume.partition(":")[0]
        for service in services.values()
        for volume in service["volumes"]
        if not volume.startswith(".")
    }
    assert volumes == set(said["volumes"])
    options = solvent("up", "--help").stdout
    for name, service in services.items():
        assert set(service["networks"]) <= set(said["networks"])
        assert set(service.get("depends_on", ())) <= set(services)
        words = service["command"]
        if name.startswith("log"):
            assert words[-2:] == ["--name", name]
            continue
        assert words[0] == "up"
        assert all(f"{word} " in options for word in words if word.startswith("--"))
        build = service["build"]
        file = CLUSTER / build["context"] / build["dockerfile"]
        assert file.resolve() == DEPLOY / "Containerfile"


def test_every_metric_that_is_asked_for_is_there(tmp_path: Path) -> None:
    async def story(house: House) -> str:
        await asyncio.sleep(0)
        return (await house.http.get("/solvent/v1/metrics")).text

    text = with_house(tmp_path, story)
    there = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    there |= {f"{name}_bucket" for name in there} | {f"{name}_total" for name in there}
    dashboard = json.loads((DEPLOY / "grafana" / "solvent.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += re.findall(r"expr: (.+)", RULES.read_text())
    names = {name for expression in asked for name in METRIC.findall(expression)}
    assert len(names) > 12
    panels = {target["expr"] for panel in dashboard["panels"] for target in panel["targets"]}
    assert {"solvent_lag_frames", "solvent_quiet_seconds", "solvent_leads"} <= panels
    assert names - there == set()


def test_every_alarm_leads_to_a_page_that_is_there() -> None:
    """S30."""
    titles = re.findall(r"^## (.+)$", RUN_BOOK.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {title.lower().replace(" ", "-") for title in titles}
    led = re.findall(r"run-book\.md#([a-z0-9-]+)", RULES.read_text())
    assert len(led) == RULES.read_text().count("- alert:")
    assert set(led) <= anchors


def test_the_container_is_made_of_what_is_there() -> None:
    """No builder is needed to see that: sources, the lock, a user without rights."""
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    copied = [line.split()[1:-1] for line in lines if re.match(r"COPY (?!--from)", line)]
    assert copied
    assert all((ROOT / name).exists() for names in copied for name in names)
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001"]
    assert [line for line in lines if line.startswith(("ADD", "RUN curl", "RUN wget"))] == []
    assert all("@" in line or ":" in line for line in lines if line.startswith("FROM"))


def test_the_container_file_is_linted() -> None:
    """S30: no builder is on the machines that test; the linter's word is all there is."""
    program = Path(sys.executable).with_name("hadolint")
    assert program.exists(), "./run test sets it up"
    assert linted(program, DEPLOY / "Containerfile") == ""


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        ("FROM docker.io/library/python:latest\n", "DL3007"),
        ("FROM docker.io/library/python:3.13-slim\nWORKDIR source\n", "DL3000"),
        ("FROM docker.io/library/python:3.13-slim\nNONSENSE\n", "unexpected"),
    ],
)
def test_a_linter_would_say_so(bad: str, rule: str, tmp_path: Path) -> None:
    file = tmp_path / "Containerfile"
    file.write_text(bad)
    assert rule in linted(Path(sys.executable).with_name("hadolint"), file)


def linted(program: Path, file: Path) -> str:
    """What the linter says of a file."""
    words = [str(program), "--no-color", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (done.stdout + done.stderr == "")
    return done.stdout + done.stderr


def _configured(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "solvent.toml"
    file.write_text(text)
    monkeypatch.setenv("SOLVENT_CONFIG", str(file))


@pytest.mark.slow
def test_options_come_from_a_file_and_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line goes first, then the environment, then the file."""
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    text = f'[up]\nviews = "{url}"\naccess_log = true\nhost = "127.0.0.2"\nport = 1\n'
    _configured(tmp_path, text, monkeypatch)
    monkeypatch.setenv("SOLVENT_UP_HOST", "127.0.0.1")
    with serving(tmp_path, "--demo", "--accounts", "40") as service:
        assert httpx.get(f"{service.rest}/api/v1/ping").text == "pong"
        assert (tmp_path / "elsewhere.db").stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in (tmp_path / "errors").read_text().splitlines()]
    (line,) = (line for line in lines if line.get("path") == "/api/v1/ping")
    assert (line["part"], line["method"], line["status"]) == ("solvent.access", "GET", 200)
    assert line["address"] == "127.0.0.1"
    assert line["ms"] >= 0


@pytest.mark.parametrize("text", ["[up]\nprot = 1\n", "[up]\nport = -1\n", "[up\n"])
def test_a_file_that_cannot_be_used_is_refused(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _configured(tmp_path, text, monkeypatch)
    done = solvent("up", "--folder", str(tmp_path / "market"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "market").exists()


def test_the_file_that_is_shown_names_options_that_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = re.sub(r"^# (\w+ = )", r"\1", (DEPLOY / "solvent.toml").read_text(), flags=re.MULTILINE)
    assert len(tomllib.loads(text)["up"]) > 5
    _configured(tmp_path, text.replace('"127.0.0.1"\nport', '""\nport'), monkeypatch)
    done = solvent("up")
    assert (done.returncode, "is empty" in done.stderr) == (2, True), done.stderr
    assert os.environ["SOLVENT_CONFIG"]
