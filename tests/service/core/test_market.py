"""The market: it follows from its records, whatever the batches, the stops and the repetitions."""

from dataclasses import replace
from random import Random

import msgspec
import pytest

from solvent.domain import commands as c
from solvent.domain import events as e
from solvent.domain.units import PRICE_SCALE
from solvent.engine.engine import FastEngine
from solvent.service.authority.acts import (
    Approve,
    Carry,
    OpenAccount,
    encode_act,
)
from solvent.service.authority.model import CLOCK, HOUSE, Terms
from solvent.service.core.idempotency import Answer
from solvent.service.core.keys import Role
from solvent.service.core.market import FirstKey, Market, MarketError, encode_head
from solvent.service.core.records import Record, RecordKind, commands_record
from tests.proof import proves
from tests.service.api.signed_requests import KEY
from tests.service.played import CHANGE, NOW_MS, PROPOSE, STAFF, played
from tests.tables.market import plain_parameters

SEEDS = (4, 10, 25)
_ENDS_WAITING = e.Triggered | e.TriggerFailed | e.OrderCancelled | e.OrderExpired
HEAD = encode_head(plain_parameters(), Terms(2, 100), STAFF)


@pytest.mark.parametrize("seed", SEEDS)
def test_batches_change_nothing(seed: int) -> None:
    """Neither the state nor an answer."""
    game = played(seed)
    one_by_one = Market(game.head, FastEngine)
    first = [one_by_one.carry_out([record])[0].answer for record in game.records]
    market, rng, place, second = Market(game.head, FastEngine), Random(seed), 0, []
    while place < len(game.records):
        batch = game.records[place : place + rng.randint(1, 60)]
        second += [outcome.answer for outcome in market.carry_out(batch)]
        place += len(batch)
    assert first == second
    assert market.save() == one_by_one.save()
    assert market.engine.state_hash() == one_by_one.engine.state_hash()


@proves("I35")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_engine_is_told_every_command_once(seed: int) -> None:
    game = played(seed)
    engine = FastEngine(game.parameters)
    engine.apply(game.commands)
    market = game.market()
    assert market.engine.state_hash() == engine.state_hash()
    assert market.commands == len(game.commands)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_saved_market_goes_on_as_if_it_had_not_stopped(seed: int) -> None:
    """Engine, open orders, answers, keys and proposals."""
    game = played(seed)
    whole = game.market()
    for records in (0, 1, len(game.records) // 2, len(game.records)):
        begun = game.market(records)
        market = Market(game.head, FastEngine, begun.save())
        assert market.save() == begun.save()
        assert market.orders.all() == begun.orders.all()
        assert market.desk.rows() == begun.desk.rows()
        market.carry_out(game.records[records:])
        assert market.save() == whole.save()
        assert market.engine.state_hash() == whole.engine.state_hash()


@pytest.mark.parametrize("seed", SEEDS)
def test_open_orders_are_the_engines(seed: int) -> None:
    """What clients are told rests is what rests, with what was filled of it; and what waits."""
    game = played(seed)
    market = Market(game.head, FastEngine)
    rested, waited, waiting = 0, 0, set()
    for record in game.records:
        (outcome,) = market.carry_out([record])
        for _, _, events in outcome.transcript:
            for event in events:
                if isinstance(event, e.TriggerPlaced):
                    waiting.add(event.order)
                elif isinstance(event, _ENDS_WAITING):
                    waiting.discard(event.order)
        waited += len(waiting)
        shown_waiting = {order.order for order in market.orders.all() if order.waits}
        assert shown_waiting == waiting
        for account in range(market.queries.accounts()):
            engines = {order.order: order for order in market.queries.orders_of(account)}
            shown = {order.order: order for order in market.orders.of(account) if order.rests}
            assert shown.keys() == engines.keys()
            rested += len(shown)
            for number, order in shown.items():
                reading = engines[number]
                assert order.quantity - order.executed == reading.quantity
                assert (order.account, order.asset, order.price, order.client_id) == (
                    reading.account,
                    reading.asset,
                    reading.price,
                    reading.client_id,
                )
    assert rested
    assert waited or seed != SEEDS[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_record_happens_twice(seed: int) -> None:
    """Every signed request again, right after itself and at the end: the same answers."""
    game = played(seed)
    market, whole = Market(game.head, FastEngine), game.market()
    signed = [record for record in game.records if record.digest]
    first = {}
    for record in game.records:
        outcomes = market.carry_out([record, record] if record.digest else [record])
        assert {outcome.answer for outcome in outcomes} == {outcomes[0].answer}
        assert not outcomes[-1].transcript or len(outcomes) == 1
        first[record.digest] = outcomes[0].answer
    again = market.carry_out(signed)
    assert [outcome.answer for outcome in again] == [first[record.digest] for record in signed]
    assert market.save() == whole.save()
    assert market.engine.state_hash() == whole.engine.state_hash()


def test_a_check_that_does_not_hold_stops_the_market() -> None:
    market = Market(HEAD, FastEngine)
    state = market.engine.state_hash()
    market.carry_out([Record(RecordKind.CHECK, 0, body=state.encode())])
    with pytest.raises(MarketError, match=state):
        market.carry_out([Record(RecordKind.CHECK, 0, body=b"0" * 64)])


def test_a_check_is_of_the_state_before_it() -> None:
    """Also amid a batch."""
    game = played(4)
    market, half = Market(game.head, FastEngine), len(game.records) // 2
    state = game.market(half).engine.state_hash()
    check = Record(RecordKind.CHECK, 0, body=state.encode())
    market.carry_out([*game.records[:half], check, *game.records[half:]])
    assert market.save() == game.market().save()


@pytest.mark.parametrize("saved", [b"", b"\x90", b"nonsense"])
def test_what_is_no_snapshot_is_refused(saved: bytes) -> None:
    with pytest.raises(MarketError, match="snapshot cannot be read"):
        Market(HEAD, FastEngine, saved)


def test_what_is_no_head_is_refused() -> None:
    with pytest.raises(MarketError, match="head cannot be read"):
        Market(b"\x01", FastEngine)


# Client ids.


def traded() -> Market:
    """A market with prices and two accounts that have something."""
    market = Market(HEAD, FastEngine)
    commands: list[c.Command] = [
        c.UpdatePrice(asset, source, 100 * PRICE_SCALE, 100 * PRICE_SCALE, 100 * PRICE_SCALE)
        for asset in (1, 2)
        for source in range(len(market.parameters.assets[asset].price.source_weights))
    ]
    commands += [c.TimeStep(1_000_000), c.OpenAccount(2), c.OpenAccount(3)]
    commands += [c.Deposit(account, 0, 10**12) for account in (2, 3)]
    market.carry_out([commands_record(0, commands, is_batch=True)])
    return market


def bid(client_id: int, account: int = 2, quantity: int = 10**9) -> c.PlaceOrder:
    """An order that rests."""
    return c.PlaceOrder(
        account,
        2,
        c.Side.BID,
        price=90 * PRICE_SCALE,
        quantity=quantity,
        client_id=client_id,
    )


def code(answer: Answer) -> str:
    """The error code of an answer."""
    return str(msgspec.json.decode(answer.body)["code"])


def test_a_client_id_is_used_once() -> None:
    """By another request, right behind the first or later: the first answer, one order."""
    market = traded()
    order = commands_record(5, [bid(7)], account=2)
    outcomes = market.carry_out([order, order, order])
    later = market.carry_out([commands_record(6, [bid(7)], account=2)])
    assert {outcome.answer for outcome in [*outcomes, *later]} == {outcomes[0].answer}
    assert outcomes[0].answer.status == 200
    assert len(market.orders.of(2)) == 1
    other = market.carry_out([commands_record(6, [bid(7, account=3)], account=3)])
    assert other[0].answer.status == 200


def test_a_client_id_of_another_order_is_refused() -> None:
    market = traded()
    outcomes = market.carry_out(
        [commands_record(5, [bid(7)]), commands_record(5, [bid(7, quantity=2 * 10**9)])]
    )
    assert [outcome.answer.status for outcome in outcomes] == [200, 400]
    assert code(outcomes[1].answer) == "INVALID_ORDER"
    assert len(market.orders.of(2)) == 1


def test_client_ids_of_a_batch_are_used_once() -> None:
    """An item whose id was used gets the first answer or an error; the others are carried out."""
    market = traded()
    market.carry_out([commands_record(5_000, [bid(1)])])
    batch = [bid(1), bid(2), replace(bid(1), quantity=2 * 10**9), bid(3), bid(3)]
    (outcome,) = market.carry_out([commands_record(6_000, list(batch), is_batch=True)])
    items = msgspec.json.decode(outcome.answer.body)
    assert [item["operation"] for item in items] == ["Ok", "Ok", "Err", "Ok", "Err"]
    assert [item.get("clientId") for item in items] == [1, 2, None, 3, None]
    assert [order.client_id for order in market.orders.of(2)] == [1, 2, 3]
    assert items[0]["createdAt"] != items[1]["createdAt"]
    (again,) = market.carry_out([commands_record(9_000, [bid(3)])])
    assert msgspec.json.decode(again.answer.body)["createdAt"] == items[3]["createdAt"]


def test_a_refused_order_leaves_its_client_id_free() -> None:
    """Alone and in a batch."""
    market = traded()
    for is_batch in (False, True):
        refused = bid(7, quantity=10**18)
        outcome = market.carry_out([commands_record(5, [refused], is_batch=is_batch)])[0]
        assert b"code" in outcome.answer.body
    assert market.carry_out([commands_record(5, [bid(7)])])[0].answer.status == 200


# Keys and parameters.


def test_an_account_comes_with_its_key_and_once() -> None:
    market = traded()
    key = bytes(KEY.verify_key)
    opening = Record(
        RecordKind.ACT,
        5,
        digest=b"o" * 16,
        expires=NOW_MS,
        body=encode_act(OpenAccount(key, Role.USER)),
        actor=HOUSE,
    )
    first, second = market.carry_out([opening, opening])
    assert first.answer == second.answer == Answer(200, b'{"account":4}')
    principal = market.keys.find(key)
    assert principal is not None
    assert principal.account == 4
    assert market.queries.accounts() == 5


def test_keys_of_the_head_act_from_the_beginning() -> None:
    key = bytes(KEY.verify_key)
    head = encode_head(plain_parameters(), Terms(1, 0), [FirstKey(key, Role.OPERATOR)])
    market = Market(head, FastEngine)
    for each in (market, Market(head, FastEngine, market.save())):
        principal = each.keys.find(key)
        assert principal is not None
        assert principal.role is Role.OPERATOR


def test_a_change_is_made_once_and_only_when_two_stand_behind_it() -> None:
    market = Market(HEAD, FastEngine)
    carry = Record(RecordKind.ACT, 200, body=encode_act(Carry(1)), actor=CLOCK)

    def approve(time: int, actor: int) -> Record:
        return Record(RecordKind.ACT, time, body=encode_act(Approve(1)), actor=actor)

    market.carry_out([Record(RecordKind.ACT, 10, body=encode_act(PROPOSE), actor=1), carry])
    assert market.commands == 0
    refused = market.carry_out([approve(20, 1), approve(20, 1), carry])
    assert [outcome.answer.status for outcome in refused] == [400, 400, 200]
    assert market.commands == 0
    assert not list(market.desk.due(110, market))
    market.carry_out([approve(30, 2)])
    assert not list(market.desk.due(109, market))
    assert list(market.desk.due(110, market)) == [1]
    market.carry_out([carry, carry])
    assert market.commands == 1
    assert market.parameters.assets[0].price.max_age == CHANGE.value
    assert not market.desk.waiting
