"""What would be refused, and what an account would hold, in kernels that only ask.

A command about an amount is asked what `handlers` ask it (`questions`), and where nothing refuses
nothing is done. `portfolio_after` is what the account has and owes
once a command that nothing refuses was carried out: it changes the account as `pool` would.

Deliberately absent: commands that are about no amount; what withdrawals and orders leave.
"""

from solvent.domain import commands as c
from solvent.domain.units import INDEX_SCALE
from solvent.engine import questions
from solvent.engine.ledger import claim_of, pool_row, position
from solvent.engine.lending import pool, wallet
from solvent.engine.margin import portfolio_of
from solvent.engine.memory.layout import (
    ASSETS,
    COMMAND_KIND,
    DEBT,
    DEBT_INDEX,
    LEND_INDEX,
    LENT,
    kind_of,
)
from solvent.engine.units import mul_div_down, mul_div_up
from solvent.kernels.language import Memory, Store, fail, kernel

_WITHDRAW = kind_of(c.Withdraw)
_LEND = kind_of(c.Lend)
_REDEEM = kind_of(c.Redeem)
_BORROW = kind_of(c.Borrow)
_REPAY = kind_of(c.Repay)
_PLACE_ORDER = kind_of(c.PlaceOrder)


@kernel
def refusal_now(s: Store, command: Memory) -> int:
    """Why a command about an amount would be refused now; 0 where it would not be."""
    kind = command[COMMAND_KIND]
    if kind == _WITHDRAW:
        return questions.withdraw(s, command)
    if kind == _LEND:
        return questions.lend(s, command)
    if kind == _REDEEM:
        return questions.redeem(s, command)
    if kind == _BORROW:
        return questions.borrow(s, command)
    if kind == _REPAY:
        return questions.repay(s, command)
    if kind != _PLACE_ORDER:
        fail()
    return questions.place_order(s, command)


@kernel
def portfolio_after(s: Store, command: Memory, after: Memory) -> None:
    """Write what the account has and owes after a lend, redemption, borrow or repayment."""
    kind = command[COMMAND_KIND]
    account, asset, quantity = questions.amount(command)
    portfolio_of(s, account, after)
    owed = s.globals[ASSETS] + asset
    if kind == _LEND:
        after[asset] += _lent_after(s, account, asset, quantity)
        after[asset] -= claim_of(s, account, asset) + quantity
    elif kind == _REDEEM:
        after[asset] -= wallet.redeem_rounding(s, account, asset, quantity)
    elif kind == _BORROW:
        after[asset] += quantity
        after[owed] = pool.debt_after_borrow(s, account, asset, quantity)
    else:
        if kind != _REPAY:
            fail()
        after[asset] -= _repaid(s, account, asset, quantity)
        after[owed] = _debt_after_repay(s, account, asset, quantity)


@kernel
def _lent_after(s: Store, account: int, asset: int, quantity: int) -> int:
    shares = position(s, account, asset)[LENT] + pool.lend_shares_down(s, asset, quantity)
    return mul_div_down(shares, pool_row(s, asset)[LEND_INDEX], INDEX_SCALE)


@kernel
def _repaid(s: Store, account: int, asset: int, quantity: int) -> int:
    _, cost = pool.repay_shares_down(s, account, asset, quantity)
    return cost


@kernel
def _debt_after_repay(s: Store, account: int, asset: int, quantity: int) -> int:
    shares, _ = pool.repay_shares_down(s, account, asset, quantity)
    left = position(s, account, asset)[DEBT] - shares
    return mul_div_up(left, pool_row(s, asset)[DEBT_INDEX], INDEX_SCALE)
