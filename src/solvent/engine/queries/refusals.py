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
from solvent.engine.memory.rows import CommandRow
from solvent.engine.memory.store import Store
from solvent.engine.units import mul_div_down, mul_div_up
from solvent.kernels.language import fail, kernel, message
from solvent.kernels.messages import Handlers
from solvent.kernels.rows import Memory

_LEND = c.COMMAND_KINDS.index(c.Lend)
_REDEEM = c.COMMAND_KINDS.index(c.Redeem)
_BORROW = c.COMMAND_KINDS.index(c.Borrow)
_REPAY = c.COMMAND_KINDS.index(c.Repay)

QUESTIONS = (
    Handlers[Store](c.COMMAND_KINDS)
    .on(c.Withdraw, questions.withdraw)
    .on(c.Lend, questions.lend)
    .on(c.Redeem, questions.redeem)
    .on(c.Borrow, questions.borrow)
    .on(c.Repay, questions.repay)
    .on(c.PlaceOrder, questions.place_order)
)
"""What each command about an amount is asked."""


@kernel
def refusal_now(s: Store, command: CommandRow) -> int:
    """Why a command about an amount would be refused now; 0 where it would not be."""
    return QUESTIONS.call(command.kind, s, command.fields)


@kernel
def portfolio_after(s: Store, command: CommandRow, after: Memory) -> None:
    """Write what the account has and owes after a lend, redemption, borrow or repayment."""
    kind = command.kind
    # All four have the same fields.
    moved = message(c.Lend, command.fields)
    account, asset, quantity = moved.account, moved.asset, moved.quantity
    portfolio_of(s, account, after)
    owed = s.globals.assets + asset
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
    shares = position(s, account, asset).lent_shares + pool.lend_shares_down(s, asset, quantity)
    return mul_div_down(shares, pool_row(s, asset).lend_index, INDEX_SCALE)


@kernel
def _repaid(s: Store, account: int, asset: int, quantity: int) -> int:
    _, cost = pool.repay_shares_down(s, account, asset, quantity)
    return cost


@kernel
def _debt_after_repay(s: Store, account: int, asset: int, quantity: int) -> int:
    shares, _ = pool.repay_shares_down(s, account, asset, quantity)
    left = position(s, account, asset).debt_shares - shares
    return mul_div_up(left, pool_row(s, asset).debt_index, INDEX_SCALE)
