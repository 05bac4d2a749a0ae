"""Solvency certificates: what a market owes everybody, against what it has, provably complete.

    sum_tree       a Merkle tree whose nodes carry sums, and what a path leads to
    forest         making such a tree, of millions of leaves, and paths out of it
    statements     what each account has and owes, cut into leaves that tell little
    certificate    the signed statement: root, sums, pools, fund, deficits, flows, the one before
    proofs         one account's part of it, and what anybody checks offline
    survey         where the numbers come from: an engine and what came and went

Theory of operation. A certificate commits to every account's balances, claims and debts by one
hash, and says their sums. An account that finds its own leaves under that hash, and nobody's leaf
negative on the way, knows that the sums count it. What the sums are held against (tokens, pool
cash, debts) is in the same signed document, so a liability can be left out only at the risk that
its owner looks.

What is proved and what is not is said in docs/concepts/certificates.md.
"""
