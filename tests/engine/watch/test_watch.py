"""The margin watch against asking every account, and the certificates that it rests on."""

from collections.abc import Callable
from random import Random

import pytest

from solvent.domain.units import INDEX_SCALE
from solvent.engine.ledger import account_row, is_stale, mark_of, pool_row, position
from solvent.engine.margin import Doubt, first_asset, health_of, is_liquidatable, liquidatable
from solvent.engine.memory.store import Store
from solvent.engine.watch import certificates
from solvent.engine.watch.certificates import Certificate
from solvent.kernels.machine import Machine, compile_kernels
from tests.engine.watch.crowd import KERNELS, Crowd

Certify = Callable[[Store, int], Certificate]


@pytest.fixture(scope="module")
def machine() -> Machine:
    """The crowd's kernels, compiled."""
    return compile_kernels(KERNELS)


def follow(crowd: Crowd, steps: int) -> int:
    """Compare the watch with asking everyone while everything moves; how many it found."""
    found = 0
    for _ in range(steps):
        expected = crowd.expected()
        assert crowd.found() == expected
        found += len(expected)
        crowd.mark_some(expected)
        for _ in range(crowd.rng.randint(1, 3)):
            crowd.change()
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_watch_finds_whom_asking_everyone_finds(seed: int) -> None:
    assert follow(Crowd(seed, 120), 60) > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_a_compiled_watch_finds_them_among_many(seed: int, machine: Machine) -> None:
    assert follow(Crowd(seed, 1500, machine), 150) > 0


@pytest.mark.parametrize("seed", range(10))
def test_the_watch_follows_holders_of_what_is_stale(seed: int, machine: Machine) -> None:
    crowd = Crowd(seed, 1000, machine)
    crowd.store.rules.stale_doubt = 10**10
    for asset in range(1, crowd.assets):
        crowd.store.prices[asset].stale = 1
    for account in crowd.accounts:
        crowd.place(account)
    for _ in range(60):
        expected = crowd.expected()
        assert crowd.found() == expected
        for account in expected:
            account_row(crowd.store, account).is_liquidating = 1
        crowd.accrue(crowd.rng.randrange(crowd.assets))


def test_what_is_owed_can_be_received_to_one_s_harm(machine: Machine) -> None:
    """While a price is stale a debt counts for less, but not as far as the same asset is held."""
    harmed = 0
    for seed in range(10):
        crowd = Crowd(seed, 1000, machine)
        crowd.store.rules.stale_doubt = 10**11
        for asset in range(1, crowd.assets):
            crowd.store.prices[asset].stale = 1
        for account in crowd.accounts:
            crowd.place(account)
        crowd.mark_some(crowd.found())
        for account in crowd.accounts:
            owed = account_row(crowd.store, account).debts
            crowd.receive(account, first_asset(owed))
        expected = crowd.expected()
        assert crowd.found() == expected
        harmed += len(expected)
    assert harmed > 0


def test_small_moves_ask_few(machine: Machine) -> None:
    asked = watches = 0
    for seed in range(10):
        crowd = Crowd(seed, 2000, machine)
        for asset in range(crowd.assets):
            crowd.store.prices[asset].stale = 0
        for account in crowd.accounts:
            crowd.lighten(account)
        for account in crowd.found():
            account_row(crowd.store, account).is_liquidating = 1
        before = crowd.store.watch.asked
        for _ in range(20):
            crowd.move_little()
            assert crowd.found() == crowd.expected()
            watches += len(crowd.accounts)
        asked += crowd.store.watch.asked - before
    assert asked < watches // 10


# Certificates.


def exactly(s: Store, account: int) -> Certificate:
    """What is certified of an account by its health."""
    return certificates.certify(s, account, health_of(s, account, Doubt.FOR_ACCOUNT))


@pytest.mark.parametrize("certify", [exactly, certificates.certify_at_a_glance])
def test_a_certificate_holds_up_to_its_triggers(certify: Certify, machine: Machine) -> None:
    certified = 0
    for seed in range(40):
        crowd = Crowd(seed, 60, machine)
        crowd.found()
        for account in crowd.accounts:
            certified += check_certificate(crowd, account, certify)
    assert certified > 200


def check_certificate(crowd: Crowd, account: int, certify: Certify) -> bool:
    """At its triggers, and anywhere within them, a certified account is healthy."""
    s = crowd.store
    if is_liquidatable(health_of(s, account, Doubt.FOR_ACCOUNT)):
        return False
    certificate = certify(s, account)
    if certificate.interest <= 0:
        return False
    columns = s.prices.numbers, s.pools.numbers
    kept = [list(column) for column in columns]
    ranges = [allowed(s, account, asset, certificate) for asset in range(s.globals.assets)]
    for extreme in (True, True, True, False, False):
        for asset, (low, high) in enumerate(ranges):
            move_within(s, asset, low, high, crowd.rng, extreme=extreme)
        assert not liquidatable(s, account)
        for column, numbers in zip(columns, kept, strict=True):
            for place, number in enumerate(numbers):
                column[place] = number
    return True


def allowed(s: Store, account: int, asset: int, certificate: Certificate) -> tuple[int, int]:
    """The lowest mark and the highest price of debt that triggers let pass."""
    low, high = 1, 3 * certificates.debt_price(s, asset)
    if certificate.holds >> asset & 1:
        low = certificates.lowest_mark(s, asset, certificate.fall)
    if position(s, account, asset).debt_shares:
        assert certificate.owes >> asset & 1
        rise = certificate.rise if asset else certificate.interest
        high = certificates.highest_debt_price(s, asset, rise)
    return low, high


def move_within(s: Store, asset: int, low: int, high: int, rng: Random, *, extreme: bool) -> None:
    """Move a mark and the indices as far as a range allows, or anywhere within it."""
    if is_stale(s, asset):
        return
    pool = pool_row(s, asset)
    mark = mark_of(s, asset)
    highest = high * INDEX_SCALE // pool.debt_index
    low = max(low, mark // 2)
    if asset and low <= highest:
        mark = rng.choice((low, highest)) if extreme else rng.randint(low, highest)
    s.prices[asset].mark = mark
    dearest = min(2 * pool.debt_index, high * INDEX_SCALE // mark)
    if dearest > pool.debt_index:
        pool.debt_index = dearest if extreme else rng.randint(pool.debt_index, dearest)
    pool.lend_index += rng.choice((0, 1, 10**12))
