"""Two releases in one cluster: node after node is ended and started as the next release."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.machines import machines
from tests.cluster.nats_servers import until
from tests.cluster.trials import Clients

pytestmark = pytest.mark.slow
NEXT = """
import sys
from solvent.cluster import frames, member
frames.VERSION = member.VERSION = 2
from solvent.cli import main
sys.exit(main())
"""
"""The next release, which writes frames of another form and reads those of this one."""


def order(client: Any) -> Any:
    return client.create_order("SOL/USDC", "limit", "buy", 0.01, 90)


def test_nodes_go_over_to_another_form_of_frames_one_at_a_time(tmp_path: Path) -> None:
    with machines(tmp_path) as cluster:
        cluster.start_all()
        placed: set[str] = set()

        def place() -> None:
            placed.update(cluster.clients().ask(order)[1]["id"] for _ in range(3))

        place()
        old = cluster.leader()
        for number in range(3):
            if number != old:
                assert cluster.end(number) == 0
                cluster.start(number, entry=("-c", NEXT))
                until(cluster.all_agree, 60)
                assert cluster.leader() == old
                place()
        # The last of this release hands over, and is told so where it is started as it was.
        assert cluster.end(old) == 0
        assert cluster.leader() != old
        place()
        assert cluster.start(old).wait(60) != 0
        said = cluster.said(old)
        assert "has form 2, and this release reads forms up to 1: install the release" in said
        place()
        cluster.start(old, entry=("-c", NEXT))
        until(cluster.all_agree, 60)
        for number in range(3):
            until(partial(rest, cluster.clients([number]), placed), 30)


def rest(clients: Clients, placed: set[str]) -> bool:
    _, found = clients.ask(lambda one: one.fetch_open_orders("SOL/USDC"))
    return placed <= {each["id"] for each in found}
