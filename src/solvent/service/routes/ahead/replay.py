"""Replay: a scenario that is played in a market, at what pace, and the market as it was.

How fast it goes is the operator's, and what he does is in the audit log. What is past is made anew
from the journal: pools and books for everybody, as those of now are, an account for whoever may see
it now.
"""

from collections.abc import Sequence

from solvent.domain.errors import InputError
from solvent.domain.readings import Level as BookLevel
from solvent.domain.units import SECOND
from solvent.history.tables.rows import Paging
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import TRADERS, Endpoint
from solvent.service.api.objects.ahead import replay as o
from solvent.service.api.objects.ahead.watch import SeenAccount
from solvent.service.api.objects.governance import ActTaken
from solvent.service.api.objects.markets import Level
from solvent.service.api.params import bad_request
from solvent.service.api.shapes import SPEED_DECIMALS, price_text, quantity_text, speed_text
from solvent.service.authority.acts import PaceReplay
from solvent.service.authority.model import RULES
from solvent.service.core.market import Market
from solvent.service.core.node import Player
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.routes.ahead.watch import account_asked, seen_account
from solvent.service.routes.ahead.what_if import WATCHERS
from solvent.service.routes.borrow_lend import pool_markets
from solvent.service.routes.insight import pools_now
from solvent.service.routes.market_data import trade_shape
from solvent.service.wire import WireError, parse_decimal

TAG = "Solvent"
HTML = "text/html"
SLOWEST, FASTEST = 1, 1_000_000
"""Speeds in thousandths, as `solvent up --speed` takes them."""
LEVELS, TRADES = 100, 100
"""Levels of each side of a book, and trades before it, that are told of the past."""
_OK, _NOT_FOUND, _CONFLICT = 200, 404, 409


async def replay(call: Call) -> Reply:
    """What is played, how far, and how fast."""
    player, market = _player(call), call.node.market
    now = call.node.clock()
    return json_reply(
        o.ReplayNow(
            scenario=player.scenario,
            speed=speed_text(player.speed),
            paused=player.is_paused,
            start=market.parameters.start_time,
            end=player.end,
            time=now,
            caught_up=call.node.clock.signing() - now < SECOND,
            ended=market.engine.now >= player.end,
        )
    )


async def pace(call: Call) -> Reply:
    """Play faster or slower, or let the market's time stand still."""
    player, fields = _player(call), call.params
    speed = _speed(fields.need("speed")) if fields.has("speed") else player.speed
    act = PaceReplay(speed, fields.flag("paused", default=player.is_paused))
    reply = await call.act(act)
    if reply.status == _OK:
        player.play(act.speed, is_paused=act.paused)
    return reply


def _speed(text: str) -> int:
    try:
        speed = parse_decimal(text, SPEED_DECIMALS, what="speed")
    except WireError as error:
        raise bad_request(str(error)) from error
    if not SLOWEST <= speed <= FASTEST:
        raise bad_request("speed must lie between 0.001 and 1000")
    return speed


async def past(call: Call) -> Reply:
    """The market as it was at a time, made from its journal."""
    _player(call)
    time = _time(call)

    def shown(market: Market, records: int) -> o.PastMarket:
        queries = market.queries
        return o.PastMarket(
            time=max(market.engine.now, market.parameters.start_time),
            records=records,
            accounts=queries.accounts(),
            liquidating=len(queries.liquidating()),
            markets=pool_markets(market),
            pools=pools_now(market),
        )

    return json_reply(await call.node.past_market.ask(time, shown))


async def past_account(call: Call) -> Reply:
    """An account as it was at a time: one's own, and every one for those who watch."""
    _player(call)
    account, time = account_asked(call), _time(call)
    asked = call.node.past_market.ask
    return json_reply(await asked(time, lambda market, _: seen_account(market, account)))


async def past_book(call: Call) -> Reply:
    """A market's book as it was at a time, and the trades before that."""
    _player(call)
    asset, time = call.params.market(), _time(call)
    parameters = call.node.market.parameters

    def levels(found: Sequence[BookLevel]) -> list[Level]:
        return [
            (price_text(each.price), quantity_text(parameters, asset, each.quantity))
            for each in found
        ]

    def shown(market: Market, _: int) -> tuple[int, list[Level], list[Level]]:
        depth = market.queries.depth(asset, LEVELS)
        return market.engine.now, levels(depth.asks), levels(depth.bids)[::-1]

    now, asks, bids = await call.node.past_market.ask(time, shown)
    page = await call.node.past(lambda views: views.trades(asset, Paging(TRADES), end=time + 1))
    return json_reply(
        o.PastBook(
            time=now,
            asks=asks,
            bids=bids,
            trades=[trade_shape(parameters, row) for row in page.rows],
        )
    )


def _time(call: Call) -> int:
    return call.params.integer("time", 0, 0, 2**63 - 1)


async def report(call: Call) -> Reply:
    """The report of what was played, once all of it is."""
    player = _player(call)
    if call.node.market.engine.now < player.end:
        message = "the scenario is still played: its report is there when it has ended"
        raise ApiError(_CONFLICT, ApiErrorCode.PRECONDITION_FAILED, message)
    try:
        page = await player.report()
    except InputError as error:
        raise ApiError(_CONFLICT, ApiErrorCode.SERVER_ERROR, str(error)) from None
    return Reply(_OK, page, f"{HTML}; charset=utf-8")


def _player(call: Call) -> Player:
    demo = call.node.demo
    if demo is None or demo.player is None:
        message = "no scenario is played here; solvent up --replay SCENARIO plays one"
        raise ApiError(_NOT_FOUND, ApiErrorCode.RESOURCE_NOT_FOUND, message)
    return demo.player


ENDPOINTS = [
    Endpoint(TAG, "GET", "/solvent/v1/replay", replay, returns=o.ReplayNow, may_be_missing=True),
    Endpoint(
        TAG,
        "POST",
        "/solvent/v1/admin/replay",
        pace,
        "adminReplay",
        body=o.ReplayPace,
        returns=ActTaken,
        roles=RULES[PaceReplay].asks,
        mutates=True,
        may_be_missing=True,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/replay/past",
        past,
        query=o.PastQuery,
        returns=o.PastMarket,
        may_be_missing=True,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/replay/past/account",
        past_account,
        "replayPastAccountQuery",
        query=o.PastAccountQuery,
        returns=SeenAccount,
        roles=WATCHERS | TRADERS,
        may_be_missing=True,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/replay/past/book",
        past_book,
        query=o.PastBookQuery,
        returns=o.PastBook,
        may_be_missing=True,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/replay/report",
        report,
        returns=str,
        media=HTML,
        may_be_missing=True,
    ),
]
