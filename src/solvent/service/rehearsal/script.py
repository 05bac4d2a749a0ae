"""Scripts: what each client asks for, step by step, and what accounts have after it.

A step is one request. `Op` says what it does, and from ops alone follows what an account must have
(`Holding`) and what the journal must hold. Scripts are written so that every step of a trader shows
in his account, and that it never matters which of two clients comes first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.units import PRICE_DECIMALS, PRICE_SCALE, VALUE_DECIMALS
from solvent.service.rehearsal.signed import Ask, public_key
from solvent.service.strict_json import JsonValue
from solvent.service.wire import format_decimal

FIRST_ACCOUNT = 2
NOBODY = -1
OPERATOR, ORACLE = "operator", "oracle"
BASE = 1
"""The asset that is traded."""
USD = 10**VALUE_DECIMALS
DEPOSIT, LEND, REDEEM, WITHDRAWAL, TRADE = 10_000 * USD, 3 * USD, 2 * USD, USD, 101 * USD
ENDOWMENT = 100
"""Tokens that each of a pair begins with; every order is for one token."""
PRICE = 100 * PRICE_SCALE
LOW, HIGH = PRICE * 90 // 100, PRICE * 101 // 100
"""Where orders rest that are cancelled, and where a pair trades."""
PRICES = 20
"""The oracle's price rises from PRICE by so many ticks and begins again."""
OPENINGS = 12
"""Every so many steps the operator opens another account."""
CONSEQUENCE = "sold"
"""What happens to an account by another one's command."""


Fields = Mapping[str, JsonValue]


class Op(NamedTuple):
    """What a command does to an account.

    `number` is atoms of USDC, whole tokens, an order's client id or a price, as the verb wants it.
    """

    account: int
    verb: str
    number: int = 0


class Plan(NamedTuple):
    """One step: who asks, what for, what it does, and what a right answer has in it.

    `is_order` says that it may be asked for under another signature and still be the same.
    """

    name: str
    ask: Ask
    ops: tuple[Op, ...] = ()
    says: bytes = b""
    is_order: bool = False

    def touches(self, account: int) -> bool:
        """Whether it changes what an account has."""
        return any(op.account == account for op in self.ops)


class Script(Protocol):
    """A client's part."""

    def plan(self, step: int) -> Plan:
        """What it asks for at a step."""
        ...


class Holding(NamedTuple):
    """How long an account's histories are, what it has, and its resting orders.

    `usdc` and `lent` are atoms, what is lent being part of `usdc`; `tokens` are whole ones; `open`
    are client ids.
    """

    deposits: int = 0
    withdrawals: int = 0
    movements: int = 0
    orders: int = 0
    fills: int = 0
    usdc: int = 0
    tokens: int = 0
    lent: int = 0
    open: tuple[int, ...] = ()

    @property
    def counts(self) -> tuple[int, ...]:
        """How long its histories are."""
        return self[:5]

    def after(self, ops: Iterable[Op]) -> "Holding":
        """What it has after these ops."""
        found = self
        for op in ops:
            found = _EFFECTS[op.verb](found, op.number)
        return found

    def without(self, client_id: int) -> "Holding":
        """The same with an order less that rests."""
        return self._replace(open=tuple(each for each in self.open if each != client_id))

    def traded(self, sign: int) -> "Holding":
        """The same after a fill of one token, bought (1) or sold (-1)."""
        return self._replace(
            fills=self.fills + 1, usdc=self.usdc - sign * TRADE, tokens=self.tokens + sign
        )

    def ordered(self) -> "Holding":
        """The same with one more order in its history."""
        return self._replace(orders=self.orders + 1)


_EFFECTS: dict[str, Callable[[Holding, int], Holding]] = {
    "open": lambda h, _: h,
    "deposit": lambda h, n: h._replace(deposits=h.deposits + 1, usdc=h.usdc + n),
    "endow": lambda h, n: h._replace(deposits=h.deposits + 1, tokens=h.tokens + n),
    "withdraw": lambda h, n: h._replace(withdrawals=h.withdrawals + 1, usdc=h.usdc - n),
    "lend": lambda h, n: h._replace(movements=h.movements + 1, lent=h.lent + n),
    "redeem": lambda h, n: h._replace(movements=h.movements + 1, lent=h.lent - n),
    "order": lambda h, n: h.ordered()._replace(open=(*h.open, n)),
    "cancel": Holding.without,
    "cancel all": lambda h, _: h._replace(open=()),
    "buy": lambda h, _: h.ordered().traded(1),
    CONSEQUENCE: lambda h, n: h.without(n).traded(-1),
}


class Place(NamedTuple):
    """The market where all of it happens, by the names that the API has for it."""

    usdc: str
    base: str
    market: str
    tick: int
    sources: int

    @classmethod
    def of(cls, parameters: EngineParameters) -> "Place":
        """The market of the first asset besides USDC."""
        usdc, base = parameters.assets[USDC], parameters.assets[BASE]
        assert base.market is not None
        sources = len(base.price.source_weights)
        return cls(
            usdc.symbol, base.symbol, f"{base.symbol}_{usdc.symbol}", base.market.tick, sources
        )

    def order(self, side: str, price: int, client_id: int) -> Fields:
        """The fields of an order for one token."""
        return {
            "symbol": self.market,
            "side": side,
            "orderType": "Limit",
            "price": format_decimal(price, PRICE_DECIMALS),
            "quantity": "1",
            "clientId": client_id,
        }


def name_of(account: int) -> str:
    """Who acts for an account."""
    return f"account {account}"


def _usd(atoms: int) -> str:
    return format_decimal(atoms, VALUE_DECIMALS)


def _says(client_id: int) -> bytes:
    return b'"clientId":%d,' % client_id


class Trader:
    """Orders that rest, their cancellation, lends, withdrawals, and batches of both kinds."""

    def __init__(self, place: Place, account: int) -> None:
        self._place = place
        self._account = account
        self._turns = (
            self._order,
            self._lend,
            self._commands,
            self._cancel,
            self._withdraw,
            self._redeem,
            self._orders,
            self._cancel_all,
        )

    def plan(self, step: int) -> Plan:
        """The turn that it is."""
        return self._turns[step % len(self._turns)](2 * step + 1)

    def _plan(self, ask: Ask, *ops: tuple[str, int], says: bytes = b"") -> Plan:
        account = self._account
        return Plan(name_of(account), ask, tuple(Op(account, *op) for op in ops), says)

    def _order(self, number: int) -> Plan:
        fields = self._place.order("Bid", LOW, number)
        ask = Ask("POST", "/api/v1/order", "orderExecute", fields)
        return self._plan(ask, ("order", number), says=_says(number))._replace(is_order=True)

    def _cancel(self, number: int) -> Plan:
        """Cancel the order of three turns ago."""
        ordered = number - 6
        fields: Fields = {"symbol": self._place.market, "clientId": ordered}
        ask = Ask("DELETE", "/api/v1/order", "orderCancel", fields)
        return self._plan(ask, ("cancel", ordered), says=_says(ordered))

    def _cancel_all(self, _: int) -> Plan:
        fields = {"symbol": self._place.market}
        return self._plan(
            Ask("DELETE", "/api/v1/orders", "orderCancelAll", fields), ("cancel all", 0)
        )

    def _lend(self, _: int) -> Plan:
        return self._plan(self._borrow_lend("Lend", LEND), ("lend", LEND))

    def _redeem(self, _: int) -> Plan:
        return self._plan(self._borrow_lend("Borrow", REDEEM), ("redeem", REDEEM))

    def _borrow_lend(self, side: str, atoms: int) -> Ask:
        fields = {"symbol": self._place.usdc, "side": side, "quantity": _usd(atoms)}
        return Ask("POST", "/api/v1/borrowLend", "borrowLendExecute", fields)

    def _withdraw(self, number: int) -> Plan:
        fields: Fields = {
            "symbol": self._place.usdc,
            "quantity": _usd(WITHDRAWAL),
            "address": "an address",
            "blockchain": "Solana",
            "clientId": str(number),
        }
        ask = Ask("POST", "/wapi/v1/capital/withdrawals", "withdraw", fields)
        return self._plan(ask, ("withdraw", WITHDRAWAL), says=b'"clientId":"%d"' % number)

    def _orders(self, number: int) -> Plan:
        """A list of one order."""
        fields = self._place.order("Bid", LOW, number)
        ask = Ask("POST", "/api/v1/orders", "orderExecute", fields, is_list=True)
        return self._plan(ask, ("order", number), says=_says(number))

    def _commands(self, number: int) -> Plan:
        lend: Fields = {"verb": "lend", "symbol": self._place.usdc, "quantity": _usd(LEND)}
        orders = [
            {"verb": "order", **self._place.order("Bid", LOW, each)}
            for each in (number, number + 1)
        ]
        fields: Fields = {"commands": [lend, *orders, lend]}
        ask = Ask("POST", "/solvent/v1/batch", "batchExecute", fields, signs_digest=True)
        ops = ("lend", LEND), ("order", number), ("order", number + 1), ("lend", LEND)
        return self._plan(ask, *ops, says=_says(number + 1))


class Pair:
    """Two accounts that sell each other a token in turn, all by one client, so in order."""

    def __init__(self, place: Place, accounts: tuple[int, int]) -> None:
        self._place = place
        self._accounts = accounts

    def plan(self, step: int) -> Plan:
        """One offers, the other one takes; then the other way round."""
        turn, is_taken = divmod(step, 2)
        seller, buyer = self._accounts[turn % 2], self._accounts[1 - turn % 2]
        number = turn + 1
        if is_taken:
            fields: Fields = {**self._place.order("Bid", HIGH, number), "timeInForce": "IOC"}
            ops: tuple[Op, ...] = Op(buyer, "buy", number), Op(seller, CONSEQUENCE, number)
            name, says = name_of(buyer), b'"status":"Filled"'
        else:
            fields = self._place.order("Ask", HIGH, number)
            ops = (Op(seller, "order", number),)
            name, says = name_of(seller), b'"status":"New"'
        ask = Ask("POST", "/api/v1/order", "orderExecute", fields)
        return Plan(name, ask, ops, says, is_order=True)


class Operator:
    """Opens accounts, lets the oracle in, and then deposits without end."""

    def __init__(self, place: Place, accounts: Sequence[int], endowed: Sequence[int]) -> None:
        self._place = place
        self._accounts = accounts
        self._begin = [
            *map(self._open, accounts),
            self._admit(ORACLE),
            *(
                self._deposit(account, place.base, str(ENDOWMENT), "endow", ENDOWMENT)
                for account in endowed
            ),
            *map(self._fund, accounts),
        ]

    @property
    def set_up(self) -> int:
        """After how many steps everybody has what he needs."""
        return len(self._begin)

    def plan(self, step: int) -> Plan:
        """The set-up, then deposits and now and then an account."""
        if step < self.set_up:
            return self._begin[step]
        round_, turn = divmod(step - self.set_up, OPENINGS)
        if turn == OPENINGS - 1:
            return self._open(self._accounts[-1] + 1 + round_)
        return self._fund(self._accounts[step % len(self._accounts)])

    def _open(self, account: int) -> Plan:
        fields = {"publicKey": public_key(name_of(account))}
        ask = Ask("POST", "/solvent/v1/admin/accounts", "adminOpen", fields, signs_digest=True)
        return Plan(OPERATOR, ask, (Op(account, "open"),), b'{"account":%d}' % account)

    def _admit(self, role: str) -> Plan:
        fields = {"role": role, "publicKey": public_key(role)}
        return Plan(OPERATOR, Ask("POST", "/solvent/v1/admin/keys", "adminKey", fields, True))

    def _fund(self, account: int) -> Plan:
        return self._deposit(account, self._place.usdc, _usd(DEPOSIT), "deposit", DEPOSIT)

    def _deposit(self, account: int, symbol: str, quantity: str, verb: str, number: int) -> Plan:
        fields: Fields = {"account": account, "symbol": symbol, "quantity": quantity}
        ask = Ask("POST", "/solvent/v1/admin/deposits", "adminDeposit", fields)
        return Plan(OPERATOR, ask, (Op(account, verb, number),))


class Oracle:
    """Prices of all sources at once."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def plan(self, step: int) -> Plan:
        """The next price."""
        price = PRICE + step % PRICES * self._place.tick
        text = format_decimal(price, PRICE_DECIMALS)
        quote: Fields = {"symbol": self._place.base, "bid": text, "ask": text, "last": text}
        sources = range(self._place.sources)
        fields: Fields = {"prices": [{**quote, "source": source} for source in sources]}
        ask = Ask("POST", "/solvent/v1/oracle/prices", "oraclePrices", fields, signs_digest=True)
        return Plan(ORACLE, ask, tuple(Op(NOBODY, "price", price) for _ in sources))
