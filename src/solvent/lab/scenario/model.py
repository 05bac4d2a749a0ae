"""Scenarios: a market, its agents and its prices as data, so that a run is a file and a seed.

A scenario names everything that a run depends on: the parameters of the engine, a price path, what
accounts hold, how deep the book is and how it thins, what capital stands behind it, and the agents'
later actions. All amounts of accounts and books are values in USDC at the prices of the start, so
the same scenario runs on any price level; all later times are counted from the start, so it runs on
any date.

Numbers are integers of their unit: ratios 10^-9, values 10^-6 USDC, prices 10^-10 USDC, times
microseconds. How a file becomes a scenario is in `scenario_file`; how a scenario becomes commands
in `population`, `market_makers` and `feed`.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from solvent.domain.commands import ChangeParameter
from solvent.domain.errors import InputError
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import SECOND
from solvent.lab.paths.model import PriceModel
from solvent.lab.prices.layouts import Adverse
from solvent.lab.scenario.lines import line_of


@dataclass(frozen=True, slots=True)
class PriceSource:
    """Where prices come from: a file, a path drawn through points, or a model of many paths.

    `names[a]` are the symbols under which a file may carry asset a; `points[a]` the corners of a
    synthetic path, (microseconds after the start, price), joined by straight lines, on which a
    print stands every `resolution` microseconds. `ohlc` is None where bars are used if the file has
    them. A scenario with a `model` has prices once one of its paths is drawn (`paths.drawing`). A
    file that is not shipped says in `bring` where it comes from; it must have the hash `sha256`.
    """

    names: tuple[tuple[str, ...], ...]
    file: Path | None = None
    ohlc: bool | None = None
    adverse: Adverse = "low"
    window: str | None = None
    sort: bool = False
    points: tuple[tuple[tuple[int, int], ...], ...] = ()
    resolution: int = 0
    model: PriceModel | None = None
    bring: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """A part of an account's collateral: `share` of its size, deposited or also lent."""

    asset: int
    share: int
    lent: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """Account settings of a group; None leaves the engine's own."""

    auto_lend: bool = False
    auto_repay_borrows: bool = False
    auto_borrow_settlements: bool = False
    leverage_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts alike: how many, how large, what they hold, what they owe and how close to the edge.

    Sizes are log-normal with `median` and `spread` (the standard deviation of the logarithm). A
    group that owes takes a loan such that weighted collateral / (debt and its maintenance) is 1 +
    a cushion drawn evenly from `cushion`. A group with `utilization` only lends one asset: its
    sizes are scaled so that the pool's utilization at the start is that. A group that `loops` has
    turned its loan into more collateral and borrowed on that, so many times over.
    """

    name: str
    count: int
    median: int
    spread: int
    holdings: tuple[Holding, ...]
    debt: int | None = None
    cushion: tuple[int, int] = (0, 0)
    borrow_after: int = 0
    keeps_loan: bool = False
    utilization: int | None = None
    loops: int = 0
    settings: Settings = field(default_factory=Settings)


class Deed(IntEnum):
    """What a group does later, each by a share of what it held or owed at first.

    WITHDRAW takes lent tokens away, as far as the pool lets them go; REPAY brings the borrowed
    token back; LEND brings new tokens to the pool; BORROW takes more; TOP_UP brings more of the
    collateral; UNWIND sells collateral into the book and repays with what it brings.
    """

    WITHDRAW = 0
    REPAY = 1
    LEND = 2
    BORROW = 3
    TOP_UP = 4
    UNWIND = 5


@dataclass(frozen=True, slots=True)
class Trigger:
    """The price of an asset has moved so far since the start, or its pool is so full.

    A `move` of -10^8 is a fall by a tenth; with a `utilization` (10^-9) the price is not looked at.
    """

    asset: int
    move: int
    utilization: int = 0


@dataclass(frozen=True, slots=True)
class Action:
    """A group's deed, `after` microseconds; its accounts act one a step over `spread_over`.

    With a `trigger` it begins when that fires. One that `repeats` is tried at every step from then
    on: a withdrawal takes each time what the pool lets go.
    """

    after: int
    group: str
    deed: Deed
    asset: int
    share: int
    spread_over: int = 0
    trigger: Trigger | None = None
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter that changes `after` microseconds."""

    after: int
    command: ChangeParameter


@dataclass(frozen=True, slots=True)
class DepthCurve:
    """USDC resting within so many 10^-9 of the mid, a side, in calm: (distance, cumulative)."""

    asset: int
    bands: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Depth:
    """The book: a curve an asset, times `scale`, times thinning points (after, multiplier).

    Distances widen as 1 / multiplier. A maker's means on each side are `inventory` calm ladders; a
    ladder that was eaten up is whole again after `recovery` microseconds.
    `basis` says what of all that was measured, when and where, and what was assumed. When a trigger
    of `leaving` fires, makers quote only that part of their depth from then on.
    """

    curves: tuple[DepthCurve, ...] = ()
    scale: int = 0
    inventory: int = 0
    thinning: tuple[tuple[int, int], ...] = ()
    recovery: int = 15 * SECOND
    basis: str = ""
    leaving: tuple[tuple[Trigger, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Impact:
    """How what is eaten of makers' ladders moves the market: all venues are `whole` such books.

    A part `lasting` of what was eaten never comes back; all of the books' depth comes back in
    `recovery` microseconds. `basis` says what of that was measured, and what was assumed.
    """

    whole: int
    recovery: int
    lasting: int = 0
    basis: str = ""


class Fault(IntEnum):
    """What is wrong with an oracle.

    STOP quotes nothing; HOLD goes on with what it quoted last; WRONG is off by a factor; CAP quotes
    no more than a price; LATE quotes what the market was a while ago.
    """

    STOP = 0
    HOLD = 1
    WRONG = 2
    CAP = 3
    LATE = 4


@dataclass(frozen=True, slots=True)
class OracleFault:
    """A fault of an asset's sources from `since` up to `until`, microseconds after the start.

    `amount` is WRONG's factor (10^-9), CAP's price (10^-10 USDC) or how late LATE is
    (microseconds). `sources` are the sources that have it, all of them where there are none.
    """

    asset: int
    since: int
    until: int
    fault: Fault
    amount: int = 0
    sources: tuple[int, ...] = ()


class Rule(IntEnum):
    """How a governor moves the rate at the target (`people.governors`)."""

    KINKED = 0
    ADAPTIVE = 1
    PID = 2


@dataclass(frozen=True, slots=True)
class Governor:
    """Who moves a pool's curve every so many microseconds; all other numbers are 10^-9."""

    asset: int
    rule: Rule
    every: int
    target: int
    rate: int
    steepness: int
    speed: int = 0
    proportional: int = 0
    integral: int = 0
    derivative: int = 0
    lowest: int = 0
    highest: int = 0


@dataclass(frozen=True, slots=True)
class Provider:
    """`count` backstop providers alike: equity in USDC, and commitments (debt asset, value).

    When `leaves` fires they give notice of all that is not used of their commitments, and also when
    what they took over has cost more than `loss_limit` (10^-9) of their equity. They sell it again
    within `unwind` microseconds, or never where that is 0.
    """

    name: str
    count: int
    equity: int
    commitments: tuple[tuple[int, int], ...]
    leaves: Trigger | None = None
    loss_limit: int | None = None
    unwind: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole scenario; `parameters` hold its seed and start, `file` is named in errors."""

    file: str
    name: str
    description: str
    source: str
    start: int
    end: int
    step: int
    parameters: EngineParameters
    prices: PriceSource
    groups: tuple[Group, ...]
    depth: Depth
    providers: tuple[Provider, ...] = ()
    fund: int = 0
    treasury: int = 0
    actions: tuple[Action, ...] = ()
    changes: tuple[Change, ...] = ()
    impact: Impact | None = None
    oracle: tuple[OracleFault, ...] = ()
    governors: tuple[Governor, ...] = ()

    @property
    def accounts(self) -> int:
        """Number of accounts, makers and providers apart."""
        return sum(group.count for group in self.groups)

    def error(self, name: str, reason: str) -> InputError:
        """An InputError about a field of this scenario."""
        return InputError(self.file, name, reason, line_of(self.file, name))
