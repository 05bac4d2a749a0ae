"""State hashes of two checkouts: every shipped scenario, and commands of the simulator.

    python tools/state_hashes.py BEFORE AFTER

Each checkout runs its own source with this interpreter, which must have the dependencies of both.
The table goes to standard output as Markdown; the exit code is 1 when any two hashes differ.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SEEDS = (11, 2024, 31337, 502, 90001, 777777)
COMMANDS = 50_000
SCENARIOS = ("crash-2025-10-10", "quiet", "short-squeeze", "weth-stuck-2026-04")
SIMULATE = """
import json, sys
try:
    from solvent.proof.fuzz.comparison import compare
except ImportError:
    from solvent.lab.comparison import compare
found = compare(int(sys.argv[1]), int(sys.argv[2]))
assert found.difference is None, str(found.difference)
print(json.dumps(found.state_hash))
"""


def run(checkout: Path, *arguments: str) -> str:
    """Run the interpreter over a checkout's source; return what it printed."""
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{checkout}: {done.stderr}")
    return done.stdout


def of_scenario(checkout: Path, name: str) -> str:
    """The state hash that a run of a packaged scenario ends with, from its manifest."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        run(checkout, "-m", "solvent.cli", "run", name, "--out", str(out))
        return str(json.loads((out / "run.json").read_text())["state_hash"])


def of_seed(checkout: Path, seed: int) -> str:
    """The state hash after the simulator's commands of one seed, the same in both engines."""
    return str(json.loads(run(checkout, "-c", SIMULATE, str(seed), str(COMMANDS))))


def rows(before: Path, after: Path) -> Iterator[tuple[str, str, str]]:
    """What was run, and the two hashes."""
    with ThreadPoolExecutor(2) as pool:
        for name in SCENARIOS:
            yield f"scenario `{name}`", *pool.map(of_scenario, (before, after), (name, name))
        for seed in SEEDS:
            said = f"simulator, seed {seed}, {COMMANDS:,} commands"
            yield said, *pool.map(of_seed, (before, after), (seed, seed))


def main() -> int:
    """Print the table; return the exit code."""
    before, after = (Path(argument).resolve() for argument in sys.argv[1:])
    print("| run | before | after | |\n|---|---|---|---|")
    differing = 0
    for said, left, right in rows(before, after):
        differing += left != right
        verdict = "equal" if left == right else "DIFFERENT"
        print(f"| {said} | `{left[:16]}` | `{right[:16]}` | {verdict} |", flush=True)
    return min(differing, 1)


if __name__ == "__main__":
    sys.exit(main())
