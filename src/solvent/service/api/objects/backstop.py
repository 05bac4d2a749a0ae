"""Backstop and standby: what accounts commit to take over."""

from typing import Annotated

from solvent.service.api.objects.base import (
    Amount,
    ApiObject,
    AssetSymbol,
    Decimal,
    NaiveTime,
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


class StandbyNotice(ApiObject):
    """What an account stood by with from then on: its own change, a swap's or a notice's end."""

    timestamp: Annotated[NaiveTime, says("When.")]
    posted: Annotated[Decimal, says("USDC posted and not used up; 0 where it stands by no more.")]
    premium: Annotated[Decimal, says("Asked of what is taken over, as a ratio.", "0.01")]
    leaving: Annotated[Decimal, says("USDC of it that is called until the notice is over.")]
    leaves_at: Annotated[int | None, says("When that is, microseconds UTC.")]


class StandbyLevel(ApiObject):
    """Standbys of one premium, called before those of a higher one."""

    premium: Annotated[Decimal, says("A ratio.", "0.01")]
    posted: Annotated[Decimal, says("USDC posted at it.", "5000")]
    accounts: Annotated[int, says("How many accounts ask it.", 1)]


class OfferedCapacity(ApiObject):
    """What could take over an asset's debts, or pay for them."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    mark_price: Annotated[Decimal, says("USDC a token.")]
    committed: Annotated[Decimal, says("Tokens of debt that providers offer to take over.")]
    committed_value: Annotated[Decimal, says("USDC at the mark, rounded down.")]
    fund: Annotated[Decimal, says("Tokens that the backstop fund has free.")]
    fund_value: Annotated[Decimal, says("USDC at the mark, rounded down.")]


class WaterfallCapacity(ApiObject):
    """What stands behind the book: providers, standbys and the backstop fund, all offers open."""

    time: Annotated[int, says("Of this answer, the market's, microseconds UTC.")]
    offers: Annotated[list[OfferedCapacity], says("By asset.")]
    committed_value: Annotated[Decimal, says("USDC, the sum over all assets.")]
    fund_value: Annotated[Decimal, says("USDC, the sum over all assets.")]
    standbys: Annotated[list[StandbyLevel], says("Least premium first.")]
    posted: Annotated[Decimal, says("USDC that all standbys have posted.")]
    max_posted: Annotated[Decimal, says("The most USDC that one account may post.", "1000")]
    max_premium: Annotated[Decimal, says("The most that providers and standbys may ask.", "0.05")]
    notice: Annotated[int, says("How long what is taken back is called still, microseconds.")]


class HandedOn(ApiObject):
    """Why a stage left debts to the next, and how often."""

    reason: Annotated[str, says("In the waterfall's words.", "NO_BACKSTOP_CAPACITY")]
    count: Annotated[int, says("How many times.", 3)]


class BridgeStage(ApiObject):
    """A stage of the bridge: which debts ended in it, and why it left the others."""

    stage: Annotated[str, says("BOOK, BACKSTOP, OPPOSITES, ADL or DEFICIT.", "BOOK")]
    value: Annotated[Decimal, says("USDC: debts that ended in it, each at its mark.")]
    left: Annotated[Decimal, says("USDC: what is left of all that was owed, after it.")]
    settlements: Annotated[int, says("How many there were.", 12)]
    handed_over: Annotated[list[HandedOn], says("Most frequent first.")]


class WaterfallBridge(ApiObject):
    """All debts that ended in the waterfall, by stage; the parts add up to the last digit."""

    since: Annotated[int, says("When the service was started, the market's, microseconds UTC.")]
    time: Annotated[int, says("Of this answer, the market's, microseconds UTC.")]
    owed: Annotated[Decimal, says("USDC: debts that ended.")]
    stages: Annotated[list[BridgeStage], says("In their order; the deficit is the last.")]
    deficit: Annotated[Decimal, says("USDC: debts that nobody paid.")]
    received: Annotated[Decimal, says("USDC: owed less the deficit.")]
    fund_paid: Annotated[Decimal, says("USDC that the fund gave, which repaid debts.")]
    taken_over: Annotated[Decimal, says("USDC: what standbys took over of payments in kind.")]


class StandbyPost(Request):
    """USDC to stand by with, and the premium asked for all that is posted."""

    quantity: Annotated[Amount, says("USDC.")]
    premium: Annotated[Amount, says("A ratio, 0.01 for one per cent.")]


class StandbyWithdrawal(Request):
    """USDC to take back."""

    quantity: Annotated[Amount, says("USDC.")]
