"""The packaged scenarios keep what they promise, whole: stages, directions, recovery, sums."""

from decimal import Decimal
from itertools import pairwise

import pytest

from solvent.domain.commands import COMMAND_KINDS, Borrow, Redeem, Withdraw, WithdrawBackstop
from solvent.domain.events import Refused
from solvent.domain.labels import AdlCase, Tier
from solvent.domain.rejections import Limit
from solvent.domain.waterfall_events import AdlLeg
from solvent.proof.invariants.invariants import check
from tests.lab.run_helpers import RUNNABLE, Kept, packaged
from tests.proof import proves

pytestmark = pytest.mark.slow

STAGES = (
    "book",
    "backstop",
    "adl_opposites",
    "adl_stuck_lender",
    "adl_borrower_default",
    "deficit",
)
CENT = Decimal("0.01")
COARSEST_ATOM = Decimal("0.0013")
"""An atom of BTC, in USDC: what a lender may get too much by rounding in his favour."""


def value(kept: Kept, stage: str) -> Decimal:
    """What a stage cleared, in USDC."""
    return Decimal(kept.stage(stage)["value"])


def assets_of(kept: Kept, case: AdlCase) -> set[str]:
    """Symbols of the assets in which rounds of a case were opened."""
    symbols = kept.figures["assets"]
    return {symbols[each.asset] for each in kept.engine.rounds if each.case is case}


@pytest.fixture
def crash() -> Kept:
    """The run of crash-2025-10-10."""
    return packaged("crash-2025-10-10")


@pytest.fixture
def stuck() -> Kept:
    """The run of weth-stuck-2026-04."""
    return packaged("weth-stuck-2026-04")


@pytest.fixture
def squeeze() -> Kept:
    """The run of short-squeeze."""
    return packaged("short-squeeze")


class TestCrash:
    """10 October 2025: book, backstop, opposites, and defaults in both directions."""

    @proves("A6", "I15")
    def test_the_stages_act_and_say_why(self, crash: Kept) -> None:
        for stage in ("book", "backstop", "adl_opposites", "adl_borrower_default"):
            assert value(crash, stage) > 100_000, stage
        for stage in ("backstop", "adl_opposites", "adl_borrower_default"):
            assert crash.stage(stage)["reasons"], stage

    @proves("A4", "I12")
    def test_the_pool_of_sol_passes_its_threshold_and_no_lender_is_stuck(self, crash: Kept) -> None:
        """Liquidations take it past the bound; opposites bring cash in before it is full.

        Full pools and stuck lenders are those of `weth-stuck-2026-04`.
        """
        pool = crash.pool("SOL")
        assert pool["start_utilization"] < pool["threshold"] < pool["peak_utilization"] < 1
        assert pool["minutes_above_threshold"] > pool["minutes_full"] == 0
        assert assets_of(crash, AdlCase.STUCK_LENDER) == set()
        assert value(crash, "adl_stuck_lender") == 0

    @proves("A12")
    def test_both_directions_of_default_occur(self, crash: Kept) -> None:
        """Longs owe USDC and their collateral falls; late shorts owe ETH and it rises."""
        assert assets_of(crash, AdlCase.BORROWER_DEFAULT) >= {"USDC", "ETH"}

    def test_most_is_closed_against_opposites_the_rest_goes_in_kind(self, crash: Kept) -> None:
        """Over four fifths keep their claims in the token; of the rest little is paid in USDC."""
        opposites = value(crash, "adl_opposites")
        assert opposites > 4 * value(crash, "adl_borrower_default")
        lenders = crash.figures["lenders"]
        for form in ("in_kind", "as_claims"):
            assert Decimal(lenders[form]) > 10_000, form
        assert 0 < Decimal(lenders["in_usdc"]) < Decimal(lenders["in_kind"])

    def test_late_borrowers_find_room_under_the_threshold(self, crash: Kept) -> None:
        """They double the use of ETH's pool and more, and nobody is refused.

        Refusals at the bound are those of `test_late_borrowers_take_what_the_bound_allows`, on a
        full pool those of `weth-stuck-2026-04`.
        """
        pool = crash.pool("ETH")
        assert 2 * pool["start_utilization"] < pool["peak_utilization"] < pool["threshold"]
        assert crash.figures["refused"] == 0


class TestStuckPool:
    """WETH in the shape of April 2026: eleven days at 100 %."""

    @proves("A4")
    def test_full_for_eleven_days(self, stuck: Kept) -> None:
        pool = stuck.pool("WETH")
        assert 10.5 * 24 * 60 <= pool["minutes_full"] <= 11.5 * 24 * 60
        assert pool["end_utilization"] < 1

    @proves("A4")
    def test_nobody_is_redeemed_meanwhile(self, stuck: Kept) -> None:
        limits = {
            event.limit
            for command, events in stuck.engine.said
            for event in events
            if isinstance(event, Refused) and isinstance(command, Redeem | Withdraw)
        }
        assert Limit.POOL_CASH in limits

    @proves("A7", "A8")
    def test_stuck_lenders_are_paid_what_they_owe_before_anything_else(self, stuck: Kept) -> None:
        """Most borrowers of WETH hold staked ether; who has USDC pays, in USDC, and no other."""
        assert stuck.stage("backstop")["reasons"].keys() == {"no_redeemable_cash"}
        assert value(stuck, "adl_stuck_lender") > 100_000
        assert assets_of(stuck, AdlCase.STUCK_LENDER) == {"WETH"}
        assert stuck.stage("adl_stuck_lender")["accounts"] > 20
        legs = [
            event
            for _, events in stuck.engine.said
            for event in events
            if isinstance(event, AdlLeg)
        ]
        symbols = stuck.figures["assets"]
        assert {(symbols[leg.asset], leg.tier) for leg in legs} == {("USDC", Tier.OWED)}
        wsteth = symbols.index("WSTETH")
        payers = {leg.giver for leg in legs}
        assert not any(stuck.state.accounts[payer].available[wsteth] for payer in payers)
        holders = [each for each in stuck.state.accounts if each.available[wsteth]]
        assert len(holders) > len(payers)
        assert value(stuck, "adl_borrower_default") == 0

    @proves("A1", "A2")
    def test_rates_are_those_of_the_source(self, stuck: Kept) -> None:
        """8.35 % at 100 % before the cut of 21 April, 5 % after."""
        curve = stuck.engine.state.parameters.assets[1].pool.curve
        assert curve.points == ((0, 0), (948_000_000, 24_174_000), (10**9, 50_000_000))


class TestSqueeze:
    """The borrowed token rises and cannot be bought back."""

    @proves("A12")
    def test_lenders_of_the_token_get_usdc(self, squeeze: Kept) -> None:
        assert assets_of(squeeze, AdlCase.BORROWER_DEFAULT) == {"SOL"}
        lenders = squeeze.figures["lenders"]
        assert Decimal(lenders["in_usdc"]) > 1_000_000
        assert Decimal(lenders["in_kind"]) == 0

    @proves("I29", "I32")
    def test_a_leap_leaves_a_deficit_once_an_account(self, squeeze: Kept) -> None:
        figures = squeeze.figures
        accounts = [each["account"] for each in figures["deficits"]]
        assert len(set(accounts)) == len(accounts) == squeeze.stage("deficit")["accounts"]
        total = sum(Decimal(each["value"]) for each in figures["deficits"])
        assert abs(total - value(squeeze, "deficit")) < CENT
        assert total > 10_000

    @proves("A11")
    def test_the_deficit_is_the_only_loss_of_lenders(self, squeeze: Kept) -> None:
        lenders = squeeze.figures["lenders"]
        lost = Decimal(lenders["owed"]) - Decimal(lenders["received"])
        assert abs(lost - Decimal(lenders["deficit"])) < CENT
        assert 0.9 < lenders["recovery"] < 1


class TestQuiet:
    """The control."""

    @proves("I7")
    def test_nobody_is_liquidated_and_nothing_refused(self) -> None:
        quiet = packaged("quiet")
        assert quiet.figures["liquidated_accounts"] == 0
        assert quiet.figures["refused"] == 0
        assert all(value(quiet, stage) == 0 for stage in STAGES)
        assert quiet.figures["lenders"]["recovery"] is None
        assert quiet.figures["deficits"] == []
        assert quiet.figures["conservation"]["settlements"] == 0


@pytest.mark.parametrize("name", RUNNABLE)
class TestEveryRun:
    """What holds for every run."""

    @proves("A10", "I23")
    def test_no_match_changes_what_anybody_is_worth(self, name: str) -> None:
        """Three atoms at most: one a side for shares, one for the last asset handed over."""
        conservation = packaged(name).figures["conservation"]
        assert Decimal(conservation["largest_drift_atoms"]) <= 4
        assert Decimal(conservation["largest_drift_usdc"]) < CENT

    @proves("A8", "I23")
    def test_lenders_get_what_they_gave_up_and_fees_but_for_deficits(self, name: str) -> None:
        """The fee of a default that is settled in kind goes to the lender on top of par."""
        kept = packaged(name)
        lenders = kept.figures["lenders"]
        owed, deficit = Decimal(lenders["owed"]), Decimal(lenders["deficit"])
        received = Decimal(lenders["received"])
        settlements = kept.figures["conservation"]["settlements"]
        at_par = received - Decimal(lenders["fees"])
        assert -CENT < at_par + deficit - owed <= settlements * COARSEST_ATOM
        forms = ("in_token", "in_usdc", "in_kind", "as_claims")
        assert abs(sum(Decimal(lenders[form]) for form in forms) - received) < CENT
        matched = value(kept, "adl_stuck_lender") + value(kept, "adl_borrower_default")
        assert abs(matched + deficit - owed) < CENT

    @proves("I1", "I2", "I3")
    def test_books_balance_at_the_end(self, name: str) -> None:
        state = packaged(name).state
        assert check(state) == []
        for asset, pool in enumerate(state.pools):
            held = sum(each.available[asset] + each.locked[asset] for each in state.accounts)
            assert held + pool.cash == -state.external[asset]

    def test_everybody_counted_once(self, name: str) -> None:
        figures = packaged(name).figures
        ended = figures["restored_accounts"] + figures["closed_accounts"]
        left = len(packaged(name).state.liquidating)
        assert figures["liquidated_accounts"] == ended + left
        assert figures["accounts"] < len(packaged(name).state.accounts)

    def test_shares_add_up(self, name: str) -> None:
        shares = [stage["share"] for stage in packaged(name).figures["stages"]]
        assert [stage["stage"] for stage in packaged(name).figures["stages"]] == list(STAGES)
        assert sum(shares) == pytest.approx(1 if any(shares) else 0)

    def test_series_end_where_figures_do(self, name: str) -> None:
        kept = packaged(name)
        series, figures = kept.result.series, kept.figures
        steps = figures["steps"]
        rows = [series["times"], series["liquidating"], *series["lenders"].values()]
        for group in ("marks", "utilization", "bound", "stage_value"):
            rows += series[group].values()
        assert {len(row) for row in rows} == {steps}
        assert series["times"][-1] == figures["end"]
        for stage in STAGES:
            values = series["stage_value"][stage]
            assert all(earlier <= later for earlier, later in pairwise(values))
            assert values[-1] == pytest.approx(float(value(kept, stage)))
        for pool in figures["pools"]:
            levels = series["utilization"][pool["asset"]]
            assert levels[-1] == pool["end_utilization"]
            assert max(*levels, pool["start_utilization"]) == pool["peak_utilization"]
            assert series["threshold"][pool["asset"]] == pool["threshold"]

    def test_counts_are_what_was_said(self, name: str) -> None:
        kept = packaged(name)
        said = kept.engine.said
        assert kept.figures["commands"] == len(said)
        assert kept.figures["events"] == sum(len(events) for _, events in said)
        refused = [event for _, events in said for event in events if isinstance(event, Refused)]
        assert kept.figures["refused"] == len(refused)
        kinds = {COMMAND_KINDS[event.command] for event in refused}
        assert kinds <= {Withdraw, Borrow, WithdrawBackstop}
