"""Messages: what simulated markets tell on every stream is what the OpenAPI document says of it."""

from typing import get_args

import pytest

from solvent.service.api.objects.streams import Payload, StreamMessage
from solvent.service.streams.subscriptions import Topic, is_private
from tests.service.api.published import SCHEMAS_AT, Json, problems
from tests.service.streams.stage import Listener, Message, Stage

COMMANDS = 500
ACCOUNTS = range(40)
SEEDS = (22, 23, 48, 58)
OF_SEEDS: dict[int, list[Json]] = {}


def heard(seed: int) -> list[Json]:
    """Every message of every stream of a market, a flush after each command."""
    if seed not in OF_SEEDS:
        stage = Stage(seed)
        listener = Listener(stage.publisher)
        own = {name for name in stage.publisher.streams if is_private(name)}
        topics = [Topic(name) for name in stage.publisher.streams - own]
        topics += [Topic(name, account) for name in own for account in ACCOUNTS]
        listener.join(*topics)
        found: list[Message] = []
        for _ in stage.play(COMMANDS):
            stage.clock.seconds += 1
            stage.publisher.flush()
            found += listener.heard()
        OF_SEEDS[seed] = [each._asdict() for each in found]
    return OF_SEEDS[seed]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_message_is_what_the_document_says(seed: int) -> None:
    """With no field that it leaves out."""
    messages = heard(seed)
    assert len(messages) > COMMANDS // 2
    shape = {"type": "array", "items": {"$ref": SCHEMAS_AT + StreamMessage.__name__}}
    assert list(problems(messages, shape)) == []


def test_messages_of_every_kind_are_told() -> None:
    told = {message["data"]["e"] for seed in SEEDS for message in heard(seed)}
    assert told == {str(kind.__struct_config__.tag) for kind in get_args(Payload)}
