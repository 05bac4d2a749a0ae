"""What waits for a consumer: order, replacement, the bound, and who hears a topic."""

import asyncio

from solvent.service.api.objects.streams import OpenInterestMessage
from solvent.service.streams.subscriptions import (
    CloseCode,
    Consumer,
    Cut,
    Subscriptions,
    Topic,
    stream_names,
)
from tests.tables.market import plain_parameters


def taken(consumer: Consumer) -> list[str]:
    return asyncio.run(consumer.take())


def test_messages_keep_their_order_and_the_latest_value_replaces_one_that_waits() -> None:
    consumer = Consumer(10, 1000)
    for text, key in (("1", None), ("old", "top"), ("2", None), ("new", "top"), ("3", None)):
        consumer.offer(text, key)
    assert taken(consumer) == ["1", "new", "2", "3"]
    consumer.offer("newer", "top")
    assert taken(consumer) == ["newer"]


def test_a_full_store_is_cut_off_and_dropped() -> None:
    consumer = Consumer(3, 1000)
    for _ in range(3):
        consumer.offer("x")
    assert not consumer.has_ended()
    consumer.offer("x")
    assert consumer.cut_off == Cut(CloseCode.POLICY, "too slow: 4 messages waited to be read")
    consumer.offer("x")
    assert taken(consumer) == []


def test_the_size_of_what_waits_is_bounded_too() -> None:
    consumer = Consumer(100, 10)
    for _ in range(5):
        consumer.offer("x" * 10, "key")
    assert not consumer.has_ended()
    assert taken(consumer) == ["x" * 10]
    consumer.offer("x" * 10)
    consumer.offer("x")
    assert consumer.has_ended()


def test_the_first_reason_stays() -> None:
    consumer = Consumer(1, 1)
    consumer.cut(CloseCode.GOING_AWAY, "first")
    consumer.cut(CloseCode.POLICY, "second")
    assert consumer.cut_off == Cut(CloseCode.GOING_AWAY, "first")


def test_a_payload_is_made_only_for_somebody() -> None:
    subscriptions, consumer, other = Subscriptions(), Consumer(9, 999), Consumer(9, 999)
    public, own = Topic("trade.SOL_USDC"), Topic("account.orderUpdate", 2)
    made: list[str] = []

    def payload() -> OpenInterestMessage:
        made.append("made")
        return OpenInterestMessage(told=1, symbol="SOL_USDC", open_interest="0")

    subscriptions.tell(public, payload)
    assert made == []
    subscriptions.join(consumer, [public, own])
    subscriptions.join(consumer, [public])
    subscriptions.join(other, [public])
    subscriptions.tell(public, payload)
    subscriptions.tell(Topic("account.orderUpdate", 3), payload)
    assert made == ["made"]
    data = '"data":{"e":"openInterest","E":1,"s":"SOL_USDC","o":"0"}}'
    expected = ['{"stream":"trade.SOL_USDC",' + data]
    assert taken(consumer) == taken(other) == expected
    subscriptions.leave(consumer, [public, Topic("never")])
    subscriptions.tell(public, payload)
    subscriptions.tell(own, payload)
    assert taken(consumer) == ['{"stream":"account.orderUpdate",' + data]
    subscriptions.leave(other, [public])
    assert not subscriptions.has(public)
    assert subscriptions.has(own)


def test_streams_are_named_as_published() -> None:
    names = stream_names(plain_parameters())
    assert {"depth.200ms.BTC_USDC", "kline.1month.SOL_USDC", "liquidation"} <= names
    assert {"account.orderUpdate", "account.orderUpdate.SOL_USDC"} <= names
    assert not names & {
        "depth.USDC_USDC",
        "kline.SOL_USDC",
        "trade",
        "account.balanceUpdate.SOL",
    }
