"""Keeping: a served market's histories keep what its rule says, and the journal everything."""

import asyncio
from pathlib import Path

from solvent.domain.commands import Deposit, OpenAccount, TimeStep
from solvent.domain.units import HOUR, SECOND
from solvent.history.followers.candles import DAY
from solvent.history.retention import Keep
from solvent.service.core.opening import Start, open_node
from solvent.service.core.records import commands_record
from tests.tables.market import plain_parameters

ANN, USDC, WAIT = 2, 0, 30
SWEEPS = 60
"""Writes in which a sweep that began before is ended, and another one made."""


def deposits(folder: Path, keep: Keep | None, days: int) -> int:
    """A life in which somebody gets tokens each day; how many times the histories know of."""
    node = open_node(folder, Start(plain_parameters()), keep=keep)
    writer = node.sequencer
    writer.start()
    node.views_writer.start()
    writer.submit(commands_record(0, [OpenAccount(ANN)])).result(WAIT)
    now = plain_parameters().start_time
    for day in range(days):
        at = now + (day + 1) * DAY
        writer.submit(commands_record(at, [TimeStep(at), Deposit(ANN, USDC, 5)])).result(WAIT)
        assert node.views_writer.wait_for(node.market.commands)
    for second in range(SWEEPS):
        at = now + days * DAY + 2 * HOUR + second * SECOND
        writer.submit(commands_record(at, [TimeStep(at)])).result(WAIT)
        assert node.views_writer.wait_for(node.market.commands)
    with node.views_writer.lock:
        views = node.views_writer.views
        assert views is not None
        found = views.deposits(ANN).total
    asyncio.run(node.close())
    return found


def test_what_is_older_than_the_rule_goes_while_the_market_runs(tmp_path: Path) -> None:
    """S07: the histories of days that nobody keeps do not grow without end."""
    kept = deposits(tmp_path / "kept", Keep.of_days(3), 10)
    assert 3 <= kept <= 4
    assert deposits(tmp_path / "whole", None, 10) == 10


def test_unfilled_orders_are_kept_a_week_at_most() -> None:
    assert Keep.of_days(90) == Keep(90 * DAY, 7 * DAY) == Keep()
    assert Keep.of_days(2) == Keep(2 * DAY, 2 * DAY)
