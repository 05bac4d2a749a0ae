"""Scripts: what each client asks for, step by step, and what accounts have after it.

A step is one request. `Op` says what it does, and from ops alone follows what an account must have
(`Holding`) and what the journal must hold. Scripts are written so that every step of a trader shows
in its account, and that it never matters which of two clients comes first. `players` has those of
accounts, `conditional` of accounts whose orders wait for a price, `staff` those of operators,
oracle and risk admins.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.units import PRICE_DECIMALS, PRICE_SCALE, VALUE_DECIMALS
from solvent.proof.crash.signed import Ask
from solvent.service.strict_json import JsonValue
from solvent.service.wire import format_decimal

FIRST_ACCOUNT = 2
NOBODY, DESK = -1, -3
"""The sender of what nobody asked for, and of changes of a parameter."""
BASE, CONDITIONAL = 1, 2
"""The assets that are traded: by pairs and traders, and by those whose orders wait for a price."""
USD = 10**VALUE_DECIMALS
PRICE = 100 * PRICE_SCALE
TRADE, CHEAP = 101 * USD, 99 * USD
"""What a token costs when a pair trades, and when one sells below that."""
CONSEQUENCE, CHEAPLY, FIRES, FAILS = "sold", "bought cheaply", "fires", "fails"
"""What happens to an account by another one's command."""
REMOVAL = "remove"
"""An account's key is removed, which is no command of the engine's."""
NO_COMMANDS = frozenset({CONSEQUENCE, CHEAPLY, FIRES, FAILS, REMOVAL})
"""What no command of the engine says."""


Fields = Mapping[str, JsonValue]


class Op(NamedTuple):
    """What a command does to an account.

    `number` is what the verb wants: atoms of USDC, whole tokens, an order's client id, a price or a
    parameter's value.
    """

    account: int
    verb: str
    number: int = 0


class Plan(NamedTuple):
    """One step: which client asks, what for, what it does, and what a right answer has in it.

    `is_order` says that it places an order that rests or waits, which may be asked for under
    another signature and still be the same. `retires` says that its key acts no more after it.
    """

    name: str
    ask: Ask
    ops: tuple[Op, ...] = ()
    says: bytes = b""
    is_order: bool = False
    retires: bool = False

    def touches(self, account: int) -> bool:
        """Whether it changes what an account has."""
        return any(op.account == account for op in self.ops)


class Script(Protocol):
    """A client's part."""

    def plan(self, step: int) -> Plan:
        """What it asks for at a step."""
        ...


class Holding(NamedTuple):
    """How long an account's histories are, what it has, and its orders that rest or wait.

    `usdc` and `lent` are atoms, what is lent being part of `usdc`; `tokens` are whole ones; `open`
    and `waiting` are client ids.
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
    waiting: tuple[int, ...] = ()

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
        """The same with an order less."""
        return self._replace(
            open=tuple(each for each in self.open if each != client_id),
            waiting=tuple(each for each in self.waiting if each != client_id),
        )

    def traded(self, sign: int, price: int = TRADE) -> "Holding":
        """The same after a fill of one token, bought (1) or sold (-1)."""
        return self._replace(
            fills=self.fills + 1, usdc=self.usdc - sign * price, tokens=self.tokens + sign
        )

    def ordered(self) -> "Holding":
        """The same with one more order in its history."""
        return self._replace(orders=self.orders + 1)


_EFFECTS: dict[str, Callable[[Holding, int], Holding]] = {
    "open": lambda h, _: h,
    REMOVAL: lambda h, _: h,
    "deposit": lambda h, n: h._replace(deposits=h.deposits + 1, usdc=h.usdc + n),
    "endow": lambda h, n: h._replace(deposits=h.deposits + 1, tokens=h.tokens + n),
    "withdraw": lambda h, n: h._replace(withdrawals=h.withdrawals + 1, usdc=h.usdc - n),
    "lend": lambda h, n: h._replace(movements=h.movements + 1, lent=h.lent + n),
    "redeem": lambda h, n: h._replace(movements=h.movements + 1, lent=h.lent - n),
    "order": lambda h, n: h.ordered()._replace(open=(*h.open, n)),
    "wait": lambda h, n: h.ordered()._replace(waiting=(*h.waiting, n)),
    "cancel": Holding.without,
    "cancel all": lambda h, _: h._replace(open=(), waiting=()),
    "buy": lambda h, _: h.ordered().traded(1),
    "sell": lambda h, _: h.ordered().traded(-1, CHEAP),
    CONSEQUENCE: lambda h, n: h.without(n).traded(-1),
    CHEAPLY: lambda h, n: h.without(n).traded(1, CHEAP),
    FIRES: lambda h, n: h.without(n).traded(1),
    FAILS: Holding.without,
}


class Place(NamedTuple):
    """A market where it happens, by the names that the API has for it."""

    asset: int
    usdc: str
    base: str
    market: str
    tick: int
    sources: int

    @classmethod
    def of(cls, parameters: EngineParameters, asset: int) -> "Place":
        """The market of an asset."""
        usdc, base = parameters.assets[USDC], parameters.assets[asset]
        assert base.market is not None
        return cls(
            asset,
            usdc.symbol,
            base.symbol,
            f"{base.symbol}_{usdc.symbol}",
            base.market.tick,
            len(base.price.source_weights),
        )

    def quotes(self, price: int) -> tuple[Ask, tuple[Op, ...]]:
        """A request of an oracle with the price of all sources at once, and what it does."""
        text = format_decimal(price, PRICE_DECIMALS)
        quote: Fields = {"symbol": self.base, "bid": text, "ask": text, "last": text}
        sources = range(self.sources)
        fields: Fields = {"prices": [{**quote, "source": source} for source in sources]}
        ask = Ask("POST", "/solvent/v1/oracle/prices", "oraclePrices", fields, signs_digest=True)
        return ask, tuple(Op(source_of(self.asset), "price", price) for _ in sources)

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


def source_of(asset: int) -> int:
    """The sender of an asset's prices."""
    return -10 - asset


def name_of(account: int) -> str:
    """The client that acts for an account."""
    return f"account {account}"


def usd(atoms: int) -> str:
    """Atoms of USDC as the API writes them."""
    return format_decimal(atoms, VALUE_DECIMALS)
