"""The style is a test: each rule reads one file and names its offences by line.

Every rule has a planted offence that it must catch, for a check that cannot fail is a defect.
"""

import ast
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MAX_MODULE_LINES = 500
MAX_FUNCTION_LINES = 70
MAX_COLUMNS = 100

# What `math` computes in integers alone.
INTEGER_MATH = {"comb", "factorial", "gcd", "isqrt", "lcm", "perm", "prod"}


def joined(text: str) -> str:
    """Put words together that are parted here, so that this file passes its own rules."""
    return text.replace("¦", "")


UNFINISHED = re.compile(joined(r"\b(TO¦DO|FIX¦ME|XX¦X)\b"))
INDEX_HOST = re.compile(
    joined(r"pypi¦\.org|python¦hosted|npm¦js\.|index-¦url[ =]+\S*://|\"reso¦lved\"\s*:")
)
MACHINE_PATH = re.compile(r"(?<![\w.~/:-])/(work|root|opt/wheels|home/\w+|Users/\w+)(?![\w-])")
AUTHORING_TOOL = re.compile(
    joined(
        r"\b(cl¦aude|anth¦ropic|open¦ai|chat-?¦gpt|gpt¦-\d|co¦pilot|co¦dex|ll¦ms?|language ¦models?"
        r"|a¦i[- ](generated|assisted|written|agents?|assistants?)|by (an )?a¦i|co-authored¦-by)\b"
    ),
    re.IGNORECASE,
)

Offence = tuple[int, str]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One text file of the repository."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(self.tree)

    def matches(self, pattern: re.Pattern[str]) -> Iterator[Offence]:
        for number, line in enumerate(self.text.splitlines(), 1):
            if match := pattern.search(line):
                yield number, f"{match.group()!r}"


# Scopes: which files a rule is about.


def is_text(_source: Source) -> bool:
    return True


def is_written(source: Source) -> bool:
    """Say whether people wrote it: not the licence, not a lock file."""
    return source.path != "LICENSE" and not is_lock(source)


def is_lock(source: Source) -> bool:
    return bool(re.fullmatch(r"requirements/\w+\.txt|(.*/)?package-lock\.json", source.path))


def is_pinned(source: Source) -> bool:
    return is_lock(source) and source.path.endswith(".txt")


def is_python(source: Source) -> bool:
    return source.path.endswith(".py")


def is_package(source: Source) -> bool:
    return is_python(source) and source.path.startswith("src/")


def is_core(source: Source) -> bool:
    """Say whether it is of the part where money is exact and every name is explained."""
    return is_python(source) and source.path.startswith(
        ("src/solvent/domain/", "src/solvent/reference/")
    )


# Rules.


def short_module(source: Source) -> Iterator[Offence]:
    count = len(source.text.splitlines())
    if count > MAX_MODULE_LINES:
        yield count, f"module of {count} lines"


def short_functions(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        if isinstance(node, Function):
            assert node.end_lineno is not None
            count = node.end_lineno - node.lineno + 1
            if count > MAX_FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {count} lines"


def short_lines(source: Source) -> Iterator[Offence]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if len(line) > MAX_COLUMNS:
            yield number, f"{len(line)} columns"


def module_docstring(source: Source) -> Iterator[Offence]:
    if not ast.get_docstring(source.tree):
        yield 1, "module without docstring"


def public_docstrings(source: Source) -> Iterator[Offence]:
    def look(body: list[ast.stmt]) -> Iterator[Offence]:
        for node in body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                overrides = any("override" in ast.unparse(mark) for mark in node.decorator_list)
                if not overrides and not ast.get_docstring(node):
                    yield node.lineno, f"{node.name} without docstring"
                if isinstance(node, ast.ClassDef):
                    yield from look(node.body)

    return look(source.tree.body)


def nothing_unfinished(source: Source) -> Iterator[Offence]:
    return source.matches(UNFINISHED)


def no_any(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        match node:
            case ast.Name(id="Any") | ast.Attribute(attr="Any") | ast.alias(name="Any"):
                yield node.lineno, "Any"


def no_floats(source: Source) -> Iterator[Offence]:
    checks = {
        id(argument)
        for node in source.nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance"
        for argument in ast.walk(node)
    }
    for node in source.nodes:
        match node:
            case ast.Constant(value=float() | complex()):
                yield node.lineno, f"literal {node.value!r}"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno, "true division"
            case ast.Name(id="float") if id(node) not in checks:
                yield node.lineno, "float"
            case ast.Attribute(value=ast.Name(id="math")) if node.attr not in INTEGER_MATH:
                yield node.lineno, f"math.{node.attr}"
            case ast.ImportFrom(module="math"):
                names = [alias.name for alias in node.names if alias.name not in INTEGER_MATH]
                yield from ((node.lineno, f"math.{name}") for name in names)


def no_io(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        match node:
            case ast.Call(func=ast.Name(id="print" | "open" | "input" as name)):
                yield node.lineno, f"{name}()"


def no_index_hosts(source: Source) -> Iterator[Offence]:
    return source.matches(INDEX_HOST)


def no_addresses(source: Source) -> Iterator[Offence]:
    return source.matches(re.compile(r"\S+://"))


def no_machine_paths(source: Source) -> Iterator[Offence]:
    return source.matches(MACHINE_PATH)


def no_authoring_tools(source: Source) -> Iterator[Offence]:
    return source.matches(AUTHORING_TOOL)


Rule = Callable[[Source], Iterator[Offence]]
Scope = Callable[[Source], bool]

RULES: dict[Rule, Scope] = {
    short_module: is_python,
    short_functions: is_python,
    short_lines: is_python,
    module_docstring: is_package,
    public_docstrings: is_core,
    nothing_unfinished: is_written,
    no_any: is_core,
    no_floats: is_core,
    no_io: is_core,
    no_index_hosts: is_text,
    no_addresses: is_pinned,
    no_machine_paths: is_text,
    no_authoring_tools: is_written,
}


def offences(rule: Rule, source: Source) -> list[str]:
    if not RULES[rule](source):
        return []
    return [f"{source.path}:{line}: {message}" for line, message in rule(source)]


# The repository.


def listed_by_git(root: Path) -> list[str]:
    """Return what git tracks or would track; nothing where there is no git."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return [path for path in done.stdout.split("\0") if (root / path).is_file()]


def walked(root: Path) -> list[str]:
    """Return all files but caches, environments and builds."""
    skipped = {"__pycache__", "node_modules", "build", "dist", "htmlcov"}
    paths = []
    for folder, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if name == ".ci" or (name not in skipped and not name.startswith("."))
        ]
        paths += [(Path(folder) / name).relative_to(root).as_posix() for name in files]
    return paths


@cache
def repository() -> list[Source]:
    sources = []
    for path in sorted(listed_by_git(ROOT) or walked(ROOT)):
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            sources.append(Source(path, content.decode()))
    return sources


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_repository_keeps_the_rule(rule: Rule) -> None:
    found = [offence for source in repository() for offence in offences(rule, source)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("list_files", [listed_by_git, walked])
def test_files_of_every_kind_are_seen(list_files: Callable[[Path], list[str]]) -> None:
    paths = set(list_files(ROOT))
    if not paths and list_files is listed_by_git:
        pytest.skip("not a git checkout")
    kinds = {
        "run",
        ".ci/run",
        "pyproject.toml",
        "requirements/run.txt",
        "tests/style/test_style.py",
    }
    assert kinds <= paths
    assert not [path for path in paths if ".venv/" in path or "__pycache__" in path]


CORE = "src/solvent/domain/x.py"

CAUGHT = [
    (short_module, "tests/x.py", "x = 1\n" * (MAX_MODULE_LINES + 1)),
    (short_functions, "tests/x.py", "def f():\n" + "    x = 1\n" * 70),
    (short_functions, "tests/x.py", "class A:\n  async def f():\n" + "    x = 1\n" * 70),
    (short_lines, "tests/x.py", "#" * 101),
    (module_docstring, "src/solvent/x.py", ""),
    (module_docstring, "src/solvent/x.py", "# Not a docstring.\nx = 1"),
    (public_docstrings, CORE, "def f(): ..."),
    (public_docstrings, "src/solvent/reference/x.py", "class A: ..."),
    (public_docstrings, CORE, "class A:\n  'Is documented.'\n  def f(self): ..."),
    (nothing_unfinished, "docs/x.md", "this is TO¦DO"),
    (nothing_unfinished, "run", "# FIX¦ME: later"),
    (nothing_unfinished, "src/solvent/x.py", "# XX¦X"),
    (no_any, CORE, "from typing import Any"),
    (no_any, CORE, "import typing\nx: typing.Any"),
    (no_floats, CORE, "x = 0.5"),
    (no_floats, CORE, "x = 1e6"),
    (no_floats, CORE, "x = 1j"),
    (no_floats, CORE, "x = float(1)"),
    (no_floats, CORE, "x: float = 1"),
    (no_floats, CORE, "x = 4 / 2"),
    (no_floats, CORE, "x = 4\nx /= 2"),
    (no_floats, CORE, "import math\nx = math.sqrt(4)"),
    (no_floats, CORE, "from math import isqrt, log"),
    (no_io, CORE, "print(1)"),
    (no_io, "src/solvent/reference/x.py", "open('x')"),
    (no_index_hosts, "requirements/run.txt", "# from pypi¦.org"),
    (no_index_hosts, "docs/x.md", "--index-¦url https://x"),
    (no_index_hosts, "web/package-lock.json", '"reso¦lved": "x"'),
    (no_addresses, "requirements/run.txt", "--find-links https://x"),
    (no_machine_paths, "docs/x.md", "cd /wo¦rk/main"),
    (no_machine_paths, "run", "PATH=/ro¦ot/bin"),
    (no_machine_paths, "docs/x.md", "(/ho¦me/jo/x)"),
    (no_authoring_tools, "docs/x.md", "Generated by an A¦I."),
    (no_authoring_tools, "docs/x.md", "Co-Author¦ed-By: x"),
    (no_authoring_tools, "src/solvent/x.py", "# asked Chat¦GPT"),
]

PASSED = [
    (short_module, "tests/x.py", "x = 1\n" * MAX_MODULE_LINES),
    (short_functions, "tests/x.py", "def f():\n" + "    x = 1\n" * 69),
    (short_lines, "tests/x.py", "#" * 100),
    (short_lines, "docs/x.md", "#" * 101),
    (module_docstring, "src/solvent/x.py", "'Has one.'"),
    (module_docstring, "tests/x.py", ""),
    (public_docstrings, CORE, "def _f(): ...\ndef f():\n  'Has one.'"),
    (public_docstrings, CORE, "def f():\n  'Has one.'\n  def inner(): ..."),
    (public_docstrings, "src/solvent/cli/x.py", "def f(): ..."),
    (nothing_unfinished, "run", "mktemp x.XX¦XXXX"),
    (nothing_unfinished, "LICENSE", "XX¦X"),
    (no_any, "src/solvent/lab/x.py", "from typing import Any"),
    (no_any, CORE, "x = any([])"),
    (no_floats, "src/solvent/lab/x.py", "x = 0.5 / 2"),
    (no_floats, CORE, "import math\nx = math.isqrt(4) // 2"),
    (no_floats, CORE, "assert not isinstance(x, float | str)"),
    (no_io, "src/solvent/cli/x.py", "print(1)"),
    (no_index_hosts, "requirements/compile.sh", "--no-emit-index-¦url"),
    (no_addresses, "docs/x.md", "https://x"),
    (no_machine_paths, "docs/x.md", "frame¦work/x ../wo¦rk/x https://x.y/ro¦ot/z GET /wo¦rkers"),
    (no_authoring_tools, "docs/x.md", "main, maintainer, aid, llama, ll¦mx"),
]


@pytest.mark.parametrize(("rule", "path", "text"), CAUGHT)
def test_a_planted_offence_is_caught(rule: Rule, path: str, text: str) -> None:
    assert offences(rule, Source(path, joined(text)))


@pytest.mark.parametrize(("rule", "path", "text"), PASSED)
def test_what_is_allowed_passes(rule: Rule, path: str, text: str) -> None:
    assert offences(rule, Source(path, joined(text))) == []


def test_every_rule_has_an_offence_and_a_pass_to_its_name() -> None:
    assert {rule for rule, _, _ in CAUGHT} == {rule for rule, _, _ in PASSED} == set(RULES)
