"""Positions: a book of real accounts from a file, instead of a population that is drawn.

The file is CSV or Parquet with a row an account and asset: `account`, `asset` and at least one of
`held` (free), `lent` and `owed`, in whole tokens as decimal text; an empty cell is nothing. An
account may owe several assets. What is finer than an atom is rounded against the account: what it
has down, what it owes up.

The book is put into the market by ordinary commands. An account that stands between initial and
maintenance margin, or below, could not borrow what it owes; so the market opens with margins and
pool limits as low as parameters allow (`relaxed`), the book is carried out, and the scenario's own
parameters come into force, one `ChangeParameter` each, before the first step. Who is liquidatable
at the start is then liquidated by the first one. An account worth less than a hundredth of what it
owes cannot be put in at all, and is counted in `notes`.

Deliberately absent: open orders, and interest from before the start.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_UP, Context, Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from solvent.domain.commands import (
    ChangeParameter,
    Command,
    Deposit,
    Lend,
    OpenAccount,
    ParameterField,
    Withdraw,
)
from solvent.domain.parameters import (
    MAX_LEVERAGE,
    MAX_SUPPLY,
    AssetParameters,
    EngineParameters,
    Haircut,
    MarginFunction,
)
from solvent.domain.units import RATIO, format_decimal
from solvent.lab.scenario.model import Scenario
from solvent.prices.files import read_table
from solvent.prices.table import Table

AMOUNTS = ("held", "lent", "owed")
KNOWN = ("account", "asset", *AMOUNTS)
_WIDE = Context(prec=80)


class Position(NamedTuple):
    """What one account has and owes of one asset, in atoms."""

    asset: int
    held: int
    lent: int
    owed: int


@dataclass(frozen=True, slots=True)
class Holder:
    """One account of the book: its name in the file, and its positions by asset."""

    name: str
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """All accounts of a file in the order in which they appear; `notes` say what was rounded.

    Without a file there are none.
    """

    file: Path | None = None
    holders: tuple[Holder, ...] = ()
    notes: tuple[str, ...] = ()


NO_BOOK = Book()


def read_positions(path: str | Path, scenario: Scenario) -> Book:
    """The book in a .csv, .csv.gz, .zip or .parquet file. InputError for whatever is wrong in it.

    Assets are those of the scenario, by symbol or by a name of its `price_symbols`.
    """
    table = read_table(path, lambda name: name.lower() in KNOWN)
    rows = range(table.height)
    account, asset = table.find("account"), table.find("asset")
    amounts = {name: column for name in AMOUNTS if (column := table.find(name))}
    missing = [name for name in ("account", "asset") if table.find(name) is None]
    if account is None or asset is None or not amounts:
        missing += [] if amounts else ["held, lent or owed"]
        reason = f"no such column; the header line has to name it, and is {', '.join(table.names)}"
        raise table.error(", ".join(missing), reason)
    numbers = _numbers(scenario)
    found: dict[str, dict[int, Position]] = {}
    rounded = 0
    names, symbols = table.texts(account, rows), table.texts(asset, rows)
    for row, name, symbol in zip(rows, names, symbols, strict=True):
        number = numbers.get(symbol)
        if number is None:
            known = ", ".join(each.symbol for each in scenario.parameters.assets)
            raise table.error(asset, f"{symbol!r} is no asset of the scenario: {known}", row)
        decimals = scenario.parameters.assets[number].decimals
        parts = {
            part: _atoms(table, column, row, decimals, up=part == "owed")
            for part, column in amounts.items()
        }
        rounded += any(cut for _, cut in parts.values())
        position = Position(number, *(parts.get(part, (0, False))[0] for part in AMOUNTS))
        if position.lent and position.owed:
            reason = f"{name} lends and owes {symbol}: a claim and a debt of one asset cancel"
            raise table.error(asset, f"{reason}; give their difference", row)
        if number in found.setdefault(name, {}):
            raise table.error(asset, f"{name} has {symbol} twice; add the rows up", row)
        found[name][number] = position
    notes = (f"rounded {rounded} rows to whole atoms, against the account",) if rounded else ()
    holders = tuple(Holder(name, tuple(positions.values())) for name, positions in found.items())
    _check_pools(table, scenario, holders)
    return Book(Path(path), holders, notes)


def _numbers(scenario: Scenario) -> Mapping[str, int]:
    numbers = {asset.symbol: place for place, asset in enumerate(scenario.parameters.assets)}
    for place, names in enumerate(scenario.prices.names):
        for name in names:
            numbers.setdefault(name, place)
    return numbers


def _atoms(table: Table, column: str, row: int, decimals: int, *, up: bool) -> tuple[int, bool]:
    """One amount in atoms, and whether it had to be rounded."""
    text = table.columns[column].cells[row]
    if not text:
        return 0, False
    try:
        exact = Decimal(text).scaleb(decimals, _WIDE)
        atoms = int(exact.to_integral_value(ROUND_UP if up else ROUND_DOWN, _WIDE))
    except (InvalidOperation, ValueError, OverflowError):
        raise table.error(
            column, f"{text!r} is no number of tokens; write digits and one point", row
        ) from None
    if not 0 <= atoms <= MAX_SUPPLY:
        most = format_decimal(MAX_SUPPLY, decimals)
        raise table.error(column, f"{text} is out of range; write 0 to {most}", row)
    return atoms, atoms != exact


def _check_pools(table: Table, scenario: Scenario, holders: tuple[Holder, ...]) -> None:
    """InputError where accounts owe more of an asset than accounts lend."""
    for number, asset in enumerate(scenario.parameters.assets):
        parts = [each for holder in holders for each in holder.positions if each.asset == number]
        lent, owed = sum(each.lent for each in parts), sum(each.owed for each in parts)
        if owed > lent:
            said, has = (format_decimal(each, asset.decimals) for each in (owed, lent))
            reason = f"all accounts owe {said} {asset.symbol} and lend {has}; add who lent the rest"
            raise table.error("owed", reason)
        if max(lent, sum(each.held for each in parts)) > MAX_SUPPLY:
            raise table.error("held", f"there is more {asset.symbol} than a market can hold")


class BookMembers:
    """The accounts of a book as the commands that put them into a market, numbered from `first`."""

    def __init__(self, book: Book, first: int) -> None:
        self._book = book
        self._first = first

    def open(self) -> Iterator[Command]:
        """Open every account."""
        for place in range(len(self._book.holders)):
            yield OpenAccount(self._first + place)

    def setup(self) -> Iterator[Command]:
        """What accounts have of assets that they do not owe, and all claims."""
        for account, position in self._positions():
            brought = position.lent + (0 if position.owed else position.held)
            if brought:
                yield Deposit(account, position.asset, brought)
        for account, position in self._positions():
            if position.lent:
                yield Lend(account, position.asset, position.lent)

    def loans(self) -> Iterator[Command]:
        """What they owe, then what they still hold of it: a loan is drawn on an empty balance."""
        for account, position in self._positions():
            if position.owed:
                yield Withdraw(account, position.asset, position.owed, auto_borrow=True)
        for account, position in self._positions():
            if position.owed and position.held:
                yield Deposit(account, position.asset, position.held)

    def _positions(self) -> Iterator[tuple[int, Position]]:
        for place, holder in enumerate(self._book.holders):
            for position in holder.positions:
                yield self._first + place, position


LEAST_MARGIN = MarginFunction(1)
"""As little margin as there can be."""


def relaxed(parameters: EngineParameters) -> EngineParameters:
    """The parameters under which any book that is worth something can be put in."""
    assets = tuple(
        replace(
            asset,
            haircut=replace(asset.haircut, weight=RATIO, base=RATIO, penalty=0),
            initial=LEAST_MARGIN,
            maintenance=LEAST_MARGIN,
            pool=replace(asset.pool, max_utilization=RATIO, throttle_threshold=RATIO),
        )
        for asset in parameters.assets
    )
    return replace(parameters, assets=assets, max_leverage=MAX_LEVERAGE)


def tightened(parameters: EngineParameters) -> Iterator[ChangeParameter]:
    """The changes that bring the scenario's own parameters into force again."""
    for number, asset in enumerate(parameters.assets):
        for field, value in _fields(asset):
            yield ChangeParameter(number, field, value)


def _fields(asset: AssetParameters) -> Iterator[tuple[ParameterField, int]]:
    """In an order in which no value is refused on the way: initial before maintenance margin."""
    yield ParameterField.INITIAL_BASE, asset.initial.base
    yield ParameterField.INITIAL_FACTOR, asset.initial.factor
    yield ParameterField.MAINTENANCE_BASE, asset.maintenance.base
    yield ParameterField.MAINTENANCE_FACTOR, asset.maintenance.factor
    yield ParameterField.THROTTLE_THRESHOLD, asset.pool.throttle_threshold
    yield ParameterField.MAX_UTILIZATION, asset.pool.max_utilization
    if asset.haircut == Haircut(RATIO):
        return
    yield ParameterField.COLLATERAL_BASE, asset.haircut.base
    yield ParameterField.COLLATERAL_PENALTY, asset.haircut.penalty
    yield ParameterField.COLLATERAL_WEIGHT, asset.haircut.weight
