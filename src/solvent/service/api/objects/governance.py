"""Oracle, risk admins and operator: prices, parameters, accounts, keys and deposits."""

from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta
from msgspec import field as msgspec_field

from solvent.domain.commands import ParameterField
from solvent.service.api.objects.base import (
    U64,
    Amount,
    ApiObject,
    AssetSymbol,
    Decimal,
    Maybe,
    NaiveTime,
    PublicKey,
    Request,
    Signature,
    says,
)
from solvent.service.api.objects.pages import FAR, Limit, Slice
from solvent.service.api.objects.rehearsals import ChangeEffect, CurvePoint, Rehearsal
from solvent.service.core.keys import Role
from solvent.service.limits import BATCH_COMMANDS, PAGE_DEFAULT

MOST_SOURCE = 63
MOST_ACCOUNT = 2**40
SourceNumber = Annotated[int, Meta(ge=0, le=MOST_SOURCE)]
AccountNumber = Annotated[int, Meta(ge=0, le=MOST_ACCOUNT)]
ProposalNumber = Annotated[int, Meta(ge=1, le=FAR)]
KeyNumber = Annotated[int, Meta(ge=0, le=FAR)]
AuditNumber = Annotated[int, Meta(ge=1, le=FAR)]
AuditActor = Annotated[int, Meta(ge=-1, le=FAR)]


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


class ProposalState(StrEnum):
    """What became of a proposal."""

    WAITING = "waiting"
    MADE = "made"
    REFUSED = "refused"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    VOID = "void"


class ActTaken(ApiObject):
    """What became of an act of staff: made at once, or a proposal that waits or is decided."""

    state: Annotated[ProposalState, says("What became of it.", "waiting")]
    proposal: Annotated[Maybe[ProposalNumber], says("Number of the proposal, if it is one.", 1)] = (
        UNSET
    )
    reason: Annotated[Maybe[str], says("Why it ended so, where that needs a reason.")] = UNSET


class ProposalDecision(Request):
    """A proposal to stand behind, which its proposer may not, or to end."""

    proposal: Annotated[ProposalNumber, says("Its number.")]


class ProposalQuery(Slice):
    """Which proposals; the latest first."""

    state: Annotated[Maybe[ProposalState], says("In which state; all if absent.", "waiting")] = (
        UNSET
    )


class ProposalRow(ApiObject):
    """An act that waits for another person or for its time, or that was decided."""

    proposal: Annotated[ProposalNumber, says("Its number.")]
    act: Annotated[str, says("What is to be done.", "ChangeParameter")]
    state: Annotated[ProposalState, says("What became of it.", "waiting")]
    approved: Annotated[bool, says("Whether enough keys stand behind it.")]
    proposer: Annotated[KeyNumber, says("Number of the key that proposed it.", 4)]
    approvers: Annotated[list[KeyNumber], says("Numbers of the keys that approved it.")]
    due: Annotated[NaiveTime, says("When it is made, if it is approved by then.")]
    expires: Annotated[NaiveTime, says("When it ends, if nothing became of it by then.")]
    reason: Annotated[str, says("Why it ended so; empty where that needs no reason.", "")]
    symbol: Annotated[Maybe[AssetSymbol], says("The asset; USDC for the waterfall's.", "SOL")] = (
        UNSET
    )
    field: Annotated[Maybe[str], says("Name of the parameter.", "POOL_FEE")] = UNSET
    value: Annotated[Maybe[U64], says("In the parameter's own unit.", 100_000_000)] = UNSET
    index: Annotated[Maybe[CurvePoint], says("Which point of a curve.", 0)] = UNSET
    role: Annotated[Maybe[Role], says("What a key that is let in may do.")] = UNSET
    account: Annotated[Maybe[AccountNumber], says("Account of a key or of a deposit.")] = UNSET
    fingerprint: Annotated[Maybe[str], says("A name of a key, to compare with its owner.")] = UNSET
    atoms: Annotated[Maybe[U64], says("Smallest units of a deposit.")] = UNSET
    rehearsal: Annotated[
        Maybe[Rehearsal], says("What a change was found to do; absent until that is known.")
    ] = UNSET
    effect: Annotated[Maybe[ChangeEffect], says("What it did when it was made, against that.")] = (
        UNSET
    )
    not_rehearsed: Annotated[Maybe[str], says("Why one of the two is missing for good.")] = UNSET


class AuditQuery(Request):
    """From where to read the audit log."""

    from_: Annotated[
        Maybe[AuditNumber], says("Number of the first entry; the latest entries if absent.")
    ] = msgspec_field(name="from", default=UNSET)
    limit: Annotated[Maybe[Limit], says(f"Entries at most; {PAGE_DEFAULT} if absent.", 10)] = UNSET


class AuditRow(ApiObject):
    """An entry of the audit log: an act of staff and what became of it."""

    number: Annotated[AuditNumber, says("Its number; no number is left out.")]
    time: Annotated[NaiveTime, says("When the act was taken in.")]
    actor: Annotated[
        AuditActor, says("Number of the key; 0 for who has the folder, -1 for the clock.", 1)
    ]
    role: Annotated[str, says("The key's role, or house, clock or nobody.", "operator")]
    act: Annotated[str, says("What was asked for.", "AdmitKey")]
    subject: Annotated[str, says("What about, as JSON.", '{"role":"oracle"}')]
    outcome: Annotated[str, says("What became of it.", "waits")]
    proposal: Annotated[U64, says("Number of the proposal that is meant; 0 for none.", 1)]
    hash: Annotated[str, says("A hash of 128 bits over this entry and the one before.", "0" * 32)]


class KeyRow(ApiObject):
    """A key that acts."""

    number: Annotated[KeyNumber, says("The person's number, which stays when keys change.", 1)]
    role: Annotated[Role, says("What it may do.")]
    account: Annotated[Maybe[AccountNumber], says("The account it acts for or reads.")] = UNSET
    fingerprint: Annotated[str, says("A name of the key, to compare.", "0011223344556677")]


class MarketIdentity(ApiObject):
    """Which market this is."""

    market: Annotated[str, says("Drawn when it began; in all that its own clients sign.", "0" * 32)]
    demo: Annotated[bool, says("Whether it is for trying out, with money that is none.")]
    scenario: Annotated[str, says("What is played in it; empty where nothing is.", "")]
    speed: Annotated[Decimal, says("Seconds of the market that pass in one.", "1")]


class NewAccount(Request):
    """An account to open, and the key that acts for it."""

    role: Annotated[Maybe[AccountRole], says("What the account may be; user if absent.")] = UNSET
    public_key: Annotated[PublicKey, says("The key.")]
    proof: Annotated[
        Signature, says("The new key's signature of the text that says what it is let in as.")
    ]


class AccountOpened(ApiObject):
    """The account that was opened."""

    account: Annotated[AccountNumber, says("Its number.", 7)]


class NewcomerAccount(Request):
    """The key of somebody who tries a demo out."""

    public_key: Annotated[PublicKey, says("The key.")]
    proof: Annotated[
        Signature, says("The key's signature of the text that says what it is let in as.")
    ]


class DemoDeposit(Request):
    """Money that is none, for the account of the key that signs."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    quantity: Annotated[Amount, says("Tokens, worth 100,000 USDC at most.")]


class NewKey(Request):
    """A key to let in."""

    role: Annotated[Role, says("What the key may do.", "auditor")]
    public_key: Annotated[PublicKey, says("The key.")]
    account: Annotated[
        Maybe[AccountNumber], says("For which account; an auditor's may have none.")
    ] = UNSET
    proof: Annotated[
        Signature, says("The new key's signature of the text that says what it is let in as.")
    ]


class RotatedKey(Request):
    """A key that takes the place of the one that signs."""

    public_key: Annotated[PublicKey, says("The new key.")]
    proof: Annotated[
        Signature, says("The new key's signature of the text that says what it is let in as.")
    ]


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
