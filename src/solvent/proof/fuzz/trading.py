"""A market that lives: makers who quote, takers who trade, and borrowers whom a price goes after.

Without these scripts books are empty, or their orders are far away or unpaid, and the stages before
ADL have nothing to do.
"""

from solvent.domain import commands as c
from solvent.domain.parameters import MAX_SUPPLY, USDC, PoolState
from solvent.domain.units import RATIO, SECOND, value_divisor
from solvent.proof.fuzz.draws import Draws, Plan, Script
from solvent.proof.invariants.state_view import Health, health_in, view_of
from solvent.reference.lending import wallet

THOUSAND = 1000
USDC_ATOMS = 10**6


def atoms(draws: Draws, asset: int, value: int) -> int:
    """Atoms of an asset worth `value` (10^-6 USDC) at the mark, at least one."""
    divisor = value_divisor(draws.state.asset(asset).decimals)
    return min(MAX_SUPPLY, max(1, value * divisor // max(1, draws.state.mark(asset))))


def make_market(draws: Draws, account: int | None = None, asset: int | None = None) -> Script:
    """Rest a funded ladder on both sides of the mark, in place of the maker's old quotes."""
    account = draws.account() if account is None else account
    asset = draws.token() if asset is None else asset
    yield from freshen(draws, asset)
    yield Plan(c.CancelAllOrders(account, asset))
    levels = min(draws.rng.randint(1, 6), draws.state.parameters.max_orders_per_account // 2)
    value = 10 ** draws.rng.randint(2, 6) * USDC_ATOMS
    wanted = atoms(draws, asset, value)
    yield Plan(c.Deposit(account, asset, wanted))
    yield Plan(c.Deposit(account, USDC, value * 2))
    market = draws.market(asset)
    quantity = max(market.min_quantity, wanted // levels // market.lot * market.lot)
    spread = draws.rng.choice((1, 3, 10))
    for level in range(1, levels + 1):
        for side, away in ((c.Side.BID, -level * spread), (c.Side.ASK, level * spread)):
            mark = draws.state.mark(asset)
            # Towards the mark, but for a price below its first tick.
            ticks = mark * (THOUSAND + away) // THOUSAND // market.tick + (side == c.Side.ASK)
            yield Plan(
                c.PlaceOrder(
                    account,
                    asset,
                    side,
                    price=max(1, ticks) * market.tick,
                    quantity=quantity,
                    auto_borrow=draws.chance(20),
                )
            )


def freshen(draws: Draws, asset: int) -> Script:
    """Quote an asset where it is, if its price is stale, and end a halt."""
    price = draws.state.prices[asset]
    if price.halted:
        yield Plan(c.HaltPrice(asset, False))
    if price.stale:
        yield from draws.quote_all(asset, draws.drift(asset))


def take(draws: Draws) -> Script:
    """Hit what rests on one side: a part of the best order, all of it, or through several."""
    quoted = [asset for asset, book in enumerate(draws.state.books) if book.bids or book.asks]
    if not quoted:
        yield from make_market(draws)
        return
    account, asset = draws.account(), draws.rng.choice(quoted)
    yield from freshen(draws, asset)
    book, market = draws.state.books[asset], draws.market(asset)
    side = c.Side.BID if book.asks and (draws.chance(50) or not book.bids) else c.Side.ASK
    resting = book.asks if side is c.Side.BID else book.bids
    if not resting:
        return
    orders = [draws.state.orders[number] for number in resting[: draws.rng.choice((1, 1, 2, 5))]]
    whole = sum(order.quantity for order in orders)
    quantity = max(market.min_quantity, draws.part(whole) // market.lot * market.lot)
    if side is c.Side.ASK:
        yield Plan(c.Deposit(account, asset, min(MAX_SUPPLY, quantity)))
    else:
        divisor = value_divisor(draws.state.asset(asset).decimals)
        cost = quantity * orders[-1].price // divisor * 11 // 10
        yield Plan(c.Deposit(account, USDC, min(MAX_SUPPLY, max(1, cost))))
    kind = draws.rng.choice(tuple(c.OrderType))
    yield Plan(
        c.PlaceOrder(
            account,
            asset,
            side,
            kind,
            draws.rng.choice(tuple(c.TimeInForce)),
            price=orders[-1].price if kind is c.OrderType.LIMIT else 0,
            quantity=quantity,
            auto_borrow_repay=draws.chance(20),
            self_trade_prevention=draws.rng.choice(tuple(c.SelfTradePrevention)),
        )
    )


def siege(draws: Draws) -> Script:
    """A borrower at the limit, a book and maybe a provider; then the price goes after the account.

    It comes to rest at the account's edge, between there and the price at which the account is
    worth nothing, or beyond, while quotes follow it and seconds pass.
    """
    asset = draws.token()
    long = draws.chance(60)
    held, owed = (asset, USDC) if long else (USDC, asset)
    value = 10 ** draws.rng.randint(3, 6) * USDC_ATOMS
    yield from draws.quote_all(asset, draws.drift(asset))
    yield from freshen(draws, asset)
    if draws.chance(40):
        yield from thaw(draws, owed)
    lender, maker = draws.account(), draws.account()
    borrower = _can_owe(draws, held, owed)
    yield Plan(c.Deposit(lender, owed, atoms(draws, owed, 2 * value)))
    yield Plan(c.Lend(lender, owed, draws.free(lender, owed)))
    yield Plan(c.Deposit(borrower, held, atoms(draws, held, value)))
    if draws.chance(40):
        yield Plan(c.Lend(borrower, held, draws.free(borrower, held)))
    yield from borrow_most(draws, borrower, owed)
    if draws.chance(50):
        yield Plan(c.Withdraw(borrower, owed, draws.free(borrower, owed)))
    if draws.chance(40):
        provider = draws.provider()
        yield Plan(c.Deposit(provider, USDC, value))
        yield Plan(c.PostBackstop(provider, owed, atoms(draws, owed, value)))
    if draws.chance(80):
        yield from make_market(draws, maker, asset)
    for _ in range(draws.rng.randint(1, 4)):
        price = _price_against(draws, borrower, asset)
        if price:
            yield from draws.quote_all(asset, price, sharp=True)
        for _ in range(draws.rng.randint(1, 5)):
            if draws.chance(50):
                yield from make_market(draws, maker, asset)
            yield Plan(c.TimeStep(draws.state.now + SECOND))


def _can_owe(draws: Draws, held: int, owed: int) -> int:
    """An account, if one of several is such, that may borrow one asset against another."""
    for _ in range(8):
        account = draws.account()
        if draws.may_act(account):
            holder = draws.state.accounts[account]
            if not holder.lent_shares[owed] and not holder.debt_shares[held]:
                return account
    return draws.account()


def thaw(draws: Draws, asset: int | None = None) -> Script:
    """Open a pool fully, as a venue would after an incident."""
    asset = draws.asset() if asset is None else asset
    for field, value in (
        (c.ParameterField.POOL_STATE, PoolState.OPEN),
        (c.ParameterField.OPEN_BORROW_LEND_LIMIT, MAX_SUPPLY),
        (c.ParameterField.MAX_UTILIZATION, RATIO),
        (c.ParameterField.THROTTLE_THRESHOLD, RATIO),
    ):
        yield Plan(c.ChangeParameter(asset, field, value))


def _price_against(draws: Draws, account: int, asset: int) -> int:
    """A price that hurts the account: at its edge, on the way to its ruin, or past it; or 0."""
    mark = draws.state.mark(asset)
    edge = edge_of(draws, account, asset, ruin=False)
    ruin = edge_of(draws, account, asset, ruin=True)
    if not edge:
        # Already past the edge, or beyond the reach of one move: the price goes on.
        return max(1, mark * draws.rng.choice((80, 95, 99, 101, 105, 125)) // 100)
    if not ruin:
        return edge
    share = draws.rng.choice((0, 0, 1, 10, 30, 60, 90, 100, 110, 150))
    return max(1, edge + (ruin - edge) * share // 100)


def borrow_most(draws: Draws, account: int, asset: int) -> Script:
    """Borrow what the preview allows, mostly all of it."""
    if not draws.exists(account):
        return
    most = wallet.largest_borrow(draws.state, account, asset)
    quantity = most if draws.chance(60) else most * draws.rng.randint(50, 99) // 100
    passes = True if 0 < quantity == most and draws.may_act(account) else None
    yield Plan(c.Borrow(account, asset, quantity), passes)


def edge_of(draws: Draws, account: int, asset: int, *, ruin: bool) -> int:
    """The mark next to the present one at which an account is liquidatable, or worth less than 0.

    0 where there is none within a fifth and five times the mark.
    """
    if not draws.exists(account):
        return 0
    view = view_of(draws.state)

    def fatal(mark: int) -> bool:
        prices = list(view.prices)
        prices[asset] = prices[asset]._replace(mark=mark)
        holding = view.holdings[account]
        health: Health = health_in(view.parameters, view.pools, tuple(prices), holding)
        return health.total_value < 0 if ruin else health.liquidatable

    safe = view.prices[asset].mark
    for limit in (safe // 5, safe * 5):
        near, far = safe, limit
        if safe and far and not fatal(near) and fatal(far):
            while abs(far - near) > 1:
                middle = (near + far) // 2
                near, far = (near, middle) if fatal(middle) else (middle, far)
            return far
    return 0
