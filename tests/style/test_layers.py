"""The contracts of pyproject.toml catch an import that goes against the layers.

The contracts themselves run over the package in `./run gates`; here over a small one made up.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).parent / "lint-imports"
ROOMS = [
    "domain",
    "kernels",
    "reference",
    "engine",
    "receipts",
    "journal",
    "cluster",
    "prices",
    "history",
    "lab",
    "lab/estimate",
    "lab/paths",
    "lab/people",
    "lab/prices",
    "lab/report",
    "lab/scenario",
    "lab/sweeps",
    "service",
    "service/api",
    "service/api/objects",
    "service/core",
    "service/routes",
    "service/streams",
    "proof",
    "proof/audit",
    "proof/cluster",
    "proof/crash",
    "proof/fuzz",
    "proof/invariants",
    "cli",
]

ALLOWED = {
    "cli/x.py": "import solvent.service.x, solvent.lab.x, time",
    "lab/x.py": "import solvent.reference.x, solvent.engine.x, solvent.history.x, duckdb",
    "lab/estimate/x.py": "import solvent.lab.paths.x, numpy",
    "lab/sweeps/x.py": "import solvent.lab.estimate.x",
    "journal/x.py": "import solvent.reference.x, os",
    "reference/x.py": "import solvent.domain.x, math, hashlib",
    "engine/x.py": "import solvent.domain.x, solvent.kernels.x, numpy, os",
    "history/x.py": "import solvent.receipts.x",
    "prices/x.py": "import solvent.domain.x, duckdb",
    "service/x.py": "import solvent.prices.x",
    "service/api/objects/x.py": "import solvent.domain.x, msgspec",
    "proof/x.py": "import solvent.service.x, solvent.lab.x",
    "proof/invariants/x.py": "import solvent.domain.x, solvent.reference.state",
    "proof/fuzz/x.py": "import solvent.proof.invariants.x, solvent.reference.x",
}

FORBIDDEN = [
    ("domain/x.py", "import solvent.reference.x"),
    ("reference/x.py", "import solvent.engine.x"),
    ("engine/x.py", "from solvent.reference import x"),
    ("receipts/x.py", "import solvent.history.x"),
    ("receipts/x.py", "import solvent.journal.x"),
    ("history/x.py", "import solvent.lab.x"),
    ("journal/x.py", "from solvent.receipts import x"),
    ("kernels/x.py", "import solvent.engine.x"),
    ("kernels/x.py", "from solvent.domain import x"),
    ("prices/x.py", "import solvent.journal.x"),
    ("journal/x.py", "import solvent.prices.x"),
    ("cluster/x.py", "import solvent.journal.x"),
    ("lab/x.py", "import solvent.proof.x"),
    ("service/x.py", "from solvent.proof import x"),
    ("lab/x.py", "import solvent.service.x"),
    ("service/x.py", "def f() -> None:\n    import solvent.lab.x"),
    ("reference/__init__.py", "import time"),
    ("domain/x.py", "from random import Random"),
    ("domain/x.py", "import os.path"),
    ("reference/x.py", "import numpy"),
    ("domain/x.py", "import duckdb"),
    ("engine/x.py", "import logging"),
    ("proof/invariants/x.py", "import solvent.reference.x"),
    ("proof/invariants/x.py", "def f() -> None:\n    from solvent.engine import x"),
    ("proof/invariants/x.py", "import solvent.proof.fuzz.x"),
    ("proof/fuzz/x.py", "import solvent.proof.audit.x"),
    ("service/api/objects/x.py", "import solvent.service.core.x"),
    ("service/api/objects/x.py", "from solvent.service.routes import x"),
    ("lab/estimate/x.py", "import solvent.lab.sweeps.x"),
    ("lab/estimate/x.py", "from solvent.lab.runner import run"),
    ("shed/__init__.py", ""),
]


def lint(folder: Path, files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Check a package with all rooms, each with a module `x`, and these files."""
    package = folder / "src" / "solvent"
    rooms = {f"{room}/{name}": "" for room in ROOMS for name in ("__init__.py", "x.py")}
    rooms |= {"reference/state.py": "", "lab/runner.py": "run = None"}
    for name, text in ({"__init__.py": ""} | rooms | files).items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, encoding="utf-8")
    return subprocess.run(
        [LINT, "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=folder,
        env={"PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_along_the_layers_pass(tmp_path: Path) -> None:
    done = lint(tmp_path, ALLOWED)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "text"), FORBIDDEN)
def test_a_planted_import_is_caught(name: str, text: str, tmp_path: Path) -> None:
    done = lint(tmp_path, ALLOWED | {name: text})
    assert done.returncode == 1
    assert "BROKEN" in done.stdout, done.stdout + done.stderr
