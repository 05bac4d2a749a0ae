"""Audit: a good run passes with every invariant checked; anything wrong is one clear line."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from solvent.domain.codec.canonical import DIGEST_FIELD, canonical, digest_of
from solvent.domain.codec.events import FORMAT_VERSION
from solvent.domain.commands import Command, Deposit, Repay
from solvent.domain.errors import InputError
from solvent.domain.events import Deposited, Event
from solvent.journal.run_log import COMMANDS, EVENTS, RunLogWriter
from solvent.proof.audit.runs import audit
from solvent.reference.engine import Part, ReferenceEngine
from tests.journal.small_run import Answered, busy_run, example_run, write_run
from tests.proof import proves


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good run's folder; copy it before damaging it."""
    directory = tmp_path_factory.mktemp("audit") / "run"
    write_run(directory, *example_run())
    return directory


@proves("A6", "I1", "I2", "I3", "I22", "I23", "I24", "I25", "I26", "I35")
def test_a_good_run_passes_with_all_invariants_checked(tmp_path: Path) -> None:
    terms, answered = busy_run()
    engine = write_run(tmp_path / "run", terms, answered)
    seen: list[tuple[int, int]] = []
    report = audit(tmp_path / "run", progress=lambda done, all_of: seen.append((done, all_of)))
    assert report.problem is None
    assert report.good
    assert report.commands == report.checked == len(answered)
    assert report.events == sum(len(events) for _, events in answered)
    assert report.state_hash == engine.state_hash()
    assert seen == [(done + 1, len(answered)) for done in range(len(answered))]


@proves("I9", "A6")
@pytest.mark.parametrize("left", [1, 7, 20])
def test_a_change_that_nobody_names_is_found(
    left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that moves an atom between two accounts in silence, `left` commands before the end.

    Sums stay right, and only whom a command names is looked at after each.
    """
    terms, answered = busy_run()
    write_run(tmp_path / "run", terms, answered)

    class Thief(ReferenceEngine):
        done = 0

        def parts(self, command: Command) -> Iterator[Part]:
            for part in super().parts(command):
                self.done += 1
                if self.done == len(answered) - left:
                    rich = max(self.state.accounts[2:], key=lambda each: each.available[0])
                    rich.available[0] -= 1
                    self.state.accounts[0].available[0] += 1
                yield part

    monkeypatch.setattr("solvent.proof.audit.runs.ReferenceEngine", Thief)
    problem = audit(tmp_path / "run").problem
    assert problem is not None
    assert "breaks I9" in problem or "changed what no command named" in problem


@pytest.mark.parametrize(("every", "checked"), [(0, 0), (1, 22), (5, 4), (22, 1), (23, 0)])
def test_invariants_are_checked_as_often_as_asked(good: Path, every: int, checked: int) -> None:
    report = audit(good, check_every=every)
    assert (report.good, report.commands, report.checked) == (True, 22, checked)


def test_checking_less_than_never_is_a_mistake(good: Path) -> None:
    with pytest.raises(ValueError, match="check_every"):
        audit(good, check_every=-1)


def test_what_is_no_folder_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        audit(tmp_path / "none")


def copied(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "run"))


@proves("I36")
@pytest.mark.parametrize("name", [COMMANDS, EVENTS, "run.json", "receipts.jsonl"])
def test_a_missing_file_is_one_line(good: Path, tmp_path: Path, name: str) -> None:
    directory = copied(good, tmp_path)
    (directory / name).unlink()
    problem = audit(directory, check_every=0).problem
    assert problem is not None
    assert problem.startswith(f"{directory / name}: file: ")
    assert "\n" not in problem


@proves("I36")
@pytest.mark.parametrize("name", [COMMANDS, EVENTS, "run.json", "receipts.jsonl"])
def test_a_damaged_file_is_one_line(good: Path, tmp_path: Path, name: str) -> None:
    directory = copied(good, tmp_path)
    whole = (directory / name).read_bytes()
    rng = Random(7)
    for _ in range(25):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        for content in (bytes(damaged), whole[: rng.randrange(len(whole))]):
            (directory / name).write_bytes(content)
            problem = audit(directory, check_every=0).problem
            assert problem is not None
            assert problem.startswith(str(directory / name))
            assert "\n" not in problem


def resealed(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Edit a manifest as somebody would who computes its digest anew."""
    manifest = json.loads(path.read_text(encoding="ascii"))
    change(manifest)
    manifest[DIGEST_FIELD] = digest_of(manifest)
    path.write_text(canonical(manifest) + "\n", encoding="ascii")


@proves("I35")
@pytest.mark.parametrize(
    ("field", "value"),
    [("commands", 21), ("events", 1), ("state_hash", "00"), ("event_hash", "00")],
)
def test_a_claim_that_the_replay_does_not_confirm(
    good: Path, tmp_path: Path, field: str, value: object
) -> None:
    directory = copied(good, tmp_path)
    resealed(directory / "run.json", lambda manifest: manifest.update({field: value}))
    problem = audit(directory, check_every=0).problem
    assert problem is not None
    assert problem.startswith(f"{directory / 'run.json'}: {field}: says {value}, the replay gives")


def test_an_edited_manifest_is_seen(good: Path, tmp_path: Path) -> None:
    directory = copied(good, tmp_path)
    path = directory / "run.json"
    text = path.read_text(encoding="ascii")
    version = f'"version":{FORMAT_VERSION}'
    for changed, said in (
        (text.replace('"seed":7', '"seed":8'), "digest: does not fit the rest"),
        (text.replace('"seed":7', '"seed": 7'), "not written as a run writes it"),
        (text.replace(version, '"version":1'), f"not solvent run version {FORMAT_VERSION}"),
        (text.replace(version, f"{version},{version}"), "a key is given twice"),
        (text.replace('"seed":7', '"seed":NaN'), "NaN is no number"),
        (text.replace('"events":', '"events":"1","e":'), "needs exactly the keys"),
        (text.replace('"commands":22', '"commands":"22"'), "commands: has the wrong type"),
        ("[" * 100_000, "is no manifest"),
        ("é", "is no manifest"),
    ):
        assert changed != text
        path.write_text(changed, encoding="utf-8")
        problem = audit(directory, check_every=0).problem
        assert problem is not None
        assert said in problem


def rewritten(tmp_path: Path, answered: list[Answered]) -> Path:
    """A run's folder whose logs are sound and say what they should not."""
    with RunLogWriter(tmp_path / "run", example_run()[0]) as log:
        for command, events in answered:
            log.append(command, events)
        log.finish({}, "")
    return tmp_path / "run"


@proves("I35")
def test_the_first_difference_is_named(tmp_path: Path) -> None:
    answered = list(example_run()[1])
    place = next(place for place, one in enumerate(answered) if isinstance(one[0], Deposit))
    command, (deposited,) = answered[place]
    assert isinstance(deposited, Deposited)
    other = Deposited(deposited.account, deposited.asset, deposited.quantity + 1)
    cases: list[tuple[tuple[Event, ...], str]] = [
        ((other,), f"event 0 is {other} in events.log, but the replay gives {deposited}"),
        ((), f"event 0 is None in events.log, but the replay gives {deposited}"),
        ((deposited, other), f"event 1 is {other} in events.log, but the replay gives None"),
    ]
    for number, (events, said) in enumerate(cases):
        changed: list[Answered] = [*answered[:place], (command, events), *answered[place + 1 :]]
        directory = rewritten(tmp_path / str(number), changed)
        problem = audit(directory, check_every=0).problem
        assert problem == f"{directory}: command {place} (Deposit): {said}"


@proves("I35")
def test_a_changed_command_is_named(tmp_path: Path) -> None:
    answered = list(example_run()[1])
    place = next(place for place, one in enumerate(answered) if isinstance(one[0], Deposit))
    answered[place] = (Repay(5, 0, 1), answered[place][1])
    problem = audit(rewritten(tmp_path, answered), check_every=0).problem
    assert problem is not None
    assert f"command {place} (Repay): event 0 is Deposited(" in problem


def test_events_of_a_command_too_many_are_named(good: Path, tmp_path: Path) -> None:
    directory = copied(good, tmp_path)
    extra: tuple[Event, ...] = ()
    longer = rewritten(tmp_path / "longer", [*example_run()[1], (Deposit(9, 0, 1), extra)])
    shutil.copy(longer / EVENTS, directory / EVENTS)
    problem = audit(directory, check_every=0).problem
    assert problem == (f"{directory / COMMANDS}: ends after 22 commands, but {EVENTS} goes on")
