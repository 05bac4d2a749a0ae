"""Kernels from text: modules written to a folder and imported, for what no linter would let by."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from solvent.kernels.compiler import Program
from solvent.kernels.signatures import KernelError

HEAD = """\
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeVar

from solvent.kernels.language import (
    Huge, Root, Wide, allocate, bit, emit, event_words, fail, huge, isqrt, kernel, narrow,
    thin, wide,
)
from solvent.kernels.language import (
    allocate_rows, clear, copy_row, message, numbers_of, put_message, release, row_in, rows_in,
)
from solvent.kernels.messages import Handlers
from solvent.kernels.rows import EngineFault, Memory, Row, Rows, numbers, rows
"""


def module_of(folder: Path, text: str) -> ModuleType:
    """A module of this text, after the usual imports."""
    path = folder / "written.py"
    path.write_text(HEAD + text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("written", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["written"] = module
    # A text as long as one of the same second before would be taken for it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        spec.loader.exec_module(module)
    return module


def refusal_of(folder: Path, text: str, name: str = "refused") -> KernelError:
    """How a kernel of this text is refused."""
    module = module_of(folder, text)
    with pytest.raises(KernelError) as caught:
        Program((vars(module)[name],), native_division=True)
    return caught.value


def line_of(folder: Path, mark: str) -> int:
    """The number of the line of the module that bears a mark."""
    lines = (folder / "written.py").read_text(encoding="utf-8").splitlines()
    return 1 + next(number for number, line in enumerate(lines) if line.endswith(mark))
