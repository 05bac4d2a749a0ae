"""A stream of mixed commands, drawn by NumPy as rows: what accounts do, in an order with a sense.

Accounts act in scripts of some commands in order, mixed with each other's: they deposit tokens,
lend them, redeem and withdraw them; borrow and repay; rest a bid and cancel it; rest an ask that
others buy from. Every thousandth command is a price, every ten-thousandth a time step. Most are
accepted; a borrow beyond margin is refused, which costs a check all the same.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benches.common.market import PRICES, START
from benches.common.population import FIRST
from solvent.domain import commands as c
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import PRICE_SCALE, SECOND, VALUE_SCALE
from solvent.engine.memory.rows import COMMAND_WIDTH, CommandRow

Words = npt.NDArray[np.int64]
Fields = dict[str, Words | int]
"""A command's fields: the same for all, or one for each."""

PRICE_EVERY = 1_000
STEP_EVERY = 10_000
_LEAST, _MOST = 5, 500
"""USDC that a command is worth."""
_WOBBLE = 2e-4
_SPREAD = 0.01


class _Draw(NamedTuple):
    """What scripts are drawn from: for each its account, token, atoms, and atoms of USDC."""

    account: Words
    token: Words
    atoms: Words
    cents: Words
    bid: Words
    """A price below the market's, in ticks of it."""
    ask: Words


def mixed_stream(
    parameters: EngineParameters, accounts: int, count: int, *, seed: int = 2
) -> Words:
    """`count` commands by `accounts` accounts, as rows."""
    rng = np.random.default_rng(seed)
    scripts = (_saver, _borrower, _bidder, _seller)
    longest = 4
    each = count // (len(scripts) * 3) + 1
    rows, times = [], []
    for script in scripts:
        steps = script(_draw(rng, parameters, accounts, each))
        when = np.sort(rng.random((longest, each)), axis=0)[: len(steps)]
        rows += steps
        times += list(when)
    order = np.argsort(np.concatenate(times), kind="stable")
    stream = np.concatenate(rows)[order][:count]
    _put_prices(rng, stream)
    _put_steps(stream)
    return stream


def row_of(count: int, kind: type[c.Command], **fields: Words | int) -> Words:
    """`count` commands of a kind; fields are the same for all or an array."""
    rows = np.zeros((count, COMMAND_WIDTH), dtype=np.int64)
    rows[:, CommandRow.kind] = c.COMMAND_KINDS.index(kind)
    for name, values in fields.items():
        rows[:, 1 + c.command_fields(kind).index(name)] = values
    return rows


def _draw(
    rng: np.random.Generator, parameters: EngineParameters, accounts: int, count: int
) -> _Draw:
    account = rng.integers(FIRST, accounts + FIRST, count)
    token = rng.integers(1, len(PRICES), count)
    markets = [asset.market for asset in parameters.assets]
    price = np.array(PRICES)[token]
    lot = np.array([market.lot if market else 1 for market in markets])[token]
    tick = np.array([market.tick if market else 1 for market in markets])[token]
    unit = np.array([10.0**asset.decimals for asset in parameters.assets])[token]
    value = np.exp(rng.uniform(np.log(_LEAST), np.log(_MOST), count))
    atoms = (value / (price / PRICE_SCALE) * unit).astype(np.int64) // lot * lot + lot
    away = rng.uniform(_SPREAD / 4, _SPREAD, (2, count)) * price
    bid = (price - away[0]).astype(np.int64) // tick * tick
    ask = (price + away[1]).astype(np.int64) // tick * tick
    # Twice the value pays for the atoms at any of these prices, rounded lots and fees included.
    worth = atoms / unit * price / PRICE_SCALE
    cents = (2 * worth * VALUE_SCALE).astype(np.int64) + VALUE_SCALE
    return _Draw(account, token, atoms, cents, bid, ask)


def _saver(draw: _Draw) -> list[Words]:
    """Brings tokens, lends them, redeems half, withdraws a third."""
    count = len(draw.account)
    whose = {"account": draw.account, "asset": draw.token}
    return [
        row_of(count, c.Deposit, **whose, quantity=draw.atoms),
        row_of(count, c.Lend, **whose, quantity=draw.atoms),
        row_of(count, c.Redeem, **whose, quantity=draw.atoms // 2),
        row_of(count, c.Withdraw, **whose, quantity=draw.atoms // 3),
    ]


def _borrower(draw: _Draw) -> list[Words]:
    """Borrows a token and pays most of it back."""
    count = len(draw.account)
    whose = {"account": draw.account, "asset": draw.token}
    return [
        row_of(count, c.Borrow, **whose, quantity=draw.atoms),
        row_of(count, c.Repay, **whose, quantity=draw.atoms * 9 // 10),
    ]


def _bidder(draw: _Draw) -> list[Words]:
    """Brings USDC, rests a bid, takes it back."""
    count = len(draw.account)
    order: Fields = {
        "account": draw.account,
        "asset": draw.token,
        "side": int(c.Side.BID),
        "price": draw.bid,
        "quantity": draw.atoms,
    }
    return [
        row_of(count, c.Deposit, account=draw.account, asset=0, quantity=draw.cents),
        row_of(count, c.PlaceOrder, **order),
        row_of(count, c.CancelAllOrders, account=draw.account, asset=draw.token),
    ]


def _seller(draw: _Draw) -> list[Words]:
    """Brings a token and rests an ask; another account buys as much at once."""
    count = len(draw.account)
    other = np.roll(draw.account, 1)
    ask: Fields = {"asset": draw.token, "price": draw.ask, "quantity": draw.atoms}
    buy = ask | {"price": draw.ask, "time_in_force": int(c.TimeInForce.IOC)}
    return [
        row_of(count, c.Deposit, account=draw.account, asset=draw.token, quantity=draw.atoms),
        row_of(count, c.PlaceOrder, account=draw.account, side=int(c.Side.ASK), **ask),
        row_of(count, c.Deposit, account=other, asset=0, quantity=draw.cents),
        row_of(count, c.PlaceOrder, account=other, side=int(c.Side.BID), **buy),
    ]


def _put_prices(rng: np.random.Generator, stream: Words) -> None:
    """Write a price over every thousandth command: around where it was."""
    places = np.arange(PRICE_EVERY, len(stream), PRICE_EVERY)
    asset = rng.integers(1, len(PRICES), len(places))
    moved = np.array(PRICES)[asset] * np.exp(rng.normal(0.0, _WOBBLE, len(places)))
    last = np.rint(moved).astype(np.int64)
    stream[places] = row_of(
        len(places), c.UpdatePrice, asset=asset, source=0, bid=last, ask=last, last=last
    )


def _put_steps(stream: Words) -> None:
    """Write a time step over every ten-thousandth command, a second after the one before."""
    places = np.arange(STEP_EVERY - 1, len(stream), STEP_EVERY)
    time = START + SECOND * np.arange(1, len(places) + 1)
    stream[places] = row_of(len(places), c.TimeStep, time=time)
