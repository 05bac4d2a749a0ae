"""The alphabet of the explored sequences: what anybody may do next, by name.

A letter is a command or a question to the state: prices go to where an account's health or worth
changes its sign, one unit before and one past it, and redemptions to where a pool is empty. The
thresholds are solved here as fractions, from balances and the market's flat weights, and not by
asking an engine.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from solvent.domain import commands as c
from solvent.domain.commands import Command, OrderType, Side, TimeInForce
from solvent.domain.units import HOUR, PRICE_SCALE, RATIO, SECOND
from solvent.proof.invariants.state_view import StateView
from tests.model.worlds import ANN, BOB, CAT, COIN, DOLLAR, OPENING, TOKEN, USDC, price

MOST_MARK = 2**60


class Letter(NamedTuple):
    """What is done next: `command` of a state, or None where there is nothing to do."""

    name: str
    command: Callable[[StateView], Command | None]


def _always(name: str, command: Command) -> Letter:
    return Letter(name, lambda _: command)


class Threshold(NamedTuple):
    """Weights of what an account holds and of what it owes, at which its sums cancel."""

    name: str
    holds: Callable[[StateView, int], Fraction]
    owes: Callable[[StateView, int], Fraction]


MAINTENANCE = Threshold(
    "maintenance",
    lambda view, asset: Fraction(view.parameters.assets[asset].haircut.weight, RATIO),
    lambda view, asset: 1 + Fraction(view.parameters.assets[asset].maintenance.base, RATIO),
)
WORTH = Threshold("worth nothing", lambda *_: Fraction(1), lambda *_: Fraction(1))


def crossing(view: StateView, account: int, threshold: Threshold) -> Fraction | None:
    """The token's mark (10^-10 USDC) at which the account's sum is zero; None if there is none."""
    sums = []
    for asset in (USDC, TOKEN):
        holding, health = view.holdings[account], view.health[account]
        has = holding.available[asset] + holding.locked[asset] + health.claims[asset]
        owes = threshold.owes(view, asset) * health.debts[asset]
        sums.append(has * threshold.holds(view, asset) - owes)
    dollars, coins = sums[0] / DOLLAR, sums[1] / COIN
    mark = -dollars / coins * PRICE_SCALE if coins else Fraction(0)
    # An account that owes an atom or two is worth nothing at prices that nobody can quote.
    return mark if 1 <= mark <= MOST_MARK else None


def _far_past(account: int, name: str, percent: int) -> Letter:
    def command(view: StateView) -> Command | None:
        mark = crossing(view, account, WORTH)
        return None if mark is None else price(int(mark * percent / 100))

    return Letter(f"price at {percent} % of where {name} is worth nothing", command)


def _to_price(account: int, name: str, threshold: Threshold, past: int) -> Letter:
    def command(view: StateView) -> Command | None:
        mark = crossing(view, account, threshold)
        return None if mark is None else price(int(mark) + past)

    side = "above" if past else "below"
    return Letter(f"price just {side} where {name} is at {threshold.name}", command)


def _redeem_all_cash(view: StateView) -> Command | None:
    pool = view.pools[USDC]
    quantity = min(max(0, pool.lent - pool.borrowed), view.health[CAT].claims[USDC])
    return c.Redeem(CAT, USDC, quantity) if quantity else None


def _step(by: int) -> Callable[[StateView], Command]:
    return lambda view: c.TimeStep(view.now + by)


def _uncommit(view: StateView) -> Command | None:
    committed = view.holdings[CAT].committed[TOKEN]
    return c.WithdrawBackstop(CAT, TOKEN, committed) if committed else None


ALPHABET = (
    Letter("a second", _step(SECOND)),
    _to_price(ANN, "Ann", MAINTENANCE, 0),
    _to_price(BOB, "Bob", MAINTENANCE, 1),
    _to_price(BOB, "Bob", WORTH, 1),
    _far_past(BOB, "Bob", 120),
    Letter("Cat redeems all cash of the USDC pool", _redeem_all_cash),
    _always("Cat lends 5,000 USDC", c.Lend(CAT, USDC, 5_000 * DOLLAR)),
    _always("Ann redeems 3 tokens", c.Redeem(ANN, TOKEN, 3 * COIN)),
    _always("Bob repays 5 tokens", c.Repay(BOB, TOKEN, 5 * COIN)),
    _always("Bob deposits 1,000 USDC", c.Deposit(BOB, USDC, 1_000 * DOLLAR)),
    _always("Cat is ready to take 50 tokens of debt", c.PostBackstop(CAT, TOKEN, 50 * COIN)),
    _always(
        "Cat bids for 40 tokens",
        c.PlaceOrder(CAT, TOKEN, Side.BID, price=180 * PRICE_SCALE, quantity=40 * COIN),
    ),
    _always("the token is halted", c.HaltPrice(TOKEN, True)),
    _always("Cat borrows 2 tokens", c.Borrow(CAT, TOKEN, 2 * COIN)),
    _always("Bob withdraws 500 USDC", c.Withdraw(BOB, USDC, 500 * DOLLAR)),
    _always("Cat lends by herself", c.UpdateSettings(CAT, auto_lend=1)),
    _always("the token is open", c.HaltPrice(TOKEN, False)),
    _to_price(ANN, "Ann", MAINTENANCE, 1),
    _to_price(BOB, "Bob", MAINTENANCE, 0),
    _to_price(ANN, "Ann", WORTH, 0),
    _to_price(ANN, "Ann", WORTH, 1),
    _to_price(BOB, "Bob", WORTH, 0),
    _far_past(ANN, "Ann", 80),
    _always("price as in the beginning", price(OPENING)),
    _always("Cat is ready to take 9,000 USDC of debt", c.PostBackstop(CAT, USDC, 9_000 * DOLLAR)),
    _always("Ann gets an atom of the token", c.Deposit(ANN, TOKEN, 1)),
    _always(
        "Bob sells 5 tokens",
        c.PlaceOrder(BOB, TOKEN, Side.ASK, OrderType.MARKET, TimeInForce.IOC, quantity=5 * COIN),
    ),
    Letter("Cat takes her offer of tokens back", _uncommit),
    _always("Cat cancels her orders", c.CancelAllOrders(CAT)),
    Letter("an hour", _step(HOUR)),
)
"""All letters; a smaller size explores the first of them, which are of all kinds but five."""
