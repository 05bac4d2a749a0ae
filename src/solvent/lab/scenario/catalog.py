"""Scenarios by name: the packaged ones, or a file.

What a scenario holds is in `scenario_model`, how a file is read in `scenario_file`.
"""

from pathlib import Path

from solvent.domain.errors import InputError
from solvent.lab.scenario.file import read_scenario
from solvent.lab.scenario.model import Scenario

__all__ = ["Scenario", "list_scenarios", "load_scenario", "scenario_path"]

FOLDER = Path(__file__).parents[1] / "scenarios"
SUFFIX = ".toml"


def list_scenarios() -> tuple[str, ...]:
    """Names of the packaged scenarios, in order."""
    return tuple(sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}")))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """A packaged scenario by name, or a file by path. Raises InputError, and nothing else."""
    return read_scenario(scenario_path(name_or_path))


def scenario_path(name_or_path: str | Path) -> Path:
    """The file of a packaged scenario, or the path itself. InputError where it is neither."""
    text = str(name_or_path)
    packaged = FOLDER / f"{text}{SUFFIX}"
    if text in list_scenarios():
        return packaged
    path = Path(name_or_path)
    if path.suffix != SUFFIX and not path.exists():
        reason = f"is no scenario; choose from {', '.join(list_scenarios())}, or name a TOML file"
        raise InputError(text, "scenario", reason)
    return path
