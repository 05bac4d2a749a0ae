"""`solvent cluster hand-over`: another node leads, at once."""

import time
from pathlib import Path

WAIT_SECONDS = 10.0
LOOK_SECONDS = 0.05


def hand_over(file: Path, /) -> int:
    """Let another node lead, without a wait for silence. Exit code 1 where none does.

    Parameters
    ----------
    file
        The cluster's file, cluster.toml, with its secret beside it.
    """
    from solvent.cli.cluster.asking import ask_all
    from solvent.cli.cluster.settings import read_cluster
    from solvent.cluster.peers import PeerError, ask
    from solvent.domain.errors import InputError

    settings = read_cluster(file)
    leaders = {n: at for n, at in ask_all(settings).answered.items() if at.part == "leads"}
    if not leaders:
        raise InputError(str(file), "node", "leads nowhere that answers; see cluster status")
    number, leader = max(leaders.items(), key=lambda each: each[1].epoch)
    began = time.monotonic()
    try:
        ask(settings.nodes[number].peer, settings.secret, f"hand-over/{leader.epoch}")
    except PeerError as error:
        raise InputError(str(file), "node", str(error)) from error
    while time.monotonic() - began < WAIT_SECONDS:
        for other, at in ask_all(settings).answered.items():
            if at.part == "leads" and at.epoch > leader.epoch:
                took = time.monotonic() - began
                print(f"node {other} leads in epoch {at.epoch}, after {took:.2f} s")
                return 0
        time.sleep(LOOK_SECONDS)
    print(f"no node leads {WAIT_SECONDS:.0f} s after node {number} was asked to hand over")
    return 1
