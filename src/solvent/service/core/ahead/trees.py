"""Trees: certificates and proofs, as the process apart makes them, which keeps the last tree."""

from typing import NamedTuple

import msgspec
from nacl.signing import SigningKey

from solvent.engine.engine import FastEngine
from solvent.engine.memory.rows import Pool
from solvent.solvency.certificate import Certificate, from_text, to_text
from solvent.solvency.proofs import Prover
from solvent.solvency.proofs import to_text as proof_text
from solvent.solvency.survey import Flows, certify


class Moment(NamedTuple):
    """What names a market between two batches: time in microseconds, commands, journal's digest."""

    market: str
    time: int
    commands: int
    journal: str


class Trees:
    """Makes certificates, and proofs out of the tree of the last one."""

    def __init__(self) -> None:
        self._latest: tuple[Certificate, Prover] | None = None

    def certify(self, state: bytes, told: bytes, secret: bytes, previous: bytes) -> bytes:
        """The text of the certificate of a snapshot, after the one before if there is one."""
        moment = msgspec.msgpack.decode(told, type=Moment)
        before = from_text("previous", previous.decode()) if previous else None
        engine = FastEngine.restore(state)
        self._latest = certify(
            engine.queries,
            flows_since(engine, before),
            SigningKey(secret),
            market=moment.market,
            time=moment.time,
            commands=moment.commands,
            journal=moment.journal,
            previous=before,
        )
        return to_text(self._latest[0]).encode()

    def prove(self, account: bytes) -> bytes:
        """The text of an account's proof; empty where no certificate counts it."""
        if self._latest is None:
            return b""
        certificate, prover = self._latest
        try:
            return proof_text(prover.prove(int(account), certificate.digest)).encode()
        except KeyError:
            return b""


def flows_since(engine: FastEngine, previous: Certificate | None) -> Flows:
    """What came in or left since the certificate before, net, and what was lost so far."""
    flows = Flows()
    outside = engine.columns.table("pools", Pool.WIDTH)[:, Pool.external].tolist()
    for asset, external in enumerate(outside):
        before = 0
        if previous is not None:
            each = previous.assets[asset]
            before = each.balances + each.cash
        change = -external - before
        flows.deposited[asset] = max(0, change)
        flows.withdrawn[asset] = max(0, -change)
        flows.lost[asset] = engine.queries.pool(asset).deficit
    return flows
