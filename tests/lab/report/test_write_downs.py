"""A lender's part of every loss: all parts are the pools' losses, and what is left is his claim."""

from collections import defaultdict
from decimal import Decimal
from itertools import chain

import pytest

from solvent.domain.commands import Lend, Redeem
from solvent.domain.waterfall_events import PoolWrittenDown
from solvent.lab.report.people_sheets import written_down_sheet
from solvent.lab.scenario.catalog import load_scenario
from tests.lab.run_helpers import Kept, keep
from tests.proof import proves

DEFICIT_SHOWN = Decimal("0.01")


@pytest.fixture(scope="module")
def squeezed() -> Kept:
    """A run in which shorts cannot pay, so that lenders of SOL lose."""
    return keep(load_scenario("short-squeeze"), accounts=60)


@proves("I38")
def test_the_parts_of_all_lenders_are_what_pools_lost(squeezed: Kept) -> None:
    lost: dict[str, int] = defaultdict(int)
    bookings = 0
    for event in chain.from_iterable(events for _, events in squeezed.engine.said):
        if isinstance(event, PoolWrittenDown):
            lost[squeezed.state.parameters.assets[event.asset].symbol] += event.lenders
            bookings += 1
    rows = squeezed.figures["written_down"]
    assert sum(lost.values()) > 0
    for asset in squeezed.state.parameters.assets:
        own = [row for row in rows if row["asset"] == asset.symbol]
        told = sum(int(Decimal(row["lost"]).scaleb(asset.decimals)) for row in own)
        # Pools round their claims once a booking, and the record rounds each lender down.
        assert abs(told - lost[asset.symbol]) <= bookings + len(own)
    value = sum(Decimal(row["value"]) for row in rows)
    assert abs(value - Decimal(squeezed.figures["lenders"]["deficit"])) < DEFICIT_SHOWN


def test_the_largest_loss_comes_first_and_the_report_shows_all(squeezed: Kept) -> None:
    rows = squeezed.figures["written_down"]
    values = [Decimal(row["value"]) for row in rows]
    assert values == sorted(values, reverse=True)
    assert len({(row["account"], row["asset"]) for row in rows}) == len(rows) > 1
    assert len(written_down_sheet(squeezed.figures).rows) == len(rows)


@proves("I38")
def test_lenders_of_a_pool_lose_in_proportion_to_their_claims(squeezed: Kept) -> None:
    """Of two who never moved their claims both lost the same part of what they have left."""
    engine, symbols = squeezed.engine, ["USDC", "SOL"]
    parts = []
    for row in squeezed.figures["written_down"]:
        asset = symbols.index(row["asset"])
        moved = [
            command
            for command, _ in engine.said
            if isinstance(command, Lend | Redeem) and command.account == row["account"]
        ]
        left = engine.queries.balances(row["account"])[asset].lent
        if asset == 1 and len(moved) == 1 and left:
            lost = Decimal(row["lost"]).scaleb(squeezed.state.parameters.assets[asset].decimals)
            parts.append(lost / left)
    assert len(parts) > 1
    assert max(parts) - min(parts) < Decimal("0.000001") * max(parts)
