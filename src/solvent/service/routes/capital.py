"""Capital: balances, collateral, and tokens that leave."""

from solvent.domain import commands as c
from solvent.domain.units import RATIO
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import READERS, TRADERS, Endpoint
from solvent.service.api.objects.capital import (
    AccountWithdrawalPayload,
    Balance,
    Balances,
    Collateral,
    CollateralQuery,
    DepositAddress,
    DepositAddressQuery,
    MarginAccountSummary,
    Withdrawal,
    WithdrawalDelay,
    WithdrawalDelayRequest,
)
from solvent.service.api.objects.enums import Blockchain
from solvent.service.api.params import bad_request, not_served
from solvent.service.api.shapes import price_text, quantity_text, ratio_text, value_text
from solvent.service.limits import MEMO_LENGTH

TAG = "Capital"


async def balances(call: Call) -> Reply:
    """What is available and locked, by asset; what is lent is not here."""
    node = call.node
    async with node.reading():
        held = node.market.queries.balances(call.account)
    parameters = node.market.parameters
    shape: Balances = {}
    for asset, balance in enumerate(held):
        if balance.available or balance.locked:
            shape[parameters.assets[asset].symbol] = Balance(
                available=quantity_text(parameters, asset, balance.available),
                locked=quantity_text(parameters, asset, balance.locked),
                staked="0",
            )
    return json_reply(shape)


async def collateral(call: Call) -> Reply:
    """The account's margin, and what each asset counts for."""
    node = call.node
    async with node.reading():
        queries = node.market.queries
        health = queries.health(call.account)
        held = queries.balances(call.account)
        prices = [queries.price(asset) for asset in range(len(held))]
        weights = queries.collateral_values(call.account)
    parameters = node.market.parameters
    rows: list[Collateral] = []
    for asset, balance in enumerate(held):
        quantity = balance.available + balance.locked + balance.lent
        if quantity:
            value, weighted = weights[asset]
            rows.append(
                Collateral(
                    symbol=parameters.assets[asset].symbol,
                    asset_mark_price=price_text(prices[asset].mark),
                    total_quantity=quantity_text(parameters, asset, quantity),
                    balance_notional=value_text(value),
                    collateral_weight=ratio_text(_nearest(weighted, value)),
                    collateral_value=value_text(weighted),
                    open_order_quantity=quantity_text(parameters, asset, balance.locked),
                    lend_quantity=quantity_text(parameters, asset, balance.lent),
                    available_quantity=quantity_text(parameters, asset, balance.available),
                )
            )
    exposure = health.exposure
    return json_reply(
        MarginAccountSummary(
            assets_value=value_text(health.assets_value),
            borrow_liability=value_text(health.debts_value),
            collateral=rows,
            imf=ratio_text(health.initial * RATIO // exposure if exposure else 0),
            unsettled_equity="0",
            liabilities_value=value_text(health.debts_value),
            mmf=ratio_text(health.maintenance * RATIO // exposure if exposure else 0),
            net_equity=value_text(health.net_equity),
            net_equity_available=value_text(max(0, health.net_equity - health.initial)),
            net_equity_locked=value_text(min(health.initial, max(0, health.net_equity))),
            net_exposure_futures="0",
            pnl_unrealized="0",
            margin_fraction=ratio_text(health.net_equity * RATIO // exposure) if exposure else None,
        )
    )


def _nearest(weighted: int, value: int) -> int:
    """The weight nearest to what a value, cut to its last digit, counts for."""
    return (2 * weighted * RATIO + value) // (2 * value) if value else 0


async def withdraw(call: Call) -> Reply:
    """Tokens leave: at once, for no chain is behind the market."""
    fields = call.params
    asset = fields.asset()
    address, client_id = fields.need("address"), _client_id(call)
    if max(len(address), len(client_id)) > MEMO_LENGTH:
        raise bad_request(f"address and clientId have at most {MEMO_LENGTH} characters")
    blockchain = fields.choice("blockchain", Blockchain)
    if blockchain is None:
        raise bad_request("blockchain is missing")
    command = c.Withdraw(
        call.account,
        asset,
        fields.quantity("quantity", asset),
        auto_lend_redeem=fields.flag("autoLendRedeem"),
        auto_borrow=fields.flag("autoBorrow"),
    )
    return await call.carry_out(command, memo=(client_id, address, blockchain.value))


def _client_id(call: Call) -> str:
    """A client's own name for a withdrawal; some clients send a number."""
    value = call.body.get("clientId") if isinstance(call.body, dict) else None
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else call.params.text("clientId")


async def deposit_address(call: Call) -> Reply:
    """The account itself: deposits are made by the operator."""
    call.params.choice("blockchain", Blockchain)
    return json_reply(DepositAddress(address=f"account-{call.account}"))


async def no_delay(call: Call) -> Reply:  # noqa: ARG001
    """Withdrawals are not delayed."""
    return Reply(204)


async def delay_not_served(call: Call) -> Reply:  # noqa: ARG001
    """Withdrawals cannot be delayed."""
    raise not_served("withdrawal delays are not served")


ENDPOINTS = [
    Endpoint(
        TAG, "GET", "/api/v1/capital", balances, "balanceQuery", returns=Balances, roles=READERS
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/capital/collateral",
        collateral,
        "collateralQuery",
        query=CollateralQuery,
        returns=MarginAccountSummary,
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/wapi/v1/capital/deposit/address",
        deposit_address,
        "depositAddressQuery",
        query=DepositAddressQuery,
        returns=DepositAddress,
        roles=READERS,
        deviations="the address names the account: deposits are made by the operator",
    ),
    Endpoint(
        TAG,
        "POST",
        "/wapi/v1/capital/withdrawals",
        withdraw,
        "withdraw",
        body=AccountWithdrawalPayload,
        returns=Withdrawal,
        roles=TRADERS,
        mutates=True,
        needs_no_market=True,
        deviations="confirmed at once: no chain is behind the market, "
        "and there is no second factor",
    ),
    Endpoint(
        TAG,
        "GET",
        "/wapi/v1/capital/withdrawals/delay",
        no_delay,
        "withdrawalDelayQuery",
        returns=WithdrawalDelay,
        may_be_empty=True,
        roles=READERS,
        deviations="always 204: withdrawals are not delayed",
    ),
    Endpoint(
        TAG,
        "POST",
        "/wapi/v1/capital/withdrawals/delay",
        delay_not_served,
        "withdrawalDelayCreate",
        body=WithdrawalDelayRequest,
        roles=TRADERS,
        deviations="refused with NOT_IMPLEMENTED",
    ),
    Endpoint(
        TAG,
        "PATCH",
        "/wapi/v1/capital/withdrawals/delay",
        delay_not_served,
        "withdrawalDelayUpdate",
        body=WithdrawalDelayRequest,
        roles=TRADERS,
        deviations="refused with NOT_IMPLEMENTED",
    ),
]
