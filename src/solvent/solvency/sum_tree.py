"""A Merkle tree whose nodes carry sums, with one place for every key.

A leaf is put where the bits of its key lead: from the root, 0 is left and 1 is right. A branch that
holds a single leaf is that leaf, an empty one is EMPTY, so a tree of n random keys is about log2(n)
deep and yet a key can stand in one place only: two leaves of one key would need the same node to be
a leaf and a branch. A node's hash covers the hashes and the sums of both sides, so no sum can be
changed without the root changing.

Sums are rows of whole numbers from 0 to 2**127, an entry an asset and kind. What cannot be written
as such has no hash: a negative number, which would hide a liability in a sum, is refused wherever a
row comes from outside.

What a reader needs to check a path is here; `solvent.solvency.forest` makes trees.
"""

from collections.abc import Sequence
from hashlib import blake2b
from operator import add
from typing import NamedTuple

Sums = tuple[int, ...]

HASH_BYTES = 32
KEY_BITS = 8 * HASH_BYTES
SUM_BYTES = 16
MOST = 2**127
LEAF, NODE = b"\x00", b"\x01"


class SumError(ValueError):
    """A row of sums that no honest tree has: negative, too large, or of another length."""


class Node(NamedTuple):
    """What a parent needs to know of a branch."""

    digest: bytes
    sums: Sums


class Leaf(NamedTuple):
    """One place of the tree: its key, what hides its sums from guessing, and the sums."""

    key: bytes
    salt: bytes
    sums: Sums


Step = Node
"""The other branch at one level of a path, from the leaf up."""


def empty(width: int) -> Node:
    """A branch with nothing in it."""
    return Node(bytes(HASH_BYTES), (0,) * width)


def check_sums(sums: Sequence[int], width: int) -> Sums:
    """The row, if it is one of an honest tree. SumError otherwise."""
    if len(sums) != width:
        raise SumError(f"a row has {len(sums)} sums, not {width}")
    for number in sums:
        if isinstance(number, bool) or not isinstance(number, int):
            raise SumError(f"{number!r} is no whole number")
        if not 0 <= number < MOST:
            raise SumError(f"{number} is negative or too large for a sum")
    return tuple(sums)


def _packed(sums: Sums) -> bytes:
    return b"".join(number.to_bytes(SUM_BYTES, "big") for number in sums)


def leaf_node(leaf: Leaf) -> Node:
    """The node of a leaf. SumError where its sums are none."""
    sums = check_sums(leaf.sums, len(leaf.sums))
    content = LEAF + leaf.key + leaf.salt + _packed(sums)
    return Node(blake2b(content, digest_size=HASH_BYTES).digest(), sums)


def parent(left: Node, right: Node) -> Node:
    """The node above two branches. SumError where a sum grows too large."""
    sums = check_sums(tuple(map(add, left.sums, right.sums)), len(left.sums))
    content = NODE + left.digest + _packed(left.sums) + right.digest + _packed(right.sums)
    return Node(blake2b(content, digest_size=HASH_BYTES).digest(), sums)


def bit(key: bytes, depth: int) -> int:
    """Which way a key goes at a depth: 0 left, 1 right."""
    return key[depth // 8] >> (7 - depth % 8) & 1


def root_from(leaf: Leaf, path: Sequence[Step]) -> Node:
    """The root that a leaf and its path lead to. SumError for a row that no honest tree has."""
    if len(path) > KEY_BITS:
        raise SumError("a path is longer than a key")
    width = len(leaf.sums)
    node = leaf_node(leaf)
    for depth, step in zip(range(len(path) - 1, -1, -1), path, strict=True):
        other = Node(step.digest, check_sums(step.sums, width))
        node = parent(other, node) if bit(leaf.key, depth) else parent(node, other)
    return node
