"""`solvent forecast`: how ADL would treat an account, who could cause it, and the way out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import NAMED, WHOLE, Json

if TYPE_CHECKING:
    from solvent.domain.decimals import Units
    from solvent.domain.parameters import EngineParameters
    from solvent.foresight.flows import PoolTimes
    from solvent.foresight.forecast import Forecaster, Listed
    from solvent.foresight.leaving import Way

    Found = list[tuple[Listed, list[Way]]]

_SHOWN = 3
"""Partners of a round that are shown."""


def forecast(
    directory: Annotated[Path, NAMED],
    account: Annotated[int, WHOLE, Parameter(validator=Number(gte=0))],
    /,
    *moves: str,
    since: Annotated[int | None, WHOLE, Parameter(validator=Number(gte=1))] = None,
    commands: Annotated[int | None, WHOLE, Parameter(validator=Number(gte=1))] = None,
    tiers: bool = False,
    json: Json = False,
) -> None:
    """Say how ADL would treat an account, who could cause it, and the cheapest way out.

    Rounds are the largest that there could be: all who could be paired with the account at once.

    Parameters
    ----------
    directory
        The folder of a run or of a market that is not served.
    account
        The account's number.
    moves
        Moves as parts of the mark, like SOL=-0.3, or of all assets, like all=-0.3: the rounds at
        those marks.
    since
        Say when pools reach their throttle and 100 % if they go on as they did since so many
        commands of the run.
    commands
        Ask the book as it was after so many commands of the run.
    tiers
        Show every tier of case L and case B, and not the first one that asks the account alone.
    json
        Print one JSON object with all figures, and nothing else, on standard output.
    """
    from solvent.cli.ahead.books import book_of
    from solvent.domain.errors import InputError
    from solvent.foresight.flows import pool_times, pools_at
    from solvent.foresight.forecast import Forecaster
    from solvent.foresight.leaving import ways_off

    engine = book_of(directory, commands)
    parameters = engine.parameters
    asked = _moves(parameters, moves, [price.mark for price in map(
        engine.queries.price, range(len(parameters.assets)))])  # fmt: skip
    if account >= engine.queries.accounts():
        raise InputError("forecast", "ACCOUNT", f"there is no account {account}")
    forecaster = Forecaster(engine, asked)
    lists = forecaster.lists(account, tiers=tiers)
    found = [(listed, ways_off(forecaster, account, listed.place)) for listed in lists]
    times = None
    if since is not None:
        earlier = pools_at(book_of(directory, since))
        times = pool_times(earlier, engine)
    if json:
        _print(forecaster, found, times)
    else:
        _show(parameters, account, found, times)


def _moves(
    parameters: "EngineParameters", words: tuple[str, ...], marks: list[int]
) -> dict[int, int]:
    from solvent.cli.ahead.shares import ALL, Field, shares_of
    from solvent.domain.errors import InputError
    from solvent.foresight.moves import by_beta

    asked = shares_of(parameters, words, Field("forecast", "MOVES", takes_all=True))
    if ALL in asked:
        if len(asked) > 1:
            raise InputError("forecast", "MOVES", "are of all or by asset, and not both")
        return by_beta(parameters, marks, {}, asked[ALL])
    return {number: share for number, share in asked.items() if isinstance(number, int)}


def _show(
    parameters: "EngineParameters",
    account: int,
    found: "Found",
    times: "list[PoolTimes] | None",
) -> None:
    from solvent.cli.runs.tables import print_sheet
    from solvent.domain.decimals import Units, price_text
    from solvent.lab.report.formatting import number
    from solvent.lab.report.summary import Sheet

    units = Units(parameters)
    rounds, partners, ways = [], [], []
    for listed, way_off in found:
        place = listed.place
        asset = place.asked.kind.asset
        name = _name(units, listed)
        reached = "-" if place.reached is None else units.text(asset, place.reached)
        rounds.append(
            (
                name,
                f"{place.rank} of {place.candidates}",
                units.text(asset, place.asked.quantity),
                units.text(asset, place.allotted),
                reached,
            )
        )
        for one in listed.partners[:_SHOWN]:
            far = one.asset is None or one.mark is None or one.move is None
            mark = "-" if far else f"{units.symbol(one.asset or 0)} {price_text(one.mark or 0)}"
            move = "-" if far else _percent(one.move or 0)
            partners.append((name, str(one.account), units.text(asset, one.stake), mark, move))
        first = way_off[0] if way_off else None
        if first is not None:
            said = f"{type(first.command).__name__.lower()} " + units.text(
                first.command.asset, first.command.quantity
            )
            brought = units.text(first.command.asset, first.brings)
            symbol = units.symbol(first.command.asset)
            ways.append((name, f"{said} {symbol}", brought, number(first.value // 10**6)))
        elif place.allotted:
            ways.append((name, "none now", "-", "-"))
    policies = sorted({listed.place.policy.name.lower() for listed, _ in found})
    title = f"Rounds that could reach account {account}, policy {', '.join(policies) or 'any'}"
    print_sheet(Sheet(title, ("", "Rank", "Round of", "Share", "Reached at"), rounds))
    head = ("", "Account", "At stake", "Liquidatable at", "Move")
    print_sheet(Sheet("Who could be paired with it, the nearest first", head, partners))
    print_sheet(Sheet("Cheapest way off", ("", "Command", "Bring", "USDC"), ways))
    if times is not None:
        rows = [
            (units.symbol(asset), _time(one.throttle), _time(one.full))
            for asset, one in enumerate(times)
        ]
        print_sheet(Sheet("Pools, at the flow so far", ("Pool", "Throttle", "100 %"), rows))


def _name(units: "Units", listed: "Listed") -> str:
    from solvent.domain.labels import AdlCase

    kind = listed.place.asked.kind
    names = {
        AdlCase.OPPOSITES: "opposites",
        AdlCase.STUCK_LENDER: "case L",
        AdlCase.BORROWER_DEFAULT: "case B",
    }
    tier = kind.means.tier.name.lower().replace("_", " ")
    paid_in = units.symbol(kind.means.asset)
    if kind.means.borrowed:
        tier = "borrowed"
    return f"{names[kind.case]} {units.symbol(kind.asset)}, {tier} {paid_in}"


def _percent(move: int) -> str:
    from solvent.domain.units import RATIO

    return f"{100 * move / RATIO:+.2f} %"


def _time(micros: int | None) -> str:
    """A time in hours, minutes and seconds, rounded up."""
    if micros is None:
        return "not at this flow"
    minutes, seconds = divmod(-(-micros // 1_000_000), 60)
    return f"{minutes // 60:,} h {minutes % 60:02} min {seconds:02} s"


def _print(forecaster: "Forecaster", found: "Found", times: "list[PoolTimes] | None") -> None:
    """One object of plain numbers, exact."""
    import json
    from dataclasses import asdict

    symbols = [about.symbol for about in forecaster.parameters.assets]
    shown: dict[str, object] = {"time": forecaster.time, "lists": []}
    lists = []
    for listed, ways in found:
        place, kind = listed.place, listed.place.asked.kind
        lists.append(
            {
                "case": kind.case.name,
                "tier": kind.means.tier.name,
                "asset": symbols[kind.asset],
                "paid_in": symbols[kind.means.asset],
                "borrowed": kind.means.borrowed,
                "policy": place.policy.name,
                "quantity": place.asked.quantity,
                "rank": place.rank,
                "candidates": place.candidates,
                "cap": place.cap,
                "allotted": place.allotted,
                "value": place.value,
                "reached": place.reached,
                "partners": [asdict(one) for one in listed.partners],
                "ways": [
                    {
                        "command": type(way.command).__name__,
                        "asset": symbols[way.command.asset],
                        "quantity": way.command.quantity,
                        "brings": way.brings,
                        "value": way.value,
                    }
                    for way in ways
                ],
            }
        )
    shown["lists"] = lists
    if times is not None:
        shown["pools"] = {symbol: asdict(one) for symbol, one in zip(symbols, times, strict=True)}
    print(json.dumps(shown))
