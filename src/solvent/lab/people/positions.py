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
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, ROUND_UP, Context, Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

import numpy as np

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
from solvent.prices.plain_cells import Numbers
from solvent.prices.table import Table, row_numbers

AMOUNTS = ("held", "lent", "owed")
KNOWN = ("account", "asset", *AMOUNTS)
_WIDE = Context(prec=80)


class Position(NamedTuple):
    """What one account, by its place in the book, has and owes of one asset, in atoms."""

    account: int
    asset: int
    held: int
    lent: int
    owed: int


_NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """All accounts of a file in the order in which they appear; `notes` say what was rounded.

    `names` are the accounts' own. The columns have a row a position, those of one account beside
    each other: the place of the account, the number of the asset, and atoms. Without a file there
    is nothing.
    """

    file: Path | None = None
    names: tuple[str, ...] = ()
    accounts: Numbers = field(default_factory=_NOTHING.copy)
    assets: Numbers = field(default_factory=_NOTHING.copy)
    held: Numbers = field(default_factory=_NOTHING.copy)
    lent: Numbers = field(default_factory=_NOTHING.copy)
    owed: Numbers = field(default_factory=_NOTHING.copy)
    notes: tuple[str, ...] = ()

    def positions(self) -> Iterator[Position]:
        """Every position, account by account."""
        columns = (self.accounts, self.assets, self.held, self.lent, self.owed)
        return map(Position._make, zip(*(each.tolist() for each in columns), strict=True))


NO_BOOK = Book()


def read_positions(path: str | Path, scenario: Scenario) -> Book:
    """The book in a .csv, .csv.gz, .zip or .parquet file. InputError for whatever is wrong in it.

    Assets are those of the scenario, by symbol or by a name of its `price_symbols`.
    """
    table = read_table(path, lambda name: name.lower() in KNOWN)
    account, asset = table.find("account"), table.find("asset")
    columns = {name: column for name in AMOUNTS if (column := table.find(name))}
    missing = [name for name in ("account", "asset") if table.find(name) is None]
    if account is None or asset is None or not columns:
        missing += [] if columns else ["held, lent or owed"]
        reason = f"no such column; the header line has to name it, and is {', '.join(table.names)}"
        raise table.error(", ".join(missing), reason)
    places: dict[str, int] = {}
    owners = row_numbers(
        [places.setdefault(name, len(places)) for name in table.texts(account, range(table.height))]
    )
    groups = _by_asset(table, asset, scenario)
    assets = np.zeros(table.height, dtype=np.int64)
    rounded: set[int] = set()
    amounts = {name: np.zeros(table.height, dtype=np.int64) for name in AMOUNTS}
    for number, rows in groups.items():
        assets[rows] = number
        decimals = scenario.parameters.assets[number].decimals
        for name, column in columns.items():
            amounts[name][rows] = _atoms(table, column, rows, decimals, rounded, up=name == "owed")
    book = Book(
        Path(path),
        tuple(places),
        owners,
        assets,
        **amounts,
        notes=tuple(_notes(table, rounded)),
    )
    _check_rows(table, asset, scenario, book)
    _check_pools(table, scenario, book)
    order = np.argsort(owners, kind="stable")
    return replace(
        book,
        accounts=owners[order],
        assets=assets[order],
        held=amounts["held"][order],
        lent=amounts["lent"][order],
        owed=amounts["owed"][order],
    )


def _notes(table: Table, rounded: set[int]) -> Iterator[str]:
    if rounded:
        yield f"rounded {len(rounded)} rows to whole atoms, against the account"
    unread = [name for name in table.names if name and name.lower() not in KNOWN]
    if unread:
        yield f"the book has columns that say nothing to a run: {', '.join(unread)}"


def _by_asset(table: Table, column: str, scenario: Scenario) -> dict[int, Numbers]:
    """The rows of each asset. InputError at the first that is none of the scenario."""
    numbers = _numbers(scenario)
    found: dict[int, Numbers] = {}
    for symbol, rows in table.groups(column, range(table.height)).items():
        number = numbers.get(symbol)
        if number is None:
            known = ", ".join(each.symbol for each in scenario.parameters.assets)
            reason = f"{symbol!r} is no asset of the scenario: {known}"
            raise table.error(column, reason, int(rows[0]))
        # Two names can be those of one asset.
        found[number] = np.append(found.get(number, _NOTHING), rows)
    return found


def _numbers(scenario: Scenario) -> Mapping[str, int]:
    numbers = {asset.symbol: place for place, asset in enumerate(scenario.parameters.assets)}
    for place, names in enumerate(scenario.prices.names):
        for name in names:
            numbers.setdefault(name, place)
    return numbers


def _atoms(
    table: Table, column: str, rows: Numbers, decimals: int, rounded: set[int], *, up: bool
) -> Numbers:
    """A column's amounts in atoms; the rows that had to be rounded are added to `rounded`."""
    plain = table.plain_decimals(column, rows, decimals)
    if plain is not None and int(plain.max(initial=0)) <= MAX_SUPPLY:
        return plain
    atoms = []
    for row in rows.tolist():
        number, cut = _amount(table, column, row, decimals, up=up)
        atoms.append(number)
        if cut:
            rounded.add(row)
    return row_numbers(atoms)


def _amount(table: Table, column: str, row: int, decimals: int, *, up: bool) -> tuple[int, bool]:
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


def _check_rows(table: Table, column: str, scenario: Scenario, book: Book) -> None:
    """InputError at a row that repeats another, or in which a claim and a debt would cancel."""

    def said(row: int) -> tuple[str, str]:
        return (
            book.names[int(book.accounts[row])],
            scenario.parameters.assets[int(book.assets[row])].symbol,
        )

    both = np.flatnonzero((book.lent > 0) & (book.owed > 0))
    if len(both):
        name, symbol = said(int(both[0]))
        reason = f"{name} lends and owes {symbol}: a claim and a debt of one asset cancel"
        raise table.error(column, f"{reason}; give their difference", int(both[0]))
    keys = book.accounts * len(scenario.parameters.assets) + book.assets
    order = np.argsort(keys, kind="stable")
    repeats = order[1:][np.diff(keys[order]) == 0]
    if len(repeats):
        name, symbol = said(int(repeats.min()))
        reason = f"{name} has {symbol} twice; add the rows up"
        raise table.error(column, reason, int(repeats.min()))


def _check_pools(table: Table, scenario: Scenario, book: Book) -> None:
    """InputError where accounts owe more of an asset than accounts lend."""
    for number, asset in enumerate(scenario.parameters.assets):
        rows = book.assets == number
        held, lent, owed = (_sum(each[rows]) for each in (book.held, book.lent, book.owed))
        if owed > lent:
            said, has = (format_decimal(each, asset.decimals) for each in (owed, lent))
            reason = f"all accounts owe {said} {asset.symbol} and lend {has}; add who lent the rest"
            raise table.error("owed", reason)
        if max(lent, held) > MAX_SUPPLY:
            raise table.error("held", f"there is more {asset.symbol} than a market can hold")


def _sum(atoms: Numbers) -> int:
    """An exact sum, which may be wider than 64 bits."""
    half = 32
    low = atoms & ((1 << half) - 1)
    return (int((atoms >> half).sum()) << half) + int(low.sum())


class BookMembers:
    """The accounts of a book as the commands that put them into a market, numbered from `first`."""

    def __init__(self, book: Book, first: int) -> None:
        self._book = book
        self._first = first

    def open(self) -> Iterator[Command]:
        """Open every account."""
        for place in range(len(self._book.names)):
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
        for position in self._book.positions():
            yield self._first + position.account, position


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
        for name, value in _fields(asset):
            yield ChangeParameter(number, name, value)


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
