"""Certificates: honest ones hold for everybody, and each kind of cheat is found by somebody."""

from dataclasses import asdict, replace
from functools import cache
from random import Random

import numpy as np
import pytest
from nacl.signing import SigningKey

from solvent.domain import commands as c
from solvent.domain.codec.canonical import canonical
from solvent.domain.errors import InputError
from solvent.domain.events import Deposited, Withdrawn
from solvent.engine.engine import FastEngine
from solvent.reference.engine import ReferenceEngine
from solvent.solvency import certificate as certificates
from solvent.solvency import forest, proofs
from solvent.solvency.certificate import Certificate, chain_problems, contradict, problems, sign
from solvent.solvency.forest import Bytes, SumTree, Words
from solvent.solvency.proofs import Proof, Prover, proof_problems
from solvent.solvency.statements import (
    Holding,
    Holdings,
    Statement,
    Terms,
    cut,
    leaf_key,
    leaves_of,
)
from solvent.solvency.sum_tree import (
    MOST,
    Leaf,
    Node,
    SumError,
    bit,
    empty,
    leaf_node,
    parent,
    root_from,
)
from solvent.solvency.survey import Flows, certify, holdings, terms
from tests.lab.run_helpers import packaged

SECRET = SigningKey(b"m" * 32)
ASSETS = 4
MARKET = "test market"


@cache
def crashed() -> ReferenceEngine:
    """A market after a crash: claims, debts, liquidations, a fund."""
    return packaged("crash-2025-10-10", 60).engine


@cache
def honest() -> tuple[Certificate, Prover]:
    """The certificate of that market, and its prover."""
    return certify(
        crashed().queries,
        Flows(),
        SECRET,
        market=MARKET,
        time=crashed().now,
        commands=100,
        journal="ab" * 32,
    )


def resigned(certificate: Certificate, **changes: object) -> Certificate:
    """A certificate that the market itself signed after changing it."""
    return sign(replace(certificate, **changes), SECRET)  # type: ignore[arg-type]


def columns(rows: list[Holding]) -> Holdings:
    """Rows as a prover takes them."""
    accounts = np.array([row.account for row in rows])
    return Holdings(accounts, np.array([row.sums for row in rows], dtype=np.int64))


def rows_of(held: Holdings) -> list[Holding]:
    return [held.of(account) for account in held.accounts.tolist()]


def built(rows: list[Holding], terms: Terms) -> tuple[Certificate, Prover]:
    """What a market would sign over these holdings, whatever they are."""
    certificate, _ = honest()
    prover = Prover(columns(rows), terms)
    sums = prover.root.sums
    assets = tuple(
        replace(each, balances=sums[3 * at], claims=sums[3 * at + 1], debts=sums[3 * at + 2])
        for at, each in enumerate(certificate.assets)
    )
    return resigned(certificate, root=prover.root.digest.hex(), assets=assets), prover


def my_terms() -> Terms:
    return terms(SECRET, MARKET, 1, "ab" * 32)


# Honest ones.


@pytest.mark.slow
def test_an_honest_certificate_holds_for_everybody() -> None:
    certificate, prover = honest()
    assert problems(certificate, certificate.key) == []
    rows = rows_of(holdings(crashed().queries))
    assert len(rows) == crashed().queries.accounts()
    for row in rows:
        proof = prover.prove(row.account, certificate.digest)
        assert proof_problems(proof, certificate, row.sums) == []
    with pytest.raises(KeyError):
        prover.prove(len(rows), certificate.digest)


def test_sums_are_those_of_all_accounts_and_both_engines_certify_the_same() -> None:
    certificate, _ = honest()
    state = crashed().state
    for at, each in enumerate(certificate.assets):
        held = sum(account.available[at] + account.locked[at] for account in state.accounts)
        assert each.balances == held
        assert each.fund == state.accounts[0].available[at]
        assert each.cash == state.pools[at].cash
    fast = FastEngine.restore(crashed().snapshot())
    other, _ = certify(
        fast.queries, Flows(), SECRET, market=MARKET, time=fast.now, commands=100, journal="ab" * 32
    )
    assert other == certificate


def test_texts_come_back_and_altered_ones_are_found() -> None:
    certificate, prover = honest()
    text = certificates.to_text(certificate)
    assert certificates.from_text("c.json", text) == certificate
    proof = prover.prove(7, certificate.digest)
    assert proofs.from_text("p.json", proofs.to_text(proof)) == proof
    number = str(certificate.assets[0].balances)
    assert number in text
    forged = certificates.from_text("c.json", text.replace(number, number[:-1] + "1", 1))
    assert problems(forged)[0].reason.startswith("its digest is not that of")
    assert problems(certificate, "AAAA")[0].reason == "another key signed it than the market's"
    stranger = sign(certificate, SigningKey(b"x" * 32))
    assert problems(stranger, certificate.key)
    assert problems(replace(certificate, signature=stranger.signature))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no certificate"),
        ("[]", "is no solvent certificate"),
        ('{"format": "solvent certificate", "version": 2}', "version: is not 1"),
        ('{"format": "solvent certificate", "version": 1}', "is no certificate: 'assets'"),
    ],
)
def test_what_is_no_certificate_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        certificates.from_text("c.json", text)


@pytest.mark.parametrize("value", [-1, 1.5, True, MOST, "7"])
def test_a_sum_that_no_tree_has_is_refused(value: object) -> None:
    certificate, _ = honest()
    document = {"format": "solvent certificate", "version": 1, **asdict(certificate)}
    document["assets"][1]["claims"] = value
    with pytest.raises(InputError, match="is no certificate"):
        certificates.from_text("c.json", canonical(document))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "solvent proof", "version": 2}'])
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"is no (solvent )?proof"):
        proofs.from_text("p.json", text)


# Cheats.


def lender() -> Holding:
    """An account with a claim."""
    return next(row for row in rows_of(holdings(crashed().queries)) if any(row.sums[1::3]))


def test_a_liability_left_out_is_found_by_its_owner() -> None:
    victim = lender()
    rows = [row for row in rows_of(holdings(crashed().queries)) if row.account != victim.account]
    certificate, prover = built(rows, my_terms())
    # The market cannot prove what is not there, and another's proof is not the victim's.
    with pytest.raises(KeyError):
        prover.prove(victim.account, certificate.digest)
    other = prover.prove(rows[5].account, certificate.digest)
    told = proof_problems(replace(other, account=victim.account), certificate, victim.sums)
    assert "leaf 0 stands in another place than the account's" in [each.reason for each in told]


def test_a_liability_made_smaller_is_found_by_its_owner() -> None:
    victim = lender()
    less = Holding(victim.account, tuple(number // 2 for number in victim.sums))
    rows = [
        less if row.account == victim.account else row
        for row in rows_of(holdings(crashed().queries))
    ]
    certificate, prover = built(rows, my_terms())
    proof = prover.prove(victim.account, certificate.digest)
    assert [each.reason for each in proof_problems(proof, certificate, victim.sums)] == [
        "the leaves do not add up to what the account has and owes"
    ]
    # Shown true leaves instead, the path no longer leads to the root.
    true = tuple(leaves_of(victim, my_terms()))
    told = proof_problems(replace(proof, leaves=true), certificate, victim.sums)
    assert "leaf 0 does not lead to the certificate's root and sums" in [e.reason for e in told]


def test_a_negative_leaf_cannot_hide_a_liability() -> None:
    with pytest.raises(SumError, match="negative"):
        SumTree(Listed([Leaf(bytes(32), bytes(32), (-1, 0, 0))]))
    certificate, prover = honest()
    proof = prover.prove(7, certificate.digest)
    (first, *rest) = proof.paths[0]
    sums = (-5, *first.sums[1:])
    paths = ((Node(first.digest, sums), *rest), *proof.paths[1:])
    told = proof_problems(replace(proof, paths=paths), certificate, None)
    assert "negative" in told[0].reason


def test_an_account_stands_in_one_place() -> None:
    row = lender()
    twice = [*rows_of(holdings(crashed().queries)), row]
    cut_again = my_terms()
    with pytest.raises(SumError, match="two leaves have one key"):
        SumTree(Statement(columns(twice), cut_again))
    # Under another key it is not found by anybody who looks for it.
    certificate, prover = honest()
    proof = prover.prove(row.account, certificate.digest)
    moved = tuple(leaf._replace(key=leaf.key[::-1]) for leaf in proof.leaves)
    told = proof_problems(replace(proof, leaves=moved), certificate, row.sums)
    assert told[0].reason == "leaf 0 stands in another place than the account's"


def test_two_roots_shown_to_two_people_convict_the_market() -> None:
    certificate, _ = honest()
    rows = [row for row in rows_of(holdings(crashed().queries)) if row.account != lender().account]
    other, _ = built(rows, my_terms())
    assert contradict(certificate, other)
    assert not contradict(certificate, certificate)
    assert not contradict(certificate, resigned(other, number=2))
    # A forgery convicts nobody.
    assert not contradict(certificate, replace(other, signature=certificate.signature))


def test_totals_that_do_not_add_up_are_found() -> None:
    certificate, _ = honest()
    first, *others = certificate.assets
    for change, says in (
        ({"cash": first.cash + 1}, "cash is not lent less borrowed"),
        ({"claims": first.lent + 1}, "accounts claim more than the pool was lent"),
        ({"debts": first.borrowed - 1}, "a debt is nobody's"),
        ({"claims": first.cash + first.debts + 1, "lent": first.lent * 9}, "lenders cannot all be"),
        ({"fund": first.balances + 1}, "the fund has more"),
        ({"deficit": -1}, "a total is negative"),
    ):
        altered = replace(first, **change)  # type: ignore[arg-type]
        changed = resigned(certificate, assets=(altered, *others))
        assert says in " ".join(each.reason for each in problems(changed))
        assert all(each.asset == "USDC" for each in problems(changed))


def test_a_balance_moved_for_the_hour_shows_as_a_flow() -> None:
    engine, flows = ReferenceEngine(crashed().state.parameters), Flows()
    chain: list[Certificate] = []
    engine.apply([c.OpenAccount(2), c.OpenAccount(3)])
    friendly = 10**12
    moves = (c.Deposit(2, 0, 5_000), c.Deposit(3, 0, friendly), c.Withdraw(3, 0, friendly))
    for number, command in enumerate(moves, 1):
        for event in engine.apply_one(command):
            if isinstance(event, Deposited | Withdrawn):
                flows.update(event)
        certificate, _ = certify(
            engine.queries,
            flows,
            SECRET,
            market=MARKET,
            time=number,
            commands=number,
            journal=f"{number:064x}",
            previous=chain[-1] if chain else None,
        )
        chain.append(certificate)
        flows.next_period()
    assert chain_problems(chain) == []
    assert [(each.assets[0].deposited, each.assets[0].withdrawn) for each in chain] == [
        (5_000, 0),
        (friendly, 0),
        (0, friendly),
    ]
    first, second, third = chain
    # Kept silent, the tokens of the two ends do not agree.
    quiet = resigned(second, assets=(replace(second.assets[0], deposited=0), *second.assets[1:]))
    assert "are not those before plus flows" in chain_problems([first, quiet])[0].reason
    assert "does not follow" in chain_problems([first, third])[0].reason
    late = resigned(second, time=0)
    assert "goes back in time" in " ".join(each.reason for each in chain_problems([first, late]))


# The tree and its leaves.


class Listed:
    """Leaves that are told one by one."""

    def __init__(self, leaves: list[Leaf], width: int = 3) -> None:
        self.width = width
        self.keys = self._hashes([leaf.key for leaf in leaves])
        self._salts = self._hashes([leaf.salt for leaf in leaves])
        self._sums = np.array([leaf.sums for leaf in leaves], dtype=np.int64).reshape(-1, width)

    def _hashes(self, texts: list[bytes]) -> Bytes:
        return np.frombuffer(b"".join(texts), dtype=np.uint8).reshape(-1, 32)

    def salts(self, places: Words) -> Bytes:
        return self._salts[places]

    def rows(self, places: Words) -> Words:
        return self._sums[places]


def branch(leaves: list[Leaf], depth: int, width: int) -> Node:
    """The node over some leaves that share so many bits, as the definition says it."""
    if not leaves:
        return empty(width)
    if len(leaves) == 1:
        return leaf_node(leaves[0])
    sides = [[leaf for leaf in leaves if bit(leaf.key, depth) == side] for side in (0, 1)]
    return parent(*(branch(side, depth + 1, width) for side in sides))


@pytest.mark.parametrize("seed", range(6))
def test_a_tree_of_many_blocks_is_the_one_that_is_defined(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys alike in many bits leave branches with nothing beside them, and empty blocks."""
    monkeypatch.setattr(forest, "BLOCK", 4)
    rng = Random(seed)
    alike = rng.randbytes(3)
    for count in (1, 2, 9, 40, 300):
        leaves = [
            Leaf(
                (alike if rng.random() < seed / 6 else b"") + rng.randbytes(32),
                rng.randbytes(32),
                (rng.randrange(2**63), rng.randrange(3)),
            )
            for _ in range(count)
        ]
        leaves = [leaf._replace(key=leaf.key[:32]) for leaf in leaves]
        tree = SumTree(Listed(leaves, 2))
        assert tree.root == branch(leaves, 0, 2)
        for leaf in rng.sample(leaves, min(count, 20)):
            assert root_from(leaf, tree.path(leaf.key)) == tree.root
        with pytest.raises(KeyError):
            tree.path(rng.randbytes(32))


def test_the_root_of_a_known_market_stays() -> None:
    certificate, _ = honest()
    assert certificate.root == "e15a269ed172e2b4cc9837f4e29fe05cd431b73d786dcc55c4bf034b4afaf978"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 64])
def test_every_leaf_leads_to_the_root_and_no_other_does(count: int) -> None:
    leaves = [Leaf(leaf_key(b"n", at, 0), bytes([at] * 32), (at, 2 * at)) for at in range(count)]
    tree = SumTree(Listed(leaves, 2))
    assert tree.root.sums == (sum(range(count)), 2 * sum(range(count)))
    for leaf in leaves:
        path = tree.path(leaf.key)
        assert root_from(leaf, path) == tree.root
        assert root_from(leaf._replace(sums=(leaf.sums[0] + 1, leaf.sums[1])), path) != tree.root
        assert root_from(leaf._replace(salt=b"y" * 32), path) != tree.root
        for at, step in enumerate(path):
            more = [*path[:at], step._replace(sums=(step.sums[0] + 1, 0)), *path[at + 1 :]]
            assert root_from(leaf, more) != tree.root
    with pytest.raises(KeyError):
        tree.path(leaf_key(b"n", count, 0))


def test_sums_at_the_ends_of_their_range() -> None:
    most = Node(bytes(32), (MOST - 1,))
    with pytest.raises(SumError, match="too large"):
        parent(most, Node(bytes(32), (1,)))
    assert parent(most, Node(bytes(32), (0,))).sums == (MOST - 1,)
    proof = [Node(bytes(32), (1, 1))]
    with pytest.raises(SumError, match="not 1"):
        root_from(Leaf(bytes(32), bytes(32), (1,)), proof)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 10**18, 2**63 - 1])
@pytest.mark.parametrize("parts", [1, 2, 4, 9])
def test_parts_add_up(number: int, parts: int) -> None:
    found = cut(number, parts, b"s" * 32, 1, 2)
    assert sum(found) == number
    assert len(found) == parts
    assert min(found) >= 0


def test_dummies_fill_the_tree_to_a_power_of_four() -> None:
    cut_so = my_terms()
    few = [Holding(at, (1,) * 3) for at in range(10)]
    many = [Holding(at, (1,) * 3) for at in range(1025)]
    first = Statement(columns(few), cut_so)
    assert first.keys.shape == (4096, 32)
    assert Statement(columns(many), cut_so).keys.shape == (4 * 4096, 32)
    # A dummy has no sums, and nothing but its owner's salt tells it from an empty part.
    last = np.array([4095])
    assert first.rows(last).tolist() == [[0, 0, 0]]
    assert first.salts(last).shape == (1, 32)
    assert first.salts(last).any()


def test_another_key_or_moment_cuts_otherwise() -> None:
    row = lender()
    cuts = [
        my_terms(),
        terms(SECRET, MARKET, 2, "ab" * 32),
        terms(SigningKey(b"o" * 32), MARKET, 1, "ab" * 32),
    ]
    assert len({tuple(leaf.sums for leaf in leaves_of(row, each)) for each in cuts}) == 3
    assert cuts[0].nonce == cuts[2].nonce != cuts[1].nonce
    assert cuts[0].seed != cuts[2].seed


def test_a_proof_of_another_certificate_is_none() -> None:
    certificate, prover = honest()
    proof = prover.prove(7, "00" * 32)
    assert proof_problems(proof, certificate, None)[0].reason == "it is of another certificate"
    short = Proof(certificate.digest, 7, proof.leaves[:1], proof.paths[:1])
    assert "has not the 4 leaves" in proof_problems(short, certificate, None)[0].reason


def test_a_path_shows_no_balance_of_another_and_no_number_of_accounts() -> None:
    """Everybody has the same, so a whole account in a path would be seen as that number."""
    each, lengths = 10**9, []
    for accounts in (5, 900):
        prover = Prover(columns([Holding(at, (each, 0, 0)) for at in range(accounts)]), my_terms())
        proofs_of = [prover.prove(account, "") for account in range(5)]
        paths = [path for proof in proofs_of for path in proof.paths]
        assert all(step.sums[0] != each for path in paths for step in path)
        lengths.append(sum(map(len, paths)) / len(paths))
    fewer, more = lengths
    # A quarter of the accounts would make a path two steps shorter.
    assert abs(fewer - more) < 1
