"""A small run that settles in every way: opposites, both cases, backstop fills, fund and deficit.

After the worked example rates are steep and a day passes, so that indices are no round numbers.
Account 2 is the stuck lender, 3 and 4 borrow SOL, 5 lends USDC, 6 and 7 are backstop providers,
8 is liquidated by the backstop, 9 defaults while it is worth something, 10 when it is worth
nothing, 11 lends BTC.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from solvent.domain.commands import (
    Borrow,
    ChangeParameter,
    Command,
    Deposit,
    Lend,
    OpenAccount,
    OrderType,
    ParameterField,
    PlaceOrder,
    PostBackstop,
    Role,
    Side,
    TimeStep,
    UpdatePrice,
    UpdateSettings,
    Withdraw,
)
from solvent.domain.events import Event, Refused
from solvent.domain.parameters import (
    AssetParameters,
    Curve,
    EngineParameters,
    Haircut,
    HaircutKind,
    MarginFunction,
    MarketParameters,
    Policy,
    PoolParameters,
    PriceParameters,
    WaterfallParameters,
)
from solvent.domain.units import HOUR, PRICE_SCALE, RATIO, SECOND
from solvent.journal.run_log import RunLogWriter
from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.codec import receipt_line
from solvent.receipts.form import Receipt
from solvent.reference.engine import ReferenceEngine

USDC, BTC, SOL = 0, 1, 2
ONE_USDC, ONE_BTC, ONE_SOL = 10**6, 10**8, 10**9
PERCENT = RATIO // 100
DAY = 24 * HOUR

Answered = tuple[Command, tuple[Event, ...]]


def parameters(policy: Policy = Policy.LEVERAGE, *, sized: bool = False) -> EngineParameters:
    """USDC, BTC and SOL as in the worked example; `sized`: BTC's weight falls with size."""
    pool = PoolParameters(
        Curve(((0, 0), (RATIO, 0))),
        fee=10 * PERCENT,
        optimal_utilization=80 * PERCENT,
        max_utilization=RATIO,
        throttle_threshold=RATIO,
    )
    bitcoin = Haircut(95 * PERCENT)
    if sized:
        kind = HaircutKind.INVERSE_SQUARE_ROOT
        bitcoin = Haircut(95 * PERCENT, kind, base=RATIO, penalty=RATIO // 10_000)

    def asset(symbol: str, decimals: int, haircut: Haircut, margin: int) -> AssetParameters:
        lot = 10 ** max(0, decimals - 4)
        market = MarketParameters(
            tick=PRICE_SCALE // 100,
            lot=lot,
            min_quantity=lot,
            min_multiplier=75 * PERCENT,
            max_multiplier=125 * PERCENT,
            min_impact_multiplier=97 * PERCENT,
            max_impact_multiplier=103 * PERCENT,
        )
        return AssetParameters(
            symbol,
            decimals,
            haircut,
            MarginFunction(2 * margin * PERCENT),
            MarginFunction(margin * PERCENT),
            pool,
            None if symbol == "USDC" else market,
            PriceParameters(max_age=366 * DAY),
        )

    return EngineParameters(
        (
            asset("USDC", 6, Haircut(RATIO), 2),
            asset("BTC", 8, bitcoin, 2),
            asset("SOL", 9, Haircut(90 * PERCENT), 3),
        ),
        WaterfallParameters(lender_policy=policy, book_probability=RATIO, patience=1),
        max_leverage=50 * RATIO,
    )


def price(asset: int, usdc: int) -> UpdatePrice:
    """All of one source's quotes at a whole number of USDC."""
    return UpdatePrice(asset, 0, usdc * PRICE_SCALE, usdc * PRICE_SCALE, usdc * PRICE_SCALE)


def taken(account: int, asset: int, quantity: int) -> Iterator[Command]:
    """Borrow and take away."""
    yield Borrow(account, asset, quantity)
    yield Withdraw(account, asset, quantity)


def worked_example() -> Iterator[Command]:
    """The specification's worked example (section 8), up to the step that settles it."""
    yield price(BTC, 100_000)
    yield price(SOL, 200)
    yield from (OpenAccount(number) for number in range(2, 6))
    yield Deposit(5, USDC, 1_000_000 * ONE_USDC)
    yield Lend(5, USDC, 1_000_000 * ONE_USDC)
    yield Deposit(2, SOL, 100 * ONE_SOL)
    yield Lend(2, SOL, 100 * ONE_SOL)
    yield from taken(2, USDC, 17_000 * ONE_USDC)
    yield Deposit(3, USDC, 40_000 * ONE_USDC)
    yield Deposit(4, USDC, 2_000 * ONE_USDC)
    yield Deposit(4, BTC, ONE_BTC // 10)
    yield TimeStep(SECOND)
    yield from taken(3, SOL, 60 * ONE_SOL)
    yield from taken(4, SOL, 40 * ONE_SOL)
    yield price(SOL, 190)
    yield TimeStep(2 * SECOND)


def busy_commands() -> Iterator[Command]:
    """Everything else: a day of interest, fills by two providers, both kinds of default."""
    yield from worked_example()
    for asset in (USDC, BTC, SOL):
        yield ChangeParameter(asset, ParameterField.CURVE_RATE, 30 * PERCENT, index=1)
    yield UpdateSettings(4, auto_borrow_settlements=1)
    # So that who owes SOL pays in borrowed USDC and in BTC, when the lender is stuck again.
    yield Deposit(3, BTC, ONE_BTC)
    yield Withdraw(3, USDC, 39_000 * ONE_USDC)
    yield TimeStep(DAY)
    yield price(SOL, 185)
    yield TimeStep(DAY + SECOND)
    yield ChangeParameter(USDC, ParameterField.LENDER_POLICY, Policy.PRO_RATA)
    yield ChangeParameter(SOL, ParameterField.COLLATERAL_WEIGHT, 85 * PERCENT)
    yield TimeStep(DAY + 2 * SECOND)
    for number in (6, 7):
        yield OpenAccount(number, Role.BACKSTOP_PROVIDER)
        yield Deposit(number, USDC, 60_000 * ONE_USDC)
        yield PostBackstop(number, USDC, 30_000 * number * ONE_USDC)
    yield from (OpenAccount(number) for number in range(8, 12))
    yield Deposit(8, BTC, ONE_BTC)
    yield Lend(8, BTC, ONE_BTC // 3)
    yield from taken(8, USDC, 88_000 * ONE_USDC)
    yield Deposit(9, BTC, ONE_BTC // 2)
    yield Deposit(11, BTC, ONE_BTC)
    yield Lend(11, BTC, ONE_BTC)
    yield PlaceOrder(7, BTC, Side.BID, OrderType.LIMIT, price=80_000 * PRICE_SCALE, quantity=10**6)
    yield price(BTC, 91_000)
    yield TimeStep(DAY + 3 * SECOND)
    yield Deposit(9, USDC, 1_000 * ONE_USDC)
    yield Deposit(10, USDC, 60_000 * ONE_USDC)
    yield Lend(10, USDC, 20_000 * ONE_USDC)
    yield Deposit(0, USDC, 500 * ONE_USDC)
    yield from taken(10, BTC, ONE_BTC // 2)
    yield Deposit(5, SOL, 200 * ONE_SOL)
    yield Lend(5, SOL, 150 * ONE_SOL)
    yield from taken(9, SOL, 140 * ONE_SOL)
    yield price(SOL, 325)
    yield from (TimeStep(DAY + second * SECOND) for second in range(4, 10))
    yield price(BTC, 125_000)
    yield from (TimeStep(DAY + second * SECOND) for second in range(10, 12))


@cache
def busy_run(policy: Policy = Policy.LEVERAGE) -> tuple[EngineParameters, tuple[Answered, ...]]:
    """The whole small run, carried out by the engine; no command of it is refused."""
    return carried_out(parameters(policy, sized=True), tuple(busy_commands()))


@cache
def example_run(policy: Policy = Policy.LEVERAGE) -> tuple[EngineParameters, tuple[Answered, ...]]:
    """The worked example alone, without interest."""
    return carried_out(parameters(policy), tuple(worked_example()))


def carried_out(
    terms: EngineParameters, commands: tuple[Command, ...]
) -> tuple[EngineParameters, tuple[Answered, ...]]:
    """What the engine answers to `commands`."""
    engine = ReferenceEngine(terms)
    answered = tuple((command, engine.apply_one(command)) for command in commands)
    refused = [one for one in answered if isinstance(one[1][0] if one[1] else None, Refused)]
    assert refused == []
    return terms, answered


def receipts_of(terms: EngineParameters, answered: tuple[Answered, ...]) -> list[Receipt]:
    """The receipts of a run."""
    builder = ReceiptBuilder(terms)
    return [
        receipt
        for number, (_, events) in enumerate(answered)
        for receipt in builder.feed(number, events)
    ]


def write_run(
    directory: Path, terms: EngineParameters, answered: tuple[Answered, ...]
) -> ReferenceEngine:
    """Write a run's folder with its receipts; the engine that carried it out."""
    engine = ReferenceEngine(terms)
    with RunLogWriter(directory, terms) as log:
        for command, events in answered:
            assert engine.apply_one(command) == events
            log.append(command, events)
        lines = [receipt_line(receipt) + "\n" for receipt in receipts_of(terms, answered)]
        log.path("receipts.jsonl").write_text("".join(lines), encoding="ascii")
        log.finish({"seed": 7, "lenders": "whole"}, engine.state_hash())
    return engine
