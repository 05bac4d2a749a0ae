"""What a risk desk watches: who is near, how much is whose, what the largest lack, the oracle."""

from typing import Annotated

from msgspec import UNSET, Meta

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
from solvent.service.api.objects.foresight import WhatIfQuery
from solvent.service.api.objects.governance import AccountNumber
from solvent.service.api.objects.pages import Limit
from solvent.service.limits import PAGE_DEFAULT

MOST_COVERED = 1000


class NearQuery(Request):
    """How many accounts."""

    limit: Annotated[Maybe[Limit], says(f"Accounts at most; {PAGE_DEFAULT} if absent.", 10)] = UNSET


class NearAccount(ApiObject):
    """A debtor and how near he is to being liquidated."""

    account: Annotated[U64, says("Number of the account.", 17)]
    margin_ratio: Annotated[
        Decimal | None,
        says("Maintenance over net equity, up; at 1 it is liquidated. Null without equity.", "0.4"),
    ]
    net_equity: Annotated[SignedDecimal, says("What collateral counts for, less debts, USDC.")]
    maintenance: Annotated[Decimal, says("What it must have, USDC.", "340")]
    assets: Annotated[Decimal, says("What it has at the mark, USDC.", "19000")]
    debts: Annotated[Decimal, says("What it owes at the mark, USDC.", "17000")]
    owes: Annotated[AssetSymbol, says("The asset of which it owes most by value.")]


class Nearness(ApiObject):
    """The debtors nearest to liquidation, the nearest first."""

    time: Annotated[Microseconds, says("The market's time of which this is true.")]
    debtors: Annotated[U64, says("How many accounts owe something.", 240)]
    accounts: Annotated[list[NearAccount], says("The nearest of them.")]


class SeenQuery(Request):
    """Which account."""

    account: Annotated[AccountNumber, says("Number of the account.", 2)]


class SeenBalance(ApiObject):
    """What an account has and owes of an asset."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    available: Annotated[Decimal, says("Tokens that are free.", "5")]
    locked: Annotated[Decimal, says("Tokens in open orders.", "0")]
    lent: Annotated[Decimal, says("Tokens lent, with interest.", "0")]
    owed: Annotated[Decimal, says("Tokens owed, with interest.", "2")]
    mark_price: Annotated[Decimal, says("Mark in USDC a token.", "150")]
    liquidation_price: Annotated[
        Decimal | None, says("The nearest mark at which it is liquidated; null for none.", "180")
    ]


class SeenAccount(ApiObject):
    """An account as whoever may see it sees it."""

    account: Annotated[U64, says("Number of the account.", 2)]
    time: Annotated[Microseconds, says("The market's time of which this is true.")]
    liquidating: Annotated[bool, says("Whether it is in the waterfall.")]
    margin_ratio: Annotated[
        Decimal | None, says("Maintenance over net equity; null where there is none.", "0.4")
    ]
    net_equity: Annotated[SignedDecimal, says("What collateral counts for, less debts, USDC.")]
    initial: Annotated[Decimal, says("What new risk needs, USDC.", "680")]
    maintenance: Annotated[Decimal, says("What it must have, USDC.", "340")]
    assets: Annotated[Decimal, says("What it has at the mark, USDC.", "19000")]
    debts: Annotated[Decimal, says("What it owes at the mark, USDC.", "17000")]
    balances: Annotated[list[SeenBalance], says("Every asset that it has or owes.")]


class PoolConcentration(ApiObject):
    """How much of a pool is that of its largest lenders and borrowers."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    lenders: Annotated[U64, says("Accounts that have lent.", 120)]
    borrowers: Annotated[U64, says("Accounts that owe.", 80)]
    lent_by: Annotated[
        list[Decimal], says("Parts of the 1, 5 and 10 largest lenders.", ["0.2", "0.5", "0.7"])
    ]
    owed_by: Annotated[
        list[Decimal], says("Parts of the 1, 5 and 10 largest borrowers.", ["0.1", "0.4", "0.6"])
    ]


class Concentrations(ApiObject):
    """How much of every pool is that of its largest lenders and borrowers."""

    time: Annotated[Microseconds, says("The market's time of which this is true.")]
    pools: Annotated[list[PoolConcentration], says("A pool each.")]


class CoverQuery(WhatIfQuery):
    """At which prices, and how many accounts."""

    count: Annotated[
        Maybe[Annotated[int, Meta(ge=1, le=MOST_COVERED)]], says("Accounts; 2 if absent.", 2)
    ] = UNSET


class CoverAnswer(ApiObject):
    """Whether the fund pays for what the accounts lack that lack most, if prices moved so now."""

    time: Annotated[Microseconds, says("The market's time of which this is true.")]
    covered: Annotated[bool, says("Whether the fund pays for these accounts.", True)]
    lacking: Annotated[Decimal, says("What they owe beyond all that they have, USDC.", "800")]
    lacking_in_all: Annotated[Decimal, says("The same of all accounts, USDC.", "950")]
    fund: Annotated[Decimal, says("What the fund is worth at those prices, USDC.", "100000")]
    accounts: Annotated[list[NearAccount], says("The accounts that lack most, at those prices.")]


class OracleSource(ApiObject):
    """What a source of a price last said."""

    source: Annotated[U64, says("Number of the source.", 0)]
    weight: Annotated[U64, says("Its weight in the index.", 1)]
    fresh: Annotated[bool, says("Whether it counts: it spoke, and not too long ago.", True)]
    time: Annotated[Microseconds | None, says("When it spoke; null where it never did.")]
    bid: Annotated[Decimal, says("Best bid, USDC a token.", "149.9")]
    ask: Annotated[Decimal, says("Best ask, USDC a token.", "150.1")]
    last: Annotated[Decimal, says("Last trade, USDC a token.", "150")]


class OracleHealth(ApiObject):
    """How an asset's price comes about now, and whether it may be used."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    index: Annotated[Decimal, says("Weighted mean of its sources, USDC a token.", "150")]
    mark: Annotated[Decimal, says("Index and premium of the book, USDC a token.", "150.02")]
    quorum: Annotated[U64, says("Sources that must be fresh.", 2)]
    fresh: Annotated[U64, says("Sources that are fresh.", 3)]
    stale: Annotated[bool, says("Whether nothing is done by this price.")]
    halted: Annotated[bool, says("Whether it was declared unusable.")]
    in_doubt: Annotated[bool, says("Whether a cap on moves holds it back from its sources.")]
    updated: Annotated[
        Microseconds | None, says("When the index was last made; null where it never was.")
    ]
    max_age: Annotated[U64, says("Microseconds after which a quote does not count.", 600_000_000)]
    sources: Annotated[list[OracleSource], says("Every source.")]


class Oracle(ApiObject):
    """How every price comes about now."""

    time: Annotated[Microseconds, says("The market's time of which this is true.")]
    prices: Annotated[list[OracleHealth], says("An asset each but USDC, which is always 1.")]
