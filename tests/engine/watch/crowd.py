"""Crowds: accounts that hug the threshold in a random market, and a hand that moves everything.

Each account owes the most at which it is healthy, and a few shares more or fewer, or some part
less. Kernels run as plain Python or compiled, on the same columns.
"""

from random import Random

import numpy as np

from benches.common.kernels import root_of
from solvent.domain.units import INDEX_SCALE, RATIO
from solvent.engine.ledger import (
    EXTERNAL,
    account_row,
    asset_row,
    available,
    change_claim,
    is_stale,
    mark_of,
    move,
    pool_row,
    position,
)
from solvent.engine.margin import Doubt, health_of, is_liquidatable, liquidatable
from solvent.engine.memory.columns import Column, new_columns, plain_store
from solvent.engine.memory.rows import Globals, Position
from solvent.engine.memory.store import Store
from solvent.engine.watch.rows import touched, watch_words
from solvent.engine.watch.watch import candidates
from solvent.kernels.language import bit, kernel, numbers_of
from solvent.kernels.machine import Machine
from solvent.kernels.rows import Memory
from solvent.proof.fuzz.market import random_parameters

FIRST = 2
"""The fund and the treasury stand aside."""
MOST_ATOMS = 10**15
MOST_VALUE = 2**56
MOST_SHARES = 2**61
FAR = (0, 0, 1, 10, 100, 1000, 2000)
"""How much less than the most an account owes, in 10^-4."""


@kernel
def everyone(s: Store, out: Memory) -> int:
    """What a watch must find, by asking every account."""
    count = 0
    for account in range(s.globals.accounts):
        if not account_row(s, account).is_liquidating and liquidatable(s, account):
            out[count] = account
            count += 1
    return count


@kernel
def hug(s: Store, account: int, asset: int, most: int, offset: int) -> int:
    """Let `account` owe the most shares of `asset` at which it is healthy, and `offset` more."""
    holder = account_row(s, account)
    holder.held = holder.held | bit(asset)
    holder.debts = holder.debts | bit(asset)
    row = position(s, account, asset)
    low = 0
    high = most
    while low < high:
        row.debt_shares = low + (high - low + 1) // 2
        if is_liquidatable(health_of(s, account, Doubt.FOR_ACCOUNT)):
            high = row.debt_shares - 1
        else:
            low = row.debt_shares
    row.debt_shares = max(1, low + offset)
    return low


@kernel
def trade(s: Store, account: int, asset: int, bought: int, lent: int) -> None:
    """Let an account buy atoms and lend shares of `asset`, or sell and redeem where negative."""
    if bought > 0:
        move(s, asset, bought, EXTERNAL, available(account))
    else:
        move(s, asset, -bought, available(account), EXTERNAL)
    if lent:
        change_claim(s, account, asset, lent)


KERNELS = (everyone, hug, trade, candidates, touched)


class Crowd:
    """So many accounts in the market of a seed. `machine` has KERNELS compiled; None is plain."""

    def __init__(self, seed: int, size: int, machine: Machine | None = None) -> None:
        self.rng = Random(seed)
        self.machine = machine
        parameters, anchors = random_parameters(self.rng)
        self.columns = new_columns(parameters)
        self.accounts = range(FIRST, FIRST + size)
        self._make_room()
        self.out: Column = np.zeros(FIRST + size, dtype=np.int64)
        self.store = plain_store(self.columns)
        self.assets = len(anchors)
        self._open_market(anchors)
        for account in self.accounts:
            self.endow(account)
            self.place(account)

    def _make_room(self) -> None:
        columns, numbers = self.columns, self.columns["globals"]
        columns.grow_accounts(self.accounts.stop)
        numbers[Globals.accounts] = self.accounts.stop
        words = watch_words(int(numbers[Globals.account_capacity]), int(numbers[Globals.assets]))
        columns.by_name["watch"] = np.zeros(words, dtype=np.int64)
        self.root = root_of(columns)

    def _open_market(self, anchors: list[int]) -> None:
        for asset, anchor in enumerate(anchors):
            price = self.store.prices[asset]
            price.mark = anchor
            price.stale = int(asset > 0 and self.rng.random() < 0.1)
            pool = pool_row(self.store, asset)
            pool.debt_index = INDEX_SCALE + self.rng.randrange(INDEX_SCALE)
            pool.lend_index = INDEX_SCALE + self.rng.randrange(INDEX_SCALE // 10)
            pool.lend_shares = MOST_SHARES

    def most(self, asset: int, worth: int = MOST_VALUE) -> int:
        """Atoms of an asset worth so much, in 10^-6 USDC, and no more than there can be."""
        divisor = asset_row(self.store, asset).value_divisor
        return min(MOST_ATOMS, worth * divisor // mark_of(self.store, asset))

    def endow(self, account: int) -> None:
        """Let an account hold one to three assets, from a cent's worth to millions."""
        holder = account_row(self.store, account)
        for _ in range(self.rng.randint(1, 3)):
            asset = self.rng.randrange(self.assets)
            worth = 10 ** self.rng.randint(4, 13)
            column = self.rng.choice(
                (Position.available, Position.locked, Position.lent_shares, Position.lent_shares)
            )
            row = numbers_of(position(self.store, account, asset))
            row[column] += self.most(asset, worth)
            holder.held = holder.held | bit(asset)

    def place(self, account: int) -> None:
        """Let an account owe about as much as it can, of one asset or two."""
        asset = self.rng.randrange(self.assets)
        for _ in range(self.rng.choice((1, 1, 2))):
            offset = self.rng.choice((-1000, -10, -3, -2, -1, 0, 1, 2))
            self.hug(account, asset, offset)
            row = position(self.store, account, asset)
            row.debt_shares -= row.debt_shares * self.rng.choice(FAR) // 10_000
            asset = (asset + 1) % self.assets

    # kernels

    def _call(self, name: str, *numbers: int) -> int:
        assert self.machine is not None
        return self.machine.call(name, int(self.root.ctypes.data), *numbers)

    def hug(self, account: int, asset: int, offset: int) -> None:
        """See `hug`."""
        if self.machine is None:
            hug(self.store, account, asset, self.most(asset), offset)
        else:
            self._call("hug", account, asset, self.most(asset), offset)

    def found(self) -> list[int]:
        """Whom the watch finds."""
        if self.machine is None:
            count = candidates(self.store, Memory(memoryview(self.out.data)))
        else:
            count = self._call("candidates", int(self.out.ctypes.data))
        found: list[int] = self.out[:count].tolist()
        return found

    def expected(self) -> list[int]:
        """Whom it must find."""
        if self.machine is None:
            count = everyone(self.store, Memory(memoryview(self.out.data)))
        else:
            count = self._call("everyone", int(self.out.ctypes.data))
        found: list[int] = self.out[:count].tolist()
        return found

    def touch(self, account: int) -> None:
        """Say that an account changed."""
        if self.machine is None:
            touched(self.store, account)
        else:
            self._call("touched", account)

    # moves

    def mark_some(self, found: list[int]) -> None:
        """Mark most of those found, and let go of some others, perhaps with less to owe."""
        for account in found:
            if self.rng.random() < 0.8:
                account_row(self.store, account).is_liquidating = 1
        for account in self.rng.sample(self.accounts, len(self.accounts) // 10):
            holder = account_row(self.store, account)
            if holder.is_liquidating:
                holder.is_liquidating = 0
                if self.rng.random() < 0.8:
                    self.lighten(account)
                self.touch(account)

    def lighten(self, account: int) -> None:
        """Let an account owe a fifth less."""
        for asset in range(self.assets):
            row = position(self.store, account, asset)
            row.debt_shares -= row.debt_shares // 5

    def change(self) -> None:
        """Move something: mostly prices, mostly by a little."""
        asset = self.rng.randrange(self.assets)
        usual = (self.move_mark,) * 6 + (self.accrue, self.accrue, self.trade, self.trade)
        rare = (self.turn_stale, self.write_down, self.change_rules)
        self.rng.choice(usual * 3 + rare)(asset)

    def move_mark(self, asset: int) -> None:
        """Another mark, by atoms or by a tenth."""
        if asset:
            mark = mark_of(self.store, asset)
            little = self.rng.choice((1, -1, 2, mark // 10**6, -mark // 10**5, mark // 10**3))
            by = self.rng.choice((little, little, little, -mark // 100, mark // 50, -mark // 10))
            self.store.prices[asset].mark = max(1, mark + by)

    def move_little(self) -> None:
        """Another mark, by less than a thousandth."""
        asset = self.rng.randrange(1, self.assets)
        mark = mark_of(self.store, asset)
        by = self.rng.randint(-mark // 2000, mark // 2000)
        self.store.prices[asset].mark = max(1, mark + by)

    def accrue(self, asset: int) -> None:
        """Interest: both indices rise."""
        pool = pool_row(self.store, asset)
        by = self.rng.choice((1, 10**6, 10**9, 10**11, 10**12))
        pool.debt_index += by
        pool.lend_index += by // 2

    def trade(self, asset: int) -> None:
        """An account has more or less of an asset, perhaps one that it owes, or borrows anew."""
        account = self.rng.choice(self.accounts)
        row = position(self.store, account, asset)
        bought = max(-row.available, self._little(row.available))
        lent = max(-row.lent_shares, self._little(row.lent_shares))
        self._trade(account, asset, bought, lent)
        if self.rng.random() < 0.3:
            self.place(account)
            self.touch(account)

    def receive(self, account: int, asset: int) -> None:
        """An account gets a tenth of what it owes of an asset, and an atom."""
        self._trade(account, asset, position(self.store, account, asset).debt_shares // 10 + 1, 0)

    def _trade(self, account: int, asset: int, bought: int, lent: int) -> None:
        if self.machine is None:
            trade(self.store, account, asset, bought, lent)
        else:
            self._call("trade", account, asset, bought, lent)

    def _little(self, of: int) -> int:
        return of * self.rng.randint(-10, 10) // 100 + self.rng.choice((-1, 0, 1))

    def turn_stale(self, asset: int) -> None:
        """A price goes stale, or comes back."""
        if asset:
            fresh = is_stale(self.store, asset)
            self.store.prices[asset].stale = 0 if fresh else 1

    def write_down(self, asset: int) -> None:
        """Lenders bear a loss: the lend index falls, perhaps to nothing or an atom of it."""
        pool = pool_row(self.store, asset)
        rest = pool.lend_index - pool.lend_index // self.rng.choice((10**9, 10**4, 10))
        pool.lend_index = self.rng.choice((rest, rest, rest, rest, 1, 0))

    def change_rules(self, asset: int) -> None:
        """A weight, a margin or the doubt is another."""
        row = asset_row(self.store, asset)
        change = self.rng.randrange(3)
        if change == 0 and asset:
            row.weight = max(0, min(RATIO, row.weight + self.rng.randint(-(10**7), 10**7)))
        elif change == 1:
            row.maintenance_base = max(1, row.maintenance_base + self.rng.randint(-99, 10**6))
        else:
            self.store.rules.stale_doubt = self.rng.choice((0, RATIO, 10 * RATIO))
