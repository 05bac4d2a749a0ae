"""The documentation is executed: every block of README.md and docs/ runs, or is no block.

- `python` blocks share one namespace per page; one that holds a `>>>` is a doctest.
- `console` blocks hold commands (`$ `, continued by a backslash) and the output that they must
  print, where `...` stands for anything. A command must succeed; to show one that fails, end it
  with `; echo "exit $?"`. `solvent` and `./run` are the command line under test.
- A command that ends with ` &` goes on until the page ends; it must print what is shown, and it may
  print more.
- `# not run` behind a command leaves it out, if it is one of `NOT_RUN`.
- `SUITE` is run on the file `PART` alone: the suite does not run inside itself, and what a page
  shows of its output must be what it prints all the same.
- A duration (`DURATION`) is not shown: it is another one in the next run.
- Data (`DATA`) is shown, not run. Blocks in any other language are refused.
"""

import contextlib
import doctest
import io
import os
import re
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from solvent.kernels.machine import cache_folder

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if path.exists()
]

DATA = {"text", "csv", "html", "json", "math", "mermaid", "sql", "toml", "yaml"}
NOT_RUN = re.compile(r"git clone \S+|cd \S+")
SUITE = "./run test --quick"
PART = "tests/reference/test_draws.py"
COMMAND_SECONDS = 120
PORT = re.compile(r"--port (\d{4,5})\b")
DURATION = re.compile(r"\bin \d[\d.,]* s$")


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is that of its opening fence, `lines` are without indentation."""

    language: str
    line: int
    lines: list[str]


@dataclass
class Command:
    """A command of a console block and the output that the page shows for it."""

    line: int
    text: str
    shown: list[str] = field(default_factory=list)

    def to_run(self) -> str | None:
        """What is run of it; None for what is left out. Raises BlockError if it must run."""
        text, is_left_out, _ = self.text.partition("# not run")
        if is_left_out:
            if NOT_RUN.fullmatch(text.strip()):
                return None
            raise BlockError(self.line, f"{text.strip()!r} must run")
        return f"{SUITE} {PART}" if text == SUITE else text


class BlockError(Exception):
    """A block that cannot be run or does not do what the page says."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def blocks_of(text: str) -> Iterator[Block]:
    opened: tuple[str, str, Block] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        fence = re.match(r"( *)(`{3,}|~{3,}) *([^`]*)$", line)
        if opened is None:
            if fence:
                indent, marks, words = fence.groups()
                language = words.split()[0] if words.strip() else ""
                opened = indent, marks, Block(language, number, [])
        elif fence and fence[2].startswith(opened[1]) and not fence[3].strip():
            yield opened[2]
            opened = None
        else:
            opened[2].lines.append(line.removeprefix(opened[0]))
    if opened is not None:
        raise BlockError(opened[2].line, "the block is never closed")


def commands_of(block: Block) -> list[Command]:
    commands: list[Command] = []
    continued = False
    for number, line in enumerate(block.lines, block.line + 1):
        if continued:
            commands[-1].text += "\n" + line.removeprefix("> ")
        elif line.startswith("$ "):
            commands.append(Command(number, line.removeprefix("$ ")))
        elif commands:
            commands[-1].shown.append(line)
        elif line.strip():
            raise BlockError(number, "output before any command")
        continued = commands != [] and not commands[-1].shown and line.endswith("\\")
    if not commands:
        raise BlockError(block.line, "a console block without a command")
    return commands


def free_ports_for(text: str) -> dict[str, str]:
    """A port that nobody has for each that a page's commands listen on; two pages may run at once.

    The two after it are free as well, for a command that listens on three.
    """
    found: dict[str, str] = {}
    for named in sorted(set(PORT.findall(text))):
        while named not in found:
            with socket.create_server(("127.0.0.1", 0)) as first:
                port = first.getsockname()[1]
                try:
                    for after in (1, 2):
                        socket.create_server(("127.0.0.1", port + after)).close()
                except (OSError, OverflowError):
                    continue
                found[named] = str(port)
    return found


class Page:
    """A page being run in a folder of its own, where the repository's files are linked."""

    def __init__(self, folder: Path, module: str = "solvent.cli") -> None:
        self.folder = folder / "page"
        self.folder.mkdir()
        self.namespace: dict[str, object] = {"__name__": "__main__"}
        self.running: list[subprocess.Popen[bytes]] = []
        for path in ROOT.iterdir():
            if path.name not in {"run", ".git", ".venv"}:
                (self.folder / path.name).symlink_to(path)
        programs = folder / "bin"
        programs.mkdir()
        command_line = f'exec "{sys.executable}" -P -m {module} "$@"'
        called = 'export SOLVENT_COMMAND="$0"'
        suite = f'shift && cd "{ROOT}" && exec "{sys.executable}" -m pytest -n auto "$@"'
        bench = f'shift && PYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m benches "$@"'
        for program, text in (
            (programs / "solvent", command_line),
            (
                self.folder / "run",
                f'[ "$1" != test ] || {{ {suite}; }}\n[ "$1" != bench ] || {{ {bench}; }}\n'
                f"{called}\n{command_line}",
            ),
        ):
            program.write_text(f"#!/bin/sh\n{text}\n")
            program.chmod(0o755)
        outside = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
        self.environment = outside | {
            "PATH": os.pathsep.join(
                [str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
            "HOME": str(folder),
            "SOLVENT_CACHE": str(cache_folder() or folder / "cache"),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    def run(self, text: str) -> list[str]:
        """Run the blocks of `text` in order; return what failed, as `line N: message`."""
        failures = []
        for named, free in free_ports_for(text).items():
            text = text.replace(named, free)
        try:
            for block in blocks_of(text):
                failures += [f"line {error.line}: {error}" for error in self.errors_of(block)]
        except BlockError as error:
            failures.append(f"line {error.line}: {error}")
        finally:
            self.close()
        return failures

    def start(self, text: str, shown: list[str]) -> str:
        """Start a command that goes on; return what it has printed once that is what is shown."""
        output = self.folder.parent / f"output-{len(self.running)}.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                ["sh", "-c", f"exec {text.removesuffix('&')}"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.append(process)
        printed = ""
        for _ in range(COMMAND_SECONDS * 10):
            time.sleep(0.1)
            printed = output.read_text(encoding="utf-8")
            if is_begun(shown, printed) or process.poll() is not None:
                break
        return printed

    def close(self) -> None:
        """End what still runs."""
        for process in self.running:
            process.terminate()
            process.wait()

    def errors_of(self, block: Block) -> Iterator[BlockError]:
        try:
            if block.language == "console":
                for command in commands_of(block):
                    yield from self.run_command(command)
            elif block.language == "python":
                yield from self.run_python(block)
            elif block.language not in DATA:
                allowed = ", ".join(["python", "console", *sorted(DATA)])
                yield BlockError(block.line, f"language {block.language!r}, not one of: {allowed}")
        except BlockError as error:
            yield error

    def run_command(self, command: Command) -> Iterator[BlockError]:
        text = command.to_run()
        if text is None:
            return
        timed = [line for line in command.shown if DURATION.search(line)]
        if timed:
            yield BlockError(command.line, f"show {timed[0]!r} as '...': the time it takes varies")
        if text.endswith(" &"):
            printed = self.start(text, command.shown)
            if not is_begun(command.shown, printed):
                yield BlockError(command.line, f"{text!r} printed\n{printed}")
            return
        try:
            done = subprocess.run(
                ["sh", "-c", text],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            yield BlockError(command.line, f"{text!r} took over {COMMAND_SECONDS} s")
            return
        if done.returncode != 0:
            message = f"{text!r} ended with {done.returncode}:\n{done.stdout}"
            yield BlockError(command.line, message)
        elif not is_shown(command.shown, done.stdout):
            shown = "\n".join(command.shown)
            message = f"{text!r} printed\n{done.stdout}\nwhere the page shows\n{shown}"
            yield BlockError(command.line, message)

    def run_python(self, block: Block) -> Iterator[BlockError]:
        source = "\n".join(block.lines) + "\n"
        with contextlib.chdir(self.folder):
            if any(line.lstrip().startswith(">>> ") for line in block.lines):
                yield from self.run_doctest(block, source)
            else:
                yield from self.run_script(block, source)

    def run_doctest(self, block: Block, source: str) -> Iterator[BlockError]:
        report = io.StringIO()
        test = doctest.DocTestParser().get_doctest(
            source, self.namespace, "page", "page", block.line
        )
        runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
        runner.run(test, out=report.write, clear_globs=False)
        self.namespace.update(test.globs)
        if report.getvalue():
            yield BlockError(block.line, report.getvalue())

    def run_script(self, block: Block, source: str) -> Iterator[BlockError]:
        try:
            # Empty lines before it make the line numbers those of the page.
            code = compile("\n" * block.line + source, "page", "exec", dont_inherit=True)
            with contextlib.redirect_stdout(io.StringIO()):
                exec(code, self.namespace)
        except (Exception, SystemExit) as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == "page"]
            yield BlockError((lines and lines[-1]) or block.line, f"{error!r}")


def is_shown(shown: list[str], printed: str) -> bool:
    """Compare as doctest does with ELLIPSIS, whatever blanks end the lines and the output."""

    def plain(lines: list[str]) -> str:
        text = "\n".join(line.rstrip() for line in lines).rstrip()
        return text and text + "\n"

    return doctest.OutputChecker().check_output(
        plain(shown), plain(printed.splitlines()), doctest.ELLIPSIS
    )


def is_begun(shown: list[str], printed: str) -> bool:
    """Whether what is shown was printed, and perhaps more after it."""
    return is_shown(shown, printed) or is_shown([*shown, "..."], printed)


def test_the_readme_is_a_page() -> None:
    assert "README.md" in PAGES


def page_parameter(name: str) -> ParameterSet:
    """A page, slow if it runs commands."""
    runs = "```console" in (ROOT / name).read_text(encoding="utf-8")
    return pytest.param(name, marks=pytest.mark.slow if runs else ())


@pytest.mark.parametrize("name", [page_parameter(name) for name in PAGES])
def test_page_does_what_it_says(name: str, tmp_path: Path) -> None:
    failures = Page(tmp_path).run((ROOT / name).read_text(encoding="utf-8"))
    assert not failures, "\n".join(f"{name}, {failure}" for failure in failures)


# The runner itself: what it must let pass, and what it must not. `calendar` stands in for solvent.

PASSES = {
    "text is not run": "```text\n$ false\n```",
    "page": "No block here.",
    "namespace is shared": "```python\nx = 1\n```\nthen\n```python\nassert x == 1\n```",
    "script's output is not compared": "```python\nprint(1)\n```",
    "doctest": "```python\n>>> 1 + 1\n2\n```",
    "doctest sees and leaves names": "```python\nx = 1\n```\n```python\n>>> y = x\n>>> y\n1\n```\n"
    "```python\nassert y == 1\n```",
    "doctest wildcard": "```python\n>>> list(range(9))\n[0, ..., 8]\n```",
    "command": "```console\n$ echo a; echo b\na\nb\n```",
    "commands in one block": "```console\n$ echo a\na\n$ echo b\nb\n```",
    "blanks at the ends": "```console\n$ printf 'a  \\n\\n'\na\n\n```",
    "wildcard in a line": "```console\n$ echo a 12 b\na ... b\n```",
    "wildcard over lines": "```console\n$ seq 9\n1\n...\n9\n```",
    "continued command": "```console\n$ echo a \\\n    b\na b\n```",
    "standard error is shown": "```console\n$ echo a >&2\na\n```",
    "failure shown on purpose": '```console\n$ false; echo "exit $?"\nexit 1\n```',
    "solvent": "```console\n$ solvent 2026 1 | head -1\n    January 2026\n```",
    "./run": "```console\n$ ./run 2026 1 | head -1\n    January 2026\n```",
    "the repository's files": "```console\n$ head -1 LICENSE pyproject.toml | wc -l\n5\n```",
    "files stay for the next": "```console\n$ echo a > a.txt\n```\n"
    "```python\nfrom pathlib import Path\nassert Path('a.txt').exists()\n```",
    "left out": "```console\n$ git clone https://x/y # not run\n$ cd y # not run\n```",
    "the suite": "```console\n$ ./run test --quick\n...\n=...= 3 passed in ... =...=\n```",
    "goes on": "```console\n$ sh -c 'echo a; sleep 99' &\na\n```\n```console\n$ echo b\nb\n```",
    "indented": "1. do\n\n   ```console\n   $ echo a\n   a\n   ```",
    "fence in a longer fence": "````text\n```console\n$ false\n```\n````",
}  # fmt: skip

FAILS = {
    "wrong output": ("```console\n$ echo a\nb\n```", "line 2: 'echo a' printed"),
    "output not shown": ("```console\n$ echo a\n```", "line 2: 'echo a' printed"),
    "output cut short": ("```console\n$ seq 9\n1\n2\n```", "line 2: 'seq 9' printed"),
    "shown but not printed": ("```console\n$ true\na\n```", "line 2: 'true' printed"),
    "second command": ("```console\n$ echo a\na\n$ echo b\na\n```", "line 4: 'echo b' printed"),
    "a duration": ("```console\n$ echo done in 0.1 s\ndone in 0.1 s\n```", "the time it takes"),
    "failing command": ("```console\n$ echo a; false\na\n```", "ended with 1:\na"),
    "unknown command": ("```console\n$ solvent 2026 13\n...\n```", "ended with"),
    "goes on and is wrong": ("```console\n$ echo a &\nb\n```", "line 2: 'echo a &' printed"),
    "no command": ("```console\nsolvent demo\n```", "line 2: output before any command"),
    "empty console": ("```console\n```", "line 1: a console block without a command"),
    "left out without need": ("```console\n$ solvent demo # not run\n```", "must run"),
    "left out with more": ("```console\n$ cd x; false # not run\n```", "must run"),
    "suite left out": (f"```console\n$ {SUITE} # not run\n```", f"'{SUITE}' must run"),
    "other output of the suite": (
        "```console\n$ ./run test --quick\n...\n1 failed\n```",
        "printed",
    ),
    "wrong doctest": ("```python\n>>> 1 + 1\n3\n```", "Expected:\n    3\nGot:\n    2"),
    "raising doctest": ("```python\n>>> 1 // 0\n```", "ZeroDivisionError"),
    "raising script": ("one\n```python\nx = 1\nx // 0\n```", "line 4: ZeroDivisionError"),
    "leaving script": ("```python\nraise SystemExit\n```", "line 2: SystemExit"),
    "false assertion": ("```python\nassert 1 == 2\n```", "line 2: AssertionError"),
    "no Python": ("```python\nx = = 1\n```", "SyntaxError"),
    "no language": ("```\n$ echo a\n```", "line 1: language ''"),
    "other language": ("```bash\necho a\n```", "line 1: language 'bash'"),
    "never closed": ("```python\nx = 1\n", "line 1: the block is never closed"),
    "after a failure": ("```bash\n```\n```console\n$ false\n```", "line 4: 'false' ended with 1"),
}


@pytest.mark.parametrize("text", PASSES.values(), ids=PASSES)
def test_runner_passes(text: str, tmp_path: Path) -> None:
    assert Page(tmp_path, module="calendar").run(text) == []


@pytest.mark.parametrize(("text", "message"), FAILS.values(), ids=FAILS)
def test_runner_fails(text: str, message: str, tmp_path: Path) -> None:
    assert message in "\n".join(Page(tmp_path, module="calendar").run(text))
