"""The machine: kernels as machine code in this process, kept on disk between runs.

Code is compiled for this processor once and kept under a name that is a hash of everything it was
made from: the sources it was read from, what was imported of them, the compiler's version, the
processor. A damaged or missing file is compiled again; a folder that cannot be written is done
without. Whoever can write to the folder can say what the engine does, as with Python's own caches,
so it is never a shared one.
"""

import ctypes
import hashlib
import inspect
import json
import os
import platform
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import llvmlite
import llvmlite.binding as llvm

from solvent.kernels.compiler import Program, as_kernel, entry_name
from solvent.kernels.rows import INT64_MAX, INT64_MIN, EngineFault
from solvent.kernels.runtime import Site

_NATIVE_DIVISION = ("x86_64", "AMD64")

Entries = tuple[Callable[..., object], ...]
Progress = Callable[[str], None]
"""Told in a sentence when something takes long."""


class _Entry(NamedTuple):
    """A compiled kernel: it takes numbers and where the result goes, and says where it stopped."""

    function: Callable[..., int]
    arguments: int


class Machine:
    """Compiled kernels by name. `sites` says which line a stopped kernel was at.

    A kernel that stops jumps to the one place its module keeps, so calls of one machine take turns;
    those of two do not.
    """

    def __init__(self, code: bytes, sites: list[Site], entries: Entries) -> None:
        self._sites = sites
        self._turn = threading.Lock()
        # The engine owns module and target, and ends them with itself.
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        self._entries = {as_kernel(entry).__name__: self._entry(entry) for entry in entries}

    def _entry(self, entry: Callable[..., object]) -> _Entry:
        address = self._engine.get_function_address(entry_name(entry))
        count = as_kernel(entry).__code__.co_argcount
        result = ctypes.POINTER(ctypes.c_int64)
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count, result)
        return _Entry(kind(address), count)

    def call(self, name: str, *arguments: int) -> int:
        """Call a kernel with numbers and addresses. Raises EngineFault when it stops."""
        function, count = self._entries[name]
        if len(arguments) != count:
            raise TypeError(f"{name} takes {count} numbers, not {len(arguments)}")
        result = ctypes.c_int64()
        with self._turn:
            site = function(*map(_word, arguments), result)
        if site:
            raise EngineFault(f"the engine stopped at {self._sites[site - 1]}; it must not go on")
        return result.value


def _word(number: int) -> int:
    if not INT64_MIN <= number <= INT64_MAX:
        raise OverflowError(f"{number} does not fit 64 bits")
    return number


def compile_kernels(
    entries: Entries,
    *,
    native_division: bool | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Machine:
    """Kernels ready to be called, from disk where they were compiled before.

    Constants are those of now: a number that changes later changes no compiled kernel.
    `native_division` chooses the processor's own division where it has one (the default) or the
    portable one. `folder` overrides where code is kept.
    """
    native = platform.machine() in _NATIVE_DIVISION if native_division is None else native_division
    made_from = _fingerprint(entries, native=native)
    folder = cache_folder() if folder is None else folder
    kept = None if folder is None else folder / f"{made_from}.code"
    found = None if kept is None else _read(kept)
    if found is None:
        if progress is not None:
            progress("compiling the engine's kernels for this processor, once")
        program = Program(entries, native_division=native)
        found = _compile(program), program.sites
        if kept is not None:
            _write(kept, *found)
    return Machine(*found, entries)


def cache_folder() -> Path | None:
    """Where compiled code is kept: SOLVENT_CACHE, or a folder of ours in the user's cache.

    None for a user without a home: then nothing is kept.
    """
    named = os.environ.get("SOLVENT_CACHE")
    if named:
        return Path(named)
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    with suppress(RuntimeError):
        return (shared if shared.is_absolute() else Path.home() / ".cache") / "solvent"
    return None


def _target() -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()
    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=2)


def _compile(program: Program) -> bytes:
    module = llvm.parse_assembly(str(program.module))
    module.verify()
    target = _target()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    passes = llvm.create_pass_builder(target, options)
    passes.getModulePassManager().run(module, passes)
    code: bytes = target.emit_object(module)
    return code


def _digest_of(folders: set[Path]) -> bytes:
    """A digest of all Python sources in some folders and the folders in them."""
    digest = hashlib.blake2b()
    for source in sorted({path for folder in folders for path in folder.rglob("*.py")}):
        digest.update(source.read_bytes())
    return digest.digest()


_COMPILER = _digest_of({Path(__file__).parent})
"""Of what was imported, not of what the files will say later."""


def _modules_of(entries: Entries) -> list[ModuleType]:
    """The modules that have a say in what kernels do: their own, and those they import.

    A row's width or an event's number comes from a module that the kernel's own names, so a
    fingerprint of the kernel's folder alone would call stale code current.
    """
    waiting = [as_kernel(entry).__module__ for entry in entries]
    ours = {name.partition(".")[0] for name in [*waiting, __name__]}
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in reached or name not in sys.modules or name.partition(".")[0] not in ours:
            continue
        reached.add(name)
        for value in vars(sys.modules[name]).values():
            defined = value.__name__ if inspect.ismodule(value) else _module_of(value)
            if isinstance(defined, str):
                waiting.append(defined)
    return [sys.modules[name] for name in sorted(reached)]


def _module_of(value: object) -> object:
    return getattr(value, "__module__", None)


def _told(value: object) -> object:
    """A number, the items of a tuple or enum, a class's fields and constants: alike anywhere."""
    if isinstance(value, tuple):
        return [_named(item) for item in value]
    if not isinstance(value, type):
        return _named(value)
    if issubclass(value, Enum):
        return _named(value), [repr(member) for member in value]
    fields = [(name, _named(kind)) for name, kind in inspect.get_annotations(value).items()]
    constants = [
        (name, [_named(item) for item in constant] if isinstance(constant, tuple) else constant)
        for name, constant in vars(value).items()
        if isinstance(constant, int | tuple) and not name.startswith("__")
    ]
    return _named(value), fields, constants


def _named(value: object) -> str:
    """A number as it is; of anything else its name, for a default repr holds an address."""
    if isinstance(value, int | str):
        return repr(value)
    return f"{_module_of(value)}.{getattr(value, '__qualname__', '')}"


def _fingerprint(entries: Entries, *, native: bool) -> str:
    modules = _modules_of(entries)
    folders = {Path(module.__file__).parent for module in modules if module.__file__}
    digest = hashlib.blake2b(_COMPILER + _digest_of(folders), digest_size=16)
    # What was imported says more than the files do: they may have changed since.
    imported = [
        (name, _told(value))
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, int | tuple | type)
    ]
    names = [f"{entry.__module__}.{as_kernel(entry).__name__}" for entry in entries]
    cpu = (llvm.get_default_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features())
    made_by = (llvmlite.__version__, sys.version_info[:2], names, imported, cpu, native)
    digest.update(repr(made_by).encode())
    return digest.hexdigest()


def _read(path: Path) -> tuple[bytes, list[Site]] | None:
    """Code and sites as they were written; None for what is missing, damaged or another's."""
    try:
        seal, _, rest = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if seal != _seal(path, rest):
        return None
    sites, _, code = rest.partition(b"\n")
    return code, [Site(*site) for site in json.loads(sites)]


def _write(path: Path, code: bytes, sites: list[Site]) -> None:
    """Keep code for the next run, whole or not at all."""
    rest = json.dumps(sites).encode() + b"\n" + code
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            whole = Path(folder) / path.name
            whole.write_bytes(_seal(path, rest) + b"\n" + rest)
            whole.replace(path)


def _seal(path: Path, content: bytes) -> bytes:
    """A hash of the file's name and content, so that neither is another file's."""
    return hashlib.blake2b(path.name.encode() + b"\n" + content).hexdigest().encode()
