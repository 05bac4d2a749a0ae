"""Rows of text as commands: `deposit alice USDC 1000`, `price SOL 190`, `step +1s`.

A row names accounts and assets by their names; `nobody` is an account that does not exist and
`NONE` an asset that does not.
"""

from collections.abc import Callable

from solvent.domain import commands as c
from solvent.domain.decimals import Units
from solvent.domain.parameters import USDC, EngineParameters, Policy, PoolState
from solvent.domain.units import PRICE_DECIMALS, VALUE_DECIMALS
from solvent.reference.state import FUND, TREASURY
from tests.tables.market import duration, number, ratio

NOBODY = 999
NO_ASSET = 99
ROLES = {"user": c.Role.USER, "provider": c.Role.BACKSTOP_PROVIDER}
STOPS = {
    "stop_taker": c.SelfTradePrevention.REJECT_TAKER,
    "stop_maker": c.SelfTradePrevention.REJECT_MAKER,
    "stop_both": c.SelfTradePrevention.REJECT_BOTH,
}
FLAGS = {
    "post": "post_only",
    "reduce": "reduce_only",
    "borrow": "auto_borrow",
    "repay": "auto_borrow_repay",
    "redeem": "auto_lend_redeem",
}
POLICIES = {c.ParameterField.LENDER_POLICY, c.ParameterField.DEFAULT_POLICY}


class Names:
    """Who is called what."""

    def __init__(self, parameters: EngineParameters) -> None:
        self.parameters = parameters
        self.accounts = {"fund": FUND, "treasury": TREASURY, "nobody": NOBODY}

    def account(self, name: str) -> int:
        """Number of an account. Raises KeyError."""
        return self.accounts[name]

    def asset(self, symbol: str) -> int:
        """Number of an asset; `NONE` and `ANY` stand for numbers no asset has."""
        if symbol == "NONE":
            return NO_ASSET
        return c.ANY_ASSET if symbol == "ANY" else Units(self.parameters).number(symbol)

    def decimals(self, asset: int) -> int:
        """Decimals of an asset, also of one that does not exist."""
        assets = self.parameters.assets
        return assets[asset].decimals if 0 <= asset < len(assets) else VALUE_DECIMALS

    def quantity(self, asset: int, text: str) -> int:
        """Atoms of an amount."""
        return number(text, self.decimals(asset))


Maker = Callable[[Names, list[str]], c.Command]


def _open(names: Names, words: list[str]) -> c.Command:
    account = max(number for number in names.accounts.values() if number != NOBODY) + 1
    role = ROLES[words[1]] if len(words) > 1 else c.Role.USER
    names.accounts[words[0]] = account
    return c.OpenAccount(account, role)


def _open_raw(names: Names, words: list[str]) -> c.Command:
    """`open# 99 TREASURY`, `open# next TREASURY`: any number and role."""
    following = max(number for number in names.accounts.values() if number != NOBODY) + 1
    account = following if words[0] == "next" else int(words[0])
    return c.OpenAccount(account, c.Role[words[1]])


def _quantity_command(kind: Callable[[int, int, int], c.Command]) -> Maker:
    def make(names: Names, words: list[str]) -> c.Command:
        asset = names.asset(words[1])
        return kind(names.account(words[0]), asset, names.quantity(asset, words[2]))

    return make


def _withdraw(names: Names, words: list[str]) -> c.Command:
    asset = names.asset(words[1])
    quantity = names.quantity(asset, words[2])
    flags = words[3:]
    return c.Withdraw(
        names.account(words[0]),
        asset,
        quantity,
        auto_lend_redeem="redeem" in flags,
        auto_borrow="borrow" in flags,
    )


def _order(side: c.Side) -> Maker:
    """`buy alice SOL 10 @ 190 ioc borrow`, `sell bob SOL for 100 @ market`."""

    def make(names: Names, words: list[str]) -> c.Command:
        name, symbol, *rest = words
        asset = names.asset(symbol)
        by_quote = rest[0] == "for"
        amount, at, limit, *flags = rest[1:] if by_quote else rest
        assert at == "@", words
        market = limit == "market"
        values = {FLAGS[flag]: True for flag in flags if flag in FLAGS}
        stop = [STOPS[flag] for flag in flags if flag in STOPS]
        forces = [c.TimeInForce[flag.upper()] for flag in flags if flag in ("gtc", "ioc", "fok")]
        assert len(values) + len(stop) + len(forces) == len(flags), words
        return c.PlaceOrder(
            account=names.account(name),
            asset=asset,
            side=side,
            order_type=c.OrderType.MARKET if market else c.OrderType.LIMIT,
            time_in_force=forces[0] if forces else c.TimeInForce.GTC,
            price=0 if market else number(limit, PRICE_DECIMALS),
            quantity=0 if by_quote else names.quantity(asset, amount),
            quote_quantity=number(amount, VALUE_DECIMALS) if by_quote else 0,
            self_trade_prevention=stop[0] if stop else c.SelfTradePrevention.REJECT_TAKER,
            **values,
        )

    return make


def _when(names: Names, words: list[str]) -> c.Command:
    """`when mark 190 sell bob SOL 10 @ market`: an order that waits for a price."""
    by, price, side, *rest = words
    order = MAKERS[side](names, rest)
    asked = {name: int(getattr(order, name)) for name in c.command_fields(c.PlaceOrder)}
    waits = {
        "trigger_by": c.TriggerBy[by.upper()],
        "trigger_price": number(price, PRICE_DECIMALS),
    }
    return c.make_command(c.PlaceTrigger, asked | waits)


def _cancel(names: Names, words: list[str]) -> c.Command:
    return c.CancelOrder(names.account(words[0]), int(words[1].removeprefix("#")))


def _cancel_all(names: Names, words: list[str]) -> c.Command:
    return c.CancelAllOrders(names.account(words[0]), names.asset((words[1:] or ["ANY"])[0]))


def _settings(names: Names, words: list[str]) -> c.Command:
    values: dict[str, int] = {}
    for word in words[1:]:
        key, text = word.split("=")
        values[key] = ratio(text) if key == "leverage_limit" else int(text)
    return c.UpdateSettings(names.account(words[0]), **values)


def _dust(names: Names, words: list[str]) -> c.Command:
    return c.ConvertDust(names.account(words[0]), names.asset(words[1]))


def _price(names: Names, words: list[str]) -> c.Command:
    """`price SOL 190` or `price SOL 189 191 190 source=1 more` (bid, ask, last)."""
    more = words[-1] == "more"
    rest = words[1 : len(words) - more]
    quotes = [number(word, PRICE_DECIMALS) for word in rest if "=" not in word]
    source = [int(word.removeprefix("source=")) for word in rest if "=" in word]
    bid, ask, last = quotes * 3 if len(quotes) == 1 else quotes
    asset = names.asset(words[0])
    return c.UpdatePrice(asset, source[0] if source else 0, bid, ask, last, more=more)


def _halt(halted: bool) -> Maker:
    def make(names: Names, words: list[str]) -> c.Command:
        return c.HaltPrice(names.asset(words[0]), halted=halted, more="more" in words[1:])

    return make


def _change(names: Names, words: list[str]) -> c.Command:
    """`change SOL THROTTLE_THRESHOLD 0.9`, `change SOL CURVE_RATE 1 0.2`."""
    field = c.ParameterField[words[1]]
    index, text = (int(words[2]), words[3]) if len(words) > 3 else (0, words[2])
    asset = names.asset(words[0])
    if field is c.ParameterField.POOL_STATE:
        value = int(text) if text.isdigit() else int(PoolState[text.upper()])
    elif field in POLICIES:
        value = int(text) if text.isdigit() else int(Policy[text.upper()])
    elif field is c.ParameterField.OPEN_BORROW_LEND_LIMIT:
        value = names.quantity(asset, text)
    elif field in (c.ParameterField.PRICE_MAX_AGE, c.ParameterField.COMMITMENT_NOTICE):
        value = duration(text)
    elif field is c.ParameterField.BOOK_LIMIT:
        value = number(text, VALUE_DECIMALS)
    elif field is c.ParameterField.PATIENCE:
        value = int(text)
    else:
        value = ratio(text)
    return c.ChangeParameter(asset, field, value, index)


def _collect(names: Names, words: list[str]) -> c.Command:
    return c.CollectFees(names.asset(words[0]))


def _stand_by(names: Names, words: list[str]) -> c.Command:
    """`stand_by ann 1,000 at 1%`: so much USDC at this premium."""
    name, amount, at, premium = words
    assert at == "at", words
    return c.PostStandby(names.account(name), names.quantity(USDC, amount), ratio(premium))


def _stand_down(names: Names, words: list[str]) -> c.Command:
    return c.WithdrawStandby(names.account(words[0]), names.quantity(USDC, words[1]))


MAKERS: dict[str, Maker] = {
    "open": _open,
    "open#": _open_raw,
    "deposit": _quantity_command(c.Deposit),
    "withdraw": _withdraw,
    "lend": _quantity_command(c.Lend),
    "redeem": _quantity_command(c.Redeem),
    "borrow": _quantity_command(c.Borrow),
    "repay": _quantity_command(c.Repay),
    "buy": _order(c.Side.BID),
    "sell": _order(c.Side.ASK),
    "when": _when,
    "cancel": _cancel,
    "cancel_all": _cancel_all,
    "settings": _settings,
    "dust": _dust,
    "commit": _quantity_command(c.PostBackstop),
    "uncommit": _quantity_command(c.WithdrawBackstop),
    "stand_by": _stand_by,
    "stand_down": _stand_down,
    "price": _price,
    "halt": _halt(True),
    "resume": _halt(False),
    "change": _change,
    "collect": _collect,
}
"""What each word of a row means. `step` is the story's own: it knows what time it is."""
