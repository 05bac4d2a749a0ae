"""Rows of a look ahead: what is summed at each point, and what could take it.

A point is a row of marks, one an asset. What is said of it is one row of numbers: a `PointRow`, an
`AssetSums` for each asset, and two squares of values in 10^-6 USDC, by the asset had and the asset
owed: what is at stake, and what opposites could take of it.
"""

from solvent.kernels.language import kernel, numbers_of, row_in, rows_in
from solvent.kernels.rows import Memory, Row, Rows


class PointRow(Row):
    """How many are at or above MMR 100 %, how many of them insolvent, and what these lack."""

    accounts: int
    insolvent: int
    lacking: int
    """10^-6 USDC, each account's rounded up."""


class AssetSums(Row):
    """What the accounts at or above MMR 100 % owe and have of an asset, atoms."""

    owed: int
    free: int
    """Available, or locked by orders."""
    lent: int


class CapacityRow(Row):
    """What could take some of an asset at a point: values in 10^-6 USDC, and the pool's cash."""

    bids: int
    asks: int
    committed: int
    redeemable: int
    """Atoms."""


class Holding(Row):
    """What an account has and owes of an asset, atoms and 10^-6 USDC; zero where nothing."""

    asset: int
    free: int
    lent: int
    debt: int
    has: int
    """Value, rounded down."""
    owes: int
    """Value, rounded up."""


class Room(Row):
    """The account that is looked at. Behind it: its holdings, then the lend indices."""

    account: int
    known: int
    """Whether its holdings are written."""
    length: int
    """Of how many assets."""
    doubted: int
    """Assets at stale prices, as bits."""


@kernel
def holdings_in(room: Room) -> Rows[Holding]:
    """Its holdings."""
    return rows_in(Holding, numbers_of(room).at(Room.WIDTH))


@kernel
def indices_in(room: Room, assets: int) -> Memory:
    """Lend indices by asset."""
    return numbers_of(room).at(Room.WIDTH + assets * Holding.WIDTH)


@kernel
def point_words(assets: int) -> int:
    """Numbers that a point takes."""
    return PointRow.WIDTH + assets * AssetSums.WIDTH + 2 * assets * assets


@kernel
def point_row(point: Memory) -> PointRow:
    """The head of a point."""
    return row_in(PointRow, point)


@kernel
def asset_sums(point: Memory) -> Rows[AssetSums]:
    """What is summed by asset."""
    return rows_in(AssetSums, point.at(PointRow.WIDTH))


@kernel
def at_stake(point: Memory, assets: int) -> Memory:
    """The square of what is at stake: by the asset had, then by the asset owed."""
    return point.at(PointRow.WIDTH + assets * AssetSums.WIDTH)


@kernel
def opposite_values(point: Memory, assets: int) -> Memory:
    """The square of what opposites have of the latter and owe of the former."""
    return at_stake(point, assets).at(assets * assets)
