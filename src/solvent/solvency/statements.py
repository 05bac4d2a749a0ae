"""What each account has and owes, as leaves that tell little to whom they do not belong.

A path shows the sums of the branches beside it, and some branch is a single leaf. So an account is
cut into `parts` leaves at places that only the market and the account know, and dummies without any
sums fill the tree up to a size that says little: neither an amount nor the number of accounts can
be read off a path.

Everything secret comes from one seed of the market's, by keyed hashes: the same statement is made
again from the same seed, and nobody else can tell a dummy from an account.
"""

from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from solvent.solvency.sum_tree import HASH_BYTES, Leaf, Sums

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.int64]

KINDS = 3
"""Sums an asset has in a row: balances (free and locked), claims on the pool, debts to it."""

LEAST_LEAVES = 4**6
SEED_BYTES = 32


class Holding(NamedTuple):
    """One account: a row of `KINDS` atoms an asset, asset by asset."""

    account: int
    sums: Sums


class Holdings(NamedTuple):
    """Many accounts: their numbers, and a row of `KINDS` atoms an asset for each."""

    accounts: Words
    sums: Words

    def of(self, account: int) -> Holding:
        """One of them. KeyError for one that is not there."""
        places = np.flatnonzero(self.accounts == account)
        if not len(places):
            raise KeyError(account)
        return Holding(account, tuple(self.sums[places[0]].tolist()))


class Terms(NamedTuple):
    """How a statement is cut: its public nonce, the market's secret seed, parts an account."""

    nonce: bytes
    seed: bytes
    parts: int


def leaf_key(nonce: bytes, account: int, part: int) -> bytes:
    """Where a part of an account stands: public, so that it can stand nowhere else."""
    return _keyed(nonce, b"key" + account.to_bytes(8, "big") + part.to_bytes(4, "big"))


def salt_of(terms: Terms, account: int, part: int) -> bytes:
    """What hides a part of an account from guessing."""
    return _secret(terms.seed, b"salt" + terms.nonce, account, part)


def _secret(seed: bytes, label: bytes, *numbers: int) -> bytes:
    return _keyed(seed, label + b"".join([each.to_bytes(8, "big") for each in numbers]))


def _keyed(key: bytes, content: bytes) -> bytes:
    found = _begun(key).copy()
    found.update(content)
    return found.digest()


@lru_cache(maxsize=4)
def _begun(key: bytes) -> blake2b:
    """A hash that has read its key, which takes as long as the rest."""
    return blake2b(digest_size=HASH_BYTES, key=key)


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
            salt_of(terms, account, part),
            tuple(column[part] for column in columns),
        )
        for part in range(terms.parts)
    ]


class Statement:
    """Every leaf of a statement, by place: account by account, then dummies up to a power of four.

    Of what accounts have only numbers that are not zero are kept, cut: most are.
    """

    def __init__(self, holdings: Holdings, terms: Terms) -> None:
        self._holdings, self._terms = holdings, terms
        self.width = holdings.sums.shape[1]
        rows, self._columns = np.nonzero(holdings.sums)
        self._starts = np.searchsorted(rows, np.arange(len(holdings.accounts) + 1))
        self._pieces = self._cut(rows)
        self._count = len(holdings.accounts) * terms.parts
        self._size = LEAST_LEAVES
        while self._size < self._count:
            self._size *= 4
        self.keys = _as_rows(self._keys())

    def _cut(self, rows: Words) -> Words:
        """The parts of every number that is not zero."""
        seed, parts = self._terms.seed, self._terms.parts
        numbers = self._holdings.sums[rows, self._columns]
        accounts = self._holdings.accounts[rows]
        pieces = array("q")
        for account, place, number in zip(accounts, self._columns, numbers, strict=True):
            pieces.extend(cut(int(number), parts, seed, int(account), int(place)))
        return np.frombuffer(pieces, dtype=np.int64).reshape(-1, parts)

    def _keys(self) -> Iterator[bytes]:
        """Keys by place; a dummy's are as secret as what it is."""
        nonce, seed, parts = self._terms.nonce, self._terms.seed, range(self._terms.parts)
        for account in self._holdings.accounts:
            for part in parts:
                yield leaf_key(nonce, int(account), part)
        for number in range(self._size - self._count):
            yield _secret(seed, b"dummy" + nonce, number)

    def salts(self, places: Words) -> Bytes:
        """The salts of some leaves, a row each."""
        return _as_rows(self._salt(place) for place in places.tolist())

    def _salt(self, place: int) -> bytes:
        if place >= self._count:
            nonce, seed, _ = self._terms
            return _secret(seed, b"blank" + nonce, place - self._count)
        row, part = divmod(place, self._terms.parts)
        return salt_of(self._terms, int(self._holdings.accounts[row]), part)

    def rows(self, places: Words) -> Words:
        """The sums of some leaves, a row each."""
        found = np.zeros((len(places), self.width), dtype=np.int64)
        own = np.flatnonzero(places < self._count)
        row, part = np.divmod(places[own], self._terms.parts)
        first = self._starts[row]
        lengths = self._starts[row + 1] - first
        ends = np.cumsum(lengths)
        pieces = np.arange(lengths.sum()) + np.repeat(first - ends + lengths, lengths)
        columns = self._columns[pieces]
        found[np.repeat(own, lengths), columns] = self._pieces[pieces, np.repeat(part, lengths)]
        return found


def _as_rows(hashes: Iterator[bytes]) -> Bytes:
    found = bytearray()
    for each in hashes:
        found += each
    return np.frombuffer(found, dtype=np.uint8).reshape(-1, HASH_BYTES)


def together(rows: Sequence[Sums]) -> Sums:
    """Rows added up."""
    return tuple(map(sum, zip(*rows, strict=True)))
