"""One runner for table tests: a story is rows of text, a command or an expectation each.

    set SOL pool.throttle_threshold 0.9          before the first command: another market
    deposit alice USDC 1000                      a command that must pass
    borrow  bob   SOL  70   | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 60
    step +1s                                     or +10m, +1h; `steps 30 +1s` for many
    expect alice SOL lent 88.82122662            or owed, available, locked
    expect pool SOL utilization 1                what `expectations` knows
    saw HandedOver account=alice reason=NO_REDEEMABLE_CASH
    unseen AdlOpened                             in the events of the last command row
    count Filled 3

After `|` stands the code of the refusal, the limit that binds and the largest amount that would
have passed. A refused command must leave the state hash as it was; where it names a limit, the
largest amount must pass when tried and the next one must not. After every row the books are added
up again. Accounts open when they are first named. What begins with # is a comment.
"""

from dataclasses import fields, replace
from enum import IntEnum
from typing import ClassVar

from solvent.domain import commands as c
from solvent.domain.engine_face import EngineFace, EngineFactory
from solvent.domain.events import Event, Refused
from solvent.domain.parameters import MarketParameters
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import PRICE_SCALE
from solvent.reference.engine import ReferenceEngine
from solvent.reference.orderbook.book import market_of
from solvent.reference.snapshot import read_snapshot
from solvent.reference.state import State
from tests.tables.audit import faults
from tests.tables.expectations import Expectations, units_of
from tests.tables.market import duration, plain_parameters, with_setting
from tests.tables.rows import MAKERS, Names

PRICES = {"BTC": 100_000, "SOL": 200}
NOT_AMOUNTS = {Limit.ORDER_COUNT, Limit.STALE_PRICE, Limit.POOL_STATE, Limit.INSOLVENCY_GATE}
"""Limits that no smaller amount would pass."""

NAMES_FIRST = {"deposit", "withdraw", "lend", "redeem", "borrow", "repay", "buy", "sell"}
NAMES_FIRST |= {"settings", "dust", "commit", "uncommit", "stand_by", "stand_down"}


class StoryError(AssertionError):
    """A row did not come true."""


class Story:
    """An engine, what its accounts are called, and the rows so far.

    `engines` is the kind of engine that stories are told to; conftest.py goes through the kinds.
    """

    engines: ClassVar[EngineFactory] = ReferenceEngine

    def __init__(self) -> None:
        self.parameters = plain_parameters()
        self.started: EngineFace | None = None
        self.names = Names(self.parameters)
        self.log: list[c.Command] = []
        self.events: list[Event] = []
        self.kept: dict[str, int] = {}

    @property
    def engine(self) -> EngineFace:
        """The engine, made when the first command needs it; assets have their usual prices."""
        if self.started is None:
            self.names.parameters = self.parameters
            self.started = self.engines(self.parameters)
            for symbol, price in PRICES.items():
                asset = self.names.asset(symbol)
                sources = range(len(self.parameters.assets[asset].price.source_weights))
                for source in sources:
                    self.apply(
                        c.UpdatePrice(
                            asset,
                            source,
                            price * PRICE_SCALE,
                            price * PRICE_SCALE,
                            price * PRICE_SCALE,
                        )
                    )
        return self.started

    @property
    def state(self) -> State:
        """The engine's whole state: to look at, and in the reference engine to change."""
        engine = self.engine
        if isinstance(engine, ReferenceEngine):
            return engine.state
        return read_snapshot(engine.snapshot())

    def run(self, text: str) -> "Story":
        """Tell the rows of `text`; raise StoryError at the first that does not come true."""
        for place, line in enumerate(text.splitlines(), 1):
            row = _without_comment(line)
            if not row:
                continue
            try:
                self.tell(row)
            except (AssertionError, KeyError, ValueError) as error:
                raise StoryError(f"row {place}: {line.strip()}\n  {error!r}") from error
        return self

    def tell(self, row: str) -> None:
        """Tell one row."""
        left, _, right = row.partition("|")
        word, *rest = left.split()
        outcome = right.split()
        if word == "set":
            assert self.started is None, "set comes before the first command"
            self.parameters = with_setting(self.parameters, rest)
        elif word in ("saw", "unseen", "count"):
            self._check_events(word, rest)
        elif word in ("expect", "keep"):
            self._expect(word, rest)
        elif word == "steps":
            self._steps(int(rest[0]), rest[1])
        else:
            self._command(word, rest, outcome)
        if self.started is not None:
            assert faults(self.state) == []

    def apply(self, command: c.Command) -> tuple[Event, ...]:
        """Carry out one command and keep it in the log."""
        self.log.append(command)
        return self.engine.apply_one(command)

    def command(self, word: str, rest: list[str]) -> c.Command:
        """The command that a row stands for; opens an account that is named first here."""
        engine = self.engine
        if word == "step":
            return c.TimeStep(engine.now + duration(rest[0].removeprefix("+")))
        if word == "step_to":
            return c.TimeStep(duration(rest[0]))
        if word in NAMES_FIRST and rest[0] not in self.names.accounts:
            self.apply(MAKERS["open"](self.names, rest[:1]))
        return MAKERS[word](self.names, rest)

    def _command(self, word: str, rest: list[str], outcome: list[str]) -> None:
        command = self.command(word, rest)
        before = self.engine.snapshot()
        self.events = list(self.apply(command))
        refusal = next((event for event in self.events if isinstance(event, Refused)), None)
        if not outcome or outcome == ["ok"]:
            assert refusal is None, f"refused: {describe(refusal)}"
            return
        assert refusal is not None, f"was not refused, expected {' '.join(outcome)}"
        self._check_refusal(command, refusal, outcome)
        assert self.engine.snapshot() == before, "a refused command changed the state"
        if refusal.limit is not Limit.NONE and refusal.limit not in NOT_AMOUNTS:
            check_largest(before, command, refusal)

    def _check_refusal(self, command: c.Command, refusal: Refused, outcome: list[str]) -> None:
        code, *limit = outcome
        assert refusal.code is RejectionCode[code], f"refused: {describe(refusal)}"
        assert refusal.limit is Limit[limit[0] if limit else "NONE"], describe(refusal)
        assert refusal.command == c.COMMAND_KINDS.index(type(command))
        if len(limit) > 1:
            key = "price" if limit[0] == "PRICE_BAND" else ""
            largest = units_of(self.state, command, limit[1], key)
            assert refusal.largest == largest, describe(refusal)

    def _steps(self, count: int, time: str) -> None:
        events: list[Event] = []
        for _ in range(count):
            self._command("step", [time], [])
            assert faults(self.state) == []
            events += self.events
        self.events = events

    def _expect(self, word: str, rest: list[str]) -> None:
        expectations = Expectations(self.engine.queries, self.state, self.names)
        if word == "keep":
            name, *question = rest
            self.kept[name] = expectations.answer(question)[0]
            return
        expectations.check(rest, self.kept)

    def _check_events(self, word: str, rest: list[str]) -> None:
        if word == "count":
            seen = self._matching(rest[0], rest[2:])
            assert len(seen) == int(rest[1]), f"saw {len(seen)}: {seen}"
            return
        seen = self._matching(rest[0], rest[1:])
        others = self._matching(rest[0], []) or {type(event).__name__ for event in self.events}
        assert bool(seen) is (word == "saw"), f"{rest[0]}: {others}"

    def _matching(self, kind: str, conditions: list[str]) -> list[Event]:
        pairs = [condition.split("=") for condition in conditions]
        return [
            event
            for event in self.events
            if type(event).__name__ == kind
            and all(self._holds(event, key, text) for key, text in pairs)
        ]

    def _holds(self, event: Event, key: str, text: str) -> bool:
        assert key in {field.name for field in fields(event)}, f"no field {key}"
        value = getattr(event, key)
        if text in self.names.accounts:
            return bool(value == self.names.account(text))
        if key.endswith("asset") and text.isalpha():
            return bool(value == self.names.asset(text))
        if isinstance(value, IntEnum) and not text.isdigit():
            return bool(value is type(value)[text])
        return bool(value == units_of(self.state, event, text, key))


def _without_comment(line: str) -> str:
    """`line` up to a # that starts a word and is no order number (`#7`)."""
    words = line.split()
    for place, word in enumerate(words):
        if word.startswith("#") and not word[1:].isdigit():
            return " ".join(words[:place])
    return " ".join(words)


def describe(refusal: Refused | None) -> str:
    """A refusal in words."""
    if refusal is None:
        return "passed"
    return f"{refusal.code.name} {refusal.limit.name} {refusal.largest}"


def check_largest(before: bytes, command: c.Command, refusal: Refused) -> None:
    """The largest amount passes (where it is any) and the next one does not."""
    engines = Story.engines
    change = next_amounts(read_snapshot(before), command, refusal)
    if change is None:
        return
    fitting, next_one = change
    if fitting is not None:
        events = engines.restore(before).apply_one(fitting)
        first = events[0]
        # A price within the band may still be refused for what comes after the band.
        passes = not isinstance(first, Refused)
        if refusal.limit is Limit.PRICE_BAND and isinstance(first, Refused):
            passes = first.limit is not Limit.PRICE_BAND
        assert passes, f"largest {refusal.largest} does not pass: {first}"
    events = engines.restore(before).apply_one(next_one)
    assert isinstance(events[0], Refused), f"more than the largest passes: {next_one}"


NextAmounts = tuple[c.Command | None, c.Command] | None


def next_amounts(state: State, command: c.Command, refusal: Refused) -> NextAmounts:
    """`command` with the largest amount (None when that is 0) and with one unit more."""
    largest = refusal.largest
    if isinstance(command, c.UpdateSettings):
        return (
            replace(command, leverage_limit=largest),
            replace(command, leverage_limit=largest + 1),
        )
    if isinstance(command, c.UpdatePrice):
        return (
            replace(command, bid=largest, ask=largest, last=largest),
            replace(command, bid=largest + 1, ask=largest + 1, last=largest + 1),
        )
    if isinstance(command, c.PlaceOrder):
        return _next_orders(market_of(state, command.asset), command, refusal)
    if not hasattr(command, "quantity"):
        return None
    fitting = _with_quantity(command, largest) if largest else None
    return fitting, _with_quantity(command, largest + 1)


def _next_orders(market: MarketParameters, command: c.PlaceOrder, refusal: Refused) -> NextAmounts:
    if refusal.limit is Limit.PRICE_BAND:
        if command.side is c.Side.ASK:
            return None
        price = refusal.largest // market.tick * market.tick
        return replace(command, price=price), replace(command, price=price + market.tick)
    more = max(refusal.largest + market.lot, market.min_quantity)
    fitting = replace(command, quantity=refusal.largest, quote_quantity=0)
    next_one = replace(command, quantity=more, quote_quantity=0)
    return fitting if refusal.largest else None, next_one


def _with_quantity(command: c.Command, quantity: int) -> c.Command:
    row = {name: int(getattr(command, name)) for name in c.command_fields(type(command))}
    return c.make_command(type(command), row | {"quantity": quantity})


def run_story(text: str) -> Story:
    """Tell a story from its beginning, then replay its log in one batch and from a snapshot."""
    story = Story().run(text)
    if story.started is not None:
        check_replay(story)
    return story


def check_replay(story: Story) -> None:
    """The log again, at once and with a restart half-way, ends in the same state (I35)."""
    expected = story.engine.state_hash()
    again = Story.engines(story.parameters)
    half = len(story.log) // 2
    again.apply(story.log[:half])
    restored = Story.engines.restore(again.snapshot())
    again.apply(story.log[half:])
    restored.apply(story.log[half:])
    assert again.state_hash() == restored.state_hash() == expected
