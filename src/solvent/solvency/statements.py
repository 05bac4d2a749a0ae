"""What each account has and owes, as leaves that tell little to whom they do not belong.

A path shows the sums of the branches beside it, and some branch is a single leaf. So an account is
cut into `parts` leaves at places that only the market and the account know, and dummies without any
sums fill the tree up to a size that says little: neither an amount nor the number of accounts can
be read off a path.

Everything secret comes from one seed of the market's, by keyed hashes: the same statement is made
again from the same seed, and nobody else can tell a dummy from an account.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

from solvent.solvency.sum_tree import HASH_BYTES, Leaf, Sums

KINDS = 3
"""Sums an asset has in a row: balances (free and locked), claims on the pool, debts to it."""

LEAST_LEAVES = 4**6
SEED_BYTES = 32


class Holding(NamedTuple):
    """One account: a row of `KINDS` atoms an asset, asset by asset."""

    account: int
    sums: Sums


class Terms(NamedTuple):
    """How a statement is cut: its public nonce, the market's secret seed, parts an account."""

    nonce: bytes
    seed: bytes
    parts: int


def leaf_key(nonce: bytes, account: int, part: int) -> bytes:
    """Where a part of an account stands: public, so that it can stand nowhere else."""
    content = b"key" + account.to_bytes(8, "big") + part.to_bytes(4, "big")
    return blake2b(content, digest_size=HASH_BYTES, key=nonce).digest()


def _secret(seed: bytes, *labels: int | bytes) -> bytes:
    content = b"".join(
        each if isinstance(each, bytes) else each.to_bytes(8, "big") for each in labels
    )
    return blake2b(content, digest_size=HASH_BYTES, key=seed).digest()


def cut(number: int, parts: int, seed: bytes, *labels: int) -> list[int]:
    """`number` in so many parts at secret places, each from 0 up."""
    if not number:
        return [0] * parts
    places = sorted(
        int.from_bytes(_secret(seed, b"cut", *labels, place), "big") % (number + 1)
        for place in range(parts - 1)
    )
    return [end - start for start, end in zip([0, *places], [*places, number], strict=True)]


def leaves_of(holding: Holding, terms: Terms) -> list[Leaf]:
    """The leaves of one account."""
    account = holding.account
    columns = [
        cut(number, terms.parts, terms.seed, account, place)
        for place, number in enumerate(holding.sums)
    ]
    return [
        Leaf(
            leaf_key(terms.nonce, account, part),
            _secret(terms.seed, b"salt", terms.nonce, account, part),
            tuple(column[part] for column in columns),
        )
        for part in range(terms.parts)
    ]


def statement(holdings: Iterable[Holding], width: int, terms: Terms) -> Iterator[Leaf]:
    """Every leaf of a statement: those of all accounts, and dummies up to a power of four."""
    count = 0
    for holding in holdings:
        for leaf in leaves_of(holding, terms):
            count += 1
            yield leaf
    size = LEAST_LEAVES
    while size < count:
        size *= 4
    for number in range(size - count):
        yield Leaf(
            _secret(terms.seed, b"dummy", terms.nonce, number),
            _secret(terms.seed, b"blank", terms.nonce, number),
            (0,) * width,
        )


def together(rows: Sequence[Sums]) -> Sums:
    """Rows added up."""
    return tuple(map(sum, zip(*rows, strict=True)))
