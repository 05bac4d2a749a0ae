"""Backstop: what liquidity providers commit to take over."""

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
