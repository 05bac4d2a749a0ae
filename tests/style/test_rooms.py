"""The rooms of the house: no folder too full, no import circle, and one writer of what is owned.

Imports inside functions and under TYPE_CHECKING count like all others.
"""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
MOST_FILES = 21
"""Python files of one folder, its `__init__` among them."""


def module_name(path: Path, root: Path = SOURCE) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(text: str, modules: Mapping[str, Path]) -> set[str]:
    """Modules of the package that a text imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & set(modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found |= {name if name in modules else node.module} & set(modules)
    return found


def circle_in(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules of a circle, the first of them again at the end; none where none is closed."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_around_a_corner() -> None:
    modules = {module_name(path): path for path in SOURCE.rglob("*.py")}
    graph = {
        name: imports_of(path.read_text(encoding="utf-8"), modules)
        for name, path in modules.items()
    }
    assert circle_in(graph) == []


@pytest.mark.parametrize(
    "late",
    [
        "def f():\n    import solvent.a",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from solvent.a import x",
        "from solvent import a",
    ],
)
def test_a_late_import_closes_a_circle_too(late: str) -> None:
    modules = {"solvent": Path(), "solvent.a": Path(), "solvent.b": Path()}
    texts = {"solvent": "", "solvent.a": "import solvent.b", "solvent.b": late}
    found = circle_in({name: imports_of(text, modules) for name, text in texts.items()})
    assert set(found) == {"solvent.a", "solvent.b"}


def folders_over(most: int, *roots: Path) -> Iterator[str]:
    for root in roots:
        for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            count = len(list(folder.glob("*.py")))
            if count > most:
                yield f"{folder.name}: {count}"


def test_no_room_is_too_full() -> None:
    assert list(folders_over(MOST_FILES, SOURCE, ROOT / "tests")) == []


def test_a_room_too_full_is_found(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"m{number}.py").write_text("")
    assert list(folders_over(3, tmp_path)) == []
    assert list(folders_over(2, tmp_path)) == [f"{tmp_path.name}: 3"]


OWNED = {"available", "locked", "lent_shares", "debt_shares"}
"""What an account owns and owes, by asset or in its row of an asset."""
POOLED = {"cash", "lend_shares", "debt_shares", "outside"}
LEDGER = "ledger.py"


def written(tree: ast.AST) -> Iterator[ast.expr]:
    """What assignments write to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            yield node.target


def own_columns(function: ast.AST) -> set[str]:
    """Names that stand for a column of balances or shares: `free = holder.available`."""
    return {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute)
        if node.value.attr in OWNED | POOLED
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def balances_written(text: str) -> Iterator[int]:
    """Lines that write a balance, a share count or cash."""
    tree = ast.parse(text)
    aliases = own_columns(tree)
    for target in written(tree):
        inner = target
        while isinstance(inner, ast.Subscript | ast.Tuple):
            inner = inner.value if isinstance(inner, ast.Subscript) else inner.elts[0]
        if isinstance(inner, ast.Attribute):
            # An order's own `locked` is a note beside the balance, which the ledger moved; `found`
            # and `out` are what a query fills for the one that asks.
            noted = ("order", "self", "found", "out")
            is_note = isinstance(inner.value, ast.Name) and inner.value.id in noted
            if inner.attr in OWNED | POOLED and not is_note:
                yield target.lineno
        elif (
            isinstance(target, ast.Subscript)
            and isinstance(inner, ast.Name)
            and inner.id in aliases
        ):
            yield target.lineno


@pytest.mark.parametrize("engine", ["reference", "engine"])
def test_only_the_ledger_writes_what_is_owned(engine: str) -> None:
    room = SOURCE / "solvent" / engine
    found = [
        f"{path.relative_to(room)}:{line}"
        for path in sorted(room.rglob("*.py"))
        if path != room / LEDGER
        for line in balances_written(path.read_text(encoding="utf-8"))
    ]
    assert found == []
    assert list(balances_written((room / LEDGER).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "planted",
    [
        "def f(pool):\n    pool.cash += 1",
        "def f(state):\n    state.accounts[1].available[0] = 5",
        "def f(holder):\n    free = holder.available\n    free[0] -= 1",
        "def f(s):\n    position(s, 1, 2).debt_shares = 3",
        "def f(pool):\n    pool.lend_shares, x = 1, 2",
    ],
)
def test_a_write_elsewhere_is_found(planted: str) -> None:
    assert len(list(balances_written(planted))) == 1


def test_reading_and_an_orders_own_note_are_no_writes() -> None:
    assert not list(balances_written("x = pool.cash\norder.locked = 3\ny = [0]\ny[0] = x"))
