"""Streams of simulated markets tell what the engine did: books, orders, balances, liquidations."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Side
from solvent.domain.labels import AdlCase, SystemOrder
from solvent.domain.parameters import USDC, EngineParameters
from solvent.history.followers.candles import INTERVALS
from solvent.history.market_views import Views
from solvent.service.api.shapes import market_symbol, price_text, quantity_text
from solvent.service.streams.publisher import Publisher
from solvent.service.streams.subscriptions import PACES, Topic
from solvent.service.strict_json import encode
from tests.service.streams.stage import Levels, Listener, Message, Stage

SEEDS = range(1, 7)
COMMANDS = 700
ACCOUNTS = range(40)
PEOPLE = range(2, 40)


class BookClient:
    """Keeps a book from a snapshot and from depth messages, as published: U = previous u + 1."""

    def __init__(self, snapshot: Message) -> None:
        self.last = int(snapshot.text("lastUpdateId"))
        self.bids = snapshot.levels("bids")
        self.asks = snapshot.levels("asks")

    def hear(self, message: Message) -> None:
        """One message of depth."""
        first, last = message.number("U"), message.number("u")
        assert first == self.last + 1, "a message is missing"
        assert last >= first
        self.last = last
        _set(self.bids, message.levels("b"))
        _set(self.asks, message.levels("a"))


def _set(side: Levels, levels: Levels) -> None:
    for price, quantity in levels.items():
        if quantity == "0":
            side.pop(price, None)
        else:
            side[price] = quantity


def snapshot(publisher: Publisher, asset: int) -> Message:
    return Message("depth", json.loads(encode(publisher.depth(asset, 10**6))))


@pytest.mark.parametrize("seed", SEEDS)
def test_books_are_the_engines_after_every_command(seed: int) -> None:
    stage = Stage(seed)
    seen = 0
    for _ in stage.play(COMMANDS):
        for asset in stage.symbols.values():
            bids, asks = stage.levels(asset)
            shown = snapshot(stage.publisher, asset)
            assert list(reversed(shown.levels("bids").items())) == list(bids.items())
            assert list(shown.levels("asks").items()) == list(asks.items())
            seen = max(seen, len(bids) + len(asks))
    assert seen


@pytest.mark.parametrize("seed", SEEDS)
def test_depth_messages_keep_a_clients_book(seed: int) -> None:
    stage = Stage(seed)
    listener = Listener(stage.publisher)
    listener.join(*(Topic(f"{kind}.{symbol}") for kind in PACES for symbol in stage.symbols))
    clients = {
        f"{kind}.{symbol}": BookClient(snapshot(stage.publisher, asset))
        for kind in PACES
        for symbol, asset in stage.symbols.items()
    }
    told: Counter[str] = Counter()
    for _ in stage.play(COMMANDS):
        if stage.rng.random() < 0.3:
            stage.clock.seconds += stage.rng.random()
            stage.publisher.flush()
            heard = listener.heard()
            for message in heard:
                clients[message.stream].hear(message)
                told[message.stream.rpartition(".")[0]] += 1
            for symbol, asset in stage.symbols.items():
                client = clients[f"depth.{symbol}"]
                assert (client.bids, client.asks) == stage.levels(asset)
    stage.clock.seconds += 2
    stage.publisher.flush()
    for message in listener.heard():
        clients[message.stream].hear(message)
    for name, client in clients.items():
        assert (client.bids, client.asks) == stage.levels(stage.symbols[name.rpartition(".")[2]])
    assert told["depth"] >= told["depth.1000ms"] > 0
    assert not stage.publisher.has_news


@pytest.mark.parametrize("seed", SEEDS)
def test_order_updates_say_which_orders_rest(seed: int) -> None:
    stage = Stage(seed)
    listener = Listener(stage.publisher)
    listener.join(*(Topic("account.orderUpdate", account) for account in ACCOUNTS))
    kinds: Counter[str] = Counter()
    open_orders: dict[str, Message] = {}
    for _ in stage.play(COMMANDS):
        for message in listener.heard():
            number, kind, state = message.text("i"), message.text("e"), message.text("X")
            kinds[kind] += 1
            if number.startswith(("adl-", "backstop-")):
                assert (kind, state) == ("orderFill", "Filled")
                continue
            waited = number in open_orders and open_orders[number].text("X") == "TriggerPending"
            begins = kind in ("orderAccepted", "triggerPlaced")
            assert begins == (number not in open_orders or (waited and kind == "orderAccepted"))
            assert waited or kind != "triggerFailed"
            if kind != "orderFill":
                assert state == _state_without_a_trade(message)
            assert ("R" in message.data) == (kind in ("orderExpired", "triggerFailed"))
            open_orders[number] = message
            if state not in ("New", "PartiallyFilled", "TriggerPending"):
                del open_orders[number]
        resting, waiting = stage.reference.state.orders, stage.reference.state.triggers
        assert set(open_orders) == {str(number) for number in (*resting, *waiting)}
        for trigger in waiting.values():
            shown = open_orders[str(trigger.order)]
            assert shown.text("X") == "TriggerPending"
            assert shown.text("P") == price_text(trigger.trigger_price)
        for order in resting.values():
            shown = open_orders[str(order.order)]
            assert shown.text("S") == ("Bid", "Ask")[order.side]
    assert {"orderAccepted", "orderCancelled"} <= set(kinds)


def _state_without_a_trade(message: Message) -> str:
    """The state that a message of no trade tells; one by quote that traded all it could is filled.

    What such an order leaves is too little for another lot, and says so by how it expires.
    """
    by_quote = "Q" in message.data and message.text("z") != "0"
    if by_quote and message.data.get("R") == "ImmediateOrCancel":
        return "Filled"
    return {
        "orderAccepted": "New",
        "orderCancelled": "Cancelled",
        "orderExpired": "Expired",
        "triggerPlaced": "TriggerPending",
        "triggerFailed": "TriggerFailed",
    }[message.text("e")]


def test_all_origins_occur() -> None:
    origins: set[str] = set()
    for seed in range(1, 40):
        stage = Stage(seed)
        listener = Listener(stage.publisher)
        listener.join(*(Topic("account.orderUpdate", account) for account in ACCOUNTS))
        for _ in stage.play(COMMANDS):
            origins.update(message.text("O") for message in listener.heard())
        if len(origins) == 4:
            break
    assert origins == {
        "USER",
        "LIQUIDATION_AUTOCLOSE",
        "ADL_AUTOCLOSE",
        "BACKSTOP_LIQUIDITY_PROVIDER",
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_trades_and_liquidations_are_told_once_each(seed: int) -> None:
    stage = Stage(seed)
    listener = Listener(stage.publisher)
    listener.join(Topic("liquidation"), *(Topic(f"trade.{symbol}") for symbol in stage.symbols))
    for _, events in stage.play(COMMANDS):
        fills = [event for event in events if isinstance(event, e.Filled)]
        system = list(_system_fills(events, stage.parameters))
        heard = listener.heard()
        trades = [message for message in heard if message.stream != "liquidation"]
        assert [message.number("t") for message in trades] == [fill.trade for fill in fills]
        for message, fill in zip(trades, fills, strict=True):
            quantity = quantity_text(stage.parameters, fill.asset, fill.quantity)
            assert message.text("q") == quantity
            orders = [str(fill.taker_order), str(fill.maker_order)]
            ends = [message.text("b"), message.text("a")]
            assert ends == (orders if message.data["m"] is False else orders[::-1])
        liquidations = [message for message in heard if message.stream == "liquidation"]
        assert [(each.text("s"), each.text("S"), each.text("q")) for each in liquidations] == system


def _system_fills(
    events: Sequence[e.Event], parameters: EngineParameters
) -> Iterator[tuple[str, str, str]]:
    """Market, side and quantity of every fill of the three stages."""
    for asset, side, quantity in _stage_fills(events):
        if asset != USDC:
            side_text = "Bid" if side is Side.BID else "Ask"
            yield (
                market_symbol(parameters, asset),
                side_text,
                quantity_text(parameters, asset, quantity),
            )


def _stage_fills(events: Sequence[e.Event]) -> Iterator[tuple[int, Side, int]]:
    opened: w.AdlOpened | None = None
    stuck: set[int] = set()
    for event in events:
        match event:
            case w.AdlOpened():
                opened, stuck = event, set()
            case w.AdlStuck():
                stuck.add(event.account)
            case w.AdlMatched() | w.AdlLeg():
                assert opened is not None
                yield from _adl_fill(opened, event, stuck)
            case w.BackstopFilled():
                yield event.debt_asset, Side.BID, event.debt_quantity
            case w.BackstopLeg():
                yield event.asset, Side.ASK, event.quantity
            case e.Filled() if event.system_order is not SystemOrder.USER:
                yield event.asset, event.side, event.quantity


def _adl_fill(
    opened: w.AdlOpened, event: w.AdlMatched | w.AdlLeg, stuck: set[int]
) -> Iterator[tuple[int, Side, int]]:
    """A stuck lender sells his claim and buys what he gets, a borrower the other way around.

    Opposites have legs alone: what the liquidated one gets he buys, what he gives he sells.
    """
    is_leg = isinstance(event, w.AdlLeg)
    buys = is_leg is (opened.case is AdlCase.STUCK_LENDER)
    if opened.case is AdlCase.OPPOSITES:
        if not isinstance(event, w.AdlLeg):
            return
        buys = event.receiver in stuck
    yield event.asset, Side.BID if buys else Side.ASK, event.quantity


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("joins_after", [0, COMMANDS // 4])
def test_balance_updates_add_up_to_the_balances(seed: int, joins_after: int) -> None:
    stage = Stage(seed)
    listeners = {account: Listener(stage.publisher) for account in PEOPLE}
    for number, _ in enumerate(stage.play(COMMANDS)):
        if number == joins_after:
            stage.publisher.flush()
            for account, listener in listeners.items():
                listener.join(Topic("account.balanceUpdate", account))
        if stage.rng.random() < 0.3:
            stage.publisher.flush()
    stage.publisher.flush()
    told = 0
    for account, listener in listeners.items():
        shown: dict[str, tuple[str, str]] = {}
        for message in listener.heard():
            pair = message.text("A"), message.text("L")
            assert shown.get(message.text("a")) != pair, "told twice"
            shown[message.text("a")] = pair
            told += 1
        if shown:
            assert shown == _balances(stage, account)
    assert told


def _balances(stage: Stage, account: int) -> dict[str, tuple[str, str]]:
    """Available and locked by asset, as the engine has them."""
    return {
        stage.parameters.assets[asset].symbol: (
            quantity_text(stage.parameters, asset, balance.available),
            quantity_text(stage.parameters, asset, balance.locked),
        )
        for asset, balance in enumerate(stage.queries.balances(account))
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_a_publisher_restored_goes_on_where_the_first_was(seed: int) -> None:
    stage = Stage(seed)
    for _ in stage.play(COMMANDS // 2):
        pass
    publisher = Publisher(stage.parameters)
    publisher.restore(stage.queries, stage.orders.all(), stage.commands)
    for asset in stage.symbols.values():
        shown, again = snapshot(stage.publisher, asset), snapshot(publisher, asset)
        assert again.data["bids"] == shown.data["bids"]
        assert again.data["asks"] == shown.data["asks"]
        assert int(again.text("lastUpdateId")) == stage.commands
    stage.publisher = publisher
    for _ in stage.go_on(COMMANDS // 4):
        for asset in stage.symbols.values():
            shown = snapshot(stage.publisher, asset)
            assert (shown.levels("bids"), shown.levels("asks")) == stage.levels(asset)


def test_candles_and_tickers_go_on_after_a_restart() -> None:
    told = 0
    for seed in SEEDS:
        stage = Stage(seed)
        views = Views.open(":memory:", stage.parameters)
        topics = [
            Topic(f"{kind}.{symbol}")
            for symbol in stage.symbols
            for kind in ("ticker", *(f"kline.{interval}" for interval in INTERVALS))
        ]
        for command, events in stage.play(COMMANDS // 2):
            transcript = Transcript.of(stage.commands - 1, [(command, events)])
            views.apply(stage.engine.now, transcript)
        views.commit()
        stage.publisher.flush()
        again = Publisher(stage.parameters, stage.clock)
        again.restore(stage.queries, stage.orders.all(), stage.commands)
        again.recall(views, stage.engine.now)
        views.close()
        listeners = [Listener(stage.publisher), Listener(again)]
        for listener in listeners:
            listener.join(*topics)
        for command, events in stage.go_on(COMMANDS // 2):
            transcript = Transcript.of(stage.commands - 1, [(command, events)])
            again.publish(stage.engine.now, transcript, stage.queries)
            if stage.rng.random() < 0.2:
                stage.publisher.flush()
                again.flush()
        heard = [listener.heard() for listener in listeners]
        assert heard[0] == heard[1]
        told += len(heard[0])
    assert told
