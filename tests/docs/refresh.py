"""Writes the real output of every command and doctest into pages: `python -m tests.docs.refresh`.

Give it pages, or none for all. What already agrees stays as it is. Where a page shows a part of an
output (`...`), the same lines are shown again with their new figures, as long as each of them can
be found; otherwise all of it is, to be cut by hand. The tests run pages, they never refresh them.
"""

import contextlib
import doctest
import io
import re
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

from tests.docs.test_docs import (
    DURATION,
    PAGES,
    ROOT,
    Block,
    Page,
    blocks_of,
    commands_of,
    free_ports_for,
    is_shown,
)

SKIP = "..."


def refreshed(text: str, page: Page) -> str:
    """The page's text with every output made real."""
    ports = free_ports_for(text)
    for named, free in ports.items():
        text = text.replace(named, free)
    lines = text.splitlines()
    for block in reversed(list(_run(text, page))):
        first = block.line
        indent = lines[first - 1][: -len(lines[first - 1].lstrip())]
        last = next(n for n in range(first, len(lines)) if lines[n].strip().startswith("```"))
        lines[first:last] = [f"{indent}{line}".rstrip() for line in block.lines]
    shown = "\n".join(lines) + "\n"
    for named, free in ports.items():
        shown = shown.replace(free, named)
    return shown


def _run(text: str, page: Page) -> Iterator[Block]:
    """Run the blocks in order; give those that show output, with lines as they should be."""
    for block in blocks_of(text):
        if block.language == "console":
            yield Block(block.language, block.line, list(_console(block, page)))
        elif block.language == "python":
            with contextlib.chdir(page.folder):
                if any(line.startswith(">>> ") for line in block.lines):
                    yield Block(block.language, block.line, list(_session(block, page)))
                else:
                    list(page.run_script(block, "\n".join(block.lines) + "\n"))


def _console(block: Block, page: Page) -> Iterator[str]:
    for command in commands_of(block):
        first, *rest = command.text.split("\n")
        yield from (f"$ {first}", *rest)
        text = command.to_run()
        if text is None:
            yield from command.shown
            continue
        if text.endswith(" &"):
            yield from cut_alike(command.shown, page.start(text, command.shown))
            continue
        done = subprocess.run(
            ["sh", "-c", text],
            cwd=page.folder,
            env=page.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        yield from cut_alike(command.shown, done.stdout)


def _session(block: Block, page: Page) -> Iterator[str]:
    for part in doctest.DocTestParser().parse("\n".join(block.lines) + "\n"):
        if isinstance(part, str):
            yield from part.strip("\n").splitlines()
            continue
        first, *rest = part.source.rstrip("\n").split("\n")
        yield from (f">>> {first}", *(f"... {line}".rstrip() for line in rest))
        yield from cut_alike(part.want.splitlines(), _answer(part.source, page.namespace))


def _answer(source: str, names: dict[str, object]) -> str:
    """What the interpreter prints for one example."""
    printed = io.StringIO()
    shown = sys.displayhook
    sys.displayhook = lambda value: None if value is None else print(repr(value))
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(source, "page", "single"), names)
    except Exception as error:
        last = "".join(traceback.format_exception_only(error)).rstrip()
        return f"Traceback (most recent call last):\n    {SKIP}\n{last}\n"
    finally:
        sys.displayhook = shown
    return printed.getvalue()


def cut_alike(shown: list[str], printed: str) -> list[str]:
    """`printed` in lines, cut where `shown` is cut; `shown` itself where it agrees already."""
    if shown and is_shown(shown, printed):
        return shown
    lines = [DURATION.sub(f"in {SKIP} s", line.rstrip()) for line in printed.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    if SKIP not in shown:
        return lines
    cut: list[str] = []
    place = 0
    for line in shown:
        if line == SKIP:
            cut.append(line)
            continue
        found = [n for n in range(place, len(lines)) if _shape(lines[n]) == _shape(line)]
        if not found:
            return lines
        cut.append(lines[found[0]])
        place = found[0] + 1
    return cut if is_shown(cut, printed) else lines


def _shape(line: str) -> str:
    """A line without its figures."""
    return re.sub(r"[\s\d.,─]+", " ", line).strip()


def main(names: list[str]) -> None:
    """Refresh the named pages."""
    for name in names or PAGES:
        path = ROOT / name
        with tempfile.TemporaryDirectory() as folder:
            old = path.read_text(encoding="utf-8")
            page = Page(Path(folder))
            try:
                new = refreshed(old, page)
            finally:
                page.close()
        if new != old:
            path.write_text(new, encoding="utf-8")
            print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
