"""Resting orders of a snapshot, put back into their columns: levels, links and sums.

A snapshot has orders by id. Ids grow with time, so that within a price they are the priority and
within an account the age.
"""

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from solvent.domain.commands import Side
from solvent.domain.parameters import USDC
from solvent.engine.memory import layout as at

if TYPE_CHECKING:
    from solvent.engine.memory.columns import Columns

Column: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]


def read_orders(columns: "Columns", rows: Column) -> None:
    """Let the orders of a snapshot's rows rest. Raises ValueError on one that cannot."""
    numbers = columns["globals"]
    named = rows[:, (at.ORDER_ACCOUNT, at.ORDER_ASSET, at.ORDER_SIDE)]
    if np.any((named < 0) | (named >= (numbers[at.ACCOUNTS], numbers[at.ASSETS], len(Side)))):
        raise ValueError("an order of an account or a market that is not there")
    columns.grow_orders(len(rows))
    orders = columns.table("orders", at.ORDER_WIDTH)[: len(rows)]
    orders[:, : at.ORDER_ROW] = rows
    orders[:, at.ORDER_NEXT :] = at.NONE
    numbers[at.ORDERS] = numbers[at.ORDER_SLOTS] = len(rows)
    columns.index_orders()
    _read_levels(columns, orders)
    _read_lists(columns, orders)
    _read_unfunded(columns, orders)


def _read_levels(columns: "Columns", orders: Column) -> None:
    """Write the levels of all sides, worst first, each with its orders linked by age."""
    sides = 2 * orders[:, at.ORDER_ASSET] + orders[:, at.ORDER_SIDE]
    prices = orders[:, at.ORDER_PRICE]
    rising = np.where(orders[:, at.ORDER_SIDE] == Side.BID, prices, -prices)
    met = np.lexsort((orders[:, at.ORDER_ID], rising, sides))
    starts = _changes(sides[met], rising[met])
    firsts, lasts = _link(orders, met, starts, at.ORDER_NEXT)
    numbers = sides[firsts]
    counts = np.bincount(numbers, minlength=2 * int(columns["globals"][at.ASSETS]))
    columns.table("books", at.BOOK_WIDTH)[:, at.LEVEL_COUNT] = counts
    places = np.arange(len(firsts)) - (np.cumsum(counts) - counts)[numbers]
    capacity = int(columns["globals"][at.LEVEL_CAPACITY])
    levels = columns["levels"].reshape(-1, capacity, at.LEVEL_WIDTH)
    levels[numbers, places, at.LEVEL_PRICE] = prices[firsts]
    levels[numbers, places, at.LEVEL_FIRST] = firsts
    levels[numbers, places, at.LEVEL_LAST] = lasts


def _read_lists(columns: "Columns", orders: Column) -> None:
    """Link the orders of each account by age."""
    accounts = columns.table("accounts", at.ACCOUNT_WIDTH)
    slots = np.argsort(orders[:, at.ORDER_ACCOUNT], kind="stable")
    owners = orders[slots, at.ORDER_ACCOUNT]
    firsts, lasts = _link(orders, slots, _changes(owners), at.ACCOUNT_NEXT)
    accounts[orders[firsts, at.ORDER_ACCOUNT], at.FIRST_ORDER] = firsts
    accounts[orders[lasts, at.ORDER_ACCOUNT], at.LAST_ORDER] = lasts
    np.add.at(accounts[:, at.ORDER_COUNT], owners, 1)


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


def _read_unfunded(columns: "Columns", orders: Column) -> None:
    """Add up what each account's orders would borrow."""
    assets = int(columns["globals"][at.ASSETS])
    paid = np.where(orders[:, at.ORDER_SIDE] == Side.BID, USDC, orders[:, at.ORDER_ASSET])
    pledges = columns["pledges"].reshape(-1, assets, at.PLEDGE_WIDTH)
    unfunded = pledges[:, :, at.UNFUNDED]
    np.add.at(unfunded, (orders[:, at.ORDER_ACCOUNT], paid), orders[:, at.ORDER_UNFUNDED])
    accounts = columns.table("accounts", at.ACCOUNT_WIDTH)[: len(pledges)]
    bits = np.left_shift(1, np.arange(assets, dtype=np.int64))
    accounts[:, at.UNFUNDEDS] = (unfunded != 0) @ bits
