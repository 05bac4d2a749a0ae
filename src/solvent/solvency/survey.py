"""Where a certificate's numbers come from: an engine's readings, and flows since the last one."""

from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from nacl.signing import SigningKey

from solvent.domain.events import Deposited, Event, Withdrawn
from solvent.domain.queries import Queries
from solvent.domain.waterfall_events import PoolWrittenDown
from solvent.solvency.certificate import AssetStatement, Certificate, sign
from solvent.solvency.proofs import Prover
from solvent.solvency.statements import KINDS, SEED_BYTES, Holdings, Terms

FUND = 0
"""The account of the backstop fund."""

PARTS = 4


@dataclass
class Flows:
    """What came in, left and was lost, by asset; feed it the events of `KINDS`."""

    KINDS = (Deposited, Withdrawn, PoolWrittenDown)

    deposited: dict[int, int] = field(default_factory=dict)
    withdrawn: dict[int, int] = field(default_factory=dict)
    lost: dict[int, int] = field(default_factory=dict)

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, Deposited):
            counted, quantity = self.deposited, event.quantity
        elif isinstance(event, Withdrawn):
            counted, quantity = self.withdrawn, event.quantity
        else:
            assert isinstance(event, PoolWrittenDown)
            counted, quantity = self.lost, event.lenders
        counted[event.asset] = counted.get(event.asset, 0) + quantity

    def next_period(self) -> None:
        """Begin the flows of another certificate; losses are counted from the beginning."""
        self.deposited.clear()
        self.withdrawn.clear()


def holdings(queries: Queries) -> Holdings:
    """What every account has and owes."""
    accounts = np.arange(queries.accounts())
    sums = np.empty((len(accounts), KINDS * len(queries.parameters.assets)), dtype=np.int64)
    for account in range(len(accounts)):
        sums[account] = [
            number
            for balance in queries.balances(account)
            for number in (balance.available + balance.locked, balance.lent, balance.debt)
        ]
    return Holdings(accounts, sums)


def terms(secret: SigningKey, market: str, number: int, journal: str, parts: int = PARTS) -> Terms:
    """How a certificate is cut: made again from the market's key, and from nothing else."""
    content = f"{market} {number} {journal}".encode()
    nonce = blake2b(content, digest_size=SEED_BYTES).digest()
    seed = blake2b(b"solvency" + nonce, digest_size=SEED_BYTES, key=bytes(secret)).digest()
    return Terms(nonce, seed, parts)


def certify(
    queries: Queries,
    flows: Flows,
    secret: SigningKey,
    *,
    market: str,
    time: int,
    commands: int,
    journal: str,
    previous: Certificate | None = None,
    number: int | None = None,
    parts: int = PARTS,
) -> tuple[Certificate, Prover]:
    """The signed certificate of an engine's state, and the prover of its accounts.

    Its number follows that of the one before, unless it is given.
    """
    if number is None:
        number = 1 if previous is None else previous.number + 1
    cut = terms(secret, market, number, journal, parts)
    accounts = holdings(queries)
    assets = queries.parameters.assets
    prover = Prover(accounts, cut)
    fund = accounts.of(FUND).sums
    statements = []
    for place, asset in enumerate(assets):
        balances, claims, debts = prover.root.sums[KINDS * place :][:KINDS]
        pool = queries.pool(place)
        statements.append(
            AssetStatement(
                symbol=asset.symbol,
                decimals=asset.decimals,
                balances=balances,
                claims=claims,
                debts=debts,
                cash=pool.cash,
                lent=pool.lent,
                borrowed=pool.borrowed,
                kept=pool.cash - pool.lent + pool.borrowed,
                deficit=flows.lost.get(place, 0),
                fund=fund[KINDS * place],
                deposited=flows.deposited.get(place, 0),
                withdrawn=flows.withdrawn.get(place, 0),
            )
        )
    unsigned = Certificate(
        market=market,
        number=number,
        time=time,
        commands=commands,
        journal=journal,
        previous="" if previous is None else previous.digest,
        nonce=cut.nonce.hex(),
        parts=parts,
        root=prover.root.digest.hex(),
        assets=tuple(statements),
    )
    return sign(unsigned, secret), prover
