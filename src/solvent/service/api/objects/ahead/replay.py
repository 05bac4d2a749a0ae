"""A scenario that is played in a market: how far it is, how fast, and what was before."""

from typing import Annotated

from msgspec import UNSET

from solvent.service.api.objects.base import (
    U64,
    ApiObject,
    Decimal,
    MarketSymbol,
    Maybe,
    Microseconds,
    Request,
    says,
)
from solvent.service.api.objects.borrow_lend import BorrowLendMarket
from solvent.service.api.objects.governance import AccountNumber
from solvent.service.api.objects.insight import PoolNow
from solvent.service.api.objects.market_data import Trade
from solvent.service.api.objects.markets import Level


class ReplayNow(ApiObject):
    """A scenario that is played, and the market's time, which is not that of a clock on a wall."""

    scenario: Annotated[str, says("The scenario.", "crash-2025-10-10")]
    speed: Annotated[Decimal, says("Seconds of the market that pass in one.", "60")]
    paused: Annotated[bool, says("Whether the market's time stands still.")]
    start: Annotated[Microseconds, says("When the market began.")]
    end: Annotated[Microseconds, says("When the scenario's own prices end.")]
    time: Annotated[Microseconds, says("The market's time.")]
    caught_up: Annotated[
        bool, says("Whether it has come up with the clock, so that it goes no faster than that.")
    ]
    ended: Annotated[bool, says("Whether all of it is played, so that there is a report.")]


class ReplayPace(Request):
    """How fast a scenario is to be played; what is absent stays as it is."""

    speed: Annotated[Maybe[Decimal], says("Seconds of the market in one, 0.001 to 1000.", "60")] = (
        UNSET
    )
    paused: Annotated[Maybe[bool], says("Whether its time is to stand still.", True)] = UNSET


class PastQuery(Request):
    """A time that has passed."""

    time: Annotated[Microseconds, says("The market's time that is asked about.")]


class PastMarket(ApiObject):
    """A market as it was, made from its journal: to look at, and to change nothing."""

    time: Annotated[Microseconds, says("The market's time then.")]
    records: Annotated[U64, says("Records of the journal up to then.", 4211)]
    accounts: Annotated[U64, says("Accounts that were open.", 300)]
    liquidating: Annotated[U64, says("Accounts that were in the waterfall.", 0)]
    markets: Annotated[list[BorrowLendMarket], says("Every pool then.")]
    pools: Annotated[list[PoolNow], says("What each pool did then.")]


class PastAccountQuery(PastQuery):
    """An account, and a time that has passed."""

    account: Annotated[AccountNumber, says("Number of the account.", 2)]


class PastBookQuery(PastQuery):
    """A market, and a time that has passed."""

    symbol: Annotated[MarketSymbol, says("The market.")]


class PastBook(ApiObject):
    """A book as it was, made from the journal, and the latest trades before that."""

    time: Annotated[Microseconds, says("The market's time then.")]
    asks: Annotated[list[Level], says("Price and quantity, by rising price.", [["150.1", "4"]])]
    bids: Annotated[
        list[Level],
        says("Price and quantity, by rising price: the best comes last.", [["149", "3"]]),
    ]
    trades: Annotated[list[Trade], says("The latest before then, the latest first.")]
