"""Rehearsals: what a change of a parameter would do to the book, and then what it did."""

from typing import Annotated

from msgspec import UNSET, Meta

from solvent.domain.commands import ParameterField
from solvent.service.api.objects.base import (
    U64,
    ApiObject,
    AssetSymbol,
    Decimal,
    Maybe,
    Microseconds,
    Request,
    SignedDecimal,
    says,
)
from solvent.service.limits import REHEARSAL_HOURS

MOST_INDEX = 15
CurvePoint = Annotated[int, Meta(ge=0, le=MOST_INDEX)]


class RehearsalQuery(Request):
    """A change to try."""

    symbol: Annotated[Maybe[AssetSymbol], says("The asset; none for the waterfall's.", "SOL")] = (
        UNSET
    )
    field: Annotated[
        str,
        says(f"Name of the parameter: {', '.join(ParameterField.__members__)}.", "POOL_FEE"),
    ]
    value: Annotated[U64, says("The value in the parameter's own unit.", 100_000_000)]
    index: Annotated[Maybe[CurvePoint], says("Which point of a curve; 0 if absent.")] = UNSET
    hours: Annotated[
        Maybe[Annotated[int, Meta(ge=1, le=REHEARSAL_HOURS)]],
        says("How many hours are played; 4 if absent.", 1),
    ] = UNSET


class TrappedLenders(ApiObject):
    """Lenders of a pool who could not take out all of their claims at once."""

    symbol: Annotated[AssetSymbol, says("The pool.")]
    lenders: Annotated[U64, says("How many they are.", 2)]


class BookStanding(ApiObject):
    """How a book stands."""

    liquidating: Annotated[U64, says("Accounts in the waterfall.", 1)]
    throttled: Annotated[list[AssetSymbol], says("Pools whose utilization is above the bound.")]
    trapped: Annotated[list[TrappedLenders], says("By pool, lenders who are trapped.")]


class StageCleared(ApiObject):
    """What a stage of the waterfall cleared."""

    stage: Annotated[str, says("The stage.", "book")]
    value: Annotated[Decimal, says("Debt that it closed, USDC.", "1500")]


class HoursPlayed(ApiObject):
    """How some hours went."""

    liquidated: Annotated[U64, says("Accounts that began to be liquidated.", 3)]
    stages: Annotated[list[StageCleared], says("What each stage cleared.")]
    end: Annotated[BookStanding, says("How the book stands at their end.")]


class PathPlayed(ApiObject):
    """The hours under one path of all indices, without the change and with it."""

    path: Annotated[str, says("The path in words.", "down 30 %")]
    move: Annotated[SignedDecimal, says("How far indices move by the end, as a part.", "-0.3")]
    without: Annotated[HoursPlayed, says("Without the change.")]
    with_change: Annotated[HoursPlayed, says("With it.")]


class ChangeAtOnce(ApiObject):
    """A book at one moment, without the change and with it."""

    time: Annotated[Microseconds, says("Time of the book.")]
    without: Annotated[BookStanding, says("Without the change.")]
    with_change: Annotated[BookStanding, says("With it.")]
    account_ids: Annotated[
        list[U64], says("Accounts that it puts into the waterfall, the first thousand.")
    ]


class MarkThen(ApiObject):
    """A mark at the rehearsal and when the change was made."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    rehearsed: Annotated[Decimal, says("USDC a token at the rehearsal.", "150")]
    actual: Annotated[Decimal, says("USDC a token when the change was made.", "140")]


class ChangeEffect(ApiObject):
    """What the change did at once when it was made, against what was rehearsed."""

    at_once: Annotated[ChangeAtOnce, says("The book just before, without and with the change.")]
    as_rehearsed: Annotated[U64, says("Accounts put into the waterfall as was rehearsed.", 1)]
    unforeseen: Annotated[
        list[U64], says("Accounts put there that were not in the rehearsal, the first thousand.")
    ]
    spared: Annotated[
        list[U64], says("Accounts of the rehearsal that were not, the first thousand.")
    ]
    marks: Annotated[list[MarkThen], says("Marks that differ.")]


class Rehearsal(ApiObject):
    """What a change was found to do on a copy of the book, nobody acting."""

    at_once: Annotated[ChangeAtOnce, says("At once.")]
    hours: Annotated[U64, says("How many hours were played.", 4)]
    paths: Annotated[list[PathPlayed], says("How they went under each path.")]
