"""Opening a market: what was begun and not finished is there whole, is not there, or is refused."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from solvent.domain import commands as c
from solvent.domain.errors import InputError
from solvent.engine.engine import FastEngine
from solvent.journal.durable import Journal
from solvent.lab.live.keys import demo_keys
from solvent.service.core.keys import FIRST_ACCOUNT, Role, parse_public_key
from solvent.service.core.market import Market
from solvent.service.core.node import Node
from solvent.service.core.opening import JOURNAL, is_set_up, open_node
from solvent.service.core.records import RecordKind, commands_record, decode_record, encode_record
from tests.cli.helpers import solvent
from tests.proof import proves
from tests.service.clients.served import serving
from tests.service.harness import House, with_house

OPENING = c.OpenAccount(FIRST_ACCOUNT)
PEOPLE = ("carl", "dora", "emil", "fay")
ENGINE_ROLES = {Role.USER: c.Role.USER, Role.BLP: c.Role.BACKSTOP_PROVIDER}
LAST = parse_public_key(demo_keys(1)[-1].public)


def journal_of(folder: Path) -> tuple[bytes, list[bytes]]:
    """The head and all records of a market that nobody serves."""
    journal = Journal.open(folder / JOURNAL)
    try:
        return journal.head, [data for _, data in journal.records()]
    finally:
        journal.close()


def write(folder: Path, head: bytes, records: Sequence[bytes]) -> Path:
    """A market's folder with these records."""
    folder.mkdir()
    journal = Journal.create(folder / JOURNAL, head)
    if records:
        journal.append(records)
    journal.close()
    return folder


def cuts(folder: Path, place: Path, sample: int = 1) -> Iterator[tuple[int, Node]]:
    """The node of every beginning of a market, by the number of its records.

    With a `sample`, of the beginnings between the first and the last twelve, one in so many.
    """
    head, records = journal_of(folder)
    for number in range(len(records) + 1):
        if number % sample and 12 < number < len(records) - 12:
            continue
        node = open_node(write(place / str(number), head, records[:number]), None)
        try:
            yield number, node
        finally:
            asyncio.run(node.close())


@proves("I36")
def test_an_account_and_its_key_are_there_both_or_neither(tmp_path: Path) -> None:
    """However many records of the journal are left."""

    async def story(house: House) -> dict[bytes, tuple[int, Role]]:
        opened = {}
        for place, name in enumerate(PEOPLE):
            role = Role.BLP if place % 2 else Role.USER
            client = house.client(name)
            account = await house.open(client, role)
            opened[parse_public_key(client.public)] = (account, role)
        return opened

    (tmp_path / "cuts").mkdir()
    opened = with_house(tmp_path / "market", story)
    seen = set()
    for _, node in cuts(tmp_path / "market", tmp_path / "cuts"):
        accounts = node.market.queries.accounts()
        for key, (account, role) in opened.items():
            principal = node.market.keys.find(key)
            assert (principal is not None) == (account < accounts)
            if principal is not None:
                assert (principal.account, principal.role) == (account, role)
                assert node.market.queries.role(account) == ENGINE_ROLES[role]
        seen.add(accounts)
    assert len(seen) == FIRST_ACCOUNT + len(PEOPLE) + 1, "some account was never the last"


def test_accounts_opened_at_once_are_different_ones(tmp_path: Path) -> None:
    async def story(house: House) -> list[int]:
        clients = [house.client(f"number {number}") for number in range(30)]
        return list(await asyncio.gather(*(house.open(client) for client in clients)))

    found = with_house(tmp_path, story)
    assert sorted(found) == list(range(min(found), min(found) + 30))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that was served for a moment."""
    folder = tmp_path_factory.mktemp("demo")
    with serving(folder, "--demo"):
        pass
    return folder / "market"


def test_a_set_up_is_whole_or_was_not_begun_or_is_refused(demo: Path, tmp_path: Path) -> None:
    """However many of its records are left."""
    found = {number: answered(node) for number, node in cuts(demo, tmp_path, sample=16)}
    _, written = journal_of(demo)
    records = [decode_record(data) for data in written]
    opened = next(place for place, each in enumerate(records) if OPENING in each.decoded) + 1
    whole = len(records) - [each.kind for each in records][::-1].index(RecordKind.ACT)
    assert found == {
        number: "not begun" if number < opened else "refused" if number < whole else "whole"
        for number in found
    }
    assert whole - opened > len(demo_keys(1, b"any"))


def answered(node: Node) -> str:
    """What is said of a set-up."""
    try:
        return "whole" if is_set_up(node, LAST) else "not begun"
    except InputError:
        return "refused"


def test_an_interrupted_demo_is_refused_in_one_line(demo: Path, tmp_path: Path) -> None:
    head, records = journal_of(demo)
    folder = write(tmp_path / "cut", head, records[:-3])
    done = solvent("up", "--demo", "--folder", folder, "--port", "0")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "not set up to its end" in done.stderr
    assert journal_of(folder) == (head, records[:-3])


@pytest.mark.parametrize("steps", [0, 1], ids=["created", "with a step of time"])
def test_a_demo_that_was_not_begun_is_set_up(demo: Path, tmp_path: Path, steps: int) -> None:
    head, _ = journal_of(demo)
    start = Market(head, FastEngine).parameters.start_time
    step = commands_record(start + 1, [c.TimeStep(start + 1)])
    write(tmp_path / "market", head, [encode_record(step)] * steps)
    with serving(tmp_path, "--demo"):
        pass
    node = open_node(tmp_path / "market", None)
    try:
        assert is_set_up(node, LAST)
    finally:
        asyncio.run(node.close())


def test_a_demo_goes_on_where_it_was(demo: Path, tmp_path: Path) -> None:
    head, records = journal_of(demo)
    write(tmp_path / "market", head, records)
    with serving(tmp_path, "--demo"):
        pass
    _, more = journal_of(tmp_path / "market")
    assert more[: len(records)] == records
    assert {decode_record(data).kind for data in more[len(records) :]} <= {
        RecordKind.COMMANDS,
        RecordKind.CHECK,
    }


def test_a_market_with_demo_keys_is_served_to_this_machine_only(demo: Path) -> None:
    before = journal_of(demo)
    done = solvent("up", "--folder", demo, "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 2
    assert "demo keys" in done.stderr
    assert done.stderr.count("\n") == 1
    assert journal_of(demo) == before
