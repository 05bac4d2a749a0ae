"""Shares of a pool: nobody is ever paid more than was put in, in either direction.

S is the scale of indices; a claim is shares * lend index / S rounded down, a debt shares * debt
index / S rounded up. The sums of a whole pool are claims and debts of all its shares, and what a
verb moves must be covered by what they change by, or the residue would fall (I4).
"""

from itertools import product

from solvent.domain.units import INDEX_SCALE
from solvent.reference import ledger
from solvent.reference.lending import pool as pools
from solvent.reference.state import Pool, State, new_state
from tests.lemmas.terms import (
    Arithmetic,
    Claim,
    Formulas,
    Functions,
    Lemma,
    Named,
    Points,
    Term,
    Topic,
    Wrong,
)
from tests.tables.market import plain_parameters

S = INDEX_SCALE


def _claim_worth(do: Arithmetic, shares: Term, index: Term) -> Term:
    return do.down(shares * index, S)


def _debt_worth(do: Arithmetic, shares: Term, index: Term) -> Term:
    return do.up(shares * index, S)


def _lent_shares(do: Arithmetic, quantity: Term, index: Term) -> Term:
    return do.down(quantity * S, index)


def _redeemed_shares(do: Arithmetic, held: Term, quantity: Term, index: Term) -> Term:
    shares = do.up(quantity * S, index)
    whole = quantity >= _claim_worth(do, held, index)
    dust = _claim_worth(do, held - shares, index) == 0
    return do.choose(do.either(whole, dust), held, shares)


def _borrowed_shares(do: Arithmetic, quantity: Term, index: Term) -> Term:
    return do.up(quantity * S, index)


def _repaid_shares(do: Arithmetic, held: Term, quantity: Term, index: Term) -> Term:
    whole = quantity >= _debt_worth(do, held, index)
    return do.choose(whole, held, do.least(held, do.down(quantity * S, index)))


def _repaid_cost(do: Arithmetic, held: Term, quantity: Term, index: Term) -> Term:
    return _debt_worth(do, _repaid_shares(do, held, quantity, index), index)


FORMULAS: Formulas = {
    "claim_worth": _claim_worth,
    "debt_worth": _debt_worth,
    "lent_shares": _lent_shares,
    "redeemed_shares": _redeemed_shares,
    "borrowed_shares": _borrowed_shares,
    "repaid_shares": _repaid_shares,
    "repaid_cost": _repaid_cost,
}


def _state(index: int) -> State:
    state = new_state(plain_parameters())
    state.pools[0] = Pool(lend_index=index, debt_index=index)
    return state


FUNCTIONS: Functions = {
    "claim_worth": lambda shares, index: ledger.claim_worth(Pool(lend_index=index), shares),
    "debt_worth": lambda shares, index: ledger.debt_worth(Pool(debt_index=index), shares),
    "lent_shares": lambda quantity, index: pools.lend_shares_down(_state(index), 0, quantity),
    "redeemed_shares": lambda held, quantity, index: pools.shares_up(
        Pool(lend_index=index), held, quantity
    ),
    "borrowed_shares": lambda quantity, index: (
        pools.pool_terms(Pool(debt_index=index), 0, quantity).shares
    ),
    "repaid_shares": lambda held, quantity, index: pools.repaid_by(
        Pool(debt_index=index), held, quantity
    )[0],
    "repaid_cost": lambda held, quantity, index: pools.repaid_by(
        Pool(debt_index=index), held, quantity
    )[1],
}

INDICES = (1, S // 3, S - 1, S, S + 1, 2 * S - 1, 7 * S + 1)
AMOUNTS = (0, 1, 2, 3, 999, 10**9 + 7)
_TWO = list(product(AMOUNTS, INDICES))
# A redemption is at most the claim, and a holder of nothing redeems nothing.
_REDEEMED = [
    (held, quantity, index)
    for held, quantity, index in product(AMOUNTS, AMOUNTS, INDICES)
    if quantity <= held * index // S
]
_REPAID = [each for each in product(AMOUNTS, AMOUNTS, INDICES) if each[0]]
_WHOLE_SHARES = [(quantity, index) for quantity, index in _TWO if index > S // 10]
POINTS: Points = {
    "claim_worth": _TWO,
    "debt_worth": _TWO,
    "lent_shares": _WHOLE_SHARES,
    "redeemed_shares": _REDEEMED,
    "borrowed_shares": _WHOLE_SHARES,
    "repaid_shares": [each for each in _REPAID if each[2] > S // 10],
    "repaid_cost": [each for each in _REPAID if each[2] > S // 10],
}


def _lend(do: Arithmetic, f: Named, all_shares: Term, quantity: Term, index: Term) -> Claim:
    shares = f.lent_shares(quantity, index)
    gained = f.claim_worth(all_shares + shares, index) - f.claim_worth(all_shares, index)
    return Claim(
        do.both(all_shares >= 0, quantity >= 1, index >= 1),
        do.both(shares >= 0, gained <= quantity, f.claim_worth(shares, index) <= quantity),
    )


def _redeem(
    do: Arithmetic, f: Named, others: Term, held: Term, quantity: Term, index: Term
) -> Claim:
    shares = f.redeemed_shares(held, quantity, index)
    pool_lost = f.claim_worth(others + held, index) - f.claim_worth(others + held - shares, index)
    own_lost = f.claim_worth(held, index) - f.claim_worth(held - shares, index)
    return Claim(
        do.both(
            others >= 0,
            held >= 0,
            index >= 1,
            quantity >= 1,
            quantity <= f.claim_worth(held, index),
        ),
        do.both(shares >= 0, shares <= held, pool_lost >= quantity, own_lost >= quantity),
    )


def _dust(do: Arithmetic, f: Named, held: Term, quantity: Term, index: Term) -> Claim:
    left = held - f.redeemed_shares(held, quantity, index)
    return Claim(
        do.both(held >= 1, index >= 1, quantity >= 1, quantity <= f.claim_worth(held, index)),
        do.either(left == 0, f.claim_worth(left, index) >= 1),
    )


def _borrow(do: Arithmetic, f: Named, all_shares: Term, quantity: Term, index: Term) -> Claim:
    shares = f.borrowed_shares(quantity, index)
    gained = f.debt_worth(all_shares + shares, index) - f.debt_worth(all_shares, index)
    return Claim(
        do.both(all_shares >= 0, quantity >= 1, index >= 1),
        do.both(gained >= quantity, f.debt_worth(shares, index) >= quantity),
    )


def _repay(
    do: Arithmetic, f: Named, others: Term, held: Term, quantity: Term, index: Term
) -> Claim:
    shares = f.repaid_shares(held, quantity, index)
    cost = f.repaid_cost(held, quantity, index)
    pool_lost = f.debt_worth(others + held, index) - f.debt_worth(others + held - shares, index)
    own_lost = f.debt_worth(held, index) - f.debt_worth(held - shares, index)
    return Claim(
        do.both(others >= 0, held >= 0, index >= 1, quantity >= 1),
        do.both(0 <= shares, shares <= held, cost <= quantity, pool_lost <= cost, own_lost <= cost),
    )


def _whole_shares(do: Arithmetic, f: Named, held: Term, quantity: Term, index: Term) -> Claim:
    shares = f.repaid_shares(held, quantity, index)
    cost = f.repaid_cost(held, quantity, index)
    return Claim(
        do.both(held >= 1, index >= 1, quantity >= 1),
        do.both(
            cost * S < shares * index + S,
            # What was offered and not taken would not have bought a share more.
            do.either(shares == held, (shares + 1) * index > quantity * S),
        ),
    )


def _loop(do: Arithmetic, f: Named, quantity: Term, lend_index: Term, debt_index: Term) -> Claim:
    claim = f.claim_worth(f.lent_shares(quantity, lend_index), lend_index)
    debt = f.debt_worth(f.borrowed_shares(quantity, debt_index), debt_index)
    return Claim(do.both(quantity >= 1, lend_index >= 1, debt_index >= 1), claim <= debt)


POOL = Topic(
    "pool",
    FORMULAS,
    FUNCTIONS,
    POINTS,
    (
        Lemma(
            "lend",
            "A lend raises the pool's claims, and the lender's, by at most what was paid in.",
            ("lending.pool.lend_shares_down", "lending.pool.lend", "ledger.claim_worth"),
            ("all_shares", "quantity", "index"),
            _lend,
        ),
        Lemma(
            "redeem",
            "A redemption lowers the pool's claims, and the lender's, by at least what it pays.",
            ("lending.pool.shares_up", "lending.pool.redeem"),
            ("others", "held", "quantity", "index"),
            _redeem,
        ),
        Lemma(
            "no dust",
            "A redemption leaves no claim of less than an atom behind.",
            ("lending.pool.shares_up",),
            ("held", "quantity", "index"),
            _dust,
        ),
        Lemma(
            "borrow",
            "A borrow raises the pool's debts, and the borrower's, by at least what it pays.",
            ("lending.pool.pool_terms", "lending.pool.borrow", "ledger.debt_worth"),
            ("all_shares", "quantity", "index"),
            _borrow,
        ),
        Lemma(
            "repay",
            "A repayment lowers the pool's debts, and the debtor's, by at most what it costs, and "
            "costs at most what was offered.",
            ("lending.pool.repaid_by", "lending.pool.repay"),
            ("others", "held", "quantity", "index"),
            _repay,
        ),
        Lemma(
            "whole shares",
            "A repayment takes less than an atom more than its whole shares are worth, and as many "
            "of them as the offer buys.",
            ("lending.pool.repaid_by",),
            ("held", "quantity", "index"),
            _whole_shares,
        ),
        Lemma(
            "loop",
            "What was borrowed and lent again is worth at most the debt.",
            ("lending.pool.lend_shares_down", "lending.pool.pool_terms"),
            ("quantity", "lend_index", "debt_index"),
            _loop,
        ),
    ),
    (
        Wrong(
            "lent_shares",
            lambda do, quantity, index: do.up(quantity * S, index),
            "lend",
            "shares of a lend rounded up",
        ),
        Wrong(
            "redeemed_shares",
            lambda do, held, quantity, index: do.least(held, do.down(quantity * S, index)),
            "redeem",
            "shares of a redemption rounded down",
        ),
        Wrong(
            "redeemed_shares",
            lambda do, held, quantity, index: do.up(quantity * S, index),
            "no dust",
            "dust stays",
        ),
        Wrong(
            "borrowed_shares",
            lambda do, quantity, index: do.down(quantity * S, index),
            "borrow",
            "shares of a borrow rounded down",
        ),
        Wrong(
            "repaid_shares",
            lambda do, held, quantity, index: do.least(held, do.up(quantity * S, index)),
            "repay",
            "shares of a repayment rounded up",
        ),
        Wrong(
            "repaid_cost",
            lambda do, held, quantity, index: quantity,
            "whole shares",
            "all that was offered is taken",
        ),
        Wrong(
            "lent_shares",
            lambda do, quantity, index: do.up(quantity * S, index),
            "loop",
            "shares of what is lent again rounded up",
        ),
    ),
)
