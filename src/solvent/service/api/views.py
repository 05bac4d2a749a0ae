"""Views: what the console shows at an address, as data under the same address.

`/markets` is a page; `/markets.json` is what the API says about what the page shows, and
`/markets.csv` its rows as a table. Such an address is another name of an endpoint: limits, fields,
signature and errors are the endpoint's, and no field of it is another one here. Views that show
nothing of the market (key, settings, ask) have no data.
"""

import csv
import io
import json
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from solvent.service.api.calls import JSON_TYPE, Reply
from solvent.service.strict_json import encode

CSV_TYPE = "text/csv; charset=utf-8"
_LINES = "application/x-ndjson"
_OK = 200


class _View(NamedTuple):
    """An endpoint; the list in its answer that has the rows; the field that the address names."""

    path: str
    rows: str | None = None
    field: str | None = None
    fixed: tuple[str, str] | None = None


_LIMITS = _View("/solvent/v1/limits", field="symbol")
VIEWS = {
    "markets": _View("/api/v1/borrowLend/markets"),
    "markets/*": _View(
        "/api/v1/borrowLend/markets/history", field="symbol", fixed=("interval", "1d")
    ),
    "trade": _View("/api/v1/tickers"),
    "trade/*": _View("/api/v1/trades", field="symbol"),
    "account": _View("/api/v1/capital/collateral", "collateral"),
    "account/of/*": _View("/solvent/v1/watch/account", "balances", field="account"),
    "account/lend/*": _LIMITS,
    "account/redeem/*": _LIMITS,
    "account/borrow/*": _LIMITS,
    "account/repay/*": _LIMITS,
    "account/standby": _View("/solvent/v1/standby"),
    "account/history/loans": _View("/wapi/v1/history/borrowLend"),
    "account/history/fills": _View("/wapi/v1/history/fills"),
    "account/history/interest": _View("/wapi/v1/history/interest"),
    "account/history/settlements": _View("/wapi/v1/history/settlement"),
    "account/history/deposits": _View("/wapi/v1/capital/deposits"),
    "account/history/standby": _View("/solvent/v1/standby/history"),
    "cluster": _View("/solvent/v1/cluster", "nodes"),
    "waterfall": _View("/solvent/v1/waterfall"),
    "waterfall/bridge": _View("/solvent/v1/waterfall/bridge", "stages"),
    "waterfall/capacity": _View("/solvent/v1/waterfall/capacity", "offers"),
    "receipts": _View("/solvent/v1/receipts"),
    "replay": _View("/solvent/v1/replay"),
    "risk": _View("/solvent/v1/what-if/curve", "points"),
    "risk/accounts": _View("/solvent/v1/watch/accounts", "accounts"),
    "risk/oracle": _View("/solvent/v1/oracle", "prices"),
    "risk/changes": _View("/solvent/v1/proposals"),
    "risk/audit": _View("/solvent/v1/audit"),
}
"""By the page's address; a star is a word of it that is a field."""


class Asked(NamedTuple):
    """A request as an endpoint takes it, and in which form the answer is wanted."""

    path: str
    raw_query: str
    form: str | None = None
    rows: str | None = None

    def shaped(self, reply: Reply) -> Reply:
        """The endpoint's answer in the form that the address asked for; errors stay as they are."""
        if self.form is None or reply.status != _OK:
            return reply
        said = _read(reply)
        if self.form == "json":
            body = encode(said) if reply.content_type != JSON_TYPE else reply.body
            return reply._replace(body=body, content_type=JSON_TYPE)
        rows = said if isinstance(said, list) else said[self.rows] if self.rows else [said]
        return reply._replace(body=table(rows), content_type=CSV_TYPE)


def asked(method: str, path: str, raw_query: str) -> Asked:
    """What a request asks of which endpoint; itself, where it does not read or is of no view."""
    address, point, form = path.removeprefix("/").rpartition(".")
    if not point or form not in ("json", "csv") or method not in ("GET", "HEAD"):
        return Asked(path, raw_query)
    above, _, word = address.rpartition("/")
    view = VIEWS.get(address) or VIEWS.get(f"{above}/*")
    if view is None:
        return Asked(path, raw_query)
    named = {part.partition("=")[0] for part in raw_query.split("&")}
    fields = [raw_query] if raw_query else []
    if view.field is not None:
        fields.append(f"{view.field}={quote(unquote(word), safe='')}")
    if view.fixed is not None and view.fixed[0] not in named:
        fields.append("=".join(view.fixed))
    return Asked(view.path, "&".join(fields), form, view.rows)


def table(rows: list[dict[str, Any]]) -> bytes:
    """Rows as CSV, a column for each field; what has parts of its own is JSON in its cell."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return text.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _read(reply: Reply) -> Any:
    if reply.content_type.startswith(_LINES):
        return [json.loads(line) for line in reply.body.splitlines() if line]
    return json.loads(reply.body)
