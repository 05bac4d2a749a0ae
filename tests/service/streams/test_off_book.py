"""Fills off the book: what streams tell is what the histories have, in markets that there are."""

from collections import Counter
from typing import NamedTuple

import pytest

from solvent.domain.codec.transcript import Transcript
from solvent.history.market_views import Views
from solvent.history.tables.rows import FillKind, Paging
from solvent.service.api.shapes import (
    market_symbol,
    price_text,
    quantity_text,
    side_text,
    value_text,
)
from solvent.service.streams.subscriptions import LIQUIDATIONS, ORDERS, Topic
from tests.service.streams.stage import Listener, Message, Stage

SEEDS = (*range(1, 11), 21, 22, 27)
COMMANDS = 700
ACCOUNTS = range(40)
KINDS = {FillKind.BACKSTOP: "BACKSTOP_LIQUIDITY_PROVIDER", FillKind.ADL: "ADL_AUTOCLOSE"}
ALL = Paging(limit=10**6, ascending=True)


class Story(NamedTuple):
    """A stage that was played: its views, and what its people heard of fills off the book."""

    stage: Stage
    views: Views
    orders: dict[int, list[Message]]
    liquidations: list[Message]


def played(seed: int) -> Story:
    """A market, heard and remembered."""
    stage = Stage(seed)
    views = Views.open(":memory:", stage.parameters)
    listeners = {account: Listener(stage.publisher) for account in ACCOUNTS}
    for account, listener in listeners.items():
        listener.join(Topic(ORDERS, account))
    public = Listener(stage.publisher)
    public.join(Topic(LIQUIDATIONS))
    for number, (command, events) in enumerate(stage.play(COMMANDS)):
        views.apply(stage.engine.now, Transcript.of(number, [(command, events)]))
    views.commit()
    orders = {
        account: [each for each in listener.heard() if each.data["O"] in KINDS.values()]
        for account, listener in listeners.items()
    }
    return Story(stage, views, orders, public.heard())


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_streams_and_histories_say_the_same(seed: int) -> None:
    """To every party, fill by fill; a provider's name of it is the account's."""
    story = played(seed)
    parameters = story.stage.parameters
    for account in ACCOUNTS:
        rows = story.views.fills(account, kinds=tuple(KINDS), paging=ALL).rows
        assert [
            (
                KINDS[row.kind],
                market_symbol(parameters, row.asset),
                side_text(row.side),
                price_text(row.price),
                quantity_text(parameters, row.asset, row.quantity),
                value_text(row.quote),
                row.is_maker,
            )
            for row in rows
        ] == [
            (*(message.text(key) for key in "OsSLqZ"), message.data["m"])
            for message in story.orders[account]
        ]
    story.views.close()


@pytest.mark.slow
def test_every_message_names_a_market_that_there_is() -> None:
    """And a fill has one name, which nobody but its two parties hears."""
    origins: Counter[str] = Counter()
    for seed in SEEDS:
        story = played(seed)
        story.views.close()
        markets = set(story.stage.symbols)
        heard = [each for messages in story.orders.values() for each in messages]
        assert {each.text("s") for each in [*heard, *story.liquidations]} <= markets
        names = Counter(each.text("i") for each in heard)
        assert set(names.values()) <= {1, 2}
        sides = Counter((each.text("i"), each.text("S")) for each in heard)
        assert set(sides.values()) <= {1}
        origins.update(each.text("O") for each in heard)
    assert set(origins) == set(KINDS.values())
