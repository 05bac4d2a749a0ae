"""Intents: what a request wants is resolved at its place in the log, whatever was seen before."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from nacl.signing import SigningKey

from solvent.domain import commands as c
from solvent.domain.units import PRICE_SCALE
from solvent.engine.memory.layout import TREASURY
from solvent.service.authority.acts import AdmitKey, AnyAct, Approve, Carry, OpenAccount, encode_act
from solvent.service.authority.model import CLOCK, HOUSE
from solvent.service.core.intents import (
    CancelNamed,
    ConvertAllDust,
    Intent,
    MoveInPool,
    PoolSide,
    decode_intent,
    encode_intent,
)
from solvent.service.core.keys import Role
from solvent.service.core.market import Market, Outcome
from solvent.service.core.records import (
    Record,
    RecordError,
    RecordKind,
    commands_record,
    decode_record,
)
from solvent.service.errors import ApiErrorCode
from tests.proof import proves
from tests.service.core.test_exactly_once import order
from tests.service.core.test_market import bid, code, traded
from tests.service.harness import House, with_house
from tests.service.played import CHANGE, PROPOSE

KEY = bytes(SigningKey(b"k" * 32).verify_key)
ASSET = 2

LEND = MoveInPool(ASSET, PoolSide.LEND, 10**9)
BORROW = MoveInPool(ASSET, PoolSide.BORROW, 10**9)


def acts(act: AnyAct, actor: int = HOUSE) -> Record:
    """The record of an act."""
    return Record(RecordKind.ACT, 5, body=encode_act(act), actor=actor)


def wants(intent: Intent, account: int = 2) -> Record:
    """The record of an intent."""
    return Record(RecordKind.INTENT, 5_000, account, body=encode_intent(intent))


def says(*commands: c.Command) -> Record:
    """The record of commands."""
    return commands_record(5_000, list(commands), account=2)


def commands_of(outcomes: Sequence[Outcome]) -> list[list[c.Command]]:
    """What was carried out for each record."""
    return [[entry.command for entry in outcome.transcript] for outcome in outcomes]


def filled() -> Market:
    """A market where account 3 lends and account 2 has a token, no debt and no claim."""
    market = traded()
    setup: list[c.Command] = [c.Deposit(3, ASSET, 10**12), c.Lend(3, ASSET, 10**11)]
    market.carry_out([says(*setup, c.Deposit(2, ASSET, 10**9))])
    return market


@pytest.mark.parametrize(
    "intent",
    [
        LEND,
        BORROW,
        CancelNamed(1, 7),
        CancelNamed(1, None, 9),
        ConvertAllDust(),
    ],
)
def test_what_is_written_is_read(intent: Intent) -> None:
    assert decode_intent(encode_intent(intent)) == intent


@pytest.mark.parametrize("body", [b"", b"\x91\x63", b"\x90", b"text"])
def test_other_bytes_are_no_intent(body: bytes) -> None:
    with pytest.raises(RecordError, match="no intent"):
        decode_intent(body)
    with pytest.raises(RecordError, match="no intent"):
        traded().carry_out([Record(RecordKind.INTENT, 5, 2, body=body)])


# One after another in one turn: the second is resolved by what the first led to.


@proves("I35")
@pytest.mark.parametrize(
    ("before", "intent", "meant"),
    [
        ((), LEND, c.Lend),
        ((c.Borrow(2, ASSET, 10**9),), LEND, c.Repay),
        ((), BORROW, c.Borrow),
        ((c.Lend(2, ASSET, 10**9),), BORROW, c.Redeem),
        ((c.Borrow(2, ASSET, 10**9), c.Repay(2, ASSET, 10**9 + 1)), LEND, c.Lend),
        ((c.Lend(2, ASSET, 10**9), c.Redeem(2, ASSET, 10**9)), BORROW, c.Borrow),
    ],
)
def test_a_move_in_a_pool_is_what_the_account_can_do_then(
    before: Sequence[c.Command], intent: MoveInPool, meant: type[c.Command]
) -> None:
    """Lend repays and borrow redeems where there is something to, at the record's place."""
    market = filled()
    records = [says(each) for each in before]
    outcomes = market.carry_out([*records, wants(intent)])
    assert [type(each) for each in commands_of(outcomes)[-1]] == [meant]
    assert {outcome.answer.status for outcome in outcomes} == {200}


def test_an_order_is_cancelled_that_was_placed_in_the_same_turn() -> None:
    """By its client id and by its number; one that another request cancelled first is gone."""
    market = traded()
    (placed,) = market.carry_out([says(bid(1))])
    number = int(json.loads(placed.answer.body)["id"])
    names = CancelNamed(ASSET, number + 1), CancelNamed(ASSET, None, 2)
    outcomes = market.carry_out([says(bid(2)), *map(wants, names), wants(CancelNamed(ASSET, 99))])
    assert commands_of(outcomes) == [[bid(2)], [c.CancelOrder(2, number + 1)], [], []]
    assert [outcome.answer.status for outcome in outcomes] == [200, 200, 400, 400]
    assert [each.client_id for each in market.orders.of(2)] == [1]


@pytest.mark.parametrize("name", [CancelNamed(1, None, 1), CancelNamed(1, 1), CancelNamed(ASSET)])
def test_an_order_of_another_market_is_not_found(name: CancelNamed) -> None:
    market = traded()
    market.carry_out([says(bid(1))])
    (outcome,) = market.carry_out([wants(name)])
    assert (outcome.answer.status, code(outcome.answer)) == (400, ApiErrorCode.RESOURCE_NOT_FOUND)
    (other,) = market.carry_out([wants(CancelNamed(ASSET, None, 1), account=3)])
    assert other.answer.status == 400
    assert len(market.orders.of(2)) == 1


def test_dust_is_what_is_dust_then() -> None:
    """What came in or went out just before counts."""
    market = traded()
    market.carry_out([says(c.Deposit(TREASURY, 0, 10**9))])
    least = market.parameters.assets[ASSET].market
    assert least is not None
    small = least.min_quantity - 1
    deposit, more = c.Deposit(2, ASSET, small), c.Deposit(2, ASSET, 1)
    records = [wants(ConvertAllDust()), says(deposit), wants(ConvertAllDust())]
    outcomes = market.carry_out([*records, says(deposit, more), wants(ConvertAllDust())])
    dust = [c.ConvertDust(2, ASSET)]
    assert commands_of(outcomes) == [[], [deposit], dust, [deposit, more], []]
    assert [outcome.answer.status for outcome in outcomes] == [400, 200, 200, 200, 400]


def test_accounts_are_opened_one_after_another() -> None:
    """Two requests of one turn, and an account that is opened between them."""
    market = traded()
    other = bytes(SigningKey(b"o" * 32).verify_key)
    first, _, second = market.carry_out(
        [
            acts(OpenAccount(KEY, Role.USER)),
            says(c.OpenAccount(5)),
            acts(OpenAccount(other, Role.BLP)),
        ]
    )
    assert [json.loads(outcome.answer.body)["account"] for outcome in (first, second)] == [4, 6]
    assert market.queries.role(6) is c.Role.BACKSTOP_PROVIDER
    for key, role, account in ((KEY, Role.USER, 4), (other, Role.BLP, 6)):
        principal = market.keys.find(key)
        assert principal is not None
        assert (principal.role, principal.account) == (role, account)


def test_a_key_is_for_an_account_that_is_open_then() -> None:
    """Opened in the same turn, or not yet."""
    letting, opening = acts(AdmitKey(KEY, Role.USER, 4)), says(c.OpenAccount(4))
    market = traded()
    outcomes = market.carry_out([letting, opening, letting])
    assert [outcome.answer.status for outcome in outcomes] == [400, 200, 200]


def test_a_change_is_approved_and_made_in_one_turn_or_not_yet() -> None:
    market = traded()
    change = replace(acts(Carry(1), CLOCK), time=5_000)
    outcomes = market.carry_out(
        [
            acts(Approve(1), 2),
            acts(PROPOSE, 1),
            change,
            acts(Approve(1), 1),
            acts(Approve(1), 2),
            change,
            change,
        ]
    )
    assert [outcome.answer.status for outcome in outcomes] == [400, 200, 200, 400, 200, 200, 400]
    assert commands_of(outcomes)[2:] == [[], [], [], [CHANGE], []]


def test_an_intent_is_carried_out_once_and_an_error_is_kept() -> None:
    """The same digest in the same turn and later, also where it would mean something else."""
    market = filled()
    lend = signed(wants(LEND), b"l" * 16)
    gone = signed(wants(CancelNamed(ASSET, None, 1)), b"g" * 16)
    first = market.carry_out([lend, lend, gone, says(bid(1)), gone])
    assert [len(outcome.transcript) for outcome in first] == [1, 0, 0, 1, 0]
    assert [outcome.answer.status for outcome in first] == [200, 200, 400, 200, 400]
    again = market.carry_out([lend, gone])
    assert [outcome.answer for outcome in again] == [first[0].answer, first[2].answer]


def signed(record: Record, digest: bytes) -> Record:
    """The record, signed."""
    return Record(
        record.kind, record.time, record.account, b"", False, digest, 10**12, None, record.body
    )


# Whatever the turns and whatever the order.

MIXED: tuple[Record, ...] = (
    wants(LEND),
    wants(BORROW),
    wants(CancelNamed(ASSET, None, 7)),
    wants(ConvertAllDust()),
    says(bid(7)),
    says(c.CancelAllOrders(2)),
    says(c.PlaceOrder(3, ASSET, c.Side.ASK, price=90 * PRICE_SCALE, quantity=10**8)),
)


@proves("I35")
def test_every_order_of_two_and_three_requests_is_its_turns_apart() -> None:
    """In one turn, and each in a turn of its own: the same commands, answers and state."""
    meanings = set()
    for requests in permutations(MIXED, 3):
        market, apart = filled(), filled()
        outcomes = market.carry_out(requests)
        single = [apart.carry_out([record])[0] for record in requests]
        assert commands_of(outcomes) == commands_of(single)
        assert [each.answer for each in outcomes] == [each.answer for each in single]
        assert market.save() == apart.save()
        for record, did in zip(requests, commands_of(outcomes), strict=True):
            meanings.add((record.body, str(did)))
    meant = Counter(body for body, _ in meanings if body)
    assert sum(count > 1 for count in meant.values()) >= 3, meant


@proves("I35")
@pytest.mark.parametrize("seed", [3, 8])
def test_turns_of_many_intents_change_nothing(seed: int) -> None:
    rng = Random(seed)
    records = [rng.choice(MIXED) for _ in range(400)]
    one_by_one, market, place = filled(), filled(), 0
    first = [one_by_one.carry_out([record])[0].answer for record in records]
    second = []
    while place < len(records):
        turn = records[place : place + rng.randint(1, 40)]
        second += [outcome.answer for outcome in market.carry_out(turn)]
        place += len(turn)
    assert first == second
    assert one_by_one.save() == market.save()


# Through the API.


def held(house: House, story: Callable[[], Awaitable[Any]]) -> Awaitable[Any]:
    """What a story leads to that begins while the market stands still."""

    async def run() -> Any:
        async with house.node.reading():
            running = asyncio.ensure_future(story())
            for _ in range(50):
                await asyncio.sleep(0)
        return await running

    return run()


@proves("I35", "I36")
def test_two_requests_at_once_mean_what_they_mean_one_after_the_other(tmp_path: Path) -> None:
    """A lend and a borrow of the same tokens; both were taken in before either happened."""

    async def story(house: House) -> None:
        ann = house.ann

        async def move(side: str, quantity: str) -> httpx.Response:
            fields = {"symbol": "USDC", "side": side, "quantity": quantity}
            return await ann.send("POST", "/api/v1/borrowLend", "borrowLendExecute", **fields)

        async def both() -> tuple[httpx.Response, httpx.Response]:
            return await asyncio.gather(move("Lend", "500"), move("Borrow", "200"))

        replies = await held(house, both)
        assert [reply.status_code for reply in replies] == [200, 200]
        account = house.accounts[ann.public]
        balance = house.node.market.queries.balances(account)[0]
        assert (balance.lent, balance.debt) == (300 * 10**6, 0)
        journal = house.node.sequencer.journal
        kinds = [decode_record(data).kind for _, data in journal.records(journal.sequence - 2)]
        assert kinds == [RecordKind.INTENT, RecordKind.INTENT]

    with_house(tmp_path / "market", story)


@proves("I36")
def test_an_order_and_its_cancellation_at_once(tmp_path: Path) -> None:
    """The order that the second one names is not there yet when it is taken in."""

    async def story(house: House) -> None:
        async def cancel() -> httpx.Response:
            fields = {"symbol": "SOL_USDC", "clientId": 4}
            return await house.ann.send("DELETE", "/api/v1/order", "orderCancel", **fields)

        async def both() -> tuple[tuple[int, bytes], httpx.Response]:
            return await asyncio.gather(order(house.ann, clientId=4).send(house.http), cancel())

        placed, cancelled = await held(house, both)
        assert (placed[0], cancelled.status_code) == (200, 200)
        assert cancelled.json()["id"] == json.loads(placed[1])["id"]
        assert not house.node.market.orders.all()

    with_house(tmp_path / "market", story)
