"""People, makers and providers: sizes, loans and ladders are what the scenario says."""

from pathlib import Path
from statistics import fmean, median, pstdev

import pytest

from solvent.domain.commands import CancelAllOrders, PlaceOrder, Side
from solvent.domain.events import Filled
from solvent.domain.labels import SystemOrder
from solvent.domain.units import PRICE_SCALE, RATIO
from solvent.lab.people.market_makers import MarketMakers
from solvent.lab.people.population import Population, crowd
from solvent.lab.people.sampling import draw_between, draw_normal, draw_size, exponential
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.scenario.model import Scenario
from solvent.reference.ledger import claim_of, debt_of
from tests.lab.run_helpers import keep, packaged, small
from tests.proof import proves


def people(scenario: Scenario, accounts: int | None = None, seed: int = 7) -> Population:
    """The population at 200 USDC a token."""
    prices = (PRICE_SCALE, 200 * PRICE_SCALE)
    return Population(
        scenario, crowd(scenario, accounts), seed, 2, lambda _: lambda asset: prices[asset]
    )


class TestDraws:
    """Integers from a seed."""

    @pytest.mark.parametrize(
        ("exponent", "power"),
        [(0, RATIO), (RATIO, 2_718_281_828), (-RATIO, 367_879_441), (6 * RATIO, 403_428_793_493)],
    )
    def test_exponential(self, exponent: int, power: int) -> None:
        assert exponential(exponent) == pytest.approx(power, rel=1e-8)

    def test_normal_has_mean_nought_and_variance_one(self) -> None:
        draws = [draw_normal(1, place) / RATIO for place in range(4000)]
        assert fmean(draws) == pytest.approx(0, abs=0.05)
        assert pstdev(draws) == pytest.approx(1, abs=0.05)

    def test_sizes_lie_around_the_median(self) -> None:
        sizes = [draw_size(10_000, RATIO, 1, place) for place in range(2001)]
        assert median(sizes) == pytest.approx(10_000, rel=0.1)
        assert draw_size(10_000, 0, 1, 1) == 10_000

    def test_between_reaches_both_ends(self) -> None:
        assert {draw_between(3, 5, 1, place) for place in range(100)} == {3, 4, 5}


class TestPeople:
    """Accounts as groups describe them."""

    def test_accounts_are_numbered_in_line_and_mixed(self, tmp_path: Path) -> None:
        members = people(small(tmp_path)).members
        assert [member.account for member in members] == list(range(2, 18))
        names = [member.group.name for member in members]
        assert names != sorted(names)
        assert names.count("longs") == 10

    def test_more_accounts_keep_shares(self, tmp_path: Path) -> None:
        names = [member.group.name for member in people(small(tmp_path), 160).members]
        assert names.count("longs") == pytest.approx(100, abs=1)

    @pytest.mark.parametrize("seed", [1, 2])
    def test_a_group_s_total_is_not_drawn(self, tmp_path: Path, seed: int) -> None:
        """Ten times the mean of a log-normal: 10,000 * exp(0.8^2 / 2)."""
        scenario = small(tmp_path, ("size = 10_000", "size = 10_000\nspread = 0.8"))
        members = people(scenario, seed=seed).members
        sizes = [200 * member.held(1) / 10**9 for member in members if member.held(1)]
        assert sum(sizes) == pytest.approx(10 * 10_000 * 1.377128, rel=1e-5)
        assert max(sizes) > 2 * min(sizes)

    @proves("A5", "A13")
    def test_loans_leave_the_cushion(self, tmp_path: Path) -> None:
        """10,000 USDC of SOL weigh 9,000; maintenance is 3 %, so debt = 9,000 / 1.03 / (1 + c)."""
        for member in people(small(tmp_path)).members:
            if member.group.name == "longs":
                cushion = 9_000 * 10**6 / 1.03 / member.debt - 1
                assert 0.0999 <= cushion <= 0.5001

    def test_loans_never_pass_initial_margin(self, tmp_path: Path) -> None:
        """A small cushion: the loan stops at ten times leverage, the debt at 9,000 / 1.1."""
        scenario = small(tmp_path, ("cushion = [0.1, 0.5]", "cushion = [0, 0.069]"))
        debts = {m.debt for m in people(scenario).members if m.group.name == "longs"}
        (debt,) = debts
        assert debt == pytest.approx(9_000 * 10**6 / 1.101, rel=1e-6)
        assert keep(scenario).figures["refused"] == 0

    def test_the_filling_group_makes_the_utilization(self, tmp_path: Path) -> None:
        members = people(small(tmp_path)).members
        lent = sum(member.held(0) for member in members)
        owed = sum(member.debt for member in members)
        assert owed / lent == pytest.approx(0.8, abs=1e-6)

    def test_settings_reach_the_engine(self, tmp_path: Path) -> None:
        extra = "cushion = [0.1, 0.5]\nsettings = { auto_repay_borrows = true, leverage_limit = 5 }"
        kept = keep(small(tmp_path, ("cushion = [0.1, 0.5]", extra)))
        chosen = [each for each in kept.state.accounts if each.auto_repay_borrows]
        assert len(chosen) == 10
        assert {each.leverage_limit for each in chosen} == {5 * RATIO}

    def test_kept_loans_stay(self, tmp_path: Path) -> None:
        text = ("cushion = [0.1, 0.5]", "cushion = [0.4, 0.5]\nkeeps_loan = true")
        kept = keep(small(tmp_path, text))
        owing = [n for n, each in enumerate(kept.state.accounts) if each.debt_shares[0]]
        assert any(
            kept.state.accounts[n].available[0] >= debt_of(kept.state, n, 0) / 2 for n in owing
        )

    def test_deeds(self, tmp_path: Path) -> None:
        """Longs repay all; then lenders withdraw what they lent, all but the interest."""
        actions = "".join(
            f"[[actions]]\nat = 2026-01-01T00:0{minute}:00Z\ngroup = {group!r}\ndo = {deed!r}\n"
            f"asset = 'USDC'\n{rest}"
            for minute, group, deed, rest in (
                (1, "longs", "repay", "share = 1.1\n"),
                (4, "lenders", "withdraw", "spread_over = 120\n"),
            )
        )
        kept = keep(small(tmp_path, ("[depth]\n", actions + "[depth]\n")))
        assert kept.figures["liquidated_accounts"] == 0
        assert kept.pool("USDC")["end_utilization"] == 0
        claims = sum(claim_of(kept.state, n, 0) for n in range(2, len(kept.state.accounts)))
        assert claims < 10 * 10**6
        assert kept.pool("USDC")["start_utilization"] > 0.7
        assert kept.result.series["utilization"]["USDC"] == [0] * 10


class TestLadders:
    """Books as deep as the scenario says, and thinner as it says."""

    def test_depth_is_bands_times_scale_times_thinning(self, tmp_path: Path) -> None:
        scenario = small(tmp_path)
        makers = MarketMakers(scenario, crowd(scenario, None), 2)
        (maker,) = makers.makers
        assert makers.multiplier(0) == RATIO
        assert makers.multiplier(300 * 10**6) == RATIO * 3 // 4
        assert makers.multiplier(900 * 10**6) == RATIO // 2
        orders = list(maker.quotes(200 * PRICE_SCALE, RATIO // 2))
        assert isinstance(orders[0], CancelAllOrders)
        quotes = [order for order in orders if isinstance(order, PlaceOrder)]
        # Half of half of 20,000 USDC at 20 bp, of the next 30,000 at 40 bp: 25 and 37.5 SOL.
        assert [(q.side, q.price / PRICE_SCALE, q.quantity / 10**9) for q in quotes] == [
            (Side.BID, 199.6, 25.0),
            (Side.ASK, 200.4, 25.0),
            (Side.BID, 199.2, 37.5),
            (Side.ASK, 200.8, 37.5),
        ]
        assert all(quote.post_only for quote in quotes)

    @pytest.mark.parametrize("asked", [1, 3, 15])
    def test_what_is_eaten_comes_back_by_the_second(self, asked: int, tmp_path: Path) -> None:
        """However often the maker is asked, from the far end of the ladder on."""
        scenario = small(tmp_path, ("scale = 0.5", "scale = 0.5\nrecovery_seconds = 30"))
        makers = MarketMakers(scenario, crowd(scenario, None), 2)
        price = 200 * PRICE_SCALE

        def bids(second: int) -> list[float]:
            orders = makers.quotes(second * 10**6, 0, lambda _: price)
            placed = (order for order in orders if isinstance(order, PlaceOrder))
            return [each.quantity / 10**9 for each in placed if each.side is Side.BID]

        assert bids(1000) == [50.0, 75.0]
        # Sales of 15,000 USDC: the nearest level (10,000 USDC) and a third of the next.
        fill = Filled(
            1,
            1,
            9,
            8,
            7,
            2,
            Side.ASK,
            price,
            75 * 10**9,
            15_000 * 10**6,
            0,
            0,
            0,
            0,
            SystemOrder.USER,
        )
        makers.take_note(fill)
        assert bids(1000) == [50.0]
        found = [bids(1000 + 15 * step // asked) for step in range(1, asked + 1)][-1]
        # Half of the ladder of 25,000 USDC is back after half the time.
        assert found == pytest.approx([37.5, 75.0], abs=0.002)
        assert bids(1015 + 30) == [50.0, 75.0]

    def test_depth_grows_with_the_crowd(self, tmp_path: Path) -> None:
        scenario = small(tmp_path)
        (maker,) = MarketMakers(scenario, crowd(scenario, 32), 2).makers
        assert sum(depth for _, depth in maker.levels) == 50_000 * 10**6

    @pytest.mark.slow
    @proves("A6")
    def test_liquidations_eat_the_makers_quotes(self) -> None:
        kept = packaged("crash-2025-10-10", 200)
        fills = [
            event for _, events in kept.engine.said for event in events if isinstance(event, Filled)
        ]
        assert fills
        assert {fill.maker for fill in fills} <= {2, 3, 4}
        assert {fill.system_order for fill in fills} == {SystemOrder.BOOK_LIQUIDATION}


class TestBacking:
    """Providers and the fund."""

    STEADY = ("[2026-01-01T00:10:00Z, 150]]", "[2026-01-01T00:10:00Z, 201]]")

    def test_providers_commit_and_the_fund_has_its_balance(self, tmp_path: Path) -> None:
        kept = keep(small(tmp_path, self.STEADY))
        assert kept.figures["liquidated_accounts"] == 0
        assert kept.state.accounts[0].available[0] == 1_000 * 10**6
        providers = kept.state.accounts[3:5]
        assert [each.committed[0] for each in providers] == [5_000 * 10**6] * 2
        assert [each.available[0] for each in providers] == [20_000 * 10**6] * 2

    def test_backing_grows_with_the_crowd(self, tmp_path: Path) -> None:
        kept = keep(small(tmp_path, self.STEADY), accounts=32)
        assert kept.state.accounts[0].available[0] == 2_000 * 10**6
        assert kept.state.accounts[3].committed[0] == 10_000 * 10**6
        assert kept.state.accounts[3].available[0] == 40_000 * 10**6

    def test_every_packaged_scenario_has_someone_behind_it(self) -> None:
        assert load_scenario("quiet").providers
        assert load_scenario("quiet").fund > 0
