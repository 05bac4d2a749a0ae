"""All endpoints, in the order in which they are documented."""

from solvent.service.api.endpoints import Endpoint
from solvent.service.console import newcomers
from solvent.service.routes import (
    account,
    backstop,
    batch,
    borrow_lend,
    capital,
    governance,
    health,
    history,
    insight,
    market_data,
    markets,
    orders,
    positions,
    receipts,
    system,
    trade_history,
)
from solvent.service.routes.ahead import (
    certificates,
    forecasts,
    rehearsals,
    replay,
    watch,
    what_if,
)
from solvent.service.routes.documents import documents

_SERVED: list[Endpoint] = [
    *borrow_lend.ENDPOINTS,
    *account.ENDPOINTS,
    *capital.ENDPOINTS,
    *markets.ENDPOINTS,
    *market_data.ENDPOINTS,
    *orders.ENDPOINTS,
    *history.ENDPOINTS,
    *trade_history.ENDPOINTS,
    *positions.ENDPOINTS,
    *system.ENDPOINTS,
    *batch.ENDPOINTS,
    *backstop.ENDPOINTS,
    *insight.ENDPOINTS,
    *forecasts.ENDPOINTS,
    *what_if.ENDPOINTS,
    *rehearsals.ENDPOINTS,
    *watch.ENDPOINTS,
    *certificates.ENDPOINTS,
    *replay.ENDPOINTS,
    *receipts.ENDPOINTS,
    *newcomers.ENDPOINTS,
    *governance.ENDPOINTS,
    *health.ENDPOINTS,
]

ENDPOINTS: list[Endpoint] = [*_SERVED, *documents(_SERVED)]
