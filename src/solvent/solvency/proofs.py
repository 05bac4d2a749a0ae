"""One account's part of a certificate, checked by its owner with nothing else at hand.

A proof holds the account's leaves with their salts, and for each the branches on the way to the
root. Its owner compares the sums with what he has, and computes the root. What he learns beyond
that: for each leaf some sums of branches, of which the smallest are random parts of an unknown
account or a dummy, and that there are more than a quarter of a power of four leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solvent.domain.codec.canonical import Json, canonical, strict_json
from solvent.domain.errors import InputError
from solvent.solvency.certificate import Certificate, Problem
from solvent.solvency.forest import SumTree
from solvent.solvency.statements import (
    Holdings,
    Statement,
    Terms,
    leaf_key,
    leaves_of,
    together,
)
from solvent.solvency.sum_tree import (
    HASH_BYTES,
    Leaf,
    Node,
    Step,
    SumError,
    Sums,
    root_from,
)

FORMAT = "solvent proof"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Proof:
    """That an account is part of the certificate with this digest: its leaves and their paths."""

    certificate: str
    account: int
    leaves: tuple[Leaf, ...]
    paths: tuple[tuple[Step, ...], ...]

    @property
    def sums(self) -> Sums:
        """What the leaves say that the account has and owes."""
        return together([leaf.sums for leaf in self.leaves])


class Prover:
    """The tree of a statement, from which roots and proofs come."""

    def __init__(self, holdings: Holdings, terms: Terms) -> None:
        self._terms = terms
        self._holdings = holdings
        self._tree = SumTree(Statement(holdings, terms))

    @property
    def root(self) -> Node:
        """Hash and sums of everything."""
        return self._tree.root

    def prove(self, account: int, certificate: str) -> Proof:
        """The proof for one account. KeyError for one that the statement does not have."""
        leaves = tuple(leaves_of(self._holdings.of(account), self._terms))
        paths = tuple(tuple(self._tree.path(leaf.key)) for leaf in leaves)
        return Proof(certificate, account, leaves, paths)


def proof_problems(proof: Proof, certificate: Certificate, sums: Sums | None) -> list[Problem]:
    """What is wrong with a proof; `sums` are what the owner knows to have and owe."""
    found = []
    if proof.certificate != certificate.digest:
        found.append("it is of another certificate")
    if len(proof.leaves) != certificate.parts or len(proof.paths) != certificate.parts:
        found.append(f"it has not the {certificate.parts} leaves that an account has")
        return [Problem("", reason) for reason in found]
    nonce, root = bytes.fromhex(certificate.nonce), certificate.root_node
    for part, (leaf, path) in enumerate(zip(proof.leaves, proof.paths, strict=True)):
        if leaf.key != leaf_key(nonce, proof.account, part):
            found.append(f"leaf {part} stands in another place than the account's")
        try:
            reached = root_from(leaf, path)
        except SumError as error:
            found.append(f"leaf {part}: {error}")
            continue
        if reached != root:
            found.append(f"leaf {part} does not lead to the certificate's root and sums")
    if sums is not None and not found and proof.sums != sums:
        found.append("the leaves do not add up to what the account has and owes")
    return [Problem("", reason) for reason in found]


def to_text(proof: Proof) -> str:
    """The one text of a proof."""
    document: dict[str, Json] = {
        "format": FORMAT,
        "version": VERSION,
        "certificate": proof.certificate,
        "account": proof.account,
        "leaves": [
            {"salt": leaf.salt.hex(), "key": leaf.key.hex(), "sums": list(leaf.sums)}
            for leaf in proof.leaves
        ],
        "paths": [
            [{"digest": step.digest.hex(), "sums": list(step.sums)} for step in path]
            for path in proof.paths
        ],
    }
    return canonical(document) + "\n"


def from_text(name: str, text: str) -> Proof:
    """The proof in a text, whether or not it holds. InputError where it is none."""
    try:
        document: Any = strict_json(text)
        if document["format"] != FORMAT or document["version"] != VERSION:
            raise InputError(name, "format", f"is no {FORMAT} of version {VERSION}")
        leaves = tuple(
            Leaf(_hash(each["key"]), _hash(each["salt"]), _row(each)) for each in document["leaves"]
        )
        paths = tuple(
            tuple(Node(_hash(step["digest"]), _row(step)) for step in path)
            for path in document["paths"]
        )
        account = document["account"]
        if isinstance(account, bool) or not isinstance(account, int) or account < 0:
            raise TypeError("account is no number of one")
        return Proof(str(document["certificate"]), account, leaves, paths)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(name, "file", f"is no proof: {error}") from None


def _hash(text: str) -> bytes:
    value = bytes.fromhex(text)
    if len(value) != HASH_BYTES:
        raise ValueError("a hash has another length")
    return value


def _row(each: Mapping[str, Any]) -> Sums:
    """Whole numbers, whether or not an honest tree has them."""
    row = tuple(each["sums"])
    if any(isinstance(number, bool) or not isinstance(number, int) for number in row):
        raise TypeError("a sum is no whole number")
    return row
