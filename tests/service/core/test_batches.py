"""Batches: what a turn's commands lead to is what each leads to by itself, whatever they are."""

import json
from collections.abc import Sequence
from itertools import groupby
from random import Random

import pytest

from solvent.domain import commands as c
from solvent.domain import events as e
from solvent.domain.codec.transcript import Transcript
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import PRICE_SCALE
from solvent.engine.engine import FastEngine
from solvent.history.market_views import Views
from solvent.history.tables.memo import Memo
from solvent.kernels.rows import EngineFault
from solvent.service.authority.model import Terms
from solvent.service.core.history_writer import apply_to_views
from solvent.service.core.market import Market, Outcome, encode_head
from solvent.service.core.records import Record, commands_record
from solvent.service.streams.publisher import Publisher
from solvent.service.streams.subscriptions import BALANCES, LIQUIDATIONS, ORDERS, Topic
from tests.history.market_records import Told, simulated, views_of
from tests.proof import proves
from tests.service.streams.stage import Clock, Listener
from tests.tables.market import plain_parameters

HEAD = encode_head(plain_parameters(), Terms(2, 100))
SEEDS = (5, 9, 38)
BEGINNING: list[c.Command] = [
    *(
        c.UpdatePrice(asset, source, 100 * PRICE_SCALE, 100 * PRICE_SCALE, 100 * PRICE_SCALE)
        for asset in (1, 2)
        for source in range(len(plain_parameters().assets[asset].price.source_weights))
    ),
    c.TimeStep(1_000_000),
    c.OpenAccount(2),
    c.OpenAccount(3),
    c.Deposit(2, 0, 10**12),
    c.Deposit(3, 2, 10**12),
]
BID = c.PlaceOrder(2, 2, c.Side.BID, price=90 * PRICE_SCALE, quantity=10**9, client_id=7)
MIXED: list[c.Command] = [
    c.Lend(2, 0, 10**9),
    c.Lend(2, 0, 10**15),
    BID,
    c.ChangeParameter(0, c.ParameterField.PRICE_MAX_AGE, 77_000_000),
    c.Lend(3, 2, 10**9),
    c.Lend(9, 0, 1),
    BID,
    c.PlaceOrder(3, 2, c.Side.ASK, price=90 * PRICE_SCALE, quantity=10**8),
    c.Borrow(2, 2, 10**8),
    c.ChangeParameter(0, c.ParameterField.MAX_DISCOUNT, -1),
    c.CancelAllOrders(2),
    c.Repay(2, 2, 10**8),
    c.Withdraw(2, 0, 10**6),
    c.Redeem(2, 0, 10**9),
]


def market() -> Market:
    """A market with prices and two accounts that have something."""
    made = Market(HEAD, FastEngine)
    made.carry_out([commands_record(1_000_000, BEGINNING)])
    return made


def batch(commands: Sequence[c.Command], digest: bytes = b"") -> Record:
    """A batch of one account."""
    return commands_record(
        1_000_000, list(commands), account=2, is_batch=True, digest=digest, expires=10**12
    )


def items(outcome: Outcome) -> list[str]:
    """How the commands of a batch went."""
    return [each["operation"] for each in json.loads(outcome.answer.body)]


def without_repeated(commands: list[c.Command]) -> list[c.Command]:
    """Without an order whose client id was used."""
    place = len(commands) - commands[::-1].index(BID) - 1
    return commands[:place] + commands[place + 1 :]


@proves("I35")
def test_a_mixed_batch_is_its_commands_one_by_one() -> None:
    """Refusals, a repeated client id and a parameter that changes in the middle among them."""
    found = market()
    (outcome,) = found.carry_out([batch(MIXED)])
    left = without_repeated(MIXED)
    engine = FastEngine(plain_parameters())
    engine.apply(BEGINNING)
    entries = [(entry.command, entry.events) for entry in outcome.transcript]
    assert entries == [(command, engine.apply_one(command)) for command in left]
    assert found.engine.state_hash() == engine.state_hash()
    assert found.commands == len(BEGINNING) + len(left)
    refused = [place for place, operation in enumerate(items(outcome)) if operation == "Err"]
    assert refused == [1, 5, 6, 9]
    assert outcome.answer.body == b"[%s]" % b",".join(
        json.dumps(item, separators=(",", ":")).encode() for item in json.loads(outcome.answer.body)
    )
    assert found.parameters.assets[0].price.max_age == 77_000_000


def test_batches_of_one_turn_are_told_apart() -> None:
    """Also those without commands, and one that comes again in the same turn."""
    found = market()
    quiet = [c.Lend(2, 0, 10**6)] * 3
    records = [batch(quiet), batch([]), batch(MIXED, b"1" * 16), batch([]), batch(quiet)]
    outcomes = found.carry_out([*records, batch(MIXED, b"1" * 16)])
    counts = [len(outcome.transcript) for outcome in outcomes]
    assert counts == [3, 0, len(MIXED) - 1, 0, 3, 0]
    numbers = [entry.number for outcome in outcomes for entry in outcome.transcript]
    assert numbers == list(range(len(BEGINNING), found.commands))
    assert (
        outcomes[0].answer.body
        == outcomes[4].answer.body
        == b"[%s]" % b",".join([b'{"operation":"Ok"}'] * 3)
    )
    assert outcomes[1].answer.body == b"[]"
    assert outcomes[5].answer == outcomes[2].answer
    assert all(isinstance(entry.events[0], e.Lent) for entry in outcomes[4].transcript)


def test_a_batch_of_refusals_does_nothing() -> None:
    found = market()
    before = found.engine.state_hash()
    (outcome,) = found.carry_out([batch([c.Lend(9, 0, 1), c.Lend(2, 0, 10**15)])])
    assert items(outcome) == ["Err", "Err"]
    assert found.engine.state_hash() == before


def test_a_fault_in_the_middle_of_a_turn_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    """No outcome is told, also not of the batch before, and nothing is carried out any more."""
    found = market()
    real = FastEngine._change_parameter

    def fail(engine: FastEngine, row: object) -> None:
        engine._fault = EngineFault("planted")
        real(engine, row)  # type: ignore[arg-type]

    monkeypatch.setattr(FastEngine, "_change_parameter", fail)
    with pytest.raises(EngineFault, match="planted"):
        found.carry_out([batch([c.Lend(2, 0, 10**6)]), batch(MIXED)])
    with pytest.raises(EngineFault, match="planted"):
        found.carry_out([batch([c.Lend(2, 0, 10**6)])])
    assert found.commands == len(BEGINNING)


# Listeners.


def grouped(told: Told, seed: int) -> list[tuple[int, Transcript, Memo | None]]:
    """The same commands, several of one moment together."""
    rng, found, number = Random(seed), [], 0
    for (time, memo), group in groupby(told.records, lambda record: (record[0], record[2])):
        entries = [entry for _, transcript, _ in group for entry in transcript]
        while entries:
            count = rng.choice((1, 2, 7, 100))
            some = [(command, events) for _, command, events in entries[:count]]
            found.append((time, Transcript.of(number, some), memo))
            number += len(some)
            entries = entries[count:]
    return found


@proves("I35")
@pytest.mark.parametrize("seed", SEEDS)
def test_views_of_batches_are_those_of_their_commands(seed: int) -> None:
    told = simulated(seed)
    records = grouped(told, seed)
    assert max(len(transcript) for _, transcript, _ in records) > 3
    views = Views.open(":memory:", told.parameters)
    for record in records:
        views.apply(*record)
    views.commit()
    assert views.dump() == views_of(seed).dump()


def test_views_that_are_behind_take_the_rest_of_a_batch() -> None:
    found = market()
    outcomes = Market(HEAD, FastEngine).carry_out([commands_record(1_000_000, BEGINNING)])
    outcomes += found.carry_out([batch(MIXED)])
    whole, behind = (Views.open(":memory:", plain_parameters()) for _ in range(2))
    apply_to_views(whole, outcomes)
    for outcome in outcomes:
        for number, command, events in outcome.transcript[:9]:
            behind.apply(1_000_000, Transcript.of(number, [(command, events)]))
        apply_to_views(behind, [outcome])
        apply_to_views(behind, [outcome])
    for views in (whole, behind):
        views.commit()
    assert behind.dump() == whole.dump()


def topics(parameters: EngineParameters) -> list[Topic]:
    """What everybody may hear, and what some accounts may."""
    streams = sorted(Publisher(parameters).streams)
    public = [Topic(stream) for stream in streams if not stream.startswith("account.")]
    return [
        *public,
        Topic(LIQUIDATIONS),
        *(Topic(name, account) for name in (BALANCES, ORDERS) for account in range(12)),
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_streams_of_batches_are_those_of_their_commands(seed: int) -> None:
    told = simulated(seed)
    engine = FastEngine(told.parameters)
    publishers = [Publisher(told.parameters, Clock()) for _ in range(2)]
    listeners = [Listener(publisher) for publisher in publishers]
    for publisher, listener in zip(publishers, listeners, strict=True):
        publisher.restore(engine.queries)
        listener.join(*topics(told.parameters))
    heard = 0
    for time, transcript, _ in grouped(told, seed):
        engine.apply([entry.command for entry in transcript])
        publishers[0].publish(time, transcript, engine.queries)
        for number, command, events in transcript:
            one = Transcript.of(number, [(command, events)])
            publishers[1].publish(time, one, engine.queries)
        for publisher in publishers:
            publisher.flush()
        messages = [listener.heard() for listener in listeners]
        assert messages[0] == messages[1]
        heard += len(messages[0])
    assert heard
