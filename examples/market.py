"""A small market to try things in: USDC, BTC and SOL, without fees, interest or throttle.

It is the market of the worked example in docs/concepts/adl-stuck-lender.md, shared by the examples
and the pages of docs/concepts. Copy it and change the numbers.
"""

from dataclasses import replace
from typing import Any

from solvent import (
    HOUR,
    RATIO,
    AssetParameters,
    Borrow,
    Command,
    Curve,
    Deposit,
    EngineParameters,
    Event,
    Haircut,
    Lend,
    MarginFunction,
    MarketParameters,
    OpenAccount,
    PoolParameters,
    PriceParameters,
    ReferenceEngine,
    Refused,
    Units,
    UpdatePrice,
    WaterfallParameters,
    Withdraw,
    price,
    ratio,
)

USDC, BTC, SOL = 0, 1, 2


def pool(**changes: Any) -> PoolParameters:
    """A pool that charges nothing and never throttles, but for `changes`."""
    quiet = PoolParameters(
        curve=Curve(((0, 0), (RATIO, 0))),
        fee=0,
        optimal_utilization=ratio("0.8"),
        max_utilization=RATIO,
        throttle_threshold=RATIO,
    )
    return replace(quiet, **changes)


def asset(symbol: str, decimals: int, weight: str, lending: PoolParameters) -> AssetParameters:
    """One asset: initial margin 4 %, maintenance 2 %, impact band 3 % around the best price."""
    lot = 10 ** (decimals - 4)
    filters = MarketParameters(
        tick=price("0.01"),
        lot=lot,
        min_quantity=lot,
        min_multiplier=ratio("0.75"),
        max_multiplier=ratio("1.25"),
        min_impact_multiplier=ratio("0.97"),
        max_impact_multiplier=ratio("1.03"),
    )
    return AssetParameters(
        symbol=symbol,
        decimals=decimals,
        haircut=Haircut(weight=ratio(weight)),
        initial=MarginFunction(base=ratio("0.04")),
        maintenance=MarginFunction(base=ratio("0.02")),
        pool=lending,
        market=None if symbol == "USDC" else filters,
        price=PriceParameters(max_age=24 * HOUR),
    )


def assets(lending: PoolParameters) -> tuple[AssetParameters, ...]:
    """The market's three assets, in the order of their numbers."""
    return (
        asset("USDC", 6, "1", lending),
        asset("BTC", 8, "0.95", lending),
        asset("SOL", 9, "0.9", lending),
    )


UNITS = Units(EngineParameters(assets(pool())))
amount, text = UNITS.amount, UNITS.text
"""Decimal text to atoms, `amount(SOL, "1.5")`, and atoms to text, `text(SOL, 1_500_000_000)`."""


def market(
    accounts: int,
    lending: PoolParameters | None = None,
    waterfall: WaterfallParameters | None = None,
    **changes: Any,
) -> ReferenceEngine:
    """An engine with BTC at 100,000 and SOL at 200 USDC and `accounts` accounts.

    Theirs are the numbers from 2: 0 is the backstop fund, 1 the treasury. `changes` go to
    EngineParameters.
    """
    lending = lending or pool()
    parameters = EngineParameters(
        assets=assets(lending),
        waterfall=waterfall or WaterfallParameters(),
        max_leverage=50 * RATIO,
    )
    engine = ReferenceEngine(replace(parameters, **changes))
    run(engine, quote(BTC, "100000"), quote(SOL, "200"))
    run(engine, *(OpenAccount(number) for number in range(2, accounts + 2)))
    return engine


def worked_example() -> tuple[Command, ...]:
    """The worked example in a market of 4 accounts, up to the fall of SOL.

    Account 5 lends the USDC that account 2 owes; accounts 3 and 4 owe all the SOL that 2 lends.
    """
    return (
        Deposit(5, USDC, amount(USDC, "100000")),
        Lend(5, USDC, amount(USDC, "100000")),
        Deposit(2, SOL, amount(SOL, "100")),
        Lend(2, SOL, amount(SOL, "100")),
        Borrow(2, USDC, amount(USDC, "17000")),
        Withdraw(2, USDC, amount(USDC, "17000")),
        Deposit(3, USDC, amount(USDC, "40000")),
        Borrow(3, SOL, amount(SOL, "60")),
        Withdraw(3, SOL, amount(SOL, "60")),
        Deposit(4, USDC, amount(USDC, "2000")),
        Deposit(4, BTC, amount(BTC, "0.1")),
        Borrow(4, SOL, amount(SOL, "40")),
        Withdraw(4, SOL, amount(SOL, "40")),
    )


def quote(asset: int, level: str) -> UpdatePrice:
    """One source quotes one price, without a spread."""
    return UpdatePrice(asset, 0, price(level), price(level), price(level))


def run(engine: ReferenceEngine, *commands: Command) -> list[Event]:
    """Apply commands and return all that happened; a refusal is an error here."""
    events = [event for entry in engine.apply(commands) for event in entry.events]
    for event in events:
        if isinstance(event, Refused):
            raise RuntimeError(f"refused: {event}")
    return events
