"""What the simulated people and prices do next: one random command at a time, biased to the edges.

Quantities are drawn where mistakes live: nothing, one atom, all of it, one more than all, exactly
what a preview allows and one more. Prices walk, jump and stop, and now and then are set to the very
mark at which an account becomes liquidatable, or one unit beside it. Single commands are mixed with
scripts of several (open a short, drain a pool, crash a price), which are interleaved with each
other and with everything else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from solvent.domain import commands as c
from solvent.domain.parameters import MAX_SUPPLY, USDC, MarketParameters, Policy, PoolState
from solvent.domain.units import HOUR, INT64_MAX, RATIO, SECOND, value_divisor
from solvent.lab.simulator_market import DAY, PERCENT
from solvent.reference import orders, wallet
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.picture import take_picture, vitals_of
from solvent.reference.pool import redeemable
from solvent.reference.state import FUND, TREASURY, State

FIRST_USER = 2
MAX_ACCOUNTS = 16
MAX_SCRIPTS = 6
BASE_WEIGHTS = {
    "deposit": 80,
    "withdraw": 50,
    "lend": 80,
    "redeem": 50,
    "borrow": 80,
    "repay": 50,
    "order": 120,
    "cancel": 30,
    "cancel_all": 8,
    "settings": 15,
    "dust": 15,
    "post_backstop": 12,
    "withdraw_backstop": 8,
    "price": 110,
    "halt": 6,
    "step": 150,
    "parameter": 12,
    "collect_fees": 8,
    "open_account": 4,
    "malformed": 10,
    "query": 25,
    "short": 20,
    "lever": 30,
    "drain": 15,
    "crash": 14,
    "hunt": 20,
    "make_market": 15,
    "refresh": 20,
    "thaw": 6,
}
"""How often each kind of move is made, before a run's own factors."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A command, and whether a preview promised that it passes (True) or is refused (False)."""

    command: c.Command
    passes: bool | None = None


Script = Iterator[Plan]


class Moves:
    """The people and prices of one run. Reads the engine's state and changes nothing."""

    def __init__(self, rng: Random, engine: ReferenceEngine, anchors: list[int]) -> None:
        self._rng = rng
        self._engine = engine
        self._anchors = anchors
        self._scripts: list[Script] = []
        self._preview_share = rng.choice((0, 5, 15))
        factors = {kind: rng.choice((0, 1, 4, 8, 8, 16, 40)) for kind in BASE_WEIGHTS}
        for kind in ("step", "price", "deposit", "refresh"):
            factors[kind] = max(4, factors[kind])
        self._kinds = list(BASE_WEIGHTS)
        self._weights = [BASE_WEIGHTS[kind] * factors[kind] for kind in self._kinds]
        makers: dict[str, Callable[[], Plan | None]] = {
            kind: getattr(self, f"_{kind}") for kind in self._kinds
        }
        self._makers = makers

    @property
    def _state(self) -> State:
        return self._engine.state

    def opening(self) -> Script:
        """Accounts, first prices, first deposits: the commands a run begins with."""
        rng = self._rng
        for asset in range(1, len(self._state.pools)):
            yield from self._quote_all(asset, self._anchors[asset])
        for account in range(FIRST_USER, FIRST_USER + rng.randint(6, 12)):
            provider = rng.random() < 0.2
            role = c.Role.BACKSTOP_PROVIDER if provider else c.Role.USER
            yield Plan(c.OpenAccount(account, role))
        for _ in range(rng.randint(5, 30)):
            yield from self._or_nothing(self._deposit())
        for account in (FUND, TREASURY):
            if rng.random() < 0.4:
                yield Plan(c.Deposit(account, USDC, self._worth(USDC)))

    def next(self) -> Plan | None:
        """The next command, or None when this move was only a question."""
        if self._scripts and self._rng.random() < 0.6:
            script = self._rng.choice(self._scripts)
            plan = next(script, None)
            if plan is not None:
                return plan
            self._scripts.remove(script)
        (kind,) = self._rng.choices(self._kinds, self._weights)
        return self._makers[kind]()

    def _start(self, script: Script) -> Plan | None:
        if len(self._scripts) < MAX_SCRIPTS:
            self._scripts.append(script)
        return next(script, None)

    @staticmethod
    def _or_nothing(plan: Plan | None) -> Script:
        if plan is not None:
            yield plan

    # Draws.

    def _account(self) -> int:
        if self._rng.random() < 0.01:
            return self._rng.choice((-1, FUND, TREASURY, len(self._state.accounts)))
        return self._rng.randrange(FIRST_USER, len(self._state.accounts))

    def _asset(self) -> int:
        if self._rng.random() < 0.3:
            return USDC
        return self._rng.randrange(len(self._state.pools))

    def _token(self) -> int:
        return self._rng.randrange(1, len(self._state.pools))

    def _worth(self, asset: int) -> int:
        """Atoms of some round or ragged value between a thousandth and ten million USDC."""
        rng = self._rng
        value = 10 ** rng.randint(3, 13)
        price = max(1, self._state.mark(asset))
        decimals = self._state.asset(asset).decimals
        quantity = value * value_divisor(decimals) // price
        whole = 10**decimals
        if quantity > whole and rng.random() < 0.5:
            return min(MAX_SUPPLY, quantity // whole * whole)
        return min(MAX_SUPPLY, max(1, quantity * rng.randint(1, 100) // 100))

    def _part(self, most: int) -> int:
        """Some quantity up to `most`, or just beyond the edges."""
        rng = self._rng
        kind = rng.randrange(14)
        edges = (most, most, most, most + 1, 1, 0, most - 1, most // 2, most // 2 + 1)
        if kind < len(edges):
            return edges[kind]
        return rng.randint(1, max(1, most))

    def _previewed(
        self, account: int, largest: Callable[[], int], fallback: Callable[[], int], unit: int = 1
    ) -> tuple[int, bool | None]:
        """A quantity, and what a preview says of it where one was asked."""
        if self._rng.randrange(100) >= self._preview_share:
            return self._part(fallback()), None
        most = largest()
        usable = FIRST_USER <= account < len(self._state.accounts)
        if not usable or account in self._state.liquidating:
            return most, None
        if self._rng.random() < 0.5 and most > 0:
            return most, True
        return most + unit, False

    # Single commands.

    def _deposit(self) -> Plan | None:
        account, asset = self._account(), self._asset()
        quantity = self._worth(asset)
        if self._rng.random() < 0.1:
            quantity = self._rng.choice((0, 1, MAX_SUPPLY, MAX_SUPPLY + 1, 7))
        return Plan(c.Deposit(account, asset, quantity))

    def _withdraw(self) -> Plan | None:
        account, asset = self._account(), self._asset()
        redeem, borrow = self._rng.random() < 0.4, self._rng.random() < 0.4
        if not 0 <= account < len(self._state.accounts):
            return Plan(c.Withdraw(account, asset, 1))
        quantity, passes = self._previewed(
            account,
            lambda: wallet.largest_withdraw(
                self._state, account, asset, redeem=redeem, borrow=borrow
            ),
            lambda: self._held(account, asset) if redeem else self._free(account, asset),
        )
        return Plan(c.Withdraw(account, asset, quantity, redeem, borrow), passes)

    def _lend(self) -> Plan | None:
        account, asset = self._account(), self._asset()
        if not 0 <= account < len(self._state.accounts):
            return Plan(c.Lend(account, asset, 1))
        quantity, passes = self._previewed(
            account,
            lambda: wallet.largest_lend(self._state, account, asset),
            lambda: self._free(account, asset),
        )
        dust = wallet.lend_refusal(self._state, account, asset, quantity) if passes else None
        return Plan(c.Lend(account, asset, quantity), passes if dust is None else None)

    def _redeem(self) -> Plan | None:
        account, asset = self._account(), self._asset()
        if not 0 <= account < len(self._state.accounts):
            return Plan(c.Redeem(account, asset, 1))
        quantity, passes = self._previewed(
            account,
            lambda: wallet.largest_redeem(self._state, account, asset),
            lambda: claim_of(self._state, account, asset),
        )
        return Plan(c.Redeem(account, asset, quantity), passes)

    def _borrow(self) -> Plan | None:
        account, asset = self._account(), self._asset()
        if not 0 <= account < len(self._state.accounts):
            return Plan(c.Borrow(account, asset, 1))
        quantity, passes = self._previewed(
            account,
            lambda: wallet.largest_borrow(self._state, account, asset),
            lambda: redeemable(self._state.pools[asset]),
        )
        return Plan(c.Borrow(account, asset, quantity), passes)

    def _repay(self) -> Plan | None:
        account, asset = self._account(), self._asset()
        if not 0 <= account < len(self._state.accounts):
            return Plan(c.Repay(account, asset, 1))
        most = wallet.largest_repay(self._state, account, asset)
        return Plan(c.Repay(account, asset, self._part(most)))

    def _order(self) -> Plan | None:
        account = self._account()
        if not 0 <= account < len(self._state.accounts):
            return Plan(c.PlaceOrder(account, 1, c.Side.BID, price=1, quantity=1))
        command = self._random_order(account, self._token())
        if command.quote_quantity:
            return Plan(command)
        market = self._market(command.asset)
        quantity, passes = self._previewed(
            account,
            lambda: orders.largest_order(self._state, command),
            lambda: command.quantity,
            unit=market.lot,
        )
        if passes is None:
            return Plan(command)
        if passes is False and quantity < market.min_quantity:
            return Plan(command)
        return Plan(_resized(command, quantity), passes if quantity <= MAX_SUPPLY else None)

    def _random_order(self, account: int, asset: int) -> c.PlaceOrder:
        rng = self._rng
        market = self._market(asset)
        side = rng.choice(tuple(c.Side))
        order_type = rng.choice((c.OrderType.LIMIT, c.OrderType.LIMIT, c.OrderType.MARKET))
        limit = order_type is c.OrderType.LIMIT
        means = self._held(account, asset) if side is c.Side.ASK else self._worth(asset)
        lots = min(MAX_SUPPLY, max(self._part(means), market.min_quantity)) // market.lot
        quantity, quote = lots * market.lot, 0
        if not limit and rng.random() < 0.4:
            quantity, quote = 0, max(1, self._part(self._free(account, USDC)))
        return c.PlaceOrder(
            account=account,
            asset=asset,
            side=side,
            order_type=order_type,
            time_in_force=rng.choice((c.TimeInForce.GTC, c.TimeInForce.GTC, *c.TimeInForce)),
            price=self._limit_price(asset) if limit else 0,
            quantity=quantity,
            quote_quantity=quote,
            post_only=limit and rng.random() < 0.1,
            reduce_only=rng.random() < 0.05,
            auto_borrow=rng.random() < 0.4,
            auto_borrow_repay=rng.random() < 0.4,
            auto_lend_redeem=rng.random() < 0.4,
            self_trade_prevention=rng.choice(tuple(c.SelfTradePrevention)),
            client_id=rng.randrange(1000),
        )

    def _limit_price(self, asset: int) -> int:
        tick = self._market(asset).tick
        percent = self._rng.choice((50, 90, 97, 99, 100, 100, 101, 103, 110, 150))
        return max(1, self._state.mark(asset) * percent // 100 // tick) * tick

    def _cancel(self) -> Plan | None:
        numbers = sorted(self._state.orders)
        if not numbers or self._rng.random() < 0.05:
            return Plan(c.CancelOrder(self._account(), self._rng.randrange(100)))
        order = self._state.orders[self._rng.choice(numbers)]
        return Plan(c.CancelOrder(order.account, order.order))

    def _cancel_all(self) -> Plan | None:
        asset = self._rng.choice((c.ANY_ASSET, c.ANY_ASSET, self._asset()))
        return Plan(c.CancelAllOrders(self._account(), asset))

    def _settings(self) -> Plan | None:
        rng = self._rng
        return Plan(
            c.UpdateSettings(
                self._account(),
                auto_lend=rng.choice((-1, 0, 1)),
                auto_repay_borrows=rng.choice((-1, 0, 1)),
                auto_borrow_settlements=rng.choice((-1, 0, 1, 1)),
                leverage_limit=rng.choice((-1, -1, RATIO, 3 * RATIO, 100 * RATIO)),
            )
        )

    def _dust(self) -> Plan | None:
        return Plan(c.ConvertDust(self._account(), self._asset()))

    def _post_backstop(self) -> Plan | None:
        asset = self._asset()
        return Plan(c.PostBackstop(self._provider(), asset, self._worth(asset)))

    def _withdraw_backstop(self) -> Plan | None:
        account, asset = self._provider(), self._asset()
        if not 0 <= account < len(self._state.accounts):
            return Plan(c.WithdrawBackstop(account, asset, 1))
        committed = self._state.accounts[account].committed[asset]
        return Plan(c.WithdrawBackstop(account, asset, self._part(committed)))

    def _provider(self) -> int:
        providers = [
            number
            for number, holder in enumerate(self._state.accounts)
            if holder.role is c.Role.BACKSTOP_PROVIDER
        ]
        if providers and self._rng.random() < 0.95:
            return self._rng.choice(providers)
        return self._account()

    def _price(self) -> Plan | None:
        asset = self._token()
        sources = len(self._state.prices[asset].quotes)
        percent = self._rng.choice((97, 99, 100, 100, 101, 103))
        price = max(1, self._drift(asset) * percent // 100)
        return Plan(self._quote(asset, self._rng.randrange(sources), price))

    def _drift(self, asset: int) -> int:
        """Where the price is, pulled back when it went far from where it started."""
        anchor = self._anchors[asset]
        price = self._state.prices[asset].index or anchor
        if not anchor <= price * 20 <= anchor * 400:
            return (price + anchor) // 2
        return price

    def _halt(self) -> Plan | None:
        return Plan(c.HaltPrice(self._token(), self._rng.random() < 0.5))

    def _step(self) -> Plan | None:
        rng, now = self._rng, self._state.now
        kind = rng.randrange(100)
        if kind < 70:
            return Plan(c.TimeStep(now + SECOND))
        if kind < 80:
            return Plan(c.TimeStep(now + rng.choice((1, 30 * SECOND, 60 * SECOND, 601 * SECOND))))
        if kind < 90:
            top = (now // HOUR + 1) * HOUR
            return Plan(c.TimeStep(top + rng.choice((-1, 0, 0, 1, HOUR, HOUR - 1))))
        if kind < 92:
            return Plan(c.TimeStep(now - rng.choice((0, 1, HOUR))))
        return Plan(c.TimeStep(now + min(self._bearable_days(), rng.choice((1, 1, 7, 60))) * DAY))

    def _bearable_days(self) -> int:
        """Days that may pass before a debt index at its highest rate leaves its column."""
        days = 60
        for pool, asset in zip(self._state.pools, self._state.parameters.assets, strict=True):
            yearly = asset.pool.curve.points[-1][1] // RATIO + 1
            room = (INT64_MAX // 8 // max(pool.debt_index, pool.lend_index)).bit_length() - 1
            days = min(days, max(0, room - 1) * 200 // yearly)
        return max(1, days)

    def _parameter(self) -> Plan | None:
        rng = self._rng
        asset = self._asset()
        field = rng.choice(tuple(c.ParameterField))
        value = rng.choice((0, 1, 2, 5, 10, 30, 50, 80, 90, 95, 100, 101)) * PERCENT
        special = {
            c.ParameterField.POOL_STATE: rng.choice((0, 0, *PoolState, 9)),
            c.ParameterField.OPEN_BORROW_LEND_LIMIT: rng.choice((MAX_SUPPLY, self._worth(asset))),
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
        }
        return Plan(c.ChangeParameter(asset, field, special.get(field, value), rng.randrange(4)))

    def _collect_fees(self) -> Plan | None:
        return Plan(c.CollectFees(self._asset()))

    def _open_account(self) -> Plan | None:
        count = len(self._state.accounts)
        number = count if count < MAX_ACCOUNTS else self._rng.choice((0, count + 1))
        return Plan(c.OpenAccount(number, self._rng.choice(tuple(c.Role))))

    def _malformed(self) -> Plan | None:
        rng = self._rng
        account, asset = self._account(), rng.choice((-1, len(self._state.pools), 1))
        quantity = rng.choice((-1, 0, MAX_SUPPLY + 1, INT64_MAX, 1))
        return Plan(
            rng.choice(
                (
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
                    c.TimeStep(self._state.now + 400 * DAY),
                )
            )
        )

    def _query(self) -> Plan | None:
        """Ask previews and nothing else; the simulator checks that asking changed nothing."""
        account, asset = self._rng.randrange(len(self._state.accounts)), self._token()
        state = self._state
        wallet.largest_lend(state, account, asset)
        wallet.largest_redeem(state, account, asset)
        wallet.largest_repay(state, account, asset)
        wallet.dust_refusal(state, account, asset)
        if account >= FIRST_USER:
            orders.order_refusal(state, self._random_order(account, asset))
        return None

    # Scripts.

    def _short(self) -> Plan | None:
        return self._start(self._short_script(self._account(), self._token()))

    def _short_script(self, account: int, asset: int) -> Script:
        """Borrow a token against USDC and be rid of it: hurt when it rises."""
        yield Plan(c.Deposit(account, USDC, self._worth(USDC)))
        yield from self._borrow_most(account, asset)
        if self._rng.random() < 0.5:
            yield Plan(c.Withdraw(account, asset, self._free(account, asset)))
        else:
            quantity = self._free(account, asset) // self._market(asset).lot
            yield Plan(
                c.PlaceOrder(
                    account,
                    asset,
                    c.Side.ASK,
                    c.OrderType.MARKET,
                    quantity=quantity * self._market(asset).lot,
                )
            )

    def _lever(self) -> Plan | None:
        return self._start(self._lever_script(self._account(), self._asset(), self._asset()))

    def _lever_script(self, account: int, held: int, owed: int) -> Script:
        """Lend one asset and borrow another against it, to the limit; maybe take it away."""
        yield Plan(c.Deposit(account, held, self._worth(held)))
        if self._rng.random() < 0.7:
            yield Plan(c.Lend(account, held, self._free(account, held)))
        yield from self._borrow_most(account, owed)
        if self._rng.random() < 0.7:
            yield Plan(c.Withdraw(account, owed, self._free(account, owed)))

    def _borrow_most(self, account: int, asset: int) -> Script:
        if not 0 <= account < len(self._state.accounts):
            return
        most = wallet.largest_borrow(self._state, account, asset)
        quantity = most if self._rng.random() < 0.6 else most * self._rng.randint(50, 99) // 100
        usable = account not in self._state.liquidating and account >= FIRST_USER and quantity > 0
        yield Plan(c.Borrow(account, asset, quantity), True if usable else None)

    def _drain(self) -> Plan | None:
        return self._start(self._drain_script(self._account(), self._asset()))

    def _drain_script(self, account: int, asset: int) -> Script:
        """Take all that a pool gives, with collateral to spare."""
        other = USDC if asset != USDC else self._token()
        for _ in range(3):
            yield Plan(c.Deposit(account, other, self._worth(other)))
        if self._rng.random() < 0.3:
            yield Plan(c.UpdateSettings(account, auto_borrow_settlements=1))
        yield from self._borrow_most(account, asset)
        if self._rng.random() < 0.6:
            yield Plan(c.Withdraw(account, asset, self._free(account, asset)))

    def _crash(self) -> Plan | None:
        return self._start(self._crash_script(self._token()))

    def _crash_script(self, asset: int) -> Script:
        """A gap in one price, then seconds in which the waterfall works."""
        percent = self._rng.choice((20, 50, 70, 85, 92, 96, 104, 108, 115, 140, 200, 400))
        price = max(1, self._drift(asset) * percent // 100)
        yield from self._quote_all(asset, price)
        for _ in range(self._rng.randint(1, 8)):
            yield Plan(c.TimeStep(self._state.now + SECOND))

    def _hunt(self) -> Plan | None:
        return self._start(self._hunt_script())

    def _hunt_script(self) -> Script:
        """Set a price to where somebody becomes liquidatable, or one unit beside it."""
        debtors = [
            number
            for number, holder in enumerate(self._state.accounts)
            if any(holder.debt_shares) and number not in self._state.liquidating
        ]
        if not debtors:
            return
        asset = self._token()
        edge = self._edge(self._rng.choice(debtors), asset)
        if edge:
            price = max(1, edge + self._rng.choice((0, 0, -1, 1)))
            yield from self._quote_all(asset, price, sharp=True)
            for _ in range(self._rng.randint(0, 3)):
                yield Plan(c.TimeStep(self._state.now + SECOND))

    def _edge(self, account: int, asset: int) -> int:
        """The mark next to the present one at which an account is liquidatable, or 0."""
        picture = take_picture(self._state)

        def fatal(mark: int) -> bool:
            prices = list(picture.prices)
            prices[asset] = prices[asset]._replace(mark=mark)
            return vitals_of(
                picture.parameters, picture.pools, tuple(prices), picture.holdings[account]
            ).liquidatable

        safe = picture.prices[asset].mark
        for far in (safe // 5, safe * 5):
            if safe and far and not fatal(safe) and fatal(far):
                near = safe
                while abs(far - near) > 1:
                    middle = (near + far) // 2
                    near, far = (near, middle) if fatal(middle) else (middle, far)
                return far
        return 0

    def _make_market(self) -> Plan | None:
        return self._start(self._make_market_script(self._account(), self._token()))

    def _make_market_script(self, account: int, asset: int) -> Script:
        """Rest orders on both sides of the mark."""
        yield Plan(c.Deposit(account, asset, self._worth(asset)))
        yield Plan(c.Deposit(account, USDC, self._worth(USDC)))
        market = self._market(asset)
        for distance in range(1, self._rng.randint(2, 5)):
            for side, percent in ((c.Side.BID, 100 - distance), (c.Side.ASK, 100 + distance)):
                tick = self._state.mark(asset) * percent // 100 // market.tick
                lots = self._free(account, asset) // 4 // market.lot
                yield Plan(
                    c.PlaceOrder(
                        account,
                        asset,
                        side,
                        price=max(1, tick) * market.tick,
                        quantity=max(market.min_quantity, lots * market.lot),
                        auto_borrow=self._rng.random() < 0.3,
                    )
                )

    def _refresh(self) -> Plan | None:
        return self._start(self._refresh_script())

    def _refresh_script(self) -> Script:
        """Quote every asset anew where it is, ending halts."""
        for asset in range(1, len(self._state.pools)):
            if self._state.prices[asset].halted:
                yield Plan(c.HaltPrice(asset, False))
            yield from self._quote_all(asset, self._drift(asset))

    def _thaw(self) -> Plan | None:
        return self._start(self._thaw_script(self._asset()))

    def _thaw_script(self, asset: int) -> Script:
        """Open a pool fully, as a venue would after an incident."""
        for field, value in (
            (c.ParameterField.POOL_STATE, PoolState.OPEN),
            (c.ParameterField.OPEN_BORROW_LEND_LIMIT, MAX_SUPPLY),
            (c.ParameterField.MAX_UTILIZATION, RATIO),
            (c.ParameterField.THROTTLE_THRESHOLD, RATIO),
        ):
            yield Plan(c.ChangeParameter(asset, field, value))

    # What is there.

    def _market(self, asset: int) -> MarketParameters:
        market = self._state.asset(asset).market
        if market is None:
            raise AssertionError(f"asset {asset} has no market")
        return market

    def _free(self, account: int, asset: int) -> int:
        if not 0 <= account < len(self._state.accounts):
            return 0
        return self._state.accounts[account].available[asset]

    def _held(self, account: int, asset: int) -> int:
        return self._free(account, asset) + claim_of(self._state, account, asset)

    def _owed(self, account: int, asset: int) -> int:
        return debt_of(self._state, account, asset)

    def _quote(self, asset: int, source: int, price: int, *, sharp: bool = False) -> c.UpdatePrice:
        spread = 0 if sharp else price * self._rng.choice((0, 0, 1, 5)) // 1000
        bid = max(1, price - spread)
        return c.UpdatePrice(asset, source, bid, price + spread, price)

    def _quote_all(self, asset: int, price: int, *, sharp: bool = False) -> Script:
        for source in range(len(self._state.prices[asset].quotes)):
            yield Plan(self._quote(asset, source, price, sharp=sharp))


def _resized(command: c.PlaceOrder, quantity: int) -> c.PlaceOrder:
    fields = {name: getattr(command, name) for name in c.command_fields(c.PlaceOrder)}
    return c.PlaceOrder(**fields | {"quantity": quantity})
