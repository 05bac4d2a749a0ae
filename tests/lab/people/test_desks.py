"""Loopers, providers with books of their own, and whoever waits for a full pool: each changes what
a run comes to.
"""

from pathlib import Path

import pytest

from solvent.domain.commands import PlaceOrder, PostBackstop, Side
from solvent.domain.errors import InputError
from solvent.domain.events import Filled
from solvent.domain.labels import LegForm, SystemOrder
from solvent.domain.parameters import USDC
from solvent.domain.units import PRICE_SCALE, SECOND
from solvent.domain.waterfall_events import BackstopFilled, BackstopLeg
from solvent.lab.people.takeovers import Takeovers
from solvent.lab.prices.feed import PriceAt
from tests.lab.people.test_triggers import FALLS, FUND, acting, figures, pool, stage
from tests.lab.run_helpers import small

SOL, ME = 1, 9
TOKEN, MILLION = 10**9, 10**6
LOOPS = ('debt = "USDC"\ncushion', 'debt = "USDC"\nloops = 3\ncushion')
LENDS = "lent = true }]\nutilization = 0.8"
THIN = ("scale = 0.5", "scale = 0.01")
SOON = ('policy = "queue"', 'policy = "queue"\nnotice_seconds = 1')
IMPACT = (FUND, f"[impact]\nwhole = 1\nrecovery_seconds = 300\n{FUND}")


def provider(line: str) -> tuple[str, str]:
    return "equity = 20_000", f"equity = 20_000\n{line}"


def test_who_loops_owes_several_times_as_much(tmp_path: Path) -> None:
    """A loan is some 0.7 of the collateral: 1 + 0.7 + 0.5 + 0.3 times; only the last one leaves."""
    usual, found = figures(tmp_path), figures(tmp_path, LOOPS)
    owed, worth = (
        [float(each["parties"][table][place]["start"]) for each in (usual, found)]
        for table, place in (("holdings", 1), ("parties", 5))
    )
    assert usual["parties"]["holdings"][1]["role"] == "borrowers"
    assert usual["parties"]["parties"][5]["party"] == "longs"
    assert owed[1] < 2 * owed[0] < 0
    assert worth[0] < worth[1] < 100_000


def test_who_unwinds_sells_into_the_book(tmp_path: Path) -> None:
    """What a looper sells when prices fall moves the price on."""
    lines = ('group = "longs"', 'do = "unwind"', 'asset = "SOL"', "share = 0.3")
    unwinding = acting('when = { asset = "SOL", falls = 0.02 }', *lines)
    usual = figures(tmp_path, IMPACT)
    found = figures(tmp_path, IMPACT, unwinding)
    far = [float(each["impact"]["farthest_bp"]["SOL"]) for each in (usual, found)]
    assert far[1] > far[0]
    assert found["liquidated_accounts"] < usual["liquidated_accounts"]


def test_a_provider_with_a_loss_limit_takes_less_over(tmp_path: Path) -> None:
    usual = figures(tmp_path, THIN, SOON)
    strict, lax = (
        figures(tmp_path, THIN, SOON, provider(f"loss_limit = {limit}")) for limit in ("0.001", "1")
    )
    assert stage(strict, "backstop") < stage(usual, "backstop")
    assert stage(lax, "backstop") == stage(usual, "backstop")


def test_a_slow_liquidator_stands_in_the_way(tmp_path: Path) -> None:
    """Who sells again at once takes over more than who never does, or slowly."""
    deep = ("scale = 0.5", "scale = 0.1")
    never, slow, quick = (
        figures(tmp_path, deep, *more)
        for more in ((), [provider("unwind_seconds = 6000")], [provider("unwind_seconds = 30")])
    )
    taken = [stage(each, "backstop") for each in (never, slow, quick)]
    assert taken[0] <= taken[1] < taken[2]


@pytest.mark.parametrize(("full", "fires"), [("fills = 0.79", True), ("fills = 0.99", False)])
def test_a_full_pool_starts_a_panic(full: str, fires: bool, tmp_path: Path) -> None:
    """The pool begins at 0.8: the panic takes it from there to where it lets nobody go."""
    calm = ("2026-01-01T00:10:00Z, 150]]", "2026-01-01T00:10:00Z, 200]]")
    lines = ('group = "lenders"', 'do = "withdraw"', 'asset = "USDC"', "share = 1")
    panic = acting(f'when = {{ asset = "USDC", {full} }}', *lines)
    usual, found = (figures(tmp_path, calm, *more) for more in ((), (panic,)))
    ends = [pool(each, "USDC")["peak_utilization"] for each in (usual, found)]
    assert (ends[1] > ends[0] + 0.05) == fires


def test_a_sniper_who_waits_for_the_pool_leaves_with_what_comes_back(tmp_path: Path) -> None:
    lines = ('group = "lenders"', 'do = "withdraw"', 'asset = "USDC"', "share = 1")
    waits = 'when = { asset = "USDC", fills = 0.79 }'
    once, sniped = (
        figures(tmp_path, acting(waits, *lines, *more)) for more in ((), ("repeats = true",))
    )
    ends = [pool(each, "USDC")["end_utilization"] for each in (once, sniped)]
    assert ends[0] < ends[1]


def at(sol: int) -> PriceAt:
    return lambda asset: PRICE_SCALE * (1 if asset == USDC else sol)


def books(folder: Path) -> Takeovers:
    """A provider that took over 100 USDC of debt and 0.6 SOL for it, at 180."""
    found = Takeovers(ME, small(folder).parameters.assets)
    found.hear(BackstopFilled(1, 5, ME, USDC, PRICE_SCALE, 100 * MILLION, 100 * MILLION, 1, 0, 0))
    mark = 180 * PRICE_SCALE
    found.hear(BackstopLeg(1, 5, ME, SOL, mark, LegForm(0), 6 * TOKEN // 10, 108 * MILLION, 0))
    found.hear(BackstopLeg(1, 5, 0, SOL, mark, LegForm(0), TOKEN, 180 * MILLION, 0))
    return found


def test_a_providers_books_know_its_loss(tmp_path: Path) -> None:
    found = books(tmp_path)
    assert [found.loss(at(price)) for price in (180, 150)] == [-8 * MILLION, 10 * MILLION]


def filled(side: Side, quantity: int, quote: int) -> Filled:
    return Filled(1, SOL, 1, 2, ME, 3, side, 1, quantity, quote, 0, 0, 0, 0, SystemOrder(0))


def test_it_sells_evenly_and_offers_again_what_that_repays(tmp_path: Path) -> None:
    found = books(tmp_path)
    (order,) = found.orders(30 * SECOND, 60 * SECOND)
    assert (order.side, order.quantity, order.account) == (Side.ASK, 3 * TOKEN // 10, ME)
    (again,) = found.traded(filled(Side.ASK, 3 * TOKEN // 10, 45 * MILLION))
    assert again == PostBackstop(ME, USDC, 45 * MILLION)
    # 0.3 SOL at 150 against 55 USDC.
    assert found.loss(at(150)) == 10 * MILLION
    (rest,) = found.orders(600 * SECOND, 60 * SECOND)
    assert isinstance(rest, PlaceOrder)
    assert rest.quantity == 3 * TOKEN // 10
    (last,) = found.traded(filled(Side.ASK, 3 * TOKEN // 10, 60 * MILLION))
    assert last == PostBackstop(ME, USDC, 55 * MILLION)
    assert found.loss(at(1)) == -5 * MILLION
    assert not list(found.orders(600 * SECOND, 60 * SECOND))


def test_it_buys_back_what_it_owes_in_tokens(tmp_path: Path) -> None:
    found = Takeovers(ME, small(tmp_path).parameters.assets)
    found.hear(BackstopFilled(1, 5, ME, SOL, PRICE_SCALE, TOKEN, 180 * MILLION, 1, 0, 0))
    (order,) = found.orders(15 * SECOND, 60 * SECOND)
    assert (order.side, order.quantity) == (Side.BID, TOKEN // 4)
    (again,) = found.traded(filled(Side.BID, TOKEN // 4, 50 * MILLION))
    assert again == PostBackstop(ME, SOL, TOKEN // 4)
    assert found.loss(at(200)) == 200 * MILLION


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (provider("loss_limit = 0"), "providers[0].loss_limit"),
        (provider("unwind_seconds = 0"), "providers[0].unwind_seconds"),
        ((LENDS, f"{LENDS}\nloops = 2"), "groups[0].loops"),
        (
            acting(FALLS, 'group = "longs"', 'do = "unwind"', 'asset = "USDC"'),
            "actions[0].asset",
        ),
        (
            acting(
                'when = { asset = "SOL", falls = 0.1, fills = 0.9 }',
                'group = "longs"\ndo = "repay"\nasset = "USDC"',
            ),
            "actions[0].when.falls",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_field(
    change: tuple[str, str], field: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        small(tmp_path, change)
    assert caught.value.field == field
