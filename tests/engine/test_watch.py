"""The margin watch against asking every account, on populations that hug the threshold."""

from random import Random

import numpy as np
import pytest

from solvent.domain.parameters import EngineParameters
from solvent.domain.units import INDEX_SCALE, RATIO
from solvent.engine import certificates, watch_rows
from solvent.engine.columns import Columns, new_columns, plain_store
from solvent.engine.language import Memory, Store, allocate, bit, kernel
from solvent.engine.layout import (
    ACCOUNT_CAPACITY,
    ACCOUNTS,
    ASSETS,
    AVAILABLE,
    DEBT,
    DEBT_INDEX,
    DEBTS,
    HELD,
    IS_LIQUIDATING,
    LEND_INDEX,
    LENT,
    MAINTENANCE_BASE,
    MARK,
    PRICE_WIDTH,
    STALE,
    STALE_DOUBT,
    VALUE_DIVISOR,
    WEIGHT,
)
from solvent.engine.ledger import account_row, asset_row, is_stale, mark_of, pool_row, position
from solvent.engine.margin import Doubt, health_of, is_liquidatable, liquidatable
from solvent.engine.watch import candidates
from solvent.engine.watch_rows import touched
from solvent.lab.simulator_market import random_parameters

CROWD = 120
STEPS = 60


@kernel
def everyone(s: Store, out: Memory) -> int:
    """What a watch must find, by asking every account."""
    count = 0
    for account in range(s.globals[ACCOUNTS]):
        if not account_row(s, account)[IS_LIQUIDATING] and liquidatable(s, account):
            out[count] = account
            count += 1
    return count


@kernel
def hug(s: Store, account: int, asset: int, most: int, offset: int) -> None:
    """Let `account` owe the most shares of `asset` at which it is healthy, and `offset` more."""
    holder = account_row(s, account)
    holder[HELD] = holder[HELD] | bit(asset)
    holder[DEBTS] = holder[DEBTS] | bit(asset)
    row = position(s, account, asset)
    low = 0
    high = most
    while low < high:
        row[DEBT] = low + (high - low + 1) // 2
        if is_liquidatable(health_of(s, account, Doubt.FOR_ACCOUNT)):
            high = row[DEBT] - 1
        else:
            low = row[DEBT]
    row[DEBT] = max(1, low + offset)


class Crowd:
    """Accounts at the threshold in a random market, and a hand that moves everything about."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        parameters, anchors = random_parameters(self.rng)
        self.columns = crowded(parameters, self.rng, anchors)
        self.store = plain_store(self.columns)
        self.assets = len(anchors)
        for account in range(2, CROWD + 2):
            self.place(account)

    def place(self, account: int) -> None:
        """Let an account owe about as much as it can."""
        rng = self.rng
        asset = rng.randrange(self.assets)
        debts = rng.choice((1, 1, 2))
        for _ in range(debts):
            offset = rng.choice((-3, -2, -1, 0, 1, 2, -10, -1000))
            far = rng.choice((0, 0, 10, 100, 1000))
            worth = 2**56 * asset_row(self.store, asset)[VALUE_DIVISOR]
            most = min(10**15, worth // mark_of(self.store, asset))
            hug(self.store, account, asset, most, offset)
            row = position(self.store, account, asset)
            row[DEBT] -= row[DEBT] * far // 10_000
            asset = (asset + 1) % self.assets

    def found(self) -> list[int]:
        """Whom the watch finds."""
        out = allocate(CROWD + 2)
        return [out[place] for place in range(candidates(self.store, out))]

    def expected(self) -> list[int]:
        """Whom it must find."""
        out = allocate(CROWD + 2)
        return [out[place] for place in range(everyone(self.store, out))]

    def mark_some(self, found: list[int]) -> None:
        """Mark most of those found, and let go of some others."""
        for account in found:
            if self.rng.random() < 0.8:
                account_row(self.store, account)[IS_LIQUIDATING] = 1
        for account in range(2, CROWD + 2):
            holder = account_row(self.store, account)
            if holder[IS_LIQUIDATING] and self.rng.random() < 0.1:
                holder[IS_LIQUIDATING] = 0
                touched(self.store, account)

    def change(self) -> None:
        """Move something: mostly prices by a little."""
        rng, s = self.rng, self.store
        asset = rng.randrange(self.assets)
        move = rng.choice(
            (self.move_mark,) * 6 + (self.accrue, self.accrue, self.trade, self.trade)
        )
        rng.choice((move,) * 12 + (self.turn_stale, self.write_down, self.change_rules))(s, asset)

    def move_mark(self, s: Store, asset: int) -> None:
        """Another mark, by atoms or by a tenth."""
        if asset:
            mark = mark_of(s, asset)
            by = self.rng.choice((1, -1, 2, mark // 10**6, -mark // 10**5, mark // 10**3))
            by = self.rng.choice((by, by, by, -mark // 100, mark // 50, -mark // 10))
            s.prices[asset * PRICE_WIDTH + MARK] = max(1, mark + by)

    def accrue(self, s: Store, asset: int) -> None:
        """Interest: both indices rise."""
        pool = pool_row(s, asset)
        by = self.rng.choice((1, 10**6, 10**9, 10**11))
        pool[DEBT_INDEX] += by
        pool[LEND_INDEX] += by // 2

    def trade(self, s: Store, asset: int) -> None:
        """An account has more or less of an asset, or borrows anew."""
        account = self.rng.randrange(2, CROWD + 2)
        row = position(s, account, asset)
        holder = account_row(s, account)
        holder[HELD] = holder[HELD] | bit(asset)
        row[AVAILABLE] = row[AVAILABLE] * self.rng.randint(90, 110) // 100 + self.rng.choice((0, 1))
        if self.rng.random() < 0.3:
            self.place(account)
        touched(s, account)

    def relax(self) -> None:
        """Let every account owe a fifth less, and all prices be fresh."""
        for asset in range(self.assets):
            self.store.prices[asset * PRICE_WIDTH + STALE] = 0
            for account in range(2, CROWD + 2):
                row = position(self.store, account, asset)
                row[DEBT] -= row[DEBT] // 5

    def move_little(self) -> None:
        """Another mark, by less than a thousandth."""
        asset = self.rng.randrange(1, self.assets)
        mark = mark_of(self.store, asset)
        by = self.rng.randint(-mark // 2000, mark // 2000)
        self.store.prices[asset * PRICE_WIDTH + MARK] = max(1, mark + by)

    def turn_stale(self, s: Store, asset: int) -> None:
        """A price goes stale, or comes back."""
        if asset:
            s.prices[asset * PRICE_WIDTH + STALE] ^= 1

    def write_down(self, s: Store, asset: int) -> None:
        """Lenders bear a loss: the lend index falls."""
        pool = pool_row(s, asset)
        pool[LEND_INDEX] -= pool[LEND_INDEX] // self.rng.choice((10**9, 10**4, 10))

    def change_rules(self, s: Store, asset: int) -> None:
        """A weight, a margin or the doubt is another."""
        row = asset_row(s, asset)
        change = self.rng.randrange(3)
        if change == 0 and asset:
            row[WEIGHT] = max(0, min(RATIO, row[WEIGHT] + self.rng.randint(-(10**7), 10**7)))
        elif change == 1:
            row[MAINTENANCE_BASE] = max(1, row[MAINTENANCE_BASE] + self.rng.randint(-99, 10**6))
        else:
            s.rules[STALE_DOUBT] = self.rng.choice((0, RATIO, 10 * RATIO))


def crowded(parameters: EngineParameters, rng: Random, anchors: list[int]) -> Columns:
    """A market at its anchor prices in which accounts hold something, but owe nothing yet."""
    columns = new_columns(parameters)
    columns.grow_accounts(CROWD + 2)
    numbers = columns["globals"]
    numbers[ACCOUNTS] = CROWD + 2
    capacity, assets = int(numbers[ACCOUNT_CAPACITY]), int(numbers[ASSETS])
    words = watch_rows.watch_words(capacity, assets)
    columns.by_name["watch"] = np.zeros(words, dtype=np.int64)
    store = plain_store(columns)
    for asset, anchor in enumerate(anchors):
        store.prices[asset * PRICE_WIDTH + MARK] = anchor
        store.prices[asset * PRICE_WIDTH + STALE] = int(asset > 0 and rng.random() < 0.1)
        pool_row(store, asset)[DEBT_INDEX] = INDEX_SCALE + rng.randrange(10**14)
        pool_row(store, asset)[LEND_INDEX] = INDEX_SCALE + rng.randrange(10**13)
    for account in range(2, CROWD + 2):
        for _ in range(rng.randint(1, 3)):
            asset = rng.randrange(assets)
            worth = rng.choice((10**6, 10**9, 10**11, 10**13))
            unit = asset_row(store, asset)
            quantity = worth * unit[VALUE_DIVISOR] // mark_of(store, asset)
            row = position(store, account, asset)
            row[rng.choice((AVAILABLE, LENT))] += min(10**15, quantity)
            holder = account_row(store, account)
            holder[HELD] = holder[HELD] | bit(asset)
    return columns


@pytest.mark.parametrize("seed", range(10))
def test_the_watch_finds_whom_asking_everyone_finds(seed: int) -> None:
    crowd = Crowd(seed)
    found = 0
    for _ in range(STEPS):
        expected = crowd.expected()
        assert crowd.found() == expected
        found += len(expected)
        crowd.mark_some(expected)
        for _ in range(crowd.rng.randint(1, 3)):
            crowd.change()
    assert found > 0


def test_small_moves_ask_few() -> None:
    asked = watches = 0
    for seed in range(6):
        crowd = Crowd(seed)
        crowd.relax()
        for account in crowd.found():
            account_row(crowd.store, account)[IS_LIQUIDATING] = 1
        before = crowd.store.watch[watch_rows.ASKED]
        for _ in range(20):
            crowd.move_little()
            assert crowd.found() == crowd.expected()
            watches += 1
        asked += crowd.store.watch[watch_rows.ASKED] - before
    assert asked < watches * CROWD // 10


def test_a_certificate_holds_up_to_its_triggers() -> None:
    certified = 0
    for seed in range(20):
        crowd = Crowd(seed)
        for account in range(2, CROWD + 2):
            certified += check_certificate(crowd, account)
    assert certified > 300


def check_certificate(crowd: Crowd, account: int) -> bool:
    """At its triggers, and anywhere within them, a certified account is healthy."""
    s = crowd.store
    certificates.measure_errors(s)
    values = health_of(s, account, Doubt.FOR_ACCOUNT)
    if is_liquidatable(values):
        return False
    certificate = certificates.certify(s, account, values)
    if certificate.interest <= 0:
        return False
    columns = s.prices.numbers, s.pools.numbers
    kept = [list(column) for column in columns]
    ranges = [allowed(s, account, asset, certificate) for asset in range(crowd.assets)]
    for extreme in (True, True, False, False, False):
        for asset, (low, high) in enumerate(ranges):
            move_within(s, asset, low, high, crowd.rng, extreme=extreme)
        assert not liquidatable(s, account)
        for column, numbers in zip(columns, kept, strict=True):
            for place, number in enumerate(numbers):
                column[place] = number
    return True


def allowed(
    s: Store, account: int, asset: int, certificate: certificates.Certificate
) -> tuple[int, int]:
    """The lowest mark and the highest price of debt that triggers let pass."""
    row = position(s, account, asset)
    low, high = 1, 3 * certificates.debt_price(s, asset)
    if row[AVAILABLE] or row[LENT]:
        low = certificates.lowest_mark(s, asset, certificate)
    if row[DEBT]:
        high = certificates.highest_debt_price(s, asset, certificate)
    return low, high


def move_within(s: Store, asset: int, low: int, high: int, rng: Random, *, extreme: bool) -> None:
    """Move a mark and the indices as far as a range allows, or anywhere within it."""
    if is_stale(s, asset):
        return
    pool = pool_row(s, asset)
    mark = mark_of(s, asset)
    highest = high * INDEX_SCALE // pool[DEBT_INDEX]
    low = max(low, mark // 2)
    if asset and low <= highest:
        mark = rng.choice((low, highest)) if extreme else rng.randint(low, highest)
    s.prices[asset * PRICE_WIDTH + MARK] = mark
    dearest = min(2 * pool[DEBT_INDEX], high * INDEX_SCALE // mark)
    if dearest > pool[DEBT_INDEX]:
        pool[DEBT_INDEX] = dearest if extreme else rng.randint(pool[DEBT_INDEX], dearest)
    pool[LEND_INDEX] += rng.choice((0, 1, 10**12))
