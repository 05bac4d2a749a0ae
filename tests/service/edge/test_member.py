"""The writer's side of a line: what it asks again of every record that a gateway hands in."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from solvent.domain import commands as c
from solvent.service.api.buckets import Buckets, Rate
from solvent.service.api.intake import Payment
from solvent.service.core.keys import Role, parse_public_key
from solvent.service.core.node import wall_clock
from solvent.service.core.records import commands_record, records_in
from solvent.service.edge.frames import (
    AnyFrame,
    FromGateway,
    FromWriter,
    Hand,
    Refused,
    Said,
    Spent,
    encode_frame,
    from_gateway,
    from_writer,
)
from solvent.service.edge.line import Line
from solvent.service.edge.member import Member
from solvent.service.serve import application
from tests.service.harness import Client, House, endless, with_house

USDC = 0


class Ends:
    """A member, and the gateway's end of its line in the hands of a test."""

    def __init__(self, house: House, buckets: Buckets) -> None:
        self.told: list[list[Payment]] = []
        self.member = Member(
            house.node,
            application(house.node, buckets),
            buckets,
            lambda _, paid: self.told.append(paid),
            lambda: None,
        )
        self.heard: asyncio.Queue[FromWriter] = asyncio.Queue()
        self.line: Line[FromWriter] = Line(from_writer, self.heard.put_nowait, lambda: None)

    async def ask(self, frame: AnyFrame) -> FromWriter:
        """Say something and hear what comes back."""
        self.line.send(frame)
        async with asyncio.timeout(10):
            return await self.heard.get()


def with_ends(
    folder: Path, story: Callable[[House, Ends], Awaitable[None]], buckets: Buckets | None = None
) -> None:
    """Run a story."""

    async def run(house: House) -> None:
        ours, theirs = socket.socketpair()
        ends = Ends(house, buckets or endless())
        await ends.member.line.open(ours)
        await ends.line.open(theirs)
        try:
            await story(house, ends)
        finally:
            ends.line.close()
            ends.member.line.close()
            await asyncio.sleep(0)

    with_house(folder, run)


def handed(house: House, who: Client, number: int = 1, paid: tuple[Payment, ...] = ()) -> Hand:
    """A record of somebody, as a gateway hands it in that knows the market as it is now."""
    key = parse_public_key(who.public)
    principal = house.node.market.keys.find(key)
    assert principal is not None
    record = commands_record(
        0,
        [c.Lend(principal.account, USDC, number)],
        account=principal.account,
        digest=number.to_bytes(16, "big"),
        expires=wall_clock() // 1000 + 5000,
        actor=principal.number,
    )
    return Hand(number, key, principal, list(paid), record)


def test_a_record_happens_once_at_the_writers_time(tmp_path: Path) -> None:
    async def story(house: House, ends: Ends) -> None:
        hand, before = handed(house, house.ann, 7), wall_clock()
        first = await ends.ask(hand)
        assert isinstance(first, Said)
        assert (first.number, first.status) == (7, 200)
        assert first.sequence == house.node.sequencer.journal.sequence
        again = await ends.ask(Hand(8, hand.key, hand.principal, [], hand.record))
        assert isinstance(again, Said)
        assert (again.number, again.body) == (8, first.body)
        assert again.sequence == first.sequence
        account = house.accounts[house.ann.public]
        assert house.node.market.queries.balances(account)[USDC].lent == 7
        *_, (_, data) = house.node.sequencer.journal.records()
        assert before <= records_in(data)[0].time <= wall_clock()

    with_ends(tmp_path, story)


@pytest.mark.parametrize("change", ["removed", "moved", "another role", "another number"])
def test_who_is_not_who_he_was_is_refused(tmp_path: Path, change: str) -> None:
    """A gateway may not have heard yet; the record's own place would be too late to say so."""

    async def story(house: House, ends: Ends) -> None:
        hand, key = handed(house, house.ann), parse_public_key(house.ann.public)
        before = house.node.sequencer.journal.sequence
        keys = house.node.market.keys
        if change == "removed":
            keys.remove(key)
        elif change == "moved":
            keys.let_in(key, Role.USER, house.accounts[house.bob.public])
        elif change == "another role":
            keys.let_in(key, Role.AUDITOR, house.accounts[house.ann.public])
        else:
            other = hand.principal._replace(number=hand.principal.number + 1)
            hand = Hand(1, key, other, [], replace(hand.record, actor=other.number))
        said = await ends.ask(hand)
        assert isinstance(said, Refused)
        assert (said.status, said.code, said.message) == (
            401,
            "UNAUTHORIZED",
            "The key may not act",
        )
        assert house.node.sequencer.journal.sequence == before

    with_ends(tmp_path, story)


def test_what_was_paid_is_asked_of_the_one_table(tmp_path: Path) -> None:
    buckets = Buckets(dict(endless().rates) | {"key": Rate(1, 5)})

    async def story(house: House, ends: Ends) -> None:
        paid = (Payment("address", "there", 1), Payment("key", 7, 3))
        assert isinstance(await ends.ask(handed(house, house.ann, 1, paid)), Said)
        said = await ends.ask(handed(house, house.ann, 2, paid))
        assert isinstance(said, Refused)
        assert (said.status, said.code, said.retry_after) == (429, "TOO_MANY_REQUESTS", 1)
        # What reduces risk has a bucket of its own, as ever.
        reducing = (Payment("key", 7, 3, True),)
        assert isinstance(await ends.ask(handed(house, house.ann, 3, reducing)), Said)
        # What was paid for requests without a record is told to the others, and counts here.
        spent = [Payment("key", 9, 5, is_charge=True)]
        ends.line.send(Spent(spent))
        said = await ends.ask(handed(house, house.ann, 4, (Payment("key", 9, 1),)))
        assert isinstance(said, Refused)
        assert ends.told == [spent]

    with_ends(tmp_path, story, buckets)


def test_frames_come_whole_and_in_order_however_they_are_cut() -> None:
    frames = [Spent([Payment("address", "x" * size, size)]) for size in (0, 1, 300, 70_000)]
    data = b""
    for frame in frames:
        one = encode_frame(frame)
        data += len(one).to_bytes(4, "little") + one

    async def heard(cut: int) -> list[FromGateway]:
        found: list[FromGateway] = []
        line: Line[FromGateway] = Line(from_gateway, found.append, lambda: None)
        for place in range(0, len(data), cut):
            line.data_received(data[place : place + cut])
        return found

    for cut in (1, 2, 3, 5, 4096, len(data)):
        assert asyncio.run(heard(cut)) == frames
