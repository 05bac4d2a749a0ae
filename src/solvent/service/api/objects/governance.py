"""Oracle, risk admins and operator: prices, parameters, accounts, keys and deposits."""

from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta

from solvent.domain.commands import ParameterField
from solvent.service.api.objects.base import (
    U64,
    Amount,
    ApiObject,
    AssetSymbol,
    Maybe,
    NaiveTime,
    PublicKey,
    Request,
    says,
)
from solvent.service.api.objects.pages import FAR
from solvent.service.core.keys import Role
from solvent.service.limits import BATCH_COMMANDS

MOST_SOURCE = 63
MOST_INDEX = 15
MOST_ACCOUNT = 2**40
SourceNumber = Annotated[int, Meta(ge=0, le=MOST_SOURCE)]
CurvePoint = Annotated[int, Meta(ge=0, le=MOST_INDEX)]
AccountNumber = Annotated[int, Meta(ge=0, le=MOST_ACCOUNT)]
ProposalNumber = Annotated[int, Meta(ge=1, le=FAR)]


class AccountRole(StrEnum):
    """What an account may be."""

    USER = "user"
    BLP = "blp"


class Quote(Request):
    """What one source says an asset costs."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    source: Annotated[Maybe[SourceNumber], says("Number of the source; 0 if absent.", 0)] = UNSET
    bid: Annotated[Amount, says("Best bid in USDC a token.", "149.9")]
    ask: Annotated[Amount, says("Best ask in USDC a token.", "150.1")]
    last: Annotated[Amount, says("Last trade in USDC a token.", "150")]


class OraclePrices(Request):
    """One quote each of some assets' sources."""

    prices: Annotated[list[Quote], says(f"The quotes, 1 to {BATCH_COMMANDS} of them.")]


class OracleHalt(Request):
    """Whether a price is to be used."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    halted: Annotated[bool, says("Whether its price is not to be used.", True)]


class RiskProposal(Request):
    """Another value of a parameter."""

    symbol: Annotated[Maybe[AssetSymbol], says("The asset; none for the waterfall's.", "SOL")] = (
        UNSET
    )
    field: Annotated[
        str,
        says(f"Name of the parameter: {', '.join(ParameterField.__members__)}.", "POOL_FEE"),
    ]
    value: Annotated[U64, says("The value in the parameter's own unit.", 100_000_000)]
    index: Annotated[Maybe[CurvePoint], says("Which point of a curve; 0 if absent.")] = UNSET


class ProposalTaken(ApiObject):
    """The proposal that was made or approved."""

    proposal: Annotated[ProposalNumber, says("Its number.")]


class RiskApproval(Request):
    """A proposal to stand behind; its proposer may not."""

    proposal: Annotated[ProposalNumber, says("Its number.")]


class ProposalRow(ApiObject):
    """A change of a parameter that waits."""

    proposal: Annotated[ProposalNumber, says("Its number.")]
    symbol: Annotated[AssetSymbol, says("The asset; USDC for the waterfall's.")]
    field: Annotated[str, says("Name of the parameter.", "POOL_FEE")]
    value: Annotated[U64, says("The value in the parameter's own unit.", 100_000_000)]
    index: Annotated[CurvePoint, says("Which point of a curve.", 0)]
    due: Annotated[NaiveTime, says("When it is made, if it is approved by then.")]
    approved: Annotated[bool, says("Whether enough keys stand behind it.")]


class NewAccount(Request):
    """An account to open, and the key that acts for it."""

    role: Annotated[Maybe[AccountRole], says("What the account may be; user if absent.")] = UNSET
    public_key: Annotated[PublicKey, says("The key.")]


class AccountOpened(ApiObject):
    """The account that was opened."""

    account: Annotated[AccountNumber, says("Its number.", 7)]


class NewKey(Request):
    """A key to let in."""

    role: Annotated[Role, says("What the key may do.", "auditor")]
    public_key: Annotated[PublicKey, says("The key.")]
    account: Annotated[
        Maybe[AccountNumber], says("For which account; an auditor's may have none.")
    ] = UNSET


class OldKey(Request):
    """A key to take out."""

    public_key: Annotated[PublicKey, says("The key.")]


class AdminDeposit(Request):
    """Tokens that came in."""

    account: Annotated[AccountNumber, says("Number of the account.", 7)]
    symbol: Annotated[AssetSymbol, says("The asset.")]
    quantity: Annotated[Amount, says("Tokens.")]


class FeesCollection(Request):
    """A pool whose fees go to the treasury."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
