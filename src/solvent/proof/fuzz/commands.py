"""Single commands of the simulator: one function a kind, each a random plan or None for a question.

Every command of the engine can occur with any account, asset, quantity and flag, valid or not.
Where a preview is asked for the quantity, the plan says whether it must pass.
"""

from collections.abc import Callable
from dataclasses import replace

from solvent.domain import commands as c
from solvent.domain.parameters import MAX_SUPPLY, USDC, Policy, PoolState
from solvent.domain.units import HOUR, INT64_MAX, RATIO, SECOND
from solvent.proof.fuzz.draws import FIRST_USER, Draws, Plan
from solvent.proof.fuzz.market import DAY, PERCENT
from solvent.reference.ledger import claim_of
from solvent.reference.lending import wallet
from solvent.reference.lending.pool import redeemable
from solvent.reference.orderbook import orders, triggers

MAX_ACCOUNTS = 16


def deposit(draws: Draws) -> Plan:
    """Tokens arrive."""
    account, asset = draws.account(), draws.asset()
    quantity = draws.worth(asset)
    if draws.chance(10):
        quantity = draws.rng.choice((0, 1, MAX_SUPPLY, MAX_SUPPLY + 1, 7))
    return Plan(c.Deposit(account, asset, quantity))


def withdraw(draws: Draws) -> Plan:
    """Tokens leave."""
    account, asset = draws.account(), draws.asset()
    redeem, borrowing = draws.chance(40), draws.chance(40)
    if not draws.exists(account):
        return Plan(c.Withdraw(account, asset, 1))
    quantity, passes = draws.previewed(
        account,
        lambda: wallet.largest_withdraw(
            draws.state, account, asset, redeem=redeem, borrow=borrowing
        ),
        lambda: draws.held(account, asset) if redeem else draws.free(account, asset),
    )
    return Plan(c.Withdraw(account, asset, quantity, redeem, borrowing), passes)


def lend(draws: Draws) -> Plan:
    """Tokens go into the pool."""
    account, asset = draws.account(), draws.asset()
    if not draws.exists(account):
        return Plan(c.Lend(account, asset, 1))
    quantity, passes = draws.previewed(
        account,
        lambda: wallet.largest_lend(draws.state, account, asset),
        lambda: draws.free(account, asset),
    )
    return Plan(c.Lend(account, asset, quantity), passes)


def redeem(draws: Draws) -> Plan:
    """Tokens come back out of the pool."""
    account, asset = draws.account(), draws.asset()
    if not draws.exists(account):
        return Plan(c.Redeem(account, asset, 1))
    quantity, passes = draws.previewed(
        account,
        lambda: wallet.largest_redeem(draws.state, account, asset),
        lambda: claim_of(draws.state, account, asset),
    )
    return Plan(c.Redeem(account, asset, quantity), passes)


def borrow(draws: Draws) -> Plan:
    """A debt grows."""
    account, asset = draws.account(), draws.asset()
    if not draws.exists(account):
        return Plan(c.Borrow(account, asset, 1))
    quantity, passes = draws.previewed(
        account,
        lambda: wallet.largest_borrow(draws.state, account, asset),
        lambda: redeemable(draws.state.pools[asset]),
    )
    return Plan(c.Borrow(account, asset, quantity), passes)


def repay(draws: Draws) -> Plan:
    """A debt shrinks."""
    account, asset = draws.account(), draws.asset()
    if not draws.exists(account):
        return Plan(c.Repay(account, asset, 1))
    most = wallet.largest_repay(draws.state, account, asset)
    return Plan(c.Repay(account, asset, draws.part(most)))


def order(draws: Draws) -> Plan:
    """An order of any kind; only a limit order's largest quantity has a next one that fails."""
    account = draws.account()
    if not draws.exists(account):
        return Plan(c.PlaceOrder(account, 1, c.Side.BID, price=1, quantity=1))
    command = random_order(draws, account, draws.token())
    market = draws.market(command.asset)
    if command.quote_quantity:
        return Plan(command)
    quantity, passes = draws.previewed(
        account,
        lambda: orders.largest_order(draws.state, command),
        lambda: command.quantity,
        unit=market.lot,
    )
    if passes is None or quantity < market.min_quantity:
        return Plan(command)
    limited = command.order_type is c.OrderType.LIMIT and quantity <= MAX_SUPPLY
    return Plan(replace(command, quantity=quantity), passes if passes or limited else None)


def random_order(draws: Draws, account: int, asset: int) -> c.PlaceOrder:
    """Any order of `account` on an asset's market."""
    rng = draws.rng
    market = draws.market(asset)
    side = rng.choice(tuple(c.Side))
    order_type = rng.choice((c.OrderType.LIMIT, c.OrderType.LIMIT, c.OrderType.MARKET))
    limit = order_type is c.OrderType.LIMIT
    means = draws.held(account, asset) if side is c.Side.ASK else draws.worth(asset)
    lots = min(MAX_SUPPLY, max(draws.part(means), market.min_quantity)) // market.lot
    quantity, quote = lots * market.lot, 0
    if not limit and draws.chance(40):
        quantity, quote = 0, max(1, draws.part(draws.free(account, USDC)))
    return c.PlaceOrder(
        account=account,
        asset=asset,
        side=side,
        order_type=order_type,
        time_in_force=rng.choice((c.TimeInForce.GTC, c.TimeInForce.GTC, *c.TimeInForce)),
        price=draws.limit_price(asset) if limit else 0,
        quantity=quantity,
        quote_quantity=quote,
        post_only=limit and draws.chance(10),
        reduce_only=draws.chance(5),
        auto_borrow=draws.chance(40),
        auto_borrow_repay=draws.chance(40),
        auto_lend_redeem=draws.chance(40),
        self_trade_prevention=rng.choice(tuple(c.SelfTradePrevention)),
        client_id=rng.randrange(1000),
    )


def trigger(draws: Draws) -> Plan:
    """An order that waits for a price near, at or far from where it is; sometimes all but well."""
    rng, account, asset = draws.rng, draws.account(), draws.token()
    order = random_order(draws, account, asset)
    by = rng.choice(tuple(c.TriggerBy))
    tick, now = draws.market(asset).tick, triggers.looked_at(draws.state, asset, by)
    away = rng.choice((500, 900, 990, 999, 1000, 1000, 1001, 1010, 1100, 2000))
    wanted = max(1, now * away // 1000 // tick + rng.choice((-1, 0, 0, 1))) * tick
    if draws.chance(2):
        wanted += rng.choice((-wanted, 1, -1, INT64_MAX // 4))
    asked = {name: int(getattr(order, name)) for name in c.command_fields(c.PlaceOrder)}
    return Plan(c.make_command(c.PlaceTrigger, asked | {"trigger_price": wanted, "trigger_by": by}))


def cancel_waiting(draws: Draws) -> Plan:
    """A waiting order ends."""
    numbers = sorted(draws.state.triggers)
    if not numbers:
        return trigger(draws)
    number = draws.rng.choice(numbers)
    return Plan(c.CancelOrder(draws.state.triggers[number].becomes.account, number))


def cancel(draws: Draws) -> Plan:
    """An order ends; rarely one that is not there."""
    numbers = sorted(draws.state.orders)
    if not numbers or draws.chance(5):
        return Plan(c.CancelOrder(draws.account(), draws.rng.randrange(100)))
    resting = draws.state.orders[draws.rng.choice(numbers)]
    return Plan(c.CancelOrder(resting.account, resting.order))


def cancel_all(draws: Draws) -> Plan:
    """All of an account's orders end, on one market or on all."""
    asset = draws.rng.choice((c.ANY_ASSET, c.ANY_ASSET, draws.asset()))
    return Plan(c.CancelAllOrders(draws.account(), asset))


def settings(draws: Draws) -> Plan:
    """An account's settings change."""
    rng = draws.rng
    return Plan(
        c.UpdateSettings(
            draws.account(),
            auto_lend=rng.choice((-1, 0, 1)),
            auto_repay_borrows=rng.choice((-1, 0, 1)),
            auto_borrow_settlements=rng.choice((-1, 0, 1, 1)),
            leverage_limit=rng.choice((-1, -1, RATIO, 3 * RATIO, 100 * RATIO)),
        )
    )


def dust(draws: Draws) -> Plan:
    """A small balance is sold to the treasury."""
    return Plan(c.ConvertDust(draws.account(), draws.asset()))


def post_backstop(draws: Draws) -> Plan:
    """A provider commits."""
    asset = draws.asset()
    return Plan(c.PostBackstop(draws.provider(), asset, draws.worth(asset)))


def withdraw_backstop(draws: Draws) -> Plan:
    """A provider takes commitment back."""
    account, asset = draws.provider(), draws.asset()
    committed = draws.state.accounts[account].committed[asset] if draws.exists(account) else 1
    return Plan(c.WithdrawBackstop(account, asset, draws.part(committed)))


def price(draws: Draws) -> Plan:
    """One source's quote moves by some percent."""
    asset = draws.token()
    source = draws.rng.randrange(len(draws.state.prices[asset].quotes))
    percent = draws.rng.choice((97, 99, 100, 100, 101, 103))
    quote = draws.quote(asset, source, max(1, draws.drift(asset) * percent // 100))
    return Plan(replace(quote, more=draws.chance(20)))


def halt(draws: Draws) -> Plan:
    """A price stops, or goes on."""
    return Plan(c.HaltPrice(draws.token(), draws.chance(50), draws.chance(20)))


def step(draws: Draws) -> Plan:
    """Time passes: mostly a second, sometimes to the edge of an hour, rarely many days or none."""
    rng, now = draws.rng, draws.state.now
    top = (now // HOUR + 1) * HOUR
    days = rng.choice((1, 1, 1, 7, 30))
    (time,) = rng.choices(
        (
            now + SECOND,
            now + rng.choice((1, 30 * SECOND, 60 * SECOND, 601 * SECOND)),
            top + rng.choice((-1, 0, 0, 1, HOUR, HOUR - 1)),
            now - rng.choice((0, 1, HOUR)),
            now + days * DAY,
        ),
        (70, 10, 10, 2, 8),
    )
    return Plan(c.TimeStep(time))


def parameter(draws: Draws) -> Plan:
    """A risk admin changes a parameter."""
    rng = draws.rng
    asset = draws.asset()
    field = rng.choice(tuple(c.ParameterField))
    value = rng.choice((0, 1, 2, 5, 10, 30, 50, 80, 90, 95, 100, 101)) * PERCENT
    special = {
        c.ParameterField.POOL_STATE: rng.choice((0, 0, *PoolState, 9)),
        c.ParameterField.OPEN_BORROW_LEND_LIMIT: rng.choice((MAX_SUPPLY, draws.worth(asset))),
        c.ParameterField.CURVE_RATE: rng.choice((0, 1, 10, 100)) * PERCENT,
        c.ParameterField.COLLATERAL_BASE: rng.choice((50, 100, 110)) * PERCENT,
        c.ParameterField.COLLATERAL_PENALTY: 10 ** rng.randint(0, 6),
        c.ParameterField.INITIAL_FACTOR: 10 ** rng.randint(0, 5),
        c.ParameterField.MAINTENANCE_FACTOR: 10 ** rng.randint(0, 4),
        c.ParameterField.PRICE_MAX_AGE: rng.choice((SECOND, HOUR, 300 * DAY)),
        c.ParameterField.BOOK_LIMIT: rng.choice((0, 10**9, 2**60)),
        c.ParameterField.MAX_DISCOUNT: rng.choice((0, 5, 20)) * PERCENT,
        c.ParameterField.LENDER_POLICY: rng.choice((*Policy, 7)),
        c.ParameterField.DEFAULT_POLICY: rng.choice((*Policy, -1)),
        c.ParameterField.PATIENCE: rng.choice((0, 1, 3)),
        c.ParameterField.COMMITMENT_NOTICE: rng.choice((-1, 0, 60 * SECOND)),
    }
    return Plan(c.ChangeParameter(asset, field, special.get(field, value), rng.randrange(4)))


def collect_fees(draws: Draws) -> Plan:
    """A pool's fees go to the treasury."""
    return Plan(c.CollectFees(draws.asset()))


def open_account(draws: Draws) -> Plan:
    """A new account opens, while there is room."""
    count = len(draws.state.accounts)
    number = count if count < MAX_ACCOUNTS else draws.rng.choice((0, count + 1))
    return Plan(c.OpenAccount(number, draws.rng.choice(tuple(c.Role))))


def malformed(draws: Draws) -> Plan:
    """A command that makes no sense."""
    rng = draws.rng
    account, asset = draws.account(), rng.choice((-1, len(draws.state.pools), 1))
    quantity = rng.choice((-1, 0, MAX_SUPPLY + 1, INT64_MAX, 1))
    candidates = (
        c.Deposit(account, asset, quantity),
        c.Withdraw(account, asset, quantity, True, True),
        c.Lend(account, asset, quantity),
        c.Redeem(account, asset, quantity),
        c.Borrow(account, asset, quantity),
        c.Repay(account, asset, quantity),
        c.PlaceOrder(account, asset, c.Side.ASK, price=quantity, quantity=quantity),
        c.PlaceOrder(account, USDC, c.Side.BID, price=1, quantity=1),
        c.UpdatePrice(asset, rng.randrange(-1, 4), quantity, 1, 1),
        c.HaltPrice(asset, True),
        c.PostBackstop(account, asset, quantity),
        c.CollectFees(asset),
        c.TimeStep(draws.state.now + 400 * DAY),
    )
    return Plan(rng.choice(candidates))


def query(draws: Draws) -> None:
    """Ask previews and nothing else; the simulator checks that asking changed nothing."""
    state = draws.state
    account, asset = draws.rng.randrange(len(state.accounts)), draws.token()
    wallet.largest_lend(state, account, asset)
    wallet.largest_redeem(state, account, asset)
    wallet.largest_repay(state, account, asset)
    wallet.dust_refusal(state, account, asset)
    if account >= FIRST_USER:
        order = random_order(draws, account, asset)
        # Only a well-formed order is worth what a column holds: form first, as commands do.
        if orders.order_form(state, order) is None:
            orders.order_refusal(state, order)


COMMANDS: dict[str, tuple[Callable[[Draws], Plan | None], int]] = {
    "deposit": (deposit, 80),
    "withdraw": (withdraw, 50),
    "lend": (lend, 80),
    "redeem": (redeem, 50),
    "borrow": (borrow, 80),
    "repay": (repay, 50),
    "order": (order, 120),
    "cancel": (cancel, 30),
    "cancel_all": (cancel_all, 8),
    "settings": (settings, 15),
    "dust": (dust, 15),
    "post_backstop": (post_backstop, 12),
    "withdraw_backstop": (withdraw_backstop, 8),
    "price": (price, 110),
    "halt": (halt, 6),
    "step": (step, 150),
    "parameter": (parameter, 12),
    "collect_fees": (collect_fees, 8),
    "open_account": (open_account, 4),
    "malformed": (malformed, 10),
    "query": (query, 25),
}
"""Every kind of single move and how often it is made, before a run's own factors."""
