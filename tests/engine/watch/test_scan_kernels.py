"""The scan: its screen never clears an account that the exact margin would not.

Random accounts prove nothing here, for nearly all are far from the edge. So every account's debt is
driven to the last share before the edge and some shares around it, in markets with extreme
parameters, marks, indices and stale prices.
"""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from benches.common.market import market
from benches.common.population import Edge, populated
from benches.health_scan import scanner
from solvent.domain.parameters import MAX_VALUE, EngineParameters
from solvent.domain.units import INDEX_SCALE
from solvent.engine.ledger import account_row, asset_row, mark_of, pool_row, position, positions_of
from solvent.engine.margin import liquidatable
from solvent.engine.memory.columns import Columns, new_columns, plain_store
from solvent.engine.memory.rows import Globals, Pool, Position, Price
from solvent.engine.memory.store import Store
from solvent.engine.watch import scan
from solvent.engine.watch.rows import Bound, Screen
from solvent.engine.watch.scan import liquidatable_accounts, prepare_screen, surely_healthy
from solvent.kernels.language import allocate, allocate_rows
from solvent.kernels.rows import Rows
from solvent.proof.fuzz.market import random_parameters

MARKETS = 100
ACCOUNTS = 6
FIRST = 2
MOST_SHARES = 10**17
BESIDE = (-1000, -30, -3, -2, -1, 0, 1, 2, 3, 30, 1000)


def extreme_market(rng: Random) -> Columns:
    """A market of the simulator with grown indices, and some accounts that hold something."""
    parameters, anchors = random_parameters(rng)
    columns = new_columns(parameters)
    count = len(parameters.assets)
    columns.grow_accounts(ACCOUNTS + FIRST)
    columns["globals"][Globals.accounts] = ACCOUNTS + FIRST
    for asset, pool in enumerate(columns.table("pools", Pool.WIDTH)):
        for number in (Pool.lend_index, Pool.debt_index):
            whole = INDEX_SCALE // 2 * rng.choice((1, 1, 2, 8))
            pool[number] = whole + rng.randrange(INDEX_SCALE // 2)
        price = columns.table("prices", Price.WIDTH)[asset]
        if asset:
            price[Price.mark] = rng.choice((anchors[asset], anchors[asset], 1, 2**53, 2**54, 2**61))
            price[Price.stale] = rng.random() < 0.2
    rows = columns["positions"].reshape(-1, count, Position.WIDTH)
    for account in range(FIRST, FIRST + ACCOUNTS):
        for asset in range(count):
            for number in (Position.available, Position.locked, Position.lent_shares):
                if rng.random() < 0.4:
                    rows[account, asset, number] = _holding(rng, parameters, columns, asset)
    return columns


def _holding(rng: Random, parameters: EngineParameters, columns: Columns, asset: int) -> int:
    """Atoms that are worth between a millionth and a billion USDC, as far as they fit."""
    mark = int(columns["prices"][asset * Price.WIDTH + Price.mark])
    value = int(10 ** rng.randint(0, 15))
    atoms = value * int(10 ** (parameters.assets[asset].decimals + 4)) // mark
    return min(MOST_SHARES, atoms) + rng.randint(0, 9)


def owe(store: Store, account: int, asset: int, shares: int) -> None:
    """Let an account owe this many shares, and nothing else."""
    count = store.globals.assets
    holder = account_row(store, account)
    for other in range(count):
        position(store, account, other).debt_shares = shares if other == asset else 0
    holder.debts = 1 << asset if shares else 0
    holder.held = (1 << count) - 1


def edge(store: Store, account: int, asset: int) -> int | None:
    """The least debt in `asset` that makes the account liquidatable, shares; None for none."""
    worth = MAX_VALUE * asset_row(store, asset).value_divisor // mark_of(store, asset)
    low = 0
    high = min(MOST_SHARES, worth * INDEX_SCALE // pool_row(store, asset).debt_index)
    owe(store, account, asset, high)
    if not liquidatable(store, account):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        owe(store, account, asset, middle)
        if liquidatable(store, account):
            high = middle
        else:
            low = middle
    return high


def hugging(rng: Random) -> Iterator[tuple[Store, int]]:
    """Accounts around their edges: the store they are in, and which they are."""
    columns = extreme_market(rng)
    store = plain_store(columns)
    for account in range(FIRST, FIRST + ACCOUNTS):
        asset = rng.randrange(store.globals.assets)
        shares = edge(store, account, asset)
        if shares is not None:
            for beside in (*BESIDE, -shares // 10, -shares // 2):
                owe(store, account, asset, max(1, shares + beside))
                yield store, account


def screen_of(store: Store) -> Rows[Screen]:
    """The screen for the prices in force."""
    screen = allocate_rows(Screen, store.globals.assets)
    prepare_screen(store, screen)
    return screen


def cleared(store: Store, screen: Rows[Screen], account: int) -> bool:
    """Whether the screen says that an account is healthy."""
    held = account_row(store, account).held
    return surely_healthy(screen, held, positions_of(store, account))


def verdicts(*, spoil: str | None = None) -> Counter[tuple[bool, bool]]:
    """How often accounts near their edges were cleared, and how often they were liquidatable.

    `spoil` takes the slack away and raises (or lowers) what a kind of number counts for.
    """
    rng = Random(7)
    seen: Counter[tuple[bool, bool]] = Counter()
    for _ in range(MARKETS):
        for store, account in hugging(rng):
            screen = screen_of(store)
            if spoil is not None:
                for asset in range(store.globals.assets):
                    row = screen[asset]
                    row.slack = 0
                    bound: Bound = getattr(row, spoil)
                    bound.factor += -2 if spoil == "debt" else 2
            seen[cleared(store, screen, account), liquidatable(store, account)] += 1
    return seen


def test_nobody_liquidatable_is_cleared_however_near_the_edge() -> None:
    seen = verdicts()
    assert seen[True, True] == 0
    assert seen[False, True] > 500
    assert seen[True, False] > 200, "the screen clears too little to be of use"
    assert seen[False, False] > 50, "nobody was near enough to be asked exactly"


@pytest.mark.slow
@pytest.mark.parametrize("spoil", ["balance", "claim", "debt"])
def test_a_screen_that_rounds_the_wrong_way_is_caught(spoil: str) -> None:
    assert verdicts(spoil=spoil)[True, True] > 0


def test_the_scan_finds_whom_the_exact_margin_finds() -> None:
    columns = populated(market(), 300, edge=Edge(0.2, -0.001))
    store = plain_store(columns)
    found = allocate(310)
    count = liquidatable_accounts(store, found)
    expected = [a for a in range(store.globals.accounts) if liquidatable(store, a)]
    assert [found[place] for place in range(count)] == expected
    assert len(expected) > 20
    screen = screen_of(store)
    asked = sum(not cleared(store, screen, account) for account in range(FIRST, 300))
    assert asked < 120, "the screen clears too little to be of use"


@pytest.mark.parametrize("owing", ["everybody", "nobody", "some"])
def test_a_scan_ends_where_the_accounts_end(owing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: they are looked at some at a time."""
    monkeypatch.setattr(scan, "AT_ONCE", 10)
    store = plain_store(populated(market(), 40, edge=Edge(0.3, -0.001)))
    last = store.globals.accounts
    for account in range(FIRST, last):
        if owing != "some":
            owe(store, account, 0, MOST_SHARES if owing == "everybody" else 0)
    found = allocate(last)
    expected: list[int] = []
    for accounts in range(last + 1):
        store.globals.accounts = accounts
        count = liquidatable_accounts(store, found)
        expected = [a for a in range(accounts) if liquidatable(store, a)]
        assert [found[place] for place in range(count)] == expected
    assert len(expected) == {"everybody": last - FIRST, "nobody": 0}.get(owing, len(expected))


@pytest.mark.parametrize("share", [0.0, 0.45])
def test_a_compiled_scan_ends_there_too(share: float) -> None:
    columns = populated(market(), 3 * scan.AT_ONCE, edge=Edge(share, -0.001))
    store = plain_store(columns)
    expected = [a for a in range(store.globals.accounts) if liquidatable(store, a)]
    assert bool(expected) == bool(share)
    for edge_of_some in (1, 2):
        for beside in range(-3, 4):
            accounts = edge_of_some * scan.AT_ONCE + beside
            columns["globals"][Globals.accounts] = accounts
            assert scanner(columns)().tolist() == [a for a in expected if a < accounts]


def test_sizes_beyond_the_flat_part_are_asked_exactly() -> None:
    store = plain_store(populated(market(), 20))
    screen = screen_of(store)
    account = next(a for a in range(4, 24) if account_row(store, a).debts)
    owed = account_row(store, account).debts.bit_length() - 1
    assert cleared(store, screen, account)
    row = position(store, account, owed)
    row.available = screen[owed].balance.largest + 1
    assert not cleared(store, screen, account)
    row.available -= 1
    assert cleared(store, screen, account)


def test_wide_numbers_have_as_many_bits_as_they_have() -> None:
    for bits in (0, 1, 61, 62, 63, 64, 100, 124):
        assert scan._bits((1 << bits) - 1) == bits
        assert scan._bits(1 << bits) == bits + 1
