"""The console's build: what it is made of, when it is made again, and how large it is."""

import gzip
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from solvent.service.api.openapi import document
from solvent.service.routes.all import ENDPOINTS
from tests.service.console.built import ROOT, builder, built

SOURCES = ROOT / "console"


def test_any_change_of_a_source_asks_for_a_build(tmp_path: Path) -> None:
    console = builder()
    copy, made = tmp_path / "console", tmp_path / "dist"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("node_modules"))
    made.mkdir()
    (made / console.DIGEST).write_text(console.digest(copy))
    assert console.is_built(copy, made)
    (copy / "test" / "more.test.ts").write_text("// is not built in")
    assert console.is_built(copy, made)
    for name in ("src/main.tsx", "src/more.ts", "package-lock.json"):
        (copy / name).write_text("another")
        assert not console.is_built(copy, made)
        (made / console.DIGEST).write_text(console.digest(copy))
    shutil.rmtree(made)
    assert not console.is_built(copy, made)


def test_the_lock_names_no_registry_and_versions_are_exact() -> None:
    lock = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert [name for name, each in packages.items() if "resolved" in each] == []
    own = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))
    wanted = {**own["dependencies"], **own["devDependencies"]}
    assert all(re.fullmatch(r"[0-9.]+", version) for version in wanted.values())


def test_what_is_built_is_small() -> None:
    console, folder = builder(), built()
    page = (folder / "index.html").read_text()
    first = ["index.html", *re.findall(r"assets/[\w.-]+", page)]
    assert len(first) >= 3
    found = console.sizes(folder)
    assert found[0] == sum(_packed(folder / name) for name in first) < console.FIRST_PAINT
    scripts = [path for path in folder.rglob("*") if path.suffix in (".js", ".css", ".html")]
    assert found[1] == sum(map(_packed, scripts)) < console.WHOLE


def test_a_command_says_how_small_it_is() -> None:
    console, _ = builder(), built()
    command = [sys.executable, str(SOURCES / "build.py"), "--sizes"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    first, whole = (f"{size / 1000:.1f} kB gzip" for size in console.sizes())
    assert re.findall(r"[\d.]+ kB gzip", done.stdout) == [first, whole]


def test_the_page_has_no_script_and_no_style_of_its_own() -> None:
    page = (built() / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*src=)|<style|style=|onload=|https?://", page) == []


def test_each_file_has_its_forms() -> None:
    files = [path for path in built().rglob("*") if path.suffix in (".js", ".css", ".html", ".svg")]
    assert files
    for path in files:
        assert gzip.decompress(Path(f"{path}.gz").read_bytes()) == path.read_bytes()
        assert Path(f"{path}.br").is_file()


def _packed(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


@pytest.mark.slow
def test_types_fit_the_api_and_its_own_arithmetic_is_right(packages: Path) -> None:
    """The sources are checked against the types that the API's document gives, and tested."""
    (packages / "openapi.json").write_text(json.dumps(document(ENDPOINTS)))
    for words in (["run", "check"], ["test"]):
        builder().npm(packages, *words)


@pytest.mark.slow
def test_a_wheel_has_the_console_in_it(tmp_path: Path) -> None:
    folder = built()
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", tmp_path, ROOT], check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    inside = "solvent/service/console/dist/"
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if name.startswith(inside)}
    files = (path for path in folder.rglob("*") if path.is_file())
    assert names == {inside + path.relative_to(folder).as_posix() for path in files}
