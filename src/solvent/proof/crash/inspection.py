"""Inspection: what a market says of its accounts, held against what was asked for.

What was acknowledged must be there. What was not answered may be there or not, but whole: every
account must be as one of the two would have it, and all accounts that a request touches must agree
which.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import combinations

import msgspec

from solvent.domain.units import PRICE_DECIMALS, VALUE_DECIMALS
from solvent.proof.crash.client import OK, PATIENCE
from solvent.proof.crash.process import LOOPBACK
from solvent.proof.crash.result import Difference
from solvent.proof.crash.script import Holding, Op, Place, Plan, name_of
from solvent.proof.crash.signed import Ask, send, signed
from solvent.proof.crash.staff import KEYS, OPERATOR
from solvent.service.core.keys import WITH_ACCOUNT, Role
from solvent.service.wire import parse_decimal

WAITS = "TriggerPending"
_HISTORIES = (
    ("/wapi/v1/capital/deposits", "depositQueryAll"),
    ("/wapi/v1/capital/withdrawals", "withdrawalQueryAll"),
    ("/wapi/v1/history/borrowLend", "borrowHistoryQueryAll"),
    ("/wapi/v1/history/orders", "orderHistoryQueryAll"),
    ("/wapi/v1/history/fills", "fillHistoryQueryAll"),
)


class InspectionError(Exception):
    """A question was not answered as it must be. One line."""


class _Asset(msgspec.Struct, rename="camel"):
    symbol: str
    total_quantity: str
    lend_quantity: str


class _Margin(msgspec.Struct):
    collateral: list[_Asset]


class _Order(msgspec.Struct, rename="camel"):
    client_id: int | None
    status: str


class _Price(msgspec.Struct, rename="camel"):
    index_price: str


class _Proposal(msgspec.Struct):
    proposal: int
    approved: bool


class _Key(msgspec.Struct):
    number: int
    role: Role
    fingerprint: str


_MARGIN = msgspec.json.Decoder(_Margin)
_ORDERS = msgspec.json.Decoder(list[_Order])
_PRICES = msgspec.json.Decoder(list[_Price])
_KEYS = msgspec.json.Decoder(list[_Key])
_PROPOSALS = msgspec.json.Decoder(list[_Proposal])


class Reader:
    """Asks a market that is served at `port` what it knows. Everything raises InspectionError.

    `places` are accounts with the markets that they trade in.
    """

    def __init__(self, port: int, places: Mapping[int, Place]) -> None:
        self._port = port
        self._places = places

    def holding(self, account: int) -> Holding:
        """What an account has."""
        name, place = name_of(account), self._places[account]
        with _connected(self._port) as connection:
            body, _ = _get(connection, name, "/api/v1/capital/collateral", "collateralQuery")
            rows = {row.symbol: row for row in _MARGIN.decode(body).collateral}
            body, _ = _get(connection, name, "/api/v1/orders", "orderQueryAll")
            orders = _ORDERS.decode(body)
            totals = [_get(connection, name, *each, limit=1)[1] for each in _HISTORIES]
        usdc, base = rows.get(place.usdc), rows.get(place.base)
        deposits, withdrawals, movements, placed, fills = totals
        return Holding(
            deposits,
            withdrawals,
            movements,
            placed,
            fills,
            _number(usdc.total_quantity if usdc else "0", VALUE_DECIMALS),
            _number(base.total_quantity if base else "0", 0),
            _number(usdc.lend_quantity if usdc else "0", VALUE_DECIMALS),
            _numbers(orders, waits=False),
            _numbers(orders, waits=True),
        )

    def price(self) -> int:
        """The index price of the first account's market."""
        with _connected(self._port) as connection:
            market = next(iter(self._places.values())).market
            body, _ = _get(connection, "anybody", "/api/v1/markPrices", "none", symbol=market)
        return _number(_PRICES.decode(body)[0].index_price, PRICE_DECIMALS)

    def proposals(self) -> dict[int, bool]:
        """Which changes of a parameter wait, and whether they are approved."""
        with _connected(self._port) as connection:
            path = "/solvent/v1/proposals"
            body, _ = _get(connection, OPERATOR, path, "proposalQuery", state="waiting")
        return {each.proposal: each.approved for each in _PROPOSALS.decode(body)}

    def staff(self) -> dict[str, int]:
        """The keys that act for no account, by fingerprint, with their numbers."""
        with _connected(self._port) as connection:
            body, _ = _get(connection, OPERATOR, KEYS, "adminKeyQuery")
        found = [each for each in _KEYS.decode(body) if each.role not in WITH_ACCOUNT]
        return {each.fingerprint: each.number for each in found}

    def is_let_in(self, name: str) -> bool:
        """Whether the key of one of the staff may ask what staff may."""
        with _connected(self._port) as connection:
            return send(connection, signed(name, Ask("GET", KEYS, "adminKeyQuery")))[0].status == OK

    def acts(self, account: int) -> bool:
        """Whether the account's key may act."""
        with _connected(self._port) as connection:
            request = signed(name_of(account), Ask("GET", "/api/v1/account", "accountQuery"))
            return send(connection, request)[0].status == OK


def judge(
    account: int, held: Holding, seen: Holding, pending: Sequence[Plan]
) -> list[Plan] | Difference:
    """Which of the pending plans were carried out, as an account shows that had `held` before."""
    for count in range(len(pending) + 1):
        for done in combinations(pending, count):
            if held.after(_ops(done, account)) == seen:
                return list(done)
    most = held.after(_ops(pending, account))
    lost = sum(max(0, a - b) for a, b in zip(held.counts, seen.counts, strict=True))
    doubled = sum(max(0, b - a) for a, b in zip(most.counts, seen.counts, strict=True))
    text = f"account {account} has {seen}, expected {held}"
    if pending:
        text += f" and perhaps {' or '.join(str(_ops([plan], account)) for plan in pending)}"
    return Difference(text, lost, doubled)


def _ops(plans: Sequence[Plan], account: int) -> list[Op]:
    return [op for plan in plans for op in plan.ops if op.account == account]


def _numbers(orders: Sequence[_Order], *, waits: bool) -> tuple[int, ...]:
    """Client ids of orders that wait or rest, in order; 0 for one that has none."""
    return tuple(sorted(each.client_id or 0 for each in orders if (each.status == WAITS) is waits))


def _number(text: str, decimals: int) -> int:
    return parse_decimal(text, decimals, what="an answer")


@contextmanager
def _connected(port: int) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(LOOPBACK, port, timeout=PATIENCE)
    try:
        yield connection
    except (OSError, ValueError, IndexError) as error:
        raise InspectionError(f"a question was not answered: {error}") from error
    finally:
        connection.close()


def _get(
    connection: HTTPConnection, name: str, path: str, instruction: str, **fields: int | str
) -> tuple[bytes, int]:
    """The body of an answer, and how many rows the history has."""
    answer, headers = send(connection, signed(name, Ask("GET", path, instruction, fields)))
    if answer.status != OK:
        raise InspectionError(f"{path} is answered {answer}")
    return answer.body, int(headers.get("x-total", "0"))
