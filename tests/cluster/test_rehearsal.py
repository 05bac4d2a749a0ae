"""Nodes and log servers are killed and paused under real clients, and nothing is lost."""

from pathlib import Path

import pytest

from tests.cluster.rehearsal import rehearse
from tests.sizes import sized

FAULTS = sized(2, 20, 200)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_doubled_or_out_of_order(tmp_path: Path) -> None:
    done = rehearse(tmp_path, FAULTS, seed=15)
    assert done.flaw is None
    assert sum(map(len, done.pauses.values())) == FAULTS
    assert done.orders > 10 * FAULTS
    assert done.reads > FAULTS
