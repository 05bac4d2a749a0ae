"""A listener: follows streams of a market that is killed, and holds all it was told against it.

It listens to a book, the trades, two accounts' orders and the audit log, as a client does that
knows the published rules. In one connection nothing may be missing: updates of the book, trades and
entries of the audit log are numbered. After a kill it connects again; what it then finds missing
must be a gap that shows by these numbers and that REST can fill. Nothing may be told twice, nothing
that was not durable, and nothing otherwise than the market has it.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException

import msgspec

from solvent.proof.crash.client import OK, PATIENCE
from solvent.proof.crash.process import LOOPBACK
from solvent.proof.crash.script import Place, name_of
from solvent.proof.crash.signed import Ask, send, signature, signed
from solvent.proof.crash.staff import OPERATOR
from solvent.proof.crash.stream_socket import EndedError, Socket

POLL_SECONDS = 0.01
PAGE = 1_000
AUDIT = "audit"


class _Depth(msgspec.Struct, rename="camel"):
    asks: list[tuple[str, str]]
    bids: list[tuple[str, str]]
    last_update_id: str


class _Trade(msgspec.Struct, rename="camel"):
    id: int
    price: str
    quantity: str
    is_buyer_maker: bool


class _Entry(msgspec.Struct):
    number: int
    hash: str


class _Told(msgspec.Struct):
    stream: str
    data: msgspec.Raw


class _Update(msgspec.Struct):
    a: list[tuple[str, str]]
    b: list[tuple[str, str]]
    U: int
    u: int


class _TradeTold(msgspec.Struct):
    t: int
    p: str
    q: str
    m: bool


class _OrderTold(msgspec.Struct):
    e: str
    i: str
    t: int | None = None


_DEPTH = msgspec.json.Decoder(_Depth)
_TRADES = msgspec.json.Decoder(list[_Trade])
_ENTRIES = msgspec.json.Decoder(list[_Entry])
_TOLD = msgspec.json.Decoder(_Told)
_UPDATE = msgspec.json.Decoder(_Update)
_TRADE_TOLD = msgspec.json.Decoder(_TradeTold)
_ORDER_TOLD = msgspec.json.Decoder(_OrderTold)
_ENTRY = msgspec.json.Decoder(_Entry)
Levels = tuple[dict[str, str], dict[str, str]]
"""Asks and bids: quantities by price."""


class Listener:
    """Follows one market's book, the trades and an account of each, connection after connection.

    `told` counts messages, `missed` the trades that no connection was told of.
    """

    def __init__(self, place: Place, accounts: Mapping[Place, int]) -> None:
        self.told = self.missed = self.connections = 0
        self.problem: str | None = None
        self.follows = threading.Event()
        self._market = place.market
        self._accounts = accounts
        self._update = 0
        self._book: Levels | None = None
        self._early: deque[_Update] = deque()
        self._trades: dict[int, tuple[str, str, bool]] = {}
        self._orders: set[tuple[str, str, int | None]] = set()
        self._entries: dict[int, str] = {}
        self._last = {"trade": 0, AUDIT: 0}
        self._is_first = dict.fromkeys(self._last, True)

    def listen(self, port: int) -> None:
        """Connect, and follow until the connection breaks."""
        self._book = None
        self._early.clear()
        self._is_first = dict.fromkeys(self._is_first, True)
        try:
            socket = Socket(port, PATIENCE)
        except (OSError, EndedError):
            return
        try:
            self._subscribe(port, socket)
            self.connections += 1
            while self.problem is None:
                self._hear(port, socket.receive())
        except (OSError, HTTPException, EndedError):
            return
        finally:
            self.follows.clear()
            socket.close()

    def _subscribe(self, port: int, socket: Socket) -> None:
        # Trades are numbered through all markets.
        trades = [f"trade.{place.market}" for place in self._accounts]
        public = [f"depth.{self._market}", *trades]
        own = [
            ([f"account.orderUpdate.{place.market}"], name_of(account))
            for place, account in self._accounts.items()
        ]
        for streams, name in ((public, ""), *own, ([AUDIT], OPERATOR)):
            frame: dict[str, object] = {"method": "SUBSCRIBE", "params": streams}
            if name:
                frame["signature"] = signature(name, "subscribe")
            socket.send(msgspec.json.encode(frame))
        # A frame is only answered where it cannot be carried out: once this one is, all are.
        socket.send(b"{}")
        while b'"error"' not in (text := socket.receive()):
            self._hear(port, text)
        if b"method must be" not in text:
            self._fail(f"a subscription is answered {text.decode()}")
        self.follows.set()

    def _hear(self, port: int, text: bytes) -> None:
        message = _TOLD.decode(text)
        self.told += 1
        kind = message.stream.partition(".")[0]
        if kind == "depth":
            self._early.append(_UPDATE.decode(message.data))
            self._follow_book(port)
        elif kind == "trade":
            self._hear_trade(_TRADE_TOLD.decode(message.data))
        elif kind == AUDIT:
            entry = _ENTRY.decode(message.data)
            self._count(AUDIT, entry.number)
            self._entries[entry.number] = entry.hash
        else:
            order = _ORDER_TOLD.decode(message.data)
            key = (order.e, order.i, order.t)
            if key in self._orders:
                self._fail(f"{key} of an order is told twice")
            self._orders.add(key)

    def _hear_trade(self, trade: _TradeTold) -> None:
        self._count("trade", trade.t)
        self._trades[trade.t] = (trade.p, trade.q, trade.m)

    def _count(self, kind: str, number: int) -> None:
        """Numbers go up by one in a connection, and never go back."""
        before = self._last[kind]
        if number <= before or (number != before + 1 and not self._is_first[kind]):
            self._fail(f"{kind} {number} is told after {before}")
        self._last[kind], self._is_first[kind] = number, False

    # The book.

    def _follow_book(self, port: int) -> None:
        """Begin with a snapshot, then carry out what was told after it."""
        if self._book is None:
            depth = self._depth(port)
            if int(depth.last_update_id) + 1 < self._early[0].U:
                return
            self._begin(depth)
        while self._early and self.problem is None:
            self._carry_out(self._early.popleft())

    def _begin(self, depth: _Depth) -> None:
        last = int(depth.last_update_id)
        if last < self._update:
            self._fail(f"update {self._update} was told and is lost: the book is at {last}")
        self._book, self._update = (dict(depth.asks), dict(depth.bids)), last

    def _carry_out(self, update: _Update) -> None:
        if update.u <= self._update:
            return
        if self._update + 1 < update.U:
            self._fail(f"update {update.U} is told after {self._update}: there is a gap")
        self._update = update.u
        assert self._book is not None
        for side, levels in zip(self._book, (update.a, update.b), strict=True):
            for price, quantity in levels:
                if float(quantity):
                    side[price] = quantity
                else:
                    side.pop(price, None)

    # What must be, once nobody asks for more.

    def compare(self, port: int) -> None:
        """Hold all that was told against what the market says now."""
        self._compare_book(port)
        trades, told_entries = dict(self._trades), dict(self._entries)
        markets = [place.market for place in self._accounts]
        found = {each.id: each for market in markets for each in self._history(port, market)}
        for number, told in trades.items():
            trade = found.get(number)
            if trade is None or (trade.price, trade.quantity, trade.is_buyer_maker) != told:
                self._fail(f"trade {number} was told as {told}, and is {trade}")
        if sorted(found) != list(range(min(found, default=1), max(found, default=0) + 1)):
            self._fail("the history has a gap in the numbers of trades")
        self.missed = len(found.keys() - trades.keys())
        entries = self._audit(port)
        for number, told_hash in told_entries.items():
            if entries.get(number) != told_hash:
                self._fail(f"entry {number} of the audit log was told as another one")

    def _compare_book(self, port: int) -> None:
        depth, until = self._depth(port), time.monotonic() + PATIENCE
        while self._book is not None and self._update < int(depth.last_update_id):
            if time.monotonic() > until:
                self._fail(f"the book is at {depth.last_update_id}, {self._update} was told last")
                return
            time.sleep(POLL_SECONDS)
        if self._book is not None and self._book != (dict(depth.asks), dict(depth.bids)):
            self._fail(f"the book that was told is {self._book}, and it is {depth}")

    def _depth(self, port: int) -> _Depth:
        fields = {"symbol": self._market, "limit": str(PAGE)}
        return _DEPTH.decode(self._get(port, "anybody", "/api/v1/depth", "none", fields))

    def _history(self, port: int, market: str) -> list[_Trade]:
        found: list[_Trade] = []
        while True:
            fields = {"symbol": market, "limit": str(PAGE)}
            if found:
                fields["before"] = str(min(each.id for each in found))
            body = self._get(port, "anybody", "/api/v1/trades/history", "none", fields)
            page = _TRADES.decode(body)
            found += page
            if len(page) < PAGE:
                return found

    def _audit(self, port: int) -> dict[int, str]:
        found: dict[int, str] = {}
        while True:
            fields = {"from": str(len(found) + 1), "limit": str(PAGE)}
            body = self._get(port, OPERATOR, "/solvent/v1/audit", "auditQuery", fields)
            page = _ENTRIES.decode(body)
            found |= {each.number: each.hash for each in page}
            if len(page) < PAGE:
                return found

    def _get(
        self, port: int, name: str, path: str, instruction: str, fields: dict[str, str]
    ) -> bytes:
        connection = HTTPConnection(LOOPBACK, port, timeout=PATIENCE)
        try:
            answer, _ = send(connection, signed(name, Ask("GET", path, instruction, fields)))
        finally:
            connection.close()
        if answer.status != OK:
            raise EndedError
        return answer.body

    def _fail(self, text: str) -> None:
        self.problem = self.problem or f"a stream: {text}"
