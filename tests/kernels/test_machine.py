"""Compiled code on disk and in the process: kept, found damaged, shared, called, stopped."""

import gc
import os
import pwd
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from solvent.domain.units import INT64_MAX, INT64_MIN
from solvent.kernels.language import kernel
from solvent.kernels.machine import Machine, cache_folder, compile_kernels
from solvent.kernels.rows import EngineFault
from tests.kernels.modules import line_of, module_of

ROOT = Path(__file__).resolve().parents[2]
KINDS = """\
from dataclasses import dataclass
from solvent.kernels.language import Root
from solvent.kernels.rows import Memory

@dataclass(frozen=True)
class First:
    number: int

@dataclass(frozen=True)
class Second:
    number: int

class Columns(Root):
    event_kinds = ({0})
    numbers: Memory
"""
"""Columns whose events are listed in an order that the test chooses."""


@kernel
def half(number: int) -> int:
    return number // 2


@kernel
def doubled(number: int) -> int:
    return number * 2


@kernel
def is_even(number: int) -> bool:
    return number % 2 == 0


@kernel
def seven() -> int:
    return 7


@kernel
def count_down(number: int) -> None:
    while number > 0:
        number -= 1


class Kept:
    """A folder of compiled code, and how often kernels were compiled for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.compiled: list[str] = []

    def machine(self) -> Machine:
        """Two kernels, from the folder if they are there."""
        return compile_kernels((half, doubled), folder=self.folder, progress=self.compiled.append)

    def file(self) -> Path:
        """The one file in the folder."""
        (file,) = self.folder.iterdir()
        return file


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A folder in which they are."""
    kept = Kept(tmp_path / "not" / "there")
    kept.machine()
    assert len(kept.compiled) == 1
    return kept


# On disk.


def test_code_is_read_back(kept: Kept) -> None:
    machine = kept.machine()
    assert len(kept.compiled) == 1
    assert (machine.call("half", -7), machine.call("doubled", 21)) == (-4, 42)
    with pytest.raises(EngineFault, match=r"test_machine\.doubled, line \d+; it must not go on"):
        machine.call("doubled", INT64_MAX)


def test_a_damaged_file_is_compiled_again(kept: Kept) -> None:
    whole = kept.file().read_bytes()
    flipped = [*range(0, 300, 7), *range(300, len(whole), len(whole) // 20), len(whole) - 1]
    damages = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in flipped]
    damages += [whole[:at] for at in (0, 1, 128, 129, 130, len(whole) // 2, len(whole) - 1)]
    damages += [whole + b"\0", whole + whole, b"\n" * 10, b"{}\n{}\n", os.urandom(len(whole))]
    for number, damage in enumerate(damages):
        kept.file().write_bytes(damage)
        assert kept.machine().call("half", 10) == 5
        assert len(kept.compiled) == 2 + number
        assert kept.file().read_bytes() == whole


def test_another_programs_file_is_compiled_again(kept: Kept) -> None:
    other = compile_kernels((half,), folder=kept.folder)
    assert other.call("half", 10) == 5
    mine, others = sorted(kept.folder.iterdir(), key=lambda path: -path.stat().st_size)
    mine.write_bytes(others.read_bytes())
    assert kept.machine().call("doubled", 10) == 20
    assert len(kept.compiled) == 2


def test_a_folder_in_the_files_place_is_done_without(kept: Kept) -> None:
    path = kept.file()
    path.unlink()
    path.mkdir()
    assert kept.machine().call("half", 10) == 5
    assert list(kept.folder.iterdir()) == [path]


def test_an_unwritable_folder_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept = Kept(tmp_path / "file" / "folder")
    for times in (1, 2):
        assert kept.machine().call("half", 10) == 5
        assert len(kept.compiled) == times


def test_processes_at_the_same_time(kept: Kept) -> None:
    kept.file().unlink()
    text = (
        "import sys\nfrom pathlib import Path\nfrom tests.kernels.test_machine import Kept\n"
        "kept = Kept(Path(sys.argv[1]))\nprint(kept.machine().call('half', 10))"
    )
    command = [sys.executable, "-c", text, str(kept.folder)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [process.communicate()[0] for process in running] == ["5\n"] * 4
    assert len(kept.compiled) == 1
    assert kept.machine().call("half", 10) == 5
    assert len(kept.compiled) == 1


def test_other_kernels_divisions_and_sources_are_other_files(kept: Kept, tmp_path: Path) -> None:
    text = "NUMBER = 1\n@kernel\ndef one(a: int) -> int:\n    return a + NUMBER\n"
    for number, changed in enumerate((text, text.replace("= 1", "= 2"), text.replace("+", "-"))):
        function = module_of(tmp_path, changed).one
        machine = compile_kernels((function,), folder=kept.folder)
        assert machine.call("one", 10) == function(10) == (11, 12, 9)[number]
    compile_kernels((half, doubled), native_division=False, folder=kept.folder)
    compile_kernels((doubled, half), folder=kept.folder)
    assert len(list(kept.folder.iterdir())) == 6


def test_a_constant_that_changes_later_changes_no_compiled_kernel(tmp_path: Path) -> None:
    text = "NUMBER = 1\n@kernel\ndef one(a: int) -> int:\n    return a + NUMBER\n"
    module = module_of(tmp_path, text)
    machine = compile_kernels((module.one,), folder=tmp_path)
    vars(module)["NUMBER"] = 2
    assert (machine.call("one", 10), module.one(10)) == (11, 12)


def test_what_a_kernel_imports_has_a_say_in_its_file(tmp_path: Path) -> None:
    rows, kernels = tmp_path / "pack" / "rows", tmp_path / "pack" / "kernels"
    for folder in (rows, kernels):
        folder.mkdir(parents=True)
    (kernels / "one.py").write_text(
        "from pack.rows.fields import FIELDS, Field\nfrom solvent.kernels.language import kernel\n"
        "@kernel\ndef one(a: int) -> int:\n    return a * Field.LAST + FIELDS\n"
    )
    program = (
        "from pack.kernels.one import one\nfrom solvent.kernels.machine import compile_kernels\n"
        "print(compile_kernels((one,)).call('one', 10))"
    )
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(tmp_path)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SOLVENT_CACHE": str(tmp_path / "cache"),
    }
    # A row that grows changes no line of the kernels that read it.
    for last, count in ((1, 2), (2, 2), (2, 3), (1, 2)):
        fields = f"FIELDS = {count}\nclass Field(IntEnum):\n    LAST = {last}\n"
        (rows / "fields.py").write_text("from enum import IntEnum\n" + fields)
        command = [sys.executable, "-c", program]
        printed = subprocess.check_output(command, cwd=tmp_path, env=environment, text=True)
        assert int(printed) == 10 * last + count
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_files_that_changed_since_the_import_name_no_code(tmp_path: Path) -> None:
    """Who imported other kinds of events than the files now list keeps its code apart."""
    (tmp_path / "kinds.py").write_text(KINDS.format("First, Second"))
    (tmp_path / "one.py").write_text(
        "from kinds import Columns, Second\n"
        "from solvent.kernels.language import emit, kernel\n"
        "@kernel\ndef one(s: Columns) -> None:\n    emit(s, Second(7))\n"
    )
    program = (
        "import sys\nfrom pathlib import Path\nfrom one import one\n"
        "from solvent.kernels.machine import compile_kernels\n"
        "Path('kinds.py').write_text(sys.argv[1])\n"
        "compile_kernels((one,), progress=lambda _: print('compiled'))"
    )
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(tmp_path)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SOLVENT_CACHE": str(tmp_path / "cache"),
    }
    # The first imports one order and leaves another on disk; the second imports that other.
    for _ in range(2):
        command = [sys.executable, "-c", program, KINDS.format("Second, First")]
        printed = subprocess.check_output(command, cwd=tmp_path, env=environment, text=True)
        assert printed == "compiled\n"
    assert len(list((tmp_path / "cache").iterdir())) == 2


# Where.


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOLVENT_CACHE", str(tmp_path / "here"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "here"
    compile_kernels((half,))
    assert len(list((tmp_path / "here").iterdir())) == 1
    monkeypatch.setenv("SOLVENT_CACHE", "")
    assert cache_folder() == tmp_path / "caches" / "solvent"
    for none in ("relative/caches", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", none)
        assert cache_folder() == tmp_path / "home" / ".cache" / "solvent"
    monkeypatch.delenv("SOLVENT_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / "home" / ".cache" / "solvent"
    monkeypatch.delenv("HOME")
    known = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert cache_folder() == known / ".cache" / "solvent"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without a home")
def test_without_a_home_nothing_is_kept() -> None:
    text = (
        "import os\nfrom tests.kernels.test_machine import cache_folder, compile_kernels, half\n"
        "os.setuid(54321)\nprint(cache_folder(), compile_kernels((half,)).call('half', 10))"
    )
    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout == "None 5\n"


# Calls.


@pytest.fixture(scope="module")
def machine() -> Machine:
    """All kernels of this file."""
    return compile_kernels((half, doubled, is_even, seven, count_down))


def test_numbers_go_in_and_come_out(machine: Machine) -> None:
    for number in (INT64_MIN, -3, -1, 0, 1, 2, INT64_MAX):
        assert machine.call("half", number) == half(number)
        assert machine.call("is_even", number) == is_even(number)
    assert machine.call("seven") == 7
    assert machine.call("count_down", 5) == 0


@pytest.mark.parametrize("arguments", [(), (1, 2), (1, 2, 3)])
def test_a_wrong_count_of_numbers_is_refused(machine: Machine, arguments: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match="half takes 1 numbers"):
        machine.call("half", *arguments)


@pytest.mark.parametrize("number", [INT64_MAX + 1, INT64_MIN - 1, 2**64, 2**200])
def test_a_number_that_does_not_fit_is_refused(machine: Machine, number: int) -> None:
    with pytest.raises(OverflowError, match="does not fit 64 bits"):
        machine.call("half", number)


def test_an_unknown_kernel_is_refused(machine: Machine) -> None:
    with pytest.raises(KeyError):
        machine.call("third", 1)


def test_a_stop_names_the_line_and_leaves_the_machine_usable(
    machine: Machine, tmp_path: Path
) -> None:
    text = (
        "@kernel\ndef inner(a: int) -> int:\n    if a > 5:\n        fail()\n"
        "    return a * (1 << 62)  # here\n"
        "@kernel\ndef outer(a: int) -> int:\n    return inner(a - 1)\n"
    )
    module = module_of(tmp_path, text)
    other = compile_kernels((module.outer, module.inner), folder=tmp_path)
    last = line_of(tmp_path, "# here")
    for name, number, line in (("outer", 3, last), ("inner", 6, last - 1), ("inner", 2, last)):
        for _ in range(3):
            with pytest.raises(EngineFault, match=rf"at written\.inner, line {line};"):
                other.call(name, number)
            assert other.call("outer", 2) == 1 << 62
            assert machine.call("half", 9) == 4


def test_threads_take_turns(machine: Machine) -> None:
    def work(number: int) -> int | None:
        try:
            return machine.call("doubled", number if number % 3 else INT64_MAX)
        except EngineFault:
            return None

    numbers = range(3000)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, numbers))
    assert found == [2 * number if number % 3 else None for number in numbers]


@pytest.mark.slow
def test_machines_come_and_go(machine: Machine, tmp_path: Path) -> None:
    for number in range(5):
        one, other = (compile_kernels((half,), folder=tmp_path) for _ in range(2))
        assert one.call("half", 2 * number) == other.call("half", 2 * number) == number
        del one
        gc.collect()
        assert other.call("half", 2 * number) == machine.call("half", 2 * number) == number
