"""An example request for every endpoint: who sends it, where to, and its fields."""

import base64
from typing import Any, NamedTuple

TABLE = """
ann POST /api/v1/borrowLend quantity=1 side=Lend symbol=BTC
ann GET /api/v1/borrowLend/positions
ann GET /wapi/v1/history/borrowLend type=Lend sources=Manual,Interest limit=5
ann GET /wapi/v1/history/borrowLend/positions side=Lend state=Open
bob GET /wapi/v1/history/interest symbol=USDC source=BorrowLend
bob GET /api/v1/borrowLend/position/liquidationPrice borrow=LEND
- GET /api/v1/borrowLend/markets
- GET /api/v1/borrowLend/markets/history interval=1d symbol=USDC
- GET /api/v1/borrowLend/apy
ann GET /api/v1/account
ann PATCH /api/v1/account autoLend=false leverageLimit=10
ann GET /api/v1/account/limits/borrow symbol=USDC
ann GET /api/v1/account/limits/order symbol=SOL_USDC side=Bid price=200
ann GET /api/v1/account/limits/withdrawal symbol=SOL autoLendRedeem=true
dan POST /api/v1/account/convertDust symbol=SOL
ann GET /api/v1/capital
bob GET /api/v1/capital/collateral
ann GET /wapi/v1/capital/deposits from=0
ann GET /wapi/v1/capital/deposit/address blockchain=Solana
bob GET /wapi/v1/capital/withdrawals clientId=w-1
bob POST /wapi/v1/capital/withdrawals address=x blockchain=Solana quantity=1 symbol=SOL
ann GET /wapi/v1/capital/withdrawals/delay
ann POST /wapi/v1/capital/withdrawals/delay withdrawalDelayHours=24
ann PATCH /wapi/v1/capital/withdrawals/delay withdrawalDelayHours=24
eve GET /wapi/v1/history/settlement limit=10
eve GET /wapi/v1/history/dust symbol=BTC
- GET /api/v1/assets
- GET /api/v1/collateral
- GET /api/v1/markets marketType=SPOT
- GET /api/v1/market symbol=SOL_USDC
- GET /api/v1/ticker symbol=SOL_USDC interval=1d
- GET /api/v1/tickers interval=1w
- GET /api/v1/depth symbol=SOL_USDC limit=10
- GET /api/v1/klines symbol=SOL_USDC interval=1m startTime=0
- GET /api/v1/markPrices symbol=SOL_USDC
- GET /api/v1/openInterest
- GET /api/v1/fundingRates symbol=SOL_USDC
- GET /api/v1/trades symbol=SOL_USDC limit=10
- GET /api/v1/trades/history symbol=SOL_USDC limit=10 offset=0
- GET /api/v1/securities
- GET /api/v1/market-sessions
ann GET /api/v1/order clientId=7 symbol=SOL_USDC
bob POST /api/v1/order orderType=Limit side=Bid symbol=SOL_USDC price=150 quantity=1 clientId=9
bob DELETE /api/v1/order clientId=8 symbol=SOL_USDC
bob POST /api/v1/orders orderType=Limit side=Bid symbol=SOL_USDC price=151 quantity=1
ann GET /api/v1/orders marketType=SPOT symbol=SOL_USDC
bob DELETE /api/v1/orders symbol=SOL_USDC
ann GET /wapi/v1/history/orders symbol=SOL_USDC sortDirection=Asc
eve GET /wapi/v1/history/fills fillType=AllLiquidation
ann GET /api/v1/position
ann GET /wapi/v1/history/position limit=1
ann GET /wapi/v1/history/funding symbol=SOL_USDC
- GET /api/v1/status
- GET /api/v1/ping
- GET /api/v1/time
- GET /api/v1/wallets
ann GET /solvent/v1/limits symbol=USDC autoBorrow=true
ann GET /solvent/v1/limits/order symbol=SOL_USDC side=Bid price=200 autoBorrow=true
ann GET /solvent/v1/limits/order/ahead symbol=SOL_USDC side=Bid price=200 quantity=1 autoBorrow=true
bob GET /solvent/v1/forecast symbol=USDC
operator POST /solvent/v1/certificates
- GET /solvent/v1/certificates
ann GET /solvent/v1/certificates/proof
ann GET /solvent/v1/forecast/rounds
- GET /solvent/v1/forecast/pools
risk GET /solvent/v1/what-if moves=SOL:-0.3
risk GET /solvent/v1/what-if/curve betas=SOL:1.5
risk GET /solvent/v1/risk/rehearsal symbol=SOL field=POOL_FEE value=5 hours=1
pat GET /solvent/v1/backstop
pat POST /solvent/v1/backstop symbol=SOL quantity=1
pat DELETE /solvent/v1/backstop symbol=SOL quantity=1
- GET /solvent/v1/pools
- GET /solvent/v1/solvency
- GET /solvent/v1/waterfall
auditor GET /solvent/v1/receipts limit=5
risk GET /solvent/v1/watch/accounts limit=5
ann GET /solvent/v1/watch/account account=OWN
risk GET /solvent/v1/watch/concentration
risk GET /solvent/v1/watch/cover move=-0.3 count=2
- GET /solvent/v1/oracle
- GET /solvent/v1/replay
operator POST /solvent/v1/admin/replay speed=60 paused=true
- GET /solvent/v1/replay/past time=0
ann GET /solvent/v1/replay/past/account time=4102444800000000 account=OWN
- GET /solvent/v1/replay/past/book time=0 symbol=SOL_USDC
- GET /solvent/v1/replay/report
risk POST /solvent/v1/risk/proposals symbol=SOL field=POOL_FEE value=5
risk-2 POST /solvent/v1/proposals/approvals proposal=1
risk POST /solvent/v1/proposals/rejections proposal=2
risk GET /solvent/v1/proposals state=waiting limit=5
oracle POST /solvent/v1/oracle/halt symbol=BTC halted=false
zoe POST /solvent/v1/standby quantity=100 premium=0.01
zoe GET /solvent/v1/standby
zoe DELETE /solvent/v1/standby quantity=50
zoe GET /solvent/v1/standby/history limit=5
- GET /solvent/v1/waterfall/bridge
- GET /solvent/v1/waterfall/capacity
zoe GET /solvent/v1/backstop
zoe POST /solvent/v1/backstop symbol=SOL quantity=1
zoe DELETE /solvent/v1/backstop symbol=SOL quantity=0.5
operator POST /solvent/v1/admin/accounts publicKey=KEY
operator GET /solvent/v1/admin/keys
operator POST /solvent/v1/admin/keys role=auditor publicKey=KEY
operator DELETE /solvent/v1/admin/keys publicKey=LEAVER
roy POST /solvent/v1/keys/rotation publicKey=KEY
- POST /solvent/v1/demo/accounts publicKey=KEY
ann POST /solvent/v1/demo/deposits symbol=USDC quantity=10
auditor GET /solvent/v1/audit limit=5
- GET /solvent/v1/identity
funder POST /solvent/v1/admin/deposits account=2 symbol=USDC quantity=1.5
operator POST /solvent/v1/admin/fees symbol=USDC
- GET /solvent/v1/health
- GET /solvent/v1/ready
- GET /solvent/v1/cluster
- GET /solvent/v1/metrics
- GET /openapi.json
- GET /docs
- GET /
"""
LISTS: dict[str, tuple[str, str, list[dict[str, Any]]]] = {
    "/solvent/v1/batch": (
        "ann",
        "commands",
        [
            {"verb": "lend", "symbol": "SOL", "quantity": "1"},
            {"verb": "repay", "symbol": "BTC", "quantity": "1"},
            {"verb": "cancelAll"},
        ],
    ),
    "/solvent/v1/oracle/prices": (
        "oracle",
        "prices",
        [{"symbol": "SOL", "bid": "150", "ask": "150", "last": "150"}],
    ),
}
"""Requests of which the body's digest is signed."""


class Example(NamedTuple):
    """One request: who sends it, where to, and its fields."""

    who: str
    method: str
    path: str
    fields: dict[str, Any]


LEND = base64.b64encode(b'{"quantity":"1","side":"Lend","symbol":"SOL"}').decode()
"""What stands where the table says so: a payload in a length that needs no padding."""


def _value(name: str, text: str) -> Any:
    if text == "LEND":
        return LEND
    if text in ("true", "false"):
        return text == "true"
    is_number = name in ("clientId", "withdrawalDelayHours", "value", "proposal", "account")
    return int(text) if is_number and text.isdigit() else text


def _examples() -> dict[tuple[str, str], Example]:
    found = {}
    for line in TABLE.split("\n"):
        if line.strip():
            who, method, path, *words = line.split()
            pairs = (word.partition("=") for word in words)
            fields = {name: _value(name, text) for name, _, text in pairs}
            found[method, path] = Example(who, method, path, fields)
    return found


EXAMPLES = _examples()
