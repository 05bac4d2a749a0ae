"""Intents: what a request wants, where only the market can say which commands that is.

"Lend this" repays where the account owes, "cancel the order with this client id" needs the order's
number, "cancel what waits" the numbers of all that do. A handler that looked these up would decide
by a market that is another one when the request's turn comes. So the record in the journal says
what is wanted, and the market resolves it at the record's place, after all before it has happened.
A replay resolves it again and comes to the same commands.

What cannot be resolved is answered with an error, and nothing happens. Resolving changes nothing,
so that a preview may resolve an intent by the market as it is and foresee the same.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol

import msgspec

from solvent.domain import commands as c
from solvent.domain.parameters import EngineParameters
from solvent.domain.queries import Queries
from solvent.domain.readings import PoolCommand
from solvent.history.followers.orders import Order
from solvent.service.core.open_orders import OpenOrders
from solvent.service.core.records import RecordError
from solvent.service.errors import ApiError, ApiErrorCode, order_not_found

_BAD_REQUEST = 400


class State(Protocol):
    """The part of a market by which intents are resolved."""

    queries: Queries
    orders: OpenOrders

    @property
    def parameters(self) -> EngineParameters:
        """Parameters in force."""
        ...


class PoolSide(IntEnum):
    """Whether tokens go into a pool or come out of it."""

    LEND = 0
    BORROW = 1


class MoveInPool(msgspec.Struct, array_like=True, frozen=True, tag=0):
    """Lend `quantity` atoms, which repays what is owed; or borrow, which redeems what is lent."""

    asset: int
    side: PoolSide
    quantity: int

    def resolve(self, account: int, state: State) -> Sequence[c.Command]:
        """The one command that it means for the account."""
        return (self.command(account, state.queries),)

    def command(self, account: int, queries: Queries) -> PoolCommand:
        """The same: a request never crosses through zero."""
        balance = queries.balances(account)[self.asset]
        kind: type[PoolCommand]
        if self.side is PoolSide.LEND:
            kind = c.Repay if balance.debt else c.Lend
        else:
            kind = c.Redeem if balance.lent else c.Borrow
        return kind(account, self.asset, self.quantity)


class CancelNamed(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """Cancel the order of a market that has this number or, without a number, this client id."""

    asset: int
    order: int | None = None
    client_id: int = c.NO_CLIENT_ID

    def resolve(self, account: int, state: State) -> Sequence[c.Command]:
        """Its cancellation. Raises ApiError where there is no such order."""
        found = self.find(account, state.orders)
        if found is None:
            raise order_not_found(_BAD_REQUEST)
        return (c.CancelOrder(account, found.order),)

    def find(self, account: int, orders: OpenOrders) -> Order | None:
        """The order, if it has not ended."""
        if self.order is None:
            found = orders.by_client_id(account, self.client_id)
        else:
            found = orders.get(self.order)
        if found is None or (found.account, found.asset) != (account, self.asset):
            return None
        return found


class CancelKind(msgspec.Struct, array_like=True, frozen=True, tag=3):
    """Cancel all orders of a market that rest or, with `waiting`, all that wait for a price."""

    asset: int
    waiting: bool

    def resolve(self, account: int, state: State) -> Sequence[c.Command]:
        """A cancellation for each, the oldest first; there may be none."""
        return [
            c.CancelOrder(account, order.order)
            for order in state.orders.of(account)
            if (order.asset, order.waits) == (self.asset, self.waiting)
        ]


class ConvertAllDust(msgspec.Struct, array_like=True, frozen=True, tag=2):
    """Sell what is below the smallest order of its market, claims included, in every asset."""

    def resolve(self, account: int, state: State) -> Sequence[c.Command]:
        """A conversion for each asset that has dust. Raises ApiError where none has."""
        balances = state.queries.balances(account)
        commands = [
            c.ConvertDust(account, asset)
            for asset, about in enumerate(state.parameters.assets)
            if about.market
            and 0 < balances[asset].available + balances[asset].lent < about.market.min_quantity
        ]
        if not commands:
            message = "there is no dust to convert"
            raise ApiError(_BAD_REQUEST, ApiErrorCode.INVALID_CLIENT_REQUEST, message)
        return commands


Intent = MoveInPool | CancelNamed | CancelKind | ConvertAllDust

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Intent] = msgspec.msgpack.Decoder(Intent)


def encode_intent(intent: Intent) -> bytes:
    """The body of an INTENT record."""
    return _ENCODER.encode(intent)


def decode_intent(body: bytes) -> Intent:
    """What the body of an INTENT record says. Raises RecordError."""
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise RecordError(f"no intent: {error}") from error
