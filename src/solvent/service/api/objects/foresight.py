"""Foresight: what would hold at other prices, by move and along a curve."""

from typing import Annotated

from msgspec import UNSET

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

MOST_MOVES_TEXT = 2_048


class WhatIfQuery(Request):
    """Which prices move, and by how much of themselves."""

    moves: Annotated[
        Maybe[str], says("Moves by asset, as parts of the mark, separated by commas.", "SOL:-0.3")
    ] = UNSET
    move: Annotated[
        Maybe[str], says("A move of every asset, as a part of the mark, times its beta.")
    ] = UNSET
    betas: Annotated[Maybe[str], says("Betas by asset; 1 where none is given.")] = UNSET


class CurveQuery(Request):
    """How the assets move along a curve."""

    betas: Annotated[Maybe[str], says("Betas by asset; 1 where none is given.", "SOL:1.5")] = UNSET


class StagesAhead(ApiObject):
    """Values in USDC: what is at stake, by the first stage that could take it."""

    own: Annotated[Decimal, says("Held of the very asset that is owed.", "0")]
    book: Annotated[Decimal, says("What resting orders could take.", "1500")]
    providers: Annotated[Decimal, says("What backstop providers have promised to take.", "800")]
    opposites: Annotated[Decimal, says("What accounts in the opposite position could close.", "90")]
    adl: Annotated[Decimal, says("The rest, ADL's.", "0")]


class PoolAhead(ApiObject):
    """A pool and its market, at the moved marks."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    mark_price: Annotated[Decimal, says("The mark asked about, USDC a token.", "140")]
    owed: Annotated[Decimal, says("Tokens that accounts at MMR 100 % owe.", "120")]
    lent: Annotated[Decimal, says("Tokens that they have lent.", "10")]
    redeemable: Annotated[Decimal, says("Tokens that lenders could take out.", "300")]
    fills: Annotated[bool, says("Whether their redemptions alone would fill the pool.")]
    bids: Annotated[Decimal, says("Value of bids that could take some of it, USDC.", "1500")]
    asks: Annotated[Decimal, says("Value of asks that could give some of it, USDC.", "1500")]
    committed: Annotated[Decimal, says("Value of providers' commitments in it, USDC.", "800")]
    impaired: Annotated[
        Maybe[Decimal], says("Part of all claims that certain losses would take.", "0")
    ] = UNSET


class PointAhead(ApiObject):
    """What would hold after a move."""

    accounts: Annotated[U64, says("Accounts at or above MMR 100 %.", 3)]
    insolvent: Annotated[U64, says("Those of them that owe more than they have.", 0)]
    lacking: Annotated[Decimal, says("What these lack, USDC.", "0")]
    at_stake: Annotated[Decimal, says("All that could have to be closed, USDC.", "2390")]
    stages: Annotated[StagesAhead, says("The same by stage.")]
    pools: Annotated[list[PoolAhead], says("Every pool.")]


class WhatIfAnswer(ApiObject):
    """What would hold if prices moved now, and who would be liquidatable."""

    time: Annotated[Microseconds, says("Time of the market that was asked.")]
    point: Annotated[PointAhead, says("What would hold.")]
    account_ids: Annotated[
        list[U64], says("Accounts at or above MMR 100 %, the first thousand.", [7])
    ]


class CurvePoint(ApiObject):
    """A point of the curve."""

    move: Annotated[SignedDecimal, says("Part of the mark that prices move by.", "-0.3")]
    point: Annotated[PointAhead, says("What would hold.")]


class Curve(ApiObject):
    """What would hold along a line of moves, from -90 % to +300 %."""

    time: Annotated[Microseconds, says("Time of the market that was asked.")]
    points: Annotated[list[CurvePoint], says("From the deepest fall up.")]
