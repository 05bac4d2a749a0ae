"""A small market to try things in: USDC, BTC and SOL, without fees, interest or throttle.

It is the market of the worked example in docs/concepts/adl-stuck-lender.md, shared by the examples
and the pages of docs/concepts. Copy it and change the numbers.
"""

from dataclasses import replace
from typing import Any

from solvent.domain.commands import (
    Borrow,
    Command,
    Deposit,
    Lend,
    OpenAccount,
    UpdatePrice,
    Withdraw,
)
from solvent.domain.events import Event, Refused
from solvent.domain.parameters import (
    AssetParameters,
    Curve,
    EngineParameters,
    Haircut,
    MarginFunction,
    MarketParameters,
    PoolParameters,
    PriceParameters,
    WaterfallParameters,
)
from solvent.domain.units import (
    HOUR,
    PRICE_DECIMALS,
    RATIO,
    RATIO_DECIMALS,
    format_decimal,
    parse_decimal,
)
from solvent.reference.engine import ReferenceEngine

USDC, BTC, SOL = 0, 1, 2
DECIMALS = (6, 8, 9)


def ratio(text: str) -> int:
    """0.9 as the engine counts ratios: 900,000,000 of 10^-9."""
    return parse_decimal(text, RATIO_DECIMALS)


def price(text: str) -> int:
    """USDC per whole token as the engine counts prices: units of 10^-10."""
    return parse_decimal(text, PRICE_DECIMALS)


def atoms(text: str, asset: int) -> int:
    """A quantity of whole tokens as atoms: 1.5 USDC is 1,500,000."""
    return parse_decimal(text, DECIMALS[asset])


def tokens(quantity: int, asset: int) -> str:
    """Atoms as decimal text in whole tokens."""
    return format_decimal(quantity, DECIMALS[asset])


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
        assets=(
            asset("USDC", DECIMALS[USDC], "1", lending),
            asset("BTC", DECIMALS[BTC], "0.95", lending),
            asset("SOL", DECIMALS[SOL], "0.9", lending),
        ),
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
        Deposit(5, USDC, atoms("100000", USDC)),
        Lend(5, USDC, atoms("100000", USDC)),
        Deposit(2, SOL, atoms("100", SOL)),
        Lend(2, SOL, atoms("100", SOL)),
        Borrow(2, USDC, atoms("17000", USDC)),
        Withdraw(2, USDC, atoms("17000", USDC)),
        Deposit(3, USDC, atoms("40000", USDC)),
        Borrow(3, SOL, atoms("60", SOL)),
        Withdraw(3, SOL, atoms("60", SOL)),
        Deposit(4, USDC, atoms("2000", USDC)),
        Deposit(4, BTC, atoms("0.1", BTC)),
        Borrow(4, SOL, atoms("40", SOL)),
        Withdraw(4, SOL, atoms("40", SOL)),
    )


def quote(asset: int, text: str) -> UpdatePrice:
    """One source quotes one price, without a spread."""
    return UpdatePrice(asset, 0, price(text), price(text), price(text))


def run(engine: ReferenceEngine, *commands: Command) -> list[Event]:
    """Apply commands and return all that happened; a refusal is an error here."""
    events = [event for entry in engine.apply(commands) for event in entry.events]
    for event in events:
        if isinstance(event, Refused):
            raise RuntimeError(f"refused: {event}")
    return events
