"""Backstop and standby: what accounts commit to take over."""

from typing import Annotated

from solvent.service.api.objects.base import (
    Amount,
    ApiObject,
    AssetSymbol,
    Decimal,
    Request,
    says,
)


class Commitment(ApiObject):
    """What a provider would still take over of an asset's debts."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    committed: Annotated[Decimal, says("Tokens, unused.")]


class CommitmentChange(Request):
    """Tokens to commit, or to take back."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    quantity: Annotated[Amount, says("Tokens.")]


class Standby(ApiObject):
    """What an account stands by with."""

    posted: Annotated[Decimal, says("USDC posted and not used up.")]
    premium: Annotated[Decimal, says("Asked of what is taken over, as a ratio.")]
    leaving: Annotated[Decimal, says("USDC of it that is called until the notice is over.")]
    leaves_at: Annotated[int | None, says("When that is, microseconds UTC.")]


class StandbyPost(Request):
    """USDC to stand by with, and the premium asked for all that is posted."""

    quantity: Annotated[Amount, says("USDC.")]
    premium: Annotated[Amount, says("A ratio, 0.01 for one per cent.")]


class StandbyWithdrawal(Request):
    """USDC to take back."""

    quantity: Annotated[Amount, says("USDC.")]
