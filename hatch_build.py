"""The build backend's hook: a wheel has the console in it, an editable install builds nothing.

An sdist takes along what was built before it, so that a wheel made of it needs no other registry.
"""

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent / "console"))
import build as console

WITHOUT = "SOLVENT_WITHOUT_CONSOLE"


class ConsoleHook(BuildHookInterface[Any]):
    """Builds the console where its sources changed since it was built."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Before the files are gathered. Raises BuildError where there would be no console."""
        if version == "editable" or os.environ.get(WITHOUT) or console.is_built():
            return
        try:
            console.build()
        except console.BuildError as error:
            message = f"{error}\nfor a wheel without the console, set {WITHOUT}=1"
            raise console.BuildError(message) from error
