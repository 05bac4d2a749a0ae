"""A run's folder: complete or not there at all, and never another program's.

Theory of operation. A run writes into a partial folder inside the one asked for. When all of it is
written, the files of a former run are removed and the new ones moved up. A run that ends early
takes its partial folder away, and every folder it had to make: nothing half-written is left.

A folder is ours when it holds only names that a run writes. Anything else in it, and it is refused.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from solvent.domain.errors import InputError

PARTIAL = ".partial-"
RUN_FILES = frozenset(
    {"commands.log", "events.log", "receipts.jsonl", "report.html", "run.json", "accounts.csv"}
)
"""Every name that a run writes into its folder."""


@contextmanager
def run_folder(out: Path) -> Iterator[Path]:
    """Give a folder that is not there yet: what is written into it goes to `out` at the end.

    Raises InputError when `out` is a file or holds anything that no run wrote.
    """
    refuse_foreign(out)
    made = _make(out)
    try:
        _clear(out, leftovers_only=True)
        # Some versions of Python answer with an absolute path whatever `out` is.
        partial = out / Path(mkdtemp(prefix=PARTIAL, dir=out)).name
        try:
            run = partial / "run"
            yield run
            _clear(out, leftovers_only=False, keep=partial)
            for path in sorted(run.iterdir()):
                path.rename(out / path.name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except BaseException:
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        raise


def refuse_foreign(out: Path) -> None:
    """Raise InputError unless `out` is missing, empty, or the folder of a former run."""
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir():
        raise InputError(str(out), "--out", "is not a folder; name a folder")
    for path in sorted(out.iterdir()):
        if not _is_ours(path):
            reason = f"holds {path.name}, which no run wrote; name an empty or a new folder"
            raise InputError(str(out), "--out", reason)


def _is_ours(path: Path) -> bool:
    if path.is_dir() and not path.is_symlink():
        return path.name.startswith(PARTIAL)
    return path.name in RUN_FILES


def _make(out: Path) -> list[Path]:
    """Make `out` and the folders above it that are missing; return those made, outermost first."""
    missing = [path for path in (out, *out.parents) if not path.exists()]
    out.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _clear(out: Path, leftovers_only: bool, keep: Path | None = None) -> None:
    """Remove what former runs left: partial folders, and their files unless `leftovers_only`."""
    for path in out.iterdir():
        if path.name.startswith(PARTIAL) and path != keep:
            shutil.rmtree(path, ignore_errors=True)
        elif path.name in RUN_FILES and not leftovers_only:
            path.unlink()
