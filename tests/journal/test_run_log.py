"""A run's folder: read back as written, whole or absent, and no damage goes unseen."""

import os
import struct
from collections import deque
from pathlib import Path
from random import Random

import pytest

from solvent.domain.codec.events import FORMAT_VERSION
from solvent.domain.errors import InputError
from solvent.domain.events import Event
from solvent.journal.event_hash import EventHasher
from solvent.journal.run_log import COMMANDS, EVENTS, FRAME_BYTES, RunLogReader, RunLogWriter
from tests.journal.small_run import busy_run, example_run, write_run
from tests.proof import proves

LOGS = [COMMANDS, EVENTS]


def read_commands(directory: Path) -> None:
    reader = RunLogReader(directory)
    assert reader.parameters.assets
    deque(reader.commands(), maxlen=0)


def read_events(directory: Path) -> None:
    deque(RunLogReader(directory).transcripts(), maxlen=0)


def answers(reader: RunLogReader) -> list[tuple[Event, ...]]:
    """The events of every command."""
    return [entry.events for transcript in reader.transcripts() for entry in transcript]


def read_manifest(directory: Path) -> None:
    assert RunLogReader(directory).manifest.files


READERS = {COMMANDS: read_commands, EVENTS: read_events, "run.json": read_manifest}
"""What reads one file of a run's folder, and raises InputError where it is damaged."""


def overwrite(path: Path, content: bytes) -> None:
    """Replace a file's bytes in place, which costs much less than writing it anew."""
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()


def everything_below(directory: Path) -> set[str]:
    """Names of all files and folders below a folder."""
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*")}


@proves("I35", "I36")
def test_a_run_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    terms, answered = busy_run()
    engine = write_run(tmp_path / "run", terms, answered)
    reader = RunLogReader(tmp_path / "run")
    assert reader.parameters == terms
    assert list(reader.commands()) == [command for command, _ in answered]
    assert answers(reader) == [events for _, events in answered]
    hasher = EventHasher()
    for _, events in answered:
        hasher.update(events)
    assert reader.manifest.event_hash == hasher.hexdigest()
    assert reader.manifest.state_hash == engine.state_hash()
    assert reader.manifest.commands == len(answered)
    assert reader.manifest.events == sum(len(events) for _, events in answered)
    assert reader.manifest.figures == {"seed": 7, "lenders": "whole"}
    assert set(reader.manifest.files) == {COMMANDS, EVENTS, "receipts.jsonl"}
    assert everything_below(tmp_path) == {
        "run",
        "run/commands.log",
        "run/events.log",
        "run/receipts.jsonl",
        "run/run.json",
    }


def test_a_log_of_many_frames_is_read_back(tmp_path: Path) -> None:
    terms, answered = example_run()
    times = 600
    with RunLogWriter(tmp_path / "run", terms) as log:
        for _ in range(times):
            for command, events in answered:
                log.append(command, events)
        log.finish({}, "")
    assert (tmp_path / "run" / EVENTS).stat().st_size > 3 * FRAME_BYTES
    reader = RunLogReader(tmp_path / "run")
    assert list(reader.commands()) == [command for command, _ in answered] * times
    assert answers(reader) == [events for _, events in answered] * times


def test_equal_runs_make_equal_folders(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_run(tmp_path / name, *example_run())
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_an_empty_run_is_a_run(tmp_path: Path) -> None:
    terms, _ = example_run()
    with RunLogWriter(tmp_path / "run", terms) as log:
        log.finish({}, "")
    for read in READERS.values():
        read(tmp_path / "run")
    assert answers(RunLogReader(tmp_path / "run")) == []


@proves("I36")
@pytest.mark.parametrize("after", [0, 5, 22])
def test_a_run_that_fails_leaves_nothing_behind(tmp_path: Path, after: int) -> None:
    terms, answered = example_run()

    def fail() -> None:
        with RunLogWriter(tmp_path / "new" / "deep" / "run", terms) as log:
            log.path("report.html").write_text("half", encoding="ascii")
            for command, events in answered[:after]:
                log.append(command, events)
            if after == len(answered):
                log.finish({}, "")
            raise RuntimeError("power")

    with pytest.raises(RuntimeError, match="power"):
        fail()
    assert everything_below(tmp_path) == set()


def test_a_run_left_without_finish_is_a_mistake(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="finish"),
        RunLogWriter(tmp_path / "run", example_run()[0]),
    ):
        pass
    assert everything_below(tmp_path) == set()


def test_an_occupied_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine", encoding="ascii")
    (tmp_path / "file").write_text("mine", encoding="ascii")
    for name, reason in (("run", "is not empty; name"), ("file", "is not a folder; name")):
        with pytest.raises(InputError, match=f"{name}: directory: {reason}"):
            RunLogWriter(tmp_path / name, example_run()[0])
    assert everything_below(tmp_path) == {"run", "run/mine.txt", "file"}


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write_run(tmp_path / "run", *example_run())
    for read in READERS.values():
        read(tmp_path / "run")


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="ascii")
    with pytest.raises(InputError, match=r"directory: cannot be written: .*; name another"):
        RunLogWriter(tmp_path / "file" / "run", example_run()[0])
    assert everything_below(tmp_path) == {"file"}


@pytest.mark.parametrize("name", [COMMANDS, EVENTS, "run.json", "a/b", "..", ""])
def test_other_files_have_plain_names_of_their_own(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(ValueError, match="no name"),
        RunLogWriter(tmp_path / "run", example_run()[0]) as log,
    ):
        log.path(name)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="directory: is not a folder"):
        RunLogReader(tmp_path / "none")
    reader = RunLogReader(tmp_path)
    for question in (
        lambda: reader.manifest,
        lambda: reader.parameters,
        lambda: list(reader.commands()),
        lambda: answers(reader),
    ):
        with pytest.raises(InputError, match=r"file: cannot be read: No such file"):
            question()


@proves("I36")
@pytest.mark.parametrize("name", READERS)
def test_every_cut_is_seen(tmp_path: Path, name: str) -> None:
    write_run(tmp_path / "run", *example_run())
    path = tmp_path / "run" / name
    whole = path.read_bytes()
    for length in reversed(range(len(whole))):
        os.truncate(path, length)
        with pytest.raises(InputError):
            READERS[name](tmp_path / "run")
    path.write_bytes(whole)
    READERS[name](tmp_path / "run")


@proves("I36")
@pytest.mark.parametrize("name", READERS)
def test_flipped_bits_are_seen(tmp_path: Path, name: str) -> None:
    write_run(tmp_path / "run", *example_run())
    path = tmp_path / "run" / name
    whole = path.read_bytes()
    rng = Random(20251010)
    for bit in rng.sample(range(8 * len(whole)), min(3000, 8 * len(whole))):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        overwrite(path, bytes(damaged))
        with pytest.raises(InputError):
            READERS[name](tmp_path / "run")


@proves("I36")
@pytest.mark.parametrize("name", LOGS)
def test_lost_doubled_and_appended_bytes_are_seen(tmp_path: Path, name: str) -> None:
    write_run(tmp_path / "run", *example_run())
    path = tmp_path / "run" / name
    whole = path.read_bytes()
    for start in range(0, len(whole) - 8, 8):
        for damaged in (
            whole[:start] + whole[start + 8 :],
            whole[: start + 8] + whole[start:],
            whole[:start] + bytes(8) + whole[start:],
        ):
            if damaged == whole:
                continue
            overwrite(path, damaged)
            with pytest.raises(InputError):
                READERS[name](tmp_path / "run")
    overwrite(path, whole + b"\0")
    with pytest.raises(InputError, match="bytes follow the end"):
        READERS[name](tmp_path / "run")


def test_damage_is_named_by_its_byte(tmp_path: Path) -> None:
    write_run(tmp_path / "run", *example_run())
    path = tmp_path / "run" / COMMANDS
    whole = path.read_bytes()
    (length,) = struct.unpack_from("<I", whole, 12)
    second = 12 + 12 + length
    cases = {
        3: "byte 0: this is no log that begins with SOLVCMDS",
        8: f"byte 8: format {FORMAT_VERSION ^ 1} is not {FORMAT_VERSION}, the one read here",
        30: f"byte 12: the checksum of {length + 12} bytes is wrong",
        second + 20: f"byte {second}: the checksum of",
    }
    for place, said in cases.items():
        damaged = bytearray(whole)
        damaged[place] ^= 1
        overwrite(path, bytes(damaged))
        with pytest.raises(InputError) as caught:
            read_commands(tmp_path / "run")
        assert str(caught.value).startswith(f"{path}: {said}")
        assert str(caught.value).endswith("; restore the file or run again")
    overwrite(path, whole[: second + 5])
    with pytest.raises(InputError, match=f"byte {second}: the log is cut short"):
        read_commands(tmp_path / "run")


def test_frames_of_another_log_are_seen(tmp_path: Path) -> None:
    write_run(tmp_path / "run", *example_run())
    events = (tmp_path / "run" / EVENTS).read_bytes()
    (tmp_path / "run" / COMMANDS).write_bytes(events)
    with pytest.raises(InputError, match="no log that begins with SOLVCMDS"):
        read_commands(tmp_path / "run")
