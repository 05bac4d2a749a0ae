"""The small worlds that are explored: three accounts, two pools, all thresholds near.

Asset 0 is USDC, asset 1 a token at 200 USDC. Ann lends tokens and owes USDC, Bob has USDC and owes
tokens, Cat lends and provides a backstop. Amounts are such that Ann and Bob each come to their end
within two prices, maintenance and worth nothing, and a pool to its own within one command.
"""

from dataclasses import replace
from typing import NamedTuple

from solvent.domain import commands as c
from solvent.domain.commands import Command, Role
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import PRICE_SCALE
from tests.tables.market import plain_parameters

USDC, TOKEN = 0, 1
FUND, TREASURY, ANN, BOB, CAT = range(5)
PEOPLE = (ANN, BOB, CAT)
DOLLAR = 10**6
COIN = 10**9
OPENING = 200 * PRICE_SCALE


class World(NamedTuple):
    """Where an exploration begins: parameters, and commands that must all pass."""

    name: str
    parameters: EngineParameters
    opening: tuple[Command, ...]


def price(mark: int) -> Command:
    """One quote that says `mark` (10^-10 USDC) on all three sides."""
    return c.UpdatePrice(TOKEN, 0, mark, mark, mark)


def two_assets() -> EngineParameters:
    """USDC and a token: the market of the stories without BTC."""
    whole = plain_parameters()
    usdc, _, token = whole.assets
    return replace(whole, assets=(usdc, replace(token, symbol="TOK")))


def _opened(*commands: Command) -> tuple[Command, ...]:
    accounts = (
        c.OpenAccount(ANN, Role.USER),
        c.OpenAccount(BOB, Role.USER),
        c.OpenAccount(CAT, Role.BACKSTOP_PROVIDER),
    )
    return (price(OPENING), *accounts, *commands)


def full_pool() -> World:
    """Every token of the pool is lent out: Ann is stuck, Bob is short, nobody bids."""
    return World(
        "full pool",
        two_assets(),
        _opened(
            c.Deposit(CAT, USDC, 40_000 * DOLLAR),
            c.Lend(CAT, USDC, 20_000 * DOLLAR),
            c.Deposit(ANN, TOKEN, 100 * COIN),
            c.Lend(ANN, TOKEN, 100 * COIN),
            *_borrowed_and_spent(ANN, USDC, 17_000 * DOLLAR),
            c.Deposit(BOB, USDC, 23_000 * DOLLAR),
            c.Borrow(BOB, TOKEN, 100 * COIN),
            c.Withdraw(BOB, TOKEN, 95 * COIN),
        ),
    )


def two_lenders() -> World:
    """Ann and Bob owe each other in two full pools; the fund has a little, and Cat bids."""
    return World(
        "two lenders",
        two_assets(),
        _opened(
            c.Deposit(FUND, USDC, 300 * DOLLAR),
            c.Deposit(ANN, TOKEN, 100 * COIN),
            c.Lend(ANN, TOKEN, 100 * COIN),
            c.Deposit(BOB, USDC, 23_000 * DOLLAR),
            c.Lend(BOB, USDC, 17_000 * DOLLAR),
            *_borrowed_and_spent(ANN, USDC, 17_000 * DOLLAR),
            *_borrowed_and_spent(BOB, TOKEN, 100 * COIN),
            c.Deposit(CAT, USDC, 9_000 * DOLLAR),
            c.Deposit(CAT, TOKEN, 5 * COIN),
        ),
    )


def levered_lender() -> World:
    """Bob owes Ann and Cat alike, and Ann owes USDC: a loss of Bob's can be the end of Ann."""
    return World(
        "levered lender",
        two_assets(),
        _opened(
            c.Deposit(CAT, TOKEN, 50 * COIN),
            c.Lend(CAT, TOKEN, 50 * COIN),
            c.Deposit(CAT, USDC, 20_000 * DOLLAR),
            c.Lend(CAT, USDC, 10_000 * DOLLAR),
            c.Deposit(ANN, TOKEN, 50 * COIN),
            c.Lend(ANN, TOKEN, 50 * COIN),
            *_borrowed_and_spent(ANN, USDC, 8_500 * DOLLAR),
            c.Deposit(BOB, USDC, 23_000 * DOLLAR),
            c.Borrow(BOB, TOKEN, 100 * COIN),
            c.Withdraw(BOB, TOKEN, 95 * COIN),
        ),
    )


def _borrowed_and_spent(account: int, asset: int, quantity: int) -> tuple[Command, ...]:
    return c.Borrow(account, asset, quantity), c.Withdraw(account, asset, quantity)


WORLDS = (full_pool(), two_lenders(), levered_lender())
