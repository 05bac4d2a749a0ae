"""Orders of a snapshot, put back into their columns: levels, links and sums.

Those that rest and those that wait share slots and lists. Their places grow with time, so that
within a price they are the priority and within an account the age.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from solvent.domain.commands import PlaceTrigger, Side, TriggerBy, command_fields
from solvent.domain.parameters import USDC
from solvent.engine.memory.columns import Column, Columns
from solvent.engine.memory.layout import FIRST_WAITING, LINES, NONE
from solvent.engine.memory.rows import (
    ORDER_ROW,
    Account,
    Book,
    Commitment,
    Globals,
    Level,
    Order,
    Trigger,
)

Mask: TypeAlias = npt.NDArray[np.bool_]


TRIGGER_ROW = Trigger.WIDTH + 2
"""Numbers of a waiting order that a snapshot has: its id, what placed it, whether it rises."""
_ASKED = command_fields(PlaceTrigger)


def read_orders(columns: Columns, resting: Column, waiting: Column) -> None:
    """Let the orders of a snapshot's rows rest and wait. Raises ValueError on one that cannot."""
    numbers = columns["globals"]
    rows, lines = _rows_of(resting, waiting)
    named = rows[:, (Order.account, Order.asset, Order.side)]
    most = (numbers[Globals.accounts], numbers[Globals.assets], len(Side))
    if np.any((named < 0) | (named >= most)) or np.any((lines < 0) | (lines >= LINES)):
        raise ValueError("an order of an account, a market or a price that is not there")
    numbers[Globals.waiting] = len(waiting)
    columns.grow_orders(len(rows))
    orders = columns.table("orders", Order.WIDTH)[: len(rows)]
    orders[:, :ORDER_ROW] = rows
    orders[:, Order.next :] = NONE
    orders[:, Order.line] = lines
    columns.table("triggers", Trigger.WIDTH)[len(resting) : len(rows)] = waiting[:, 1:-1]
    numbers[Globals.orders] = numbers[Globals.order_slots] = len(rows)
    columns.index_orders()
    _read_levels(columns, orders)
    _read_lists(columns, orders)
    _read_unfunded(columns, orders)


def _rows_of(resting: Column, waiting: Column) -> tuple[Column, Column]:
    """The numbers of all orders, those that rest first, and in which line of its market each is."""
    rows = np.zeros((len(resting) + len(waiting), ORDER_ROW), dtype=np.int64)
    rows[: len(resting)] = resting
    asked = dict(zip(_ASKED, waiting[:, 1:-1].T, strict=True))
    wait = rows[len(resting) :]
    wait[:, Order.order] = wait[:, Order.place] = waiting[:, 0]
    wait[:, Order.account] = asked["account"]
    wait[:, Order.asset] = asked["asset"]
    wait[:, Order.side] = asked["side"]
    wait[:, Order.price] = asked["trigger_price"]
    wait[:, Order.quantity] = asked["quantity"]
    by, rising = asked["trigger_by"], waiting[:, -1]
    if np.any((by < 0) | (by >= len(TriggerBy)) | (rising < 0) | (rising > 1)):
        raise ValueError("an order waits for a price that is not there")
    return rows, np.append(resting[:, Order.side], FIRST_WAITING + 2 * by + rising)


def _read_levels(columns: Columns, orders: Column) -> None:
    """Write the levels of all lines, worst first, each with its orders linked by age."""
    lines = LINES * orders[:, Order.asset] + orders[:, Order.line]
    prices = orders[:, Order.price]
    rising = np.where(orders[:, Order.line] % 2, -prices, prices)
    met = np.lexsort((orders[:, Order.place], rising, lines))
    starts = _changes(lines[met], rising[met])
    firsts, lasts = _link(orders, met, starts, Order.next)
    numbers = lines[firsts]
    counts = np.bincount(numbers, minlength=LINES * int(columns["globals"][Globals.assets]))
    columns.table("books", Book.WIDTH)[:, Book.level_count] = counts
    places = np.arange(len(firsts)) - (np.cumsum(counts) - counts)[numbers]
    capacity = int(columns["globals"][Globals.level_capacity])
    levels = columns["levels"].reshape(-1, capacity, Level.WIDTH)
    levels[numbers, places, Level.price] = prices[firsts]
    levels[numbers, places, Level.first] = firsts
    levels[numbers, places, Level.last] = lasts


def _read_lists(columns: Columns, orders: Column) -> None:
    """Link the orders of each account by age."""
    accounts = columns.table("accounts", Account.WIDTH)
    slots = np.lexsort((orders[:, Order.place], orders[:, Order.account]))
    owners = orders[slots, Order.account]
    firsts, lasts = _link(orders, slots, _changes(owners), Order.account_next)
    accounts[orders[firsts, Order.account], Account.first_order] = firsts
    accounts[orders[lasts, Order.account], Account.last_order] = lasts
    np.add.at(accounts[:, Account.order_count], owners, 1)


def _changes(*keys: Column) -> Mask:
    """Where in rows sorted by some keys another group begins."""
    begins = np.ones(len(keys[0]), dtype=np.bool_)
    begins[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return begins


def _link(orders: Column, slots: Column, begins: Mask, following: int) -> tuple[Column, Column]:
    """Link slots to those before and after them in their group; first and last of each group.

    `following` is the number of the link forward, and the one behind it is the link back.
    """
    inside = np.flatnonzero(~begins)
    orders[slots[inside - 1], following] = slots[inside]
    orders[slots[inside], following + 1] = slots[inside - 1]
    ends = np.roll(begins, -1)
    return slots[begins], slots[ends]


def _read_unfunded(columns: Columns, orders: Column) -> None:
    """Add up what each account's orders would borrow."""
    assets = int(columns["globals"][Globals.assets])
    paid = np.where(orders[:, Order.side] == Side.BID, USDC, orders[:, Order.asset])
    commitments = columns["commitments"].reshape(-1, assets, Commitment.WIDTH)
    unfunded = commitments[:, :, Commitment.unfunded]
    np.add.at(unfunded, (orders[:, Order.account], paid), orders[:, Order.unfunded])
    accounts = columns.table("accounts", Account.WIDTH)[: len(commitments)]
    bits = np.left_shift(1, np.arange(assets, dtype=np.int64))
    accounts[:, Account.unfundeds] = (unfunded != 0) @ bits
