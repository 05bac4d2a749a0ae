"""The lock files hold all that pyproject.toml asks for, pinned and hashed."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKED_GROUPS = {
    "run": [],
    "build": ["build"],
    "dev": ["build", "dev"],
    "dask": [],
    "parquet": [],
    "postgres": [],
    "tune": [],
    "bench": ["bench"],
    "bench-compiled": ["bench-compiled"],
    "bench-lab": ["bench-lab"],
}
EXTRAS = {"dask": ["dask"], "parquet": ["parquet"], "postgres": ["postgres"], "tune": ["tune"]}
PEERS = {"bench", "bench-compiled", "bench-lab", "build"}
"""Files of what is measured against or builds: without the project's own dependencies."""


def pins_of(text: str) -> dict[str, str]:
    """Return name -> version of a lock file; raise ValueError where a pin has no hash."""
    pins = {}
    for entry in re.split(r"\n(?=[\w#])", text):
        if entry.startswith("#") or not entry.strip():
            continue
        match = re.match(r"([\w.-]+)==([^\s;]+)", entry)
        if not match or "--hash=sha256:" not in entry:
            raise ValueError(f"not pinned and hashed: {entry!r}")
        pins[match[1]] = match[2]
    return pins


def lock(name: str) -> dict[str, str]:
    return pins_of((ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8"))


def project_name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")


@pytest.mark.parametrize("name", LOCKED_GROUPS)
def test_lock_holds_every_dependency(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [] if name in PEERS else list(project["project"]["dependencies"])
    for group in LOCKED_GROUPS[name]:
        wanted += project["dependency-groups"][group]
    for extra in EXTRAS.get(name, ()):
        wanted += project["project"]["optional-dependencies"][extra]
    missing = {project_name(requirement) for requirement in wanted} - lock(name).keys()
    assert missing == set(), "run requirements/compile.sh"


def test_developers_run_what_users_run() -> None:
    assert lock("run").items() <= lock("dev").items()
    for name in ("build", "dask", "parquet", "postgres", "tune"):
        assert lock(name).items() <= lock("dev").items()


def test_what_builds_is_apart_from_what_runs() -> None:
    """S31."""
    assert not {"hatchling", "editables", "trove-classifiers"} & lock("run").keys()


def test_no_data_frame_library_is_needed_to_run() -> None:
    assert {"duckdb", "pandas", "polars", "pyarrow"} & lock("run").keys() == set()


@pytest.mark.parametrize("entry", ["x", "x>=1 \\\n    --hash=sha256:0", "x==1", "y @ file:x"])
def test_an_entry_that_is_not_pinned_and_hashed_is_caught(entry: str) -> None:
    with pytest.raises(ValueError, match="not pinned"):
        pins_of(f"# comment\na==1 \\\n    --hash=sha256:0\n{entry}\n")
