"""Watching: which accounts are near, how much is whose, what the largest lack, what prices rest on.

What tells of single accounts is asked of an image beside the writer, by roles without an account
alone (`what_if`). Where prices come from is open to everybody whom they can liquidate.
"""

from solvent.domain.errors import InputError
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import RATIO, divide_up
from solvent.foresight.moves import by_asset
from solvent.foresight.standings import Concentration, Cover, Standing, cover, nearest
from solvent.foresight.what_if import Outlook
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import TRADERS, Endpoint
from solvent.service.api.objects.ahead import watch as o
from solvent.service.api.objects.pages import FAR
from solvent.service.api.params import bad_request
from solvent.service.api.shapes import price_text, quantity_text, ratio_text, value_text
from solvent.service.core.market import Market
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import PAGE_DEFAULT, PAGE_MOST
from solvent.service.routes.ahead.what_if import WATCHERS, moves_asked

TAG = "Solvent"
COVERED = 2
FORBIDDEN, NOT_FOUND = 403, 404


async def accounts(call: Call) -> Reply:
    """The debtors that are nearest to liquidation now."""
    limit = call.params.integer("limit", PAGE_DEFAULT, 1, PAGE_MOST)

    def asked(outlook: Outlook) -> tuple[int, int, list[Standing]]:
        rows = outlook.standings()
        return outlook.time, len(rows) - 1, nearest(rows, limit)

    time, debtors, found = await call.node.outlooks.ask(asked)
    parameters = call.node.market.parameters
    shown = [_account(parameters, each) for each in found]
    return json_reply(o.Nearness(time=time, debtors=debtors, accounts=shown))


def _account(parameters: EngineParameters, found: Standing) -> o.NearAccount:
    equity = found.net_equity
    return o.NearAccount(
        account=found.account,
        margin_ratio=ratio_text(divide_up(found.maintenance * RATIO, equity))
        if equity > 0
        else None,
        net_equity=value_text(equity),
        maintenance=value_text(found.maintenance),
        assets=value_text(found.assets_value),
        debts=value_text(found.debts_value),
        owes=parameters.assets[found.owes].symbol,
    )


async def seen(call: Call) -> Reply:
    """An account: one's own, and every one for those who watch over the market."""
    account = account_asked(call)
    async with call.node.reading():
        return json_reply(seen_account(call.node.market, account))


def account_asked(call: Call) -> int:
    """The account that is asked for. Raises ApiError where the key may not see it."""
    account = call.params.integer("account", -1, 0, FAR)
    if call.principal.role not in WATCHERS and account != call.principal.account:
        raise ApiError(FORBIDDEN, ApiErrorCode.FORBIDDEN, "the key may not see this account")
    return account


def seen_account(market: Market, account: int) -> o.SeenAccount:
    """An account as a market has it, which stands still meanwhile. Raises ApiError."""
    parameters, queries = market.parameters, market.queries
    if account >= queries.accounts():
        raise ApiError(NOT_FOUND, ApiErrorCode.RESOURCE_NOT_FOUND, "there is no such account")
    health, fractions = queries.health(account), queries.fractions(account)
    ratio = fractions.maintenance_ratio
    balances = []
    for asset, balance in enumerate(queries.balances(account)):
        if not any(balance):
            continue
        price = queries.liquidation_price(account, asset) if health.debts_value else None
        balances.append(
            o.SeenBalance(
                symbol=parameters.assets[asset].symbol,
                available=quantity_text(parameters, asset, balance.available),
                locked=quantity_text(parameters, asset, balance.locked),
                lent=quantity_text(parameters, asset, balance.lent),
                owed=quantity_text(parameters, asset, balance.debt),
                mark_price=price_text(queries.price(asset).mark),
                liquidation_price=None if price is None else price_text(price),
            )
        )
    return o.SeenAccount(
        account=account,
        time=market.engine.now,
        liquidating=fractions.liquidating,
        margin_ratio=None if ratio is None else ratio_text(ratio),
        net_equity=value_text(health.net_equity),
        initial=value_text(health.initial),
        maintenance=value_text(health.maintenance),
        assets=value_text(health.assets_value),
        debts=value_text(health.debts_value),
        balances=balances,
    )


async def concentration(call: Call) -> Reply:
    """How much of every pool is that of its largest lenders and borrowers."""

    def asked(outlook: Outlook) -> tuple[int, list[Concentration]]:
        return outlook.time, outlook.concentrations()

    time, found = await call.node.outlooks.ask(asked)
    pools = [
        o.PoolConcentration(
            symbol=about.symbol,
            lenders=each.lenders,
            borrowers=each.borrowers,
            lent_by=[ratio_text(part) for part in each.lent_by],
            owed_by=[ratio_text(part) for part in each.owed_by],
        )
        for about, each in zip(call.node.market.parameters.assets, found, strict=True)
    ]
    return json_reply(o.Concentrations(time=time, pools=pools))


async def covered(call: Call) -> Reply:
    """Whether the fund pays for the accounts that would lack most if prices moved now."""
    count = call.params.integer("count", COVERED, 1, o.MOST_COVERED)
    moves = moves_asked(call)

    def asked(outlook: Outlook) -> tuple[int, Cover]:
        marks = by_asset(outlook.parameters, outlook.marks, moves(outlook))
        return outlook.time, cover(outlook.standings(marks), count)

    try:
        time, found = await call.node.outlooks.ask(asked)
    except InputError as error:
        raise bad_request(f"{error.field}: {error.reason}") from None
    parameters = call.node.market.parameters
    return json_reply(
        o.CoverAnswer(
            time=time,
            covered=found.is_covered,
            lacking=value_text(found.lacking),
            lacking_in_all=value_text(found.lacking_in_all),
            fund=value_text(found.fund),
            accounts=[_account(parameters, each) for each in found.accounts],
        )
    )


async def oracle(call: Call) -> Reply:
    """What every price rests on now, and whether it may be used."""
    async with call.node.reading():
        market = call.node.market
        found = [_oracle(market, asset) for asset in range(1, len(market.parameters.assets))]
        return json_reply(o.Oracle(time=market.engine.now, prices=found))


def _oracle(market: Market, asset: int) -> o.OracleHealth:
    price, reading = market.queries.price(asset), market.queries.oracle(asset)
    about = market.parameters.assets[asset]
    sources = [
        o.OracleSource(
            source=number,
            weight=weight,
            fresh=each.fresh,
            time=None if each.time < 0 else each.time,
            bid=price_text(each.bid),
            ask=price_text(each.ask),
            last=price_text(each.last),
        )
        for number, (each, weight) in enumerate(
            zip(reading.sources, about.price.source_weights, strict=True)
        )
    ]
    return o.OracleHealth(
        symbol=about.symbol,
        index=price_text(price.index),
        mark=price_text(price.mark),
        quorum=reading.quorum,
        fresh=sum(each.fresh for each in reading.sources),
        stale=price.stale,
        halted=price.halted,
        in_doubt=reading.in_doubt,
        updated=None if price.updated < 0 else price.updated,
        max_age=about.price.max_age,
        sources=sources,
    )


ENDPOINTS = [
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/watch/accounts",
        accounts,
        "watchAccountsQuery",
        query=o.NearQuery,
        returns=o.Nearness,
        roles=WATCHERS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/watch/account",
        seen,
        "watchAccountQuery",
        query=o.SeenQuery,
        returns=o.SeenAccount,
        roles=WATCHERS | TRADERS,
        may_be_missing=True,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/watch/concentration",
        concentration,
        "watchConcentrationQuery",
        returns=o.Concentrations,
        roles=WATCHERS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/watch/cover",
        covered,
        "watchCoverQuery",
        query=o.CoverQuery,
        returns=o.CoverAnswer,
        roles=WATCHERS,
    ),
    Endpoint(TAG, "GET", "/solvent/v1/oracle", oracle, returns=o.Oracle),
]
