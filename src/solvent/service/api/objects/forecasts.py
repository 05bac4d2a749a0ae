"""Forecasts: how rounds of ADL would treat an account, and when pools fill."""

from typing import Annotated

from solvent.service.api.objects.base import (
    U64,
    ApiObject,
    AssetSymbol,
    Decimal,
    Microseconds,
    SignedDecimal,
    says,
)


class RoundPartner(ApiObject):
    """Somebody who could be paired with the account. Who it is, and where exactly, is not told."""

    name: Annotated[str, says("A name of this answer alone.", "00112233445566aa")]
    symbol: Annotated[
        AssetSymbol | None, says("The asset whose price would do it; null for none.", "SOL")
    ]
    beyond: Annotated[
        SignedDecimal | None,
        says("A move of its mark that does not do it yet, in steps of 0.05; null: none does."),
    ]


class WayOut(ApiObject):
    """A command of the account after which the round passes it by, and no less of it does."""

    command: Annotated[str, says("Which: Repay, Redeem or Withdraw.", "Repay")]
    symbol: Annotated[AssetSymbol, says("The asset.")]
    quantity: Annotated[Decimal, says("Tokens.", "60")]
    brings: Annotated[Decimal, says("Tokens that have to be deposited before.", "60")]
    value: Annotated[Decimal, says("Its value at the mark, USDC.", "12000")]


class RoundAhead(ApiObject):
    """The largest round of its kind that there could be, in the book as it stands."""

    case: Annotated[str, says("OPPOSITES, STUCK_LENDER or BORROWER_DEFAULT.", "OPPOSITES")]
    symbol: Annotated[AssetSymbol, says("The asset that is settled.")]
    tier: Annotated[str, says("What it is paid in, by tier.", "OWED")]
    paid_in: Annotated[AssetSymbol, says("The asset that it is paid in.")]
    policy: Annotated[str, says("The policy in force.", "LEVERAGE")]
    quantity: Annotated[Decimal, says("Tokens that the round settles.", "85")]
    rank: Annotated[U64, says("Place of the account in the policy's order, from 1.", 2)]
    candidates: Annotated[U64, says("How many are on the list.", 2)]
    cap: Annotated[Decimal, says("Tokens that the account can be allotted at most.", "60")]
    allotted: Annotated[Decimal, says("Tokens that it would be allotted: its share.", "60")]
    value: Annotated[Decimal, says("What these are worth at the mark, USDC.", "12000")]
    reached: Annotated[
        Decimal | None,
        says("Tokens of a round at which the account is allotted something; null: of none.", "10"),
    ]
    partners: Annotated[
        list[RoundPartner], says("Who could be paired with it, the nearest first, up to ten.")
    ]
    partners_in_all: Annotated[U64, says("How many these are.", 1)]
    ways: Annotated[list[WayOut], says("Ways out, the cheapest first; none where nothing helps.")]


class RoundsAhead(ApiObject):
    """Every kind of round that could reach the account."""

    time: Annotated[Microseconds, says("Time of the book.")]
    rounds: Annotated[list[RoundAhead], says("By asset, then opposites, case L and case B.")]


class PoolTime(ApiObject):
    """When a pool is throttled and full, if it goes on as it does."""

    symbol: Annotated[AssetSymbol, says("The pool.")]
    since: Annotated[
        Microseconds | None, says("From when its flow was read; null until there is one.")
    ]
    throttle: Annotated[
        U64 | None,
        says("Microseconds until its throttle; 0: it is there; null: not at this flow.", 7),
    ]
    full: Annotated[U64 | None, says("Microseconds until 100 %, likewise.", 9)]
