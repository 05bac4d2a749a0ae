"""Making a tree of sums: flat rows of bytes, in blocks of the order of keys.

A tree of some millions of leaves is cut at the depth at which a block has about `BLOCK` of them.
Each block is hashed by itself, level by level, and what is kept of it is the node on top; a path
makes its one block again. So a tree takes the memory of its keys, and of what its leaves are made
from. The nodes are those of `sum_tree`, to the byte.

Sums of leaves have 63 bits, as an engine's numbers do, and there are fewer than 2**64 leaves: no
sum of them leaves its 127 bits. Above leaves they are two words, the upper one first.
"""

from hashlib import blake2b
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from solvent.solvency.sum_tree import (
    HASH_BYTES,
    KEY_BITS,
    LEAF,
    NODE,
    SUM_BYTES,
    Node,
    Step,
    SumError,
    empty,
)

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.int64]
Sums = npt.NDArray[np.uint64]

BLOCK = 4096
"""About so many leaves are hashed at once."""
_WORD_BITS = 64


class Leaves(Protocol):
    """What a tree is made of, by place: keys (`HASH_BYTES` each), salts, and rows of sums."""

    @property
    def keys(self) -> Bytes:
        """A row a leaf."""
        ...

    @property
    def width(self) -> int:
        """How many sums a row has."""
        ...

    def salts(self, places: Words) -> Bytes:
        """The salts of some leaves, a row each."""
        ...

    def rows(self, places: Words) -> Words:
        """The sums of some leaves, a row each."""
        ...


class Nodes(NamedTuple):
    """Branches of one depth, from left to right.

    `shared` is how many bits each has in common with the one before, `keys` a key of each.
    """

    digests: Bytes
    sums: Sums
    leaves: Words
    keys: Bytes
    shared: Words


class SumTree:
    """The tree of some leaves, each key once. SumError for a row that no honest tree has."""

    def __init__(self, leaves: Leaves) -> None:
        self._leaves = leaves
        words = leaves.keys.view(">u8").astype(np.uint64)
        self._order = np.lexsort(words.T[::-1])
        count = len(self._order)
        self._depth = max(0, count.bit_length() - BLOCK.bit_length())
        tops = words[self._order, 0] >> np.uint64(_WORD_BITS - 1 - self._depth) >> np.uint64(1)
        self._starts = np.searchsorted(tops, np.arange(2**self._depth + 1, dtype=np.uint64))
        del words, tops
        blocks = [self._top_of(number) for number in range(2**self._depth)]
        self._tops = _together([block for block in blocks if block is not None])
        self.root = self._root(None)[0]

    def path(self, key: bytes) -> list[Step]:
        """The other branches on the way from a key's leaf up to the root. KeyError without one."""
        number = int.from_bytes(key, "big") >> (KEY_BITS - self._depth)
        block = self._block(number)
        wanted = np.frombuffer(key, dtype=np.uint8)
        found = np.flatnonzero((block.keys == wanted).all(axis=1))
        if not len(found):
            raise KeyError(key.hex())
        _, steps = _climb(block, _deepest(block), self._depth, int(found[0]))
        above = int(np.count_nonzero(np.diff(self._starts[: number + 1])))
        return steps + self._root(above)[1]

    def _root(self, place: int | None) -> tuple[Node, list[Step]]:
        """The root, and the steps to it from the top of a block."""
        if self._tops is None:
            return empty(self._leaves.width), []
        top, steps = _climb(self._tops, self._depth, 0, place)
        return _node(top, 0), steps

    def _top_of(self, number: int) -> Nodes | None:
        """The one branch that a block is; None for an empty one."""
        block = self._block(number)
        return _climb(block, _deepest(block), self._depth, None)[0] if len(block.leaves) else None

    def _block(self, number: int) -> Nodes:
        """The leaves of a block."""
        places = self._order[self._starts[number] : self._starts[number + 1]]
        keys, rows = self._leaves.keys[places], self._leaves.rows(places)
        if (rows < 0).any():
            raise SumError(f"{rows.min()} is negative or too large for a sum")
        sums = np.zeros((*rows.shape, 2), dtype=np.uint64)
        sums[:, :, 1] = rows
        digests = _hashed(LEAF, keys, self._leaves.salts(places), _packed(sums))
        return Nodes(digests, sums, np.ones(len(places), dtype=np.int64), keys, _shared(keys))


def _deepest(nodes: Nodes) -> int:
    """The depth at which each of some leaves is alone."""
    return int(nodes.shared.max()) + 1


def _climb(nodes: Nodes, depth: int, to: int, place: int | None) -> tuple[Nodes, list[Step]]:
    """Join branches from a depth up to another; the steps on the way from the one at `place`."""
    steps: list[Step] = []
    for level in range(depth - 1, to - 1, -1):
        right = nodes.shared == level
        left = np.append(right[1:], False)
        if place is not None:
            beside = place + 1 if left[place] else place - 1
            if left[place] or right[place]:
                steps.append(_node(nodes, beside))
            elif nodes.leaves[place] > 1:
                steps.append(empty(nodes.sums.shape[1]))
            place -= int(np.count_nonzero(right[: place + 1]))
        nodes = _joined(nodes, level, left, right)
    return nodes, steps


def _joined(nodes: Nodes, level: int, left: Bytes, right: Bytes) -> Nodes:
    """The branches of a level: pairs are one, and so is whoever has nothing beside it."""
    stays = ~right
    alone = stays & ~left & (nodes.leaves > 1)
    digests, sums, leaves = nodes.digests.copy(), nodes.sums.copy(), nodes.leaves.copy()
    sums[left] = _sum(nodes.sums[left], nodes.sums[right])
    leaves[left] += nodes.leaves[right]
    whole = np.concatenate([nodes.digests, _packed(nodes.sums)], axis=1)
    digests[left] = _hashed(NODE, whole[left], whole[right])
    goes_right = alone & ((nodes.keys[:, level // 8] >> (7 - level % 8) & 1) == 1)
    for those, first in ((goes_right, False), (alone & ~goes_right, True)):
        sides = [whole[those], np.zeros_like(whole[those])]
        digests[those] = _hashed(NODE, *(sides if first else sides[::-1]))
    return Nodes(digests[stays], sums[stays], leaves[stays], nodes.keys[stays], nodes.shared[stays])


def _hashed(kind: bytes, *columns: Bytes) -> Bytes:
    """The hash of each row of some columns, after the byte that says what it is of."""
    whole = np.concatenate(columns, axis=1)
    length, content = whole.shape[1], memoryview(whole.tobytes())
    begun = blake2b(kind, digest_size=HASH_BYTES)
    found = bytearray()
    for start in range(0, len(content), length):
        each = begun.copy()
        each.update(content[start : start + length])
        found += each.digest()
    return np.frombuffer(bytes(found), dtype=np.uint8).reshape(-1, HASH_BYTES)


def _packed(sums: Sums) -> Bytes:
    """Rows of sums as their bytes, the largest first."""
    count, width, _ = sums.shape
    return sums.astype(">u8").view(np.uint8).reshape(count, SUM_BYTES * width)


def _sum(one: Sums, other: Sums) -> Sums:
    total = one + other
    total[:, :, 0] += total[:, :, 1] < one[:, :, 1]
    return total


def _node(nodes: Nodes, place: int) -> Node:
    """One of some branches."""
    sums = tuple((high << _WORD_BITS) + low for high, low in nodes.sums[place].tolist())
    return Node(nodes.digests[place].tobytes(), sums)


def _shared(keys: Bytes) -> Words:
    """How many bits each of some sorted keys has in common with the one before; -1 at first."""
    differ = np.bitwise_xor(keys[1:], keys[:-1])
    if len(differ) and not differ.any(axis=1).all():
        raise SumError("two leaves have one key")
    at = (differ != 0).argmax(axis=1)
    first = differ[np.arange(len(differ)), at]
    # A byte is exact as a float, whose exponent is its length in bits.
    length = np.frexp(first.astype(np.float64))[1]
    return np.concatenate([[-1], 8 * at + 8 - length])[: len(keys)].astype(np.int64)


def _together(tops: list[Nodes]) -> Nodes | None:
    """Branches of one depth, one after the other; None where there are none."""
    if not tops:
        return None
    columns = zip(*(top[:4] for top in tops), strict=True)
    digests, sums, leaves, keys = map(np.concatenate, columns)
    return Nodes(digests, sums, leaves, keys, _shared(keys))
