"""Memory: what a market with a million accounts takes in a process, per account.

    python -m benches.service.memory ACCOUNTS

says the bytes of memory that the process took for them. Each account has a key of its own and a
balance in USDC; it owes nothing and has no orders. The process is a fresh one, and what counts is
resident memory, after minus before, with the kernels loaded and one account opened before.
"""

import gc
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benches.common.market import market
from benches.common.measure import WrongAnswerError
from benches.common.rows import Figure, Row, of
from solvent.domain.commands import COMMAND_KINDS, Deposit, OpenAccount
from solvent.domain.parameters import USDC
from solvent.engine.engine import FastEngine
from solvent.engine.memory.command_rows import Words
from solvent.engine.memory.rows import COMMAND_WIDTH
from solvent.service.authority.model import Terms
from solvent.service.core.keys import FIRST_ACCOUNT, Role
from solvent.service.core.market import Market, encode_head

NAME = "memory"
CHUNK = 10_000
DEPOSIT = 10**9
PARTS = ("engine, each account with a balance", "keys, one an account", "both")


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Bytes an account, of the engine and of the keys."""
    accounts = 20_000 if quick else 1_000_000
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(accounts)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise WrongAnswerError(f"the market was not filled: {done.stderr[-200:]}")
    engine, keys = map(int, done.stdout.split())
    for part, taken in zip(PARTS, (engine, keys, engine + keys), strict=True):
        yield Row(NAME, f"{accounts:,} accounts: {part}", _per_account(taken, accounts))


def _per_account(taken: int, accounts: int) -> Figure:
    return of("bytes/account", [taken / accounts])


def _main() -> int:
    accounts = int(sys.argv[1])
    whole = Market(encode_head(market(), Terms(1, 0)), FastEngine)
    _open(whole, FIRST_ACCOUNT, FIRST_ACCOUNT + 1)
    start = _resident()
    last = FIRST_ACCOUNT + 1 + accounts
    for first in range(FIRST_ACCOUNT + 1, last, CHUNK):
        _open(whole, first, min(first + CHUNK, last))
    if whole.queries.accounts() != last:
        raise WrongAnswerError(f"there are {whole.queries.accounts()} accounts, not {last}")
    filled = _resident()
    for account in range(FIRST_ACCOUNT + 1, last):
        key = hashlib.sha256(b"%d" % account).digest()
        whole.keys.let_in(key, Role.USER, account)
    sys.stdout.write(f"{filled - start} {_resident() - filled}\n")
    return 0


def _open(whole: Market, first: int, last: int) -> None:
    """Open accounts and give each something."""
    numbers = np.arange(first, last)
    opens = _rows(OpenAccount, numbers)
    deposits = _rows(Deposit, numbers)
    deposits[:, 2], deposits[:, 3] = USDC, DEPOSIT
    assert isinstance(whole.engine, FastEngine)
    whole.engine.apply_rows(np.concatenate([opens, deposits]))


def _rows(kind: type, accounts: Words) -> Words:
    rows = np.zeros((len(accounts), COMMAND_WIDTH), dtype=np.int64)
    rows[:, 0] = COMMAND_KINDS.index(kind)
    rows[:, 1] = accounts
    return rows


def _resident() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    sys.exit(_main())
